//! What becomes of the networks.

use indexmap::IndexMap;

use super::scope::Scope;
use crate::name::{NetworkId, NetworkKey};
use crate::plan::operation::{Cause, ExistingNetwork};
use crate::state::desired::{Desired, DesiredNetwork, labels};
use crate::state::difference;
use crate::state::observed::{Observed, ObservedNetwork};

/// What becomes of a network.
pub(super) enum NetworkFate<'a> {
    /// It is right, or not ours.
    Kept,
    /// It is not there.
    Missing,
    /// It is not as declared.
    Replaced {
        /// The one that goes.
        found: &'a ObservedNetwork,
        /// Its id.
        id: NetworkId,
        /// Why.
        cause: Cause,
    },
}

/// The networks that are needed, with what becomes of each.
pub(super) fn fates<'a>(
    desired: &Desired,
    observed: &'a Observed,
    scope: &Scope,
) -> IndexMap<NetworkKey, NetworkFate<'a>> {
    let needed = desired.networks.iter().filter(|(key, _)| scope.has_network(desired, key));
    needed.map(|(key, network)| (key.clone(), fate(desired, observed, network))).collect()
}

fn fate<'a>(desired: &Desired, observed: &'a Observed, network: &DesiredNetwork) -> NetworkFate<'a> {
    if network.external {
        return NetworkFate::Kept;
    }
    let named = || observed.networks.iter().filter(|found| found.name == network.name);
    let ours = named().find(|found| found.belongs_to(&desired.project));
    match (ours, named().next()) {
        (None, None) => NetworkFate::Missing,
        (None, Some(_)) => NetworkFate::Kept,
        (Some(found), _) => {
            let differences = difference::network(network, found, &observed.engine);
            match (&found.id, differences.is_empty()) {
                (Some(id), false) => NetworkFate::Replaced {
                    found,
                    id: id.clone(),
                    cause: Cause::NetworkDrifted(network.key.clone(), differences),
                },
                _ => NetworkFate::Kept,
            }
        }
    }
}

/// A network that is there, as an operation names it.
pub(in crate::plan) fn existing(found: &ObservedNetwork) -> Option<ExistingNetwork> {
    Some(ExistingNetwork { id: found.id.clone()?, name: found.name.clone(), key: key(found) })
}

/// The key that a network's label names.
pub(in crate::plan) fn key(found: &ObservedNetwork) -> Option<NetworkKey> {
    found.labels.get(labels::NETWORK)?.parse().ok()
}

/// Whether a network can only be made when another is gone: they claim the same addresses, parent link or bridge.
pub(super) fn in_the_way(wanted: &DesiredNetwork, found: &ObservedNetwork) -> bool {
    let same = |option: &str| wanted.options.get(option).is_some_and(|value| found.options.get(option) == Some(value));
    let overlap = wanted.ipam.pools.iter().filter_map(|pool| pool.subnet).any(|ours| {
        let mut theirs = found.ipam.pools.iter().filter_map(|pool| pool.subnet);
        theirs.any(|theirs| ours.contains(&theirs) || theirs.contains(&ours))
    });
    wanted.name == found.name || overlap || same("parent") || same("com.docker.network.bridge.name")
}

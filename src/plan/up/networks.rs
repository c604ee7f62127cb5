//! What becomes of the networks.

use indexmap::IndexMap;

use super::fate::Fates;
use super::scope::Scope;
use super::vlans;
use super::work::Work;
use crate::name::{NetworkId, NetworkKey};
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, ExistingNetwork, Needs, Operation};
use crate::state::desired::{Desired, DesiredNetwork, labels};
use crate::state::difference;
use crate::state::observed::{Observed, ObservedContainer, ObservedNetwork};

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
            let mut differences = difference::network(network, found, &observed.engine);
            differences.extend(vlans::differences(desired, observed, network));
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

impl<'a> Work<'a> {
    /// Replaces and makes networks; those with a subnet of their own before those for which the Engine chooses one.
    pub(super) fn networks(&mut self, networks: &IndexMap<NetworkKey, NetworkFate<'a>>, fates: &Fates<'a>) {
        let mut removals = Vec::new();
        for (key, fate) in networks {
            let NetworkFate::Replaced { found, cause, .. } = fate else { continue };
            let Some(network) = existing(found) else { continue };
            let off = self.clear(&network, cause, fates);
            let removal = self.builder.step(Operation::RemoveNetwork(network), cause.clone());
            off.into_iter().for_each(|step| self.builder.needs(removal, step, Needs::Gone));
            self.cleared.insert(key.clone(), removal);
            removals.push((removal, *found));
        }
        let explicit =
            |key: &NetworkKey| self.desired.networks[key].ipam.pools.iter().any(|pool| pool.subnet.is_some());
        let (first, then): (Vec<_>, Vec<_>) = networks.iter().partition(|(key, _)| explicit(key));
        let mut made: Vec<Handle> = Vec::new();
        for (place, (key, fate)) in first.iter().chain(&then).enumerate() {
            let cause = match fate {
                NetworkFate::Kept => continue,
                NetworkFate::Missing => Cause::Missing,
                NetworkFate::Replaced { cause, .. } => cause.clone(),
            };
            let step = self.builder.step(Operation::CreateNetwork((*key).clone()), cause);
            let wanted = &self.desired.networks[*key];
            for (removal, _) in removals.iter().filter(|(_, found)| in_the_way(wanted, found)) {
                self.builder.needs(step, *removal, Needs::Gone);
            }
            if place < first.len() {
                made.push(step);
            } else {
                made.iter().for_each(|other| self.builder.needs(step, *other, Needs::Order));
            }
            self.networks.insert((*key).clone(), step);
        }
    }

    /// Takes everything of the project off a network.
    fn clear(&mut self, network: &ExistingNetwork, cause: &Cause, fates: &Fates<'a>) -> Vec<Handle> {
        let on_it = |c: &&ObservedContainer| c.endpoints.values().any(|e| e.network.as_ref() == Some(&network.id));
        let mut off = Vec::new();
        for container in self.observed.containers.iter().filter(on_it) {
            let comes_back = fates.contains_key(&container.replica);
            if comes_back {
                self.stop(container, cause.clone());
            }
            off.push(self.disconnect(container, network.clone(), cause.clone()));
        }
        off
    }
}

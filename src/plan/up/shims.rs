//! What becomes of the host's own links on the wires of networks.

use indexmap::IndexMap;

use super::networks::NetworkFate;
use super::work::Work;
use crate::name::NetworkKey;
use crate::plan::operation::{Cause, ExistingShim, Needs, Operation};
use crate::state::observed::Observed;
use crate::state::shim::{self, ObservedShim};
use crate::state::vlan::ObservedVlan;

impl Work<'_> {
    /// Makes the links that are missing or not as declared, each when its network is there, and takes away those that no network asks for.
    /// One that hangs on the parent of a network that is made anew goes before that network does, and comes back with it.
    pub(super) fn shims(&mut self, networks: &IndexMap<NetworkKey, NetworkFate<'_>>) {
        let (desired, observed) = (self.desired, self.observed);
        for (key, wanted) in desired.shims.iter().filter(|(key, _)| networks.contains_key(*key)) {
            let found = named(observed, &wanted.name);
            let moved = self.cleared.get(key).copied();
            let cause = match found.map(|found| shim::differences(wanted, found)) {
                None => Cause::Missing,
                Some(differences) if !differences.is_empty() => Cause::Drifted(differences),
                Some(_) => match networks.get(key) {
                    Some(NetworkFate::Replaced { cause, .. }) => cause.clone(),
                    _ => continue,
                },
            };
            let gone = found.map(|found| self.builder.step(Operation::RemoveShim(existing(found)), cause.clone()));
            let made = self.builder.step(Operation::MakeShim(key.clone()), cause);
            if let Some(gone) = gone {
                self.builder.needs(made, gone, Needs::Gone);
                if let Some(moved) = moved {
                    self.builder.needs(moved, gone, Needs::Gone);
                }
            }
            if let Some(network) = self.networks.get(key).copied() {
                self.builder.needs(made, network, Needs::Exists);
            }
        }
        let kept = |shim: &&ObservedShim| desired.shims.values().any(|wanted| wanted.name == shim.name);
        for shim in observed.shims.iter().filter(|shim| !kept(shim)) {
            let gone = self.builder.step(Operation::RemoveShim(existing(shim)), Cause::Orphaned);
            let network = desired.networks.keys().find(|key| shim::name(&desired.project, key.as_str()) == shim.name);
            if let Some(moved) = network.and_then(|key| self.cleared.get(key)).copied() {
                self.builder.needs(moved, gone, Needs::Gone);
            }
        }
    }
}

fn named<'a>(observed: &'a Observed, name: &str) -> Option<&'a ObservedShim> {
    observed.shims.iter().find(|shim| shim.name == name)
}

/// A VLAN link that is there, as an operation names it.
pub(in crate::plan) fn existing_link(found: &ObservedVlan) -> ExistingShim {
    ExistingShim { name: found.name.clone(), label: found.label.clone() }
}

/// One that is there, as an operation names it.
pub(in crate::plan) fn existing(found: &ObservedShim) -> ExistingShim {
    ExistingShim { name: found.name.clone(), label: found.label.clone() }
}

//! What becomes of the VLAN links that bowline makes on the Engine's host.

use indexmap::IndexMap;

use super::networks::NetworkFate;
use super::shims::existing_link;
use super::work::Work;
use crate::name::NetworkKey;
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, Needs, Operation};
use crate::state::desired::{Desired, DesiredNetwork};
use crate::state::difference::Difference;
use crate::state::observed::{Observed, ObservedNetwork};
use crate::state::vlan::{self, DesiredVlan, ObservedVlan, links_of};

/// What is not as declared with the links below a network. With such a link its children go, so that the network is made anew with it.
pub(super) fn differences(desired: &Desired, observed: &Observed, network: &DesiredNetwork) -> Vec<Difference> {
    let wanted = links_of(&network.labels).filter_map(|name| desired.vlans.get(name));
    wanted.flat_map(|wanted| missing_or_drifted(wanted, observed)).collect()
}

fn missing_or_drifted(wanted: &DesiredVlan, observed: &Observed) -> Vec<Difference> {
    match named(observed, &wanted.link.name) {
        Some(found) => vlan::differences(wanted, found),
        None => {
            let (field, declared, found) = ("the VLAN link".to_owned(), wanted.link.name.clone(), "none".to_owned());
            vec![Difference { field, declared, found, at: wanted.span }]
        }
    }
}

impl Work<'_> {
    /// Makes the links that are missing or not as declared, each before the networks on it, and takes away those that nothing asks for any more,
    /// after the networks on them. A link that stands on another one goes before that one, and comes after it.
    pub(super) fn vlans(&mut self, networks: &IndexMap<NetworkKey, NetworkFate<'_>>) {
        let (desired, observed) = (self.desired, self.observed);
        let mut moved: IndexMap<&str, Cause> = IndexMap::new();
        for (name, wanted) in desired.vlans.iter().filter(|(name, _)| self.is_in_scope(networks, name)) {
            let below = moved.get(wanted.link.parent.as_str()).cloned();
            let cause = match named(observed, name) {
                None => Some(Cause::Missing),
                Some(found) => {
                    Some(vlan::differences(wanted, found)).filter(|d| !d.is_empty()).map(Cause::Drifted).or(below)
                }
            };
            moved.extend(cause.map(|cause| (name.as_str(), cause)));
        }
        let removals = self.remove_vlans(&moved);
        let mut made: IndexMap<&str, Handle> = IndexMap::new();
        for (name, cause) in moved {
            let step = self.builder.step(Operation::MakeVlan(name.to_owned()), cause);
            // a VLAN of a link has one link, and only when the one is gone there is room for another
            removals.values().for_each(|gone| self.builder.needs(step, *gone, Needs::Gone));
            if let Some(below) = desired.vlans.get(name).and_then(|wanted| made.get(wanted.link.parent.as_str())) {
                self.builder.needs(step, *below, Needs::Exists);
            }
            for (key, network) in desired.networks.iter().filter(|(_, network)| stands_on(network, name)) {
                if let Some(create) = self.networks.get(key).copied() {
                    self.builder.needs(create, step, Needs::Exists);
                }
                if let Some(gone) = self.cleared.get(&network.key).copied() {
                    self.builder.needs(step, gone, Needs::Gone);
                }
            }
            made.insert(name, step);
        }
    }

    /// Takes away what is made anew, and what nothing asks for and no network that stays hangs on.
    fn remove_vlans(&mut self, moved: &IndexMap<&str, Cause>) -> IndexMap<String, Handle> {
        let (desired, observed) = (self.desired, self.observed);
        let mut removals: IndexMap<String, Handle> = IndexMap::new();
        for found in observed.vlans.iter().filter(|found| found.belongs_to(&desired.project)) {
            let cause = match (moved.get(found.name.as_str()), desired.vlans.contains_key(&found.name)) {
                (Some(cause), _) => cause.clone(),
                (None, true) => continue,
                (None, false) => Cause::Orphaned,
            };
            let users: Vec<&ObservedNetwork> = observed.networks.iter().filter(|n| hangs_on(n, &found.name)).collect();
            let handles: Vec<Option<Handle>> = users.iter().map(|network| self.cleared_of(network)).collect();
            if cause == Cause::Orphaned && handles.contains(&None) {
                continue;
            }
            let step = self.builder.step(Operation::RemoveVlan(existing_link(found)), cause);
            handles.into_iter().flatten().for_each(|gone| self.builder.needs(step, gone, Needs::Gone));
            removals.insert(found.name.clone(), step);
        }
        for found in &observed.vlans {
            let below = found.parent.as_ref().and_then(|parent| removals.get(parent)).copied();
            if let Some((above, below)) = removals.get(&found.name).copied().zip(below) {
                self.builder.needs(below, above, Needs::Gone);
            }
        }
        removals
    }

    /// The removal of a network, where this plan has it.
    fn cleared_of(&self, network: &ObservedNetwork) -> Option<Handle> {
        let ours = network.belongs_to(&self.desired.project).then(|| super::key(network)).flatten();
        ours.and_then(|key| self.cleared.get(&key)).copied()
    }

    fn is_in_scope(&self, networks: &IndexMap<NetworkKey, NetworkFate<'_>>, link: &str) -> bool {
        networks.keys().any(|key| self.desired.networks.get(key).is_some_and(|network| stands_on(network, link)))
    }
}

fn named<'a>(observed: &'a Observed, name: &str) -> Option<&'a ObservedVlan> {
    observed.vlans.iter().find(|vlan| vlan.name == name)
}

fn stands_on(network: &DesiredNetwork, link: &str) -> bool {
    links_of(&network.labels).any(|name| name == link)
}

/// Whether a network of the Engine hangs on a link, or on one that stands on it.
pub(in crate::plan) fn hangs_on(network: &ObservedNetwork, link: &str) -> bool {
    network.options.get("parent").is_some_and(|parent| parent == link)
        || links_of(&network.labels).any(|name| name == link)
}

//! `deploy.update_config`: which of two containers goes first, and how long the old one is kept.

use indexmap::IndexMap;

use super::fate::{Fate, Fates};
use super::lenders::lenders;
use super::networks::NetworkFate;
use super::work::Work;
use crate::name::NetworkKey;
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, Needs, Operation, Target};
use crate::state::desired::{Attachment, DesiredContainer};
use crate::state::observed::ObservedContainer;

/// Which of the old container and the new one goes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Succession {
    /// The old one ends, then the new one starts.
    #[default]
    StopFirst,
    /// The new one starts, and the old one ends when it holds: `order: start-first`.
    StartFirst,
    /// The file asks for `start-first`, and this stands against it.
    Forbidden(String),
}

/// Decides for every container that is replaced.
pub(super) fn decide(fates: &mut Fates, networks: &IndexMap<NetworkKey, NetworkFate>) {
    for fate in fates.values_mut().filter(|fate| fate.is_replaced() && fate.wanted.update.start_first) {
        fate.succession = match obstacle(fate.wanted, networks) {
            Some(why) => Succession::Forbidden(why),
            None => Succession::StartFirst,
        };
    }
    keep(fates);
}

/// Says for whom each old container is kept that is: for its own successor, or for that of the one in whose namespaces it lives.
fn keep(fates: &mut Fates) {
    for fate in fates.values_mut().filter(|fate| fate.is_replaced()) {
        if fate.succession == Succession::StartFirst || fate.wanted.update.rollback {
            fate.kept_for = Some(fate.wanted.replica.service.clone());
        }
    }
    loop {
        let owner = |fate: &Fate| {
            let mut owners = lenders(fate.wanted).filter_map(|(owner, _)| fates.get(owner));
            owners.find_map(|owner| owner.kept_for.clone())
        };
        let mut open = fates.iter().filter(|(_, fate)| fate.is_replaced() && fate.kept_for.is_none());
        let Some((replica, service)) = open.find_map(|(replica, fate)| Some((replica.clone(), owner(fate)?))) else {
            return;
        };
        if let Some(fate) = fates.get_mut(&replica) {
            fate.kept_for = Some(service);
        }
    }
}

/// What only one of two containers can have.
fn obstacle(wanted: &DesiredContainer, networks: &IndexMap<NetworkKey, NetworkFate>) -> Option<String> {
    if wanted.spans.contains_key("container_name") {
        return Some(format!("`{}` is the name of one container", wanted.name));
    }
    if let Some((first, _)) = wanted.settings.ports.iter().find_map(|port| port.published) {
        return Some(format!("host port {first} goes to one container"));
    }
    let Attachment::Networks(all) = &wanted.attachment else {
        return match &wanted.attachment {
            Attachment::Host => Some("it is in the host's network namespace".to_owned()),
            Attachment::Replica(_) | Attachment::Container(_) => {
                Some("it is in another's network namespace".to_owned())
            }
            _ => None,
        };
    };
    all.iter().find_map(|(key, endpoint)| {
        let address = endpoint.ipv4.map(|ip| ip.to_string()).or_else(|| endpoint.ipv6.map(|ip| ip.to_string()));
        match (address, endpoint.mac) {
            (Some(address), _) => Some(format!("{address} on {key} is the address of one container")),
            (None, Some(mac)) => Some(format!("{mac} on {key} is the MAC of one container")),
            _ if matches!(networks.get(key), Some(NetworkFate::Replaced { .. })) => {
                Some(format!("network {key} is made anew"))
            }
            _ => None,
        }
    })
}

impl Fate<'_> {
    /// Why the old one stops, with what stands against the order that the file asks for.
    pub(super) fn cause_of_stop(&self) -> Cause {
        match &self.succession {
            Succession::Forbidden(why) => Cause::StopFirst { cause: Box::new(self.cause.clone()), why: why.clone() },
            _ => self.cause.clone(),
        }
    }
}

impl Work<'_> {
    /// The old container outlives `held`, where nothing stands against it: `start-first` runs it so long, `rollback` has it still.
    pub(super) fn outlive(&mut self, fate: &Fate, held: Handle) {
        let why = match self.builder.operation(held) {
            Operation::Await(wait) => Needs::Condition(wait.condition),
            _ => Needs::Exists,
        };
        for old in &fate.going {
            let stop = self.stops.iter().find(|(_, stopped)| stopped.id == old.id).map(|(stop, _)| *stop);
            if let (Some(stop), Succession::StartFirst) = (stop, &fate.succession) {
                self.builder.prefer(stop, held, why);
            }
            if let Some(removal) = self.removal(old) {
                self.builder.prefer(removal, held, why);
            }
        }
    }

    /// The step that takes a container away.
    pub(super) fn removal(&self, container: &ObservedContainer) -> Option<Handle> {
        let target = Target::existing(container);
        let is_it = |step: Handle, gone: &Target| {
            *gone == target && matches!(self.builder.operation(step), Operation::Remove { .. })
        };
        self.freed.iter().find(|(step, gone, _)| is_it(*step, gone)).map(|(step, _, _)| *step)
    }
}

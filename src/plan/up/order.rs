//! What orders the steps of different containers: names, addresses and ports that change hands, and who hangs on whom.

use super::fate::Fates;
use super::work::Work;
use crate::plan::operation::Needs;
use crate::state::desired::{Attachment, Desired, DesiredContainer};
use crate::state::observed::ObservedContainer;

impl<'a> Work<'a> {
    /// What depends on a container closely stops before it, but not before the next one is ready: in its namespace, or
    /// to be restarted with it.
    pub(super) fn order_stops(&mut self, fates: &Fates<'a>) {
        let (mut edges, mut wishes) = (Vec::new(), Vec::new());
        for (stop, container) in &self.stops {
            let Some(fate) = fates.get(&container.replica) else { continue };
            let closely = fate.wanted.needs.iter().filter(|(_, dependency)| dependency.restart).map(|(name, _)| name);
            for name in closely {
                let others = self.stops.iter().filter(|(_, other)| other.replica.service == *name);
                edges.extend(others.map(|(other, _)| (*other, *stop)));
                let next = self.creates.iter().filter(|(replica, _)| replica.service == *name);
                wishes.extend(next.map(|(_, create)| (*stop, *create)));
            }
        }
        edges.into_iter().for_each(|(after, before)| self.builder.needs(after, before, Needs::Order));
        wishes.into_iter().for_each(|(after, before)| self.builder.prefer(after, before, Needs::Exists));
    }

    /// A name is given when nobody has it any more.
    pub(super) fn order_names(&mut self) {
        for (step, target, name) in &self.named {
            for (free, holder, held) in &self.freed {
                if held == name && holder != target {
                    self.builder.needs(*step, *free, Needs::Gone);
                }
            }
        }
    }

    /// A container starts when whoever goes has let go of the host port or the address that it is to have.
    pub(super) fn order_resources(&mut self, fates: &Fates<'a>) {
        let mut going = self.stops.clone();
        going.retain(|(_, old)| self.removal(old).is_some());
        for (replica, start) in self.starts.clone() {
            let wanted = fates[&replica].wanted;
            for (stop, old) in &going {
                if claims_the_same(wanted, old, self.desired) {
                    self.builder.needs(start, *stop, Needs::Gone);
                }
            }
        }
    }
}

/// Whether a container wants a host port or a static address that another has.
fn claims_the_same(wanted: &DesiredContainer, old: &ObservedContainer, desired: &Desired) -> bool {
    let ports = wanted.settings.ports.iter().any(|ours| {
        old.settings.ports.iter().any(|theirs| {
            let hosts = match (ours.host_ip, theirs.host_ip) {
                (Some(a), Some(b)) => a == b || a.is_unspecified() || b.is_unspecified(),
                _ => true,
            };
            let overlap = match (ours.published, theirs.published) {
                (Some((a, b)), Some((c, d))) => a <= d && c <= b,
                _ => false,
            };
            ours.protocol == theirs.protocol && hosts && overlap
        })
    });
    let Attachment::Networks(networks) = &wanted.attachment else { return ports };
    ports
        || networks.iter().any(|(key, ours)| {
            let theirs = desired.networks.get(key).and_then(|network| old.endpoints.get(&network.name));
            theirs.is_some_and(|theirs| {
                let has_v4 = ours.ipv4.is_some_and(|ip| {
                    theirs.settings.ipv4 == Some(ip) || theirs.ipv4.is_some_and(|net| net.addr() == ip)
                });
                let has_v6 = ours.ipv6.is_some_and(|ip| {
                    theirs.settings.ipv6 == Some(ip) || theirs.ipv6.is_some_and(|net| net.addr() == ip)
                });
                has_v4 || has_v6
            })
        })
}

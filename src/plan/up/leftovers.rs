//! What is there and has no place in the file: orphans, replicas beyond the scale, names that somebody else has.

use super::fate::{Fate, Fates};
use super::work::Work;
use crate::finding::{Code, Finding, Findings};
use crate::name::ServiceName;
use crate::plan::operation::Cause;
use crate::state::observed::ObservedContainer;

impl<'a> Work<'a> {
    /// Says which containers of the project the file does not know, unless they are to go.
    pub(super) fn report_orphans(&self, findings: &mut Findings) {
        for orphan in self.orphans().filter(|_| !self.options.remove_orphans) {
            let message = format!("container `{}` belongs to no service of the file", orphan.name);
            let help = "`--remove-orphans` takes it away";
            findings.push(Finding::warning(Code::Orphan, message).help(help));
        }
    }

    /// Says which names are held by containers of the project that stay: true where there is one, and no plan.
    pub(super) fn report_held_names(&self, fates: &Fates<'a>, findings: &mut Findings) -> bool {
        let mut any = false;
        for fate in fates.values() {
            let wanted = fate.wanted;
            let has_it = fate.kept.as_ref().is_some_and(|kept| kept.drift.name.is_none());
            let holder = self.observed.containers.iter().find(|c| c.name == wanted.name && !has_it);
            let Some(holder) = holder.filter(|holder| self.stays(holder, fates)) else { continue };
            any = true;
            let message = format!("container name `{}` is held by {}, which stays", wanted.name, holder.replica);
            let finding = Finding::error(Code::NameTaken, message).at(wanted.span_of("container_name"));
            findings.push(match self.orphans().any(|orphan| orphan.id == holder.id) {
                true => finding.help("`--remove-orphans` takes it away: no service of the file has it"),
                false => finding.help("give another `container_name`"),
            });
        }
        any
    }

    /// Whether a container keeps its name.
    fn stays(&self, container: &ObservedContainer, fates: &Fates<'a>) -> bool {
        let goes = fates.values().any(|fate| fate.going.iter().any(|old| old.id == container.id));
        let kept = |fate: &Fate| {
            fate.kept.as_ref().is_some_and(|kept| kept.found.id == container.id && kept.drift.name.is_some())
        };
        let orphaned = self.options.remove_orphans && self.orphans().any(|orphan| orphan.id == container.id);
        !(goes || fates.values().any(kept) || orphaned || self.is_surplus(container))
    }

    /// Whether a service has more containers than the file asks for, and this is one too many.
    pub(super) fn is_surplus(&self, container: &ObservedContainer) -> bool {
        let service = &container.replica.service;
        let in_scope = self.options.services.is_empty() || self.options.services.contains(service);
        in_scope && self.desired.services.contains(service) && !self.desired.containers.contains_key(&container.replica)
    }

    fn orphans(&self) -> impl Iterator<Item = &'a ObservedContainer> + use<'a> {
        let desired = self.desired;
        let known = move |name: &ServiceName| desired.services.contains(name) || desired.inactive.contains(name);
        self.observed.containers.iter().filter(move |c| !known(&c.replica.service))
    }

    /// Takes away what the file has no place for: replicas beyond the scale, and orphans where that is asked for.
    pub(super) fn leftovers(&mut self, fates: &Fates<'a>) {
        let surplus = self.observed.containers.iter().filter(|c| self.is_surplus(c));
        let surplus: Vec<_> = surplus.map(|c| (c, Cause::Surplus)).collect();
        let orphans = self.orphans().filter(|_| self.options.remove_orphans).map(|c| (c, Cause::Orphaned));
        for (container, cause) in surplus.into_iter().chain(orphans.collect::<Vec<_>>()) {
            self.stop(container, cause.clone());
            self.remove(container, cause);
        }
        self.order_stops(fates);
        self.order_names();
        self.order_resources(fates);
    }
}

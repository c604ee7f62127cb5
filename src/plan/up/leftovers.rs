//! What is there and has no place in the file: orphans, replicas beyond the scale, names that somebody else has.

use std::collections::BTreeSet;

use super::fate::{Fate, Fates};
use super::work::Work;
use crate::finding::{Code, Finding, Findings};
use crate::name::ServiceName;
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, Needs, Operation, Target};
use crate::state::observed::ObservedContainer;

impl<'a> Work<'a> {
    /// Says which containers of the project the file does not know, unless they are to go or nobody wants to hear of them.
    pub(super) fn report_orphans(&self, findings: &mut Findings) {
        let stay = !self.options.remove_orphans && !self.options.ignore_orphans;
        for orphan in self.orphans().filter(|_| stay) {
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
        self.files_volumes();
        self.order_stops(fates);
        self.order_names();
        self.order_resources(fates);
    }

    /// Takes away volumes with configs and secrets of containers that go or are gone, and what a kill left of their filling.
    fn files_volumes(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let wanted = desired.containers.values().filter_map(|container| container.settings.files_volume.as_ref());
        let wanted: BTreeSet<&str> = wanted.map(|volume| volume.name.as_str()).collect();
        for volume in observed.volumes.iter().filter(|volume| !wanted.contains(volume.name.as_str())) {
            let Some(owner) = volume.files_of(&desired.project) else { continue };
            let mounting = observed.containers.iter().filter(|c| c.volumes.values().any(|name| *name == volume.name));
            let removals: Option<Vec<Handle>> = mounting.map(|container| self.removal(container)).collect();
            let is_another_s = observed.others.iter().any(|other| other.name == owner);
            let Some(mut gone) = removals.filter(|_| !is_another_s) else { continue };
            let cause = gone.first().map_or(Cause::Unused, |removal| self.builder.cause(*removal).clone());
            let filler = observed.others.iter().find(|other| other.name == volume.name).and_then(Target::one_off);
            gone.extend(
                filler
                    .map(|container| self.builder.step(Operation::Remove { container, volumes: false }, cause.clone())),
            );
            let step = self.builder.step(Operation::RemoveVolume { name: volume.name.clone(), key: None }, cause);
            gone.into_iter().for_each(|gone| self.builder.needs(step, gone, Needs::Gone));
        }
    }
}

//! Back to what was there before a plan that failed: where a new container does not hold and the file says `failure_action: rollback`,
//! and where a network that was to be made anew cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::builder::{Handle, PlanBuilder};
use super::graph::{Plan, StepId};
use super::operation::{Cause, Needs, Operation, Target};
use super::proof::Flaw;
use super::up::{existing_link, hangs_on, key, runs};
use crate::name::{NetworkKey, Replica};
use crate::state::desired::{Attachment, Desired, DesiredNetwork};
use crate::state::observed::{Observed, ObservedContainer, ObservedNetwork};
use crate::state::shim::{self, DesiredShim};
use crate::state::vlan::{ObservedVlan, links_of};

/// What brings back what `plan` was to replace. `broken` has every step that was not done, with the failure that it hangs on (its
/// own, or that of a step that it needs); `before` is what the plan was made from, `after` what is there now. Empty where the file does
/// not ask for it, or nothing is left to go back to.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn restore(plan: &Plan, broken: &[(StepId, StepId)], before: &Observed, after: &Observed) -> Result<Plan, Flaw> {
    let mut work = Work {
        before,
        after,
        desired: plan.desired().clone(),
        builder: PlanBuilder::new(),
        networks: BTreeMap::new(),
        starts: IndexMap::new(),
        links_gone: IndexMap::new(),
    };
    let undone: Vec<_> = broken.iter().filter(|(_, because)| is_undone(plan, *because)).collect();
    let mut affected: IndexMap<Replica, Cause> = IndexMap::new();
    for (step, because) in &undone {
        let cause = Cause::RolledBack(plan.step(*because).operation.failed());
        if let Operation::CreateNetwork(key) = &plan.step(*step).operation {
            work.network(key, &cause);
        }
        for replica in about(&plan.step(*step).operation) {
            affected.entry(replica).or_insert_with(|| cause.clone());
        }
    }
    work.links_for_nothing(plan, broken);
    let gone: Vec<Handle> = affected.iter().flat_map(|(replica, cause)| work.take_away(replica, cause)).collect();
    for (replica, cause) in &affected {
        work.bring_back(replica, cause, &gone);
    }
    work.order_starts();
    work.builder.finish(work.desired, after)
}

/// Whether the failure of a step is one that is undone.
fn is_undone(plan: &Plan, failed: StepId) -> bool {
    let step = plan.step(failed);
    match (&step.operation, &step.cause) {
        (Operation::CreateNetwork(_) | Operation::RemoveNetwork(_), Cause::NetworkDrifted(..)) => true,
        (operation, _) => {
            let rolls_back = |replica: &Replica| {
                plan.desired().containers.get(replica).is_some_and(|container| container.update.rollback)
            };
            about(operation).iter().any(rolls_back)
        }
    }
}

/// The containers that a step makes, changes or waits for.
fn about(operation: &Operation) -> Vec<Replica> {
    match operation {
        Operation::CreateContainer(new) => vec![new.replica.clone()],
        Operation::Await(wait) => wait.containers.iter().map(|target| target.replica().clone()).collect(),
        other => other.container().map(|target| target.replica().clone()).into_iter().collect(),
    }
}

struct Work<'a> {
    before: &'a Observed,
    after: &'a Observed,
    /// What was there, as far as it is brought back.
    desired: Desired,
    builder: PlanBuilder,
    /// Networks that are made as they were.
    networks: BTreeMap<NetworkKey, Handle>,
    starts: IndexMap<Replica, Vec<Handle>>,
    /// VLAN links that are taken away again, by their names.
    links_gone: IndexMap<String, Handle>,
}

impl<'a> Work<'a> {
    /// The containers of a place that were there before and still are.
    fn survivors(&self, replica: &Replica) -> Vec<(&'a ObservedContainer, &'a ObservedContainer)> {
        let (before, after) = (self.before, self.after);
        let now = |old: &'a ObservedContainer| Some((old, after.containers.iter().find(|c| c.id == old.id)?));
        before.containers.iter().filter(|c| c.replica == *replica).filter_map(now).collect()
    }

    /// Makes a network as it was, if it is gone.
    fn network(&mut self, wanted: &NetworkKey, cause: &Cause) {
        let ours =
            |found: &&ObservedNetwork| key(found).as_ref() == Some(wanted) && found.belongs_to(&self.desired.project);
        let Some(old) = self.before.networks.iter().find(ours) else { return };
        if self.after.networks.iter().any(|found| found.name == old.name) || self.networks.contains_key(wanted) {
            return;
        }
        self.desired.networks.insert(wanted.clone(), as_it_was(old, wanted));
        let links = self.vlans(old, cause);
        let step = self.builder.step(Operation::CreateNetwork(wanted.clone()), cause.clone());
        links.into_iter().for_each(|link| self.builder.needs(step, link, Needs::Exists));
        self.networks.insert(wanted.clone(), step);
        self.shim(wanted, step, cause);
    }

    /// Makes the VLAN links below it as they were, once those are gone that were made in their place.
    fn vlans(&mut self, network: &ObservedNetwork, cause: &Cause) -> Vec<Handle> {
        let (before, after) = (self.before, self.after);
        let project = self.desired.project.clone();
        let lost: Vec<&ObservedVlan> = links_of(&network.labels)
            .filter_map(|name| before.vlans.iter().find(|vlan| vlan.name == name))
            .filter(|old| old.belongs_to(&project) && !after.vlans.contains(old))
            .collect();
        let in_the_way = |new: &&ObservedVlan| {
            let same_vlan =
                |old: &&ObservedVlan| (&new.parent, new.id, new.protocol) == (&old.parent, old.id, old.protocol);
            new.belongs_to(&project) && lost.iter().any(|old| old.name == new.name || same_vlan(old))
        };
        let gone: Vec<Handle> = after.vlans.iter().filter(in_the_way).map(|new| self.link_goes(new, cause)).collect();
        let mut made: Vec<Handle> = vec![];
        for old in lost {
            let Some(wanted) = old.as_it_is(&project) else { continue };
            self.desired.vlans.insert(old.name.clone(), wanted);
            let step = self.builder.step(Operation::MakeVlan(old.name.clone()), cause.clone());
            gone.iter().for_each(|gone| self.builder.needs(step, *gone, Needs::Gone));
            made.last().into_iter().for_each(|below| self.builder.needs(step, *below, Needs::Exists));
            made.push(step);
        }
        made
    }

    /// Takes away the VLAN links that the plan made for networks that could not be made, where no other network is on them.
    fn links_for_nothing(&mut self, plan: &Plan, broken: &[(StepId, StepId)]) {
        let (before, after) = (self.before, self.after);
        for (step, because) in broken {
            let Operation::CreateNetwork(key) = &plan.step(*step).operation else { continue };
            let Some(network) = plan.desired().networks.get(key) else { continue };
            let cause = Cause::RolledBack(plan.step(*because).operation.failed());
            for name in links_of(&network.labels) {
                let was_there = before.vlans.iter().any(|old| old.name == name);
                let is_used = after.networks.iter().any(|network| hangs_on(network, name));
                let made = after.vlans.iter().find(|new| new.name == name && new.belongs_to(&self.desired.project));
                if let Some(made) = made.filter(|_| !was_there && !is_used) {
                    self.link_goes(made, &cause);
                }
            }
        }
        for (name, above) in &self.links_gone {
            let below = after.vlans.iter().find(|link| link.name == *name).and_then(|link| link.parent.as_ref());
            if let Some(below) = below.and_then(|below| self.links_gone.get(below)) {
                self.builder.needs(*below, *above, Needs::Gone);
            }
        }
    }

    /// The step that takes a link away, once for each.
    fn link_goes(&mut self, link: &ObservedVlan, cause: &Cause) -> Handle {
        if let Some(step) = self.links_gone.get(&link.name) {
            return *step;
        }
        let step = self.builder.step(Operation::RemoveVlan(existing_link(link)), cause.clone());
        self.links_gone.insert(link.name.clone(), step);
        step
    }

    /// Makes the host's own link on it as it was.
    fn shim(&mut self, network: &NetworkKey, made: Handle, cause: &Cause) {
        let name = shim::name(&self.desired.project, network.as_str());
        let Some(old) = self.before.shims.iter().find(|shim| shim.name == name) else { return };
        let (Some(parent), Some(address)) = (old.parent.clone(), old.addresses.first().copied()) else { return };
        let (label, routes) = (old.label.clone(), old.routes.clone());
        let as_it_was = DesiredShim { name, label, parent, address, routes, span: None };
        self.desired.shims.insert(network.clone(), as_it_was);
        let step = self.builder.step(Operation::MakeShim(network.clone()), cause.clone());
        self.builder.needs(step, made, Needs::Exists);
    }

    /// Takes away those that were to take the place of one that is still there.
    fn take_away(&mut self, replica: &Replica, cause: &Cause) -> Vec<Handle> {
        let survivors = self.survivors(replica);
        let (observed, before) = (self.after, self.before);
        let is_new =
            |c: &&ObservedContainer| c.replica == *replica && !before.containers.iter().any(|old| old.id == c.id);
        let mut gone = Vec::new();
        for new in observed.containers.iter().filter(|c| !survivors.is_empty() && is_new(c)) {
            let target = Target::existing(new);
            let stop = runs(&new.state).then(|| {
                self.builder.step(Operation::Stop { container: target.clone(), timeout: None }, cause.clone())
            });
            // volumes without a name were taken over from the one that comes back
            let removal = self.builder.step(Operation::Remove { container: target, volumes: false }, cause.clone());
            stop.into_iter().for_each(|stop| self.builder.needs(removal, stop, Needs::Stopped));
            self.files_volumes(new, &survivors, removal, cause);
            gone.push(removal);
        }
        gone
    }

    /// Takes away what held the configs and secrets of a container that goes, unless one that stays has the same.
    fn files_volumes(
        &mut self,
        gone: &ObservedContainer,
        survivors: &[(&ObservedContainer, &ObservedContainer)],
        removal: Handle,
        cause: &Cause,
    ) {
        let mounts = |container: &ObservedContainer, name: &str| container.volumes.values().any(|n| n == name);
        for volume in self.after.volumes.iter().filter(|volume| volume.files_of(&self.desired.project).is_some()) {
            let name = &volume.name;
            if mounts(gone, name) && !survivors.iter().any(|(_, now)| mounts(now, name)) {
                let operation = Operation::RemoveVolume { name: name.clone(), key: None };
                let step = self.builder.step(operation, cause.clone());
                self.builder.needs(step, removal, Needs::Gone);
            }
        }
    }

    /// Connects and starts what was there.
    fn bring_back(&mut self, replica: &Replica, cause: &Cause, gone: &[Handle]) {
        for (old, now) in self.survivors(replica) {
            let target = Target::existing(now);
            self.describe(old);
            let mut last: Vec<Handle> = gone.to_vec();
            for (name, _) in old.endpoints.iter().filter(|(name, _)| !now.endpoints.contains_key(*name)) {
                let Some(key) = self.key_of(name) else { continue };
                let operation = Operation::Connect { container: target.clone(), network: key.clone() };
                let step = self.builder.step(operation, cause.clone());
                last.drain(..).for_each(|before| self.builder.needs(step, before, Needs::Order));
                if let Some(made) = self.networks.get(&key) {
                    self.builder.needs(step, *made, Needs::Exists);
                }
                last.push(step);
            }
            if runs(&old.state) && !runs(&now.state) {
                let start = self.builder.step(Operation::Start(target), cause.clone());
                last.into_iter().for_each(|before| self.builder.needs(start, before, Needs::Order));
                self.starts.entry(replica.clone()).or_default().push(start);
            }
        }
    }

    /// The networks of a container as they were asked for; its hooks were another file's.
    fn describe(&mut self, old: &ObservedContainer) {
        let endpoints = old.endpoints.iter();
        let known: IndexMap<_, _> =
            endpoints.filter_map(|(name, found)| Some((self.key_of(name)?, found.settings.clone()))).collect();
        if let Some(wanted) = self.desired.containers.get_mut(&old.replica).map(Arc::make_mut) {
            wanted.attachment = Attachment::Networks(known);
            wanted.post_start.clear();
            wanted.pre_stop.clear();
        }
    }

    /// The key of a network by its name.
    fn key_of(&self, name: &str) -> Option<NetworkKey> {
        self.desired.networks.values().find(|network| network.name == name).map(|network| network.key.clone())
    }

    /// Each after those that its service depends on.
    fn order_starts(&mut self) {
        for (replica, starts) in &self.starts {
            let needs = self.desired.containers.get(replica).map(|wanted| &wanted.needs);
            let services: BTreeSet<_> = needs.into_iter().flat_map(IndexMap::keys).collect();
            for (_, others) in self.starts.iter().filter(|(other, _)| services.contains(&other.service)) {
                for (start, other) in starts.iter().flat_map(|start| others.iter().map(move |other| (start, other))) {
                    self.builder.prefer(*start, *other, Needs::Order);
                }
            }
        }
    }
}

/// What asks for a network as the Engine had it.
fn as_it_was(found: &ObservedNetwork, key: &NetworkKey) -> DesiredNetwork {
    DesiredNetwork {
        key: key.clone(),
        name: found.name.clone(),
        external: false,
        driver: found.driver.clone(),
        options: found.options.clone(),
        ipam: found.ipam.clone(),
        internal: found.internal,
        attachable: found.attachable,
        enable_ipv4: found.enable_ipv4,
        enable_ipv6: Some(found.enable_ipv6),
        labels: found.labels.clone(),
        span: None,
    }
}

//! Containers: mended, made, taken away, renamed, started.

use indexmap::{IndexMap, IndexSet};

use super::fate::{Fate, Fates, Kept};
use super::networks::NetworkFate;
use super::update::Succession;
use super::work::Work;
use crate::name::{NetworkKey, Replica, ServiceName};
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, ExistingNetwork, LinkEnd, Needs, NewContainer, Operation, Target};
use crate::state::desired::{Attachment, DesiredContainer, LinkTarget};
use crate::state::observed::{ContainerState, ObservedContainer};
use crate::state::settings::MountKind;

/// From this API on, `create` takes every endpoint; before it, one.
const MANY_ENDPOINTS: (u32, u32) = (1, 44);

impl<'a> Work<'a> {
    /// Everything that is done to containers, but for waiting; each service after those that it depends on.
    pub(super) fn containers(&mut self, fates: &Fates<'a>, networks: &IndexMap<NetworkKey, NetworkFate<'a>>) {
        for replica in in_order(fates) {
            let fate = &fates[&replica];
            match &fate.kept {
                Some(kept) => self.keep(fate, kept, networks),
                None => self.make(fate, fates),
            }
            for old in &fate.going {
                self.take_away(old, fate);
            }
            // while the other is kept, it has the name
            let named_last = fate.kept_for.is_some();
            if named_last {
                self.let_run(&replica, fate);
            }
            if fate.kept.is_none() {
                self.rename(&Target::Planned(replica.clone()), &fate.wanted.name, &fate.cause);
            }
            if !named_last {
                self.let_run(&replica, fate);
            }
        }
    }

    /// Mends a container that stays.
    fn keep(&mut self, fate: &Fate<'a>, kept: &Kept<'a>, networks: &IndexMap<NetworkKey, NetworkFate<'a>>) {
        let found = kept.found;
        let target = Target::existing(found);
        if let Some(cause) = &kept.restarted {
            self.stop(found, cause.clone());
        }
        if !kept.drift.limits.is_empty() {
            let cause = Cause::Drifted(kept.drift.limits.clone());
            self.after_last(&target, Operation::Update(target.clone()), cause);
        }
        for (name, differences) in &kept.drift.endpoints {
            let network = found.endpoints.get(name).and_then(|e| self.network(name, e.network.as_ref()));
            if let Some(network) = network.filter(|network| !is_replaced(networks, network)) {
                self.disconnect(found, network, Cause::Drifted(differences.clone()));
            }
        }
        if let Attachment::Networks(all) = &fate.wanted.attachment {
            for key in all.keys() {
                let name = &self.desired.networks[key].name;
                let cause = match (networks.get(key), kept.drift.endpoints.get(name)) {
                    (Some(NetworkFate::Replaced { cause, .. }), _) => cause.clone(),
                    (_, Some(differences)) => Cause::Drifted(differences.clone()),
                    _ => continue,
                };
                self.connect(&target, key, cause);
            }
        }
        if let Some(difference) = &kept.drift.name {
            self.rename(&target, &fate.wanted.name, &Cause::Drifted(vec![difference.clone()]));
        }
    }

    /// Makes a new container, under its own name where that is free.
    fn make(&mut self, fate: &Fate<'a>, fates: &Fates<'a>) {
        let wanted = fate.wanted;
        let (builder, options) = (&mut self.builder, self.options);
        let each = wanted.settings.images();
        let images: Vec<Handle> = each.filter_map(|image| self.images.need(builder, wanted, image, options)).collect();
        let keys: Vec<NetworkKey> = match &wanted.attachment {
            Attachment::Networks(all) => all.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let many = self.observed.engine.api >= MANY_ENDPOINTS;
        let at_once = if many { keys.len() } else { keys.len().min(1) };
        let (first, later) = keys.split_at(at_once);
        let parent = match &wanted.attachment {
            Attachment::Replica(parent) => Some(self.target(parent, fates)),
            _ => None,
        };
        let links = wanted.legacy_links.iter().filter(|link| self.is_linked(&link.target, fates));
        let links = links.map(|link| (self.link_end(&link.target, fates), link.alias.clone()));
        let new = NewContainer {
            replica: wanted.replica.clone(),
            name: self.free_name(wanted, &fate.going),
            networks: first.to_vec(),
            parent,
            lenders: wanted.borrows.iter().map(|borrow| self.target(&borrow.from, fates)).collect(),
            links: links.collect(),
            inherits: self.inherited(wanted, &fate.going),
            image: self.images.known(wanted),
        };
        let others: Vec<Target> = new
            .parent
            .iter()
            .chain(&new.lenders)
            .chain(new.links.iter().filter_map(|(end, _)| end.target()))
            .cloned()
            .collect();
        let name = new.name.clone();
        let step = self.builder.step(Operation::CreateContainer(new), fate.cause.clone());
        let target = Target::Planned(wanted.replica.clone());
        self.last.insert(target.clone(), step);
        self.creates.insert(wanted.replica.clone(), step);
        self.named.push((step, target.clone(), name));
        images.into_iter().for_each(|image| self.builder.needs(step, image, Needs::Exists));
        for key in first {
            self.after_network(step, key);
        }
        let mounted: IndexSet<&str> = wanted.settings.mounts.iter().filter_map(|m| m.kind.volume_name()).collect();
        for (key, volume) in &self.volumes {
            if mounted.contains(self.desired.volumes[key].name.as_str()) {
                self.builder.needs(step, *volume, Needs::Exists);
            }
        }
        for other in others {
            if let Some(create) = self.creates.get(other.replica()).filter(|_| matches!(other, Target::Planned(_))) {
                self.builder.needs(step, *create, Needs::Exists);
            }
        }
        if !wanted.settings.files.is_empty() {
            self.after_last(&target, Operation::CopyFiles(target.clone()), fate.cause.clone());
        }
        for key in later {
            self.connect(&target, key, fate.cause.clone());
        }
    }

    /// The container that a name of the project means when the plan is done.
    fn target(&self, replica: &Replica, fates: &Fates) -> Target {
        let there = || self.observed.containers.iter().find(|c| c.replica == *replica);
        match fates.get(replica) {
            Some(Fate { kept: Some(kept), .. }) => Target::existing(kept.found),
            Some(_) => Target::Planned(replica.clone()),
            None => there().map_or_else(|| Target::Planned(replica.clone()), Target::existing),
        }
    }

    fn link_end(&self, end: &LinkTarget, fates: &Fates) -> LinkEnd {
        match end {
            LinkTarget::Replica(replica) => LinkEnd::Target(self.target(replica, fates)),
            LinkTarget::External(name) => LinkEnd::External(name.clone()),
        }
    }

    /// The container's own name where nobody of the project has it, else one that says whose place it takes: the start
    /// of that one's id before it. What a kill leaves behind is known by its labels and gets its name from the next plan.
    fn free_name(&self, wanted: &DesiredContainer, going: &[&ObservedContainer]) -> String {
        let held = |name: &str| self.observed.containers.iter().any(|c| c.name == name);
        if !held(&wanted.name) {
            return wanted.name.clone();
        }
        let all = going.iter().copied().chain(&self.observed.containers);
        let mut names = all.map(|old| format!("{}_{}", old.id.short(), wanted.name));
        names.find(|name| !held(name)).unwrap_or_else(|| format!("next_{}", wanted.name))
    }

    /// Volumes without a name go on in the next container.
    fn inherited(&self, wanted: &DesiredContainer, going: &[&ObservedContainer]) -> Vec<(String, String)> {
        if self.options.renew_anonymous_volumes {
            return Vec::new();
        }
        let image = self.observed.images.get(&wanted.settings.image).and_then(Option::as_ref);
        let of_image = image.into_iter().flat_map(|image| image.volumes.iter().map(String::as_str));
        let named =
            |path: &str| wanted.settings.mounts.iter().any(|m| m.target == path && m.kind != MountKind::Anonymous);
        let own = wanted.settings.mounts.iter().filter(|m| m.kind == MountKind::Anonymous).map(|m| m.target.as_str());
        let paths: IndexSet<&str> = own.chain(of_image.filter(|path| !named(path))).collect();
        let old = |path: &&str| going.iter().find_map(|old| old.volumes.get(*path));
        paths.iter().filter_map(|path| Some(((*path).to_owned(), old(path)?.clone()))).collect()
    }

    /// Stops and removes a container whose place another takes.
    fn take_away(&mut self, old: &'a ObservedContainer, fate: &Fate<'a>) {
        let ready = self.last.get(&Target::Planned(fate.wanted.replica.clone())).copied();
        let (stopped, removed) = match fate.kept.is_some() {
            true => (Cause::Surplus, Cause::Surplus),
            false => (fate.cause_of_stop(), fate.cause.clone()),
        };
        if let (Some(stop), Some(ready)) = (self.stop(old, stopped), ready) {
            self.builder.prefer(stop, ready, Needs::Exists);
        }
        let removal = self.remove(old, removed);
        if let Some(ready) = ready {
            self.builder.needs(removal, ready, Needs::Exists);
        }
    }

    /// Gives a container its name, unless it has it.
    fn rename(&mut self, target: &Target, name: &str, cause: &Cause) {
        let has = match target {
            Target::Existing { name, .. } => Some(name.as_str()),
            Target::Planned(_) => {
                self.named.iter().rev().find(|(_, t, _)| t == target).map(|(_, _, name)| name.as_str())
            }
        };
        if has == Some(name) {
            return;
        }
        let operation = Operation::Rename { container: target.clone(), name: name.to_owned() };
        let old = has.map(str::to_owned);
        let step = self.after_last(target, operation, cause.clone());
        self.named.push((step, target.clone(), name.to_owned()));
        self.freed.extend(old.map(|old| (step, target.clone(), old)));
    }

    /// Starts what does not run.
    fn let_run(&mut self, replica: &Replica, fate: &Fate<'a>) {
        let (target, operation, cause) = match &fate.kept {
            None if self.options.no_start => return,
            None if self.options.held.as_ref() == Some(&replica.service) => {
                // what it depends on is waited for before it is made
                self.starts.extend(self.creates.get(replica).map(|create| (replica.clone(), *create)));
                return;
            }
            None => {
                let target = Target::Planned(replica.clone());
                (target.clone(), Operation::Start(target), fate.cause.clone())
            }
            Some(kept) => {
                let target = Target::existing(kept.found);
                match (&kept.restarted, &kept.found.state) {
                    (Some(cause), state) if runs(state) => (target.clone(), Operation::Start(target), cause.clone()),
                    (_, _) if self.options.no_start => return,
                    (_, ContainerState::Running { .. } | ContainerState::Restarting { .. }) => return,
                    (_, ContainerState::Paused) => {
                        (target.clone(), Operation::Unpause(target), Cause::NotRunning("paused".to_owned()))
                    }
                    (_, state) => (target.clone(), Operation::Start(target), Cause::NotRunning(word(state))),
                }
            }
        };
        // a kill may have come between its making and the copying
        let half_made = fate.kept.as_ref().is_some_and(|kept| kept.found.state == ContainerState::Created);
        if half_made && !fate.wanted.settings.files.is_empty() {
            self.after_last(&target, Operation::CopyFiles(target.clone()), cause.clone());
        }
        let step = self.after_last(&target, operation, cause);
        self.starts.insert(replica.clone(), step);
        for (stop, old) in self.stops.iter().filter(|_| fate.succession != Succession::StartFirst) {
            if old.replica == *replica && Target::existing(old) != target {
                self.builder.needs(step, *stop, Needs::Stopped);
            }
        }
    }
}

/// Replicas, each service after those that it depends on; the order of the file otherwise.
fn in_order(fates: &Fates) -> Vec<Replica> {
    fn visit<'f>(
        replica: &'f Replica,
        fates: &'f Fates,
        done: &mut IndexSet<&'f Replica>,
        open: &mut Vec<&'f ServiceName>,
    ) {
        let Some((replica, fate)) = fates.get_key_value(replica) else { return };
        if done.contains(replica) || open.contains(&&replica.service) {
            return;
        }
        open.push(&replica.service);
        for name in fate.wanted.needs.keys() {
            fates.keys().filter(|other| other.service == *name).for_each(|other| visit(other, fates, done, open));
        }
        open.pop();
        done.insert(replica);
    }
    let mut done = IndexSet::new();
    fates.keys().for_each(|replica| visit(replica, fates, &mut done, &mut Vec::new()));
    done.into_iter().cloned().collect()
}

fn is_replaced(networks: &IndexMap<NetworkKey, NetworkFate>, network: &ExistingNetwork) -> bool {
    networks.values().any(|fate| matches!(fate, NetworkFate::Replaced { id, .. } if *id == network.id))
}

/// Whether it has to be stopped before it is taken away.
pub(in crate::plan) fn runs(state: &ContainerState) -> bool {
    state.is_running() || matches!(state, ContainerState::Restarting { .. })
}

/// What a container does that does not run.
fn word(state: &ContainerState) -> String {
    match state {
        ContainerState::Created => "created, never started".to_owned(),
        ContainerState::Exited { oom_killed: true, .. } => "ended for want of memory".to_owned(),
        ContainerState::Exited { code, .. } => format!("ended with {code}"),
        ContainerState::Paused => "paused".to_owned(),
        ContainerState::Dead => "dead".to_owned(),
        ContainerState::Removing => "being removed".to_owned(),
        ContainerState::Other(word) => word.clone(),
        ContainerState::Running { .. } | ContainerState::Restarting { .. } => "running".to_owned(),
    }
}

//! The steps: networks, volumes, images, containers, each after what it needs.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};

use super::UpOptions;
use super::fate::{Fate, Fates, Kept};
use super::networks::{NetworkFate, existing, in_the_way};
use super::scope::Scope;
use crate::finding::{Code, Finding, Findings};
use crate::name::{NetworkKey, Replica, ServiceName, VolumeKey};
use crate::plan::builder::{Handle, PlanBuilder};
use crate::plan::operation::{Cause, ExistingNetwork, LinkEnd, Needs, NewContainer, Operation, Target};
use crate::state::desired::{Attachment, Desired, DesiredContainer, LinkTarget, labels};
use crate::state::difference;
use crate::state::observed::{ContainerState, Observed, ObservedContainer};
use crate::state::settings::MountKind;

/// From this API on, `create` takes every endpoint; before it, one.
const MANY_ENDPOINTS: (u32, u32) = (1, 44);

/// A plan in the making, with what was done to whom.
pub(super) struct Work<'a> {
    pub(super) builder: PlanBuilder,
    pub(super) desired: &'a Desired,
    pub(super) observed: &'a Observed,
    pub(super) options: &'a UpOptions,
    /// The last step of each container.
    last: BTreeMap<Target, Handle>,
    pulls: BTreeMap<String, Handle>,
    builds: BTreeMap<ServiceName, Option<Handle>>,
    networks: BTreeMap<NetworkKey, Handle>,
    volumes: BTreeMap<VolumeKey, Handle>,
    creates: BTreeMap<Replica, Handle>,
    /// Steps that stop a container, with the container.
    pub(super) stops: Vec<(Handle, &'a ObservedContainer)>,
    /// Steps that give a name, with the name, and those that free one.
    named: Vec<(Handle, Target, String)>,
    freed: Vec<(Handle, Target, String)>,
    /// The steps that let each container run.
    pub(super) starts: IndexMap<Replica, Handle>,
}

impl<'a> Work<'a> {
    pub(super) fn new(desired: &'a Desired, observed: &'a Observed, options: &'a UpOptions) -> Self {
        Self {
            builder: PlanBuilder::new(),
            desired,
            observed,
            options,
            last: BTreeMap::new(),
            pulls: BTreeMap::new(),
            builds: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            creates: BTreeMap::new(),
            stops: Vec::new(),
            named: Vec::new(),
            freed: Vec::new(),
            starts: IndexMap::new(),
        }
    }

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
    fn is_surplus(&self, container: &ObservedContainer) -> bool {
        let service = &container.replica.service;
        let in_scope = self.options.services.is_empty() || self.options.services.contains(service);
        in_scope && self.desired.services.contains(service) && !self.desired.containers.contains_key(&container.replica)
    }

    fn orphans(&self) -> impl Iterator<Item = &'a ObservedContainer> + use<'a> {
        let desired = self.desired;
        let known = move |name: &ServiceName| desired.services.contains(name) || desired.inactive.contains(name);
        self.observed.containers.iter().filter(move |c| !known(&c.replica.service))
    }

    /// Replaces and makes networks; those with a subnet of their own before those for which the Engine chooses one.
    pub(super) fn networks(&mut self, networks: &IndexMap<NetworkKey, NetworkFate<'a>>, fates: &Fates<'a>) {
        let mut removals = Vec::new();
        for fate in networks.values() {
            let NetworkFate::Replaced { found, cause, .. } = fate else { continue };
            let Some(network) = existing(found) else { continue };
            let off = self.clear(&network, cause, fates);
            let removal = self.builder.step(Operation::RemoveNetwork(network), cause.clone());
            off.into_iter().for_each(|step| self.builder.needs(removal, step, Needs::Gone));
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

    /// Makes volumes that are missing. One that differs holds data: it stays, and that is said.
    pub(super) fn volumes(&mut self, scope: &Scope, findings: &mut Findings) {
        let used: IndexSet<&str> = self
            .desired
            .containers
            .values()
            .filter(|c| scope.has(c))
            .flat_map(|c| c.settings.mounts.iter().filter_map(|mount| mount.kind.volume_name()))
            .collect();
        for (key, volume) in self.desired.volumes.iter().filter(|(_, v)| !v.external) {
            if !scope.whole && !used.contains(volume.name.as_str()) {
                continue;
            }
            match self.observed.volumes.iter().find(|found| found.name == volume.name) {
                None => {
                    let step = self.builder.step(Operation::CreateVolume(key.clone()), Cause::Missing);
                    self.volumes.insert(key.clone(), step);
                }
                Some(found) => {
                    for difference in difference::volume(volume, found) {
                        let message = format!("volume {key} differs and is kept: {difference}");
                        let help =
                            format!("to make it anew, and lose what is in it: `docker volume rm {}`", volume.name);
                        let finding = Finding::warning(Code::VolumeDiffers, message);
                        findings.push(finding.maybe_at(difference.at).help(help));
                    }
                }
            }
        }
    }

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
            if fate.kept.is_none() {
                self.rename(&Target::Planned(replica.clone()), &fate.wanted.name, &fate.cause);
            }
            self.let_run(&replica, fate);
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
        let images: Vec<Handle> = wanted.settings.images().filter_map(|image| self.image(wanted, image)).collect();
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
        let links = wanted.legacy_links.iter().map(|link| (self.link_end(&link.target, fates), link.alias.clone()));
        let new = NewContainer {
            replica: wanted.replica.clone(),
            name: self.free_name(wanted, &fate.going),
            networks: first.to_vec(),
            parent,
            lenders: wanted.borrows.iter().map(|borrow| self.target(&borrow.from, fates)).collect(),
            links: links.collect(),
            inherits: self.inherited(wanted, &fate.going),
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

    /// The build or the pull that a new container waits for, if one is needed.
    fn image(&mut self, wanted: &DesiredContainer, image: &str) -> Option<Handle> {
        let service = &wanted.replica.service;
        let is_built = wanted.settings.image == image && self.desired.builds.contains_key(service);
        // who says `pull_policy: missing` beside `build` wants the registry's; who says nothing wants what is written here
        match self.options.pull.as_deref().or(wanted.pull_policy.as_deref()) {
            None | Some("build" | "never") if is_built => self.build(service),
            _ => self.pull(wanted, image),
        }
    }

    /// The build of a service's image, if it is not there and may be built; the images that it starts from come first.
    fn build(&mut self, service: &ServiceName) -> Option<Handle> {
        if let Some(build) = self.builds.get(service) {
            return *build;
        }
        let desired = self.desired;
        let wanted = desired.builds.get(service)?;
        let is_there = |tag: &String| !matches!(self.observed.images.get(tag), Some(None));
        if self.options.build == Some(false) || wanted.tags.first().is_none_or(is_there) {
            return None;
        }
        self.builds.insert(service.clone(), None); // a circle of bases ends here
        let bases: Vec<Handle> = wanted.needs.iter().filter_map(|base| self.build(base)).collect();
        let step = self.builder.step(Operation::Build(service.clone()), Cause::Missing);
        bases.into_iter().for_each(|base| self.builder.needs(step, base, Needs::Exists));
        self.builds.insert(service.clone(), Some(step));
        Some(step)
    }

    /// The pull that a new container waits for, if one is needed.
    fn pull(&mut self, wanted: &DesiredContainer, image: &str) -> Option<Handle> {
        if let Some(pull) = self.pulls.get(image) {
            return Some(*pull);
        }
        let policy = self.options.pull.as_deref().or(wanted.pull_policy.as_deref()).unwrap_or("missing");
        let missing = matches!(self.observed.images.get(image), Some(None));
        let cause = match policy {
            "never" | "build" => return None,
            _ if missing => Cause::Missing,
            _ => return None,
        };
        let step = self.builder.step(Operation::Pull { image: image.to_owned() }, cause);
        self.pulls.insert(image.to_owned(), step);
        Some(step)
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
        let cause = if fate.kept.is_some() { Cause::Surplus } else { fate.cause.clone() };
        if let (Some(stop), Some(ready)) = (self.stop(old, cause.clone()), ready) {
            self.builder.prefer(stop, ready, Needs::Exists);
        }
        let removal = self.remove(old, cause);
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
        for (stop, old) in &self.stops {
            if old.replica == *replica && Target::existing(old) != target {
                self.builder.needs(step, *stop, Needs::Stopped);
            }
        }
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

    /// What depends on a container closely stops before it, but not before the next one is ready: in its namespace, or
    /// to be restarted with it.
    fn order_stops(&mut self, fates: &Fates<'a>) {
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
    fn order_names(&mut self) {
        for (step, target, name) in &self.named {
            for (free, holder, held) in &self.freed {
                if held == name && holder != target {
                    self.builder.needs(*step, *free, Needs::Gone);
                }
            }
        }
    }

    /// A container starts when whoever goes has let go of the host port or the address that it is to have.
    fn order_resources(&mut self, fates: &Fates<'a>) {
        let mut going = self.stops.clone();
        going.retain(|(_, old)| self.goes(old));
        for (replica, start) in self.starts.clone() {
            let wanted = fates[&replica].wanted;
            for (stop, old) in &going {
                if claims_the_same(wanted, old, self.desired) {
                    self.builder.needs(start, *stop, Needs::Gone);
                }
            }
        }
    }

    fn goes(&self, container: &ObservedContainer) -> bool {
        self.freed.iter().any(|(step, target, _)| {
            *target == Target::existing(container) && matches!(self.builder.operation(*step), Operation::Remove { .. })
        })
    }

    /// Stops a container, if it runs and was not stopped before.
    fn stop(&mut self, container: &'a ObservedContainer, cause: Cause) -> Option<Handle> {
        if let Some((stop, _)) = self.stops.iter().find(|(_, stopped)| stopped.id == container.id) {
            return Some(*stop);
        }
        if !runs(&container.state) {
            return None;
        }
        let target = Target::existing(container);
        let operation = Operation::Stop { container: target.clone(), timeout: self.options.timeout };
        let step = self.after_last(&target, operation, cause);
        self.stops.push((step, container));
        Some(step)
    }

    fn remove(&mut self, container: &'a ObservedContainer, cause: Cause) -> Handle {
        let target = Target::existing(container);
        let volumes = self.options.renew_anonymous_volumes;
        let step = self.after_last(&target, Operation::Remove { container: target.clone(), volumes }, cause);
        self.freed.push((step, target, container.name.clone()));
        step
    }

    fn disconnect(&mut self, container: &ObservedContainer, network: ExistingNetwork, cause: Cause) -> Handle {
        let target = Target::existing(container);
        self.after_last(&target, Operation::Disconnect { container: target.clone(), network }, cause)
    }

    fn connect(&mut self, target: &Target, key: &NetworkKey, cause: Cause) {
        let operation = Operation::Connect { container: target.clone(), network: key.clone() };
        let step = self.after_last(target, operation, cause);
        self.after_network(step, key);
    }

    fn after_network(&mut self, step: Handle, key: &NetworkKey) {
        if let Some(network) = self.networks.get(key) {
            self.builder.needs(step, *network, Needs::Exists);
        }
    }

    /// Adds a step that comes after all that was done to the container before.
    fn after_last(&mut self, target: &Target, operation: Operation, cause: Cause) -> Handle {
        let step = self.builder.step(operation, cause);
        if let Some(last) = self.last.insert(target.clone(), step) {
            let why = match self.builder.operation(last) {
                Operation::Stop { .. } => Needs::Stopped,
                Operation::Disconnect { .. } => Needs::Gone,
                _ => Needs::Exists,
            };
            self.builder.needs(step, last, why);
        }
        step
    }

    /// A network that an endpoint leads to, as an operation names it.
    fn network(&self, name: &str, id: Option<&crate::name::NetworkId>) -> Option<ExistingNetwork> {
        let found = self.observed.networks.iter().find(|n| n.id.as_ref() == id && id.is_some());
        found.or_else(|| self.observed.networks.iter().find(|n| n.name == name)).and_then(existing)
    }

    /// The steps, and what they lead to: with the image's id among the labels where it is known.
    pub(super) fn finish(self) -> (PlanBuilder, Desired) {
        let mut desired = self.desired.clone();
        for container in desired.containers.values_mut() {
            let image = self.observed.images.get(&container.settings.image).and_then(Option::as_ref);
            let is_made = self.pulls.contains_key(&container.settings.image)
                || self.builds.contains_key(&container.replica.service);
            if let (Some(image), false) = (image, is_made) {
                container.settings.labels.insert(labels::IMAGE.to_owned(), image.id.clone());
            }
        }
        (self.builder, desired)
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

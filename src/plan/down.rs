//! `down`: what the project has is stopped, dependents first, and taken away; then its networks and volumes.
//!
//! What belongs to the project is known by labels, so that all of it goes: what the file no longer names, what an earlier
//! file named, and everything where there is no file. What is external never goes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;

use super::builder::{Handle, PlanBuilder};
use super::graph::Plan;
use super::operation::{Cause, ExistingNetwork, Needs, Operation, Target};
use super::proof::Flaw;
use super::up::{existing, existing_link, existing_shim, hangs_on, key, runs};
use crate::finding::{Code, Finding, Findings};
use crate::name::{NetworkId, ProjectName, Replica, ServiceName};
use crate::state::desired::{Desired, labels};
use crate::state::observed::{Observed, ObservedContainer, ObservedNetwork, ObservedVolume, OtherContainer};
use crate::state::shim;

/// The flags of `down`.
#[derive(Clone, Debug, Default)]
pub struct DownOptions {
    /// The services that were named; empty: the whole project.
    pub services: Vec<ServiceName>,
    /// `--volumes`: volumes too, with a name and without.
    pub volumes: bool,
    /// `--remove-orphans`: containers of services that the file does not have.
    pub remove_orphans: bool,
    /// `COMPOSE_IGNORE_ORPHANS`: of those that stay nothing is said.
    pub ignore_orphans: bool,
    /// `--rmi`: images too.
    pub images: Option<Images>,
    /// `--timeout`: how long a container may take to stop.
    pub timeout: Option<Duration>,
    /// Nobody else has a name that begins with the project's: a volume that has one is its own, also without a label.
    pub own_name: bool,
}

/// Which images go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// All that its services use.
    All,
    /// Those that were built for it and have no name of their own: `<project>-<service>`.
    Local,
}

/// What takes a project away. `file` is what the stack file says, where there is one; without it everything with the
/// project's labels goes. What stays although it was meant is a finding.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn down(
    project: &ProjectName,
    file: Option<&Desired>,
    observed: &Observed,
    options: &DownOptions,
    findings: &mut Findings,
) -> Result<Plan, Flaw> {
    let mut work = Work {
        project,
        file,
        observed,
        options,
        builder: PlanBuilder::new(),
        removed: IndexMap::new(),
        networks: Vec::new(),
    };
    work.containers(findings);
    work.networks(findings);
    if options.services.is_empty() {
        work.shims();
    }
    work.vlans(findings);
    work.volumes(findings);
    if let Some(images) = options.images {
        work.images(images);
    }
    let desired = file.cloned().unwrap_or_else(|| Desired::nothing(project.clone()));
    work.builder.finish(desired, observed)
}

struct Work<'a> {
    project: &'a ProjectName,
    file: Option<&'a Desired>,
    observed: &'a Observed,
    options: &'a DownOptions,
    builder: PlanBuilder,
    /// The removals, by the container's id.
    removed: IndexMap<&'a str, Handle>,
    /// The removals of networks.
    networks: Vec<(&'a ObservedNetwork, Handle)>,
}

/// A container that goes.
struct Going<'a> {
    target: Target,
    runs: bool,
    depends_on: BTreeSet<&'a str>,
}

impl<'a> Work<'a> {
    /// Stops and removes containers, each after those that depend on it.
    fn containers(&mut self, findings: &mut Findings) {
        let own = self.observed.containers.iter().filter(|c| self.goes(&c.replica.service, &c.name, findings));
        let mut going: Vec<Going> = own.map(|c| self.of_service(c)).collect();
        going.extend(self.one_offs());
        let mut stops: Vec<(Handle, &str)> = Vec::new();
        for container in &going {
            let cause = self.cause(container.target.replica());
            let stop = container.runs.then(|| {
                let (container, timeout) = (container.target.clone(), self.options.timeout);
                self.builder.step(Operation::Stop { container, timeout }, cause.clone())
            });
            stops.extend(stop.map(|stop| (stop, container.target.replica().service.as_str())));
            let operation = Operation::Remove { container: container.target.clone(), volumes: self.options.volumes };
            let removal = self.builder.step(operation, cause);
            stop.into_iter().for_each(|stop| self.builder.needs(removal, stop, Needs::Stopped));
            if let Target::Existing { id, .. } = &container.target
                && let Some(id) = self.own_id(id.as_str())
            {
                self.removed.insert(id, removal);
            }
        }
        let dependents = dependents(&going);
        for (stop, service) in &stops {
            for before in nearest(service, &dependents, &stops) {
                self.builder.prefer(*stop, before, Needs::Order);
            }
        }
        self.lenders_last();
    }

    /// Whoever lends its network goes after those that live in it: Podman removes it no sooner.
    fn lenders_last(&mut self) {
        for borrower in &self.observed.containers {
            let lender = borrower.network_mode.strip_prefix("container:").and_then(|id| self.removed.get(id));
            if let (Some(lender), Some(own)) = (lender, self.removed.get(borrower.id.as_str())) {
                self.builder.prefer(*lender, *own, Needs::Order);
            }
        }
    }

    /// The id as it lives in what was observed.
    fn own_id(&self, id: &str) -> Option<&'a str> {
        let own = self.observed.containers.iter().map(|c| c.id.as_str());
        own.chain(self.observed.others.iter().map(|c| c.id.as_str())).find(|other| *other == id)
    }

    /// Whether the containers of a service go. An orphan that stays is said.
    fn goes(&self, service: &ServiceName, name: &str, findings: &mut Findings) -> bool {
        if !self.options.services.is_empty() {
            return self.options.services.contains(service);
        }
        let known = self.knows(service);
        if !known && !self.options.remove_orphans && !self.options.ignore_orphans {
            let message = format!("container `{name}` belongs to no service of the file, and stays");
            findings.push(Finding::warning(Code::Orphan, message).help("`--remove-orphans` takes it away"));
        }
        known || self.options.remove_orphans
    }

    /// Whether the file has a service, active or not; without a file, every service counts.
    fn knows(&self, service: &ServiceName) -> bool {
        self.file.is_none_or(|file| file.services.contains(service) || file.inactive.contains(service))
    }

    fn cause(&self, replica: &Replica) -> Cause {
        if self.knows(&replica.service) { Cause::Requested("down".to_owned()) } else { Cause::Orphaned }
    }

    /// A container of a service, with what its service depends on: by its label, and by the file.
    fn of_service(&self, container: &'a ObservedContainer) -> Going<'a> {
        let label = container.settings.labels.get(labels::DEPENDS_ON).map(String::as_str).unwrap_or_default();
        let mut depends_on: BTreeSet<&str> = label.split(',').filter_map(|entry| entry.split(':').next()).collect();
        let wanted = self.file.and_then(|file| file.containers.get(&container.replica));
        depends_on.extend(wanted.into_iter().flat_map(|wanted| wanted.needs.keys().map(ServiceName::as_str)));
        Going { target: Target::existing(container), runs: runs(&container.state), depends_on }
    }

    /// Containers of `run` go with their service.
    fn one_offs(&self) -> Vec<Going<'a>> {
        let is_ours = |c: &&OtherContainer| {
            c.project.as_deref() == Some(self.project.as_str())
                && c.labels.get(labels::ONE_OFF).is_some_and(|value| value == "True")
        };
        let mut going = Vec::new();
        for container in self.observed.others.iter().filter(is_ours) {
            let Some(target) = Target::one_off(container) else { continue };
            if self.goes(&target.replica().service, &container.name, &mut Findings::new()) {
                let runs = ["running", "paused", "restarting"].contains(&container.state.as_str());
                going.push(Going { target, runs, depends_on: BTreeSet::new() });
            }
        }
        going
    }

    /// Removes the project's networks, each when everybody who goes is off it.
    fn networks(&mut self, findings: &mut Findings) {
        let observed = self.observed;
        let ours = |n: &&ObservedNetwork| n.belongs_to(self.project) && !self.is_external(n);
        let networks: Vec<&ObservedNetwork> = observed.networks.iter().filter(ours).collect();
        for network in networks {
            let Some(named) = existing(network) else { continue };
            let (going, staying) = self.on(network);
            if let Some(stays) = staying.first() {
                if self.options.services.is_empty() {
                    let message = format!("network {named} stays: {stays} is on it");
                    let help = "once it has gone, `bowline down` takes the network away";
                    findings.push(Finding::warning(Code::StillUsed, message).help(help));
                }
                continue;
            }
            if !self.options.services.is_empty() && going.is_empty() {
                continue;
            }
            let shim = self.shim_of(&named);
            let removal = self.builder.step(Operation::RemoveNetwork(named), Cause::Requested("down".to_owned()));
            self.networks.push((network, removal));
            shim.into_iter().for_each(|gone| self.builder.needs(removal, gone, Needs::Gone));
            going.into_iter().for_each(|gone| self.builder.needs(removal, gone, Needs::Gone));
        }
    }

    /// Takes away the host's own link on the wire of a network that goes.
    fn shim_of(&mut self, network: &ExistingNetwork) -> Option<Handle> {
        let name = shim::name(self.project, network.key.as_ref()?.as_str());
        let found = self.observed.shims.iter().find(|shim| shim.name == name)?;
        let operation = Operation::RemoveShim(existing_shim(found));
        Some(self.builder.step(operation, Cause::Requested("down".to_owned())))
    }

    /// Takes away the host's own links whose network is gone already.
    fn shims(&mut self) {
        let networks = self.observed.networks.iter().filter(|network| network.belongs_to(self.project));
        let names: Vec<String> = networks.filter_map(key).map(|key| shim::name(self.project, key.as_str())).collect();
        for found in self.observed.shims.iter().filter(|shim| !names.contains(&shim.name)) {
            let operation = Operation::RemoveShim(existing_shim(found));
            self.builder.step(operation, Cause::Requested("down".to_owned()));
        }
    }

    /// Takes away VLAN links that bowline made: the project's, and another project's where a network of this one was the last on it. One that
    /// a network hangs on which stays is left, and told.
    fn vlans(&mut self, findings: &mut Findings) {
        let mut removals: IndexMap<&str, Handle> = IndexMap::new();
        for found in &self.observed.vlans {
            let users = self.observed.networks.iter().filter(|network| hangs_on(network, &found.name));
            let removal =
                |user: &ObservedNetwork| self.networks.iter().find(|(n, _)| n.id == user.id).map(|(_, gone)| *gone);
            let users: Vec<(&ObservedNetwork, Option<Handle>)> = users.map(|user| (user, removal(user))).collect();
            let was_used = users.iter().any(|(_, gone)| gone.is_some());
            let is_whole = self.options.services.is_empty();
            if !(found.belongs_to(self.project) && (is_whole || was_used) || found.is_bowlines() && was_used) {
                continue;
            }
            if let Some((stays, _)) = users.iter().find(|(_, gone)| gone.is_none()) {
                if is_whole && !stays.belongs_to(self.project) {
                    let message = format!("the link `{}` stays: network {} hangs on it", found.name, stays.name);
                    let help = "`bowline down` of its project takes both away";
                    findings.push(Finding::warning(Code::StillUsed, message).help(help));
                }
                continue;
            }
            let operation = Operation::RemoveVlan(existing_link(found));
            let step = self.builder.step(operation, Cause::Requested("down".to_owned()));
            users.iter().filter_map(|(_, gone)| *gone).for_each(|gone| self.builder.needs(step, gone, Needs::Gone));
            removals.insert(&found.name, step);
        }
        for found in &self.observed.vlans {
            let below = found.parent.as_ref().and_then(|parent| removals.get(parent.as_str())).copied();
            if let Some((above, below)) = removals.get(found.name.as_str()).copied().zip(below) {
                self.builder.needs(below, above, Needs::Gone);
            }
        }
    }

    /// Removes images, each when every container that goes is gone. One that somebody else uses stays, and is told.
    fn images(&mut self, images: Images) {
        let made = self.observed.containers.iter().map(|c| (&c.replica.service, &c.settings.image));
        let file = self.file.into_iter();
        let asked = file.clone().flat_map(|file| file.containers.values());
        let asked = asked.map(|c| (&c.replica.service, &c.settings.image));
        // of a service that has no container, too: others may start from its image
        let built = file.flat_map(|file| &file.builds);
        let built = built.filter_map(|(service, build)| Some((service, build.tags.first()?)));
        let chosen = |(service, image): &(&ServiceName, &String)| {
            let is_local = **image == format!("{}-{service}", self.project);
            let is_gone = matches!(self.observed.images.get(*image), Some(None));
            let is_named = self.options.services.is_empty() || self.options.services.contains(service);
            is_named && !is_gone && (images == Images::All || is_local)
        };
        let all: BTreeSet<&String> = made.chain(asked).chain(built).filter(chosen).map(|(_, image)| image).collect();
        for image in all {
            let operation = Operation::RemoveImage { image: image.clone() };
            let removal = self.builder.step(operation, Cause::Requested("down --rmi".to_owned()));
            self.builder.tolerate(removal);
            for gone in self.removed.values().copied().collect::<Vec<_>>() {
                self.builder.needs(removal, gone, Needs::Gone);
            }
        }
    }

    /// Who is on a network: the removals of those that go, and the names of those that stay: the project's own, and whoever else runs on it,
    /// for the Engine keeps a network that somebody runs on.
    fn on(&self, network: &ObservedNetwork) -> (Vec<Handle>, Vec<String>) {
        let is_it = |id: &Option<NetworkId>| id.is_some() && *id == network.id;
        let own = self.observed.containers.iter().filter(|c| c.endpoints.values().any(|e| is_it(&e.network)));
        let own: Vec<_> = own.map(|c| (c.id.as_str(), c.name.as_str())).collect();
        let others = self.observed.others.iter().filter(|c| c.networks.iter().any(|(_, id, _)| is_it(id)));
        let others: Vec<_> = others.collect();
        let going = own.iter().map(|(id, _)| *id).chain(others.iter().map(|c| c.id.as_str()));
        let going = going.filter_map(|id| self.removed.get(id)).copied().collect();
        let stays = |id: &str| !self.removed.contains_key(id);
        let staying = own.iter().filter(|(id, _)| stays(id)).map(|(_, name)| format!("`{name}`"));
        let runs = |state: &str| ["running", "paused", "restarting"].contains(&state);
        let foreign = others.iter().filter(|c| stays(c.id.as_str()) && runs(&c.state)).map(|c| match &c.project {
            Some(project) if *project != self.project.as_str() => format!("`{}` of project {project}", c.name),
            _ => format!("`{}`", c.name),
        });
        (going, staying.chain(foreign).collect())
    }

    fn is_external(&self, network: &ObservedNetwork) -> bool {
        self.file.is_some_and(|file| file.networks.values().any(|n| n.external && n.name == network.name))
    }

    /// Whether a volume is the project's: by its label, or by its name where it has no label at all. Such a one is made by the Engine
    /// for a container whose volume went while the container was being made, as when its client was killed.
    fn has_volume(&self, volume: &ObservedVolume) -> bool {
        let in_file = |external: bool| {
            self.file.is_some_and(|f| f.volumes.values().any(|v| v.external == external && v.name == volume.name))
        };
        let is_prefixed = volume.name.strip_prefix(self.project.as_str()).is_some_and(|rest| rest.starts_with('_'));
        match volume.labels.get(labels::PROJECT) {
            _ if in_file(true) => false,
            Some(project) => self.project == project.as_str(),
            None => volume.labels.is_empty() && is_prefixed && (self.options.own_name || in_file(false)),
        }
    }

    /// Removes the project's volumes, each when everybody who goes has let go of it; without `--volumes` those that hold configs and secrets, which
    /// the file does not name.
    fn volumes(&mut self, findings: &mut Findings) {
        let is_meant = |volume: &ObservedVolume| self.options.volumes || volume.files_of(self.project).is_some();
        let volumes = self.observed.volumes.iter().filter(|volume| is_meant(volume) && self.has_volume(volume));
        for volume in volumes.collect::<Vec<_>>() {
            let mounting =
                self.observed.containers.iter().filter(|c| c.volumes.values().any(|name| *name == volume.name));
            let (going, staying): (Vec<_>, Vec<_>) = mounting.partition(|c| self.removed.contains_key(c.id.as_str()));
            let key = volume.labels.get(labels::VOLUME).and_then(|key| key.parse().ok());
            let others = || self.observed.others.iter();
            let owner = volume.files_of(self.project).and_then(|owner| others().find(|other| other.name == owner));
            let owner = owner.map(|owner| self.removed.contains_key(owner.id.as_str()));
            if owner == Some(false) {
                continue;
            }
            if let Some(stays) = staying.first() {
                if self.options.services.is_empty() {
                    let message = format!("volume `{}` stays: `{}` mounts it", volume.name, stays.name);
                    findings.push(Finding::warning(Code::StillUsed, message));
                }
                continue;
            }
            if !self.options.services.is_empty() && going.is_empty() && owner.is_none() {
                continue;
            }
            let flag = if self.options.volumes { "down --volumes" } else { "down" };
            let operation = Operation::RemoveVolume { name: volume.name.clone(), key };
            let removal = self.builder.step(operation, Cause::Requested(flag.to_owned()));
            // what containers of `run` mount is not known: each may have it
            let ids = going.iter().map(|c| c.id.as_str()).chain(others().map(|c| c.id.as_str()));
            let gone: Vec<Handle> = ids.filter_map(|id| self.removed.get(id)).copied().collect();
            gone.into_iter().for_each(|gone| self.builder.needs(removal, gone, Needs::Gone));
        }
    }
}

/// For each service, those that depend on it.
fn dependents<'a>(going: &'a [Going]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in going {
        for name in &container.depends_on {
            all.entry(name).or_default().insert(container.target.replica().service.as_str());
        }
    }
    all
}

/// The stops that come right before a service's: those of its dependents, or of theirs where these have none.
fn nearest(service: &str, dependents: &BTreeMap<&str, BTreeSet<&str>>, stops: &[(Handle, &str)]) -> Vec<Handle> {
    let (mut seen, mut open, mut found) = (BTreeSet::from([service]), vec![service], Vec::new());
    while let Some(name) = open.pop() {
        for &dependent in dependents.get(name).into_iter().flatten() {
            if !seen.insert(dependent) {
                continue;
            }
            let mine = stops.iter().filter(|(_, service)| *service == dependent).map(|(stop, _)| *stop);
            let count = found.len();
            found.extend(mine);
            if found.len() == count {
                open.push(dependent);
            }
        }
    }
    found
}

//! What the Engine will hold when a plan has been carried out: `planning from simulate(plan, observed) gives an empty plan`.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::desired::{Attachment, Desired, DesiredNetwork, labels};
use super::observed::{
    ContainerState, Health, Observed, ObservedContainer, ObservedEndpoint, ObservedImage, ObservedNetwork,
    ObservedVolume,
};
use super::settings::{EndpointSettings, MountKind, Settings};
use super::shim::ObservedShim;
use super::vlan::ObservedVlan;
use crate::compose::model::{Condition, HealthTest};
use crate::name::{ContainerId, Mac, NetworkId, NetworkKey, Replica};
use crate::plan::{LinkEnd, NewContainer, Operation, Plan, StepId, Target};

/// The Engine after every step.
pub fn simulate(plan: &Plan, observed: &Observed) -> Observed {
    simulate_some(plan, observed, |_| true)
}

/// The Engine after those steps that were done: a kill can leave any set that holds, with a step, all it needs.
pub fn simulate_some(plan: &Plan, observed: &Observed, done: impl Fn(StepId) -> bool) -> Observed {
    let mut world = World { desired: plan.desired(), observed: observed.clone(), born: BTreeMap::new() };
    for (id, step) in plan.steps().filter(|(id, _)| done(*id)) {
        world.apply(id, &step.operation);
    }
    world.count_members();
    world.observed
}

struct World<'a> {
    desired: &'a Desired,
    observed: Observed,
    /// The ids of what the plan created.
    born: BTreeMap<Replica, ContainerId>,
}

impl World<'_> {
    fn apply(&mut self, step: StepId, operation: &Operation) {
        match operation {
            Operation::Pull { image, .. } => {
                let id = format!("sha256:{}", self.new_id(step));
                let age = Some(Duration::ZERO);
                let image_of_step = ObservedImage { id, age, ..ObservedImage::default() };
                self.observed.images.insert(image.clone(), Some(image_of_step));
            }
            Operation::Build(service) => {
                let id = format!("sha256:{}", self.new_id(step));
                let tags = self.desired.builds.get(service).map(|build| build.tags.as_slice()).unwrap_or_default();
                for tag in tags {
                    let image = ObservedImage { id: id.clone(), ..ObservedImage::default() };
                    self.observed.images.insert(tag.clone(), Some(image));
                }
            }
            Operation::RemoveImage { image } => _ = self.observed.images.insert(image.clone(), None),
            Operation::CreateNetwork(key) => self.create_network(step, key),
            Operation::RemoveNetwork(network) => self.observed.networks.retain(|n| n.id.as_ref() != Some(&network.id)),
            Operation::MakeShim(key) => {
                let made = self.desired.shims.get(key).map(ObservedShim::from);
                self.observed.shims.retain(|shim| made.as_ref().is_none_or(|made| made.name != shim.name));
                self.observed.shims.extend(made);
            }
            Operation::MakeVlan(name) => {
                self.observed.vlans.retain(|vlan| vlan.name != *name);
                self.observed.vlans.extend(self.desired.vlans.get(name).map(ObservedVlan::from));
            }
            Operation::RemoveVlan(gone) => self.observed.vlans.retain(|vlan| vlan.name != gone.name),
            Operation::RemoveShim(gone) => self.observed.shims.retain(|shim| shim.name != gone.name),
            Operation::Connect { container, network } => self.connect(container, network),
            Operation::Disconnect { container, network } => {
                let id = network.id.clone();
                self.change(container, |c| c.endpoints.retain(|_, e| e.network.as_ref() != Some(&id)));
            }
            Operation::CreateVolume(key) => {
                if let Some(volume) = self.desired.volumes.get(key) {
                    self.observed.volumes.push(ObservedVolume {
                        name: volume.name.clone(),
                        driver: volume.driver.clone(),
                        options: volume.options.clone(),
                        labels: volume.labels.clone(),
                    });
                }
            }
            Operation::RemoveVolume { name, .. } => self.observed.volumes.retain(|volume| volume.name != *name),
            Operation::CreateContainer(new) => self.create_container(step, new),
            Operation::Rename { container, name } => self.rename(container, name),
            Operation::Start(container) => self.change(container, start),
            Operation::Stop { container, .. } => self.change(container, |c| c.state = ended()),
            Operation::Kill { container, signal } if is_final(signal) => self.change(container, |c| c.state = ended()),
            Operation::Kill { .. } => {}
            Operation::Pause(container) => self.change(container, |c| c.state = ContainerState::Paused),
            Operation::Push { .. } | Operation::CopyFiles(_) | Operation::RunHook { .. } => {}
            Operation::Update(container) => self.update(container),
            Operation::Unpause(container) => self.change(container, start),
            Operation::Remove { container, volumes } => self.remove(container, *volumes),
            Operation::Await(wait) => {
                for container in &wait.containers {
                    self.change(container, |c| come_true(&mut c.state, wait.condition));
                }
            }
        }
    }

    fn create_network(&mut self, step: StepId, key: &NetworkKey) {
        let Some(network) = self.desired.networks.get(key) else { return };
        let id = NetworkId::from_engine(self.new_id(step));
        self.observed.networks.push(made(network, id));
    }

    fn create_container(&mut self, step: StepId, new: &NewContainer) {
        let Some(wanted) = self.desired.containers.get(&new.replica) else { return };
        let id = ContainerId::from_engine(self.new_id(step));
        let image = self.observed.images.get(&wanted.settings.image).cloned().flatten();
        let settings = image.as_ref().map_or_else(|| wanted.settings.clone(), |image| wanted.settings.over(image));
        let mut container =
            ObservedContainer::named(id.clone(), &new.name, new.replica.clone(), ContainerState::Created);
        container.volumes = mounted(&settings, new, id.as_str());
        self.create_files_volume(&settings);
        container.settings = settings;
        container.settings.labels.extend(new.image.clone().map(|id| (labels::IMAGE.to_owned(), id)));
        let lenders: Vec<ContainerId> = new.lenders.iter().filter_map(|target| self.id_of(target)).collect();
        container.settings.lend(&wanted.borrows, &lenders);
        container.image_id = image.map(|image| image.id).unwrap_or_default();
        container.network_mode = match &wanted.attachment {
            Attachment::None => "none".to_owned(),
            Attachment::Host => "host".to_owned(),
            Attachment::DefaultBridge => "bridge".to_owned(),
            Attachment::Container(name) => format!("container:{name}"),
            Attachment::Other(name) => name.clone(),
            Attachment::Replica(_) => new.parent.as_ref().map(|p| self.shared(p)).unwrap_or_default(),
            Attachment::Networks(all) => all.keys().next().map(|key| self.name_of(key)).unwrap_or_default(),
        };
        if let Attachment::DefaultBridge | Attachment::Other(_) = &wanted.attachment {
            let network = self.observed.networks.iter().find(|n| n.name == container.network_mode);
            let endpoint = ObservedEndpoint { network: network.and_then(|n| n.id.clone()), ..Default::default() };
            container.endpoints.insert(container.network_mode.clone(), endpoint);
        }
        container.legacy_links = self.links(new);
        self.observed.containers.push(container);
        self.observed.containers.sort_by(|a, b| (&a.replica, &a.name).cmp(&(&b.replica, &b.name)));
        self.born.insert(new.replica.clone(), id);
        for network in &new.networks {
            self.attach(&Target::Planned(new.replica.clone()), network, None);
        }
    }

    /// The Engine makes it for the container that mounts it.
    fn create_files_volume(&mut self, settings: &Settings) {
        let Some(volume) = &settings.files_volume else { return };
        if !self.observed.volumes.iter().any(|found| found.name == volume.name) {
            let (name, labels) = (volume.name.clone(), volume.labels.clone());
            let (driver, options) = ("local".to_owned(), BTreeMap::new());
            self.observed.volumes.push(ObservedVolume { name, driver, options, labels });
        }
    }

    /// Limits and the restart policy as they are declared.
    fn update(&mut self, container: &Target) {
        let Some(wanted) = self.desired.containers.get(container.replica()) else { return };
        let (resources, restart) = (wanted.settings.resources.clone(), wanted.settings.restart);
        self.change(container, |c| {
            c.settings.resources = resources;
            c.settings.restart = restart;
        });
    }

    fn shared(&self, parent: &Target) -> String {
        self.id_of(parent).map(|id| format!("container:{id}")).unwrap_or_default()
    }

    /// Links as the Engine shows them: by the names that their ends have now.
    fn links(&self, new: &NewContainer) -> Vec<(String, String)> {
        let named = |end: &LinkEnd| match end {
            LinkEnd::External(name) => Some(name.clone()),
            LinkEnd::Target(target) => {
                let id = self.id_of(target)?;
                self.observed.containers.iter().find(|c| c.id == id).map(|c| c.name.clone())
            }
        };
        new.links.iter().filter_map(|(end, alias)| Some((named(end)?, alias.clone()))).collect()
    }

    /// Connecting gives no MAC: the Engine makes one up.
    fn connect(&mut self, container: &Target, key: &NetworkKey) {
        self.attach(container, key, Some(Mac([2, 0xfe, 0, 0, 0, 1])));
    }

    fn attach(&mut self, container: &Target, key: &NetworkKey, mac: Option<Mac>) {
        let name = self.name_of(key);
        let network = self.observed.networks.iter().find(|n| n.name == name).and_then(|n| n.id.clone());
        let wanted = self.desired.containers.get(container.replica());
        let Some(Attachment::Networks(all)) = wanted.map(|wanted| &wanted.attachment) else { return };
        let settings = all.get(key).cloned().unwrap_or_default();
        let mac = mac.or(settings.mac);
        let settings = EndpointSettings { mac: None, ..settings };
        let endpoint = ObservedEndpoint { network, settings, mac, ..ObservedEndpoint::default() };
        self.change(container, |c| _ = c.endpoints.insert(name, endpoint));
    }

    /// Renames, also in the links that lead to it.
    fn rename(&mut self, container: &Target, name: &str) {
        let Some(id) = self.id_of(container) else { return };
        let Some(old) = self.observed.containers.iter().find(|c| c.id == id).map(|c| c.name.clone()) else { return };
        for other in &mut self.observed.containers {
            other.legacy_links.iter_mut().filter(|link| link.0 == old).for_each(|link| link.0 = name.to_owned());
        }
        self.change(container, |c| c.name = name.to_owned());
    }

    /// Removes, with the links that lead to it and, if asked for, the volumes without a name that nobody else mounts.
    fn remove(&mut self, container: &Target, volumes: bool) {
        let Some(id) = self.id_of(container) else { return };
        let Some(place) = self.observed.containers.iter().position(|c| c.id == id) else { return };
        let gone = self.observed.containers.remove(place);
        for other in &mut self.observed.containers {
            other.legacy_links.retain(|link| link.0 != gone.name);
        }
        let kept = |name: &String| self.observed.containers.iter().any(|c| c.volumes.values().any(|v| v == name));
        let anonymous: Vec<String> =
            gone.volumes.into_values().filter(|name| is_anonymous(name) && !kept(name)).collect();
        if volumes {
            self.observed.volumes.retain(|volume| !anonymous.contains(&volume.name));
        }
    }

    fn change(&mut self, container: &Target, change: impl FnOnce(&mut ObservedContainer)) {
        let Some(id) = self.id_of(container) else { return };
        if let Some(container) = self.observed.containers.iter_mut().find(|c| c.id == id) {
            change(container);
        }
    }

    fn id_of(&self, target: &Target) -> Option<ContainerId> {
        match target {
            Target::Existing { id, .. } => Some(id.clone()),
            Target::Planned(replica) => self.born.get(replica).cloned(),
        }
    }

    fn name_of(&self, key: &NetworkKey) -> String {
        self.desired.networks.get(key).map_or_else(|| key.to_string(), |network| network.name.clone())
    }

    /// An id that nothing has yet: it follows from the step and from all that is there.
    fn new_id(&self, step: StepId) -> String {
        let mut hash = Sha256::new();
        hash.update(step.index().to_le_bytes());
        self.observed.containers.iter().for_each(|c| hash.update(c.id.as_str()));
        self.observed.networks.iter().filter_map(|n| n.id.as_ref()).for_each(|id| hash.update(id.as_str()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Puts the project's running containers among the members of their networks; others stay as they were.
    fn count_members(&mut self) {
        let others: Vec<ContainerId> = self.observed.others.iter().map(|c| c.id.clone()).collect();
        for network in &mut self.observed.networks {
            network.members.retain(|(id, _, _)| others.contains(id));
            for container in self.observed.containers.iter().filter(|c| c.state.is_running()) {
                for _ in container.endpoints.values().filter(|e| e.network == network.id) {
                    network.members.push((container.id.clone(), container.name.clone(), vec![]));
                }
            }
            network.members.sort_by(|a, b| a.1.cmp(&b.1));
        }
    }
}

fn made(network: &DesiredNetwork, id: NetworkId) -> ObservedNetwork {
    ObservedNetwork {
        id: Some(id),
        name: network.name.clone(),
        driver: network.driver.clone(),
        scope: "local".to_owned(),
        options: network.options.clone(),
        ipam: network.ipam.clone(),
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6.unwrap_or(false),
        labels: network.labels.clone(),
        members: Vec::new(),
    }
}

/// The volumes of a new container: those with a name, those it takes over, and new ones without a name.
fn mounted(settings: &Settings, new: &NewContainer, id: &str) -> BTreeMap<String, String> {
    let inherited: IndexMap<&str, &str> =
        new.inherits.iter().map(|(path, name)| (path.as_str(), name.as_str())).collect();
    let name = |target: &str, kind: &MountKind| match kind {
        MountKind::Volume { name, .. } => Some(name.clone()),
        MountKind::Anonymous => Some(inherited.get(target).map_or_else(
            || Sha256::digest(format!("{id}{target}")).iter().map(|byte| format!("{byte:02x}")).collect(),
            |name| (*name).to_owned(),
        )),
        _ => None,
    };
    let own = settings.mounts.iter().filter_map(|m| Some((m.target.clone(), name(&m.target, &m.kind)?)));
    let volume = settings.files_volume.iter();
    let files = volume.flat_map(|volume| settings.files.iter().map(|file| (file.target.clone(), volume.name.clone())));
    own.chain(files).collect()
}

fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn start(container: &mut ObservedContainer) {
    let test = container.settings.healthcheck.as_ref().and_then(|check| check.test.as_ref());
    let health = test.filter(|test| **test != HealthTest::None).map(|_| Health::Starting);
    container.state = ContainerState::Running { pid: 1, health, started_at: String::new() };
}

/// Whether nothing survives this signal; what another one does, the program decides.
fn is_final(signal: &str) -> bool {
    matches!(signal.to_ascii_uppercase().trim_start_matches("SIG"), "KILL" | "9")
}

fn ended() -> ContainerState {
    ContainerState::Exited { code: 0, oom_killed: false, finished_at: String::new() }
}

/// What was waited for has come.
fn come_true(state: &mut ContainerState, condition: Condition) {
    match (condition, &mut *state) {
        (Condition::Completed, _) => *state = ended(),
        (Condition::Healthy, ContainerState::Running { health, .. }) => *health = Some(Health::Healthy),
        _ => {}
    }
}

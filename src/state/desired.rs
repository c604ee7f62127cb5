//! What the file asks the Engine to hold, in the Engine's terms: names, labels, addresses, aliases and links.

mod build;
mod container;
mod endpoint;
mod file;
mod hash;
pub mod labels;
mod network;
pub mod one_off;
mod spans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

#[cfg(test)]
pub(crate) use build::EVERY_ATTRIBUTE;
pub use build::{BuildFlags, DesiredBuild};

use super::settings::{EndpointSettings, IpamSettings, Settings};
use super::shim::{self, DesiredShim};
use super::vlan::{self, DesiredVlan};
use crate::compose::model::{Condition, Dependency, Hook, Link, Project, Service, Update};
use crate::name::{ContainerId, NetworkKey, ProjectName, Replica, ServiceName, VolumeKey};
use crate::source::Span;

/// The whole of it.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The project.
    pub project: ProjectName,
    /// Networks by key, in the order of the file.
    pub networks: IndexMap<NetworkKey, DesiredNetwork>,
    /// The host's own links on the wires of networks (`host_access`), by the network's key.
    pub shims: IndexMap<NetworkKey, DesiredShim>,
    /// The VLAN links that are made here, by name, each before those that stand on it.
    pub vlans: IndexMap<String, DesiredVlan>,
    /// Volumes by key, in the order of the file.
    pub volumes: IndexMap<VolumeKey, DesiredVolume>,
    /// The images that are built here, by service, in the order of the file.
    pub builds: IndexMap<ServiceName, DesiredBuild>,
    /// Containers by service and number, in the order of the file; each plan has them too.
    pub containers: IndexMap<Replica, Arc<DesiredContainer>>,
    /// The services that run, with however many containers (none is possible), in the order of the file.
    pub services: Vec<ServiceName>,
    /// Services that the file defines and that are not to run now: their containers are no orphans.
    pub inactive: Vec<ServiceName>,
}

/// What the command line adds to the file.
#[derive(Clone, Debug, Default)]
pub struct DesiredOptions {
    /// `--scale`: how many containers of a service, whatever the file says.
    pub scale: IndexMap<ServiceName, u32>,
    /// `--compatibility`: `_` instead of `-` in the names of containers.
    pub compatibility: bool,
}

/// What `project` asks the Engine to hold.
pub fn desired(project: &Project, options: &DesiredOptions) -> Desired {
    let decoded = hash::Decoded::new(&project.tree);
    let naming = Naming { project, options, decoded: &decoded };
    let mut containers = IndexMap::new();
    for service in project.services.values() {
        for replica in naming.replicas(service) {
            let container = container::desired(&naming, service, &replica);
            containers.insert(replica, Arc::new(container));
        }
    }
    Desired {
        project: project.name.clone(),
        networks: project.networks.iter().map(|(k, n)| (k.clone(), network::network(project, &decoded, n))).collect(),
        shims: project.networks.iter().filter_map(|(k, n)| Some((k.clone(), shim::desired(project, n)?))).collect(),
        vlans: vlan::desired(project).into_iter().map(|vlan| (vlan.link.name.clone(), vlan)).collect(),
        volumes: project.volumes.iter().map(|(k, v)| (k.clone(), network::volume(project, &decoded, v))).collect(),
        builds: build::builds(project),
        containers,
        services: project.services.keys().cloned().collect(),
        inactive: project.inactive.clone(),
    }
}

/// Who is called what (reference `compose.md` 1.8).
struct Naming<'a> {
    project: &'a Project,
    options: &'a DesiredOptions,
    decoded: &'a hash::Decoded<'a>,
}

impl Naming<'_> {
    /// The containers that a service has.
    fn replicas(&self, service: &Service) -> impl Iterator<Item = Replica> + use<> {
        let scale = self.options.scale.get(&service.name).copied().unwrap_or(service.scale.value);
        let name = service.name.clone();
        (1..=scale).map(move |number| Replica::new(name.clone(), number))
    }

    /// The name of a container: its `container_name`, or `<project>-<service>-<number>`.
    fn container(&self, service: &Service, number: u32) -> String {
        let separator = if self.options.compatibility { "_" } else { "-" };
        match &service.container_name {
            Some(name) => name.value.clone(),
            None => [self.project.name.as_str(), service.name.as_str(), &number.to_string()].join(separator),
        }
    }

    /// The container of the project that `word` means, in `network_mode`, `ipc`, `pid` or `volumes_from` of `service`:
    /// `service:x`, or `container:x` where x is the name of one. None where that one is made after `service`.
    fn lender(&self, service: &Service, word: &str) -> Option<Replica> {
        match word.split_once(':')? {
            ("service", name) => Some(Replica::new(name.parse().ok()?, 1)),
            ("container", name) => {
                let all = self.project.services.values();
                let mut replicas = all.flat_map(|other| self.replicas(other).map(move |replica| (other, replica)));
                let meant = replicas.find(|(other, replica)| self.container(other, replica.number) == name);
                meant.filter(|(other, _)| !self.needs(&other.name, &service.name)).map(|(_, replica)| replica)
            }
            _ => None,
        }
    }

    /// Whether a service depends on another, by however many steps; each does on itself.
    fn needs(&self, service: &ServiceName, other: &ServiceName) -> bool {
        let mut all = indexmap::IndexSet::from([service]);
        let mut place = 0;
        while let Some(name) = all.get_index(place).copied() {
            all.extend(self.project.services.get(name).into_iter().flat_map(|service| service.depends_on.keys()));
            place += 1;
        }
        all.contains(other)
    }
}

impl Desired {
    /// Whether the file has this service, active or not.
    pub fn declares(&self, service: &str) -> bool {
        self.services.iter().chain(&self.inactive).any(|name| name == service)
    }

    /// The images that containers are made from and builds make, by name, sorted.
    pub fn images(&self) -> Vec<String> {
        let used = self.containers.values().flat_map(|container| container.settings.images());
        let built = self.builds.values().filter_map(|build| build.tags.first()).map(String::as_str);
        let all: BTreeSet<&str> = used.chain(built).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Nothing: what `down` without a file works with.
    pub fn nothing(project: ProjectName) -> Self {
        Self {
            project,
            networks: IndexMap::new(),
            shims: IndexMap::new(),
            vlans: IndexMap::new(),
            volumes: IndexMap::new(),
            builds: IndexMap::new(),
            containers: IndexMap::new(),
            services: vec![],
            inactive: vec![],
        }
    }
}

/// A network to be there.
#[derive(Clone, Debug)]
pub struct DesiredNetwork {
    /// Its key in the file.
    pub key: NetworkKey,
    /// Its name in the Engine.
    pub name: String,
    /// Made by somebody else: never created, changed or removed.
    pub external: bool,
    /// `Driver`.
    pub driver: String,
    /// `Options`.
    pub options: BTreeMap<String, String>,
    /// `IPAM`.
    pub ipam: IpamSettings,
    /// `Internal`.
    pub internal: bool,
    /// `Attachable`.
    pub attachable: bool,
    /// `EnableIPv4` (API 1.48).
    pub enable_ipv4: Option<bool>,
    /// `EnableIPv6`.
    pub enable_ipv6: Option<bool>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// Where it is declared.
    pub span: Option<Span>,
}

/// A volume to be there.
#[derive(Clone, Debug)]
pub struct DesiredVolume {
    /// Its key in the file.
    pub key: VolumeKey,
    /// Its name in the Engine.
    pub name: String,
    /// Made by somebody else.
    pub external: bool,
    /// `Driver`.
    pub driver: String,
    /// `DriverOpts`.
    pub options: BTreeMap<String, String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// Where it is declared.
    pub span: Option<Span>,
}

/// A container to run.
#[derive(Clone, Debug)]
pub struct DesiredContainer {
    /// Which one.
    pub replica: Replica,
    /// Its name in the Engine.
    pub name: String,
    /// What `create` fixes.
    pub settings: Settings,
    /// Where it hangs.
    pub attachment: Attachment,
    /// What it has from other containers of the project besides the network: their ids are known when they are there.
    pub borrows: Vec<Borrow>,
    /// Links on the default bridge (`HostConfig.Links`); on networks they are in the endpoints.
    pub legacy_links: Vec<Link<LinkTarget>>,
    /// `deploy.update_config`.
    pub update: Update,
    /// What it waits for before it starts.
    pub needs: IndexMap<ServiceName, Dependency>,
    /// The strongest condition that another service waits for on this one, if any.
    pub awaited: Option<Condition>,
    /// `pull_policy`.
    pub pull_policy: Option<String>,
    /// How old an image may be that `pull_policy: daily`, `weekly`, `every_…` or `refresh` leaves alone.
    pub pull_every: Option<Duration>,
    /// Whether an attached `up` follows its logs.
    pub attach: bool,
    /// `post_start`.
    pub post_start: Vec<Hook>,
    /// `pre_stop`.
    pub pre_stop: Vec<Hook>,
    /// Its configs and secrets: path in the container, attribute (`configs.app`).
    pub files: BTreeMap<String, String>,
    /// Where the service is declared.
    pub span: Span,
    /// What its `config-hash` is the hash of; a `service:` reference still stands in it.
    pub hashed: String,
    /// Where its attributes are written, by their path under the service: `image`, `networks.front.aliases`.
    pub spans: BTreeMap<String, Span>,
}

impl DesiredContainer {
    /// The `config-hash` label. docker compose counts containers whose namespaces or volumes this one shares by their ids, so
    /// that it can only be known when those are there: `lenders` gives the network's owner and those of `borrows`, in order.
    pub fn config_hash(&self, lenders: &Lenders) -> String {
        let mut text = self.hashed.clone();
        if let (Attachment::Replica(replica), Some(id)) = (&self.attachment, &lenders.network) {
            let written = format!(r#""network_mode":"service:{}""#, replica.service);
            text = text.replacen(&written, &format!(r#""network_mode":"container:{id}""#), 1);
        }
        for (borrow, id) in self.borrows.iter().zip(&lenders.others) {
            let (written, known) = match &borrow.what {
                Borrowed::Ipc => {
                    (format!(r#""ipc":"service:{}""#, borrow.from.service), format!(r#""ipc":"container:{id}""#))
                }
                Borrowed::Pid => {
                    (format!(r#""pid":"service:{}""#, borrow.from.service), format!(r#""pid":"container:{id}""#))
                }
                Borrowed::Volumes { written, .. } => (format!("\"{written}\""), format!("\"{id}\"")),
            };
            let from = text.find(borrow.what.key()).unwrap_or(0);
            let (head, tail) = text.split_at(from);
            text = format!("{head}{}", tail.replacen(&written, &known, 1));
        }
        hash::hash(&text)
    }

    /// Whether its `config-hash` is only known when others are there; where not, it is the label among its settings.
    pub fn borrows_anything(&self) -> bool {
        matches!(self.attachment, Attachment::Replica(_)) || !self.borrows.is_empty()
    }

    /// Where a field is written, or what it is part of.
    pub fn span_of(&self, field: &str) -> Span {
        let mut path = field;
        loop {
            match (self.spans.get(path), path.rsplit_once('.')) {
                (Some(span), _) => return *span,
                (None, Some((parent, _))) => path = parent,
                (None, None) => return self.span,
            }
        }
    }
}

/// The ids of the containers that another one borrows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lenders {
    /// Whose network namespace it shares.
    pub network: Option<ContainerId>,
    /// Those of `borrows`, in its order; empty where they are not known.
    pub others: Vec<ContainerId>,
}

/// What a container has from another container of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrow {
    /// What.
    pub what: Borrowed,
    /// From whom.
    pub from: Replica,
}

/// What can be had from another container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Borrowed {
    /// Its memory segments and semaphores: `ipc: service:x`.
    Ipc,
    /// Its processes: `pid: service:x`.
    Pid,
    /// Its mounts: `volumes_from: [x:ro]`.
    Volumes {
        /// The entry as it is written.
        written: String,
        /// `ro`; `rw` is what goes without saying.
        mode: Option<String>,
    },
}

impl Borrowed {
    /// The attribute, as it stands in JSON.
    fn key(&self) -> &'static str {
        match self {
            Self::Ipc => "\"ipc\":",
            Self::Pid => "\"pid\":",
            Self::Volumes { .. } => "\"volumes_from\":",
        }
    }

    /// The attribute as the file calls it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Ipc => "ipc",
            Self::Pid => "pid",
            Self::Volumes { .. } => "volumes_from",
        }
    }

    /// Whether it is gone when its owner stops.
    pub fn dies_with_owner(&self) -> bool {
        !matches!(self, Self::Volumes { .. })
    }
}

/// Whom a legacy link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// A container of the project.
    Replica(Replica),
    /// Another, by name or id.
    External(String),
}

/// Where a container hangs.
#[derive(Clone, Debug, PartialEq)]
pub enum Attachment {
    /// In no network: `lo` alone.
    None,
    /// In the host's namespace.
    Host,
    /// On the Engine's default bridge.
    DefaultBridge,
    /// In the namespace of a container of the project.
    Replica(Replica),
    /// In the namespace of another container, by name or id.
    Container(String),
    /// On networks of the project; the first is the primary one, which `create` names.
    Networks(IndexMap<NetworkKey, EndpointSettings>),
    /// On a network of the Engine by its name.
    Other(String),
}

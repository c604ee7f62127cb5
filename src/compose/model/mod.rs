//! The project as bowline works with it: typed, canonical, with the place of whatever a message may cite.
//!
//! Decoded from the canonical tree at the end of the load; names are resolved, defaults filled in, paths absolute.

mod build;
mod develop;
mod file;
mod hosts;
mod image;
mod lent;
mod network;
mod part;
mod rare;
mod resources;
mod service;
mod vlan;
mod volume;

use std::path::PathBuf;

use indexmap::IndexMap;

pub use build::{Build, BuildKit, BuildSecret};
pub use develop::{Action, Watch};
pub use file::{ApiSocket, Bytes, FileContent, FileKind, FileOwner, ServiceFile};
pub use hosts::{EnginePlace, Hosts, Need, Part};
pub use image::is_registry;
pub use lent::{VolumesFrom, VolumesOwner};
pub use network::{Ipam, Network, Pool, Trunk};
pub use part::part_without;
pub use rare::{Rare, Unsaid};
pub use resources::{BlockResources, Device, DeviceRequest, Hook, Logging, Resources};
pub use service::{
    Bind, Condition, Dependency, Endpoint, HealthTest, Healthcheck, Link, Mount, MountSource, Namespaces, NetworkMode,
    Port, Restart, Service, Update,
};
pub use vlan::{LINK_NAME_MAX, TagProtocol, Vlan, VlanLink, another_vlan};
pub use volume::Volume;

use crate::compose::extension::verify::Rules;
use crate::name::{NetworkKey, ProjectName, ServiceName, VolumeKey};
use crate::yaml::Node;

/// Who gave a project its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `-p`, `COMPOSE_PROJECT_NAME` or `name:`.
    User,
    /// Its directory, whose name others may have too.
    Directory,
}

/// A stack: what all its files say together.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name, which is in the name and the labels of all it owns.
    pub name: ProjectName,
    /// Who gave it.
    pub named_by: NamedBy,
    /// The directory that relative paths start from.
    pub working_dir: PathBuf,
    /// The files it was read from, absolute, in order.
    pub files: Vec<PathBuf>,
    /// The environment files that were named by `--env-file`, absolute.
    pub env_files: Vec<PathBuf>,
    /// The services that are active (their profile is, or they were named), in the order of the file.
    pub services: IndexMap<ServiceName, Service>,
    /// Services that take no part, and whose images active ones start from: they are built alone.
    pub bases: IndexMap<ServiceName, Service>,
    /// Services that the file defines and that no active profile wants.
    pub inactive: Vec<ServiceName>,
    /// The networks that active services use, `default` among them where one joins it.
    pub networks: IndexMap<NetworkKey, Network>,
    /// The named volumes that active services use.
    pub volumes: IndexMap<VolumeKey, Volume>,
    /// `x-verify`.
    pub rules: Rules,
    /// `x-hosts`: the same, host by host; none where one Engine has it all.
    pub hosts: Option<Box<Hosts>>,
    /// The canonical tree that all this was decoded from: what `config` prints.
    pub tree: Node,
}

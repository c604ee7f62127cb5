//! What the file asks the Engine to hold.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::settings::{EndpointSettings, IpamSettings, Settings};
use crate::compose::model::{Condition, Dependency, Link};
use crate::name::{NetworkKey, ProjectName, Replica, ServiceName, VolumeKey};
use crate::source::Span;

/// The whole of it.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The project.
    pub project: ProjectName,
    /// Networks by key, in the order of the file.
    pub networks: IndexMap<NetworkKey, DesiredNetwork>,
    /// Volumes by key, in the order of the file.
    pub volumes: IndexMap<VolumeKey, DesiredVolume>,
    /// Containers by service and number, in the order of the file.
    pub containers: IndexMap<Replica, DesiredContainer>,
}

impl Desired {
    /// Nothing: what `down` without a file works with.
    pub fn nothing(project: ProjectName) -> Self {
        Self { project, networks: IndexMap::new(), volumes: IndexMap::new(), containers: IndexMap::new() }
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
    /// Links on the default bridge (`HostConfig.Links`); on networks they are in the endpoints.
    pub legacy_links: Vec<Link<LinkTarget>>,
    /// What it waits for before it starts.
    pub needs: IndexMap<ServiceName, Dependency>,
    /// The strongest condition that another service waits for on this one, if any.
    pub awaited: Option<Condition>,
    /// `pull_policy`.
    pub pull_policy: Option<String>,
    /// Whether an attached `up` follows its logs.
    pub attach: bool,
    /// Where the service is declared.
    pub span: Span,
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

//! What the Engine holds, as far as it answered.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::desired::labels;
use super::settings::{EndpointSettings, IpamSettings, Settings};
use super::shim::ObservedShim;
use super::vlan::ObservedVlan;
use crate::name::{ContainerId, Mac, NetworkId, ProjectName, Protocol, Replica};

/// Everything that a plan, a preflight and a verification may need to know of the Engine.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The Engine itself.
    pub engine: EngineFacts,
    /// The project's containers, in whatever state, one-off ones not among them.
    pub containers: Vec<ObservedContainer>,
    /// Every other container, in short.
    pub others: Vec<OtherContainer>,
    /// Every network of the Engine.
    pub networks: Vec<ObservedNetwork>,
    /// The project's own links on the host (`host_access`), where there is reason to look for them.
    pub shims: Vec<ObservedShim>,
    /// The VLAN links of the host, whoever made them, where there is reason to look for them.
    pub vlans: Vec<ObservedVlan>,
    /// Every volume of the Engine.
    pub volumes: Vec<ObservedVolume>,
    /// The images that the file names; `None`: not there.
    pub images: IndexMap<String, Option<ObservedImage>>,
    /// Questions that it did not answer.
    pub gaps: Vec<Gap>,
}

/// The Engine itself.
#[derive(Clone, Debug, Default)]
pub struct EngineFacts {
    /// `28.5.2`.
    pub version: String,
    /// The negotiated API, major and minor.
    pub api: (u32, u32),
    /// `linux/amd64`.
    pub platform: String,
    /// Whether it runs without root.
    pub rootless: bool,
    /// Whether it can make overlay networks.
    pub swarm_manager: bool,
    /// Whether it is Podman, which speaks the Engine's API and does some things otherwise.
    pub podman: bool,
    /// Bytes of memory that its host has, where it was asked.
    pub memory: Option<i64>,
    /// Address pools for networks without a subnet; empty: the built-in ones.
    pub default_pools: Vec<(IpNet, u8)>,
    /// The directory on its host where it keeps everything, where it was asked.
    pub data: Option<String>,
    /// What it makes firewall rules with: `iptables`, `nftables`; an Engine before 28 does not say.
    pub firewall: Option<String>,
}

impl EngineFacts {
    /// The major number of its version; 0 where that cannot be read.
    pub fn major(&self) -> u32 {
        self.release().0
    }

    /// The major and the minor number of its version; 0 where they cannot be read.
    pub fn release(&self) -> (u32, u32) {
        let mut numbers = self.version.split('.').map(|part| part.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }
}

/// A container of the project.
#[derive(Clone, Debug)]
pub struct ObservedContainer {
    /// Its id.
    pub id: ContainerId,
    /// Its name without the slash.
    pub name: String,
    /// Which one it is, by its labels.
    pub replica: Replica,
    /// What it does.
    pub state: ContainerState,
    /// What `create` fixed.
    pub settings: Settings,
    /// The id of the image that it was made from.
    pub image_id: String,
    /// `HostConfig.NetworkMode`, as the Engine shows it.
    pub network_mode: String,
    /// `HostConfig.Links` as `container:alias`, names without slashes.
    pub legacy_links: Vec<(String, String)>,
    /// Its endpoints by the network's name.
    pub endpoints: IndexMap<String, ObservedEndpoint>,
    /// The volumes that are mounted, named and anonymous: path in the container, the volume's name (`Mounts` of the
    /// inspection, where `Type` is `volume`).
    pub volumes: BTreeMap<String, String>,
    /// The ports that are really bound: target and protocol, host address, host port.
    pub bound: Vec<BoundPort>,
    /// `NetworkSettings.SandboxKey`.
    pub sandbox: Option<String>,
    /// The path of its hosts file on the Engine's host.
    pub hosts_path: Option<String>,
}

impl ObservedContainer {
    /// A container of which nothing else is known.
    pub fn named(id: ContainerId, name: impl Into<String>, replica: Replica, state: ContainerState) -> Self {
        Self {
            id,
            name: name.into(),
            replica,
            state,
            settings: Settings::default(),
            image_id: String::new(),
            network_mode: String::new(),
            legacy_links: Vec::new(),
            endpoints: IndexMap::new(),
            volumes: BTreeMap::new(),
            bound: Vec::new(),
            sandbox: None,
            hosts_path: None,
        }
    }

    /// The same in short, as of a container that is not looked after.
    pub fn into_other(self) -> OtherContainer {
        let label = |key: &str| self.settings.labels.get(key).cloned();
        let addresses = |end: &ObservedEndpoint| [end.ipv4, end.ipv6].into_iter().flatten().map(|a| a.addr()).collect();
        OtherContainer {
            project: label(labels::PROJECT),
            service: label(labels::SERVICE),
            status: self.state.word().to_owned(),
            state: self.state.word().to_owned(),
            networks: self.endpoints.iter().map(|(name, e)| (name.clone(), e.network.clone(), addresses(e))).collect(),
            macs: self.endpoints.values().filter_map(|end| end.mac).collect(),
            id: self.id,
            name: self.name,
            bound: self.bound,
            labels: self.settings.labels,
        }
    }
}

/// A port that is really bound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoundPort {
    /// In the container.
    pub target: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The host's address.
    pub host_ip: IpAddr,
    /// The host's port.
    pub published: u16,
}

/// What a container does. Times are the Engine's RFC 3339 text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, never started.
    Created,
    /// Running.
    Running {
        /// The process id on the Engine's host.
        pid: u32,
        /// Its health, where it has a check.
        health: Option<Health>,
        /// Since when.
        started_at: String,
    },
    /// Running, frozen.
    Paused,
    /// Between two starts.
    Restarting {
        /// What it ended with last.
        exit_code: i64,
    },
    /// Ended.
    Exited {
        /// What with.
        code: i64,
        /// Whether memory ran out.
        oom_killed: bool,
        /// When.
        finished_at: String,
    },
    /// Going.
    Removing,
    /// Beyond repair.
    Dead,
    /// A word of the Engine that bowline does not know.
    Other(String),
}

impl ContainerState {
    /// Whether its process runs (paused counts, restarting does not).
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. } | Self::Paused)
    }

    /// The Engine's word for it.
    pub fn word(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running { .. } => "running",
            Self::Paused => "paused",
            Self::Restarting { .. } => "restarting",
            Self::Exited { .. } => "exited",
            Self::Removing => "removing",
            Self::Dead => "dead",
            Self::Other(word) => word,
        }
    }
}

/// What a health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not yet known.
    Starting,
    /// It passed last.
    Healthy,
    /// It failed as often as it may.
    Unhealthy,
}

/// An endpoint as the Engine shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedEndpoint {
    /// The network's id.
    pub network: Option<NetworkId>,
    /// What was asked for.
    pub settings: EndpointSettings,
    /// The address it has, with its prefix length.
    pub ipv4: Option<IpNet>,
    /// The address it has, with its prefix length.
    pub ipv6: Option<IpNet>,
    /// Its gateway.
    pub gateway: Option<IpAddr>,
    /// Its IPv6 gateway.
    pub gateway_v6: Option<IpAddr>,
    /// The MAC it has.
    pub mac: Option<Mac>,
}

/// A container outside the project (or a one-off of it), in short.
#[derive(Clone, Debug)]
pub struct OtherContainer {
    /// Its id.
    pub id: ContainerId,
    /// Its name without the slash.
    pub name: String,
    /// Its project, where it has one.
    pub project: Option<String>,
    /// Its service, where it has one.
    pub service: Option<String>,
    /// `running`, `exited` …
    pub state: String,
    /// `Up 3 days`.
    pub status: String,
    /// The ports that it holds.
    pub bound: Vec<BoundPort>,
    /// Its networks: name, id, addresses.
    pub networks: Vec<(String, Option<NetworkId>, Vec<IpAddr>)>,
    /// Its MAC addresses.
    pub macs: Vec<Mac>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A network of the Engine.
#[derive(Clone, Debug, Default)]
pub struct ObservedNetwork {
    /// Its id.
    pub id: Option<NetworkId>,
    /// Its name.
    pub name: String,
    /// `Driver`.
    pub driver: String,
    /// `Scope`.
    pub scope: String,
    /// `Options`.
    pub options: BTreeMap<String, String>,
    /// `IPAM`.
    pub ipam: IpamSettings,
    /// `Internal`.
    pub internal: bool,
    /// `Attachable`.
    pub attachable: bool,
    /// `EnableIPv4`; an Engine before 28 does not say.
    pub enable_ipv4: Option<bool>,
    /// `EnableIPv6`.
    pub enable_ipv6: bool,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// Who is on it: container id, name, addresses. Filled for the project's networks and external ones (by inspection).
    pub members: Vec<(ContainerId, String, Vec<IpNet>)>,
}

impl ObservedNetwork {
    /// The project that its label names.
    pub fn project(&self) -> Option<&str> {
        self.labels.get("com.docker.compose.project").map(String::as_str)
    }

    /// Whether it belongs to `project`.
    pub fn belongs_to(&self, project: &ProjectName) -> bool {
        self.project() == Some(project.as_str())
    }
}

/// A volume of the Engine.
#[derive(Clone, Debug, Default)]
pub struct ObservedVolume {
    /// Its name.
    pub name: String,
    /// `Driver`.
    pub driver: String,
    /// `Options`.
    pub options: BTreeMap<String, String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
}

impl ObservedVolume {
    /// The name of the container of `project` whose configs and secrets it holds, where it is such a one.
    pub fn files_of(&self, project: &ProjectName) -> Option<&str> {
        let ours = self.labels.get(labels::PROJECT).is_some_and(|label| label == project.as_str());
        self.labels.get(labels::FILES).map(String::as_str).filter(|_| ours)
    }
}

/// An image of the Engine: what it gives to a container that says nothing.
#[derive(Clone, Debug, Default)]
pub struct ObservedImage {
    /// Its id, `sha256:…`.
    pub id: String,
    /// `Cmd`, `Entrypoint`, `Env`, `Labels` … as settings.
    pub defaults: Settings,
    /// The paths that it declares as volumes.
    pub volumes: Vec<String>,
    /// `linux/amd64`.
    pub platform: String,
    /// How long ago it was last tagged here (pulled, built), by the Engine's clock; none where it does not say.
    pub age: Option<Duration>,
}

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// `container web-1`, `network front`.
    pub about: String,
    /// What the Engine said.
    pub why: String,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the Engine does not tell of {}: {}", self.about, self.why)
    }
}

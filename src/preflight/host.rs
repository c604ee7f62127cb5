//! What the Engine's host has, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::compose::model::{Network, Project, TagProtocol};
use crate::name::Protocol;
use crate::state::observed::{EngineFacts, Observed};

/// The host, as far as it could be looked at. What was not looked at is `None`, and rules that need it stay silent.
#[derive(Clone, Debug, Default)]
pub struct HostFacts {
    /// Its links.
    pub links: Option<Vec<HostLink>>,
    /// Its routes: destination and link.
    pub routes: Option<Vec<HostRoute>>,
    /// Its listening sockets.
    pub listeners: Option<Vec<Listener>>,
    /// Paths that the stack mounts or takes for devices and that are not there; looked at where the Engine is local.
    pub missing_paths: BTreeSet<PathBuf>,
    /// What there is of those that it mounts.
    pub sources: BTreeMap<PathBuf, Source>,
    /// The resolvers that the host asks; not its own.
    pub resolvers: Vec<IpAddr>,
    /// Chains of the firewall that drop what is forwarded and not decided by their rules; not all of them are the Engine's.
    pub forward_drops: Vec<Chain>,
    /// What the Engine's daemon was told when it was started, by the names of its daemon.json; looked at where it is local.
    pub daemon: BTreeMap<String, String>,
    /// Who made the machine, and as what; empty where it does not say.
    pub machine: (String, String),
    /// The address from which bowline speaks to an Engine on another machine.
    pub client: Option<IpAddr>,
    /// The kinds of links that a network of the stack needs, by the kernel's words, and whether it has them.
    pub kinds: BTreeMap<String, bool>,
    /// Kernel settings, by their names with dots.
    pub settings: BTreeMap<String, String>,
    /// Who answered ARP for an address on a link, by MAC address; nobody is silence. What was not asked is not there.
    pub heard: BTreeMap<(String, IpAddr), Vec<String>>,
    /// Where the Engine keeps its data; looked at where the Engine is local.
    pub disk: Option<Disk>,
}

/// What is known before the host is looked at, and decides what is worth a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The directory of the Engine's data.
    pub data: Option<PathBuf>,
    /// Whether the stack joins networks of others that hang on links of the host.
    pub joins_parents: bool,
}

/// A chain of the firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// `ip`, `ip6`, `inet`.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A directory.
    Directory,
    /// A file, or whatever is no directory.
    File,
    /// Nothing, and nothing can: this one above it is a file.
    Below(PathBuf),
}

/// A file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// A directory on it.
    pub path: PathBuf,
    /// Bytes that are left for whoever is not root.
    pub free: u64,
    /// Files that it can hold; 0 where it does not count them.
    pub inodes: u64,
    /// How many more.
    pub free_inodes: u64,
}

/// A link of the host.
#[derive(Clone, Debug, Default)]
pub struct HostLink {
    /// Its name.
    pub name: String,
    /// `bridge`, `veth`, `vlan`, `macvlan` …; empty for hardware.
    pub kind: String,
    /// Whether it is set up.
    pub up: bool,
    /// Whether the other end answers (carrier).
    pub carrier: bool,
    /// The link that it is a port of.
    pub master: Option<String>,
    /// The link that it is a child of.
    pub parent: Option<String>,
    /// The VLAN that it carries.
    pub vlan: Option<u16>,
    /// What its tag is marked with, where we know that.
    pub protocol: Option<TagProtocol>,
    /// What somebody has written on it; empty: nothing.
    pub label: String,
    /// The most bytes of a packet; 0 where it is not known.
    pub mtu: u32,
    /// Whether there is a wireless device behind it.
    pub wireless: bool,
    /// Whether somebody has set it to take every frame.
    pub promiscuous: bool,
    /// How many want it to, the kernel among them.
    pub promiscuity: u32,
    /// Its addresses.
    pub addresses: Vec<IpNet>,
}

/// A route of the host.
#[derive(Clone, Debug)]
pub struct HostRoute {
    /// Where to; a zero prefix is the default route.
    pub destination: IpNet,
    /// Through which link.
    pub link: String,
    /// Of several routes to one destination the one with the smallest is taken.
    pub metric: u32,
    /// By way of whom; none on the link itself.
    pub gateway: Option<IpAddr>,
}

/// A listening socket of the host.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its address; unspecified is every one.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The process that holds it, where that could be read.
    pub process: Option<Process>,
}

/// A process of the host.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

impl Known {
    /// What the Engine has told.
    pub fn of(project: &Project, engine: &EngineFacts, observed: &Observed) -> Self {
        let mut external = project.networks.values().filter(|network| network.external);
        let hangs = |network: &Network| {
            let found = observed.networks.iter().find(|other| other.name == network.name);
            found.is_some_and(|found| matches!(found.driver.as_str(), "macvlan" | "ipvlan"))
        };
        Self { data: engine.data.as_ref().map(PathBuf::from), joins_parents: external.any(hangs) }
    }
}

impl HostFacts {
    /// The link of a name.
    pub fn link(&self, name: &str) -> Option<&HostLink> {
        self.links.as_ref()?.iter().find(|l| l.name == name)
    }

    /// A kernel setting that is a number.
    pub fn setting(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.trim().parse().ok()
    }

    /// The link of the default route.
    pub fn default_link(&self) -> Option<&str> {
        let routes = self.routes.as_ref()?;
        routes.iter().find(|r| r.destination.prefix_len() == 0).map(|r| r.link.as_str())
    }
}

//! Which network namespaces a project has and which wires they hang on, as far as the file tells.

use std::net::IpAddr;

use indexmap::IndexMap;

use crate::compose::model::{Network, NetworkMode, Project, Service};
use crate::name::{NetworkKey, ServiceName};
use crate::source::{Span, Spanned};
use crate::state::observed::ObservedNetwork;

/// The Engine's name of its default bridge network.
pub const DEFAULT_BRIDGE: &str = "bridge";

/// The option that parts the members of a bridge.
const ICC: &str = "com.docker.network.bridge.enable_icc";

/// Namespaces and wires.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Every active service's place.
    pub places: IndexMap<ServiceName, Place>,
    /// Every wire that one of them hangs on, by its name in the Engine.
    pub wires: IndexMap<String, Wire>,
}

/// Where a service's containers live.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose namespace it is.
    pub namespace: Namespace,
    /// Its endpoints, in the order of the file; empty but for [`Namespace::Own`].
    pub ends: Vec<End>,
    /// Where the file says so.
    pub span: Span,
    /// How many containers it has.
    pub scale: u32,
}

/// Whose network namespace a service lives in, shared ones followed to their owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// That of this service's own containers. For `network_mode: service:x`, that of x's first container.
    Own(ServiceName),
    /// The host's.
    Host,
    /// This service's own, with nothing but lo in it.
    Nothing(ServiceName),
    /// That of a container outside the project.
    Foreign(String),
}

/// A service's end of a wire.
#[derive(Clone, Debug)]
pub struct End {
    /// The wire, by its name in the Engine.
    pub wire: String,
    /// Where the file hangs the service there.
    pub span: Span,
}

/// A network, seen as what carries packets.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Its name in the Engine.
    pub name: String,
    /// Its key in the file; the default bridge and networks that only a `network_mode` names have none.
    pub key: Option<NetworkKey>,
    /// What it is made of.
    pub kind: Kind,
    /// `internal`.
    pub internal: bool,
    /// Whether its members have IPv4 addresses: `enable_ipv4`.
    pub ipv4: bool,
    /// Whether they have IPv6 addresses, as far as the file tells: `enable_ipv6`.
    pub ipv6: bool,
    /// Networks that a router joins with it, as the file says (`x-trunks.*.routed`).
    pub routed: Vec<NetworkKey>,
    /// Whether the switch behind its parent sends back what came from it (`x-trunks.*.hairpin`).
    pub hairpin: bool,
    /// The card and the tags that a trunk gives it; where it has none, its parent's name may tell.
    pub vlan: Option<(String, String)>,
    /// The host's own address on the wire, beside its children's (`x-trunks.*.host_access`).
    pub host_access: Option<Spanned<IpAddr>>,
    /// Where it is declared.
    pub span: Option<Span>,
}

/// What a wire is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Linux bridge.
    Bridge {
        /// `enable_icc`: whether its members may speak to each other.
        icc: bool,
        /// Where that is written.
        icc_span: Option<Span>,
        /// `gateway_mode_ipv4`, where it is not `nat`.
        gateway_mode: Option<String>,
        /// Whether `trusted_host_interfaces` opens it to others.
        trusted: bool,
    },
    /// Children of a parent with MAC addresses of their own.
    Macvlan {
        /// The parent; none is a wire of its own that leads nowhere.
        parent: Option<String>,
        /// `macvlan_mode`.
        mode: String,
        /// Where the mode is written.
        span: Option<Span>,
    },
    /// Children of a parent with its MAC address.
    Ipvlan {
        /// The parent; none is a wire of its own that leads nowhere.
        parent: Option<String>,
        /// `ipvlan_mode`.
        mode: String,
        /// `ipvlan_flag`.
        flag: String,
    },
    /// VXLAN between nodes.
    Overlay,
    /// The host's own stack, joined as a network.
    Host,
    /// Nothing, joined as a network.
    Null,
    /// Not known from the file: an external network, or a plugin's driver.
    Unknown(String),
}

impl Wire {
    /// As people know it: the key, else the Engine's name.
    pub fn label(&self) -> &str {
        match &self.key {
            Some(key) => key.as_str(),
            None if self.name == DEFAULT_BRIDGE => "the default bridge",
            None => &self.name,
        }
    }

    /// Whether its members hang on a parent of the host, beside the host's own stack.
    pub fn is_child_of_parent(&self) -> bool {
        matches!(self.kind, Kind::Macvlan { .. } | Kind::Ipvlan { .. })
    }

    /// The parent link, where it has one.
    pub fn parent(&self) -> Option<&str> {
        match &self.kind {
            Kind::Macvlan { parent, .. } | Kind::Ipvlan { parent, .. } => parent.as_deref(),
            _ => None,
        }
    }

    /// The card that its frames go by, and the tags that they have there; none are untagged.
    pub fn card(&self) -> Option<(&str, Option<String>)> {
        if let Some((card, tags)) = &self.vlan {
            return Some((card, Some(tags.clone())));
        }
        let parent = self.parent()?;
        let tagged = parent.split_once('.').filter(|(_, id)| id.parse::<u16>().is_ok());
        Some(tagged.map_or((parent, None), |(card, id)| (card, Some(format!("VLAN {id}")))))
    }
}

impl Topology {
    /// What the file says.
    pub fn of(project: &Project) -> Self {
        let mut wires: IndexMap<String, Wire> = IndexMap::new();
        for service in project.services.values() {
            for (name, wire) in service_wires(project, service) {
                wires.entry(name).or_insert(wire);
            }
        }
        let place = |s: &Service| {
            let (namespace, span) = namespace(project, &wires, s);
            let own = matches!(&namespace, Namespace::Own(owner) if *owner == s.name);
            let ends = if own { ends(project, s) } else { vec![] };
            Place { namespace, ends, span, scale: s.scale.value }
        };
        let places = project.services.values().map(|s| (s.name.clone(), place(s))).collect();
        Self { places, wires }
    }

    /// Fills in what only the Engine knows: drivers and options of external networks.
    pub fn with_networks(mut self, observed: &[ObservedNetwork]) -> Self {
        for wire in self.wires.values_mut().filter(|w| matches!(w.kind, Kind::Unknown(_))) {
            let Some(found) = observed.iter().find(|n| n.name == wire.name) else { continue };
            let option = |key: &str| found.options.get(key).cloned();
            wire.internal = found.internal;
            wire.kind = kind(&found.driver, &|key| option(key).map(|value| (value, wire.span)));
        }
        self
    }

    /// The place that gives a service its network: its own, or its namespace's owner's.
    pub fn home(&self, service: &ServiceName) -> Option<&Place> {
        let place = self.places.get(service)?;
        match &place.namespace {
            Namespace::Own(owner) if owner != service => self.places.get(owner),
            _ => Some(place),
        }
    }

    /// A service's ends with their wires; those of the namespace's owner where it shares one.
    pub fn ends(&self, service: &ServiceName) -> Vec<(&End, &Wire)> {
        let ends = self.home(service).map(|p| p.ends.as_slice()).unwrap_or_default();
        ends.iter().filter_map(|e| self.wires.get(&e.wire).map(|w| (e, w))).collect()
    }
}

/// The wires that one service names.
fn service_wires(project: &Project, service: &Service) -> Vec<(String, Wire)> {
    let bare = |name: &str, kind, span| Wire {
        name: name.to_owned(),
        key: None,
        kind,
        internal: false,
        ipv4: true,
        ipv6: false,
        routed: vec![],
        hairpin: false,
        vlan: None,
        host_access: None,
        span,
    };
    match service.network_mode.as_ref().map(|m| (&m.value, m.span)) {
        None => {
            let networks = service.networks.keys().filter_map(|key| project.networks.get(key));
            networks.map(|n| (n.name.clone(), of_network(n))).collect()
        }
        Some((NetworkMode::Bridge, span)) => {
            vec![(DEFAULT_BRIDGE.to_owned(), bare(DEFAULT_BRIDGE, plain_bridge(), Some(span)))]
        }
        Some((NetworkMode::Other(name), span)) => match project.networks.values().find(|n| n.name == *name) {
            Some(network) => vec![(name.clone(), of_network(network))],
            None => vec![(name.clone(), bare(name, Kind::Unknown("not in the file".to_owned()), Some(span)))],
        },
        Some(_) => vec![],
    }
}

/// A network of the file as a wire.
fn of_network(network: &Network) -> Wire {
    let option = |key: &str| network.driver_opts.get(key).map(|o| (o.value.clone(), Some(o.span)));
    let kind = match network.name.as_str() {
        DEFAULT_BRIDGE if network.external => plain_bridge(),
        "host" if network.external => Kind::Host,
        "none" if network.external => Kind::Null,
        _ if network.external => Kind::Unknown("external".to_owned()),
        _ => kind(network.driver_name(), &option),
    };
    Wire {
        name: network.name.clone(),
        key: Some(network.key.clone()),
        kind,
        internal: network.internal,
        ipv4: network.enable_ipv4 != Some(false),
        ipv6: network.enable_ipv6 == Some(true) && !network.external,
        routed: network.trunk.routed.clone(),
        hairpin: network.trunk.hairpin,
        vlan: network.trunk.vlan.as_ref().map(|vlan| (network.trunk.parent.clone(), vlan.to_string())),
        host_access: network.trunk.host_access,
        span: network.span,
    }
}

fn plain_bridge() -> Kind {
    Kind::Bridge { icc: true, icc_span: None, gateway_mode: None, trusted: false }
}

/// A driver's kind, with the options that decide who reaches whom.
fn kind(driver: &str, option: &impl Fn(&str) -> Option<(String, Option<Span>)>) -> Kind {
    let text = |key: &str| option(key).map(|(value, _)| value).filter(|v| !v.is_empty());
    match driver {
        "bridge" => Kind::Bridge {
            icc: !text(ICC).is_some_and(|v| matches!(v.as_str(), "false" | "False" | "FALSE" | "f" | "F" | "0")),
            icc_span: option(ICC).and_then(|(_, span)| span),
            gateway_mode: text("com.docker.network.bridge.gateway_mode_ipv4").filter(|mode| mode != "nat"),
            trusted: text("com.docker.network.bridge.trusted_host_interfaces").is_some(),
        },
        "macvlan" => Kind::Macvlan {
            parent: text("parent"),
            mode: text("macvlan_mode").unwrap_or_else(|| "bridge".to_owned()),
            span: option("macvlan_mode").and_then(|(_, span)| span),
        },
        "ipvlan" => Kind::Ipvlan {
            parent: text("parent"),
            mode: text("ipvlan_mode").unwrap_or_else(|| "l2".to_owned()),
            flag: text("ipvlan_flag").unwrap_or_else(|| "bridge".to_owned()),
        },
        "overlay" => Kind::Overlay,
        "host" => Kind::Host,
        "null" | "none" => Kind::Null,
        other => Kind::Unknown(format!("driver {other}")),
    }
}

/// Whose namespace a service lives in, and where the file says so. Circles were refused by the loader; they end here too.
fn namespace(project: &Project, wires: &IndexMap<String, Wire>, service: &Service) -> (Namespace, Span) {
    let span = service.network_mode.as_ref().map_or(service.span, |m: &Spanned<NetworkMode>| m.span);
    let mut at = service;
    for _ in 0..=project.services.len() {
        let found = match at.network_mode.as_ref().map(|m| &m.value) {
            Some(NetworkMode::Service(owner)) => match project.services.get(owner) {
                Some(next) => {
                    at = next;
                    continue;
                }
                None => Namespace::Own(owner.clone()),
            },
            Some(NetworkMode::Host) => Namespace::Host,
            Some(NetworkMode::None) => Namespace::Nothing(at.name.clone()),
            Some(NetworkMode::Container(name)) => Namespace::Foreign(name.clone()),
            Some(NetworkMode::Bridge | NetworkMode::Other(_)) | None => joined(wires, project, at),
        };
        return (found, span);
    }
    (Namespace::Own(service.name.clone()), span)
}

/// The namespace of a service that joins networks: the pseudo networks `host` and `none` may be among them.
fn joined(wires: &IndexMap<String, Wire>, project: &Project, service: &Service) -> Namespace {
    let names = ends(project, service);
    let kind =
        names.iter().find_map(|e| wires.get(&e.wire).map(|w| &w.kind).filter(|k| matches!(k, Kind::Host | Kind::Null)));
    match kind {
        Some(Kind::Host) => Namespace::Host,
        Some(_) => Namespace::Nothing(service.name.clone()),
        None => Namespace::Own(service.name.clone()),
    }
}

/// A service's own ends.
fn ends(project: &Project, service: &Service) -> Vec<End> {
    match service.network_mode.as_ref().map(|m| (&m.value, m.span)) {
        None => {
            let named = service.networks.iter().filter_map(|(key, e)| project.networks.get(key).map(|n| (n, e)));
            named.map(|(n, e)| End { wire: n.name.clone(), span: e.span.unwrap_or(service.span) }).collect()
        }
        Some((NetworkMode::Bridge, span)) => vec![End { wire: DEFAULT_BRIDGE.to_owned(), span }],
        Some((NetworkMode::Other(name), span)) => vec![End { wire: name.clone(), span }],
        Some(_) => vec![],
    }
}

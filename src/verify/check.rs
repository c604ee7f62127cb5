//! A check: one thing that the file promises, and the verdict on it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::facet::Facet;
use super::rule::Rule;
use crate::compose::model::{Port, VlanLink};
use crate::name::{Mac, Protocol, Replica, ServiceName};
use crate::probe::Family;
use crate::source::Span;

/// One promise of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Stable from run to run: `reach/bot->db:5432/tcp`.
    pub id: String,
    /// The service it is about; none is the stack as a whole.
    pub service: Option<ServiceName>,
    /// The promise as half a sentence: `bot does not reach db`.
    pub says: String,
    /// What makes it a promise.
    pub basis: Basis,
    /// Where the file makes it.
    pub span: Option<Span>,
    /// What is expected.
    pub expectation: Expectation,
}

/// What makes a check a promise.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// A rule of the matrix, with what it found in the file.
    Rule(Rule, String),
    /// An attribute of the file, by its path.
    Attribute(String),
    /// A rule of `x-verify`, by its text.
    Declared(String),
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(rule, why) => write!(f, "{rule}: {why}"),
            Self::Attribute(path) => f.write_str(path),
            Self::Declared(text) => write!(f, "x-verify: {text}"),
        }
    }
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// The container runs.
    Running(Replica),
    /// The container has ended with 0, or still runs towards that.
    Completed(Replica),
    /// Its health check passes.
    Healthy(Replica),
    /// The container is made as the file says, in this part.
    Has {
        /// Whose.
        replica: Replica,
        /// Which part.
        facet: Facet,
    },
    /// The link that hangs on `wire` has the address that the Engine tells, with its prefix length.
    Address {
        /// Whose.
        replica: Replica,
        /// The wire.
        wire: String,
        /// Addresses that the file gives.
        fixed: Vec<IpAddr>,
        /// Where the file says that others come from; empty: the Engine chooses.
        pools: Vec<AddressPool>,
    },
    /// The link that hangs on `wire` has this MAC address, or one by the rules of the Engine's version.
    Mac {
        /// Whose.
        replica: Replica,
        /// The wire.
        wire: String,
        /// The one that the file gives.
        fixed: Option<Mac>,
    },
    /// The default route leads to the gateway of one of these wires; none: there is no default route.
    DefaultRoute {
        /// Whose.
        replica: Replica,
        /// IPv4 or IPv6: each has a table of its own.
        family: Family,
        /// The wires that may give it.
        wires: Vec<String>,
    },
    /// The link that hangs on `wire` is a child of the host's link `parent`.
    Parent {
        /// Whose.
        replica: Replica,
        /// The wire.
        wire: String,
        /// The host's link.
        parent: String,
        /// `macvlan` or `ipvlan`.
        kind: &'static str,
        /// Its mode.
        mode: String,
        /// The VLAN links that `parent` is to be made of, the outer one first; empty where its name says all.
        links: Vec<VlanLink>,
    },
    /// The link that hangs on `wire` carries packets of so many bytes.
    Mtu {
        /// Whose.
        replica: Replica,
        /// The wire.
        wire: String,
        /// The bytes.
        bytes: u32,
    },
    /// The host's link takes frames that are not for it; or nobody has set it to.
    Promiscuous {
        /// The host's link.
        parent: String,
        /// Whether it does.
        on: bool,
    },
    /// The other end of the link that hangs on `wire` is a port of the host's bridge.
    BridgePort {
        /// Whose.
        replica: Replica,
        /// The wire.
        wire: String,
        /// The bridge's name; none: `br-` and the network's short id.
        bridge: Option<String>,
    },
    /// Nothing but lo is up.
    OnlyLoopback(Replica),
    /// The namespace is the host's.
    HostNamespace(Replica),
    /// The namespace is that of another container.
    SharedNamespace {
        /// Who shares it.
        replica: Replica,
        /// Whose it is.
        owner: Container,
    },
    /// /etc/hosts has the line of a legacy link: `ADDRESS ALIAS SHORTID NAME`, with the target's current address.
    LinkLine {
        /// Whose file.
        replica: Replica,
        /// Whom the link leads to, one of these.
        targets: Vec<Container>,
        /// The alias.
        alias: String,
    },
    /// /etc/hosts does not know a name.
    NoLinkLine {
        /// Whose file.
        replica: Replica,
        /// The name.
        alias: String,
    },
    /// /etc/hosts has a line of `extra_hosts`.
    ExtraHost {
        /// Whose file.
        replica: Replica,
        /// The name.
        name: String,
        /// The address, or `host-gateway`.
        address: String,
    },
    /// /etc/hosts has a line of `x-verify.hosts`.
    HostsText {
        /// Whose file.
        replica: Replica,
        /// The line with `{service}` and `{service.id}` in it.
        line: String,
    },
    /// A name means the containers of one of `meanings`, all of them and no other.
    Name {
        /// Who asks.
        asker: ServiceName,
        /// The name.
        name: String,
        /// What it may mean.
        meanings: Vec<Meaning>,
        /// Whether DNS alone counts, or /etc/hosts first, as in the container.
        by: NameSource,
    },
    /// A name does not lead to these services.
    NoName {
        /// Who asks.
        asker: ServiceName,
        /// The name.
        name: String,
        /// Who must not be found by it; empty: it must not resolve at all.
        owners: Vec<Owner>,
        /// Whether DNS alone counts, or /etc/hosts first, as in the container.
        by: NameSource,
    },
    /// A published port answers on every address that it is published at.
    Published {
        /// Who answers.
        service: ServiceName,
        /// The port.
        port: Port,
        /// From where.
        from: Side,
    },
    /// A port published at a loopback address does not answer from outside.
    NotPublished {
        /// Who must not answer.
        service: ServiceName,
        /// The port.
        port: Port,
    },
    /// The application listens where others can reach it.
    Listens {
        /// Who.
        replica: Replica,
        /// The port.
        port: u16,
        /// The protocol.
        protocol: Protocol,
    },
    /// One spot reaches another.
    Reaches(Path),
    /// One spot does not reach another.
    Isolated(Path),
    /// The matrix leaves it open, and `matrix: strict` does not.
    Undeclared {
        /// Why it is open.
        why: String,
    },
}

/// Which side of the host's own stack a published port is asked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The host itself: firewall rules for local packets, and docker-proxy.
    Host,
    /// A machine beside it: forwarding and address translation.
    Outside,
}

/// What a name lookup takes into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// DNS alone.
    Dns,
    /// /etc/hosts, and DNS where it is silent.
    HostsThenDns,
}

/// What a name may mean: all containers of these services, at their addresses on these wires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The wires; empty: whichever.
    pub wires: Vec<String>,
    /// Whose.
    pub owners: Vec<Owner>,
}

/// Whose address a name may give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// All containers of a service.
    Service(ServiceName),
    /// One container of a service: a link's alias leads to one, whichever the Engine took.
    OneOf(ServiceName),
    /// A container outside the project, by its name or id.
    Named(String),
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) | Self::OneOf(name) => f.pad(name.as_str()),
            Self::Named(name) => f.pad(name),
        }
    }
}

/// A pool that an address may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPool {
    /// The subnet.
    pub subnet: IpNet,
    /// `ip_range`, where addresses that nobody asks for come from.
    pub range: Option<IpNet>,
}

/// A container of the project, or another by its name or id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Container {
    /// Of the project.
    Replica(Replica),
    /// Another.
    Named(String),
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Replica(replica) => write!(f, "{replica}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// From where to where, and how it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// From where.
    pub from: Spot,
    /// To where.
    pub to: Spot,
    /// How.
    pub how: How,
    /// The wires whose addresses are asked, each of which must hold. Empty: any that the target has.
    pub via: Vec<String>,
    /// The family of the addresses that are asked; none: all that there are (rule R9).
    pub family: Option<Family>,
}

/// An end of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Spot {
    /// All containers of a service, or the one of this number.
    Service(ServiceName, Option<u32>),
    /// The Engine's host.
    Host,
    /// A machine beside the host.
    Outside,
    /// Beyond the host's own networks.
    Internet,
    /// An address.
    Address(IpAddr),
    /// Whoever is known to live in a range.
    Range(IpNet),
    /// A name, as the asking container resolves it.
    Name(String),
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name, None) => write!(f, "{name}"),
            Self::Service(name, Some(number)) => write!(f, "{name}#{number}"),
            Self::Host => f.write_str("host"),
            Self::Outside => f.write_str("outside"),
            Self::Internet => f.write_str("internet"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Range(range) => write!(f, "{range}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// How a path is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// TCP and UDP to a listener of ours, and ICMP: the network, whatever the application does.
    Network,
    /// A port of the application.
    Port(u16, Protocol),
    /// ARP.
    Arp,
    /// ICMP echo.
    Icmp,
    /// HTTP.
    Http {
        /// The port.
        port: u16,
        /// Path and query.
        path: String,
        /// The status that must come; any below 400 where none is given.
        status: Option<u16>,
        /// What the body must hold.
        text: Option<String>,
    },
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It holds; the lines say what was seen.
    Proved(Evidence),
    /// It does not hold.
    Refuted {
        /// What should have been seen.
        expected: String,
        /// What was.
        found: String,
        /// What else was seen that tells why, and the way out.
        evidence: Evidence,
        /// The way out, where one is known.
        help: Option<String>,
    },
    /// It could not be told. Not a pass.
    Unproved(Why),
}

/// What was seen, in short lines.
pub type Evidence = Vec<String>;

/// Why a check could not be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The container that would have to be looked into does not run.
    NotRunning(String),
    /// The probe could not look.
    NotSeen(String),
    /// It is blocked, and nothing shows that the target lives: the silence may have another reason.
    NoControl(String),
    /// What came back does not tell.
    Inconclusive(String),
    /// The file leaves it open.
    Undeclared(String),
}

impl Why {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::NotRunning(text)
            | Self::NotSeen(text)
            | Self::NoControl(text)
            | Self::Inconclusive(text)
            | Self::Undeclared(text) => text,
        }
    }
}

impl Verdict {
    /// A refutation without further evidence.
    pub fn refuted(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Refuted { expected: expected.into(), found: found.into(), evidence: vec![], help: None }
    }

    /// Adds what else was seen.
    pub fn seen(mut self, line: impl Into<String>) -> Self {
        if let Self::Refuted { evidence, .. } | Self::Proved(evidence) = &mut self {
            evidence.push(line.into());
        }
        self
    }

    /// Offers the way out of a refutation.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        if let Self::Refuted { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// Whether it is proved.
    pub fn is_proved(&self) -> bool {
        matches!(self, Self::Proved(_))
    }
}

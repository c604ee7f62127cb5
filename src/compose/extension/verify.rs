//! `x-verify`: what must reach what, what must not, what names mean (reference `network.md` part 5).

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::name::{NetworkKey, Protocol, ServiceName};
use crate::source::{Span, Spanned};

/// All of `x-verify`, the rules under services included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// `matrix`: whether the matrix that follows from the file is proved as well.
    pub matrix: Matrix,
    /// `timeout`: how long an expected reach may take to come true.
    pub timeout: Option<Duration>,
    /// `allow`.
    pub allow: Vec<Spanned<Rule>>,
    /// `deny`.
    pub deny: Vec<Spanned<Rule>>,
    /// `names`: seen from a service, this name means these services.
    pub names: Vec<NameRule>,
    /// `hosts`: lines that a service's /etc/hosts must hold.
    pub hosts: Vec<HostsRule>,
    /// `jobs`: services that end with 0 and stay so.
    pub jobs: Vec<Spanned<ServiceName>>,
}

/// `matrix`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matrix {
    /// Prove what can be computed.
    #[default]
    Auto,
    /// And fail where something is undecided.
    Strict,
    /// Only the rules that are written.
    Off,
}

/// `source -> target`; `<->` is read as two rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The rule's text, for messages and ids.
    pub text: String,
    /// From where.
    pub source: Source,
    /// To where.
    pub target: Target,
    /// How it is asked.
    pub probe: RuleProbe,
    /// `via NETWORK`.
    pub via: Option<NetworkKey>,
}

/// Where a rule starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Every container of a service, or one: `web#2`.
    Service(ServiceName, Option<u32>),
    /// Every service on a network: `@net`.
    Network(NetworkKey),
    /// The Engine's host.
    Host,
    /// A machine beside the host.
    Outside,
    /// Every service: `*`.
    Every,
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Every container of a service, or one: `web#2`.
    Service(ServiceName, Option<u32>),
    /// Every service on a network.
    Network(NetworkKey),
    /// The Engine's host.
    Host,
    /// Somewhere beyond the host's own networks.
    Internet,
    /// An address.
    Address(IpAddr),
    /// A range of addresses.
    Cidr(IpNet),
    /// The host part of an `http://` rule, resolved in the source's namespace.
    Name(String),
}

/// How a rule is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleProbe {
    /// No port: ICMP and the probe's own listener.
    Any,
    /// A port.
    Port(u16, Protocol),
    /// `arp`: layer 2.
    Arp,
    /// `icmp`.
    Icmp,
    /// `http://host[:port]/path [= status] [~ text]`.
    Http {
        /// The port, 80 where none is written.
        port: u16,
        /// The path and query, `/` where none is written.
        path: String,
        /// The status that must come; any below 400 where none is written.
        status: Option<u16>,
        /// The text that must be in the body.
        text: Option<String>,
    },
}

/// `names: {from: {name: target}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct NameRule {
    /// The service that asks.
    pub from: ServiceName,
    /// The name it asks for.
    pub name: String,
    /// The services it must mean; none: it must not resolve.
    pub means: Vec<ServiceName>,
    /// Where it is written.
    pub span: Span,
}

/// `hosts: {from: [line]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct HostsRule {
    /// The service whose file is read.
    pub from: ServiceName,
    /// The line; `{svc}` stands for a service's address, `{svc.id}` for its short id.
    pub line: String,
    /// Where it is written.
    pub span: Span,
}

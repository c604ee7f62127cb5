//! What the probe can be asked, and the line that carries it.
//!
//! Shared with the static program. A question is one line: its name, then its fields in order, separated by a blank; durations in
//! microseconds, `-` for nothing, text with `%XX` for whatever could be mistaken.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

words! {
    /// A family of addresses.
    Family {
        /// IPv4: `A` records.
        V4 = "v4",
        /// IPv6: `AAAA` records.
        V6 = "v6",
    }
}

words! {
    /// Where a listener may be reached from.
    Scope {
        /// Only from its own namespace.
        Loopback = "loopback",
        /// From everywhere. In a host's namespace only where the run's options permit it.
        Any = "any",
    }
}

words! {
    /// A kind of link that an Engine's driver makes.
    LinkKind {
        /// A child of its parent, with a MAC of its own.
        Macvlan = "macvlan",
        /// A child of its parent, with its parent's MAC.
        Ipvlan = "ipvlan",
        /// A VLAN of its parent.
        Vlan = "vlan",
    }
}

/// A line is no question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAQuestion(pub String);

impl fmt::Display for NotAQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a question: {}", self.0)
    }
}
impl std::error::Error for NotAQuestion {}

/// A field of a question's line.
trait Field: Sized {
    fn put(&self, out: &mut String);
    fn take(text: &str) -> Option<Self>;
}

/// A field as it stands in a line.
fn written(field: &impl Field) -> String {
    let mut out = String::new();
    field.put(&mut out);
    out
}

/// Fields that print and parse without blanks.
macro_rules! parsed {
    ($($kind:ty),*) => {$(
        impl Field for $kind {
            fn put(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
            fn take(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}
parsed!(bool, u8, u16, u32, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, Family, LinkKind, Scope);

impl Field for Duration {
    fn put(&self, out: &mut String) {
        out.push_str(&self.as_micros().to_string());
    }
    fn take(text: &str) -> Option<Self> {
        text.parse().ok().map(Duration::from_micros)
    }
}

impl Field for String {
    /// An empty text is a lone `%`, so that every field has a place between two blanks.
    fn put(&self, out: &mut String) {
        if self.is_empty() {
            out.push('%');
        }
        for &byte in self.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"._:/=?&~+,@[]".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02x}"));
            }
        }
    }
    fn take(text: &str) -> Option<Self> {
        if text == "%" {
            return Some(String::new());
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            if first == b'%' {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            } else {
                bytes.push(first);
                rest = after;
            }
        }
        String::from_utf8(bytes).ok()
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut String) {
        match self {
            Some(value) => value.put(out),
            None => out.push('-'),
        }
    }
    fn take(text: &str) -> Option<Self> {
        if text == "-" { Some(None) } else { T::take(text).map(Some) }
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut String) {
        if self.is_empty() {
            out.push('-');
        }
        for (place, item) in self.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            item.put(out);
        }
    }
    fn take(text: &str) -> Option<Self> {
        if text == "-" { Some(Vec::new()) } else { text.split(',').map(T::take).collect() }
    }
}

/// The questions, each with its line.
macro_rules! questions {
    ($(#[$about:meta])* $name:ident { $(
        $(#[$kind_about:meta])* $kind:ident = $text:literal
        { $($(#[$field_about:meta])* $field:ident: $type:ty,)* },
    )* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(not(probe_program), derive(serde::Serialize))]
        #[cfg_attr(not(probe_program), serde(rename_all = "kebab-case"))]
        pub enum $name { $(
            $(#[$kind_about])*
            $kind { $($(#[$field_about])* $field: $type,)* },
        )* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(
                    Self::$kind { $($field,)* } => {
                        let fields: &[String] = &[$( written($field) ),*];
                        f.write_str($text)?;
                        fields.iter().try_for_each(|field| write!(f, " {field}"))
                    }
                )* }
            }
        }

        impl FromStr for $name {
            type Err = NotAQuestion;
            fn from_str(line: &str) -> Result<Self, NotAQuestion> {
                let mut parts = line.split(' ');
                let question = match parts.next() {
                    $( Some($text) => Self::$kind { $(
                        $field: parts.next().and_then(Field::take)
                            .ok_or_else(|| NotAQuestion(format!("{}: {}", $text, stringify!($field))))?,
                    )* }, )*
                    other => return Err(NotAQuestion(other.unwrap_or_default().to_owned())),
                };
                match parts.next() {
                    None => Ok(question),
                    Some(_) => Err(NotAQuestion(format!("more than {question}"))),
                }
            }
        }
    };
}

questions! {
    /// A question to one network namespace.
    ///
    /// `within` is the time for all `tries` together. A try that is answered, in whatever way, is the last; silence, and an
    /// address that cannot be reached, are tried again.
    Question {
        /// Which namespace this is. Answered by `Answer::Namespace`.
        Namespace = "namespace" {},
        /// Every link. Answered by `Answer::Links`.
        Links = "links" {},
        /// Every address. Answered by `Answer::Addresses`.
        Addresses = "addresses" {},
        /// Every route, those to own addresses left out. Answered by `Answer::Routes`.
        Routes = "routes" {},
        /// The route that a packet to `to` would take; nothing is sent. Answered by `Answer::Route`.
        RouteTo = "route-to" {
            /// The destination.
            to: IpAddr,
        },
        /// Every neighbour. Answered by `Answer::Neighbours`.
        Neighbours = "neighbours" {},
        /// Forgets the neighbours with these addresses, as far as the kernel found them itself. Takes `CAP_NET_ADMIN`. Answered by
        /// `Answer::Forgotten`.
        Forget = "forget" {
            /// Their addresses.
            addresses: Vec<IpAddr>,
        },
        /// Every TCP socket that listens, every UDP socket that is bound. Answered by `Answer::Sockets`.
        Sockets = "sockets" {
            /// Whether their processes are looked for, too: needs root in the host's process namespace.
            owners: bool,
        },
        /// Every process of this name that can be seen. Answered by `Answer::Processes`.
        Processes = "processes" {
            /// Its `comm`, at most 15 bytes.
            name: String,
        },
        /// What the container's first process is confined to: its user, its mounts, the limits of its cgroup. Only on the direct way: a
        /// sidecar does not see it. Answered by `Answer::Confines`.
        Confines = "confines" {},
        /// The lines of /etc/hosts. Answered by `Answer::Hosts`.
        Hosts = "hosts" {},
        /// What /etc/resolv.conf says. Answered by `Answer::Resolver`.
        Resolver = "resolver" {},
        /// Whether the kernel can make links of a kind; it loads a module if it has one, and makes none. Takes `CAP_NET_ADMIN`.
        /// Answered by `Answer::Known`.
        Kind = "kind" {
            /// Which.
            kind: LinkKind,
        },
        /// The chains that the kernel's firewall begins with, of nf_tables; those of iptables too, where that is nf_tables. Takes
        /// `CAP_NET_ADMIN`. Answered by `Answer::Chains`.
        Chains = "chains" {},
        /// What the machine says that it is. Answered by `Answer::Machine`.
        Machine = "machine" {},
        /// Makes a macvlan child of a link of this namespace, in mode `bridge`, with an address of its own and routes to its neighbours. One of
        /// that name that was made for the same is taken away first; anybody else's is left, and the answer is a failure. Takes
        /// `CAP_NET_ADMIN`. Answered by `Answer::Done`.
        MakeShim = "make-shim" {
            /// Its name.
            name: String,
            /// What it is for, which stays written on it (`IFLA_IFALIAS`).
            label: String,
            /// The link that it is a child of.
            parent: String,
            /// Its address, alone on it.
            address: IpAddr,
            /// What is reached by it, `ADDRESS/LENGTH`.
            routes: Vec<String>,
        },
        /// Takes away a link that `MakeShim` made for this label; one that is gone is well. Takes `CAP_NET_ADMIN`. Answered by
        /// `Answer::Done`.
        RemoveShim = "remove-shim" {
            /// Its name.
            name: String,
            /// What it is for.
            label: String,
        },
        /// Makes a VLAN link of a link of this namespace and sets it up. It gets its name last of all, so that one of that name is whole; one of
        /// the draft's name is what was left of an earlier try, and goes. One that is there and was made for the same is made anew; anybody
        /// else's is left, and the answer is a failure. Takes `CAP_NET_ADMIN`. Answered by `Answer::Done`.
        MakeVlan = "make-vlan" {
            /// Its name.
            name: String,
            /// What it is called until it is whole.
            draft: String,
            /// What it is for, which stays written on it (`IFLA_IFALIAS`).
            label: String,
            /// The link that it is on.
            parent: String,
            /// The id of its tag, 1 to 4094.
            id: u16,
            /// The EtherType of its tag.
            protocol: u16,
            /// How many bytes a packet has at most; none: as many as its parent's.
            mtu: Option<u32>,
        },
        /// Takes away a link that `MakeVlan` made for this label, or a draft, which has none; one that is gone is well, one that others stand on
        /// is left. Takes `CAP_NET_ADMIN`. Answered by `Answer::Done`.
        RemoveVlan = "remove-vlan" {
            /// Its name.
            name: String,
            /// What it is for.
            label: String,
        },
        /// A kernel setting under /proc/sys. Answered by `Answer::Sysctl`.
        Sysctl = "sysctl" {
            /// Its name with dots, `net.ipv4.ip_forward`; a dot within a part is written `/`.
            name: String,
        },
        /// The addresses of a name, asked of the resolver's servers by packets of our own; the name is taken as absolute.
        /// Answered by `Answer::Lookup`.
        Lookup = "lookup" {
            /// The name.
            name: String,
            /// A or AAAA.
            family: Family,
            /// The server; none: those of /etc/resolv.conf, in order, as a resolver would.
            server: Option<IpAddr>,
            /// For one server.
            within: Duration,
            /// For one server.
            tries: u8,
        },
        /// A TCP connection. Answered by `Answer::Attempt`.
        Connect = "connect" {
            /// The address and port.
            to: SocketAddr,
            /// The link it must leave by; needed for link-local addresses.
            device: Option<String>,
            /// Whether the other side is a listener of ours, whose greeting is awaited.
            greeting: bool,
            /// For all tries.
            within: Duration,
            /// At most.
            tries: u8,
        },
        /// A UDP packet with a nonce, which a listener of ours sends back. Answered by `Answer::Attempt`.
        Datagram = "datagram" {
            /// The address and port.
            to: SocketAddr,
            /// The link it must leave by; needed for link-local addresses.
            device: Option<String>,
            /// What is sent in place of the nonce, to a service that is not ours; any packet back is an answer.
            payload: Option<String>,
            /// For all tries.
            within: Duration,
            /// At most.
            tries: u8,
        },
        /// An ICMP echo. Answered by `Answer::Attempt`.
        Echo = "echo" {
            /// The address.
            to: IpAddr,
            /// The link it must leave by; needed for link-local addresses.
            device: Option<String>,
            /// For all tries.
            within: Duration,
            /// At most.
            tries: u8,
        },
        /// Who has this address on the link: ARP or neighbour discovery. Needs `NET_RAW`. Answered by `Answer::Heard`.
        Solicit = "solicit" {
            /// The address that is looked for.
            target: IpAddr,
            /// The link; none: the one that has `target` itself, or else that the route to it takes.
            device: Option<String>,
            /// The sender's protocol address: `0.0.0.0` asks as duplicate address detection does (IPv4 only); none: the link's own.
            sender: Option<Ipv4Addr>,
            /// For all tries; the whole of it is waited when nothing answers.
            within: Duration,
            /// At most.
            tries: u8,
        },
        /// An HTTP/1.1 GET without encryption. Answered by `Answer::Http`.
        Http = "http" {
            /// The `Host` and, without `to`, the name that is resolved as the container does: /etc/hosts, then DNS.
            host: String,
            /// The port.
            port: u16,
            /// The address to ask in place of the name's.
            to: Option<IpAddr>,
            /// Path and query.
            path: String,
            /// For all of it.
            within: Duration,
        },
        /// Listens by TCP and UDP until the program ends, and says who it is. Answered, once it listens, by `Answer::Listening`.
        Listen = "listen" {
            /// The port; 0: one that is free for both.
            port: u16,
            /// Where it may be reached from.
            scope: Scope,
            /// What it answers with, at most 64 printable bytes.
            label: String,
        },
        /// Hears the UDP packets to a port that an application has, until the program ends, and answers a nonce in its place;
        /// the application gets them all the same. IPv4. Needs `NET_RAW`. Answered, once it hears, by `Answer::Listening`.
        Overhear = "overhear" {
            /// The application's port.
            port: u16,
            /// What it answers with, at most 64 printable bytes.
            label: String,
        },
    }
}

#[cfg(not(probe_program))]
impl Question {
    /// Whether it takes `CAP_NET_RAW` to ask it.
    pub fn needs_net_raw(&self) -> bool {
        matches!(self, Self::Solicit { .. } | Self::Overhear { .. })
    }

    /// The address that packets are sent to.
    pub fn target(&self) -> Option<IpAddr> {
        match self {
            Self::Connect { to, .. } | Self::Datagram { to, .. } => Some(to.ip()),
            Self::Echo { to, .. } => Some(*to),
            Self::Http { to, .. } => *to,
            _ => None,
        }
    }

    /// The longest time that it may take.
    pub fn longest(&self) -> Duration {
        match self {
            // three servers, each by itself
            Self::Lookup { within, .. } => *within * 3,
            Self::Connect { within, .. }
            | Self::Datagram { within, .. }
            | Self::Echo { within, .. }
            | Self::Solicit { within, .. }
            | Self::Http { within, .. } => *within,
            _ => Duration::ZERO,
        }
    }
}

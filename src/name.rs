//! Names that parse: what is one of these has been checked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str { &self.0 }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool { self.0 == other }
        }
        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool { self.0 == *other }
        }
    };
}

/// A text is not what its type asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadName(pub String);

text_newtype! {
    /// A project's name: `[a-z0-9][a-z0-9_-]*`.
    ProjectName
}
text_newtype! {
    /// A service's key in the file: `[a-zA-Z0-9._-]+`.
    ServiceName
}
text_newtype! {
    /// A network's key in the file (not its name in the Engine).
    NetworkKey
}
text_newtype! {
    /// A volume's key in the file (not its name in the Engine).
    VolumeKey
}
text_newtype! {
    /// A host's key in the file (`x-hosts`).
    HostName
}
text_newtype! {
    /// A container's id: 64 hexadecimal digits as the Engine gives it.
    ContainerId
}
text_newtype! {
    /// A network's id as the Engine gives it.
    NetworkId
}

impl FromStr for ProjectName {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        let first = s.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if first && rest {
            return Ok(Self(s.to_owned()));
        }
        Err(BadName(format!(
            "`{s}` cannot be a project name: lowercase letters, digits, `-` and `_`, with a letter or digit first"
        )))
    }
}

impl ProjectName {
    /// The name that Compose makes of a directory's: lowercased, other characters dropped, leading `-` and `_` trimmed.
    /// None where nothing is left.
    pub fn from_directory(name: &str) -> Option<Self> {
        let kept: String = name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
            .collect();
        kept.trim_start_matches(['-', '_']).parse().ok()
    }
}

impl FromStr for ServiceName {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        resource_key(s, "a service").map(Self)
    }
}
impl FromStr for NetworkKey {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        resource_key(s, "a network").map(Self)
    }
}
impl FromStr for HostName {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        resource_key(s, "a host").map(Self)
    }
}
impl FromStr for VolumeKey {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        resource_key(s, "a volume").map(Self)
    }
}

/// The pattern of the Compose schema for keys of services, networks, volumes, configs and secrets.
fn resource_key(s: &str, what: &str) -> Result<String, BadName> {
    let good = !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if good {
        Ok(s.to_owned())
    } else {
        Err(BadName(format!("`{s}` cannot name {what}: letters, digits, `.`, `_` and `-`")))
    }
}

impl ContainerId {
    /// An id that the Engine gave.
    pub fn from_engine(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The first 12 digits, as people see it.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl NetworkId {
    /// An id that the Engine gave.
    pub fn from_engine(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The first 12 digits, as people see it, and as the Engine names a bridge after it.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// One container of a service: `web.1`. Numbers start at 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Replica {
    /// The service.
    pub service: ServiceName,
    /// Its number, from 1.
    pub number: u32,
}

impl Replica {
    /// The `number`th container of `service`.
    pub fn new(service: ServiceName, number: u32) -> Self {
        Self { service, number }
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.number)
    }
}

impl Serialize for Replica {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A MAC address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether it addresses a group, which no interface may have as its own.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl FromStr for Mac {
    type Err = BadName;
    /// Reads `02:42:ac:11:00:02` and `02-42-ac-11-00-02`, in either case.
    fn from_str(s: &str) -> Result<Self, BadName> {
        let bad =
            || BadName(format!("`{s}` is not a MAC address: six pairs of hexadecimal digits, `02:42:ac:11:00:02`"));
        let parts: Vec<&str> = s.split([':', '-']).collect();
        let bytes: Option<Vec<u8>> =
            parts.iter().map(|p| (p.len() == 2).then(|| u8::from_str_radix(p, 16).ok()).flatten()).collect();
        bytes.and_then(|b| b.try_into().ok()).map(Mac).ok_or_else(bad)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The number of a VLAN: 1 to 4094.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VlanId(u16);

impl VlanId {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for VlanId {
    type Error = BadName;
    fn try_from(id: u16) -> Result<Self, BadName> {
        if (1..=4094).contains(&id) {
            Ok(Self(id))
        } else {
            Err(BadName(format!("VLAN ids run from 1 to 4094, not {id}")))
        }
    }
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP: passed to the Engine, not probed.
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

impl FromStr for Protocol {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        match s.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(BadName(format!("`{s}` is not a protocol: tcp, udp or sctp"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_the_name_that_compose_gives() {
        let name = |s| ProjectName::from_directory(s).map(|n| n.to_string());
        assert_eq!(name("My App.v2").as_deref(), Some("myappv2"));
        assert_eq!(name("_-x_y").as_deref(), Some("x_y"));
        assert_eq!(name("한글"), None);
    }

    #[test]
    fn a_mac_reads_in_either_form_and_prints_in_one() {
        assert_eq!("02-42-AC-11-00-0a".parse::<Mac>().unwrap().to_string(), "02:42:ac:11:00:0a");
        assert!("02:42:ac:11:00".parse::<Mac>().is_err());
        assert!("03:42:ac:11:00:02".parse::<Mac>().unwrap().is_multicast());
    }
}

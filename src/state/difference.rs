//! How what is found differs from what is declared, field by field.
//!
//! What the Engine or the image adds by itself is no difference. Where the file says nothing and the Engine holds
//! something that the file may have asked for earlier (`internal`, an extra network), the `config-hash` label decides: it
//! says whether the file is still what the resource was made from.

mod container;
mod endpoint;
mod host;
mod network;
mod podman;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use serde::Serialize;

use crate::source::Span;

pub use container::{ContainerDrift, container};
pub use network::{network, volume};

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The attribute as the file calls it: `image`, `environment.PATH`, `networks.front.aliases`.
    pub field: String,
    /// What the file says, short.
    pub declared: String,
    /// What the Engine holds, short.
    pub found: String,
    /// Where the file says so.
    #[serde(skip)]
    pub at: Option<Span>,
}

/// `internal (true, declared false)`.
impl Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, declared {})", self.field, self.found, self.declared)
    }
}

/// What is shown for nothing.
const NOTHING: &str = "none";
/// Longer values are cut.
const SHORT: usize = 60;

/// A comparison in the making.
struct Comparison<'a> {
    place: &'a dyn Fn(&str) -> Option<Span>,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    /// `place` says where a field is written.
    fn new(place: &'a dyn Fn(&str) -> Option<Span>) -> Self {
        Self { place, found: Vec::new() }
    }

    /// Notes a difference unless both are the same.
    fn same<T: PartialEq + Show + ?Sized>(&mut self, field: &str, declared: &T, found: &T) {
        if declared != found {
            self.differs(field, declared, found);
        }
    }

    /// Notes a difference.
    fn differs(&mut self, field: &str, declared: &(impl Show + ?Sized), found: &(impl Show + ?Sized)) {
        self.found.push(Difference {
            field: field.to_owned(),
            declared: short(declared.show()),
            found: short(found.show()),
            at: (self.place)(field),
        });
    }

    /// Notes every key whose value differs, as `field.key`.
    fn same_map<V: PartialEq + Show>(
        &mut self,
        field: &str,
        declared: &std::collections::BTreeMap<String, V>,
        found: &std::collections::BTreeMap<String, V>,
    ) {
        let keys: std::collections::BTreeSet<&String> = declared.keys().chain(found.keys()).collect();
        for key in keys {
            self.same(&format!("{field}.{key}"), &declared.get(key), &found.get(key));
        }
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(SHORT) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None if text.is_empty() => NOTHING.to_owned(),
        None => text,
    }
}

/// How a value is shown to people.
trait Show {
    fn show(&self) -> String;
}

macro_rules! show_as_display {
    ($($type:ty),*) => { $(impl Show for $type { fn show(&self) -> String { self.to_string() } })* };
}
show_as_display!(
    str,
    String,
    bool,
    i64,
    u32,
    std::net::IpAddr,
    std::net::Ipv4Addr,
    std::net::Ipv6Addr,
    ipnet::IpNet,
    crate::name::Mac
);

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> String {
        (*self).show()
    }
}
impl<T: Show> Show for Option<T> {
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| NOTHING.to_owned(), Show::show)
    }
}
impl<T: Show> Show for [T] {
    fn show(&self) -> String {
        self.iter().map(Show::show).collect::<Vec<_>>().join(" ")
    }
}
impl<T: Show> Show for Vec<T> {
    fn show(&self) -> String {
        self.as_slice().show()
    }
}
impl<T: Show> Show for std::collections::BTreeSet<T> {
    fn show(&self) -> String {
        self.iter().map(Show::show).collect::<Vec<_>>().join(" ")
    }
}
impl Show for (String, String) {
    fn show(&self) -> String {
        format!("{}:{}", self.0, self.1)
    }
}
impl Show for (u16, crate::name::Protocol) {
    fn show(&self) -> String {
        format!("{}/{}", self.0, self.1)
    }
}
impl Show for std::time::Duration {
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

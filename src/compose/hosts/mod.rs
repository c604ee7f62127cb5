//! `x-hosts`: one stack over several hosts that share a wire. The stack is split into a tree for each host, which is a stack of
//! that host alone, as docker compose takes it there; what leads from one to another stands beside them.
//!
//! Nothing is scheduled: every service is placed by the file.

mod apart;
mod declared;
mod names;
mod part;
mod ranges;
#[cfg(test)]
mod tests;

use declared::Host;
use indexmap::IndexMap;

use crate::compose::decode::depends_on;
use crate::compose::model::{EnginePlace, Need};
use crate::compose::tree::{field_mut, section, section_mut};
use crate::finding::Findings;
use crate::name::HostName;
use crate::source::{Span, Spanned};
use crate::yaml::Node;

/// The stack, host by host.
pub(super) struct Split {
    pub parts: Vec<PartTree>,
    pub needs: Vec<Need>,
}

/// What one host runs.
pub(super) struct PartTree {
    pub name: HostName,
    pub span: Span,
    pub place: Option<Spanned<EnginePlace>>,
    pub tree: Node,
}

/// What the file says besides the tree, which has active services and what they use alone.
pub(super) struct Declared<'d> {
    /// Services that are not to run now.
    pub inactive: &'d [String],
    /// Every network, used or not.
    pub networks: &'d [String],
}

/// The hosts by name, as the file has them, and where each service is placed.
struct Placed<'t> {
    hosts: IndexMap<&'t str, Host<'t>>,
    /// Each active service with the place of its host in `hosts`.
    services: IndexMap<&'t str, usize>,
}

impl<'t> Placed<'t> {
    /// The name of the host that a service is on.
    fn host(&self, service: &str) -> Option<&'t str> {
        self.hosts.get_index(*self.services.get(service)?).map(|(name, _)| *name)
    }

    /// Whether two services are on two hosts.
    fn are_apart(&self, one: &str, other: &str) -> bool {
        matches!((self.services.get(one), self.services.get(other)), (Some(one), Some(other)) if one != other)
    }

    /// The hosts with a member of a network, each with its first member and where that joins.
    fn members(&self, tree: &'t Node, network: &str) -> IndexMap<usize, (&'t str, Span)> {
        let mut hosts = IndexMap::new();
        for (name, entry) in section(tree, "services") {
            let joins = section(&entry.value, "networks").find(|(key, _)| ***key == *network);
            if let Some(((_, joins), host)) = joins.zip(self.services.get(&**name)) {
                hosts.entry(*host).or_insert((&**name, joins.key));
            }
        }
        hosts.sort_unstable_keys();
        hosts
    }
}

/// Splits a stack that says `x-hosts`; none where it does not, or where what it says makes no sense.
pub(super) fn split(tree: &Node, declared: &Declared<'_>, findings: &mut Findings) -> Option<Split> {
    tree.get("x-hosts").filter(|hosts| !hosts.is_null())?;
    split_over(tree, declared, findings)
}

/// Few stacks are on several hosts: its code lies apart from what every file needs.
#[cold]
fn split_over(tree: &Node, declared: &Declared<'_>, findings: &mut Findings) -> Option<Split> {
    let placed = declared::read(tree, declared, findings)?;
    apart::check(tree, &placed, findings);
    names::check(tree, &placed, findings);
    let ranges = ranges::ranges(tree, &placed, findings);
    if findings.has_errors() {
        return None;
    }
    let parts = placed.hosts.iter().enumerate().map(|(place, (_, host))| PartTree {
        name: host.name.clone(),
        span: host.span,
        place: host.place.clone(),
        tree: part::part(tree, &placed, place, &ranges),
    });
    Some(Split { parts: parts.collect(), needs: needs(tree, &placed) })
}

/// Takes out of `x-hosts` what was taken out of the tree: services and networks that take no part. What `config` prints reads as the same.
pub(super) fn prune(tree: &mut Node) {
    let keys = |name: &str| section(tree, name).map(|(key, _)| key.to_string()).collect::<Vec<_>>();
    let (services, networks) = (keys("services"), keys("networks"));
    for (_, entry) in section_mut(tree, "x-hosts") {
        if let Some(list) = field_mut(&mut entry.value, "services").and_then(Node::as_seq_mut) {
            list.retain(|item| services.iter().any(|name| item.as_str() == Some(name)));
        }
        if let Some(ranges) = field_mut(&mut entry.value, "ip_ranges").and_then(Node::as_map_mut) {
            ranges.0.retain(|key, _| networks.iter().any(|name| **key == **name));
        }
    }
}

/// What waits for a service of another host.
fn needs(tree: &Node, placed: &Placed<'_>) -> Vec<Need> {
    let mut needs = vec![];
    for (name, entry) in section(tree, "services") {
        for (needed, dependency) in depends_on(&entry.value) {
            if let (true, Ok(service)) = (placed.are_apart(name, needed.as_str()), name.parse()) {
                needs.push(Need { service, needed, dependency });
            }
        }
    }
    needs
}

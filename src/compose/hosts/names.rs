//! What a service of another host is called: an Engine tells names of its own containers alone, so those with a static address on a
//! wire that both ride on are written into `extra_hosts`.

use indexmap::IndexMap;

use super::apart::{Reach, reach};
use super::{Placed, apart};
use crate::compose::normalize::dependencies;
use crate::compose::tree::{field_mut, items, section, set, text};
use crate::finding::{Code, Finding, Findings, Severity};
use crate::source::Span;
use crate::yaml::Node;

/// Tells of a service that has members of another host on its wire, and no address that they could know.
pub(super) fn check(tree: &Node, placed: &Placed<'_>, findings: &mut Findings) {
    for (name, entry) in section(tree, "services") {
        for (network, joins) in section(&entry.value, "networks").filter(|(key, _)| is_wire(tree, key)) {
            let members = placed.members(tree, network);
            let seeker = members.values().find(|(other, _)| placed.are_apart(name, other));
            let Some((seeker, _)) = seeker.filter(|_| address(&joins.value).is_none()) else { continue };
            let (here, there) = (placed.host(name).unwrap_or_default(), placed.host(seeker).unwrap_or_default());
            let message =
                format!("{name} on {here} has no static address on {network}: nobody on {there} knows it by name");
            // who is waited for is likely to be called
            let is_awaited = section(tree, "services").any(|(other, entry)| {
                placed.are_apart(name, other) && dependencies(&entry.value).any(|needed| *needed == **name)
            });
            let severity = if is_awaited { Severity::Warning } else { Severity::Note };
            let finding = Finding::new(severity, Code::AcrossHosts, message).at(joins.key);
            findings.push(finding.help(format!(
                "give it one (`{network}: {{ipv4_address: …}}`): its names then go into `extra_hosts` of the other hosts' services"
            )));
        }
    }
}

fn is_wire(tree: &Node, network: &str) -> bool {
    let declared = tree.get("networks").and_then(|networks| networks.get(network));
    declared.is_some_and(|declared| apart::reach(declared) == Reach::Wire)
}

/// The static address of a member.
fn address(joins: &Node) -> Option<&str> {
    text(joins, "ipv4_address").or_else(|| text(joins, "ipv6_address"))
}

/// Writes the names of the other hosts' services into a service, where it says nothing of them itself.
pub(super) fn fill(tree: &Node, placed: &Placed<'_>, name: &str, service: &mut Node) {
    let mut lines: IndexMap<String, (String, Span)> = IndexMap::new();
    let wires = section(tree, "networks").filter(|(_, entry)| reach(&entry.value) == Reach::Wire);
    let own: Vec<&str> = wires
        .map(|(key, _)| &**key)
        .filter(|key| service.get("networks").is_some_and(|n| n.get(key).is_some()))
        .collect();
    for (other, entry) in section(tree, "services").filter(|(other, _)| placed.are_apart(name, other)) {
        for (_, joins) in section(&entry.value, "networks").filter(|(key, _)| own.contains(&&***key)) {
            let Some(address) = address(&joins.value) else { continue };
            let container = text(&entry.value, "container_name");
            let aliases = items(&joins.value, "aliases").iter().filter_map(Node::as_str);
            for called in [&**other].into_iter().chain(container).chain(aliases) {
                lines.entry(called.to_owned()).or_insert_with(|| (address.to_owned(), joins.key));
            }
        }
    }
    let said: Vec<&str> = items(service, "extra_hosts")
        .iter()
        .filter_map(|line| line.as_str()?.split_once('=').map(|(name, _)| name))
        .collect();
    lines.retain(|called, _| !said.contains(&called.as_str()));
    if lines.is_empty() {
        return;
    }
    if service.get("extra_hosts").is_none_or(Node::is_null) {
        set(service, "extra_hosts", |at| Node::seq(at, vec![]));
    }
    if let Some(list) = field_mut(service, "extra_hosts").and_then(Node::as_seq_mut) {
        list.extend(lines.into_iter().map(|(called, (address, at))| Node::str(at, format!("{called}={address}"))));
    }
}

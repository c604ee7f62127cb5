//! The tree of one host: its services with what they use, its links, its addresses.

use std::collections::BTreeSet;

use super::ranges::Ranges;
use super::{Placed, names};
use crate::compose::profile::{Selection, prune};
use crate::compose::tree::{field_mut, section, section_mut, set};
use crate::compose::trunks;
use crate::yaml::Node;

/// The stack of the host at this place: what of it another host has is left out, and what would have led there.
pub(super) fn part(tree: &Node, placed: &Placed<'_>, place: usize, ranges: &Ranges) -> Node {
    let own = placed.services.iter().filter(|(_, host)| **host == place).map(|(name, _)| (*name).to_owned());
    let selection = Selection { active: own.collect::<BTreeSet<String>>(), inactive: vec![] };
    let mut part = tree.clone();
    prune(&mut part, &selection, false);
    for (name, entry) in section_mut(&mut part, "services") {
        let service = &mut entry.value;
        names::fill(tree, placed, name, service);
        forget(service, "depends_on", |other| placed.are_apart(name, other));
        take(service, "x-verify");
    }
    if let Some((_, host)) = placed.hosts.get_index(place) {
        for (trunk, parent) in section(host.node, "parents") {
            if let Some(parent) = parent.value.as_str() {
                trunks::move_to(&mut part, trunk, parent);
            }
        }
    }
    for ((host, network, pool), range) in ranges {
        let networks = field_mut(&mut part, "networks").filter(|_| *host == place);
        let ipam = networks.and_then(|networks| field_mut(field_mut(networks, network)?, "ipam"));
        let pools = ipam.and_then(|ipam| field_mut(ipam, "config")).and_then(Node::as_seq_mut);
        if let Some(pool) = pools.and_then(|pools| pools.get_mut(*pool)) {
            set(pool, "ip_range", |at| Node::str(at, range.to_string()));
        }
    }
    take(&mut part, "x-hosts");
    take(&mut part, "x-verify");
    part
}

/// Takes entries out of a mapping, and the mapping with the last one.
fn forget(node: &mut Node, key: &str, gone: impl Fn(&str) -> bool) {
    let Some(map) = field_mut(node, key).and_then(Node::as_map_mut) else { return };
    map.0.retain(|name, _| !gone(name));
    if map.is_empty() {
        take(node, key);
    }
}

fn take(node: &mut Node, key: &str) {
    if let Some(map) = node.as_map_mut() {
        map.remove(key);
    }
}

//! Which addresses each host's Engine gives out on a wire that several share: parts of the subnet that do not meet, without
//! the addresses that the file gives. The Engines know nothing of each other.

use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::apart::{Reach, reach};
use super::{Host, Placed};
use crate::compose::tree::{items, section, text};
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};
use crate::yaml::Node;

/// How many times a subnet is halved at most in search of parts that are free.
const HALVINGS: u8 = 12;

/// `ip_range` by host, network and place in `ipam.config`.
pub(super) type Ranges = IndexMap<(usize, String, usize), IpNet>;

/// The part of every network that several hosts are on, for each of them.
pub(super) fn ranges(tree: &Node, placed: &Placed<'_>, findings: &mut Findings) -> Ranges {
    let mut ranges = Ranges::new();
    for (key, entry) in section(tree, "networks") {
        let members = placed.members(tree, key);
        let hosts: Vec<usize> = members.keys().copied().collect();
        let told = told(key, placed, findings);
        if reach(&entry.value) != Reach::Wire || hosts.len() < 2 {
            continue;
        }
        let pools = entry.value.get("ipam").map(|ipam| items(ipam, "config")).unwrap_or_default();
        let taken = taken(tree, key, pools);
        let mut found = false;
        for (place, pool) in pools.iter().enumerate() {
            let Some(subnet) = net(pool, "subnet") else { continue };
            found = true;
            let pool = Pool { key, subnet, base: net(pool, "ip_range").unwrap_or(subnet), taken: &taken };
            let Some(parts) = pool.part(&hosts, &told, findings) else { continue };
            ranges.extend(parts.into_iter().map(|(host, range)| ((host, (**key).to_owned(), place), range)));
        }
        for (host, range) in &told {
            if found
                && !pools
                    .iter()
                    .filter_map(|pool| net(pool, "subnet"))
                    .any(|subnet| subnet.value.contains(&range.value))
            {
                let name = placed.hosts.get_index(*host).map_or("", |(name, _)| name);
                let message = format!("x-hosts.{name}.ip_ranges: {} is no part of network {key}", range.value);
                findings
                    .push(Finding::error(Code::BadSubnet, message).at(range.span).help("take a part of its subnet"));
            }
        }
        if !found {
            let message = format!("network {key} has members on {} hosts and no subnet", hosts.len());
            let finding = Finding::error(Code::NoSubnet, message).at(entry.key);
            let help = "each Engine would take one of its own: say which, `ipam: {config: [{subnet: …}]}`";
            findings.push(finding.help(help));
        }
    }
    ranges
}

/// What the hosts say of a network in `ip_ranges`.
fn told(network: &str, placed: &Placed<'_>, findings: &mut Findings) -> IndexMap<usize, Spanned<IpNet>> {
    let mut told = IndexMap::new();
    for (place, (host, Host { node, .. })) in placed.hosts.iter().enumerate() {
        let Some(entry) = node.get("ip_ranges").and_then(|ranges| ranges.get(network)) else { continue };
        let word = entry.as_str().unwrap_or_default();
        match word.parse::<IpNet>() {
            Ok(range) => _ = told.insert(place, Spanned::new(range.trunc(), entry.span)),
            Err(_) => {
                let message = format!("x-hosts.{host}.ip_ranges.{network}: `{word}` is no range of addresses");
                findings
                    .push(Finding::error(Code::BadSubnet, message).at(entry.span).help("write it as `10.0.0.64/26`"));
            }
        }
    }
    told
}

fn net(pool: &Node, key: &str) -> Option<Spanned<IpNet>> {
    let at = pool.get(key)?.span;
    Some(Spanned::new(text(pool, key)?.parse::<IpNet>().ok()?.trunc(), at))
}

/// The addresses that the file gives on a network: to services, to gateways, to nobody.
fn taken(tree: &Node, network: &str, pools: &[Node]) -> Vec<IpAddr> {
    let members = section(tree, "services").filter_map(|(_, entry)| entry.value.get("networks")?.get(network));
    let of_members = members.flat_map(|joins| [text(joins, "ipv4_address"), text(joins, "ipv6_address")]).flatten();
    let gateways = pools.iter().filter_map(|pool| text(pool, "gateway"));
    let aside =
        pools.iter().flat_map(|pool| section(pool, "aux_addresses")).filter_map(|(_, entry)| entry.value.as_str());
    of_members.chain(gateways).chain(aside).filter_map(|address| address.parse().ok()).collect()
}

struct Pool<'a> {
    key: &'a str,
    subnet: Spanned<IpNet>,
    /// What is to be parted.
    base: Spanned<IpNet>,
    taken: &'a [IpAddr],
}

impl Pool<'_> {
    /// A part for each host: what it says itself, else one that is free.
    fn part(
        &self,
        hosts: &[usize],
        told: &IndexMap<usize, Spanned<IpNet>>,
        findings: &mut Findings,
    ) -> Option<Vec<(usize, IpNet)>> {
        let mut parts: Vec<(usize, IpNet, Option<Span>)> = vec![];
        for (host, range) in told.iter().filter(|(_, range)| self.subnet.value.contains(&range.value)) {
            if let Some((.., other)) = parts.iter().find(|(_, other, _)| meet(other, &range.value)) {
                let message = format!("two hosts give out the same addresses of network {}", self.key);
                let finding = Finding::error(Code::SubnetOverlap, message).at(range.span);
                let finding = other.iter().fold(finding, |finding, at| finding.also(*at, "the other one"));
                findings.push(finding.help("the Engines know nothing of each other: take parts that do not meet"));
                return None;
            }
            parts.push((*host, range.value, Some(range.span)));
        }
        let open: Vec<usize> =
            hosts.iter().copied().filter(|host| !parts.iter().any(|(told, ..)| told == host)).collect();
        let avoided: Vec<IpNet> = parts.iter().map(|(_, range, _)| *range).collect();
        let Some(free) = self.free(open.len(), &avoided) else {
            let message =
                format!("network {} has no room for a part of its own for each of {} hosts", self.key, hosts.len());
            let finding = Finding::error(Code::PoolTooSmall, message).at(self.base.span);
            findings.push(finding.help(
                "take a larger subnet, or say the parts: `x-hosts: {NAME: {ip_ranges: {NETWORK: 10.0.0.64/26}}}`",
            ));
            return None;
        };
        let told = parts.into_iter().map(|(host, range, _)| (host, range)).filter(|(host, _)| hosts.contains(host));
        Some(told.chain(open.into_iter().zip(free)).collect())
    }

    /// So many parts of one size, the largest possible and the first, without any address that the file gives.
    fn free(&self, count: usize, avoided: &[IpNet]) -> Option<Vec<IpNet>> {
        if count == 0 {
            return Some(vec![]);
        }
        let base = self.base.value;
        let is_free = |part: &IpNet| {
            !self.taken.iter().any(|address| part.contains(address)) && !avoided.iter().any(|other| meet(part, other))
        };
        let longest = base.max_prefix_len().min(base.prefix_len().saturating_add(HALVINGS));
        let mut lengths = base.prefix_len()..=longest;
        lengths.find_map(|length| {
            let parts: Vec<IpNet> = base.subnets(length).ok()?.filter(is_free).take(count).collect();
            (parts.len() == count).then_some(parts)
        })
    }
}

fn meet(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

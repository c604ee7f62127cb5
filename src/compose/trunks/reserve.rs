//! What the Engine hands out on a network of a trunk, where some of its containers have addresses of their own: a part of the subnet
//! without them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Trunk, scalar};
use crate::compose::model::part_without;
use crate::compose::tree::{field_mut, has, is_true, section, set, text};
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::yaml::{Mapping, Node};

impl Trunk<'_> {
    /// Writes `ip_range` into each pool that has none and a static address in it, where another container takes what it gets. Where no
    /// part will do, lint tells it with whatever else is handed out among static addresses.
    pub(super) fn reserve(&self, tree: &mut Node, findings: &mut Findings) {
        for (network, ..) in &self.vlans {
            let members = [false, true].map(|v6| Members::of(tree, network, v6));
            let Some(node) = field_mut(tree, "networks").and_then(|networks| field_mut(networks, network)) else {
                continue;
            };
            let driver = node.get("ipam").and_then(|ipam| text(ipam, "driver"));
            if is_true(node, "external") || driver.is_some_and(|driver| driver != "default") {
                continue; // somebody else's, or another hands out
            }
            // in ipvlan's modes l3 nobody goes through it
            let routed = text(self.node, "mode").is_some_and(|mode| mode.starts_with("l3"));
            let has_gateway = !routed && !is_true(node, "internal");
            let pools = field_mut(node, "ipam").and_then(|ipam| field_mut(ipam, "config")).and_then(Node::as_seq_mut);
            for pool in pools.into_iter().flatten().filter(|pool| !has(pool, "ip_range")) {
                let subnet = text(pool, "subnet").and_then(|subnet| subnet.parse::<IpNet>().ok());
                let Some(subnet) = subnet.map(|subnet| subnet.trunc()) else { continue };
                let among = &members[usize::from(subnet.addr().is_ipv6())];
                // with a range and no gateway, the Engine would take the first address of that instead
                let gateway = first_host(subnet).filter(|_| has_gateway && !has(pool, "gateway"));
                let Some((part, (first, at))) = among.part_of(pool, subnet, gateway) else { continue };
                if let Some(gateway) = gateway {
                    set(pool, "gateway", |at| Node::str(at, gateway.to_string()));
                }
                set(pool, "ip_range", |at| Node::str(at, part.to_string()));
                let trunk = self.name;
                let message = format!(
                    "x-trunks.{trunk}: the Engine hands out {part} on network {network}, so that it gives {first} to nobody else"
                );
                let help = "an `ip_range` of your own is left as it is; a DHCP server of that wire is not known here: what it gives out has to be apart";
                findings.push(Finding::note(Code::AddressTaken, message).at(at).help(help));
            }
        }
    }
}

/// Who is on a network, whatever their profiles: a network is not made anew because one of them comes.
struct Members {
    /// The addresses that the file gives, with their places.
    fixed: Vec<(IpAddr, Span)>,
    /// How many containers take what they get.
    others: u64,
}

impl Members {
    /// Those with an end on a network, of one family.
    fn of(tree: &Node, network: &str, v6: bool) -> Self {
        let key = if v6 { "ipv6_address" } else { "ipv4_address" };
        let mut found = Self { fixed: vec![], others: 0 };
        for (_, service) in section(tree, "services").filter(|(_, service)| joins(&service.value, network)) {
            let end = service.value.get("networks").and_then(|networks| networks.get(network));
            let address = end.and_then(|end| end.get(key)).filter(|address| !address.is_null());
            match address.map(|node| (scalar(node).parse(), node.span)) {
                Some((Ok(address), at)) => found.fixed.push((address, at)),
                Some((Err(_), _)) => {} // told where it is read
                None => found.others += replicas(&service.value),
            }
        }
        found
    }

    /// The part of a pool's subnet that is handed out, and the first of the addresses that it is to spare.
    fn part_of(&self, pool: &Node, subnet: IpNet, gateway: Option<IpAddr>) -> Option<(IpNet, (IpAddr, Span))> {
        let first = self.fixed.iter().find(|(address, _)| subnet.contains(address)).filter(|_| self.others > 0)?;
        let fixed = self.fixed.iter().map(|(address, _)| *address);
        let taken: Vec<IpAddr> = fixed.chain(set_aside(pool)).chain(gateway).collect();
        Some((part_without(subnet, &taken, self.others)?, *first))
    }
}

/// Whether a service is on a network; one that names none is on `default`.
fn joins(service: &Node, network: &str) -> bool {
    match service.get("networks").filter(|networks| !networks.is_null()) {
        Some(networks) => networks.get(network).is_some(),
        None => network == "default" && !has(service, "network_mode"),
    }
}

/// How many containers a service has.
fn replicas(service: &Node) -> u64 {
    let deployed = service.get("deploy").and_then(|deploy| deploy.get("replicas"));
    let written = service.get("scale").or(deployed).filter(|node| !node.is_null());
    written.and_then(|node| scalar(node).parse().ok()).unwrap_or(1)
}

/// What else of a pool is somebody's: its gateway, and what is set aside.
fn set_aside(pool: &Node) -> impl Iterator<Item = IpAddr> + '_ {
    let aside = pool.get("aux_addresses").and_then(Node::as_map).into_iter().flat_map(Mapping::iter);
    let nodes = pool.get("gateway").into_iter().chain(aside.map(|(_, entry)| &entry.value));
    nodes.filter_map(|node| scalar(node).parse().ok())
}

/// The gateway that the Engine takes by itself where it hands out the whole subnet.
fn first_host(subnet: IpNet) -> Option<IpAddr> {
    match subnet.network() {
        IpAddr::V4(first) => Some(u32::from(first).checked_add(1)?).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(first) => Some(u128::from(first).checked_add(1)?).map(|next| IpAddr::V6(next.into())),
    }
}

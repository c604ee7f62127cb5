//! The wire behind a parent: who lives there, and whether a macvlan or ipvlan network fits among them. The Engine looks at none of it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::Scene;
use super::parents::parents;
use crate::compose::model::{Network, Project};
use crate::finding::{Code, Finding, Findings};
use crate::source::Spanned;

/// What has to be asked by ARP on which link of the host, so that the rules here can tell: the addresses that the file writes down.
pub fn asked(project: &Project) -> Vec<(String, Ipv4Addr)> {
    let mut asked = vec![];
    for (network, parent) in parents(project) {
        let fixed = fixed(project, network).map(|(_, address)| address.value);
        let gateways = gateways(network).map(|gateway| gateway.value);
        let host = network.trunk.host_access.map(|address| address.value);
        let addresses = fixed.chain(gateways).chain(host);
        asked.extend(addresses.filter_map(v4).map(|address| (parent.value.clone(), address)));
    }
    asked.sort_unstable();
    asked.dedup();
    asked
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// P40: a network with other addresses than its parent's wire.
pub(super) fn check_lan(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project) {
        let Some(link) = scene.host.link(&parent.value) else { continue };
        let theirs: Vec<&IpNet> = link.addresses.iter().filter(|net| net.addr().is_ipv4()).collect();
        let subnets = || network.ipam.pools.iter().filter_map(|pool| pool.subnet.as_ref());
        let mut ours = subnets().filter(|subnet| subnet.value.addr().is_ipv4()).peekable();
        let (Some(first), Some(near)) = (ours.peek().copied(), theirs.first()) else { continue };
        let meet = |subnet: &Spanned<IpNet>| theirs.iter().any(|net| subnet.value.contains(&net.addr()));
        if ours.any(meet) {
            continue;
        }
        let lan = near.trunc();
        let message = format!(
            "network {} has {}, and the wire of its parent `{}` has {lan}",
            network.key, first.value, parent.value
        );
        findings.push(
            Finding::warning(Code::LanMismatch, message)
                .at(first.span)
                .also(parent.span, format!("`{}` is {near} here", parent.value))
                .help(format!(
                    "`subnet: {lan}` with an `ip_range` of it that nobody else gives out, unless a router knows both"
                )),
        );
    }
}

/// P40: a gateway that nobody answers for, or that is the parent's own address.
pub(super) fn check_gateways(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project).filter(|(network, _)| uses_gateway(network)) {
        for gateway in gateways(network) {
            let Some(link) = scene.host.link(&parent.value).filter(|link| link.up) else { continue };
            let (key, address) = (&network.key, gateway.value);
            let message = if link.addresses.iter().any(|net| net.addr() == address) {
                format!(
                    "the gateway of network {key}, {address}, is `{}` itself, which none of its children reaches",
                    link.name
                )
            } else if scene.host.heard.get(&(link.name.clone(), address)).is_some_and(Vec::is_empty) {
                format!("nobody on the wire of `{}` answers for {address}, the gateway of network {key}", link.name)
            } else {
                continue;
            };
            findings.push(
                Finding::warning(Code::GatewaySilent, message)
                    .at(gateway.span)
                    .help("give the address of the router on that wire; `internal: true` needs none"),
            );
        }
    }
}

/// P40: a static address that a machine on the parent's wire has already.
pub(super) fn check_wire_addresses(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project) {
        let foreign = fixed(scene.project, network).filter(|(_, address)| !is_ours(scene, network, address.value));
        let taken = foreign.filter_map(|(service, address)| taken(scene, network, parent, address, service));
        taken.for_each(|finding| findings.push(finding));
    }
}

/// P40: the host's own address on the wire (`host_access`), where a machine out there has it.
pub(super) fn check_host_access(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project) {
        let is_ours = |address: IpAddr| scene.observed.shims.iter().any(|shim| shim.addresses.contains(&address));
        let address = network.trunk.host_access.filter(|address| !is_ours(address.value));
        let taken = address.and_then(|address| taken(scene, network, parent, address, "the host"));
        taken.into_iter().for_each(|finding| findings.push(finding));
    }
}

/// What answers for an address on the parent's wire that `asker` is to have.
fn taken(
    scene: Scene<'_>,
    network: &Network,
    parent: &Spanned<String>,
    address: Spanned<IpAddr>,
    asker: &str,
) -> Option<Finding> {
    let mac = scene.host.heard.get(&(parent.value.clone(), address.value))?.first()?;
    let message = format!("{} is taken: {mac} answers for it on the wire of `{}`", address.value, parent.value);
    Some(
        Finding::warning(Code::AddressTaken, message)
            .at(address.span)
            .label(format!("{asker} asks for it on {}", network.key))
            .help("take another address, one that the DHCP server of that wire does not give out"),
    )
}

/// Whether a container of the Engine has the address on this network: another rule's, or its own.
fn is_ours(scene: Scene<'_>, network: &Network, address: IpAddr) -> bool {
    let own = scene.observed.containers.iter().filter_map(|container| container.endpoints.get(&network.name));
    own.flat_map(|end| end.ipv4).any(|net| net.addr() == address)
        || scene.observed.others.iter().flat_map(|other| &other.networks).any(|(_, _, held)| held.contains(&address))
}

/// Whether packets go through the gateway: in ipvlan's modes l3 and l3s they do not, and an internal network has none.
fn uses_gateway(network: &Network) -> bool {
    let routed = network.driver_opts.get("ipvlan_mode").is_some_and(|mode| mode.value.starts_with("l3"));
    !network.internal && !routed
}

/// The gateways that the file writes down.
fn gateways(network: &Network) -> impl Iterator<Item = &Spanned<IpAddr>> {
    network.ipam.pools.iter().filter_map(|pool| pool.gateway.as_ref())
}

/// The IPv4 addresses that the file gives on a network, each with its service.
fn fixed<'a>(project: &'a Project, network: &'a Network) -> impl Iterator<Item = (&'a str, Spanned<IpAddr>)> {
    project.services.values().filter_map(|service| {
        let address = service.networks.get(&network.key)?.ipv4_address?;
        Some((service.name.as_str(), address.map(IpAddr::V4)))
    })
}

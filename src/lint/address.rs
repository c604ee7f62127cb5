//! Static addresses of services.

use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::subnet::gateway_of;
use crate::compose::model::{Endpoint, Network, Pool, Project, Service, part_without};
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};

/// P7, P12: a static address in no subnet of its network, or on a network without one.
pub(super) fn check_inside_subnet(project: &Project, findings: &mut Findings) {
    for (service, network, address) in static_addresses(project) {
        if network.external {
            continue;
        }
        let family = |p: &&Pool| p.subnet.as_ref().is_some_and(|s| s.value.addr().is_ipv4() == address.value.is_ipv4());
        let subnets: Vec<&Spanned<_>> =
            network.ipam.pools.iter().filter(family).filter_map(|p| p.subnet.as_ref()).collect();
        if subnets.is_empty() {
            findings.push(
                Finding::error(
                    Code::NoSubnet,
                    format!("{} needs a subnet, and network {} declares none", address.value, network.key),
                )
                .at(address.span)
                .label(format!("{} asks for it", service.name))
                .help(format!("add `ipam: {{config: [{{subnet: …}}]}}` to network {}", network.key)),
            );
        } else if !subnets.iter().any(|s| s.value.contains(&address.value)) {
            let list: Vec<String> = subnets.iter().map(|s| s.value.to_string()).collect();
            findings.push(
                Finding::error(
                    Code::AddressOutside,
                    format!("{} is not on network {}, which is {}", address.value, network.key, list.join(", ")),
                )
                .at(address.span)
                .label(format!("{} asks for it", service.name))
                .also(subnets[0].span, "the subnet")
                .help(format!(
                    "take one from {} to {}",
                    subnets[0].value.network(),
                    subnets[0].value.broadcast()
                )),
            );
        }
    }
}

/// P9: a static address that is the network's own, the broadcast's, the gateway's or set aside.
pub(super) fn check_reserved(project: &Project, findings: &mut Findings) {
    for (service, network, address) in static_addresses(project) {
        for pool in &network.ipam.pools {
            let Some(subnet) = pool.subnet.as_ref().filter(|s| s.value.contains(&address.value)) else { continue };
            let aux = pool.aux_addresses.iter().find(|(_, a)| a.value == address.value);
            let what = if gateway_of(pool) == Some(address.value) {
                Some(("the gateway's".to_owned(), pool.gateway.as_ref().map(|g| g.span)))
            } else if address.value == subnet.value.network() {
                Some(("the network's own".to_owned(), Some(subnet.span)))
            } else if address.value.is_ipv4() && address.value == subnet.value.broadcast() {
                Some(("the broadcast address".to_owned(), Some(subnet.span)))
            } else {
                aux.map(|(name, a)| (format!("set aside as `{name}`"), Some(a.span)))
            };
            let Some((what, at)) = what else { continue };
            let message = format!("{} of network {} is {what}", address.value, network.key);
            let mut finding = Finding::error(Code::AddressReserved, message)
                .at(address.span)
                .label(format!("{} asks for it", service.name))
                .help(format!("take another address of {}", subnet.value));
            if let Some(at) = at {
                finding = finding.also(at, "declared here");
            }
            findings.push(finding);
        }
    }
}

/// P10: one address for two services, or for several replicas of one.
pub(super) fn check_unique(project: &Project, findings: &mut Findings) {
    let mut seen: IndexMap<(&str, IpAddr), (&Service, Span)> = IndexMap::new();
    for (service, network, address) in static_addresses(project) {
        if service.scale.value > 1 {
            findings.push(
                Finding::error(
                    Code::AddressTaken,
                    format!("{} containers of {} cannot all have {}", service.scale.value, service.name, address.value),
                )
                .at(address.span)
                .also(service.scale.span, "so many are asked for")
                .help("leave the address out and the Engine assigns one to each"),
            );
        }
        match seen.get(&(network.name.as_str(), address.value)) {
            Some((first, at)) => findings.push(
                Finding::error(Code::AddressTaken, format!("{} is given to two services", address.value))
                    .at(address.span)
                    .label(format!("{} asks for it here", service.name))
                    .also(*at, format!("{} asks for it here", first.name))
                    .help("leave one out and the Engine assigns it, or take another address"),
            ),
            None => _ = seen.insert((&network.name, address.value), (service, address.span)),
        }
    }
}

/// P8: a static address inside the range that the Engine hands out, on a network where others ask for any address.
pub(super) fn check_static_in_dynamic_range(project: &Project, findings: &mut Findings) {
    for (service, network, address) in static_addresses(project) {
        let other = project
            .services
            .values()
            .find(|s| s.networks.get(&network.key).is_some_and(|e| address_of(e, address.value.is_ipv4()).is_none()));
        let Some(other) = other.filter(|_| !network.external) else { continue };
        let pool =
            network.ipam.pools.iter().find(|p| p.subnet.as_ref().is_some_and(|s| s.value.contains(&address.value)));
        let Some(range) = pool.and_then(|p| p.ip_range.as_ref().or(p.subnet.as_ref())) else { continue };
        if range.value.contains(&address.value) {
            let message = format!("{} of {} may be handed to {} first", address.value, service.name, other.name);
            let finding = Finding::warning(Code::AddressTaken, message)
                .at(address.span)
                .also(range.span, "addresses are handed out from here");
            let part = pool.and_then(|pool| part_for_others(project, network, pool).zip(gateway_of(pool)));
            findings.push(finding.help(match part {
                Some((part, gateway)) => format!("`ip_range: {part}, gateway: {gateway}` keeps the two apart"),
                None => "no part of the subnet without static addresses has room for the others: take a larger subnet, or give them addresses as well".to_owned(),
            }));
        }
    }
}

/// The part of a pool that the Engine could hand out from without meeting a static address, its gateway or what is set aside.
fn part_for_others(project: &Project, network: &Network, pool: &Pool) -> Option<IpNet> {
    let subnet = pool.subnet.as_ref()?.value.trunc();
    let v4 = subnet.addr().is_ipv4();
    let (mut taken, mut others): (Vec<IpAddr>, u64) = (gateway_of(pool).into_iter().collect(), 0);
    taken.extend(pool.aux_addresses.values().map(|aside| aside.value));
    for service in project.services.values() {
        match service.networks.get(&network.key).map(|end| address_of(end, v4)) {
            Some(Some(address)) => taken.push(address.value),
            Some(None) => others += u64::from(service.scale.value),
            None => {}
        }
    }
    part_without(subnet, &taken, others)
}

fn address_of(endpoint: &Endpoint, v4: bool) -> Option<Spanned<IpAddr>> {
    match v4 {
        true => endpoint.ipv4_address.map(|a| a.map(IpAddr::V4)),
        false => endpoint.ipv6_address.map(|a| a.map(IpAddr::V6)),
    }
}

/// Every static address: who asks, on which network, for what.
fn static_addresses(project: &Project) -> impl Iterator<Item = (&Service, &Network, Spanned<IpAddr>)> {
    project.services.values().flat_map(move |service| {
        service.networks.iter().flat_map(move |(key, endpoint)| {
            let network = project.networks.get(key);
            let both = [address_of(endpoint, true), address_of(endpoint, false)].into_iter().flatten();
            both.filter_map(move |a| network.map(|n| (service, n, a)))
        })
    })
}

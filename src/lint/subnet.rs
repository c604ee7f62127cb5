//! Subnets, ranges, gateways: arithmetic on `ipam.config`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::compose::model::{Network, Pool, Project};
use crate::finding::{Code, Finding, Findings};
use crate::source::Spanned;

/// P5: a subnet with host bits, which the Engine refuses.
pub(super) fn check_host_bits(project: &Project, findings: &mut Findings) {
    for (_, pool) in pools(project) {
        for written in [&pool.subnet, &pool.ip_range].into_iter().flatten() {
            let network = written.value.trunc();
            if network != written.value {
                findings.push(
                    Finding::error(Code::BadSubnet, format!("{} has bits beyond its prefix", written.value))
                        .at(written.span)
                        .help(format!("the network is {network}"))
                        .patch(written.span, network.to_string()),
                );
            }
        }
    }
}

/// P6: a range, gateway or auxiliary address outside its subnet, or an auxiliary address that is the gateway's.
pub(super) fn check_pool_members(project: &Project, findings: &mut Findings) {
    for (network, pool) in pools(project) {
        let Some(subnet) = &pool.subnet else {
            if let Some(at) = pool.ip_range.as_ref().map(|r| r.span).or(pool.gateway.as_ref().map(|g| g.span)) {
                let message = format!("network {} has a range or gateway and no subnet", network.key);
                findings.push(Finding::error(Code::NoSubnet, message).at(at).help("add `subnet:` beside it"));
            }
            continue;
        };
        if let Some(range) = pool.ip_range.as_ref().filter(|r| !subnet.value.trunc().contains(&r.value)) {
            findings.push(outside("range", range.value, range, subnet));
        }
        if let Some(gateway) = pool.gateway.as_ref().filter(|g| !subnet.value.contains(&g.value)) {
            findings.push(outside("gateway", gateway.value, gateway, subnet));
        }
        for (name, address) in &pool.aux_addresses {
            if !subnet.value.contains(&address.value) {
                findings.push(outside(&format!("auxiliary address {name}"), address.value, address, subnet));
            }
            if let Some(gateway) = pool.gateway.as_ref().filter(|g| g.value == address.value) {
                findings.push(
                    Finding::error(Code::AddressTaken, format!("{} is the gateway and {name} at once", address.value))
                        .at(address.span)
                        .also(gateway.span, "the gateway")
                        .help("take another address for one of them"),
                );
            }
        }
    }
}

fn outside<T>(what: &str, value: impl std::fmt::Display, at: &Spanned<T>, subnet: &Spanned<IpNet>) -> Finding {
    Finding::error(Code::BadSubnet, format!("{what} {value} is outside {}", subnet.value))
        .at(at.span)
        .also(subnet.span, "the subnet")
        .help(format!("take one from {} to {}", subnet.value.network(), subnet.value.broadcast()))
}

/// P1 within the file: two networks that claim the same addresses.
pub(super) fn check_overlap(project: &Project, findings: &mut Findings) {
    let all: Vec<(&Network, &Spanned<IpNet>)> =
        pools(project).filter_map(|(n, p)| p.subnet.as_ref().map(|s| (n, s))).collect();
    for (i, (network, subnet)) in all.iter().enumerate() {
        for (earlier, other) in &all[..i] {
            let (a, b) = (subnet.value, other.value);
            if a.contains(&b.network()) || b.contains(&a.network()) {
                let message = format!("{a} of network {} overlaps {b} of network {}", network.key, earlier.key);
                findings.push(
                    Finding::error(Code::SubnetOverlap, message)
                        .at(subnet.span)
                        .also(other.span, format!("{} has it", earlier.key))
                        .help("give each network a subnet of its own, or leave `subnet` out and the Engine chooses"),
                );
            }
        }
    }
}

/// P57: a subnet of public addresses; the hosts that really have them cannot be reached any more.
pub(super) fn check_public(project: &Project, findings: &mut Findings) {
    for (network, pool) in pools(project) {
        let Some(subnet) = &pool.subnet else { continue };
        if is_public(subnet.value) {
            let message = format!("{} of network {} is public address space", subnet.value, network.key);
            findings.push(
                Finding::note(Code::PublicSubnet, message)
                    .at(subnet.span)
                    .help("containers cannot reach the real hosts there; 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 are private"),
            );
        }
    }
}

fn is_public(net: IpNet) -> bool {
    const NOT_PUBLIC: [&str; 12] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "0.0.0.0/8",
    ];
    match net {
        IpNet::V4(_) => !NOT_PUBLIC.iter().filter_map(|n| n.parse::<IpNet>().ok()).any(|n| n.contains(&net.network())),
        IpNet::V6(v6) => v6.addr().segments()[0] & 0xe000 == 0x2000 && v6.addr().segments()[..2] != [0x2001, 0xdb8],
    }
}

/// P11: a network with fewer addresses than its services need.
pub(super) fn check_size(project: &Project, findings: &mut Findings) {
    for network in project.networks.values().filter(|n| !n.external) {
        let [pool] = network.ipam.pools.as_slice() else { continue };
        let Some(subnet) = pool.subnet.as_ref().filter(|s| s.value.addr().is_ipv4()) else { continue };
        let wanted: u64 = project
            .services
            .values()
            .filter(|s| s.networks.contains_key(&network.key))
            .map(|s| u64::from(s.scale.value))
            .sum();
        let spare = subnet.value.max_prefix_len() - subnet.value.prefix_len();
        // the network's and the broadcast's own, the gateway's, and what is set aside
        let has = (1u64 << spare).saturating_sub(3 + pool.aux_addresses.len() as u64);
        if wanted > has {
            let bits = (wanted + 3 + pool.aux_addresses.len() as u64).next_power_of_two().trailing_zeros() as u8;
            let message = format!("{} has {has} addresses for containers, and {wanted} ask for one", subnet.value);
            findings.push(
                Finding::error(Code::PoolTooSmall, message)
                    .at(subnet.span)
                    .help(format!("a /{} would do", subnet.value.max_prefix_len() - bits)),
            );
        }
    }
}

/// Every pool of the networks that the file makes.
fn pools(project: &Project) -> impl Iterator<Item = (&Network, &Pool)> {
    let made = project.networks.values().filter(|n| !n.external);
    made.flat_map(|n| n.ipam.pools.iter().map(move |p| (n, p)))
}

/// The gateway that the Engine takes where the file names none: the first address that it could hand out. Measured on 20.10 and
/// 28.5: 10.0.0.0/24 gives 10.0.0.1, and with `ip_range: 10.0.0.128/25` it gives 10.0.0.128.
pub(super) fn gateway_of(pool: &Pool) -> Option<IpAddr> {
    if let Some(gateway) = &pool.gateway {
        return Some(gateway.value);
    }
    let subnet = pool.subnet.as_ref()?.value.network();
    let first = pool.ip_range.as_ref().map_or(subnet, |r| r.value.network());
    if first != subnet {
        return Some(first);
    }
    match first {
        IpAddr::V4(a) => Some(IpAddr::V4(u32::from(a).checked_add(1)?.into())),
        IpAddr::V6(a) => Some(IpAddr::V6(u128::from(a).checked_add(1)?.into())),
    }
}

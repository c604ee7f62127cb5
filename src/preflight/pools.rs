//! Address pools: who holds a subnet, which route it would hide, who has a static address, what is left of the Engine's own.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::Scene;
use crate::compose::model::Network;
use crate::finding::{Code, Finding, Findings};
use crate::source::Spanned;
use crate::state::observed::{Observed, ObservedNetwork};

/// P1: a subnet that overlaps another network of the Engine.
pub(super) fn check_subnet_overlap(scene: Scene<'_>, findings: &mut Findings) {
    for (network, subnet) in declared_subnets(scene) {
        let holder = scene.observed.networks.iter().find(|o| {
            o.name != network.name && o.scope != "swarm" && subnets_of(o).any(|held| overlap(held, subnet.value))
        });
        let Some(holder) = holder else { continue };
        let held = subnets_of(holder).find(|h| overlap(*h, subnet.value)).unwrap_or(subnet.value);
        let mut finding = Finding::error(
            Code::SubnetOverlap,
            format!("{} of network {} overlaps {held} of network `{}`", subnet.value, network.key, holder.name),
        )
        .at(subnet.span)
        .label(describe(scene.observed, holder));
        if let Some(free) = free_subnet(scene, subnet.value) {
            finding = finding.help(format!("{free} is free")).patch(subnet.span, free.to_string());
        }
        findings.push(finding);
    }
}

/// P3: a subnet with a machine in it that the host cannot do without. The Engine takes it without a word, and cuts the host off.
pub(super) fn check_needed_hosts(scene: Scene<'_>, findings: &mut Findings) {
    let host = scene.host;
    let gateways = host.routes.iter().flatten().filter(|route| route.destination.prefix_len() == 0);
    let gateways = gateways.filter_map(|route| Some((route.gateway?, "the host's default gateway")));
    let resolvers = host.resolvers.iter().map(|address| (*address, "a resolver that the host asks"));
    let client = host.client.iter().map(|address| (*address, "this machine, which speaks to the Engine"));
    let needed: Vec<(IpAddr, &str)> = gateways.chain(resolvers).chain(client).collect();
    for (network, subnet) in declared_subnets(scene).filter(|(network, _)| is_new_bridge(scene, network)) {
        let Some((address, what)) = needed.iter().find(|(address, _)| subnet.value.contains(address)) else { continue };
        let message =
            format!("{} of network {} would cut the host off from {address}, {what}", subnet.value, network.key);
        let finding = Finding::error(Code::SubnetOverlap, message).at(subnet.span);
        findings.push(match free_subnet(scene, subnet.value) {
            Some(free) => finding.help(format!("{free} is free")).patch(subnet.span, free.to_string()),
            None => finding.help("take a subnet that nobody else has"),
        });
    }
}

/// Whether the Engine would give the host a route to this network that it does not have yet.
fn is_new_bridge(scene: Scene<'_>, network: &Network) -> bool {
    let exists = scene.observed.networks.iter().any(|other| other.name == network.name);
    !exists && !matches!(network.driver_name(), "macvlan" | "ipvlan")
}

/// P3: a subnet that overlaps a route or an address of the host. The Engine takes it without a word.
pub(super) fn check_host_routes(scene: Scene<'_>, findings: &mut Findings) {
    let Some(routes) = &scene.host.routes else { return };
    for (network, subnet) in declared_subnets(scene) {
        let clash = routes.iter().find(|r| r.destination.prefix_len() > 0 && overlap(r.destination, subnet.value));
        let Some(route) = clash.filter(|r| is_new_bridge(scene, network) && !is_engine_link(&r.link)) else { continue };
        let mut finding = Finding::warning(
            Code::SubnetOverlap,
            format!("{} of network {} hides the host's route to {}", subnet.value, network.key, route.destination),
        )
        .at(subnet.span)
        .label(format!("the host reaches {} through {}", route.destination, route.link));
        if let Some(free) = free_subnet(scene, subnet.value) {
            finding = finding.help(format!("{free} is free")).patch(subnet.span, free.to_string());
        }
        findings.push(finding);
    }
}

/// P10: a static address that a container outside the project has on the same network.
pub(super) fn check_held_addresses(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        for (key, endpoint) in &service.networks {
            let Some(network) = scene.project.networks.get(key) else { continue };
            let v4 = endpoint.ipv4_address.as_ref().map(|a| a.map(IpAddr::V4));
            let v6 = endpoint.ipv6_address.as_ref().map(|a| a.map(IpAddr::V6));
            for address in v4.into_iter().chain(v6) {
                let holds = |o: &&crate::state::observed::OtherContainer| {
                    o.networks.iter().any(|(n, _, held)| *n == network.name && held.contains(&address.value))
                };
                if let Some(other) = scene.observed.others.iter().find(holds) {
                    findings.push(
                        Finding::error(
                            Code::AddressTaken,
                            format!("{} on network {key} is held by container `{}`", address.value, other.name),
                        )
                        .at(address.span)
                        .label(format!("{} asks for it", service.name))
                        .help(format!(
                            "`docker network disconnect {} {}`, or take another address",
                            network.name, other.name
                        )),
                    );
                }
            }
        }
    }
}

/// P4: more networks without a subnet than the Engine's pools have subnets left.
pub(super) fn check_pools_left(scene: Scene<'_>, findings: &mut Findings) {
    let exists = |n: &Network| scene.observed.networks.iter().any(|o| o.name == n.name);
    let chooses = |n: &&Network| {
        let has_subnet = n.ipam.pools.iter().filter_map(|p| p.subnet.as_ref()).any(|s| s.value.addr().is_ipv4());
        !n.external
            && !has_subnet
            && n.driver_name() == "bridge"
            && n.enable_ipv4 != Some(false)
            && n.ipam.driver.is_none()
    };
    let fresh: Vec<&Network> = scene.project.networks.values().filter(chooses).filter(|n| !exists(n)).collect();
    let Some(first) = fresh.first() else { return };
    let taken = taken(scene);
    let left = subnets(&scene.engine.default_pools)
        .filter(|subnet| !taken.iter().any(|t| overlap(*t, IpNet::V4(*subnet))))
        .take(fresh.len())
        .count();
    if left >= fresh.len() {
        return;
    }
    let names: Vec<&str> = fresh.iter().map(|n| n.key.as_str()).collect();
    let message = format!(
        "{} {} a subnet of the Engine's pools, and {left} {} left",
        names.join(", "),
        if names.len() == 1 { "needs" } else { "need each" },
        if left == 1 { "is" } else { "are" }
    );
    let unused = unused(scene);
    let help = match unused.is_empty() {
        true => "give them subnets of their own, or the Engine more pools: `default-address-pools` in daemon.json"
            .to_owned(),
        false => format!("give them subnets of their own, or remove networks that nobody uses: {}", unused.join(", ")),
    };
    findings.push(Finding::error(Code::PoolsExhausted, message).maybe_at(first.span).help(help));
}

/// The subnets that the file gives to networks that it makes.
fn declared_subnets<'a>(scene: Scene<'a>) -> impl Iterator<Item = (&'a Network, &'a Spanned<IpNet>)> {
    let made = scene.project.networks.values().filter(|n| !n.external);
    made.flat_map(|n| n.ipam.pools.iter().filter_map(move |p| p.subnet.as_ref().map(|s| (n, s))))
}

fn subnets_of(network: &ObservedNetwork) -> impl Iterator<Item = IpNet> {
    network.ipam.pools.iter().filter_map(|p| p.subnet)
}

/// Whether two ranges share an address.
fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Links that the Engine makes: their routes are its networks', which are compared as networks.
fn is_engine_link(name: &str) -> bool {
    name == "docker0" || name == "docker_gwbridge" || name.starts_with("br-") || name.starts_with("veth")
}

/// `of project blog, 3 containers`, `made by hand, unused`.
fn describe(observed: &Observed, network: &ObservedNetwork) -> String {
    let owner = network.project().map_or("made by hand".to_owned(), |p| format!("of project {p}"));
    let is_on =
        |networks: &[(String, _, _)]| networks.iter().any(|(n, _, _): &(String, _, Vec<IpAddr>)| *n == network.name);
    let others = observed.others.iter().filter(|o| is_on(&o.networks)).count();
    let own = observed.containers.iter().filter(|c| c.endpoints.contains_key(&network.name)).count();
    match others + own {
        0 => format!("{owner}, unused"),
        1 => format!("{owner}, 1 container"),
        n => format!("{owner}, {n} containers"),
    }
}

/// What a new subnet must not touch: networks of the Engine and of the file, routes of the host.
fn taken(scene: Scene<'_>) -> Vec<IpNet> {
    let held = scene.observed.networks.iter().flat_map(subnets_of);
    let declared = declared_subnets(scene).map(|(_, subnet)| subnet.value);
    let routes = scene.host.routes.iter().flatten().map(|route| route.destination);
    held.chain(declared).chain(routes.filter(|destination| destination.prefix_len() > 0)).collect()
}

/// The next private IPv4 subnet of the same size that no network of the Engine, of the file or route of the host touches.
fn free_subnet(scene: Scene<'_>, like: IpNet) -> Option<IpNet> {
    let prefix = like.prefix_len();
    if like.addr().is_ipv6() || prefix < 12 {
        return None;
    }
    let taken = taken(scene);
    let ranges =
        [(Ipv4Addr::new(172, 16, 0, 0), 12), (Ipv4Addr::new(10, 0, 0, 0), 8), (Ipv4Addr::new(192, 168, 0, 0), 16)];
    let candidates = ranges.into_iter().filter_map(|(base, len)| Ipv4Net::new(base, len).ok()?.subnets(prefix).ok());
    candidates.flat_map(|c| c.skip(1).take(4096)).map(IpNet::V4).find(|c| !taken.iter().any(|t| overlap(*t, *c)))
}

/// The subnets that an Engine chooses from; where it has no pools of its own those that are built in.
fn subnets(pools: &[(IpNet, u8)]) -> impl Iterator<Item = Ipv4Net> {
    let built_in = (17..=31).map(|n| (Ipv4Net::new(Ipv4Addr::new(172, n, 0, 0), 16), 16));
    let built_in = built_in.chain([(Ipv4Net::new(Ipv4Addr::new(192, 168, 0, 0), 16), 20)]);
    let own = pools.iter().filter_map(|(base, size)| match base {
        IpNet::V4(base) => Some((*base, *size)),
        IpNet::V6(_) => None,
    });
    let own: Vec<(Ipv4Net, u8)> = own.collect();
    let pools = if own.is_empty() { built_in.filter_map(|(net, size)| Some((net.ok()?, size))).collect() } else { own };
    pools.into_iter().flat_map(|(base, size)| base.subnets(size).into_iter().flatten().take(4096))
}

/// Networks that were made by somebody and that no container is on, the first five.
fn unused(scene: Scene<'_>) -> Vec<&str> {
    let on = |name: &str| {
        scene.observed.others.iter().any(|o| o.networks.iter().any(|(n, _, _)| n == name))
            || scene.observed.containers.iter().any(|c| c.endpoints.contains_key(name))
    };
    let made = scene.observed.networks.iter().filter(|n| !matches!(n.name.as_str(), "bridge" | "host" | "none"));
    made.map(|n| n.name.as_str()).filter(|name| !on(name)).take(5).collect()
}

//! Published ports.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use indexmap::IndexMap;

use crate::compose::model::{NetworkMode, Port, Project, Service};
use crate::finding::{Code, Finding, Findings};
use crate::name::{Protocol, ServiceName};
use crate::source::Spanned;

/// P16: one host port for two services.
pub(super) fn check_unique(project: &Project, findings: &mut Findings) {
    let mut seen = ByAddress::new();
    for (service, port) in published(project) {
        let Some((number, last)) = port.published.filter(|(first, last)| first == last && *first > 0) else { continue };
        let earlier = that_meets(&seen, (last, port.protocol), port.host_ip);
        seen.entry((last, port.protocol, port.host_ip)).or_insert((service, port));
        let Some((first, earlier)) = earlier else { continue };
        if first.name == service.name && earlier.value == port.value {
            continue; // the same line twice says the same thing once
        }
        findings.push(
            Finding::error(Code::PortTaken, format!("port {number}/{} of the host is published twice", port.protocol))
                .at(port.span)
                .label(format!("{} publishes it here", service.name))
                .also(earlier.span, format!("{} publishes it here", first.name))
                .help("give one of them another host port, or bind each to an address of its own"),
        );
    }
}

/// The first that publishes a port on each address.
type ByAddress<'p> = BTreeMap<(u16, Protocol, Option<IpAddr>), (&'p Service, &'p Spanned<Port>)>;

/// One whose address meets this one: looked up, or searched for where this is all addresses.
fn that_meets<'p>(
    seen: &ByAddress<'p>,
    (number, protocol): (u16, Protocol),
    ip: Option<IpAddr>,
) -> Option<(&'p Service, &'p Spanned<Port>)> {
    let any = ip.map(|ip| if ip.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) });
    let found = [None, ip, any].iter().find_map(|ip| seen.get(&(number, protocol, *ip))).copied();
    if ip.is_some_and(|ip| !ip.is_unspecified()) {
        return found;
    }
    let same = || seen.range((number, protocol, None)..).take_while(|((n, p, _), _)| (*n, *p) == (number, protocol));
    found.or_else(|| same().find(|((_, _, other), _)| addresses_meet(*other, ip)).map(|(_, found)| *found))
}

fn addresses_meet(a: Option<IpAddr>, b: Option<IpAddr>) -> bool {
    match (a, b) {
        (None, _) | (_, None) => true,
        (Some(a), Some(b)) => a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified())),
    }
}

/// P16: several replicas and one host port.
pub(super) fn check_replicas(project: &Project, findings: &mut Findings) {
    for (service, port) in published(project).filter(|(s, _)| s.scale.value > 1) {
        let Some((first, last)) = port.published.filter(|(first, _)| *first > 0) else { continue };
        let room = u32::from(last - first) + 1;
        if room < service.scale.value {
            findings.push(
                Finding::error(
                    Code::PortTaken,
                    format!("{} containers of {} cannot share host port {first}", service.scale.value, service.name),
                )
                .at(port.span)
                .also(service.scale.span, "so many are asked for")
                .help(format!(
                    "publish a range (`{first}-{}:{}`), or leave the host port out and the Engine chooses",
                    u64::from(first) + u64::from(service.scale.value) - 1,
                    port.target
                )),
            );
        }
    }
}

/// P18, P19, P20: ports that are published where nothing can be: the Engine drops them without a word.
pub(super) fn check_discarded(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        let Some(port) = service.ports.first() else { continue };
        let finding = match service.network_mode.as_ref().map(|m| &m.value) {
            Some(NetworkMode::Host) => {
                let finding = Finding::warning(
                    Code::PortsDiscarded,
                    format!("{} publishes ports, and has the host's network already", service.name),
                );
                match service.ports.iter().find(|p| p.published.is_some_and(|(n, _)| n != p.target)) {
                    Some(p) => finding.help(format!(
                        "it is reached on port {}, not {}; leave `ports` out",
                        p.target,
                        p.published.map_or(0, |(n, _)| n)
                    )),
                    None => finding.help("leave `ports` out"),
                }
            }
            Some(NetworkMode::None) => {
                Finding::warning(Code::PortsDiscarded, format!("{} publishes ports, and has no network", service.name))
                    .help("leave `ports` out, or take `network_mode: none` away")
            }
            Some(NetworkMode::Service(_) | NetworkMode::Container(_)) => Finding::error(
                Code::PortsDiscarded,
                format!("{} publishes ports from a namespace that is another's", service.name),
            )
            .help("move `ports` to the service that owns the namespace"),
            Some(NetworkMode::Bridge | NetworkMode::Other(_)) => continue,
            None => match only_unpublishable(project, service) {
                Some((why, help)) => {
                    Finding::warning(Code::PortsDiscarded, format!("{} publishes nothing: {why}", service.name))
                        .help(help)
                }
                None => continue,
            },
        };
        findings.push(finding.at(port.span));
    }
}

/// Why none of a service's networks can publish, and what to do.
fn only_unpublishable(project: &Project, service: &Service) -> Option<(&'static str, &'static str)> {
    let networks: Vec<_> = service.networks.keys().filter_map(|k| project.networks.get(k)).collect();
    let wired = |driver: &str| matches!(driver, "macvlan" | "ipvlan");
    if networks.is_empty() || networks.iter().any(|n| n.external) {
        None
    } else if networks.iter().all(|n| wired(n.driver_name())) {
        let help = "leave `ports` out: it is reached on its own address; or add a bridge network";
        Some(("macvlan and ipvlan have no ports to publish", help))
    } else if networks.iter().all(|n| n.internal || wired(n.driver_name())) {
        Some(("its networks are internal", "add a network that is not `internal`"))
    } else {
        None
    }
}

/// P56: two services in one namespace (the host's, or a shared one) that serve the same port: the second one crashes.
pub(super) fn check_shared_namespace(project: &Project, findings: &mut Findings) {
    let sharing: Vec<(&Service, Option<&ServiceName>)> =
        project.services.values().filter_map(|service| Some((service, owner(service)?))).collect();
    let mut served: BTreeMap<(Option<&ServiceName>, u16, Protocol), &Service> = BTreeMap::new();
    for name in sharing.iter().filter_map(|(_, owner)| *owner).collect::<BTreeSet<_>>() {
        let Some(owner) = project.services.get(name) else { continue };
        let published = owner.ports.iter().map(|port| (port.target, port.protocol));
        served.extend(owner.expose.iter().copied().chain(published).map(|(n, p)| ((Some(name), n, p), owner)));
    }
    for (service, owner) in sharing {
        let mut taken: IndexMap<&ServiceName, (&Service, BTreeSet<u16>)> = IndexMap::new();
        for &(port, protocol) in &service.expose {
            let first = *served.entry((owner, port, protocol)).or_insert(service);
            if first.name != service.name {
                taken.entry(&first.name).or_insert((first, BTreeSet::new())).1.insert(port);
            }
        }
        for (first, ports) in taken.into_values() {
            let message =
                format!("{} and {} share a network, and both serve {}", first.name, service.name, listed(&ports));
            findings.push(
                Finding::warning(Code::PortTaken, message)
                    .at(service.span)
                    .also(first.span, "the other one")
                    .help("the second one cannot bind it: let it serve another port"),
            );
        }
    }
}

/// Whose network a service shares: another service's, or none's, which is the host's; none where it has its own.
fn owner(service: &Service) -> Option<Option<&ServiceName>> {
    match service.network_mode.as_ref().map(|mode| &mode.value)? {
        NetworkMode::Host => Some(None),
        NetworkMode::Service(owner) => Some(Some(owner)),
        _ => None,
    }
}

/// The first few of some ports.
fn listed(ports: &BTreeSet<u16>) -> String {
    let first: Vec<String> = ports.iter().take(5).map(u16::to_string).collect();
    match ports.len() - first.len() {
        0 if first.len() == 1 => format!("port {}", first[0]),
        0 => format!("ports {}", first.join(", ")),
        more => format!("ports {} and {more} more", first.join(", ")),
    }
}

/// Every port of services that can publish.
fn published(project: &Project) -> impl Iterator<Item = (&Service, &Spanned<Port>)> {
    let able = project.services.values().filter(|s| {
        s.network_mode.as_ref().is_none_or(|m| matches!(m.value, NetworkMode::Bridge | NetworkMode::Other(_)))
    });
    able.flat_map(|s| s.ports.iter().map(move |p| (s, p)))
}

//! Published ports.

use std::net::IpAddr;

use crate::compose::model::{NetworkMode, Port, Project, Service};
use crate::finding::{Code, Finding, Findings};
use crate::name::ServiceName;
use crate::source::Spanned;

/// P16: one host port for two services.
pub(super) fn check_unique(project: &Project, findings: &mut Findings) {
    let all: Vec<(&Service, &Spanned<Port>)> = published(project)
        .filter(|(_, p)| p.published.is_some_and(|(first, last)| first == last && first > 0))
        .collect();
    for (i, (service, port)) in all.iter().enumerate() {
        let meets = |other: &Port| {
            other.published == port.published
                && other.protocol == port.protocol
                && addresses_meet(other.host_ip, port.host_ip)
        };
        let Some((first, earlier)) = all[..i].iter().find(|(_, p)| meets(p)) else { continue };
        if first.name == service.name && earlier.value == port.value {
            continue; // the same line twice says the same thing once
        }
        let number = port.published.map_or(0, |(n, _)| n);
        findings.push(
            Finding::error(Code::PortTaken, format!("port {number}/{} of the host is published twice", port.protocol))
                .at(port.span)
                .label(format!("{} publishes it here", service.name))
                .also(earlier.span, format!("{} publishes it here", first.name))
                .help("give one of them another host port, or bind each to an address of its own"),
        );
    }
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
    let mut seen: Vec<(Option<&ServiceName>, &Service)> = vec![];
    for service in project.services.values() {
        let owner = match service.network_mode.as_ref().map(|m| &m.value) {
            Some(NetworkMode::Host) => None,
            Some(NetworkMode::Service(owner)) => Some(owner),
            _ => continue,
        };
        for &(target, protocol) in &service.expose {
            let other = seen.iter().find(|(o, s)| *o == owner && s.expose.contains(&(target, protocol)));
            let owner_too = owner.and_then(|o| project.services.get(o)).filter(|s| {
                s.expose.contains(&(target, protocol))
                    || s.ports.iter().any(|p| p.target == target && p.protocol == protocol)
            });
            if let Some(first) = other.map(|(_, s)| *s).or(owner_too) {
                findings.push(
                    Finding::warning(
                        Code::PortTaken,
                        format!("{} and {} share a network, and both serve port {target}", first.name, service.name),
                    )
                    .at(service.span)
                    .also(first.span, "the other one")
                    .help("the second one cannot bind it: let it serve another port"),
                );
            }
        }
        seen.push((owner, service));
    }
}

/// Every port of services that can publish.
fn published(project: &Project) -> impl Iterator<Item = (&Service, &Spanned<Port>)> {
    let able = project.services.values().filter(|s| {
        s.network_mode.as_ref().is_none_or(|m| matches!(m.value, NetworkMode::Bridge | NetworkMode::Other(_)))
    });
    able.flat_map(|s| s.ports.iter().map(move |p| (s, p)))
}

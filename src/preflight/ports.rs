//! Host ports: which container or process holds one that a service publishes.

use std::net::IpAddr;

use super::Scene;
use super::host::Listener;
use crate::compose::model::{Port, Service};
use crate::finding::{Code, Finding, Findings};
use crate::name::Protocol;
use crate::source::Spanned;
use crate::state::observed::BoundPort;

/// P13: a host port that a container outside the project publishes.
pub(super) fn check_ports_of_containers(scene: Scene<'_>, findings: &mut Findings) {
    for (service, port, published) in fixed_ports(scene) {
        let meets = |b: &BoundPort| {
            b.protocol == port.protocol && b.published == published && addresses_meet(port.host_ip, b.host_ip)
        };
        let Some(other) = scene.observed.others.iter().find(|o| o.bound.iter().any(meets)) else { continue };
        let owner = other.project.as_ref().map_or(String::new(), |p| format!(" of project {p}"));
        findings.push(taken(
            scene,
            service,
            port,
            published,
            &format!("container `{}`{owner}, {}", other.name, other.status.to_lowercase()),
        ));
    }
}

/// P14: a host port that a process of the host listens on, even on 127.0.0.1 alone.
pub(super) fn check_ports_of_processes(scene: Scene<'_>, findings: &mut Findings) {
    let Some(listeners) = &scene.host.listeners else { return };
    for (service, port, published) in fixed_ports(scene) {
        let meets = |l: &&Listener| {
            l.port == published && l.protocol == port.protocol && addresses_meet(port.host_ip, l.address)
        };
        if is_published_by_a_container(scene, port.protocol, published) {
            continue;
        }
        let Some(listener) = listeners.iter().find(meets) else { continue };
        let holder = match &listener.process {
            Some(p) => format!("process `{}` (pid {}) on {}", p.name, p.pid, listener.address),
            None => format!("a process that listens on {}", listener.address),
        };
        findings.push(taken(scene, service, port, published, &holder));
    }
}

/// P15: a port published on an address that the host does not have.
pub(super) fn check_host_addresses(scene: Scene<'_>, findings: &mut Findings) {
    let Some(links) = &scene.host.links else { return };
    let has: Vec<IpAddr> = links.iter().flat_map(|l| l.addresses.iter().map(|a| a.addr())).collect();
    for (service, port) in ports(scene) {
        let Some(ip) = port.host_ip.filter(|ip| !ip.is_unspecified() && !ip.is_loopback()) else { continue };
        let family = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
        let may_lack = scene.host.setting(&format!("net.{family}.ip_nonlocal_bind")) == Some(1);
        if may_lack || has.contains(&ip) {
            continue;
        }
        let list: Vec<String> = has.iter().filter(|a| a.is_ipv4() == ip.is_ipv4()).map(ToString::to_string).collect();
        findings.push(
            Finding::error(Code::PortTaken, format!("the host has no address {ip} to publish port {} on", port.target))
                .at(port.span)
                .label(format!("{} publishes there", service.name))
                .help(format!("its addresses are {}", list.join(", "))),
        );
    }
}

/// P17: a port that an Engine without root may not open.
pub(super) fn check_privileged_ports(scene: Scene<'_>, findings: &mut Findings) {
    let first = scene.host.setting("net.ipv4.ip_unprivileged_port_start").unwrap_or(1024);
    if !scene.engine.rootless {
        return;
    }
    for (service, port, published) in fixed_ports(scene).filter(|(_, _, published)| i64::from(*published) < first) {
        let message = format!("an Engine without root may not open port {published}/{} of the host", port.protocol);
        findings.push(
            Finding::error(Code::PortPrivileged, message)
                .at(port.span)
                .label(format!("{} publishes it", service.name))
                .help(format!(
                    "`sysctl -w net.ipv4.ip_unprivileged_port_start={published}` on that host, or port {first} and up"
                )),
        );
    }
}

fn taken(scene: Scene<'_>, service: &Service, port: &Spanned<Port>, published: u16, holder: &str) -> Finding {
    let finding =
        Finding::error(Code::PortTaken, format!("port {published}/{} of the host is held by {holder}", port.protocol))
            .at(port.span)
            .label(format!("{} publishes it", service.name));
    match free_port(scene, port.protocol, published) {
        Some(free) => finding.help(format!("port {free} is free")),
        None => finding.help("publish another port, or end the holder"),
    }
}

/// Every published port of services that have a namespace to publish from.
pub(super) fn ports<'a>(scene: Scene<'a>) -> impl Iterator<Item = (&'a Service, &'a Spanned<Port>)> {
    let with_ports = scene.project.services.values().filter(|s| {
        s.network_mode.as_ref().is_none_or(|m| {
            matches!(m.value, crate::compose::model::NetworkMode::Bridge | crate::compose::model::NetworkMode::Other(_))
        })
    });
    with_ports.flat_map(|s| s.ports.iter().map(move |p| (s, p)))
}

/// Those that name one host port.
fn fixed_ports<'a>(scene: Scene<'a>) -> impl Iterator<Item = (&'a Service, &'a Spanned<Port>, u16)> {
    ports(scene).filter_map(|(s, p)| match p.published {
        Some((first, last)) if first == last && first > 0 => Some((s, p, first)),
        _ => None,
    })
}

/// Whether a binding on `wanted` (none: every address) and one on `held` cannot both be.
fn addresses_meet(wanted: Option<IpAddr>, held: IpAddr) -> bool {
    match wanted {
        None => true,
        Some(w) if w == held => true,
        // a socket on every address of a family meets all of that family; one on `::` may take IPv4 as well
        Some(w) if w.is_unspecified() => w.is_ipv6() || held.is_ipv4() || held.is_unspecified(),
        Some(w) => held.is_unspecified() && (held.is_ipv6() || w.is_ipv4()),
    }
}

fn is_published_by_a_container(scene: Scene<'_>, protocol: Protocol, port: u16) -> bool {
    let is_it = |b: &BoundPort| b.protocol == protocol && b.published == port;
    scene.observed.containers.iter().any(|c| c.bound.iter().any(is_it))
        || scene.observed.others.iter().any(|c| c.bound.iter().any(is_it))
}

/// The next port above `port` that nobody holds and the file does not publish.
fn free_port(scene: Scene<'_>, protocol: Protocol, port: u16) -> Option<u16> {
    let in_file = |n: u16| fixed_ports(scene).any(|(_, p, published)| published == n && p.protocol == protocol);
    let listened = |n: u16| scene.host.listeners.iter().flatten().any(|l| l.port == n && l.protocol == protocol);
    (port.checked_add(1)?..=u16::MAX)
        .find(|&n| !in_file(n) && !listened(n) && !is_published_by_a_container(scene, protocol, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_meets_every_address_of_its_family() {
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        assert!(addresses_meet(None, ip("127.0.0.1")));
        assert!(addresses_meet(Some(ip("127.0.0.1")), ip("0.0.0.0")));
        assert!(addresses_meet(Some(ip("127.0.0.1")), ip("::")), "a socket on :: takes IPv4 as well");
        assert!(addresses_meet(Some(ip("0.0.0.0")), ip("127.0.0.1")));
        assert!(!addresses_meet(Some(ip("127.0.0.1")), ip("10.0.0.1")));
        assert!(!addresses_meet(Some(ip("::1")), ip("0.0.0.0")));
    }
}

//! Firewalls of the Engine's host: what the Engine was told of its own, and what another one does to what passes.

use super::Scene;
use crate::compose::model::Network;
use crate::finding::{Code, Finding, Findings};

/// P48: a chain of somebody else that drops what is forwarded. A packet has to be let pass by every chain at the hook; the Engine's
/// rules stand in its own.
pub(super) fn check_forward_policy(scene: Scene<'_>, findings: &mut Findings) {
    let Some(network) = bridges(scene).find(|network| !network.internal) else { return };
    // with nftables the Engine has tables of its own, and lets the old one be
    let by_iptables = scene.engine.firewall.as_deref() != Some("nftables") && !is_off(scene, "iptables");
    let is_engines = |chain: &&super::host::Chain| {
        let old = by_iptables && chain.family.starts_with("ip") && chain.table == "filter" && chain.name == "FORWARD";
        old || chain.table.starts_with("docker-")
    };
    let Some(chain) = scene.host.forward_drops.iter().find(|chain| !is_engines(chain)) else { return };
    let place = format!("chain {} of table {} {}", chain.name, chain.family, chain.table);
    let message = format!(
        "a firewall of the Engine's host drops what it is not told to forward ({place}): network {} may reach nothing outside, and nothing its ports",
        network.key
    );
    findings.push(
        Finding::warning(Code::HostFirewall, message)
            .maybe_at(network.span)
            .help("let pass there what comes from and goes to the Engine's bridges, and see by `bowline verify`"),
    );
}

/// P48: an Engine that makes no firewall rules. Nothing parts its networks then (rule R3a of the matrix), and nothing translates addresses.
pub(super) fn check_rules_switched_off(scene: Scene<'_>, findings: &mut Findings) {
    let v6 = |network: &Network| network.enable_ipv6 == Some(true);
    let off = [("iptables", bridges(scene).next()), ("ip6tables", bridges(scene).find(|network| v6(network)))];
    for (option, network) in off {
        let Some(network) = network.filter(|_| is_off(scene, option)) else { continue };
        let message = format!(
            "the Engine makes no firewall rules (`{option}: false`): network {} is parted from no other, its ports lead nowhere without docker-proxy, and it has no way out",
            network.key
        );
        findings.push(Finding::warning(Code::HostFirewall, message).maybe_at(network.span).help(format!(
            "take `{option}: false` out of the Engine's daemon.json or command line, or make the rules by hand"
        )));
    }
}

/// P49: an Engine that lets machines outside come to containers by their own addresses, past `ports`.
pub(super) fn check_direct_routing(scene: Scene<'_>, findings: &mut Findings) {
    let Some(network) = bridges(scene).find(|network| !network.internal) else { return };
    if scene.host.daemon.get("allow-direct-routing").is_some_and(|said| said == "true") {
        let message = format!(
            "the Engine lets whoever has a route to network {} reach every port in it, published or not (`allow-direct-routing`)",
            network.key
        );
        findings.push(Finding::note(Code::HostFirewall, message).maybe_at(network.span).help(
            "`internal: true` keeps a network to itself; `x-verify: {deny: ['outside -> …']}` proves it of a port",
        ));
    }
}

/// P49: a port at an address that only docker-proxy answers at, on an Engine without it.
pub(super) fn check_proxy(scene: Scene<'_>, findings: &mut Findings) {
    if !is_off(scene, "userland-proxy") {
        return;
    }
    for (service, port) in super::ports::ports(scene) {
        let Some(ip) = port.host_ip.filter(|ip| ip.is_ipv6() && ip.is_loopback()) else { continue };
        let message = format!(
            "port {} of {} does not answer at {ip}: the Engine runs without docker-proxy",
            port.target, service.name
        );
        findings.push(
            Finding::warning(Code::PortsDiscarded, message)
                .at(port.span)
                .help("publish it at 127.0.0.1, or take `userland-proxy: false` out of the Engine's daemon.json"),
        );
    }
}

fn is_off(scene: Scene<'_>, option: &str) -> bool {
    scene.host.daemon.get(option).is_some_and(|said| said == "false")
}

/// The bridges that the file makes.
pub(super) fn bridges<'a>(scene: Scene<'a>) -> impl Iterator<Item = &'a Network> {
    scene.project.networks.values().filter(|network| !network.external && network.driver_name() == "bridge")
}

//! What the host's kernel cannot do, or is told not to.

use super::Scene;
use super::firewall::bridges;
use crate::finding::{Code, Finding, Findings};

/// Whether containers of one bridge reach each other.
const ENABLE_ICC: &str = "com.docker.network.bridge.enable_icc";

/// P33: a macvlan, ipvlan or VLAN network on a kernel without such links. The Engine takes the network, and the first container
/// on it fails with `operation not supported`.
pub(super) fn check_kinds(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values().filter(|n| !n.external) {
        let driver = network.driver_name();
        if !matches!(driver, "macvlan" | "ipvlan") {
            continue;
        }
        let lacks = |kind: &str| scene.host.kinds.get(kind) == Some(&false);
        let parent = network.driver_opts.get("parent");
        // a VLAN that is there already need not be made
        let sub_interface = parent.filter(|p| {
            let is_vlan = p.value.contains('.') || !network.trunk.own_links().is_empty();
            is_vlan && scene.host.link(&p.value).is_none()
        });
        let (kind, module, at) = if lacks(driver) {
            (driver, driver, network.driver.as_ref().map(|d| d.span).or(network.span))
        } else if let Some(parent) = sub_interface.filter(|_| lacks("vlan")) {
            ("vlan", "8021q", Some(parent.span))
        } else {
            continue;
        };
        let message =
            format!("the kernel of the Engine's host has no {} links, which network {} needs", kind, network.key);
        findings.push(
            Finding::error(Code::DriverMissing, message)
                .maybe_at(at)
                .help(format!("`modprobe {module}` on the Engine's host, if its kernel has the module")),
        );
    }
}

/// P48: packets are not forwarded, so that nothing gets in or out of a bridge; or a firewall that does not see them.
pub(super) fn check_forwarding(scene: Scene<'_>, findings: &mut Findings) {
    let open = || bridges(scene).filter(|network| !network.internal);
    if scene.host.setting("net.ipv4.ip_forward") == Some(0)
        && let Some(network) = open().next()
    {
        let message = format!(
            "net.ipv4.ip_forward is 0 on the Engine's host: network {} reaches nothing outside, and nothing reaches its ports",
            network.key
        );
        findings.push(
            Finding::warning(Code::KernelSetting, message)
                .maybe_at(network.span)
                .help("`sysctl -w net.ipv4.ip_forward=1` on the Engine's host; the Engine sets it when it starts"),
        );
    }
    let closed = open().find(|n| n.driver_opts.get(ENABLE_ICC).is_some_and(|v| v.value == "false"));
    if scene.host.setting("net.bridge.bridge-nf-call-iptables") == Some(0)
        && let Some(network) = closed
    {
        let message = format!(
            "net.bridge.bridge-nf-call-iptables is 0 on the Engine's host: `enable_icc: false` of network {} parts nobody",
            network.key
        );
        findings.push(
            Finding::warning(Code::KernelSetting, message)
                .maybe_at(network.driver_opts.get(ENABLE_ICC).map(|v| v.span))
                .help("`sysctl -w net.bridge.bridge-nf-call-iptables=1` on the Engine's host"),
        );
    }
}

/// P47: IPv6 where the kernel has it switched off, or where an Engine before 27 would have to choose the subnet.
pub(super) fn check_ipv6(scene: Scene<'_>, findings: &mut Findings) {
    let off = scene.host.setting("net.ipv6.conf.all.disable_ipv6") == Some(1);
    for network in scene.project.networks.values().filter(|n| !n.external && n.enable_ipv6 == Some(true)) {
        let subnet = network.ipam.pools.iter().filter_map(|p| p.subnet.as_ref()).any(|s| s.value.addr().is_ipv6());
        if off {
            let message = format!("IPv6 is switched off on the Engine's host, and network {} asks for it", network.key);
            findings.push(
                Finding::warning(Code::NoIpv6, message)
                    .maybe_at(network.span)
                    .help("`sysctl -w net.ipv6.conf.all.disable_ipv6=0` on the Engine's host"),
            );
        }
        if !subnet && (1..27).contains(&scene.engine.major()) {
            let message = format!(
                "network {} asks for IPv6 without a subnet, and Engine {} chooses none",
                network.key, scene.engine.version
            );
            findings.push(
                Finding::error(Code::NoIpv6, message).maybe_at(network.span).help(
                    "add one: `ipam: {config: [{subnet: fd00:1::/64}]}`; Engines from 27 on choose by themselves",
                ),
            );
        }
    }
}

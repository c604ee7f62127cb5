//! What a trunk says of its wire and nobody sets: how long packets are, and whether the parent takes frames for others.

use super::Scene;
use super::host::HostLink;
use crate::compose::model::Network;
use crate::finding::{Code, Finding, Findings};

/// An `mtu` that the parent does not have. The Engine gives each child that of its parent, whatever its options say.
pub(super) fn check_mtu(scene: Scene<'_>, findings: &mut Findings) {
    let mut told: Vec<&str> = vec![];
    for network in riders(scene) {
        if network.trunk.vlan.as_ref().is_some_and(|vlan| vlan.mtu.is_some()) {
            continue; // its VLAN has one of its own
        }
        let Some((mtu, link)) = network.trunk.mtu.zip(carrier(scene, network)) else { continue };
        if link.mtu == 0 || link.mtu == mtu.value || told.contains(&link.name.as_str()) {
            continue;
        }
        told.push(&link.name);
        let message = format!(
            "x-trunks.{} has packets of {} bytes, and `{}` takes {}, which its children have from it",
            network.trunk.name, mtu.value, link.name, link.mtu
        );
        let help =
            format!("`ip link set {} mtu {}` on the Engine's host, or write `mtu: {}`", link.name, mtu.value, link.mtu);
        findings.push(Finding::error(Code::BadMtu, message).at(mtu.span).help(help));
    }
}

/// A parent that somebody has set to take every frame where the file says `off`, or that takes its own only where it says `on`. The
/// kernel may still do the latter by itself, with the first child.
pub(super) fn check_promiscuous(scene: Scene<'_>, findings: &mut Findings) {
    let mut told: Vec<&str> = vec![];
    for network in riders(scene) {
        let Some((wanted, link)) = network.trunk.promisc.zip(scene.host.link(&network.trunk.parent)) else { continue };
        if told.contains(&network.trunk.name.as_str()) {
            continue;
        }
        told.push(&network.trunk.name);
        let (what, way) = match wanted.value {
            true if link.promiscuity == 0 && !link.promiscuous => ("takes frames for itself alone", "on"),
            false if link.promiscuous => ("is set to take every frame", "off"),
            _ => continue,
        };
        let message = format!("`{}` {what}, and x-trunks.{} says `promisc: {way}`", link.name, network.trunk.name);
        let help = format!("`ip link set {} promisc {way}` on the Engine's host, or `promisc: auto`", link.name);
        findings.push(Finding::warning(Code::ParentPromiscuous, message).at(wanted.span).help(help));
    }
}

/// The networks that ride on a trunk.
fn riders<'a>(scene: Scene<'a>) -> impl Iterator<Item = &'a Network> {
    scene.project.networks.values().filter(|network| !network.external && !network.trunk.name.is_empty())
}

/// The link that a network's children get their MTU from: its VLAN's, or the parent of that where the Engine will make it.
fn carrier<'a>(scene: Scene<'a>, network: &Network) -> Option<&'a HostLink> {
    let own = network.driver_opts.get("parent").and_then(|parent| scene.host.link(&parent.value));
    own.or_else(|| scene.host.link(&network.trunk.parent))
}

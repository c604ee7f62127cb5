//! VLAN links that are to be made: by the Engine, named `parent.id`, and by bowline, where a trunk asks for more.

use super::Scene;
use super::host::HostLink;
use super::parents::{parents, sub_interface};
use crate::compose::model::{Network, TagProtocol, VlanLink};
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::state::shim::label_of;

/// A link that has the name of one of ours and is not: it is left as it is, and taken if it is as asked for.
pub(super) fn check_own_links(scene: Scene<'_>, findings: &mut Findings) {
    for (network, link, at) in own_links(scene) {
        let Some(found) = scene.host.link(&link.name).filter(|found| !is_ours(scene, found)) else { continue };
        let says = match (found.vlan, &found.parent, found.protocol) {
            (None, ..) => format!("is no VLAN but {}", if found.kind.is_empty() { "hardware" } else { &found.kind }),
            (Some(vlan), ..) if vlan != link.id => format!("carries VLAN {vlan}"),
            (_, Some(on), _) if *on != link.parent => format!("is a VLAN of `{on}`"),
            (_, _, Some(protocol)) if protocol != link.protocol => format!("has tags of {protocol}"),
            _ if link.mtu.is_some_and(|mtu| mtu != found.mtu) => format!("has packets of {} bytes", found.mtu),
            _ if !found.up => "is down".to_owned(),
            _ => continue,
        };
        let message =
            format!("`{}` for network {} is there, was not made by bowline, and {says}", link.name, network.key);
        let help = match found.vlan {
            Some(_) if hung_on(scene, &link.name) => {
                "`bowline down` first, by which the Engine takes its own away".to_owned()
            }
            _ => format!("`ip link del {}`, or give the VLAN's link another `name`", link.name),
        };
        findings.push(Finding::error(Code::BadVlan, message).at(at).help(help));
    }
}

/// A VLAN whose link is there under another name: the kernel has one for each VLAN of a parent, and answers `file exists`.
pub(super) fn check_taken(scene: Scene<'_>, findings: &mut Findings) {
    let plain = parents(scene.project).filter(|(network, _)| network.trunk.own_links().is_empty());
    let plain = plain.filter_map(|(network, parent)| {
        let (base, id) = sub_interface(&parent.value)?;
        let (name, parent_name, id) = (parent.value.clone(), base.to_owned(), id.parse().ok()?);
        let link = VlanLink { name, parent: parent_name, id, protocol: TagProtocol::Customer, mtu: None };
        Some((network, link, parent.span))
    });
    for (network, link, at) in own_links(scene).into_iter().chain(plain) {
        if scene.host.link(&link.name).is_some() {
            continue; // `check_own_links` and `check_vlan_link` tell
        }
        let same = |other: &&HostLink| {
            let is_it = other.vlan == Some(link.id) && other.parent.as_ref() == Some(&link.parent);
            is_it && other.protocol.is_none_or(|protocol| protocol == link.protocol)
        };
        let Some(found) = scene.host.links.iter().flatten().find(same) else { continue };
        // ours goes with the plan, the Engine's with its network
        if is_ours(scene, found) || hung_on(scene, &found.name) {
            continue;
        }
        let message = format!(
            "{} {} of `{}`, which network {} needs, is there as `{}`, and has one link only",
            if link.protocol == TagProtocol::Customer { "VLAN" } else { "VLAN of 802.1ad" },
            link.id,
            link.parent,
            network.key,
            found.name
        );
        let help = match network.trunk.name.is_empty() {
            true => format!("`parent: {}`, or `ip link del {}` on the Engine's host", found.name, found.name),
            false => format!("`{}: {{id: {}, name: {}}}` takes it as it is", network.key, link.id, found.name),
        };
        findings.push(Finding::error(Code::BadVlan, message).at(at).help(help));
    }
}

/// A VLAN whose packets are longer than its parent's, which the kernel refuses.
pub(super) fn check_mtu(scene: Scene<'_>, findings: &mut Findings) {
    for (network, link, _) in own_links(scene) {
        let wanted = network.trunk.vlan.as_ref().and_then(|vlan| vlan.mtu);
        let card = scene.host.link(&network.trunk.parent);
        let (Some(mtu), Some(wanted), Some(card)) = (link.mtu, wanted, card) else { continue };
        if card.mtu == 0 || mtu <= card.mtu {
            continue;
        }
        let message = format!(
            "VLAN {} of `{}` cannot have packets of {mtu} bytes: those of `{}` have {}",
            link.id, link.parent, card.name, card.mtu
        );
        let help = format!("`ip link set {} mtu {mtu}` on the Engine's host, or `mtu: {}`", card.name, card.mtu);
        findings.push(Finding::error(Code::BadMtu, message).at(wanted.span).help(help));
    }
}

/// The links that bowline makes, with the network that asks for each and where.
fn own_links(scene: Scene<'_>) -> Vec<(&Network, VlanLink, Span)> {
    let networks = scene.project.networks.values().filter(|network| !network.external);
    let links = networks.flat_map(|network| network.trunk.own_links().into_iter().map(move |link| (network, link)));
    links.filter_map(|(network, link)| Some((network, link, network.trunk.vlan.as_ref()?.span))).collect()
}

/// Whether bowline made a link for this project.
fn is_ours(scene: Scene<'_>, link: &HostLink) -> bool {
    link.label.starts_with(&label_of(&scene.project.name))
}

/// Whether a network of the project that is there hangs on a link.
fn hung_on(scene: Scene<'_>, link: &str) -> bool {
    let mut own = scene.observed.networks.iter().filter(|network| network.belongs_to(&scene.project.name));
    own.any(|network| network.options.get("parent").is_some_and(|parent| parent == link))
}

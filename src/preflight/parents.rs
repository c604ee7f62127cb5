//! The parents of macvlan and ipvlan networks.

use super::Scene;
use super::host::HostLink;
use crate::compose::model::{Network, Project, another_vlan};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::source::Spanned;

/// P27, P29, P30: a parent that is not there, is down, or is a port of another link.
pub(super) fn check_parent_link(scene: Scene<'_>, findings: &mut Findings) {
    let Some(links) = &scene.host.links else { return };
    for (network, parent) in parents(scene.project) {
        let link = scene.host.link(&parent.value);
        if parent.value.len() > 15 {
            continue; // no link can have the name, which was told of the file alone
        }
        if link.is_none() && made_on(scene, network) == Some(&parent.value) {
            continue; // its network is there: `check_parent_gone` tells
        }
        let is_ours = !network.trunk.own_links().is_empty();
        let base = base_of(network, parent);
        if let Some(card) = scene.host.link(base).filter(|_| link.is_none() && base != parent.value) {
            // `eth0.10` can be made where `eth0` is there and up
            if !card.up {
                let message =
                    format!("`{base}` is down, and a VLAN link on it for network {} cannot be set up", network.key);
                let finding = Finding::error(Code::ParentDown, message).at(parent.span);
                findings.push(finding.help(format!("`ip link set {base} up` on the Engine's host")));
            }
            continue;
        }
        let finding = match link {
            None => {
                let known = links.iter().map(|l| l.name.as_str()).filter(|n| *n != "lo" && !n.starts_with("veth"));
                let missing = if is_ours { base } else { &parent.value };
                let near = nearest(missing, known).or(scene.host.default_link());
                let message = format!("the host has no link `{missing}` for network {} to hang on", network.key);
                let finding = Finding::error(Code::ParentMissing, message);
                match near {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("`ip link` on the Engine's host lists what there is"),
                }
            }
            Some(link) if link.master.is_some() && network.driver_name() == "macvlan" => {
                let master = link.master.as_deref().unwrap_or_default();
                let message = format!("`{}` is a port of `{master}`, and cannot be a parent besides", parent.value);
                Finding::error(Code::ParentBusy, message).help(format!("hang network {} on `{master}`", network.key))
            }
            Some(link) if !link.up => {
                let message = format!("`{}` is down: nothing on network {} will be reached", parent.value, network.key);
                Finding::warning(Code::ParentDown, message).help(format!("`ip link set {} up`", parent.value))
            }
            Some(link) if !link.carrier => {
                let message =
                    format!("`{}` has no carrier: nothing on network {} will be reached", parent.value, network.key);
                let help = "nobody is at its other end: look at the cable, the switch, the ports of the bridge";
                Finding::warning(Code::ParentDown, message).help(help)
            }
            Some(_) => continue,
        };
        findings.push(finding.at(parent.span));
    }
}

/// P28: a network that is there, the stack's own or another's, whose parent went away since. The Engine says so when the first
/// container on it starts.
pub(super) fn check_parent_gone(scene: Scene<'_>, findings: &mut Findings) {
    if scene.host.links.is_none() {
        return;
    }
    for network in scene.project.networks.values() {
        let declared = network.driver_opts.get("parent").filter(|_| !network.external);
        if declared.is_some() && !network.trunk.own_links().is_empty() {
            continue; // a link of our own is made again, and the network with it
        }
        let Some(parent) = made_on(scene, network).filter(|parent| scene.host.link(parent).is_none()) else { continue };
        if !network.external && declared.is_none_or(|declared| declared.value != *parent) {
            continue; // it is made anew, on another parent
        }
        let message =
            format!("network {} is there, and its parent `{parent}` is gone: nothing on it starts", network.key);
        let help = match sub_interface(parent).filter(|(base, _)| scene.host.link(base).is_some()) {
            Some((base, id)) => format!(
                "`ip link add link {base} name {parent} type vlan id {id} && ip link set {parent} up` on the Engine's host"
            ),
            None => format!("bring `{parent}` back on the Engine's host, or `docker network rm {}`", network.name),
        };
        let at = declared.map(|declared| declared.span).or(network.span);
        findings.push(Finding::error(Code::ParentMissing, message).maybe_at(at).help(help));
    }
}

/// The parent that the Engine's network of this name was made on. Where none was given, the Engine makes one of its own.
fn made_on<'a>(scene: Scene<'a>, network: &Network) -> Option<&'a String> {
    let found = scene.observed.networks.iter().find(|other| other.name == network.name)?;
    let parent = found.options.get("parent").filter(|_| matches!(found.driver.as_str(), "macvlan" | "ipvlan"));
    parent.filter(|parent| !parent.is_empty() && !parent.starts_with("dm-"))
}

/// P38: a parent that another network of the Engine uses. Engines up to 26 refuse a second macvlan network on it with a message
/// that names a phantom, later ones take it, and both networks share one wire; ipvlan is refused by all.
pub(super) fn check_parent_shared(scene: Scene<'_>, findings: &mut Findings) {
    let engine = scene.engine;
    for (network, parent) in parents(scene.project) {
        let user = scene.observed.networks.iter().find(|o| {
            o.name != network.name
                && matches!(o.driver.as_str(), "macvlan" | "ipvlan")
                && o.options.get("parent") == Some(&parent.value)
        });
        let Some(user) = user else { continue };
        let owner = user.project().map_or(String::new(), |p| format!(" of project {p}"));
        let refused = engine.major() <= 26 || network.driver_name() == "ipvlan" || user.driver != network.driver_name();
        let message = format!("parent `{}` already carries network `{}`{owner}", parent.value, user.name);
        let finding = if refused {
            Finding::error(Code::ParentShared, format!("{message}, and Engine {} takes one only", engine.version))
        } else {
            Finding::warning(Code::ParentShared, format!("{message}: the two share one wire"))
        };
        let help = format!("give each a VLAN of its own: `parent: {}`", another_vlan(&parent.value));
        findings.push(finding.at(parent.span).help(help));
    }
}

/// P31: a parent that carries children of the other kind already; the Engine says `device or resource busy` when the first container
/// starts.
pub(super) fn check_parent_children(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project) {
        let other = if network.driver_name() == "macvlan" { "ipvlan" } else { "macvlan" };
        let is_child = |l: &&HostLink| l.kind.starts_with(other) && l.parent.as_ref() == Some(&parent.value);
        let Some(child) = scene.host.links.iter().flatten().find(is_child) else { continue };
        let message = format!(
            "`{}` carries the {other} link `{}`, and takes one kind of children only",
            parent.value, child.name
        );
        let help = format!("`ip link del {}`, or `driver: {other}`", child.name);
        findings.push(Finding::error(Code::ParentBusy, message).at(parent.span).help(help));
    }
}

/// P39: a wireless parent. Access points take frames of the MAC that signed on, and no others.
pub(super) fn check_parent_wireless(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project).filter(|(network, _)| network.driver_name() == "macvlan") {
        let base = base_of(network, parent);
        if scene.host.link(base).is_some_and(|link| link.wireless) {
            let message =
                format!("`{base}` is wireless: most access points drop the frames of network {}", network.key);
            let help = "`driver: ipvlan` keeps the parent's MAC";
            findings.push(Finding::warning(Code::ParentWireless, message).at(parent.span).help(help));
        }
    }
}

/// Who rents or makes machines whose network cards drop frames of other MACs, by the SMBIOS words of vendor and product.
const FILTERING: &[(&str, &str, &str)] = &[
    ("Amazon EC2", "", "Amazon EC2"),
    ("Google", "Google Compute Engine", "Google Compute Engine"),
    ("Microsoft Corporation", "Virtual Machine", "Hyper-V or Azure"),
    ("VMware", "", "VMware"),
    ("innotek", "VirtualBox", "VirtualBox"),
    ("DigitalOcean", "", "DigitalOcean"),
    ("Hetzner", "vServer", "Hetzner Cloud"),
    ("OpenStack", "", "OpenStack"),
];

/// P39: a machine whose network card is another machine's, which drops frames from MACs that it did not give out itself.
pub(super) fn check_parent_filtered(scene: Scene<'_>, findings: &mut Findings) {
    let (vendor, product) = &scene.host.machine;
    let is_it = |(by, what, _): &&(&str, &str, &str)| vendor.starts_with(by) && product.starts_with(what);
    let Some((_, _, name)) = FILTERING.iter().find(is_it) else { return };
    for (network, parent) in parents(scene.project).filter(|(network, _)| network.driver_name() == "macvlan") {
        let base = base_of(network, parent);
        if scene.host.link(base).is_some_and(|link| link.kind.is_empty()) {
            let message = format!(
                "the Engine's host is a machine of {name}: its network drops frames of the MACs of network {}, unless it is told to take them",
                network.key
            );
            let help = "`driver: ipvlan` keeps the parent's MAC; or allow forged and promiscuous MACs on that port";
            findings.push(Finding::warning(Code::ParentFiltered, message).at(parent.span).help(help));
        }
    }
}

/// P37: a link that has the name of a VLAN and is another one. The Engine takes what has the name.
pub(super) fn check_vlan_link(scene: Scene<'_>, findings: &mut Findings) {
    for (network, parent) in parents(scene.project).filter(|(network, _)| network.trunk.own_links().is_empty()) {
        let Some((base, id)) = sub_interface(&parent.value) else { continue };
        let Some(link) = scene.host.link(&parent.value) else { continue };
        let found = match (link.vlan, &link.parent) {
            (None, _) => format!("is no VLAN but {}", if link.kind.is_empty() { "hardware" } else { &link.kind }),
            (Some(vlan), _) if vlan.to_string() != id => format!("carries VLAN {vlan}"),
            (_, Some(on)) if on != base => format!("is a VLAN of `{on}`"),
            _ => continue,
        };
        let message = format!("`{}`, the parent of network {}, {found}", parent.value, network.key);
        let help = format!(
            "`ip link del {}` and the Engine makes VLAN {id} of {base}, or name the parent that is meant",
            parent.value
        );
        findings.push(Finding::error(Code::BadVlan, message).at(parent.span).help(help));
    }
}

/// The macvlan and ipvlan networks that the file makes, with their parents.
pub(super) fn parents(project: &Project) -> impl Iterator<Item = (&Network, &Spanned<String>)> {
    let made = project.networks.values().filter(|n| !n.external);
    let wired = made.filter(|n| matches!(n.driver_name(), "macvlan" | "ipvlan"));
    wired.filter_map(|n| n.driver_opts.get("parent").map(|p| (n, p)))
}

/// `eth0.10` as `("eth0", "10")`.
pub(super) fn sub_interface(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(base, id)| !base.is_empty() && id.parse::<u16>().is_ok())
}

/// The card that a network's frames go by: below its VLANs, if it has any.
fn base_of<'a>(network: &'a Network, parent: &'a Spanned<String>) -> &'a str {
    if network.trunk.vlan.is_some() {
        return &network.trunk.parent;
    }
    sub_interface(&parent.value).map_or(parent.value.as_str(), |(base, _)| base)
}

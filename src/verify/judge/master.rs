//! What a link hangs on in the host, and whose namespace it is: numbers of links compared, never their names.

use super::desk::{Desk, Step, both, unproved};
use super::link::{endpoint, find};
use crate::compose::model::VlanLink;
use crate::name::Replica;
use crate::probe::Link;
use crate::state::observed::ObservedEndpoint;
use crate::verify::check::{Container, Verdict, Why};
use crate::verify::derive::a;
use crate::verify::scene::Vantage;

/// The container's link on a wire and the host's links.
fn pair<'a>(desk: &mut Desk<'a>, replica: &Replica, wire: &str) -> Step<(&'a Link, &'a [Link], &'a ObservedEndpoint)> {
    let at = desk.stand(replica)?;
    let endpoint = endpoint(desk, replica, wire)?;
    let inside = find(desk, &at, endpoint);
    let ((link, _), host) = both(inside, desk.links(&Vantage::Host))?;
    match link {
        Some(link) => Ok((link, host, endpoint)),
        None => unproved(Why::NotSeen(format!(
            "no link of {} has its address on {}",
            desk.scene.called(replica),
            desk.scene.wire_label(wire)
        ))),
    }
}

/// What a link is to hang on, and how.
pub(super) struct Parent<'c> {
    /// The host's link.
    pub(super) name: &'c str,
    /// `macvlan` or `ipvlan`.
    pub(super) kind: &'c str,
    /// Its mode.
    pub(super) mode: &'c str,
    /// The VLAN links that bowline makes, the outer one first.
    pub(super) links: &'c [VlanLink],
}

pub(super) fn parent(desk: &mut Desk<'_>, replica: &Replica, wire: &str, wanted: &Parent<'_>) -> Step<Verdict> {
    let Parent { name: parent, kind, mode, links } = *wanted;
    let (link, host, _) = pair(desk, replica, wire)?;
    let expected = format!("{} child of {parent}", a(kind));
    let Some(declared) = host.iter().find(|l| l.name == parent) else {
        return Ok(Verdict::refuted(expected, format!("the host has no link {parent}"))
            .help("make the parent, then restart the container"));
    };
    if link.kind.as_deref() != Some(kind) {
        let found = format!("{} is of kind {}", link.name, link.kind.as_deref().unwrap_or("none"));
        return Ok(Verdict::refuted(expected, found));
    }
    // the number is the host's only where the kernel says that it belongs to another namespace
    if link.parent_namespace.is_none() || link.parent != Some(declared.index) {
        let on = link.parent.and_then(|index| host.iter().find(|l| l.index == index));
        let on = on.map_or("another link".to_owned(), |l| l.name.clone());
        return Ok(Verdict::refuted(expected, format!("{} hangs on {on}", link.name))
            .seen(format!("its parent is link {:?}, {parent} is link {}", link.parent, declared.index)));
    }
    let has = if kind == "macvlan" { &link.macvlan_mode } else { &link.ipvlan_mode };
    if let Some(has) = has.as_ref().filter(|has| has.as_str() != mode) {
        return Ok(Verdict::refuted(format!("mode {mode}"), format!("{} is in mode {has}", link.name)));
    }
    if let Some((wanted, found)) = links.iter().find_map(|wanted| Some((wanted, unlike(wanted, host)?))) {
        let VlanLink { name, parent, id, protocol, .. } = wanted;
        let verdict = Verdict::refuted(format!("{expected}; {name} is VLAN {id} of {parent}, {protocol}"), found);
        return Ok(verdict.help("`bowline up` makes it anew, with the network on it"));
    }
    if let Some(other) = other_vlan(declared, host).filter(|_| links.is_empty()) {
        let help = format!("take everything off {parent} and the link away: the Engine makes it by its name");
        return Ok(Verdict::refuted(format!("{expected}, a VLAN by its name"), other).help(help));
    }
    if !declared.up {
        return Ok(Verdict::refuted(format!("{expected} that carries"), format!("{parent} is down"))
            .help(format!("ip link set {parent} up")));
    }
    let (name, index) = (&link.name, declared.index);
    let tags: Vec<String> = links.iter().rev().map(|link| format!("VLAN {} ({})", link.id, link.protocol)).collect();
    let vlan = match tags.is_empty() {
        true => declared.vlan.map_or(String::new(), |id| format!(", VLAN {id}")),
        false => format!(", {}", tags.join(" within ")),
    };
    Ok(Verdict::Proved(vec![format!("{name} is {} ({mode}) on the host's link {index}, {parent}{vlan}", a(kind))]))
}

/// How a VLAN link of our own is not as declared.
fn unlike(wanted: &VlanLink, host: &[Link]) -> Option<String> {
    let Some(link) = host.iter().find(|link| link.name == wanted.name) else {
        return Some(format!("the host has no link {}", wanted.name));
    };
    let parent = link.parent.filter(|_| link.parent_namespace.is_none());
    let on = parent.and_then(|index| host.iter().find(|l| l.index == index)).map_or("another link", |on| &on.name);
    let name = &link.name;
    match (link.vlan, link.tag) {
        (None, _) => Some(format!("{name} is no VLAN but {}", a(link.kind.as_deref().unwrap_or("card")))),
        (Some(id), _) if id != wanted.id => Some(format!("{name} carries VLAN {id}")),
        (_, Some(tag)) if tag != wanted.protocol.ethertype() => Some(format!("{name} marks its tags with {tag:#06x}")),
        _ if on != wanted.parent => Some(format!("{name} is a VLAN of {on}")),
        _ if wanted.mtu.is_some_and(|mtu| mtu != link.mtu) => {
            Some(format!("{name} carries packets of {} bytes", link.mtu))
        }
        _ if !link.up => Some(format!("{name} is down")),
        _ => None,
    }
}

/// What a link named as `eth0.10` is, where it is not VLAN 10 of eth0. The Engine takes what has the name.
fn other_vlan(link: &Link, host: &[Link]) -> Option<String> {
    let (base, id) = link.name.split_once('.').and_then(|(base, id)| Some((base, id.parse::<u16>().ok()?)))?;
    let parent = link.parent.filter(|_| link.parent_namespace.is_none());
    let on = parent.and_then(|index| host.iter().find(|l| l.index == index));
    match link.vlan {
        None => Some(format!("{} is no VLAN but {}", link.name, a(link.kind.as_deref().unwrap_or("card")))),
        Some(has) if has != id => Some(format!("{} carries VLAN {has}", link.name)),
        Some(_) => on.filter(|on| on.name != base).map(|on| format!("{} is a VLAN of {}", link.name, on.name)),
    }
}

/// Whether the host's link takes frames for others: set by somebody, or by the kernel for the link's children.
pub(super) fn promiscuous(desk: &mut Desk<'_>, parent: &str, on: bool) -> Step<Verdict> {
    let expected = if on { "it takes frames that are not for it" } else { "nobody has set it to take every frame" };
    let Some(link) = desk.links(&Vantage::Host)?.iter().find(|l| l.name == parent) else {
        return Ok(Verdict::refuted(expected, format!("the host has no link {parent}")));
    };
    let set = link.is_set_promiscuous();
    let found = match (set, link.promiscuity) {
        (true, _) => format!("{parent} is set to take every frame"),
        (false, 0) => format!("{parent} takes frames for itself and its children"),
        (false, 1) => format!("the kernel has {parent} take every frame, as one of its children needs it"),
        (false, count) => format!("the kernel has {parent} take every frame, as {count} of its children need it"),
    };
    Ok(match (on, set || link.promiscuity > 0, set) {
        (true, true, _) | (false, _, false) => Verdict::Proved(vec![found]),
        (true, false, _) => Verdict::refuted(expected, found).help(format!("ip link set {parent} promisc on")),
        (false, _, true) => Verdict::refuted(expected, found).help(format!("ip link set {parent} promisc off")),
    })
}

pub(super) fn bridge_port(desk: &mut Desk<'_>, replica: &Replica, wire: &str, bridge: Option<&str>) -> Step<Verdict> {
    let (link, host, endpoint) = pair(desk, replica, wire)?;
    let name = match (bridge, &endpoint.network) {
        (Some(name), _) => name.to_owned(),
        (None, Some(id)) => format!("br-{}", id.short()),
        (None, None) => return unproved(Why::NotSeen("the Engine does not tell the network's id".to_owned())),
    };
    let expected = format!("a port of {name}");
    if link.kind.as_deref() != Some("veth") || link.parent_namespace.is_none() {
        let found = format!("{} is of kind {}", link.name, link.kind.as_deref().unwrap_or("none"));
        return Ok(Verdict::refuted(expected, found));
    }
    let other = link.parent.and_then(|index| host.iter().find(|l| l.index == index));
    let Some(veth) = other.filter(|veth| veth.parent == Some(link.index)) else {
        return Ok(Verdict::refuted(expected, format!("the other end of {} is not on the host", link.name)));
    };
    let Some(master) = veth.master.and_then(|index| host.iter().find(|l| l.index == index)) else {
        return Ok(Verdict::refuted(expected, format!("{} is a port of no bridge", veth.name))
            .help(format!("ip link set {} master {name}", veth.name)));
    };
    if master.name != name || master.kind.as_deref() != Some("bridge") {
        return Ok(Verdict::refuted(expected, format!("{} is a port of {}", veth.name, master.name)));
    }
    if let Some(down) = [veth, master].into_iter().find(|l| !l.up) {
        return Ok(Verdict::refuted(format!("{expected} that carries"), format!("{} is down", down.name))
            .help(format!("ip link set {} up", down.name)));
    }
    Ok(Verdict::Proved(vec![format!("{} - {} - {name}", link.name, veth.name)]))
}

pub(super) fn only_loopback(desk: &mut Desk<'_>, replica: &Replica) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let (links, addresses) = both(desk.links(&at), desk.addresses(&at))?;
    let stray: Vec<&str> = links.iter().filter(|l| l.up && !l.loopback).map(|l| l.name.as_str()).collect();
    if !stray.is_empty() {
        return Ok(Verdict::refuted("no link but lo", format!("{} is up", stray.join(", "))));
    }
    if let Some(stray) = addresses.iter().find(|a| !a.address.is_loopback()) {
        return Ok(Verdict::refuted("no address but lo's", format!("{} has {}", stray.device, stray.address)));
    }
    // kernels make fallback tunnels (sit0 and the like) in every namespace: they are down
    let down: Vec<&str> = links.iter().filter(|l| !l.up && !l.loopback).map(|l| l.name.as_str()).collect();
    let mut evidence = vec!["lo is the only link that is up".to_owned()];
    if !down.is_empty() {
        evidence.push(format!("down: {}", down.join(", ")));
    }
    Ok(Verdict::Proved(evidence))
}

pub(super) fn host_namespace(desk: &mut Desk<'_>, replica: &Replica) -> Step<Verdict> {
    desk.running(replica)?;
    let at = Vantage::Replica(replica.clone());
    let (inside, host) = both(desk.namespace(&at), desk.namespace(&Vantage::Host))?;
    Ok(if inside.inode == host.inode {
        Verdict::Proved(vec![format!("both are network namespace {}", host.inode)])
    } else {
        Verdict::refuted(
            format!("the host's network namespace, {}", host.inode),
            format!("{} is in {}", desk.scene.called(replica), inside.inode),
        )
    })
}

pub(super) fn shared_namespace(desk: &mut Desk<'_>, replica: &Replica, owner: &Container) -> Step<Verdict> {
    desk.running(replica)?;
    let (whose, name) = match owner {
        Container::Replica(owner) => {
            desk.running(owner)?;
            (Vantage::Replica(owner.clone()), desk.scene.called(owner))
        }
        Container::Named(name) => (Vantage::Named(name.clone()), name.clone()),
    };
    let at = Vantage::Replica(replica.clone());
    let (inside, theirs) = both(desk.namespace(&at), desk.namespace(&whose))?;
    Ok(if inside.inode == theirs.inode {
        Verdict::Proved(vec![format!("both are network namespace {}", theirs.inode)])
    } else {
        let who = desk.scene.called(replica);
        Verdict::refuted(format!("{name}'s network namespace"), format!("{who} is in one of its own"))
            .help(format!("{name} was restarted or replaced since: restart {who}"))
    })
}

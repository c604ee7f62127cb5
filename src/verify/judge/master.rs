//! What a link hangs on in the host, and whose namespace it is: numbers of links compared, never their names.

use super::desk::{Desk, Step, both, unproved};
use super::link::{endpoint, find};
use crate::name::Replica;
use crate::probe::Link;
use crate::state::observed::ObservedEndpoint;
use crate::verify::check::{Container, Verdict, Why};
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

pub(super) fn parent(
    desk: &mut Desk<'_>,
    replica: &Replica,
    wire: &str,
    parent: &str,
    kind: &str,
    mode: &str,
) -> Step<Verdict> {
    let (link, host, _) = pair(desk, replica, wire)?;
    let expected = format!("a {kind} child of {parent}");
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
    if let Some(has) = has.as_ref().filter(|has| *has != mode) {
        return Ok(Verdict::refuted(format!("mode {mode}"), format!("{} is in mode {has}", link.name)));
    }
    if !declared.up {
        return Ok(Verdict::refuted(format!("{expected} that carries"), format!("{parent} is down"))
            .help(format!("ip link set {parent} up")));
    }
    let (name, index) = (&link.name, declared.index);
    Ok(Verdict::Proved(vec![format!("{name} is a {kind} ({mode}) on the host's link {index}, {parent}")]))
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

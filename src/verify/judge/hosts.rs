//! Lines of /etc/hosts, as they are now.

use std::net::IpAddr;

use super::desk::{Desk, Step, both, unproved};
use crate::name::Replica;
use crate::probe::HostsLine;
use crate::verify::check::{Container, Verdict, Why};
use crate::verify::scene::{Identity, Vantage};
use crate::verify::topology::DEFAULT_BRIDGE;

/// A container's own hosts file: that of its namespace's owner, which the Engine mounts for both.
fn lines<'a>(desk: &mut Desk<'a>, replica: &Replica) -> Step<&'a [HostsLine]> {
    desk.running(replica)?;
    desk.hosts(&Vantage::Replica(replica.clone())).map(Vec::as_slice)
}

/// The lines that hold a name, for messages.
fn about(lines: &[HostsLine], name: &str) -> String {
    let found: Vec<&str> =
        lines.iter().filter(|l| l.names.iter().any(|n| n == name)).map(|l| l.text.as_str()).collect();
    match found.as_slice() {
        [] => format!("no line with {name}"),
        lines => lines.join("; "),
    }
}

/// The line of a legacy link: `ADDRESS ALIAS SHORTID NAME`, or `ADDRESS NAME SHORTID` where the alias is the name. The Engine
/// rewrites it when the target comes back with another address, so it is compared with the current one.
pub(super) fn link_line(desk: &mut Desk<'_>, replica: &Replica, targets: &[Container], alias: &str) -> Step<Verdict> {
    let lines = lines(desk, replica)?;
    let mut wanted = vec![];
    for target in targets {
        if let Container::Replica(target) = target {
            desk.running(target)?;
        }
        let Some(Identity { name, id, addresses }) = desk.scene.identity(target) else {
            return unproved(Why::NotRunning(format!("{target} is not there")));
        };
        let on_bridge = addresses.iter().find(|(wire, address)| wire == DEFAULT_BRIDGE && address.is_ipv4());
        let Some((_, address)) = on_bridge else {
            return Ok(Verdict::refuted(format!("{name} on the default bridge"), format!("{name} is not on it")));
        };
        let names: Vec<&str> = if alias == name { vec![name, id.short()] } else { vec![alias, id.short(), name] };
        wanted.push((*address, names));
    }
    let fits = |line: &HostsLine, (address, names): &(IpAddr, Vec<&str>)| {
        line.address == Some(*address) && line.names.iter().map(String::as_str).eq(names.iter().copied())
    };
    let text = |(address, names): &(IpAddr, Vec<&str>)| format!("{address} {}", names.join(" "));
    if let Some(line) = lines.iter().find(|l| wanted.iter().any(|w| fits(l, w))) {
        return Ok(Verdict::Proved(vec![line.text.clone()]));
    }
    let expected = wanted.iter().map(text).collect::<Vec<_>>().join(" or ");
    let verdict = Verdict::refuted(expected, about(lines, alias));
    let stale = lines.iter().find(|l| l.names.first().is_some_and(|n| n == alias));
    let who = desk.scene.called(replica);
    Ok(match stale.and_then(|l| l.address) {
        Some(old) if !wanted.iter().any(|(address, _)| *address == old) => verdict
            .seen(format!("the line leads to {old}, which is {} now", desk.scene.holder(old).unwrap_or("nobody's")))
            .help(format!("restart {who}: the Engine writes the file anew")),
        _ => verdict.help(format!("restart {who}: the Engine writes the file anew")),
    })
}

pub(super) fn no_link_line(desk: &mut Desk<'_>, replica: &Replica, alias: &str) -> Step<Verdict> {
    let lines = lines(desk, replica)?;
    Ok(if lines.iter().any(|l| l.names.iter().any(|n| n == alias)) {
        Verdict::refuted(format!("no line with {alias}"), about(lines, alias))
    } else {
        Verdict::Proved(vec![format!("no line with {alias} among {}", lines.len())])
    })
}

/// A line of `extra_hosts`. `host-gateway` is the default bridge's gateway, or what the daemon was told: an address of the host.
pub(super) fn extra_host(desk: &mut Desk<'_>, replica: &Replica, name: &str, address: &str) -> Step<Verdict> {
    let gateway = address == "host-gateway";
    let host = if gateway { desk.addresses(&Vantage::Host) } else { Ok(const { &vec![] }) };
    let (lines, host) = both(lines(desk, replica), host)?;
    let host: Vec<IpAddr> = host.iter().map(|a| a.address).collect();
    let literal: Option<IpAddr> = address.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let fits = |found: IpAddr| if gateway { host.contains(&found) } else { literal == Some(found) };
    let named = lines.iter().filter(|l| l.names.iter().any(|n| n == name));
    let hit = named.clone().find(|l| l.address.is_some_and(fits));
    let expected = if gateway { format!("{name} at an address of the host") } else { format!("{address} {name}") };
    Ok(match hit {
        Some(line) => Verdict::Proved(vec![line.text.clone()]),
        None => Verdict::refuted(expected, about(lines, name)).help("`bowline up -d` replaces the container"),
    })
}

/// A line that `x-verify.hosts` spells out: `{service}` is its current address, `{service.id}` its short id.
pub(super) fn text(desk: &mut Desk<'_>, replica: &Replica, line: &str) -> Step<Verdict> {
    let lines = lines(desk, replica)?;
    let mut wanted = line.split_whitespace().collect::<Vec<_>>().join(" ");
    for place in crate::verify::derive::placeholders(line) {
        let (service, id) = place.strip_suffix(".id").map_or((place, false), |s| (s, true));
        let Some(service) = desk.scene.topology.places.keys().find(|s| s.as_str() == service) else {
            return unproved(Why::Inconclusive(format!("{service} is no service")));
        };
        let target = Replica::new(service.clone(), 1);
        let container = desk.running(&target)?;
        let value = if id { container.id.short().to_owned() } else { seen_by(desk, replica, &target)? };
        wanted = wanted.replace(&format!("{{{place}}}"), &value);
    }
    let same = |l: &HostsLine| l.text.split_whitespace().eq(wanted.split(' '));
    Ok(match lines.iter().find(|l| same(l)) {
        Some(line) => Verdict::Proved(vec![line.text.clone()]),
        None => {
            let names: Vec<&str> = wanted.split(' ').skip(1).collect();
            let near = names.first().map_or(String::new(), |name| about(lines, name));
            Verdict::refuted(wanted.clone(), near)
        }
    })
}

/// The target's address on a wire that both are on, else its first.
fn seen_by(desk: &Desk<'_>, from: &Replica, to: &Replica) -> Step<String> {
    let own: Vec<String> = desk.scene.addresses(from, &[]).into_iter().map(|(wire, _)| wire).collect();
    let theirs = desk.scene.addresses(to, &[]);
    let best = theirs.iter().find(|(wire, a)| own.contains(wire) && a.addr().is_ipv4()).or(theirs.first());
    match best {
        Some((_, address)) => Ok(address.addr().to_string()),
        None => unproved(Why::Inconclusive(format!("{} has no address", desk.scene.called(to)))),
    }
}

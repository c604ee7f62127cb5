//! What names mean, asked as the container would ask.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::desk::{Desk, Step, all, both, unproved};
use crate::name::{Replica, ServiceName};
use crate::probe::{Family, Lookup, NameOutcome};
use crate::verify::check::{Meaning, NameSource, Owner, Verdict, Why};
use crate::verify::topology::Namespace;

/// What a lookup came to.
struct Resolved {
    addresses: BTreeSet<IpAddr>,
    outcome: NameOutcome,
    by: String,
}

fn resolved(lookup: &Lookup, by: NameSource) -> Resolved {
    if by == NameSource::HostsThenDns && !lookup.hosts.is_empty() {
        let addresses = lookup.hosts.iter().copied().collect();
        return Resolved { addresses, outcome: NameOutcome::Found, by: "/etc/hosts".to_owned() };
    }
    match lookup.asked.last() {
        Some(asked) => Resolved {
            addresses: asked.addresses.iter().copied().collect(),
            outcome: asked.outcome,
            by: asked.server.to_string(),
        },
        None => Resolved { addresses: BTreeSet::new(), outcome: NameOutcome::NoServer, by: "no server".to_owned() },
    }
}

fn outcome_text(outcome: NameOutcome) -> &'static str {
    match outcome {
        NameOutcome::Found => "found",
        NameOutcome::Empty => "no address",
        NameOutcome::NoSuchName => "NXDOMAIN",
        NameOutcome::ServerFailure => "SERVFAIL",
        NameOutcome::Declined => "declined",
        NameOutcome::TimedOut => "no answer",
        NameOutcome::NoServer => "no DNS server",
        NameOutcome::Unreachable => "DNS server unreachable",
        NameOutcome::Malformed => "a malformed answer",
        NameOutcome::Failed => "the query failed",
    }
}

/// Addresses with the names of those who hold them.
fn held(desk: &Desk<'_>, addresses: &BTreeSet<IpAddr>) -> String {
    let text = |a: &IpAddr| match desk.scene.holder(*a) {
        Some(name) => format!("{a} ({name})"),
        None => a.to_string(),
    };
    addresses.iter().map(text).collect::<Vec<_>>().join(", ")
}

pub(super) fn means(
    desk: &mut Desk<'_>,
    asker: &ServiceName,
    name: &str,
    meanings: &[Meaning],
    by: NameSource,
) -> Step<Verdict> {
    let wanted: Vec<BTreeSet<IpAddr>> = meanings.iter().flat_map(|m| desk.scene.answers(&m.owners, &m.wires)).collect();
    let families: Vec<Family> = [Family::V4, Family::V6]
        .into_iter()
        .filter(|f| wanted.iter().flatten().any(|a| a.is_ipv4() == (*f == Family::V4)))
        .collect();
    if families.is_empty() {
        return nowhere(desk, name, meanings);
    }
    let replicas = desk.scene.replicas(asker);
    let mut steps = vec![];
    for replica in &replicas {
        for family in &families {
            steps.push(one_meaning(desk, replica, name, &wanted, (*family, by)));
        }
    }
    let verdicts = all(steps)?;
    Ok(merged(verdicts))
}

/// A name whose owners have no address: they do not run, or somebody took them off the network.
fn nowhere(desk: &Desk<'_>, name: &str, meanings: &[Meaning]) -> Step<Verdict> {
    let owners: Vec<String> = meanings.iter().flat_map(|m| &m.owners).map(ToString::to_string).collect();
    for meaning in meanings {
        let services = meaning.owners.iter().filter_map(|owner| match owner {
            Owner::Service(name) | Owner::OneOf(name) => Some(name),
            Owner::Named(_) => None,
        });
        for service in services {
            let replicas = desk.scene.replicas(service);
            let mut running = replicas.iter().filter(|r| desk.scene.container(r).is_some_and(|c| c.state.is_running()));
            let Some(found) = running.find_map(|r| off(desk, r, &meaning.wires)) else { continue };
            let expected = format!("{name} is an address of {}", owners.join(", "));
            return Ok(Verdict::refuted(expected, found).help("`bowline up -d` puts it back"));
        }
    }
    unproved(Why::NotRunning(format!("{} has no address: it does not run", owners.join(", "))))
}

/// Says that a container is on none of these wires.
pub(super) fn off(desk: &Desk<'_>, replica: &Replica, wires: &[String]) -> Option<String> {
    let container = desk.scene.container(&desk.scene.home(replica))?;
    let off = !wires.is_empty() && !wires.iter().any(|wire| container.endpoints.contains_key(wire));
    let labels: Vec<&str> = wires.iter().map(|wire| desk.scene.wire_label(wire)).collect();
    off.then(|| format!("{} is not on {}", desk.scene.called(replica), labels.join(" or ")))
}

/// The first verdict that is not a proof, else one proof with all evidence.
pub(super) fn merged(verdicts: Vec<Verdict>) -> Verdict {
    let mut evidence = vec![];
    let mut open = None;
    for verdict in verdicts {
        match verdict {
            Verdict::Proved(lines) => evidence.extend(lines),
            Verdict::Refuted { .. } => return verdict,
            Verdict::Unproved(_) => open = open.or(Some(verdict)),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    evidence.retain(|line: &String| seen.insert(line.clone()));
    open.unwrap_or(Verdict::Proved(evidence))
}

fn one_meaning(
    desk: &mut Desk<'_>,
    replica: &Replica,
    name: &str,
    wanted: &[BTreeSet<IpAddr>],
    (family, by): (Family, NameSource),
) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let lookup = desk.lookup(&at, name, family)?;
    let found = resolved(lookup, by);
    let of_family = |set: &BTreeSet<IpAddr>| -> BTreeSet<IpAddr> {
        set.iter().copied().filter(|a| a.is_ipv4() == (family == Family::V4)).collect()
    };
    let wanted: Vec<BTreeSet<IpAddr>> = wanted.iter().map(of_family).filter(|w| !w.is_empty()).collect();
    let who = desk.scene.called(replica);
    if wanted.contains(&found.addresses) {
        return Ok(Verdict::Proved(vec![format!("{who}: {name} is {} by {}", held(desk, &found.addresses), found.by)]));
    }
    if found.outcome == NameOutcome::Failed {
        return unproved(Why::NotSeen(format!("{who} could not ask for {name}")));
    }
    let expected = wanted.iter().map(|w| held(desk, w)).collect::<Vec<_>>().join(" or ");
    if found.addresses.is_empty() {
        let verdict =
            Verdict::refuted(format!("{name} is {expected}"), format!("{who}: {}", outcome_text(found.outcome)));
        let ends = desk.scene.topology.ends(&replica.service);
        let wires: Vec<String> = ends.into_iter().map(|(_, wire)| wire.name.clone()).collect();
        if let Some(line) = off(desk, replica, &wires) {
            return Ok(verdict.seen(line).help("`bowline up -d` puts it back"));
        }
        return Ok(verdict.seen(format!("asked {}", found.by)).help(
            "the network was reconnected without its aliases, or the owner is on another network: `bowline up -d`",
        ));
    }
    let verdict = Verdict::refuted(format!("{name} is {expected}"), format!("{who}: {}", held(desk, &found.addresses)));
    let strays: BTreeSet<IpAddr> =
        found.addresses.iter().copied().filter(|a| !wanted.iter().any(|w| w.contains(a))).collect();
    Ok(match strays.first().map(|a| desk.scene.holder(*a).map_or(a.to_string(), str::to_owned)) {
        Some(stray) => verdict
            .seen(format!("{name} is also held by {stray}"))
            .help(format!("take the name from {stray}, or give the file another")),
        None => verdict.seen("some of its containers are missing from the answer"),
    })
}

pub(super) fn means_not(
    desk: &mut Desk<'_>,
    asker: &ServiceName,
    name: &str,
    owners: &[Owner],
    by: NameSource,
) -> Step<Verdict> {
    let forbidden: BTreeSet<IpAddr> = owners.iter().flat_map(|o| desk.scene.owner_addresses(o, &[])).collect();
    let replicas = desk.scene.replicas(asker);
    let mut steps = vec![];
    for replica in &replicas {
        steps.push(one_silence(desk, replica, asker, name, (owners.is_empty(), &forbidden), by));
    }
    let verdicts = all(steps)?;
    Ok(merged(verdicts))
}

/// A name that must lead nowhere; the control is that the same resolver knows the asker's own name. Where the Engine has no DNS,
/// on the default bridge, that is the container's own line in /etc/hosts.
fn one_silence(
    desk: &mut Desk<'_>,
    replica: &Replica,
    asker: &ServiceName,
    name: &str,
    (nobody, forbidden): (bool, &BTreeSet<IpAddr>),
    by: NameSource,
) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let who = desk.scene.called(replica);
    let ends = desk.scene.topology.ends(asker);
    let engine_dns = ends.iter().any(|(_, w)| w.name != crate::verify::topology::DEFAULT_BRIDGE);
    let own_name = match engine_dns {
        true => asker.to_string(),
        false => desk.namespace(&at)?.hostname.clone().unwrap_or_else(|| asker.to_string()),
    };
    let own = desk.lookup(&at, &own_name, Family::V4);
    let (lookup, control) = both(desk.lookup(&at, name, Family::V4), own)?;
    let found = resolved(lookup, by);
    let strays: BTreeSet<IpAddr> =
        found.addresses.iter().copied().filter(|a| nobody || forbidden.contains(a)).collect();
    if !strays.is_empty() {
        let text = held(desk, &strays);
        let verdict = Verdict::refuted(format!("{who} does not find {name}"), format!("{name} is {text}"));
        return Ok(match super::isolation::stray_end(desk, replica) {
            Some((line, help)) => verdict.seen(line).help(help),
            None => verdict,
        });
    }
    // `network_mode: none`: neither hosts file nor resolver, and no way to one
    if found.addresses.is_empty() && only_lo(desk, replica) && no_way(lookup) {
        let text =
            format!("{who}: /etc/hosts does not know {name}, and there is no way to a name server from lo alone");
        return Ok(Verdict::Proved(vec![text]));
    }
    let known = control.asked.last().is_some_and(|a| a.outcome == NameOutcome::Found) || !control.hosts.is_empty();
    if !known {
        let text = format!("{who} does not even find its own name {own_name}: its silence about {name} says nothing");
        return unproved(Why::NoControl(text));
    }
    if found.outcome == NameOutcome::Failed {
        return unproved(Why::NotSeen(format!("{who} could not ask for {name}")));
    }
    let what = match found.addresses.is_empty() {
        true => outcome_text(found.outcome).to_owned(),
        false => format!("{}, outside the project", held(desk, &found.addresses)),
    };
    Ok(Verdict::Proved(vec![format!("{who}: {name} is {what}; its own name {own_name} is found")]))
}

/// Whether the file gives a container no network at all.
fn only_lo(desk: &Desk<'_>, replica: &Replica) -> bool {
    let place = desk.scene.topology.places.get(&replica.service);
    place.is_some_and(|p| matches!(p.namespace, Namespace::Nothing(_)))
}

/// Whether every name server that was asked is beyond reach, with no route to it.
fn no_way(lookup: &Lookup) -> bool {
    let lost = |outcome| matches!(outcome, NameOutcome::Unreachable | NameOutcome::NoServer);
    lookup.hosts.is_empty() && lookup.asked.iter().all(|asked| lost(asked.outcome))
}

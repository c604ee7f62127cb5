//! One spot reaches another, and if not, why.

use std::net::SocketAddr;

use super::aim::{Aim, Stand, aims, stands};
use super::attempt::{Tried, attempts, broken, reached, summary, text, udp_path};
use super::desk::{Desk, Step, all, both, unproved};
use super::names::merged;
use super::ports::listening_text;
use crate::name::{Protocol, Replica};
use crate::probe::{Family, Outcome};
use crate::verify::check::{How, Path, Spot, Verdict, Why};
use crate::verify::scene::Vantage;
use crate::verify::topology::{Kind, Wire};

pub(super) fn reaches(desk: &mut Desk<'_>, path: &Path) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let steps = stands.iter().map(|stand| from_one(desk, path, stand)).collect();
    Ok(merged(all(steps)?))
}

/// From one place: with `via` every address must answer, else one of each target is enough.
fn from_one(desk: &mut Desk<'_>, path: &Path, stand: &Stand) -> Step<Verdict> {
    let aims: Vec<Aim> = aims(desk, path, stand)?.into_iter().filter(|a| family_fits(desk, stand, a)).collect();
    if let Some(verdict) = off_the_wire(desk, path, stand, &aims) {
        return Ok(verdict);
    }
    let mut steps = vec![];
    for aim in &aims {
        steps.push(to_one(desk, path, stand, aim).map(|verdict| (aim.called.clone(), verdict)));
    }
    let verdicts = all(steps)?;
    if !path.via.is_empty() {
        return Ok(merged(verdicts.into_iter().map(|(_, v)| v).collect()));
    }
    let mut targets: Vec<&String> = verdicts.iter().map(|(called, _)| called).collect();
    targets.dedup();
    let best = targets.into_iter().map(|target| {
        let mut own = verdicts.iter().filter(|(called, _)| called == target).map(|(_, v)| v.clone());
        let first = own.next();
        own.find(Verdict::is_proved).filter(|_| !first.as_ref().is_some_and(Verdict::is_proved)).or(first)
    });
    Ok(merged(best.flatten().collect()))
}

/// Whether the members of a wire reach each other, so that one of them may serve as a control.
pub(super) fn members_meet(wire: &Wire) -> bool {
    match &wire.kind {
        Kind::Bridge { icc, .. } => *icc,
        Kind::Macvlan { mode, .. } => mode == "bridge",
        Kind::Ipvlan { flag, .. } => flag == "bridge",
        _ => true,
    }
}

/// An IPv6 address is asked for where the asker has IPv6 on the same wire (rule R9).
fn family_fits(desk: &Desk<'_>, stand: &Stand, aim: &Aim) -> bool {
    let (Some(replica), Some(wire), true) = (&stand.replica, &aim.wire, aim.address.is_ipv6()) else { return true };
    let own = desk.scene.addresses(replica, std::slice::from_ref(wire));
    own.iter().any(|(_, a)| a.addr().is_ipv6())
}

/// Whether a container is on these wires with addresses of this family, or is on none of them at all, which is told otherwise.
fn has_family(desk: &Desk<'_>, replica: &Replica, via: &[String], family: Family) -> bool {
    let own = desk.scene.addresses(replica, via);
    own.is_empty() || own.iter().any(|(_, net)| net.addr().is_ipv6() == (family == Family::V6))
}

/// An asker or a target that is on none of the wires by which they should meet. Then no packet is asked: one that gets through
/// all the same went another way (Engines before 28 open one for moments), and proves nothing.
fn off_the_wire(desk: &Desk<'_>, path: &Path, stand: &Stand, aims: &[Aim]) -> Option<Verdict> {
    let Spot::Service(name, number) = &path.to else { return None };
    let expected = format!("{} reaches {}", stand.called, path.to);
    let asker = stand.replica.as_ref().filter(|_| path.how == How::Network);
    if let Some(found) = asker.and_then(|asker| super::names::off(desk, asker, &path.via)) {
        return Some(Verdict::refuted(expected, found).help("`bowline up -d` puts it back"));
    }
    for replica in super::aim::replicas(desk, name, *number) {
        let called = desk.scene.called(&replica);
        if stand.replica.as_ref() == Some(&desk.scene.home(&replica)) || aims.iter().any(|a| a.called == called) {
            continue;
        }
        let wires: Vec<&str> = path.via.iter().map(|w| desk.scene.wire_label(w)).collect();
        let on = if wires.is_empty() { "any network".to_owned() } else { wires.join(" or ") };
        let mut ends = [stand.replica.clone(), Some(replica.clone())].into_iter().flatten();
        if let Some(without) = ends.find(|end| path.family.is_some_and(|f| !has_family(desk, end, &path.via, f))) {
            let (who, family) =
                (desk.scene.called(&without), if path.family == Some(Family::V6) { "IPv6" } else { "IPv4" });
            let help = "the network was made from another file: `bowline up -d` makes it anew";
            return Some(Verdict::refuted(expected, format!("{who} has no {family} address on {on}")).help(help));
        }
        let help = format!("{called} was taken off its network: `bowline up -d` puts it back");
        return Some(Verdict::refuted(expected, format!("{called} is not on {on}")).help(help));
    }
    None
}

fn to_one(desk: &mut Desk<'_>, path: &Path, stand: &Stand, aim: &Aim) -> Step<Verdict> {
    let tried = attempts(desk, &stand.at, aim, &path.how)?;
    if let Some(broken) = broken(&tried.attempts) {
        return unproved(Why::NotSeen(format!("{}: {}", stand.called, text(broken))));
    }
    let from_to = format!("{} -> {} ({})", stand.called, aim.called, aim.address);
    match &path.how {
        How::Network => network(desk, stand, aim, &tried, &from_to),
        How::Port(port, protocol) => port_reached(desk, stand, aim, &tried, (*port, *protocol), &from_to),
        _ => Ok(match tried.attempts.iter().all(|(_, a)| reached(a)) {
            true => Verdict::Proved(vec![format!("{from_to}: {}", summary(&tried.attempts))]),
            false => {
                Verdict::refuted(format!("{} answers", aim.address), format!("{from_to}: {}", summary(&tried.attempts)))
            }
        }),
    }
}

/// TCP and UDP to our listener must both get through; ICMP may be switched off in the target, and only helps to tell why.
fn network(desk: &mut Desk<'_>, stand: &Stand, aim: &Aim, tried: &Tried<'_>, from_to: &str) -> Step<Verdict> {
    let found = format!("{from_to}: {}", tried.summary());
    if tried.greeting.is_none() {
        let hit = tried.attempts.iter().any(|(_, a)| reached(a));
        return Ok(if hit {
            Verdict::Proved(vec![found])
        } else {
            Verdict::refuted(format!("{} answers {}", aim.called, stand.called), found)
        });
    }
    let expected = format!("our listener in {} answers {}", aim.called, stand.called);
    if let Some(other) = tried.impostor() {
        return Ok(Verdict::refuted(expected, format!("{} is answered by {other}", aim.address))
            .help("two containers have one address: see `ip neigh`, and restart the wrong one"));
    }
    let through = |(name, a): &(&'static str, &crate::probe::Attempt)| *name == "ICMP" || tried.got_there(a);
    if tried.attempts.iter().all(through) {
        return Ok(Verdict::Proved(vec![found]));
    }
    why_silent(desk, stand, aim, tried, Verdict::refuted(expected, found))
}

/// Looks for the reason of a silence, as far as the asker's namespace shows it.
fn why_silent(desk: &mut Desk<'_>, stand: &Stand, aim: &Aim, tried: &Tried<'_>, verdict: Verdict) -> Step<Verdict> {
    let answered: Vec<&str> = tried.attempts.iter().filter(|(_, a)| tried.got_there(a)).map(|(n, _)| *n).collect();
    let silent: Vec<&str> = tried.attempts.iter().filter(|(_, a)| !tried.got_there(a)).map(|(n, _)| *n).collect();
    if !answered.is_empty() {
        let line = format!(
            "{} gets through and {} does not: a firewall rule drops it",
            answered.join(", "),
            silent.join(", ")
        );
        return Ok(verdict.seen(line).help("look at `iptables -S DOCKER-USER` and `iptables -S FORWARD` on the host"));
    }
    if tried.refused_by_others() {
        let line = format!("our listener stands in {}: a firewall rejects, or the packets went elsewhere", aim.called);
        return Ok(verdict
            .seen(line)
            .help(format!("see where {} sends them: `ip route get {}`", stand.called, aim.address)));
    }
    let gone = stand.replica.as_ref().zip(aim.wire.as_ref());
    if let Some(line) = gone.and_then(|(r, wire)| super::names::off(desk, r, std::slice::from_ref(wire))) {
        return Ok(verdict.seen(line).help("`bowline up -d` puts it back"));
    }
    let (asked, tables) = match aim.address.is_ipv6() {
        true => ("neighbour discovery", "ip6tables"),
        false => ("ARP", "iptables"),
    };
    let neighbours = desk.neighbours(&stand.at)?;
    let neighbour = neighbours.iter().find(|n| n.address == aim.address);
    Ok(match neighbour.map(|n| n.state.as_str()) {
        Some("failed" | "incomplete") => verdict
            .seen(format!("nobody answers {asked} for {}: its link is down, or not on this wire", aim.address))
            .help(format!("see the checks of {}'s link; restarting it makes a new one", aim.called)),
        Some(state) => verdict
            .seen(format!("{asked} is answered ({state}) and packets are not: a firewall drops them on the way"))
            .help(format!("look at `{tables} -S DOCKER-USER` and `{tables} -S FORWARD` on the host")),
        None => verdict,
    })
}

/// A port of the application: here a refusal is not enough, and sockets in the target's namespace tell why.
fn port_reached(
    desk: &mut Desk<'_>,
    stand: &Stand,
    aim: &Aim,
    tried: &Tried<'_>,
    (port, protocol): (u16, Protocol),
    from_to: &str,
) -> Step<Verdict> {
    let found = format!("{from_to}:{port}: {}", summary(&tried.attempts));
    let Some((_, attempt)) = tried.attempts.first() else { return Ok(Verdict::Proved(vec![])) };
    if attempt.outcome == Outcome::Answered {
        return Ok(Verdict::Proved(vec![found]));
    }
    let expected = format!("{}:{port}/{protocol} answers {}", aim.called, stand.called);
    let verdict = Verdict::refuted(expected, found);
    let Some(replica) = &aim.replica else {
        let cause = why_refused(desk, stand, SocketAddr::new(aim.address, port), attempt)?;
        return Ok(cause.into_iter().fold(verdict, Verdict::seen));
    };
    let there = Vantage::Replica(replica.clone());
    let open = udp_path(desk, &stand.at, aim);
    let (sockets, open) = both(desk.sockets(&there), open)?;
    let own = [aim.address];
    let state = listening_text(sockets, port, protocol, &own);
    let silent_udp = protocol == Protocol::Udp && attempt.outcome == Outcome::TimedOut;
    if silent_udp && state.is_ok() && open.is_some_and(|a| a.outcome == Outcome::Answered) {
        let line = format!(
            "{from_to}: the way carries UDP (a nonce came back), and {port}/udp is bound there; it keeps silent"
        );
        return Ok(Verdict::Proved(vec![line]));
    }
    Ok(match (attempt.outcome, state) {
        (Outcome::Refused, Err(cause)) => verdict
            .seen(format!("{}: {cause}", aim.called))
            .help("the network is right; make the application listen on 0.0.0.0"),
        (_, Err(cause)) => verdict.seen(format!("{}: {cause}", aim.called)),
        (Outcome::TimedOut, Ok(seen)) if open.is_some_and(|a| a.outcome == Outcome::Answered) => verdict
            .seen(format!("{} {seen}", aim.called))
            .seen(format!("our listener beside it answers: a firewall drops {port}/{protocol}"))
            .help(format!("look at `iptables -S` in {}'s namespace, and at FORWARD on the host", aim.called)),
        (_, Ok(seen)) => verdict.seen(format!("{}: {seen}", aim.called)),
    })
}

/// What listens instead where a port of the host, or of a container, was refused.
pub(super) fn why_refused(
    desk: &mut Desk<'_>,
    stand: &Stand,
    to: SocketAddr,
    attempt: &crate::probe::Attempt,
) -> Step<Option<String>> {
    let has = |r: &crate::name::Replica| desk.scene.addresses(r, &[]).iter().any(|(_, a)| a.addr() == to.ip());
    let replica = desk.scene.observed.containers.iter().map(|c| c.replica.clone()).find(has);
    if let Some(paused) = replica.as_ref().and_then(|r| super::life::paused(desk, r)) {
        return Ok(Some(paused.found));
    }
    if attempt.outcome != Outcome::Refused {
        return Ok(None);
    }
    let (at, called) = match replica {
        _ if to.ip().is_loopback() => (stand.at.clone(), stand.called.clone()),
        Some(replica) => (Vantage::Replica(replica.clone()), desk.scene.called(&replica)),
        None if desk.addresses(&Vantage::Host)?.iter().any(|a| a.address == to.ip()) => {
            (Vantage::Host, "the host".to_owned())
        }
        None => return Ok(None),
    };
    let state = listening_text(desk.sockets(&at)?, to.port(), Protocol::Tcp, &[to.ip()]);
    Ok(state.err().map(|cause| format!("{called}: {cause}")))
}

//! One spot does not reach another: every attempt is blocked, and the silence is shown to mean something.

use super::aim::{Aim, Stand, aims, stands};
use super::attempt::{Tried, attempts, broken, network, text};
use super::control::{source_control, target_control};
use super::desk::{Desk, Step, all, both, unproved};
use super::names::merged;
use crate::probe::{Link, Outcome};
use crate::verify::check::{How, Path, Spot, Verdict, Why};
use crate::verify::scene::Vantage;

/// An address far away, for looking up a route; nothing is sent to it.
const FAR: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(1, 1, 1, 1));

/// What is seen where two networks are not parted.
pub(in crate::verify) const FORWARDED: &str = "no common network: packets are forwarded between bridges";

/// What is so with Engines before 27, and the way out.
const UNFILTERED: &str = "the firewall of Engines before 27 knows IPv4 alone";
const FILTERED: &str =
    "set `ip6tables` and `experimental` to true in the Engine's daemon.json, or take `enable_ipv6` out";

pub(super) fn isolated(desk: &mut Desk<'_>, path: &Path) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let mut steps = vec![];
    for stand in &stands {
        if path.to == Spot::Internet {
            steps.push(no_internet(desk, path, stand));
            continue;
        }
        let aims = match aims(desk, path, stand) {
            Ok(aims) => aims,
            Err(stop) => {
                steps.push(Err(stop));
                continue;
            }
        };
        if let Some(why) = cannot_stand_beside(desk, stand, &aims) {
            steps.push(unproved(Why::NotSeen(why)));
            continue;
        }
        if aims.is_empty() {
            let text = format!("{} has no address to try", path.to);
            steps.push(unproved(Why::NoControl(text)));
        }
        for aim in &aims {
            steps.push(one(desk, path, stand, aim));
        }
    }
    Ok(merged(all(steps)?))
}

/// No way to the internet: where the routing table has none, nothing needs to be sent; else what the host knows out there is tried.
fn no_internet(desk: &mut Desk<'_>, path: &Path, stand: &Stand) -> Step<Verdict> {
    let route = desk.route_to(&stand.at, FAR)?;
    if route.errno.is_some() || route.kind.as_deref().is_some_and(|k| k != "unicast") {
        return Ok(Verdict::Proved(vec![format!("{}: the routing table has no way to {FAR}", stand.called)]));
    }
    let aims: Vec<Aim> = aims(desk, path, stand)?.into_iter().filter(|a| a.address.is_ipv4()).collect();
    if aims.is_empty() {
        return unproved(Why::NoControl("the host itself knows nobody out there to ask for".to_owned()));
    }
    let steps = aims.iter().map(|aim| one(desk, path, stand, aim)).collect();
    let verdicts = all(steps)?;
    // one that lives and is silent is enough; the others may be dead for everybody
    let proof = verdicts.iter().find(|v| v.is_proved()).cloned();
    let open = verdicts.iter().any(|v| matches!(v, Verdict::Refuted { .. }));
    Ok(proof.filter(|_| !open).unwrap_or_else(|| merged(verdicts)))
}

/// The machine that we put beside the host is behind the host, not on the wire of a macvlan's parent.
fn cannot_stand_beside(desk: &Desk<'_>, stand: &Stand, aims: &[Aim]) -> Option<String> {
    let wire = |a: &Aim| a.wire.as_ref().and_then(|w| desk.scene.topology.wires.get(w));
    let child = aims.iter().find_map(|a| wire(a).filter(|w| w.is_child_of_parent()));
    let wire = child.filter(|_| stand.at == Vantage::Outside)?;
    Some(format!(
        "a machine on the wire of {}'s parent cannot be built here: what we put beside the host is behind it",
        wire.label()
    ))
}

fn one(desk: &mut Desk<'_>, path: &Path, stand: &Stand, aim: &Aim) -> Step<Verdict> {
    let tried = attempts(desk, &stand.at, aim, &path.how).and_then(|tried| behind_a_refusal(desk, stand, aim, tried));
    let controls = both(target_control(desk, aim, &path.how), source_control(desk, stand, aim));
    let (tried, (target, source)) = both(tried, controls)?;
    let from_to = format!("{} -> {} ({})", stand.called, aim.called, aim.address);
    let found = format!("{from_to}: {}", tried.summary());
    if let Some(other) = tried.impostor() {
        let text = format!("{found}; but {} is answered by {other}, not by {}", aim.address, aim.called);
        return unproved(Why::Inconclusive(text));
    }
    if tried.attempts.iter().any(|(_, a)| tried.got_there(a)) {
        let expected = format!("{} does not reach {}", stand.called, aim.called);
        return why_open(desk, path, stand, aim, Verdict::refuted(expected, found));
    }
    if let Some(broken) = broken(&tried.attempts) {
        return unproved(Why::NotSeen(format!("{from_to}: {}", text(broken))));
    }
    match (target, source) {
        (Some(target), Some(source)) => Ok(Verdict::Proved(vec![found, target, source])),
        (None, _) => unproved(Why::NoControl(format!(
            "{found}; but {} answers nobody else either, so that the silence proves nothing",
            aim.address
        ))),
        (_, None) => unproved(Why::NoControl(format!(
            "{found}; but {} reaches nobody on its own wires in the same run, so silence says nothing",
            stand.called
        ))),
    }
}

/// A refused port of the application is a reached host, unless our listener beside it is refused as well: then somebody else
/// refuses. So the listener is asked too, and what it hears decides.
fn behind_a_refusal<'a>(desk: &mut Desk<'a>, stand: &Stand, aim: &Aim, tried: Tried<'a>) -> Step<Tried<'a>> {
    let refused = tried.attempts.iter().any(|(_, a)| a.outcome == Outcome::Refused);
    if tried.greeting.is_some() || !refused || aim.replica.is_none() {
        return Ok(tried);
    }
    let beside = network(desk, &stand.at, aim)?;
    let open = beside.attempts.iter().any(|(_, a)| beside.got_there(a));
    Ok(if open { tried } else { beside })
}

/// A link of the host's own beside a container, on the parent of its network.
fn shim(desk: &mut Desk<'_>, container: Option<&crate::name::Replica>) -> Step<Option<String>> {
    let ends = container.map(|r| desk.scene.topology.ends(&r.service)).unwrap_or_default();
    let Some(parent) = ends.iter().find_map(|(_, wire)| wire.parent()) else { return Ok(None) };
    let links = desk.links(&Vantage::Host)?;
    let index = links.iter().find(|l| l.name == parent).map(|l| l.index);
    let child =
        |l: &&Link| matches!(l.kind.as_deref(), Some("macvlan" | "ipvlan")) && index.is_some() && l.parent == index;
    let own = links.iter().find(|l| l.up && l.parent_namespace.is_none() && child(l));
    Ok(own.map(|l| format!("the host has a child of {parent} of its own: {}", l.name)))
}

/// A wire that both are on now.
pub(super) fn common_wire(desk: &Desk<'_>, stand: &Stand, aim: &Aim) -> Option<String> {
    let wires = |r: &Option<crate::name::Replica>| -> Vec<String> {
        let addresses = r.as_ref().map(|r| desk.scene.addresses(r, &[])).unwrap_or_default();
        addresses.into_iter().map(|(wire, _)| wire).collect()
    };
    let theirs = wires(&aim.replica);
    wires(&stand.replica).into_iter().find(|w| theirs.contains(w))
}

/// The wire that a question to the target's address stays on. One to an address of another wire leads through the host, whatever
/// else the two have in common.
fn direct_wire(desk: &Desk<'_>, stand: &Stand, aim: &Aim) -> Option<String> {
    let Some(wire) = &aim.wire else { return common_wire(desk, stand, aim) };
    let own = stand.replica.as_ref().map(|r| desk.scene.addresses(r, std::slice::from_ref(wire)));
    own.is_some_and(|addresses| !addresses.is_empty()).then(|| wire.clone())
}

/// Which of the two is on a wire that the file does not put it on, and the way out.
pub(super) fn stray(desk: &Desk<'_>, stand: &Stand, aim: &Aim, wire: &str) -> Option<(String, String)> {
    let label = desk.scene.wire_label(wire);
    let declared = |r: &Option<crate::name::Replica>| {
        let ends = r.as_ref().map(|r| desk.scene.topology.ends(&r.service)).unwrap_or_default();
        ends.iter().any(|(_, w)| w.name == wire)
    };
    let ends = [(&stand.replica, &stand.called), (&aim.replica, &aim.called)];
    let (replica, called) = ends.into_iter().find(|(replica, _)| !declared(replica))?;
    let name = replica.as_ref().and_then(|r| desk.scene.container(r)).map_or(called.as_str(), |c| c.name.as_str());
    let line = format!("{called} is on {label}, where the file does not put it");
    Some((line, format!("docker network disconnect {wire} {name}")))
}

/// A wire that a container is on and that the file does not put it on, and the way out.
pub(super) fn stray_end(desk: &Desk<'_>, replica: &crate::name::Replica) -> Option<(String, String)> {
    let container = desk.scene.container(replica)?;
    let ends = desk.scene.topology.ends(&replica.service);
    let wire = container.endpoints.keys().find(|wire| !ends.iter().any(|(_, declared)| declared.name == **wire))?;
    let line =
        format!("{} is on {}, where the file does not put it", desk.scene.called(replica), desk.scene.wire_label(wire));
    Some((line, format!("docker network disconnect {wire} {}", container.name)))
}

/// Whether it is IPv6 on an Engine whose firewall does not know it.
fn unfiltered(desk: &Desk<'_>, aim: &Aim) -> bool {
    aim.address.is_ipv6() && (1..27).contains(&desk.scene.observed.engine.major())
}

/// Why a way is open that should not be.
fn why_open(desk: &mut Desk<'_>, path: &Path, stand: &Stand, aim: &Aim, verdict: Verdict) -> Step<Verdict> {
    let Some(wire) = direct_wire(desk, stand, aim) else {
        let with_host = stand.at == Vantage::Host || path.to == Spot::Host;
        if with_host && let Some(line) = shim(desk, stand.replica.as_ref().or(aim.replica.as_ref()))? {
            let help = "take that link away, or the containers into a network that leads to the host";
            return Ok(verdict.seen(line).help(help));
        }
        let verdict = verdict.seen(FORWARDED);
        if unfiltered(desk, aim) {
            return Ok(verdict.seen(UNFILTERED).help(FILTERED));
        }
        if aim.address.is_ipv6() {
            return Ok(verdict.help("look at `ip6tables -S FORWARD` on the host for what lets them through"));
        }
        return Ok(verdict.help(
            "look at `iptables -S FORWARD` and `iptables -t raw -S PREROUTING` on the host for what lets them through",
        ));
    };
    if let Some((line, help)) = stray(desk, stand, aim, &wire) {
        return Ok(verdict.seen(line).help(help));
    }
    let label = desk.scene.wire_label(&wire).to_owned();
    // members of one bridge that `enable_icc: false` should part
    if matches!(path.to, Spot::Service(..)) && path.how != How::Arp {
        if unfiltered(desk, aim) {
            return Ok(verdict.seen(format!("both are on {label}")).seen(UNFILTERED).help(FILTERED));
        }
        let tables = if aim.address.is_ipv6() { "ip6tables" } else { "iptables" };
        let setting = format!("net.bridge.bridge-nf-call-{tables}");
        let filter = desk.sysctl(&Vantage::Host, &setting)?;
        if filter.value.as_deref() == Some("0") {
            return Ok(verdict
                .seen(format!("bridge-nf-call-{tables} is 0: the firewall does not see what {label} carries"))
                .help(format!("sysctl -w {setting}=1")));
        }
    }
    Ok(verdict.seen(format!("both are on {label}")))
}

//! One spot does not reach another: every attempt is blocked, and the silence is shown to mean something.

use super::aim::{Aim, Stand, aims, stands};
use super::attempt::{attempts, reached, source_control, summary, target_control, text};
use super::desk::{Desk, Step, all, both, unproved};
use super::names::merged;
use crate::probe::Outcome;
use crate::verify::check::{How, Path, Spot, Verdict, Why};
use crate::verify::scene::Vantage;

pub(super) fn isolated(desk: &mut Desk<'_>, path: &Path) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let mut steps = vec![];
    for stand in &stands {
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
    let tried = attempts(desk, &stand.at, aim, &path.how);
    let controls = both(target_control(desk, aim, &path.how), source_control(desk, stand));
    let (tried, (target, source)) = both(tried, controls)?;
    let from_to = format!("{} -> {} ({})", stand.called, aim.called, aim.address);
    let found = format!("{from_to}: {}", summary(&tried.attempts));
    if tried.attempts.iter().any(|(_, a)| reached(a)) {
        let expected = format!("{} does not reach {}", stand.called, aim.called);
        return why_open(desk, path, stand, aim, Verdict::refuted(expected, found));
    }
    if let Some((_, broken)) = tried.attempts.iter().find(|(_, a)| a.outcome == Outcome::Failed) {
        return unproved(Why::NotSeen(format!("{from_to}: {}", text(broken))));
    }
    match (target, source) {
        (Some(target), Some(source)) => Ok(Verdict::Proved(vec![found, target, source])),
        (None, _) => unproved(Why::NoControl(format!(
            "{found}; but {} answers nobody else either, so that the silence proves nothing",
            aim.address
        ))),
        (_, None) => {
            unproved(Why::NoControl(format!("{found}; but the probe in {} does not even reach itself", stand.called)))
        }
    }
}

/// Why a way is open that should not be.
fn why_open(desk: &mut Desk<'_>, path: &Path, stand: &Stand, aim: &Aim, verdict: Verdict) -> Step<Verdict> {
    let wires = |r: &Option<crate::name::Replica>| -> Vec<String> {
        let addresses = r.as_ref().map(|r| desk.scene.addresses(r, &[])).unwrap_or_default();
        addresses.into_iter().map(|(wire, _)| wire).collect()
    };
    let theirs = wires(&aim.replica);
    let common = wires(&stand.replica).into_iter().find(|w| theirs.contains(w));
    let Some(wire) = common else {
        let verdict = verdict.seen("no common network: packets are forwarded between bridges");
        return Ok(verdict.help(
            "look at `iptables -S FORWARD` and `iptables -t raw -S PREROUTING` on the host for what lets them through",
        ));
    };
    let label = desk.scene.wire_label(&wire).to_owned();
    let declared = |r: &Option<crate::name::Replica>| {
        let ends = r.as_ref().map(|r| desk.scene.topology.ends(&r.service)).unwrap_or_default();
        ends.iter().any(|(_, w)| w.name == wire)
    };
    for (replica, called) in [(&stand.replica, &stand.called), (&aim.replica, &aim.called)] {
        if !declared(replica) {
            let name =
                replica.as_ref().and_then(|r| desk.scene.container(r)).map_or(called.as_str(), |c| c.name.as_str());
            let help = format!("docker network disconnect {wire} {name}");
            return Ok(verdict.seen(format!("{called} is on {label}, where the file does not put it")).help(help));
        }
    }
    // members of one bridge that `enable_icc: false` should part
    if matches!(path.to, Spot::Service(..)) && path.how != How::Arp {
        let filter = desk.sysctl(&Vantage::Host, "net.bridge.bridge-nf-call-iptables")?;
        if filter.value.as_deref() == Some("0") {
            return Ok(verdict
                .seen(format!("bridge-nf-call-iptables is 0: the firewall does not see what {label} carries"))
                .help("sysctl -w net.bridge.bridge-nf-call-iptables=1"));
        }
    }
    Ok(verdict.seen(format!("both are on {label}")))
}

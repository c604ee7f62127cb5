//! Positive controls: a silence means something only where the target lives and the asker can ask.

use std::net::{IpAddr, SocketAddr};

use super::aim::{Aim, Stand};
use super::attempt::{CLOSED, attempts, listener_of, reached, text};
use super::desk::{Desk, Step};
use super::reach::members_meet;
use crate::name::Replica;
use crate::state::observed::{ObservedContainer, ObservedEndpoint};
use crate::verify::check::How;
use crate::verify::scene::Vantage;
use crate::verify::topology::Kind;

/// The target lives: it is reached from its own namespace, or from the host where it has none of ours.
pub(super) fn target_control(desk: &mut Desk<'_>, aim: &Aim, how: &How) -> Step<Option<String>> {
    let (at, who) = match listener_of(aim) {
        Some((there, _)) => (there, format!("{} itself", aim.called)),
        None => (Vantage::Host, "the host".to_owned()),
    };
    let tried = attempts(desk, &at, &aim.seen_by_itself(), how)?;
    let hit = tried.attempts.iter().find(|(_, a)| tried.got_there(a));
    Ok(hit.map(|(name, a)| format!("control: {} answers {who} ({name} {})", aim.address, text(a))))
}

/// The asker can ask: it reaches somebody else over its own wires in the same run. Who is alone there has to reach itself.
pub(super) fn source_control(desk: &mut Desk<'_>, stand: &Stand, aim: &Aim) -> Step<Option<String>> {
    let Some(replica) = &stand.replica else { return host_control(desk, stand) };
    let label = replica.to_string();
    let own = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), desk.listener(&stand.at, &label)?.port);
    let mut steps = vec![desk.tcp(&stand.at, own, true)];
    let neighbours = neighbours(desk, replica, aim);
    for (_, address) in &neighbours {
        steps.push(desk.tcp(&stand.at, SocketAddr::new(*address, CLOSED), false));
    }
    let tried = super::desk::all(steps)?;
    let (itself, others) = match tried.split_first() {
        Some((itself, others)) => (reached(itself), others),
        None => (false, &[][..]),
    };
    let hit = neighbours.iter().zip(others).find(|(_, attempt)| reached(attempt));
    Ok(match hit {
        _ if !itself => None,
        Some(((name, address), _)) => Some(format!("control: {} reaches {name} ({address})", stand.called)),
        None if neighbours.is_empty() => Some(format!("control: the probe in {} reaches itself", stand.called)),
        None => None,
    })
}

/// A machine beside the host sees the host, and the host itself.
fn host_control(desk: &mut Desk<'_>, stand: &Stand) -> Step<Option<String>> {
    let own = match stand.at {
        Vantage::Outside => desk.beside()?.first().copied(),
        _ => None,
    };
    let to = SocketAddr::new(own.unwrap_or(IpAddr::from([127, 0, 0, 1])), CLOSED);
    let tried = desk.tcp(&stand.at, to, false)?;
    let what = if own.is_some() { "the host" } else { "itself" };
    Ok(reached(tried).then(|| format!("control: {} reaches {what}", stand.called)))
}

/// Whom a container may reach on its own wires: one other member of each, and a bridge's gateway.
pub(super) fn neighbours(desk: &Desk<'_>, replica: &Replica, aim: &Aim) -> Vec<(String, IpAddr)> {
    let scene = desk.scene;
    let Some(container) = scene.container(replica) else { return vec![] };
    let mut found = vec![];
    for (wire, end) in &container.endpoints {
        let declared = scene.topology.wires.get(wire);
        let open = declared.is_some_and(members_meet);
        let members = scene.observed.containers.iter().filter(|c| c.state.is_running() && c.replica != *replica);
        let members = members.filter(|c| Some(&c.replica) != aim.replica.as_ref());
        let mine = |e: &ObservedEndpoint| if aim.address.is_ipv6() { e.ipv6 } else { e.ipv4 };
        let address = |c: &ObservedContainer| Some(mine(c.endpoints.get(wire)?)?.addr());
        let member = members.filter_map(|c| Some((scene.called(&c.replica), address(c)?))).next();
        found.extend(member.filter(|_| open));
        let bridge = declared.is_some_and(|w| matches!(w.kind, Kind::Bridge { .. }));
        let pools = scene.network(wire).map(|n| n.ipam.pools.as_slice()).unwrap_or_default();
        let same = |g: &IpAddr| g.is_ipv6() == aim.address.is_ipv6() && *g != aim.address;
        let gateway = end.gateway.into_iter().chain(pools.iter().filter_map(|p| p.gateway)).find(same);
        found.extend(gateway.filter(|_| bridge).map(|address| ("the gateway".to_owned(), address)));
    }
    found
}

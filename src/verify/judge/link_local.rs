//! Link-local addresses: who has IPv6 on a wire has one there, too, and what parts two members has to part them by it as well.

use std::net::IpAddr;

use super::aim::{Aim, Stand, Zone};
use super::desk::{Desk, Step, both, unproved};
use super::link::find;
use crate::name::Replica;
use crate::probe::Address;
use crate::verify::check::Why;
use crate::verify::scene::Vantage;

/// The target's link-local addresses on the wires that it shares with the asker now. While a kernel still tries whether one is
/// anybody else's, it cannot be used, and the check stays open.
pub(super) fn aims(desk: &mut Desk<'_>, stand: &Stand, target: &Replica, called: &str) -> Step<Vec<Aim>> {
    let mut aims = vec![];
    let asker = stand.replica.as_ref().and_then(|replica| desk.scene.container(replica));
    let (Some(asker), Some(container)) = (asker, desk.scene.container(target)) else { return Ok(aims) };
    for (wire, there) in &container.endpoints {
        let Some(here) = asker.endpoints.get(wire) else { continue };
        let theirs = find(desk, &Vantage::Replica(target.clone()), there);
        let ((Some(own), mine), (Some(link), theirs)) = both(find(desk, &stand.at, here), theirs)? else { continue };
        let (mine, theirs) = (of(&mine), of(&theirs));
        if mine.is_empty() || theirs.is_empty() {
            continue;
        }
        if mine.iter().chain(&theirs).any(|address| address.tentative) {
            let who = &stand.called;
            return unproved(Why::Inconclusive(format!("{who} or {called} still tries its link-local address")));
        }
        let zone = Zone { asker: own.name.clone(), owner: link.name.clone() };
        aims.extend(theirs.iter().map(|address| Aim {
            address: address.address,
            called: called.to_owned(),
            replica: Some(target.clone()),
            wire: Some(wire.clone()),
            zone: Some(zone.clone()),
        }));
    }
    Ok(aims)
}

fn of<'a>(addresses: &[&'a Address]) -> Vec<&'a Address> {
    let local = |a: &&&Address| matches!(a.address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    addresses.iter().filter(local).copied().collect()
}

//! ARP: whether two ends hang on one wire, whatever the packets above may do.

use std::net::IpAddr;

use super::aim::{Aim, Stand, aims, stands};
use super::control::neighbours;
use super::desk::{Desk, Step, all, both, unproved};
use super::names::merged;
use crate::name::Replica;
use crate::probe::Heard;
use crate::verify::check::{Path, Verdict, Why};
use crate::verify::scene::Vantage;

/// The links that a place can ask on.
fn devices(desk: &mut Desk<'_>, at: &Vantage) -> Step<Vec<String>> {
    let links = desk.links(at)?;
    Ok(links.iter().filter(|l| l.up && !l.loopback).map(|l| l.name.clone()).collect())
}

/// What was heard on each link of a place.
fn heard<'a>(desk: &mut Desk<'a>, at: &Vantage, target: IpAddr) -> Step<Vec<&'a Heard>> {
    let devices = devices(desk, at)?;
    let steps = devices.iter().map(|device| desk.heard(at, target, device)).collect();
    all(steps)
}

/// The addresses that ARP is asked for: IPv4.
fn targets(desk: &mut Desk<'_>, path: &Path, stand: &Stand) -> Step<Vec<Aim>> {
    let aims = aims(desk, path, stand)?;
    Ok(aims.into_iter().filter(|a| a.address.is_ipv4()).collect())
}

/// One judge for each address, from each place.
fn each(desk: &mut Desk<'_>, path: &Path, judge: fn(&mut Desk<'_>, &Stand, &Aim) -> Step<Verdict>) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let mut steps = vec![];
    for stand in &stands {
        match targets(desk, path, stand) {
            Ok(aims) if aims.is_empty() => {
                steps.push(unproved(Why::NoControl(format!("{} has no IPv4 address to ask for", path.to))));
            }
            Ok(aims) => {
                for aim in &aims {
                    steps.push(judge(desk, stand, aim));
                }
            }
            Err(stop) => steps.push(Err(stop)),
        }
    }
    Ok(merged(all(steps)?))
}

pub(super) fn reaches(desk: &mut Desk<'_>, path: &Path) -> Step<Verdict> {
    each(desk, path, |desk, stand, aim| {
        let heard = heard(desk, &stand.at, aim.address)?;
        let macs: Vec<&str> = heard.iter().flat_map(|h| h.macs.iter().map(String::as_str)).collect();
        let from_to = format!("{} asks who has {} ({})", stand.called, aim.address, aim.called);
        let Some(first) = macs.first() else {
            return Ok(Verdict::refuted(format!("{} answers ARP", aim.called), format!("{from_to}: silence")));
        };
        let wanted = aim.replica.as_ref().zip(aim.wire.as_ref()).and_then(|(r, w)| desk.scene.endpoint(r, w)?.mac);
        let wanted = wanted.map(|m| m.to_string());
        match wanted.filter(|w| !macs.contains(&w.as_str())) {
            Some(wanted) => Ok(Verdict::refuted(wanted, format!("{from_to}: {first}"))),
            None => Ok(Verdict::Proved(vec![format!("{from_to}: {first}")])),
        }
    })
}

pub(super) fn isolated(desk: &mut Desk<'_>, path: &Path) -> Step<Verdict> {
    each(desk, path, |desk, stand, aim| {
        let silence = heard(desk, &stand.at, aim.address);
        let controls = both(control(desk, stand, aim), ear(desk, stand, aim));
        let (heard, (control, ear)) = both(silence, controls)?;
        let from_to = format!("{} asks who has {} ({})", stand.called, aim.address, aim.called);
        if let Some(hit) = heard.iter().find(|h| !h.macs.is_empty()) {
            let found = format!("{from_to}: {} on {}", hit.macs.join(", "), hit.device);
            let verdict = Verdict::refuted("silence: two wires", found);
            let wire = super::isolation::common_wire(desk, stand, aim);
            if let Some((line, help)) = wire.and_then(|wire| super::isolation::stray(desk, stand, aim, &wire)) {
                return Ok(verdict.seen(line).help(help));
            }
            return Ok(verdict.help("both hang on one wire: give each network a VLAN or a parent of its own"));
        }
        match (control, ear) {
            (Some(control), Some(ear)) => Ok(Verdict::Proved(vec![format!("{from_to}: silence"), control, ear])),
            (Some(_), None) => unproved(Why::NoControl(format!(
                "{from_to}: silence; but {} hears nobody on its own wires in the same run, so silence says nothing",
                stand.called
            ))),
            (None, _) => unproved(Why::NoControl(format!(
                "{from_to}: silence; but nobody else on its wire was there to hear it answer"
            ))),
        }
    })
}

/// Somebody on the target's own wire hears it: another member, or the host on a bridge.
fn control(desk: &mut Desk<'_>, stand: &Stand, aim: &Aim) -> Step<Option<String>> {
    let Some(wire) = aim.wire.clone() else { return Ok(None) };
    let bridge = desk.scene.topology.wires.get(&wire).is_some_and(|w| !w.is_child_of_parent());
    let neighbour = |c: &Replica| Some(c) != aim.replica.as_ref() && Some(c) != stand.replica.as_ref();
    let members = desk.scene.observed.containers.iter();
    let mut members = members.filter(|c| c.state.is_running() && c.endpoints.contains_key(&wire));
    let witness = match members.find(|c| neighbour(&c.replica)) {
        Some(member) => Vantage::Replica(member.replica.clone()),
        None if bridge => Vantage::Host,
        None => return Ok(None),
    };
    let device = device_towards(desk, &witness, aim.address)?;
    let Some(device) = device else { return Ok(None) };
    let heard = desk.heard(&witness, aim.address, &device)?;
    Ok(heard.macs.first().map(|mac| format!("control: {} hears {} at {mac}", called(desk, &witness), aim.address)))
}

/// The asker has ears: it hears somebody else on its own wires in the same run. Who is alone there has nobody to hear.
fn ear(desk: &mut Desk<'_>, stand: &Stand, aim: &Aim) -> Step<Option<String>> {
    let neighbours = stand.replica.as_ref().map(|replica| neighbours(desk, replica, aim)).unwrap_or_default();
    let steps = neighbours.iter().map(|(name, address)| {
        let Some(device) = device_towards(desk, &stand.at, *address)? else { return Ok(None) };
        let heard = desk.heard(&stand.at, *address, &device)?;
        Ok(heard.macs.first().map(|mac| format!("control: {} hears {name} ({address}) at {mac}", stand.called)))
    });
    let heard: Vec<Option<String>> = all(steps.collect())?;
    Ok(match neighbours.is_empty() {
        true => Some(format!("control: nobody else is there that {} could hear", stand.called)),
        false => heard.into_iter().flatten().next(),
    })
}

/// The link whose own subnet holds an address.
fn device_towards(desk: &mut Desk<'_>, at: &Vantage, address: IpAddr) -> Step<Option<String>> {
    let own = desk.addresses(at)?;
    let near = own.iter().find(|a| {
        ipnet::IpNet::new(a.address, a.prefix).is_ok_and(|net| net.contains(&address)) && !a.address.is_loopback()
    });
    Ok(near.map(|a| a.device.clone()))
}

/// A place as people call it.
fn called(desk: &Desk<'_>, place: &Vantage) -> String {
    match place {
        Vantage::Replica(replica) => desk.scene.called(replica),
        Vantage::Host => "the host".to_owned(),
        other => other.to_string(),
    }
}

//! The ends of a path as places to ask from and addresses to ask for.

use std::net::IpAddr;

use ipnet::IpNet;

use super::desk::{Desk, Step, unproved};
use crate::name::{Replica, ServiceName};
use crate::probe::{Address, Family};
use crate::verify::check::{Path, Spot, Why};
use crate::verify::scene::Vantage;

/// A place to ask from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stand {
    /// Where it is.
    pub at: Vantage,
    /// As people call it.
    pub called: String,
    /// The container, where it is one with links of its own.
    pub replica: Option<Replica>,
}

/// An address to ask for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Aim {
    /// The address.
    pub address: IpAddr,
    /// As people call who should have it.
    pub called: String,
    /// The container whose namespace it should be.
    pub replica: Option<Replica>,
    /// The wire it is on.
    pub wire: Option<String>,
    /// Where it is link-local: the links that lead to it.
    pub zone: Option<Zone>,
}

/// The links on which a link-local address is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Zone {
    /// The asker's.
    pub asker: String,
    /// The one that has the address.
    pub owner: String,
}

impl Aim {
    /// The same seen from who has it.
    pub fn seen_by_itself(&self) -> Self {
        let zone = self.zone.as_ref().map(|zone| Zone { asker: zone.owner.clone(), ..zone.clone() });
        Self { zone, ..self.clone() }
    }

    /// The link to ask on, where the address needs one.
    pub fn device(&self) -> Option<&str> {
        self.zone.as_ref().map(|zone| zone.asker.as_str())
    }
}

/// The containers that a spot names.
pub(super) fn replicas(desk: &Desk<'_>, service: &ServiceName, number: Option<u32>) -> Vec<Replica> {
    match number {
        Some(number) => vec![Replica::new(service.clone(), number)],
        None => desk.scene.replicas(service),
    }
}

/// Where a path starts.
pub(super) fn stands(desk: &Desk<'_>, from: &Spot) -> Step<Vec<Stand>> {
    match from {
        Spot::Service(name, number) => {
            let mut stands = vec![];
            for replica in replicas(desk, name, *number) {
                let at = desk.stand(&replica)?;
                let called = desk.scene.called(&replica);
                let home = matches!(at, Vantage::Replica(_)).then(|| desk.scene.home(&replica));
                stands.push(Stand { at, called, replica: home });
            }
            match stands.is_empty() {
                true => unproved(Why::NotRunning(format!("{name} has no container"))),
                false => Ok(stands),
            }
        }
        Spot::Host => Ok(vec![Stand { at: Vantage::Host, called: "the host".to_owned(), replica: None }]),
        Spot::Outside => Ok(vec![Stand { at: Vantage::Outside, called: "outside".to_owned(), replica: None }]),
        other => unproved(Why::Inconclusive(format!("nothing can be asked from {other}"))),
    }
}

/// What a path leads to, seen from one place.
pub(super) fn aims(desk: &mut Desk<'_>, path: &Path, stand: &Stand) -> Step<Vec<Aim>> {
    match &path.to {
        Spot::Service(name, number) => service_aims(desk, path, stand, name, *number),
        Spot::Host => {
            let mut aims = host_aims(desk, stand)?;
            aims.retain(|aim| path.family.is_none_or(|family| aim.address.is_ipv6() == (family == Family::V6)));
            match (aims.is_empty(), path.family) {
                (true, Some(Family::V6)) => {
                    unproved(Why::Inconclusive("the host has no IPv6 address there".to_owned()))
                }
                _ => Ok(aims),
            }
        }
        Spot::Internet => internet_aims(desk),
        Spot::Address(address) => Ok(vec![known(desk, *address)]),
        Spot::Range(range) => {
            let scene = desk.scene;
            let own = scene.observed.containers.iter().flat_map(|c| c.endpoints.values());
            let own = own.flat_map(|e| e.ipv4.into_iter().chain(e.ipv6)).map(|a| a.addr());
            let others = scene.observed.others.iter().flat_map(|c| c.networks.iter().flat_map(|n| n.2.clone()));
            let host = desk.addresses(&Vantage::Host)?.iter().map(|a| a.address);
            let itself: Vec<IpAddr> =
                stand.replica.iter().flat_map(|r| scene.addresses(r, &[])).map(|(_, a)| a.addr()).collect();
            let inside = |a: &IpAddr| range.contains(a) && !itself.contains(a);
            let mut all: Vec<IpAddr> = own.chain(others).chain(host).filter(inside).collect();
            all.sort();
            all.dedup();
            if all.is_empty() {
                return unproved(Why::Inconclusive(format!("nobody is known to live in {range}: name an address")));
            }
            Ok(all.into_iter().map(|a| known(desk, a)).collect())
        }
        other => unproved(Why::Inconclusive(format!("{other} has no address to ask for"))),
    }
}

/// An address, with the container of the project that has it.
fn known(desk: &Desk<'_>, address: IpAddr) -> Aim {
    let has = |r: &Replica| desk.scene.addresses(r, &[]).iter().any(|(_, a)| a.addr() == address);
    let replica = desk.scene.observed.containers.iter().map(|c| c.replica.clone()).find(has);
    Aim { address, called: address.to_string(), replica, wire: None, zone: None }
}

fn service_aims(
    desk: &mut Desk<'_>,
    path: &Path,
    stand: &Stand,
    name: &ServiceName,
    number: Option<u32>,
) -> Step<Vec<Aim>> {
    let mut aims = vec![];
    for replica in replicas(desk, name, number) {
        if stand.replica.as_ref() == Some(&desk.scene.home(&replica)) {
            continue;
        }
        desk.stand(&replica)?;
        let home = desk.scene.home(&replica);
        let called = desk.scene.called(&replica);
        for (wire, net) in desk.scene.addresses(&replica, &path.via) {
            if path.family.is_some_and(|family| net.addr().is_ipv6() != (family == Family::V6)) {
                continue;
            }
            let (replica, called) = (Some(home.clone()), called.clone());
            aims.push(Aim { address: net.addr(), called, replica, wire: Some(wire), zone: None });
        }
        if path.family == Some(Family::V6) {
            aims.extend(super::link_local::aims(desk, stand, &home, &called)?);
        }
    }
    Ok(aims)
}

/// The host's addresses that a container may know: those on its own subnets, where a bridge's gateway is; for a child of a parent,
/// and where there are none, those of the parent and of the host's cards. Other bridges come and go with other stacks.
fn host_aims(desk: &mut Desk<'_>, stand: &Stand) -> Step<Vec<Aim>> {
    let (links, addresses) = super::desk::both(desk.links(&Vantage::Host), desk.addresses(&Vantage::Host))?;
    let all: Vec<&Address> = addresses.iter().filter(|a| a.scope == "global").collect();
    let nets: Vec<IpNet> =
        stand.replica.iter().flat_map(|r| desk.scene.addresses(r, &[])).map(|(_, net)| net).collect();
    let wires = stand.replica.as_ref().map(|r| desk.scene.topology.ends(&r.service)).unwrap_or_default();
    let parents: Vec<&str> = wires.iter().filter_map(|(_, w)| w.parent()).collect();
    let near = |a: &&&Address| nets.iter().any(|net| net.contains(&a.address));
    let mut chosen: Vec<IpAddr> = all.iter().filter(near).map(|a| a.address).collect();
    if chosen.is_empty() || !parents.is_empty() {
        let card = |a: &Address| links.iter().any(|l| l.index == a.index && l.kind.is_none() && !l.loopback);
        let own = all.iter().filter(|a| card(a) || parents.contains(&a.device.as_str())).map(|a| a.address);
        chosen.extend(own);
    }
    if chosen.is_empty() {
        chosen = all.iter().filter(|a| a.device == "docker0").map(|a| a.address).collect();
    }
    chosen.sort();
    chosen.dedup();
    if chosen.is_empty() {
        return unproved(Why::Inconclusive("the host has no address of its own to ask for".to_owned()));
    }
    let aim = |address| Aim { address, called: "the host".to_owned(), replica: None, wire: None, zone: None };
    Ok(chosen.into_iter().map(aim).collect())
}

/// The first machines beyond the host's own networks that anybody knows of: its default gateway and its name servers.
fn internet_aims(desk: &mut Desk<'_>) -> Step<Vec<Aim>> {
    let (routes, own) = super::desk::both(desk.routes(&Vantage::Host), desk.addresses(&Vantage::Host))?;
    let servers = desk.resolver(&Vantage::Host)?;
    let gateways = routes.iter().filter(|r| r.prefix == 0).filter_map(|r| r.gateway);
    let far = |a: &IpAddr| !a.is_loopback() && !own.iter().any(|o| o.address == *a);
    let mut all: Vec<IpAddr> = gateways.chain(servers.servers.iter().copied()).filter(far).collect();
    all.dedup();
    if all.is_empty() {
        return unproved(Why::Inconclusive("the host itself knows no way to the internet".to_owned()));
    }
    Ok(all
        .into_iter()
        .map(|address| Aim { address, called: "the internet".to_owned(), replica: None, wire: None, zone: None })
        .collect())
}

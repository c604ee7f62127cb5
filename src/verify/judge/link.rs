//! Addresses, MAC addresses and default routes: the Engine's word against the kernel's.

use std::net::IpAddr;

use ipnet::IpNet;

use super::desk::{Desk, Step, all, both, optional, unproved};
use crate::name::{Mac, Replica};
use crate::probe::{Address, Family, Heard, Link, Route};
use crate::state::observed::ObservedEndpoint;
use crate::verify::check::{AddressPool, Verdict, Why};
use crate::verify::scene::Vantage;

/// How the container hangs on the wire now; a refutation where it does not.
pub(super) fn endpoint<'a>(desk: &Desk<'a>, replica: &Replica, wire: &str) -> Step<&'a ObservedEndpoint> {
    let container = desk.running(replica)?;
    if let Some(endpoint) = container.endpoints.get(wire) {
        return Ok(endpoint);
    }
    let label = desk.scene.wire_label(wire);
    let on: Vec<&str> = container.endpoints.keys().map(String::as_str).collect();
    let found = match on.as_slice() {
        [] => format!("{} is on no network", container.name),
        names => format!("{} is on {}", container.name, names.join(", ")),
    };
    let help = format!("docker network connect {wire} {}, or `bowline up -d`", container.name);
    let expected = format!("{} on {label}", desk.scene.called(replica));
    Err(super::Stop::Settled(Verdict::refuted(expected, found).help(help)))
}

/// The link that has the endpoint's address, or its MAC where no link has the address.
pub(super) fn find<'a>(
    desk: &mut Desk<'a>,
    at: &Vantage,
    endpoint: &ObservedEndpoint,
) -> Step<(Option<&'a Link>, Vec<&'a Address>)> {
    let (links, addresses) = both(desk.links(at), desk.addresses(at))?;
    let told = |a: &Address| [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().any(|n| n.addr() == a.address);
    let index = addresses.iter().find(|a| told(a)).map(|a| a.index);
    let by_mac = || links.iter().find(|l| endpoint.mac.is_some() && l.mac.as_deref().and_then(parse) == endpoint.mac);
    let link = index.and_then(|i| links.iter().find(|l| l.index == i)).or_else(by_mac);
    let own = link.map(|l| addresses.iter().filter(|a| a.index == l.index).collect()).unwrap_or_default();
    Ok((link, own))
}

fn parse(mac: &str) -> Option<Mac> {
    mac.parse().ok()
}

pub(super) fn address(
    desk: &mut Desk<'_>,
    replica: &Replica,
    wire: &str,
    fixed: &[IpAddr],
    pools: &[AddressPool],
) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let endpoint = endpoint(desk, replica, wire)?;
    let told: Vec<IpNet> = endpoint.ipv4.into_iter().chain(endpoint.ipv6).collect();
    let texts = |nets: &[IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(missing) = fixed.iter().find(|f| !told.iter().any(|t| t.addr() == **f)) {
        return Ok(Verdict::refuted(missing.to_string(), format!("the Engine tells {}", texts(&told)))
            .help("it was made from another file: `bowline up -d` replaces it"));
    }
    if told.is_empty() {
        return Ok(Verdict::refuted("an address", "the Engine tells none"));
    }
    if let Some(stray) = told.iter().find(|t| !fixed.contains(&t.addr()) && !fits(t, pools)) {
        let pools: Vec<String> = pools.iter().map(|p| p.range.unwrap_or(p.subnet).to_string()).collect();
        return Ok(Verdict::refuted(format!("an address of {}", pools.join(", ")), stray.to_string()));
    }
    // silence takes its time: it is listened for from the first
    let claims = told.iter().map(|net| optional(desk.rivals(&at, net.addr()))).collect();
    let ((link, own), claims) = both(find(desk, &at, endpoint), all(claims))?;
    let Some(link) = link else {
        let found = "no link in the namespace has it".to_owned();
        return Ok(Verdict::refuted(texts(&told), found).help("the container lost its link: restart it"));
    };
    for net in &told {
        match own.iter().find(|a| a.address == net.addr()) {
            None => {
                let have: Vec<String> = own.iter().map(|a| format!("{}/{}", a.address, a.prefix)).collect();
                return Ok(Verdict::refuted(net.to_string(), format!("{} has {}", link.name, have.join(", "))));
            }
            Some(a) if a.prefix != net.prefix_len() => {
                let found = format!("{} has {}/{}", link.name, a.address, a.prefix);
                return Ok(Verdict::refuted(net.to_string(), found));
            }
            Some(a) if a.duplicate => {
                let found = format!("{}: another machine has {} as well", link.name, a.address);
                return Ok(Verdict::refuted(net.to_string(), found));
            }
            Some(_) => {}
        }
    }
    if !link.up {
        return Ok(Verdict::refuted(texts(&told), format!("{} has it and is down", link.name)));
    }
    if let Some(verdict) = stolen(desk, replica, link, &claims) {
        return Ok(verdict);
    }
    Ok(Verdict::Proved(vec![format!("{} has {}", link.name, texts(&told))]))
}

/// Somebody else on the wire who answers for one of these addresses, by ARP or neighbour discovery, where the probe may ask at layer 2.
/// A kernel that finds an IPv6 address taken does not use it; a thief who switched that off (`nodad`) is heard here.
fn stolen(desk: &Desk<'_>, replica: &Replica, link: &Link, claims: &[Option<&Heard>]) -> Option<Verdict> {
    // the children of an ipvlan share one MAC with their parent
    let own = link.mac.as_ref().filter(|_| link.kind.as_deref() != Some("ipvlan"))?;
    // who asks for an IPv6 address hears itself, too
    let rival = |heard: &Heard| heard.macs.iter().find(|mac| *mac != own).cloned();
    let (address, rival) = claims.iter().flatten().find_map(|heard| Some((heard.target, rival(heard)?)))?;
    let who = parse(&rival).and_then(|mac| desk.scene.holder_of_mac(mac)).unwrap_or("nobody of this Engine");
    let called = desk.scene.called(replica);
    let verdict = Verdict::refuted(format!("{address} is {called}'s alone"), format!("{rival} answers for it, too"));
    Some(verdict.seen(format!("{rival} is {who}")).help(format!("take {address} from {who}")))
}

/// Whether an address comes from where the file says: the subnet, and the range in it where one is given.
fn fits(address: &IpNet, pools: &[AddressPool]) -> bool {
    let family: Vec<&AddressPool> =
        pools.iter().filter(|p| p.subnet.addr().is_ipv4() == address.addr().is_ipv4()).collect();
    let inside = |p: &&AddressPool| {
        let prefix = p.subnet.prefix_len() == address.prefix_len();
        prefix && p.subnet.contains(&address.addr()) && p.range.is_none_or(|r| r.contains(&address.addr()))
    };
    family.is_empty() || family.iter().any(inside)
}

pub(super) fn mac(desk: &mut Desk<'_>, replica: &Replica, wire: &str, fixed: Option<Mac>) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let endpoint = endpoint(desk, replica, wire)?;
    let (link, _) = find(desk, &at, endpoint)?;
    let Some(link) = link else {
        return unproved(Why::NotSeen(format!("no link of {} has its address", desk.scene.called(replica))));
    };
    let Some(has) = link.mac.as_deref().and_then(parse) else {
        return Ok(Verdict::refuted("a MAC address", format!("{} has none", link.name)));
    };
    let wanted = fixed.or_else(|| derived(desk.scene.observed.engine.major(), endpoint));
    if let Some(wanted) = wanted.filter(|w| *w != has) {
        let verdict = Verdict::refuted(wanted.to_string(), format!("{} has {has}", link.name));
        return Ok(match fixed {
            Some(_) => verdict.help("it was made from another file: `bowline up -d` replaces it"),
            None => verdict.seen("an Engine before 28 makes the MAC of the address: 02:42 and its four bytes"),
        });
    }
    if let Some(told) = endpoint.mac.filter(|told| *told != has) {
        return Ok(Verdict::refuted(format!("{told}, as the Engine tells"), format!("{} has {has}", link.name)));
    }
    if has.is_multicast() || (fixed.is_none() && has.0[0] & 2 == 0) {
        return Ok(Verdict::refuted("a locally administered unicast address", format!("{} has {has}", link.name)));
    }
    if let Some(twin) = twin(desk, replica, wire, has) {
        let found = format!("{has} is {twin}'s as well");
        return Ok(Verdict::refuted(format!("a MAC of its own on {}", desk.scene.wire_label(wire)), found)
            .help("give each container on a wire its own `mac_address`, or none"));
    }
    Ok(Verdict::Proved(vec![format!("{} has {has}", link.name)]))
}

pub(super) fn mtu(desk: &mut Desk<'_>, replica: &Replica, wire: &str, bytes: u32) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let endpoint = endpoint(desk, replica, wire)?;
    let (link, _) = find(desk, &at, endpoint)?;
    let Some(link) = link else {
        return unproved(Why::NotSeen(format!("no link of {} has its address", desk.scene.called(replica))));
    };
    let found = format!("{} carries packets of {} bytes", link.name, link.mtu);
    Ok(match link.mtu == bytes {
        true => Verdict::Proved(vec![found]),
        false => Verdict::refuted(format!("packets of {bytes} bytes"), found).help(format!(
            "a child has the MTU that its parent had when it was made: `ip link set … mtu {bytes}` there, then restart {}",
            desk.scene.called(replica)
        )),
    })
}

/// What an Engine before 28 makes of an address.
fn derived(major: u32, endpoint: &ObservedEndpoint) -> Option<Mac> {
    match endpoint.ipv4?.addr() {
        IpAddr::V4(v4) if (1..28).contains(&major) => {
            let [a, b, c, d] = v4.octets();
            Some(Mac([2, 0x42, a, b, c, d]))
        }
        _ => None,
    }
}

/// Another container of the project with the same MAC on the same wire.
fn twin(desk: &Desk<'_>, replica: &Replica, wire: &str, mac: Mac) -> Option<String> {
    let others = desk.scene.observed.containers.iter().filter(|c| c.replica != *replica && c.state.is_running());
    let mut same = others.filter(|c| c.endpoints.get(wire).and_then(|e| e.mac) == Some(mac));
    same.next().map(|c| c.name.clone())
}

pub(super) fn default_route(desk: &mut Desk<'_>, replica: &Replica, family: Family, wires: &[String]) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    let routes = desk.routes(&at)?;
    let v6 = family == Family::V6;
    let is_default =
        |r: &&Route| r.prefix == 0 && r.table == 254 && r.kind == "unicast" && r.destination.is_ipv6() == v6;
    let main: Vec<&Route> = routes.iter().filter(is_default).collect();
    let text = |r: &Route| {
        let gateway = r.gateway.map_or("no gateway".to_owned(), |g| g.to_string());
        format!("default by {gateway} on {}", r.device.as_deref().unwrap_or("?"))
    };
    if wires.is_empty() {
        return Ok(match main.first() {
            None => Verdict::Proved(vec!["the routing table has no default route".to_owned()]),
            Some(route) if old_internal(desk, replica, route) => Verdict::Proved(vec![format!(
                "{}: Engines before 25 give it on internal networks too, and the host forwards nothing from there",
                text(route)
            )]),
            Some(route) => Verdict::refuted("no default route", text(route)),
        });
    }
    let mut wanted = vec![];
    for wire in wires {
        let endpoint = endpoint(desk, replica, wire)?;
        let gateway = if v6 { endpoint.gateway_v6 } else { endpoint.gateway };
        wanted.push((desk.scene.wire_label(wire).to_owned(), gateway));
    }
    let says = |(label, gateway): &(String, Option<IpAddr>)| match gateway {
        Some(gateway) => format!("{gateway} of {label}"),
        None => format!("a link on {label}"),
    };
    let expected = format!("default by {}", wanted.iter().map(says).collect::<Vec<_>>().join(" or "));
    let Some(route) = main.first() else {
        return Ok(Verdict::refuted(expected, "there is no default route"));
    };
    let fits = |(_, gateway): &&(String, Option<IpAddr>)| *gateway == route.gateway;
    Ok(match wanted.iter().find(fits) {
        Some((label, Some(_))) => Verdict::Proved(vec![format!("{}, the gateway of {label}", text(route))]),
        Some((label, None)) => Verdict::Proved(vec![format!("{}: a link on {label}", text(route))]),
        None => Verdict::refuted(expected, text(route)),
    })
}

/// Whether a default route is the one that Engines before 25 give to members of an internal network: the bridge's own address.
fn old_internal(desk: &Desk<'_>, replica: &Replica, route: &Route) -> bool {
    let internal = |wire: &String| desk.scene.topology.wires.get(wire).is_some_and(|w| w.internal);
    let container = desk.scene.container(replica);
    let mut ends = container.iter().flat_map(|c| &c.endpoints);
    (1..25).contains(&desk.scene.observed.engine.major())
        && ends.any(|(wire, end)| {
            internal(wire) && end.ipv4.is_some_and(|net| route.gateway.is_some_and(|g| net.contains(&g)))
        })
}

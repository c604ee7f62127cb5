//! What the kernel says of links, addresses, routes and neighbours, read from its messages. Pure.
//!
//! Numbers: include/uapi/linux/{if_link,if_addr,rtnetlink,neighbour}.h.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::{Address, Link, Neighbour, Route, RouteLookup};
use super::netlink::{attributes, text, u16_at, u32_at};

/// The name of a link by its number.
pub type Names<'a> = &'a dyn Fn(u32) -> String;

/// Reads the body of an `RTM_NEWLINK`.
pub fn link(body: &[u8]) -> Option<Link> {
    let flags = u32_at(body, 8)?;
    let mut link = Link {
        index: u32_at(body, 4)?,
        flags,
        up: flags & 0x1 != 0,
        loopback: flags & 0x8 != 0,
        state: "unknown".to_owned(),
        ..Link::default()
    };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            1 => link.mac = (!value.is_empty()).then(|| mac(value)),
            3 => link.name = text(value),
            4 => link.mtu = u32_at(value, 0)?,
            5 => link.parent = u32_at(value, 0).filter(|&index| index != 0),
            10 => link.master = u32_at(value, 0).filter(|&index| index != 0),
            16 => link.state = operational(*value.first()?).to_owned(),
            18 => link_info(&mut link, value),
            20 => link.label = Some(text(value)),
            30 => link.promiscuity = u32_at(value, 0)?,
            33 => link.carrier = value.first().map(|&b| b != 0),
            37 => link.parent_namespace = u32_at(value, 0).map(|id| id as i32).filter(|&id| id >= 0),
            _ => {}
        }
    }
    Some(link)
}

/// `IFLA_LINKINFO`: the kind, and what is of note of it.
fn link_info(link: &mut Link, info: &[u8]) {
    let find = |number| attributes(info).find(|(kind, _)| *kind == number).map(|(_, value)| value);
    link.kind = find(1).map(text);
    let data = find(2).unwrap_or_default();
    let first = attributes(data).find(|(kind, _)| *kind == 1).map(|(_, value)| value);
    match (link.kind.as_deref(), first) {
        (Some("macvlan" | "macvtap"), Some(mode)) => {
            link.macvlan_mode = u32_at(mode, 0).map(|mode| macvlan_mode(mode).to_owned());
        }
        (Some("ipvlan" | "ipvtap"), Some(mode)) => {
            link.ipvlan_mode = u16_at(mode, 0).map(|mode| ipvlan_mode(mode).to_owned());
        }
        (Some("vlan"), Some(id)) => {
            link.vlan = u16_at(id, 0);
            // `IFLA_VLAN_PROTOCOL`, in the order of the wire
            let tag = attributes(data).find(|(kind, _)| *kind == 5).and_then(|(_, value)| u16_at(value, 0));
            link.tag = tag.map(u16::from_be);
        }
        (Some("vxlan"), Some(id)) => link.vxlan = u32_at(id, 0),
        _ => {}
    }
}

/// Reads the body of an `RTM_NEWADDR`.
pub fn address(body: &[u8], names: Names<'_>) -> Option<Address> {
    let (family, prefix, scope) = (*body.first()?, *body.get(1)?, *body.get(3)?);
    let index = u32_at(body, 4)?;
    let mut flags = u32::from(*body.get(2)?);
    let (mut address, mut local) = (None, None);
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            1 => address = ip(family, value),
            2 => local = ip(family, value),
            8 => flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    Some(Address {
        index,
        device: names(index),
        address: local.or(address)?,
        prefix,
        scope: scope_name(scope).to_owned(),
        tentative: flags & 0x40 != 0,
        duplicate: flags & 0x08 != 0,
    })
}

/// Reads the body of an `RTM_NEWROUTE`: one route for each of its ways; none for those of own and group addresses.
pub fn routes(body: &[u8], names: Names<'_>) -> Vec<Route> {
    let read = || -> Option<Vec<Route>> {
        let (family, prefix, short_table, kind) = (*body.first()?, *body.get(1)?, *body.get(4)?, *body.get(7)?);
        let kind = route_kind(kind)?;
        if matches!(kind, "local" | "broadcast" | "anycast" | "multicast") || u32_at(body, 8)? & 0x200 != 0 {
            return Some(Vec::new());
        }
        let mut route = Route {
            destination: unspecified(family)?,
            prefix,
            gateway: None,
            device: None,
            source: None,
            metric: None,
            table: u32::from(short_table),
            kind: kind.to_owned(),
        };
        let mut ways = None;
        for (number, value) in attributes(body.get(12..)?) {
            match number {
                1 => route.destination = ip(family, value)?,
                4 => route.device = u32_at(value, 0).map(names),
                5 => route.gateway = ip(family, value),
                6 => route.metric = u32_at(value, 0),
                7 => route.source = ip(family, value),
                9 => ways = Some(next_hops(family, value, &route, names)),
                15 => route.table = u32_at(value, 0)?,
                18 => route.gateway = via(value),
                _ => {}
            }
        }
        Some(ways.unwrap_or_else(|| vec![route]))
    };
    read().unwrap_or_default()
}

/// `RTA_MULTIPATH`: `struct rtnexthop`, each with attributes of its own.
fn next_hops(family: u8, bytes: &[u8], route: &Route, names: Names<'_>) -> Vec<Route> {
    let mut rest = bytes;
    let mut ways = Vec::new();
    while let (Some(length), Some(index)) = (u16_at(rest, 0), u32_at(rest, 4)) {
        let Some(inner) = rest.get(8..usize::from(length)) else { break };
        let mut way = Route { device: Some(names(index)), ..route.clone() };
        for (kind, value) in attributes(inner) {
            match kind {
                5 => way.gateway = ip(family, value),
                18 => way.gateway = via(value),
                _ => {}
            }
        }
        ways.push(way);
        rest = rest.get((usize::from(length) + 3) & !3..).unwrap_or_default();
    }
    ways
}

/// Reads the answer to an `RTM_GETROUTE` for one destination.
pub fn route_lookup(to: IpAddr, body: &[u8], names: Names<'_>) -> Option<RouteLookup> {
    let family = *body.first()?;
    let mut found = RouteLookup { to, errno: None, kind: None, gateway: None, device: None, source: None };
    found.kind = route_kind(*body.get(7)?).map(str::to_owned);
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            4 => found.device = u32_at(value, 0).map(names),
            5 => found.gateway = ip(family, value),
            7 => found.source = ip(family, value),
            18 => found.gateway = via(value),
            _ => {}
        }
    }
    Some(found)
}

/// Reads the body of an `RTM_NEWNEIGH` of IPv4 or IPv6.
pub fn neighbour(body: &[u8], names: Names<'_>) -> Option<Neighbour> {
    let family = *body.first()?;
    let index = u32_at(body, 4)?;
    let state = u16_at(body, 8)?;
    let (mut address, mut hardware) = (None, None);
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            1 => address = ip(family, value),
            2 => hardware = (!value.is_empty()).then(|| mac(value)),
            _ => {}
        }
    }
    Some(Neighbour { device: names(index), address: address?, mac: hardware, state: neighbour_state(state).to_owned() })
}

/// A hardware address in pairs.
pub fn mac(bytes: &[u8]) -> String {
    bytes.iter().take(32).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

/// An address of a family.
fn ip(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        2 => <[u8; 4]>::try_from(bytes).ok().map(|b| Ipv4Addr::from(b).into()),
        10 => <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).into()),
        _ => None,
    }
}

/// `struct rtvia`: an address of another family than the route's.
fn via(bytes: &[u8]) -> Option<IpAddr> {
    ip(u8::try_from(u16_at(bytes, 0)?).ok()?, bytes.get(2..)?)
}

fn unspecified(family: u8) -> Option<IpAddr> {
    match family {
        2 => Some(Ipv4Addr::UNSPECIFIED.into()),
        10 => Some(Ipv6Addr::UNSPECIFIED.into()),
        _ => None,
    }
}

fn operational(state: u8) -> &'static str {
    match state {
        1 => "not-present",
        2 => "down",
        3 => "lower-layer-down",
        4 => "testing",
        5 => "dormant",
        6 => "up",
        _ => "unknown",
    }
}

fn macvlan_mode(mode: u32) -> &'static str {
    match mode {
        1 => "private",
        2 => "vepa",
        4 => "bridge",
        8 => "passthru",
        16 => "source",
        _ => "unknown",
    }
}

fn ipvlan_mode(mode: u16) -> &'static str {
    match mode {
        0 => "l2",
        1 => "l3",
        2 => "l3s",
        _ => "unknown",
    }
}

fn scope_name(scope: u8) -> &'static str {
    match scope {
        0 => "global",
        200 => "site",
        253 => "link",
        254 => "host",
        _ => "other",
    }
}

fn route_kind(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "unicast",
        2 => "local",
        3 => "broadcast",
        4 => "anycast",
        5 => "multicast",
        6 => "blackhole",
        7 => "unreachable",
        8 => "prohibit",
        9 => "throw",
        10 => "nat",
        _ => return None,
    })
}

fn neighbour_state(state: u16) -> &'static str {
    match state {
        0x01 => "incomplete",
        0x02 => "reachable",
        0x04 => "stale",
        0x08 => "delay",
        0x10 => "probe",
        0x20 => "failed",
        0x40 => "noarp",
        0x80 => "permanent",
        _ => "none",
    }
}

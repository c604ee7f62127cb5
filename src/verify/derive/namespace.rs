//! What is in a network namespace: whose it is, its links with their addresses and masters, its default route.

use super::{Draft, Origin, a, called, replicas};
use crate::compose::model::{Endpoint, Network, Service};
use crate::name::{Mac, Replica};
use crate::probe::Family;
use crate::source::{Span, Spanned};
use crate::verify::check::{AddressPool, Basis, Container, Expectation};
use crate::verify::topology::{DEFAULT_BRIDGE, End, Kind, Namespace, Wire};

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    let Some(place) = draft.topology.places.get(&service.name) else { return };
    let origin = || Origin::attribute(&service.name, "network_mode", place.span);
    for replica in replicas(service) {
        let who = called(service, &replica);
        match &place.namespace {
            Namespace::Host => draft.add(
                format!("namespace/{who}=host"),
                format!("{who} lives in the host's namespace"),
                origin(),
                Expectation::HostNamespace(replica),
            ),
            Namespace::Nothing(owner) if *owner == service.name => draft.add(
                format!("only-lo/{who}"),
                format!("{who} has no link but lo"),
                origin(),
                Expectation::OnlyLoopback(replica),
            ),
            Namespace::Foreign(name) => shared(draft, service, replica, Container::Named(name.clone())),
            Namespace::Own(owner) | Namespace::Nothing(owner) if *owner != service.name => {
                shared(draft, service, replica, Container::Replica(Replica::new(owner.clone(), 1)));
            }
            Namespace::Own(_) | Namespace::Nothing(_) => own_links(draft, service, &replica, &place.ends),
        }
    }
}

/// Another container's namespace.
fn shared(draft: &mut Draft<'_>, service: &Service, replica: Replica, owner: Container) {
    let who = called(service, &replica);
    let name = match &owner {
        Container::Replica(owner) => owner.service.to_string(),
        Container::Named(name) => name.clone(),
    };
    let span = draft.topology.places.get(&service.name).map_or(service.span, |p| p.span);
    draft.add(
        format!("namespace/{who}={name}"),
        format!("{who} lives in the namespace of {name}"),
        Origin::attribute(&service.name, "network_mode", span),
        Expectation::SharedNamespace { replica, owner },
    );
}

/// Links of its own, one an end, and the default route.
fn own_links(draft: &mut Draft<'_>, service: &Service, replica: &Replica, ends: &[End]) {
    let who = called(service, replica);
    let primary = primary_wire(draft, service);
    for end in ends {
        let Some(wire) = draft.topology.wires.get(&end.wire) else { continue };
        let network = draft.project.networks.values().find(|n| n.name == wire.name);
        let joined = network.and_then(|n| service.networks.get(&n.key));
        let mac = joined
            .and_then(|e| e.mac_address)
            .or_else(|| service.mac_address.filter(|_| primary.as_deref() == Some(wire.name.as_str())));
        link(draft, &Link { service, replica, who: &who, end, wire, network, joined, mac });
    }
    default_route(draft, service, replica, ends);
}

/// One link of a container, with all that the file says about it.
struct Link<'a> {
    service: &'a Service,
    replica: &'a Replica,
    who: &'a str,
    end: &'a End,
    wire: &'a Wire,
    network: Option<&'a Network>,
    joined: Option<&'a Endpoint>,
    mac: Option<Spanned<Mac>>,
}

impl Link<'_> {
    /// `web@front`.
    fn id(&self) -> String {
        let net =
            if self.wire.key.is_none() && self.wire.name == DEFAULT_BRIDGE { "bridge" } else { self.wire.label() };
        format!("{}@{net}", self.who)
    }

    /// An attribute of this end; the end itself where `key` is empty.
    fn origin(&self, key: &str, span: Option<Span>) -> Origin<'_> {
        let path = match (&self.wire.key, self.service.network_mode.is_some(), key.is_empty()) {
            (Some(net), false, true) => format!("networks.{net}"),
            (Some(net), false, false) => format!("networks.{net}.{key}"),
            _ => "network_mode".to_owned(),
        };
        Origin::attribute(&self.service.name, &path, span.unwrap_or(self.end.span))
    }
}

fn link(draft: &mut Draft<'_>, link: &Link<'_>) {
    let (who, wire, replica) = (link.who, link.wire, link.replica);
    let (v4, v6) = (link.joined.and_then(|e| e.ipv4_address), link.joined.and_then(|e| e.ipv6_address));
    let fixed = v4.iter().map(|a| a.value.into()).chain(v6.iter().map(|a| a.value.into())).collect::<Vec<_>>();
    let (key, span) = match (v4, v6) {
        (Some(a), _) => ("ipv4_address", Some(a.span)),
        (None, Some(a)) => ("ipv6_address", Some(a.span)),
        (None, None) => ("", None),
    };
    let pools = link.network.map(pools).unwrap_or_default();
    let what = match fixed.first() {
        Some(address) => format!("the address {address}"),
        None => "its address".to_owned(),
    };
    draft.add(
        format!("address/{}", link.id()),
        format!("{who} has {what} on {}", wire.label()),
        link.origin(key, span),
        Expectation::Address { replica: replica.clone(), wire: wire.name.clone(), fixed, pools },
    );
    if matches!(wire.kind, Kind::Bridge { .. } | Kind::Macvlan { .. }) {
        let what = link.mac.map_or("a MAC address of its own".to_owned(), |m| format!("the MAC address {}", m.value));
        draft.add(
            format!("mac/{}", link.id()),
            format!("{who} has {what} on {}", wire.label()),
            link.origin(if link.mac.is_some() { "mac_address" } else { "" }, link.mac.map(|m| m.span)),
            Expectation::Mac { replica: replica.clone(), wire: wire.name.clone(), fixed: link.mac.map(|m| m.value) },
        );
    }
    master(draft, link);
}

/// What the link hangs on in the host: a bridge, or a parent.
fn master(draft: &mut Draft<'_>, link: &Link<'_>) {
    let (who, wire, replica) = (link.who, link.wire, link.replica.clone());
    let option = |key: &str| link.network.and_then(|n| n.driver_opts.get(key));
    let origin = |key: &str| {
        let found = option(key).zip(wire.key.as_ref());
        match found {
            Some((value, net)) => Origin {
                service: Some(&link.service.name),
                basis: Basis::Attribute(format!("networks.{net}.driver_opts.{key}")),
                span: Some(value.span),
            },
            None => link.origin("", None),
        }
    };
    let (kind, parent, mode) = match &wire.kind {
        Kind::Bridge { .. } => {
            let key = "com.docker.network.bridge.name";
            let declared = option(key).map(|o| o.value.clone());
            let bridge = declared.or_else(|| (wire.name == DEFAULT_BRIDGE).then(|| "docker0".to_owned()));
            let name = bridge.clone().unwrap_or_else(|| format!("the bridge of {}", wire.label()));
            let wire = wire.name.clone();
            return draft.add(
                format!("bridge/{}", link.id()),
                format!("{who}'s link is a port of {name}"),
                origin(key),
                Expectation::BridgePort { replica, wire, bridge },
            );
        }
        Kind::Macvlan { parent: Some(parent), mode, .. } => ("macvlan", parent, mode),
        Kind::Ipvlan { parent: Some(parent), mode, .. } => ("ipvlan", parent, mode),
        _ => return,
    };
    draft.add(
        format!("parent/{}", link.id()),
        format!("{who}'s link is {} child of {parent}", a(kind)),
        origin("parent"),
        Expectation::Parent {
            replica,
            wire: wire.name.clone(),
            parent: parent.clone(),
            kind,
            mode: mode.clone(),
            links: link.network.map(|network| network.trunk.own_links()).unwrap_or_default(),
        },
    );
    trunk(draft, link);
}

/// What the trunk says of its wire beside parent and mode. Both are looked at, and set by nobody.
fn trunk(draft: &mut Draft<'_>, link: &Link<'_>) {
    let Some(trunk) = link.network.map(|network| &network.trunk) else { return };
    let origin = |service, key: &str, span| {
        let basis = Basis::Attribute(format!("x-trunks.{}.{key}", trunk.name));
        Origin { service, basis, span: Some(span) }
    };
    if let Some(mtu) = trunk.mtu {
        draft.add(
            format!("mtu/{}", link.id()),
            format!("{}'s link on {} carries packets of {} bytes", link.who, link.wire.label(), mtu.value),
            origin(Some(&link.service.name), "mtu", mtu.span),
            Expectation::Mtu { replica: link.replica.clone(), wire: link.wire.name.clone(), bytes: mtu.value },
        );
    }
    if let Some(promisc) = trunk.promisc {
        let parent = trunk.parent.clone();
        let says = match promisc.value {
            true => format!("{parent} takes frames that are not for it"),
            false => format!("nobody has set {parent} to take every frame"),
        };
        let expectation = Expectation::Promiscuous { parent: parent.clone(), on: promisc.value };
        draft.add(format!("promisc/{parent}"), says, origin(None, "promisc", promisc.span), expectation);
    }
}

/// The subnets that the file gives a network.
fn pools(network: &Network) -> Vec<AddressPool> {
    let pools = network.ipam.pools.iter();
    pools
        .filter_map(|p| p.subnet.map(|s| AddressPool { subnet: s.value, range: p.ip_range.map(|r| r.value) }))
        .collect()
}

/// The network that `create` names first: the highest priority, then the first key in alphabetical order, as Compose sorts them.
fn primary_wire(draft: &Draft<'_>, service: &Service) -> Option<String> {
    let first = service.networks.iter().min_by(|(a, x), (b, y)| y.priority.cmp(&x.priority).then_with(|| a.cmp(b)));
    first.and_then(|(key, _)| draft.project.networks.get(key)).map(|n| n.name.clone())
}

/// The default route leads to the gateway of a network that has one; of several, of one with the highest `gw_priority`. Each family
/// has its own; that there is none is promised for IPv4 alone.
fn default_route(draft: &mut Draft<'_>, service: &Service, replica: &Replica, ends: &[End]) {
    let wires: Vec<&Wire> = ends.iter().filter_map(|e| draft.topology.wires.get(&e.wire)).collect();
    // an overlay gives it through docker_gwbridge, a plugin as it likes
    if wires.iter().any(|w| matches!(w.kind, Kind::Overlay | Kind::Unknown(_))) {
        return;
    }
    let priority = |wire: &Wire| {
        let key = wire.key.as_ref();
        key.and_then(|k| service.networks.get(k)).and_then(|e| e.gateway_priority).unwrap_or_default()
    };
    let span = ends.first().map_or(service.span, |e| e.span);
    for family in [Family::V4, Family::V6] {
        let has = |wire: &&&Wire| if family == Family::V6 { wire.ipv6 } else { wire.ipv4 };
        let candidates: Vec<&Wire> = wires.iter().filter(has).filter(|wire| leads_out(wire)).copied().collect();
        let none_promised = family == Family::V4 && wires.iter().any(|wire| wire.ipv4);
        if candidates.is_empty() && !none_promised {
            continue;
        }
        let highest = candidates.iter().map(|w| priority(w)).max();
        let first: Vec<&Wire> = candidates.into_iter().filter(|w| Some(priority(w)) == highest).collect();
        let path = if service.network_mode.is_some() { "network_mode" } else { "networks" };
        let (id, says) = route_says(&called(service, replica), family, &first);
        let wires = first.iter().map(|w| w.name.clone()).collect();
        let expectation = Expectation::DefaultRoute { replica: replica.clone(), family, wires };
        draft.add(id, says, Origin::attribute(&service.name, path, span), expectation);
    }
}

/// Whether a wire may give a default route.
fn leads_out(wire: &Wire) -> bool {
    match &wire.kind {
        Kind::Bridge { gateway_mode, .. } => !wire.internal && gateway_mode.as_deref() != Some("isolated"),
        _ => !wire.internal && wire.parent().is_some(),
    }
}

/// The id and the sentence of a default route that leads through one of these.
fn route_says(who: &str, family: Family, wires: &[&Wire]) -> (String, String) {
    let (tail, by) = if family == Family::V6 { ("/ipv6", " for IPv6") } else { ("", "") };
    let says = match wires {
        [] => format!("{who} has no default route: its networks are internal"),
        [one] => format!("{who}'s default route{by} leads through {}", one.label()),
        more => {
            let names: Vec<&str> = more.iter().map(|w| w.label()).collect();
            format!("{who}'s default route{by} leads through one of {}", names.join(", "))
        }
    };
    (format!("route/{who}{tail}"), says)
}

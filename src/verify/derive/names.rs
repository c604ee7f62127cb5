//! Names: what DNS says to the members of a network and not to others, links, extra hosts.
//!
//! On a user-defined network the Engine's DNS knows services, container names and aliases; on the default bridge there is no
//! DNS, and legacy links write /etc/hosts (rule R8).

use indexmap::IndexMap;

use super::{Draft, Origin, called, replicas};
use crate::compose::model::{Link, Service};
use crate::name::Replica;
use crate::source::{Span, Spanned};
use crate::verify::check::{Basis, Container, Expectation, Meaning, NameSource, Owner};
use crate::verify::rule::Rule;
use crate::verify::topology::{DEFAULT_BRIDGE, Wire};

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    extra_hosts(draft, service);
    if !draft.has_own_links(&service.name) {
        return;
    }
    if wires(draft, service).iter().any(|w| w.name == DEFAULT_BRIDGE) {
        legacy_links(draft, service);
    }
    if wires(draft, service).iter().any(|w| w.name != DEFAULT_BRIDGE) {
        dns(draft, service);
    }
}

fn wires<'a>(draft: &Draft<'a>, service: &Service) -> Vec<&'a Wire> {
    let topology = draft.topology;
    topology.ends(&service.name).into_iter().map(|(_, w)| w).collect()
}

/// What a name means on each wire, and where the file gives it.
#[derive(Default)]
struct Known {
    on: IndexMap<String, Vec<Owner>>,
    span: Option<Span>,
    path: String,
}

/// Every name that DNS knows on the user-defined networks of the project: services, container names, aliases.
fn known_names(draft: &Draft<'_>) -> IndexMap<String, Known> {
    let mut names: IndexMap<String, Known> = IndexMap::new();
    for service in draft.project.services.values().filter(|s| draft.has_own_links(&s.name) && draft.stays(&s.name)) {
        let mut add = |name: &str, wire: &str, span: Span, path: String| {
            let known = names.entry(name.to_owned()).or_default();
            let owners = known.on.entry(wire.to_owned()).or_default();
            let owner = Owner::Service(service.name.clone());
            if !owners.contains(&owner) {
                owners.push(owner);
            }
            known.span.get_or_insert(span);
            if known.path.is_empty() {
                known.path = path;
            }
        };
        for (key, end) in &service.networks {
            let Some(network) = draft.project.networks.get(key).filter(|n| n.name != DEFAULT_BRIDGE) else { continue };
            let span = end.span.unwrap_or(service.span);
            add(service.name.as_str(), &network.name, span, format!("services.{}", service.name));
            if let Some(name) = &service.container_name {
                add(&name.value, &network.name, name.span, format!("services.{}.container_name", service.name));
            }
            for alias in &end.aliases {
                let path = format!("services.{}.networks.{key}.aliases", service.name);
                add(&alias.value, &network.name, alias.span, path);
            }
        }
    }
    names
}

/// What the Engine's DNS must answer to one service, and what it must not.
fn dns(draft: &mut Draft<'_>, asker: &Service) {
    let wires: Vec<String> = wires(draft, asker).iter().map(|w| w.name.clone()).collect();
    let links = link_aliases(draft, asker);
    for (name, known) in known_names(draft) {
        if links.contains_key(&name) {
            continue;
        }
        let common = known.on.iter().filter(|(wire, _)| wires.contains(wire));
        let meanings: Vec<Meaning> =
            common.map(|(wire, owners)| Meaning { wires: vec![wire.clone()], owners: owners.clone() }).collect();
        let itself = Owner::Service(asker.name.clone());
        if meanings.is_empty() {
            let owners = known.on.into_values().flatten().collect();
            no_name(draft, asker, &name, owners, known.span);
        } else if meanings.iter().any(|m| m.owners.iter().any(|o| *o != itself)) {
            let says = meaning_text(asker, &name, &meanings);
            let origin = Origin { service: Some(&asker.name), basis: Basis::Attribute(known.path), span: known.span };
            let by = NameSource::Dns;
            let expectation = Expectation::Name { asker: asker.name.clone(), name: name.clone(), meanings, by };
            draft.add(format!("name/{}:{name}", asker.name), says, origin, expectation);
        }
    }
    for (alias, (owner, span)) in links {
        // the Engine answers for one of the networks that both are on
        let on = |wire: &String| Meaning { wires: vec![wire.clone()], owners: vec![owner.clone()] };
        let meanings: Vec<Meaning> = wires.iter().map(on).collect();
        let says = meaning_text(asker, &alias, &meanings);
        let origin = Origin::attribute(&asker.name, "links", span);
        let by = NameSource::Dns;
        let expectation = Expectation::Name { asker: asker.name.clone(), name: alias.clone(), meanings, by };
        draft.add(format!("name/{}:{alias}", asker.name), says, origin, expectation);
        link_is_private(draft, asker, &alias, span);
    }
}

fn meaning_text(asker: &Service, name: &str, meanings: &[Meaning]) -> String {
    let mut owners: Vec<String> = meanings.iter().flat_map(|m| &m.owners).map(ToString::to_string).collect();
    owners.dedup();
    let owners = owners.join(" and ");
    let asker = &asker.name;
    if owners == name { format!("{asker} resolves {name}") } else { format!("{asker} resolves {name} to {owners}") }
}

/// The names that only this service knows: its links on user-defined networks.
fn link_aliases(draft: &Draft<'_>, service: &Service) -> IndexMap<String, (Owner, Span)> {
    let inside = service.links.iter().filter(|l| shares_a_wire(draft, service, &l.value));
    let inside = inside.map(|l| (l.value.alias.clone(), (Owner::OneOf(l.value.target.clone()), l.span)));
    let outside = service.external_links.iter();
    let outside = outside.map(|l| (l.value.alias.clone(), (Owner::Named(l.value.target.clone()), l.span)));
    inside.chain(outside).collect()
}

fn shares_a_wire(draft: &Draft<'_>, service: &Service, link: &Link<crate::name::ServiceName>) -> bool {
    let theirs = draft.topology.ends(&link.target);
    let mut own = wires(draft, service).into_iter().filter(|w| w.name != DEFAULT_BRIDGE);
    own.any(|w| theirs.iter().any(|(_, t)| t.name == w.name))
}

/// A link's alias is its owner's alone: neighbours on the same networks do not know it, unless it is a name of its own there.
fn link_is_private(draft: &mut Draft<'_>, owner: &Service, alias: &str, span: Span) {
    let own: Vec<String> = wires(draft, owner).iter().map(|w| w.name.clone()).collect();
    let names = known_names(draft);
    let neighbours: Vec<&Service> = draft
        .project
        .services
        .values()
        .filter(|s| s.name != owner.name && draft.has_own_links(&s.name) && draft.stays(&s.name))
        .filter(|s| !s.links.iter().any(|l| l.value.alias == alias))
        .filter(|s| wires(draft, s).iter().any(|w| w.name != DEFAULT_BRIDGE && own.contains(&w.name)))
        .filter(|s| {
            let known = names.get(alias).map(|k| k.on.keys().collect::<Vec<_>>()).unwrap_or_default();
            !wires(draft, s).iter().any(|w| known.contains(&&w.name))
        })
        .collect();
    for neighbour in neighbours {
        no_name(draft, neighbour, alias, vec![], Some(span));
    }
}

fn no_name(draft: &mut Draft<'_>, asker: &Service, name: &str, owners: Vec<Owner>, span: Option<Span>) {
    let asker = &asker.name;
    let why = match owners.as_slice() {
        [] => format!("{name} is the alias of somebody else's link"),
        _ => format!("{asker} has no network in common with the one that {name} is a name on"),
    };
    let says = format!("{asker} does not resolve {name}");
    let origin = Origin { service: Some(asker), basis: Basis::Rule(Rule::R8, why), span };
    let by = NameSource::Dns;
    let expectation = Expectation::NoName { asker: asker.clone(), name: name.to_owned(), owners, by };
    draft.add(format!("no-name/{asker}:{name}"), says, origin, expectation);
}

/// Links on the default bridge: a line in the linker's /etc/hosts, and in nobody else's.
fn legacy_links(draft: &mut Draft<'_>, service: &Service) {
    let on_bridge = |s: &Service| {
        draft.stays(&s.name) && s.networks.is_empty() && wires(draft, s).iter().any(|w| w.name == DEFAULT_BRIDGE)
    };
    let others: Vec<&Service> =
        draft.project.services.values().filter(|s| s.name != service.name && on_bridge(s)).collect();
    let replicas_of = |l: &Spanned<Link<crate::name::ServiceName>>| {
        let scale = draft.project.services.get(&l.value.target).map_or(1, |s| s.scale.value);
        (1..=scale).map(|n| Container::Replica(Replica::new(l.value.target.clone(), n))).collect::<Vec<_>>()
    };
    let inside = service.links.iter().map(|l| (l.value.alias.clone(), replicas_of(l), l.span));
    let outside = service.external_links.iter();
    let outside = outside.map(|l| (l.value.alias.clone(), vec![Container::Named(l.value.target.clone())], l.span));
    for (alias, targets, span) in inside.chain(outside).collect::<Vec<_>>() {
        let target = match targets.first() {
            Some(Container::Replica(replica)) => replica.service.to_string(),
            Some(Container::Named(name)) => name.clone(),
            None => continue,
        };
        for replica in replicas(service) {
            let who = called(service, &replica);
            let expectation = Expectation::LinkLine { replica, targets: targets.clone(), alias: alias.clone() };
            draft.add(
                format!("hosts/{who}:{alias}"),
                format!("{who}'s /etc/hosts leads {alias} to {target}"),
                Origin::attribute(&service.name, "links", span),
                expectation,
            );
        }
        for other in &others {
            let knows = other.links.iter().any(|l| l.value.alias == alias)
                || other.external_links.iter().any(|l| l.value.alias == alias)
                || other.extra_hosts.iter().any(|h| h.value.0 == alias);
            if knows || other.name == alias.as_str() || links_by_its_own_name(draft, other, &targets, &alias) {
                continue;
            }
            let why = format!("{alias} is the alias of {}'s link", service.name);
            for replica in replicas(other) {
                let who = called(other, &replica);
                let origin =
                    Origin { service: Some(&other.name), basis: Basis::Rule(Rule::R8, why.clone()), span: Some(span) };
                draft.add(
                    format!("no-hosts/{who}:{alias}"),
                    format!("{who}'s /etc/hosts does not know {alias}"),
                    origin,
                    Expectation::NoLinkLine { replica, alias: alias.clone() },
                );
            }
        }
    }
}

/// A link writes its target's own names beside the alias: whoever links the same container knows those.
fn links_by_its_own_name(draft: &Draft<'_>, other: &Service, targets: &[Container], alias: &str) -> bool {
    let own_names = |target: &crate::name::ServiceName| {
        let service = draft.project.services.get(target);
        let container = service.and_then(|s| s.container_name.as_ref()).map(|n| n.value.clone());
        let numbered = [format!("{target}-1"), format!("{}-{target}-1", draft.project.name)];
        alias == target.as_str() || container.as_deref() == Some(alias) || numbered.iter().any(|n| n == alias)
    };
    let same = |target: &crate::name::ServiceName| {
        targets.iter().any(|t| matches!(t, Container::Replica(replica) if replica.service == *target))
    };
    other.links.iter().any(|l| same(&l.value.target) && own_names(&l.value.target))
}

fn extra_hosts(draft: &mut Draft<'_>, service: &Service) {
    for entry in &service.extra_hosts {
        let (name, address) = &entry.value;
        for replica in replicas(service) {
            let who = called(service, &replica);
            draft.add(
                format!("extra-host/{who}:{name}={address}"),
                format!("{who}'s /etc/hosts leads {name} to {address}"),
                Origin::attribute(&service.name, "extra_hosts", entry.span),
                Expectation::ExtraHost { replica, name: name.clone(), address: address.clone() },
            );
        }
    }
}

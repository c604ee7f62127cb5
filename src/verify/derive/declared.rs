//! The rules of `x-verify` as checks; one that contradicts what the file makes is a finding with both places.

use super::ports::port_text;
use super::{Draft, Origin, replicas};
use crate::compose::extension::verify::{Rule as Written, RuleProbe, Source, Target};
use crate::compose::model::Port;
use crate::finding::{Code, Finding, Findings};
use crate::name::ServiceName;
use crate::probe::Family;
use crate::source::Spanned;
use crate::verify::check::{Basis, Expectation, How, Meaning, NameSource, Owner, Path, Side, Spot};
use crate::verify::jobs::starts_again;
use crate::verify::matrix::{Cell, Expected, Layer, Party};
use crate::verify::topology::Kind;

/// Whether a rule asks for reach or for its opposite.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Allow,
    Deny,
}

pub(super) fn derive(draft: &mut Draft<'_>, findings: &mut Findings) {
    let rules = draft.project.rules.clone();
    let wished = rules.allow.iter().map(|r| (Wish::Allow, r)).chain(rules.deny.iter().map(|r| (Wish::Deny, r)));
    for (wish, rule) in wished {
        for (from, to) in pairs(draft, &rule.value) {
            one(draft, wish, rule, from, to, findings);
        }
    }
    jobs(draft, findings);
    names(draft);
    hosts(draft, findings);
}

/// The pairs that a rule speaks of: `*` and `@net` stand for several services.
fn pairs(draft: &Draft<'_>, rule: &Written) -> Vec<(Spot, Spot)> {
    let on = |key: &crate::name::NetworkKey| -> Vec<Spot> {
        let name = draft.project.networks.get(key).map(|n| n.name.as_str());
        let there = |s: &&ServiceName| draft.topology.ends(s).iter().any(|(_, w)| Some(w.name.as_str()) == name);
        let own = |s: &&ServiceName| draft.has_own_links(s) && draft.stays(s);
        draft.topology.places.keys().filter(own).filter(there).map(|s| Spot::Service(s.clone(), None)).collect()
    };
    let sources = match &rule.source {
        Source::Service(name, number) => vec![Spot::Service(name.clone(), *number)],
        Source::Network(key) => on(key),
        Source::Host => vec![Spot::Host],
        Source::Outside => vec![Spot::Outside],
        Source::Every => {
            let all = draft.topology.places.keys().filter(|s| draft.stays(s));
            all.map(|s| Spot::Service(s.clone(), None)).collect()
        }
    };
    let targets = match &rule.target {
        Target::Service(name, number) => vec![Spot::Service(name.clone(), *number)],
        Target::Network(key) => on(key),
        Target::Host => vec![Spot::Host],
        Target::Internet => vec![Spot::Internet],
        Target::Address(address) => vec![Spot::Address(*address)],
        Target::Cidr(range) => vec![Spot::Range(*range)],
        Target::Name(name) => vec![Spot::Name(name.clone())],
    };
    let alone = |s: &Spot| matches!(s, Spot::Service(name, None) if draft.topology.places.get(name).is_some_and(|p| p.scale < 2));
    let pairs = sources.iter().flat_map(|from| targets.iter().map(move |to| (from.clone(), to.clone())));
    pairs.filter(|(from, to)| !(from == to && alone(from))).collect()
}

/// One pair of one rule.
fn one(draft: &mut Draft<'_>, wish: Wish, rule: &Spanned<Written>, from: Spot, to: Spot, findings: &mut Findings) {
    let via = rule.value.via.as_ref().and_then(|key| draft.project.networks.get(key)).map(|n| n.name.clone());
    if let Some((service, port)) = published(draft, &from, &to, &rule.value.probe) {
        return published_rule(draft, wish, rule, &from, service, port, findings);
    }
    let cell = cell(draft, &from, &to, &rule.value.probe, via.as_deref());
    let against = match wish {
        Wish::Allow => Expected::Block,
        Wish::Deny => Expected::Reach,
    };
    if let Some(cell) = cell.as_ref().filter(|c| c.expected == against) {
        return findings.push(contradiction(wish, rule, &from, &to, cell));
    }
    let via = match (via, cell) {
        (Some(via), _) => vec![via],
        (None, Some(cell)) if wish == Wish::Allow => cell.via,
        (None, _) => vec![],
    };
    let how = how(&rule.value.probe);
    let tail = tail(&to, &how);
    draft.checks.shift_remove(&format!("undeclared/{from}->{to}"));
    let service = owner(&from, &to);
    let families = if wish == Wish::Allow { families(draft, &from, &to, &how) } else { vec![None] };
    for family in families {
        let path = Path { from: from.clone(), to: to.clone(), how: how.clone(), via: via.clone(), family };
        let (end, by) = if family == Some(Family::V6) { ("/ipv6", " by IPv6") } else { ("", "") };
        let (id, says, expectation) = match wish {
            Wish::Allow => ("reach", format!("{from} reaches {tail}{by}"), Expectation::Reaches(path)),
            Wish::Deny => ("isolated", format!("{from} does not reach {tail}"), Expectation::Isolated(path)),
        };
        let basis = Basis::Declared(rule.value.text.clone());
        let origin = Origin { service: service.as_ref(), basis, span: Some(rule.span) };
        draft.add(format!("{id}/{from}->{tail}{end}"), says, origin, expectation);
    }
}

/// The families in which the host is asked for: one of its addresses is enough in each, and a bridge with IPv6 gives it one there.
fn families(draft: &Draft<'_>, from: &Spot, to: &Spot, how: &How) -> Vec<Option<Family>> {
    let (Spot::Service(name, _), Spot::Host, How::Network | How::Icmp) = (from, to, how) else { return vec![None] };
    let bridges = || draft.topology.ends(name).into_iter().filter(|(_, wire)| matches!(wire.kind, Kind::Bridge { .. }));
    match (bridges().any(|(_, wire)| wire.ipv4), bridges().any(|(_, wire)| wire.ipv6)) {
        (true, true) => vec![Some(Family::V4), Some(Family::V6)],
        (false, true) => vec![Some(Family::V6)],
        _ => vec![None],
    }
}

/// The service whose section a rule is reported in: its source, else its target.
fn owner(from: &Spot, to: &Spot) -> Option<ServiceName> {
    [from, to].into_iter().find_map(|s| match s {
        Spot::Service(name, _) => Some(name.clone()),
        _ => None,
    })
}

fn how(probe: &RuleProbe) -> How {
    match probe {
        RuleProbe::Any => How::Network,
        RuleProbe::Port(port, protocol) => How::Port(*port, *protocol),
        RuleProbe::Arp => How::Arp,
        RuleProbe::Icmp => How::Icmp,
        RuleProbe::Http { port, path, status, text } => {
            How::Http { port: *port, path: path.clone(), status: *status, text: text.clone() }
        }
    }
}

/// The target with how it is asked: `db:5432/tcp`, `http://web:8080/`.
fn tail(to: &Spot, how: &How) -> String {
    match how {
        How::Network => to.to_string(),
        How::Port(port, protocol) => format!("{to}:{port}/{protocol}"),
        How::Arp => format!("{to}/arp"),
        How::Icmp => format!("{to}/icmp"),
        How::Http { port: 80, path, .. } => format!("http://{to}{path}"),
        How::Http { port, path, .. } => format!("http://{to}:{port}{path}"),
    }
}

/// The cell that a rule speaks of, where it speaks of one.
fn cell(draft: &Draft<'_>, from: &Spot, to: &Spot, probe: &RuleProbe, via: Option<&str>) -> Option<Cell> {
    let layer = if *probe == RuleProbe::Arp { Layer::Two } else { Layer::Three };
    let party = |spot: &Spot| match spot {
        Spot::Service(name, _) => Some(Party::Service(name.clone())),
        Spot::Host => Some(Party::Host),
        // the host part of an http rule that is a service's own name
        Spot::Name(name) => {
            let known = draft.topology.places.keys().find(|s| s.as_str() == name);
            known.cloned().map(Party::Service)
        }
        _ => None,
    };
    let (from, to) = (party(from)?, party(to)?);
    if from == to { None } else { draft.topology.cell_at(&from, &to, layer, via) }
}

fn contradiction(wish: Wish, rule: &Spanned<Written>, from: &Spot, to: &Spot, cell: &Cell) -> Finding {
    let (asks, says, help) = match wish {
        Wish::Allow => ("allow", "blocked", format!("give {from} and {to} a network in common, or deny it")),
        Wish::Deny => ("deny", "reached", format!("put {from} and {to} on different networks, or take the rule out")),
    };
    let message = format!("`{asks}: {}` contradicts the file: rule {} says {says}", rule.value.text, cell.rule);
    let finding = Finding::error(Code::BadVerifyRule, message).at(rule.span).label(cell.why.clone()).help(help);
    cell.because.iter().fold(finding, |f, (span, label)| f.also(*span, label.clone()))
}

/// A rule from the host or from outside to a port that the service publishes: the published port is meant, not the container's.
fn published(draft: &Draft<'_>, from: &Spot, to: &Spot, probe: &RuleProbe) -> Option<(ServiceName, Spanned<Port>)> {
    let (Spot::Host | Spot::Outside, Spot::Service(name, _), RuleProbe::Port(number, protocol)) = (from, to, probe)
    else {
        return None;
    };
    let ports = &draft.project.services.get(name)?.ports;
    let fits = |p: &&Spanned<Port>| {
        let named = p.value.published.or(p.value.given_up);
        p.value.protocol == *protocol && named.is_some_and(|(first, last)| (first..=last).contains(number))
    };
    ports.iter().find(fits).map(|p| (name.clone(), p.clone()))
}

fn published_rule(
    draft: &mut Draft<'_>,
    wish: Wish,
    rule: &Spanned<Written>,
    from: &Spot,
    service: ServiceName,
    port: Spanned<Port>,
    findings: &mut Findings,
) {
    let (span, port) = (port.span, port.value);
    let text = port_text(&port);
    let local = port.host_ip.is_some_and(|ip| ip.is_loopback());
    let clash = |says: &str| {
        let message = format!("`{}` contradicts the file: {says}", rule.value.text);
        Finding::error(Code::BadVerifyRule, message).at(rule.span).also(span, "published here")
    };
    let (id, says, expectation) = match (from, wish) {
        (Spot::Host, Wish::Deny) => {
            return findings.push(clash("the port is published").help("take the port out of `ports`, or the rule"));
        }
        (Spot::Outside, Wish::Allow) if local => {
            return findings
                .push(clash("the port is published at a loopback address").help("leave the address out of `ports`"));
        }
        (Spot::Outside, Wish::Deny) => {
            draft.checks.shift_remove(&format!("outside/{service}:{text}"));
            let says = format!("{service} does not answer from outside at {text}");
            ("unpublished", says, Expectation::NotPublished { service: service.clone(), port })
        }
        (Spot::Outside, Wish::Allow) => {
            let says = format!("{service} answers from outside at {text}");
            ("outside", says, Expectation::Published { service: service.clone(), port, from: Side::Outside })
        }
        (_, Wish::Allow) => {
            let says = format!("{service} answers the host at {text}");
            ("published", says, Expectation::Published { service: service.clone(), port, from: Side::Host })
        }
        (_, Wish::Deny) => return,
    };
    let basis = Basis::Declared(rule.value.text.clone());
    let origin = Origin { service: Some(&service), basis, span: Some(rule.span) };
    draft.add(format!("{id}/{service}:{text}"), says, origin, expectation);
}

/// A job ends and stays so; what the Engine starts again for ever is none.
fn jobs(draft: &Draft<'_>, findings: &mut Findings) {
    for job in &draft.project.rules.jobs {
        let Some(restart) = draft.project.services.get(&job.value).and_then(starts_again) else { continue };
        let message =
            format!("`jobs: {}` contradicts the file: the Engine starts it again whenever it ends", job.value);
        let finding = Finding::error(Code::BadVerifyRule, message).at(job.span).also(restart, "started again by this");
        findings.push(finding.help("write `restart: on-failure`, which ends with 0, or take it out of `jobs`"));
    }
}

fn names(draft: &mut Draft<'_>) {
    for rule in draft.project.rules.names.clone() {
        let (asker, name, by) = (rule.from, rule.name, NameSource::HostsThenDns);
        let owners: Vec<Owner> = rule.means.into_iter().map(Owner::Service).collect();
        let text: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let origin = Origin {
            service: Some(&asker),
            basis: Basis::Declared(format!("names: {asker}: {name}")),
            span: Some(rule.span),
        };
        let (from, name) = (asker.clone(), name.clone());
        if owners.is_empty() {
            let says = format!("{asker} does not resolve {name}");
            let expectation = Expectation::NoName { asker: from, name: name.clone(), owners, by };
            draft.add(format!("no-name/{asker}:{name}"), says, origin, expectation);
        } else {
            let says = format!("{asker} resolves {name} to {}", text.join(" and "));
            let meanings = vec![Meaning { wires: vec![], owners }];
            let expectation = Expectation::Name { asker: from, name: name.clone(), meanings, by };
            draft.add(format!("name/{asker}:{name}"), says, origin, expectation);
        }
    }
}

/// The services that stand in braces in a line of `x-verify.hosts`.
pub(in crate::verify) fn placeholders(line: &str) -> Vec<&str> {
    let mut found = vec![];
    let mut rest = line;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, more)) = after.split_once('}') else { break };
        found.push(name);
        rest = more;
    }
    found
}

fn hosts(draft: &mut Draft<'_>, findings: &mut Findings) {
    for (number, rule) in draft.project.rules.hosts.clone().into_iter().enumerate() {
        let Some(service) = draft.project.services.get(&rule.from) else { continue };
        if let Some(name) = unknown_placeholder(draft, &rule.line) {
            let message = format!("`{{{name}}}` in a line of x-verify.hosts names no service");
            let help = "write {service} for its address and {service.id} for its short id";
            findings.push(Finding::error(Code::BadVerifyRule, message).at(rule.span).help(help));
            continue;
        }
        for replica in replicas(service) {
            let origin = Origin {
                service: Some(&service.name),
                basis: Basis::Declared(format!("hosts: {}: {}", rule.from, rule.line)),
                span: Some(rule.span),
            };
            let who = super::called(service, &replica);
            let says = format!("{who}'s /etc/hosts has the line {}", rule.line);
            let expectation = Expectation::HostsText { replica, line: rule.line.clone() };
            draft.add(format!("hosts-line/{who}#{}", number + 1), says, origin, expectation);
        }
    }
}

fn unknown_placeholder(draft: &Draft<'_>, line: &str) -> Option<String> {
    let known = |name: &str| draft.project.services.keys().any(|s| s == name);
    let unknown = |p: &&str| !known(p.strip_suffix(".id").unwrap_or(p));
    placeholders(line).into_iter().find(unknown).map(str::to_owned)
}

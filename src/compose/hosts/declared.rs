//! What `x-hosts` says: hosts that make sense, and every service on one of them.

use indexmap::IndexMap;

use super::{Declared, Placed};
use crate::compose::model::EnginePlace;
use crate::compose::tree::{items, section, text};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::name::HostName;
use crate::source::{Span, Spanned};
use crate::yaml::Node;

/// One host.
pub(super) struct Host<'t> {
    pub name: HostName,
    pub span: Span,
    pub place: Option<Spanned<EnginePlace>>,
    pub node: &'t Node,
}

/// Reads the hosts and places the services.
pub(super) fn read<'t>(tree: &'t Node, declared: &Declared<'_>, findings: &mut Findings) -> Option<Placed<'t>> {
    let mut hosts = IndexMap::new();
    for (key, entry) in section(tree, "x-hosts") {
        let node = &entry.value;
        match key.parse::<HostName>() {
            Ok(name) => {
                let place = place(key, node, findings);
                hosts.insert(&**key, Host { name, span: entry.key, place, node });
            }
            Err(why) => findings.push(Finding::error(Code::BadName, why.to_string()).at(entry.key)),
        }
        check_keys(tree, key, node, declared, findings);
    }
    let services = place_services(tree, &hosts, declared, findings);
    (!findings.has_errors()).then_some(Placed { hosts, services })
}

/// Where the host's Engine is.
fn place(host: &str, node: &Node, findings: &mut Findings) -> Option<Spanned<EnginePlace>> {
    let at = |key: &str| node.get(key).map_or(node.span, |value| value.span);
    match (text(node, "url"), text(node, "context")) {
        (Some(_), Some(_)) => {
            let message = format!("x-hosts.{host} has a `url` and a `context`");
            let finding = Finding::error(Code::Conflict, message).at(at("context")).also(at("url"), "the other one");
            findings.push(finding.help("each of them names the host's Engine: take one out"));
            None
        }
        (Some(url), None) => Some(Spanned::new(EnginePlace::Url(url.to_owned()), at("url"))),
        (None, Some(context)) => Some(Spanned::new(EnginePlace::Context(context.to_owned()), at("context"))),
        (None, None) => None,
    }
}

/// `parents` names trunks, `ip_ranges` networks.
fn check_keys(tree: &Node, host: &str, node: &Node, declared: &Declared<'_>, findings: &mut Findings) {
    let trunks: Vec<&str> = section(tree, "x-trunks").map(|(key, _)| &**key).collect();
    let networks: Vec<&str> = declared.networks.iter().map(String::as_str).collect();
    for (key, what, known) in [("parents", "trunk", &trunks), ("ip_ranges", "network", &networks)] {
        for (name, entry) in section(node, key) {
            if !known.contains(&&**name) {
                let message = format!("x-hosts.{host}.{key} names a {what} that is not defined: {name}");
                let finding = Finding::error(Code::UndefinedReference, message).at(entry.key);
                findings.push(match nearest(name, known.iter().copied()) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("take it out, or define it"),
                });
            }
        }
    }
}

/// Every active service is on one host.
fn place_services<'t>(
    tree: &'t Node,
    hosts: &IndexMap<&'t str, Host<'t>>,
    declared: &Declared<'_>,
    findings: &mut Findings,
) -> IndexMap<&'t str, usize> {
    let active: Vec<&str> = section(tree, "services").map(|(key, _)| &**key).collect();
    let mut first: IndexMap<&str, (usize, Span)> = IndexMap::new();
    for (place, (host, Host { node, .. })) in hosts.iter().enumerate() {
        for item in items(node, "services") {
            let Some(service) = item.as_str() else { continue };
            if !active.contains(&service) && !declared.inactive.iter().any(|name| name == service) {
                let message = format!("x-hosts.{host}.services: there is no service `{service}`");
                let finding = Finding::error(Code::UndefinedReference, message).at(item.span);
                findings.push(match nearest(service, active.iter().copied()) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("take it out, or define it below `services:`"),
                });
            }
            if let Some((_, other)) = first.get(service) {
                let message = format!("service {service} is placed twice");
                let finding = Finding::error(Code::NotPlaced, message).at(item.span).also(*other, "placed here first");
                findings.push(finding.help("leave it on one host; for containers on two, write two services"));
                continue;
            }
            first.insert(service, (place, item.span));
        }
    }
    let mut services = IndexMap::new();
    for (name, entry) in section(tree, "services") {
        match first.get(&**name) {
            Some((place, _)) => _ = services.insert(&**name, *place),
            None => findings.push(nowhere(tree, name, entry.key, hosts)),
        }
    }
    services
}

fn nowhere(tree: &Node, name: &str, at: Span, hosts: &IndexMap<&str, Host<'_>>) -> Finding {
    let finding = Finding::error(Code::NotPlaced, format!("service {name} is placed on no host")).at(at);
    let names: Vec<&str> = hosts.keys().copied().collect();
    let finding = match tree.get("x-hosts") {
        Some(declared) => finding.also(declared.span, "the hosts"),
        None => finding,
    };
    finding.help(format!("write it below `services` of one host: {}", names.join(", ")))
}

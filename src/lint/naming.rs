//! Names: of containers, and those that services know each other by.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::compose::model::{NetworkMode, Project, Service};
use crate::finding::{Code, Finding, Findings};
use crate::name::{NetworkKey, ServiceName};
use crate::source::Span;

/// One `container_name` for two services. (Compose itself refuses it for several replicas.)
pub(super) fn check_container_names(project: &Project, findings: &mut Findings) {
    let mut seen: IndexMap<String, (&Service, Span)> = IndexMap::new();
    for service in project.services.values() {
        let (name, at) = match &service.container_name {
            Some(name) => (name.value.clone(), name.span),
            None => (format!("{}-{}-1", project.name, service.name), service.span),
        };
        match seen.get(&name) {
            Some((first, place)) => findings.push(
                Finding::error(Code::NameTaken, format!("two containers would be named `{name}`"))
                    .at(at)
                    .label(format!("{} here", service.name))
                    .also(*place, format!("{} here", first.name))
                    .help("give one another `container_name`, or none"),
            ),
            None => _ = seen.insert(name, (service, at)),
        }
    }
}

/// P24: an alias that is another service's name or alias on the same network: its users get either.
pub(super) fn check_aliases(project: &Project, findings: &mut Findings) {
    let mut seen: BTreeMap<(&NetworkKey, &str), (&Service, Span)> = BTreeMap::new();
    for service in project.services.values() {
        for (key, endpoint) in &service.networks {
            for alias in &endpoint.aliases {
                // a service has its own name wherever it is
                let named = project.services.get(alias.value.as_str()).filter(|other| other.networks.contains_key(key));
                let holder = match named {
                    Some(other) => (other, other.span),
                    None => *seen.entry((key, alias.value.as_str())).or_insert((service, alias.span)),
                };
                let (first, at) = holder;
                if first.name == service.name {
                    continue;
                }
                let finding = Finding::warning(
                    Code::AliasAmbiguous,
                    format!("`{}` on network {key} means {} and {}", alias.value, first.name, service.name),
                )
                .at(alias.span)
                .label(format!("{} takes the name", service.name))
                .help("whoever asks gets either: rename one, unless the two are meant to share the load");
                findings.push(finding.also(at, format!("{} has it", first.name)));
            }
        }
    }
}

/// P22: a link that can never resolve, because the two have no network in common.
pub(super) fn check_links(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for link in &service.links {
            let Some(target) = project.services.get(&link.value.target) else { continue };
            if let Some(help) = dead(service, target) {
                findings.push(
                    Finding::error(
                        Code::DeadLink,
                        format!("the link from {} to {} leads nowhere", service.name, target.name),
                    )
                    .at(link.span)
                    .also(target.span, "the target")
                    .help(help),
                );
            }
        }
        check_alias_twice(service, findings);
    }
}

/// What stands between a service and a link's target, as advice; none where the link can resolve.
fn dead(service: &Service, target: &Service) -> Option<String> {
    let mode = |s: &Service| s.network_mode.as_ref().map(|m| m.value.clone());
    match (mode(service), mode(target)) {
        (None, None) => {
            let shared = service.networks.keys().any(|k| target.networks.contains_key(k));
            (!shared).then(|| format!("put {} and {} on one network", service.name, target.name))
        }
        (Some(NetworkMode::Bridge), Some(NetworkMode::Bridge)) => None,
        (Some(NetworkMode::Bridge), _) => Some(format!(
            "the default bridge knows links to its own members only: give {} `network_mode: bridge` too, or both a network",
            target.name
        )),
        (Some(NetworkMode::Host), _) => Some(
            "a service in the host's network cannot have links: use the host port that the target publishes".into(),
        ),
        (Some(NetworkMode::None), _) => Some("a service without a network reaches nobody".into()),
        (Some(NetworkMode::Service(_) | NetworkMode::Container(_)), _) => {
            Some("move the link to the service that owns the namespace".into())
        }
        (Some(NetworkMode::Other(a)), Some(NetworkMode::Other(b))) if a == b => None,
        (Some(NetworkMode::Other(_)), _) | (None, Some(_)) => {
            Some(format!("put {} and {} on one network", service.name, target.name))
        }
    }
}

/// One alias for two targets: the Engine takes it, and the one that wins is not told.
fn check_alias_twice(service: &Service, findings: &mut Findings) {
    let mut seen: IndexMap<&str, (&ServiceName, Span)> = IndexMap::new();
    for link in &service.links {
        let (target, at) = *seen.entry(link.value.alias.as_str()).or_insert((&link.value.target, link.span));
        if *target != link.value.target {
            findings.push(
                Finding::warning(
                    Code::AliasAmbiguous,
                    format!("{} links `{}` to {target} and to {}", service.name, link.value.alias, link.value.target),
                )
                .at(link.span)
                .also(at, "the other link")
                .help("give each link an alias of its own"),
            );
        }
    }
}

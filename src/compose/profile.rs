//! Which services take part: by profile, by being named, and by being needed; and the resources that they use.

use std::collections::BTreeSet;

use crate::compose::normalize::dependencies;
use crate::compose::tree::{field_mut, items, section, text};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::yaml::Node;

/// The names of the services that take part, and of those that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those whose profile is active, or that were named.
    pub active: BTreeSet<String>,
    /// The others, in the order of the file.
    pub inactive: Vec<String>,
}

/// Sorts services by profile. A named service activates its own profiles, and so everything else that has one of them.
pub fn select(tree: &Node, profiles: &[String], named: &[String]) -> Selection {
    let mut enabled: BTreeSet<&str> = profiles.iter().map(String::as_str).collect();
    for name in named {
        let service = section(tree, "services").find(|(key, _)| ***key == **name);
        let own = service.into_iter().flat_map(|(_, entry)| items(&entry.value, "profiles"));
        enabled.extend(own.filter_map(Node::as_str));
    }
    let mut selection = Selection::default();
    for (name, entry) in section(tree, "services") {
        let own = items(&entry.value, "profiles");
        let is_active =
            own.is_empty() || enabled.contains("*") || own.iter().filter_map(Node::as_str).any(|p| enabled.contains(p));
        if is_active {
            selection.active.insert(name.to_string());
        } else {
            selection.inactive.push(name.to_string());
        }
    }
    selection
}

/// Every profile that a service names, sorted.
pub fn all(tree: &Node) -> Vec<String> {
    let profiles = section(tree, "services").flat_map(|(_, entry)| items(&entry.value, "profiles"));
    let profiles: BTreeSet<&str> = profiles.filter_map(Node::as_str).collect();
    profiles.into_iter().map(str::to_owned).collect()
}

/// Of the active services, those that were named and what they need; all where none was named.
pub fn named(tree: &Node, selection: Selection, named: &[String], findings: &mut Findings) -> Selection {
    if named.is_empty() {
        return selection;
    }
    let mut kept = BTreeSet::new();
    let mut next: Vec<&str> = vec![];
    for name in named {
        if selection.active.contains(name) {
            next.push(name);
        } else {
            findings.push(no_such_service(tree, name));
        }
    }
    while let Some(name) = next.pop() {
        let Some(service) = tree.get("services").and_then(|s| s.get(name)) else { continue };
        if selection.active.contains(name) && kept.insert(name.to_owned()) {
            next.extend(dependencies(service));
        }
    }
    let inactive = section(tree, "services").map(|(name, _)| name.to_string()).filter(|name| !kept.contains(name));
    Selection { inactive: inactive.collect(), active: kept }
}

/// Services that take no part, and whose images those that do start from (`build.additional_contexts: {base: service:NAME}`).
pub fn bases(tree: &Node, selection: &Selection) -> BTreeSet<String> {
    let services = tree.get("services");
    let starts_from = |name: &str| {
        let build = services.and_then(|services| services.get(name)).and_then(|service| service.get("build"));
        let contexts = build.into_iter().flat_map(|build| section(build, "additional_contexts"));
        contexts.filter_map(|(_, entry)| entry.value.as_str()?.strip_prefix("service:"))
    };
    let mut bases = BTreeSet::new();
    let mut next: Vec<&str> = selection.active.iter().flat_map(|name| starts_from(name)).collect();
    while let Some(name) = next.pop() {
        if !selection.active.contains(name) && bases.insert(name.to_owned()) {
            next.extend(starts_from(name));
        }
    }
    bases
}

fn no_such_service(tree: &Node, name: &str) -> Finding {
    let known: Vec<&str> = section(tree, "services").map(|(name, _)| &**name).collect();
    let finding = Finding::error(Code::UndefinedReference, format!("there is no service `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("the services are: {}", known.join(", "))),
    }
}

/// Takes out what takes no part: other services, and unless `keep_resources` what no service uses.
pub fn prune(tree: &mut Node, selection: &Selection, keep_resources: bool) {
    if let Some(services) = field_mut(tree, "services").and_then(Node::as_map_mut) {
        services.0.retain(|name, _| selection.active.contains(&**name));
    }
    if keep_resources {
        return;
    }
    for (kind, used) in [
        ("networks", used_keys(tree, "networks")),
        ("volumes", used_volumes(tree)),
        ("configs", used_sources(tree, "configs")),
        ("secrets", used_sources(tree, "secrets")),
        ("models", used_keys(tree, "models")),
    ] {
        let Some(map) = field_mut(tree, kind).and_then(Node::as_map_mut) else { continue };
        map.0.retain(|key, _| used.contains(&**key));
        if map.is_empty()
            && let Some(top) = tree.as_map_mut()
        {
            top.remove(kind);
        }
    }
}

fn used_keys(tree: &Node, kind: &str) -> BTreeSet<String> {
    section(tree, "services")
        .flat_map(|(_, entry)| section(&entry.value, kind))
        .map(|(key, _)| key.to_string())
        .collect()
}

fn used_volumes(tree: &Node) -> BTreeSet<String> {
    let mounts = section(tree, "services").flat_map(|(_, entry)| items(&entry.value, "volumes"));
    let volumes = mounts.filter(|mount| text(mount, "type") == Some("volume"));
    volumes.filter_map(|mount| text(mount, "source")).map(str::to_owned).collect()
}

fn used_sources(tree: &Node, kind: &str) -> BTreeSet<String> {
    let services = section(tree, "services").map(|(_, entry)| &entry.value);
    let lists = services.flat_map(|service| {
        let build = service.get("build").map(|build| items(build, kind)).unwrap_or_default();
        items(service, kind).iter().chain(build)
    });
    lists.filter_map(|item| text(item, "source")).map(str::to_owned).collect()
}

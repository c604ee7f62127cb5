//! What follows from the file without being written: the default network, names, dependencies that links and shared
//! namespaces bring.

use crate::compose::defaults::is_external;
use crate::compose::environment::Environment;
use crate::compose::model::VolumesFrom;
use crate::compose::resolve::look_up;
use crate::compose::tree::{field_mut, has, items, section, section_mut, set, set_default, text};
use crate::source::Span;
use crate::yaml::{Mapping, Node};

/// Puts in what follows, in place.
pub fn normalize(tree: &mut Node, project: &str, environment: &Environment) {
    default_network(tree);
    for (_, entry) in section_mut(tree, "services") {
        let service = &mut entry.value;
        if text(service, "pull_policy") == Some("if_not_present") {
            set(service, "pull_policy", |at| Node::str(at, "missing"));
        }
        if let Some(build) = field_mut(service, "build") {
            normalize_build(build, environment);
        }
        implicit_dependencies(service);
    }
    for kind in ["networks", "volumes", "configs", "secrets"] {
        for (key, entry) in section_mut(tree, kind) {
            let name = if is_external(&entry.value) { key.to_string() } else { format!("{project}_{key}") };
            set_default(&mut entry.value, "name", |at| Node::str(at, name));
        }
    }
}

fn normalize_build(build: &mut Node, environment: &Environment) {
    if !has(build, "dockerfile") && !has(build, "dockerfile_inline") {
        set(build, "dockerfile", |at| Node::str(at, "Dockerfile"));
    }
    for (name, entry) in section_mut(build, "args") {
        look_up(name, &mut entry.value, environment);
    }
    let Some(args) = field_mut(build, "args").and_then(Node::as_map_mut) else { return };
    args.0.retain(|_, entry| !entry.value.is_null());
}

/// Services that name no network join `default`, which is there only where one does.
fn default_network(tree: &mut Node) {
    let mut first: Option<Span> = None;
    for (_, entry) in section_mut(tree, "services") {
        let service = &mut entry.value;
        if has(service, "network_mode") || has(service, "provider") {
            continue;
        }
        let names = service.get("networks").and_then(Node::as_map).map_or(0, Mapping::len);
        if names == 0 {
            let at = entry.key;
            let mut only = Mapping::new();
            only.insert("default", at, Node::null(at));
            set(service, "networks", |_| Node::map(at, only));
        }
        if service.get("networks").is_some_and(|n| n.get("default").is_some()) {
            first = first.or(Some(entry.key));
        }
    }
    let Some(at) = first else { return };
    set_default(tree, "networks", |_| Node::map(at, Mapping::new()));
    if let Some(networks) = field_mut(tree, "networks") {
        if networks.is_null() {
            *networks = Node::map(networks.span, Mapping::new());
        }
        set_default(networks, "default", |_| Node::map(at, Mapping::new()));
    }
}

/// What a service needs because it links to it, or shares something of it.
fn implicit_dependencies(service: &mut Node) {
    let mut needs: Vec<(String, Span, bool)> = vec![];
    for link in items(service, "links") {
        let name = link.as_str().unwrap_or_default();
        needs.push((name.split(':').next().unwrap_or_default().to_owned(), link.span, true));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(shared) = text(service, namespace).and_then(|mode| mode.strip_prefix("service:")) {
            let at = service.get(namespace).map_or(service.span, |n| n.span);
            needs.push((shared.to_owned(), at, true));
        }
    }
    for mounts in items(service, "volumes_from") {
        if let Some(name) = VolumesFrom::of(mounts.as_str().unwrap_or_default()).service() {
            needs.push((name.to_owned(), mounts.span, false));
        }
    }
    if needs.is_empty() {
        return;
    }
    set_default(service, "depends_on", |at| Node::map(at, Mapping::new()));
    let Some(depends_on) = field_mut(service, "depends_on").and_then(Node::as_map_mut) else { return };
    for (name, at, restart) in needs {
        if depends_on.get(&name).is_none() {
            depends_on.insert(name, at, dependency(at, restart));
        }
    }
}

fn dependency(at: Span, restart: bool) -> Node {
    let mut map = Mapping::new();
    map.insert("condition", at, Node::str(at, "service_started"));
    map.insert("restart", at, Node::bool(at, restart));
    map.insert("required", at, Node::bool(at, true));
    Node::map(at, map)
}

/// `scale` is said in `deploy` as well, where there is one.
pub fn replicas(service: &mut Node) {
    let Some(scale) = service.get("scale").cloned() else { return };
    if let Some(deploy) = field_mut(service, "deploy").filter(|deploy| !deploy.is_null()) {
        set(deploy, "replicas", |_| scale);
    }
}

/// The names of the services that a service waits for.
pub fn dependencies(service: &Node) -> impl Iterator<Item = &str> {
    section(service, "depends_on").map(|(name, _)| &**name)
}

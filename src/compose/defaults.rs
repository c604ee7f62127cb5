//! What the Compose Specification lets a file leave out, put in; after merging, because a later file may still say it.

use crate::compose::tree::{field_mut, has, is_true, section_mut, set, set_default, text};
use crate::finding::{Code, Finding, Findings};
use crate::yaml::{Mapping, Node};

/// Fills defaults in, in place.
pub fn defaults(tree: &mut Node, findings: &mut Findings) {
    for kind in ["networks", "volumes", "configs", "secrets"] {
        for (key, entry) in section_mut(tree, kind) {
            relocate_external_name(kind, key, &mut entry.value, findings);
        }
    }
    for (_, entry) in section_mut(tree, "services") {
        let service = &mut entry.value;
        for_items(service, "ports", |port| {
            set_default(port, "mode", |at| Node::str(at, "ingress"));
            set_default(port, "protocol", |at| Node::str(at, "tcp"));
        });
        for_items(service, "secrets", secret_target);
        if let Some(blkio) = field_mut(service, "blkio_config") {
            disk_limits(blkio);
        }
        for_items(service, "devices", device_target);
        for_items(service, "gpus", device_count);
        if let Some(provider) = field_mut(service, "provider") {
            section_mut(provider, "options").for_each(|(_, entry)| provider_option(&mut entry.value));
        }
        if let Some(resources) = field_mut(service, "deploy").and_then(|d| field_mut(d, "resources"))
            && let Some(reservations) = field_mut(resources, "reservations")
        {
            for_items(reservations, "devices", device_count);
            for_items(reservations, "generic_resources", |resource| {
                if let Some(spec) = field_mut(resource, "discrete_resource_spec") {
                    set_default(spec, "kind", |at| Node::str(at, ""));
                    set_default(spec, "value", |at| Node::int(at, 0));
                }
            });
        }
        if let Some(dns) = field_mut(service, "dns").and_then(Node::as_seq_mut) {
            dns.retain(|server| server.as_str() != Some(""));
        }
        if let Some(build) = field_mut(service, "build") {
            set_default(build, "context", |at| Node::str(at, "."));
        }
    }
}

fn for_items(node: &mut Node, key: &str, then: impl FnMut(&mut Node)) {
    if let Some(items) = field_mut(node, key).and_then(Node::as_seq_mut) {
        items.iter_mut().for_each(then);
    }
}

/// A device without a place of its own in the container stands where it does on the host.
fn device_target(device: &mut Node) {
    let is_left_out = device.get("target").and_then(Node::as_str) == Some("");
    if let Some(source) = text(device, "source").map(str::to_owned).filter(|_| is_left_out) {
        set(device, "target", |at| Node::str(at, source));
    }
}

/// A device that a limit does not name, and a limit that is not said.
fn disk_limits(blkio: &mut Node) {
    for_items(blkio, "weight_device", |limit| {
        set_default(limit, "path", |at| Node::str(at, ""));
        set_default(limit, "weight", |at| Node::int(at, 0));
    });
    for key in ["device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"] {
        for_items(blkio, key, |limit| {
            set_default(limit, "path", |at| Node::str(at, ""));
            set_default(limit, "rate", |at| Node::str(at, "0"));
        });
    }
}

fn secret_target(secret: &mut Node) {
    if let Some(target) = text(secret, "source").map(|source| format!("/run/secrets/{source}")) {
        set_default(secret, "target", |at| Node::str(at, target));
    }
}

/// An option is a list of texts; in a later file one text stands for the earlier one, a list goes on.
fn provider_option(option: &mut Node) {
    let text = |node: &Node| node.as_scalar().map(|scalar| Node::str(node.span, scalar.value.to_string()));
    let items = match text(option) {
        Some(one) => vec![one],
        None => option.as_seq().unwrap_or_default().iter().filter_map(text).collect(),
    };
    *option = Node::seq(option.span, items);
}

/// A request for devices that says neither how many nor which means every one.
fn device_count(request: &mut Node) {
    if !has(request, "count") && !has(request, "device_ids") {
        set(request, "count", |at| Node::int(at, -1));
    }
}

/// `external: {name: x}`, as files before 3.4 had it, becomes `external: true` and `name: x`.
fn relocate_external_name(kind: &str, key: &str, resource: &mut Node, findings: &mut Findings) {
    if resource.is_null() {
        *resource = Node::map(resource.span, Mapping::new());
    }
    let Some(external) = resource.get("external").filter(|e| e.as_map().is_some()).cloned() else { return };
    if let Some(old) = external.get("name").cloned() {
        if let Some(name) = resource.get("name").filter(|name| **name != old) {
            let message = format!("{kind}.{key} has two names");
            let finding = Finding::error(Code::Conflict, message).at(old.span).also(name.span, "the other one");
            findings.push(finding.help("keep `name`, and write `external: true`"));
        }
        set(resource, "name", |_| old);
    }
    set(resource, "external", |_| Node::bool(external.span, true));
}

/// Whether a resource is made by somebody else.
pub fn is_external(resource: &Node) -> bool {
    is_true(resource, "external")
}

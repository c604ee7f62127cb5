//! What a service names is defined.

use crate::compose::profile::Selection;
use crate::compose::tree::{has, is_true, items, section, text};
use crate::finding::{Code, Finding, Findings, Severity, nearest};
use crate::source::Span;
use crate::yaml::Node;

/// Checks every name in one active service.
pub(super) fn check(tree: &Node, selection: &Selection, name: &str, service: &Node, findings: &mut Findings) {
    for (network, entry) in section(service, "networks") {
        defined(tree, "networks", network, entry.key, name, findings);
    }
    for (model, entry) in section(service, "models") {
        defined(tree, "models", model, entry.key, name, findings);
    }
    for mount in items(service, "volumes").iter().filter(|mount| text(mount, "type") == Some("volume")) {
        if let Some(volume) = text(mount, "source") {
            defined(tree, "volumes", volume, source_span(mount), name, findings);
        }
    }
    let build = service.get("build");
    for kind in ["configs", "secrets"] {
        let built = build.map(|build| items(build, kind)).unwrap_or_default();
        for used in items(service, kind).iter().chain(built) {
            defined(tree, kind, text(used, "source").unwrap_or_default(), source_span(used), name, findings);
        }
    }
    for (needed, entry) in section(service, "depends_on") {
        check_dependency(tree, selection, name, needed, entry.key, &entry.value, findings);
    }
    for (context, entry) in build.into_iter().flat_map(|build| section(build, "additional_contexts")) {
        let Some(other) = entry.value.as_str().and_then(|text| text.strip_prefix("service:")) else { continue };
        let (why, help) = match tree.get("services").and_then(|services| services.get(other)) {
            Some(service) if has(service, "build") => continue,
            Some(_) => (format!("the service `{other}` is not built"), "give the image: `docker-image://…`"),
            None => (format!("there is no service `{other}`"), "name a service"),
        };
        let message = format!("services.{name}.build.additional_contexts.{context}: {why}");
        findings.push(Finding::error(Code::UndefinedReference, message).at(entry.value.span).help(help));
    }
}

fn source_span(item: &Node) -> Span {
    item.get("source").map_or(item.span, |source| source.span)
}

/// The word for one thing of a section.
fn one(kind: &str) -> &str {
    kind.strip_suffix('s').unwrap_or(kind)
}

fn defined(tree: &Node, kind: &str, key: &str, at: Span, service: &str, findings: &mut Findings) {
    if findings.is_full(Severity::Error) || tree.get(kind).and_then(|section| section.get(key)).is_some() {
        return;
    }
    let one = one(kind);
    let message = format!("services.{service}: there is no {one} `{key}`");
    let finding = Finding::error(Code::UndefinedReference, message).at(at);
    let known = section(tree, kind).map(|(key, _)| &**key);
    let define = format!("define it at the top level, below `{kind}:`");
    findings.push(match nearest(key, known) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`, or {define}")),
        None => finding.help(define),
    });
}

fn check_dependency(
    tree: &Node,
    selection: &Selection,
    name: &str,
    needed: &str,
    at: Span,
    dependency: &Node,
    findings: &mut Findings,
) {
    if findings.is_full(Severity::Error) || selection.active.contains(needed) {
        return;
    }
    let is_required = dependency.get("required").is_none() || is_true(dependency, "required");
    let services = section(tree, "services").map(|(key, _)| &**key);
    let Some(other) = tree.get("services").and_then(|services| services.get(needed)) else {
        let message = format!("services.{name} depends on `{needed}`, and there is no such service");
        let finding = if is_required { Finding::error } else { Finding::warning };
        let finding = finding(Code::UndefinedReference, message).at(at);
        findings.push(match nearest(needed, services) {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")),
            None => finding.help("define the service, or take the dependency out"),
        });
        return;
    };
    if !is_required {
        return;
    }
    let profiles: Vec<&str> = items(other, "profiles").iter().filter_map(Node::as_str).collect();
    let message = format!("services.{name} depends on `{needed}`, which is not active");
    let finding = Finding::error(Code::UndefinedReference, message).at(at);
    let finding = finding.also(other.get("profiles").map_or(other.span, |p| p.span), "active with these profiles only");
    let profile = profiles.first().copied().unwrap_or("…");
    findings.push(
        finding.help(format!("activate it: `--profile {profile}`; or write `required: false` for the dependency")),
    );
}

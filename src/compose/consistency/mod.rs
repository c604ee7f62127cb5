//! Whether the file makes sense as a whole: what is named is defined, what excludes each other is not said together, no
//! service waits for itself. One function a rule; every breach is found.

mod cycle;
mod reference;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::compose::profile::Selection;
use crate::compose::tree::{has, is_true, items, section, text};
use crate::compose::value::port;
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::yaml::{Node, Value};

/// Checks the resources of a merged tree, used or not.
pub fn check_resources(tree: &Node, findings: &mut Findings) {
    for (key, entry) in section(tree, "volumes") {
        check_external_volume(key, &entry.value, findings);
    }
    for (kind, sources) in [("configs", &["file", "environment", "content"][..]), ("secrets", &["file", "environment"])]
    {
        for (key, entry) in section(tree, kind) {
            check_one_source(&format!("{kind}.{key}"), entry.key, &entry.value, sources, findings);
        }
    }
    for (name, entry) in section(tree, "services") {
        check_device_requests(name, &entry.value, findings);
        check_bind_sources(name, &entry.value, findings);
        check_ports(name, &entry.value, findings);
        check_contexts(name, &entry.value, findings);
    }
}

/// Checks the active services of a normalized tree.
pub fn check_services(tree: &Node, selection: &Selection, findings: &mut Findings) {
    for (name, entry) in section(tree, "services") {
        if selection.active.contains(&**name) {
            check_service(name, entry.key, &entry.value, findings);
            reference::check(tree, selection, name, &entry.value, findings);
        }
    }
    for (key, entry) in section(tree, "secrets") {
        check_secret_has_source(key, entry.key, &entry.value, findings);
    }
    check_container_names(tree, selection, findings);
    cycle::check(tree, selection, findings);
}

/// How many ports the services of a project may expose in all.
const EXPOSED_LIMIT: usize = 200_000;

/// What services expose can be counted out: the model holds each port of a range.
pub fn check_exposed(tree: &Node, findings: &mut Findings) {
    let mut count = 0;
    for (name, entry) in section(tree, "services") {
        for item in items(&entry.value, "expose") {
            let range = item.as_str().and_then(|text| port::parse_exposed(text).ok());
            count += range.map_or(0, |((first, last), _)| usize::from(last - first) + 1);
            if count > EXPOSED_LIMIT {
                let message = format!("services.{name}.expose: with these ports there are more than a stack can have");
                let help = "leave `expose` out: services of one network reach each other on every port without it";
                return findings.push(error(Code::YamlBudget, message, item.span, help));
            }
        }
    }
}

fn check_service(name: &str, key: Span, service: &Node, findings: &mut Findings) {
    let path = format!("services.{name}");
    check_has_image(&path, key, service, findings);
    check_build(&path, service, findings);
    check_network_mode(&path, service, findings);
    check_health_test(&path, service, findings);
    check_scale(&path, service, findings);
    check_limits(&path, service, findings);
    check_mount_targets(&path, service, findings);
    check_watch(&path, service, findings);
}

fn error(code: Code, message: String, at: Span, help: &str) -> Finding {
    Finding::error(code, message).at(at).help(help)
}

fn span_of(node: &Node, key: &str) -> Span {
    node.get(key).map_or(node.span, |value| value.span)
}

/// A volume that somebody else makes has nothing to say but its name.
fn check_external_volume(key: &str, volume: &Node, findings: &mut Findings) {
    if !is_true(volume, "external") {
        return;
    }
    for (other, entry) in volume.as_map().into_iter().flat_map(|map| map.iter()) {
        let allowed = matches!(&**other, "external" | "name") || other.starts_with("x-");
        if !allowed {
            let message = format!("volumes.{key} is external, and has `{other}` as well");
            let help = "who makes the volume decides that: leave it out, or leave `external` out";
            findings
                .push(error(Code::Conflict, message, entry.key, help).also(span_of(volume, "external"), "external"));
        }
    }
}

/// A config or a secret comes from one source.
fn check_one_source(path: &str, key: Span, resource: &Node, sources: &[&str], findings: &mut Findings) {
    let said: Vec<&str> = sources.iter().copied().filter(|source| resource.get(source).is_some()).collect();
    let help = format!("write one of: {}", sources.join(", "));
    if let [first, second, ..] = said[..] {
        let message = format!("{path} has both `{first}` and `{second}`");
        let finding = error(Code::Conflict, message, span_of(resource, second), &help);
        findings.push(finding.also(span_of(resource, first), "the other one"));
    }
    if said.is_empty() && !has(resource, "driver") && resource.get("external").is_none() {
        findings.push(error(Code::MissingKey, format!("{path} comes from nowhere"), key, &help));
    }
}

fn check_secret_has_source(key: &str, at: Span, secret: &Node, findings: &mut Findings) {
    let says_one = ["file", "environment"].iter().any(|source| secret.get(source).is_some());
    let was_looked_at = !says_one && !has(secret, "driver") && secret.get("external").is_none();
    let has_source = text(secret, "file").is_some() || text(secret, "environment").is_some();
    if !was_looked_at && !has_source && !is_true(secret, "external") {
        let message = format!("secrets.{key} comes from nowhere");
        findings.push(error(Code::MissingKey, message, at, "write `file: …`, `environment: …` or `external: true`"));
    }
}

/// A request for devices says how many or which, not both.
fn check_device_requests(name: &str, service: &Node, findings: &mut Findings) {
    let reservations = service.get("deploy").and_then(|d| d.get("resources")).and_then(|r| r.get("reservations"));
    let reserved = reservations.map(|r| items(r, "devices")).unwrap_or_default();
    for request in items(service, "gpus").iter().chain(reserved) {
        if has(request, "count") && has(request, "device_ids") {
            let message = format!("services.{name}: a request for devices has both `count` and `device_ids`");
            let finding = error(Code::Conflict, message, span_of(request, "device_ids"), "keep one of them");
            findings.push(finding.also(span_of(request, "count"), "the other one"));
        }
    }
}

/// A bind mount has a path of the host.
fn check_bind_sources(name: &str, service: &Node, findings: &mut Findings) {
    for (i, mount) in items(service, "volumes").iter().enumerate() {
        if text(mount, "type") == Some("bind") && mount.get("source").is_none() {
            let message = format!("services.{name}.volumes[{i}] binds nothing");
            findings.push(error(Code::MissingKey, message, mount.span, "add `source: …`, a path of the host"));
        }
    }
}

/// A published port has an address of the host, where it says one, and a number in the container.
fn check_ports(name: &str, service: &Node, findings: &mut Findings) {
    for (i, port) in items(service, "ports").iter().enumerate() {
        if let Some(address) = port.get("host_ip").and_then(Node::as_str)
            && !address.contains('$')
            && address.parse::<IpAddr>().is_err()
        {
            let message = format!("services.{name}.ports[{i}].host_ip: `{address}` is not an address of the host");
            findings.push(error(Code::BadValue, message, span_of(port, "host_ip"), "write one: `127.0.0.1`"));
        }
        if let Some(target) = number(port, "target").filter(|target| *target < 0.0) {
            let message = format!("services.{name}.ports[{i}].target: there is no port {target}");
            findings.push(error(Code::BadValue, message, span_of(port, "target"), "ports run from 1 to 65535"));
        }
    }
}

/// A further build context leads somewhere.
fn check_contexts(name: &str, service: &Node, findings: &mut Findings) {
    let contexts = service.get("build").into_iter().flat_map(|build| section(build, "additional_contexts"));
    for (context, entry) in contexts.filter(|(_, entry)| entry.value.as_str() == Some("")) {
        let message = format!("services.{name}.build.additional_contexts: `{context}` leads nowhere");
        let help = "write `NAME=path`, `NAME=service:other` or `NAME=docker-image://image`";
        findings.push(error(Code::BadValue, message, entry.value.span, help));
    }
}

fn check_has_image(path: &str, key: Span, service: &Node, findings: &mut Findings) {
    let is_given =
        text(service, "image").is_some() || ["build", "provider", "extends"].iter().any(|key| has(service, key));
    if !is_given {
        if findings.has_error_within(service.span) {
            // it may have one that could not be read
            return;
        }
        let message = format!("{path} has neither `image` nor `build`");
        findings.push(error(Code::MissingKey, message, key, "add `image: …`"));
    }
}

fn check_build(path: &str, service: &Node, findings: &mut Findings) {
    let Some(build) = service.get("build") else { return };
    if has(build, "dockerfile") && has(build, "dockerfile_inline") {
        let message = format!("{path}.build has both `dockerfile` and `dockerfile_inline`");
        let finding = error(Code::Conflict, message, span_of(build, "dockerfile_inline"), "keep one of them");
        findings.push(finding.also(span_of(build, "dockerfile"), "the other one"));
    }
    let platforms = items(build, "platforms");
    if let Some(platform) = text(service, "platform")
        && !platforms.is_empty()
        && !platforms.iter().any(|p| p.as_str() == Some(platform))
    {
        let message = format!("{path}: the image is not built for `{platform}`, which the service runs on");
        let finding = error(Code::Conflict, message, span_of(service, "platform"), "add it to `build.platforms`");
        findings.push(finding.also(span_of(build, "platforms"), "built for these"));
    }
}

fn check_network_mode(path: &str, service: &Node, findings: &mut Findings) {
    let joins = section(service, "networks").next().is_some();
    if joins && text(service, "network_mode").is_some() {
        let message = format!("{path} has both `network_mode` and `networks`");
        let help = "a service that lives in another network namespace cannot join networks: keep one of them";
        let finding = error(Code::Conflict, message, span_of(service, "network_mode"), help);
        findings.push(finding.also(span_of(service, "networks"), "the other one"));
    }
}

fn check_health_test(path: &str, service: &Node, findings: &mut Findings) {
    let Some(test) = service.get("healthcheck").and_then(|check| check.get("test")) else { return };
    let Some(first) = test.as_seq().and_then(|words| words.first()) else { return };
    if !matches!(first.as_str(), Some("CMD" | "CMD-SHELL" | "NONE")) {
        let message = format!("{path}.healthcheck.test must start with CMD, CMD-SHELL or NONE");
        findings.push(error(
            Code::BadValue,
            message,
            first.span,
            "put `CMD` before it, or write one string for the shell",
        ));
    }
}

fn number(node: &Node, key: &str) -> Option<f64> {
    match node.get(key)?.as_scalar()?.value {
        Value::Int(n) => Some(n as f64),
        Value::Float(n) => Some(n),
        Value::Str(ref text) => text.parse().ok(),
        _ => None,
    }
}

/// `scale` and `deploy.replicas` say the same; more than one container cannot have one name.
fn check_scale(path: &str, service: &Node, findings: &mut Findings) {
    let deploy = service.get("deploy");
    let replicas = deploy.and_then(|deploy| Some((number(deploy, "replicas")?, span_of(deploy, "replicas"))));
    let scale = number(service, "scale").map(|scale| (scale, span_of(service, "scale")));
    if let (Some((scale, at)), Some((replicas, other))) = (scale, replicas)
        && scale != replicas
    {
        let message = format!("{path}: `scale` says {scale} and `deploy.replicas` {replicas}");
        findings.push(error(Code::Conflict, message, at, "keep one of them").also(other, "the other one"));
    }
    if let Some((count, at)) = scale.or(replicas).filter(|(count, _)| *count > 1.0)
        && has(service, "container_name")
    {
        let message = format!("{path}: {count} containers cannot have one name");
        let finding =
            error(Code::Conflict, message, at, "leave `container_name` out: they are named after the service");
        findings.push(finding.also(span_of(service, "container_name"), "the name"));
    }
}

/// What can be said in two places is said once, or the same twice. Where `deploy` has limits and leaves one out, it says
/// that there is none.
fn check_limits(path: &str, service: &Node, findings: &mut Findings) {
    let Some(resources) = service.get("deploy").and_then(|deploy| deploy.get("resources")) else { return };
    for (own, part, key) in [
        ("cpus", "limits", "cpus"),
        ("mem_limit", "limits", "memory"),
        ("pids_limit", "limits", "pids"),
        ("mem_reservation", "reservations", "memory"),
    ] {
        let Some(deployed) = resources.get(part) else { continue };
        let Some(a) = number(service, own).filter(|own| *own != 0.0) else { continue };
        let at = span_of(service, own);
        match number(deployed, key) {
            Some(b) if a != b => {
                let message = format!("{path}: `{own}` says {a} and `deploy.resources.{part}.{key}` {b}");
                let finding = error(Code::Conflict, message, at, "keep one of them");
                findings.push(finding.also(span_of(deployed, key), "the other one"));
            }
            Some(_) => {}
            None => {
                let message = format!("{path}: `{own}` says {a} and `deploy.resources.{part}` nothing of it");
                let help = format!("say it below `deploy.resources.{part}`, as `{key}`, and take `{own}` out");
                findings.push(error(Code::Conflict, message, at, &help).also(deployed.span, "here"));
            }
        }
    }
}

/// Two mounts at one place: the second would hide the first.
fn check_mount_targets(path: &str, service: &Node, findings: &mut Findings) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let volumes = items(service, "volumes").iter().filter_map(|v| Some((text(v, "target")?, v.span)));
    let tmpfs = items(service, "tmpfs").iter().filter_map(|t| Some((t.as_str()?.split(':').next()?, t.span)));
    for (target, at) in tmpfs.chain(volumes) {
        if let Some(first) = seen.insert(target.to_owned(), at) {
            let message = format!("{path}: two mounts at {target}");
            findings.push(error(Code::Conflict, message, at, "take one of them out").also(first, "the other one"));
        }
    }
}

fn check_watch(path: &str, service: &Node, findings: &mut Findings) {
    let watched = service.get("develop").map(|develop| items(develop, "watch")).unwrap_or_default();
    for (i, watch) in watched.iter().enumerate() {
        if watch.get("path").is_some() && text(watch, "path").is_none() {
            let message = format!("{path}.develop.watch[{i}].path is empty");
            findings.push(error(Code::MissingKey, message, span_of(watch, "path"), "write the path that is watched"));
        }
        let action = text(watch, "action").unwrap_or_default();
        if text(watch, "target").is_none() && action.starts_with("sync") {
            let message = format!("{path}.develop.watch[{i}] needs `target`: `{action}` copies somewhere");
            findings.push(error(Code::MissingKey, message, watch.span, "add `target: …`, the path in the container"));
        }
    }
}

fn check_container_names(tree: &Node, selection: &Selection, findings: &mut Findings) {
    let mut seen: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
    for (name, entry) in section(tree, "services").filter(|(name, _)| selection.active.contains(&***name)) {
        let Some(container) = text(&entry.value, "container_name") else { continue };
        let at = span_of(&entry.value, "container_name");
        if let Some((first, other)) = seen.insert(container, (at, name)) {
            let message = format!("two services want a container named `{container}`");
            let finding = error(Code::NameTaken, message, at, "give one of them another name, or leave it out");
            findings.push(
                finding.label(format!("{name} asks for it here")).also(first, format!("{other} asks for it here")),
            );
        }
    }
}

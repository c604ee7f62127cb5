//! What the file says and bowline does not do: not yet, which is an error for commands that talk to an Engine; or never, because
//! it speaks to Swarm or to Windows, which is a note. Never silence.

use crate::compose::attributes::{Attribute, Place, Realized};
use crate::compose::model::Project;
use crate::compose::trail::Trail;
use crate::compose::tree::text;
use crate::finding::{Code, Finding, Findings};
use crate::yaml::{Data, Node};

/// Everything in the project's tree that its table row says is not realized.
pub fn unsupported(project: &Project) -> Findings {
    let mut findings = Findings::new();
    look(&project.tree, Place::root(), &mut Trail::default(), &mut findings);
    findings
}

fn look(node: &Node, place: Place, trail: &mut Trail, findings: &mut Findings) {
    let Some(map) = node.as_map() else {
        for (index, item) in node.as_seq().unwrap_or_default().iter().enumerate() {
            trail.at_item(index, |trail| look(item, place.item(), trail, findings));
        }
        return;
    };
    if let Some(kind) = text(node, "type").filter(|_| place == Place::of("services.*.volumes[]"))
        && !matches!(kind, "bind" | "volume" | "tmpfs" | "image")
    {
        let at = node.get("type").map_or(node.span, |t| t.span);
        findings.push(not_yet(&format!("{trail}: mounts of type `{kind}` are"), at, ""));
    }
    if place == Place::of("services.*") {
        refresh(node, trail, findings);
    }
    if place == Place::of("services.*.configs[]") || place == Place::of("services.*.secrets[]") {
        owner(node, trail, findings);
    }
    if place == Place::of("services.*.deploy.restart_policy") {
        restart_policy(node, trail, findings);
    }
    for (key, entry) in map.iter() {
        let below = place.key(key);
        let Some(attribute) = below.attribute() else { continue };
        let said = !matches!(&entry.value.data, Data::Null) && !is_empty(&entry.value);
        match attribute.realized {
            Realized::Yes => trail.at_key(key, |trail| look(&entry.value, below, trail, findings)),
            Realized::NotYet if said && !is_default(&entry.value, attribute) => {
                let name = trail.at_key(key, |trail| trail.to_string());
                findings.push(not_yet(&format!("{name} is"), entry.key, attribute.about));
            }
            Realized::Elsewhere if said && !is_default(&entry.value, attribute) => {
                let name = trail.at_key(key, |trail| trail.to_string());
                let finding = Finding::note(Code::NoEffect, format!("{name} has no effect here")).at(entry.key);
                findings.push(finding.label(attribute.about.trim_end_matches('.').to_owned()));
            }
            Realized::NotYet | Realized::NoEffect | Realized::Elsewhere => {}
        }
    }
}

/// Of an age and the policy that it counts for, one without the other says nothing.
fn refresh(node: &Node, trail: &Trail, findings: &mut Findings) {
    let policy = node.get("pull_policy").filter(|policy| policy.as_str() == Some("refresh"));
    match (policy, node.get("pull_refresh_after").filter(|after| !after.is_null())) {
        (Some(policy), None) => {
            let message = format!("{trail}.pull_policy: `refresh` needs `pull_refresh_after`");
            let finding = Finding::error(Code::MissingKey, message).at(policy.span);
            findings.push(finding.help("say how old the image may be: `pull_refresh_after: 24h`"));
        }
        (None, Some(after)) => {
            let message = format!("{trail}.pull_refresh_after has no effect here");
            let finding = Finding::note(Code::NoEffect, message).at(after.span);
            findings.push(finding.help("`pull_policy: refresh` makes it count"));
        }
        _ => {}
    }
}

/// Conditions that the Engine has no policy for, and a limit that only one policy has.
fn restart_policy(node: &Node, trail: &Trail, findings: &mut Findings) {
    let condition = text(node, "condition").unwrap_or_default();
    let at = |key: &str| node.get(key).map_or(node.span, |value| value.span);
    if !["", "none", "no", "on-failure", "any", "always", "unless-stopped"].contains(&condition) {
        let message = format!("{trail}.condition: the Engine knows no `{condition}`");
        let finding = Finding::error(Code::BadValue, message).at(at("condition"));
        findings.push(finding.help("one of: none, on-failure, any"));
    }
    let attempts = node.get("max_attempts").and_then(Node::as_scalar).map(|s| s.value.to_string());
    if attempts.is_some_and(|n| n != "0") && condition != "on-failure" {
        let message = format!("{trail}.max_attempts: the Engine counts attempts with `condition: on-failure` alone");
        let finding = Finding::error(Code::BadValue, message).at(at("max_attempts"));
        findings.push(finding.help("take it out, or write `condition: on-failure`"));
    }
}

/// An archive knows owners by number.
fn owner(node: &Node, trail: &Trail, findings: &mut Findings) {
    for key in ["uid", "gid"] {
        let Some(value) = node.get(key).and_then(|value| Some((value.as_scalar()?.value.to_string(), value.span)))
        else {
            continue;
        };
        if value.0.parse::<u32>().is_err() {
            let message = format!("{trail}.{key}: `{}` is not a number", value.0);
            findings.push(Finding::error(Code::BadValue, message).at(value.1).help("write the number: `1000`"));
        }
    }
}

fn is_default(node: &Node, attribute: &Attribute) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.value.to_string() == attribute.default)
}

fn is_empty(node: &Node) -> bool {
    node.as_map().is_some_and(crate::yaml::Mapping::is_empty) || node.as_seq().is_some_and(<[Node]>::is_empty)
}

fn not_yet(what: &str, at: crate::source::Span, about: &str) -> Finding {
    let finding = Finding::error(Code::NotSupported, format!("{what} not supported yet")).at(at);
    let finding = if about.is_empty() { finding } else { finding.label(about.trim_end_matches('.').to_owned()) };
    finding.help("take it out to bring the stack up without it; `bowline config` prints it all the same")
}

#[cfg(test)]
mod tests {
    use crate::compose::load_text;

    #[test]
    fn what_is_not_done_is_named() {
        let text = "services: {b: {image: x, deploy: {restart_policy: {max_attempts: 2}}}, a: {image: x, provider: {type: x}, pull_policy: refresh, ulimits: {}, deploy: {mode: global, replicas: 2, update_config: {delay: 3s, order: start-first}, \
            restart_policy: {condition: any, max_attempts: 3}}, \
            ports: [{target: 80, name: web}], volumes: [{type: npipe, source: y, target: /y}]}}";
        let project = load_text("c.yaml", text).project.unwrap();
        let found: Vec<String> = super::unsupported(&project).iter().map(|f| f.message.clone()).collect();
        assert_eq!(
            found,
            [
                "services.b.deploy.restart_policy.max_attempts: the Engine counts attempts with `condition: on-failure` alone",
                "services.a.pull_policy: `refresh` needs `pull_refresh_after`",
                "services.a.provider is not supported yet",
                "services.a.deploy.mode has no effect here",
                "services.a.deploy.update_config.delay has no effect here",
                "services.a.deploy.restart_policy.max_attempts: the Engine counts attempts with `condition: on-failure` alone",
                "services.a.volumes[0]: mounts of type `npipe` are not supported yet"
            ]
        );
    }
}

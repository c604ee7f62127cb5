//! Which events of the Engine touch a stack, so that it is worth another look: pure.

use super::topology::Topology;
use crate::engine::Event;
use crate::name::ProjectName;

/// What containers are told of all the time and what changes nothing that a check looks at; `exec_…` are health checks.
const IDLE: &[&str] =
    &["create", "kill", "attach", "detach", "resize", "top", "copy", "export", "commit", "archive-path"];

/// Whether the event may change a verdict: the project's containers, whoever joins or leaves one of its networks, and the Engine
/// itself, which sets up its firewall anew when it is reloaded.
pub fn touches(event: &Event, project: &ProjectName, topology: &Topology) -> bool {
    let attribute = |name: &str| event.attributes.get(name).map(String::as_str).unwrap_or_default();
    match event.kind.as_str() {
        "container" => {
            let own = attribute("com.docker.compose.project") == project.as_str();
            let idle = IDLE.contains(&event.action.as_str()) || event.action.starts_with("exec_");
            own && attribute("com.docker.compose.oneoff") != "True" && !idle
        }
        "network" => topology.wires.contains_key(attribute("name")),
        "daemon" => event.action == "reload",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::fixture::project;

    #[test]
    fn only_what_may_change_a_verdict_touches_a_stack() {
        let project = project("services: {web: {networks: [x]}}\nnetworks: {x: {}}");
        let topology = Topology::of(&project);
        let own = ("com.docker.compose.project", "p");
        for (kind, action, attributes, expected) in [
            ("container", "die", vec![own], true),
            ("container", "health_status: unhealthy", vec![own], true),
            ("container", "pause", vec![own], true),
            ("container", "exec_start: /bin/check", vec![own], false),
            ("container", "create", vec![own], false),
            ("container", "start", vec![own, ("com.docker.compose.oneoff", "True")], false),
            ("container", "start", vec![("com.docker.compose.project", "q")], false),
            // a sidecar of ours, which has no project
            ("container", "start", vec![], false),
            ("network", "connect", vec![("name", "p_x"), ("container", "f00")], true),
            ("network", "disconnect", vec![("name", "q_x")], false),
            ("daemon", "reload", vec![], true),
            ("image", "pull", vec![], false),
        ] {
            let attributes = attributes.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            let event = Event { kind: kind.to_owned(), action: action.to_owned(), attributes, ..Event::default() };
            assert_eq!(touches(&event, &project.name, &topology), expected, "{kind} {action}");
        }
    }
}

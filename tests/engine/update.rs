//! Updates: who goes first, what comes back where the next one does not hold, and what a kill in the middle leaves.

use std::process::Stdio;
use std::time::Duration;

use crate::stack::{Ran, Stack, eventually};

const YAML: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    stop_grace_period: 2s
    networks: {front: {aliases: [shop]}}
    healthcheck: {test: 'true', interval: 200ms, retries: 2}
    deploy: {update_config: {order: start-first, failure_action: rollback}}
networks: {front: {}}
";

/// `start NAME`, `die NAME` … of the stack's containers since a moment, in order.
fn events(stack: &Stack, since: &str) -> Vec<String> {
    let until = moment(stack);
    let words = format!(
        "events --since {since} --until {until} --filter type=container --filter label=com.docker.compose.project={} \
         --format {{{{.Action}}}}@{{{{.Actor.Attributes.name}}}}",
        stack.name
    );
    stack.docker(&words).lines().map(str::to_owned).collect()
}

/// The Engine's clock, in nanoseconds.
fn moment(stack: &Stack) -> String {
    stack.docker("info --format {{.SystemTime}}")
}

#[test]
fn who_starts_first_is_healthy_before_the_other_stops_and_gets_its_name() {
    let Some(stack) = Stack::new("first", YAML) else { return };
    stack.run("up -d --wait", 0);
    let old = stack.inspect("web", "{{.Id}}");
    let since = moment(&stack);
    stack.write(&YAML.replace("sleep 1000", "sleep 2000"));
    stack.run("up -d", 0);
    let told = events(&stack, &since);
    let name = format!("{}-web-1", stack.name);
    let place = |action: &str, is_old: bool| {
        let mut all = told.iter().enumerate();
        let found = all.find(|(_, e)| e.starts_with(action) && e.ends_with(&format!("@{name}")) == is_old);
        found.unwrap_or_else(|| panic!("no {action}: {told:#?}")).0
    };
    assert!(place("start@", false) < place("health_status: healthy@", false), "{told:#?}");
    assert!(place("health_status: healthy@", false) < place("die@", true), "{told:#?}");
    assert_ne!(stack.inspect("web", "{{.Id}}"), old);
    assert_eq!(names(&stack), [name.as_str()]);
    assert!(stack.shell("web", "ping -c 1 -W 2 shop").contains("1 packets received"));
    assert!(stack.run("up -d", 0).err.contains("nothing to do"));
    stack.run("down", 0);
    assert_eq!(stack.remains(), "");
}

fn names(stack: &Stack) -> Vec<String> {
    let all = Ran::from(stack.bowline("ps -a --format json").output().unwrap()).out;
    let name =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["Name"].as_str().unwrap().to_owned();
    all.lines().map(name).collect()
}

#[test]
fn what_only_one_can_have_makes_room_first_and_says_so() {
    let yaml = YAML.replace("    init: true", "    init: true\n    container_name: $NAME-only");
    let Some(stack) = Stack::new("room", &yaml) else { return };
    stack.run("up -d --wait", 0);
    stack.write(&yaml.replace("sleep 1000", "sleep 2000"));
    let planned = stack.run("plan", 2);
    assert!(planned.out.contains("not start-first: `"), "{}", planned.out);
    let told = stack.run("up -d", 0);
    assert!(told.err.contains("is the name of one container"), "{}", told.err);
    assert_eq!(names(&stack), [format!("{}-only", stack.name)]);
    stack.run("down", 0);
    assert_eq!(stack.remains(), "");
}

/// Both orders: the old one was stopped already, or it still runs.
#[test]
fn what_does_not_hold_gives_way_to_what_was_there() {
    for order in ["start-first", "stop-first"] {
        let yaml = YAML.replace("start-first", order);
        let Some(stack) = Stack::new("back", &yaml) else { return };
        stack.run("up -d --wait", 0);
        let old = stack.inspect("web", "{{.Id}}");
        for (worse, code) in [
            (yaml.replace("test: 'true'", "test: 'false'"), 70),
            (yaml.replace("sleep 1000", "/no/such/program").replace("    init: true\n", ""), 1),
            (yaml.replace("sleep 1000", "sh -c 'exit 3'"), 70),
        ] {
            stack.write(&worse);
            let failed = stack.run("up -d", code);
            assert!(failed.err.contains("web runs as before"), "{order}\n{}", failed.err);
            assert_eq!(stack.inspect("web", "{{.Id}} {{.State.Running}}"), format!("{old} true"), "{}", failed.err);
            assert_eq!(names(&stack).len(), 1, "{}", failed.err);
            assert!(stack.shell("web", "ping -c 1 -W 2 shop").contains("1 packets received"));
        }
        stack.write(&yaml.replace("sleep 1000", "sleep 2000"));
        stack.run("up -d", 0);
        assert_ne!(stack.inspect("web", "{{.Id}}"), old);
        stack.run("down", 0);
        assert_eq!(stack.remains(), "");
    }
}

#[test]
fn after_a_kill_in_the_middle_the_next_up_or_down_leaves_no_other_name() {
    for next in ["up", "down"] {
        let Some(stack) = Stack::new("middle", YAML) else { return };
        stack.run("up -d --wait", 0);
        let slow = YAML
            .replace("test: 'true', interval: 200ms, retries: 2", "test: test -e /go, interval: 200ms, retries: 1000");
        stack.write(&slow);
        let mut up = stack.bowline("up -d").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually(Duration::from_secs(20), || match &names(&stack)[..] {
            [one, two] => Ok((one.clone(), two.clone())),
            other => Err(other.to_vec()),
        });
        up.kill().unwrap();
        up.wait().unwrap();
        if next == "up" {
            stack.write(&YAML.replace("sleep 1000", "sleep 2000"));
            stack.run("up -d --wait", 0);
            assert_eq!(names(&stack), [format!("{}-web-1", stack.name)]);
        }
        stack.run("down", 0);
        assert_eq!(stack.remains(), "");
    }
}

#[test]
fn a_network_that_cannot_be_made_anew_is_as_it_was_and_so_is_who_was_on_it() {
    let yaml = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    networks: {front: {aliases: [shop], ipv4_address: 10.231.7.5}}
networks: {front: {ipam: {config: [{subnet: 10.231.7.0/24}]}}}
";
    let Some(stack) = Stack::new("netback", yaml) else { return };
    stack.run("up -d", 0);
    let (id, held) = (stack.inspect("web", "{{.Id}}"), format!("{}-held", stack.name));
    stack.docker(&format!("network create --subnet 10.231.8.0/24 {held}"));
    stack.write(&yaml.replace("10.231.7.", "10.231.8."));
    let failed = Ran::from(stack.bowline("up -d --no-preflight").output().unwrap());
    stack.docker(&format!("network rm {held}"));
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    assert!(failed.err.contains("web runs as before"), "{}", failed.err);
    assert_eq!(stack.inspect("web", "{{.Id}} {{.State.Running}}"), format!("{id} true"));
    let there = stack.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Aliases}}{{end}}");
    assert!(there.starts_with("10.231.7.5 ") && there.contains("shop"), "{there}");
    stack.run("up -d", 0);
    assert_eq!(stack.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), "10.231.8.5");
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn who_lives_with_it_or_restarts_with_it_comes_back_with_it() {
    let yaml = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    healthcheck: {test: 'true', interval: 200ms, retries: 2}
    deploy: {update_config: {failure_action: rollback}}
  side: {image: busybox, command: sleep 1000, init: true, network_mode: 'service:web'}
  near: {image: busybox, command: sleep 1000, init: true, depends_on: {web: {condition: service_healthy, restart: true}}}
";
    let Some(stack) = Stack::new("family", yaml) else { return };
    stack.run("up -d --wait", 0);
    let ids =
        |stack: &Stack| ["web", "side", "near"].map(|service| stack.inspect(service, "{{.Id}} {{.State.Running}}"));
    let before = ids(&stack);
    stack.write(&yaml.replace("test: 'true'", "test: 'false'"));
    let failed = stack.run("up -d -t 2", 70);
    assert!(failed.err.contains("near, side, web run as before"), "{}", failed.err);
    assert_eq!(ids(&stack), before, "{}", failed.err);
    assert_eq!(names(&stack).len(), 3);
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

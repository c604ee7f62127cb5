//! Ctrl-C, kill -9, and two at once.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::stack::{Ran, Stack, eventually, second_engine};

const SLOW: &str = "
services:
  db: {image: busybox, command: sleep 1000, init: true, healthcheck: {test: 'false', interval: 100ms, retries: 100000}}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
";

fn spawn(stack: &Stack, arguments: &str) -> Child {
    stack.bowline(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn running(stack: &Stack, service: &str) {
    eventually(Duration::from_secs(20), || {
        let found = stack.docker(&format!("ps -q --filter {{p}} --filter label=com.docker.compose.service={service}"));
        if found.is_empty() { Err(format!("{service} does not run")) } else { Ok(()) }
    });
}

#[test]
fn ctrl_c_ends_a_wait_and_tells_what_is_left() {
    let Some(stack) = Stack::new("ctrlc", SLOW) else { return };
    for name in ["INT", "TERM"] {
        let child = spawn(&stack, "up -d");
        running(&stack, "db");
        signal(&child, name);
        let ended = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ended.code, Some(130), "{}", ended.err);
        assert!(ended.err.contains("not done: await db healthy, start web.1"), "{}", ended.err);
        stack.run("down -t 2", 0);
        assert_eq!(stack.remains(), "");
    }
}

#[test]
fn an_attached_up_shows_output_and_stops_on_ctrl_c() {
    let yaml = "
services:
  web: {image: busybox, command: \"sh -c 'echo early; trap \\\"echo bye; exit 0\\\" TERM; while :; do sleep 0.1; done'\"}
  db: {image: busybox, command: sleep 1000, init: true, attach: false}
";
    let Some(stack) = Stack::new("attach", yaml) else { return };
    let mut child = spawn(&stack, "up");
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("early") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the output ended");
    }
    assert_eq!(line, "web-1  | early\n");
    running(&stack, "db");
    signal(&child, "INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("web-1  | bye\n") && rest.contains("web-1 exited with code 0"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(stack.docker("ps -q --filter {p}"), "", "all are stopped");
    assert_eq!(stack.docker("ps -aq --filter {p}").lines().count(), 2, "and kept");
}

#[test]
fn a_second_ctrl_c_kills() {
    let yaml =
        "services: {deaf: {image: busybox, command: \"sh -c 'trap : TERM; echo up; while :; do sleep 1; done'\"}}";
    let Some(stack) = Stack::new("deaf", yaml) else { return };
    let mut child = spawn(&stack, "up -t 60");
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    signal(&child, "INT");
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap().contains("Stopping")));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(stack.docker("ps -q --filter {p}"), "");
}

#[test]
fn an_attached_up_ends_with_the_code_that_is_asked_for() {
    let yaml = "
services:
  tests: {image: busybox, command: sh -c 'exit 7', depends_on: {setup: {condition: service_completed_successfully}}}
  setup: {image: busybox, command: 'true'}
  db: {image: busybox, command: sleep 1000, init: true}
";
    let Some(stack) = Stack::new("code", yaml) else { return };
    stack.run("up --exit-code-from tests -t 2", 7);
    assert_eq!(stack.docker("ps -q --filter {p}"), "", "everything was stopped");
    stack.run("down", 0);
    stack.run("up --abort-on-container-exit -t 2", 7);
    stack.run("down", 0);
}

#[test]
fn an_attached_up_ends_when_everything_has_ended() {
    let yaml =
        "services: {a: {image: busybox, command: echo one}, b: {image: busybox, command: sh -c 'echo two; exit 3'}}";
    let Some(stack) = Stack::new("ended", yaml) else { return };
    let ended = stack.run("up --no-log-prefix", 0);
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a-1 exited with code 0", "b-1 exited with code 3", "one", "two"]);
}

#[test]
fn a_killed_up_is_finished_by_the_next_and_down_leaves_nothing() {
    let yaml = "
services:
  one: {image: busybox, command: sleep 1000, init: true, networks: [a, b], volumes: ['v:/v'], ports: ['127.0.0.1::80']}
  two: {image: busybox, command: sleep 1000, init: true, networks: [a], depends_on: [one]}
  three: {image: busybox, command: sleep 1000, init: true, network_mode: 'service:two'}
  four: {image: busybox, command: sleep 1000, init: true, networks: [b], links: ['one:eins'], depends_on: [three]}
networks: {a: {}, b: {internal: true}}
volumes: {v: {}}
";
    let Some(stack) = Stack::new("kill", yaml) else { return };
    // a kill after the k-th thing that is told, until the run is over before it; other places on the second Engine
    let points = if second_engine() { [2, 6, 9, 14, 18, 22, 25] } else { [1, 4, 8, 12, 16, 20, 24] };
    for point in points {
        let mut child = spawn(&stack, "up -d");
        let told = BufReader::new(child.stderr.take().unwrap()).lines().take(point).count();
        child.kill().unwrap();
        child.wait().unwrap();
        stack.run("up -d", 0);
        stack.run("plan", 0);
        assert_eq!(stack.docker("ps -q --filter {p}").lines().count(), 4, "after {point}");
        assert_eq!(stack.docker("ps -aq --filter {p}").lines().count(), 4, "after {point}");
        stack.run("down -v -t 2", 0);
        assert_eq!(stack.remains(), "", "after {point}");
        if told < point {
            break;
        }
    }
}

#[test]
fn a_second_up_waits_for_the_first_and_says_for_whom() {
    let Some(stack) = Stack::new("lock", SLOW) else { return };
    let first = spawn(&stack, "up -d");
    running(&stack, "db");
    let mut second = spawn(&stack, "up -d");
    let mut told = BufReader::new(second.stderr.take().unwrap()).lines();
    let line = told.next().unwrap().unwrap();
    let expected = format!("waiting for `bowline up` (process {})", first.id());
    assert!(line.contains(&expected), "{line}");
    signal(&first, "INT");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
    assert!(told.any(|line| line.unwrap().contains("Waiting")), "the second goes on");
    signal(&second, "INT");
    assert_eq!(second.wait().unwrap().code(), Some(130));
}

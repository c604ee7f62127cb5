//! Side by side with docker compose: each sees, and takes down, what the other made.

use std::process::Command;

use crate::stack::{Ran, Stack};

const STACK: &str = "
services:
  web: {image: busybox, command: sleep 1000, init: true, depends_on: [db], ports: ['127.0.0.1::80']}
  db: {image: busybox, command: sleep 1000, init: true, volumes: ['data:/data'], stop_grace_period: 2s}
volumes: {data: {}}
";

/// Whether docker compose can be had.
fn has_compose() -> bool {
    let there =
        Command::new("docker").args(["compose", "version"]).output().is_ok_and(|answer| answer.status.success());
    if !there {
        eprintln!("SKIPPED, no docker compose");
    }
    there
}

fn ran(mut command: Command) -> Ran {
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{command:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// The table without the columns that count seconds.
fn rows(table: &str) -> Vec<Vec<String>> {
    let columns =
        |line: &str| line.split("   ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect();
    let rows: Vec<Vec<String>> = table.lines().map(columns).collect();
    rows.into_iter().map(|row| row.into_iter().filter(|cell| !cell.contains("second")).collect()).collect()
}

#[test]
fn docker_compose_sees_and_removes_our_stack() {
    let Some(stack) = Stack::new("ours", STACK) else { return };
    if !has_compose() {
        return;
    }
    stack.run("up -d", 0);
    let theirs = ran(stack.compose("ps"));
    assert_eq!(rows(&theirs.out), rows(&stack.run("ps", 0).out));
    assert!(theirs.out.contains(&format!("{}-web-1", stack.name)), "{}", theirs.out);
    ran(stack.compose("logs"));
    ran(stack.compose("down -v -t 2"));
    assert_eq!(stack.remains(), "");
}

#[test]
fn we_see_keep_and_remove_a_stack_of_docker_compose() {
    let Some(stack) = Stack::new("theirs", STACK) else { return };
    if !has_compose() {
        return;
    }
    ran(stack.compose("up -d"));
    assert_eq!(rows(&stack.run("ps", 0).out), rows(&ran(stack.compose("ps")).out));
    let ids = (stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}"));
    let planned = stack.run("plan", 0);
    assert!(planned.out.contains("as declared"), "{}", planned.out);
    stack.run("up -d", 0);
    assert_eq!((stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}")), ids, "nothing was replaced");
    stack.run("down -v -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn ps_says_the_same_in_every_form() {
    let Some(stack) = Stack::new("ps", STACK) else { return };
    if !has_compose() {
        return;
    }
    stack.run("up -d", 0);
    stack.docker(&format!("stop -t 0 {}-db-1", stack.name));
    for form in ["ps -q", "ps -aq", "ps --services", "ps -a --services", "ps --status exited -q", "ps web -q"] {
        assert_eq!(stack.run(form, 0).out, ran(stack.compose(form)).out, "{form}");
    }
    let (ours, theirs) = (stack.run("ps -a --format json", 0).out, ran(stack.compose("ps -a --format json")).out);
    let objects = |text: &str| -> Vec<serde_json::Value> {
        let mut objects: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for object in &mut objects {
            let map = object.as_object_mut().unwrap();
            // these count seconds, or come in an order that changes from run to run
            ["RunningFor", "Status", "Labels", "Mounts"].iter().for_each(|key| _ = map.remove(*key));
        }
        objects
    };
    assert_eq!(objects(&ours), objects(&theirs));
}

//! Waiting for health and for completion, and what is told when it fails.

use std::time::{Duration, Instant};

use crate::stack::Stack;

#[test]
fn a_service_starts_when_the_other_is_healthy_and_one_more_up_waits_for_nothing() {
    let yaml = "
services:
  db:
    image: busybox
    command: sh -c 'sleep 0.4; touch /ready; sleep 1000'
    init: true
    healthcheck: {test: test -e /ready, interval: 200ms, retries: 50}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
";
    let Some(stack) = Stack::new("healthy", yaml) else { return };
    stack.run("up -d", 0);
    let times =
        stack.docker(&format!("inspect -f {{{{.State.StartedAt}}}} {name}-db-1 {name}-web-1", name = stack.name));
    let (db, web) = times.split_once('\n').unwrap();
    assert!(db < web, "{times}");
    assert_eq!(stack.inspect("db", "{{.State.Health.Status}}"), "healthy");
    let begun = Instant::now();
    stack.run("up -d --wait", 0);
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_failed_health_wait_tells_why_and_skips_its_dependents_only() {
    let yaml = "
services:
  db:
    image: busybox
    command: sh -c 'echo I am sick >&2; sleep 1000'
    init: true
    healthcheck: {test: echo no pulse; exit 3, interval: 100ms, retries: 2}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
  apart: {image: busybox, command: sleep 1000, init: true}
";
    let Some(stack) = Stack::new("sick", yaml) else { return };
    let failed = stack.run("up -d", 70);
    for told in ["is unhealthy", "ended with 3", "no pulse", "I am sick", "web-1  Skipped"] {
        assert!(failed.err.contains(told), "`{told}` is missing\n{}", failed.err);
    }
    assert_eq!(stack.inspect("apart", "{{.State.Running}}"), "true");
    assert_eq!(stack.inspect("web", "{{.State.Status}}"), "created");
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_one_shot_is_waited_for_and_its_failure_is_told() {
    let yaml = "
services:
  migrate: {image: busybox, command: sh -c 'sleep 0.2; echo migrated; exit CODE'}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {migrate: {condition: service_completed_successfully}}}
";
    let Some(stack) = Stack::new("oneshot", &yaml.replace("CODE", "4")) else { return };
    let failed = stack.run("up -d", 70);
    assert!(failed.err.contains("exit code 4") && failed.err.contains("migrated"), "{}", failed.err);
    stack.write(&yaml.replace("CODE", "0"));
    stack.run("up -d --wait", 0);
    assert_eq!(stack.inspect("web", "{{.State.Running}}"), "true");
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_service_that_crashed_once_and_recovered_is_healthy() {
    let yaml = "
services:
  db:
    image: busybox
    command: sh -c 'test -e /data/second && exec sleep 1000; touch /data/second; sleep 0.1; exit 1'
    restart: on-failure
    volumes: ['data:/data']
    healthcheck: {test: test -e /data/second, interval: 100ms, start_period: 10s}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
volumes: {data: {}}
";
    let Some(stack) = Stack::new("crash", yaml) else { return };
    stack.run("up -d", 0);
    assert_eq!(stack.inspect("web", "{{.State.Running}}"), "true");
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_crash_loop_is_no_success() {
    let yaml = "
services:
  db: {image: busybox, command: sh -c 'echo dying; exit 9', restart: always, healthcheck: {test: 'true', interval: 5s}}
  web: {image: busybox, command: sleep 1000, depends_on: {db: {condition: service_healthy}}}
";
    let Some(stack) = Stack::new("loop", yaml) else { return };
    let failed = stack.run("up -d", 70);
    assert!(failed.err.contains("times in a row") && failed.err.contains("dying"), "{}", failed.err);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let yaml = "
services:
  db: {image: busybox, command: sleep 1000, init: true, healthcheck: {test: 'false', interval: 100ms, retries: 1000}}
";
    let Some(stack) = Stack::new("late", yaml) else { return };
    let late = stack.run("up -d --wait --wait-timeout 1", 70);
    assert!(late.err.contains("within 1 s"), "{}", late.err);
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

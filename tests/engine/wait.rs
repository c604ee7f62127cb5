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

#[test]
fn eager_health_brings_a_chain_up_without_waiting_for_an_interval_and_changes_nothing() {
    let yaml = "
x-slow: &slow {image: busybox, init: true, user: '1000', environment: {WHO: me}, tmpfs: '/run:mode=1777'}
services:
  a: {<<: *slow, command: sh -c 'sleep 0.3; touch /run/ready; sleep 1000', healthcheck: {test: test -e /run/ready && test $$WHO$$(id -u) = me1000}}
  b: {<<: *slow, command: sleep 1000, depends_on: {a: {condition: service_healthy}}, healthcheck: {test: [CMD, 'true'], interval: 30s}}
  c: {<<: *slow, command: sleep 1000, depends_on: {b: {condition: service_healthy}}, healthcheck: {test: [CMD, test, -e, /etc/passwd]}}
  d: {image: busybox, command: sleep 1000, init: true, depends_on: {c: {condition: service_healthy}}}
";
    let Some(stack) = Stack::new("eager", yaml) else { return };
    let begun = Instant::now();
    let told = stack.run("up -d --wait --health eager", 0);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}\n{}", begun.elapsed(), told.err);
    assert_eq!(told.err.matches("its own check passed, run by bowline").count(), 3, "{}", told.err);
    for service in ["a", "b", "c"] {
        assert_eq!(stack.inspect(service, "{{.State.Health.Status}} {{len .State.Health.Log}}"), "starting 0");
    }
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn an_eager_check_that_hangs_or_fails_counts_for_nothing() {
    let yaml = "
services:
  hangs: {image: busybox, command: sleep 1000, init: true, healthcheck: {test: sleep 1000, timeout: 1s, interval: 30s}}
  sick: {image: busybox, command: sleep 1000, init: true, healthcheck: {test: 'false', interval: 200ms, retries: 3}}
";
    let Some(stack) = Stack::new("hangs", yaml) else { return };
    let late = stack.run("up -d --wait --wait-timeout 4 --health eager", 70);
    assert!(late.err.contains("hangs was not ready within 4 s"), "{}", late.err);
    assert!(late.err.contains("sick-1 is unhealthy"), "{}", late.err);
    let sleeping = stack.shell("hangs", "ps | grep -c '[s]leep 1000'");
    assert!(sleeping == "2" || sleeping == "3", "the check was run once, and the program goes on: {sleeping}");
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn waiting_counts_a_job_that_ended_well_and_not_one_that_ends_badly_or_runs_out_of_memory() {
    let yaml = "
services:
  job: {image: busybox, command: 'true'}
  web: {image: busybox, command: sleep 1000, init: true}
";
    let Some(stack) = Stack::new("jobs", yaml) else { return };
    stack.run("up -d --wait", 0);
    stack.write(&yaml.replace("command: 'true'", "command: sh -c 'sleep 0.2; echo sorry; exit 7'"));
    let failed = stack.run("up -d --wait -t 2", 70);
    assert!(failed.err.contains("exit code 7") && failed.err.contains("sorry"), "{}", failed.err);
    stack.write(&yaml.replace("command: 'true'", "command: tail /dev/zero, mem_limit: 16m, memswap_limit: 16m"));
    let failed = stack.run("up -d --wait -t 2", 70);
    assert!(failed.err.contains("out of memory"), "{}", failed.err);
    stack.write(&yaml.replace("command: 'true'", "command: sh -c 'sleep 0.2; echo again; exit 7', restart: always"));
    let failed = stack.run("up -d --wait -t 2", 70);
    assert!(failed.err.contains("times") && failed.err.contains("again"), "{}", failed.err);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_wait_that_is_over_tells_the_last_check_and_the_last_lines() {
    let yaml = "
services:
  db:
    image: busybox
    command: sh -c 'echo still loading; sleep 1000'
    init: true
    healthcheck: {test: echo no pulse; exit 3, interval: 100ms, retries: 1000}
";
    let Some(stack) = Stack::new("over", yaml) else { return };
    let late = stack.run("up -d --wait --wait-timeout 2", 70);
    for told in ["within 2 s", "health: starting", "ended with 3", "no pulse", "still loading"] {
        assert!(late.err.contains(told), "`{told}` is missing\n{}", late.err);
    }
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

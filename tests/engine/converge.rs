//! `up`, `plan`, `down`: what is there stays, what differs is replaced, and nothing is left.

use crate::stack::Stack;

const TWO: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    networks: {front: {aliases: [shop]}}
    volumes: ['data:/data']
    depends_on: [db]
  db:
    image: busybox
    command: sleep 1000
    init: true
    networks: [front, back]
networks: {front: {}, back: {internal: true}}
volumes: {data: {}}
";

#[test]
fn a_stack_comes_up_stays_and_goes_without_a_trace() {
    let Some(stack) = Stack::new("trace", TWO) else { return };
    let planned = stack.run("plan", 2);
    assert!(planned.out.contains("create network front"), "{}", planned.out);
    assert_eq!(stack.remains(), "", "a plan changes nothing");

    stack.run("up -d", 0);
    assert_eq!(stack.inspect("web", "{{.State.Running}}"), "true");
    let (web, db) = (stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}"));

    let again = stack.run("up -d", 0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    stack.run("plan", 0);
    assert_eq!((stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}")), (web.clone(), db.clone()));

    stack.write(&TWO.replace("shop", "store"));
    let planned = stack.run("plan", 2);
    assert!(planned.out.contains("store"), "the reason has both values\n{}", planned.out);
    stack.run("up -d", 0);
    assert_eq!(stack.inspect("db", "{{.Id}}"), db, "what did not differ stays");
    let aliases = stack.inspect("web", "{{json .NetworkSettings.Networks}}");
    assert!(aliases.contains("store") && !aliases.contains("shop"), "{aliases}");

    stack.run("down -v -t 2", 0);
    assert_eq!(stack.remains(), "");
    let nothing = stack.run("down -v", 0);
    assert!(nothing.err.contains("nothing of"), "{}", nothing.err);
}

#[test]
fn a_volume_stays_unless_it_is_asked_to_go() {
    let Some(stack) = Stack::new("volume", TWO) else { return };
    stack.run("up -d", 0);
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains().lines().count(), 1, "{}", stack.remains());
    stack.run("up -d", 0);
    stack.run("down -v -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_network_that_another_uses_is_left_and_its_user_is_named() {
    let Some(stack) = Stack::new("held", TWO) else { return };
    stack.run("up -d", 0);
    let guest = format!("{}-guest", stack.name);
    stack.docker(&format!("run -d --init --name {guest} --network {}_front busybox sleep 1000", stack.name));
    let left = stack.run("down -v -t 2", 72);
    let names_it = left.err.contains(&guest);
    stack.docker(&format!("rm -f {guest}"));
    assert!(names_it, "{}", left.err);
    assert_eq!(stack.remains().lines().count(), 1, "all but that network went\n{}", stack.remains());
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_failed_step_skips_its_dependents_only() {
    let yaml = "
services:
  broken: {image: busybox, command: /no/such/program}
  needs: {image: busybox, command: sleep 1000, init: true, depends_on: [broken]}
  apart: {image: busybox, command: sleep 1000, init: true}
";
    let Some(stack) = Stack::new("broken", yaml) else { return };
    let failed = stack.run("up -d", 1);
    assert!(failed.err.contains("/no/such/program"), "{}", failed.err);
    assert!(failed.err.contains("needs-1  Skipped: cannot start broken.1"), "{}", failed.err);
    assert_eq!(stack.inspect("apart", "{{.State.Running}}"), "true");
    assert_eq!(stack.inspect("needs", "{{.State.Status}}"), "created");
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_dry_run_shows_and_does_nothing() {
    let Some(stack) = Stack::new("dry", TWO) else { return };
    let shown = stack.run("--dry-run up -d", 0);
    assert!(shown.out.contains("start web.1"), "{}", shown.out);
    assert_eq!(stack.remains(), "");
}

#[test]
fn an_orphan_is_left_and_told_of_until_it_is_asked_to_go() {
    let Some(stack) = Stack::new("orphan", TWO) else { return };
    stack.run("up -d", 0);
    stack.write("services: {web: {image: busybox, command: sleep 1000, init: true}}");
    let told = stack.run("up -d", 0);
    assert!(told.err.contains("db"), "{}", told.err);
    assert_eq!(stack.inspect("db", "{{.State.Running}}"), "true");
    stack.run("up -d --remove-orphans -t 2", 0);
    let left = stack.run("ps --services", 0);
    assert_eq!(left.out, "web\n");
    stack.run("down -v -t 2", 0);
    assert_eq!(stack.remains(), "");
}

//! Two at once: the lock of a project, and two directories that give it one name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stack::{Ran, Stack, eventually};

const SLOW: &str = "
services:
  db: {image: busybox, command: sleep 1000, init: true, healthcheck: {test: test -e /go, interval: 100ms, retries: 1000}}
  web: {image: busybox, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
";

#[test]
fn a_second_up_waits_and_says_for_whom_or_fails_at_once() {
    let Some(stack) = Stack::new("lock", SLOW) else { return };
    let first = stack.bowline("up -d").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually(Duration::from_secs(20), || {
        // until the first one has it, this one would wait for a health that never comes
        match stack.docker("ps -q --filter {p}").is_empty() {
            true => Err("nothing runs yet"),
            false => Ok(()),
        }
    });
    stack.run("--no-wait up -d", 75);
    let busy = stack.run("down --no-wait", 75);
    assert!(busy.err.contains(&format!("`bowline up` (process {})", first.id())), "{}", busy.err);
    stack.run("ps", 0);
    let second = stack.bowline("up -d").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually(Duration::from_secs(20), || {
        let name = format!("{}-db-1", stack.name);
        let ran = Ran::from(Command::new("docker").args(["exec", &name, "touch", "/go"]).output().unwrap());
        if ran.code == Some(0) { Ok(()) } else { Err(ran.err) }
    });
    let first = Ran::from(first.wait_with_output().unwrap());
    let second = Ran::from(second.wait_with_output().unwrap());
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}\n{}", first.err, second.err);
    assert!(second.err.contains("waiting for `bowline up`"), "{}", second.err);
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn who_only_follows_the_output_keeps_nobody_away() {
    let yaml = "services: {web: {image: busybox, command: sleep 1000, init: true}}";
    let Some(stack) = Stack::new("follow", yaml) else { return };
    let attached = stack.bowline("up").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually(Duration::from_secs(20), || match stack.docker("ps -q --filter {p}").is_empty() {
        true => Err("nothing runs yet"),
        false => Ok(()),
    });
    stack.run("restart -t 2", 0);
    stack.run("down -t 2", 0);
    let attached = Ran::from(attached.wait_with_output().unwrap());
    assert_eq!(attached.code, Some(0), "{}", attached.err);
    assert_eq!(stack.remains(), "");
}

/// `bowline …` in a directory, without `-p`.
fn bowline(directory: &Path, arguments: &str, code: i32) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command.args(arguments.split_whitespace()).current_dir(directory).stdin(Stdio::null());
    command.env_remove("COMPOSE_FILE").env_remove("COMPOSE_PROJECT_NAME");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(code), "{directory:?}: {arguments}\n{}\n{}", ran.out, ran.err);
    ran
}

#[test]
fn a_project_by_its_name_needs_no_directory() {
    let yaml = "services: {web: {image: busybox, command: sleep 1000, init: true}}";
    let Some(stack) = Stack::new("nowhere", yaml) else { return };
    stack.run("up -d", 0);
    let from_nowhere = |arguments: &str| {
        let gone = stack.directory.join("gone");
        std::fs::create_dir(&gone).unwrap();
        let script = "rmdir \"$PWD\"; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_bowline")]).args(arguments.split_whitespace());
        command.env_remove("COMPOSE_FILE").env_remove("COMPOSE_PROJECT_NAME");
        Ran::from(command.current_dir(&gone).stdin(Stdio::null()).output().unwrap())
    };
    let listed = from_nowhere(&format!("-p {} ps -q", stack.name));
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 1), "{}", listed.err);
    let nameless = from_nowhere("ps");
    assert!(
        nameless.code != Some(0) && nameless.err.contains("change to a directory that is there"),
        "{}",
        nameless.err
    );
    let down = from_nowhere(&format!("-p {} down -t 2", stack.name));
    assert_eq!((down.code, stack.remains()), (Some(0), String::new()), "{}", down.err);
}

#[test]
fn another_directory_of_the_same_name_is_told_before_anything_is_changed() {
    let Some(stack) = Stack::new("twins", "services: {}") else { return };
    let directory = |place: &str, command: &str| -> PathBuf {
        let directory = stack.directory.join(place).join(&stack.name);
        std::fs::create_dir_all(&directory).unwrap();
        let yaml = format!("services: {{web: {{image: busybox, command: {command}, init: true}}}}");
        std::fs::write(directory.join("compose.yaml"), yaml).unwrap();
        directory
    };
    let (a, b) = (directory("a", "sleep 1000"), directory("b", "sleep 2000"));
    bowline(&a, "up -d", 0);
    let id = stack.inspect("web", "{{.Id}}");
    for refused in ["up -d", "down", "stop"] {
        let told = bowline(&b, refused, 66);
        for part in ["error[other-directory]", &a.display().to_string(), &b.display().to_string(), "-p"] {
            assert!(told.err.contains(part), "`{part}` is missing\n{}", told.err);
        }
    }
    assert!(bowline(&b, "plan", 2).err.contains("error[other-directory]"));
    assert_eq!(stack.inspect("web", "{{.Id}} {{.State.Running}}"), format!("{id} true"));
    // who says the name says that it is the same stack
    bowline(&b, &format!("-p {} up -d -t 2", stack.name), 0);
    assert_ne!(stack.inspect("web", "{{.Id}}"), id);
    // a directory that is gone has only moved
    std::fs::rename(&b, stack.directory.join("c")).unwrap();
    let told = bowline(&a, "up -d -t 2", 0);
    assert!(told.err.contains("warning[other-directory]"), "{}", told.err);
    bowline(&a, "down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

//! `stop`, `start`, `restart` and `logs`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use crate::stack::{Ran, Stack, eventually};

const STACK: &str = "
services:
  web: {image: busybox, command: sh -c 'echo web up; exec sleep 1000', init: true, depends_on: {db: {condition: service_healthy}}}
  db:
    image: busybox
    command: sh -c 'echo db up; echo db warns >&2; exec sleep 1000'
    init: true
    healthcheck: {test: 'true', interval: 100ms}
";

#[test]
fn what_is_stopped_starts_again_in_order_without_the_file() {
    let Some(stack) = Stack::new("life", STACK) else { return };
    stack.run("up -d", 0);
    let id = stack.inspect("web", "{{.Id}}");
    std::fs::remove_file(stack.directory.join("compose.yaml")).unwrap();

    let stopped = stack.run("stop -t 2", 0);
    let (web, db) = (stopped.err.find("web-1  Stopped").unwrap(), stopped.err.find("db-1  Stopping").unwrap());
    assert!(web < db, "dependents first\n{}", stopped.err);
    assert_eq!(stack.docker("ps -q --filter {p}"), "");
    assert!(stack.run("stop", 0).err.contains("nothing of"));

    let started = stack.run("start", 0);
    let (db, web) = (started.err.find("db-1  Healthy").unwrap(), started.err.find("web-1  Starting").unwrap());
    assert!(db < web, "as the label asks\n{}", started.err);
    let before = stack.inspect("web", "{{.State.StartedAt}}");
    stack.run("restart -t 2 web", 0);
    assert_ne!(stack.inspect("web", "{{.State.StartedAt}}"), before);
    assert_eq!(stack.inspect("web", "{{.Id}}"), id, "the same container all the time");
    let wrong = stack.run("restart wbe", 64);
    assert!(wrong.err.contains("no such service: wbe"), "{}", wrong.err);
}

#[test]
fn a_service_may_take_as_long_as_it_takes_to_stop() {
    const SLOW: &str = "
services:
  slow: {image: busybox, stop_grace_period: 1s, command: [sh, -c, 'trap \"sleep 2; exit 7\" TERM; echo ready; while :; do sleep 0.1; done']}
";
    let Some(stack) = Stack::new("patient", SLOW) else { return };
    let begins = |run: &str, times: usize| {
        stack.run(run, 0);
        eventually(Duration::from_secs(10), || match stack.run("logs", 0).out.lines().count() {
            lines if lines == times => Ok(()),
            lines => Err(lines),
        });
    };
    begins("up -d", 1);
    stack.run("stop", 0);
    assert_eq!(stack.inspect("slow", "{{.State.ExitCode}}"), "137", "its own second is over");
    begins("start", 2);
    stack.run("stop -t -1", 0);
    assert_eq!(stack.inspect("slow", "{{.State.ExitCode}}"), "7", "nobody killed it");
    assert!(stack.run("down -t soon", 64).err.contains("a number of seconds, or -1"), "what a time is");
}

#[test]
fn logs_of_all_services_stand_in_the_order_of_time() {
    let Some(stack) = Stack::new("logs", STACK) else { return };
    stack.run("up -d", 0);
    let all = eventually(Duration::from_secs(10), || {
        let all = stack.run("logs", 0).out;
        if all.lines().count() == 3 { Ok(all) } else { Err(all) }
    });
    let mut lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.pop(), Some("web-1  | web up"), "the one that started last comes last\n{all}");
    lines.sort_unstable();
    assert_eq!(lines, ["db-1   | db up", "db-1   | db warns"]);
    assert_eq!(stack.run("logs --no-log-prefix web", 0).out, "web up\n");
    assert_eq!(stack.run("logs -n 1 --no-log-prefix web", 0).out, "web up\n");
    assert_eq!(stack.run("logs --tail -1 --no-log-prefix web", 0).out, "web up\n");
    assert_eq!(stack.run("logs --since 2100-01-01T00:00:00Z", 0).out, "");
    let stamped = stack.run("logs -t web", 0).out;
    assert!(stamped.starts_with("web-1  | 20") && stamped.ends_with("Z web up\n"), "{stamped}");
    assert_eq!(stack.run("logs nobody", 64).out, "");
}

#[test]
fn followed_logs_go_on_when_a_service_is_started_again() {
    let Some(stack) = Stack::new("follow", STACK) else { return };
    stack.run("up -d", 0);
    let mut child = stack.bowline("logs -f --no-color web").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("web-1  | web up"));
    stack.run("restart -t 2 web", 0);
    let next: Vec<String> = lines.by_ref().take(2).collect();
    assert!(next[0].starts_with("web-1 exited with code"), "{next:?}");
    assert_eq!(next[1], "web-1  | web up", "once, though the log has it twice");
    stack.run("down -t 2", 0);
    assert!(lines.next().unwrap().starts_with("web-1 exited with code"));
    assert_eq!(lines.next(), None, "nothing runs any more, so nothing can come");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stack_is_made_scaled_held_killed_waited_for_and_removed() {
    let yaml = "services:
  web: {image: busybox, command: sleep infinity, stop_signal: SIGKILL}
  job: {image: busybox, command: sh -c 'read wait; exit 3', stdin_open: true}
";
    let Some(stack) = Stack::new("verbs", yaml) else { return };
    assert!(stack.run("start", 1).err.contains("has no container to start"), "as with docker compose");
    stack.run("create", 0);
    assert_eq!(stack.inspect("web", "{{.State.Status}}"), "created");
    stack.run("up -d", 0);
    stack.run("scale web=3", 0);
    assert_eq!(stack.docker("ps -q --filter {p} --filter label=com.docker.compose.service=web").lines().count(), 3);
    stack.run("scale web=1", 0);

    stack.run("pause web", 0);
    assert_eq!(stack.inspect("web", "{{.State.Status}}"), "paused");
    assert!(stack.run("pause web", 0).err.contains("nothing of"));
    let held = stack.run("exec web true", 1).err;
    assert!(held.contains("-web-1 is paused") && held.contains("`bowline unpause web`"), "{held}");
    stack.run("unpause", 0);
    assert_eq!(stack.inspect("web", "{{.State.Status}}"), "running");

    let waiting = stack.bowline("wait job").stdout(Stdio::piped()).spawn().unwrap();
    stack.run("kill -s TERM job", 0);
    stack.run("kill job", 0);
    let ended = waiting.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(said, format!("container \"{}-job-1\" exited with status code 137\n", stack.name));
    assert_eq!(ended.status.code(), Some(137));

    let unanswered = stack.run("rm", 64);
    assert!(unanswered.err.contains(&format!("Going to remove {}-job-1\n", stack.name)), "{}", unanswered.err);
    stack.run("rm -f", 0);
    assert_eq!(stack.docker("ps -aq --filter {p}").lines().count(), 1, "only the one that did not run");
    stack.run("rm -fsv web", 0);
    assert_eq!(stack.docker("ps -aq --filter {p}"), "");
    stack.run("wait web", 64);
    stack.run("down", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_program_runs_in_a_container_with_its_input_output_and_exit_code() {
    let Some(stack) =
        Stack::new("exec", "services: {web: {image: busybox, command: sleep 1000, init: true, scale: 2}}")
    else {
        return;
    };
    stack.run("up -d", 0);
    let ran = stack.run("exec web cat /etc/hostname", 0);
    assert_eq!(ran.out.trim(), stack.inspect("web", "{{.Config.Hostname}}"));
    let second = stack.run("exec --index 2 -e GREETING=hi web env", 0);
    assert!(second.out.contains("GREETING=hi\n"), "{second:?}");
    assert_eq!(stack.run("exec -w /tmp web pwd", 0).out, "/tmp\n");
    let failed = stack.run("exec -T web ls /nothing", 1);
    assert!(failed.out.is_empty() && failed.err.contains("/nothing"), "{failed:?}");

    let mut child = stack.bowline("exec -T web cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let long = "x".repeat(300_000);
    let mut input = child.stdin.take().unwrap();
    let sent = long.clone();
    std::thread::spawn(move || input.write_all(sent.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout.len(), long.len(), "all that goes in comes out, and the end of the input is passed on");

    stack.run("exec -d web touch /tmp/there", 0);
    eventually(Duration::from_secs(5), || {
        let seen = stack.bowline("exec -T web ls /tmp/there").output().unwrap();
        if seen.status.success() { Ok(()) } else { Err(seen) }
    });
    // Engines before 23 say that it cannot be run, later ones that it is not there
    let missing = Ran::from(stack.bowline("exec web no-such-program").output().unwrap());
    assert!(matches!(missing.code, Some(126 | 127)), "{missing:?}");
    assert!(stack.run("exec wbe true", 64).err.contains("no such service"));
    stack.run("stop -t 1 web", 0);
    assert!(stack.run("exec web true", 1).err.contains("no container of web runs"));
}

/// `TAG=1 bowline up` in one shell, `bowline down` in another: what an Engine would refuse to make, and a file of variables that is gone, is in the
/// way of those alone who make it.
#[test]
fn what_an_engine_would_refuse_to_make_can_be_looked_at_stopped_and_taken_away() {
    let text =
        "services: {web: {image: 'busybox:${TAG}', command: sleep 1000, stop_grace_period: 0s, env_file: now.env}}";
    let Some(stack) = Stack::new("unmade", text) else { return };
    let file = stack.directory.join("now.env");
    std::fs::write(&file, "A=1\n").unwrap();
    let up = Ran::from(stack.bowline("-f compose.yaml up -d").env("TAG", "latest").output().unwrap());
    assert_eq!(up.code, Some(0), "{}", up.err);
    std::fs::remove_file(&file).unwrap();
    for (arguments, told) in [
        ("ps -q", ""),
        ("exec web true", ""),
        ("logs", ""),
        ("top", ""),
        ("stop", "Stopped"),
        ("start", "Started"),
        ("restart", "Started"),
        ("pause", "Paused"),
        ("unpause", "Unpaused"),
        ("-v pause", "error[bad-name]: web has the image `busybox:`"),
        ("kill", "Killed"),
    ] {
        let ran = stack.run(&format!("-f compose.yaml {arguments}"), 0);
        assert!(ran.err.contains(told), "{arguments}: {}", ran.err);
        assert!(arguments.starts_with("-v") || !ran.err.contains("error"), "{arguments}: {}", ran.err);
    }
    assert!(stack.run("-f compose.yaml up -d", 65).err.contains("the environment file now.env is not there"));
    std::fs::write(&file, "A=1\n").unwrap();
    for arguments in ["up -d", "create", "plan", "run --rm web"] {
        let ran = stack.run(&format!("-f compose.yaml {arguments}"), 65);
        assert!(ran.err.contains("error[bad-name]: web has the image `busybox:`"), "{arguments}: {}", ran.err);
    }
    std::fs::remove_file(&file).unwrap();
    stack.run("-f compose.yaml down", 0);
    assert_eq!(stack.remains(), "");
}

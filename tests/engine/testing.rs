//! `bowline test`, and the library that it is written on.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use bowline::stack::{Owner, StackError};

use crate::stack::{Ran, Stack, block_on, engine, eventually};

const STACK: &str = "
services:
  web:
    image: busybox
    command: sh -c 'echo from web > /index.html; echo ready; exec httpd -f -p 80 -h /'
    init: true
    container_name: $NAME-fixed
    ports: ['127.0.0.1:18961:80']
    stop_grace_period: 0s
    healthcheck: {test: 'true', interval: 30s}
    volumes: ['data:/data']
  client: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s, depends_on: {web: {condition: service_healthy}}}
networks: {default: {name: $NAME-net}}
volumes: {data: {name: $NAME-data}}
";

/// `bowline test` in the stack's directory, under a name of its own.
fn test(stack: &Stack, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command.arg("test").args(arguments).current_dir(&stack.directory).stdin(Stdio::null());
    ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"].iter().for_each(|name| _ = command.env_remove(name));
    command
}

fn ended(mut command: Command) -> Ran {
    Ran::from(command.output().unwrap())
}

/// Everything of the Engine whose project is called after the stack's directory.
fn left(stack: &Stack) -> Vec<String> {
    let prefix = format!("{}-", stack.name);
    block_on(async {
        let engine = engine().await.unwrap();
        let labelled = engine.labelled("bowline.owner.pid").await.unwrap();
        let project =
            |labels: &std::collections::BTreeMap<String, String>| labels.get("com.docker.compose.project").cloned();
        labelled.iter().filter_map(project).filter(|project| project.starts_with(&prefix)).collect()
    })
}

#[test]
fn a_command_is_told_where_and_everything_goes() {
    let Some(stack) = Stack::new("test", STACK) else { return };
    let line = "wget -qO - http://$BOWLINE_WEB_80/ && echo $BOWLINE_PROJECT $BOWLINE_WEB_80_HOST $BOWLINE_WEB_80_ALL && exit 7";
    let ran = ended(test(
        &stack,
        &["--ephemeral-ports", "--report", "junit=j.xml,json=j.json,html=j.html", "--", "sh", "-c", line],
    ));
    assert!(ran.code == Some(7), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "from web");
    let told: Vec<&str> = lines[1].split(' ').collect();
    assert!(
        told[0].starts_with(&format!("{}-", stack.name)) && told[1] == "127.0.0.1" && told[2].starts_with("127.0.0.1:"),
        "{told:?}"
    );
    assert!(ran.err.contains("checks proved"), "{}", ran.err);
    assert_eq!(left(&stack), [""; 0]);
    let read = |file: &str| std::fs::read_to_string(stack.directory.join(file)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("j.json")).unwrap();
    let stages: Vec<&str> =
        json["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!((stages, &json["code"]), (vec!["up", "verify", "command", "down"], &7.into()));
    assert!(read("j.xml").contains("it ended with 7"));
    let page = read("j.html");
    assert!(
        page.contains("failed with 7</h1>") && page.contains("BOWLINE_WEB_80") && page.contains("web reaches client"),
        "{page}"
    );
    let inside = ended(test(
        &stack,
        &[
            "--ephemeral-ports",
            "--no-verify",
            "--in",
            "client",
            "--",
            "wget",
            "-qO",
            "-",
            &format!("http://{}-fixed/", stack.name),
        ],
    ));
    assert!(inside.code == Some(0) && inside.out == "from web\n", "its fixed name is known: {inside:?}");
}

#[test]
fn whatever_fails_nothing_is_left() {
    let Some(stack) = Stack::new("testfails", STACK) else { return };
    for (arguments, code, words) in [
        (vec!["--ephemeral-ports", "--no-verify", "--", "no-such-program"], 127, "cannot run `no-such-program`"),
        (vec!["--ephemeral-ports", "--no-verify", "--timeout", "1", "--", "sleep", "1000"], 124, "the time is over"),
        (vec!["--in", "client"], 64, "`--in` needs a command"),
        (vec!["--report", "pdf=x"], 64, "`junit=FILE`, `json=FILE` or `html=FILE` is meant"),
        (vec!["--subnet-pool", "10.0.0.0"], 64, "is no pool"),
    ] {
        let ran = ended(test(&stack, &arguments));
        assert!(ran.code == Some(code) && ran.err.contains(words), "{arguments:?}: {ran:?}");
    }
    stack.write("services: {bad: {image: busybox, command: sh -c 'echo said; exit 3', healthcheck: {test: 'true', interval: 1s}}}");
    let ran = ended(test(&stack, &["--artifacts", "kept", "--", "true"]));
    assert!(ran.code == Some(70), "{ran:?}");
    let kept = |end: &str| {
        let files = std::fs::read_dir(stack.directory.join("kept")).unwrap().map(|entry| entry.unwrap().path());
        let found = files.into_iter().find(|path| path.to_string_lossy().ends_with(end));
        std::fs::read_to_string(found.unwrap()).unwrap()
    };
    assert!(kept("bad-1.log").contains("said") && kept("bad-1.inspect.json").contains("\"ExitCode\": 3"));
    assert!(kept("plan.txt").contains("start bad.1"));
    assert_eq!(left(&stack), [""; 0]);
    let kept = ended(test(&stack, &["--keep-on-failure", "--time-to-live", "90m", "--", "true"]));
    let name = kept.err.split("`bowline -p ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(!left(&stack).is_empty(), "{kept:?}");
    let down =
        Command::new(env!("CARGO_BIN_EXE_bowline")).args(["-p", &name, "down", "-v", "-t", "0"]).output().unwrap();
    assert!(down.status.success() && left(&stack).is_empty());
}

/// A run whose command has begun, with its reader.
fn begun(stack: &Stack) -> (std::process::Child, BufReader<std::process::ChildStdout>) {
    let command = ["--ephemeral-ports", "--no-verify", "--", "sh", "-c", "echo begun; exec sleep 1000"];
    let mut child = test(stack, &command).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    (child, reader)
}

fn send(child: &std::process::Child, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}

#[test]
fn a_signal_takes_everything_away() {
    let Some(stack) = Stack::new("testsignal", STACK) else { return };
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let (mut child, _reader) = begun(&stack);
        assert!(!left(&stack).is_empty());
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal:?}");
        assert_eq!(left(&stack), [""; 0], "{signal:?}");
    }
}

#[test]
fn what_a_killed_run_leaves_is_reaped() {
    let Some(stack) = Stack::new("testkill", STACK) else { return };
    let (mut child, _reader) = begun(&stack);
    let (mut alive, _other) = begun(&stack);
    let before = left(&stack).len();
    send(&child, rustix::process::Signal::KILL);
    child.wait().unwrap();
    // another test's sweep may come first
    let reaped = Command::new(env!("CARGO_BIN_EXE_bowline")).arg("reap").output().unwrap();
    assert!(reaped.status.success(), "{reaped:?}");
    eventually(Duration::from_secs(60), || match left(&stack).len() {
        count if count * 2 == before => Ok(()),
        count => Err((count, before)),
    });
    send(&alive, rustix::process::Signal::TERM);
    assert_eq!(alive.wait().unwrap().code(), Some(130), "the one that lives was left alone");
    assert_eq!(left(&stack), [""; 0]);
}

/// `BOWLINE_ROUNDS=20` does it twenty times.
#[test]
fn ten_at_once_do_not_clash() {
    let fixed = STACK.replace("{name: $NAME-net}", "{name: $NAME-net, ipam: {config: [{subnet: 10.214.0.0/24}]}}");
    let Some(stack) = Stack::new("testmany", &fixed) else { return };
    let line = "wget -qO - http://$BOWLINE_WEB_80/";
    let arguments = ["--ephemeral-ports", "--no-verify", "--subnet-pool", "10.214.128.0/20", "--", "sh", "-c", line];
    let start = |_| test(&stack, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let rounds = std::env::var("BOWLINE_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for round in 1..=rounds {
        let children: Vec<_> = (0..10).map(start).collect();
        for child in children {
            let ran = Ran::from(child.wait_with_output().unwrap());
            assert!(ran.code == Some(0) && ran.out == "from web\n", "round {round} of {rounds}: {ran:?}");
        }
        assert_eq!(left(&stack), [""; 0], "round {round} of {rounds}");
    }
}

/// A slice of `scripts/kills 200`: signals, a `kill -9` and cut connections at random moments.
#[test]
fn runs_that_are_ended_at_any_moment_leave_nothing() {
    let Some(_) = Stack::new("testkills", "services: {}") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/kills");
    let mut kills = Command::new(script);
    kills.arg("6").env("SPAN", "2500").env("BOWLINE", env!("CARGO_BIN_EXE_bowline"));
    let ran = ended(kills);
    assert!(ran.code == Some(0) && ran.out.contains("0 of 6 left something"), "{ran:?}");
}

/// Rules name the host's ports as the file does; with `--ephemeral-ports` they mean those that the Engine chose.
#[test]
fn rules_follow_ports_that_were_given_up() {
    let rules = "
x-verify:
  allow:
    - 'host -> web:18961'
    - 'host -> http://127.0.0.1:18961/ = 200 ~ web'
  deny: ['outside -> web:18961']
";
    let Some(stack) = Stack::new("testports", &(STACK.to_owned() + rules)) else { return };
    // somebody else has the port
    let _taken = std::net::TcpListener::bind("127.0.0.1:18961");
    let ran = ended(test(&stack, &["--ephemeral-ports", "--report", "json=j.json", "--", "true"]));
    assert!(ran.code == Some(0), "{ran:?}");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(stack.directory.join("j.json")).unwrap()).unwrap();
    let verdict = |id: &str| {
        let checks = report["verification"]["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id} in {report}"));
        (found["verdict"].clone(), found["evidence"].to_string())
    };
    let (page, evidence) = verdict("reach/host->http://127.0.0.1:18961/");
    assert!(page == "proved" && !evidence.contains("18961"), "{page} {evidence}");
    assert_eq!(verdict("published/web:127.0.0.1:80/tcp").0, "proved");
    // the file's own port is taken, and the stack without the flag does not come up
    assert_eq!(ended(test(&stack, &["--", "true"])).code, Some(66), "the port is held");
}

#[test]
fn the_library_brings_up_and_takes_away() {
    let Some(stack) = Stack::new("testlib", STACK) else { return };
    let file = stack.directory.join("compose.yaml");
    block_on(async {
        let running = bowline::Stack::load(&file).unwrap().ephemeral_ports().up().await.unwrap();
        let web = running.address("web", 80).await.unwrap();
        assert!(std::net::TcpStream::connect(web.to_string()).is_ok(), "{web}");
        let told = running.exec("client", &["wget", "-qO", "-", "http://web/"]).await.unwrap();
        assert_eq!((told.code, told.output.as_slice()), (0, b"from web\n".as_slice()));
        assert!(running.logs("web").await.unwrap().contains("ready"));
        assert!(
            matches!(running.address("web", 81).await, Err(StackError::Unknown(why)) if why.contains("published are: web"))
        );
        let report = running.verify().await.unwrap();
        assert_eq!(report.outcome, Some(bowline::report::verification::Outcome::Proved), "{}", report.json());
        running.down().await.unwrap();
        // dropped, also where nobody says so
        drop(bowline::Stack::load(&file).unwrap().ephemeral_ports().up().await.unwrap());
    });
    assert_eq!(left(&stack), [""; 0]);
    assert!(!Owner::this().sees_left(&Owner::this().labels(Duration::ZERO, false)), "it lives");
    std::fs::write(&file, "services: {a: {imag: x}}").unwrap();
    assert!(
        matches!(bowline::Stack::load(&file), Err(StackError::File(text)) if text.contains("did you mean `image`?"))
    );
}

/// Under a name that others may use too, `test` keeps them away while it works, and lets its own command in.
#[test]
fn a_given_name_is_locked() {
    let slow = "services: {web: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s, \
                healthcheck: {test: 'test -e /well', interval: 100ms, retries: 1000}}}";
    let Some(stack) = Stack::new("testlock", slow) else { return };
    let bowline = env!("CARGO_BIN_EXE_bowline");
    let inner = format!("{bowline} --no-wait -p {} restart -t 0 web && echo let in", stack.name);
    let mut command = stack.bowline("test --no-verify -- sh -c");
    let running = command.arg(&inner).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let name = format!("{}-web-1", stack.name);
    eventually(Duration::from_secs(30), || match stack.docker("ps --filter {p} --format {{.Names}}") {
        names if names == name => Ok(()),
        other => Err(other),
    });
    let busy = stack.run("--no-wait down", 75);
    assert!(busy.err.contains("`bowline test`"), "{}", busy.err);
    stack.docker(&format!("exec {name} touch /well"));
    let ran = Ran::from(running.wait_with_output().unwrap());
    assert!(ran.code == Some(0) && ran.out == "let in\n", "{ran:?}");
    assert_eq!(stack.remains(), "");
}

//! `cp`, `export`, `commit`, `events`, `stats`, `attach`, and what is refused by name: beside docker compose where it can be had.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::compose::{has_compose, ran};
use crate::stack::{Ran, Stack, eventually};

/// A line in a shell in the stack's directory, where `bowline` and `compose` are meant with the project's name.
fn shell(stack: &Stack, line: &str) -> Ran {
    let bowline = format!("{} -p {}", env!("CARGO_BIN_EXE_bowline"), stack.name);
    let line = line
        .replace("bowline ", &format!("{bowline} "))
        .replace("compose ", &format!("docker compose -p {} ", stack.name));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(&stack.directory).stdin(Stdio::null());
    ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"].iter().for_each(|name| _ = command.env_remove(name));
    Ran::from(command.output().unwrap())
}

/// The line's output, after a good end.
fn out(stack: &Stack, line: &str) -> String {
    let ran = shell(stack, line);
    assert_eq!(ran.code, Some(0), "{line}\n{}\n{}", ran.out, ran.err);
    ran.out
}

const TWO: &str = "
services:
  web: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s, scale: 2}
  off: {image: busybox, command: 'true'}
";

/// What a copy leaves in a fresh directory or container, by either tool.
#[test]
fn copies_are_those_of_docker_compose() {
    let Some(stack) = Stack::new("cp", TWO) else { return };
    if !has_compose() {
        return;
    }
    ran(stack.compose("up -d"));
    out(
        &stack,
        "mkdir -p d/sub && echo a >d/a && echo b >d/sub/b && ln -s a d/link && chmod 750 d/sub && ln -s d to-d",
    );
    let look =
        "find . | sort; cat $(find . -type f | sort); readlink $(find . -type l); stat -c %a $(find . -type d | sort)";
    // into containers: each tool in a directory of its own
    for (at, copy) in [
        "d web:/new",
        "d web:/there",
        "d/. web:/there",
        "d/a web:/there/renamed",
        "d/a web:/there/",
        "d/link web:/there",
        "-L d/link web:/there/followed",
        "-L to-d web:/there",
        "to-d/ web:/there",
        "d web:there",
    ]
    .into_iter()
    .enumerate()
    {
        let fresh = |tool: &str| {
            let place = format!("/{tool}{at}");
            out(&stack, &format!("for n in 1 2; do docker exec {0}-web-$n mkdir -p {place}/there; done", stack.name));
            let copy =
                copy.replace("web:/", &format!("web:{place}/")).replace("web:there", &format!("web:{place}/there"));
            out(&stack, &format!("{tool} cp {copy}"));
            [1, 2].map(|n| {
                let name = format!("{}-web-{n}", stack.name);
                let shown =
                    Command::new("docker").args(["exec", "-w", &place, &name, "sh", "-c", look]).output().unwrap();
                String::from_utf8(shown.stdout).unwrap()
            })
        };
        let (ours, theirs) = (fresh("bowline"), fresh("compose"));
        assert!(ours == theirs && ours[0].lines().count() > 3, "{copy}: {ours:?} {theirs:?}");
    }
    // out of one
    for (at, copy) in [
        "web:/new new",
        "web:/new there",
        "web:/new/. there",
        "web:/new/a there/renamed",
        "web:/new/a there/",
        "web:/new/link there",
        "-L web:/new/link there/followed",
        "web:/new/. fresh",
        "--index 2 web:/new/sub/b there",
    ]
    .into_iter()
    .enumerate()
    {
        let fresh = |tool: &str| {
            let place = format!("{tool}{at}.out");
            let copy = copy.replace("web:/new", "web:/bowline0/new");
            out(&stack, &format!("mkdir -p {place}/there; cd {place}; {tool} cp {copy}; {look}"))
        };
        assert_eq!(fresh("bowline"), fresh("compose"), "{copy}");
    }
    let archive = |tool: &str| out(&stack, &format!("{tool} cp web:/bowline0/new - | tar t"));
    assert_eq!(archive("bowline"), archive("compose"));
    out(
        &stack,
        "tar c d | bowline cp --index 1 - web:/tmp && bowline cp --index 1 web:/tmp/d/sub/b b && test $(cat b) = b",
    );
    out(&stack, "bowline cp off:/etc/passwd . && test -s passwd");
    for (copy, code, words) in [
        ("web:/nope .", 1, "web-1 has no /nope"),
        ("nope web:/tmp", 1, "cannot read nope: No such file"),
        ("d/a web:/nope/", 1, "has no directory /nope/"),
        ("d/a web:/nope/x", 1, "has no /nope"),
        ("d web:/etc/passwd", 1, "is a file, and d a directory"),
        ("web:/etc no/such/", 1, "cannot write no/such/: no such directory"),
        ("d d", 64, "neither end is in a service"),
        ("web:/a off:/b", 64, "from one service to another"),
        ("nosuch:/a b", 64, "no such service: nosuch"),
        ("- web:/tmp", 64, "standard input can be read once"),
    ] {
        let told = shell(&stack, &format!("bowline cp {copy}"));
        assert!(told.code == Some(code) && told.err.contains(words), "{copy}: {told:?}");
    }
    assert!(
        !stack.directory.read_dir().unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with(".bowline"))
    );
}

#[test]
fn a_container_becomes_an_archive_and_an_image() {
    let Some(stack) = Stack::new("commit", TWO) else { return };
    stack.run("up -d", 0);
    stack.shell("web", "echo mine >/mine");
    let told = out(
        &stack,
        "bowline export web | tar tf - | grep -x mine; bowline export -o x.tar --index 2 web; tar tf x.tar | grep -cx bin/sh; bowline export off | tar t | grep -x bin/sh",
    );
    assert_eq!(told, "mine\n1\nbin/sh\n");
    let image = format!("{}-image:one", stack.name);
    let made = stack.run(&format!("commit -a me -m why -c ENV=MINE=1 -c CMD=x web {image}"), 1);
    assert!(made.err.contains("not a valid change command"), "{}", made.err);
    let made = shell(&stack, &format!("bowline commit -a me -m why -c 'ENV MINE=1' web {image}"));
    assert!(made.code == Some(0) && made.err.contains("Committed as sha256:"), "{made:?}");
    let found = stack.docker(&format!("image inspect -f {{{{.Author}}}}|{{{{.Comment}}}}|{{{{.Config.Env}}}} {image}"));
    stack.docker(&format!("image rm {image}"));
    assert!(found.starts_with("me|why|[") && found.contains("MINE=1"), "{found}");
    assert!(stack.run("commit off", 1).err.contains("no container runs of off"));
}

#[test]
fn events_and_stats_are_those_of_docker_compose() {
    let Some(stack) = Stack::new("events", TWO) else { return };
    if !has_compose() {
        return;
    }
    ran(stack.compose("up -d"));
    let mut watching = stack.bowline("events --json web").stdout(Stdio::piped()).spawn().unwrap();
    let mut theirs = stack.compose("events --json web").stdout(Stdio::piped()).spawn().unwrap();
    // only what both have seen counts: they begin at some moment of this, and see its end
    eventually(Duration::from_secs(60), || {
        stack.docker(&format!("pause {}-web-1", stack.name));
        stack.docker(&format!("unpause {}-web-1", stack.name));
        let both = [&mut watching, &mut theirs].map(readable);
        if both.iter().all(|&there| there) { Ok(()) } else { Err(both) }
    });
    stack.docker(&format!("kill --signal WINCH {}-web-2", stack.name));
    let read = |child: &mut std::process::Child| -> Vec<serde_json::Value> {
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let objects = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
        let mut seen = vec![];
        for object in objects {
            let last = object["action"] == "kill";
            seen.push(object);
            if last {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        seen.split_off(seen.len() - 1)
    };
    assert_eq!(read(&mut watching), read(&mut theirs));
    let text = stack.run("events --since 10m --until 0s web", 0).out;
    assert!(text.contains(" container kill ") && text.contains("name="), "{text}");
    for form in
        ["--format {{.Name}}|{{.ID}}|{{.PIDs}}", "-a --format {{.Name}}|{{.Container}}", "web --format {{.Name}}"]
    {
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let command = format!("stats --no-stream {form}");
        assert_eq!(sorted(stack.run(&command, 0).out), sorted(ran(stack.compose(&command)).out), "{form}");
    }
    let table = stack.run("stats --no-stream", 0).out;
    assert!(table.starts_with("CONTAINER ID   NAME") && table.contains("MiB /") | table.contains("KiB /"), "{table}");
}

/// Whether a child has written something that was not read yet.
fn readable(child: &mut std::process::Child) -> bool {
    let stdout = child.stdout.as_ref().unwrap();
    let mut fds = [rustix::event::PollFd::new(stdout, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
}

const TALKER: &str = "
services:
  talker: {image: busybox, stdin_open: true, stop_grace_period: 0s, command: [sh, -c, 'while read x; do [ $$x = end ] && exit 7; echo got $$x; done']}
  screen: {image: busybox, tty: true, stdin_open: true, stop_grace_period: 0s, command: sh}
  stays: {image: busybox, stop_grace_period: 0s, command: [sh, -c, 'trap \"echo heard; exit 3\" USR1; echo ready; while :; do sleep 0.1; done']}
";

#[test]
fn attach_joins_input_output_terminal_and_signals() {
    let Some(stack) = Stack::new("attach", TALKER) else { return };
    stack.run("up -d", 0);
    // it ends when its answer has come: Engines drop the last words of a program that ends while it is joined
    let typed = "(echo one; while ! grep -q got heard; do sleep 0.1; done; echo end)";
    let told =
        shell(&stack, &format!("touch heard; {typed} | bowline attach talker >heard; code=$?; cat heard; exit $code"));
    assert!(told.code == Some(7) && told.out == "got one\n", "{told:?}");
    // a terminal: keys go there, its size is ours, and the keys that let go leave it running
    let typed = r#"sleep 1; printf 'stty size; echo do""ne\n'; while ! grep -q done screen; do sleep 0.1; done; printf '\020\021'; sleep 1"#;
    let line = format!(
        "touch screen; ({typed}) | script -qfc 'stty rows 33 cols 99; bowline attach screen' screen; cat screen"
    );
    let told = shell(&stack, &line);
    assert!(told.out.contains("33 99") && told.out.contains("goes on without us"), "{told:?}");
    assert_eq!(stack.inspect("screen", "{{.State.Running}}"), "true");
    let mut attached = stack.bowline("attach stays").stdout(Stdio::piped()).spawn().unwrap();
    eventually(Duration::from_secs(30), || {
        // before it listens, the signal would end it; it has joined when the Engine knows of it
        let status = std::fs::read_to_string(format!("/proc/{}/status", attached.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
        let caught = u64::from_str_radix(caught, 16).unwrap();
        if caught & (1 << 9) > 0 { Ok(()) } else { Err(status) }
    });
    let id = i32::try_from(attached.id()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), rustix::process::Signal::USR1).unwrap();
    let mut text = String::new();
    attached.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), attached.wait().unwrap().code()), ("heard\n", Some(3)));
    assert!(stack.run("attach talker", 1).err.contains("no container runs of talker"));
}

#[test]
fn what_is_left_out_is_refused_by_name() {
    let run =
        |arguments: &[&str]| Ran::from(Command::new(env!("CARGO_BIN_EXE_bowline")).args(arguments).output().unwrap());
    for (word, tells) in [
        ("publish", "`docker compose publish` gives it"),
        ("bridge", "Kubernetes"),
        ("models", "model runner"),
        ("alpha", "`bowline graph`"),
        ("upp", "did you mean `up`?"),
        ("frobnicate", "`bowline --help` lists the commands"),
    ] {
        let told = run(&[word, "--flag", "x"]);
        assert!(told.code == Some(64) && told.err.contains(tells), "{word}: {told:?}");
    }
}

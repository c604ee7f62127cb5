//! The short lists, beside docker compose on a stack that docker compose started.

use std::process::Command;

use crate::compose::{has_compose, ran};
use crate::stack::{Ran, Stack};

const STACK: &str = "
services:
  web: {image: busybox, command: httpd -f -p 80, init: true, ports: ['127.0.0.1::80', '127.0.0.1::90/udp'], volumes: ['data:/data', /scratch], stop_grace_period: 0s}
  db: {image: busybox, command: sleep 1000, init: true, scale: 2, stop_grace_period: 0s}
  job: {image: busybox, command: 'true'}
volumes: {data: {}, idle: {}}
";

/// The stack, started by docker compose; none where there is no Engine or no docker compose.
fn started(topic: &str) -> Option<Stack> {
    let stack = Stack::new(topic, STACK)?;
    if !has_compose() {
        return None;
    }
    ran(stack.compose("up -d"));
    stack.run("wait job", 0);
    Some(stack)
}

/// Lines without the blanks at their ends: docker pads the last column.
fn trimmed(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

#[test]
fn lists_are_those_of_docker_compose() {
    let Some(stack) = started("lists") else { return };
    for form in [
        "port web 80",
        "port --protocol udp web 90",
        "images",
        "images -q",
        "images web db",
        "volumes",
        "volumes -q",
        "volumes --format {{.Name}}:{{.Driver}}",
        "volumes web",
        "volumes db",
        "ls -a -q",
        "ps --format {{.Name}}|{{.State}}|{{.Ports}}",
        "ps -a --format {{upper(.Service)}}",
        "ps --format {{.Names}}/{{.ID}}/{{.Image}}/{{.Networks}}/{{.LocalVolumes}}/{{.Project}}",
        "ps --no-trunc --format {{.ID}}/{{.Command}}",
        "ps --format {{json(.Name)}}{{len(.Publishers)}}",
        r"ps --format {{.Label(`com.docker.compose.service`)}}",
        r#"ps --format {{if(eq(.Service)("web"))}}it{{else}}no{{end}}"#,
    ] {
        // arguments are split at blanks: what stands in brackets has one in front
        let form = form.replace("`", "\"");
        let words: Vec<String> = form.split(' ').map(|word| word.replace('(', " ").replace(')', "")).collect();
        let run = |mut command: std::process::Command| {
            command.args(&words);
            ran(command)
        };
        let (ours, theirs) = (run(stack.bowline("")), run(stack.compose("")));
        let shown = |text: &str| -> Vec<String> {
            // Engines of old do not know when an image was tagged, and docker compose counts from the year 1
            let cut = |line: &str| line.rsplit_once("   ").map_or(line, |(before, _)| before).to_owned();
            let lines = ls(&stack, trimmed(text)).into_iter();
            if form.starts_with("images") { lines.map(cut).collect() } else { lines.map(str::to_owned).collect() }
        };
        assert_eq!(shown(&ours.out), shown(&theirs.out), "{form}");
    }
    for table in [r"table {{.Name}}\t{{.State}}\t{{.Service}}", r"table {{.Service}}\t{{.Project}}"] {
        let with = |mut command: std::process::Command| {
            command.args(["ps", "-a", "--format", table]);
            ran(command).out
        };
        let (ours, theirs) = (with(stack.bowline("")), with(stack.compose("")));
        assert_eq!(trimmed(&ours), trimmed(&theirs), "{table}");
    }
    let processes = |text: &str| -> Vec<Vec<String>> {
        // the load changes from one moment to the next
        let row = |line: &str| {
            line.split_whitespace().enumerate().filter(|(at, _)| *at != 5).map(|(_, w)| w.to_owned()).collect()
        };
        text.lines().map(row).collect()
    };
    assert_eq!(processes(&stack.run("top", 0).out), processes(&ran(stack.compose("top")).out));
    assert_eq!(stack.run("top job", 0).out, "");
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

/// `ls` shows the projects of others as well: only our own line counts.
fn ls<'a>(stack: &Stack, lines: Vec<&'a str>) -> Vec<&'a str> {
    let others = |line: &&str| line.starts_with("bt-") && !line.starts_with(stack.name.as_str());
    lines.into_iter().filter(|line| !others(line)).collect()
}

#[test]
fn objects_are_those_of_docker_compose() {
    let Some(stack) = started("objects") else { return };
    let one = |command: &str, arrays: bool| {
        let read = |text: &str| -> Vec<serde_json::Value> {
            let all: Vec<serde_json::Value> =
                text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
            let mut all = if arrays { all[0].as_array().unwrap().clone() } else { all };
            all.sort_by_key(|object| object["ContainerName"].to_string() + &object["Name"].to_string());
            // labels come in an order that changes from run to run
            for object in &mut all {
                ["Labels", "LastTagTime"].iter().for_each(|key| drop(object.as_object_mut().unwrap().remove(*key)));
            }
            all
        };
        (read(&stack.run(command, 0).out), read(&ran(stack.compose(command)).out))
    };
    let (ours, theirs) = one("images --format json", true);
    assert_eq!(ours, theirs);
    let (ours, theirs) = one("volumes --format json", false);
    assert_eq!(ours, theirs);
    let command = format!("ls -a --format json --filter name={}", stack.name);
    let (ours, theirs) = one(&command, true);
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 1);
    let Ran { out, .. } = stack.run(&format!("ls --filter name={}", stack.name), 0);
    assert_eq!(trimmed(&out), trimmed(&ran(stack.compose(&format!("ls --filter name={}", stack.name))).out));
    stack.run("down -v -t 0", 0);
}

#[test]
fn what_is_not_there_is_told() {
    let Some(stack) = started("nolists") else { return };
    let told = |arguments: &str, code: i32, words: &str| {
        let ran = stack.run(arguments, code);
        assert!(ran.err.contains(words), "{arguments}: {}", ran.err);
    };
    told("port web 99", 1, "web-1 does not publish 99/tcp; it publishes 80/tcp, 90/udp");
    told("port db 80", 1, "it publishes none");
    told("port job 80", 1, "no container runs of job");
    told("port --index 7 db 80", 1, "no container runs of db with the number 7");
    told("port wep 80", 64, "no such service: wep");
    told("top wep", 64, "no such service: wep");
    told("images wep", 64, "no such service: wep");
    told("volumes wep", 64, "no such service: wep");
    told("ps --format {{.Nope}}", 64, "there are Command, CreatedAt");
    told("ps --format {{.Name", 64, "the template cannot be read");
    told("ls --filter status=running", 64, "the one filter is `name=TEXT`");
    stack.run("down -v -t 0", 0);
}

#[test]
fn bowline_alone_tells_how_things_stand() {
    let yaml = "services: {web: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s, ports: ['127.0.0.1::80']}}";
    let Some(stack) = Stack::new("standing", yaml) else { return };
    stack.run("up -d", 0);
    let alone = |arguments: &[&str], code: i32| {
        let mut command = stack.bowline("");
        let ran = Ran::from(command.args(arguments).output().unwrap());
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}\n{}", ran.out, ran.err);
        ran
    };
    let shown = alone(&[], 0).out;
    assert!(shown.starts_with(&format!("{} on Engine ", stack.name)), "{shown}");
    assert!(
        shown.contains("✓  web      running  127.0.0.1:")
            && shown.contains("\nIt is as its file declares.\n\nbowline -p "),
        "{shown}"
    );
    stack.run("stop", 0);
    let stopped = alone(&[], 0).out;
    assert!(stopped.contains("It differs from its file:\n") && stopped.contains(" up -d "), "{stopped}");
    stack.run("down -v -t 0", 0);
    assert!(alone(&[], 0).out.contains("Nothing of it is up."));
    std::fs::remove_file(stack.directory.join("compose.yaml")).unwrap();
    assert!(alone(&[], 0).out.starts_with(&format!("{} on Engine ", stack.name)), "its name is enough");
    let nowhere =
        Ran::from(Command::new(env!("CARGO_BIN_EXE_bowline")).current_dir(&stack.directory).output().unwrap());
    assert!(nowhere.code == Some(65) && nowhere.out.starts_with("There is no stack file in "), "{nowhere:?}");
    stack.write("services: {web: {image: busybox}}");
    let silent = Ran::from(stack.bowline("").env("DOCKER_HOST", "unix:///nowhere.sock").output().unwrap());
    assert!(silent.code == Some(69) && silent.out.ends_with(": web\n"), "{silent:?}");
}

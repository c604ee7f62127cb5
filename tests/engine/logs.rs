//! `logs`: many at once, long lines, replaced containers, and every form beside docker compose.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::compose::{has_compose, ran};
use crate::stack::{Stack, eventually};

/// How many lines each of the twenty writes.
const EACH: usize = 1000;

/// The memory that a process has taken for itself, in KiB: pages of its own code come as they are run, and are no growth.
fn taken(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Twenty services that write 500 lines a second each, 10,000 in sum.
#[test]
fn of_twenty_that_write_at_once_nothing_is_lost() {
    let script = format!(
        "trap exit TERM; while [ ! -e /go ]; do sleep 0.1; done; i=0; while [ $$i -lt {EACH} ]; do echo line $$i of the twenty {}; \
         i=$$((i+1)); [ $$((i % 50)) != 0 ] || sleep 0.1; done",
        "and words as a log has them, many in a line ".repeat(20)
    );
    let mut yaml = "services:\n".to_owned();
    for number in 0..20 {
        yaml += &format!("  s{number}: {{image: busybox, stop_grace_period: 0s, command: [sh, -c, '{script}']}}\n");
    }
    let Some(stack) = Stack::new("flood", &yaml) else { return };
    stack.run("up -d", 0);
    let mut follow = stack.bowline("logs -f -t").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    for name in stack.docker("ps -q --filter {p}").lines() {
        stack.docker(&format!("exec -d {name} touch /go"));
    }
    // a service: the next number, and the time of its last line
    let mut seen: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut early, mut late, started) = (0, 0, Instant::now());
    for (count, line) in lines.enumerate() {
        let line = line.unwrap();
        let (name, rest) = line.split_once('|').unwrap_or((&line, ""));
        let Some((time, text)) = rest.trim_start().split_once(" line ") else {
            assert!(line.contains("exited with code 0"), "{line}");
            continue;
        };
        let number: usize = text.split(' ').next().unwrap().parse().unwrap();
        let (next, last) = seen.entry(name.trim().to_owned()).or_default();
        assert_eq!(number, *next, "{line}");
        assert!(time >= last.as_str(), "{line} after {last}");
        (*next, *last) = (number + 1, time.to_owned());
        match count {
            4000 => early = taken(&follow),
            16000 => late = taken(&follow),
            _ => {}
        }
    }
    assert_eq!(follow.wait().unwrap().code(), Some(0));
    assert!(seen.len() == 20 && seen.values().all(|(next, _)| *next == EACH), "{seen:?}");
    eprintln!("{early} KiB after 4,000 lines, {late} KiB after 16,000");
    assert!(
        late <= early + 8192,
        "11,000 KiB of lines, and memory grew from {early} to {late} KiB in {:?}",
        started.elapsed()
    );
    // and what is read afterwards is the same, all services in one order of time
    let all = stack.run("logs -t --no-log-prefix", 0).out;
    let times: Vec<&str> = all.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert!(times.len() == 20 * EACH && times.is_sorted(), "{} lines", times.len());
}

#[test]
fn following_goes_on_with_what_replaces_a_container() {
    let yaml = "
services:
  web: {image: busybox, stop_grace_period: 0s, command: [sh, -c, 'echo WORD; exec sleep 1000']}
  other: {image: busybox, stop_grace_period: 0s, scale: 2, command: [sh, -c, 'echo hi; exec sleep 1000']}
";
    let Some(stack) = Stack::new("follow", &yaml.replace("WORD", "first")) else { return };
    stack.run("up -d", 0);
    // whether its end was told before or after it ran again: both are true
    let words = |child: &mut Child| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().for_each(|line| drop(sender.send(line.unwrap()))));
        move |expected: &str| {
            let line = receiver.recv_timeout(Duration::from_secs(120)).map(|line| line.replace(" (restarting)", ""));
            assert_eq!(line.as_deref(), Ok(expected));
        }
    };
    let mut follow = stack.bowline("logs -f web").stdout(Stdio::piped()).spawn().unwrap();
    let next = words(&mut follow);
    let mut second = stack.bowline("logs -f --index 2 other").stdout(Stdio::piped()).spawn().unwrap();
    let next_of_second = words(&mut second);
    next("web-1  | first");
    next_of_second("other-2  | hi");
    // replaced, restarted, and replaced where another was
    stack.write(&yaml.replace("WORD", "second"));
    stack.run("up -d", 0);
    next("web-1 exited with code 137");
    next("web-1  | second");
    stack.run("restart web other", 0);
    next("web-1 exited with code 137");
    next("web-1  | second");
    // of two that were started again the one that is followed
    next_of_second("other-2 exited with code 137");
    next_of_second("other-2  | hi");
    stack.run("down", 0);
    next("web-1 exited with code 137");
    for mut child in [follow, second] {
        assert_eq!(child.wait().unwrap().code(), Some(0), "nothing runs any more");
    }
}

/// What docker compose prints, in whatever order it has the services; colours apart.
#[test]
fn every_form_is_that_of_docker_compose() {
    let yaml = "
services:
  web: {image: busybox, scale: 2, stop_grace_period: 0s, command: [sh, -c, 'for i in 1 2 3; do echo out $$i; done']}
  errors: {image: busybox, command: [sh, -c, 'echo to stderr >&2; echo; echo \"  blanks  \"; exit 3']}
  long: {image: busybox, command: [sh, -c, 'head -c 40000 /dev/zero | tr \"\\\\0\" x; echo end; echo after']}
  screen: {image: busybox, tty: true, command: [sh, -c, 'head -c 40000 /dev/zero | tr \"\\\\0\" y; echo end; printf \"one\\\\rtwo\\\\n\"']}
  silent: {image: busybox, command: 'true'}
";
    let Some(stack) = Stack::new("logforms", yaml) else { return };
    if !has_compose() {
        return;
    }
    ran(stack.compose("up -d"));
    eventually(Duration::from_secs(60), || match stack.docker("ps -q --filter {p}") {
        none if none.is_empty() => Ok(()),
        left => Err(left),
    });
    // docker compose widens the column of names as it goes, and leaves a terminal's carriage returns
    let sorted = |text: &str| {
        let told = |line: &str| match line.split_once('|') {
            Some((name, text)) => format!("{}|{}", name.trim(), text.trim_end_matches('\r')),
            None => line.trim_end_matches('\r').to_owned(),
        };
        let mut lines: Vec<String> = text.lines().map(told).collect();
        lines.sort();
        lines
    };
    for form in [
        "logs",
        "logs web",
        "logs --no-log-prefix",
        "logs --no-color errors long",
        "logs --tail 1",
        "logs -n 2 web",
        "logs --tail 0",
        "logs --index 2 web",
        "logs --since 10m web",
        "logs --until 10m web",
        "logs -t web errors",
        "logs screen",
        "logs silent",
    ] {
        let (ours, theirs) = (stack.run(form, 0), ran(stack.compose(form)));
        assert_eq!(sorted(&ours.out), sorted(&theirs.out), "{form}");
    }
    let whole = stack.run("logs -t --no-log-prefix long", 0).out;
    let text = whole.lines().next().unwrap().split_once(' ').unwrap().1;
    assert!(text.len() == 40_003 && text.ends_with("xend"), "{}", text.len());
    // a service that is not there: docker compose says nothing of it, and ends well
    let ended = stack.run("logs nosuch", 64);
    assert!(ended.err.contains("no such service: nosuch"), "{}", ended.err);
}

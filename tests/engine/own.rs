//! An Engine of a test's own (`scripts/own`), that is killed, restarted and starved of its disk while bowline works.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::namespace::possible;
use crate::stack::{Stack, eventually, second_engine, speak_to};
use crate::terminal::Terminal;

/// How long a command may take that has lost its Engine.
const LIMIT: Duration = Duration::from_secs(90);

const SIX: &str = "
services:
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, networks: [back], volumes: ['data:/data', /scratch], healthcheck: {test: 'true', interval: 100ms, retries: 100}}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, networks: [front, back], ports: ['80'], depends_on: {db: {condition: service_healthy}}}
  bot: {image: busybox, command: sleep 1000, stop_grace_period: 0s, scale: 3, networks: [front]}
  watcher: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: 'service:db'}
networks: {front: {}, back: {internal: true}}
volumes: {data: {}}
";
/// How many containers it has.
const CONTAINERS: usize = 6;

/// The Engine; ends, with everything in it, when it is dropped.
pub struct Own {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Own {
    /// Starts one of the age of the tests' Engine, for this test alone; from now on the test speaks to it. None where there is no
    /// root, or no Engine to take the programs from.
    pub fn begin(topic: &str, megabytes: u32) -> Option<Self> {
        drop(Stack::new(topic, "services: {}")?);
        if !possible() {
            return None;
        }
        let directory = std::env::temp_dir().join(format!("bt-own-{topic}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/own");
        let mut command = Command::new(script);
        command.arg(&directory).arg(megabytes.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (orders, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut own = Self { child, orders, answers, directory };
        own.order("start");
        speak_to(Some(own.host()));
        Some(own)
    }

    /// `start`, `stop`, `kill`, `full`, `free`; returns when it is done.
    pub fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "done", "{order}");
    }

    fn host(&self) -> String {
        format!("unix://{}/engine.sock", self.directory.display())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        speak_to(None);
        drop(self.orders.take());
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A command under way, whose words go to a file.
struct Running<'a> {
    child: Child,
    words: PathBuf,
    stack: &'a Stack,
}

impl<'a> Running<'a> {
    fn start(stack: &'a Stack, arguments: &str) -> Self {
        let words = stack.directory.join("words");
        let file = File::create(&words).unwrap();
        let child = stack.bowline(arguments).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Self { child, words, stack }
    }

    fn words(&self) -> String {
        std::fs::read_to_string(&self.words).unwrap()
    }

    /// Waits until it has said so many lines, or has ended.
    fn said(&mut self, lines: usize) {
        eventually(LIMIT, || match self.words().lines().count() >= lines || self.child.try_wait().unwrap().is_some() {
            true => Ok(()),
            false => Err(self.words()),
        });
    }

    /// Waits for its end, which must be a documented one.
    fn ended(mut self) -> (i32, String) {
        let status = eventually(LIMIT, || self.child.try_wait().unwrap().ok_or_else(|| self.words()));
        let (code, words) = (status.code().unwrap_or(-1), self.words());
        assert!([0, 1, 66, 69, 70].contains(&code) && !words.contains("panicked"), "{code}\n{words}");
        assert!(code == 0 || words.contains("error"), "{code} and not a word why\n{words}");
        (code, words)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.stack.directory.join("words"));
    }
}

/// The next `up` converges, and `down` leaves nothing.
fn converges(stack: &Stack, after: &str) {
    let up = crate::stack::Ran::from(stack.bowline("up -d").output().unwrap());
    assert_eq!(up.code, Some(0), "after {after}: {}", up.err);
    let planned = stack.run("plan", 0);
    assert!(planned.out.contains("as declared"), "after {after}: {}\nthe up said {}", planned.out, up.err);
    // by inspection: the list of an Engine 20.10 that could not write a start down tells of it as created
    let ids = stack.docker("ps -aq --filter {p}").replace('\n', " ");
    let running = stack.docker(&format!("inspect -f {{{{.State.Running}}}} {ids}"));
    assert_eq!(running, ["true"; CONTAINERS].join("\n"), "after {after}");
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "", "after {after}");
}

/// After how many lines that a command has said something happens; other places on the second Engine, and with `BOWLINE_FAULTS=all`
/// many.
fn moments() -> Vec<usize> {
    match std::env::var("BOWLINE_FAULTS").as_deref() {
        Ok("all") => (1..=30).collect(),
        _ if second_engine() => vec![4, 11, 17],
        _ => vec![2, 9, 14],
    }
}

#[test]
fn an_engine_that_is_killed_or_restarted_during_up_costs_a_second_up() {
    let Some(mut own) = Own::begin("killed", 256) else { return };
    let stack = Stack::new("killed", SIX).unwrap();
    for (turn, moment) in moments().into_iter().enumerate() {
        let order = if turn % 3 == 2 { "stop" } else { "kill" };
        // an attached one makes stuck containers anew, too
        let command = if turn % 2 == 0 { "up -d" } else { "up" };
        let mut up = Running::start(&stack, command);
        up.said(moment);
        own.order(order);
        let (code, words) = up.ended();
        own.order("start");
        converges(&stack, &format!("{order} at line {moment} of `{command}`, which ended with {code}:\n{words}"));
    }
}

#[test]
fn an_engine_that_is_killed_during_down_costs_a_second_down() {
    let Some(mut own) = Own::begin("killdown", 256) else { return };
    let stack = Stack::new("killdown", SIX).unwrap();
    let moments = moments();
    let few = if moments.len() > 3 { &moments[..] } else { &moments[..2] };
    for moment in few {
        stack.run("up -d", 0);
        let mut down = Running::start(&stack, "down -v");
        down.said(*moment);
        own.order("kill");
        let (code, words) = down.ended();
        own.order("start");
        let again = crate::stack::Ran::from(stack.bowline("down -v").output().unwrap());
        let told = format!("killed at line {moment} ({code}):\n{words}\nthen:\n{}", again.err);
        assert_eq!((again.code, stack.remains().as_str()), (Some(0), ""), "{told}");
    }
}

#[test]
fn a_full_disk_is_told_and_costs_a_second_up() {
    let Some(mut own) = Own::begin("full", 64) else { return };
    let stack = Stack::new("full", SIX).unwrap();
    let full = "no space left on device";
    for moment in [0, 3, 7] {
        let mut up = if moment == 0 {
            own.order("full");
            Running::start(&stack, "up -d")
        } else {
            let mut up = Running::start(&stack, "up -d");
            up.said(moment);
            own.order("full");
            up
        };
        up.said(usize::MAX);
        let (code, words) = up.ended();
        // it may have been through before the disk was full
        assert!(code == 0 && moment > 0 || words.contains(full), "{code}\n{words}");
        own.order("free");
        converges(&stack, &format!("a disk that was full from line {moment} on ({code}):\n{words}"));
    }
    // what is there goes from a full disk
    stack.run("up -d", 0);
    own.order("full");
    let (code, words) = Running::start(&stack, "down -v").ended();
    assert!(code == 0 || words.contains(full), "{code}\n{words}");
    own.order("free");
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

/// `logs -f` and `ui` stay, say that it is away, and go on.
#[test]
fn what_follows_goes_on_through_a_restarted_engine() {
    let yaml = "
services:
  talker:
    image: busybox
    restart: always
    stop_grace_period: 0s
    command: [sh, -c, 'i=0; while :; do echo line $$i; i=$$((i+1)); sleep 0.05; done']
";
    let Some(mut own) = Own::begin("logs", 256) else { return };
    let stack = Stack::new("logs", yaml).unwrap();
    stack.run("up -d", 0);
    let mut logs = Running::start(&stack, "logs -f --no-log-prefix");
    let mut view = Terminal::open(&stack.bowline("ui --no-verify"), 24, 80);
    view.sees(&["talker-1 ", "running", "line 1"]);
    let begun = |logs: &Running<'_>| logs.words().lines().filter(|line| *line == "line 0").count();
    for (turn, order) in ["stop", "kill"].into_iter().enumerate() {
        logs.said(10);
        own.order(order);
        view.sees(&["the Engine is gone"]);
        own.order("start");
        view.becomes(|screen| !screen.contains("the Engine is gone") && screen.contains("running"), "the stack again");
        eventually(LIMIT, || match begun(&logs) {
            count if count == turn + 2 => Ok(()),
            _ => Err(logs.words()),
        });
        assert!(logs.child.try_wait().unwrap().is_none(), "{}", logs.words());
    }
    view.keys("q");
    assert_eq!(view.ended(), 0);
    let interrupted = rustix::process::Pid::from_raw(i32::try_from(logs.child.id()).unwrap()).unwrap();
    rustix::process::kill_process(interrupted, rustix::process::Signal::INT).unwrap();
    let status = eventually(LIMIT, || logs.child.try_wait().unwrap().ok_or(()));
    assert_eq!(status.code(), Some(130));
    // nothing is missing and nothing comes twice where the Engine ended orderly
    let words = logs.words();
    let lines = words.lines().filter_map(|line| line.strip_prefix("line ")?.parse::<usize>().ok());
    let first: Vec<usize> = lines.clone().take(1).chain(lines.skip(1).take_while(|&number| number != 0)).collect();
    assert_eq!(first, (0..first.len()).collect::<Vec<_>>(), "{words}");
    assert!(words.contains("the Engine is away: waiting"), "{words}");
}

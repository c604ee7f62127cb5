//! One call goes wrong, in each way and at each place; afterwards the next `up` converges and `down` leaves nothing.
//!
//! By default a spread of the places is tried. `BOWLINE_FAULTS=all` tries every fault at every call (a quarter of an hour);
//! `BOWLINE_FAULTS=7,CutAfter` one cell of every matrix.

mod proxy;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bowline::engine::Address;

use crate::stack::{Ran, Stack, block_on, engine, second_engine};
use proxy::{Fault, Proxy, WORDS};

/// The stack: networks, a volume with a name and one without, health, a link, a config that is copied in and one that is mounted, a
/// hook, a borrowed namespace, two replicas. `$NET` is the start of its subnets, `$ROOT` what stands of the replicas' root: where the Engine
/// can, it is read-only, and the config comes by way of a volume.
const STACK: &str = "
services:
  db:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    healthcheck: {test: 'true', interval: 100ms}
    volumes: ['data:/data', /scratch]
    networks: [back]
    post_start: [{command: 'true'}]
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    scale: 2
    depends_on: {db: {condition: service_healthy}}
    networks: {front: {aliases: [shop]}, back: {}}
    links: ['db:database']
    configs: [{source: motd, target: /etc/motd}]
    $ROOT
  watcher:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    network_mode: service:db
networks:
  front: {ipam: {config: [{subnet: $NET.0/26}]}, labels: {edition: first}}
  back: {internal: true, ipam: {config: [{subnet: $NET.64/26}]}}
volumes: {data: {}}
configs: {motd: {content: 'the first'}}
";
/// What a stack of it holds when it is up.
const WHOLE: [&str; 7] =
    ["NAME-db-1", "NAME-watcher-1", "NAME-web-1", "NAME-web-2", "NAME_back", "NAME_data", "NAME_front"];
/// And where the root of its replicas is read-only.
const VOLUMES: [&str; 2] = ["NAME_web-1_files", "NAME_web-2_files"];

/// How long one command may take, however the call went wrong, on a machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(180);

/// The file after a change: a network is made anew, a container is replaced for its config, one for its command, one goes.
fn changed(stack: &str) -> String {
    let stack = stack.replace("edition: first", "edition: second").replace("the first", "the second");
    stack.replace("scale: 2", "scale: 1").replace("network_mode: service:db", "network_mode: service:db\n    tty: true")
}

/// A row of a matrix: what is there before, and which command meets the fault.
struct Matrix {
    /// For the names of its stacks.
    topic: &'static str,
    /// The second number of its stacks' addresses.
    subnet: u8,
    /// Whether an undisturbed `up` comes first.
    from_up: bool,
    /// The file that the command sees.
    file: fn(&str) -> String,
    /// The command.
    command: &'static str,
    /// How many cells are tried by default.
    spread: usize,
}

#[test]
fn up_converges_after_any_fault() {
    let file = str::to_owned;
    Matrix { topic: "fup", subnet: 201, from_up: false, file, command: "up -d", spread: 6 }.all();
}

#[test]
fn a_change_converges_after_any_fault() {
    Matrix { topic: "fchange", subnet: 202, from_up: true, file: changed, command: "up -d", spread: 6 }.all();
}

#[test]
fn down_leaves_nothing_after_any_fault() {
    let file = str::to_owned;
    Matrix { topic: "fdown", subnet: 203, from_up: true, file, command: "down -v", spread: 6 }.all();
}

/// The Engine lists a container while it makes it, and says at the same time that there is none.
#[test]
fn what_is_just_being_made_goes_with_the_rest() {
    let Some(engine) = socket() else { return };
    let yaml = "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, scale: 2}}";
    let Some(stack) = Stack::new("funknown", yaml) else { return };
    let down = |at: Option<(usize, Fault)>| {
        stack.run("up -d", 0);
        let proxy = Proxy::new(&stack.directory.join("engine.sock"), &engine, at);
        let mut down = stack.bowline("down");
        down.env("DOCKER_HOST", proxy.host());
        let ran = within_limit(down, &stack.directory.join("bad"), |_| ()).unwrap();
        assert_eq!((ran.code, stack.remains().as_str()), (Some(0), ""), "{at:?}\n{}", ran.err);
        proxy.calls()
    };
    let calls = down(None);
    let is_inspection =
        |call: &str| call.starts_with("GET") && call.contains("/containers/") && call.ends_with("/json");
    let inspections: Vec<usize> = (1..).zip(&calls).filter(|(_, call)| is_inspection(call)).map(|(n, _)| n).collect();
    assert_eq!(inspections.len(), 2, "{calls:?}");
    for call in inspections {
        down(Some((call, Fault::Unknown)));
    }
}

/// A create that is under way when `up` is killed ends after the next `down` has looked.
#[test]
fn down_right_after_a_kill_leaves_nothing() {
    let Some(engine) = socket() else { return };
    let yaml = "
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, networks: [back]}
networks: {back: {}}
";
    let Some(stack) = Stack::new("fsoon", yaml) else { return };
    let proxy = Proxy::new(&stack.directory.join("engine.sock"), &engine, None);
    let run = |arguments: &str, at: Option<(usize, Fault)>| {
        proxy.strike(at);
        let mut command = stack.bowline(arguments);
        command.env("DOCKER_HOST", proxy.host());
        within_limit(command, &stack.directory.join("bad"), |process| proxy.victim(process)).unwrap()
    };
    run("up -d", None);
    let calls = proxy.calls();
    run("down", None);
    for (call, number) in calls.iter().zip(1..).filter(|(call, _)| call.starts_with("POST")) {
        assert_eq!(run("up -d", Some((number, Fault::Killed))).code, None, "{call}");
        let down = run("down", None);
        assert_eq!((down.code, stack.remains().as_str()), (Some(0), ""), "{call}\n{}", down.err);
        assert!(down.err.contains("ended in the middle of its work"), "{call}\n{}", down.err);
    }
}

#[test]
fn commands_that_only_read_say_what_failed() {
    let Some(engine) = socket() else { return };
    let yaml = "
services:
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, volumes: ['data:/data']}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db]}
volumes: {data: {}}
";
    let Some(stack) = Stack::new("fread", yaml) else { return };
    stack.run("up -d", 0);
    let through = |command: &str, at: Option<(usize, Fault)>| {
        let proxy = Proxy::new(&stack.directory.join("engine.sock"), &engine, at);
        let mut asked = stack.bowline(command);
        asked.env("DOCKER_HOST", proxy.host());
        (within_limit(asked, &stack.directory.join("bad"), |_| ()).unwrap(), proxy.calls(), proxy.struck())
    };
    for command in ["ps", "ps --format json", "plan", "logs", "verify", "verify --probe sidecar"] {
        let (undisturbed, calls, _) = through(command, None);
        assert_eq!(undisturbed.code, Some(0), "{command}\n{}{}", undisturbed.out, undisturbed.err);
        // the calls of `verify` are many and alike: by default each of some meets one fault
        let all = !command.starts_with("verify") || std::env::var("BOWLINE_FAULTS").is_ok_and(|which| which == "all");
        let step = if all { 1 } else { calls.len().div_ceil(4) };
        for call in (1..=calls.len()).skip(turned(step)).step_by(step) {
            let faults = [Fault::Refused, Fault::CutBefore, Fault::CutAfter];
            let turn = call / step % 3;
            for fault in if all { &faults[..] } else { &faults[turn..=turn] }.iter().copied() {
                let (ran, calls, struck) = through(command, Some((call, fault)));
                let whole = || format!("{command}, {fault:?} at call {call}: {struck:?}\n{}{}", ran.out, ran.err);
                assert!(!ran.err.contains("panicked"), "{}", whole());
                if ran.code == Some(0) {
                    // a read that a closed connection swallowed is asked once more; an answer that nobody needed is not missed
                    // and how often `verify` asks again depends on how busy the machine is
                    assert!(calls.len() >= call || command.starts_with("verify"), "{}", whole());
                    if command == "plan" || command.starts_with("ps") {
                        assert_eq!(ran.out.lines().count(), undisturbed.out.lines().count(), "{}", whole());
                    }
                } else {
                    assert!(told(&ran, Some(fault)).is_ok() || ran.code == Some(73), "{}", whole());
                }
            }
        }
    }
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

/// The socket of the Engine; none where there is no Engine, or none behind a socket.
fn socket() -> Option<PathBuf> {
    match block_on(engine())?.address() {
        Address::Unix(path) => Some(path.clone()),
        other => {
            eprintln!("SKIPPED, the faults need an Engine behind a socket, and this one is at {other}");
            None
        }
    }
}

/// Whether the Engine mounts a part of a volume.
fn mounts_parts() -> bool {
    block_on(engine()).is_some_and(|engine| engine.facts().api >= (1, 45))
}

/// A child's end within the limit; a child that hangs is killed, and that is the error.
fn within_limit(mut command: Command, log: &std::path::Path, born: impl FnOnce(u32)) -> Result<Ran, String> {
    let said = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
    let (out, err) = (log.with_extension("out"), log.with_extension("err"));
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    born(child.id());
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Ok(Ran { code: status.code(), out: said(&out), err: said(&err) });
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("hangs, {LIMIT:?} are over:\n{}{}", said(&out), said(&err)));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Where the second Engine begins of places that lie `stride` apart: each tries others, so that both together try more.
fn turned(stride: usize) -> usize {
    if second_engine() { stride / 2 } else { 0 }
}

/// A line for whoever watches, at once: past the test harness, which keeps what a test prints until its end.
fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Matrix {
    /// Runs an undisturbed pass to count the calls, then the cells, four at a time; a line for each that fails, at the end all that was found.
    fn all(&self) {
        let Some(engine) = socket() else { return };
        let found = Mutex::new(Vec::new());
        let calls = match self.cell(&engine, 0, None) {
            Ok(calls) => calls,
            Err(why) => panic!("undisturbed: {why}"),
        };
        let cells = self.cells(calls.len());
        report(&format!("{}: {} calls, {} cells", self.topic, calls.len(), cells.len()));
        let (next, struck) = (Mutex::new(cells.iter().enumerate()), Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let Some((place, &at)) = next.lock().unwrap().next() else { return };
                        if place > 0 && place % 50 == 0 {
                            report(&format!("{}: {place} of {} cells", self.topic, cells.len()));
                        }
                        match self.cell(&engine, place + 1, Some(at)) {
                            Ok(calls) => *struck.lock().unwrap() += usize::from(calls.len() >= at.0),
                            Err(why) => {
                                report(&format!("{}: {:?} at call {}: FAILED", self.topic, at.1, at.0));
                                found.lock().unwrap().push(format!("{:?} at call {}: {why}", at.1, at.0));
                            }
                        }
                    }
                });
            }
        });
        let (found, struck) = (found.into_inner().unwrap(), struck.into_inner().unwrap());
        assert!(found.is_empty(), "{} of {} cells:\n\n{}", found.len(), cells.len(), found.join("\n\n"));
        // how many calls a run makes varies by one or two: of a few cells one may come to nothing
        assert!((struck + 1) * 10 >= cells.len() * 9, "only {struck} of {} faults met a call", cells.len());
    }

    /// Which cells are tried.
    fn cells(&self, calls: usize) -> Vec<(usize, Fault)> {
        let all: Vec<_> = (1..=calls).flat_map(|call| Fault::ALL.map(|fault| (call, fault))).collect();
        match std::env::var("BOWLINE_FAULTS") {
            Ok(which) if which == "all" => all,
            Ok(which) => {
                let named = |(call, fault): &(usize, Fault)| which == format!("{call},{fault:?}");
                all.into_iter().filter(named).collect()
            }
            // no multiple of five, so that the faults take turns; and each Engine has others
            Err(_) => {
                let stride = (all.len() / self.spread).max(1);
                let stride = if stride.is_multiple_of(5) { stride + 1 } else { stride };
                all.into_iter().skip(turned(stride)).step_by(stride).collect()
            }
        }
    }

    /// One cell: the command on the bad road, then `up`, `plan` and `down` on a good one. Returns the calls that were counted.
    fn cell(&self, engine: &std::path::Path, place: usize, at: Option<(usize, Fault)>) -> Result<Vec<String>, String> {
        let subnet = format!("10.{}.{}", self.subnet, place % 256);
        let root = if mounts_parts() { "read_only: true" } else { "read_only: false" };
        let first = STACK.replace("$NET", &subnet).replace("$ROOT", root);
        let stack = Stack::new(self.topic, &first).ok_or("no Engine")?;
        // the same address throughout: it is one Engine, whose lock tells of a killed predecessor
        let proxy = Proxy::new(&stack.directory.join("engine.sock"), engine, None);
        let good = |arguments: &str, code: i32| {
            let mut command = stack.bowline(arguments);
            command.env("DOCKER_HOST", proxy.host());
            let ran = within_limit(command, &stack.directory.join("good"), |_| ());
            let ran = ran.map_err(|why| format!("then {arguments}: {why}"))?;
            match ran.code == Some(code) && !ran.err.contains("panicked") {
                true => Ok(ran),
                false => Err(format!("then {arguments} ends with {:?}:\n{}{}", ran.code, ran.out, ran.err)),
            }
        };
        if self.from_up {
            good("up -d", 0)?;
        }
        let file = (self.file)(&first);
        stack.write(&file);

        proxy.strike(at);
        let mut command = stack.bowline(self.command);
        command.env("DOCKER_HOST", proxy.host());
        let bad = within_limit(command, &stack.directory.join("bad"), |process| proxy.victim(process))?;
        let (struck, calls) = (proxy.struck(), proxy.calls());
        proxy.strike(None);
        let mut story = format!("{}\n", struck.as_deref().unwrap_or("(no such call)"));
        story += &format!("{} ended with {:?}:\n{}{}\n", self.command, bad.code, bad.out, bad.err);
        let all = (|| {
            told(&bad, at.map(|(_, fault)| fault).filter(|_| struck.is_some()))?;
            let done = bad.code == Some(0);
            if done && self.command.starts_with("down") && !stack.remains().is_empty() {
                return Err(format!("said that all is done, and left\n{}", stack.remains()));
            }
            if done && self.command.starts_with("up") {
                good("plan", 0).map_err(|why| format!("said that all is done; {why}"))?;
            }
            if self.command.starts_with("up") {
                good("up -d", 0)?;
                let planned = good("plan", 0)?;
                if !planned.out.contains("as declared") {
                    return Err(format!("then plan says:\n{}", planned.out));
                }
                holds(&stack, file != first)?;
            }
            good("down -v", 0)?;
            match stack.remains() {
                left if left.is_empty() => Ok(()),
                left => Err(format!("left behind by down:\n{left}")),
            }
        })();
        all.map(|()| calls).map_err(|why| format!("{story}{why}"))
    }
}

/// Whether the stack is whole, and holds nothing else: no second container, no name for the time being.
fn holds(stack: &Stack, changed: bool) -> Result<(), String> {
    // what a volume with configs is called ends with the digest of these
    let plain = |name: String| name.split_once("_files-").map_or(name.clone(), |(start, _)| format!("{start}_files"));
    let names: BTreeSet<String> = stack.names().into_iter().map(plain).collect();
    let volumes = if mounts_parts() { &VOLUMES[..] } else { &[] };
    let whole = WHOLE.iter().chain(volumes).filter(|name| !(changed && name.contains("web-2")));
    let expected: BTreeSet<String> = whole.map(|name| name.replace("NAME", &stack.name)).collect();
    if names == expected { Ok(()) } else { Err(format!("holds {names:?}, and not {expected:?}")) }
}

/// Whether a command that met a fault ended as documented, and said what failed.
fn told(ran: &Ran, fault: Option<Fault>) -> Result<(), String> {
    if ran.err.contains("panicked") {
        return Err("it panicked".to_owned());
    }
    let words: &[&str] = match fault {
        Some(Fault::Killed) if ran.code.is_none() => return Ok(()),
        Some(Fault::Refused) => &[WORDS],
        Some(Fault::CutBefore | Fault::CutAfter) => {
            &["connection to the Engine broke", "no Engine answers", "stream from the Engine broke"]
        }
        _ => &[],
    };
    match ran.code {
        Some(0) => Ok(()),
        // a killed process whose last call was not waited for may have been through
        Some(1 | 69 | 70 | 72)
            if ["error: ", "error["].iter().any(|error| ran.err.contains(error))
                && words.iter().any(|words| ran.err.contains(words)) =>
        {
            Ok(())
        }
        code => Err(format!("{code:?} is no documented end of this, or it is not said why")),
    }
}

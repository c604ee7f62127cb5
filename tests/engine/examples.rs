//! The lessons of examples/: each comes up as its file stands there, every check of it is proved, and the list of checks is part
//! of the lesson. Then something is broken on purpose, and exactly the checks that this touches are refuted, with the cause.
//!
//! Subnets and ports are those of the files, all different, so that the lessons run beside each other; a lock keeps a second
//! run on this machine away. Links and rules are made with `ip` and `iptables`, which an Engine's host has.

mod changed;
mod ipv6;
mod made;
mod networks;
mod saboteurs;
mod simple;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use bowline::engine::{Engine, Facts, Scope};
use bowline::state::observed::{ContainerState, ObservedContainer};
use bowline::state::settings::EndpointSettings;

use crate::lab::Shell;
use crate::stack::{Ran, Stack, block_on, engine};

/// A verdict with everything that was said about it.
type Verdicts = BTreeMap<String, (String, String)>;

/// An example under test. Dropped, the stack is removed.
pub struct Example {
    stack: Stack,
    text: String,
    environment: Vec<(&'static str, String)>,
    /// Where `verify` runs, if not on this machine.
    shell: Option<Shell>,
    /// Whether everything else runs there, too.
    acts_there: bool,
    _alone: File,
}

impl Example {
    /// The example of that name; none where there is no Engine.
    pub fn open(name: &str) -> Option<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("compose.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        Self::of(name, &text)
    }

    /// A stack of the test's own.
    pub fn of(name: &str, text: &str) -> Option<Self> {
        let alone = File::create(std::env::temp_dir().join(format!("bowline-example-{name}.lock"))).unwrap();
        alone.lock().unwrap();
        let stack = Stack::new(name, text)?;
        Some(Self { stack, text: text.to_owned(), environment: vec![], shell: None, acts_there: false, _alone: alone })
    }

    /// A variable for the file.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// From here on `verify` runs on that host, beside the Engine, and goes directly into the namespaces: in the lab a sidecar takes seconds.
    pub fn look_from(&mut self, shell: Shell) {
        self.shell = Some(shell);
    }

    /// From here on everything runs on that host.
    pub fn act_from(&mut self, shell: Shell) {
        (self.shell, self.acts_there) = (Some(shell), true);
    }

    /// From here on everything runs on this machine again.
    pub fn act_from_outside(&mut self) {
        (self.shell, self.acts_there) = (None, false);
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.stack.name
    }

    /// The directory of its file.
    pub fn directory(&self) -> &Path {
        &self.stack.directory
    }

    /// Starts bowline on this machine; what it tells is piped.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs bowline and expects this exit code.
    pub fn run(&self, arguments: &str, code: i32) -> Ran {
        let ran = match self.shell.filter(|_| self.acts_there) {
            Some(shell) => shell.bowline(&self.stack, &self.environment, arguments),
            None => Ran::from(self.command(arguments).output().unwrap()),
        };
        assert_eq!(ran.code, Some(code), "bowline {arguments}\n{}\n{}", ran.out, ran.err);
        ran
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.stack.bowline(arguments);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Makes the stack from the file with `old` in it replaced by `new`, and puts the file back: a stack that was changed since.
    pub fn remade(&self, old: &str, new: &str) {
        assert!(self.text.contains(old), "{old} is in the file");
        self.stack.write(&self.text.replace(old, new));
        self.run("up -d", 0);
        self.stack.write(&self.text);
    }

    /// Replaces the file.
    pub fn write(&self, text: &str) {
        self.stack.write(text);
    }

    /// `verify`, every check by its id with its verdict and what was said; expects this exit code.
    fn verdicts(&self, code: i32) -> Verdicts {
        let look = "verify --format json";
        let ran = match self.shell {
            Some(shell) => shell.bowline(&self.stack, &self.environment, look),
            None => Ran::from(self.command(look).output().unwrap()),
        };
        assert_eq!(ran.code, Some(code), "{look}\n{}\n{}", ran.out, ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_valid(&report);
        let word = |check: &serde_json::Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        let said = |check: &serde_json::Value| {
            let evidence = check["evidence"].as_array().into_iter().flatten();
            let evidence = evidence.map(|line| line.as_str().unwrap_or_default().to_owned());
            [word(check, "found"), word(check, "why")].into_iter().chain(evidence).collect::<Vec<_>>().join("\n")
        };
        let checks = report["checks"].as_array().unwrap();
        checks.iter().map(|c| (word(c, "id"), (word(c, "verdict"), said(c)))).collect()
    }

    /// Brings the example up and sees exactly these checks, all proved.
    pub fn proves(&self, ids: &[&str]) {
        self.run("up -d", 0);
        let verdicts = self.verdicts(0);
        assert!(verdicts.values().all(|(verdict, _)| verdict == "proved"), "{verdicts:#?}");
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        assert_eq!(verdicts.keys().map(String::as_str).collect::<Vec<_>>(), ids);
    }

    /// Sees exactly these checks refuted, each with the cause in what was said, and those not proved; all others still hold.
    pub fn refutes(&self, refuted: &[(&str, &str)], open: &[(&str, &str)]) {
        let verdicts = self.verdicts(71);
        let bad: Verdicts = verdicts.into_iter().filter(|(_, (verdict, _))| verdict != "proved").collect();
        let expected = |list: &[(&str, &str)], word: &str| -> Vec<(String, String)> {
            list.iter().map(|(id, _)| ((*id).to_owned(), word.to_owned())).collect()
        };
        let mut ids = [expected(refuted, "refuted"), expected(open, "unproved")].concat();
        ids.sort();
        let found: Vec<_> = bad.iter().map(|(id, (verdict, _))| (id.clone(), verdict.clone())).collect();
        assert_eq!(found, ids, "{bad:#?}");
        for (id, cause) in refuted.iter().chain(open) {
            assert!(bad[*id].1.contains(cause), "{id} does not say {cause:?}: {}", bad[*id].1);
        }
    }

    /// What is refuted, by its id, with what was said.
    pub fn refuted(&self) -> BTreeMap<String, String> {
        let verdicts = self.verdicts(71).into_iter();
        verdicts.filter(|(_, (verdict, _))| verdict == "refuted").map(|(id, (_, said))| (id, said)).collect()
    }

    /// Takes it down and sees that nothing is left.
    pub fn leaves_nothing(&self) {
        self.run("down -v", 0);
        assert_eq!(self.stack.remains(), "");
    }

    /// What the Engine has of it.
    pub fn remains(&self) -> String {
        self.stack.remains()
    }

    /// Speaks to the Engine.
    pub fn on_engine<T>(&self, work: impl AsyncFnOnce(&Engine) -> T) -> T {
        block_on(async { work(&engine().await.unwrap()).await })
    }

    /// The Engine's major version.
    pub fn major(&self) -> u32 {
        self.on_engine(async |engine| engine.facts().major())
    }

    /// A container, as the Engine shows it.
    pub fn container(&self, service: &str) -> ObservedContainer {
        let project = self.stack.project();
        let scope = Scope { project: &project, images: vec![], names: vec![], facts: Facts::Brief };
        let observed = self.on_engine(async |engine| engine.observe(&scope).await.unwrap());
        observed.containers.into_iter().find(|c| c.replica.service == service).unwrap()
    }

    /// A network's name in the Engine.
    pub fn network(&self, key: &str) -> String {
        if key == "bridge" { key.to_owned() } else { format!("{}_{key}", self.stack.name) }
    }

    /// What `docker` prints for these arguments.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let ran = Ran::from(Command::new("docker").args(arguments).output().unwrap());
        assert_eq!(ran.code, Some(0), "docker {arguments:?}\n{}", ran.err);
        ran.out
    }

    /// The lines of a container's /etc/hosts, fields parted by one blank.
    pub fn hosts(&self, service: &str) -> Vec<String> {
        let text = self.docker(&["exec", self.container(service).id.as_str(), "cat", "/etc/hosts"]);
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Its IPv4 address on a network.
    pub fn address(&self, service: &str, network: &str) -> Ipv4Addr {
        match self.container(service).endpoints[&self.network(network)].ipv4.unwrap().addr() {
            IpAddr::V4(address) => address,
            other => panic!("{other}"),
        }
    }

    /// The verdict of every check.
    pub fn verdict_of_all(&self, code: i32) -> BTreeMap<String, String> {
        self.verdicts(code).into_iter().map(|(id, (verdict, _))| (id, verdict)).collect()
    }

    /// What `verify` says of one check, proved or not.
    pub fn said(&self, id: &str, code: i32) -> String {
        self.verdicts(code).remove(id).unwrap().1
    }

    /// Puts a container on a network, with no alias, address or MAC of its own.
    pub fn connect(&self, network: &str, service: &str) {
        let (network, id) = (self.network(network), self.container(service).id);
        let plain = EndpointSettings::default();
        self.on_engine(async |e| e.connect_container(&network, id.as_str(), &plain).await.unwrap());
    }

    /// Takes a container off a network.
    pub fn disconnect(&self, network: &str, service: &str) {
        let (network, id) = (self.network(network), self.container(service).id);
        self.on_engine(async |e| e.disconnect_container(&network, id.as_str()).await.unwrap());
    }

    /// Runs a command of the host inside a container's network namespace.
    pub fn inside(&self, service: &str, command: &str) {
        let container = self.container(service);
        let ContainerState::Running { pid, .. } = container.state else { panic!("{:?}", container.state) };
        let namespace = File::open(format!("/proc/{pid}/ns/net")).unwrap();
        let entered = std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let kind = Some(rustix::thread::LinkNameSpaceType::Network);
                rustix::thread::move_into_link_name_space(namespace.as_fd(), kind).unwrap();
                host(command);
            });
            inside.join()
        });
        assert!(entered.is_ok(), "{command} inside {service}");
    }
}

/// Holds what `verify` printed against schemas/report.json.
fn assert_valid(report: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Runs a command on the Engine's host, in the network namespace of this test.
pub fn host(command: &str) {
    let mut words = command.split_whitespace();
    let ran = Ran::from(Command::new(words.next().unwrap()).args(words).output().unwrap());
    assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
}

/// A container of the test's own beside the stack; gone when dropped.
pub struct Stranger(String);

impl Stranger {
    /// `docker run -d` with these arguments, and busybox that sleeps.
    pub fn new(topic: &str, arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bt-{topic}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let stranger = Self(name);
        let fixed = ["run", "-d", "--stop-signal", "KILL", "--name", &stranger.0];
        let ran = Command::new("docker").args(fixed).args(arguments).args(["busybox", "sleep", "600"]).output();
        let ran = Ran::from(ran.unwrap());
        assert_eq!(ran.code, Some(0), "docker run {arguments:?}: {}", ran.err);
        stranger
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-f", "-v", &self.0]).output();
    }
}

/// A pair of links of the test's own; gone when dropped.
pub struct Wire(pub String);

impl Wire {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bwm{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        host(&format!("ip link add {name} type veth peer name {name}p"));
        host(&format!("ip link set {name} up"));
        host(&format!("ip link set {name}p up"));
        Self(name)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &self.0]).output();
    }
}

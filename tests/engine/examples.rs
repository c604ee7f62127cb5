//! The lessons of examples/: each comes up as its file stands there, every check of it is proved, and the list of checks is part
//! of the lesson. Then something is broken on purpose, and exactly the checks that this touches are refuted, with the cause.
//!
//! Subnets and ports are those of the files, all different, so that the lessons run beside each other; a lock keeps a second
//! run on this machine away. Links and rules are made with `ip` and `iptables`, which an Engine's host has.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use bowline::engine::{Engine, Facts, Scope};
use bowline::state::observed::{ContainerState, ObservedContainer};
use bowline::state::settings::EndpointSettings;

use crate::namespace::possible;
use crate::stack::{Ran, Stack, block_on, engine};

/// A verdict with everything that was said about it.
type Verdicts = BTreeMap<String, (String, String)>;

/// An example under test. Dropped, the stack is removed.
pub struct Example {
    stack: Stack,
    text: String,
    environment: Vec<(&'static str, String)>,
    _alone: File,
}

impl Example {
    /// The example of that name; none where there is no Engine.
    pub fn open(name: &str) -> Option<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("compose.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        let alone = File::create(std::env::temp_dir().join(format!("bowline-example-{name}.lock"))).unwrap();
        alone.lock().unwrap();
        let stack = Stack::new(name, &text)?;
        Some(Self { stack, text, environment: vec![], _alone: alone })
    }

    /// A variable for the file.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Runs bowline and expects this exit code.
    pub fn run(&self, arguments: &str, code: i32) -> Ran {
        let mut command = self.stack.bowline(arguments);
        let ran = Ran::from(command.envs(self.environment.iter().cloned()).output().unwrap());
        assert_eq!(ran.code, Some(code), "bowline {arguments}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// Makes the stack from the file with `old` in it replaced by `new`, and puts the file back: a stack that was changed since.
    pub fn remade(&self, old: &str, new: &str) {
        assert!(self.text.contains(old), "{old} is in the file");
        self.stack.write(&self.text.replace(old, new));
        self.run("up -d", 0);
        self.stack.write(&self.text);
    }

    /// `verify`, every check by its id with its verdict and what was said; expects this exit code.
    fn verdicts(&self, code: i32) -> Verdicts {
        let ran = self.run("verify --format json", code);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
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

    /// Takes it down and sees that nothing is left.
    pub fn leaves_nothing(&self) {
        self.run("down -v", 0);
        assert_eq!(self.stack.remains(), "");
    }

    /// Speaks to the Engine.
    pub fn on_engine<T>(&self, work: impl AsyncFnOnce(&Engine) -> T) -> T {
        block_on(async { work(&engine().await.unwrap()).await })
    }

    /// A container, as the Engine shows it.
    pub fn container(&self, service: &str) -> ObservedContainer {
        let project = self.stack.project();
        let scope = Scope { project: &project, images: vec![], facts: Facts::Brief };
        let observed = self.on_engine(async |engine| engine.observe(&scope).await.unwrap());
        observed.containers.into_iter().find(|c| c.replica.service == service).unwrap()
    }

    /// A network's name in the Engine.
    pub fn network(&self, key: &str) -> String {
        format!("{}_{key}", self.stack.name)
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

/// Runs a command on the Engine's host, in the network namespace of this test.
fn host(command: &str) {
    let mut words = command.split_whitespace();
    let ran = Ran::from(Command::new(words.next().unwrap()).args(words).output().unwrap());
    assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
}

#[test]
fn user_bridge() {
    let Some(example) = Example::open("user-bridge") else { return };
    example.proves(&[
        "running/blue",
        "address/blue@app",
        "mac/blue@app",
        "bridge/blue@app",
        "route/blue",
        "name/blue:www",
        "name/blue:green",
        "name/blue:canary",
        "name/blue:client",
        "reach/blue->green",
        "reach/blue->client",
        "reach/host->blue",
        "running/green",
        "address/green@app",
        "mac/green@app",
        "bridge/green@app",
        "route/green",
        "name/green:blue",
        "name/green:www",
        "name/green:stable",
        "name/green:client",
        "reach/green->blue",
        "reach/green->client",
        "reach/host->green",
        "running/client",
        "address/client@app",
        "mac/client@app",
        "bridge/client@app",
        "route/client",
        "name/client:blue",
        "name/client:www",
        "name/client:stable",
        "name/client:green",
        "name/client:canary",
        "reach/client->blue",
        "reach/client->green",
        "reach/host->client",
        "reach/client->http://stable/",
        "reach/client->http://canary/",
    ]);
    // somebody took green off the network and put it back by hand: what the file gave it is gone
    example.disconnect("app", "green");
    example.connect("app", "green");
    example.refutes(
        &[
            ("address/green@app", "the Engine tells 10.30.5.129/24"),
            ("name/blue:www", "some of its containers are missing"),
            ("name/blue:green", "asked 127.0.0.11"),
            ("name/blue:canary", "asked 127.0.0.11"),
            ("name/green:www", "some of its containers are missing"),
            ("name/client:www", "some of its containers are missing"),
            ("name/client:green", "asked 127.0.0.11"),
            ("name/client:canary", "asked 127.0.0.11"),
            ("reach/client->http://canary/", "does not resolve"),
        ],
        &[],
    );
    // `up` sees the difference, field by field, and mends it
    example.run("up -d", 0);
    example.run("verify", 0);
    example.leaves_nothing();
}

/// A pair of links of the test's own; gone when dropped.
struct Wire(String);

impl Wire {
    fn new() -> Self {
        let name = format!("bwm{}", std::process::id());
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

#[test]
fn macvlan() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let parent = wire.0.as_str();
    let Some(example) = Example::open("macvlan").map(|e| e.with("PARENT", parent)) else { return };
    example.proves(&[
        "running/left",
        "address/left@lan",
        "mac/left@lan",
        "parent/left@lan",
        "route/left",
        "name/left:right",
        "reach/left->right",
        "isolated/left->host",
        "isolated/host->left",
        "reach/left->right/arp",
        "running/right",
        "address/right@lan",
        "mac/right@lan",
        "parent/right@lan",
        "route/right",
        "name/right:left",
        "reach/right->left",
        "isolated/right->host",
        "isolated/host->right",
        "reach/right->left/arp",
        "reach/right->http://left/",
    ]);
    // the parent goes down: the children keep their addresses, and carry nothing
    host(&format!("ip link set {parent} down"));
    example.refutes(
        &[
            ("parent/left@lan", "is down"),
            ("parent/right@lan", "is down"),
            ("reach/left->right", "nobody answers ARP"),
            ("reach/right->left", "nobody answers ARP"),
            ("reach/left->right/arp", "silence"),
            ("reach/right->left/arp", "silence"),
            ("reach/right->http://left/", "10.30.6.10:80, by dns"),
        ],
        // who reaches nobody proves nothing by not reaching the host
        &[
            ("isolated/left->host", "left reaches nobody on its own wires"),
            ("isolated/right->host", "right reaches nobody on its own wires"),
        ],
    );
    host(&format!("ip link set {parent} up"));
    // a child of the host's own on the same parent: now the host is a neighbour
    host(&format!("ip link add {parent}h link {parent} type macvlan mode bridge"));
    host(&format!("ip addr add 10.30.6.250/24 dev {parent}h"));
    host(&format!("ip link set {parent}h up"));
    example.refutes(
        &[
            ("isolated/left->host", "the host has a child of"),
            ("isolated/host->left", "the host has a child of"),
            ("isolated/right->host", "the host has a child of"),
            ("isolated/host->right", "the host has a child of"),
        ],
        &[],
    );
    host(&format!("ip link del {parent}h"));
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn host_and_none() {
    let Some(example) = Example::open("host-and-none") else { return };
    example.proves(&[
        "running/on-host",
        "namespace/on-host=host",
        "reach/on-host->http://127.0.0.1:18070/",
        "running/alone",
        "only-lo/alone",
        "no-name/alone:on-host",
        "running/beside",
        "namespace/beside=alone",
        "reach/host->http://127.0.0.1:18070/",
    ]);
    // somebody else takes the port: the host's ports are everybody's
    let on_host = example.container("on-host").id;
    example.on_engine(async |e| e.kill_container(on_host.as_str(), "SIGKILL").await.unwrap());
    let taken =
        crate::stack::eventually(std::time::Duration::from_secs(10), || std::net::TcpListener::bind("127.0.0.1:18070"));
    example.on_engine(async |e| e.start_container(on_host.as_str()).await.unwrap());
    crate::stack::eventually(std::time::Duration::from_secs(10), || match example.container("on-host").state {
        ContainerState::Exited { .. } => Ok(()),
        other => Err(other),
    });
    example.refutes(
        &[("running/on-host", "ended with 1"), ("reach/host->http://127.0.0.1:18070/", "")],
        &[("namespace/on-host=host", "ended with 1"), ("reach/on-host->http://127.0.0.1:18070/", "ended with 1")],
    );
    drop(taken);
    example.run("up -d", 0);
    if possible() {
        // a link inside: `none` is not what it says any more
        example.inside("alone", "ip link add back type veth peer name door");
        example.inside("alone", "ip link set door up");
        example.refutes(&[("only-lo/alone", "door is up")], &[]);
        example.inside("alone", "ip link del door");
    }
    // made from a file that gives it a bridge
    example.remade("network_mode: host", "network_mode: bridge");
    example.refutes(
        &[
            ("namespace/on-host=host", "on-host is in"),
            ("reach/on-host->http://127.0.0.1:18070/", "nothing listens on 18070/tcp"),
            ("reach/host->http://127.0.0.1:18070/", "the host: nothing listens on 18070/tcp"),
        ],
        &[],
    );
    example.leaves_nothing();
}

#[test]
fn host_gateway() {
    let Some(example) = Example::open("host-gateway") else { return };
    example.proves(&[
        "running/server",
        "namespace/server=host",
        "running/client",
        "address/client@app",
        "mac/client@app",
        "bridge/client@app",
        "route/client",
        "extra-host/client:host.docker.internal=host-gateway",
        "name/client:unaware",
        "reach/client->unaware",
        "reach/host->client",
        "reach/client->http://host.docker.internal:18080/",
        "running/unaware",
        "address/unaware@app",
        "mac/unaware@app",
        "bridge/unaware@app",
        "route/unaware",
        "name/unaware:client",
        "reach/unaware->client",
        "reach/host->unaware",
        "reach/unaware->10.30.8.1:18080/tcp",
        "no-name/unaware:host.docker.internal",
    ]);
    // the commonest mistake: a server that listens on loopback only
    example.remade("-p 18080", "-p 127.0.0.1:18080");
    example.refutes(
        &[
            ("reach/client->http://host.docker.internal:18080/", "the host: listens on 127.0.0.1:18080 only"),
            ("reach/unaware->10.30.8.1:18080/tcp", "the host: listens on 127.0.0.1:18080 only"),
        ],
        &[],
    );
    example.remade("extra_hosts: [\"host.docker.internal:host-gateway\"]", "");
    example.refutes(
        &[
            ("extra-host/client:host.docker.internal=host-gateway", "no line with host.docker.internal"),
            ("reach/client->http://host.docker.internal:18080/", "does not resolve"),
        ],
        &[],
    );
    example.leaves_nothing();
}

#[test]
fn isolation() {
    let Some(example) = Example::open("isolation") else { return };
    example.proves(&[
        "running/web",
        "address/web@front",
        "mac/web@front",
        "bridge/web@front",
        "address/web@back",
        "mac/web@back",
        "bridge/web@back",
        "route/web",
        "name/web:db",
        "name/web:bot",
        "no-name/web:stranger",
        "published/web:127.0.0.1:18090->80/tcp",
        "unpublished/web:127.0.0.1:18090->80/tcp",
        "reach/web->db",
        "reach/web->bot",
        "isolated/web->stranger",
        "reach/host->web",
        "reach/web->db:5432/tcp",
        "running/db",
        "address/db@back",
        "mac/db@back",
        "bridge/db@back",
        "route/db",
        "name/db:web",
        "no-name/db:bot",
        "no-name/db:stranger",
        "reach/db->web",
        "isolated/db->bot",
        "isolated/db->stranger",
        "reach/host->db",
        "reach/db->host",
        "running/bot",
        "address/bot@front",
        "mac/bot@front",
        "bridge/bot@front",
        "route/bot",
        "name/bot:web",
        "no-name/bot:db",
        "no-name/bot:stranger",
        "reach/bot->web",
        "isolated/bot->db",
        "isolated/bot->stranger",
        "reach/host->bot",
        "reach/bot->http://web/",
        "isolated/bot->db:5432/tcp",
        "isolated/bot->db/arp",
        "running/stranger",
        "address/stranger@other",
        "mac/stranger@other",
        "bridge/stranger@other",
        "route/stranger",
        "no-name/stranger:web",
        "no-name/stranger:db",
        "no-name/stranger:bot",
        "isolated/stranger->web",
        "isolated/stranger->db",
        "isolated/stranger->bot",
        "reach/host->stranger",
    ]);
    // a foot in the door
    example.connect("back", "bot");
    example.refutes(
        &[
            ("isolated/db->bot", "bot is on back, where the file does not put it"),
            ("isolated/bot->db", "bot is on back, where the file does not put it"),
            ("isolated/bot->db:5432/tcp", "bot is on back, where the file does not put it"),
            ("isolated/bot->db/arp", "bot is on back, where the file does not put it"),
            ("no-name/bot:db", "db is 10.30.9.66"),
        ],
        &[],
    );
    example.disconnect("back", "bot");
    if possible() {
        // a firewall inside db: nobody reaches it, and so nobody's silence proves anything
        example.inside("db", "iptables -A INPUT -p tcp --dport 5432 -j DROP");
        example.refutes(
            &[("reach/web->db:5432/tcp", "a firewall drops 5432/tcp")],
            &[("isolated/bot->db:5432/tcp", "the silence proves nothing")],
        );
        example.inside("db", "iptables -F INPUT");
    }
    example.run("verify", 0);
    example.leaves_nothing();
}

//! Verdicts by facts given as data, the traps among them.

mod container;
mod hosts;
mod isolation;
mod life;
mod links;
mod meddling;
mod names;
mod ports;
mod reach;

use std::net::IpAddr;

use super::*;
use crate::compose::model::{Port, Project};
use crate::name::{ContainerId, NetworkId, Protocol, Replica};
use crate::probe::{
    Address, Answer, Asked, Attempt, Heard, HostsLine, Link, Listening, Lookup, NameOutcome, Namespace, Neighbour,
    Outcome, Process, Question, Resolver, Route, Socket, Sysctl, Transport,
};
use crate::state::desired::{Desired, DesiredOptions, desired};
use crate::state::observed::{
    BoundPort, ContainerState, Health, Observed, ObservedContainer, ObservedEndpoint, OtherContainer,
};
use crate::verify::check::{AddressPool, Basis, Container, Meaning, NameSource, Owner, Path, Side, Spot, Verdict};
use crate::verify::fixture::project;
use crate::verify::scene::Vantage;
use crate::verify::topology::Topology;

/// A world that answers every question: by a rule given, else as a network does that works.
struct World {
    project: Project,
    topology: Topology,
    desired: Desired,
    observed: Observed,
    facts: Facts,
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn replica(name: &str) -> Replica {
    Replica::new(name.parse().unwrap(), 1)
}

fn at(name: &str) -> Vantage {
    match name {
        "host" => Vantage::Host,
        "outside" => Vantage::Outside,
        name => Vantage::Replica(replica(name)),
    }
}

fn running(pid: u32) -> ContainerState {
    ContainerState::Running { pid, health: None, started_at: "2026-11-21T18:00:00.123Z".to_owned() }
}

fn attempt(outcome: Outcome) -> Answer {
    let greeting = None;
    let (errno, from, by, icmp, message) = (None, None, None, None, None);
    Answer::Attempt(Attempt { outcome, errno, micros: 200, tries: 1, from, by, icmp, greeting, message })
}

fn failed(errno: i32) -> Answer {
    match attempt(Outcome::Failed) {
        Answer::Attempt(a) => Answer::Attempt(Attempt { errno: Some(errno), ..a }),
        other => other,
    }
}

fn greeted(label: &str) -> Answer {
    match attempt(Outcome::Answered) {
        Answer::Attempt(a) => Answer::Attempt(Attempt { greeting: Some(label.to_owned()), ..a }),
        other => other,
    }
}

fn socket(address: &str, port: u16) -> Socket {
    Socket { transport: Transport::Tcp, address: ip(address), port, inode: 1, uid: 0, owner: None }
}

fn line(text: &str) -> HostsLine {
    let mut words = text.split(' ');
    let address = words.next().and_then(|a| a.parse().ok());
    HostsLine { text: text.to_owned(), address, names: words.map(str::to_owned).collect() }
}

fn looked_up(name: &str, outcome: NameOutcome, addresses: &[&str]) -> Answer {
    let asked = Asked {
        server: ip("127.0.0.11"),
        transport: Transport::Udp,
        outcome,
        code: None,
        addresses: addresses.iter().map(|a| ip(a)).collect(),
        aliases: vec![],
        errno: None,
        micros: 100,
    };
    Answer::Lookup(Lookup {
        name: name.to_owned(),
        family: crate::probe::Family::V4,
        hosts: vec![],
        asked: vec![asked],
    })
}

impl World {
    /// Services with an address on a network, all running: `[("web", "p_front", "10.0.0.2/24")]`.
    fn new(text: &str, ends: &[(&str, &str, &str)]) -> Self {
        let project = project(text);
        let topology = Topology::of(&project);
        let mut observed = Observed::default();
        observed.engine.version = "28.5.2".to_owned();
        for (index, name) in project.services.keys().enumerate() {
            let id = ContainerId::from_engine(format!("{:064x}", index + 1));
            let state = running(100 + index as u32);
            let mut container = ObservedContainer::named(id, format!("p-{name}-1"), replica(name.as_str()), state);
            for (_, wire, net) in ends.iter().filter(|(who, _, _)| name == who) {
                let ipv4 = Some(net.parse().unwrap());
                let network = Some(NetworkId::from_engine("0123456789abcdef"));
                let gateway = Some(ip("10.0.0.1"));
                let mac = Some("02:00:00:00:00:02".parse().unwrap());
                let end = ObservedEndpoint { ipv4, network, gateway, mac, ..ObservedEndpoint::default() };
                container.endpoints.insert((*wire).to_owned(), end);
            }
            observed.containers.push(container);
        }
        let desired = desired(&project, &DesiredOptions::default());
        Self { project, topology, desired, observed, facts: Facts::default() }
    }

    fn container(&mut self, name: &str) -> &mut ObservedContainer {
        self.observed.containers.iter_mut().find(|c| c.replica.service == name).unwrap()
    }

    /// The verdict, with `answers` for what differs from a working network.
    fn judge(&self, expectation: Expectation, answers: &dyn Fn(&Vantage, &Question) -> Option<Answer>) -> Verdict {
        let (id, says, basis) = (String::new(), String::new(), Basis::Attribute(String::new()));
        let check = Check { id, service: None, says, basis, span: None, expectation };
        let mut facts = self.facts.clone();
        let (project, topology, desired) = (&self.project, &self.topology, &self.desired);
        let scene = Scene { project, topology, desired, observed: &self.observed };
        for _ in 0..8 {
            match judge(&check, scene, &facts) {
                Judgement::Settled(verdict) => return verdict,
                Judgement::Open(questions) => {
                    assert!(!questions.is_empty(), "an open check asks something");
                    for (vantage, question) in questions {
                        let answer = answers(&vantage, &question).unwrap_or_else(|| self.usual(&vantage, &question));
                        assert!(facts.answers.insert((vantage, question), answer).is_none(), "nothing is asked twice");
                    }
                }
            }
        }
        panic!("the judge asks on and on");
    }

    /// What a working network answers.
    fn usual(&self, vantage: &Vantage, question: &Question) -> Answer {
        match question {
            Question::Namespace {} => {
                let inode = if *vantage == Vantage::Host { 1 } else { 2 + vantage.to_string().len() as u64 };
                Answer::Namespace(Namespace { inode, hostname: None })
            }
            Question::Links {} if *vantage == Vantage::Host => {
                let veth = link(7, "veth7", "veth", Some(2), Some(3));
                Answer::Links(vec![
                    link(1, "lo", "", None, None),
                    link(3, "br-0123456789ab", "bridge", None, None),
                    veth,
                ])
            }
            Question::Links {} => {
                Answer::Links(vec![link(1, "lo", "", None, None), link(2, "eth0", "veth", Some(7), None)])
            }
            Question::Addresses {} => Answer::Addresses(self.addresses(vantage)),
            Question::Routes {} if *vantage == Vantage::Outside => Answer::Routes(vec![route("198.51.100.1")]),
            Question::Routes {} => Answer::Routes(vec![route("10.0.0.1")]),
            Question::Neighbours {} => Answer::Neighbours(vec![]),
            Question::Confines {} => {
                Answer::Failure(crate::probe::Failure { errno: None, message: "no sidecar sees it".to_owned() })
            }
            Question::Hosts {} => Answer::Hosts(vec![line("127.0.0.1 localhost")]),
            Question::Resolver {} => Answer::Resolver(Resolver::default()),
            Question::Sockets { .. } => Answer::Sockets(vec![socket("0.0.0.0", 80)]),
            Question::Processes { .. } => Answer::Processes(vec![]),
            Question::Sysctl { name } => Answer::Sysctl(Sysctl { name: name.clone(), value: Some("1".to_owned()) }),
            Question::Overhear { port, .. } => {
                Answer::Listening(Listening { port: *port, addresses: vec![], ipv6: false })
            }
            Question::Listen { .. } => Answer::Listening(Listening { port: 4000, addresses: vec![], ipv6: false }),
            Question::Connect { greeting: true, to, .. } | Question::Datagram { payload: None, to, .. } => {
                greeted(&self.label(vantage, to.ip()))
            }
            Question::Connect { .. } | Question::Datagram { .. } | Question::Echo { .. } => attempt(Outcome::Answered),
            Question::Lookup { name, .. } => {
                let known = self.observed.containers.iter().find(|c| c.replica.service == *name.as_str());
                let addresses: Vec<String> = known
                    .iter()
                    .flat_map(|c| c.endpoints.values())
                    .filter_map(|e| e.ipv4)
                    .map(|a| a.addr().to_string())
                    .collect();
                let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                let outcome = if addresses.is_empty() { NameOutcome::NoSuchName } else { NameOutcome::Found };
                looked_up(name, outcome, &addresses)
            }
            // asked by whoever has the address itself: nobody else does
            Question::Solicit { target, device, sender: Some(_), .. } => {
                heard(*target, device.as_deref().unwrap_or("eth0"), &[])
            }
            Question::Solicit { target, device, .. } => {
                heard(*target, device.as_deref().unwrap_or("eth0"), &["02:00:00:00:00:02"])
            }
            other => panic!("no usual answer to {other}"),
        }
    }

    fn addresses(&self, vantage: &Vantage) -> Vec<Address> {
        let address = |index, device: &str, net: ipnet::IpNet| Address {
            index,
            device: device.to_owned(),
            address: net.addr(),
            prefix: net.prefix_len(),
            scope: "global".to_owned(),
            tentative: false,
            duplicate: false,
        };
        match vantage {
            Vantage::Replica(replica) => {
                let container = self.observed.containers.iter().find(|c| c.replica == *replica).unwrap();
                container.endpoints.values().filter_map(|e| e.ipv4).map(|net| address(2, "eth0", net)).collect()
            }
            _ => vec![address(3, "br-0123456789ab", "10.0.0.1/24".parse().unwrap())],
        }
    }

    /// The listener's label at an address: its holder's, or the asker's own on lo.
    fn label(&self, vantage: &Vantage, address: IpAddr) -> String {
        if address.is_loopback() {
            return vantage.to_string();
        }
        let has = |c: &&ObservedContainer| c.endpoints.values().any(|e| e.ipv4.is_some_and(|a| a.addr() == address));
        self.observed.containers.iter().find(has).map_or("?".to_owned(), |c| c.replica.to_string())
    }
}

fn heard(target: IpAddr, device: &str, macs: &[&str]) -> Answer {
    let macs = macs.iter().map(|m| (*m).to_owned()).collect();
    Answer::Heard(Heard { target, device: device.to_owned(), macs, tries: 1, micros: 10 })
}

fn link(index: u32, name: &str, kind: &str, parent: Option<u32>, master: Option<u32>) -> Link {
    Link {
        index,
        name: name.to_owned(),
        kind: (!kind.is_empty()).then(|| kind.to_owned()),
        parent,
        parent_namespace: parent.map(|_| 0),
        master,
        mac: (name != "lo").then(|| "02:00:00:00:00:02".to_owned()),
        up: true,
        loopback: name == "lo",
        ..Link::default()
    }
}

fn route(gateway: &str) -> Route {
    Route {
        destination: ip("0.0.0.0"),
        prefix: 0,
        gateway: Some(ip(gateway)),
        device: Some("eth0".to_owned()),
        source: None,
        metric: None,
        table: 254,
        kind: "unicast".to_owned(),
    }
}

fn none(_: &Vantage, _: &Question) -> Option<Answer> {
    None
}

#[track_caller]
fn proved(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proved(lines) => lines.join("\n"),
        other => panic!("not proved: {other:?}"),
    }
}

/// `found` and all evidence of a refutation, in one text.
#[track_caller]
fn refuted(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Refuted { found, evidence, .. } => format!("{found}\n{}", evidence.join("\n")),
        other => panic!("not refuted: {other:?}"),
    }
}

#[track_caller]
fn open(verdict: &Verdict) -> &Why {
    match verdict {
        Verdict::Unproved(why) => why,
        other => panic!("not left open: {other:?}"),
    }
}

const PAIR: &str = "services: {a: {networks: [x]}, b: {networks: [y]}}\nnetworks: {x: , y: }";
const ENDS: &[(&str, &str, &str)] = &[("a", "p_x", "10.0.0.2/24"), ("b", "p_y", "10.0.1.2/24")];
const SHARED: &str = "services: {a: {networks: [x]}, b: {networks: [x]}}\nnetworks: {x: }";
const ONE_NET: &[(&str, &str, &str)] = &[("a", "p_x", "10.0.0.2/24"), ("b", "p_x", "10.0.0.3/24")];

fn path(from: &str, to: &str, how: How, via: &[&str]) -> Path {
    let spot = |name: &str| match name {
        "host" => Spot::Host,
        "outside" => Spot::Outside,
        name => Spot::Service(name.parse().unwrap(), None),
    };
    Path { from: spot(from), to: spot(to), how, via: via.iter().map(|v| (*v).to_owned()).collect(), family: None }
}

/// What every attempt from `a` to `b` gets; `a` itself and `b` itself are fine.
fn between(outcome: Outcome) -> impl Fn(&Vantage, &Question) -> Option<Answer> {
    move |vantage, question| {
        let target = match question {
            Question::Connect { to, .. } | Question::Datagram { to, .. } => to.ip(),
            Question::Echo { to, .. } => *to,
            _ => return None,
        };
        // the gateway answers: it is the asker's control
        let asked = *vantage == at("a") && !target.is_loopback() && target != ip("10.0.0.1");
        asked.then(|| attempt(outcome))
    }
}

/// `web` with 80/tcp published at 8080 on both families.
fn publishing() -> (World, Port) {
    let mut world = World::new("services: {web: {}}", &[("web", "p_default", "10.0.0.2/24")]);
    let bound = |host: &str| BoundPort { target: 80, protocol: Protocol::Tcp, host_ip: ip(host), published: 8080 };
    world.container("web").bound = vec![bound("0.0.0.0"), bound("::")];
    (world, Port { target: 80, published: Some((8080, 8080)), given_up: None, host_ip: None, protocol: Protocol::Tcp })
}

fn proxy(pid: u32, host: &str, container: &str) -> Process {
    let arguments =
        ["docker-proxy", "-proto", "tcp", "-host-ip", host, "-host-port", "8080", "-container-ip", container];
    let arguments = arguments.map(str::to_owned).to_vec();
    Process { pid, parent: 1, name: "docker-proxy".to_owned(), arguments }
}

fn answers_at(dead: &'static [&'static str], proxies: Vec<Process>) -> impl Fn(&Vantage, &Question) -> Option<Answer> {
    move |_, q| match q {
        Question::Connect { to, .. } if dead.contains(&to.ip().to_string().as_str()) => Some(attempt(Outcome::Refused)),
        Question::Processes { .. } => Some(Answer::Processes(proxies.clone())),
        _ => None,
    }
}

fn name(asker: &str, name: &str, owner: &str, wire: &str) -> Expectation {
    Expectation::Name {
        asker: asker.parse().unwrap(),
        name: name.to_owned(),
        meanings: vec![Meaning { wires: vec![wire.to_owned()], owners: vec![Owner::Service(owner.parse().unwrap())] }],
        by: NameSource::Dns,
    }
}

fn other(name: &str, address: &str) -> OtherContainer {
    OtherContainer {
        id: ContainerId::from_engine("f"),
        name: name.to_owned(),
        project: None,
        service: None,
        state: "running".to_owned(),
        status: String::new(),
        bound: vec![],
        networks: vec![("p_x".to_owned(), None, vec![ip(address)])],
        macs: vec!["02:42:0a:00:00:07".parse().unwrap()],
        labels: Default::default(),
    }
}

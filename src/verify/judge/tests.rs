//! Verdicts by facts given as data, the traps among them.

mod meddling;

use std::net::IpAddr;

use super::*;
use crate::compose::model::{Port, Project};
use crate::name::{ContainerId, NetworkId, Protocol, Replica};
use crate::probe::{
    Address, Answer, Asked, Attempt, Heard, HostsLine, Link, Listening, Lookup, NameOutcome, Namespace, Neighbour,
    Outcome, Process, Question, Resolver, Route, Socket, Sysctl, Transport,
};
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
        Self { project, topology, observed, facts: Facts::default() }
    }

    fn container(&mut self, name: &str) -> &mut ObservedContainer {
        self.observed.containers.iter_mut().find(|c| c.replica.service == name).unwrap()
    }

    /// The verdict, with `answers` for what differs from a working network.
    fn judge(&self, expectation: Expectation, answers: &dyn Fn(&Vantage, &Question) -> Option<Answer>) -> Verdict {
        let (id, says, basis) = (String::new(), String::new(), Basis::Attribute(String::new()));
        let check = Check { id, service: None, says, basis, span: None, expectation };
        let mut facts = self.facts.clone();
        let scene = Scene { project: &self.project, topology: &self.topology, observed: &self.observed };
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

fn path(from: &str, to: &str, how: How, via: &[&str]) -> Path {
    let spot = |name: &str| match name {
        "host" => Spot::Host,
        "outside" => Spot::Outside,
        name => Spot::Service(name.parse().unwrap(), None),
    };
    Path { from: spot(from), to: spot(to), how, via: via.iter().map(|v| (*v).to_owned()).collect() }
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

#[test]
fn silence_with_both_controls_proves_isolation() {
    let world = World::new(PAIR, ENDS);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &between(Outcome::TimedOut));
    let text = proved(&verdict);
    assert!(text.contains("nothing came back"), "{text}");
    assert!(text.contains("control: 10.0.1.2 answers b itself"), "{text}");
    assert!(text.contains("control: a reaches the gateway (10.0.0.1)"), "{text}");
}

#[test]
fn a_refusal_is_a_reached_host() {
    let world = World::new(PAIR, ENDS);
    // the application's port is refused, our listener beside it is reached
    let application = |v: &Vantage, q: &Question| match q {
        Question::Connect { greeting: false, .. } | Question::Datagram { payload: Some(_), .. } => {
            between(Outcome::Refused)(v, q)
        }
        _ => None,
    };
    for how in [How::Port(5432, Protocol::Tcp), How::Port(53, Protocol::Udp)] {
        let verdict = world.judge(Expectation::Isolated(path("a", "b", how, &[])), &application);
        assert!(refuted(&verdict).contains("refused"), "{verdict:?}");
    }
}

/// The host's packets for a macvlan child go out by its default route, to somebody who refuses everything.
#[test]
fn a_refusal_where_our_listener_stands_is_somebody_elses() {
    let world = World::new(PAIR, ENDS);
    for how in [How::Network, How::Port(5432, Protocol::Tcp), How::Port(53, Protocol::Udp)] {
        let verdict = world.judge(Expectation::Isolated(path("a", "b", how, &[])), &between(Outcome::Refused));
        assert!(proved(&verdict).contains("by somebody else"), "{verdict:?}");
    }
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &between(Outcome::Refused));
    assert!(refuted(&verdict).contains("our listener stands in b"), "{verdict:?}");
}

/// A transparent proxy on the way accepts every connection.
#[test]
fn an_answer_without_our_greeting_is_somebody_elses() {
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { .. } => between(Outcome::Answered)(v, q),
        _ => between(Outcome::TimedOut)(v, q),
    };
    let world = World::new(PAIR, ENDS);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &mute);
    assert!(open(&verdict).text().contains("no listener of ours"), "{verdict:?}");
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &mute);
    assert!(refuted(&verdict).contains("no listener of ours"), "{verdict:?}");
}

#[test]
fn one_protocol_that_gets_through_refutes_isolation() {
    let world = World::new(PAIR, ENDS);
    let only_icmp = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } => None,
        _ => between(Outcome::TimedOut)(v, q),
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &only_icmp);
    assert!(refuted(&verdict).contains("ICMP answered"), "{verdict:?}");
}

#[test]
fn a_client_that_fails_is_no_blocked_path() {
    let world = World::new(PAIR, ENDS);
    for expectation in [Expectation::Isolated, Expectation::Reaches] {
        let verdict = world.judge(expectation(path("a", "b", How::Network, &[])), &between(Outcome::Failed));
        assert!(matches!(open(&verdict), Why::NotSeen(_)), "{verdict:?}");
    }
    let failure = |v: &Vantage, q: &Question| {
        let failure = crate::probe::Failure { errno: Some(1), message: "socket: not permitted".to_owned() };
        matches!(q, Question::Connect { .. }).then(|| Answer::Failure(failure)).filter(|_| *v == at("a"))
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &failure);
    assert!(open(&verdict).text().contains("not permitted"), "{verdict:?}");
}

#[test]
fn ping_alone_may_be_forbidden_to_us() {
    let world = World::new(PAIR, ENDS);
    let no_ping = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } => Some(failed(13)),
        _ => between(Outcome::TimedOut)(v, q),
    };
    proved(&world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &no_ping));
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Icmp, &[])), &no_ping);
    assert!(matches!(open(&verdict), Why::NotSeen(_)), "{verdict:?}");
    let no_ping = |_: &Vantage, q: &Question| matches!(q, Question::Echo { .. }).then(|| failed(13));
    proved(&world.judge(Expectation::Reaches(path("a", "b", How::Network, &[])), &no_ping));
}

#[test]
fn a_place_that_cannot_send_proves_no_block() {
    // measured: a full table of neighbours lets TCP time out and fails UDP and ICMP with ENOBUFS
    let world = World::new(PAIR, ENDS);
    let full = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } | Question::Datagram { .. } => Some(failed(105)),
        _ => between(Outcome::TimedOut)(v, q),
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &full);
    assert!(open(&verdict).text().contains("gc_thresh3"), "{verdict:?}");
    // TCP alone shows nothing of it, but the control does
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { to, .. } if *v == at("a") && !to.ip().is_loopback() => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    let port = Expectation::Isolated(path("a", "b", How::Port(80, Protocol::Tcp), &[]));
    assert!(matches!(open(&world.judge(port, &mute)), Why::NoControl(_)));
}

#[test]
fn a_silence_without_a_living_target_proves_nothing() {
    let world = World::new(PAIR, ENDS);
    let dead = |v: &Vantage, q: &Question| match q {
        Question::Connect { to, .. } if to.ip().is_loopback() => None,
        Question::Connect { .. } | Question::Datagram { .. } | Question::Echo { .. } => {
            let _ = v;
            Some(attempt(Outcome::TimedOut))
        }
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &dead);
    assert!(matches!(open(&verdict), Why::NoControl(_)), "{verdict:?}");
}

#[test]
fn a_prober_that_does_not_reach_itself_proves_nothing() {
    let world = World::new(PAIR, ENDS);
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { .. } | Question::Datagram { .. } | Question::Echo { .. } if *v == at("a") => {
            Some(attempt(Outcome::TimedOut))
        }
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &mute);
    assert!(matches!(open(&verdict), Why::NoControl(_)), "{verdict:?}");
}

#[test]
fn isolation_from_a_container_that_does_not_run_proves_nothing() {
    let mut world = World::new(PAIR, ENDS);
    world.container("b").state = ContainerState::Exited { code: 1, oom_killed: false, finished_at: String::new() };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &none);
    assert!(matches!(open(&verdict), Why::NotRunning(_)), "{verdict:?}");
}

#[test]
fn a_container_on_a_network_that_the_file_does_not_give_it_is_named() {
    let ends = [ENDS[0], ENDS[1], ("a", "p_y", "10.0.1.3/24")];
    let world = World::new(PAIR, &ends);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &none);
    assert!(refuted(&verdict).contains("a is on y, where the file does not put it"), "{verdict:?}");
    let Verdict::Refuted { help: Some(help), .. } = verdict else { panic!() };
    assert_eq!(help, "docker network disconnect p_y p-a-1");
}

#[test]
fn a_bridge_whose_firewall_is_off_is_named() {
    let text = "services: {a: {networks: [x]}, b: {networks: [x]}}
networks: {x: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24"), ("b", "p_x", "10.0.0.3/24")]);
    let off = |_: &Vantage, q: &Question| match q {
        Question::Sysctl { name } => Some(Answer::Sysctl(Sysctl { name: name.clone(), value: Some("0".to_owned()) })),
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &off);
    assert!(refuted(&verdict).contains("bridge-nf-call-iptables is 0"), "{verdict:?}");
}

const SHARED: &str = "services: {a: {networks: [x]}, b: {networks: [x]}}\nnetworks: {x: }";
const ONE_NET: &[(&str, &str, &str)] = &[("a", "p_x", "10.0.0.2/24"), ("b", "p_x", "10.0.0.3/24")];

#[test]
fn reach_is_proved_by_our_own_listener() {
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &none);
    assert!(
        proved(&verdict).contains("a -> b (10.0.0.3): answered (TCP 0.20 ms, UDP 0.20 ms, ICMP 0.20 ms)"),
        "{verdict:?}"
    );
    // ICMP may be switched off in the target
    let no_ping = |_: &Vantage, q: &Question| matches!(q, Question::Echo { .. }).then(|| attempt(Outcome::TimedOut));
    proved(&world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &no_ping));
}

#[test]
fn a_rule_that_drops_one_protocol_is_told_from_a_dead_link() {
    let world = World::new(SHARED, ONE_NET);
    let drop_udp = |v: &Vantage, q: &Question| {
        (matches!(q, Question::Datagram { .. }) && *v == at("a")).then(|| attempt(Outcome::TimedOut))
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &drop_udp);
    assert!(refuted(&verdict).contains("UDP does not: a firewall rule drops it"), "{verdict:?}");
    let dead = |v: &Vantage, q: &Question| match q {
        Question::Neighbours {} => Some(Answer::Neighbours(vec![Neighbour {
            device: "eth0".to_owned(),
            address: ip("10.0.0.3"),
            mac: None,
            state: "failed".to_owned(),
        }])),
        _ => between(Outcome::Unreachable)(v, q),
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &dead);
    assert!(refuted(&verdict).contains("nobody answers ARP for 10.0.0.3"), "{verdict:?}");
}

#[test]
fn somebody_else_at_the_address_is_no_reach() {
    let world = World::new(SHARED, ONE_NET);
    let thief = |v: &Vantage, q: &Question| match q {
        Question::Connect { greeting: true, .. } if *v == at("a") => Some(greeted("c.1")),
        _ => None,
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &thief);
    assert!(refuted(&verdict).contains("10.0.0.3 is answered by c.1"), "{verdict:?}");
}

#[test]
fn a_target_that_left_its_network_is_named() {
    let mut world = World::new(SHARED, ONE_NET);
    world.container("b").endpoints.clear();
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &none);
    assert!(refuted(&verdict).contains("b is not on x"), "{verdict:?}");
}

#[test]
fn a_refused_port_of_an_application_names_where_it_listens() {
    let world = World::new(SHARED, ONE_NET);
    let sockets = |list: Vec<Socket>| {
        move |v: &Vantage, q: &Question| match q {
            Question::Sockets { .. } => Some(Answer::Sockets(list.clone())),
            Question::Connect { greeting: false, .. } if *v == at("a") => Some(attempt(Outcome::Refused)),
            _ => None,
        }
    };
    let port = || Expectation::Reaches(path("a", "b", How::Port(5432, Protocol::Tcp), &["p_x"]));
    let verdict = world.judge(port(), &sockets(vec![socket("127.0.0.1", 5432)]));
    assert!(refuted(&verdict).contains("b: listens on 127.0.0.1:5432 only"), "{verdict:?}");
    let verdict = world.judge(port(), &sockets(vec![]));
    assert!(refuted(&verdict).contains("b: nothing listens on 5432/tcp"), "{verdict:?}");
}

#[test]
fn a_udp_application_that_keeps_silent_is_proved_by_its_socket_and_the_way() {
    let world = World::new(SHARED, ONE_NET);
    let bound = Socket { transport: Transport::Udp, ..socket("0.0.0.0", 53) };
    let silent = move |v: &Vantage, q: &Question| match q {
        Question::Sockets { .. } => Some(Answer::Sockets(vec![bound.clone()])),
        Question::Datagram { payload: Some(_), .. } if *v == at("a") => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    let port = Expectation::Reaches(path("a", "b", How::Port(53, Protocol::Udp), &["p_x"]));
    assert!(proved(&world.judge(port, &silent)).contains("the way carries UDP"));
}

#[test]
fn an_address_is_what_the_engine_and_the_kernel_both_say() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = |fixed: &[&str], pools: Vec<AddressPool>| Expectation::Address {
        replica: replica("a"),
        wire: "p_x".to_owned(),
        fixed: fixed.iter().map(|a| ip(a)).collect(),
        pools,
    };
    let pool = |range: Option<&str>| {
        vec![AddressPool { subnet: "10.0.0.0/24".parse().unwrap(), range: range.map(|r| r.parse().unwrap()) }]
    };
    assert_eq!(proved(&world.judge(expectation(&["10.0.0.2"], pool(None)), &none)), "eth0 has 10.0.0.2/24");
    proved(&world.judge(expectation(&[], pool(None)), &none));
    refuted(&world.judge(expectation(&["10.0.0.9"], pool(None)), &none));
    refuted(&world.judge(expectation(&[], pool(Some("10.0.0.128/25"))), &none));
    // fixed addresses may lie outside the range that the others come from
    proved(&world.judge(expectation(&["10.0.0.2"], pool(Some("10.0.0.128/25"))), &none));
    let moved = |_: &Vantage, q: &Question| match q {
        Question::Addresses {} => {
            Some(Answer::Addresses(vec![Address { address: ip("10.0.0.77"), ..world.addresses(&at("a")).remove(0) }]))
        }
        _ => None,
    };
    assert!(refuted(&world.judge(expectation(&[], vec![]), &moved)).contains("eth0 has 10.0.0.77/24"));
    // who may not ask at layer 2 knows nothing of thieves, and is content
    let forbidden = |_: &Vantage, q: &Question| match q {
        Question::Solicit { .. } => {
            Some(Answer::Failure(crate::probe::Failure { errno: Some(1), message: String::new() }))
        }
        _ => None,
    };
    proved(&world.judge(expectation(&[], vec![]), &forbidden));
}

#[test]
fn an_address_that_somebody_else_answers_for_is_stolen_and_the_thief_is_named() {
    let mut world = World::new(SHARED, ONE_NET);
    let expectation =
        || Expectation::Address { replica: replica("a"), wire: "p_x".to_owned(), fixed: vec![], pools: vec![] };
    let stolen = |_: &Vantage, q: &Question| match q {
        Question::Solicit { target, sender: Some(_), .. } => Some(heard(*target, "eth0", &["02:42:0a:00:00:07"])),
        _ => None,
    };
    assert!(refuted(&world.judge(expectation(), &stolen)).contains("is nobody of this Engine"));
    world.observed.others.push(other("thief", "10.0.0.7"));
    assert!(refuted(&world.judge(expectation(), &stolen)).contains("02:42:0a:00:00:07 is thief"));
}

/// A container that is not of the project, on its network.
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

#[test]
fn the_mac_follows_the_engines_version() {
    let mut world = World::new(SHARED, ONE_NET);
    world.container("b").endpoints.clear();
    let expectation = || Expectation::Mac { replica: replica("a"), wire: "p_x".to_owned(), fixed: None };
    proved(&world.judge(expectation(), &none));
    world.observed.engine.version = "20.10.24".to_owned();
    assert!(refuted(&world.judge(expectation(), &none)).contains("an Engine before 28"));
    let derived = |_: &Vantage, q: &Question| match q {
        Question::Links {} => {
            let mut eth0 = link(2, "eth0", "veth", Some(7), None);
            eth0.mac = Some("02:42:0a:00:00:02".to_owned());
            Some(Answer::Links(vec![eth0]))
        }
        _ => None,
    };
    world.container("a").endpoints[0].mac = Some("02:42:0a:00:00:02".parse().unwrap());
    proved(&world.judge(expectation(), &derived));
}

#[test]
fn one_mac_on_two_containers_of_a_wire_is_refuted() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = Expectation::Mac { replica: replica("a"), wire: "p_x".to_owned(), fixed: None };
    assert!(refuted(&world.judge(expectation, &none)).contains("is p-b-1's as well"));
}

#[test]
fn the_default_route_is_the_gateways_of_a_network_that_has_one() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = |wires: &[&str]| Expectation::DefaultRoute {
        replica: replica("a"),
        wires: wires.iter().map(|w| (*w).to_owned()).collect(),
    };
    proved(&world.judge(expectation(&["p_x"]), &none));
    assert!(refuted(&world.judge(expectation(&[]), &none)).contains("default by 10.0.0.1 on eth0"));
    let other =
        |_: &Vantage, q: &Question| matches!(q, Question::Routes {}).then(|| Answer::Routes(vec![route("10.0.0.254")]));
    refuted(&world.judge(expectation(&["p_x"]), &other));
    let nothing = |_: &Vantage, q: &Question| matches!(q, Question::Routes {}).then(|| Answer::Routes(vec![]));
    proved(&world.judge(expectation(&[]), &nothing));
    // an Engine before 25 gives one on internal networks, and on no other
    for (text, version, good) in [
        ("networks: {x: {internal: true}}", "20.10.24", true),
        ("networks: {x: {internal: true}}", "28.5.2", false),
        ("networks: {x: }", "20.10.24", false),
    ] {
        let mut world = World::new(&format!("services: {{a: {{networks: [x]}}}}\n{text}"), &ONE_NET[..1]);
        world.observed.engine.version = version.to_owned();
        assert_eq!(world.judge(expectation(&[]), &none).is_proved(), good, "{text} {version}");
    }
}

#[test]
fn a_bridge_port_is_told_by_numbers_in_both_directions() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = || Expectation::BridgePort { replica: replica("a"), wire: "p_x".to_owned(), bridge: None };
    assert_eq!(proved(&world.judge(expectation(), &none)), "eth0 - veth7 - br-0123456789ab");
    let host = |links: Vec<Link>| {
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => Some(Answer::Links(links.clone())),
            _ => None,
        }
    };
    let bridge = link(3, "br-0123456789ab", "bridge", None, None);
    let off = host(vec![bridge.clone(), link(7, "veth7", "veth", Some(2), None)]);
    assert!(refuted(&world.judge(expectation(), &off)).contains("veth7 is a port of no bridge"));
    // link 7 of the host is the end of somebody else's pair: numbers repeat from namespace to namespace
    let foreign = host(vec![bridge.clone(), link(7, "veth7", "veth", Some(9), Some(3))]);
    assert!(refuted(&world.judge(expectation(), &foreign)).contains("not on the host"));
    let other = host(vec![link(3, "docker0", "bridge", None, None), link(7, "veth7", "veth", Some(2), Some(3))]);
    assert!(refuted(&world.judge(expectation(), &other)).contains("veth7 is a port of docker0"));
}

#[test]
fn a_macvlan_child_hangs_on_its_parent_by_number_and_namespace() {
    let text = "services: {a: {networks: [x]}}\nnetworks: {x: {driver: macvlan, driver_opts: {parent: wire0}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24")]);
    let child = |parent: Option<u32>, foreign: Option<i32>| {
        let mut eth0 = link(2, "eth0", "macvlan", parent, None);
        (eth0.parent_namespace, eth0.macvlan_mode) = (foreign, Some("bridge".to_owned()));
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => {
                let wires = vec![link(5, "wire0", "veth", None, None), link(6, "wire1", "veth", None, None)];
                Some(Answer::Links(wires))
            }
            Question::Links {} => Some(Answer::Links(vec![eth0.clone()])),
            _ => None,
        }
    };
    let expectation = |mode: &str| Expectation::Parent {
        replica: replica("a"),
        wire: "p_x".to_owned(),
        parent: "wire0".to_owned(),
        kind: "macvlan",
        mode: mode.to_owned(),
    };
    proved(&world.judge(expectation("bridge"), &child(Some(5), Some(0))));
    assert!(refuted(&world.judge(expectation("bridge"), &child(Some(6), Some(0)))).contains("eth0 hangs on wire1"));
    // the same number without a namespace of its own is a link of the container's, not the host's
    refuted(&world.judge(expectation("bridge"), &child(Some(5), None)));
    refuted(&world.judge(expectation("private"), &child(Some(5), Some(0))));
}

#[test]
fn only_lo_may_be_up_where_there_is_no_network() {
    let world = World::new("services: {a: {network_mode: none}}", &[]);
    let with = |links: Vec<Link>| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Links {}).then(|| Answer::Links(links.clone()))
    };
    let lo = link(1, "lo", "", None, None);
    let sit = Link { up: false, ..link(2, "sit0", "sit", None, None) };
    assert!(
        proved(&world.judge(Expectation::OnlyLoopback(replica("a")), &with(vec![lo.clone(), sit])))
            .contains("down: sit0")
    );
    let stray = with(vec![lo, link(2, "eth0", "veth", Some(3), None)]);
    refuted(&world.judge(Expectation::OnlyLoopback(replica("a")), &stray));
}

#[test]
fn a_shared_namespace_has_one_inode() {
    let world = World::new(
        "services: {a: {}, b: {network_mode: 'service:a'}, h: {network_mode: host}}",
        &[("a", "p_default", "10.0.0.2/24")],
    );
    let same = |_: &Vantage, q: &Question| {
        matches!(q, Question::Namespace {}).then_some(Answer::Namespace(Namespace { inode: 5, hostname: None }))
    };
    let apart = |v: &Vantage, q: &Question| {
        let inode = if *v == at("b") || *v == at("h") { 6 } else { 5 };
        matches!(q, Question::Namespace {}).then_some(Answer::Namespace(Namespace { inode, hostname: None }))
    };
    let shared = || Expectation::SharedNamespace { replica: replica("b"), owner: Container::Replica(replica("a")) };
    proved(&world.judge(shared(), &same));
    refuted(&world.judge(shared(), &apart));
    proved(&world.judge(Expectation::HostNamespace(replica("h")), &same));
    refuted(&world.judge(Expectation::HostNamespace(replica("h")), &apart));
}

const LINKED: &str = "services: {web: {network_mode: bridge}, cli: {network_mode: bridge}}";

#[test]
fn a_link_line_has_the_targets_current_address_and_its_names_in_order() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16"), ("cli", "bridge", "172.17.0.3/16")]);
    let expectation = |alias: &str| Expectation::LinkLine {
        replica: replica("cli"),
        targets: vec![Container::Replica(replica("web"))],
        alias: alias.to_owned(),
    };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| {
            matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text), line("172.17.0.3 cli")]))
        }
    };
    let id = "000000000000";
    proved(&world.judge(expectation("db"), &file("172.17.0.2 db 000000000000 p-web-1")));
    proved(&world.judge(expectation("p-web-1"), &file("172.17.0.2 p-web-1 000000000000")));
    refuted(&world.judge(expectation("db"), &file("172.17.0.2 p-web-1 000000000000 db")));
    let stale = world.judge(expectation("db"), &file("172.17.0.9 db 000000000000 p-web-1"));
    assert!(refuted(&stale).contains("172.17.0.9, which is nobody's now"), "{stale:?} {id}");
    let alias = |name: &str| Expectation::NoLinkLine { replica: replica("cli"), alias: name.to_owned() };
    refuted(&world.judge(alias("db"), &file("172.17.0.2 db 000000000000 p-web-1")));
    proved(&world.judge(alias("web"), &file("172.17.0.2 db 000000000000 p-web-1")));
}

#[test]
fn host_gateway_is_an_address_of_the_host() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16")]);
    let expectation = |address: &str| Expectation::ExtraHost {
        replica: replica("web"),
        name: "up".to_owned(),
        address: address.to_owned(),
    };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text)]))
    };
    proved(&world.judge(expectation("host-gateway"), &file("10.0.0.1 up")));
    refuted(&world.judge(expectation("host-gateway"), &file("10.9.9.9 up")));
    proved(&world.judge(expectation("10.9.9.9"), &file("10.9.9.9 other up")));
    refuted(&world.judge(expectation("10.9.9.9"), &file("10.9.9.8 up")));
}

#[test]
fn a_line_that_is_spelled_out_is_filled_in_with_what_is_now() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16"), ("cli", "bridge", "172.17.0.3/16")]);
    let text = Expectation::HostsText { replica: replica("cli"), line: "{web} nasa {web.id} p-web-1".to_owned() };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text)]))
    };
    proved(&world.judge(text.clone(), &file("172.17.0.2 nasa 000000000000 p-web-1")));
    refuted(&world.judge(text, &file("172.17.0.4 nasa 000000000000 p-web-1")));
}

fn name(asker: &str, name: &str, owner: &str, wire: &str) -> Expectation {
    Expectation::Name {
        asker: asker.parse().unwrap(),
        name: name.to_owned(),
        meanings: vec![Meaning { wires: vec![wire.to_owned()], owners: vec![Owner::Service(owner.parse().unwrap())] }],
        by: NameSource::Dns,
    }
}

fn dns(answer: Answer) -> impl Fn(&Vantage, &Question) -> Option<Answer> {
    move |_, q| match q {
        Question::Lookup { name, .. } if name == "db" => Some(answer.clone()),
        _ => None,
    }
}

#[test]
fn a_name_means_all_its_owners_and_nobody_else() {
    let mut world = World::new(SHARED, ONE_NET);
    let is = |addresses: &[&str]| dns(looked_up("db", NameOutcome::Found, addresses));
    proved(&world.judge(name("a", "db", "b", "p_x"), &is(&["10.0.0.3"])));
    assert!(
        refuted(&world.judge(name("a", "db", "b", "p_x"), &dns(looked_up("db", NameOutcome::NoSuchName, &[]))))
            .contains("NXDOMAIN")
    );
    world.observed.others.push(other("other-db-1", "10.0.0.7"));
    let verdict = world.judge(name("a", "db", "b", "p_x"), &is(&["10.0.0.3", "10.0.0.7"]));
    assert!(refuted(&verdict).contains("db is also held by other-db-1"), "{verdict:?}");
    world.container("b").state = ContainerState::Created;
    assert!(matches!(open(&world.judge(name("a", "db", "b", "p_x"), &none)), Why::NotRunning(_)));
}

#[test]
fn a_name_that_must_not_be_known_needs_a_resolver_that_knows_something() {
    let world = World::new(PAIR, ENDS);
    let expectation = || Expectation::NoName {
        asker: "a".parse().unwrap(),
        name: "db".to_owned(),
        owners: vec![Owner::Service("b".parse().unwrap())],
        by: NameSource::Dns,
    };
    for outcome in [NameOutcome::NoSuchName, NameOutcome::ServerFailure, NameOutcome::TimedOut] {
        proved(&world.judge(expectation(), &dns(looked_up("db", outcome, &[]))));
    }
    let leak = looked_up("db", NameOutcome::Found, &["10.0.1.2"]);
    assert!(refuted(&world.judge(expectation(), &dns(leak))).contains("10.0.1.2 (p-b-1)"));
    // the name is known out there: that is not the service
    proved(&world.judge(expectation(), &dns(looked_up("db", NameOutcome::Found, &["203.0.113.7"]))));
    let deaf = |_: &Vantage, q: &Question| match q {
        Question::Lookup { name, .. } => Some(looked_up(name, NameOutcome::TimedOut, &[])),
        _ => None,
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::NoControl(_)));
}

/// `web` with 80/tcp published at 8080 on both families.
fn publishing() -> (World, Port) {
    let mut world = World::new("services: {web: {}}", &[("web", "p_default", "10.0.0.2/24")]);
    let bound = |host: &str| BoundPort { target: 80, protocol: Protocol::Tcp, host_ip: ip(host), published: 8080 };
    world.container("web").bound = vec![bound("0.0.0.0"), bound("::")];
    (world, Port { target: 80, published: Some((8080, 8080)), host_ip: None, protocol: Protocol::Tcp })
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

#[test]
fn a_published_port_answers_at_every_address_and_names_its_proxies() {
    let (world, port) = publishing();
    let expectation = |from| Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from };
    let both = || vec![proxy(41, "0.0.0.0", "10.0.0.2"), proxy(42, "::", "10.0.0.2")];
    let text = proved(&world.judge(expectation(Side::Host), &answers_at(&[], both())));
    assert!(text.contains("127.0.0.1:8080 answered") && text.contains("[::1]:8080 answered"), "{text}");
    assert!(text.contains("docker-proxy 41 leads 0.0.0.0:8080 to 10.0.0.2"), "{text}");
    let text = proved(&world.judge(expectation(Side::Outside), &answers_at(&[], both())));
    assert!(text.contains("198.51.100.1:8080 answered"), "{text}");
}

#[test]
fn a_proxy_that_is_gone_is_named() {
    let (world, port) = publishing();
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let gone = answers_at(&["127.0.0.1"], vec![proxy(42, "::", "10.0.0.2")]);
    let verdict = world.judge(expectation(), &gone);
    assert!(
        refuted(&verdict).contains("docker-proxy of this port is gone: reached from outside, not from the host"),
        "{verdict:?}"
    );
    let stale = answers_at(&["127.0.0.1"], vec![proxy(41, "0.0.0.0", "10.0.0.9"), proxy(42, "::", "10.0.0.2")]);
    assert!(refuted(&world.judge(expectation(), &stale)).contains("docker-proxy 41 still leads to 10.0.0.9"));
    // an Engine without docker-proxy does not answer [::1], and that is its way
    let without = answers_at(&["::1"], vec![]);
    assert!(proved(&world.judge(expectation(), &without)).contains("without docker-proxy"));
    refuted(&world.judge(expectation(), &answers_at(&["::1"], vec![proxy(41, "0.0.0.0", "10.0.0.2")])));
}

#[test]
fn a_proxy_that_accepts_for_nobody_proves_nothing() {
    let (world, port) = publishing();
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let sockets = |list: Vec<Socket>| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Sockets { .. }).then(|| Answer::Sockets(list.clone()))
    };
    assert!(refuted(&world.judge(expectation(), &sockets(vec![]))).contains("nothing listens on 80/tcp"));
    let local = sockets(vec![socket("127.0.0.1", 80)]);
    assert!(refuted(&world.judge(expectation(), &local)).contains("listens on 127.0.0.1:80 only"));
}

#[test]
fn a_published_udp_port_is_asked_by_an_ear_beside_the_application() {
    let (mut world, mut port) = publishing();
    port.protocol = Protocol::Udp;
    world.container("web").bound.iter_mut().for_each(|b| b.protocol = Protocol::Udp);
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let bound = || Answer::Sockets(vec![Socket { transport: Transport::Udp, ..socket("0.0.0.0", 80) }]);
    let mute = move |_: &Vantage, q: &Question| match q {
        Question::Sockets { .. } => Some(bound()),
        Question::Datagram { payload: Some(_), .. } => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    proved(&world.judge(expectation(), &mute));
    // without an ear its silence says nothing
    let deaf = |v: &Vantage, q: &Question| match q {
        Question::Overhear { .. } => {
            let failure = crate::probe::Failure { errno: Some(1), message: "not permitted".to_owned() };
            Some(Answer::Failure(failure))
        }
        _ => mute(v, q),
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::Inconclusive(_)));
    let dropped = |v: &Vantage, q: &Question| match q {
        Question::Datagram { .. } => Some(attempt(Outcome::TimedOut)),
        _ => mute(v, q),
    };
    refuted(&world.judge(expectation(), &dropped));
}

#[test]
fn a_port_that_the_engine_did_not_bind_is_refuted() {
    let (mut world, port) = publishing();
    world.container("web").bound.clear();
    let expectation = Expectation::Published { service: "web".parse().unwrap(), port, from: Side::Host };
    assert!(refuted(&world.judge(expectation, &none)).contains("bound no such port"));
}

#[test]
fn a_port_on_loopback_is_silent_outside_while_the_host_is_seen() {
    let (mut world, mut port) = publishing();
    (port.host_ip, world.container("web").bound[0].host_ip) = (Some(ip("127.0.0.1")), ip("127.0.0.1"));
    let expectation = || Expectation::NotPublished { service: "web".parse().unwrap(), port: port.clone() };
    proved(&world.judge(expectation(), &answers_at(&["198.51.100.1"], vec![])));
    refuted(&world.judge(expectation(), &none));
    let deaf = |_: &Vantage, q: &Question| {
        matches!(q, Question::Connect { .. } | Question::Echo { .. }).then(|| attempt(Outcome::TimedOut))
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::NoControl(_)));
}

#[test]
fn a_place_that_cannot_be_visited_leaves_its_checks_open() {
    let (mut world, port) = publishing();
    world.facts.blind.insert(Vantage::Outside, "needs root".to_owned());
    let expectation = Expectation::Published { service: "web".parse().unwrap(), port, from: Side::Outside };
    assert!(open(&world.judge(expectation, &none)).text().contains("needs root"));
}

#[test]
fn arp_silence_needs_a_witness_on_the_targets_wire() {
    let text = "services: {a: {networks: [x]}, b: {networks: [y]}, c: {networks: [y]}}
networks: {x: {driver: macvlan, driver_opts: {parent: e.10}}, y: {driver: macvlan, driver_opts: {parent: e.20}}}";
    let ends = [ENDS[0], ENDS[1], ("c", "p_y", "10.0.1.3/24")];
    let mut world = World::new(text, &ends);
    let silent = |v: &Vantage, q: &Question| match q {
        Question::Solicit { target, .. } if *v == at("a") => Some(heard(*target, "eth0", &[])),
        _ => None,
    };
    let expectation = || Expectation::Isolated(path("a", "b", How::Arp, &[]));
    assert!(proved(&world.judge(expectation(), &silent)).contains("control: c hears 10.0.1.2"));
    refuted(&world.judge(expectation(), &none));
    world.container("c").state = ContainerState::Created;
    assert!(matches!(open(&world.judge(expectation(), &silent)), Why::NoControl(_)));
}

#[test]
fn life_is_what_the_engine_says() {
    let mut world = World::new(SHARED, ONE_NET);
    let run = |world: &World| world.judge(Expectation::Running(replica("a")), &none);
    assert!(proved(&run(&world)).contains("p-a-1 runs as process 100"));
    world.container("a").state = ContainerState::Paused;
    assert!(refuted(&run(&world)).contains("paused"));
    world.container("a").state = ContainerState::Exited { code: 137, oom_killed: true, finished_at: String::new() };
    assert!(refuted(&run(&world)).contains("memory ran out"));
    world.container("a").state = ContainerState::Exited { code: 0, oom_killed: false, finished_at: String::new() };
    open(&run(&world));
    proved(&world.judge(Expectation::Completed(replica("a")), &none));
    let health = |health| ContainerState::Running { pid: 1, health, started_at: String::new() };
    let healthy = |world: &World| world.judge(Expectation::Healthy(replica("a")), &none);
    world.container("a").state = health(Some(Health::Healthy));
    proved(&healthy(&world));
    world.container("a").state = health(Some(Health::Starting));
    open(&healthy(&world));
    world.container("a").state = health(Some(Health::Unhealthy));
    refuted(&healthy(&world));
    world.container("a").state = health(None);
    refuted(&healthy(&world));
    world.observed.containers.clear();
    refuted(&run(&world));
}

#[test]
fn what_the_file_leaves_open_is_not_a_pass() {
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Undeclared { why: "a router".to_owned() }, &none);
    assert!(matches!(open(&verdict), Why::Undeclared(_)));
}

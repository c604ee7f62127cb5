//! The judge's desk: answers by question, typed, and a note of what is missing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::name::Replica;
use crate::probe::{
    Address, Answer, Attempt, Confines, Family, Heard, HostsLine, Http, Link, Listening, Lookup, Namespace, Neighbour,
    Process, Question, Resolver, Route, RouteLookup, Scope, Socket, Sysctl,
};
use crate::state::observed::{ContainerState, ObservedContainer};
use crate::verify::check::{Verdict, Why};
use crate::verify::scene::{Facts, Questions, Scene, Vantage};

/// For all tries of one attempt: three, so each waits 400 ms, ample on one machine even under load.
const WITHIN: Duration = Duration::from_millis(1200);
const TRIES: u8 = 3;
/// For somebody else who claims an address; silence is the rule, and every run waits for it.
const RIVALS_WITHIN: Duration = Duration::from_millis(50);
/// For one DNS server: the Engine's own answers known names at once, and passes others on to servers that may be slow.
const NAME_WITHIN: Duration = Duration::from_secs(2);

/// Why a judge stops before its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stop {
    /// Questions have to be asked first.
    Open,
    /// There is a verdict already.
    Settled(Verdict),
}

/// A step of a judge.
pub(super) type Step<T> = Result<T, Stop>;

/// Stops without being able to tell.
pub(super) fn unproved<T>(why: Why) -> Step<T> {
    Err(Stop::Settled(Verdict::Unproved(why)))
}

/// Reads answers, notes what is missing.
pub(super) struct Desk<'a> {
    /// The project and what the Engine holds.
    pub scene: Scene<'a>,
    /// What was answered.
    pub facts: &'a Facts,
    missing: BTreeSet<(Vantage, Question)>,
}

macro_rules! typed {
    ($($(#[$about:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $type:ty, $variant:ident, $question:expr;)*) => {$(
        $(#[$about])*
        pub(super) fn $name(&mut self, at: &Vantage $(, $arg: $kind)*) -> Step<&'a $type> {
            match self.ask(at, $question)? {
                Answer::$variant(answer) => Ok(answer),
                other => unproved(Why::NotSeen(format!("the probe answered something else: {other:?}"))),
            }
        }
    )*};
}

impl<'a> Desk<'a> {
    pub(super) fn new(scene: Scene<'a>, facts: &'a Facts) -> Self {
        Self { scene, facts, missing: BTreeSet::new() }
    }

    /// What was missing.
    pub(super) fn into_questions(self) -> Questions {
        self.missing
    }

    fn ask(&mut self, at: &Vantage, question: Question) -> Step<&'a Answer> {
        if let Some(why) = self.facts.blind.get(at) {
            return unproved(Why::NotSeen(format!("{at} could not be looked into: {why}")));
        }
        let key = (at.clone(), question);
        match self.facts.answers.get(&key) {
            Some(Answer::Failure(failure)) => {
                unproved(Why::NotSeen(format!("the probe in {at} failed: {}", failure.message)))
            }
            Some(answer) => Ok(answer),
            None => {
                self.missing.insert(key);
                Err(Stop::Open)
            }
        }
    }

    typed! {
        /// Every link.
        links() -> Vec<Link>, Links, Question::Links {};
        /// Every address.
        addresses() -> Vec<Address>, Addresses, Question::Addresses {};
        /// Every route.
        routes() -> Vec<Route>, Routes, Question::Routes {};
        /// The route that a packet would take.
        route_to(to: IpAddr) -> RouteLookup, Route, Question::RouteTo { to };
        /// Every neighbour.
        neighbours() -> Vec<Neighbour>, Neighbours, Question::Neighbours {};
        /// Which namespace it is.
        namespace() -> Namespace, Namespace, Question::Namespace {};
        /// What the first process is confined to.
        confines() -> Confines, Confines, Question::Confines {};
        /// The lines of /etc/hosts.
        hosts() -> Vec<HostsLine>, Hosts, Question::Hosts {};
        /// A kernel setting.
        sysctl(name: &str) -> Sysctl, Sysctl, Question::Sysctl { name: name.to_owned() };
        /// What /etc/resolv.conf says.
        resolver() -> Resolver, Resolver, Question::Resolver {};
        /// What listens.
        sockets() -> Vec<Socket>, Sockets, Question::Sockets { owners: false };
        /// The Engine's port carriers, on the host.
        proxies() -> Vec<Process>, Processes, Question::Processes { name: "docker-proxy".to_owned() };
        /// A name's addresses.
        lookup(name: &str, family: Family) -> Lookup, Lookup, lookup_question(name, family);
        /// A listener of ours; its label is the replica's name.
        listener(label: &str) -> Listening, Listening, listen_question(label);
        /// An ear beside an application's UDP port; its label is the replica's name.
        ear(port: u16, label: &str) -> Listening, Listening, Question::Overhear { port, label: label.to_owned() };
        /// A TCP connection; `greeting` where our listener should answer.
        tcp(to: SocketAddr, greeting: bool) -> Attempt, Attempt, tcp_question(to, None, greeting);
        /// The same by this link alone.
        tcp_on(to: SocketAddr, device: Option<&str>, greeting: bool) -> Attempt, Attempt, tcp_question(to, device, greeting);
        /// A UDP packet; `payload` where an application should answer, none for our listener.
        udp(to: SocketAddr, payload: Option<&str>) -> Attempt, Attempt, udp_question(to, None, payload);
        /// One to our listener, by this link alone.
        udp_on(to: SocketAddr, device: Option<&str>) -> Attempt, Attempt, udp_question(to, device, None);
        /// An ICMP echo, by this link alone where one is named.
        echo(to: IpAddr, device: Option<&str>) -> Attempt, Attempt, echo_question(to, device);
        /// Who answers at layer 2.
        heard(target: IpAddr, device: &str) -> Heard, Heard, solicit_question(target, device);
        /// Who else answers at layer 2 for an address of the asker's own.
        rivals(target: IpAddr) -> Heard, Heard, rivals_question(target);
        /// A page.
        http(host: &str, port: u16, path: &str) -> Http, Http, http_question(host, port, path);
    }

    /// The host's addresses as the machine beside it sees them: the gateways of its default routes.
    pub(super) fn beside(&mut self) -> Step<Vec<IpAddr>> {
        let routes = self.routes(&Vantage::Outside)?;
        Ok(routes.iter().filter(|r| r.prefix == 0).filter_map(|r| r.gateway).collect())
    }

    /// The container of a replica, where it runs.
    pub(super) fn running(&self, replica: &Replica) -> Step<&'a ObservedContainer> {
        let who = self.scene.called(replica);
        let Some(container) = self.scene.container(replica) else {
            return unproved(Why::NotRunning(format!("{who} has no container")));
        };
        match &container.state {
            ContainerState::Running { .. } | ContainerState::Paused => Ok(container),
            state => unproved(Why::NotRunning(format!("{who} does not run: {}", super::life::state_text(state)))),
        }
    }

    /// The place from which a running replica speaks.
    pub(super) fn stand(&self, replica: &Replica) -> Step<Vantage> {
        self.running(replica)?;
        let home = self.scene.home(replica);
        if home != *replica {
            self.running(&home)?;
        }
        Ok(self.scene.vantage(replica))
    }
}

/// Goes on with all of them, so that one round asks everything; stops open when one of them is.
pub(super) fn all<T>(steps: Vec<Step<T>>) -> Step<Vec<T>> {
    let mut settled = None;
    let mut done = vec![];
    let mut open = false;
    for step in steps {
        match step {
            Ok(value) => done.push(value),
            Err(Stop::Open) => open = true,
            Err(stop) => settled = settled.or(Some(stop)),
        }
    }
    match (settled, open) {
        (_, true) => Err(Stop::Open),
        (Some(stop), false) => Err(stop),
        (None, false) => Ok(done),
    }
}

pub(super) fn lookup_question(name: &str, family: Family) -> Question {
    Question::Lookup { name: name.to_owned(), family, server: None, within: NAME_WITHIN, tries: 2 }
}
pub(super) fn listen_question(label: &str) -> Question {
    Question::Listen { port: 0, scope: Scope::Any, label: label.to_owned() }
}
pub(super) fn tcp_question(to: SocketAddr, device: Option<&str>, greeting: bool) -> Question {
    Question::Connect { to, device: device.map(str::to_owned), greeting, within: WITHIN, tries: TRIES }
}
pub(super) fn udp_question(to: SocketAddr, device: Option<&str>, payload: Option<&str>) -> Question {
    let (device, payload) = (device.map(str::to_owned), payload.map(str::to_owned));
    Question::Datagram { to, device, payload, within: WITHIN, tries: TRIES }
}
pub(super) fn echo_question(to: IpAddr, device: Option<&str>) -> Question {
    Question::Echo { to, device: device.map(str::to_owned), within: WITHIN, tries: TRIES }
}
pub(super) fn solicit_question(target: IpAddr, device: &str) -> Question {
    Question::Solicit { target, device: Some(device.to_owned()), sender: None, within: WITHIN, tries: TRIES }
}
/// An ARP probe (RFC 5227), from nobody, so that it teaches nobody a wrong neighbour; neighbour discovery teaches only who has asked. Who
/// has the address answers at once.
pub(super) fn rivals_question(target: IpAddr) -> Question {
    let sender = target.is_ipv4().then_some(Ipv4Addr::UNSPECIFIED);
    Question::Solicit { target, device: None, sender, within: RIVALS_WITHIN, tries: 2 }
}
pub(super) fn http_question(host: &str, port: u16, path: &str) -> Question {
    Question::Http { host: host.to_owned(), port, to: None, path: path.to_owned(), within: Duration::from_secs(3) }
}

/// Goes on with both, so that one round asks for both.
pub(super) fn both<A, B>(a: Step<A>, b: Step<B>) -> Step<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Stop::Open), _) | (_, Err(Stop::Open)) => Err(Stop::Open),
        (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}

/// What helps to tell why, and need not be there.
pub(super) fn optional<T>(step: Step<T>) -> Step<Option<T>> {
    match step {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Open) => Err(Stop::Open),
        Err(Stop::Settled(_)) => Ok(None),
    }
}

//! Published ports from both sides of the host's own stack, and what applications listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::attempt::text;
use super::desk::{Desk, Step, all, both, optional, unproved};
use super::names::merged;
use crate::compose::model::Port;
use crate::name::{Protocol, Replica, ServiceName};
use crate::probe::{Attempt, Outcome, Process, Socket, Transport};
use crate::state::observed::BoundPort;
use crate::verify::check::{Side, Verdict, Why};
use crate::verify::scene::Vantage;

/// What is sent to a UDP application.
const PAYLOAD: &str = "bowline";

/// Where an application listens on a port: Ok where others reach it, Err with the cause where they do not.
pub(super) fn listening_text(
    sockets: &[Socket],
    port: u16,
    protocol: Protocol,
    own: &[IpAddr],
) -> Result<String, String> {
    let transport = if protocol == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
    let at: Vec<&Socket> = sockets.iter().filter(|s| s.transport == transport && s.port == port).collect();
    let name = |s: &Socket| SocketAddr::new(s.address, s.port).to_string();
    let open = at.iter().find(|s| s.address.is_unspecified() || own.contains(&s.address));
    match (open, at.first()) {
        (Some(socket), _) => Ok(format!("listens on {}/{protocol}", name(socket))),
        (None, Some(socket)) => Err(format!("listens on {} only", name(socket))),
        (None, None) => Err(format!("nothing listens on {port}/{protocol}")),
    }
}

pub(super) fn listens(desk: &mut Desk<'_>, replica: &Replica, port: u16, protocol: Protocol) -> Step<Verdict> {
    let at = desk.stand(replica)?;
    if protocol == Protocol::Sctp {
        return unproved(Why::NotSeen("the probe does not know SCTP".to_owned()));
    }
    let sockets = desk.sockets(&at)?;
    let own: Vec<IpAddr> = desk.scene.addresses(replica, &[]).into_iter().map(|(_, a)| a.addr()).collect();
    let who = desk.scene.called(replica);
    Ok(match listening_text(sockets, port, protocol, &own) {
        Ok(seen) => Verdict::Proved(vec![format!("{who} {seen}")]),
        Err(cause) => Verdict::refuted(format!("{who} listens on {port}/{protocol}"), format!("{who}: {cause}"))
            .help("make the application listen on 0.0.0.0, or correct `expose`"),
    })
}

pub(super) fn published(desk: &mut Desk<'_>, service: &ServiceName, port: &Port, from: Side) -> Step<Verdict> {
    let replicas = desk.scene.replicas(service);
    let steps = replicas.iter().map(|replica| one(desk, replica, port, from)).collect();
    Ok(merged(all(steps)?))
}

/// The bindings of a container that a port of the file made.
fn bound<'a>(desk: &Desk<'a>, replica: &Replica, port: &Port) -> Step<Vec<&'a BoundPort>> {
    let at = |b: &BoundPort| {
        port.host_ip.is_none_or(|ip| ip == b.host_ip || (ip.is_unspecified() && b.host_ip.is_unspecified()))
    };
    Ok(bound_anywhere(desk, replica, port)?.into_iter().filter(|b| at(b)).collect())
}

/// The bindings of a container with a port's numbers, at whatever address of the host.
fn bound_anywhere<'a>(desk: &Desk<'a>, replica: &Replica, port: &Port) -> Step<Vec<&'a BoundPort>> {
    let container = desk.running(replica)?;
    let fits = |b: &&BoundPort| {
        let range = port.published.is_none_or(|(first, last)| (first..=last).contains(&b.published));
        b.target == port.target && b.protocol == port.protocol && range
    };
    Ok(container.bound.iter().filter(fits).collect())
}

/// The addresses that a binding is asked at, from one side.
fn addresses(desk: &mut Desk<'_>, binding: &BoundPort, from: Side) -> Step<Vec<IpAddr>> {
    let any = binding.host_ip.is_unspecified();
    let same = |a: &IpAddr| a.is_ipv4() == binding.host_ip.is_ipv4();
    Ok(match from {
        _ if !any => vec![binding.host_ip],
        Side::Outside => desk.beside()?.into_iter().filter(same).collect(),
        Side::Host if binding.host_ip.is_ipv6() => vec![Ipv6Addr::LOCALHOST.into()],
        Side::Host => {
            let (links, all) = both(desk.links(&Vantage::Host), desk.addresses(&Vantage::Host))?;
            let card = |index: u32| links.iter().any(|l| l.index == index && l.kind.is_none() && !l.loopback);
            let own = all.iter().filter(|a| a.scope == "global" && card(a.index)).map(|a| a.address);
            std::iter::once(Ipv4Addr::LOCALHOST.into()).chain(own.filter(same)).collect()
        }
    })
}

/// How a published port is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// A TCP connection.
    Connection,
    /// A UDP packet that the application may answer.
    Application,
    /// A UDP packet that our ear beside the application answers.
    Ear,
}

fn ask<'a>(desk: &mut Desk<'a>, at: &Vantage, how: Asking, to: SocketAddr) -> Step<&'a Attempt> {
    match how {
        Asking::Connection => desk.tcp(at, to, false),
        Asking::Application => desk.udp(at, to, Some(PAYLOAD)),
        Asking::Ear => desk.udp(at, to, None),
    }
}

/// A UDP application may rightly keep silent: an ear is put beside it, where the probe may make packets of its own.
fn asking(desk: &mut Desk<'_>, inside: &Vantage, replica: &Replica, port: &Port) -> Step<Asking> {
    if port.protocol != Protocol::Udp {
        return Ok(Asking::Connection);
    }
    let label = desk.scene.home(replica).to_string();
    let ear = optional(desk.ear(inside, port.target, &label))?;
    Ok(if ear.is_some() { Asking::Ear } else { Asking::Application })
}

fn vantage(from: Side) -> Vantage {
    match from {
        Side::Host => Vantage::Host,
        Side::Outside => Vantage::Outside,
    }
}

/// What is known of one container's published port.
struct Seen<'a> {
    who: String,
    how: Asking,
    own: Vec<IpAddr>,
    tried: Vec<(SocketAddr, &'a Attempt)>,
    listening: Result<String, String>,
    proxies: Option<&'a Vec<Process>>,
    bound: Vec<&'a BoundPort>,
}

fn one(desk: &mut Desk<'_>, replica: &Replica, port: &Port, from: Side) -> Step<Verdict> {
    let inside = desk.stand(replica)?;
    let who = desk.scene.called(replica);
    if port.protocol == Protocol::Sctp {
        return unproved(Why::NotSeen("the probe does not speak SCTP".to_owned()));
    }
    let bindings = bound(desk, replica, port)?;
    if bindings.is_empty() {
        let expected = format!("{}/{} of {who} is published", port.target, port.protocol);
        let others = bound_anywhere(desk, replica, port)?;
        let others: Vec<String> = others.iter().map(|b| SocketAddr::new(b.host_ip, b.published).to_string()).collect();
        let found = match others.is_empty() {
            true => "the Engine has bound no such port of it".to_owned(),
            false => format!("the Engine has bound it at {}", others.join(", ")),
        };
        return Ok(Verdict::refuted(expected, found)
            .help("the container was made from another file, or has no bridge: `bowline up -d`"));
    }
    if let Some(paused) = super::life::paused(desk, replica) {
        let expected = format!("{who} answers at {}/{}", port.target, port.protocol);
        return Ok(Verdict::refuted(expected, paused.found).help(paused.help));
    }
    let at = vantage(from);
    let asking = asking(desk, &inside, replica, port);
    let mut steps = vec![];
    for binding in &bindings {
        let addresses = addresses(desk, binding, from);
        steps.push(both(addresses, asking.clone()).and_then(|(addresses, how)| {
            let tries = addresses.into_iter().map(|a| SocketAddr::new(a, binding.published));
            let tries: Vec<_> = tries.map(|to| ask(desk, &at, how, to).map(|a| (to, a))).collect();
            all(tries)
        }));
    }
    let proxies = optional(desk.proxies(&Vantage::Host));
    let (sockets, proxies) = both(desk.sockets(&inside), proxies)?;
    let tried: Vec<_> = all(steps)?.into_iter().flatten().collect();
    if tried.is_empty() {
        return unproved(Why::NotSeen(format!("no address of the host to ask for {who} at, from {at}")));
    }
    let own: Vec<IpAddr> = desk.scene.addresses(replica, &[]).into_iter().map(|(_, a)| a.addr()).collect();
    let listening = listening_text(sockets, port.target, port.protocol, &own);
    let seen = Seen { who, how: asking?, own, tried, listening, proxies, bound: bindings };
    verdict(desk, &seen, from)
}

fn verdict(desk: &mut Desk<'_>, seen: &Seen<'_>, from: Side) -> Step<Verdict> {
    let who = &seen.who;
    let lines: Vec<String> = seen.tried.iter().map(|(to, a)| format!("{to} {}", text(a))).collect();
    if let Some((to, broken)) = seen.tried.iter().find(|(_, a)| a.outcome == Outcome::Failed) {
        return unproved(Why::NotSeen(format!("{to}: {}", text(broken))));
    }
    let dead: Vec<&(SocketAddr, &Attempt)> =
        seen.tried.iter().filter(|(_, a)| a.outcome != Outcome::Answered).collect();
    let expected = format!("{who} answers at {}", addresses_text(&seen.tried));
    // docker-proxy accepts a connection for a container where nobody listens
    if let Err(cause) = &seen.listening {
        return Ok(Verdict::refuted(expected, lines.join("; "))
            .seen(format!("{who}: {cause}"))
            .help("make the application listen on 0.0.0.0 and the port that `ports` names as the container's"));
    }
    if dead.is_empty() {
        return Ok(Verdict::Proved(lines.into_iter().chain(proxy_lines(seen, from)).collect()));
    }
    if seen.how == Asking::Application && dead.iter().all(|(_, a)| a.outcome == Outcome::TimedOut) {
        let text = format!("{}; a UDP application may keep silent, and {who} has the port bound", lines.join("; "));
        return unproved(Why::Inconclusive(text));
    }
    // [::1] needs docker-proxy, and an Engine may run without any
    let v6_alone = dead.iter().all(|(to, _)| to.ip() == Ipv6Addr::LOCALHOST) && dead.len() < seen.tried.len();
    if v6_alone && seen.proxies.is_some_and(Vec::is_empty) {
        let note = "the Engine runs without docker-proxy, which alone would answer [::1]".to_owned();
        return Ok(Verdict::Proved(lines.into_iter().chain([note]).collect()));
    }
    silent(desk, seen, from, Verdict::refuted(expected, lines.join("; ")))
}

fn addresses_text(tried: &[(SocketAddr, &Attempt)]) -> String {
    tried.iter().map(|(to, _)| to.to_string()).collect::<Vec<_>>().join(", ")
}

/// One argument of docker-proxy.
fn argument<'a>(process: &'a Process, name: &str) -> Option<&'a str> {
    let at = process.arguments.iter().position(|a| a == name)?;
    process.arguments.get(at + 1).map(String::as_str)
}

/// The processes that carry a binding.
fn carriers<'a>(seen: &Seen<'a>, binding: &BoundPort) -> Vec<&'a Process> {
    let fits = |p: &&Process| {
        argument(p, "-host-port") == Some(&binding.published.to_string())
            && argument(p, "-proto") == Some(&binding.protocol.to_string())
            && argument(p, "-host-ip").and_then(|ip| ip.parse().ok()) == Some(binding.host_ip)
    };
    seen.proxies.map(|all| all.iter().filter(fits).collect()).unwrap_or_default()
}

/// The docker-proxy processes as evidence, where they run.
fn proxy_lines(seen: &Seen<'_>, from: Side) -> Vec<String> {
    if from == Side::Outside {
        return vec![];
    }
    let line = |b: &&BoundPort| {
        let carriers = carriers(seen, b);
        let first = carriers.first()?;
        let to = argument(first, "-container-ip").unwrap_or("?");
        Some(format!("docker-proxy {} leads {} to {to}", first.pid, SocketAddr::new(b.host_ip, b.published)))
    };
    seen.bound.iter().filter_map(line).collect()
}

/// Why a published port is silent: what the host's processes and the other side of its stack show.
fn silent(desk: &mut Desk<'_>, seen: &Seen<'_>, from: Side, verdict: Verdict) -> Step<Verdict> {
    for binding in &seen.bound {
        for process in carriers(seen, binding) {
            let leads = argument(process, "-container-ip").and_then(|ip| ip.parse::<IpAddr>().ok());
            if let Some(old) = leads.filter(|ip| !seen.own.contains(ip)) {
                return Ok(verdict
                    .seen(format!("docker-proxy {} still leads to {old}, and {} is elsewhere", process.pid, seen.who))
                    .help(format!("restart {}: the Engine starts it anew", seen.who)));
            }
        }
    }
    let gone = |b: &&BoundPort| carriers(seen, b).is_empty();
    let without = seen.proxies.is_some() && seen.bound.iter().any(gone);
    if from == Side::Outside {
        let inside = seen.bound.iter().zip(seen.own.iter().filter(|a| a.is_ipv4()));
        let inside = inside.map(|(b, a)| SocketAddr::new(*a, b.target)).next();
        let itself = match inside {
            Some(to) => optional(ask(desk, &Vantage::Host, seen.how, to).map(|a| (to, a)))?,
            None => None,
        };
        let verdict = match itself.filter(|(_, a)| a.outcome == Outcome::Answered) {
            Some((to, _)) => {
                verdict.seen(format!("{} answers the host at {to}: a firewall drops what comes from outside", seen.who))
            }
            None => verdict,
        };
        return Ok(verdict.help(
            "look at `iptables -S DOCKER-USER`, `iptables -S FORWARD` and `iptables -t nat -S DOCKER` on the host",
        ));
    }
    let outside = beside(desk, seen)?;
    Ok(match (without, outside) {
        (true, Some(line)) => verdict
            .seen(format!("docker-proxy of this port is gone: reached from outside, not from the host ({line})"))
            .help(format!("restart {}: the Engine starts docker-proxy anew", seen.who)),
        (true, None) => verdict
            .seen("no docker-proxy carries this port")
            .help(format!("restart {}: the Engine starts docker-proxy anew", seen.who)),
        (false, _) => match &seen.listening {
            Ok(line) => verdict.seen(format!("{} {line}", seen.who)),
            Err(cause) => verdict.seen(format!("{}: {cause}", seen.who)),
        },
    })
}

/// The same port from beside the host, or at an address of the host that needs no docker-proxy, where one answers.
fn beside(desk: &mut Desk<'_>, seen: &Seen<'_>) -> Step<Option<String>> {
    let mut steps = vec![];
    for binding in &seen.bound {
        let Some(addresses) = optional(addresses(desk, binding, Side::Outside))? else { continue };
        for address in addresses.into_iter().filter(|a| !a.is_loopback()) {
            let to = SocketAddr::new(address, binding.published);
            let step = ask(desk, &Vantage::Outside, seen.how, to);
            steps.push(optional(step.map(|attempt| (to, attempt))));
        }
    }
    let tried: Vec<_> = all(steps)?.into_iter().flatten().collect();
    let hit = tried.iter().chain(&seen.tried).find(|(_, a)| a.outcome == Outcome::Answered);
    Ok(hit.map(|(to, a)| format!("{to} {}", text(a))))
}

/// A port at a loopback address, or one that a rule denies: from outside nobody answers. A refusal is the host's own.
pub(super) fn not_published(desk: &mut Desk<'_>, service: &ServiceName, port: &Port) -> Step<Verdict> {
    let mut steps = vec![];
    for replica in desk.scene.replicas(service) {
        steps.push(silent_outside(desk, &replica, port));
    }
    Ok(merged(all(steps)?))
}

fn silent_outside(desk: &mut Desk<'_>, replica: &Replica, port: &Port) -> Step<Verdict> {
    let bindings = bound_anywhere(desk, replica, port)?;
    let who = desk.scene.called(replica);
    let inside = desk.stand(replica)?;
    let mut steps = vec![];
    let (beside, how) = both(desk.beside(), asking(desk, &inside, replica, port))?;
    for binding in &bindings {
        let near: Vec<IpAddr> = match binding.host_ip {
            ip if ip.is_loopback() || ip.is_unspecified() => beside.clone(),
            ip => vec![ip],
        };
        for address in near.into_iter().filter(|a| a.is_ipv4() == binding.host_ip.is_ipv4()) {
            let to = SocketAddr::new(address, binding.published);
            // the control: the machine beside the host sees the host
            let control = desk.echo(&Vantage::Outside, address, None);
            steps.push(both(ask(desk, &Vantage::Outside, how, to), control).map(|(a, c)| (to, a, c)));
        }
    }
    if steps.is_empty() {
        return unproved(Why::NotSeen(format!("no address of the host to ask for {who} at, from outside")));
    }
    let tried = all(steps)?;
    let lines: Vec<String> = tried.iter().map(|(to, a, _)| format!("{to} from outside: {}", text(a))).collect();
    if tried.iter().any(|(_, a, _)| a.outcome == Outcome::Answered) {
        return Ok(Verdict::refuted(format!("{who} does not answer from outside"), lines.join("; "))
            .help("publish it at 127.0.0.1, or drop it in the chain DOCKER-USER"));
    }
    if tried.iter().any(|(_, a, _)| a.outcome == Outcome::Failed) {
        return unproved(Why::NotSeen(lines.join("; ")));
    }
    let seen = tried.iter().all(|(_, a, c)| super::attempt::reached(c) || a.outcome == Outcome::Refused);
    if !seen {
        return unproved(Why::NoControl(format!("{}; but the host answers nothing else either", lines.join("; "))));
    }
    Ok(Verdict::Proved(lines))
}

//! Attempts at an address, and what they say: reached, blocked, or nothing at all.

use std::net::SocketAddr;

use super::aim::Aim;
use super::desk::{Desk, Step, both, unproved};
use crate::name::Protocol;
use crate::probe::{Attempt, Outcome};
use crate::verify::check::{How, Why};
use crate::verify::scene::Vantage;

/// A port where nothing is meant to listen: a refusal shows that the address lives (RFC 863, discard).
pub(super) const CLOSED: u16 = 9;
const EPERM: i32 = 1;
const EACCES: i32 = 13;
const ENOBUFS: i32 = 105;
/// What is sent to an application by UDP.
const PAYLOAD: &str = "bowline";

/// Everything that was tried at one address.
pub(super) struct Tried<'a> {
    /// Each with its name: `TCP`, `UDP`, `ICMP`.
    pub attempts: Vec<(&'static str, &'a Attempt)>,
    /// The label that our listener there greets with, where one was asked.
    pub greeting: Option<String>,
}

impl Tried<'_> {
    /// Whether an attempt got to the target. Where our own listener stands at that port, only its greeting tells: a refusal is
    /// somebody else's then, a firewall's on the way or that of a machine which the packets went to instead.
    pub fn got_there(&self, attempt: &Attempt) -> bool {
        let echo = self.attempts.iter().any(|(name, a)| *name == "ICMP" && std::ptr::eq(*a, attempt));
        match &self.greeting {
            Some(_) if echo => attempt.outcome == Outcome::Answered,
            Some(label) => attempt.outcome == Outcome::Answered && attempt.greeting.as_ref() == Some(label),
            None => reached(attempt),
        }
    }

    /// Who answered TCP in the place of our listener: another listener of ours by its label, or somebody without one.
    pub fn impostor(&self) -> Option<String> {
        let label = self.greeting.as_ref()?;
        let tcp = self.attempts.iter().find(|(name, a)| *name == "TCP" && a.outcome == Outcome::Answered)?.1;
        match &tcp.greeting {
            Some(other) if other != label => Some(other.clone()),
            Some(_) => None,
            None => Some("somebody who is no listener of ours".to_owned()),
        }
    }

    /// Whether somebody else refused what our listener would have answered.
    pub fn refused_by_others(&self) -> bool {
        let refused = |(name, a): &(&str, &Attempt)| *name != "ICMP" && a.outcome == Outcome::Refused;
        self.greeting.is_some() && self.attempts.iter().any(refused)
    }

    /// All of them in words.
    pub fn summary(&self) -> String {
        match &self.greeting {
            Some(_) => summary(&self.attempts).replace(NOTHING_LISTENS, " by somebody else"),
            None => summary(&self.attempts),
        }
    }
}

/// What a refusal tells where nothing of ours stands at the port.
const NOTHING_LISTENS: &str = ": the way is open, nothing listens";

/// Whether an attempt got somewhere: an answer, or a refusal, which is an answer too.
pub(super) fn reached(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Answered | Outcome::Refused)
}

/// Milliseconds, with the places that matter.
fn time(attempt: &Attempt) -> String {
    let ms = attempt.micros as f64 / 1000.0;
    if ms < 1.0 { format!("{ms:.2} ms") } else { format!("{ms:.1} ms") }
}

/// An outcome in words.
pub(super) fn text(attempt: &Attempt) -> String {
    match attempt.outcome {
        Outcome::Answered => format!("answered in {}", time(attempt)),
        Outcome::Refused => format!("refused in {}{NOTHING_LISTENS}", time(attempt)),
        Outcome::TimedOut => "nothing came back".to_owned(),
        Outcome::Unreachable if attempt.by.is_none() && attempt.errno == Some(101) => "no route".to_owned(),
        Outcome::Unreachable => match attempt.by {
            Some(by) => format!("unreachable, says {by}"),
            None => "unreachable".to_owned(),
        },
        Outcome::Prohibited => match attempt.by {
            Some(by) => format!("prohibited, says {by}"),
            None => "prohibited".to_owned(),
        },
        // measured: the table of all namespaces together holds 1024 neighbours, and what does not fit is not sent
        Outcome::Failed if attempt.errno == Some(ENOBUFS) => {
            "could not be asked: the host's table of neighbours is full \
             (raise net.ipv4.neigh.default.gc_thresh3)"
                .to_owned()
        }
        Outcome::Failed => format!("could not be asked: {}", attempt.message.as_deref().unwrap_or("no reason given")),
    }
}

/// `answered (TCP 0.2 ms, UDP 0.1 ms)`, `TCP, UDP: nothing came back`, or each in turn where they differ.
pub(super) fn summary(attempts: &[(&'static str, &Attempt)]) -> String {
    let names = || attempts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let answered = attempts.iter().all(|(_, a)| a.outcome == Outcome::Answered);
    if answered && attempts.len() > 1 {
        let times = attempts.iter().map(|(name, a)| format!("{name} {}", time(a)));
        return format!("answered ({})", times.collect::<Vec<_>>().join(", "));
    }
    let texts: Vec<String> = attempts.iter().map(|(_, a)| text(a)).collect();
    if texts.len() > 1 && texts.windows(2).all(|pair| pair[0] == pair[1]) {
        return format!("{}: {}", names(), texts[0]);
    }
    let each = attempts.iter().zip(&texts).map(|((name, _), text)| format!("{name} {text}"));
    each.collect::<Vec<_>>().join(", ")
}

/// An attempt that could not be made, where it matters. Ping sockets may be forbidden to us, and then TCP and UDP tell enough;
/// any other failure says that this place cannot send as it should.
pub(super) fn broken<'a>(attempts: &[(&'static str, &'a Attempt)]) -> Option<&'a Attempt> {
    let alone = attempts.len() == 1;
    let forbidden = |a: &Attempt| matches!(a.errno, Some(EPERM | EACCES));
    let failed =
        attempts.iter().find(|(name, a)| a.outcome == Outcome::Failed && (alone || *name != "ICMP" || !forbidden(a)));
    failed.map(|(_, a)| *a)
}

/// The place where a container's listener stands, and its label.
pub(super) fn listener_of(aim: &Aim) -> Option<(Vantage, String)> {
    aim.replica.as_ref().map(|r| (Vantage::Replica(r.clone()), r.to_string()))
}

/// Tries everything that `how` asks for, from one place to one address.
pub(super) fn attempts<'a>(desk: &mut Desk<'a>, from: &Vantage, aim: &Aim, how: &How) -> Step<Tried<'a>> {
    match how {
        How::Icmp => {
            let echo = desk.echo(from, aim.address, aim.device())?;
            Ok(Tried { attempts: vec![("ICMP", echo)], greeting: None })
        }
        How::Port(port, Protocol::Tcp) => {
            let tcp = desk.tcp(from, SocketAddr::new(aim.address, *port), false)?;
            Ok(Tried { attempts: vec![("TCP", tcp)], greeting: None })
        }
        How::Port(port, Protocol::Udp) => {
            let udp = desk.udp(from, SocketAddr::new(aim.address, *port), Some(PAYLOAD))?;
            Ok(Tried { attempts: vec![("UDP", udp)], greeting: None })
        }
        How::Port(_, Protocol::Sctp) => unproved(Why::NotSeen("the probe does not speak SCTP".to_owned())),
        How::Network | How::Arp | How::Http { .. } => network(desk, from, aim),
    }
}

/// TCP, UDP and ICMP to our listener; without one, TCP to a closed port and ICMP.
pub(super) fn network<'a>(desk: &mut Desk<'a>, from: &Vantage, aim: &Aim) -> Step<Tried<'a>> {
    let Some((there, label)) = listener_of(aim) else {
        let tcp = desk.tcp_on(from, SocketAddr::new(aim.address, CLOSED), aim.device(), false);
        let (tcp, echo) = both(tcp, desk.echo(from, aim.address, aim.device()))?;
        return Ok(Tried { attempts: vec![("TCP", tcp), ("ICMP", echo)], greeting: None });
    };
    // all three in one round: a block costs one wait
    let listener = desk.listener(&there, &label)?;
    let (to, device) = (SocketAddr::new(aim.address, listener.port), aim.device());
    // a link-local address that was not ready when the listener was set up is heard by TCP alone
    let hears_udp = aim.zone.is_none() || listener.addresses.contains(&aim.address);
    let udp = if hears_udp { desk.udp_on(from, to, device).map(Some) } else { Ok(None) };
    let tcp_and_udp = both(desk.tcp_on(from, to, device, true), udp);
    let ((tcp, udp), echo) = both(tcp_and_udp, desk.echo(from, aim.address, device))?;
    let attempts = [("TCP", Some(tcp)), ("UDP", udp), ("ICMP", Some(echo))];
    let attempts = attempts.into_iter().filter_map(|(name, attempt)| Some((name, attempt?))).collect();
    Ok(Tried { attempts, greeting: Some(label) })
}

/// UDP to our listener beside the application: shows that the way carries UDP, whatever the application answers.
pub(super) fn udp_path<'a>(desk: &mut Desk<'a>, from: &Vantage, aim: &Aim) -> Step<Option<&'a Attempt>> {
    let Some((there, label)) = listener_of(aim) else { return Ok(None) };
    let port = desk.listener(&there, &label)?.port;
    desk.udp(from, SocketAddr::new(aim.address, port), None).map(Some)
}

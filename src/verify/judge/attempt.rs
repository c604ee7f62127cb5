//! Attempts at an address, and what they say: reached, blocked, or nothing at all.

use std::net::{IpAddr, SocketAddr};

use super::aim::{Aim, Stand};
use super::desk::{Desk, Step, both, unproved};
use crate::name::Protocol;
use crate::probe::{Attempt, Outcome};
use crate::verify::check::{How, Why};
use crate::verify::scene::Vantage;

/// A port where nothing is meant to listen: a refusal shows that the address lives (RFC 863, discard).
const CLOSED: u16 = 9;
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

/// An outcome in words, with what it tells.
pub(super) fn text(attempt: &Attempt) -> String {
    let ms = attempt.micros as f64 / 1000.0;
    match attempt.outcome {
        Outcome::Answered => format!("answered in {ms:.1} ms"),
        Outcome::Refused => format!("refused in {ms:.1} ms{NOTHING_LISTENS}"),
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
        Outcome::Failed => format!("could not be asked: {}", attempt.message.as_deref().unwrap_or("no reason given")),
    }
}

/// `TCP nothing came back, UDP nothing came back`.
pub(super) fn summary(attempts: &[(&'static str, &Attempt)]) -> String {
    let texts: Vec<String> = attempts.iter().map(|(name, a)| format!("{name} {}", text(a))).collect();
    match texts.split_first() {
        Some((first, rest)) => {
            let same = attempts.windows(2).all(|w| text(w[0].1) == text(w[1].1));
            if same && !rest.is_empty() {
                let names: Vec<&str> = attempts.iter().map(|(n, _)| *n).collect();
                format!("{}: {}", names.join(", "), text(attempts[0].1))
            } else {
                std::iter::once(first).chain(rest).cloned().collect::<Vec<_>>().join(", ")
            }
        }
        None => "nothing was tried".to_owned(),
    }
}

/// The place where a container's listener stands, and its label.
fn listener_of(aim: &Aim) -> Option<(Vantage, String)> {
    aim.replica.as_ref().map(|r| (Vantage::Replica(r.clone()), r.to_string()))
}

/// Tries everything that `how` asks for, from one place to one address.
pub(super) fn attempts<'a>(desk: &mut Desk<'a>, from: &Vantage, aim: &Aim, how: &How) -> Step<Tried<'a>> {
    match how {
        How::Icmp => {
            let echo = desk.echo(from, aim.address)?;
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
        let tcp = desk.tcp(from, SocketAddr::new(aim.address, CLOSED), false);
        let (tcp, echo) = both(tcp, desk.echo(from, aim.address))?;
        return Ok(Tried { attempts: vec![("TCP", tcp), ("ICMP", echo)], greeting: None });
    };
    let echo = desk.echo(from, aim.address);
    let (listening, echo) = both(desk.listener(&there, &label), echo)?;
    let to = SocketAddr::new(aim.address, listening.port);
    let (tcp, udp) = both(desk.tcp(from, to, true), desk.udp(from, to, None))?;
    Ok(Tried { attempts: vec![("TCP", tcp), ("UDP", udp), ("ICMP", echo)], greeting: Some(label) })
}

/// UDP to our listener beside the application: shows that the way carries UDP, whatever the application answers.
pub(super) fn udp_path<'a>(desk: &mut Desk<'a>, from: &Vantage, aim: &Aim) -> Step<Option<&'a Attempt>> {
    let Some((there, label)) = listener_of(aim) else { return Ok(None) };
    let port = desk.listener(&there, &label)?.port;
    desk.udp(from, SocketAddr::new(aim.address, port), None).map(Some)
}

/// The target lives: it is reached from its own namespace, or from the host where it has none of ours.
pub(super) fn target_control(desk: &mut Desk<'_>, aim: &Aim, how: &How) -> Step<Option<String>> {
    let (at, who) = match listener_of(aim) {
        Some((there, _)) => (there, format!("{} itself", aim.called)),
        None => (Vantage::Host, "the host".to_owned()),
    };
    let tried = attempts(desk, &at, aim, how)?;
    let hit = tried.attempts.iter().find(|(_, a)| tried.got_there(a));
    Ok(hit.map(|(name, a)| format!("control: {} answers {who} ({name} {})", aim.address, text(a))))
}

/// The asker can ask: it reaches itself by the same means.
pub(super) fn source_control(desk: &mut Desk<'_>, stand: &Stand) -> Step<Option<String>> {
    let tried = match &stand.replica {
        Some(replica) => {
            let label = replica.to_string();
            let port = desk.listener(&stand.at, &label)?.port;
            let own = IpAddr::from([127, 0, 0, 1]);
            desk.tcp(&stand.at, SocketAddr::new(own, port), true)?
        }
        // a machine beside the host sees the host, and the host itself
        None => {
            let own = match stand.at {
                Vantage::Outside => desk.beside()?.first().copied(),
                _ => None,
            };
            desk.tcp(&stand.at, SocketAddr::new(own.unwrap_or(IpAddr::from([127, 0, 0, 1])), CLOSED), false)?
        }
    };
    Ok(reached(tried).then(|| format!("control: the probe in {} reaches itself", stand.called)))
}

//! Attempts to reach something by TCP or UDP, and what their failures mean.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Attempt, Icmp, Outcome};
use crate::icmp::{self, QueuedError};
use crate::sys::{self, Socket};
use crate::{dump, listen, text};

/// No question takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// Between two tries, where the first one did not take its whole share of the time.
const PAUSE: Duration = Duration::from_millis(100);

/// What one try found.
pub struct Found {
    pub outcome: Outcome,
    pub errno: Option<i32>,
    pub from: Option<SocketAddr>,
    pub queued: Option<QueuedError>,
    pub greeting: Option<String>,
    pub message: Option<String>,
}

impl Found {
    /// An outcome alone.
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome, errno: None, from: None, queued: None, greeting: None, message: None }
    }

    /// What a failed call means.
    pub fn of_error(error: &io::Error, doing: &str) -> Self {
        let outcome = match error.raw_os_error() {
            None if error.kind() == io::ErrorKind::TimedOut => Outcome::TimedOut,
            None => Outcome::Failed,
            Some(errno) => outcome_of(errno),
        };
        let message = (outcome == Outcome::Failed).then(|| format!("cannot {doing}: {error}"));
        Self { errno: error.raw_os_error(), message, ..Self::new(outcome) }
    }

    /// What an ICMP message, or our own kernel, said about a packet of ours.
    pub fn of_queued(queued: QueuedError) -> Self {
        let outcome = match (queued.message, queued.errno) {
            (Some((3, 9 | 10 | 13) | (1, 1 | 5 | 6)), sys::EACCES | sys::EHOSTUNREACH | sys::ENETUNREACH) => {
                Outcome::Prohibited
            }
            (_, errno) => outcome_of(errno),
        };
        Self { errno: Some(queued.errno), queued: Some(queued), ..Self::new(outcome) }
    }
}

/// What the system's number means for an attempt.
///
/// A blackhole route answers `EINVAL` to its own host; without IPv6 in the kernel every such address is `EAFNOSUPPORT`; without an
/// address of the family to send from it is `EADDRNOTAVAIL`.
fn outcome_of(errno: i32) -> Outcome {
    match errno {
        sys::ECONNREFUSED => Outcome::Refused,
        sys::ETIMEDOUT => Outcome::TimedOut,
        sys::ENETUNREACH | sys::EHOSTUNREACH | sys::ENETDOWN | sys::EHOSTDOWN => Outcome::Unreachable,
        sys::EINVAL | sys::EAFNOSUPPORT | sys::EADDRNOTAVAIL => Outcome::Unreachable,
        sys::EACCES | sys::EPERM => Outcome::Prohibited,
        _ => Outcome::Failed,
    }
}

/// Tries until something answers, refuses, or our own side fails; `within` is shared evenly by the tries.
pub fn attempt(within: Duration, tries: u8, mut once: impl FnMut(Instant) -> Found) -> Attempt {
    let tries = tries.clamp(1, 20);
    let share = within.min(LONGEST) / u32::from(tries);
    for number in 1..=tries {
        let started = Instant::now();
        let deadline = started + share;
        let found = once(deadline);
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let again = matches!(found.outcome, Outcome::TimedOut | Outcome::Unreachable | Outcome::Prohibited);
        if again && number < tries {
            thread::sleep(deadline.saturating_duration_since(Instant::now()).min(PAUSE));
            continue;
        }
        let icmp = found.queued.and_then(|q| q.message).map(|(kind, code)| Icmp { kind, code });
        return Attempt {
            outcome: found.outcome,
            errno: found.errno,
            micros,
            tries: number,
            from: found.from,
            by: found.queued.and_then(|q| q.by),
            icmp,
            greeting: found.greeting,
            message: found.message,
        };
    }
    unreachable!("there is at least one try, and the last one returns")
}

/// `to` with the number of `device` as its zone where it is link-local, which cannot be reached without one.
pub fn zoned(to: SocketAddr, device: Option<&str>) -> Result<SocketAddr, Found> {
    let SocketAddr::V6(v6) = to else { return Ok(to) };
    if !v6.ip().is_unicast_link_local() && !v6.ip().is_multicast() || v6.scope_id() != 0 {
        return Ok(to);
    }
    let trouble = |message: String| Found { message: Some(message), ..Found::new(Outcome::Failed) };
    let device = device.ok_or_else(|| trouble(format!("{} is link-local: no link is named", v6.ip())))?;
    let links = dump::Kernel::open().and_then(|mut kernel| kernel.links());
    let links = links.map_err(|e| Found::of_error(&e, "read the links"))?;
    let link = links.iter().find(|link| link.name == device);
    let index = link.ok_or_else(|| trouble(format!("there is no link {device}")))?.index;
    Ok(SocketAddrV6::new(*v6.ip(), v6.port(), 0, index).into())
}

/// A TCP connection.
pub fn connect(to: SocketAddr, device: Option<&str>, greeting: bool, within: Duration, tries: u8) -> Attempt {
    attempt(within, tries, |deadline| {
        let to = match zoned(to, device) {
            Ok(to) => to,
            Err(found) => return found,
        };
        let socket = match Socket::towards(to.ip(), sys::SOCK_STREAM, 0, device) {
            Ok(socket) => socket,
            Err(e) => return Found::of_error(&e, "open a socket"),
        };
        if let Err(e) = socket.connect(&to, deadline) {
            return Found { from: socket.local_address().ok(), ..Found::of_error(&e, "connect") };
        }
        let from = socket.local_address().ok();
        if from == Some(to) {
            // two ephemeral ports met: the socket is connected to itself, nothing listens there
            return Found { from, errno: Some(sys::ECONNREFUSED), ..Found::new(Outcome::Refused) };
        }
        let label = greeting.then(|| read_greeting(&socket, deadline)).flatten();
        Found { from, greeting: label, ..Found::new(Outcome::Answered) }
    })
}

/// The label that a listener of ours sends first.
fn read_greeting(socket: &Socket, deadline: Instant) -> Option<String> {
    let mut said = Vec::new();
    let mut buffer = [0u8; 256];
    while said.len() < 256 && !said.contains(&b'\n') && socket.readable(deadline).ok()? {
        match socket.receive_from(&mut buffer) {
            Ok((0, _)) => break,
            Ok((count, _)) => said.extend_from_slice(&buffer[..count]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    listen::label_in(&said, b"").map(|label| text::printable(&label))
}

/// A UDP packet with a nonce, or with `payload`.
pub fn datagram(to: SocketAddr, device: Option<&str>, payload: Option<&str>, within: Duration, tries: u8) -> Attempt {
    attempt(within, tries, |deadline| {
        let to = match zoned(to, device) {
            Ok(to) => to,
            Err(found) => return found,
        };
        let nonce = format!("{:016x}", random());
        let request = payload.map_or_else(|| listen::request(nonce.as_bytes()), |text| text.as_bytes().to_vec());
        exchange(to, device, (sys::SOCK_DGRAM, 0), deadline, &request, |answer| {
            if payload.is_some() {
                return Some(None);
            }
            listen::label_in(answer, nonce.as_bytes()).map(|label| Some(text::printable(&label)))
        })
    })
}

/// Sends one packet and waits for the answer that `accept` takes (with the label it carries), or for an error.
pub fn exchange(
    to: SocketAddr,
    device: Option<&str>,
    (kind, protocol): (i32, i32),
    deadline: Instant,
    request: &[u8],
    accept: impl Fn(&[u8]) -> Option<Option<String>>,
) -> Found {
    let socket = match Socket::towards(to.ip(), kind, protocol, device) {
        Ok(socket) => socket,
        Err(e) => return Found::of_error(&e, "open a socket"),
    };
    let begun = socket.queue_errors(to.ip()).and_then(|()| socket.connect(&to, deadline));
    let from = socket.local_address().ok();
    if let Err(e) = begun.and_then(|()| socket.send(request)) {
        let found = own_error(&socket).map_or_else(|| Found::of_error(&e, "send"), Found::of_queued);
        return Found { from, ..found };
    }
    let mut buffer = [0u8; 2048];
    loop {
        match socket.readable(deadline) {
            Ok(true) => {}
            Ok(false) => return Found { from, ..Found::new(Outcome::TimedOut) },
            Err(e) => return Found { from, ..Found::of_error(&e, "wait") },
        }
        if let Some(queued) = own_error(&socket) {
            return Found { from, ..Found::of_queued(queued) };
        }
        match socket.receive_from(&mut buffer) {
            Ok((count, _)) => {
                if let Some(greeting) = accept(&buffer[..count]) {
                    return Found { from, greeting, ..Found::new(Outcome::Answered) };
                }
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Found { from, ..Found::of_error(&e, "receive") },
        }
    }
}

/// The oldest error in the socket's queue that ends the attempt; a message about fragments does not.
fn own_error(socket: &Socket) -> Option<QueuedError> {
    while let Some(control) = socket.queued_error() {
        let queued = icmp::queued_error(&control)?;
        if outcome_of(queued.errno) != Outcome::Failed {
            return Some(queued);
        }
    }
    None
}

/// A number that nobody guesses.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

//! An HTTP GET, the name resolved as the container resolves it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::answer::{Answer, Attempt, Failure, Http, NameOutcome, Outcome};
use crate::attempt::{self, Found};
use crate::http::{Response, State};
use crate::lookup;
use crate::question::Family;
use crate::sys::{self, Socket};

/// Asks for `path`, and reads the answer as far as it is kept.
pub fn get(host: &str, port: u16, to: Option<IpAddr>, path: &str, within: Duration) -> Answer {
    if !host.bytes().all(|b| b.is_ascii_graphic()) || host.is_empty() || !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Answer::Failure(Failure { errno: None, message: "a host or path with blanks".to_owned() });
    }
    let started = Instant::now();
    let (address, resolved_by) = match resolve(host, to, within) {
        Ok(found) => found,
        Err(unknown) => return Answer::Http(unresolved(started, unknown)),
    };
    let to = SocketAddr::new(address, port);
    let mut response = Response::default();
    let left = within.saturating_sub(started.elapsed());
    let request = request(host, port, path);
    let attempt = attempt::attempt(left, 1, |deadline| {
        fetch(to, &request, deadline, &mut response).unwrap_or_else(|e| Found::of_error(&e, "ask"))
    });
    let truncated = attempt.outcome == Outcome::Answered && response.close() != State::Whole;
    Answer::Http(Http {
        attempt,
        to: Some(to),
        resolved_by: Some(resolved_by.to_owned()),
        status: response.status(),
        body: response.body(),
        truncated,
    })
}

fn request(host: &str, port: u16, path: &str) -> String {
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let authority = if port == 80 { bracketed } else { format!("{bracketed}:{port}") };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: bowline\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
}

/// The address of a host, and what gave it: the hosts file before DNS, IPv4 before IPv6.
///
/// Without an address the outcome is `Unreachable` where every server that counts said that there is none, and `Failed` where one
/// did not say.
fn resolve(host: &str, to: Option<IpAddr>, within: Duration) -> Result<(IpAddr, &'static str), (Outcome, String)> {
    if let Some(address) = to {
        return Ok((address, "given"));
    }
    if let Ok(address) = host.parse() {
        return Ok((address, "literal"));
    }
    for family in [Family::V4, Family::V6] {
        if let Some(address) = lookup::in_hosts(host, family).first() {
            return Ok((*address, "hosts"));
        }
    }
    let mut heard = Vec::new();
    let mut outcome = Outcome::Unreachable;
    for family in [Family::V4, Family::V6] {
        let found = lookup::lookup(host, family, None, within / 3, 2).map_err(|e| (Outcome::Failed, e.message))?;
        if !found.asked.last().is_some_and(|a| matches!(a.outcome, NameOutcome::Empty | NameOutcome::NoSuchName)) {
            outcome = Outcome::Failed;
        }
        for asked in found.asked {
            if let Some(address) = asked.addresses.first() {
                return Ok((*address, "dns"));
            }
            heard.push(format!("{} {}: {}", asked.server, family, asked.outcome));
        }
    }
    Err((outcome, format!("{host} is neither in /etc/hosts nor known by DNS ({})", heard.join(", "))))
}

fn unresolved(started: Instant, (outcome, message): (Outcome, String)) -> Http {
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let attempt = Attempt {
        outcome,
        errno: None,
        micros,
        tries: 1,
        from: None,
        by: None,
        icmp: None,
        greeting: None,
        message: Some(message),
    };
    Http { attempt, to: None, resolved_by: None, status: None, body: String::new(), truncated: false }
}

/// Connects, asks, and reads into `response` until it is whole, full, broken or late. Once connected, what follows fails nothing: the
/// answer shows what came, and a word beside it says how it broke off.
fn fetch(to: SocketAddr, request: &str, deadline: Instant, response: &mut Response) -> io::Result<Found> {
    let socket = Socket::towards(to.ip(), sys::SOCK_STREAM, 0, None)?;
    socket.connect(&to, deadline)?;
    let from = socket.local_address().ok();
    let talked = talk(&socket, request, deadline, response);
    let message = talked.err().map(|e| format!("broke off: {e}"));
    Ok(Found { from, message, ..Found::new(Outcome::Answered) })
}

fn talk(socket: &Socket, request: &str, deadline: Instant, response: &mut Response) -> io::Result<()> {
    socket.send(request.as_bytes())?;
    let mut buffer = [0u8; 8192];
    while response.feed(&[]) == State::More {
        if !socket.readable(deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match socket.receive_from(&mut buffer) {
            Ok((0, _)) => {
                response.close();
            }
            Ok((count, _)) => {
                response.feed(&buffer[..count]);
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

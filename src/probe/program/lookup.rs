//! Looks names up by queries of our own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::answer::{Asked, Failure, Lookup, NameOutcome, Outcome, Transport};
use crate::attempt::{self, Found};
use crate::question::Family;
use crate::sys::{self, Socket};
use crate::{dns, files};

/// Whether an address is of the family.
pub fn is_of(family: Family, address: &IpAddr) -> bool {
    address.is_ipv4() == (family == Family::V4)
}

/// What the hosts file says about a name.
pub fn in_hosts(name: &str, family: Family) -> Vec<IpAddr> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let lines = files::hosts().unwrap_or_default();
    let named = lines.into_iter().filter(|line| line.names.iter().any(|n| n.eq_ignore_ascii_case(bare)));
    named.filter_map(|line| line.address).filter(|address| is_of(family, address)).collect()
}

/// Asks the resolver's servers in order until one knows: an answer, even an empty one or NXDOMAIN, is the last.
pub fn lookup(
    name: &str,
    family: Family,
    server: Option<IpAddr>,
    within: Duration,
    tries: u8,
) -> Result<Lookup, Failure> {
    let servers = match server {
        Some(server) => vec![server],
        None => files::resolver()?.servers,
    };
    if servers.is_empty() {
        return Err(Failure { errno: None, message: "/etc/resolv.conf names no server".to_owned() });
    }
    let mut asked = Vec::new();
    for server in servers.into_iter().take(3) {
        let one = ask(server, name, family, within, tries)?;
        let knows = matches!(one.outcome, NameOutcome::Found | NameOutcome::Empty | NameOutcome::NoSuchName);
        asked.push(one);
        if knows {
            break;
        }
    }
    Ok(Lookup { name: name.to_owned(), family, hosts: in_hosts(name, family), asked })
}

/// Asks one server by UDP, and by TCP when its answer was cut.
fn ask(server: IpAddr, name: &str, family: Family, within: Duration, tries: u8) -> Result<Asked, Failure> {
    let started = Instant::now();
    let to = SocketAddr::new(server, 53);
    let query =
        dns::query(attempt::random() as u16, name, family).map_err(|message| Failure { errno: None, message })?;
    let mut reply = None;
    let mut malformed = false;
    let mut transport = Transport::Udp;
    let found = attempt::attempt(within, tries, |deadline| match by_udp(to, &query, family, deadline) {
        Ok(udp) => {
            malformed |= udp.malformed;
            reply = udp.reply;
            if reply.as_ref().is_some_and(|r| r.truncated) {
                transport = Transport::Tcp;
                reply = None;
                match by_tcp(to, &query, deadline) {
                    Ok(packet) => reply = dns::reply(&packet, &query, family),
                    Err(e) => return Found::of_error(&e, "ask by TCP"),
                }
                malformed |= reply.is_none();
            }
            Found::new(if reply.is_some() || malformed { Outcome::Answered } else { Outcome::TimedOut })
        }
        Err(found) => found,
    });
    let outcome = match &reply {
        Some(reply) => code_outcome(reply.code, reply.addresses.is_empty()),
        None => match found.outcome {
            Outcome::Answered => NameOutcome::Malformed,
            Outcome::TimedOut => NameOutcome::TimedOut,
            Outcome::Refused => NameOutcome::NoServer,
            Outcome::Unreachable | Outcome::Prohibited => NameOutcome::Unreachable,
            Outcome::Failed => NameOutcome::Failed,
        },
    };
    let code = reply.as_ref().map(|r| r.code);
    let (addresses, aliases) = reply.map(|r| (r.addresses, r.aliases)).unwrap_or_default();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(Asked { server, transport, outcome, code, addresses, aliases, errno: found.errno, micros })
}

fn code_outcome(code: u8, empty: bool) -> NameOutcome {
    match code {
        0 if empty => NameOutcome::Empty,
        0 => NameOutcome::Found,
        2 => NameOutcome::ServerFailure,
        3 => NameOutcome::NoSuchName,
        _ => NameOutcome::Declined,
    }
}

/// What UDP brought: an answer, or something that is none.
struct ByUdp {
    reply: Option<dns::Reply>,
    malformed: bool,
}

fn by_udp(to: SocketAddr, query: &[u8], family: Family, deadline: Instant) -> Result<ByUdp, Found> {
    let reply = std::cell::RefCell::new(None);
    let malformed = std::cell::Cell::new(false);
    let found = attempt::exchange(to, None, (sys::SOCK_DGRAM, 0), deadline, query, |packet| {
        match dns::reply(packet, query, family) {
            Some(read) => {
                reply.replace(Some(read));
                Some(None)
            }
            None => {
                malformed.set(true);
                None
            }
        }
    });
    match found.outcome {
        Outcome::Answered | Outcome::TimedOut => Ok(ByUdp { reply: reply.into_inner(), malformed: malformed.get() }),
        _ => Err(found),
    }
}

/// The answer by TCP, behind its length.
fn by_tcp(to: SocketAddr, query: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    let socket = Socket::towards(to.ip(), sys::SOCK_STREAM, 0, None)?;
    socket.connect(&to, deadline)?;
    let mut request = (query.len() as u16).to_be_bytes().to_vec();
    request.extend(query);
    socket.send(&request)?;
    let mut came = Vec::new();
    let mut buffer = [0u8; 4096];
    loop {
        if let Some(length) = came.get(..2).map(|b: &[u8]| usize::from(u16::from_be_bytes([b[0], b[1]])))
            && came.len() >= length + 2
        {
            return Ok(came[2..length + 2].to_vec());
        }
        if !socket.readable(deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match socket.receive_from(&mut buffer) {
            Ok((0, _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok((count, _)) => came.extend_from_slice(&buffer[..count]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
}

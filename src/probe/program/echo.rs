//! ICMP echo: without a capability where the namespace permits ping sockets (Docker's do), else by a raw socket.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::answer::{Attempt, Outcome};
use crate::attempt::{self, Found};
use crate::{icmp, sys};

/// Asks for an echo.
pub fn echo(to: IpAddr, device: Option<&str>, within: Duration, tries: u8) -> Attempt {
    let v4 = to.is_ipv4();
    let protocol = if v4 { sys::IPPROTO_ICMP } else { sys::IPPROTO_ICMPV6 };
    let mut sequence = 0u16;
    attempt::attempt(within, tries, |deadline| {
        let to = match attempt::zoned(SocketAddr::new(to, 0), device) {
            Ok(to) => to,
            Err(found) => return found,
        };
        sequence += 1;
        let nonce = attempt::random().to_be_bytes();
        let request = icmp::echo_request(v4, attempt::random() as u16, sequence, nonce);
        let ask = |kind| {
            attempt::exchange(to, device, (kind, protocol), deadline, &request, |packet| {
                icmp::is_reply(v4, packet, nonce).then_some(None)
            })
        };
        let by_ping_socket = ask(sys::SOCK_DGRAM);
        let no_socket = by_ping_socket.from.is_none()
            && matches!(by_ping_socket.errno, Some(sys::EACCES | sys::EPERM | sys::EPROTONOSUPPORT));
        if !no_socket {
            return without_port(by_ping_socket);
        }
        let by_raw_socket = without_port(ask(sys::SOCK_RAW));
        match (by_raw_socket.from, by_raw_socket.errno) {
            (None, Some(sys::EACCES | sys::EPERM)) => Found {
                errno: by_raw_socket.errno,
                message: Some(
                    "neither a ping socket (net.ipv4.ping_group_range) nor a raw one is permitted".to_owned(),
                ),
                ..Found::new(Outcome::Failed)
            },
            _ => by_raw_socket,
        }
    })
}

/// A ping socket shows its ICMP id as a port.
fn without_port(found: Found) -> Found {
    Found { from: found.from.map(|from| SocketAddr::new(from.ip(), 0)), ..found }
}

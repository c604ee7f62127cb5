//! ICMP: echoes built and recognized, errors that the kernel queued. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An echo request with its checksum, which the kernel recomputes for IPv6.
pub fn echo_request(v4: bool, id: u16, sequence: u16, nonce: [u8; 8]) -> Vec<u8> {
    let mut packet = vec![if v4 { 8 } else { 128 }, 0, 0, 0];
    packet.extend(id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(nonce);
    packet.extend(b"bowline probe---");
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// Whether `packet` is the reply to our request. A raw IPv4 socket gives the IP header as well.
pub fn is_reply(v4: bool, packet: &[u8], nonce: [u8; 8]) -> bool {
    let message = match packet.first() {
        Some(first) if v4 && first >> 4 == 4 => packet.get(usize::from(first & 0xf) * 4..).unwrap_or_default(),
        _ => packet,
    };
    let kind = if v4 { 0 } else { 129 };
    message.first() == Some(&kind) && message.get(1) == Some(&0) && message.get(8..16) == Some(&nonce)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An error that the kernel queued on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedError {
    /// The system's number for it.
    pub errno: i32,
    /// The ICMP type and code; none where it is of our own kernel.
    pub message: Option<(u8, u8)>,
    /// Who sent the ICMP message.
    pub by: Option<IpAddr>,
}

/// Reads the control messages of an error queue: `cmsghdr` with `sock_extended_err` and the offender's address behind it.
pub fn queued_error(control: &[u8]) -> Option<QueuedError> {
    let mut rest = control;
    loop {
        let length = usize::try_from(u64::from_ne_bytes(rest.get(..8)?.try_into().ok()?)).ok()?;
        let level = i32::from_ne_bytes(rest.get(8..12)?.try_into().ok()?);
        let kind = i32::from_ne_bytes(rest.get(12..16)?.try_into().ok()?);
        let data = rest.get(16..length)?;
        if matches!((level, kind), (0, 11) | (41, 25)) {
            let errno = i32::try_from(u32::from_ne_bytes(data.get(..4)?.try_into().ok()?)).ok()?;
            let (origin, kind, code) = (*data.get(4)?, *data.get(5)?, *data.get(6)?);
            let message = matches!(origin, 2 | 3).then_some((kind, code));
            return Some(QueuedError { errno, message, by: message.and_then(|_| offender(data.get(16..)?)) });
        }
        rest = rest.get(length.checked_add(7)? & !7..)?;
    }
}

/// The address in the `sockaddr` behind a `sock_extended_err`.
fn offender(bytes: &[u8]) -> Option<IpAddr> {
    match u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?) {
        2 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into()),
        10 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).into()),
        _ => None,
    }
}

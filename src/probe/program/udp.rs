//! Raw IPv4 packets that carry UDP: questions in them recognized, answers built. Pure.

use std::net::Ipv4Addr;

/// A question to a listener, in a packet that somebody else received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asks.
    pub from: (Ipv4Addr, u16),
    /// What distinguishes the question.
    pub nonce: Vec<u8>,
}

/// The question that a raw packet carries to `port`: `bowline? NONCE`. Anything else is not ours.
pub fn asked(packet: &[u8], port: u16) -> Option<Asked> {
    let first = *packet.first()?;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    // version 4, protocol 17, and no later fragment
    if first >> 4 != 4 || packet.get(9) != Some(&17) || packet.get(6)? & 0x1f != 0 || *packet.get(7)? != 0 {
        return None;
    }
    let message = packet.get(usize::from(first & 0xf) * 4..)?;
    let number = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    if number(2)? != port {
        return None;
    }
    let nonce = message.get(8..usize::from(number(4)?))?.strip_prefix(b"bowline? ")?;
    let fits = !nonce.is_empty() && nonce.len() <= 64;
    fits.then(|| Asked { from: (source.into(), number(0).unwrap_or_default()), nonce: nonce.to_vec() })
}

/// A UDP message from `port`, without a checksum, which IPv4 permits (RFC 768).
pub fn message(port: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap_or(8);
    let mut message = Vec::with_capacity(usize::from(length));
    for number in [port, to, length, 0] {
        message.extend(number.to_be_bytes());
    }
    message.extend(&payload[..usize::from(length) - 8]);
    message
}

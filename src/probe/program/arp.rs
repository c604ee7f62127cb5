//! Who has this address: the packets of ARP (RFC 826) and of neighbour discovery (RFC 4861). Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An ARP request for `target`.
pub fn request(own_mac: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    // Ethernet, IPv4, their lengths, request
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, 1];
    packet.extend(own_mac);
    packet.extend(sender.octets());
    packet.extend([0; 6]);
    packet.extend(target.octets());
    packet
}

/// The hardware address in an ARP reply that says who has `target`.
pub fn reply(packet: &[u8], target: Ipv4Addr) -> Option<[u8; 6]> {
    let ours = packet.get(..8)? == [0, 1, 8, 0, 6, 4, 0, 2] && packet.get(14..18)? == target.octets();
    if ours { packet.get(8..14)?.try_into().ok() } else { None }
}

/// A neighbour solicitation for `target`; the kernel fills in the checksum.
pub fn solicitation(own_mac: [u8; 6], target: Ipv6Addr) -> Vec<u8> {
    let mut packet = vec![135, 0, 0, 0, 0, 0, 0, 0];
    packet.extend(target.octets());
    packet.extend([1, 1]);
    packet.extend(own_mac);
    packet
}

/// The group that whoever has `target` listens to.
pub fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let o = target.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, o[13], o[14], o[15]])
}

/// The hardware address in a neighbour advertisement that says who has `target`.
pub fn advertisement(packet: &[u8], target: Ipv6Addr) -> Option<[u8; 6]> {
    if packet.get(..2)? != [136, 0] || packet.get(8..24)? != target.octets() {
        return None;
    }
    let mut options = packet.get(24..)?;
    loop {
        let (kind, length) = (*options.first()?, usize::from(*options.get(1)?) * 8);
        let option = options.get(..length).filter(|o| !o.is_empty())?;
        if kind == 2 {
            return option.get(2..8)?.try_into().ok();
        }
        options = &options[length..];
    }
}

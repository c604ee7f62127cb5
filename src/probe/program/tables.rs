//! The kernel's and the system's text files, read: sockets, hosts, resolv.conf. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::{HostsLine, Resolver, Socket, Transport};
use super::text::printable;

/// The listening (TCP) or bound (UDP) socket in a line of /proc/net/{tcp,tcp6,udp,udp6}; none in another line.
///
/// Columns: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`. Addresses are in the machine's byte order,
/// word by word.
pub fn socket(line: &str, transport: Transport) -> Option<Socket> {
    let columns: Vec<&str> = line.split_whitespace().take(10).collect();
    let wanted = match transport {
        Transport::Tcp => "0A",
        Transport::Udp => "07",
    };
    if *columns.get(3)? != wanted {
        return None;
    }
    let (address, port) = columns.get(1)?.split_once(':')?;
    Some(Socket {
        transport,
        address: kernel_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: columns.get(9)?.parse().ok()?,
        uid: columns.get(7)?.parse().ok()?,
        owner: None,
    })
}

/// `0100007F` or 32 digits.
fn kernel_address(digits: &str) -> Option<IpAddr> {
    if !digits.is_ascii() {
        return None;
    }
    let word = |at: usize| Some(u32::from_str_radix(digits.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match digits.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

/// The lines of a hosts file that say something.
pub fn hosts(content: &[u8]) -> Vec<HostsLine> {
    content
        .split(|&b| b == b'\n')
        .filter_map(|line| {
            let said = line.split(|&b| b == b'#').next().unwrap_or_default();
            let words: Vec<String> =
                said.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).map(printable).collect();
            let (first, names) = words.split_first()?;
            Some(HostsLine { text: words.join(" "), address: address(first), names: names.to_vec() })
        })
        .collect()
}

/// What resolv.conf says; at most 32 servers, of which a libc would take three.
pub fn resolver(content: &[u8]) -> Resolver {
    let mut found = Resolver::default();
    for line in content.split(|&b| b == b'\n') {
        let line = printable(line.trim_ascii());
        if let Some(comment) = line.strip_prefix(['#', ';']) {
            if found.comments.len() < 64 {
                found.comments.push(comment.trim().to_owned());
            }
            continue;
        }
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") if found.servers.len() < 32 => found.servers.extend(words.next().and_then(address)),
            Some("search" | "domain") => found.search = words.map(str::to_owned).collect(),
            Some("options") => found.options.extend(words.map(str::to_owned)),
            _ => {}
        }
    }
    found
}

/// An address; a zone (`fe80::1%eth0`) is left out.
fn address(text: &str) -> Option<IpAddr> {
    text.split('%').next()?.parse().ok()
}

/// The path under /proc/sys of a setting's name: dots part, a `/` in a name stands for a dot. None for what would lead elsewhere.
pub fn sysctl_path(name: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | ':');
    let parts: Vec<String> = name.split('.').map(|part| part.replace('/', ".")).collect();
    let sound = name.chars().all(good) && parts.iter().all(|p| !p.is_empty() && p != "." && p != "..");
    sound.then(|| format!("/proc/sys/{}", parts.join("/")))
}

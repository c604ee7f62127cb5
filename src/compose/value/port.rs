//! The short form of a port: `[[address:]published:]target[/protocol]`, ranges on either side.

use std::net::IpAddr;

use super::BadValue;
use crate::name::Protocol;

/// One port that a short form stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortPort {
    /// The host's address as written, without brackets.
    pub host_ip: Option<String>,
    /// The host's port, or a range for the Engine to choose from.
    pub published: Option<String>,
    /// The port in the container.
    pub target: u16,
    /// The protocol.
    pub protocol: Protocol,
}

const HELP: &str = "write `target`, `published:target` or `address:published:target`, with `/udp` where it is not tcp";

/// Reads a short form; a range of targets gives one port each.
///
/// # Errors
/// When a part is no port, no range, no address or no protocol, or when two ranges differ in length.
pub fn parse(text: &str) -> Result<Vec<ShortPort>, BadValue> {
    let bad = |why: String| BadValue::new(format!("`{text}` is not a port: {why}"), HELP);
    let (host, target) = text.rsplit_once(':').map_or((None, text), |(host, target)| (Some(host), target));
    let (address, published) = match host {
        None => (None, None),
        Some(host) => host.rsplit_once(':').map_or((None, Some(host)), |(ip, port)| (Some(ip), Some(port))),
    };
    let (target, protocol) = target.split_once('/').unwrap_or((target, "tcp"));
    let protocol = if protocol.is_empty() { "tcp" } else { protocol };
    let protocol: Protocol = protocol.parse().map_err(|_| bad(format!("`{protocol}` is not tcp, udp or sctp")))?;
    let host_ip = address
        .filter(|a| !a.is_empty())
        .map(|a| host_address(a).ok_or_else(|| bad(format!("`{a}` is not an address"))));
    let host_ip = host_ip.transpose()?;
    if target.is_empty() {
        return Err(bad("the port in the container is missing".into()));
    }
    let targets = range(target).map_err(|why| bad(format!("`{target}` {why}")))?;
    let published = published.filter(|p| !p.is_empty());
    let published = published.map(|p| range(p).map_err(|why| bad(format!("`{p}` {why}")))).transpose()?;
    if let Some(published) = &published
        && targets.0 != targets.1
        && targets.1 - targets.0 != published.1 - published.0
    {
        return Err(bad("the two ranges are of different length".into()));
    }
    let host_port = |offset: u16| match published {
        None => None,
        Some((first, last)) if targets.0 == targets.1 && first != last => Some(format!("{first}-{last}")),
        Some((first, _)) => Some((first + offset).to_string()),
    };
    let port =
        |target| ShortPort { host_ip: host_ip.clone(), published: host_port(target - targets.0), target, protocol };
    Ok((targets.0..=targets.1).map(port).collect())
}

/// Reads a port or a range of ports.
///
/// # Errors
/// A half sentence that says what is wrong with it.
pub fn range(text: &str) -> Result<(u16, u16), &'static str> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err("is not a number");
        }
        text.parse::<u16>().map_err(|_| "is above 65535")
    };
    let Some((first, last)) = text.split_once('-') else {
        let port = port(text)?;
        return Ok((port, port));
    };
    let (first, last) = (port(first)?, port(last)?);
    if first > last { Err("runs backwards") } else { Ok((first, last)) }
}

/// The address without its brackets, if it is one.
fn host_address(text: &str) -> Option<String> {
    let bare = text.strip_prefix('[').map_or(Some(text), |t| t.strip_suffix(']'))?;
    bare.parse::<IpAddr>().is_ok().then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Vec<String> {
        let show = |p: &ShortPort| {
            let or = |o: &Option<String>| o.clone().unwrap_or_default();
            format!("{}|{}|{}/{}", or(&p.host_ip), or(&p.published), p.target, p.protocol)
        };
        parse(text).unwrap_or_else(|e| panic!("{}", e.message)).iter().map(show).collect()
    }

    #[test]
    fn a_port_is_read_in_every_short_form() {
        for (text, expected) in [
            ("80", vec!["||80/tcp"]),
            ("8080:80", vec!["|8080|80/tcp"]),
            ("8080:80/UDP", vec!["|8080|80/udp"]),
            ("127.0.0.1:8080:80", vec!["127.0.0.1|8080|80/tcp"]),
            ("127.0.0.1::53/udp", vec!["127.0.0.1||53/udp"]),
            ("[::1]:6000:60", vec!["::1|6000|60/tcp"]),
            ("::1:6000:60", vec!["::1|6000|60/tcp"]),
            ("3000-3001", vec!["||3000/tcp", "||3001/tcp"]),
            ("9090-9091:8080-8081", vec!["|9090|8080/tcp", "|9091|8081/tcp"]),
            ("8000-9000:80", vec!["|8000-9000|80/tcp"]),
        ] {
            assert_eq!(ports(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "missing"),
            ("80:", "missing"),
            ("x", "not a number"),
            ("80000", "above 65535"),
            ("80000:80", "above 65535"),
            ("90-80", "backwards"),
            ("8000-8002:80-81", "different length"),
            ("80/tpc", "tcp, udp or sctp"),
            ("256.0.0.1:80:80", "not an address"),
            ("a:b:c:80", "not an address"),
            ("+80", "not a number"),
        ] {
            let error = parse(text).unwrap_err().message;
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

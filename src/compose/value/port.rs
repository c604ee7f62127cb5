//! Ports in their short form: `[[ADDRESS:]PUBLISHED[-LAST]:]TARGET[-LAST][/PROTOCOL]`, measured with docker compose 2.40.3.

use std::net::IpAddr;

use super::BadValue;
use crate::name::Protocol;

/// A short form: one port, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortPorts {
    /// The first and the last port in the container.
    pub targets: (u16, u16),
    /// The first and the last port of the host: as many as targets, or where there is one target, a range for the Engine to
    /// choose from. None: the Engine chooses any.
    pub published: Option<(u16, u16)>,
    /// The host's address as written, without brackets.
    pub host_ip: Option<String>,
    /// The protocol, TCP where none is named.
    pub protocol: Protocol,
}

impl ShortPorts {
    /// How many ports of the container these are.
    pub fn count(&self) -> usize {
        usize::from(self.targets.1 - self.targets.0) + 1
    }

    /// Each port of the container with what it has on the host: a port or a range.
    pub fn each(&self) -> impl Iterator<Item = (u16, Option<String>)> + use<> {
        let (targets, published) = (self.targets, self.published);
        (targets.0..=targets.1).map(move |target| {
            let on_host = published.map(|(first, last)| match targets.0 == targets.1 && first != last {
                true => format!("{first}-{last}"),
                false => (first + (target - targets.0)).to_string(),
            });
            (target, on_host)
        })
    }
}

const FORMS: &str =
    "the forms are `80`, `8080:80`, `127.0.0.1:8080:80`, `[::1]:8080:80`, `8000-8010:9000-9010` and `53:53/udp`";

/// The ports of a short form; a range of targets is paired with a range of the same length on the host.
///
/// # Errors
/// When a number, an address or the protocol is wrong, or the ranges have different lengths.
pub fn parse(text: &str) -> Result<ShortPorts, BadValue> {
    let (rest, protocol) = split_protocol(text)?;
    let (host, target) = rest.rsplit_once(':').unwrap_or(("", rest));
    if target.is_empty() {
        return Err(BadValue::new(format!("`{text}` names no port of the container"), FORMS));
    }
    let (address, published) = host.rsplit_once(':').unwrap_or(("", host));
    let host_ip = address_of(text, address)?;
    let targets = named_range(target, "the container's port")?;
    if targets.0 == 0 {
        return Err(BadValue::new("the container's port cannot be 0", FORMS));
    }
    if published.is_empty() {
        return Ok(ShortPorts { targets, published: None, host_ip, protocol });
    }
    let on_host = named_range(published, "the host's port")?;
    let (host_length, length) = (on_host.1 - on_host.0, targets.1 - targets.0);
    if length != 0 && host_length != length {
        let message = format!(
            "`{text}` pairs {} ports of the host with {} of the container",
            u32::from(host_length) + 1,
            u32::from(length) + 1
        );
        return Err(BadValue::new(message, "make both ranges equally long, or give the container's alone"));
    }
    Ok(ShortPorts { targets, published: Some(on_host), host_ip, protocol })
}

/// An entry of `expose`: `80`, `80-90`, `80/udp`.
///
/// # Errors
/// When it is no port, range or known protocol.
pub fn parse_exposed(text: &str) -> Result<((u16, u16), Protocol), BadValue> {
    let (rest, protocol) = split_protocol(text)?;
    Ok((named_range(rest, "the port")?, protocol))
}

/// A port or a range: `published` of the long form.
///
/// # Errors
/// When it is none.
pub fn range(text: &str) -> Result<(u16, u16), BadValue> {
    named_range(text, "the port")
}

fn split_protocol(text: &str) -> Result<(&str, Protocol), BadValue> {
    let Some((rest, protocol)) = text.split_once('/') else { return Ok((text, Protocol::Tcp)) };
    match protocol.to_ascii_lowercase().as_str() {
        "" | "tcp" => Ok((rest, Protocol::Tcp)),
        "udp" => Ok((rest, Protocol::Udp)),
        "sctp" => Ok((rest, Protocol::Sctp)),
        _ => Err(BadValue::new(
            format!("`{protocol}` in `{text}` is no protocol"),
            "the protocols are tcp, udp and sctp",
        )),
    }
}

/// The address before the ports: IPv4, or IPv6 in brackets.
fn address_of(text: &str, address: &str) -> Result<Option<String>, BadValue> {
    if address.is_empty() {
        return Ok(None);
    }
    let inside = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
    let bare = inside.unwrap_or(address);
    match bare.parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv4() || inside.is_some() => Ok(Some(bare.to_owned())),
        Ok(ip) => Err(BadValue::new(
            format!("the address in `{text}` needs brackets"),
            format!("write `[{ip}]` before the ports"),
        )),
        Err(_) if address.starts_with('[') != address.ends_with(']') => {
            Err(BadValue::new(format!("a bracket in `{text}` has no partner"), FORMS))
        }
        Err(_) => Err(BadValue::new(format!("`{address}` in `{text}` is no IP address"), FORMS)),
    }
}

fn named_range(text: &str, what: &str) -> Result<(u16, u16), BadValue> {
    let number = |digits: &str| -> Result<u16, BadValue> {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let help = if digits.parse::<IpAddr>().is_ok() {
                "after an address stand two ports: `127.0.0.1:8080:80`, or `127.0.0.1::80` for any port of the host"
            } else {
                FORMS
            };
            return Err(BadValue::new(format!("{what} `{text}` is no number"), help));
        }
        digits.parse().map_err(|_| BadValue::new(format!("{what} {digits} is above 65535"), "ports go from 1 to 65535"))
    };
    let Some((first, last)) = text.split_once('-') else { return number(text).map(|n| (n, n)) };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(BadValue::new(
            format!("{what} `{text}` is a range that ends before it begins"),
            format!("write `{last}-{first}`"),
        ));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `address published target protocol` of every port.
    fn shown(text: &str) -> String {
        let ports = parse(text).unwrap_or_else(|p| panic!("{text}: {}", p.message));
        let ip = ports.host_ip.as_deref().unwrap_or("*");
        let show = |(target, published): (u16, Option<String>)| {
            format!("{ip} {} {target} {}", published.as_deref().unwrap_or("*"), ports.protocol)
        };
        assert_eq!(ports.each().count(), ports.count());
        ports.each().map(show).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn short_forms_are_read_as_docker_compose_reads_them() {
        let cases = [
            ("80", "* * 80 tcp"),
            ("80:80", "* 80 80 tcp"),
            ("8080:80/udp", "* 8080 80 udp"),
            ("80/UDP", "* * 80 udp"),
            ("80/sctp", "* * 80 sctp"),
            ("80/", "* * 80 tcp"),
            ("127.0.0.1:80:80", "127.0.0.1 80 80 tcp"),
            ("127.0.0.1::80", "127.0.0.1 * 80 tcp"),
            ("127.0.0.1:8080-8081:80-81", "127.0.0.1 8080 80 tcp, 127.0.0.1 8081 81 tcp"),
            ("8000-8001", "* * 8000 tcp, * * 8001 tcp"),
            ("8000-8001:80", "* 8000-8001 80 tcp"),
            ("80-80:80-80", "* 80 80 tcp"),
            ("[::1]:80:80", "::1 80 80 tcp"),
            ("[::1]::80", "::1 * 80 tcp"),
            ("[127.0.0.1]:80:80", "127.0.0.1 80 80 tcp"),
            ("[::ffff:1.2.3.4]:80:80", "::ffff:1.2.3.4 80 80 tcp"),
            ("0:80", "* 0 80 tcp"),
            ("::80", "* * 80 tcp"),
            (":80", "* * 80 tcp"),
            ("080", "* * 80 tcp"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(parse("1-65535").map(|p| p.count()), Ok(65535));
    }

    #[test]
    fn what_is_no_port_is_refused() {
        let cases = [
            "",
            "0",
            "65536",
            "80:65536",
            "65536:80",
            "-80",
            "80-",
            "80:",
            "80:80:80",
            "a",
            "a:80",
            "1.2.3:80:80",
            "host:80:80",
            "/tcp",
            "81-80",
            "80:80/tcp/udp",
            " 80:80",
            "80 :80",
            "0x50",
            "80.5",
            "[fe80::1%eth0]:80:80",
            "[::1:80:80",
            "::1]:80:80",
            "127.0.0.1:80",
            "localhost:80",
            "+80:80",
            "256.1.1.1:80:80",
            "8000:80-81",
            "8000-8002:80-81",
            "::1:80:80",
            "[::1]:80",
            "127.000.0.1:80:80",
            "80/foo",
            "::ffff:1.2.3.4:80:80",
        ];
        for text in cases {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("::1:80:80").is_err_and(|p| p.help.contains("[::1]")));
        assert!(parse("127.0.0.1:80").is_err_and(|p| p.help.contains("127.0.0.1::80")));
    }

    #[test]
    fn exposed_ports_may_be_ranges() {
        assert_eq!(parse_exposed("80-81/udp"), Ok(((80, 81), Protocol::Udp)));
        assert_eq!(parse_exposed("80"), Ok(((80, 80), Protocol::Tcp)));
        assert!(parse_exposed("80:80").is_err());
        assert_eq!(range("8080-8090"), Ok((8080, 8090)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9:./a-z\\[\\]é-]{0,24}|.*") {
            let _ = (parse(&text), parse_exposed(&text), range(&text));
        }
    }
}

//! The grammar of one rule of `x-verify`:
//!
//! ```text
//! rule   = source "->" target [" via " network] | source "<->" target [" via " network]
//! source = service["#"n] | "@"network | "host" | "outside" | "*"
//! target = (service["#"n] | "@"network | "host" | "internet" | address | range) [":"port["/udp"]] [" arp" | " icmp" | " any"]
//!        | "http://"host[":"port][path] [" = "status] [" ~ "text]
//! ```

use std::ops::Range;

use super::verify::{Rule, RuleProbe, Source, Target};
use crate::finding::nearest;
use crate::name::{NetworkKey, Protocol, ServiceName};

/// What a rule may name.
pub(super) struct Names<'p> {
    pub services: Vec<&'p str>,
    pub networks: Vec<&'p str>,
}

/// What cannot be read: where in the rule's text, why, and the way out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRule {
    pub at: Range<usize>,
    pub message: String,
    pub help: String,
}

/// A part of the rule's text, and where it begins there.
#[derive(Clone, Copy)]
struct Part<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Part<'t> {
    fn trim(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        Self { text: self.text.trim(), at: self.at + start }
    }

    fn split(self, separator: &str) -> Option<(Self, Self)> {
        let found = self.text.find(separator)?;
        let after = found + separator.len();
        Some((
            Self { text: &self.text[..found], at: self.at }.trim(),
            Self { text: &self.text[after..], at: self.at + after }.trim(),
        ))
    }

    fn bad(self, message: impl Into<String>, help: impl Into<String>) -> BadRule {
        BadRule { at: self.at..self.at + self.text.len(), message: message.into(), help: help.into() }
    }
}

const FORM: &str = "write `source -> target`: `web -> db:5432`, `@blue -> @lan arp`, `host -> http://localhost:8080/`";

/// Reads a rule; `<->` gives two. Where `from` is given, the text is a target alone: a rule under a service.
///
/// # Errors
/// What cannot be read, or names what is not there.
pub(super) fn parse(text: &str, from: Option<&ServiceName>, names: &Names<'_>) -> Result<Vec<Rule>, BadRule> {
    let whole = Part { text, at: 0 }.trim();
    if let Some(from) = from {
        let target = whole.text.strip_prefix("->").map_or(whole, |rest| Part { text: rest, at: whole.at + 2 }.trim());
        let text = format!("{from} -> {}", target.text);
        return Ok(vec![rule(text, Source::Service(from.clone(), None), target, names)?]);
    }
    if let Some((left, right)) = whole.split("<->") {
        let (there, tail) = ends(right);
        let forth = rule(format!("{} -> {}", left.text, right.text), source(left, names)?, right, names)?;
        let back_text = format!("{} -> {}{tail}", there.text, left.text);
        let back_target = format!("{}{tail}", left.text);
        let back = rule(back_text, source(there, names)?, Part { text: &back_target, at: left.at }, names)
            .map_err(|bad| BadRule { at: left.at..left.at + left.text.len(), ..bad })?;
        return Ok(vec![forth, back]);
    }
    let Some((left, right)) = whole.split("->") else { return Err(whole.bad("a rule has no `->`", FORM)) };
    Ok(vec![rule(whole.text.to_owned(), source(left, names)?, right, names)?])
}

/// Who is meant on the right side of `<->`, and how they are asked.
fn ends(right: Part<'_>) -> (Part<'_>, String) {
    let end = right.text.find([':', ' ']).unwrap_or(right.text.len());
    (Part { text: &right.text[..end], at: right.at }, right.text[end..].to_owned())
}

fn rule(text: String, source: Source, target: Part<'_>, names: &Names<'_>) -> Result<Rule, BadRule> {
    if let Some((_, network)) = target.split(" from ") {
        return Err(
            network.bad("`from` is not supported yet", "leave it out: the probe takes the address that leads there")
        );
    }
    let (target, via) = match target.split(" via ") {
        Some((target, network)) => (target, Some(network_key(network, names)?)),
        None => (target, None),
    };
    let (target, probe) = if target.text.starts_with("http://") { http(target)? } else { plain(target, names)? };
    Ok(Rule { text, source, target, probe, via })
}

fn source(part: Part<'_>, names: &Names<'_>) -> Result<Source, BadRule> {
    match part.text {
        "host" => Ok(Source::Host),
        "outside" => Ok(Source::Outside),
        "*" => Ok(Source::Every),
        "" => Err(part.bad("a rule starts nowhere", FORM)),
        text if text.starts_with('@') => Ok(Source::Network(network_key(after(part, 1), names)?)),
        _ => service(part, names).map(|(service, number)| Source::Service(service, number)),
    }
}

fn after(part: Part<'_>, bytes: usize) -> Part<'_> {
    Part { text: &part.text[bytes..], at: part.at + bytes }
}

fn service(part: Part<'_>, names: &Names<'_>) -> Result<(ServiceName, Option<u32>), BadRule> {
    let (name, number) = match part.text.split_once('#') {
        Some((name, number)) => {
            let parsed = number.parse().ok().filter(|n| *n > 0);
            let at = after(part, name.len() + 1);
            (
                name,
                Some(parsed.ok_or_else(|| at.bad(format!("`{number}` is no container's number"), "they run from 1"))?),
            )
        }
        None => (part.text, None),
    };
    let known = names.services.contains(&name).then(|| name.parse().ok()).flatten();
    let name = Part { text: name, at: part.at };
    known.map(|service| (service, number)).ok_or_else(|| unknown(name, "service", &names.services))
}

fn network_key(part: Part<'_>, names: &Names<'_>) -> Result<NetworkKey, BadRule> {
    let known = names.networks.contains(&part.text).then(|| part.text.parse().ok()).flatten();
    known.ok_or_else(|| unknown(part, "network", &names.networks))
}

fn unknown(part: Part<'_>, what: &str, known: &[&str]) -> BadRule {
    let help = match nearest(part.text, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the {what}s are: {}", known.join(", ")),
    };
    part.bad(format!("there is no {what} `{}`", part.text), help)
}

/// A target that is no URL.
fn plain(part: Part<'_>, names: &Names<'_>) -> Result<(Target, RuleProbe), BadRule> {
    let (who, word) = match part.text.split_once(' ') {
        Some((who, _)) => (Part { text: who, at: part.at }, Some(after(part, who.len() + 1).trim())),
        None => (part, None),
    };
    let probe = match word.map(|word| (word, word.text)) {
        None => None,
        Some((_, "any")) => Some(RuleProbe::Any),
        Some((_, "arp")) => Some(RuleProbe::Arp),
        Some((_, "icmp")) => Some(RuleProbe::Icmp),
        Some((word, text)) => {
            let help = match nearest(text, ["any", "arp", "icmp"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "after the target stands `arp`, `icmp`, `any` or `via NETWORK`".to_owned(),
            };
            return Err(word.bad(format!("`{text}` is no way to ask"), help));
        }
    };
    if who.text.is_empty() {
        return Err(who.bad("a rule leads nowhere", FORM));
    }
    if let Ok(address) = who.text.parse() {
        return Ok((Target::Address(address), probe.unwrap_or(RuleProbe::Any)));
    }
    if let Ok(range) = who.text.parse() {
        return Ok((Target::Cidr(range), probe.unwrap_or(RuleProbe::Any)));
    }
    let (who, port) = match who.text.rsplit_once(':') {
        Some((name, _)) => {
            let port = port_and_protocol(after(who, name.len() + 1))?;
            (Part { text: name, at: who.at }, Some(port))
        }
        None => (who, None),
    };
    if let (Some(word), Some(_), true) = (word, &port, probe.is_some()) {
        return Err(word.bad("a port is asked by TCP or UDP", "leave the port out, or the word"));
    }
    let probe = port.or(probe).unwrap_or(RuleProbe::Any);
    Ok((target(who, names)?, probe))
}

fn target(part: Part<'_>, names: &Names<'_>) -> Result<Target, BadRule> {
    let bare = part.text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(part.text);
    match bare {
        "host" => Ok(Target::Host),
        "internet" => Ok(Target::Internet),
        "outside" | "*" => Err(part.bad(
            format!("`{bare}` is where a rule may start, not where it leads"),
            "name a service, `@network`, `host`, `internet`, an address or a range",
        )),
        text if text.starts_with('@') => Ok(Target::Network(network_key(after(part, 1), names)?)),
        text => match text.parse() {
            Ok(address) => Ok(Target::Address(address)),
            Err(_) => service(part, names).map(|(service, number)| Target::Service(service, number)),
        },
    }
}

fn port_and_protocol(part: Part<'_>) -> Result<RuleProbe, BadRule> {
    let (port, protocol) = part.text.split_once('/').unwrap_or((part.text, "tcp"));
    let protocol: Protocol =
        protocol.parse().map_err(|_| part.bad(format!("`{protocol}` is no protocol"), "write `/tcp` or `/udp`"))?;
    match port.parse() {
        Ok(port) if port > 0 => Ok(RuleProbe::Port(port, protocol)),
        _ => Err(part.bad(format!("`{port}` is no port"), "ports run from 1 to 65535")),
    }
}

/// `http://host[:port][path] [= status] [~ text]`.
fn http(part: Part<'_>) -> Result<(Target, RuleProbe), BadRule> {
    let (rest, text) = match part.split(" ~ ") {
        Some((rest, text)) => (rest, Some(text.text.to_owned())),
        None => (part, None),
    };
    let (url, status) = match rest.split(" = ") {
        Some((url, status)) => {
            let number: Option<u16> = status.text.parse().ok().filter(|n| (100..600).contains(n));
            let bad = || status.bad(format!("`{}` is no status", status.text), "they run from 100 to 599");
            (url, Some(number.ok_or_else(bad)?))
        }
        None => (rest, None),
    };
    let address = after(url, "http://".len());
    if let Some(blank) = address.text.find(' ') {
        let odd = after(address, blank + 1);
        return Err(odd.bad(
            format!("`{}` is no part of an address", odd.text),
            "write ` = 200` for a status, ` ~ text` for text",
        ));
    }
    let (authority, path) = match address.text.find('/') {
        Some(slash) => address.text.split_at(slash),
        None => (address.text, "/"),
    };
    let (host, port) =
        match authority.rsplit_once(':').filter(|(host, _)| !host.ends_with(':') && !authority.ends_with(']')) {
            Some((host, port)) => (host, port.parse().ok().filter(|p| *p > 0)),
            None => (authority, Some(80)),
        };
    let (Some(port), false) = (port, host.is_empty()) else {
        let authority = Part { text: authority, at: address.at };
        return Err(
            authority.bad(format!("`{}` is no host", authority.text), "write `http://name/` or `http://name:8080/`")
        );
    };
    let probe = RuleProbe::Http { port, path: path.to_owned(), status, text };
    Ok((Target::Name(host.to_owned()), probe))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names { services: vec!["web", "db", "bot"], networks: vec!["front", "back"] }
    }

    fn one(text: &str) -> Rule {
        let mut rules = parse(text, None, &names()).unwrap_or_else(|bad| panic!("{text}: {bad:?}"));
        assert_eq!(rules.len(), 1, "{text}");
        rules.remove(0)
    }

    #[test]
    fn a_rule_is_read_in_every_form() {
        let service = |name: &str| Source::Service(name.parse().unwrap(), None);
        let to = |name: &str| Target::Service(name.parse().unwrap(), None);
        for (text, source, target, probe) in [
            ("web -> db:5432", service("web"), to("db"), RuleProbe::Port(5432, Protocol::Tcp)),
            ("web->db:53/udp", service("web"), to("db"), RuleProbe::Port(53, Protocol::Udp)),
            (
                "@back -> @front arp",
                Source::Network("back".parse().unwrap()),
                Target::Network("front".parse().unwrap()),
                RuleProbe::Arp,
            ),
            ("* -> internet", Source::Every, Target::Internet, RuleProbe::Any),
            ("outside -> web:8080", Source::Outside, to("web"), RuleProbe::Port(8080, Protocol::Tcp)),
            ("db -> host icmp", service("db"), Target::Host, RuleProbe::Icmp),
            ("web -> 10.0.0.5", service("web"), Target::Address([10, 0, 0, 5].into()), RuleProbe::Any),
            (
                "web -> 10.0.0.5:80",
                service("web"),
                Target::Address([10, 0, 0, 5].into()),
                RuleProbe::Port(80, Protocol::Tcp),
            ),
            ("web -> ::1 any", service("web"), Target::Address("::1".parse().unwrap()), RuleProbe::Any),
            (
                "web -> [::1]:80",
                service("web"),
                Target::Address("::1".parse().unwrap()),
                RuleProbe::Port(80, Protocol::Tcp),
            ),
            ("web -> 10.0.0.0/8", service("web"), Target::Cidr("10.0.0.0/8".parse().unwrap()), RuleProbe::Any),
        ] {
            let rule = one(text);
            assert_eq!((rule.source, rule.target, rule.probe), (source, target, probe), "{text}");
        }
        assert_eq!(one("web#2 -> db via back").source, Source::Service("web".parse().unwrap(), Some(2)));
        assert_eq!(one("web#2 -> db via back").via, Some("back".parse().unwrap()));
    }

    #[test]
    fn a_url_is_read_with_what_must_come_back() {
        let http = |port, path: &str, status, text: Option<&str>| RuleProbe::Http {
            port,
            path: path.to_owned(),
            status,
            text: text.map(str::to_owned),
        };
        for (text, host, probe) in [
            ("web -> http://db", "db", http(80, "/", None, None)),
            ("host -> http://localhost:8080/healthz = 200", "localhost", http(8080, "/healthz", Some(200), None)),
            ("bot -> http://nasa1515/ = 200 ~ It works!", "nasa1515", http(80, "/", Some(200), Some("It works!"))),
            ("bot -> http://web/a?b=c ~ x = y", "web", http(80, "/a?b=c", None, Some("x = y"))),
        ] {
            let rule = one(text);
            assert_eq!((rule.target, rule.probe), (Target::Name(host.to_owned()), probe), "{text}");
        }
    }

    #[test]
    fn a_double_arrow_is_two_rules() {
        let rules = parse("web <-> db:80 via back", None, &names()).unwrap();
        let texts: Vec<&str> = rules.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(texts, ["web -> db:80 via back", "db -> web:80 via back"]);
        assert_eq!(rules[1].probe, RuleProbe::Port(80, Protocol::Tcp));
        assert_eq!(rules[1].via, Some("back".parse().unwrap()));
    }

    #[test]
    fn under_a_service_the_source_is_that_service() {
        let web = "web".parse().unwrap();
        for text in ["db:80", "-> db:80"] {
            let rules = parse(text, Some(&web), &names()).unwrap();
            assert_eq!(rules[0].text, "web -> db:80", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_underlined_and_has_a_way_out() {
        for (text, underlined, message, help) in [
            ("web db", "web db", "no `->`", "write `source -> target`"),
            ("wbe -> db", "wbe", "no service `wbe`", "did you mean `web`?"),
            ("web -> @bakc", "bakc", "no network `bakc`", "did you mean `back`?"),
            ("web -> db:0", "0", "no port", "1 to 65535"),
            ("web -> db:80/tpc", "80/tpc", "no protocol", "/udp"),
            ("web -> db apr", "apr", "no way to ask", "did you mean `arp`?"),
            ("web -> db:80 arp", "arp", "asked by TCP", "leave the port out"),
            ("web -> outside", "outside", "may start", "internet"),
            ("web#0 -> db", "0", "no container's number", "from 1"),
            ("-> db", "", "starts nowhere", "source -> target"),
            ("web ->", "", "leads nowhere", "source -> target"),
            ("web -> http://db = 20", "20", "no status", "100 to 599"),
            ("web -> http://db x", "x", "no part", "= 200"),
            ("web -> http://:80/", ":80", "no host", "http://name"),
            ("host <-> outside", "outside", "may start", "internet"),
            ("web -> db via nope", "nope", "no network", "front, back"),
        ] {
            let bad = parse(text, None, &names()).unwrap_err();
            assert_eq!(&text[bad.at.clone()], underlined, "{text}: {bad:?}");
            assert!(bad.message.contains(message) && bad.help.contains(help), "{text}: {bad:?}");
        }
    }
}

//! What the Engine's daemon was told when it was started, where it is on this machine: no answer of the Engine tells it.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::engine::{Address, Engine};

/// Options of dockerd that decide what reaches what.
const OPTIONS: &[&str] = &["iptables", "ip6tables", "userland-proxy", "allow-direct-routing"];
/// Where they stand in a file, unless the command line says otherwise.
const FILE: &str = "/etc/docker/daemon.json";

/// The options that are said, each with its value as text. Empty where the daemon is elsewhere or not dockerd.
pub fn options(engine: &Engine) -> BTreeMap<String, String> {
    let Address::Unix(socket) = engine.address() else { return BTreeMap::new() };
    let Some(arguments) = arguments(socket) else { return BTreeMap::new() };
    let file = value(&arguments, "config-file").map_or_else(|| PathBuf::from(FILE), PathBuf::from);
    said(&arguments, &std::fs::read_to_string(file).unwrap_or_default())
}

/// The command line of the dockerd that listens at a socket; where systemd listens for it, none that counts: an empty one.
fn arguments(socket: &Path) -> Option<Vec<String>> {
    let stream = UnixStream::connect(socket).ok()?;
    let pid = rustix::net::sockopt::socket_peercred(&stream).ok()?.pid.as_raw_nonzero();
    let file = |name: &str| std::fs::read(format!("/proc/{pid}/{name}"));
    match file("comm").ok()?.trim_ascii() {
        b"dockerd" => {
            let line = file("cmdline").ok()?;
            Some(line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
        }
        b"systemd" => Some(vec![]),
        _ => None,
    }
}

/// The command line's word for an option: `--name=value`, `--name value`, or `--name` alone, which is yes.
fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    arguments.iter().enumerate().find_map(|(at, word)| {
        let rest = word.strip_prefix("--")?.strip_prefix(name)?;
        let next =
            || arguments.get(at + 1).map(String::as_str).filter(|next| !next.starts_with('-') && !next.is_empty());
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() && name == "config-file" => next(),
            None => rest.is_empty().then_some("true"),
        }
    })
}

/// The options of a command line and of the text of a daemon.json; dockerd itself refuses to start where both say one.
fn said(arguments: &[String], file: &str) -> BTreeMap<String, String> {
    let file: serde_json::Value = serde_json::from_str(file).unwrap_or_default();
    let of = |name: &&str| {
        let said =
            value(arguments, name).map(str::to_owned).or_else(|| Some(file.get(*name)?.as_bool()?.to_string()))?;
        Some(((*name).to_owned(), said))
    };
    OPTIONS.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_command_line_and_of_the_file() {
        let line = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let text = |found: BTreeMap<String, String>| {
            found.into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        };
        let arguments = line("dockerd --iptables=false --ip6tables --config-file /x.json");
        assert_eq!(text(said(&arguments, "")), "ip6tables true, iptables false");
        assert_eq!(value(&arguments, "config-file"), Some("/x.json"));
        assert_eq!(
            text(said(&[], r#"{"userland-proxy": false, "iptables": true, "dns": []}"#)),
            "iptables true, userland-proxy false"
        );
        assert_eq!(text(said(&[], "no json")), "");
        assert_eq!(value(&line("dockerd --iptables-x=false"), "iptables"), None);
    }
}

//! Containers as `ps` shows them: docker compose's columns and keys.

use serde_json::json;

use super::form::Row;
use super::units;
use crate::engine::{Listed, ListedPort};
use crate::name::ProjectName;
use crate::state::observed::Health;

/// Whether long values are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As they fit on a line.
    Cut,
    /// Whole.
    Whole,
}

/// The columns of the table: head and key.
pub const COLUMNS: [(&str, &str); 7] = [
    ("NAME", "Name"),
    ("IMAGE", "Image"),
    ("COMMAND", "Command"),
    ("SERVICE", "Service"),
    ("CREATED", "RunningFor"),
    ("STATUS", "Status"),
    ("PORTS", "Ports"),
];

/// Heads of what a template may name beside them.
pub const HEADS: [(&str, &str); 3] =
    [("ID", "CONTAINER ID"), ("CreatedAt", "CREATED AT"), ("LocalVolumes", "LOCAL VOLUMES")];

/// One row a container, with docker compose's keys. `now` is in seconds since 1970; `created_at` gives the local time of such
/// seconds.
pub fn rows(
    containers: &[&Listed],
    project: &ProjectName,
    now: i64,
    length: Length,
    created_at: impl Fn(i64) -> String,
) -> Vec<Row> {
    let object = |container: &&Listed| {
        let publishers: Vec<_> = container.ports.iter().map(publisher).collect();
        let labels: Vec<String> = container.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let id = if length == Length::Whole { container.id.as_str() } else { container.id.short() };
        let mount = |mount: &String| if length == Length::Whole { mount.clone() } else { cut(mount, 15) };
        json!({
            "Command": command(&container.command, length),
            "CreatedAt": created_at(container.created),
            "ExitCode": container.exit_code(),
            "Health": health(container.health()),
            "ID": id,
            "Image": container.image,
            "Labels": labels.join(","),
            "LocalVolumes": container.local_volumes.to_string(),
            "Mounts": container.mounts.iter().map(mount).collect::<Vec<_>>().join(","),
            "Name": container.name,
            "Names": container.name,
            "Networks": container.networks.join(","),
            "Ports": ports(&container.ports),
            "Project": project,
            "Publishers": publishers,
            "RunningFor": ago(now - container.created),
            "Service": container.service,
            "Size": "0B",
            "State": container.state,
            "Status": container.status,
        })
    };
    containers.iter().filter_map(|container| object(container).as_object().cloned()).collect()
}

fn health(health: Option<Health>) -> &'static str {
    match health {
        None => "",
        Some(Health::Starting) => "starting",
        Some(Health::Healthy) => "healthy",
        Some(Health::Unhealthy) => "unhealthy",
    }
}

fn publisher(port: &ListedPort) -> serde_json::Value {
    let url = port.host_ip.map(|address| address.to_string()).unwrap_or_default();
    json!({ "URL": url, "TargetPort": port.target, "PublishedPort": port.published, "Protocol": port.protocol })
}

/// In quotes, and cut to 20 characters.
fn command(line: &str, length: Length) -> String {
    match length {
        Length::Whole => format!("{line:?}"),
        Length::Cut => format!("{:?}", cut(line, 20)),
    }
}

/// At most so many characters, the last one an ellipsis where something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// `3 seconds ago`.
fn ago(seconds: i64) -> String {
    format!("{} ago", units::duration(seconds))
}

/// `90/tcp, 127.0.0.1:8080->80/tcp`: ports that have the same number on both sides, and follow each other, are one range;
/// they come first, those with another number on the host after them.
fn ports(ports: &[ListedPort]) -> String {
    let mut ranges: Vec<Range<'_>> = vec![];
    let mut moved = vec![];
    for port in ports {
        let host = port.host_ip.map(|address| address.to_string());
        match &host {
            Some(host) if port.published != port.target => {
                moved.push(format!("{}->{}/{}", at(host, &port.published.to_string()), port.target, port.protocol));
            }
            _ => match ranges.iter_mut().rfind(|range| range.host == host && range.protocol == port.protocol) {
                Some(range) if port.target == range.last + 1 => range.last = port.target,
                _ => ranges.push(Range { host, protocol: &port.protocol, first: port.target, last: port.target }),
            },
        }
    }
    ranges.iter().map(Range::text).chain(moved).collect::<Vec<_>>().join(", ")
}

struct Range<'a> {
    host: Option<String>,
    protocol: &'a str,
    first: u16,
    last: u16,
}

impl Range<'_> {
    fn text(&self) -> String {
        let Self { host, protocol, first, last } = self;
        let numbers = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match host {
            None => format!("{numbers}/{protocol}"),
            Some(host) => format!("{}->{numbers}/{protocol}", at(host, &numbers)),
        }
    }
}

/// An address with a port; IPv6 in brackets.
fn at(host: &str, port: &str) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(target: u16, host: &str, published: u16) -> ListedPort {
        ListedPort { target, host_ip: host.parse().ok(), published, protocol: "tcp".into() }
    }

    #[test]
    fn ports_read_as_docker_writes_them() {
        let shown = [port(80, "127.0.0.1", 39081), port(82, "::", 39090), port(90, "", 0)];
        assert_eq!(ports(&shown), "90/tcp, 127.0.0.1:39081->80/tcp, [::]:39090->82/tcp");
        let range = [port(80, "0.0.0.0", 80), port(80, "::", 80), port(81, "0.0.0.0", 81), port(81, "::", 81)];
        assert_eq!(ports(&range), "0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp");
        assert_eq!(ports(&[port(1, "", 0), port(3, "", 0), port(4, "", 0)]), "1/tcp, 3-4/tcp");
    }

    #[test]
    fn a_long_command_is_cut_inside_its_quotes() {
        assert_eq!(command("sleep 1000", Length::Cut), "\"sleep 1000\"");
        assert_eq!(command("docker-entrypoint.sh postgres", Length::Cut), "\"docker-entrypoint.s…\"");
        assert_eq!(command("sh -c \"a\"", Length::Whole), r#""sh -c \"a\"""#);
    }
}

//! The containers of a project as `ps` shows them: one question, no inspection.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::decode::{self, wire};
use super::{Engine, Error};
use crate::name::{ContainerId, ProjectName, Replica};
use crate::state::observed::Health;

/// One container of a project, one-off ones among them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: ContainerId,
    /// Its name without the slash.
    pub name: String,
    /// The image as it was named.
    pub image: String,
    /// The whole command line.
    pub command: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// `running`, `exited` …
    pub state: String,
    /// `Up 3 seconds (healthy)`.
    pub status: String,
    /// Its service; empty where no label says so.
    pub service: String,
    /// Which replica it is, where its labels say so.
    pub replica: Option<Replica>,
    /// Whether `run` made it.
    pub one_off: bool,
    /// Its ports, in order of port and address.
    pub ports: Vec<ListedPort>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The names of volumes and the sources of binds, in order of their targets.
    pub mounts: Vec<String>,
    /// How many of these are volumes of the driver `local`.
    pub local_volumes: usize,
    /// The names of its networks, in order.
    pub networks: Vec<String>,
}

/// A port, bound on the host or only exposed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedPort {
    /// In the container.
    pub target: u16,
    /// The host's address, where it is bound.
    pub host_ip: Option<IpAddr>,
    /// The host's port; 0 where it is not bound.
    pub published: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

impl Listed {
    /// What it ended with last, as its status tells (`Exited (137) 3 seconds ago`); 0 while it runs.
    pub fn exit_code(&self) -> i64 {
        let told = self.status.strip_prefix("Exited (").or_else(|| self.status.strip_prefix("Restarting ("));
        told.and_then(|rest| rest.split(')').next()?.parse().ok()).unwrap_or_default()
    }

    /// Its health, as its status tells.
    pub fn health(&self) -> Option<Health> {
        [("(healthy)", Health::Healthy), ("(unhealthy)", Health::Unhealthy), ("(health: starting)", Health::Starting)]
            .into_iter()
            .find_map(|(word, health)| self.status.ends_with(word).then_some(health))
    }

    /// Whether a list without `--all` shows it.
    pub fn is_up(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state.as_str())
    }
}

impl Engine {
    /// The containers of `project`, in whatever state, sorted by name.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn list(&self, project: &ProjectName) -> Result<Vec<Listed>, Error> {
        let mut listed: Vec<Listed> = self.summaries(Some(project)).await?.into_iter().map(listed).collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }
}

pub(super) fn listed(raw: wire::Summary) -> Listed {
    let mut ports: Vec<ListedPort> = raw.ports.iter().map(port).collect();
    ports.sort();
    let mut mounts: Vec<(&str, &str)> =
        raw.mounts.iter().map(|mount| (mount.destination.as_str(), shown(mount))).collect();
    mounts.sort_unstable();
    let mut networks: Vec<String> =
        raw.network_settings.map(|settings| settings.networks.into_keys().collect()).unwrap_or_default();
    networks.sort_unstable();
    Listed {
        name: decode::own_name(&raw.names),
        service: raw.labels.get("com.docker.compose.service").cloned().unwrap_or_default(),
        replica: decode::replica(&raw.labels),
        one_off: raw.labels.get("com.docker.compose.oneoff").is_some_and(|word| word == "True"),
        mounts: mounts.iter().map(|(_, source)| (*source).to_owned()).collect(),
        local_volumes: raw.mounts.iter().filter(|mount| mount.driver == "local").count(),
        id: ContainerId::from_engine(raw.id),
        image: raw.image,
        command: raw.command,
        created: raw.created,
        state: raw.state,
        status: raw.status,
        labels: raw.labels,
        networks,
        ports,
    }
}

fn shown(mount: &wire::MountPoint) -> &str {
    if mount.name.is_empty() { &mount.source } else { &mount.name }
}

fn port(raw: &wire::SummaryPort) -> ListedPort {
    let host_ip = raw.ip.parse().ok();
    ListedPort { target: raw.private, host_ip, published: raw.public, protocol: raw.protocol.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_exit_code_and_health() {
        let with = |status: &str| listed(wire::Summary { status: status.into(), ..wire::Summary::default() });
        assert_eq!(with("Exited (137) Less than a second ago").exit_code(), 137);
        assert_eq!(with("Restarting (3) 1 second ago").exit_code(), 3);
        assert_eq!(with("Up 2 hours (healthy)").health(), Some(Health::Healthy));
        assert_eq!(with("Up 1 second (health: starting)").health(), Some(Health::Starting));
        assert_eq!((with("Up 1 second").health(), with("Up 1 second").exit_code()), (None, 0));
    }
}

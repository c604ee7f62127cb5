//! One service.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use super::develop::Watch;
use super::file::ServiceFile;
use super::resources::{Hook, Logging, Resources};
use super::{Build, Rare};
use crate::compose::value::duration;
use crate::name::{Mac, NetworkKey, Protocol, ServiceName, VolumeKey};
use crate::source::{Span, Spanned};

/// A service, canonical. `None` and empty mean that the file says nothing and the image or the Engine decides.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its key.
    pub name: ServiceName,
    /// Where the key stands.
    pub span: Span,
    /// `image`; `<project>-<service>` where only `build` is given.
    pub image: Option<Spanned<String>>,
    /// `build`.
    pub build: Option<Box<Build>>,
    /// `command`; `Some(vec![])` overrides the image's with nothing.
    pub command: Option<Vec<String>>,
    /// `entrypoint`; `Some(vec![])` overrides the image's with nothing.
    pub entrypoint: Option<Vec<String>>,
    /// `environment` and `env_file`, merged; a key without a value is one that the environment did not give.
    pub environment: IndexMap<String, Option<String>>,
    /// `container_name`.
    pub container_name: Option<Spanned<String>>,
    /// `hostname`.
    pub hostname: Option<Spanned<String>>,
    /// `domainname`.
    pub domainname: Option<String>,
    /// `labels`, the user's own.
    pub labels: IndexMap<String, String>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `scale`, `deploy.replicas` or 1.
    pub scale: Spanned<u32>,
    /// `deploy.update_config`.
    pub update: Update,
    /// `network_mode`; absent where `networks` counts.
    pub network_mode: Option<Spanned<NetworkMode>>,
    /// `networks` in the order of the file; `default` where the file names none and gives no `network_mode`.
    pub networks: IndexMap<NetworkKey, Endpoint>,
    /// `links`.
    pub links: Vec<Spanned<Link<ServiceName>>>,
    /// `external_links`: containers outside the project, by name.
    pub external_links: Vec<Spanned<Link<String>>>,
    /// `ports`, one entry a port: ranges are expanded.
    pub ports: Vec<Spanned<Port>>,
    /// `expose`, expanded.
    pub expose: Vec<(u16, Protocol)>,
    /// `expose` as it is written, which is how docker compose hands it to the Engine: `3000`, `53/udp`, `4000-4002`.
    pub expose_words: Vec<String>,
    /// `depends_on`, and what follows from links, `network_mode: service:` and their like.
    pub depends_on: IndexMap<ServiceName, Dependency>,
    /// `healthcheck`.
    pub healthcheck: Option<Spanned<Healthcheck>>,
    /// `restart`.
    pub restart: Option<Spanned<Restart>>,
    /// `extra_hosts`: name and address, `host-gateway` kept as it is, in order.
    pub extra_hosts: Vec<Spanned<(String, String)>>,
    /// `dns`.
    pub dns: Vec<Spanned<IpAddr>>,
    /// `dns_search`.
    pub dns_search: Vec<String>,
    /// `dns_opt`.
    pub dns_options: Vec<String>,
    /// `init`.
    pub init: Option<bool>,
    /// `privileged`.
    pub privileged: bool,
    /// `read_only`.
    pub read_only: bool,
    /// `cap_add`.
    pub cap_add: Vec<String>,
    /// `cap_drop`.
    pub cap_drop: Vec<String>,
    /// `sysctls`.
    pub sysctls: BTreeMap<String, String>,
    /// `stop_signal`.
    pub stop_signal: Option<String>,
    /// `stop_grace_period`.
    pub stop_grace_period: Option<Duration>,
    /// `user`.
    pub user: Option<String>,
    /// `working_dir`.
    pub working_dir: Option<String>,
    /// `tty`.
    pub tty: bool,
    /// Where `use_api_socket: true` stands.
    pub api_socket: Option<Span>,
    /// `stdin_open`.
    pub stdin_open: bool,
    /// `mac_address` of the service: it goes to the primary network.
    pub mac_address: Option<Spanned<Mac>>,
    /// `volumes` and `tmpfs` in the order of the file.
    pub mounts: Vec<Spanned<Mount>>,
    /// `configs` and `secrets`.
    pub files: Vec<Spanned<ServiceFile>>,
    /// `profiles`.
    pub profiles: Vec<String>,
    /// `pull_policy`; `missing` where absent.
    pub pull_policy: Option<String>,
    /// `pull_refresh_after`.
    pub pull_refresh_after: Option<Duration>,
    /// `platform`.
    pub platform: Option<String>,
    /// Limits, weights, devices.
    pub resources: Rare<Resources>,
    /// `shm_size`, in bytes; 0 is the Engine's own.
    pub shm_size: i64,
    /// `oom_score_adj`.
    pub oom_score_adj: i64,
    /// `logging`.
    pub logging: Option<Logging>,
    /// `ipc`, `pid`, `uts`, `userns_mode`, `cgroup`.
    pub namespaces: Rare<Namespaces>,
    /// `cgroup_parent`.
    pub cgroup_parent: Option<String>,
    /// `isolation`.
    pub isolation: Option<Spanned<String>>,
    /// `runtime`.
    pub runtime: Option<String>,
    /// `storage_opt`.
    pub storage_options: BTreeMap<String, String>,
    /// `group_add`.
    pub groups: Vec<String>,
    /// `security_opt`; the profile of `seccomp=file` stands in it once [`crate::compose::attach`] has read it.
    pub security: Vec<Spanned<String>>,
    /// `volumes_from`, each as [`super::VolumesFrom`] reads it.
    pub volumes_from: Vec<Spanned<String>>,
    /// `post_start`.
    pub post_start: Vec<Hook>,
    /// `pre_stop`.
    pub pre_stop: Vec<Hook>,
    /// `develop.watch`.
    pub watches: Vec<Watch>,
    /// `attach: false`: its logs are not followed by an attached `up`.
    pub attach: bool,
}

impl Service {
    /// How old an image may be that `pull_policy: daily`, `weekly`, `every_…` or `refresh` leaves alone.
    pub fn pull_every(&self) -> Option<Duration> {
        let text = match self.pull_policy.as_deref()? {
            "daily" => "1d",
            "weekly" => "1w",
            "refresh" => return self.pull_refresh_after,
            policy => policy.strip_prefix("every_")?,
        };
        duration::parse(text).ok()
    }
}

/// Namespaces other than the network's, in the Engine's words: `host`, `private`, `shareable`, `container:x`; and `service:x`,
/// which is known by its id when that container is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// `ipc`.
    pub ipc: Option<String>,
    /// `pid`.
    pub pid: Option<String>,
    /// `uts`.
    pub uts: Option<String>,
    /// `userns_mode`.
    pub user: Option<String>,
    /// `cgroup`.
    pub cgroup: Option<String>,
}

/// Whose network namespace a service's containers live in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkMode {
    /// The Engine's default bridge, `docker0`.
    Bridge,
    /// The host's.
    Host,
    /// Its own, with nothing but `lo`.
    None,
    /// That of another service's first container.
    Service(ServiceName),
    /// That of a container outside the project, by name or id.
    Container(String),
    /// A network of the Engine by its name, as `docker run --network` takes it.
    Other(String),
}

/// A service's place in a network: `services.*.networks.*`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// Where the network is named.
    pub span: Option<Span>,
    /// `aliases`.
    pub aliases: Vec<Spanned<String>>,
    /// `ipv4_address`.
    pub ipv4_address: Option<Spanned<Ipv4Addr>>,
    /// `ipv6_address`.
    pub ipv6_address: Option<Spanned<Ipv6Addr>>,
    /// `link_local_ips`.
    pub link_local_ips: Vec<Spanned<IpAddr>>,
    /// `mac_address`.
    pub mac_address: Option<Spanned<Mac>>,
    /// `priority`: the highest is the primary network.
    pub priority: i64,
    /// `gw_priority`: the highest gives the default route (API 1.48).
    pub gateway_priority: Option<i64>,
    /// `interface_name` (API 1.49).
    pub interface_name: Option<Spanned<String>>,
    /// `driver_opts`.
    pub driver_opts: BTreeMap<String, String>,
    /// Whether the file says more than the network's name, be it only `{}`.
    pub is_mapping: bool,
}

/// `links: [target:alias]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<T> {
    /// Whom it leads to.
    pub target: T,
    /// The name it is known by; the target's own where none is given.
    pub alias: String,
}

/// One published (or merely exposed) port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The port in the container.
    pub target: u16,
    /// The host's: one, a range for the Engine to choose from (first, last), or none: the Engine chooses any.
    pub published: Option<(u16, u16)>,
    /// The host's port that the file names, where it was given up for one of the Engine's choice: rules still call it so.
    pub given_up: Option<(u16, u16)>,
    /// The host's address; none is every address.
    pub host_ip: Option<IpAddr>,
    /// The protocol.
    pub protocol: Protocol,
}

/// What one service needs of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// When it counts as there.
    pub condition: Condition,
    /// `restart`: restart when it is restarted.
    pub restart: bool,
    /// `required: false`: go on without it.
    pub required: bool,
    /// Where it is written; for what follows from a link or a shared namespace, that place.
    pub span: Option<Span>,
}

/// When a dependency counts as there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `service_started`.
    Started,
    /// `service_healthy`.
    Healthy,
    /// `service_completed_successfully`.
    Completed,
}

impl Condition {
    /// The word of the Compose Specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::Completed => "service_completed_successfully",
        }
    }
}

/// `healthcheck`. Absent parts are the image's, or the Engine's defaults (30 s, 30 s, 0 s, 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// What is run; absent is the image's.
    pub test: Option<HealthTest>,
    /// `interval`.
    pub interval: Option<Duration>,
    /// `timeout`.
    pub timeout: Option<Duration>,
    /// `start_period`.
    pub start_period: Option<Duration>,
    /// `start_interval` (API 1.44).
    pub start_interval: Option<Duration>,
    /// `retries`.
    pub retries: Option<u32>,
}

/// What a health check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthTest {
    /// `NONE`, or `disable: true`: the image's is switched off.
    None,
    /// `CMD`: the program and its arguments.
    Command(Vec<String>),
    /// `CMD-SHELL`: a line for the container's shell.
    Shell(String),
}

/// `deploy.update_config`, as far as one Engine has a use for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// `order: start-first`: the new container starts before the old one stops.
    pub start_first: bool,
    /// `failure_action: rollback`: the old container comes back where the new one does not hold.
    pub rollback: bool,
}

/// `restart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// `no`.
    No,
    /// `always`.
    Always,
    /// `unless-stopped`.
    UnlessStopped,
    /// `on-failure[:max]`.
    OnFailure(Option<u32>),
}

/// One mount of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// The path in the container.
    pub target: String,
    /// What is mounted there.
    pub source: MountSource,
    /// `read_only`.
    pub read_only: bool,
    /// Whether the file has a mapping of options for it, be it empty: docker compose then sends one too.
    pub is_mapping: bool,
    /// `volume.labels`: of the volume that is made for it.
    pub labels: BTreeMap<String, String>,
}

impl Mount {
    /// A path of the host, as the short form says it.
    pub fn bind(source: &str, target: &str) -> Self {
        let source = MountSource::Bind(Bind {
            source: source.into(),
            create_host_path: true,
            propagation: None,
            selinux: None,
            recursive: None,
        });
        Self { target: target.to_owned(), source, read_only: false, is_mapping: false, labels: BTreeMap::new() }
    }
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq)]
pub enum MountSource {
    /// A volume of the project.
    Volume {
        /// Its key.
        key: VolumeKey,
        /// `nocopy`.
        no_copy: bool,
        /// `subpath` (API 1.45).
        subpath: Option<String>,
        /// `bind.selinux`, which a short form's `z` or `Z` says of a volume, too.
        selinux: Option<String>,
    },
    /// A volume without a name, of this container alone.
    Anonymous,
    /// A path of the Engine's host.
    Bind(Bind),
    /// Memory: `tmpfs` of the service.
    Tmpfs {
        /// Options in the form of mount(8): `size=64m,mode=1777`.
        options: String,
    },
    /// Memory: an entry of `volumes`.
    Memory {
        /// `size`, in bytes; 0 is half of the host's memory.
        size: i64,
        /// `mode`; 0 is 1777.
        mode: u32,
    },
    /// An image's files (API 1.48).
    Image {
        /// The image.
        source: String,
        /// `subpath`.
        subpath: Option<String>,
    },
}

/// A bind mount.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    /// The path on the Engine's host, absolute.
    pub source: PathBuf,
    /// `create_host_path`: make a directory where nothing is.
    pub create_host_path: bool,
    /// `propagation`.
    pub propagation: Option<String>,
    /// `selinux`: `z` or `Z`.
    pub selinux: Option<String>,
    /// `recursive`: `enabled`, `disabled`, `writable`, `readonly`.
    pub recursive: Option<String>,
}

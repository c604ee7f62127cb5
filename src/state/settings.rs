//! How a container and its endpoints are set up, in the Engine's terms: the same types are what the file asks for and what
//! an inspection shows, so that the two can be compared field by field.
//!
//! `None` and empty in what is asked for mean that the image or the Engine decides. What is observed is always concrete.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::compose::model::{Bytes, HealthTest, Logging, Namespaces, Resources, Restart};
use crate::name::{Mac, Protocol};

/// Everything that `POST /containers/create` fixes, but for the name and the endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The image as it is named (`busybox:latest`).
    pub image: String,
    /// `Cmd`.
    pub command: Option<Vec<String>>,
    /// `Entrypoint`.
    pub entrypoint: Option<Vec<String>>,
    /// `Env`; a key with no value is taken out of the image's.
    pub environment: BTreeMap<String, Option<String>>,
    /// `Hostname`.
    pub hostname: Option<String>,
    /// `Domainname`.
    pub domainname: Option<String>,
    /// `User`.
    pub user: Option<String>,
    /// `WorkingDir`.
    pub working_dir: Option<String>,
    /// `Tty`.
    pub tty: bool,
    /// `OpenStdin`.
    pub stdin_open: bool,
    /// `StdinOnce`: its input is closed when who is attached first goes.
    pub stdin_once: bool,
    /// `HostConfig.AutoRemove`: it goes by itself when it ends.
    pub auto_remove: bool,
    /// `Labels`, the orchestrator's own among them.
    pub labels: BTreeMap<String, String>,
    /// `HostConfig.Annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `ExposedPorts` in the Engine's words, published ports among them: `80/tcp`, `3000`, `4000-4002`.
    pub exposed: BTreeSet<String>,
    /// `StopSignal`.
    pub stop_signal: Option<String>,
    /// `StopTimeout`; the Engine counts whole seconds.
    pub stop_timeout: Option<Duration>,
    /// `Healthcheck`.
    pub healthcheck: Option<HealthSettings>,
    /// `HostConfig.PortBindings`.
    pub ports: Vec<PortBinding>,
    /// `HostConfig.RestartPolicy`.
    pub restart: Option<Restart>,
    /// `HostConfig.ExtraHosts`: name, address.
    pub extra_hosts: Vec<(String, String)>,
    /// `HostConfig.Dns`.
    pub dns: Vec<IpAddr>,
    /// `HostConfig.DnsSearch`.
    pub dns_search: Vec<String>,
    /// `HostConfig.DnsOptions`.
    pub dns_options: Vec<String>,
    /// `HostConfig.Init`.
    pub init: Option<bool>,
    /// `HostConfig.Privileged`.
    pub privileged: bool,
    /// `HostConfig.ReadonlyRootfs`.
    pub read_only: bool,
    /// `HostConfig.CapAdd`.
    pub cap_add: BTreeSet<String>,
    /// `HostConfig.CapDrop`.
    pub cap_drop: BTreeSet<String>,
    /// `HostConfig.Sysctls`.
    pub sysctls: BTreeMap<String, String>,
    /// `Mounts`, `Binds` and `Tmpfs` together, by target.
    pub mounts: Vec<MountSettings>,
    /// Files that are copied in before it starts.
    pub files: Vec<FileSettings>,
    /// Where those lie if its root file system cannot be written; of a container that is there, it is not told.
    pub files_volume: Option<FilesVolume>,
    /// `platform` of the request.
    pub platform: Option<String>,
    /// The part of `HostConfig` that the API calls `Resources`.
    pub resources: Resources,
    /// `HostConfig.ShmSize`, in bytes; 0 is the Engine's own.
    pub shm_size: i64,
    /// `HostConfig.OomScoreAdj`.
    pub oom_score_adj: i64,
    /// `HostConfig.LogConfig`; an empty driver is the Engine's own.
    pub logging: Logging,
    /// `HostConfig.IpcMode`, `PidMode`, `UTSMode`, `UsernsMode`, `CgroupnsMode`. A `service:x` of the file stands here until
    /// the container's id is known.
    pub namespaces: Namespaces,
    /// `HostConfig.CgroupParent`.
    pub cgroup_parent: Option<String>,
    /// `HostConfig.Isolation`; `default` is nothing said.
    pub isolation: Option<String>,
    /// `HostConfig.Runtime`; none is the Engine's own.
    pub runtime: Option<String>,
    /// `HostConfig.StorageOpt`.
    pub storage_options: BTreeMap<String, String>,
    /// `HostConfig.GroupAdd`.
    pub groups: Vec<String>,
    /// `HostConfig.SecurityOpt`, without `systempaths`.
    pub security: Vec<String>,
    /// `systempaths=unconfined`: empty `MaskedPaths` and `ReadonlyPaths`.
    pub system_paths_unconfined: bool,
    /// `HostConfig.VolumesFrom`: `id[:mode]`. What names a service of the file stands in `DesiredContainer::borrows`.
    pub volumes_from: Vec<String>,
}

impl Settings {
    /// The images that must be there before it is created: its own, and those that it mounts.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.image.as_str()).chain(self.mounts.iter().filter_map(|mount| mount.kind.image()))
    }

    /// The ports that `exposed` means, one by one; words that are none are left out.
    pub fn exposed_ports(&self) -> BTreeSet<(u16, Protocol)> {
        self.exposed.iter().flat_map(|text| ports(text)).collect()
    }
}

/// `80/tcp`, `80` (TCP), or a range: `80-82/udp`.
pub fn ports(text: &str) -> Vec<(u16, Protocol)> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let Ok(protocol) = protocol.parse() else { return vec![] };
    range(numbers).map(|(first, last)| (first..=last).map(|port| (port, protocol)).collect()).unwrap_or_default()
}

/// `80` or `80-82`.
pub fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// `Healthcheck`. Zero durations of the Engine are `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthSettings {
    /// `Test`; none inherits the image's.
    pub test: Option<HealthTest>,
    /// `Interval`.
    pub interval: Option<Duration>,
    /// `Timeout`.
    pub timeout: Option<Duration>,
    /// `StartPeriod`.
    pub start_period: Option<Duration>,
    /// `StartInterval` (API 1.44).
    pub start_interval: Option<Duration>,
    /// `Retries`.
    pub retries: Option<u32>,
}

/// One port binding that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortBinding {
    /// The port in the container.
    pub target: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The host's address; none is every address.
    pub host_ip: Option<IpAddr>,
    /// First and last of the range that the Engine may choose from; none: any.
    pub published: Option<(u16, u16)>,
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MountSettings {
    /// The path in the container.
    pub target: String,
    /// What is there.
    pub kind: MountKind,
    /// Whether it can be written.
    pub read_only: bool,
    /// How it is asked for; nothing of it is compared.
    pub form: MountForm,
}

/// What of a mount is sent and cannot be told from an inspection, or does not matter once it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MountForm {
    /// Whether options are sent, be they empty.
    pub is_mapping: bool,
    /// Labels of a volume that is made for the mount.
    pub labels: BTreeMap<String, String>,
}

/// A file that is copied in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// Its path in the container, absolute.
    pub target: String,
    /// Who owns it.
    pub user: u32,
    /// The group that owns it.
    pub group: u32,
    /// Its permission bits.
    pub mode: u32,
    /// What is in it.
    pub content: Bytes,
}

impl FileSettings {
    /// Its path below the root file system, or below the volume that it lies in.
    pub fn path(&self) -> &str {
        self.target.trim_start_matches('/')
    }
}

/// A volume of a container's own, which is filled before the container starts. Each file is mounted from it by its path (API 1.45).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesVolume {
    /// Its name; other files have another.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountKind {
    /// A volume by its name in the Engine.
    Volume {
        /// The name.
        name: String,
        /// `NoCopy`.
        no_copy: bool,
        /// `Subpath` (API 1.45).
        subpath: Option<String>,
        /// `z` or `Z`.
        selinux: Option<String>,
    },
    /// A volume that the Engine names.
    Anonymous,
    /// A path of the Engine's host.
    Bind {
        /// The path.
        source: String,
        /// Make a directory where nothing is.
        create_host_path: bool,
        /// `rprivate`, `rshared` …
        propagation: Option<String>,
        /// `z` or `Z`.
        selinux: Option<String>,
        /// What becomes of mounts below: `disabled`, `writable`, `readonly`; none: they are there.
        recursive: Option<String>,
    },
    /// Memory, by `HostConfig.Tmpfs`.
    Tmpfs {
        /// Options of mount(8).
        options: String,
    },
    /// Memory, by `HostConfig.Mounts`.
    Memory {
        /// `SizeBytes`.
        size: i64,
        /// `Mode`.
        mode: u32,
    },
    /// An image's files (API 1.48).
    Image {
        /// The image.
        source: String,
        /// `Subpath`.
        subpath: Option<String>,
    },
}

impl MountKind {
    /// Memory of `Mounts` as options of mount(8), which say the same.
    pub fn memory_options(size: i64, mode: u32) -> String {
        let size = (size > 0).then(|| format!("size={size}"));
        let mode = (mode > 0).then(|| format!("mode={mode:o}"));
        size.into_iter().chain(mode).collect::<Vec<_>>().join(",")
    }

    /// The image, where one is mounted.
    pub fn image(&self) -> Option<&str> {
        match self {
            Self::Image { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The volume's name, where it is a named one.
    pub fn volume_name(&self) -> Option<&str> {
        match self {
            Self::Volume { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// How a container hangs on one network: what is asked of `EndpointsConfig`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSettings {
    /// Names that its peers know it by: container name, service name, the file's aliases.
    pub aliases: BTreeSet<String>,
    /// Those that are said twice, as docker compose says them: by the file and as the container's or the service's name, or as both these names.
    pub repeated: Vec<String>,
    /// `container:alias` pairs, as often as docker compose says them.
    pub links: Vec<(String, String)>,
    /// Whether the file says more of the endpoint than its network: then docker compose sends an `IPAMConfig`, be it empty.
    pub is_mapping: bool,
    /// A static address.
    pub ipv4: Option<Ipv4Addr>,
    /// A static address.
    pub ipv6: Option<Ipv6Addr>,
    /// Link-local addresses.
    pub link_local: Vec<IpAddr>,
    /// A fixed MAC address.
    pub mac: Option<Mac>,
    /// `GwPriority` (API 1.48).
    pub gateway_priority: Option<i64>,
    /// `DriverOpts`, the interface's name among them (`com.docker.network.endpoint.ifname`, API 1.49).
    pub driver_opts: BTreeMap<String, String>,
}

/// `IPAM`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IpamSettings {
    /// `Driver`; none is `default`.
    pub driver: Option<String>,
    /// `Config`.
    pub pools: Vec<PoolSettings>,
    /// `Options`.
    pub options: BTreeMap<String, String>,
}

/// One entry of `IPAM.Config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolSettings {
    /// `Subnet`.
    pub subnet: Option<ipnet::IpNet>,
    /// `IPRange`.
    pub ip_range: Option<ipnet::IpNet>,
    /// `Gateway`.
    pub gateway: Option<IpAddr>,
    /// `AuxiliaryAddresses`.
    pub aux_addresses: BTreeMap<String, IpAddr>,
}

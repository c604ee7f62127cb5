//! What a container may use, in the units and words of the Engine (`HostConfig`, the part that the API calls `Resources`).

use std::collections::BTreeMap;

/// Limits, weights and devices. Zero, empty and `None` mean that the file says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// `cpus` and `deploy.resources.limits.cpus`, in billionths of a CPU.
    pub nano_cpus: i64,
    /// `cpu_count` (Windows).
    pub cpu_count: i64,
    /// `cpu_percent` (Windows).
    pub cpu_percent: i64,
    /// `cpu_shares`.
    pub cpu_shares: i64,
    /// `cpu_period`, in microseconds.
    pub cpu_period: i64,
    /// `cpu_quota`, in microseconds.
    pub cpu_quota: i64,
    /// `cpu_rt_period`, in microseconds.
    pub cpu_realtime_period: i64,
    /// `cpu_rt_runtime`, in microseconds.
    pub cpu_realtime_runtime: i64,
    /// `cpuset`.
    pub cpuset: String,
    /// `mem_limit` and `deploy.resources.limits.memory`, in bytes.
    pub memory: i64,
    /// `mem_reservation` and `deploy.resources.reservations.memory`, in bytes.
    pub memory_reservation: i64,
    /// `memswap_limit`: memory and swap, in bytes; -1 is no limit.
    pub memory_swap: i64,
    /// `mem_swappiness`; the Engine counts 0 as nothing said, as docker compose does.
    pub memory_swappiness: i64,
    /// `oom_kill_disable`.
    pub oom_kill_disable: bool,
    /// `pids_limit` and `deploy.resources.limits.pids`; -1 is no limit.
    pub pids_limit: i64,
    /// `blkio_config`.
    pub block: BlockResources,
    /// `ulimits`: name, soft, hard.
    pub ulimits: Vec<(String, i64, i64)>,
    /// `devices` that are paths.
    pub devices: Vec<Device>,
    /// `device_cgroup_rules`.
    pub device_rules: Vec<String>,
    /// `gpus`, `deploy.resources.reservations.devices`, and `devices` of the Container Device Interface.
    pub device_requests: Vec<DeviceRequest>,
}

/// `blkio_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockResources {
    /// `weight`.
    pub weight: i64,
    /// `weight_device`: path, weight.
    pub weights: Vec<(String, i64)>,
    /// `device_read_bps`: path, bytes a second.
    pub read_bytes: Vec<(String, i64)>,
    /// `device_write_bps`.
    pub write_bytes: Vec<(String, i64)>,
    /// `device_read_iops`: path, operations a second.
    pub read_operations: Vec<(String, i64)>,
    /// `device_write_iops`.
    pub write_operations: Vec<(String, i64)>,
}

/// A device of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// Its path on the host.
    pub source: String,
    /// Its path in the container.
    pub target: String,
    /// `rwm`, or fewer of these.
    pub permissions: String,
}

/// A request for devices that a driver chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceRequest {
    /// The driver; empty is any that has the capabilities.
    pub driver: String,
    /// How many; -1 is all.
    pub count: i64,
    /// Which ones.
    pub ids: Vec<String>,
    /// What they must be able to do, all of it.
    pub capabilities: Vec<String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}

/// `logging`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// `driver`; empty is the Engine's own choice.
    pub driver: String,
    /// `options`.
    pub options: BTreeMap<String, String>,
}

/// One command of `post_start` or `pre_stop`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// `user`.
    pub user: Option<String>,
    /// `privileged`.
    pub privileged: bool,
    /// `working_dir`.
    pub working_dir: Option<String>,
    /// `environment`; a variable without a value is left out.
    pub environment: BTreeMap<String, Option<String>>,
}

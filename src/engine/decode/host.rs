//! The part of `HostConfig` that says what a container may use, and where it lives.

use super::{some, wire};
use crate::compose::model::{BlockResources, Device, DeviceRequest, Logging, Namespaces, Resources};
use crate::state::settings::Settings;

/// What of `host` the caller does not read, over the settings that it has read.
pub(super) fn host(host: wire::HostConfig, settings: Settings) -> Settings {
    let log = host.log_config.unwrap_or_default();
    let is_empty = |paths: &Option<Vec<String>>| paths.as_ref().is_some_and(Vec::is_empty);
    Settings {
        system_paths_unconfined: is_empty(&host.masked_paths) && is_empty(&host.readonly_paths),
        resources: resources(host.resources),
        shm_size: host.shm_size,
        oom_score_adj: host.oom_score_adj,
        logging: Logging { driver: log.driver, options: log.config },
        namespaces: Namespaces {
            ipc: some(host.ipc_mode),
            pid: some(host.pid_mode),
            uts: some(host.uts_mode),
            user: some(host.userns_mode),
            cgroup: some(host.cgroupns_mode),
        },
        cgroup_parent: some(host.cgroup_parent),
        isolation: some(host.isolation),
        runtime: some(host.runtime),
        storage_options: host.storage_opt,
        groups: host.group_add,
        security: host.security_opt,
        volumes_from: host.volumes_from,
        ..settings
    }
}

fn resources(raw: wire::Resources) -> Resources {
    let rates = |all: Vec<wire::DeviceNumber>| all.into_iter().map(|d| (d.path, d.rate)).collect();
    Resources {
        nano_cpus: raw.nano_cpus,
        cpu_count: raw.cpu_count,
        cpu_percent: raw.cpu_percent,
        cpu_shares: raw.cpu_shares,
        cpu_period: raw.cpu_period,
        cpu_quota: raw.cpu_quota,
        cpu_realtime_period: raw.cpu_realtime_period,
        cpu_realtime_runtime: raw.cpu_realtime_runtime,
        cpuset: raw.cpuset_cpus,
        memory: raw.memory,
        memory_reservation: raw.memory_reservation,
        memory_swap: raw.memory_swap,
        memory_swappiness: raw.memory_swappiness,
        oom_kill_disable: raw.oom_kill_disable,
        pids_limit: raw.pids_limit,
        block: BlockResources {
            weight: raw.blkio_weight,
            weights: raw.blkio_weight_device.into_iter().map(|d| (d.path, d.weight)).collect(),
            read_bytes: rates(raw.blkio_device_read_bps),
            write_bytes: rates(raw.blkio_device_write_bps),
            read_operations: rates(raw.blkio_device_read_iops),
            write_operations: rates(raw.blkio_device_write_iops),
        },
        ulimits: raw.ulimits.into_iter().map(|limit| (limit.name, limit.soft, limit.hard)).collect(),
        devices: raw.devices.into_iter().map(device).collect(),
        device_rules: raw.device_cgroup_rules,
        device_requests: raw.device_requests.into_iter().map(request).collect(),
    }
}

fn device(raw: wire::Device) -> Device {
    Device { source: raw.path_on_host, target: raw.path_in_container, permissions: raw.cgroup_permissions }
}

fn request(raw: wire::DeviceRequest) -> DeviceRequest {
    DeviceRequest {
        driver: raw.driver,
        count: raw.count,
        ids: raw.device_ids,
        capabilities: raw.capabilities.into_iter().flatten().collect(),
        options: raw.options,
    }
}

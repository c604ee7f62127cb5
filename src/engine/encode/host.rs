//! The part of `HostConfig` that says what a container may use, and where it lives.

use bollard::models::{
    ContainerUpdateBody, DeviceMapping, DeviceRequest, HostConfig, HostConfigCgroupnsModeEnum as Cgroup,
    HostConfigIsolationEnum as Isolation, HostConfigLogConfig, ResourcesBlkioWeightDevice, ResourcesUlimits,
    ThrottleDevice,
};

use super::{list, map};
use crate::compose::model::{Logging, Resources};
use crate::state::settings::Settings;

/// A number, unless it says nothing.
fn some(number: i64) -> Option<i64> {
    Some(number).filter(|number| *number != 0)
}

fn words(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// What is said of limits, devices, namespaces and logging; the rest of the model is the caller's.
pub(super) fn host(settings: &Settings) -> HostConfig {
    let resources = &settings.resources;
    let namespaces = &settings.namespaces;
    let unconfined = settings.system_paths_unconfined.then(Vec::new);
    HostConfig {
        shm_size: some(settings.shm_size),
        oom_score_adj: some(settings.oom_score_adj),
        log_config: logging(&settings.logging),
        ipc_mode: namespaces.ipc.clone(),
        pid_mode: namespaces.pid.clone(),
        uts_mode: namespaces.uts.clone(),
        userns_mode: namespaces.user.clone(),
        cgroupns_mode: namespaces.cgroup.as_deref().and_then(cgroup),
        cgroup_parent: settings.cgroup_parent.clone(),
        isolation: settings.isolation.as_deref().and_then(isolation),
        runtime: settings.runtime.clone(),
        storage_opt: map(&settings.storage_options),
        group_add: list(settings.groups.iter().cloned()),
        security_opt: list(settings.security.iter().cloned()),
        masked_paths: unconfined.clone(),
        readonly_paths: unconfined,
        volumes_from: list(settings.volumes_from.iter().cloned()),
        ..limits(resources)
    }
}

fn limits(resources: &Resources) -> HostConfig {
    let block = &resources.block;
    HostConfig {
        nano_cpus: some(resources.nano_cpus),
        cpu_count: some(resources.cpu_count),
        cpu_percent: some(resources.cpu_percent),
        cpu_shares: some(resources.cpu_shares),
        cpu_period: some(resources.cpu_period),
        cpu_quota: some(resources.cpu_quota),
        cpu_realtime_period: some(resources.cpu_realtime_period),
        cpu_realtime_runtime: some(resources.cpu_realtime_runtime),
        cpuset_cpus: words(&resources.cpuset),
        memory: some(resources.memory),
        memory_reservation: some(resources.memory_reservation),
        memory_swap: some(resources.memory_swap),
        memory_swappiness: some(resources.memory_swappiness),
        oom_kill_disable: resources.oom_kill_disable.then_some(true),
        pids_limit: some(resources.pids_limit),
        blkio_weight: u16::try_from(block.weight).ok().filter(|weight| *weight > 0),
        blkio_weight_device: list(block.weights.iter().map(|(path, weight)| ResourcesBlkioWeightDevice {
            path: Some(path.clone()),
            weight: usize::try_from(*weight).ok(),
        })),
        blkio_device_read_bps: throttles(&block.read_bytes),
        blkio_device_write_bps: throttles(&block.write_bytes),
        blkio_device_read_iops: throttles(&block.read_operations),
        blkio_device_write_iops: throttles(&block.write_operations),
        ulimits: list(resources.ulimits.iter().map(|(name, soft, hard)| ResourcesUlimits {
            name: Some(name.clone()),
            soft: Some(*soft),
            hard: Some(*hard),
        })),
        devices: list(resources.devices.iter().map(|device| DeviceMapping {
            path_on_host: Some(device.source.clone()),
            path_in_container: Some(device.target.clone()),
            cgroup_permissions: Some(device.permissions.clone()),
        })),
        device_cgroup_rules: list(resources.device_rules.iter().cloned()),
        device_requests: list(resources.device_requests.iter().map(|request| DeviceRequest {
            driver: Some(request.driver.clone()),
            count: Some(request.count),
            device_ids: list(request.ids.iter().cloned()),
            capabilities: list(request.capabilities.iter().cloned()).map(|all| vec![all]),
            options: map(&request.options),
        })),
        ..HostConfig::default()
    }
}

fn throttles(each: &[(String, i64)]) -> Option<Vec<ThrottleDevice>> {
    list(each.iter().map(|(path, rate)| ThrottleDevice { path: Some(path.clone()), rate: Some(*rate) }))
}

fn logging(logging: &Logging) -> Option<HostConfigLogConfig> {
    (*logging != Logging::default())
        .then(|| HostConfigLogConfig { typ: Some(logging.driver.clone()), config: map(&logging.options) })
}

/// The table lets no other word pass.
fn cgroup(word: &str) -> Option<Cgroup> {
    match word {
        "private" => Some(Cgroup::PRIVATE),
        "host" => Some(Cgroup::HOST),
        _ => None,
    }
}

/// The words of the API; `lint::check_unsayable` lets no other pass.
fn isolation(word: &str) -> Option<Isolation> {
    match word {
        "default" => Some(Isolation::DEFAULT),
        "process" => Some(Isolation::PROCESS),
        "hyperv" => Some(Isolation::HYPERV),
        _ => None,
    }
}

/// `POST /containers/{id}/update`: the limits and the restart policy that are said; 0 would change nothing.
pub(in crate::engine) fn update(settings: &Settings) -> ContainerUpdateBody {
    let limits = limits(&settings.resources);
    // without it the Engine holds the new memory limit against the old one of swap
    let swap = limits.memory_swap.or_else(|| limits.memory.map(|memory| memory.saturating_mul(2)));
    ContainerUpdateBody {
        nano_cpus: limits.nano_cpus,
        cpu_shares: limits.cpu_shares,
        cpu_period: limits.cpu_period,
        cpu_quota: limits.cpu_quota,
        cpu_realtime_period: limits.cpu_realtime_period,
        cpu_realtime_runtime: limits.cpu_realtime_runtime,
        cpuset_cpus: limits.cpuset_cpus,
        memory: limits.memory,
        memory_reservation: limits.memory_reservation,
        memory_swap: swap,
        // 0 and null change nothing, -1 takes a limit away
        pids_limit: Some(limits.pids_limit.unwrap_or(-1)),
        blkio_weight: limits.blkio_weight,
        restart_policy: Some(super::container::restart(settings.restart.unwrap_or(crate::compose::model::Restart::No))),
        ..ContainerUpdateBody::default()
    }
}

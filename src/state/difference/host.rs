//! Limits, devices, namespaces, logging: the part of `HostConfig` that says what a container may use and where it lives.
//!
//! The Engine fills in what is not said (a log driver, a runtime, the size of /dev/shm) and drops what its kernel cannot do
//! (swap limits, weights), so that zero says little. Where the file is still what the container was made from, neither is a
//! difference; where it is not, what it does not say (any more) must be the Engine's usual.

use std::collections::{BTreeMap, BTreeSet};

use super::{Comparison, Show};
use crate::compose::model::{Device, DeviceRequest, Restart};
use crate::state::settings::Settings;

/// The size of /dev/shm that an Engine gives unless it is told otherwise.
const SHM_SIZE: i64 = 64 << 20;

/// Limits that `POST /containers/{id}/update` changes, and the restart policy. True: all of them can be mended by it.
pub(super) fn limits(out: &mut Comparison, declared: &Settings, found: &Settings, unchanged: bool) -> bool {
    let (ours, theirs) = (&declared.resources, &found.resources);
    let mut mendable = unchanged;
    let mut same = |field: &str, declared: Option<String>, found: Option<String>| {
        // an Engine whose kernel cannot do it has dropped it; nobody can take it away by hand
        if declared != found && !(unchanged && found.is_none()) {
            mendable &= declared.is_some();
            out.differs(field, &declared, &found);
        }
    };
    let cpuset = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    same("cpus", cpus(ours.nano_cpus), cpus(theirs.nano_cpus));
    same("cpu_shares", said(ours.cpu_shares), said(theirs.cpu_shares));
    same("cpu_period", said(ours.cpu_period), said(theirs.cpu_period));
    same("cpu_quota", said(ours.cpu_quota), said(theirs.cpu_quota));
    same("cpu_rt_period", said(ours.cpu_realtime_period), said(theirs.cpu_realtime_period));
    same("cpu_rt_runtime", said(ours.cpu_realtime_runtime), said(theirs.cpu_realtime_runtime));
    same("cpuset", cpuset(&ours.cpuset), cpuset(&theirs.cpuset));
    same("mem_limit", said(ours.memory), said(theirs.memory));
    same("mem_reservation", said(ours.memory_reservation), said(theirs.memory_reservation));
    same("blkio_config.weight", said(ours.block.weight), said(theirs.block.weight));
    // none is twice the memory, and -1 where the kernel counts no swap
    let swap = if ours.memory_swap == 0 { ours.memory.saturating_mul(2) } else { ours.memory_swap };
    if theirs.memory_swap != -1 {
        let found = if theirs.memory_swap == 0 { theirs.memory.saturating_mul(2) } else { theirs.memory_swap };
        same("memswap_limit", said(swap), said(found));
    }
    let pids = |limit: i64| limit.max(0);
    if pids(ours.pids_limit) != pids(theirs.pids_limit) && !(unchanged && theirs.pids_limit <= 0) {
        out.differs("pids_limit", &ours.pids_limit, &theirs.pids_limit);
    }
    let policy = |restart: Option<Restart>| restart.unwrap_or(Restart::No);
    out.same("restart", &policy(declared.restart), &policy(found.restart));
    mendable
}

/// A number; 0 says nothing.
fn said(number: i64) -> Option<String> {
    Some(number.to_string()).filter(|_| number != 0)
}

/// Billionths of a CPU as CPUs.
fn cpus(nano: i64) -> Option<String> {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned()).filter(|_| nano != 0)
}

/// What only another container mends.
pub(super) fn fixed(out: &mut Comparison, declared: &Settings, found: &Settings, unchanged: bool) {
    resources(out, declared, found, unchanged);
    namespaces(out, declared, found, unchanged);
    logging(out, declared, found, unchanged);
    out.same("oom_score_adj", &declared.oom_score_adj, &found.oom_score_adj);
    let shm = if declared.shm_size == 0 && !unchanged { SHM_SIZE } else { declared.shm_size };
    if shm != 0 && found.shm_size != 0 {
        out.same("shm_size", &shm, &found.shm_size);
    }
    let told = |text: &Option<String>| text.clone().filter(|text| text != "default").unwrap_or_default();
    out.same("cgroup_parent", &told(&declared.cgroup_parent), &told(&found.cgroup_parent));
    out.same("isolation", &told(&declared.isolation), &told(&found.isolation));
    match &declared.runtime {
        Some(runtime) => out.same("runtime", runtime, &told(&found.runtime)),
        None if unchanged => {}
        None => out.same("runtime", "runc", found.runtime.as_deref().unwrap_or("runc")),
    }
    out.same_map("storage_opt", &declared.storage_options, &found.storage_options);
    out.same("group_add", &set(&declared.groups), &set(&found.groups));
    security(out, declared, found);
}

/// An Engine with SELinux switches labels off by itself where the host's namespaces are shared.
fn security(out: &mut Comparison, declared: &Settings, found: &Settings) {
    let mut theirs = set(&found.security);
    let labelled = |option: &String| option.starts_with("label");
    if !declared.security.iter().any(labelled) {
        theirs.retain(|option| !labelled(option));
    }
    out.same("security_opt", &set(&declared.security), &theirs);
    if !declared.privileged {
        out.same("security_opt.systempaths", &declared.system_paths_unconfined, &found.system_paths_unconfined);
    }
}

fn set(list: &[String]) -> BTreeSet<String> {
    list.iter().cloned().collect()
}

fn resources(out: &mut Comparison, declared: &Settings, found: &Settings, unchanged: bool) {
    let (ours, theirs) = (&declared.resources, &found.resources);
    // what the kernel cannot do is dropped, a share in per cent by every Linux
    for (field, ours, theirs) in
        [("cpu_count", ours.cpu_count, theirs.cpu_count), ("cpu_percent", ours.cpu_percent, theirs.cpu_percent)]
    {
        if !(unchanged && theirs == 0) {
            out.same(field, &ours, &theirs);
        }
    }
    if !(unchanged && theirs.memory_swappiness <= 0) {
        out.same("mem_swappiness", &ours.memory_swappiness, &theirs.memory_swappiness.max(0));
    }
    if !unchanged || theirs.oom_kill_disable {
        out.same("oom_kill_disable", &ours.oom_kill_disable, &theirs.oom_kill_disable);
    }
    let by_name = |all: &[(String, i64, i64)]| -> BTreeMap<String, String> {
        all.iter().map(|(name, soft, hard)| (name.clone(), format!("{soft}:{hard}"))).collect()
    };
    let (ulimits, mut others) = (by_name(&ours.ulimits), by_name(&theirs.ulimits));
    others.retain(|name, _| !unchanged || ulimits.contains_key(name));
    out.same_map("ulimits", &ulimits, &others);
    let sorted = |devices: &[Device]| devices.iter().cloned().collect::<BTreeSet<_>>();
    out.same("devices", &sorted(&ours.devices), &sorted(&theirs.devices));
    out.same("device_cgroup_rules", &set(&ours.device_rules), &set(&theirs.device_rules));
    let requests = |all: &[DeviceRequest]| all.iter().cloned().collect::<BTreeSet<_>>();
    out.same("gpus", &requests(&ours.device_requests), &requests(&theirs.device_requests));
    let pairs = |all: &[(String, i64)]| all.iter().map(|(path, n)| format!("{path} {n}")).collect::<BTreeSet<_>>();
    for (field, ours, theirs) in [
        ("weight_device", &ours.block.weights, &theirs.block.weights),
        ("device_read_bps", &ours.block.read_bytes, &theirs.block.read_bytes),
        ("device_write_bps", &ours.block.write_bytes, &theirs.block.write_bytes),
        ("device_read_iops", &ours.block.read_operations, &theirs.block.read_operations),
        ("device_write_iops", &ours.block.write_operations, &theirs.block.write_operations),
    ] {
        if !(unchanged && theirs.is_empty()) {
            out.same(&format!("blkio_config.{field}"), &pairs(ours), &pairs(theirs));
        }
    }
}

/// Namespaces that are not another container's: those are compared by whoever knows the ids.
fn namespaces(out: &mut Comparison, declared: &Settings, found: &Settings, unchanged: bool) {
    let (ours, theirs) = (&declared.namespaces, &found.namespaces);
    let told = |mode: &Option<String>| mode.clone().unwrap_or_default();
    let of_container = |mode: &Option<String>| told(mode).starts_with("container:");
    out.same("uts", &told(&ours.uts), &told(&theirs.uts));
    if ours.user.is_some() || !(unchanged || theirs.user.as_deref() == Some("host")) {
        out.same("userns_mode", &told(&ours.user), &told(&theirs.user));
    }
    // which one is usual depends on the host's kernel
    if ours.cgroup.is_some() && theirs.cgroup.is_some() {
        out.same("cgroup", &told(&ours.cgroup), &told(&theirs.cgroup));
    }
    if !of_container(&ours.pid) && !of_container(&theirs.pid) {
        out.same("pid", &told(&ours.pid), &told(&theirs.pid));
    }
    if of_container(&ours.ipc) || of_container(&theirs.ipc) {
        return;
    }
    let is_usual = ["", "private", "shareable"].contains(&told(&theirs.ipc).as_str());
    if ours.ipc.is_some() || !(unchanged || is_usual) {
        out.same("ipc", &told(&ours.ipc), &told(&theirs.ipc));
    }
}

/// Options that the Engine's own configuration adds are no difference.
fn logging(out: &mut Comparison, declared: &Settings, found: &Settings, unchanged: bool) {
    let (ours, theirs) = (&declared.logging, &found.logging);
    if !ours.driver.is_empty() {
        out.same("logging.driver", &ours.driver, &theirs.driver);
    } else if !unchanged && !theirs.driver.is_empty() {
        out.same("logging.driver", "json-file", theirs.driver.as_str());
    }
    let mut options = theirs.options.clone();
    options.retain(|key, _| !unchanged || ours.options.contains_key(key));
    out.same_map("logging.options", &ours.options, &options);
}

impl Show for Device {
    fn show(&self) -> String {
        format!("{}:{}:{}", self.source, self.target, self.permissions)
    }
}

impl Show for DeviceRequest {
    fn show(&self) -> String {
        let which = if self.ids.is_empty() { self.count.to_string() } else { self.ids.join("+") };
        let options: String = self.options.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        format!("{} {which} {}{options}", self.driver, self.capabilities.join("+")).trim().to_owned()
    }
}

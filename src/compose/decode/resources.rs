//! What a service may use: limits, weights, devices, logging, hooks.

use std::collections::BTreeMap;

use crate::compose::model::{BlockResources, Device, DeviceRequest, Hook, Logging, Resources, Restart};
use crate::compose::tree;
use crate::source::Spanned;
use crate::yaml::Node;

/// A number as the tree has it: whole, or a text of digits.
fn number(node: &Node, key: &str) -> i64 {
    let text = node.get(key).and_then(Node::as_scalar).map(|s| s.value.text().into_owned());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn word(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_scalar).map(|s| s.value.text().into_owned()).unwrap_or_default()
}

/// CPUs in billionths, in the arithmetic of docker compose (a Go `float32`), so that 0.7 is 700 000 000 there and here.
#[expect(clippy::cast_possible_truncation, reason = "a number of CPUs times a billion fits 63 bits")]
fn nano_cpus(node: &Node) -> i64 {
    let cpus = word(node, "cpus").parse::<f32>().unwrap_or(0.0);
    (cpus * 1e9) as i64
}

/// What is said by whoever says more than nothing.
fn either(first: i64, second: i64) -> i64 {
    if first == 0 { second } else { first }
}

/// The limits of a service; those under `deploy` say the same as the older ones, or stand alone.
pub(super) fn resources(service: &Node) -> Resources {
    let empty = Node::null(service.span);
    let under = |key: &str| service.get("deploy")?.get("resources")?.get(key);
    let (limits, reservations) = (under("limits").unwrap_or(&empty), under("reservations").unwrap_or(&empty));
    let (devices, cdi) = devices(service);
    let mut device_requests = cdi;
    device_requests.extend(tree::items(reservations, "devices").iter().map(|node| request(node, false)));
    device_requests.extend(tree::items(service, "gpus").iter().map(|node| request(node, true)));
    Resources {
        nano_cpus: either(nano_cpus(limits), nano_cpus(service)),
        cpu_count: number(service, "cpu_count"),
        cpu_percent: cpu_percent(service),
        cpu_shares: number(service, "cpu_shares"),
        cpu_period: number(service, "cpu_period"),
        cpu_quota: number(service, "cpu_quota"),
        cpu_realtime_period: number(service, "cpu_rt_period"),
        cpu_realtime_runtime: number(service, "cpu_rt_runtime"),
        cpuset: word(service, "cpuset"),
        memory: either(number(limits, "memory"), number(service, "mem_limit")),
        memory_reservation: either(number(reservations, "memory"), number(service, "mem_reservation")),
        memory_swap: number(service, "memswap_limit"),
        memory_swappiness: number(service, "mem_swappiness"),
        oom_kill_disable: tree::is_true(service, "oom_kill_disable"),
        pids_limit: either(number(limits, "pids").max(0), number(service, "pids_limit")),
        block: service.get("blkio_config").map(block).unwrap_or_default(),
        ulimits: tree::section(service, "ulimits").map(|(name, entry)| ulimit(name, &entry.value)).collect(),
        devices,
        device_rules: texts(service, "device_cgroup_rules"),
        device_requests,
    }
}

/// Hundredths, as the API counts.
#[expect(clippy::cast_possible_truncation, reason = "the table lets 0 to 100 pass")]
fn cpu_percent(service: &Node) -> i64 {
    (word(service, "cpu_percent").parse::<f32>().unwrap_or(0.0) * 100.0) as i64
}

fn texts(node: &Node, key: &str) -> Vec<String> {
    tree::items(node, key).iter().filter_map(|item| Some(item.as_scalar()?.value.text().into_owned())).collect()
}

fn pairs(node: &Node, key: &str) -> BTreeMap<String, String> {
    let text = |node: &Node| node.as_scalar().map(|s| s.value.text().into_owned()).unwrap_or_default();
    tree::section(node, key).map(|(name, entry)| (name.to_string(), text(&entry.value))).collect()
}

fn ulimit(name: &str, node: &Node) -> (String, i64, i64) {
    match node.as_map() {
        Some(_) => (name.to_owned(), number(node, "soft"), number(node, "hard")),
        None => {
            let single = node.as_scalar().and_then(|s| s.value.text().into_owned().parse().ok()).unwrap_or(0);
            (name.to_owned(), single, single)
        }
    }
}

fn block(node: &Node) -> BlockResources {
    let each = |key: &str, value: &str| -> Vec<(String, i64)> {
        tree::items(node, key).iter().map(|item| (word(item, "path"), number(item, value))).collect()
    };
    BlockResources {
        weight: number(node, "weight"),
        weights: each("weight_device", "weight"),
        read_bytes: each("device_read_bps", "rate"),
        write_bytes: each("device_write_bps", "rate"),
        read_operations: each("device_read_iops", "rate"),
        write_operations: each("device_write_iops", "rate"),
    }
}

/// Devices by path, and those that are names of the Container Device Interface (`vendor.com/class=name`), asked for as one.
fn devices(service: &Node) -> (Vec<Device>, Vec<DeviceRequest>) {
    let (mut paths, mut names) = (vec![], vec![]);
    for node in tree::items(service, "devices") {
        let source = word(node, "source");
        let target = Some(word(node, "target")).filter(|text| !text.is_empty()).unwrap_or_else(|| source.clone());
        let permissions = Some(word(node, "permissions")).filter(|text| !text.is_empty());
        match is_cdi(&source) && source == target {
            true => names.push(source),
            false => {
                let permissions = permissions.unwrap_or_else(|| "rwm".to_owned());
                paths.push(Device { source, target, permissions });
            }
        }
    }
    let request = DeviceRequest { driver: "cdi".to_owned(), ids: names, ..DeviceRequest::default() };
    (paths, Some(request).filter(|request| !request.ids.is_empty()).into_iter().collect())
}

/// `vendor/class=name` (Container Device Interface Specification, "Kind").
fn is_cdi(text: &str) -> bool {
    let Some((kind, name)) = text.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric()) && !text.contains('/');
    word(vendor) && word(class) && word(name)
}

fn request(node: &Node, is_gpu: bool) -> DeviceRequest {
    let mut capabilities = texts(node, "capabilities");
    if is_gpu {
        capabilities.push("gpu".to_owned());
    }
    DeviceRequest {
        driver: word(node, "driver"),
        count: number(node, "count"),
        ids: texts(node, "device_ids"),
        capabilities,
        options: pairs(node, "options"),
    }
}

/// `logging`; none where the file does not say it.
pub(super) fn logging(service: &Node) -> Option<Logging> {
    let node = service.get("logging").filter(|node| node.as_map().is_some())?;
    Some(Logging { driver: word(node, "driver"), options: pairs(node, "options") })
}

/// `post_start` or `pre_stop`.
pub(super) fn hooks(service: &Node, key: &str) -> Vec<Hook> {
    tree::items(service, key).iter().map(hook).collect()
}

/// One command.
pub(super) fn hook(node: &Node) -> Hook {
    Hook {
        command: texts(node, "command"),
        user: Some(word(node, "user")).filter(|text| !text.is_empty()),
        privileged: tree::is_true(node, "privileged"),
        working_dir: Some(word(node, "working_dir")).filter(|text| !text.is_empty()),
        environment: tree::section(node, "environment")
            .map(|(name, entry)| (name.to_string(), entry.value.as_scalar().map(|s| s.value.text().into_owned())))
            .collect(),
    }
}

/// `deploy.restart_policy`, which goes before `restart`. The outer `None`: the file does not say it; the inner one: it says
/// no condition, and docker compose leaves the policy to the Engine. What the Engine would refuse is found by
/// [`crate::compose::unsupported`], because files for Swarm say it and `config` prints them.
pub(super) fn restart_policy(service: &Node) -> Option<Option<Spanned<Restart>>> {
    let node = service.get("deploy")?.get("restart_policy").filter(|node| node.as_map().is_some())?;
    let attempts = u32::try_from(number(node, "max_attempts")).ok().filter(|n| *n > 0);
    let restart = match word(node, "condition").as_str() {
        "none" | "no" => Restart::No,
        "on-failure" => Restart::OnFailure(attempts),
        "unless-stopped" => Restart::UnlessStopped,
        "any" | "always" => Restart::Always,
        _ => return Some(None),
    };
    Some(Some(Spanned::new(restart, node.span)))
}

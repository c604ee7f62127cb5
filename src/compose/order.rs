//! The order in which docker compose prints what has one: its own, where it is not that of the keys' names.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use indexmap::IndexMap;

use super::attributes::Place;
use crate::yaml::{Mapping, Text, natural};

/// Which key of a place is how early.
type Ranks = IndexMap<&'static str, usize, foldhash::fast::RandomState>;

/// Places and their keys in order; keys that are not named follow, `x-` keys last. Measured with 2.40.3.
#[rustfmt::skip]
const ORDER: &[(&str, &[&str])] = &[
    ("", &["name", "services", "networks", "volumes", "secrets", "configs", "models"]),
    (
        "services.*",
        &[
            "profiles", "annotations", "attach", "build", "develop", "blkio_config", "cap_add", "cap_drop",
            "cgroup_parent", "cgroup", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period",
            "cpu_rt_runtime", "cpus", "cpuset", "cpu_shares", "command", "configs", "container_name",
            "credential_spec", "depends_on", "deploy", "device_cgroup_rules", "devices", "dns", "dns_opt",
            "dns_search", "domainname", "entrypoint", "provider", "environment", "env_file", "expose",
            "extends", "external_links", "extra_hosts", "group_add", "gpus", "hostname", "healthcheck", "image",
            "init", "ipc", "isolation", "labels", "label_file", "links", "logging", "mem_limit",
            "mem_reservation", "memswap_limit", "mem_swappiness", "mac_address", "models", "network_mode",
            "networks", "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "ports",
            "privileged", "pull_policy", "read_only", "restart", "runtime", "scale", "secrets", "security_opt",
            "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt", "sysctls", "tmpfs",
            "tty", "ulimits", "use_api_socket", "user", "userns_mode", "uts", "volumes", "volumes_from",
            "working_dir", "post_start", "pre_stop",
        ],
    ),
    (
        "services.*.build",
        &[
            "context", "dockerfile", "dockerfile_inline", "entitlements", "args", "provenance", "sbom", "ssh",
            "labels", "cache_from", "cache_to", "no_cache", "additional_contexts", "pull", "extra_hosts",
            "isolation", "network", "target", "secrets", "shm_size", "tags", "ulimits", "platforms",
            "privileged",
        ],
    ),
    ("services.*.blkio_config", &["weight", "weight_device", "device_read_bps", "device_read_iops"]),
    (
        "services.*.deploy",
        &[
            "mode", "replicas", "labels", "update_config", "rollback_config", "resources", "restart_policy",
            "placement", "endpoint_mode",
        ],
    ),
    ("services.*.deploy.placement", &["constraints", "preferences", "max_replicas_per_node"]),
    ("services.*.deploy.resources.reservations", &["cpus", "memory", "devices", "generic_resources"]),
    ("services.*.deploy.resources.reservations.devices[]", DEVICE),
    ("services.*.deploy.rollback_config", UPDATE),
    ("services.*.deploy.update_config", UPDATE),
    ("services.*.develop.watch[]", &["path", "action", "target", "exec", "include", "ignore", "initial_sync"]),
    ("services.*.develop.watch[].exec", HOOK),
    ("services.*.depends_on.*", &["condition", "restart", "required"]),
    ("services.*.devices[]", &["source", "target", "permissions"]),
    ("services.*.gpus[]", DEVICE),
    (
        "services.*.healthcheck",
        &["test", "timeout", "interval", "retries", "start_period", "start_interval", "disable"],
    ),
    ("services.*.ports[]", &["name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"]),
    ("services.*.post_start[]", HOOK),
    ("services.*.pre_stop[]", HOOK),
    ("services.*.provider", &["type", "options"]),
    ("services.*.ulimits.*", LIMIT),
    ("services.*.build.ulimits.*", LIMIT),
    ("services.*.build.secrets[]", GRANT),
    ("services.*.configs[]", GRANT),
    ("services.*.secrets[]", GRANT),
    (
        "services.*.volumes[]",
        &["type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs", "image"],
    ),
    ("services.*.volumes[].bind", &["selinux", "propagation", "create_host_path", "recursive"]),
    ("services.*.volumes[].tmpfs", &["size", "mode"]),
    (
        "networks.*",
        &[
            "name", "driver", "driver_opts", "ipam", "external", "internal", "attachable", "labels",
            "enable_ipv4", "enable_ipv6",
        ],
    ),
    ("networks.*.ipam", &["driver", "config", "options"]),
    ("networks.*.ipam.config[]", &["subnet", "gateway", "ip_range", "aux_addresses"]),
    ("volumes.*", &["name", "driver", "driver_opts", "external", "labels"]),
    ("secrets.*", &["name", "file", "environment", "external", "labels", "driver", "driver_opts", "template_driver"]),
    ("configs.*", &["name", "file", "environment", "content", "external", "labels", "template_driver"]),
    ("models.*", &["name", "model", "context_size", "runtime_flags"]),
];

const DEVICE: &[&str] = &["capabilities", "driver", "count", "device_ids", "options"];
const UPDATE: &[&str] = &["parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"];
const HOOK: &[&str] = &["command", "user", "privileged", "working_dir", "environment"];
const LIMIT: &[&str] = &["soft", "hard"];
const GRANT: &[&str] = &["source", "target", "uid", "gid", "mode"];

/// Puts the keys of the mapping at a place in order.
pub(super) fn sort(place: Place, mapping: &mut Mapping) {
    let Some(ranks) = ranks(place) else {
        if !mapping.0.keys().is_sorted_by(|a, b| natural(a, b) != Ordering::Greater) {
            mapping.0.sort_by_key(|key| Natural(key.clone()));
        }
        return;
    };
    let rank = |key: &Text| (rank(ranks, key), Natural(key.clone()));
    if !mapping.0.keys().map(rank).is_sorted() {
        mapping.0.sort_by_key(rank);
    }
}

/// A key in go-yaml's order.
#[derive(PartialEq, Eq)]
struct Natural(Text);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(&self.0, &other.0)
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn ranks(place: Place) -> Option<&'static Ranks> {
    static RANKS: LazyLock<BTreeMap<Place, Ranks>> = LazyLock::new(|| {
        let ranks = |keys: &[&'static str]| keys.iter().enumerate().map(|(rank, key)| (*key, rank)).collect();
        ORDER.iter().map(|(path, keys)| (Place::of(path), ranks(keys))).collect()
    });
    RANKS.get(&place)
}

fn rank(ranks: &Ranks, key: &str) -> usize {
    match ranks.get(key) {
        Some(rank) => *rank,
        None if key.starts_with("x-") => usize::MAX,
        None => usize::MAX - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};
    use crate::yaml::Node;

    fn sorted(path: &str, keys: &[&'static str]) -> Vec<&'static str> {
        let span = Span::new(FileId(0), 0, 0);
        let mut mapping = Mapping::new();
        keys.iter().for_each(|key| mapping.insert(*key, span, Node::null(span)));
        sort(Place::of(path), &mut mapping);
        mapping.iter().filter_map(|(key, _)| keys.iter().copied().find(|one| *one == &**key)).collect()
    }

    #[test]
    fn places_with_an_order_have_it_and_others_go_by_name() {
        assert_eq!(
            sorted("services.*.ports[]", &["target", "x-a", "mode", "published"]),
            ["mode", "target", "published", "x-a"]
        );
        assert_eq!(sorted("services.*.environment", &["B10", "B9", "A"]), ["A", "B9", "B10"]);
        assert_eq!(sorted("", &["x-b", "services", "x-a", "name"]), ["name", "services", "x-a", "x-b"]);
    }

    #[test]
    fn every_place_and_key_is_one_that_the_table_of_attributes_knows() {
        for (path, keys) in ORDER {
            for key in *keys {
                assert!(Place::of(path).has_field(key), "{path}: {key}");
            }
        }
    }
}

//! The `config-hash` label, as docker compose 2.40.3 makes it, so that neither tool replaces what the other made.
//!
//! It is the SHA-256 of the JSON that Go writes for the decoded service, network or volume: the fields of records in the
//! order in which they are declared there, the keys of maps sorted, no spaces. The orders below were read off
//! `docker compose config --format json` for a stack that says everything; the result is compared with its hashes in tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::compose::model::VolumesFrom;
use crate::compose::print::{self, Dollars, Format};
use crate::name::{NetworkKey, ServiceName, VolumeKey};
use crate::yaml::{Node, json};

/// What does not count for a service.
const NOT_COUNTED: &[&str] = &["build", "pull_policy", "scale", "depends_on", "profiles", "x-verify"];

/// Records whose fields are not in alphabetical order, by their path; `*` is any name, and lists add nothing.
const ORDERS: &[(&str, &str)] = &[
    (
        "service",
        "profiles annotations attach build develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count cpu_percent \
         cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares command configs container_name \
         credential_spec depends_on deploy device_cgroup_rules devices dns dns_opt dns_search dockerfile domainname \
         entrypoint provider environment env_file expose extends external_links extra_hosts group_add gpus hostname \
         healthcheck image init ipc isolation labels label_file links logging log_driver log_opt mem_limit mem_reservation \
         memswap_limit mem_swappiness mac_address models net network_mode networks oom_kill_disable oom_score_adj pid \
         pids_limit platform ports privileged pull_policy read_only restart runtime scale secrets security_opt shm_size \
         stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts \
         volume_driver volumes volumes_from working_dir post_start pre_stop",
    ),
    ("service.develop.watch", "path action target exec include ignore initial_sync"),
    ("service.develop.watch.exec", "command user privileged working_dir environment"),
    ("service.post_start", "command user privileged working_dir environment"),
    ("service.pre_stop", "command user privileged working_dir environment"),
    (
        "service.blkio_config",
        "weight weight_device device_read_bps device_read_iops device_write_bps device_write_iops",
    ),
    ("service.configs", "source target uid gid mode"),
    ("service.secrets", "source target uid gid mode"),
    (
        "service.deploy",
        "mode replicas labels update_config rollback_config resources restart_policy placement endpoint_mode",
    ),
    ("service.deploy.placement", "constraints preferences max_replicas_per_node"),
    ("service.deploy.update_config", "parallelism delay failure_action monitor max_failure_ratio order"),
    ("service.deploy.rollback_config", "parallelism delay failure_action monitor max_failure_ratio order"),
    ("service.deploy.resources.reservations", "cpus memory devices generic_resources"),
    ("service.deploy.resources.reservations.devices", "capabilities driver count device_ids options"),
    ("service.gpus", "capabilities driver count device_ids options"),
    ("service.devices", "source target permissions"),
    ("service.healthcheck", "test timeout interval retries start_period start_interval disable"),
    ("service.ports", "name mode host_ip target published protocol app_protocol"),
    ("service.provider", "type options"),
    ("service.ulimits.*", "soft hard"),
    ("service.volumes", "type source target read_only consistency bind volume tmpfs cluster image"),
    ("service.volumes.bind", "selinux propagation create_host_path recursive"),
    ("service.volumes.tmpfs", "size mode"),
    ("network", "name driver driver_opts ipam external internal attachable labels enable_ipv4 enable_ipv6"),
    ("network.ipam", "driver config"),
    ("network.ipam.config", "subnet gateway ip_range aux_addresses"),
    ("volume", "name driver driver_opts external labels"),
];

/// The places of the fields in those records.
static RANKS: LazyLock<BTreeMap<&str, BTreeMap<&str, usize>>> = LazyLock::new(|| {
    let ranked = |order: &'static str| order.split(' ').zip(0..).collect();
    ORDERS.iter().map(|(record, order)| (*record, ranked(order))).collect()
});

/// Where the user names the entries.
const NAMED: &str = "service.ulimits";

/// The project as docker compose decodes it.
pub(super) struct Decoded<'a> {
    tree: &'a Node,
    whole: Value,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(tree: &'a Node) -> Self {
        Self { tree, whole: json::value(&print::printed(tree.clone(), Format::Json, Dollars::Kept)) }
    }

    /// The JSON of a service that is hashed, with `service:` references as they are written.
    pub(super) fn service(&self, name: &ServiceName) -> Option<String> {
        let mut service = self.whole.get("services")?.get(name.as_str())?.clone();
        let fields = service.as_object_mut()?;
        NOT_COUNTED.iter().for_each(|key| _ = fields.shift_remove(*key));
        if let Some(deploy) = fields.get_mut("deploy").and_then(Value::as_object_mut) {
            deploy.shift_remove("replicas");
        }
        // a container outside the project counts by its name alone
        for entry in fields.get_mut("volumes_from").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(name) = entry.as_str().and_then(|text| VolumesFrom::of(text).container()) {
                *entry = name.into();
            }
        }
        // `config` does not show these, and they count
        let files = self.tree.get("services")?.get(name.as_str())?.get("label_file").and_then(Node::as_seq);
        if let Some(files) = files.filter(|files| !files.is_empty()) {
            fields.insert("label_file".to_owned(), files.iter().map(json::value).collect());
        }
        Some(text(&service, "service"))
    }

    /// The hash of a network.
    pub(super) fn network(&self, key: &NetworkKey) -> Option<String> {
        Some(hash(&text(self.whole.get("networks")?.get(key.as_str())?, "network")))
    }

    /// The hash of a volume; the default driver counts as said.
    pub(super) fn volume(&self, key: &VolumeKey) -> Option<String> {
        let mut volume = self.whole.get("volumes")?.get(key.as_str())?.clone();
        volume.as_object_mut()?.entry("driver").or_insert_with(|| "local".into());
        Some(hash(&text(&volume, "volume")))
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default());
    Sha256::digest(text).iter().flat_map(digits).collect()
}

/// JSON as Go writes it.
fn text(value: &Value, path: &str) -> String {
    let mut out = String::new();
    write(&mut out, value, path);
    out
}

fn write(out: &mut String, value: &Value, path: &str) {
    match value {
        Value::Object(fields) => {
            let ranks = RANKS.get(path);
            let rank = |key: &str| ranks.and_then(|ranks| ranks.get(key)).copied().unwrap_or(usize::MAX);
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_by_cached_key(|key| (rank(key), key.as_bytes()));
            out.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                string(out, key);
                out.push(':');
                let below = if path == NAMED { "*" } else { key };
                write(out, &fields[key], &format!("{path}.{below}"));
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write(out, item, path);
            }
            out.push(']');
        }
        Value::String(text) => string(out, text),
        other => _ = write!(out, "{other}"),
    }
}

/// A string with what Go escapes: quotes, backslashes, control characters, and `<`, `>`, `&` and line separators, for HTML.
fn string(out: &mut String, text: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in Value::from(text).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::load_text;
    use crate::state::desired::{DesiredOptions, Lenders, desired, labels};

    /// Hashes that `docker compose` 2.40.3 gave: `config --hash` for services, `docker inspect` for the others.
    fn hashes(text: &str) -> Vec<(String, String)> {
        let loaded = load_text("compose.yaml", text);
        assert!(!loaded.findings.has_errors(), "{:#?}", loaded.findings);
        let desired = desired(&loaded.project.unwrap(), &DesiredOptions::default());
        let containers =
            desired.containers.values().map(|c| (c.replica.service.to_string(), c.config_hash(&Lenders::default())));
        let networks = desired.networks.values().map(|n| (n.key.to_string(), n.labels[labels::CONFIG_HASH].clone()));
        let volumes = desired.volumes.values().map(|v| (v.key.to_string(), v.labels[labels::CONFIG_HASH].clone()));
        containers.chain(networks).chain(volumes).collect()
    }

    fn assert_hash(hashes: &[(String, String)], name: &str, expected: &str) {
        let found = hashes.iter().find(|(n, _)| n == name).map(|(_, hash)| hash.as_str());
        assert_eq!(found, Some(expected), "{name}");
    }

    #[test]
    fn a_service_has_the_hash_that_docker_compose_gives_it() {
        let all = hashes(RICH);
        assert_hash(&all, "plain", "2afd7866203dca40993313263173003833e9de9c3ad83f2f59484e32a5605234");
        assert_hash(&all, "rich", "e9af19a084d273b3f5b1fe9ac99b3c12d261f9536b7b343de1b4e7f18765d63f");
        assert_hash(&all, "side", "62e7a14647a978972fc5097d59cdc652bcd4abb2e807a3f74ec7d79254ed1e9f");
    }

    #[test]
    fn networks_and_volumes_have_the_hashes_that_docker_compose_gives_them() {
        let all = hashes(RESOURCES);
        assert_hash(&all, "n", "abdb055648ad1727c95ac26712631f3ba5fef1ffccf7c0f9a0892b2dec6e7fbe");
        assert_hash(&all, "vol", "a28573b179ada97e6128c70ae4e0d4d9945074e7e4e960fbe0c1e538e07dd882");
    }

    #[test]
    fn where_a_service_may_be_placed_counts_in_the_order_of_its_fields_and_counts_when_it_says_nothing() {
        let all = hashes(PLACEMENT);
        assert_hash(&all, "none", "35ba22a22da85a311e8a2eaf2aa29f5b7d11bed090bef4a1152472f74ec0029e");
        for name in ["empty", "zero"] {
            assert_hash(&all, name, "3494957511a9b091d7f90aa251b1bdfd2e7808316404a558b50731a407bcf780");
        }
        assert_hash(&all, "constraints", "32fbd919cf994d369b88ef01b8b8ee1679f5d831f0ac844b867d4e68b114633d");
        assert_hash(&all, "preferences", "329e869d0b18f1a628e58ded18490426c215f4209fd0bfce8ba81aca7a949e57");
        assert_hash(&all, "most", "ef9e3c89eecdc20d4665e8efbbe27dad94a0007c39683e09f54cfa21cc29429a");
        assert_hash(&all, "all", "f4e6a21b54feeace6e38a249c93359591c284398003d83f1103a297cf79df48f");
        assert_hash(&all, "extended", "47af41890edf7c3c72c4e5ff8a284ce663a6a3310e912055045cbcd33f3f632a");
    }

    #[test]
    fn who_shares_a_namespace_is_hashed_with_the_id_of_its_owner() {
        let loaded = load_text("compose.yaml", RICH);
        let desired = desired(&loaded.project.unwrap(), &DesiredOptions::default());
        let side = desired.containers.values().find(|c| c.replica.service == "side").unwrap();
        let id = crate::name::ContainerId::from_engine("abc");
        let json = r#"{"command":null,"entrypoint":null,"image":"busybox","network_mode":"container:abc"}"#;
        let lenders = Lenders { network: Some(id), others: vec![] };
        assert_eq!(side.config_hash(&lenders), hash(json));
    }

    const RICH: &str = r#"
services:
  plain: {image: busybox}
  rich:
    image: busybox
    annotations: {b: x, a: y}
    cap_add: [NET_ADMIN]
    cpus: 1.5
    command: [sh, -c, "echo <&> \"$$HOME\" é\t"]
    container_name: rich
    depends_on: {plain: {condition: service_started}}
    deploy: {replicas: 1, resources: {limits: {cpus: "1.5", memory: 10m}, reservations: {cpus: "0.1", devices: [{capabilities: [gpu], count: all}]}}, restart_policy: {condition: any, delay: 90s}}
    devices: ["/dev/a:/dev/b:r"]
    dns: 1.1.1.1
    environment: {B: a, A: null, N: 3, T: true}
    expose: ["80"]
    extra_hosts: {b: 1.1.1.1, a: 2.2.2.2}
    healthcheck: {test: "exit 0", timeout: 1s, interval: 1m30s, retries: 3, start_period: 4s}
    labels: {b: a, a: b}
    links: [plain]
    logging: {driver: none, options: {b: a, a: b}}
    networks: {n: {aliases: [x], ipv4_address: 10.0.0.2, priority: 3}, default: }
    ports: ["127.0.0.1:8000-8001:80-81", "53/udp"]
    scale: 1
    shm_size: 1m
    stop_grace_period: 1m30s
    tmpfs: /x
    ulimits: {nproc: 3, nofile: {soft: 1, hard: 2}}
    volumes: ["vol:/data:ro", {type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 0700}}, /anon, "/host:/h:z"]
    post_start: [{command: x, environment: {b: x, a: y}}]
    x-note: 3
  side: {image: busybox, network_mode: "service:plain"}
networks:
  n:
    driver: bridge
    driver_opts: {b: a, a: b}
    ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1, ip_range: 10.0.0.0/25, aux_addresses: {b: 10.0.0.9}}]}
    internal: true
    attachable: true
    enable_ipv6: true
    labels: {b: a}
volumes:
  vol: {driver_opts: {o: "size=1m"}, labels: {b: a}}
"#;

    const PLACEMENT: &str = r#"
services:
  none: {image: busybox, deploy: {mode: replicated}}
  empty: {image: busybox, deploy: {placement: {}}}
  zero: {image: busybox, deploy: {placement: {max_replicas_per_node: 0, constraints: [], preferences: []}}}
  constraints: {image: busybox, deploy: {placement: {constraints: [node.role == manager, "node.labels.zone!=b"]}}}
  preferences: {image: busybox, deploy: {placement: {preferences: [{spread: node.labels.zone}, {spread: node.labels.rack}]}}}
  most: {image: busybox, deploy: {placement: {max_replicas_per_node: 2}}}
  all:
    image: busybox
    deploy:
      mode: global
      endpoint_mode: vip
      replicas: 3
      placement: {preferences: [{spread: node.labels.zone}], max_replicas_per_node: 3, constraints: [node.role==worker]}
      labels: {a: b}
  extended: {image: busybox, deploy: {placement: {x-note: 1, preferences: [{spread: a, x-b: 2}]}}}
"#;

    const RESOURCES: &str = r#"
name: sthash
services: {a: {image: busybox, command: sleep 100, init: true, networks: [n], volumes: ["vol:/v"]}}
networks:
  n:
    driver: bridge
    driver_opts: {b: a, a: b}
    ipam: {config: [{subnet: 10.220.0.0/24, gateway: 10.220.0.1, ip_range: 10.220.0.0/25, aux_addresses: {b: 10.220.0.9}}]}
    internal: true
    attachable: true
    labels: {b: a}
volumes:
  vol: {driver_opts: {o: "size=1m", type: tmpfs, device: tmpfs}, labels: {b: a}}
"#;
}

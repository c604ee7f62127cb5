//! Every attribute of a container: said, it is settled; said otherwise, it is a reason; changed by hand, it is mended.

use crate::compose::model::Logging;
use crate::plan::lab::{Lab, change};
use crate::state::settings::Settings;

fn stack(attribute: &str) -> Lab {
    Lab::load(&format!("services: {{b: {{image: busybox}}, a: {{image: busybox, {attribute}}}}}"))
}

/// Two values of each attribute, and the field that differs between them.
const ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("cpus: 0.5", "cpus: 0.7", "cpus (0.5, declared 0.7)"),
    ("cpu_shares: 70", "cpu_shares: 80", "cpu_shares (70, declared 80)"),
    ("cpu_quota: 5000", "cpu_quota: 6000", "cpu_quota (5000, declared 6000)"),
    ("cpuset: '0'", "cpuset: '1'", "cpuset (0, declared 1)"),
    ("mem_limit: 1k", "mem_limit: 2k", "mem_limit (1024, declared 2048)"),
    ("mem_reservation: 1k", "tty: false", "mem_reservation (1024, declared none)"),
    ("memswap_limit: 3k", "memswap_limit: 4k", "memswap_limit (3072, declared 4096)"),
    ("mem_swappiness: 3", "mem_swappiness: 4", "mem_swappiness (3, declared 4)"),
    ("oom_kill_disable: true", "oom_kill_disable: false", "oom_kill_disable (true, declared false)"),
    ("oom_score_adj: 3", "oom_score_adj: 0", "oom_score_adj (3, declared 0)"),
    ("pids_limit: 3", "pids_limit: -1", "pids_limit (3, declared -1)"),
    ("blkio_config: {weight: 10}", "blkio_config: {weight: 20}", "blkio_config.weight (10, declared 20)"),
    (
        "blkio_config: {device_read_bps: [{path: /d, rate: 1k}]}",
        "blkio_config: {device_read_bps: [{path: /d, rate: 2k}]}",
        "blkio_config.device_read_bps (/d 1024, declared /d 2048)",
    ),
    ("ulimits: {core: 1}", "ulimits: {core: {soft: 1, hard: 2}}", "ulimits.core (1:1, declared 1:2)"),
    ("ulimits: {core: 1}", "tty: false", "ulimits.core (1:1, declared none)"),
    ("devices: ['/a']", "devices: ['/a:/b:r']", "devices (/a:/a:rwm, declared /a:/b:r)"),
    ("device_cgroup_rules: ['c 1:3 r']", "tty: false", "device_cgroup_rules (c 1:3 r, declared none)"),
    ("gpus: all", "gpus: [{count: 1}]", "gpus (-1 gpu, declared 1 gpu)"),
    ("devices: ['v/c=1']", "devices: ['v/c=2']", "gpus (cdi v/c=1, declared cdi v/c=2)"),
    ("shm_size: 1k", "tty: false", "shm_size (1024, declared 67108864)"),
    ("group_add: [8]", "group_add: [9]", "group_add (8, declared 9)"),
    ("security_opt: [a=b]", "security_opt: [a=c]", "security_opt (a=b, declared a=c)"),
    ("security_opt: [systempaths=unconfined]", "tty: false", "security_opt.systempaths (true, declared false)"),
    ("ipc: host", "ipc: private", "ipc (host, declared private)"),
    ("ipc: host", "ipc: 'service:b'", "ipc (host, declared service:b)"),
    ("pid: host", "pid: ", "pid (host, declared none)"),
    ("pid: 'service:b'", "pid: host", "pid (container:test-b-1, declared host)"),
    ("uts: host", "tty: false", "uts (host, declared none)"),
    ("userns_mode: host", "userns_mode: other", "userns_mode (host, declared other)"),
    ("cgroup: host", "cgroup: private", "cgroup (host, declared private)"),
    ("cgroup_parent: /a", "cgroup_parent: /b", "cgroup_parent (/a, declared /b)"),
    ("runtime: kata", "tty: false", "runtime (kata, declared runc)"),
    ("storage_opt: {size: 1G}", "storage_opt: {size: 2G}", "storage_opt.size (1G, declared 2G)"),
    ("logging: {driver: local}", "logging: {driver: none}", "logging.driver (local, declared none)"),
    ("logging: {options: {a: b}}", "logging: {options: {a: c}}", "logging.options.a (b, declared c)"),
    ("volumes_from: ['b:ro']", "volumes_from: [b]", "volumes_from (test-b-1:ro, declared test-b-1)"),
    (
        "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1k}}]",
        "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 2k}}]",
        "volumes./t (tmpfs size=1024, declared tmpfs size=2048)",
    ),
    (
        "volumes: [{type: image, source: i, target: /i}]",
        "volumes: [{type: image, source: i, target: /i, image: {subpath: p}}]",
        "volumes./i (image i, declared image i p)",
    ),
    (
        "volumes: [{type: bind, source: /s, target: /t}]",
        "volumes: [{type: bind, source: /s, target: /t, bind: {recursive: disabled}}]",
        "volumes./t (/s, declared /s, disabled)",
    ),
    ("restart: always", "deploy: {restart_policy: {condition: none}}", "restart (always, declared no)"),
];

#[test]
fn an_attribute_that_changes_is_a_reason_with_both_values() {
    for (first, second, reason) in ATTRIBUTES {
        let before = stack(first).up().observed();
        let again = stack(first).up_from(&before).plan;
        assert!(again.is_empty(), "{first}:\n{again}");
        let plan = stack(second).up_from(&before).plan.to_string();
        assert!(plan.contains("create a.1") && plan.contains(reason), "{first} to {second}:\n{plan}");
        assert!(stack(second).up_from(&stack(second).up().observed()).plan.is_empty(), "{second}");
    }
}

fn by_hand(attribute: &str, hand: impl FnOnce(&mut Settings)) -> String {
    let lab = stack(attribute);
    let mut observed = lab.up().observed();
    change(&mut observed, "a.1", |container| hand(&mut container.settings));
    lab.up_from(&observed).plan.to_string()
}

#[test]
fn a_limit_that_was_changed_by_hand_is_set_back_without_another_container() {
    for attribute in ["mem_limit: 64m", "cpus: 0.5", "pids_limit: 7", "restart: always", "cpuset: '0'"] {
        let plan = by_hand(attribute, |settings| {
            let was = &mut settings.resources;
            was.memory_swap = was.memory.min(2 << 20);
            (was.memory, was.nano_cpus) = (was.memory.min(1 << 20), was.nano_cpus / 2);
            (was.pids_limit, settings.restart) = (was.pids_limit / 2, None);
            was.cpuset = if was.cpuset.is_empty() { String::new() } else { "1".to_owned() };
        });
        assert_eq!(plan.lines().count(), 1, "{attribute}:\n{plan}");
        assert!(plan.contains("update a.1"), "{attribute}:\n{plan}");
    }
    // what was never limited cannot be set back: 0 changes nothing
    let plan = by_hand("tty: false", |settings| settings.resources.memory = 1 << 20);
    assert!(plan.contains("create a.1") && plan.contains("mem_limit (1048576, declared none)"), "{plan}");
}

#[test]
fn what_the_engine_fills_in_or_drops_is_no_difference() {
    let plan = by_hand(
        "mem_limit: 64m, mem_swappiness: 5, cpu_shares: 7, oom_kill_disable: true, blkio_config: {weight: 20}, cpu_percent: 50",
        |settings| {
            settings.shm_size = 64 << 20;
            settings.runtime = Some("crun".to_owned());
            settings.namespaces.ipc = Some("private".to_owned());
            settings.namespaces.cgroup = Some("host".to_owned());
            settings.logging = Logging { driver: "journald".to_owned(), options: [("a".into(), "b".into())].into() };
            settings.security = vec!["label=disable".to_owned()];
            let resources = &mut settings.resources;
            resources.memory_swap = 128 << 20;
            (resources.memory_swappiness, resources.cpu_shares, resources.block.weight) = (-1, 0, 0);
            resources.oom_kill_disable = false;
            resources.cpu_percent = 0;
        },
    );
    assert!(plan.is_empty(), "{plan}");
}

#[test]
fn what_two_words_mean_alike_is_no_difference() {
    let before =
        stack("tmpfs: '/t:mode=0700,size=1m', volumes: [{type: bind, source: /s, target: /s}]").up().observed();
    let memory = "{type: tmpfs, target: /t, tmpfs: {size: 1048576, mode: 0o700}}";
    let bind = "{type: bind, source: /s/, target: /s, bind: {propagation: rprivate, create_host_path: true}}";
    let plan = stack(&format!("volumes: [{memory}, {bind}]")).up_from(&before).plan;
    assert!(plan.is_empty(), "{plan}");
}

fn with_config(entry: &str, content: &str) -> Lab {
    let service = format!("services: {{a: {{image: busybox, configs: [{entry}], labels: {{x: y}}}}}}");
    Lab::load(&format!("{service}\nconfigs: {{app: {{content: {content}}}}}"))
}

#[test]
fn a_config_whose_content_changes_replaces_the_container_and_is_named() {
    let before = with_config("app", "one").up();
    let lines: Vec<String> = before.operations();
    assert_eq!(lines[1..], ["create a.1", "copy files into a.1", "start a.1"]);
    let before = before.observed();
    assert!(with_config("app", "one").up_from(&before).plan.is_empty());
    let plan = with_config("app", "two").up_from(&before).plan.to_string();
    assert!(plan.contains("create a.1") && plan.contains("configs.app (content "), "{plan}");
    let plan = with_config("{source: app, mode: 0400}", "one").up_from(&before).plan.to_string();
    assert!(plan.contains("configs.app (content "), "{plan}");
    let plan = with_config("{source: app, target: /other}", "one").up_from(&before).plan.to_string();
    assert!(plan.contains("configs.app (none, declared content "), "{plan}");
}

#[test]
fn what_a_kill_left_without_its_files_gets_them_before_it_starts() {
    let lab = with_config("app", "one");
    let half = lab.up().after(2);
    assert_eq!(half.containers.len(), 1);
    assert_eq!(lab.up_from(&half).operations(), ["copy files into a.1", "start a.1"]);
}

#[test]
fn what_docker_compose_made_is_right_while_the_file_is_the_same() {
    let lab = with_config("app", "one");
    let mut observed = lab.up().observed();
    change(&mut observed, "a.1", |container| container.settings.labels.retain(|key, _| !key.starts_with("bowline.")));
    assert!(lab.up_from(&observed).plan.is_empty());
    let plan = lab.edit("x: y", "x: z").up_from(&observed).plan.to_string();
    assert!(plan.contains("labels.x"), "{plan}");
}

#[test]
fn whoever_lends_takes_the_borrower_along() {
    let text = "services:
      b: {image: busybox, command: old}
      a: {image: busybox, pid: 'service:b'}
      c: {image: busybox, volumes_from: ['b:ro']}";
    let before = Lab::load(text).up().observed();
    let plan = Lab::load(&text.replace("old", "new")).up_from(&before).plan.to_string();
    for created in ["create b.1", "create a.1", "create c.1"] {
        assert!(plan.contains(created), "{plan}");
    }
}

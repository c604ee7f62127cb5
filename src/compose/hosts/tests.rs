use crate::compose::load_text;
use crate::compose::model::{Condition, EnginePlace, Hosts, Part};
use crate::finding::Severity;

/// The hosts of a stack that makes sense.
fn hosts(text: &str) -> Hosts {
    let loaded = load_text("compose.yaml", text);
    let errors: Vec<_> = loaded.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    *loaded.project.unwrap().hosts.unwrap()
}

const STACK: &str = "
services:
  web: {image: x, networks: {lan: {}, front: {}}, depends_on: {db: {condition: service_healthy}, front: {condition: service_started}}}
  front: {image: x, networks: [front]}
  db: {image: x, networks: {lan: {ipv4_address: 10.5.0.20, aliases: [store]}}, volumes: ['data:/d']}
  apart: {image: x, networks: [front2]}
networks:
  lan: {ipam: {config: [{subnet: 10.5.0.0/24, gateway: 10.5.0.1}]}}
  front: {}
  front2: {}
volumes: {data: {}}
x-trunks: {uplink: {parent: eth0, vlans: {lan: 10}}}
x-hosts:
  left: {url: 'tcp://10.0.0.1:2375', services: [web, front]}
  right: {context: second, services: [db, apart], parents: {uplink: enp3s0}}
";

fn network<'p>(part: &'p Part, key: &str) -> &'p crate::compose::model::Network {
    part.project.networks.values().find(|network| network.key == *key).unwrap()
}

fn range(part: &Part, network_key: &str) -> String {
    network(part, network_key).ipam.pools[0].ip_range.as_ref().unwrap().value.to_string()
}

#[test]
fn each_host_has_its_services_and_what_they_use() {
    let hosts = hosts(STACK);
    let [left, right] = hosts.parts.as_slice() else { panic!("two hosts") };
    let keys = |part: &Part| {
        let services = part.project.services.keys().map(|key| key.to_string());
        let networks = part.project.networks.keys().map(|key| format!("@{key}"));
        let volumes = part.project.volumes.keys().map(|key| format!("/{key}"));
        services.chain(networks).chain(volumes).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(left), "web front @lan @front");
    assert_eq!(keys(right), "db apart @lan @front2 /data");
    assert_eq!(left.place.as_ref().unwrap().value, EnginePlace::Url("tcp://10.0.0.1:2375".into()));
    assert_eq!(right.place.as_ref().unwrap().value, EnginePlace::Context("second".into()));
    assert!(left.project.tree.get("x-hosts").is_none() && left.project.hosts.is_none(), "a stack of its own");
}

#[test]
fn the_parent_is_the_hosts_own() {
    let hosts = hosts(STACK);
    let parent = |part: &Part| {
        let lan = network(part, "lan");
        (lan.driver_opts["parent"].value.clone(), lan.trunk.parent.clone())
    };
    assert_eq!(parent(&hosts.parts[0]), ("eth0.10".into(), "eth0".into()));
    assert_eq!(parent(&hosts.parts[1]), ("enp3s0.10".into(), "enp3s0".into()));
}

#[test]
fn what_waits_for_another_host_stands_beside_the_parts() {
    let hosts = hosts(STACK);
    let web = &hosts.parts[0].project.services["web"];
    assert_eq!(web.depends_on.keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["front"]);
    let [need] = hosts.needs.as_slice() else { panic!("one need: {:?}", hosts.needs) };
    assert_eq!((need.service.as_str(), need.needed.as_str()), ("web", "db"));
    assert_eq!(need.dependency.condition, Condition::Healthy);
}

#[test]
fn names_of_static_addresses_go_into_extra_hosts() {
    let hosts = hosts(STACK);
    let lines = |part: &Part, service: &str| -> Vec<String> {
        let all = part.project.services[service].extra_hosts.iter();
        all.map(|line| format!("{} {}", line.value.0, line.value.1)).collect()
    };
    assert_eq!(lines(&hosts.parts[0], "web"), ["db 10.5.0.20", "store 10.5.0.20"]);
    assert!(lines(&hosts.parts[0], "front").is_empty(), "it is not on that wire");
    assert!(lines(&hosts.parts[1], "db").is_empty(), "web has no address of its own");
}

#[test]
fn parts_of_a_subnet_do_not_meet_and_have_no_address_of_the_file() {
    let split = hosts(STACK);
    // 10.5.0.1 and 10.5.0.20 leave the other half, of which the trunk lets addresses be given out
    assert_eq!(
        (range(&split.parts[0], "lan"), range(&split.parts[1], "lan")),
        ("10.5.0.128/26".into(), "10.5.0.192/26".into())
    );
    let told = STACK.replace("services: [db, apart]", "services: [db, apart], ip_ranges: {lan: 10.5.0.64/26}");
    let split = hosts(&told);
    assert_eq!(
        (range(&split.parts[0], "lan"), range(&split.parts[1], "lan")),
        ("10.5.0.128/25".into(), "10.5.0.64/26".into())
    );
    let within = STACK.replace("gateway: 10.5.0.1", "gateway: 10.5.0.1, ip_range: 10.5.0.128/25");
    let split = hosts(&within);
    assert_eq!(
        (range(&split.parts[0], "lan"), range(&split.parts[1], "lan")),
        ("10.5.0.128/26".into(), "10.5.0.192/26".into())
    );
}

#[test]
fn ports_of_two_hosts_are_two() {
    let text = STACK.replace("networks: [front]}", "networks: [front], ports: ['80:80']}");
    hosts(&text.replace("networks: [front2]}", "networks: [front2], ports: ['80:80']}"));
    let same = text.replace("networks: {lan: {}, front: {}}", "ports: ['80:80'], networks: {lan: {}, front: {}}");
    let loaded = load_text("compose.yaml", &same);
    assert!(loaded.findings.iter().any(|finding| finding.message.contains("80")), "on one host it is one");
}

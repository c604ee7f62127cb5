//! Each rule on a small stack and a small Engine: who holds it is named, at the place in the file.

use super::host::{HostLink, HostRoute, Listener, Process};
use super::*;
use crate::compose::load_text;
use crate::name::{ContainerId, Protocol};
use crate::state::desired::{DesiredOptions, desired};
use crate::state::observed::{BoundPort, ObservedNetwork, OtherContainer};
use crate::state::settings::{IpamSettings, PoolSettings};

/// What preflight says of a stack: `code at line:column: message | label | help`.
fn said(text: &str, observed: Observed, host: HostFacts) -> Vec<String> {
    let loaded = load_text("compose.yaml", text);
    let project = loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    let desired = desired(&project, &DesiredOptions::default());
    let mut findings = Findings::new();
    check(Scene { project: &project, desired: &desired, observed: &observed, host: &host }, &mut findings);
    let line = |f: &crate::finding::Finding| {
        let place = f.at.map_or("nowhere".into(), |at| loaded.files.place(at));
        let place = place.trim_start_matches("compose.yaml:").to_owned();
        let parts = [f.label.clone(), f.help.clone()].into_iter().flatten();
        let tail: String = parts.map(|p| format!(" | {p}")).collect();
        format!("{} at {place}: {}{tail}", f.code, f.message)
    };
    findings.iter().map(line).collect()
}

fn container(name: &str, project: Option<&str>) -> OtherContainer {
    OtherContainer {
        id: ContainerId::from_engine("c0ffee00c0ffee00"),
        name: name.into(),
        project: project.map(str::to_owned),
        service: None,
        state: "running".into(),
        status: "Up 3 days".into(),
        bound: vec![],
        networks: vec![],
        macs: vec![],
        labels: Default::default(),
    }
}

fn network(name: &str, subnet: &str) -> ObservedNetwork {
    let pool = PoolSettings { subnet: Some(subnet.parse().unwrap()), ..PoolSettings::default() };
    let ipam = IpamSettings { pools: vec![pool], ..IpamSettings::default() };
    ObservedNetwork { name: name.into(), driver: "bridge".into(), scope: "local".into(), ipam, ..Default::default() }
}

const WEB: &str = "services: {web: {image: busybox, ports: ['8080:80']}}\n";

#[test]
fn a_port_of_another_container_is_named_with_its_project() {
    let mut blog = container("blog-web-1", Some("blog"));
    blog.bound =
        vec![BoundPort { target: 80, protocol: Protocol::Tcp, host_ip: "0.0.0.0".parse().unwrap(), published: 8080 }];
    let observed = Observed { others: vec![blog], ..Observed::default() };
    assert_eq!(
        said(WEB, observed, HostFacts::default()),
        [
            "port-taken at 1:42: port 8080/tcp of the host is held by container `blog-web-1` of project blog, up 3 days | web publishes it | port 8081 is free"
        ]
    );
}

#[test]
fn a_port_of_a_process_is_named_with_its_pid_and_the_next_free_one_is_offered() {
    let on = |port, name: &str| Listener {
        address: "127.0.0.1".parse().unwrap(),
        port,
        protocol: Protocol::Tcp,
        process: Some(Process { pid: 812, name: name.into() }),
    };
    let host = HostFacts { listeners: Some(vec![on(8080, "nginx"), on(8081, "node")]), ..HostFacts::default() };
    assert_eq!(
        said(WEB, Observed::default(), host),
        [
            "port-taken at 1:42: port 8080/tcp of the host is held by process `nginx` (pid 812) on 127.0.0.1 | web publishes it | port 8082 is free"
        ]
    );
}

#[test]
fn a_subnet_of_another_network_is_named_and_a_free_one_offered() {
    let text = "services: {web: {image: busybox, networks: [app]}}
networks: {app: {ipam: {config: [{subnet: 172.28.0.0/16}]}}}\n";
    let observed = Observed { networks: vec![network("mail_net", "172.28.1.0/24")], ..Observed::default() };
    assert_eq!(
        said(text, observed, HostFacts::default()),
        [
            "subnet-overlap at 2:43: 172.28.0.0/16 of network app overlaps 172.28.1.0/24 of network `mail_net` | made by hand, unused | 172.17.0.0/16 is free"
        ]
    );
}

#[test]
fn a_route_of_the_host_is_not_hidden_silently() {
    let text = "services: {web: {image: busybox, networks: [app]}}
networks: {app: {ipam: {config: [{subnet: 10.8.0.0/24}]}}}\n";
    let vpn = HostRoute { destination: "10.8.0.0/16".parse().unwrap(), link: "tun0".into() };
    let host = HostFacts { routes: Some(vec![vpn]), ..HostFacts::default() };
    let said = said(text, Observed::default(), host);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("hides the host's route to 10.8.0.0/16 | the host reaches 10.8.0.0/16 through tun0"));
}

#[test]
fn names_that_others_hold_are_told_before_anything_is_made() {
    let text =
        "services: {web: {image: busybox, container_name: shop, networks: [app]}}\nnetworks: {app: {name: shared}}\n";
    let mut held = network("shared", "10.1.0.0/24");
    held.labels.insert("com.docker.compose.project".into(), "other".into());
    let observed = Observed { others: vec![container("shop", None)], networks: vec![held], ..Observed::default() };
    let said = said(text, observed, HostFacts::default());
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].starts_with("foreign-resource at 2:12: network app would be named `shared`, which project `other` has")
    );
    assert!(said[1].starts_with(
        "name-taken at 1:50: container name `shop` is held by container c0ffee00c0ff of no project, up 3 days"
    ));
}

#[test]
fn a_parent_that_is_not_there_down_or_busy_is_told_with_the_way_out() {
    let text = |parent: &str| {
        format!(
            "services: {{a: {{image: busybox, networks: [lan]}}}}\nnetworks: {{lan: {{driver: macvlan, driver_opts: {{parent: {parent}}}}}}}\n"
        )
    };
    let link = |name: &str, up, master: Option<&str>| HostLink {
        name: name.into(),
        kind: String::new(),
        up,
        carrier: up,
        master: master.map(str::to_owned),
        addresses: vec![],
    };
    let host = || HostFacts {
        links: Some(vec![link("enp3s0", true, None), link("enp4s0", false, None), link("enp5s0", true, Some("br0"))]),
        ..HostFacts::default()
    };
    let first = |parent| said(&text(parent), Observed::default(), host()).into_iter().next().unwrap_or_default();
    assert!(first("enp3s").ends_with("has no link `enp3s` for network lan to hang on | did you mean `enp3s0`?"));
    assert!(first("enp4s0").contains("`enp4s0` is down") && first("enp4s0").ends_with("| `ip link set enp4s0 up`"));
    assert!(first("enp5s0").contains("is a port of `br0`") && first("enp5s0").ends_with("| hang network lan on `br0`"));
    assert_eq!(first("enp3s0"), "");
    assert_eq!(first("enp3s0.10"), "", "the Engine makes the VLAN link");
}

#[test]
fn a_second_network_on_a_parent_is_refused_by_old_engines_and_told_on_new_ones() {
    let text = "services: {a: {image: busybox, networks: [lan]}}
networks: {lan: {driver: macvlan, driver_opts: {parent: enp3s0}}}\n";
    let mut other = network("blue_lan", "10.2.0.0/24");
    other.driver = "macvlan".into();
    other.options.insert("parent".into(), "enp3s0".into());
    let engine = |version: &str| {
        let mut observed = Observed { networks: vec![other.clone()], ..Observed::default() };
        observed.engine.version = version.into();
        said(text, observed, HostFacts::default()).join("\n")
    };
    assert!(engine("20.10.24").contains("and Engine 20.10.24 takes one only"), "{}", engine("20.10.24"));
    assert!(engine("28.5.2").contains("the two share one wire"));
}

#[test]
fn what_is_external_must_be_there_and_a_near_name_is_offered() {
    let text = "services: {a: {image: busybox, networks: [lan], volumes: ['data:/d']}}
networks: {lan: {external: true, name: proxy}}\nvolumes: {data: {external: true}}\n";
    let observed = Observed { networks: vec![network("proxy1", "10.3.0.0/24")], ..Observed::default() };
    let said = said(text, observed, HostFacts::default());
    assert_eq!(said[0], "network-missing at 2:12: external network `proxy` is not there | did you mean `proxy1`?");
    assert!(said[1].starts_with(
        "volume-missing at 3:11: external volume `data` is not there | make it: `docker volume create data`"
    ));
}

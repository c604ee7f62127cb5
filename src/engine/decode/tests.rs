//! Answers of both Engines, shortened, and what is read from them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::name::Protocol;
use crate::name::Replica;
use crate::state::observed::{ContainerState, Health, ObservedContainer};
use crate::state::settings::{MountKind, PortBinding};

fn read(json: &str) -> ObservedContainer {
    container(serde_json::from_str(json).unwrap()).unwrap()
}

/// Engine 28.5.2, API 1.51.
const NEW: &str = r#"{"Id":"6cf5594761a3a763e93450ac238da170ba7a5e0a7ff63a5bbcf72d750af9240f","Name":"/p-web-1",
"State":{"Status":"running","Pid":26418,"ExitCode":0,"StartedAt":"2026-11-21T18:29:17.8Z","Health":{"Status":"healthy","Log":[]}},
"Image":"sha256:c6aa","HostsPath":"/var/lib/docker/containers/6cf5/hosts","HostConfig":{
"Binds":["data:/d:ro","/tmp:/host:ro,rprivate","/x:/x:rw,z"],"NetworkMode":"p_back",
"PortBindings":{"53/udp":[{"HostIp":"","HostPort":"53"}],"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"39081"}],
"82/tcp":[{"HostIp":"","HostPort":"39090-39091"}],"83/tcp":[{"HostIp":"","HostPort":""}]},
"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3},"CapAdd":["CAP_NET_ADMIN"],"CapDrop":null,"Dns":["9.9.9.9"],
"DnsOptions":[],"ExtraHosts":["a.b:1.2.3.4","gw:host-gateway","six:fd00::1"],"Links":null,"Tmpfs":{"/t":"size=64m"},
"Mounts":[{"Type":"volume","Target":"/anon","VolumeOptions":{}},{"Type":"bind","Source":"/tmp","Target":"/hh","BindOptions":{}},
{"Type":"volume","Source":"data","Target":"/dd","VolumeOptions":{"NoCopy":true}},
{"Type":"tmpfs","Target":"/t2","TmpfsOptions":{"SizeBytes":1048576,"Mode":448}}],"Init":true,"Sysctls":{"net.ipv4.ip_forward":"1"}},
"Mounts":[{"Type":"volume","Name":"ffc1931da983efb67327c61789eaba367dea89d850133987cef283d50d169e37","Destination":"/anon","RW":true},
{"Type":"volume","Name":"data","Destination":"/d","RW":false},{"Type":"volume","Name":"data","Destination":"/dd","RW":true}],
"Config":{"Hostname":"6cf5594761a3","Domainname":"","User":"","ExposedPorts":{"80/tcp":{},"90/tcp":{}},"Env":["EMPTY=","A=b=c"],
"Cmd":["sleep","1000"],"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":2000000000},"Image":"busybox","Entrypoint":null,
"MacAddress":"02:42:ac:1f:f1:05","Labels":{"com.docker.compose.container-number":"2","com.docker.compose.service":"web"},
"StopTimeout":3},"NetworkSettings":{"SandboxKey":"/var/run/docker/netns/e831","Ports":{"80/tcp":[{"HostIp":"127.0.0.1",
"HostPort":"39081"}],"53/udp":[{"HostIp":"0.0.0.0","HostPort":"53"},{"HostIp":"::","HostPort":"53"}],"90/tcp":null},"Networks":{
"p_back":{"IPAMConfig":{},"Links":["p-db-1:base"],"Aliases":["p-web-1","web"],"MacAddress":"02:42:ac:1f:f1:05","DriverOpts":null,
"GwPriority":0,"NetworkID":"3ff4","Gateway":"","IPAddress":"172.18.0.2","IPPrefixLen":16},
"p_front":{"IPAMConfig":{"IPv4Address":"172.31.241.5"},"Links":null,"Aliases":["p-web-1","web","shop"],"GwPriority":7,
"MacAddress":"22:02:2d:f3:e7:7e","NetworkID":"2080","Gateway":"172.31.241.1","IPAddress":"172.31.241.5","IPPrefixLen":24}}}}"#;

/// Engine 20.10.24, API 1.41.
const OLD: &str = r#"{"Id":"7a93faf5227d3da9a76bb5822a871318d6cfacba0ad22b346d8f92f39b3c4d77","Name":"/p-web-1",
"State":{"Status":"exited","Pid":0,"ExitCode":137,"OOMKilled":false,"FinishedAt":"2026-11-21T18:49:24.4Z",
"Health":{"Status":"unhealthy","FailingStreak":0,"Log":null}},"Image":"sha256:c6aa","HostConfig":{"Binds":null,
"NetworkMode":"bridge","PortBindings":{},"RestartPolicy":{"Name":"","MaximumRetryCount":0},"CapAdd":["net_admin"],"Init":null,
"Links":["/p-db-1:/p-web-1/base","/p-db-1:/p-web-1/db"],"Mounts":null},"Mounts":[],"Config":{"Hostname":"web","Env":null,
"Cmd":null,"Entrypoint":["/init"],"Healthcheck":{"Test":["NONE"]},"Labels":{"com.docker.compose.container-number":"1",
"com.docker.compose.service":"web"}},"NetworkSettings":{"SandboxKey":"","Ports":{},"Networks":{"bridge":{"IPAMConfig":null,
"Links":null,"Aliases":["web","7a93faf5227d"],"NetworkID":"d0e0","IPAddress":"172.17.0.2","IPPrefixLen":16,
"GlobalIPv6Address":"fd00:31:240::2","GlobalIPv6PrefixLen":64,"IPv6Gateway":"fd00:31:240::1","MacAddress":"02:42:ac:11:00:02",
"DriverOpts":null}}}}"#;

#[test]
fn a_running_container_of_a_new_engine() {
    let found = read(NEW);
    assert_eq!((found.name.as_str(), found.replica.clone()), ("p-web-1", Replica::new("web".parse().unwrap(), 2)));
    let ContainerState::Running { pid: 26418, health: Some(Health::Healthy), .. } = &found.state else {
        panic!("{:?}", found.state)
    };
    let settings = &found.settings;
    assert_eq!(settings.hostname, None, "the Engine's own, made of the id");
    assert_eq!(settings.environment["A"].as_deref(), Some("b=c"));
    assert_eq!(settings.environment["EMPTY"].as_deref(), Some(""));
    assert_eq!(settings.cap_add, BTreeSet::from(["NET_ADMIN".to_owned()]));
    assert_eq!(settings.restart, Some(Restart::OnFailure(Some(3))));
    assert_eq!(settings.stop_timeout, Some(Duration::from_secs(3)));
    assert_eq!(settings.extra_hosts[2], ("six".into(), "fd00::1".into()));
    assert_eq!(settings.healthcheck.as_ref().unwrap().interval, Some(Duration::from_secs(2)));
    assert_eq!((settings.entrypoint.as_ref(), settings.init), (None, Some(true)));
    assert_eq!(found.sandbox.as_deref(), Some("/var/run/docker/netns/e831"));
}

#[test]
fn ports_that_are_asked_for_and_ports_that_are_bound() {
    let found = read(NEW);
    let ask = |target, protocol, host_ip: &str, published| PortBinding {
        target,
        protocol,
        host_ip: host_ip.parse().ok(),
        published,
    };
    let asked = [
        ask(53, Protocol::Udp, "", Some((53, 53))),
        ask(80, Protocol::Tcp, "127.0.0.1", Some((39081, 39081))),
        ask(82, Protocol::Tcp, "", Some((39090, 39091))),
        ask(83, Protocol::Tcp, "", None),
    ];
    assert_eq!(found.settings.ports, asked);
    let bound: Vec<String> =
        found.bound.iter().map(|b| format!("{}/{} {} {}", b.target, b.protocol, b.host_ip, b.published)).collect();
    assert_eq!(bound, ["53/udp 0.0.0.0 53", "53/udp :: 53", "80/tcp 127.0.0.1 39081"]);
    assert_eq!(settings(wire::Config::default()).exposed.len(), 0);
    assert_eq!(found.settings.exposed_ports(), BTreeSet::from([(80, Protocol::Tcp), (90, Protocol::Tcp)]));
}

#[test]
fn mounts_of_three_places_are_one_list() {
    let found = read(NEW);
    let words: Vec<String> = found
        .settings
        .mounts
        .iter()
        .map(|mount| {
            let access = if mount.read_only { "ro" } else { "rw" };
            let kind = match &mount.kind {
                MountKind::Anonymous => "anonymous".to_owned(),
                MountKind::Tmpfs { options } => format!("tmpfs {options}"),
                MountKind::Memory { size, mode } => format!("memory {size} {mode:o}"),
                MountKind::Image { source, .. } => format!("image {source}"),
                MountKind::Volume { name, no_copy, .. } => format!("volume {name} nocopy={no_copy}"),
                MountKind::Bind { source, create_host_path, propagation, selinux, .. } => {
                    format!("bind {source} make={create_host_path} {propagation:?} {selinux:?}")
                }
            };
            format!("{} {access} {kind}", mount.target)
        })
        .collect();
    assert_eq!(
        words,
        [
            "/anon rw anonymous",
            "/d ro volume data nocopy=false",
            "/dd rw volume data nocopy=true",
            "/hh rw bind /tmp make=false None None",
            "/host ro bind /tmp make=true Some(\"rprivate\") None",
            "/t rw tmpfs size=64m",
            "/t2 rw memory 1048576 700",
            "/x rw bind /x make=true None Some(\"z\")",
        ]
    );
    assert_eq!(found.volumes.len(), 3);
}

#[test]
fn endpoints_show_what_was_asked_and_what_it_became() {
    let found = read(NEW);
    let (back, front) = (&found.endpoints["p_back"], &found.endpoints["p_front"]);
    assert_eq!(back.settings.mac.map(|mac| mac.to_string()).as_deref(), Some("02:42:ac:1f:f1:05"));
    assert_eq!(front.settings.mac, None, "the Engine made it up");
    assert_eq!(front.mac.map(|mac| mac.to_string()).as_deref(), Some("22:02:2d:f3:e7:7e"));
    assert_eq!(front.settings.ipv4, Some("172.31.241.5".parse().unwrap()));
    assert_eq!((back.settings.ipv4, back.ipv4), (None, Some("172.18.0.2/16".parse().unwrap())));
    assert_eq!((back.settings.gateway_priority, front.settings.gateway_priority), (None, Some(7)));
    assert!(back.settings.links.contains(&("p-db-1".to_owned(), "base".to_owned())));
    assert!(front.settings.aliases.contains("shop"));
}

#[test]
fn a_stopped_container_of_an_old_engine() {
    let found = read(OLD);
    assert!(matches!(found.state, ContainerState::Exited { code: 137, oom_killed: false, .. }));
    assert_eq!(found.settings.hostname.as_deref(), Some("web"));
    assert_eq!(found.settings.restart, Some(Restart::No));
    assert_eq!(found.settings.cap_add, BTreeSet::from(["NET_ADMIN".to_owned()]));
    assert_eq!(found.settings.healthcheck.as_ref().unwrap().test, Some(HealthTest::None));
    assert_eq!(found.legacy_links, [("p-db-1".into(), "base".into()), ("p-db-1".into(), "db".into())]);
    let bridge = &found.endpoints["bridge"];
    assert_eq!(bridge.settings.aliases, BTreeSet::from(["web".to_owned()]), "without the id that the Engine adds");
    assert_eq!(bridge.ipv6, Some("fd00:31:240::2/64".parse().unwrap()));
    assert_eq!(found.sandbox, None);
}

#[test]
fn what_a_killed_engine_left_half_started_is_dead() {
    let labels = r#""Labels":{"com.docker.compose.container-number":"1","com.docker.compose.service":"web"}"#;
    let state = |error: &str| {
        let text = format!(r#"{{"Id":"ab","State":{{"Status":"created","Error":"{error}"}},"Config":{{{labels}}}}}"#);
        read(&text).state
    };
    assert_eq!(
        state(&format!("failed to create task for container: AlreadyExists: task {:064x}: already exists", 1)),
        ContainerState::Dead
    );
    assert_eq!(state("driver failed programming external connectivity"), ContainerState::Created);
}

#[test]
fn an_unknown_word_fails_nothing() {
    let odd = r#"{"Id":"ab","State":{"Status":"hibernating","Health":{"Status":"puzzled"}},"HostConfig":{"RestartPolicy":{"Name":"maybe"},
        "PortBindings":{"x/quic":[{"HostPort":"1"}]},"Mounts":[{"Type":"cluster","Target":"/c"}]},"Config":{"Entrypoint":"/run",
        "Labels":{"com.docker.compose.container-number":"1","com.docker.compose.service":"web"}},"Later":{"than":["ours"]}}"#;
    let found = read(odd);
    assert_eq!(found.state, ContainerState::Other("hibernating".into()));
    assert_eq!(found.settings.entrypoint, Some(vec!["/run".into()]), "Podman's form");
    assert!(found.settings.ports.is_empty() && found.settings.mounts.is_empty());
}

#[test]
fn networks_of_both_engines() {
    let new = r#"{"Name":"p_back","Id":"3ff4","Scope":"local","Driver":"bridge","EnableIPv4":true,"EnableIPv6":false,"IPAM":{
        "Driver":"default","Options":null,"Config":[{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]},"Internal":true,
        "Containers":{"18f7":{"Name":"p-web-1","MacAddress":"02:42:ac:1f:f1:05","IPv4Address":"172.18.0.2/16","IPv6Address":""}},
        "Options":{},"Labels":{"com.docker.compose.project":"p"}}"#;
    let old = r#"{"Name":"six","Id":"d0e0","Driver":"bridge","EnableIPv6":true,"IPAM":{"Driver":"default","Options":{},"Config":[
        {"Subnet":"fd00:31:240::/64","Gateway":"fd00:31:240::1/64"}]},"Options":null,"Labels":null}"#;
    let (new, old) = (network(serde_json::from_str(new).unwrap()), network(serde_json::from_str(old).unwrap()));
    assert!(new.internal && new.belongs_to(&"p".parse().unwrap()));
    assert_eq!((new.enable_ipv4, new.ipam.driver, old.enable_ipv4), (Some(true), None, None));
    assert_eq!(new.members[0].2, ["172.18.0.2/16".parse().unwrap()]);
    assert_eq!(old.ipam.pools[0].gateway, Some("fd00:31:240::1".parse().unwrap()));
}

#[test]
fn a_list_tells_ports_names_and_networks() {
    let raw = r#"{"Id":"6cf5","Names":["/linker/db","/other","/third/other"],"Image":"busybox","Ports":[{"PrivatePort":90,"Type":"tcp"},{"IP":"0.0.0.0",
        "PrivatePort":80,"PublicPort":39081,"Type":"tcp"}],"Labels":{"com.docker.compose.project":"q"},"State":"running",
        "Status":"Up 3 seconds","NetworkSettings":{"Networks":{"q_default":{"NetworkID":"28da","IPAddress":"172.31.240.9"}}}}"#;
    let found = summary(serde_json::from_str(raw).unwrap());
    assert_eq!((found.name.as_str(), found.project.as_deref(), found.service), ("other", Some("q"), None));
    assert_eq!(found.bound.len(), 1);
    assert_eq!(found.networks[0].2, ["172.31.240.9".parse::<IpAddr>().unwrap()]);
}

#[test]
fn the_engine_tells_its_platform_and_pools() {
    let raw = r#"{"ID":"x","ServerVersion":"28.5.2","OSType":"linux","Architecture":"x86_64","SecurityOptions":["name=rootless"],
        "Swarm":{"LocalNodeState":"active","ControlAvailable":true},"DefaultAddressPools":[{"Base":"10.9.0.0/16","Size":24}]}"#;
    let facts = info(serde_json::from_str(raw).unwrap(), &Default::default());
    assert_eq!((facts.platform.as_str(), facts.rootless, facts.swarm_manager), ("linux/amd64", true, true));
    assert_eq!(facts.default_pools, [("10.9.0.0/16".parse().unwrap(), 24)]);
}

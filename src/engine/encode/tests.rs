//! Settings and the bodies that they become.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::compose::model::{
    BlockResources, Device, DeviceRequest, HealthTest, Logging, Namespaces, Resources, Restart,
};
use crate::name::Protocol;
use crate::state::desired::DesiredNetwork;
use crate::state::settings::{
    EndpointSettings, HealthSettings, IpamSettings, MountForm, MountKind, MountSettings, PoolSettings, PortBinding,
    Settings,
};

fn body(settings: &Settings, endpoints: Vec<(String, EndpointSettings)>, api: (u32, u32)) -> Value {
    let network_mode = endpoints.first().map_or("none".to_owned(), |(name, _)| name.clone());
    let inherits = vec![("/anon".to_owned(), "0123".to_owned())];
    serde_json::to_value(creation(&Creation { settings, network_mode, endpoints, links: vec![], inherits, api }, &[]))
        .unwrap()
}

fn mount(target: &str, kind: MountKind) -> MountSettings {
    MountSettings { target: target.into(), kind, read_only: false, form: MountForm::default() }
}

fn bind(source: &str, create_host_path: bool) -> MountKind {
    MountKind::Bind { source: source.into(), create_host_path, propagation: None, selinux: None, recursive: None }
}

#[test]
fn what_is_not_said_is_not_sent() {
    let bare = Settings { image: "busybox".into(), ..Settings::default() };
    let creation = Creation {
        settings: &bare,
        network_mode: "none".into(),
        endpoints: vec![],
        links: vec![],
        inherits: vec![],
        api: (1, 51),
    };
    let sent = serde_json::to_value(self::creation(&creation, &[])).unwrap();
    let expected = json!({"Image": "busybox", "Tty": false, "OpenStdin": false, "AttachStdout": true, "AttachStderr": true,
        "HostConfig": {"NetworkMode": "none", "PortBindings": {}, "ExtraHosts": []}});
    assert_eq!(sent, expected);
}

#[test]
fn a_list_that_is_empty_on_purpose_is_sent() {
    let settings = Settings { command: Some(vec![]), entrypoint: Some(vec![]), ..Settings::default() };
    let sent = body(&settings, vec![], (1, 51));
    assert_eq!((&sent["Cmd"], &sent["Entrypoint"]), (&json!([]), &json!([])));
}

#[test]
fn environment_ports_health_and_restart() {
    let port = |target, published, host_ip: &str| PortBinding {
        target,
        protocol: Protocol::Tcp,
        host_ip: host_ip.parse().ok(),
        published,
    };
    let settings = Settings {
        environment: BTreeMap::from([("A".into(), Some("b".into())), ("GONE".into(), None)]),
        ports: vec![port(80, Some((8080, 8080)), "127.0.0.1"), port(80, Some((9000, 9010)), "::1"), port(81, None, "")],
        exposed: ["53/udp", "80/tcp", "81/tcp", "4000-4002"].map(str::to_owned).into(),
        stop_timeout: Some(Duration::from_millis(1500)),
        restart: Some(Restart::OnFailure(Some(3))),
        healthcheck: Some(HealthSettings {
            test: Some(HealthTest::Command(vec!["true".into()])),
            interval: Some(Duration::from_millis(100)),
            ..HealthSettings::default()
        }),
        ..Settings::default()
    };
    let sent = body(&settings, vec![], (1, 51));
    assert_eq!(sent["Env"], json!(["A=b", "GONE"]));
    assert_eq!(sent["ExposedPorts"], json!({"4000-4002": {}, "53/udp": {}, "80/tcp": {}, "81/tcp": {}}));
    assert_eq!(sent["StopTimeout"], 2, "whole seconds, never fewer than asked for");
    let host = &sent["HostConfig"];
    let eighty = json!([{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "9000-9010"}]);
    assert_eq!(host["PortBindings"]["80/tcp"], eighty);
    assert_eq!(host["PortBindings"]["81/tcp"], json!([{"HostIp": "", "HostPort": ""}]));
    assert_eq!(host["RestartPolicy"], json!({"Name": "on-failure", "MaximumRetryCount": 3}));
    assert_eq!(sent["Healthcheck"], json!({"Test": ["CMD", "true"], "Interval": 100_000_000}));
}

#[test]
fn mounts_go_where_the_api_can_say_them() {
    let volume = |no_copy| MountKind::Volume { name: "data".into(), no_copy, subpath: None, selinux: None };
    let mut read_only = mount("/d", volume(false));
    read_only.read_only = true;
    let settings = Settings {
        mounts: vec![
            mount("/anon", MountKind::Anonymous),
            mount("/colon", bind("/a:b", true)),
            read_only,
            mount("/dd", volume(true)),
            mount("/hh", bind("/h", false)),
            mount("/new", MountKind::Anonymous),
            mount("/t", MountKind::Tmpfs { options: "size=1m".into() }),
            mount("/x", bind("/x", true)),
            mount(
                "/z",
                MountKind::Volume { name: "v".into(), no_copy: false, subpath: None, selinux: Some("z".into()) },
            ),
        ],
        ..Settings::default()
    };
    let host = &body(&settings, vec![], (1, 51))["HostConfig"];
    assert_eq!(host["Binds"], json!(["data:/d:ro", "/x:/x:rw", "v:/z:rw,z"]));
    assert_eq!(host["Tmpfs"], json!({"/t": "size=1m"}));
    let long = json!([
        {"Target": "/colon", "Source": "/a:b", "Type": "bind", "BindOptions": {"CreateMountpoint": true}},
        {"Target": "/dd", "Source": "data", "Type": "volume", "VolumeOptions": {"NoCopy": true}},
        {"Target": "/hh", "Source": "/h", "Type": "bind"},
        {"Target": "/new", "Type": "volume"},
        {"Target": "/anon", "Source": "0123", "Type": "volume"},
    ]);
    assert_eq!(host["Mounts"], long);
}

#[test]
fn long_forms_are_those_of_docker_compose() {
    let bind = |propagation: Option<&str>, recursive: Option<&str>, create_host_path| MountKind::Bind {
        source: "/s".into(),
        create_host_path,
        propagation: propagation.map(Into::into),
        selinux: None,
        recursive: recursive.map(Into::into),
    };
    let said = |target, kind| {
        let form = MountForm { is_mapping: true, labels: BTreeMap::new() };
        MountSettings { form, ..mount(target, kind) }
    };
    let labels = MountForm { is_mapping: true, labels: BTreeMap::from([("a".into(), "b".into())]) };
    let settings = Settings {
        mounts: vec![
            said("/p", bind(Some("rshared"), None, true)),
            said("/r", bind(None, Some("readonly"), false)),
            said("/m", MountKind::Memory { size: 1024, mode: 0o700 }),
            said("/i", MountKind::Image { source: "img".into(), subpath: Some("bin".into()) }),
            MountSettings { form: labels, ..mount("/l", MountKind::Anonymous) },
        ],
        ..Settings::default()
    };
    let host = &body(&settings, vec![], (1, 51))["HostConfig"];
    let sent = json!([
        {"Target": "/p", "Source": "/s", "Type": "bind",
         "BindOptions": {"Propagation": "rshared", "CreateMountpoint": true}},
        {"Target": "/r", "Source": "/s", "Type": "bind", "BindOptions": {"ReadOnlyForceRecursive": true}},
        {"Target": "/m", "Type": "tmpfs", "TmpfsOptions": {"SizeBytes": 1024, "Mode": 448}},
        {"Target": "/i", "Source": "img", "Type": "image", "ImageOptions": {"Subpath": "bin"}},
        {"Target": "/l", "Type": "volume", "VolumeOptions": {"Labels": {"a": "b"}}},
        {"Target": "/anon", "Source": "0123", "Type": "volume"},
    ]);
    assert_eq!((&host["Mounts"], &host["Binds"]), (&sent, &Value::Null));
    let old = &body(&settings, vec![], (1, 41))["HostConfig"];
    assert_eq!(old["Binds"], json!(["/s:/p:rw,rshared"]), "there `Mounts` makes no directory");
}

#[test]
fn limits_devices_and_namespaces_go_by_the_names_of_the_api() {
    let settings = Settings {
        resources: Resources {
            nano_cpus: 500_000_000,
            memory: 64 << 20,
            pids_limit: -1,
            ulimits: vec![("nofile".into(), 1, 2)],
            devices: vec![Device { source: "/a".into(), target: "/b".into(), permissions: "r".into() }],
            device_requests: vec![DeviceRequest {
                count: -1,
                capabilities: vec!["gpu".into()],
                ..DeviceRequest::default()
            }],
            block: BlockResources { read_bytes: vec![("/d".into(), 5)], ..BlockResources::default() },
            ..Resources::default()
        },
        namespaces: Namespaces { pid: Some("host".into()), cgroup: Some("private".into()), ..Namespaces::default() },
        logging: Logging { options: BTreeMap::from([("a".into(), "b".into())]), ..Logging::default() },
        system_paths_unconfined: true,
        cap_add: ["net_admin", "ALL"].map(str::to_owned).into(),
        ..Settings::default()
    };
    let host = &body(&settings, vec![], (1, 51))["HostConfig"];
    let expected = json!({
        "NanoCpus": 500_000_000, "Memory": 64 << 20, "PidsLimit": -1, "PidMode": "host", "CgroupnsMode": "private",
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}], "MaskedPaths": [], "ReadonlyPaths": [],
        "Devices": [{"PathOnHost": "/a", "PathInContainer": "/b", "CgroupPermissions": "r"}],
        "DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}],
        "BlkioDeviceReadBps": [{"Path": "/d", "Rate": 5}], "CapAdd": ["ALL", "CAP_NET_ADMIN"],
        "LogConfig": {"Type": "", "Config": {"a": "b"}},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&host[field], value, "{field}");
    }
    let update = serde_json::to_value(update(&settings)).unwrap();
    assert_eq!((&update["Memory"], &update["MemorySwap"]), (&json!(64 << 20), &json!(128 << 20)));
    assert_eq!(update["RestartPolicy"]["Name"], "no");
}

#[test]
fn a_mac_goes_where_this_api_takes_it() {
    let endpoint = EndpointSettings {
        mac: Some("02:42:ac:1f:f1:05".parse().unwrap()),
        ipv4: Some("172.31.0.5".parse().unwrap()),
        aliases: ["web".to_owned()].into(),
        repeated: vec!["web".to_owned()],
        links: vec![("p-db-1".to_owned(), "base".to_owned())],
        gateway_priority: Some(5),
        ..EndpointSettings::default()
    };
    let endpoints = vec![("p_front".to_owned(), endpoint)];
    let new = body(&Settings::default(), endpoints.clone(), (1, 44));
    let expected = json!({"IPAMConfig": {"IPv4Address": "172.31.0.5"}, "Links": ["p-db-1:base"], "Aliases": ["web", "web"],
        "MacAddress": "02:42:ac:1f:f1:05", "GwPriority": 5});
    assert_eq!(new["NetworkingConfig"]["EndpointsConfig"]["p_front"], expected);
    assert_eq!(new["MacAddress"], Value::Null);
    let old = body(&Settings::default(), endpoints, (1, 41));
    assert_eq!(old["NetworkingConfig"]["EndpointsConfig"]["p_front"]["MacAddress"], Value::Null);
    assert_eq!(old["MacAddress"], "02:42:ac:1f:f1:05");
}

#[test]
fn a_network_with_a_pool() {
    let wanted = DesiredNetwork {
        key: "front".parse().unwrap(),
        name: "p_front".into(),
        external: false,
        driver: "bridge".into(),
        options: BTreeMap::new(),
        ipam: IpamSettings {
            pools: vec![PoolSettings {
                subnet: Some("172.31.0.0/24".parse().unwrap()),
                ip_range: Some("172.31.0.128/25".parse().unwrap()),
                gateway: Some("172.31.0.1".parse().unwrap()),
                aux_addresses: BTreeMap::from([("host".into(), "172.31.0.9".parse().unwrap())]),
            }],
            ..IpamSettings::default()
        },
        internal: true,
        attachable: false,
        enable_ipv4: None,
        enable_ipv6: Some(false),
        labels: BTreeMap::from([("a".into(), "b".into())]),
        span: None,
    };
    let expected = json!({"Name": "p_front", "Driver": "bridge", "Internal": true, "EnableIPv6": false, "Labels": {"a": "b"},
        "IPAM": {"Config": [{"Subnet": "172.31.0.0/24", "IPRange": "172.31.0.128/25", "Gateway": "172.31.0.1",
        "AuxiliaryAddresses": {"host": "172.31.0.9"}}]}});
    assert_eq!(serde_json::to_value(network(&wanted)).unwrap(), expected);
}

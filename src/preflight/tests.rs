//! Each rule on a small stack and a small Engine: who holds it is named, at the place in the file.

mod around;
mod vlans;

use super::host::{Disk, HostLink, HostRoute, Known, Listener, Process};
use super::*;
use crate::compose::load_text;
use crate::name::{ContainerId, Protocol};
use crate::state::desired::{DesiredOptions, desired};
use crate::state::observed::{BoundPort, EngineFacts, ObservedNetwork, OtherContainer};
use crate::state::settings::{IpamSettings, PoolSettings};

/// What preflight says of a stack: `code at line:column: message | label | help`.
fn said(text: &str, observed: Observed, host: HostFacts) -> Vec<String> {
    let loaded = load_text("compose.yaml", text);
    let project = loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    let desired = desired(&project, &DesiredOptions::default());
    let mut findings = Findings::new();
    let engine = &observed.engine;
    check(Scene { project: &project, desired: &desired, engine, observed: &observed, host: &host }, &mut findings);
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
    let vpn = HostRoute { destination: "10.8.0.0/16".parse().unwrap(), link: "tun0".into(), metric: 0, gateway: None };
    let host = HostFacts { routes: Some(vec![vpn]), ..HostFacts::default() };
    let said = said(text, Observed::default(), host);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("hides the host's route to 10.8.0.0/16 | the host reaches 10.8.0.0/16 through tun0"));
}

#[test]
fn a_name_on_a_network_is_ambiguous_with_others_not_with_the_project_s_own() {
    let text = "services: {web: {image: busybox, networks: [app]}}\nnetworks: {app: {}}\n";
    let on_app = |name: &str, project: &str| {
        let mut other = container(name, Some(project));
        other.service = Some("web".into());
        other.networks = vec![("test_app".into(), None, vec![])];
        other
    };
    let seen = |others| said(text, Observed { others, ..Observed::default() }, HostFacts::default());
    let told = seen(vec![on_app("test-web-run-1", "test"), on_app("blog-web-1", "blog")]);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("`web` on network app means web and container `blog-web-1` of project blog"), "{told:#?}");
    assert!(seen(vec![on_app("test-web-run-1", "test")]).is_empty());
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
        ..HostLink::default()
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

/// A stack with one network on `driver`.
fn on(driver: &str, options: &str) -> String {
    format!(
        "services: {{a: {{image: busybox, networks: [lan]}}}}\nnetworks: {{lan: {{driver: {driver}, driver_opts: {{{options}}}}}}}\n"
    )
}

fn host(links: Vec<HostLink>) -> HostFacts {
    HostFacts { links: Some(links), ..HostFacts::default() }
}

fn link(name: &str, kind: &str) -> HostLink {
    HostLink { name: name.into(), kind: kind.into(), up: true, carrier: true, mtu: 1500, ..HostLink::default() }
}

fn version(version: &str) -> Observed {
    Observed {
        engine: EngineFacts { version: version.into(), api: (1, 51), ..EngineFacts::default() },
        ..Observed::default()
    }
}

#[test]
fn a_kind_of_link_that_the_kernel_lacks_is_named_with_its_module() {
    let lacks = |kinds: &[&str]| HostFacts {
        kinds: ["macvlan", "ipvlan", "vlan"].map(|kind| (kind.to_owned(), !kinds.contains(&kind))).into(),
        ..host(vec![link("eth0", "")])
    };
    let said = |text: &str, kinds: &[&str]| said(text, version("28.5.2"), lacks(kinds));
    assert_eq!(
        said(&on("ipvlan", "parent: eth0"), &["ipvlan"]),
        [
            "driver-missing at 2:26: the kernel of the Engine's host has no ipvlan links, which network lan needs | `modprobe ipvlan` on the Engine's host, if its kernel has the module"
        ]
    );
    let vlan = said(&on("macvlan", "parent: eth0.10"), &["vlan"]);
    assert!(
        vlan[0].starts_with("driver-missing at 2:57: the kernel of the Engine's host has no vlan links"),
        "{vlan:?}"
    );
    assert!(vlan[0].contains("`modprobe 8021q`"), "{vlan:?}");
    assert_eq!(said(&on("macvlan", "parent: eth0"), &["vlan", "ipvlan"]), Vec::<String>::new());
}

#[test]
fn a_parent_with_children_of_the_other_kind_a_wireless_one_and_a_wrong_vlan_are_told() {
    let child = HostLink { parent: Some("eth0".into()), ..link("iv0", "ipvlan") };
    let busy = said(&on("macvlan", "parent: eth0"), version("28.5.2"), host(vec![link("eth0", ""), child]));
    assert!(busy[0].starts_with("parent-busy at 2:57: `eth0` carries the ipvlan link `iv0`"), "{busy:?}");

    let wireless = || host(vec![HostLink { wireless: true, ..link("wlan0", "") }]);
    let warned = said(&on("macvlan", "parent: wlan0"), version("28.5.2"), wireless());
    assert!(warned[0].starts_with("parent-wireless at 2:57: `wlan0` is wireless"), "{warned:?}");
    assert_eq!(said(&on("ipvlan", "parent: wlan0"), version("28.5.2"), wireless()), Vec::<String>::new());

    let vlan = |id, parent: &str| HostLink { vlan: Some(id), parent: Some(parent.into()), ..link("eth0.10", "vlan") };
    let with = |other: HostLink| {
        said(&on("macvlan", "parent: eth0.10"), version("28.5.2"), host(vec![link("eth0", ""), other]))
    };
    assert!(with(vlan(20, "eth0"))[0].contains("`eth0.10`, the parent of network lan, carries VLAN 20"));
    assert!(with(vlan(10, "eth1"))[0].contains("is a VLAN of `eth1`"));
    assert!(with(link("eth0.10", "veth"))[0].contains("is no VLAN but veth"));
    assert_eq!(with(vlan(10, "eth0")), Vec::<String>::new());
}

#[test]
fn a_bridge_name_and_an_mtu_are_held_against_the_host() {
    let named = || on("bridge", "com.docker.network.bridge.name: br-lan");
    let mut other = network("shop_front", "10.9.0.0/24");
    other.options.insert("com.docker.network.bridge.name".into(), "br-lan".into());
    let taken = said(&named(), Observed { networks: vec![other], ..version("28.5.2") }, HostFacts::default());
    assert!(taken[0].contains("would be named `br-lan`, which is that of network `shop_front`"), "{taken:?}");
    let taken = said(&named(), version("28.5.2"), host(vec![link("br-lan", "")]));
    assert!(taken[0].contains("which is an interface of the host"), "{taken:?}");
    assert_eq!(said(&named(), version("28.5.2"), host(vec![link("br-lan", "bridge")])), Vec::<String>::new());

    let way_out = || HostFacts {
        routes: Some(vec![HostRoute {
            destination: "0.0.0.0/0".parse().unwrap(),
            link: "wg0".into(),
            metric: 0,
            gateway: None,
        }]),
        ..host(vec![HostLink { mtu: 1420, ..link("wg0", "wireguard") }])
    };
    let mtu = |driver: &str, options: &str, host| said(&on(driver, options), version("28.5.2"), host);
    let large = mtu("bridge", "com.docker.network.driver.mtu: 9000", way_out());
    assert!(
        large[0].contains("packets of 9000 bytes on network lan do not pass the way out, `wg0` with 1420"),
        "{large:?}"
    );
    assert_eq!(mtu("bridge", "com.docker.network.driver.mtu: 1400", way_out()), Vec::<String>::new());
    let child = mtu("macvlan", "parent: eth0, com.docker.network.driver.mtu: 9000", host(vec![link("eth0", "")]));
    assert!(child[0].contains("network lan has the MTU of its parent `eth0`, 1500, whatever it says"), "{child:?}");
}

#[test]
fn the_end_of_the_pools_is_seen_before_it_comes() {
    let text = "services: {a: {image: busybox, networks: [x, y]}}\nnetworks: {x: {}, y: {}}\n";
    let mut observed = version("28.5.2");
    observed.networks = (17..=31).map(|n| network(&format!("n{n}"), &format!("172.{n}.0.0/16"))).collect();
    observed.networks.extend((0..15).map(|n| network(&format!("m{n}"), &format!("192.168.{}.0/20", n * 16))));
    let found = said(text, observed.clone(), HostFacts::default());
    assert_eq!(
        found,
        [
            "pools-exhausted at 2:12: x, y need each a subnet of the Engine's pools, and 1 is left | give them subnets of their own, or remove networks that nobody uses: n17, n18, n19, n20, n21"
        ]
    );
    observed.networks.truncate(20);
    assert_eq!(said(text, observed.clone(), HostFacts::default()), Vec::<String>::new());
    observed.engine.default_pools = vec![("10.200.0.0/24".parse().unwrap(), 25)];
    assert_eq!(said(text, observed.clone(), HostFacts::default()), Vec::<String>::new());
    observed.networks.push(network("mine", "10.200.0.0/25"));
    assert!(said(text, observed, HostFacts::default())[0].contains("and 1 is left"));
}

#[test]
fn what_the_engine_or_its_host_has_too_little_of_is_told() {
    let mut observed = version("28.5.2");
    observed.engine.memory = Some(1 << 30);
    observed.engine.platform = "linux/amd64".into();
    let image = crate::state::observed::ObservedImage { platform: "linux/arm64/v8".into(), ..Default::default() };
    observed.images.insert("busybox".into(), Some(image));
    let text = "services: {a: {image: busybox, mem_limit: 2g, devices: ['/dev/bowline-none:/dev/x']}}";
    let facts = HostFacts { missing_paths: ["/dev/bowline-none".into()].into(), ..HostFacts::default() };
    let found = said(text, observed.clone(), facts);
    assert!(
        found[0].starts_with("memory-short")
            && found[0].contains("a may use 2048 MiB, and the Engine's host has 1024 MiB")
    );
    assert!(found[1].contains("image `busybox` is for linux/arm64/v8, and the Engine runs linux/amd64"), "{found:?}");
    assert!(found[2].contains("a wants the device `/dev/bowline-none`, which is not there"), "{found:?}");
    assert_eq!(found.len(), 3);
    let reserved = "services: {a: {image: x, mem_reservation: 600m, scale: 2}}";
    assert!(said(reserved, observed, HostFacts::default())[0].contains("reserve 1200 MiB together"));
}

#[test]
fn settings_of_the_kernel_that_defeat_the_file_are_told() {
    let with = |name: &str, value: &str| HostFacts {
        settings: [(name.to_owned(), value.to_owned())].into(),
        ..HostFacts::default()
    };
    let found = said(&on("bridge", ""), version("28.5.2"), with("net.ipv4.ip_forward", "0\n"));
    assert!(found[0].starts_with("kernel-setting at 2:12: net.ipv4.ip_forward is 0"), "{found:?}");
    assert_eq!(said(&on("bridge", ""), version("28.5.2"), with("net.ipv4.ip_forward", "1\n")), Vec::<String>::new());
    let closed = on("bridge", "com.docker.network.bridge.enable_icc: 'false'");
    let found = said(&closed, version("28.5.2"), with("net.bridge.bridge-nf-call-iptables", "0\n"));
    assert!(found[0].contains("`enable_icc: false` of network lan parts nobody"), "{found:?}");
    let six = "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {enable_ipv6: true}}";
    let found = said(six, version("28.5.2"), with("net.ipv6.conf.all.disable_ipv6", "1\n"));
    assert!(found[0].contains("IPv6 is switched off on the Engine's host"), "{found:?}");
    assert!(said(six, version("20.10.24"), HostFacts::default())[0].contains("Engine 20.10.24 chooses none"));
    let mut rootless = version("28.5.2");
    rootless.engine.rootless = true;
    let low = "services: {a: {image: x, ports: ['80:80']}}";
    let found = said(low, rootless, with("net.ipv4.ip_unprivileged_port_start", "1024\n"));
    assert!(
        found[0].starts_with("port-privileged at 1:34: an Engine without root may not open port 80/tcp"),
        "{found:?}"
    );
}

/// A macvlan network of the Engine on `parent`.
fn made_on(name: &str, parent: &str) -> Observed {
    let mut made = network(name, "10.5.0.0/24");
    made.driver = "macvlan".into();
    made.options.insert("parent".into(), parent.into());
    Observed { networks: vec![made], ..version("28.5.2") }
}

#[test]
fn a_network_that_outlived_its_parent_is_told_before_a_container_is_to_start_on_it() {
    let mut own = made_on("p_lan", "eth7");
    own.networks[0].name = "project_lan".into();
    own.networks[0].labels.insert("com.docker.compose.project".into(), "project".into());
    let named = |text: &str| format!("name: project\n{text}");
    let gone = said(&named(&on("macvlan", "parent: eth7")), own.clone(), host(vec![link("eth0", "")]));
    assert_eq!(
        gone,
        [
            "parent-missing at 3:57: network lan is there, and its parent `eth7` is gone: nothing on it starts | bring `eth7` back on the Engine's host, or `docker network rm project_lan`"
        ]
    );
    assert_eq!(
        said(&named(&on("macvlan", "parent: eth7")), own.clone(), host(vec![link("eth7", "")])),
        Vec::<String>::new()
    );
    // what is made anew on another parent needs the old one no more
    assert_eq!(said(&named(&on("macvlan", "parent: eth0")), own, host(vec![link("eth0", "")])), Vec::<String>::new());

    let text = "services: {a: {image: x, networks: [lan]}}\nnetworks: {lan: {external: true, name: office}}";
    let vlan = made_on("office", "eth0.20");
    let gone = said(text, vlan.clone(), host(vec![link("eth0", "")]));
    assert!(gone[0].contains("`ip link add link eth0 name eth0.20 type vlan id 20 &&"), "{gone:?}");
    let project = load_text("compose.yaml", text).project.unwrap();
    assert!(Known::of(&project, &vlan.engine, &vlan).joins_parents, "the host is looked at for it");
    assert!(!Known::of(&project, &vlan.engine, &version("28.5.2")).joins_parents);
}

const LAN: &str = "services:
  a: {image: x, networks: {lan: {ipv4_address: 10.5.0.9}}}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: eth0}
    ipam: {config: [{subnet: 10.5.0.0/24, gateway: 10.5.0.1}]}
";

#[test]
fn a_macvlan_network_is_held_against_the_wire_of_its_parent() {
    let eth0 = |address: &str| HostLink { addresses: vec![address.parse().unwrap()], ..link("eth0", "") };
    let heard = |address: &str, macs: &[&str]| {
        let key = ("eth0".to_owned(), address.parse().unwrap());
        (key, macs.iter().map(|mac| (*mac).to_owned()).collect::<Vec<_>>())
    };
    let wire = |address: &str, silent: bool, taken: bool| {
        let gateway = heard("10.5.0.1", if silent { &[] } else { &["52:54:00:00:00:01"] });
        let fixed = heard("10.5.0.9", if taken { &["52:54:00:00:00:09"] } else { &[] });
        HostFacts { heard: [gateway, fixed].into(), ..host(vec![eth0(address)]) }
    };
    let said = |facts| said(LAN, version("28.5.2"), facts);
    assert_eq!(said(wire("10.5.0.7/24", false, false)), Vec::<String>::new());
    assert_eq!(
        said(wire("192.168.7.2/24", false, false)),
        [
            "lan-mismatch at 7:30: network lan has 10.5.0.0/24, and the wire of its parent `eth0` has 192.168.7.0/24 | `subnet: 192.168.7.0/24` with an `ip_range` of it that nobody else gives out, unless a router knows both"
        ]
    );
    assert_eq!(
        said(wire("10.5.0.7/24", true, true)),
        [
            "gateway-silent at 7:52: nobody on the wire of `eth0` answers for 10.5.0.1, the gateway of network lan | give the address of the router on that wire; `internal: true` needs none",
            "address-taken at 2:48: 10.5.0.9 is taken: 52:54:00:00:00:09 answers for it on the wire of `eth0` | a asks for it on lan | take another address, one that the DHCP server of that wire does not give out"
        ]
    );
    let own = said(wire("10.5.0.1/24", true, false));
    assert!(own[0].contains("the gateway of network lan, 10.5.0.1, is `eth0` itself"), "{own:?}");
    let asked = asked_of_wires(&load_text("compose.yaml", LAN).project.unwrap());
    assert_eq!(asked, ["10.5.0.1", "10.5.0.9"].map(|ip| ("eth0".to_owned(), ip.parse().unwrap())));
}

#[test]
fn an_address_that_the_stack_has_already_is_not_taken() {
    let mut other = container("blog", None);
    other.networks = vec![("lan".into(), None, vec!["10.5.0.9".parse().unwrap()])];
    let observed = Observed { others: vec![other], ..version("28.5.2") };
    let heard = [(("eth0".to_owned(), "10.5.0.9".parse().unwrap()), vec!["52:54:00:00:00:09".to_owned()])].into();
    let found = said(LAN, observed, HostFacts { heard, ..host(vec![link("eth0", "")]) });
    assert!(found.iter().all(|line| !line.contains("answers for it on the wire")), "{found:?}");
}

#[test]
fn an_option_that_an_older_engine_takes_and_does_nothing_with_is_told() {
    let mode = |value: &str| on("bridge", &format!("com.docker.network.bridge.gateway_mode_ipv4: {value}"));
    let said = |text: &str, engine: &str| said(text, version(engine), HostFacts::default());
    assert_eq!(
        said(&mode("routed"), "20.10.24"),
        [
            "api-too-old at 2:93: Engine 20.10.24 does nothing with `com.docker.network.bridge.gateway_mode_ipv4: routed` of network lan, which came with 27.0 | leave it out and see by `bowline verify` who reaches the network, or take a newer Engine"
        ]
    );
    let since = |said: Vec<String>, version: &str| said[0].contains(&format!("which came with {version} |"));
    assert!(since(said(&mode("isolated"), "27.3.1"), "28.0"));
    assert_eq!(said(&mode("routed"), "27.3.1"), Vec::<String>::new());
    let trusted = on("bridge", "com.docker.network.bridge.trusted_host_interfaces: eth0");
    assert!(since(said(&trusted, "28.1.0"), "28.2"));
    assert_eq!(said(&trusted, "28.5.2"), Vec::<String>::new());
}

#[test]
fn a_disk_without_room_is_told() {
    let disk = |free: u64, free_inodes| {
        let disk = Disk { path: "/var/lib/docker".into(), free, inodes: 1000, free_inodes };
        HostFacts { disk: Some(disk), ..HostFacts::default() }
    };
    let plain = "services: {a: {image: x}}";
    let said = |text: &str, host| said(text, version("28.5.2"), host);
    assert_eq!(said(plain, disk(1 << 30, 900)), Vec::<String>::new());
    let full = said(plain, disk(100 << 20, 900));
    assert!(
        full[0].starts_with("disk-short at nowhere: the Engine's disk is all but full: 100 MiB are left at"),
        "{full:?}"
    );
    assert!(said(plain, disk(1 << 30, 3))[0].contains("3 inodes are left at /var/lib/docker"));
    let sized = "services: {a: {image: x, scale: 3, storage_opt: {size: 10G}}}";
    let short = said(sized, disk(20 << 30, 900));
    assert!(short[0].contains("may grow to 30.0 GiB together, and 20.0 GiB are left"), "{short:?}");
    assert_eq!(said(sized, disk(40 << 30, 900)), Vec::<String>::new());
}

#[test]
fn what_a_trunk_says_of_its_parent_is_held_against_it() {
    let text = |says: &str| {
        format!(
            "services: {{a: {{image: x, networks: [lan, blue]}}}}\nnetworks: {{lan: , blue: }}\n\
             x-trunks: {{up: {{parent: eth0, {says}, vlans: {{lan: native, blue: 10}}}}}}"
        )
    };
    let eth0 =
        |mtu, promiscuous, promiscuity| host(vec![HostLink { mtu, promiscuous, promiscuity, ..link("eth0", "") }]);
    let found = said(&text("mtu: 9000"), version("28.5.2"), eth0(1500, false, 0));
    assert_eq!(
        found,
        [
            "bad-mtu at 3:36: x-trunks.up has packets of 9000 bytes, and `eth0` takes 1500, which its children have from it | `ip link set eth0 mtu 9000` on the Engine's host, or write `mtu: 1500`"
        ]
    );
    assert_eq!(said(&text("mtu: 1500"), version("28.5.2"), eth0(1500, false, 0)), Vec::<String>::new());
    let promisc =
        |says: &str, set, count| said(&text(&format!("promisc: {says}")), version("28.5.2"), eth0(1500, set, count));
    assert!(promisc("on", false, 0)[0].starts_with("parent-promiscuous at 3:40: `eth0` takes frames for itself alone"));
    assert!(
        promisc("off", true, 1)[0].contains("`eth0` is set to take every frame, and x-trunks.up says `promisc: off`")
    );
    for (says, set, count) in [("on", true, 1), ("on", false, 2), ("off", false, 2), ("auto", true, 1)] {
        assert_eq!(promisc(says, set, count), Vec::<String>::new(), "{says} {set} {count}");
    }
}

/// What `parent: auto` comes to by these default routes (link, metric): the parents of the networks, and what is said.
fn settled(routes: &[(&str, &str, u32)]) -> (Vec<String>, Vec<String>) {
    let text = "networks: {lan: {}, blue: {}, own: {driver: macvlan, driver_opts: {parent: auto}}}\n\
                services: {web: {image: busybox, networks: [lan, blue, own]}}\n\
                x-trunks: {up: {parent: auto, vlans: {lan: native, blue: 4000}}}";
    let loaded = load_text("compose.yaml", text);
    let mut project = loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    assert!(auto::is_wanted(&project));
    let route = |(to, link, metric): &(&str, &str, u32)| HostRoute {
        destination: to.parse().unwrap(),
        link: (*link).to_owned(),
        metric: *metric,
        gateway: None,
    };
    let mut findings = Findings::new();
    auto::settle(&mut project, &routes.iter().map(route).collect::<Vec<_>>(), &mut findings);
    let parents = project.networks.values().map(|network| network.driver_opts["parent"].value.clone());
    let said = findings.iter().map(|f| format!("{} at {}: {}", f.code, loaded.files.place(f.at.unwrap()), f.message));
    (parents.collect(), said.collect())
}

#[test]
fn auto_is_the_link_of_the_default_route() {
    let (parents, said) =
        settled(&[("10.0.0.0/8", "tun0", 0), ("0.0.0.0/0", "wlan0", 600), ("0.0.0.0/0", "eth0", 100)]);
    assert_eq!(parents, ["eth0", "eth0.4000", "auto"]);
    assert_eq!(said, ["parent-auto at compose.yaml:3:25: x-trunks.up.parent is `eth0`, the link of the default route"]);
    assert_eq!(settled(&[("::/0", "eth1", 1024)]).0, ["eth1", "eth1.4000", "auto"]);
    assert_eq!(settled(&[("::/0", "eth1", 1), ("0.0.0.0/0", "eth0", 100)]).0[0], "eth0", "metrics of two families");
    let (_, said) = settled(&[("0.0.0.0/0", "enp0s20f0u1", 0)]);
    let short =
        "name-too-long at compose.yaml:3:58: `enp0s20f0u1.4000`, the VLAN link of network blue, would have 16 bytes";
    assert!(said[1].starts_with(short), "{said:?}");
}

#[test]
fn auto_without_one_default_route_is_an_error() {
    for (routes, why) in [
        (&[("10.0.0.0/8", "eth0", 0)][..], "the Engine's host has no default route"),
        (
            &[("0.0.0.0/0", "eth1", 0), ("0.0.0.0/0", "eth0", 0)],
            "the Engine's host has several default routes, by `eth0` and `eth1`",
        ),
    ] {
        let (parents, said) = settled(routes);
        assert_eq!(parents, ["auto", "auto.4000", "auto"]);
        assert_eq!(said, [format!("parent-auto at compose.yaml:3:25: x-trunks.up.parent is `auto`, and {why}")]);
    }
}

//! What stands on the host besides ports and links: sources, firewalls, and whom it cannot do without.

use super::*;
use crate::preflight::host::{Chain, Source};

#[test]
fn a_subnet_that_would_cut_the_host_off_is_refused() {
    let text = "services: {web: {image: busybox, networks: [app]}}
networks: {app: {ipam: {config: [{subnet: 10.8.0.0/24}]}}}\n";
    let way_out = HostRoute {
        destination: "0.0.0.0/0".parse().unwrap(),
        link: "eth0".into(),
        metric: 0,
        gateway: Some("10.8.0.1".parse().unwrap()),
    };
    let told = |host: HostFacts| said(text, version("28.5.2"), host).join("\n");
    let gateway = told(HostFacts { routes: Some(vec![way_out]), ..HostFacts::default() });
    assert_eq!(
        gateway,
        "subnet-overlap at 2:43: 10.8.0.0/24 of network app would cut the host off from 10.8.0.1, the host's default gateway | 172.16.1.0/24 is free"
    );
    let resolver = told(HostFacts { resolvers: vec!["10.8.0.53".parse().unwrap()], ..HostFacts::default() });
    assert!(resolver.contains("10.8.0.53, a resolver that the host asks"), "{resolver}");
    let client = told(HostFacts { client: Some("10.8.0.9".parse().unwrap()), ..HostFacts::default() });
    assert!(client.contains("10.8.0.9, this machine, which speaks to the Engine"), "{client}");
    let elsewhere = HostFacts { client: Some("10.9.0.9".parse().unwrap()), ..HostFacts::default() };
    assert_eq!(told(elsewhere), "");
}

#[test]
fn an_address_that_the_host_may_lack_and_a_parent_that_nobody_answers_on() {
    let text = "services: {web: {image: busybox, ports: ['192.0.2.7:80:80']}}";
    let facts = |nonlocal: &str| HostFacts {
        settings: [("net.ipv4.ip_nonlocal_bind".to_owned(), nonlocal.to_owned())].into(),
        ..host(vec![link("eth0", "")])
    };
    assert!(said(text, version("28.5.2"), facts("0"))[0].contains("the host has no address 192.0.2.7"));
    assert_eq!(said(text, version("28.5.2"), facts("1")), Vec::<String>::new());
    let silent = HostLink { carrier: false, ..link("eth0", "") };
    let told = said(&on("macvlan", "parent: eth0"), version("28.5.2"), host(vec![silent]));
    assert!(told[0].starts_with("parent-down at 2:57: `eth0` has no carrier"), "{told:?}");
}

#[test]
fn networks_of_others_that_cannot_be_joined_or_hold_a_name_already() {
    let text = "services: {web: {image: busybox, networks: [n]}}\nnetworks: {n: {external: true, name: mesh}}";
    let mut mesh = network("mesh", "10.3.0.0/24");
    (mesh.driver, mesh.scope) = ("overlay".into(), "swarm".into());
    let with =
        |networks: Vec<ObservedNetwork>| said(text, Observed { networks, ..version("28.5.2") }, HostFacts::default());
    assert_eq!(
        with(vec![mesh.clone()]),
        [
            "swarm-needed at 2:12: `mesh` is a network that only services of a Swarm may join | whoever made it has to make it with `--attachable`"
        ]
    );
    mesh.attachable = true;
    assert_eq!(with(vec![mesh.clone()]), Vec::<String>::new());
    assert!(
        with(vec![mesh.clone(), mesh])[0].starts_with("name-taken at 2:12: 2 networks of the Engine are called `mesh`")
    );
}

#[test]
fn a_file_where_a_directory_is_meant_and_the_other_way_round() {
    let told = |mount: &str, source: Option<(&str, Source)>| {
        let text = format!("services: {{web: {{image: busybox, volumes: [{mount}]}}}}");
        let path = |path: &str| std::path::PathBuf::from(path);
        let facts = HostFacts {
            missing_paths: ["/s/app.conf", "/s/conf.d", "/s/none"].map(path).into(),
            sources: source.into_iter().map(|(name, kind)| (path(name), kind)).collect(),
            ..HostFacts::default()
        };
        said(&text, version("28.5.2"), facts).join("\n")
    };
    let meant = "a file seems to be meant";
    assert!(told("'/s/app.conf:/etc/app.conf'", None).contains(meant));
    assert!(told("'/s/x.sql:/x.sql'", Some(("/s/x.sql", Source::Directory))).contains(meant));
    for plain in ["'/s/conf.d:/etc/conf.d'", "'/s/none:/none'", "'/s/app.conf:/etc/app'"] {
        assert_eq!(told(plain, None), "", "{plain}");
    }
    assert_eq!(told("'/s/x.sql:/x.sql'", Some(("/s/x.sql", Source::File))), "");
    let below = told("'/s/f/x:/x'", Some(("/s/f/x", Source::Below("/s/f".into()))));
    assert!(below.contains("`/s/f/x` cannot be: `/s/f` is a file"), "{below}");
}

#[test]
fn a_firewall_that_is_not_the_engines_and_an_engine_without_one_are_told() {
    let drops = |family: &str, table: &str, name: &str| HostFacts {
        forward_drops: vec![Chain { family: family.into(), table: table.into(), name: name.into() }],
        ..HostFacts::default()
    };
    let with = |facts: HostFacts, firewall: Option<&str>| {
        let mut observed = version("28.5.2");
        observed.engine.firewall = firewall.map(str::to_owned);
        said(&on("bridge", ""), observed, facts).join("\n")
    };
    let theirs = with(drops("inet", "filter", "forward"), Some("iptables"));
    assert!(theirs.starts_with("host-firewall at 2:12: a firewall of the Engine's host drops"), "{theirs}");
    assert!(theirs.contains("(chain forward of table inet filter)"), "{theirs}");
    // the Engine's own chain is not in its own way, by whatever it makes its rules
    assert_eq!(with(drops("ip", "filter", "FORWARD"), None), "");
    assert_eq!(with(drops("ip", "docker-bridges", "filter-FORWARD"), Some("nftables")), "");
    assert!(with(drops("ip", "filter", "FORWARD"), Some("nftables")).contains("chain FORWARD of table ip filter"));

    let told = |option: &str, value: &str| HostFacts {
        daemon: [(option.to_owned(), value.to_owned())].into(),
        ..HostFacts::default()
    };
    assert!(with(told("iptables", "false"), None).contains("makes no firewall rules (`iptables: false`): network lan"));
    assert_eq!(with(told("iptables", "true"), None), "");
    assert_eq!(with(told("ip6tables", "false"), None), "", "the network has no IPv6");
    assert!(with(told("allow-direct-routing", "true"), None).contains("reach every port in it, published or not"));
    let text = "services: {a: {image: x, ports: ['[::1]:81:80', '127.0.0.1:81:80']}}";
    let proxy = said(text, version("28.5.2"), told("userland-proxy", "false"));
    assert_eq!(proxy.len(), 1, "{proxy:?}");
    assert!(proxy[0].starts_with("ports-discarded at 1:34: port 80 of a does not answer at ::1"), "{proxy:?}");
}

#[test]
fn a_machine_whose_network_knows_its_macs_is_told_by_what_it_says_of_itself() {
    let facts = |vendor: &str, product: &str, kind: &str| HostFacts {
        machine: (vendor.into(), product.into()),
        ..host(vec![link("eth0", kind)])
    };
    let told = |driver: &str, facts: HostFacts| said(&on(driver, "parent: eth0"), version("28.5.2"), facts).join("\n");
    let rented = told("macvlan", facts("Amazon EC2", "t3.micro", ""));
    assert!(rented.starts_with("parent-filtered at 2:57: the Engine's host is a machine of Amazon EC2"), "{rented}");
    assert_eq!(told("ipvlan", facts("Amazon EC2", "t3.micro", "")), "");
    assert_eq!(told("macvlan", facts("Amazon EC2", "t3.micro", "bridge")), "", "a bridge of the machine is its own");
    assert_eq!(told("macvlan", facts("Microsoft Corporation", "Surface Laptop", "")), "");
    assert_eq!(told("macvlan", facts("", "", "")), "");
}

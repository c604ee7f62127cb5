//! Addresses, MACs, routes and links, as the kernel has them.

use super::*;
use crate::probe::Family;

#[test]
fn an_address_is_what_the_engine_and_the_kernel_both_say() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = |fixed: &[&str], pools: Vec<AddressPool>| Expectation::Address {
        replica: replica("a"),
        wire: "p_x".to_owned(),
        fixed: fixed.iter().map(|a| ip(a)).collect(),
        pools,
    };
    let pool = |range: Option<&str>| {
        vec![AddressPool { subnet: "10.0.0.0/24".parse().unwrap(), range: range.map(|r| r.parse().unwrap()) }]
    };
    assert_eq!(proved(&world.judge(expectation(&["10.0.0.2"], pool(None)), &none)), "eth0 has 10.0.0.2/24");
    proved(&world.judge(expectation(&[], pool(None)), &none));
    refuted(&world.judge(expectation(&["10.0.0.9"], pool(None)), &none));
    refuted(&world.judge(expectation(&[], pool(Some("10.0.0.128/25"))), &none));
    // fixed addresses may lie outside the range that the others come from
    proved(&world.judge(expectation(&["10.0.0.2"], pool(Some("10.0.0.128/25"))), &none));
    let moved = |_: &Vantage, q: &Question| match q {
        Question::Addresses {} => {
            Some(Answer::Addresses(vec![Address { address: ip("10.0.0.77"), ..world.addresses(&at("a")).remove(0) }]))
        }
        _ => None,
    };
    assert!(refuted(&world.judge(expectation(&[], vec![]), &moved)).contains("eth0 has 10.0.0.77/24"));
    // who may not ask at layer 2 knows nothing of thieves, and is content
    let forbidden = |_: &Vantage, q: &Question| match q {
        Question::Solicit { .. } => {
            Some(Answer::Failure(crate::probe::Failure { errno: Some(1), message: String::new() }))
        }
        _ => None,
    };
    proved(&world.judge(expectation(&[], vec![]), &forbidden));
}

#[test]
fn an_address_that_somebody_else_answers_for_is_stolen_and_the_thief_is_named() {
    let mut world = World::new(SHARED, ONE_NET);
    let expectation =
        || Expectation::Address { replica: replica("a"), wire: "p_x".to_owned(), fixed: vec![], pools: vec![] };
    let stolen = |_: &Vantage, q: &Question| match q {
        Question::Solicit { target, sender: Some(_), .. } => Some(heard(*target, "eth0", &["02:42:0a:00:00:07"])),
        _ => None,
    };
    assert!(refuted(&world.judge(expectation(), &stolen)).contains("is nobody of this Engine"));
    world.observed.others.push(other("thief", "10.0.0.7"));
    assert!(refuted(&world.judge(expectation(), &stolen)).contains("02:42:0a:00:00:07 is thief"));
}

/// A container that is not of the project, on its network.
#[test]
fn the_mac_follows_the_engines_version() {
    let mut world = World::new(SHARED, ONE_NET);
    world.container("b").endpoints.clear();
    let expectation = || Expectation::Mac { replica: replica("a"), wire: "p_x".to_owned(), fixed: None };
    proved(&world.judge(expectation(), &none));
    world.observed.engine.version = "20.10.24".to_owned();
    assert!(refuted(&world.judge(expectation(), &none)).contains("an Engine before 28"));
    let derived = |_: &Vantage, q: &Question| match q {
        Question::Links {} => {
            let mut eth0 = link(2, "eth0", "veth", Some(7), None);
            eth0.mac = Some("02:42:0a:00:00:02".to_owned());
            Some(Answer::Links(vec![eth0]))
        }
        _ => None,
    };
    world.container("a").endpoints[0].mac = Some("02:42:0a:00:00:02".parse().unwrap());
    proved(&world.judge(expectation(), &derived));
}

#[test]
fn one_mac_on_two_containers_of_a_wire_is_refuted() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = Expectation::Mac { replica: replica("a"), wire: "p_x".to_owned(), fixed: None };
    assert!(refuted(&world.judge(expectation, &none)).contains("is p-b-1's as well"));
}

#[test]
fn the_default_route_is_the_gateways_of_a_network_that_has_one() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = |wires: &[&str]| Expectation::DefaultRoute {
        replica: replica("a"),
        family: Family::V4,
        wires: wires.iter().map(|w| (*w).to_owned()).collect(),
    };
    proved(&world.judge(expectation(&["p_x"]), &none));
    assert!(refuted(&world.judge(expectation(&[]), &none)).contains("default by 10.0.0.1 on eth0"));
    let other =
        |_: &Vantage, q: &Question| matches!(q, Question::Routes {}).then(|| Answer::Routes(vec![route("10.0.0.254")]));
    refuted(&world.judge(expectation(&["p_x"]), &other));
    let nothing = |_: &Vantage, q: &Question| matches!(q, Question::Routes {}).then(|| Answer::Routes(vec![]));
    proved(&world.judge(expectation(&[]), &nothing));
    // an Engine before 25 gives one on internal networks, and on no other
    for (text, version, good) in [
        ("networks: {x: {internal: true}}", "20.10.24", true),
        ("networks: {x: {internal: true}}", "28.5.2", false),
        ("networks: {x: }", "20.10.24", false),
    ] {
        let mut world = World::new(&format!("services: {{a: {{networks: [x]}}}}\n{text}"), &ONE_NET[..1]);
        world.observed.engine.version = version.to_owned();
        assert_eq!(world.judge(expectation(&[]), &none).is_proved(), good, "{text} {version}");
    }
}

#[test]
fn ipv6_has_a_default_route_of_its_own_and_thieves_of_its_own() {
    let mut world = World::new(SHARED, ONE_NET);
    let end = &mut world.container("a").endpoints[0];
    (end.ipv6, end.gateway_v6) = (Some("fd00::2/64".parse().unwrap()), Some(ip("fd00::1")));
    let expectation =
        || Expectation::DefaultRoute { replica: replica("a"), family: Family::V6, wires: vec!["p_x".to_owned()] };
    let by = |gateway: &'static str| {
        move |_: &Vantage, q: &Question| {
            let six = Route { destination: ip("::"), ..route(gateway) };
            matches!(q, Question::Routes {}).then(|| Answer::Routes(vec![route("10.0.0.1"), six]))
        }
    };
    assert!(proved(&world.judge(expectation(), &by("fd00::1"))).contains("default by fd00::1 on eth0"));
    assert!(refuted(&world.judge(expectation(), &by("fd00::9"))).contains("default by fd00::9"));
    assert!(refuted(&world.judge(expectation(), &none)).contains("there is no default route"));

    let address =
        || Expectation::Address { replica: replica("a"), wire: "p_x".to_owned(), fixed: vec![], pools: vec![] };
    let claimed = |macs: &'static [&'static str]| {
        let both = world.addresses(&at("a")).remove(0);
        let six = Address { address: ip("fd00::2"), prefix: 64, ..both.clone() };
        let all = vec![both, six];
        move |_: &Vantage, q: &Question| match q {
            Question::Addresses {} => Some(Answer::Addresses(all.clone())),
            Question::Solicit { target, .. } if target.is_ipv6() => Some(heard(*target, "eth0", macs)),
            _ => None,
        }
    };
    // who asks hears itself
    proved(&world.judge(address(), &claimed(&["02:00:00:00:00:02"])));
    let stolen = refuted(&world.judge(address(), &claimed(&["02:00:00:00:00:02", "02:00:00:00:00:66"])));
    assert!(stolen.contains("02:00:00:00:00:66 answers for it, too"), "{stolen}");
}

#[test]
fn a_bridge_port_is_told_by_numbers_in_both_directions() {
    let world = World::new(SHARED, ONE_NET);
    let expectation = || Expectation::BridgePort { replica: replica("a"), wire: "p_x".to_owned(), bridge: None };
    assert_eq!(proved(&world.judge(expectation(), &none)), "eth0 - veth7 - br-0123456789ab");
    let host = |links: Vec<Link>| {
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => Some(Answer::Links(links.clone())),
            _ => None,
        }
    };
    let bridge = link(3, "br-0123456789ab", "bridge", None, None);
    let off = host(vec![bridge.clone(), link(7, "veth7", "veth", Some(2), None)]);
    assert!(refuted(&world.judge(expectation(), &off)).contains("veth7 is a port of no bridge"));
    // link 7 of the host is the end of somebody else's pair: numbers repeat from namespace to namespace
    let foreign = host(vec![bridge.clone(), link(7, "veth7", "veth", Some(9), Some(3))]);
    assert!(refuted(&world.judge(expectation(), &foreign)).contains("not on the host"));
    let other = host(vec![link(3, "docker0", "bridge", None, None), link(7, "veth7", "veth", Some(2), Some(3))]);
    assert!(refuted(&world.judge(expectation(), &other)).contains("veth7 is a port of docker0"));
}

#[test]
fn a_macvlan_child_hangs_on_its_parent_by_number_and_namespace() {
    let text = "services: {a: {networks: [x]}}\nnetworks: {x: {driver: macvlan, driver_opts: {parent: wire0}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24")]);
    let child = |parent: Option<u32>, foreign: Option<i32>| {
        let mut eth0 = link(2, "eth0", "macvlan", parent, None);
        (eth0.parent_namespace, eth0.macvlan_mode) = (foreign, Some("bridge".to_owned()));
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => {
                let wires = vec![link(5, "wire0", "veth", None, None), link(6, "wire1", "veth", None, None)];
                Some(Answer::Links(wires))
            }
            Question::Links {} => Some(Answer::Links(vec![eth0.clone()])),
            _ => None,
        }
    };
    let expectation = |mode: &str| Expectation::Parent {
        replica: replica("a"),
        wire: "p_x".to_owned(),
        parent: "wire0".to_owned(),
        kind: "macvlan",
        mode: mode.to_owned(),
        links: vec![],
    };
    proved(&world.judge(expectation("bridge"), &child(Some(5), Some(0))));
    assert!(refuted(&world.judge(expectation("bridge"), &child(Some(6), Some(0)))).contains("eth0 hangs on wire1"));
    // the same number without a namespace of its own is a link of the container's, not the host's
    refuted(&world.judge(expectation("bridge"), &child(Some(5), None)));
    refuted(&world.judge(expectation("private"), &child(Some(5), Some(0))));
}

#[test]
fn a_vlan_parent_is_the_vlan_that_its_name_says() {
    let text = "services: {a: {networks: [x]}}\nnetworks: {x: {driver: macvlan, driver_opts: {parent: wire0.10}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24")]);
    let on = |kind: &str, vlan: Option<u16>, parent: u32| {
        let tagged = Link { vlan, parent_namespace: None, ..link(7, "wire0.10", kind, Some(parent), None) };
        let eth0 = Link {
            parent_namespace: Some(0),
            macvlan_mode: Some("bridge".to_owned()),
            ..link(2, "eth0", "macvlan", Some(7), None)
        };
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => {
                let wires = [link(5, "wire0", "veth", None, None), link(6, "wire1", "veth", None, None)];
                Some(Answer::Links(wires.into_iter().chain([tagged.clone()]).collect()))
            }
            Question::Links {} => Some(Answer::Links(vec![eth0.clone()])),
            _ => None,
        }
    };
    let judge = |answer: &dyn Fn(&Vantage, &Question) -> Option<Answer>| {
        let (replica, wire, parent) = (replica("a"), "p_x".to_owned(), "wire0.10".to_owned());
        let (mode, links) = ("bridge".to_owned(), vec![]);
        let expectation = Expectation::Parent { replica, wire, parent, kind: "macvlan", mode, links };
        world.judge(expectation, &answer)
    };
    assert!(proved(&judge(&on("vlan", Some(10), 5))).contains("wire0.10, VLAN 10"));
    assert!(refuted(&judge(&on("vlan", Some(20), 5))).contains("wire0.10 carries VLAN 20"));
    assert!(refuted(&judge(&on("vlan", Some(10), 6))).contains("wire0.10 is a VLAN of wire1"));
    assert!(refuted(&judge(&on("dummy", None, 5))).contains("wire0.10 is no VLAN but a dummy"));
}

#[test]
fn what_a_trunk_says_of_its_wire_is_looked_at() {
    let text = "services: {a: {networks: [x]}}\nnetworks: {x: {driver: macvlan, driver_opts: {parent: wire0}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24")]);
    let wire = |flags: u32, promiscuity: u32| {
        move |v: &Vantage, q: &Question| match q {
            Question::Links {} if *v == Vantage::Host => {
                Some(Answer::Links(vec![Link { flags, promiscuity, ..link(5, "wire0", "veth", None, None) }]))
            }
            Question::Links {} => {
                Some(Answer::Links(vec![Link { mtu: 1400, ..link(2, "eth0", "macvlan", None, None) }]))
            }
            _ => None,
        }
    };
    let mtu = |bytes| Expectation::Mtu { replica: replica("a"), wire: "p_x".to_owned(), bytes };
    assert!(proved(&world.judge(mtu(1400), &wire(0, 0))).contains("eth0 carries packets of 1400 bytes"));
    assert!(refuted(&world.judge(mtu(9000), &wire(0, 0))).contains("eth0 carries packets of 1400 bytes"));
    let promisc = |on| Expectation::Promiscuous { parent: "wire0".to_owned(), on };
    // the kernel does what children need, which is nobody's setting
    for (on, off, flags, count) in [(true, true, 0, 2), (true, false, 0x100, 1), (false, true, 0, 0)] {
        assert_eq!(world.judge(promisc(true), &wire(flags, count)).is_proved(), on, "{flags:x} {count}");
        assert_eq!(world.judge(promisc(false), &wire(flags, count)).is_proved(), off, "{flags:x} {count}");
    }
}

#[test]
fn only_lo_may_be_up_where_there_is_no_network() {
    let world = World::new("services: {a: {network_mode: none}}", &[]);
    let with = |links: Vec<Link>| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Links {}).then(|| Answer::Links(links.clone()))
    };
    let lo = link(1, "lo", "", None, None);
    let sit = Link { up: false, ..link(2, "sit0", "sit", None, None) };
    assert!(
        proved(&world.judge(Expectation::OnlyLoopback(replica("a")), &with(vec![lo.clone(), sit])))
            .contains("down: sit0")
    );
    let stray = with(vec![lo, link(2, "eth0", "veth", Some(3), None)]);
    refuted(&world.judge(Expectation::OnlyLoopback(replica("a")), &stray));
}

#[test]
fn a_shared_namespace_has_one_inode() {
    let world = World::new(
        "services: {a: {}, b: {network_mode: 'service:a'}, h: {network_mode: host}}",
        &[("a", "p_default", "10.0.0.2/24")],
    );
    let same = |_: &Vantage, q: &Question| {
        matches!(q, Question::Namespace {}).then_some(Answer::Namespace(Namespace { inode: 5, hostname: None }))
    };
    let apart = |v: &Vantage, q: &Question| {
        let inode = if *v == at("b") || *v == at("h") { 6 } else { 5 };
        matches!(q, Question::Namespace {}).then_some(Answer::Namespace(Namespace { inode, hostname: None }))
    };
    let shared = || Expectation::SharedNamespace { replica: replica("b"), owner: Container::Replica(replica("a")) };
    proved(&world.judge(shared(), &same));
    refuted(&world.judge(shared(), &apart));
    proved(&world.judge(Expectation::HostNamespace(replica("h")), &same));
    refuted(&world.judge(Expectation::HostNamespace(replica("h")), &apart));
}

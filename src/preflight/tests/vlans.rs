//! VLAN links that are to be made, and what is in their way.

use super::*;
use crate::compose::model::TagProtocol;

/// What is said of `blue`, on the VLAN that `vlan` says, on a host with these links beside eth0.
fn blue(vlan: &str, links: Vec<HostLink>) -> Vec<String> {
    let text = format!(
        "services: {{web: {{image: busybox, networks: [blue]}}}}
networks: {{blue: {{ipam: {{config: [{{subnet: 10.0.0.0/24}}]}}}}}}
x-trunks: {{up: {{parent: eth0, vlans: {{blue: {vlan}}}}}}}"
    );
    let links = std::iter::once(HostLink { mtu: 1500, ..link("eth0", "") }).chain(links).collect();
    said(&text, version("28.5.2"), host(links))
}

#[test]
fn the_hosts_own_address_is_asked_for_on_the_wire_before_it_is_taken() {
    let text = "services: {web: {image: busybox, networks: {lan: {ipv4_address: 10.0.0.2}}}}
networks: {lan: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}
x-trunks: {up: {parent: eth0, host_access: 10.0.0.9, vlans: {lan: native}}}";
    let asked = asked_of_wires(&load_text("compose.yaml", text).project.unwrap());
    assert_eq!(asked, ["10.0.0.2", "10.0.0.9"].map(|ip| ("eth0".to_owned(), ip.parse().unwrap())));
    let heard = [(("eth0".to_owned(), "10.0.0.9".parse().unwrap()), vec!["52:54:00:00:00:09".to_owned()])].into();
    let told = said(text, version("28.5.2"), HostFacts { heard, ..host(vec![link("eth0", "")]) });
    assert!(
        told[0].starts_with("address-taken at 3:44: 10.0.0.9 is taken: 52:54:00:00:00:09 answers for it"),
        "{told:?}"
    );
}

fn tagged(name: &str, parent: &str, id: u16, protocol: TagProtocol) -> HostLink {
    HostLink { vlan: Some(id), parent: Some(parent.into()), protocol: Some(protocol), mtu: 1500, ..link(name, "vlan") }
}

#[test]
fn a_link_of_ours_is_made_beside_nobody_elses() {
    const NAMED: &str = "{id: 10, name: blue0}";
    assert_eq!(blue(NAMED, vec![]), Vec::<String>::new());
    let there = |id, parent, protocol| vec![tagged("blue0", parent, id, protocol)];
    assert_eq!(blue(NAMED, there(10, "eth0", TagProtocol::Customer)), Vec::<String>::new(), "taken as it is");
    for (found, says) in [
        (there(20, "eth0", TagProtocol::Customer), "carries VLAN 20"),
        (there(10, "eth1", TagProtocol::Customer), "is a VLAN of `eth1`"),
        (there(10, "eth0", TagProtocol::Service), "has tags of 802.1ad"),
        (vec![link("blue0", "dummy")], "is no VLAN but dummy"),
        (vec![HostLink { up: false, ..there(10, "eth0", TagProtocol::Customer).remove(0) }], "is down"),
    ] {
        let expected =
            format!("bad-vlan at 3:45: `blue0` for network blue is there, was not made by bowline, and {says}");
        let told = blue(NAMED, found);
        assert!(told.iter().any(|line| line.starts_with(&expected)), "{told:#?}");
    }
    let stale = HostLink { label: "bowline compose/vlan".into(), ..tagged("blue0", "eth0", 20, TagProtocol::Customer) };
    let ours = HostLink { label: format!("bowline {}/vlan", project_name()), ..stale.clone() };
    assert_eq!(blue(NAMED, vec![ours]), Vec::<String>::new(), "made anew by the plan");
}

/// The name of a project whose file says none, in these tests.
fn project_name() -> String {
    load_text("compose.yaml", WEB).project.unwrap().name.to_string()
}

#[test]
fn a_vlan_that_has_a_link_of_another_name_is_told_with_that_name() {
    let foreign = || vec![tagged("office", "eth0", 10, TagProtocol::Customer)];
    assert_eq!(
        blue("{id: 10, mtu: 1400}", foreign()),
        [
            "bad-vlan at 3:45: VLAN 10 of `eth0`, which network blue needs, is there as `office`, and has one link only | `blue: {id: 10, name: office}` takes it as it is"
        ]
    );
    assert!(blue("10", foreign())[0].starts_with("bad-vlan at 3:25: VLAN 10 of `eth0`"), "the Engine cannot either");
    assert_eq!(blue("{id: 10, protocol: 802.1ad}", foreign()), Vec::<String>::new(), "another wire");
    assert!(
        blue("{id: 20, within: 10}", vec![tagged("metro", "eth0", 10, TagProtocol::Service)])[0]
            .contains("is there as `metro`")
    );
}

#[test]
fn a_vlan_has_no_longer_packets_than_its_card_and_needs_it_up() {
    assert_eq!(
        blue("{id: 10, mtu: 9000}", vec![]),
        [
            "bad-mtu at 3:59: VLAN 10 of `eth0` cannot have packets of 9000 bytes: those of `eth0` have 1500 | `ip link set eth0 mtu 9000` on the Engine's host, or `mtu: 1500`"
        ]
    );
    assert_eq!(blue("{id: 10, mtu: 1400}", vec![]), Vec::<String>::new());
    let text = |vlan: &str| {
        format!(
            "services: {{web: {{image: busybox, networks: [blue]}}}}
networks: {{blue: {{ipam: {{config: [{{subnet: 10.0.0.0/24}}]}}}}}}
x-trunks: {{up: {{parent: eth7, vlans: {{blue: {vlan}}}}}}}"
        )
    };
    for vlan in ["10", "{id: 10, within: 100}"] {
        let down = said(&text(vlan), version("28.5.2"), host(vec![HostLink { up: false, ..link("eth7", "") }]));
        assert!(
            down[0].contains("`eth7` is down, and a VLAN link on it for network blue cannot be set up"),
            "{down:?}"
        );
        let gone = said(&text("{id: 10, within: 100}"), version("28.5.2"), host(vec![link("eth0", "")]));
        assert!(gone[0].starts_with("parent-missing at 3:25: the host has no link `eth7`"), "{gone:?}");
    }
    let without = HostFacts { kinds: [("vlan".to_owned(), false)].into(), ..host(vec![link("eth7", "")]) };
    let lacks = said(&text("{id: 10, name: blue0}"), version("28.5.2"), without);
    assert!(lacks[0].contains("no vlan links") && lacks[0].contains("`modprobe 8021q`"), "{lacks:?}");
}

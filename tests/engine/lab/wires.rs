//! What rides on one wire: VLANs, modes of macvlan and ipvlan.

use super::Host;
use crate::examples::Example;

/// The trunk that this project grew from: `lan` on eth0, `blue` on eth0.10.
#[test]
fn trunk() {
    let Some(host) = Host::take() else { return };
    let Some(mut example) = Example::open("trunk") else { return };
    example.proves(&[
        "address/lan1@lan",
        "isolated/host->lan1",
        "isolated/lan1->host",
        "mac/lan1@lan",
        "name/lan1:lan2",
        "no-name/lan1:blue1",
        "no-name/lan1:blue2",
        "parent/lan1@lan",
        "reach/lan1->lan2",
        "route/lan1",
        "running/lan1",
        "address/lan2@lan",
        "isolated/host->lan2",
        "isolated/lan2->host",
        "mac/lan2@lan",
        "name/lan2:lan1",
        "no-name/lan2:blue1",
        "no-name/lan2:blue2",
        "parent/lan2@lan",
        "reach/lan2->lan1",
        "route/lan2",
        "running/lan2",
        "address/blue1@blue",
        "isolated/blue1->host",
        "isolated/blue1->lan1/arp",
        "isolated/blue1->lan2/arp",
        "isolated/host->blue1",
        "mac/blue1@blue",
        "name/blue1:blue2",
        "no-name/blue1:lan1",
        "no-name/blue1:lan2",
        "parent/blue1@blue",
        "reach/blue1->blue2",
        "route/blue1",
        "running/blue1",
        "address/blue2@blue",
        "isolated/blue2->host",
        "isolated/blue2->lan1/arp",
        "isolated/blue2->lan2/arp",
        "isolated/host->blue2",
        "mac/blue2@blue",
        "name/blue2:blue1",
        "no-name/blue2:lan1",
        "no-name/blue2:lan2",
        "parent/blue2@blue",
        "reach/blue2->blue1",
        "route/blue2",
        "running/blue2",
    ]);
    assert!(host.run("ip -d link show eth0.10").contains("vlan protocol 802.1Q id 10"));
    // at once: the VLAN's link goes down, and the host gets a child of its own on the wire
    example.look_from(host.shell());
    host.run(
        "ip link set eth0.10 down
         ip link add shim link eth0 type macvlan mode bridge; ip addr add 123.11.11.9/24 dev shim; ip link set shim up",
    );
    let (shim, deaf) = ("the host has a child of eth0 of its own: shim", "on its own wires in the same run");
    example.refutes(
        &[
            ("parent/blue1@blue", "eth0.10 is down"),
            ("parent/blue2@blue", "eth0.10 is down"),
            ("reach/blue1->blue2", "nobody answers ARP"),
            ("reach/blue2->blue1", "nobody answers ARP"),
            ("isolated/lan1->host", shim),
            ("isolated/lan2->host", shim),
            ("isolated/host->lan1", shim),
            ("isolated/host->lan2", shim),
        ],
        // who reaches and hears nobody proves nothing by silence
        &[
            ("isolated/blue1->host", deaf),
            ("isolated/blue2->host", deaf),
            ("isolated/blue1->lan1/arp", deaf),
            ("isolated/blue1->lan2/arp", deaf),
            ("isolated/blue2->lan1/arp", deaf),
            ("isolated/blue2->lan2/arp", deaf),
        ],
    );
    host.run("ip link del shim");
    example.leaves_nothing();
    host.has_its_links_only();
}

/// One file on two hosts of one wire: the same VLAN id meets, other ids do not, and a tag does not meet what has none.
#[test]
fn two_hosts() {
    let (Some(one), Some(other)) = (Host::take(), Host::take()) else { return };
    let text = include_str!("../../../examples/two-hosts/compose.yaml");
    let open = |topic: &str, host: &Host, who: [&str; 2]| {
        host.speak();
        let mut example = Example::of(topic, text)?.with("HOST", who[0]).with("OTHER", who[1]);
        example.act_from(host.shell());
        Some(example)
    };
    let (Some(here), Some(there)) = (open("two-hosts", &one, ["1", "2"]), open("two-hosts-b", &other, ["2", "1"]))
    else {
        return;
    };
    there.run("up -d", 0);
    one.speak();
    here.run("up -d", 0);
    let proved = here.verdict_of_all(0);
    for id in ["reach/blue->10.30.52.2/arp", "reach/blue->10.30.52.2/icmp", "reach/green->10.30.53.2/arp"] {
        assert_eq!(proved.get(id).map(String::as_str), Some("proved"), "{proved:#?}");
    }
    // the tag itself, on the card: VLAN 10, then ARP
    let seen = one.frames(&here, "blue", "arping -c 1 -w 1 -I eth0 10.30.52.9");
    assert!(seen.contains("8100000a0806"), "{seen}");
    // another id on the other host, and then no tag there
    for parent in ["30", "native"] {
        other.speak();
        there.remade("${BLUE:-10}", parent);
        one.speak();
        let refuted = here.refuted();
        let ids: Vec<&str> = refuted.keys().map(String::as_str).collect();
        assert_eq!(ids, ["reach/blue->10.30.52.2/arp", "reach/blue->10.30.52.2/icmp"], "{refuted:#?}");
        assert!(refuted["reach/blue->10.30.52.2/arp"].contains("silence"), "{refuted:#?}");
    }
    here.leaves_nothing();
    one.has_its_links_only();
    other.speak();
    there.leaves_nothing();
    other.has_its_links_only();
}

/// `ipvlan`: one MAC for all, in mode l2 neighbours on a wire, in mode l3 routed by the card. The parent is that of the default route.
#[test]
fn ipvlan() {
    let Some(host) = Host::take() else { return };
    let Some(example) = Example::open("ipvlan") else { return };
    let mut example = example.with("PARENT", "auto");
    example.look_from(host.shell());
    example.proves(&[
        "running/near1",
        "address/near1@near",
        "parent/near1@near",
        "route/near1",
        "name/near1:near2",
        "no-name/near1:far1",
        "no-name/near1:far2",
        "reach/near1->near2",
        "isolated/near1->host",
        "isolated/host->near1",
        "reach/near1->near2/arp",
        "running/near2",
        "address/near2@near",
        "parent/near2@near",
        "route/near2",
        "name/near2:near1",
        "no-name/near2:far1",
        "no-name/near2:far2",
        "reach/near2->near1",
        "isolated/near2->host",
        "isolated/host->near2",
        "reach/near2->near1/arp",
        "running/far1",
        "address/far1@far",
        "parent/far1@far",
        "route/far1",
        "no-name/far1:near1",
        "no-name/far1:near2",
        "name/far1:far2",
        "reach/far1->far2",
        "isolated/far1->host",
        "isolated/host->far1",
        "running/far2",
        "address/far2@far",
        "parent/far2@far",
        "route/far2",
        "no-name/far2:near1",
        "no-name/far2:near2",
        "name/far2:far1",
        "reach/far2->far1",
        "isolated/far2->host",
        "isolated/host->far2",
    ]);
    assert!(host.run("ip -d link show eth0.20").contains("vlan protocol 802.1Q id 20"));
    // the mode is that of all children of a parent
    host.inside(&example, "far1", "ip link set eth0 type ipvlan mode l2");
    let refuted = example.refuted();
    for id in ["parent/far1@far", "parent/far2@far"] {
        assert!(refuted[id].contains("eth0 is in mode l2"), "{refuted:#?}");
    }
    example.leaves_nothing();
    host.has_its_links_only();
}

/// The modes of macvlan beside `bridge`.
#[test]
fn modes() {
    let Some(host) = Host::take() else { return };
    let text = include_str!("../../../examples/modes/compose.yaml");
    let Some(mut example) = Example::of("modes", &text.replace("mode: vepa,", "mode: vepa, mtu: 1500, promisc: off,"))
    else {
        return;
    };
    example.look_from(host.shell());
    example.proves(&[
        "running/hidden1",
        "address/hidden1@hidden",
        "mac/hidden1@hidden",
        "parent/hidden1@hidden",
        "route/hidden1",
        "name/hidden1:hidden2",
        "no-name/hidden1:swung1",
        "no-name/hidden1:swung2",
        "no-name/hidden1:alone",
        "isolated/hidden1->hidden2",
        "isolated/hidden1->host",
        "isolated/host->hidden1",
        "running/hidden2",
        "address/hidden2@hidden",
        "mac/hidden2@hidden",
        "parent/hidden2@hidden",
        "route/hidden2",
        "name/hidden2:hidden1",
        "no-name/hidden2:swung1",
        "no-name/hidden2:swung2",
        "no-name/hidden2:alone",
        "isolated/hidden2->hidden1",
        "isolated/hidden2->host",
        "isolated/host->hidden2",
        "running/swung1",
        "address/swung1@swung",
        "mac/swung1@swung",
        "parent/swung1@swung",
        "mtu/swung1@swung",
        "mtu/swung2@swung",
        "promisc/eth0",
        "route/swung1",
        "no-name/swung1:hidden1",
        "no-name/swung1:hidden2",
        "name/swung1:swung2",
        "no-name/swung1:alone",
        "isolated/swung1->host",
        "isolated/host->swung1",
        "isolated/swung1->swung2",
        "running/swung2",
        "address/swung2@swung",
        "mac/swung2@swung",
        "parent/swung2@swung",
        "route/swung2",
        "no-name/swung2:hidden1",
        "no-name/swung2:hidden2",
        "name/swung2:swung1",
        "no-name/swung2:alone",
        "isolated/swung2->host",
        "isolated/host->swung2",
        "isolated/swung2->swung1",
        "running/alone",
        "address/alone@whole",
        "mac/alone@whole",
        "parent/alone@whole",
        "route/alone",
        "no-name/alone:hidden1",
        "no-name/alone:hidden2",
        "no-name/alone:swung1",
        "no-name/alone:swung2",
        "isolated/alone->host",
        "isolated/host->alone",
    ]);
    for service in ["hidden1", "hidden2", "swung1", "swung2"] {
        host.inside(&example, service, "ip link set eth0 type macvlan mode bridge");
    }
    host.run("ip link set eth0.42 down");
    host.inside(&example, "swung1", "ip link set eth0 mtu 1400");
    host.run("ip link set eth0 promisc on");
    let (mode, open) = ("eth0 is in mode bridge", "answered");
    example.refutes(
        &[
            ("parent/hidden1@hidden", mode),
            ("parent/hidden2@hidden", mode),
            ("isolated/hidden1->hidden2", open),
            ("isolated/hidden2->hidden1", open),
            ("parent/swung1@swung", mode),
            ("parent/swung2@swung", mode),
            ("isolated/swung1->swung2", open),
            ("isolated/swung2->swung1", open),
            ("parent/alone@whole", "eth0.42 is down"),
            ("mtu/swung1@swung", "eth0 carries packets of 1400 bytes"),
            ("promisc/eth0", "eth0 is set to take every frame"),
        ],
        &[],
    );
    host.run("ip link set eth0 promisc off");
    example.leaves_nothing();
    host.has_its_links_only();
}

//! What rides on one wire: VLANs, modes of macvlan and ipvlan.

use super::Host;
use crate::examples::Example;

/// The trunk that this project grew from: `lan` on eth0, `blue` on eth0.10.
#[test]
fn trunk() {
    let Some(host) = Host::take() else { return };
    let Some(example) = Example::open("trunk") else { return };
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
    // at once, for a look costs half a minute here: the VLAN's link goes down, and the host gets a child of its own on the wire
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

//! Parents that cannot be: each is told ahead, with its holder, and nothing is made.

use std::fmt::Write;

use super::Host;
use crate::stack::Stack;

/// Each parent, the code of its finding, and what that says.
const PARENTS: [(&str, &str, &str); 7] = [
    ("eth0.60", "bad-vlan", "`eth0.60`, the parent of network n0, carries VLAN 61"),
    ("eth0.70", "bad-vlan", "`eth0.70`, the parent of network n1, is no VLAN but dummy"),
    ("port7", "parent-busy", "`port7` is a port of `br7`, and cannot be a parent besides"),
    ("eth7", "parent-missing", "the host has no link `eth7` for network n3 to hang on"),
    ("slave7", "parent-busy", "`slave7` is a port of `bond7`, and cannot be a parent besides"),
    ("eth0.62", "bad-vlan", "VLAN 62 of `eth0`, which network n5 needs, is there as `office`, and has one link only"),
    ("down7.5", "parent-down", "`down7` is down, and a VLAN link on it for network n6 cannot be set up"),
];

/// One container on a macvlan network for each parent, and on one with longer packets than its card's.
fn stack() -> Option<Stack> {
    let mut text =
        String::from("services: {web: {image: busybox, networks: [n0, n1, n2, n3, n4, n5, n6, big]}}\nnetworks:\n");
    for (number, (parent, ..)) in PARENTS.iter().enumerate() {
        let network = format!("driver: macvlan, driver_opts: {{parent: {parent}}}");
        writeln!(text, "  n{number}: {{{network}, ipam: {{config: [{{subnet: 10.99.{}.0/24}}]}}}}", 8 + number)
            .unwrap();
    }
    text += "  big: {ipam: {config: [{subnet: 10.99.20.0/24}]}}\nx-trunks: {up: {parent: eth0, vlans: {big: {id: 63, mtu: 9000}}}}\n";
    Stack::new("parent", &text)
}

#[test]
fn parents_that_cannot_be() {
    let Some(host) = Host::take() else { return };
    host.run(
        "ip link add link eth0 name eth0.60 type vlan id 61
         ip link add name eth0.70 type dummy
         ip link add br7 type bridge; ip link add port7 type dummy; ip link set port7 master br7
         modprobe bonding max_bonds=0; ip link add bond7 type bond; ip link add slave7 type dummy; ip link set slave7 master bond7
         ip link add link eth0 name office type vlan id 62; ip link add down7 type dummy",
    );
    let Some(stack) = stack() else { return };
    let ran = stack.run("--verbose up -d", 66);
    let remains = stack.remains();
    host.run(
        "ip link del eth0.60; ip link del eth0.70; ip link del port7; ip link del br7
         ip link del slave7; ip link del bond7; ip link del office; ip link del down7; rmmod bonding",
    );
    for (line, (_, code, words)) in PARENTS.iter().enumerate() {
        let place = format!("compose.yaml:{}:47", line + 3);
        let said = [format!("error[{code}]"), (*words).to_owned(), place];
        assert!(said.iter().all(|word| ran.err.contains(word)), "{said:?}: {}", ran.err);
    }
    let mtu = "error[bad-mtu]: VLAN 63 of `eth0` cannot have packets of 9000 bytes: those of `eth0` have 1500";
    assert!(ran.err.contains(mtu), "{}", ran.err);
    assert_eq!(remains, "");
    host.has_its_links_only();
}

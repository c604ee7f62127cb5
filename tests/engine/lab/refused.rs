//! Parents that cannot be: each is told ahead, with its holder, and nothing is made.

use super::Host;
use crate::stack::Stack;

/// One container on a macvlan network with this parent.
fn on(topic: &str, parent: &str) -> Option<Stack> {
    let text = format!(
        "services: {{web: {{image: busybox, command: sleep 100, networks: [lan]}}}}\nnetworks:\n  lan:\n    driver: macvlan\n    \
         driver_opts: {{parent: {parent}}}\n    ipam: {{config: [{{subnet: 10.99.8.0/24}}]}}\n"
    );
    Stack::new(topic, &text)
}

/// The error that `up` ends with before anything is made.
fn told(parent: &str, code: &str, words: &str) {
    let Some(stack) = on("parent", parent) else { return };
    let ran = stack.run("up -d", 66);
    assert!(ran.err.contains(&format!("error[{code}]")) && ran.err.contains(words), "{parent}: {}", ran.err);
    assert!(ran.err.contains("compose.yaml:5:27"), "{parent}: {}", ran.err);
    assert_eq!(stack.remains(), "");
}

#[test]
fn parents_that_cannot_be() {
    let Some(host) = Host::take() else { return };
    host.run(
        "ip link add link eth0 name eth0.30 type vlan id 31
         ip link add name eth0.40 type dummy
         ip link add br7 type bridge; ip link add port7 type dummy; ip link set port7 master br7",
    );
    told("eth0.30", "bad-vlan", "`eth0.30`, the parent of network lan, carries VLAN 31");
    told("eth0.40", "bad-vlan", "`eth0.40`, the parent of network lan, is no VLAN but dummy");
    told("port7", "parent-busy", "`port7` is a port of `br7`, and cannot be a parent besides");
    told("eth7", "parent-missing", "the host has no link `eth7` for network lan to hang on");
    host.run("ip link del eth0.30; ip link del eth0.40; ip link del port7; ip link del br7");
    host.has_its_links_only();
}

//! IPv6 is a family of its own: what holds over IPv4 is asked over IPv6 again, where both ends have it.

use super::Example;
use crate::namespace::possible;

const STACK: &str = "
services:
  web: {image: busybox, command: sleep 1000, networks: [front], stop_signal: SIGKILL}
  client: {image: busybox, command: sleep 1000, networks: [front], stop_signal: SIGKILL}
  apart: {image: busybox, command: sleep 1000, networks: [back], stop_signal: SIGKILL}
  old: {image: busybox, command: sleep 1000, networks: [plain], stop_signal: SIGKILL}
networks:
  front: {enable_ipv6: true, ipam: {config: [{subnet: 10.30.32.0/28}, {subnet: 'fd30:32:0:1::/64'}]}}
  back:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.30.32.16/28}, {subnet: 'fd30:32:0:2::/64'}]}
    driver_opts: {com.docker.network.bridge.enable_icc: 'false'}
  plain: {ipam: {config: [{subnet: 10.30.32.32/28}]}}
x-verify: {allow: ['web -> host']}
";

#[test]
fn a_dual_stack_network_is_proved_in_both_families_and_a_firewall_in_one_of_them_is_seen() {
    if !possible() {
        return;
    }
    let Some(example) = Example::of("ipv6", STACK) else { return };
    if leaves_it_to_the_host(&example) {
        return;
    }
    example.run("up -d", 0);
    let verdicts = example.verdicts(0);
    assert!(verdicts.values().all(|(verdict, _)| verdict == "proved"), "{verdicts:#?}");
    let both = &verdicts["reach/client->web/ipv6"].1;
    assert!(both.contains("fd30:32:0:1:") && both.contains("fe80:"), "{both}");
    assert!(!verdicts["reach/client->web"].1.contains("fd30"));
    assert!(verdicts["route/web/ipv6"].1.contains("default by fd30:32:0:1::1 on eth0"), "{verdicts:#?}");
    assert!(verdicts["reach/web->host/ipv6"].1.contains("fd30:32:0:1::1"), "{verdicts:#?}");

    example.inside("web", "ip6tables -I INPUT -i eth0 -p tcp -j DROP");
    let found = example.refuted();
    for id in ["reach/client->web/ipv6", "reach/host->web/ipv6"] {
        assert!(found.get(id).is_some_and(|said| said.contains("a firewall rule drops it")), "{id}: {found:#?}");
    }
    assert!(!found.contains_key("reach/client->web"), "{found:#?}");
    example.inside("web", "ip6tables -F INPUT");

    // a thief who does not ask whether the address is free; a route that leads elsewhere; a way to the host that is shut
    let stolen = example.container("web").endpoints[&example.network("front")].ipv6.unwrap();
    example.inside("client", &format!("ip -6 addr add {stolen} dev eth0 nodad"));
    example.inside("apart", "ip -6 route replace default via fd30:32:0:2::99 dev eth0");
    example.inside("web", "ip6tables -I OUTPUT -d fd30:32:0:1::1 -j DROP");
    let found = example.refuted();
    let thief = format!(" is {}", example.container("client").name);
    assert!(found["address/web@front"].contains(&thief), "{found:#?}");
    assert!(found["route/apart/ipv6"].contains("default by fd30:32:0:2::99"), "{found:#?}");
    assert!(found["reach/web->host/ipv6"].contains("fd30:32:0:1::1"), "{found:#?}");
    assert!(!found.contains_key("reach/web->host"), "{found:#?}");
    example.leaves_nothing();
}

#[test]
fn link_local_addresses_do_not_lead_past_a_bridge_that_parts_its_members() {
    let text = STACK.replace("networks: [plain]", "networks: [back]").replace("  plain:", "  x-plain:");
    let Some(example) = Example::of("ipv6-icc", &text.replace("10.30.32.", "10.30.34.").replace("fd30:32", "fd30:34"))
    else {
        return;
    };
    if leaves_it_to_the_host(&example) {
        return;
    }
    example.run("up -d", 0);
    let ran = example.run("verify --format json", 0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let check = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "isolated/old->apart/ipv6").unwrap();
    assert!(check.to_string().contains("(fe80:"), "{check:#}");
    example.leaves_nothing();
}

/// Before 27 the Engine's firewall knows IPv4 alone: what gets through by IPv6 is up to the host, whatever that was told before.
fn leaves_it_to_the_host(example: &Example) -> bool {
    let leaves = example.major() < 27;
    if leaves {
        eprintln!("SKIPPED, this Engine leaves IPv6 to the host's own firewall: run it on Engine 27 or newer");
    }
    leaves
}

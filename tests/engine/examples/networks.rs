//! Networks of one's own, and what lies beyond them.

use bowline::state::observed::ContainerState;

use super::{Example, Wire, host};
use crate::namespace::possible;

#[test]
fn user_bridge() {
    let Some(example) = Example::open("user-bridge") else { return };
    example.proves(&[
        "running/blue",
        "address/blue@app",
        "mac/blue@app",
        "bridge/blue@app",
        "route/blue",
        "name/blue:www",
        "name/blue:green",
        "name/blue:canary",
        "name/blue:client",
        "reach/blue->green",
        "reach/blue->client",
        "reach/host->blue",
        "running/green",
        "address/green@app",
        "mac/green@app",
        "bridge/green@app",
        "route/green",
        "name/green:blue",
        "name/green:www",
        "name/green:stable",
        "name/green:client",
        "reach/green->blue",
        "reach/green->client",
        "reach/host->green",
        "running/client",
        "address/client@app",
        "mac/client@app",
        "bridge/client@app",
        "route/client",
        "name/client:blue",
        "name/client:www",
        "name/client:stable",
        "name/client:green",
        "name/client:canary",
        "reach/client->blue",
        "reach/client->green",
        "reach/host->client",
        "reach/client->http://stable/",
        "reach/client->http://canary/",
    ]);
    // somebody took green off the network and put it back by hand: what the file gave it is gone
    example.disconnect("app", "green");
    example.connect("app", "green");
    example.refutes(
        &[
            ("address/green@app", "the Engine tells 10.30.5.129/24"),
            ("name/blue:www", "some of its containers are missing"),
            ("name/blue:green", "asked 127.0.0.11"),
            ("name/blue:canary", "asked 127.0.0.11"),
            ("name/green:www", "some of its containers are missing"),
            ("name/client:www", "some of its containers are missing"),
            ("name/client:green", "asked 127.0.0.11"),
            ("name/client:canary", "asked 127.0.0.11"),
            ("reach/client->http://canary/", "does not resolve"),
        ],
        &[],
    );
    // `up` sees the difference, field by field, and mends it
    example.run("up -d", 0);
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn macvlan() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let parent = wire.0.as_str();
    let Some(example) = Example::open("macvlan").map(|e| e.with("PARENT", parent)) else { return };
    example.proves(&[
        "running/left",
        "address/left@lan",
        "mac/left@lan",
        "parent/left@lan",
        "route/left",
        "name/left:right",
        "reach/left->right",
        "isolated/left->host",
        "isolated/host->left",
        "reach/left->right/arp",
        "running/right",
        "address/right@lan",
        "mac/right@lan",
        "parent/right@lan",
        "route/right",
        "name/right:left",
        "reach/right->left",
        "isolated/right->host",
        "isolated/host->right",
        "reach/right->left/arp",
        "reach/right->http://left/",
    ]);
    // the parent goes down: the children keep their addresses, and carry nothing
    host(&format!("ip link set {parent} down"));
    example.refutes(
        &[
            ("parent/left@lan", "is down"),
            ("parent/right@lan", "is down"),
            ("reach/left->right", "nobody answers ARP"),
            ("reach/right->left", "nobody answers ARP"),
            ("reach/left->right/arp", "silence"),
            ("reach/right->left/arp", "silence"),
            ("reach/right->http://left/", "10.30.6.10:80, by dns"),
        ],
        // who reaches nobody proves nothing by not reaching the host
        &[
            ("isolated/left->host", "left reaches nobody on its own wires"),
            ("isolated/right->host", "right reaches nobody on its own wires"),
        ],
    );
    host(&format!("ip link set {parent} up"));
    // a child of the host's own on the same parent: now the host is a neighbour
    host(&format!("ip link add {parent}h link {parent} type macvlan mode bridge"));
    host(&format!("ip addr add 10.30.6.250/24 dev {parent}h"));
    host(&format!("ip link set {parent}h up"));
    example.refutes(
        &[
            ("isolated/left->host", "the host has a child of"),
            ("isolated/host->left", "the host has a child of"),
            ("isolated/right->host", "the host has a child of"),
            ("isolated/host->right", "the host has a child of"),
        ],
        &[],
    );
    host(&format!("ip link del {parent}h"));
    example.run("verify", 0);
    example.leaves_nothing();
}

/// The link of the host's own on a parent: its name, where there is one. Children that are in containers are not listed.
fn shim_on(parent: &str) -> Option<String> {
    let listed = std::process::Command::new("ip").args(["-o", "link", "show", "type", "macvlan"]).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let line = text.lines().find(|line| line.contains(&format!("@{parent}:")))?;
    Some(line.split([' ', '@']).nth(1).unwrap().to_owned())
}

#[test]
fn host_access() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let parent = wire.0.as_str();
    let Some(example) = Example::open("host-access").map(|e| e.with("PARENT", parent)) else { return };
    example.proves(&[
        "running/left",
        "address/left@lan",
        "mac/left@lan",
        "parent/left@lan",
        "route/left",
        "name/left:right",
        "reach/left->right",
        "reach/host->left",
        "running/right",
        "address/right@lan",
        "mac/right@lan",
        "parent/right@lan",
        "route/right",
        "name/right:left",
        "reach/right->left",
        "reach/host->right",
    ]);
    assert!(example.run("up -d", 0).err.contains("nothing to do"));
    // it is taken away behind our back: exactly the host is refuted, and `up` makes that link and nothing else
    let shim = shim_on(parent).unwrap();
    host(&format!("ip link del {shim}"));
    example.refutes(&[("reach/host->left", "host -> left"), ("reach/host->right", "host -> right")], &[]);
    let plan = example.run("plan", 2).out;
    assert!(plan.lines().count() == 1 && plan.contains("make the host's link on lan"), "{plan}");
    // what a maker that was killed leaves: a link of that name, and nothing on it
    host(&format!("ip link add {shim} link {parent} type macvlan mode bridge"));
    example.run("up -d", 0);
    example.run("verify", 0);
    example.leaves_nothing();
    assert_eq!(shim_on(parent), None);
    // a link of that name that is somebody else's stays as it is
    host(&format!("ip link add {shim} link {parent} type macvlan mode bridge"));
    host(&format!("ip link set {shim} alias mine"));
    assert!(example.run("up -d", 1).err.contains("is not ours, and is left as it is"));
    example.run("down", 0);
    assert_eq!(shim_on(parent), Some(shim.clone()));
    host(&format!("ip link del {shim}"));
}

#[test]
fn host_and_none() {
    let Some(example) = Example::open("host-and-none") else { return };
    example.proves(&[
        "running/on-host",
        "namespace/on-host=host",
        "reach/on-host->http://127.0.0.1:18070/",
        "running/alone",
        "only-lo/alone",
        "no-name/alone:on-host",
        "running/beside",
        "namespace/beside=alone",
        "reach/host->http://127.0.0.1:18070/",
    ]);
    // somebody else takes the port: the host's ports are everybody's
    let on_host = example.container("on-host").id;
    example.on_engine(async |e| e.kill_container(on_host.as_str(), "SIGKILL").await.unwrap());
    let taken =
        crate::stack::eventually(std::time::Duration::from_secs(10), || std::net::TcpListener::bind("127.0.0.1:18070"));
    example.on_engine(async |e| e.start_container(on_host.as_str()).await.unwrap());
    crate::stack::eventually(std::time::Duration::from_secs(10), || match example.container("on-host").state {
        ContainerState::Exited { .. } => Ok(()),
        other => Err(other),
    });
    example.refutes(
        &[("running/on-host", "ended with 1"), ("reach/host->http://127.0.0.1:18070/", "")],
        &[("namespace/on-host=host", "ended with 1"), ("reach/on-host->http://127.0.0.1:18070/", "ended with 1")],
    );
    drop(taken);
    example.run("up -d", 0);
    if possible() {
        // a link inside: `none` is not what it says any more
        example.inside("alone", "ip link add back type veth peer name door");
        example.inside("alone", "ip link set door up");
        example.refutes(&[("only-lo/alone", "door is up")], &[]);
        example.inside("alone", "ip link del door");
    }
    // made from a file that gives it a bridge
    example.remade("network_mode: host", "network_mode: bridge");
    example.refutes(
        &[
            ("namespace/on-host=host", "on-host is in"),
            ("reach/on-host->http://127.0.0.1:18070/", "nothing listens on 18070/tcp"),
            ("reach/host->http://127.0.0.1:18070/", "the host: nothing listens on 18070/tcp"),
        ],
        &[],
    );
    example.leaves_nothing();
}

#[test]
fn host_gateway() {
    let Some(example) = Example::open("host-gateway") else { return };
    example.proves(&[
        "running/server",
        "namespace/server=host",
        "running/client",
        "address/client@app",
        "mac/client@app",
        "bridge/client@app",
        "route/client",
        "extra-host/client:host.docker.internal=host-gateway",
        "name/client:unaware",
        "reach/client->unaware",
        "reach/host->client",
        "reach/client->http://host.docker.internal:18080/",
        "running/unaware",
        "address/unaware@app",
        "mac/unaware@app",
        "bridge/unaware@app",
        "route/unaware",
        "name/unaware:client",
        "reach/unaware->client",
        "reach/host->unaware",
        "reach/unaware->10.30.8.1:18080/tcp",
        "no-name/unaware:host.docker.internal",
    ]);
    // the commonest mistake: a server that listens on loopback only
    example.remade("-p 18080", "-p 127.0.0.1:18080");
    example.refutes(
        &[
            ("reach/client->http://host.docker.internal:18080/", "the host: listens on 127.0.0.1:18080 only"),
            ("reach/unaware->10.30.8.1:18080/tcp", "the host: listens on 127.0.0.1:18080 only"),
        ],
        &[],
    );
    example.remade("extra_hosts: [\"host.docker.internal:host-gateway\"]", "");
    example.refutes(
        &[
            ("extra-host/client:host.docker.internal=host-gateway", "no line with host.docker.internal"),
            ("reach/client->http://host.docker.internal:18080/", "does not resolve"),
        ],
        &[],
    );
    example.leaves_nothing();
}

#[test]
fn isolation() {
    let Some(example) = Example::open("isolation") else { return };
    example.proves(&[
        "running/web",
        "address/web@front",
        "mac/web@front",
        "bridge/web@front",
        "address/web@back",
        "mac/web@back",
        "bridge/web@back",
        "route/web",
        "name/web:db",
        "name/web:bot",
        "no-name/web:stranger",
        "published/web:127.0.0.1:18090->80/tcp",
        "unpublished/web:127.0.0.1:18090->80/tcp",
        "reach/web->db",
        "reach/web->bot",
        "isolated/web->stranger",
        "reach/host->web",
        "reach/web->db:5432/tcp",
        "running/db",
        "address/db@back",
        "mac/db@back",
        "bridge/db@back",
        "route/db",
        "name/db:web",
        "no-name/db:bot",
        "no-name/db:stranger",
        "reach/db->web",
        "isolated/db->bot",
        "isolated/db->stranger",
        "reach/host->db",
        "reach/db->host",
        "running/bot",
        "address/bot@front",
        "mac/bot@front",
        "bridge/bot@front",
        "route/bot",
        "name/bot:web",
        "no-name/bot:db",
        "no-name/bot:stranger",
        "reach/bot->web",
        "isolated/bot->db",
        "isolated/bot->stranger",
        "reach/host->bot",
        "reach/bot->http://web/",
        "isolated/bot->db:5432/tcp",
        "isolated/bot->db/arp",
        "running/stranger",
        "address/stranger@other",
        "mac/stranger@other",
        "bridge/stranger@other",
        "route/stranger",
        "no-name/stranger:web",
        "no-name/stranger:db",
        "no-name/stranger:bot",
        "isolated/stranger->web",
        "isolated/stranger->db",
        "isolated/stranger->bot",
        "reach/host->stranger",
    ]);
    // a foot in the door
    example.connect("back", "bot");
    example.refutes(
        &[
            ("isolated/db->bot", "bot is on back, where the file does not put it"),
            ("isolated/bot->db", "bot is on back, where the file does not put it"),
            ("isolated/bot->db:5432/tcp", "bot is on back, where the file does not put it"),
            ("isolated/bot->db/arp", "bot is on back, where the file does not put it"),
            ("no-name/bot:db", "db is 10.30.9.66"),
        ],
        &[],
    );
    example.disconnect("back", "bot");
    if possible() {
        // a firewall inside db: nobody reaches it, and so nobody's silence proves anything
        example.inside("db", "iptables -A INPUT -p tcp --dport 5432 -j DROP");
        example.refutes(
            &[("reach/web->db:5432/tcp", "a firewall drops 5432/tcp")],
            &[("isolated/bot->db:5432/tcp", "the silence proves nothing")],
        );
        example.inside("db", "iptables -F INPUT");
    }
    example.run("verify", 0);
    example.leaves_nothing();
}

/// An article has `network dm-fb28abd9dec8 is already using parent interface eth0`. Engines up to 26 still refuse it, and bowline says
/// so before anything is made, with the holder's name; later ones make it, and both networks share one wire.
#[test]
fn a_second_network_on_one_parent_is_refused_by_old_engines_and_one_wire_on_new_ones() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let stack = |topic: &str, service: &str, subnet: &str, address: &str, rules: &str| {
        let text = format!(
            "services: {{{service}: {{image: busybox, command: sleep 600, stop_signal: SIGKILL, \
             networks: {{lan: {{ipv4_address: {address}}}}}}}}}\n\
             networks: {{lan: {{driver: macvlan, driver_opts: {{parent: {}}}, ipam: {{config: [{{subnet: {subnet}}}]}}}}}}\n{rules}",
            wire.0
        );
        Example::of(topic, &text)
    };
    let Some(first) = stack("parent-first", "a", "10.30.16.0/26", "10.30.16.10", "") else { return };
    first.run("up -d", 0);
    let rules = "x-verify: {allow: ['b -> 10.30.16.10 arp']}";
    let Some(second) = stack("parent-second", "b", "10.30.16.64/26", "10.30.16.74", rules) else { return };
    if second.major() <= 26 {
        let refused = second.run("up -d", 66);
        assert!(
            refused.err.contains(&format!("already carries network `{}`", first.network("lan"))),
            "{}",
            refused.err
        );
    } else {
        let told = second.run("up -d", 0);
        assert!(told.err.contains("the two share one wire"), "{}", told.err);
        let heard = second.said("reach/b->10.30.16.10/arp", 0);
        assert!(heard.contains("b asks who has 10.30.16.10"), "{heard}");
    }
    second.leaves_nothing();
    first.leaves_nothing();
}

/// An address that a file gives on a network of a trunk is handed out to nobody else, whoever comes first: bowline sets `ip_range`. A network that
/// was made without one is made anew, and the plan says why.
#[test]
fn what_a_trunk_has_declared_the_engine_hands_to_nobody_else() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let text = format!(
        "x-one: &one {{image: busybox, command: sleep 600, stop_signal: SIGKILL}}\n\
         services: {{any: {{<<: *one, scale: 3, networks: [lan]}}, \
         given: {{<<: *one, networks: {{lan: {{ipv4_address: 10.30.17.2}}}}}}}}\n\
         networks: {{lan: {{ipam: {{config: [{{subnet: 10.30.17.0/24}}]}}}}}}\n\
         x-trunks: {{uplink: {{parent: {}, vlans: {{lan: native}}}}}}\n",
        wire.0
    );
    let Some(example) = Example::of("reserved", &text) else { return };
    // as it was without: who takes what it gets has the address, and whoever it is for does not start
    example.write(&text.replace("17.0/24", "17.0/24, ip_range: 10.30.17.0/24"));
    let told = example.run("plan", 2).err;
    assert!(told.contains("10.30.17.2 of given may be handed to any first"), "{told}");
    example.run("up -d any", 0);
    let held = example.docker(&[
        "network",
        "inspect",
        "-f",
        "{{range .Containers}}{{.IPv4Address}} {{end}}",
        &example.network("lan"),
    ]);
    assert!(held.contains("10.30.17.2/24"), "{held}");
    example.write(&text);
    let plan = example.run("plan", 2);
    assert!(plan.out.contains("ipam.config.ip_range (10.30.17.0/24, declared 10.30.17.128/25)"), "{}", plan.out);
    example.run("up -d", 0);
    assert_eq!(example.verdict_of_all(0)["address/given@lan"], "proved");
    // the Engine would take the first address of the range for a gateway; it is the subnet's, as without a range
    let routes = example.docker(&["exec", example.container("given").id.as_str(), "ip", "route"]);
    assert!(routes.starts_with("default via 10.30.17.1 dev eth0"), "{routes}");
    assert!(example.run("up -d", 0).err.contains("nothing to do"));
    example.leaves_nothing();
}

/// What the articles do with one macvlan network, as they do it: the card set to promiscuous mode, all options of `network create`, addresses that the
/// Engine hands out, MACs by its age, `eth0@if…`, pings of one another and of the host.
#[test]
fn the_macvlan_network_of_the_articles() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let parent = wire.0.as_str();
    host(&format!("ip link set {parent} promisc on"));
    host(&format!("ip addr add 10.30.18.250/24 dev {parent}"));
    let text = format!(
        "x-one: &one {{image: busybox, command: sleep 600, stop_signal: SIGKILL, networks: [lan]}}\n\
         services: {{one: *one, two: {{<<: *one, depends_on: [one]}}}}\n\
         networks: {{lan: {{ipam: {{config: [{{subnet: 10.30.18.0/24, gateway: 10.30.18.1, ip_range: 10.30.18.0/24}}]}}}}}}\n\
         x-trunks: {{card: {{parent: {parent}, vlans: {{lan: native}}, promisc: on}}}}\n"
    );
    let Some(example) = Example::of("articles", &text) else { return };
    example.proves(&[
        "running/one",
        "address/one@lan",
        "mac/one@lan",
        "parent/one@lan",
        "route/one",
        "name/one:two",
        "reach/one->two",
        "isolated/one->host",
        "isolated/host->one",
        "running/two",
        "address/two@lan",
        "mac/two@lan",
        "parent/two@lan",
        "route/two",
        "name/two:one",
        "reach/two->one",
        "isolated/two->host",
        "isolated/host->two",
        &format!("promisc/{parent}"),
    ]);
    let made = example.docker(&[
        "network",
        "inspect",
        "-f",
        "{{.Driver}} {{.Scope}} {{index .Options \"parent\"}} {{json .IPAM.Config}}",
        &example.network("lan"),
    ]);
    let pool = r#"[{"Subnet":"10.30.18.0/24","IPRange":"10.30.18.0/24","Gateway":"10.30.18.1"}]"#;
    assert_eq!(made.trim(), format!("macvlan local {parent} {pool}"));
    let index = std::fs::read_to_string(format!("/sys/class/net/{parent}/ifindex")).unwrap();
    let mut macs = vec![];
    for (service, last) in [("one", 2), ("two", 3)] {
        assert_eq!(example.address(service, "lan").to_string(), format!("10.30.18.{last}"));
        let inside =
            |command: &str| example.docker(&["exec", example.container(service).id.as_str(), "sh", "-c", command]);
        assert_eq!(inside("cat /sys/class/net/eth0/iflink"), index, "eth0@if{index}");
        let mac = inside("cat /sys/class/net/eth0/address").trim().to_owned();
        // up to Engine 27 from the address; later random, local and unicast
        assert!(example.major() > 27 || mac == format!("02:42:0a:1e:12:0{last}"), "{mac}");
        assert_eq!(u8::from_str_radix(&mac[..2], 16).unwrap() & 3, 2, "{mac}");
        macs.push(mac);
        let pings = |last: u8| inside(&format!("ping -c 1 -w 1 10.30.18.{last} >/dev/null && echo yes || echo no"));
        assert_eq!([2, 3, 250].map(|last| pings(last).trim().to_owned()), ["yes", "yes", "no"], "{service}");
    }
    assert_ne!(macs[0], macs[1]);
    example.leaves_nothing();
}

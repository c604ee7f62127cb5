//! VLAN links that bowline makes on the host: where the Engine cannot.

use super::Host;
use crate::examples::Example;

/// One VLAN within another, and one with a name and an MTU of its own: made on the host, looked at there, and taken away from outside, by
/// sidecars. What a kill left on the host is cleared first.
#[test]
fn qinq() {
    let Some(host) = Host::take() else { return };
    let Some(mut example) = Example::open("qinq") else { return };
    example.act_from(host.shell());
    // a maker was killed: one link is whole and of another file, of the other there is the draft
    let project = example.name().to_owned();
    host.run(&format!(
        "ip link add link eth0 name stale0 type vlan id 31; ip link set stale0 alias 'bowline {project}/vlan'
         ip link add link eth0 name eth0-ad100 type vlan proto 802.1ad id 101; ip link set eth0-ad100 alias 'bowline {project}/vlan'"
    ));
    example.proves(&[
        "address/blue1@blue",
        "address/blue2@blue",
        "address/thin1@thin",
        "isolated/blue1->host",
        "isolated/blue2->host",
        "isolated/host->blue1",
        "isolated/host->blue2",
        "isolated/host->thin1",
        "isolated/thin1->host",
        "mac/blue1@blue",
        "mac/blue2@blue",
        "mac/thin1@thin",
        "mtu/thin1@thin",
        "name/blue1:blue2",
        "name/blue2:blue1",
        "no-name/blue1:thin1",
        "no-name/blue2:thin1",
        "no-name/thin1:blue1",
        "no-name/thin1:blue2",
        "parent/blue1@blue",
        "parent/blue2@blue",
        "parent/thin1@thin",
        "reach/blue1->blue2",
        "reach/blue2->blue1",
        "route/blue1",
        "route/blue2",
        "route/thin1",
        "running/blue1",
        "running/blue2",
        "running/thin1",
    ]);
    let links = host.run("ip -d link show type vlan");
    for words in
        ["protocol 802.1ad id 100 ", "protocol 802.1Q id 10 ", "thin0@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400"]
    {
        assert!(links.contains(words), "{links}");
    }
    assert!(!links.contains("stale0") && !links.contains("id 101 "), "{links}");
    // what the wire carries: two tags, then ARP
    let seen = host.frames(&example, "blue1", "arping -c 1 -w 1 -I eth0 10.30.50.9");
    assert!(seen.contains("88a800648100000a0806"), "{seen}");
    // one is meddled with, the other taken away, and what stood on it with it
    host.run("ip link set thin0 mtu 1300; ip link del eth0-ad100");
    let refuted = example.refuted();
    assert!(refuted["parent/thin1@thin"].contains("thin0 carries packets of 1300 bytes"), "{refuted:#?}");
    assert!(refuted.contains_key("mtu/thin1@thin") && refuted.contains_key("address/blue1@blue"), "{refuted:#?}");
    let plan = example.run("plan", 2).out;
    assert!(plan.contains("thin0.mtu (1300, declared 1400)"), "{plan}");
    example.run("up -d", 0);
    example.run("verify", 0);
    // a link that others need stays, whoever they are
    host.run("ip link add link thin0 name upon0 type vlan id 5");
    let left = example.run("down", 72);
    assert!(left.err.contains("upon0 stands on thin0, which is left as it is"), "{}", left.err);
    host.run("ip link del upon0");
    // where no network is left, the link is found on the host itself, or by whoever has the file
    example.run("down", 0);
    example.act_from_outside();
    example.leaves_nothing();
    host.has_its_links_only();
}

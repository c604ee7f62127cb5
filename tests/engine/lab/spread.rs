//! One stack on two hosts.

use super::Host;
use crate::examples::Example;

/// The checks between the hosts. Whether a router joins two VLANs is not for the file to say, so that they part is asked by ARP.
const BETWEEN: [&str; 8] = [
    "reach/web->db",
    "reach/db->web",
    "reach/peer->lone",
    "reach/lone->peer",
    "reach/web->db/arp",
    "reach/web->http://db:8000/hostname",
    "isolated/web->lone/arp",
    "isolated/db->peer/arp",
];

/// `x-hosts`: one plan in which a service waits for the health of one on the other host and knows it by name, one proof with the
/// matrix across, and nothing left on either.
#[test]
fn one_stack_on_two_hosts() {
    let (Some(one), Some(other)) = (Host::take(), Host::take()) else { return };
    let Some(example) = Example::open("multi-host") else { return };
    let url = |host: &Host| format!("tcp://10.99.1.{}:2375", host.number);
    let example = example.with("LEFT", &url(&one)).with("RIGHT", &url(&other));
    // an Engine that does not answer: nothing is changed on the other
    let refused = example.run("--host right=tcp://10.99.1.99:2375 up -d", 69);
    assert!(refused.err.contains("host right") && refused.err.contains("nothing was changed"), "{}", refused.err);
    one.speak();
    assert_eq!(example.remains(), "");
    example.run("up -d", 0);
    assert!(example.run("plan", 0).out.contains("as declared"));
    let proved = example.verdict_of_all(0);
    for id in BETWEEN {
        assert_eq!(proved.get(id).map(String::as_str), Some("proved"), "{id}: {proved:#?}");
    }
    assert!(proved.values().all(|verdict| verdict == "proved"), "{proved:#?}");
    // the right host's links are on another wire
    let broken = example.with("RIGHT_PARENT", "eth1");
    broken.run("up -d --no-deps db lone", 0);
    let refuted = broken.refuted();
    for id in ["reach/web->db", "reach/db->web", "reach/peer->lone", "reach/lone->peer", "reach/web->db/arp"] {
        assert!(refuted.contains_key(id), "{id}: {refuted:#?}");
    }
    broken.run("down -v", 0);
    for host in [&one, &other] {
        host.speak();
        assert_eq!(broken.remains(), "");
        host.has_its_links_only();
    }
}

//! What the probe sees and reaches, in namespaces made for it: each answer with its opposite.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bowline::probe::{Answer, Attempt, Heard, Link, Listening, Outcome, Question, Scope, Transport};

use crate::namespace::{Net, Probe, possible};
use crate::stack::eventually;

/// Enough for what answers, even on a busy machine.
const LONG: Duration = Duration::from_secs(5);
/// Enough to see that nothing answers.
const SHORT: Duration = Duration::from_millis(300);

macro_rules! answered {
    ($answer:expr, $kind:ident) => {
        match $answer {
            Answer::$kind(inner) => inner,
            other => panic!("{other:?}"),
        }
    };
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

fn connect(to: SocketAddr, within: Duration) -> Question {
    Question::Connect { to, device: None, greeting: true, within, tries: 1 }
}

fn datagram(to: SocketAddr, within: Duration) -> Question {
    Question::Datagram { to, device: None, payload: None, within, tries: 1 }
}

fn echo(to: &str, device: Option<&str>) -> Question {
    Question::Echo { to: to.parse().unwrap(), device: device.map(str::to_owned), within: LONG, tries: 5 }
}

fn solicit(target: &str, device: Option<&str>, sender: Option<&str>) -> Question {
    let sender = sender.map(|s| s.parse().unwrap());
    let device = device.map(str::to_owned);
    Question::Solicit { target: target.parse().unwrap(), device, sender, within: Duration::from_secs(1), tries: 3 }
}

fn attempt(probe: &mut Probe, question: Question) -> Attempt {
    answered!(probe.ask_one(question), Attempt)
}

fn heard(probe: &mut Probe, question: Question) -> Heard {
    answered!(probe.ask_one(question), Heard)
}

fn listen(probe: &mut Probe, label: &str) -> Listening {
    let question = Question::Listen { port: 0, scope: Scope::Any, label: label.to_owned() };
    answered!(probe.ask_one(question), Listening)
}

fn links(probe: &mut Probe) -> Vec<Link> {
    answered!(probe.ask_one(Question::Links {}), Links)
}

fn named<'a>(links: &'a [Link], name: &str) -> &'a Link {
    links.iter().find(|l| l.name == name).unwrap_or_else(|| panic!("{name} in {links:?}"))
}

/// Two namespaces on one wire: 198.18.0.1 and 198.18.0.2, fd00:bb::1 and fd00:bb::2.
fn pair() -> Option<(Net, Net)> {
    possible().then(|| {
        let (a, b) = (Net::new(), Net::new());
        a.join("eth0", "198.18.0.1/24", &b, "eth0", "198.18.0.2/24");
        for (net, number) in [(&a, 1), (&b, 2)] {
            net.ip(&format!("addr add fd00:bb::{number}/64 dev eth0 nodad"));
        }
        Some((a, b))
    })?
}

#[test]
fn a_connection_is_answered_refused_or_lost() {
    let Some((a, b)) = pair() else { return };
    let (mut here, mut there) = (a.probe(), b.probe());
    let port = listen(&mut there, "b").port;
    b.run("iptables -A INPUT -p tcp --dport 9 -j DROP");
    for address in ["198.18.0.2", "fd00:bb::2"] {
        let found = attempt(&mut here, connect(at(address, port), LONG));
        assert_eq!((found.outcome, found.greeting.as_deref()), (Outcome::Answered, Some("b")), "{found:?}");
        assert_eq!(found.from.unwrap().is_ipv4(), at(address, 1).is_ipv4());
        let found = attempt(&mut here, connect(at(address, 1), LONG));
        assert_eq!((found.outcome, found.errno), (Outcome::Refused, Some(111)), "{found:?}");
    }
    let question =
        Question::Connect { to: at("198.18.0.2", 9), device: None, greeting: false, within: SHORT, tries: 3 };
    let found = attempt(&mut here, question);
    assert_eq!((found.outcome, found.tries), (Outcome::TimedOut, 3), "{found:?}");
}

#[test]
fn what_cannot_be_reached_says_in_which_way() {
    let Some((a, b)) = pair() else { return };
    for kind in ["blackhole 198.18.10.0/24", "prohibit 198.18.11.0/24", "unreachable 198.18.12.0/24"] {
        a.ip(&format!("route add {kind}"));
    }
    b.run("iptables -A INPUT -p udp --dport 13 -j REJECT --reject-with icmp-admin-prohibited");
    b.run("iptables -A INPUT -p tcp --dport 13 -j REJECT --reject-with icmp-host-unreachable");
    a.run("iptables -A OUTPUT -p udp --dport 14 -j DROP");
    let mut here = a.probe();
    let expected = [
        ("203.0.113.1", 1, Outcome::Unreachable, 101),
        ("198.18.10.1", 1, Outcome::Unreachable, 22),
        ("198.18.11.1", 1, Outcome::Prohibited, 13),
        ("198.18.12.1", 1, Outcome::Unreachable, 113),
        ("198.18.0.2", 13, Outcome::Unreachable, 113),
    ];
    for (address, port, outcome, errno) in expected {
        let found = attempt(&mut here, connect(at(address, port), LONG));
        assert_eq!((found.outcome, found.errno), (outcome, Some(errno)), "{address}: {found:?}");
    }
    for (address, port, outcome, errno) in &expected[..4] {
        let found = attempt(&mut here, datagram(at(address, *port), LONG));
        assert_eq!((found.outcome, found.errno, found.by), (*outcome, Some(*errno), None), "{address}: {found:?}");
    }
    let found = attempt(&mut here, datagram(at("198.18.0.2", 13), LONG));
    assert_eq!(found.outcome, Outcome::Prohibited, "{found:?}");
    assert_eq!(found.icmp.map(|i| (i.kind, i.code)), Some((3, 13)));
    assert_eq!(found.by, Some("198.18.0.2".parse().unwrap()));
    let found = attempt(&mut here, datagram(at("198.18.0.2", 14), LONG));
    assert_eq!((found.outcome, found.errno), (Outcome::Prohibited, Some(1)), "{found:?}");
}

#[test]
fn a_datagram_is_answered_from_the_address_that_was_asked() {
    let Some((a, b)) = pair() else { return };
    b.ip("addr add 198.18.0.99/24 dev eth0");
    b.run("iptables -A INPUT -p udp --dport 9 -j DROP");
    let (mut here, mut there) = (a.probe(), b.probe());
    let listening = listen(&mut there, "b");
    assert!(listening.ipv6 && listening.addresses.len() >= 5, "{listening:?}");
    for address in ["198.18.0.2", "198.18.0.99", "fd00:bb::2"] {
        let found = attempt(&mut here, datagram(at(address, listening.port), LONG));
        assert_eq!((found.outcome, found.greeting.as_deref()), (Outcome::Answered, Some("b")), "{found:?}");
    }
    let found = attempt(&mut here, datagram(at("198.18.0.2", 1), LONG));
    assert_eq!((found.outcome, found.by), (Outcome::Refused, Some("198.18.0.2".parse().unwrap())), "{found:?}");
    assert_eq!(attempt(&mut here, datagram(at("198.18.0.2", 9), SHORT)).outcome, Outcome::TimedOut);
}

#[test]
fn link_local_addresses_need_a_link() {
    let Some((a, b)) = pair() else { return };
    let (mut here, mut there) = (a.probe(), b.probe());
    let own = |probe: &mut Probe| {
        let limit = Instant::now() + LONG;
        loop {
            let addresses = answered!(probe.ask_one(Question::Addresses {}), Addresses);
            let found = addresses.into_iter().find(|a| a.scope == "link" && a.device == "eth0" && !a.tentative);
            match found {
                Some(found) => return found.address,
                None => assert!(Instant::now() < limit, "no link-local address"),
            }
        }
    };
    own(&mut here);
    let address = own(&mut there);
    let port = listen(&mut there, "b").port;
    let to = SocketAddr::new(address, port);
    let device = Some("eth0".to_owned());
    for question in [
        Question::Connect { to, device: device.clone(), greeting: true, within: LONG, tries: 1 },
        Question::Datagram { to, device: device.clone(), payload: None, within: LONG, tries: 1 },
        echo(&address.to_string(), Some("eth0")),
    ] {
        let found = attempt(&mut here, question);
        assert_eq!(found.outcome, Outcome::Answered, "{found:?}");
    }
    let without = attempt(&mut here, connect(to, SHORT));
    assert_eq!(without.outcome, Outcome::Failed, "{without:?}");
    let wrong = Question::Connect { to, device: Some("eth7".to_owned()), greeting: true, within: SHORT, tries: 1 };
    assert_eq!(attempt(&mut here, wrong).outcome, Outcome::Failed);
}

#[test]
fn an_echo_comes_back_or_not_with_and_without_ping_sockets() {
    let Some((a, b)) = pair() else { return };
    b.ip("addr add 198.18.0.3/24 dev eth0");
    b.run("iptables -A INPUT -p icmp --icmp-type echo-request -d 198.18.0.3 -j DROP");
    for groups in ["0 2147483647", "1 0"] {
        let set = a.command("sysctl -qw").arg(format!("net.ipv4.ping_group_range={groups}")).output().unwrap();
        assert!(set.status.success(), "{set:?}");
        let mut here = a.probe();
        for address in ["198.18.0.2", "fd00:bb::2", "127.0.0.1"] {
            let found = attempt(&mut here, echo(address, None));
            assert_eq!(found.outcome, Outcome::Answered, "{groups} {address}: {found:?}");
        }
        let lost = Question::Echo { to: "198.18.0.3".parse().unwrap(), device: None, within: SHORT, tries: 2 };
        assert_eq!(attempt(&mut here, lost).outcome, Outcome::TimedOut);
        assert_eq!(attempt(&mut here, echo("203.0.113.1", None)).errno, Some(101));
    }
}

#[test]
fn layer_2_tells_who_has_an_address_and_who_else() {
    let Some((a, b)) = pair() else { return };
    let mut here = a.probe();
    let mac = |net: &Net| named(&links(&mut net.probe()), "eth0").mac.clone().unwrap();
    for sender in [None, Some("0.0.0.0")] {
        let found = heard(&mut here, solicit("198.18.0.2", None, sender));
        assert_eq!(found.macs, [mac(&b)], "{found:?}");
    }
    assert_eq!(heard(&mut here, solicit("fd00:bb::2", None, None)).macs, [mac(&b)]);
    for nobody in ["198.18.0.77", "fd00:bb::77"] {
        let found = heard(&mut here, solicit(nobody, None, None));
        assert_eq!((found.macs.len(), found.tries), (0, 3), "{found:?}");
    }
    // an address of another subnet: no route leads there, and the wire tells all the same
    b.ip("addr add 198.18.77.2/24 dev eth0");
    assert!(matches!(here.ask_one(solicit("198.18.77.2", None, None)), Answer::Failure(_)));
    assert_eq!(heard(&mut here, solicit("198.18.77.2", Some("eth0"), Some("0.0.0.0"))).macs, [mac(&b)]);
    let lo = here.ask_one(solicit("127.0.0.1", Some("lo"), None));
    assert!(matches!(lo, Answer::Failure(_)), "{lo:?}");
}

#[test]
fn an_address_that_two_have_is_heard_twice() {
    if !possible() {
        return;
    }
    let bridge = Net::new();
    bridge.ip("link add br0 type bridge");
    bridge.ip("link set br0 up");
    let members: Vec<Net> = ["198.18.3.1/24", "198.18.3.5/24", "198.18.3.5/24"]
        .iter()
        .enumerate()
        .map(|(number, address)| {
            let member = Net::new();
            bridge.join(&format!("port{number}"), &format!("198.18.200.{number}/32"), &member, "eth0", address);
            bridge.ip(&format!("link set port{number} master br0"));
            member
        })
        .collect();
    let mut here = members[0].probe();
    let found = heard(&mut here, solicit("198.18.3.5", None, None));
    let mut expected: Vec<String> =
        members[1..].iter().map(|m| named(&links(&mut m.probe()), "eth0").mac.clone().unwrap()).collect();
    let mut macs = found.macs.clone();
    expected.sort();
    macs.sort();
    assert_eq!(macs, expected, "{found:?}");

    let of_bridge = links(&mut bridge.probe());
    let (bridge_link, port) = (named(&of_bridge, "br0"), named(&of_bridge, "port0"));
    assert_eq!((bridge_link.kind.as_deref(), port.master), (Some("bridge"), Some(bridge_link.index)));
    let of_member = links(&mut here);
    let end = named(&of_member, "eth0");
    assert_eq!(
        (end.kind.as_deref(), end.parent, end.parent_namespace.is_some()),
        (Some("veth"), Some(port.index), true)
    );
    assert_eq!(port.parent, Some(end.index), "the two ends name each other");
}

#[test]
fn a_macvlan_child_hangs_on_its_parent() {
    let Some((a, b)) = pair() else { return };
    let child = Net::new();
    for (mode, name) in [("bridge", "m0"), ("private", "m1"), ("vepa", "m2")] {
        a.ip(&format!("link add {name} link eth0 type macvlan mode {mode}"));
    }
    a.ip(&format!("link set m0 netns {}", child.0));
    child.ip("link set m0 name eth0");
    child.ip("link set eth0 mtu 1400");
    child.ip("addr add 198.18.0.9/24 dev eth0");
    child.ip("link set eth0 up");
    let parents = links(&mut a.probe());
    let parent = named(&parents, "eth0");
    assert!(parent.promiscuity > 0, "the kernel made it promiscuous: {parent:?}");
    assert_eq!(named(&parents, "m1").macvlan_mode.as_deref(), Some("private"));
    assert_eq!(named(&parents, "m2").macvlan_mode.as_deref(), Some("vepa"));
    assert_eq!((named(&parents, "m1").parent, named(&parents, "m1").parent_namespace), (Some(parent.index), None));
    let mut inside = child.probe();
    let own = links(&mut inside);
    let link = named(&own, "eth0");
    assert_eq!((link.kind.as_deref(), link.macvlan_mode.as_deref()), (Some("macvlan"), Some("bridge")));
    assert_eq!((link.parent, link.parent_namespace.is_some(), link.mtu), (Some(parent.index), true, 1400));
    assert!(link.up && !named(&parents, "m1").up);
    // its parent's host does not hear it, the wire beyond does
    assert_eq!(attempt(&mut inside, echo("198.18.0.2", None)).outcome, Outcome::Answered);
    let parent_host = Question::Echo { to: "198.18.0.1".parse().unwrap(), device: None, within: SHORT, tries: 1 };
    assert_eq!(attempt(&mut inside, parent_host).outcome, Outcome::TimedOut);
    b.ip("link set eth0 down");
    eventually(LONG, || {
        let found = links(&mut a.probe());
        let parent = named(&found, "eth0").clone();
        // the kernel tells the state a little later than the carrier
        let down = parent.up && parent.state == "down" && parent.carrier == Some(false);
        if down { Ok(()) } else { Err(parent) }
    });
}

#[test]
fn routes_and_neighbours_are_those_of_the_namespace() {
    let Some((a, _b)) = pair() else { return };
    a.ip("route add default via 198.18.0.2 metric 50");
    a.ip("route add prohibit 198.18.11.0/24");
    a.ip("route add 198.18.40.0/24 dev eth0 src 198.18.0.1 table 40");
    let mut here = a.probe();
    let routes = answered!(here.ask_one(Question::Routes {}), Routes);
    let default = routes.iter().find(|r| r.prefix == 0 && r.destination.is_ipv4()).unwrap();
    assert_eq!((default.gateway, default.device.as_deref()), (Some("198.18.0.2".parse().unwrap()), Some("eth0")));
    assert_eq!((default.metric, default.table, default.kind.as_str()), (Some(50), 254, "unicast"));
    assert!(routes.iter().any(|r| r.kind == "prohibit" && r.prefix == 24));
    assert!(routes.iter().any(|r| r.table == 40 && r.source == Some("198.18.0.1".parse().unwrap())));
    assert!(routes.iter().all(|r| r.kind != "local" && r.kind != "broadcast"), "{routes:?}");

    let to = |to: &str| Question::RouteTo { to: to.parse().unwrap() };
    let found = answered!(here.ask_one(to("203.0.113.9")), Route);
    assert_eq!(
        (found.gateway, found.source),
        (Some("198.18.0.2".parse().unwrap()), Some("198.18.0.1".parse().unwrap()))
    );
    assert_eq!(answered!(here.ask_one(to("198.18.11.1")), Route).errno, Some(13));
    assert_eq!(answered!(here.ask_one(to("2001:db8::1")), Route).errno, Some(101));
    assert_eq!(answered!(here.ask_one(to("198.18.0.1")), Route).kind.as_deref(), Some("local"));

    attempt(&mut here, echo("198.18.0.2", None));
    attempt(&mut here, connect(at("198.18.0.50", 1), LONG));
    let neighbours = answered!(here.ask_one(Question::Neighbours {}), Neighbours);
    let state = |address: &str| neighbours.iter().find(|n| n.address == address.parse::<IpAddr>().unwrap()).unwrap();
    assert!(
        ["reachable", "delay", "stale"].contains(&state("198.18.0.2").state.as_str())
            && state("198.18.0.2").mac.is_some()
    );
    assert!(["failed", "incomplete"].contains(&state("198.18.0.50").state.as_str()), "{neighbours:?}");
}

#[test]
fn a_neighbour_is_forgotten_unless_it_was_set_by_hand() {
    let Some((a, _b)) = pair() else { return };
    a.ip("neigh add 198.18.0.44 lladdr 02:00:00:00:00:44 dev eth0 nud permanent");
    let mut here = a.probe();
    for address in ["198.18.0.2", "fd00:bb::2"] {
        assert_eq!(attempt(&mut here, echo(address, None)).outcome, Outcome::Answered);
    }
    let addresses: Vec<IpAddr> =
        ["198.18.0.2", "fd00:bb::2", "198.18.0.44", "198.18.0.45"].iter().map(|a| a.parse().unwrap()).collect();
    let forget = Question::Forget { addresses: addresses.clone() };
    assert_eq!(answered!(here.ask_one(forget.clone()), Forgotten), 2);
    let left = answered!(here.ask_one(Question::Neighbours {}), Neighbours);
    let left: Vec<IpAddr> = left.into_iter().map(|n| n.address).filter(|a| addresses.contains(a)).collect();
    assert_eq!(left, ["198.18.0.44".parse::<IpAddr>().unwrap()]);
    assert_eq!(answered!(here.ask_one(forget), Forgotten), 0);
}

#[test]
fn sockets_tell_where_they_are_bound_and_who_holds_them() {
    let Some((a, _b)) = pair() else { return };
    a.serve(
        || {
            let loopback = std::net::TcpListener::bind("127.0.0.1:5432").unwrap();
            let all = std::net::TcpListener::bind("[::]:8080").unwrap();
            (loopback, all, std::net::UdpSocket::bind("198.18.0.1:53").unwrap())
        },
        |sockets| {
            std::thread::sleep(Duration::from_secs(60));
            drop(sockets);
        },
    );
    let mut here = a.probe();
    let sockets = answered!(here.ask_one(Question::Sockets { owners: true }), Sockets);
    let bound = |transport, port| sockets.iter().find(|s| s.transport == transport && s.port == port).unwrap();
    assert_eq!(bound(Transport::Tcp, 5432).address.to_string(), "127.0.0.1");
    assert_eq!(bound(Transport::Tcp, 8080).address.to_string(), "::");
    assert_eq!(bound(Transport::Udp, 53).address.to_string(), "198.18.0.1");
    let owner = bound(Transport::Tcp, 5432).owner.as_ref().unwrap();
    assert_eq!(owner.pid, std::process::id());
    assert_eq!(sockets.len(), 3, "{sockets:?}");
    let processes = answered!(here.ask_one(Question::Processes { name: owner.name.clone() }), Processes);
    assert!(processes.iter().any(|p| p.pid == std::process::id() && !p.arguments.is_empty()), "{processes:?}");
    let none = here.ask_one(Question::Processes { name: "bwp-nobody".to_owned() });
    assert_eq!(none, Answer::Processes(vec![]));
}

#[test]
fn settings_are_those_of_the_namespace() {
    let Some((a, _b)) = pair() else { return };
    a.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.eth0.disable_ipv6=1");
    let mut here = a.probe();
    let mut setting = |name: &str| match here.ask_one(Question::Sysctl { name: name.to_owned() }) {
        Answer::Sysctl(sysctl) => sysctl.value,
        other => panic!("{other:?}"),
    };
    assert_eq!(setting("net.ipv4.ip_forward").as_deref(), Some("1"));
    assert_eq!(setting("net.ipv6.conf.eth0.disable_ipv6").as_deref(), Some("1"));
    assert_eq!(setting("net.ipv6.conf.lo.disable_ipv6").as_deref(), Some("0"));
    assert_eq!(setting("net.ipv4.no_such_setting"), None);
    let climbing = here.ask_one(Question::Sysctl { name: "net/./../x".to_owned() });
    assert!(matches!(climbing, Answer::Failure(_)), "{climbing:?}");
}

#[test]
fn chains_of_the_firewall_tell_what_they_do_with_what_nobody_decides() {
    let Some((a, _b)) = pair() else { return };
    let version = std::process::Command::new("iptables").arg("-V").output().unwrap();
    if !String::from_utf8_lossy(&version.stdout).contains("nf_tables") {
        return eprintln!("SKIPPED: this iptables is not nf_tables");
    }
    let mut here = a.probe();
    let mut forward = || -> Vec<(String, String, bool)> {
        let chains = answered!(here.ask_one(Question::Chains {}), Chains);
        let forward = chains.into_iter().filter(|chain| chain.hook == "forward" && chain.family == "ip");
        forward.map(|chain| (chain.table, chain.name, chain.drops)).collect()
    };
    assert!(forward().iter().all(|(_, _, drops)| !drops));
    a.run("iptables -P FORWARD DROP");
    assert_eq!(forward(), [("filter".to_owned(), "FORWARD".to_owned(), true)]);
    a.run("iptables -P FORWARD ACCEPT");
    assert_eq!(forward(), [("filter".to_owned(), "FORWARD".to_owned(), false)]);
    assert!(matches!(here.ask_one(Question::Machine {}), Answer::Machine(_)));
}

//! What must get through.

use super::*;

#[test]
fn reach_is_proved_by_our_own_listener() {
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &none);
    assert!(
        proved(&verdict).contains("a -> b (10.0.0.3): answered (TCP 0.20 ms, UDP 0.20 ms, ICMP 0.20 ms)"),
        "{verdict:?}"
    );
    // ICMP may be switched off in the target
    let no_ping = |_: &Vantage, q: &Question| matches!(q, Question::Echo { .. }).then(|| attempt(Outcome::TimedOut));
    proved(&world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &no_ping));
}

#[test]
fn a_rule_that_drops_one_protocol_is_told_from_a_dead_link() {
    let world = World::new(SHARED, ONE_NET);
    let drop_udp = |v: &Vantage, q: &Question| {
        (matches!(q, Question::Datagram { .. }) && *v == at("a")).then(|| attempt(Outcome::TimedOut))
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &drop_udp);
    assert!(refuted(&verdict).contains("UDP does not: a firewall rule drops it"), "{verdict:?}");
    let dead = |v: &Vantage, q: &Question| match q {
        Question::Neighbours {} => Some(Answer::Neighbours(vec![Neighbour {
            device: "eth0".to_owned(),
            address: ip("10.0.0.3"),
            mac: None,
            state: "failed".to_owned(),
        }])),
        _ => between(Outcome::Unreachable)(v, q),
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &dead);
    assert!(refuted(&verdict).contains("nobody answers ARP for 10.0.0.3"), "{verdict:?}");
}

#[test]
fn somebody_else_at_the_address_is_no_reach() {
    let world = World::new(SHARED, ONE_NET);
    let thief = |v: &Vantage, q: &Question| match q {
        Question::Connect { greeting: true, .. } if *v == at("a") => Some(greeted("c.1")),
        _ => None,
    };
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &thief);
    assert!(refuted(&verdict).contains("10.0.0.3 is answered by c.1"), "{verdict:?}");
}

#[test]
fn a_target_that_left_its_network_is_named() {
    let mut world = World::new(SHARED, ONE_NET);
    world.container("b").endpoints.clear();
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &none);
    assert!(refuted(&verdict).contains("b is not on x"), "{verdict:?}");
}

#[test]
fn a_refused_port_of_an_application_names_where_it_listens() {
    let world = World::new(SHARED, ONE_NET);
    let sockets = |list: Vec<Socket>| {
        move |v: &Vantage, q: &Question| match q {
            Question::Sockets { .. } => Some(Answer::Sockets(list.clone())),
            Question::Connect { greeting: false, .. } if *v == at("a") => Some(attempt(Outcome::Refused)),
            _ => None,
        }
    };
    let port = || Expectation::Reaches(path("a", "b", How::Port(5432, Protocol::Tcp), &["p_x"]));
    let verdict = world.judge(port(), &sockets(vec![socket("127.0.0.1", 5432)]));
    assert!(refuted(&verdict).contains("b: listens on 127.0.0.1:5432 only"), "{verdict:?}");
    let verdict = world.judge(port(), &sockets(vec![]));
    assert!(refuted(&verdict).contains("b: nothing listens on 5432/tcp"), "{verdict:?}");
}

#[test]
fn a_udp_application_that_keeps_silent_is_proved_by_its_socket_and_the_way() {
    let world = World::new(SHARED, ONE_NET);
    let bound = Socket { transport: Transport::Udp, ..socket("0.0.0.0", 53) };
    let silent = move |v: &Vantage, q: &Question| match q {
        Question::Sockets { .. } => Some(Answer::Sockets(vec![bound.clone()])),
        Question::Datagram { payload: Some(_), .. } if *v == at("a") => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    let port = Expectation::Reaches(path("a", "b", How::Port(53, Protocol::Udp), &["p_x"]));
    assert!(proved(&world.judge(port, &silent)).contains("the way carries UDP"));
}

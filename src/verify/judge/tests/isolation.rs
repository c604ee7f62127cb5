//! What must not get through, and what proves no block.

use super::*;

#[test]
fn silence_with_both_controls_proves_isolation() {
    let world = World::new(PAIR, ENDS);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &between(Outcome::TimedOut));
    let text = proved(&verdict);
    assert!(text.contains("nothing came back"), "{text}");
    assert!(text.contains("control: 10.0.1.2 answers b itself"), "{text}");
    assert!(text.contains("control: a reaches the gateway (10.0.0.1)"), "{text}");
}

#[test]
fn a_refusal_is_a_reached_host() {
    let world = World::new(PAIR, ENDS);
    // the application's port is refused, our listener beside it is reached
    let application = |v: &Vantage, q: &Question| match q {
        Question::Connect { greeting: false, .. } | Question::Datagram { payload: Some(_), .. } => {
            between(Outcome::Refused)(v, q)
        }
        _ => None,
    };
    for how in [How::Port(5432, Protocol::Tcp), How::Port(53, Protocol::Udp)] {
        let verdict = world.judge(Expectation::Isolated(path("a", "b", how, &[])), &application);
        assert!(refuted(&verdict).contains("refused"), "{verdict:?}");
    }
}

/// The host's packets for a macvlan child go out by its default route, to somebody who refuses everything.
#[test]
fn a_refusal_where_our_listener_stands_is_somebody_elses() {
    let world = World::new(PAIR, ENDS);
    for how in [How::Network, How::Port(5432, Protocol::Tcp), How::Port(53, Protocol::Udp)] {
        let verdict = world.judge(Expectation::Isolated(path("a", "b", how, &[])), &between(Outcome::Refused));
        assert!(proved(&verdict).contains("by somebody else"), "{verdict:?}");
    }
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &between(Outcome::Refused));
    assert!(refuted(&verdict).contains("our listener stands in b"), "{verdict:?}");
}

/// A transparent proxy on the way accepts every connection.
#[test]
fn an_answer_without_our_greeting_is_somebody_elses() {
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { .. } => between(Outcome::Answered)(v, q),
        _ => between(Outcome::TimedOut)(v, q),
    };
    let world = World::new(PAIR, ENDS);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &mute);
    assert!(open(&verdict).text().contains("no listener of ours"), "{verdict:?}");
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Reaches(path("a", "b", How::Network, &["p_x"])), &mute);
    assert!(refuted(&verdict).contains("no listener of ours"), "{verdict:?}");
}

#[test]
fn one_protocol_that_gets_through_refutes_isolation() {
    let world = World::new(PAIR, ENDS);
    let only_icmp = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } => None,
        _ => between(Outcome::TimedOut)(v, q),
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &only_icmp);
    assert!(refuted(&verdict).contains("ICMP answered"), "{verdict:?}");
}

#[test]
fn a_client_that_fails_is_no_blocked_path() {
    let world = World::new(PAIR, ENDS);
    for expectation in [Expectation::Isolated, Expectation::Reaches] {
        let verdict = world.judge(expectation(path("a", "b", How::Network, &[])), &between(Outcome::Failed));
        assert!(matches!(open(&verdict), Why::NotSeen(_)), "{verdict:?}");
    }
    let failure = |v: &Vantage, q: &Question| {
        let failure = crate::probe::Failure { errno: Some(1), message: "socket: not permitted".to_owned() };
        matches!(q, Question::Connect { .. }).then(|| Answer::Failure(failure)).filter(|_| *v == at("a"))
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &failure);
    assert!(open(&verdict).text().contains("not permitted"), "{verdict:?}");
}

#[test]
fn ping_alone_may_be_forbidden_to_us() {
    let world = World::new(PAIR, ENDS);
    let no_ping = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } => Some(failed(13)),
        _ => between(Outcome::TimedOut)(v, q),
    };
    proved(&world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &no_ping));
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Icmp, &[])), &no_ping);
    assert!(matches!(open(&verdict), Why::NotSeen(_)), "{verdict:?}");
    let no_ping = |_: &Vantage, q: &Question| matches!(q, Question::Echo { .. }).then(|| failed(13));
    proved(&world.judge(Expectation::Reaches(path("a", "b", How::Network, &[])), &no_ping));
}

#[test]
fn a_place_that_cannot_send_proves_no_block() {
    // measured: a full table of neighbours lets TCP time out and fails UDP and ICMP with ENOBUFS
    let world = World::new(PAIR, ENDS);
    let full = |v: &Vantage, q: &Question| match q {
        Question::Echo { .. } | Question::Datagram { .. } => Some(failed(105)),
        _ => between(Outcome::TimedOut)(v, q),
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &full);
    assert!(open(&verdict).text().contains("gc_thresh3"), "{verdict:?}");
    // TCP alone shows nothing of it, but the control does
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { to, .. } if *v == at("a") && !to.ip().is_loopback() => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    let port = Expectation::Isolated(path("a", "b", How::Port(80, Protocol::Tcp), &[]));
    assert!(matches!(open(&world.judge(port, &mute)), Why::NoControl(_)));
}

#[test]
fn a_silence_without_a_living_target_proves_nothing() {
    let world = World::new(PAIR, ENDS);
    let dead = |v: &Vantage, q: &Question| match q {
        Question::Connect { to, .. } if to.ip().is_loopback() => None,
        Question::Connect { .. } | Question::Datagram { .. } | Question::Echo { .. } => {
            let _ = v;
            Some(attempt(Outcome::TimedOut))
        }
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &dead);
    assert!(matches!(open(&verdict), Why::NoControl(_)), "{verdict:?}");
}

#[test]
fn a_prober_that_does_not_reach_itself_proves_nothing() {
    let world = World::new(PAIR, ENDS);
    let mute = |v: &Vantage, q: &Question| match q {
        Question::Connect { .. } | Question::Datagram { .. } | Question::Echo { .. } if *v == at("a") => {
            Some(attempt(Outcome::TimedOut))
        }
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &mute);
    assert!(matches!(open(&verdict), Why::NoControl(_)), "{verdict:?}");
}

#[test]
fn isolation_from_a_container_that_does_not_run_proves_nothing() {
    let mut world = World::new(PAIR, ENDS);
    world.container("b").state = ContainerState::Exited { code: 1, oom_killed: false, finished_at: String::new() };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &none);
    assert!(matches!(open(&verdict), Why::NotRunning(_)), "{verdict:?}");
}

#[test]
fn a_container_on_a_network_that_the_file_does_not_give_it_is_named() {
    let ends = [ENDS[0], ENDS[1], ("a", "p_y", "10.0.1.3/24")];
    let world = World::new(PAIR, &ends);
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &none);
    assert!(refuted(&verdict).contains("a is on y, where the file does not put it"), "{verdict:?}");
    let Verdict::Refuted { help: Some(help), .. } = verdict else { panic!() };
    assert_eq!(help, "docker network disconnect p_y p-a-1");
}

#[test]
fn a_bridge_whose_firewall_is_off_is_named() {
    let text = "services: {a: {networks: [x]}, b: {networks: [x]}}
networks: {x: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
    let world = World::new(text, &[("a", "p_x", "10.0.0.2/24"), ("b", "p_x", "10.0.0.3/24")]);
    let off = |_: &Vantage, q: &Question| match q {
        Question::Sysctl { name } => Some(Answer::Sysctl(Sysctl { name: name.clone(), value: Some("0".to_owned()) })),
        _ => None,
    };
    let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &off);
    assert!(refuted(&verdict).contains("bridge-nf-call-iptables is 0"), "{verdict:?}");
}

/// What leads to an address of another wire was forwarded, although the two have a wire in common: a gap of the Engine may explain it.
#[test]
fn a_common_wire_does_not_explain_what_reaches_an_address_of_another() {
    let text = "services: {a: {networks: [x]}, b: {networks: [x, y]}}\nnetworks: {x: {driver_opts: \
                {com.docker.network.bridge.enable_icc: 'false'}}, y: {internal: true}}";
    let ends = [("a", "p_x", "10.0.0.2/24"), ("b", "p_x", "10.0.0.3/24"), ("b", "p_y", "10.0.1.3/24")];
    let world = World::new(text, &ends);
    for (open, seen) in [("10.0.1.3", FORWARDED), ("10.0.0.3", "both are on x")] {
        let only = |v: &Vantage, q: &Question| match q {
            Question::Echo { to, .. } if *to == ip(open) => None,
            _ => between(Outcome::TimedOut)(v, q),
        };
        let verdict = world.judge(Expectation::Isolated(path("a", "b", How::Network, &[])), &only);
        let Verdict::Refuted { evidence, .. } = &verdict else { panic!("{verdict:?}") };
        assert!(evidence.iter().any(|line| line == seen), "{open}: {verdict:?}");
    }
}

//! Published ports, at every address, with their proxies.

use super::*;

#[test]
fn a_published_port_answers_at_every_address_and_names_its_proxies() {
    let (world, port) = publishing();
    let expectation = |from| Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from };
    let both = || vec![proxy(41, "0.0.0.0", "10.0.0.2"), proxy(42, "::", "10.0.0.2")];
    let text = proved(&world.judge(expectation(Side::Host), &answers_at(&[], both())));
    assert!(text.contains("127.0.0.1:8080 answered") && text.contains("[::1]:8080 answered"), "{text}");
    assert!(text.contains("docker-proxy 41 leads 0.0.0.0:8080 to 10.0.0.2"), "{text}");
    let text = proved(&world.judge(expectation(Side::Outside), &answers_at(&[], both())));
    assert!(text.contains("198.51.100.1:8080 answered"), "{text}");
}

#[test]
fn a_proxy_that_is_gone_is_named() {
    let (world, port) = publishing();
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let gone = answers_at(&["127.0.0.1"], vec![proxy(42, "::", "10.0.0.2")]);
    let verdict = world.judge(expectation(), &gone);
    assert!(
        refuted(&verdict).contains("docker-proxy of this port is gone: reached from outside, not from the host"),
        "{verdict:?}"
    );
    let stale = answers_at(&["127.0.0.1"], vec![proxy(41, "0.0.0.0", "10.0.0.9"), proxy(42, "::", "10.0.0.2")]);
    assert!(refuted(&world.judge(expectation(), &stale)).contains("docker-proxy 41 still leads to 10.0.0.9"));
    // an Engine without docker-proxy does not answer [::1], and that is its way
    let without = answers_at(&["::1"], vec![]);
    assert!(proved(&world.judge(expectation(), &without)).contains("without docker-proxy"));
    refuted(&world.judge(expectation(), &answers_at(&["::1"], vec![proxy(41, "0.0.0.0", "10.0.0.2")])));
}

#[test]
fn a_proxy_that_accepts_for_nobody_proves_nothing() {
    let (world, port) = publishing();
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let sockets = |list: Vec<Socket>| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Sockets { .. }).then(|| Answer::Sockets(list.clone()))
    };
    assert!(refuted(&world.judge(expectation(), &sockets(vec![]))).contains("nothing listens on 80/tcp"));
    let local = sockets(vec![socket("127.0.0.1", 80)]);
    assert!(refuted(&world.judge(expectation(), &local)).contains("listens on 127.0.0.1:80 only"));
}

#[test]
fn a_published_udp_port_is_asked_by_an_ear_beside_the_application() {
    let (mut world, mut port) = publishing();
    port.protocol = Protocol::Udp;
    world.container("web").bound.iter_mut().for_each(|b| b.protocol = Protocol::Udp);
    let expectation =
        || Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from: Side::Host };
    let bound = || Answer::Sockets(vec![Socket { transport: Transport::Udp, ..socket("0.0.0.0", 80) }]);
    let mute = move |_: &Vantage, q: &Question| match q {
        Question::Sockets { .. } => Some(bound()),
        Question::Datagram { payload: Some(_), .. } => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    proved(&world.judge(expectation(), &mute));
    // without an ear its silence says nothing
    let deaf = |v: &Vantage, q: &Question| match q {
        Question::Overhear { .. } => {
            let failure = crate::probe::Failure { errno: Some(1), message: "not permitted".to_owned() };
            Some(Answer::Failure(failure))
        }
        _ => mute(v, q),
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::Inconclusive(_)));
    let dropped = |v: &Vantage, q: &Question| match q {
        Question::Datagram { .. } => Some(attempt(Outcome::TimedOut)),
        _ => mute(v, q),
    };
    refuted(&world.judge(expectation(), &dropped));
}

#[test]
fn a_port_that_the_engine_did_not_bind_is_refuted() {
    let (mut world, port) = publishing();
    world.container("web").bound.clear();
    let expectation = Expectation::Published { service: "web".parse().unwrap(), port, from: Side::Host };
    assert!(refuted(&world.judge(expectation, &none)).contains("bound no such port"));
}

#[test]
fn a_port_on_loopback_is_silent_outside_while_the_host_is_seen() {
    let (mut world, mut port) = publishing();
    (port.host_ip, world.container("web").bound[0].host_ip) = (Some(ip("127.0.0.1")), ip("127.0.0.1"));
    let expectation = || Expectation::NotPublished { service: "web".parse().unwrap(), port: port.clone() };
    proved(&world.judge(expectation(), &answers_at(&["198.51.100.1"], vec![])));
    refuted(&world.judge(expectation(), &none));
    let deaf = |_: &Vantage, q: &Question| {
        matches!(q, Question::Connect { .. } | Question::Echo { .. }).then(|| attempt(Outcome::TimedOut))
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::NoControl(_)));
}

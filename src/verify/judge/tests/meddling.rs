//! Somebody meddled with what runs: the verdict names it. The same on real Engines is tests/engine/examples/saboteurs.rs.

use super::*;

fn published(port: &Port, from: Side) -> Expectation {
    Expectation::Published { service: "web".parse().unwrap(), port: port.clone(), from }
}

#[test]
fn a_paused_container_takes_connections_and_proves_nothing() {
    let (mut world, port) = publishing();
    world.container("web").state = ContainerState::Paused;
    for side in [Side::Host, Side::Outside] {
        assert!(refuted(&world.judge(published(&port, side), &none)).contains("p-web-1 is paused"));
    }
    let page = How::Http { port: 80, path: "/".to_owned(), status: Some(200), text: None };
    let to = Path { to: Spot::Name("web".to_owned()), ..path("host", "web", page, &[]) };
    let mute = |_: &Vantage, q: &Question| match q {
        Question::Http { .. } => Some(no_page("10.0.0.2:80")),
        _ => None,
    };
    assert!(refuted(&world.judge(Expectation::Reaches(to), &mute)).contains("p-web-1 is paused"));
}

/// A connection that is taken, and on which nothing comes.
fn no_page(to: &str) -> Answer {
    let Answer::Attempt(attempt) = attempt(Outcome::Answered) else { panic!() };
    Answer::Http(crate::probe::Http {
        to: Some(to.parse().unwrap()),
        resolved_by: None,
        attempt,
        status: None,
        body: String::new(),
        truncated: false,
    })
}

#[test]
fn a_page_that_does_not_come_names_the_container_behind_the_port() {
    let (world, _) = publishing();
    let page = How::Http { port: 8080, path: "/".to_owned(), status: None, text: None };
    let to = Path { to: Spot::Name("localhost".to_owned()), ..path("host", "web", page, &[]) };
    let local = |_: &Vantage, q: &Question| match q {
        Question::Http { .. } => Some(no_page("127.0.0.1:8080")),
        Question::Sockets { .. } => Some(Answer::Sockets(vec![socket("127.0.0.1", 80)])),
        _ => None,
    };
    assert!(refuted(&world.judge(Expectation::Reaches(to), &local)).contains("web: listens on 127.0.0.1:80 only"));
}

#[test]
fn a_port_at_another_address_than_the_file_says_is_told_and_asked_for() {
    let (world, port) = publishing();
    let local = Port { host_ip: Some(ip("127.0.0.1")), ..port };
    let found = world.judge(published(&local, Side::Host), &none);
    assert!(refuted(&found).contains("the Engine has bound it at 0.0.0.0:8080, [::]:8080"), "{found:?}");
    let closed = Expectation::NotPublished { service: "web".parse().unwrap(), port: local };
    assert!(refuted(&world.judge(closed, &none)).contains("198.51.100.1:8080 from outside: answered"));
}

#[test]
fn a_firewall_between_outside_and_a_port_is_told_from_a_dead_server() {
    let (world, port) = publishing();
    let dropped = |at: &Vantage, q: &Question| match q {
        Question::Connect { .. } if *at == Vantage::Outside => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    let found = world.judge(published(&port, Side::Outside), &dropped);
    assert!(refuted(&found).contains("web answers the host at 10.0.0.2:80: a firewall drops what comes from outside"));
    let dead = |_: &Vantage, q: &Question| match q {
        Question::Connect { .. } => Some(attempt(Outcome::TimedOut)),
        _ => None,
    };
    assert!(!refuted(&world.judge(published(&port, Side::Outside), &dead)).contains("firewall drops what"));
}

#[test]
fn who_runs_and_is_off_the_network_is_not_said_to_be_stopped() {
    let mut world = World::new(SHARED, ONE_NET);
    world.container("b").endpoints.clear();
    let verdict = world.judge(name("a", "b", "b", "p_x"), &none);
    assert!(refuted(&verdict).contains("b is not on x"), "{verdict:?}");
    // and who asks from nowhere is told so, too
    let deaf = |_: &Vantage, q: &Question| match q {
        Question::Lookup { name, .. } => Some(looked_up(name, NameOutcome::ServerFailure, &[])),
        _ => None,
    };
    let verdict = world.judge(name("b", "a", "a", "p_x"), &deaf);
    assert!(refuted(&verdict).contains("b is not on x"), "{verdict:?}");
}

//! Lines of `/etc/hosts`.

use super::*;

const LINKED: &str = "services: {web: {network_mode: bridge}, cli: {network_mode: bridge}}";

#[test]
fn a_link_line_has_the_targets_current_address_and_its_names_in_order() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16"), ("cli", "bridge", "172.17.0.3/16")]);
    let expectation = |alias: &str| Expectation::LinkLine {
        replica: replica("cli"),
        targets: vec![Container::Replica(replica("web"))],
        alias: alias.to_owned(),
    };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| {
            matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text), line("172.17.0.3 cli")]))
        }
    };
    let id = "000000000000";
    proved(&world.judge(expectation("db"), &file("172.17.0.2 db 000000000000 p-web-1")));
    proved(&world.judge(expectation("p-web-1"), &file("172.17.0.2 p-web-1 000000000000")));
    refuted(&world.judge(expectation("db"), &file("172.17.0.2 p-web-1 000000000000 db")));
    let stale = world.judge(expectation("db"), &file("172.17.0.9 db 000000000000 p-web-1"));
    assert!(refuted(&stale).contains("172.17.0.9, which is nobody's now"), "{stale:?} {id}");
    let alias = |name: &str| Expectation::NoLinkLine { replica: replica("cli"), alias: name.to_owned() };
    refuted(&world.judge(alias("db"), &file("172.17.0.2 db 000000000000 p-web-1")));
    proved(&world.judge(alias("web"), &file("172.17.0.2 db 000000000000 p-web-1")));
}

#[test]
fn host_gateway_is_an_address_of_the_host() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16")]);
    let expectation = |address: &str| Expectation::ExtraHost {
        replica: replica("web"),
        name: "up".to_owned(),
        address: address.to_owned(),
    };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text)]))
    };
    proved(&world.judge(expectation("host-gateway"), &file("10.0.0.1 up")));
    refuted(&world.judge(expectation("host-gateway"), &file("10.9.9.9 up")));
    proved(&world.judge(expectation("10.9.9.9"), &file("10.9.9.9 other up")));
    refuted(&world.judge(expectation("10.9.9.9"), &file("10.9.9.8 up")));
}

#[test]
fn a_line_that_is_spelled_out_is_filled_in_with_what_is_now() {
    let world = World::new(LINKED, &[("web", "bridge", "172.17.0.2/16"), ("cli", "bridge", "172.17.0.3/16")]);
    let text = Expectation::HostsText { replica: replica("cli"), line: "{web} nasa {web.id} p-web-1".to_owned() };
    let file = |text: &'static str| {
        move |_: &Vantage, q: &Question| matches!(q, Question::Hosts {}).then(|| Answer::Hosts(vec![line(text)]))
    };
    proved(&world.judge(text.clone(), &file("172.17.0.2 nasa 000000000000 p-web-1")));
    refuted(&world.judge(text, &file("172.17.0.4 nasa 000000000000 p-web-1")));
}

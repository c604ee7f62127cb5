//! Life, and what cannot be seen or is not declared.

use super::*;

#[test]
fn a_place_that_cannot_be_visited_leaves_its_checks_open() {
    let (mut world, port) = publishing();
    world.facts.blind.insert(Vantage::Outside, "needs root".to_owned());
    let expectation = Expectation::Published { service: "web".parse().unwrap(), port, from: Side::Outside };
    assert!(open(&world.judge(expectation, &none)).text().contains("needs root"));
}

#[test]
fn arp_silence_needs_a_witness_on_the_targets_wire() {
    let text = "services: {a: {networks: [x]}, b: {networks: [y]}, c: {networks: [y]}}
networks: {x: {driver: macvlan, driver_opts: {parent: e.10}}, y: {driver: macvlan, driver_opts: {parent: e.20}}}";
    let ends = [ENDS[0], ENDS[1], ("c", "p_y", "10.0.1.3/24")];
    let mut world = World::new(text, &ends);
    let silent = |v: &Vantage, q: &Question| match q {
        Question::Solicit { target, .. } if *v == at("a") => Some(heard(*target, "eth0", &[])),
        _ => None,
    };
    let expectation = || Expectation::Isolated(path("a", "b", How::Arp, &[]));
    assert!(proved(&world.judge(expectation(), &silent)).contains("control: c hears 10.0.1.2"));
    refuted(&world.judge(expectation(), &none));
    world.container("c").state = ContainerState::Created;
    assert!(matches!(open(&world.judge(expectation(), &silent)), Why::NoControl(_)));
}

#[test]
fn arp_silence_needs_an_asker_that_hears_somebody() {
    let text = "services: {a: {networks: [x]}, b: {networks: [y]}, c: {networks: [y]}, d: {networks: [x]}}
networks: {x: {driver: macvlan, driver_opts: {parent: e.10}}, y: {driver: macvlan, driver_opts: {parent: e.20}}}";
    let world = World::new(text, &[ENDS[0], ENDS[1], ("c", "p_y", "10.0.1.3/24"), ("d", "p_x", "10.0.0.3/24")]);
    let deaf_to = |first: &'static str| {
        move |v: &Vantage, q: &Question| match q {
            Question::Solicit { target, .. } if *v == at("a") && target.to_string().starts_with(first) => {
                Some(heard(*target, "eth0", &[]))
            }
            _ => None,
        }
    };
    let expectation = || Expectation::Isolated(path("a", "b", How::Arp, &[]));
    assert!(proved(&world.judge(expectation(), &deaf_to("10.0.1."))).contains("control: a hears d (10.0.0.3)"));
    let verdict = world.judge(expectation(), &deaf_to("10.0."));
    assert!(open(&verdict).text().contains("a hears nobody on its own wires"), "{verdict:?}");
}

#[test]
fn life_is_what_the_engine_says() {
    let mut world = World::new(SHARED, ONE_NET);
    let run = |world: &World| world.judge(Expectation::Running(replica("a")), &none);
    assert!(proved(&run(&world)).contains("p-a-1 runs as process 100"));
    world.container("a").state = ContainerState::Paused;
    assert!(refuted(&run(&world)).contains("paused"));
    world.container("a").state = ContainerState::Exited { code: 137, oom_killed: true, finished_at: String::new() };
    assert!(refuted(&run(&world)).contains("memory ran out"));
    world.container("a").state = ContainerState::Exited { code: 0, oom_killed: false, finished_at: String::new() };
    open(&run(&world));
    proved(&world.judge(Expectation::Completed(replica("a")), &none));
    let health = |health| ContainerState::Running { pid: 1, health, started_at: String::new() };
    let healthy = |world: &World| world.judge(Expectation::Healthy(replica("a")), &none);
    world.container("a").state = health(Some(Health::Healthy));
    proved(&healthy(&world));
    world.container("a").state = health(Some(Health::Starting));
    open(&healthy(&world));
    world.container("a").state = health(Some(Health::Unhealthy));
    refuted(&healthy(&world));
    world.container("a").state = health(None);
    refuted(&healthy(&world));
    world.observed.containers.clear();
    refuted(&run(&world));
}

#[test]
fn what_the_file_leaves_open_is_not_a_pass() {
    let world = World::new(SHARED, ONE_NET);
    let verdict = world.judge(Expectation::Undeclared { why: "a router".to_owned() }, &none);
    assert!(matches!(open(&verdict), Why::Undeclared(_)));
}

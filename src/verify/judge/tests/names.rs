//! What a name means, and to whom.

use super::*;

fn dns(answer: Answer) -> impl Fn(&Vantage, &Question) -> Option<Answer> {
    move |_, q| match q {
        Question::Lookup { name, .. } if name == "db" => Some(answer.clone()),
        _ => None,
    }
}

#[test]
fn a_name_means_all_its_owners_and_nobody_else() {
    let mut world = World::new(SHARED, ONE_NET);
    let is = |addresses: &[&str]| dns(looked_up("db", NameOutcome::Found, addresses));
    proved(&world.judge(name("a", "db", "b", "p_x"), &is(&["10.0.0.3"])));
    assert!(
        refuted(&world.judge(name("a", "db", "b", "p_x"), &dns(looked_up("db", NameOutcome::NoSuchName, &[]))))
            .contains("NXDOMAIN")
    );
    world.observed.others.push(other("other-db-1", "10.0.0.7"));
    let verdict = world.judge(name("a", "db", "b", "p_x"), &is(&["10.0.0.3", "10.0.0.7"]));
    assert!(refuted(&verdict).contains("db is also held by other-db-1"), "{verdict:?}");
    world.container("b").state = ContainerState::Created;
    assert!(matches!(open(&world.judge(name("a", "db", "b", "p_x"), &none)), Why::NotRunning(_)));
}

#[test]
fn the_alias_of_a_link_leads_to_one_container_of_a_service() {
    let mut world = World::new(&SHARED.replace("b: {", "b: {scale: 2, "), ONE_NET);
    let mut second = world.container("b").clone();
    second.replica = Replica::new("b".parse().unwrap(), 2);
    second.endpoints[0].ipv4 = Some("10.0.0.4/24".parse().unwrap());
    world.observed.containers.push(second);
    let linked = |owner: Owner| {
        let Expectation::Name { asker, name, mut meanings, by } = name("a", "db", "b", "p_x") else { unreachable!() };
        meanings[0].owners = vec![owner];
        Expectation::Name { asker, name, meanings, by }
    };
    let one = || linked(Owner::OneOf("b".parse().unwrap()));
    let is = |addresses: &[&str]| dns(looked_up("db", NameOutcome::Found, addresses));
    proved(&world.judge(one(), &is(&["10.0.0.3"])));
    proved(&world.judge(one(), &is(&["10.0.0.4"])));
    refuted(&world.judge(one(), &is(&["10.0.0.2"])));
    refuted(&world.judge(linked(Owner::Service("b".parse().unwrap())), &is(&["10.0.0.4"])));
}

#[test]
fn a_name_that_must_not_be_known_needs_a_resolver_that_knows_something() {
    let world = World::new(PAIR, ENDS);
    let expectation = || Expectation::NoName {
        asker: "a".parse().unwrap(),
        name: "db".to_owned(),
        owners: vec![Owner::Service("b".parse().unwrap())],
        by: NameSource::Dns,
    };
    for outcome in [NameOutcome::NoSuchName, NameOutcome::ServerFailure, NameOutcome::TimedOut] {
        proved(&world.judge(expectation(), &dns(looked_up("db", outcome, &[]))));
    }
    let leak = looked_up("db", NameOutcome::Found, &["10.0.1.2"]);
    assert!(refuted(&world.judge(expectation(), &dns(leak))).contains("10.0.1.2 (p-b-1)"));
    // the name is known out there: that is not the service
    proved(&world.judge(expectation(), &dns(looked_up("db", NameOutcome::Found, &["203.0.113.7"]))));
    let deaf = |_: &Vantage, q: &Question| match q {
        Question::Lookup { name, .. } => Some(looked_up(name, NameOutcome::TimedOut, &[])),
        _ => None,
    };
    assert!(matches!(open(&world.judge(expectation(), &deaf)), Why::NoControl(_)));
}

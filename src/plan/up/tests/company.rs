//! Who hangs on whom: namespaces, links, dependencies.

use super::*;

#[test]
fn who_lives_in_a_replaced_namespace_is_replaced_after_it() {
    let lab = Lab::load(
        "
        services:
          side: {image: busybox, network_mode: 'service:web'}
          web: {image: busybox, command: old, network_mode: none}
        ",
    );
    let planned = lab.edit("command: old", "command: new").up_from(&lab.up().observed());
    assert_plan(
        &planned,
        "
         1              create web.1         differs: command (old, declared new)
         2  after 1     create side.1        lives in the network of web
         3  after 2     stop old side.1
         4  after 3     stop old web.1       differs: command (old, declared new)
         5  after 4     remove old web.1
         6  after 5     rename web.1 test-web-1
         7  after 6     start web.1
         8  after 3     remove old side.1
         9  after 8     rename side.1 test-side-1
        10  after 7, 9  start side.1
        ",
    );
    assert!(lab.edit("command: old", "command: new").up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn who_borrows_from_one_that_is_replaced_is_not_only_restarted_with_another() {
    let lab = Lab::load(
        "
        services:
          lender: {image: busybox, command: old, network_mode: none}
          web: {image: busybox, network_mode: none, depends_on: {lender: {condition: service_started, restart: true}}}
          side: {image: busybox, network_mode: 'service:web', pid: 'service:lender'}
        ",
    );
    let edited = lab.edit("command: old", "command: new");
    let planned = edited.up_from(&lab.up().observed());
    let operations = planned.operations();
    assert!(operations.contains(&"stop web.1".to_owned()) && !operations.contains(&"remove web.1".to_owned()));
    assert!(
        operations.contains(&"create side.1".to_owned()),
        "it would be in the namespace of nobody:\n{}",
        planned.plan
    );
    assert!(edited.up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn a_container_of_the_project_may_be_shared_with_by_its_name() {
    for share in ["network_mode: 'WHO'", "ipc: 'WHO'", "pid: 'WHO'", "volumes_from: ['WHO']"] {
        let by = |who: &str| {
            let share = share.replace("WHO", who);
            let side = format!("side: {{image: busybox, {share}}}");
            let lab =
                Lab::load(&format!("services: {{{side}, web: {{image: busybox, container_name: gate, tty: false}}}}"));
            let edited = lab.edit("tty: false", "tty: true");
            let before = lab.up().observed();
            assert!(lab.up_from(&before).plan.is_empty(), "{share}\n{}", lab.up_from(&before).plan);
            assert!(before.containers.iter().all(|c| c.state.is_running()));
            (lab.up().plan.to_string(), edited.up_from(&before).plan.to_string())
        };
        let service = if share.starts_with("volumes_from") { "web" } else { "service:web" };
        assert_eq!(by("container:gate"), by(service), "{share}");
    }
}

#[test]
fn a_name_whose_owner_waits_for_the_one_that_gives_it_is_that_of_another_container() {
    let lab = Lab::load(
        "
        services:
          web: {image: busybox, container_name: gate, depends_on: [side]}
          side: {image: busybox, network_mode: 'container:gate'}
        ",
    );
    let side = lab.up().plan.to_string();
    assert!(side.contains("create side.1") && !side.contains("lives in"), "{side}");
}

#[test]
fn who_links_to_a_replaced_container_of_the_default_bridge_is_replaced_too() {
    let lab = Lab::load(
        "
        services:
          web: {image: busybox, command: old, network_mode: bridge}
          cli: {image: busybox, network_mode: bridge, links: ['web:shop']}
        ",
    );
    let before = lab.up().observed();
    assert_eq!(before.containers[0].legacy_links.len(), 3);
    let planned = lab.edit("command: old", "command: new").up_from(&before);
    let cause = planned.plan.steps().find(|(_, s)| s.operation.to_string() == "create cli.1").unwrap().1.cause.clone();
    assert_eq!(cause.to_string(), "depends on web");
    assert!(lab.edit("command: old", "command: new").up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn who_is_to_restart_with_a_dependency_stops_before_it_and_starts_after_it() {
    let lab = Lab::load(
        "
        services:
          db: {image: busybox, command: old, network_mode: none}
          web: {image: busybox, network_mode: none, depends_on: {db: {condition: service_started, restart: true}}}
          other: {image: busybox, network_mode: none, depends_on: [db]}
        ",
    );
    assert_plan(
        &lab.edit("command: old", "command: new").up_from(&lab.up().observed()),
        "
        1           create db.1            differs: command (old, declared new)
        2  after 1  stop web.1             depends on db
        3  after 2  stop old db.1          differs: command (old, declared new)
        4  after 3  remove old db.1
        5  after 4  rename db.1 test-db-1
        6  after 5  start db.1
        7  after 6  start web.1            stopped by 2
        ",
    );
}

#[test]
fn who_shares_with_a_service_without_a_container_is_told_the_way_out_and_nothing_is_planned() {
    for share in ["network_mode: 'service:db'", "ipc: 'service:db'", "pid: 'service:db'", "volumes_from: [db]"] {
        let text = format!("services: {{db: {{image: busybox, scale: 0}}, web: {{image: busybox, {share}}}}}");
        let planned = Lab::load(&text).up();
        assert!(planned.plan.is_empty(), "{share}\n{}", planned.plan);
        let finding = planned.findings.iter().next().unwrap();
        assert_eq!(finding.code, Code::LenderMissing);
        assert!(finding.at.is_some() && finding.help.as_ref().unwrap().contains("--scale db=1"), "{finding:?}");

        let lab = Lab::load(&text.replace(", scale: 0", ""));
        let alone = lab.options(|o| (o.up.services, o.up.reach) = (vec![service("web")], Reach::Named));
        let planned = alone.up();
        assert!(planned.findings.iter().next().unwrap().help.as_ref().unwrap().contains("--no-deps"));
        assert!(alone.up_from(&lab.up().observed()).findings.is_empty(), "who is there is shared with");
        let gone = lab.options(|o| _ = o.with.scale.insert(service("db"), 0)).up_from(&lab.up().observed());
        assert!(gone.plan.is_empty() && gone.findings.has_errors(), "{share}\n{}", gone.plan);
    }
}

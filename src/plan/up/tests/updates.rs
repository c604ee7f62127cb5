//! `deploy.update_config`: which of two goes first, and what is kept.

use super::*;

#[test]
fn who_starts_first_runs_and_is_healthy_before_the_other_stops() {
    let lab = Lab::load(
        "
        services:
          web:
            image: busybox
            command: old
            networks: [front]
            healthcheck: {test: [CMD, 'true']}
            deploy: {update_config: {order: start-first}}
        networks: {front: {}}
        ",
    );
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("old", "new").up_from(&before),
        "
        1              create web.1         differs: command (old, declared new)
        2  after 1     start web.1
        3  after 2     await web healthy    asked for: deploy.update_config
        4  after 3     stop old web.1       differs: command (old, declared new)
        5  after 4     remove old web.1
        6  after 5     rename web.1 test-web-1
        ",
    );
}

#[test]
fn what_only_one_can_have_forbids_to_start_first_and_is_told() {
    for (only, why) in [
        ("networks: [front], ports: ['8080:80']", "host port 8080 goes to one container"),
        ("networks: [front], container_name: only", "`only` is the name of one container"),
        ("networks: {front: {ipv4_address: 10.3.0.9}}", "10.3.0.9 on front is the address of one container"),
        (
            "networks: {front: {mac_address: '02:42:0a:00:00:01'}}",
            "02:42:0a:00:00:01 on front is the MAC of one container",
        ),
        ("network_mode: host", "it is in the host's network namespace"),
    ] {
        let lab = Lab::load(&format!(
            "services: {{web: {{image: busybox, command: old, {only}, deploy: {{update_config: {{order: start-first}}}}}}}}
networks: {{front: {{ipam: {{config: [{{subnet: 10.3.0.0/24}}]}}}}}}"
        ));
        let planned = lab.edit("old", "new").up_from(&lab.up().observed());
        assert!(planned.plan.to_string().contains(&format!("not start-first: {why}")), "{}", planned.plan);
        let operations = planned.operations();
        let place = |what: &str| operations.iter().position(|o| o == what).unwrap();
        assert!(place("stop web.1") < place("start web.1"), "{}", planned.plan);
    }
}

#[test]
fn what_may_have_to_come_back_is_kept_until_the_next_one_holds() {
    let lab = Lab::load(
        "
        services:
          web: {image: busybox, command: old, network_mode: none, deploy: {update_config: {failure_action: rollback}}}
        ",
    );
    assert_plan(
        &lab.edit("old", "new").up_from(&lab.up().observed()),
        "
        1              create web.1       differs: command (old, declared new)
        2  after 1     stop old web.1
        3  after 2     start web.1
        4  after 3     await web running  asked for: deploy.update_config
        5  after 4     remove old web.1   differs: command (old, declared new)
        6  after 5     rename web.1 test-web-1
        ",
    );
}

//! Networks that are made anew, and endpoints that were lost.

use super::*;

#[test]
fn a_replaced_network_restarts_what_it_stopped() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [front]}}\nnetworks: {front: {internal: true}}");
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("internal: true", "internal: false").up_from(&before),
        "
        1           stop web.1              network front differs: internal (true, declared false)
        2  after 1  disconnect web.1 front
        3  after 2  remove network front
        4  after 3  create network front
        5  after 4  connect web.1 front
        6  after 5  start web.1             stopped by 1
        ",
    );
}

/// Connecting gives no MAC, creating does: measured on Engine 20.10.24 and 28.5.2.
#[test]
fn a_container_with_a_mac_is_replaced_with_its_network() {
    let text = "services: {web: {image: busybox, networks: {front: {mac_address: '02:42:0a:00:00:05'}}}}
networks: {front: {internal: true}}";
    let lab = Lab::load(text);
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("internal: true", "internal: false").up_from(&before),
        "
        1           stop old web.1              network front differs: internal (true, declared false)
        2  after 1  disconnect old web.1 front
        3  after 2  remove network front
        4  after 3  create network front
        5  after 4  create web.1
        6  after 5  remove old web.1
        7  after 6  rename web.1 test-web-1
        8  after 7  start web.1
        ",
    );
}

#[test]
fn a_lost_alias_is_mended_without_a_new_container() {
    let lab =
        Lab::load("services: {web: {image: busybox, networks: {front: {aliases: [shop]}}}}\nnetworks: {front: {}}");
    let mut observed = lab.up().observed();
    change(&mut observed, "web.1", |c| _ = c.endpoints[0].settings.aliases.remove("shop"));
    assert_plan(
        &lab.up_from(&observed),
        "
        1           disconnect web.1 front  differs: networks.front.aliases (test-web-1 web, declared shop test-web-1 web)
        2  after 1  connect web.1 front
        ",
    );
}

#[test]
fn a_lost_network_is_connected_again() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [a, b]}}\nnetworks: {a: {}, b: {}}");
    let mut observed = lab.up().observed();
    change(&mut observed, "web.1", |c| _ = c.endpoints.shift_remove("test_b"));
    assert_plan(
        &lab.up_from(&observed),
        "1    connect web.1 b  differs: networks.b (not connected, declared connected)",
    );
}

#[test]
fn an_older_engine_connects_each_further_network_before_the_start() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [a, b, c]}}\nnetworks: {a: {}, b: {}, c: {}}");
    assert_plan(
        &lab.api(1, 41).up(),
        "
        1              create network a  missing
        2              create network b  missing
        3              create network c  missing
        4  after 1     create web.1
        5  after 2, 4  connect web.1 b
        6  after 3, 5  connect web.1 c
        7  after 6     start web.1
        ",
    );
}

#[test]
fn a_container_that_was_taken_off_the_default_bridge_is_replaced() {
    let lab = Lab::load("services: {web: {image: busybox, network_mode: bridge}}");
    let mut observed = lab.up().observed();
    let bridge = ObservedNetwork { name: "bridge".to_owned(), driver: "bridge".to_owned(), ..Default::default() };
    observed.networks.push(bridge);
    assert!(lab.up_from(&observed).plan.is_empty());
    observed.containers[0].endpoints.clear();
    let planned = lab.up_from(&observed);
    let cause = planned.plan.steps().find(|(_, s)| s.operation.to_string() == "create web.1").unwrap().1.cause.clone();
    assert_eq!(cause.to_string(), "differs: network_mode (bridge, not connected, declared bridge)");
    assert!(lab.up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn an_external_network_is_used_and_never_made_or_changed() {
    let lab =
        Lab::load("services: {web: {image: busybox, networks: [out]}}\nnetworks: {out: {external: true, name: lan}}");
    assert_eq!(lab.up().operations(), ["create web.1", "start web.1"]);
}

#[test]
fn networks_that_swap_their_subnets_are_made_when_both_are_gone() {
    let text = "
        services: {web: {image: busybox, networks: [a, b]}}
        networks:
          a: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
          b: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
        ";
    let before = Lab::load(text).up().observed();
    let swapped = text.replace("10.1.", "10.9.").replace("10.2.", "10.1.").replace("10.9.", "10.2.");
    assert_plan(
        &Lab::load(&swapped).up_from(&before),
        "
        1              stop web.1          network a differs: ipam.config.subnet (10.1.0.0/24, declared 10.2.0.0/24)
        2  after 1     disconnect web.1 a
        3  after 2     remove network a
        4  after 2     disconnect web.1 b  network b differs: ipam.config.subnet (10.2.0.0/24, declared 10.1.0.0/24)
        5  after 4     remove network b
        6  after 3, 5  create network a
        7  after 3, 5  create network b
        8  after 6     connect web.1 a
        9  after 7, 8  connect web.1 b
       10  after 9     start web.1         stopped by 1
        ",
    );
}

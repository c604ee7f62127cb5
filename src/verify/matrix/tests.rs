//! Every rule with projects that it decides.

use super::*;
use crate::state::observed::ObservedNetwork;
use crate::verify::fixture::project;

/// A cell as `✓ R2a`.
fn cell(text: &str, from: &str, to: &str) -> String {
    at(text, from, to, Layer::Three)
}

fn at(text: &str, from: &str, to: &str, layer: Layer) -> String {
    let party = |s: &str| if s == "host" { Party::Host } else { Party::Service(s.parse().unwrap()) };
    let topology = Topology::of(&project(text));
    match topology.cell_at(&party(from), &party(to), layer, None) {
        Some(c) => format!("{} {}", c.expected.sign(), c.rule),
        None => "-".to_owned(),
    }
}

const SHARED: &str = "services: {a: {}, b: {network_mode: 'service:a'}, c: {network_mode: 'service:b'}, d: {},
    h: {network_mode: host}, i: {network_mode: host}}";

#[test]
fn r0_a_shared_namespace_reaches_itself_and_has_its_owners_networks() {
    assert_eq!(cell(SHARED, "a", "b"), "✓ R0");
    assert_eq!(cell(SHARED, "c", "a"), "✓ R0");
    assert_eq!(cell(SHARED, "c", "d"), "✓ R2a");
    assert_eq!(cell(SHARED, "d", "c"), "✓ R2a");
    assert_eq!(cell(SHARED, "h", "i"), "✓ R0");
    assert_eq!(cell(SHARED, "h", "host"), "✓ R0");
    assert_eq!(cell(SHARED, "host", "h"), "✓ R0");
}

#[test]
fn a_lone_container_has_no_cell_with_itself_and_replicas_have() {
    assert_eq!(cell(SHARED, "a", "a"), "-");
    assert_eq!(cell("services: {a: {scale: 2}}", "a", "a"), "✓ R2a");
    assert_eq!(cell("services: {a: {scale: 2, network_mode: none}}", "a", "a"), "✗ R1");
    assert_eq!(cell("services: {a: {}}", "a", "nobody"), "-");
}

#[test]
fn r1_no_network_reaches_nobody() {
    let text = "services: {a: {network_mode: none}, b: {}, c: {network_mode: 'service:a'}}";
    assert_eq!(cell(text, "a", "b"), "✗ R1");
    assert_eq!(cell(text, "b", "a"), "✗ R1");
    assert_eq!(cell(text, "a", "host"), "✗ R1");
    assert_eq!(cell(text, "host", "c"), "✗ R1");
    assert_eq!(cell(text, "a", "c"), "✓ R0");
}

#[test]
fn another_containers_namespace_is_undecided() {
    let text = "services: {a: {network_mode: 'container:x'}, b: {}, c: {network_mode: 'container:x'}}";
    assert_eq!(cell(text, "a", "b"), "? R?");
    assert_eq!(cell(text, "host", "a"), "? R?");
    assert_eq!(cell(text, "a", "c"), "✓ R0");
}

#[test]
fn r2a_a_bridge_joins_its_members_internal_or_not() {
    assert_eq!(cell("services: {a: {}, b: {}}", "a", "b"), "✓ R2a");
    assert_eq!(cell("services: {a: {}, b: {}}\nnetworks: {default: {internal: true}}", "a", "b"), "✓ R2a");
    assert_eq!(cell("services: {a: {network_mode: bridge}, b: {network_mode: bridge}}", "a", "b"), "✓ R2a");
    assert_eq!(cell("services: {a: {network_mode: bridge}, b: {}}", "a", "b"), "✗ R3a");
}

#[test]
fn r2b_icc_off_parts_layer_3_and_not_layer_2() {
    let text = "services: {a: {}, b: {}}
networks: {default: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
    assert_eq!(cell(text, "a", "b"), "✗ R2b");
    assert_eq!(at(text, "a", "b", Layer::Two), "✓ R2a");
}

#[test]
fn r2c_the_macvlan_mode_decides() {
    let text = |mode| {
        format!(
            "services: {{a: {{networks: [n]}}, b: {{networks: [n]}}}}
networks: {{n: {{driver: macvlan, driver_opts: {{parent: eth0{mode}}}}}}}"
        )
    };
    assert_eq!(cell(&text(""), "a", "b"), "✓ R2c");
    assert_eq!(cell(&text(", macvlan_mode: private"), "a", "b"), "✗ R2c");
    assert_eq!(cell(&text(", macvlan_mode: vepa"), "a", "b"), "? R2c");
}

#[test]
fn r2d_the_ipvlan_flag_decides_and_l3_knows_no_arp() {
    let text = |more| {
        format!(
            "services: {{a: {{networks: [n]}}, b: {{networks: [n]}}}}
networks: {{n: {{driver: ipvlan, driver_opts: {{parent: eth0{more}}}}}}}"
        )
    };
    assert_eq!(cell(&text(""), "a", "b"), "✓ R2d");
    assert_eq!(cell(&text(", ipvlan_flag: private"), "a", "b"), "✗ R2d");
    assert_eq!(cell(&text(", ipvlan_flag: vepa"), "a", "b"), "? R2d");
    assert_eq!(cell(&text(", ipvlan_mode: l3"), "a", "b"), "✓ R2d");
    assert_eq!(at(&text(", ipvlan_mode: l3"), "a", "b", Layer::Two), "✗ R2d");
}

#[test]
fn r2f_of_several_common_networks_one_is_enough() {
    let text = "services: {a: {networks: [x, y]}, b: {networks: [x, y]}}
networks: {x: , y: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
    assert_eq!(cell(text, "a", "b"), "✓ R2a");
    let both = "services: {a: {networks: [x, y]}, b: {networks: [x, y]}}\nnetworks: {x: , y: }";
    assert_eq!(cell(both, "a", "b"), "✓ R2f");
    let topology = Topology::of(&project(both));
    let (a, b) = (Party::Service("a".parse().unwrap()), Party::Service("b".parse().unwrap()));
    assert_eq!(topology.cell(&a, &b).unwrap().via, ["p_x", "p_y"]);
    assert_eq!(topology.cell_at(&a, &b, Layer::Three, Some("p_y")).unwrap().via, ["p_y"]);
}

const THREE: &str = "services: {a: {networks: [x]}, b: {networks: [y]}, ab: {networks: [x, y]}, i: {networks: [in]}}
networks: {x: , y: , in: {internal: true}}";

#[test]
fn r3a_two_bridges_are_parted_and_who_is_on_both_is_no_router() {
    assert_eq!(cell(THREE, "a", "b"), "✗ R3a");
    assert_eq!(cell(THREE, "b", "a"), "✗ R3a");
    assert_eq!(cell(THREE, "a", "ab"), "✓ R2a");
    assert_eq!(at(THREE, "a", "b", Layer::Two), "✗ R3a");
}

#[test]
fn r3a_a_routed_network_is_undecided() {
    let text = "services: {a: {networks: [x]}, b: {networks: [y]}}
networks: {x: , y: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}}";
    assert_eq!(cell(text, "a", "b"), "? R3a");
    assert_eq!(cell(text, "b", "a"), "✗ R3a");
}

#[test]
fn r3c_internal_has_no_way_out_and_none_in() {
    assert_eq!(cell(THREE, "i", "a"), "✗ R3c");
    assert_eq!(cell(THREE, "a", "i"), "✗ R3c");
}

const CHILDREN: &str = "services: {l: {networks: [lan]}, m: {networks: [lan2]}, v: {networks: [blue]},
  w: {networks: [green]}, o: {networks: [other]}, b: {networks: [br]}, n: {networks: [nowhere]}}
networks:
  lan: {driver: macvlan, driver_opts: {parent: eth0}}
  lan2: {driver: macvlan, driver_opts: {parent: eth0}}
  blue: {driver: macvlan, driver_opts: {parent: eth0.10}}
  green: {driver: macvlan, driver_opts: {parent: eth0.20}}
  other: {driver: macvlan, driver_opts: {parent: eth1.10}}
  nowhere: {driver: macvlan}
  br:";

#[test]
fn r3d_between_bridge_and_macvlan_stands_an_unknown_gateway() {
    assert_eq!(cell(CHILDREN, "l", "b"), "? R3d");
    assert_eq!(cell(CHILDREN, "b", "l"), "? R3d");
    assert_eq!(at(CHILDREN, "b", "l", Layer::Two), "✗ R3d");
}

#[test]
fn r3e_one_parent_is_one_wire_at_layer_2() {
    assert_eq!(cell(CHILDREN, "l", "m"), "? R3e");
    assert_eq!(at(CHILDREN, "l", "m", Layer::Two), "✓ R3e");
    assert_eq!(cell(CHILDREN, "l", "n"), "✗ R3c");
}

#[test]
fn r3f_vlans_of_one_trunk_are_parted_at_layer_2_only() {
    assert_eq!(at(CHILDREN, "v", "w", Layer::Two), "✗ R3f");
    assert_eq!(at(CHILDREN, "l", "v", Layer::Two), "✗ R3f");
    assert_eq!(cell(CHILDREN, "v", "w"), "? R3f");
}

#[test]
fn a_trunk_says_what_no_network_can() {
    let text = "services: {l: {networks: [lan]}, b: {networks: [blue]}, g: {networks: [green]}, h: {networks: [green]}}
networks: {lan: , blue: , green: }
x-trunks:
  up: {parent: eth0, mode: vepa, hairpin: true, vlans: {lan: native, blue: 10, green: 20}, routed: [[lan, blue]]}";
    assert_eq!(cell(text, "l", "b"), "✓ R3f");
    assert_eq!(cell(text, "b", "l"), "✓ R3f");
    assert_eq!(at(text, "l", "b", Layer::Two), "✗ R3f");
    assert_eq!(cell(text, "b", "g"), "? R3f");
    assert_eq!(cell(text, "g", "h"), "✓ R2c");
    assert_eq!(cell(&text.replace("hairpin: true, ", ""), "g", "h"), "? R2c");
}

#[test]
fn r3g_other_parents_are_undecided_at_both_layers() {
    assert_eq!(cell(CHILDREN, "v", "o"), "? R3g");
    assert_eq!(at(CHILDREN, "v", "o", Layer::Two), "? R3g");
}

#[test]
fn r4_and_r5_a_child_and_its_host_do_not_hear_each_other() {
    assert_eq!(cell(CHILDREN, "l", "host"), "✗ R4");
    assert_eq!(cell(CHILDREN, "host", "l"), "✗ R5");
    assert_eq!(at(CHILDREN, "l", "host", Layer::Two), "? R4");
    assert_eq!(cell(CHILDREN, "b", "host"), "? R4");
    assert_eq!(cell(CHILDREN, "host", "b"), "✓ R5");
    assert_eq!(cell(THREE, "host", "i"), "✓ R5");
    assert_eq!(cell(THREE, "host", "ab"), "✓ R5");
}

#[test]
fn r4_and_r5_an_isolated_bridge_has_no_host_on_it() {
    let text = "services: {a: {}}
networks: {default: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}}}";
    assert_eq!(cell(text, "a", "host"), "✗ R4");
    assert_eq!(cell(text, "host", "a"), "? R5");
}

#[test]
fn host_mode_is_the_host_towards_others() {
    let text = "services: {h: {network_mode: host}, b: {}, m: {networks: [lan]}}
networks: {lan: {driver: macvlan, driver_opts: {parent: eth0}}}";
    assert_eq!(cell(text, "h", "b"), "✓ R5");
    assert_eq!(cell(text, "b", "h"), "? R4");
    assert_eq!(cell(text, "m", "h"), "✗ R4");
}

#[test]
fn an_external_network_is_undecided_until_the_engine_tells() {
    let text = "services: {a: {networks: [x]}, b: {networks: [x]}}\nnetworks: {x: {external: true, name: lan}}";
    assert_eq!(cell(text, "a", "b"), "? R?");
    let seen = ObservedNetwork { name: "lan".into(), driver: "bridge".into(), ..Default::default() };
    let topology = Topology::of(&project(text)).with_networks(&[seen]);
    let matrix = Matrix::of(&topology);
    let (_, _, first) = matrix.pairs().next().unwrap();
    assert_eq!((first.expected, first.rule), (Expected::Reach, Rule::R2a));
    assert_eq!(first.because.len(), 2, "both places where they join are cited");
}

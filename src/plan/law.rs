//! What holds of every plan, over random stacks, random changes of them, and kills at any step.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;

use super::lab::{Lab, Planned};
use super::operation::{Needs, Operation, Target};
use crate::finding::Severity;
use crate::plan::StepId;
use crate::plan::restore::restore;
use crate::state::observed::{ContainerState, Observed, ObservedContainer};
use crate::state::simulate::{simulate, simulate_some};

/// A service of a random stack. Numbers choose among what its place allows.
#[derive(Clone, Debug)]
struct Shape {
    present: bool,
    command: u8,
    attachment: u8,
    networks: u8,
    needs: u8,
    conditions: u16,
    scale: u8,
    extras: u8,
    more: u8,
}

fn shape() -> impl Strategy<Value = Shape> {
    let bytes = (0..8u8, 0..3u8, 0..8u8, 0..8u8, any::<u8>(), any::<u16>(), 0..8u8, any::<u8>(), any::<u8>());
    bytes.prop_map(|(present, command, attachment, networks, needs, conditions, scale, extras, more)| Shape {
        present: present > 0,
        command,
        attachment,
        networks,
        needs,
        conditions,
        scale,
        extras,
        more,
    })
}

/// A stack: its services, and a number that chooses what its three networks are like.
fn stack() -> impl Strategy<Value = String> {
    (vec(shape(), 5), any::<u16>()).prop_map(|(shapes, networks)| text(&shapes, networks))
}

fn text(shapes: &[Shape], networks: u16) -> String {
    let mut out = String::from("services:\n");
    let mut earlier: Vec<(usize, bool)> = Vec::new();
    for (place, shape) in shapes.iter().enumerate().filter(|(place, s)| s.present || *place == 0) {
        let image = if shape.extras & 1 == 1 { "with-volume" } else { "busybox" };
        let _ = write!(out, "  s{place}: {{image: {image}, command: c{}", shape.command);
        let bridged = attach(&mut out, place, shape, &earlier);
        depend(&mut out, shape, &earlier);
        if shape.extras & 2 == 2 {
            out.push_str(", healthcheck: {test: [CMD, 'true']}");
        }
        match shape.scale {
            0..3 => _ = write!(out, ", scale: {}", shape.scale + 1),
            3 => _ = write!(out, ", container_name: name{}", shape.extras % 3 + 3 * place as u8),
            4 => out.push_str(", scale: 0"),
            _ => {}
        }
        if shape.extras & 4 == 4 {
            out.push_str(", volumes: ['data:/data', /anon]");
        }
        match shape.extras >> 5 & 3 {
            1 => out.push_str(", deploy: {update_config: {order: start-first}}"),
            2 => out.push_str(", deploy: {update_config: {failure_action: rollback}}"),
            3 => out.push_str(", deploy: {update_config: {order: start-first, failure_action: rollback}}"),
            _ => {}
        }
        if shape.scale > 4 && shape.attachment > 3 {
            let _ = write!(out, ", ports: ['{}:80']", 8000 + usize::from(shape.extras % 2) + 2 * place);
        }
        confine(&mut out, shape, &earlier);
        out.push_str("}\n");
        if shape.scale != 4 {
            earlier.push((place, bridged));
        }
    }
    let rotation = usize::from(networks >> 9 & 3);
    out.push_str("networks:\n");
    for (place, name) in ["a", "b", "c"].iter().enumerate() {
        let kind = match networks >> (3 * place) & 7 {
            0 => "{internal: true}".to_owned(),
            // between two stacks subnets change hands, within one each has its own
            1 | 2 => format!("{{ipam: {{config: [{{subnet: 10.{}.0.0/24}}]}}}}", (place + rotation) % 3),
            3 => "{labels: {x: y}}".to_owned(),
            _ => "{}".to_owned(),
        };
        let _ = writeln!(out, "  {name}: {kind}");
    }
    let _ =
        writeln!(out, "volumes: {{data: {{}}}}\nconfigs: {{text0: {{content: c{networks}}}, text1: {{content: d}}}}");
    out
}

/// Where a service hangs; true where it is on the default bridge.
fn attach(out: &mut String, place: usize, shape: &Shape, earlier: &[(usize, bool)]) -> bool {
    let parent = earlier.get(usize::from(shape.networks) % earlier.len().max(1));
    match (shape.attachment, parent) {
        (0, _) => out.push_str(", network_mode: none"),
        (1, Some((parent, _))) => _ = write!(out, ", network_mode: 'service:s{parent}'"),
        (2, _) => {
            out.push_str(", network_mode: bridge");
            if let Some((target, _)) = earlier.iter().find(|(_, bridged)| *bridged) {
                let _ = write!(out, ", links: ['s{target}:link{place}']");
            }
            return true;
        }
        _ => {
            let names = ["a", "b", "c"].iter().enumerate().filter(|(bit, _)| shape.networks >> bit & 1 == 1);
            let each: Vec<String> = names
                .map(|(bit, name)| match shape.extras >> 3 & 3 {
                    0 => format!("{name}: {{aliases: [alias{bit}]}}"),
                    1 => format!("{name}: {{priority: {bit}}}"),
                    2 => format!("{name}: {{mac_address: '02:42:0a:00:0{place}:0{bit}'}}"),
                    _ => format!("{name}: {{}}"),
                })
                .collect();
            if !each.is_empty() {
                let _ = write!(out, ", networks: {{{}}}", each.join(", "));
            }
        }
    }
    false
}

/// Limits, and what it has from others.
fn confine(out: &mut String, shape: &Shape, earlier: &[(usize, bool)]) {
    if shape.more & 1 == 1 {
        let _ = write!(
            out,
            ", mem_limit: {}m, pids_limit: {}, restart: on-failure",
            64 << (shape.command % 3),
            shape.command
        );
    }
    if shape.more & 2 == 2 {
        let _ = write!(
            out,
            ", ulimits: {{nofile: {}}}, logging: {{driver: local}}, group_add: [8]",
            512 + u32::from(shape.scale)
        );
    }
    if shape.more & 3 == 3 {
        let _ = write!(out, ", configs: [text{}]", shape.command % 2);
        if shape.extras >> 7 == 1 {
            out.push_str(", read_only: true");
        }
    }
    if shape.more & 5 == 5 {
        out.push_str(", post_start: [{command: [a]}, {command: [b]}], pre_stop: [{command: [c]}, {command: [d]}]");
    }
    let Some((lender, _)) = earlier.get(usize::from(shape.more >> 4) % earlier.len().max(1)) else { return };
    match shape.more >> 2 & 3 {
        1 => _ = write!(out, ", pid: 'service:s{lender}', ipc: 'service:s{lender}'"),
        2 => _ = write!(out, ", volumes_from: ['s{lender}:ro']"),
        3 => _ = write!(out, ", volumes_from: [s{lender}, 's{lender}:ro'], ipc: shareable"),
        _ => {}
    }
}

fn depend(out: &mut String, shape: &Shape, earlier: &[(usize, bool)]) {
    let mut each = Vec::new();
    for (bit, (name, _)) in earlier.iter().enumerate().filter(|(bit, _)| shape.needs >> bit & 1 == 1) {
        let choice = shape.conditions >> (2 * bit) & 3;
        let condition = match choice {
            0 => "service_healthy",
            1 => "service_completed_successfully",
            _ => "service_started",
        };
        let flag = if choice == 2 { ", restart: true" } else { "" };
        let optional = if shape.conditions >> 15 == 1 { ", required: false" } else { "" };
        each.push(format!("s{name}: {{condition: {condition}{flag}{optional}}}"));
    }
    if !each.is_empty() {
        let _ = write!(out, ", depends_on: {{{}}}", each.join(", "));
    }
}

fn lab(text: &str, old: bool) -> Lab {
    let lab = Lab::load(text).options(|lab| {
        lab.up.remove_orphans = true;
        lab.down.remove_orphans = true;
        lab.down.volumes = true;
    });
    if old { lab.api(1, 41) } else { lab }
}

/// Another plan has nothing to do but to run again what has ended (docker compose 2.40.3 does so with every `up`).
fn assert_settled(lab: &Lab, observed: &Observed) {
    let again = lab.up_from(observed);
    for (_, step) in again.plan.steps() {
        let ended = match &step.operation {
            Operation::Start(Target::Existing { id, .. }) => {
                let mut all = observed.containers.iter();
                all.any(|c| c.id == *id && matches!(c.state, ContainerState::Exited { code: 0, .. }))
            }
            Operation::Await(_) | Operation::RunHook { .. } => {
                again.operations().iter().any(|o| o.starts_with("start"))
            }
            _ => false,
        };
        assert!(ended, "not settled:\n{}", again.plan);
    }
    let desired = lab.desired();
    let names: BTreeSet<_> = desired.containers.values().map(|c| (&c.replica, &c.name)).collect();
    assert_eq!(names, observed.containers.iter().map(|c| (&c.replica, &c.name)).collect());
}

/// Nothing of the project is left.
fn assert_gone(observed: &Observed, plan: &Planned) {
    assert!(observed.containers.is_empty(), "{}", plan.plan);
    assert!(observed.networks.is_empty(), "{}", plan.plan);
    assert!(observed.volumes.is_empty(), "{}", plan.plan);
}

/// The steps that were done when a kill came: each with all that it comes after, those that `chosen` says.
fn killed(planned: &Planned, chosen: &[bool]) -> Observed {
    let mut done: Vec<bool> = Vec::new();
    for (id, _) in planned.plan.steps() {
        let before = planned.plan.predecessors(id).all(|(other, _)| done[other.index()]);
        done.push(before && chosen.get(id.index() % chosen.len().max(1)).copied().unwrap_or(true));
    }
    simulate_some(&planned.plan, &planned.before, |id| done[id.index()])
}

/// What there is when one step failed: all was done but it and those that need it; they are named, with the one that failed.
fn failed(planned: &Planned, place: usize) -> (Observed, Vec<(StepId, StepId)>) {
    let bad = place % planned.plan.len().max(1);
    let mut done: Vec<bool> = Vec::new();
    for (id, _) in planned.plan.steps() {
        let mut needs = planned.plan.predecessors(id).filter(|(_, why)| *why != Needs::Order);
        done.push(id.index() != bad && needs.all(|(other, _)| done[other.index()]));
    }
    let because = planned.plan.steps().map(|(id, _)| id).nth(bad);
    let broken = planned.plan.steps().map(|(id, _)| id).filter(|id| !done[id.index()]);
    let broken = broken.filter_map(|id| Some((id, because?))).collect();
    (simulate_some(&planned.plan, &planned.before, |id| done[id.index()]), broken)
}

/// 48 stacks a law, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn planning_again_from_what_a_plan_makes_gives_nothing_to_do(first in stack(), second in stack(), old: bool) {
        let (first, second) = (lab(&first, old), lab(&second, old));
        let one = first.up();
        assert_settled(&first, &one.observed());
        let then = second.up_from(&one.observed());
        prop_assert!(!then.findings.iter().any(|f| f.severity == Severity::Error));
        assert_settled(&second, &then.observed());
        let gone = second.down_from(&then.observed());
        assert_gone(&gone.observed(), &gone);
        let gone = second.down_without_file(&one.observed());
        assert_gone(&gone.observed(), &gone);
    }

    #[test]
    fn whatever_a_kill_leaves_the_next_up_mends_and_down_takes_away(
        first in stack(), second in stack(), chosen in vec(prop::bool::weighted(0.9), 64), old: bool,
    ) {
        let (first, second) = (lab(&first, old), lab(&second, old));
        let before = first.up();
        for left in [killed(&before, &chosen), killed(&second.up_from(&before.observed()), &chosen)] {
            let mended = second.up_from(&left);
            assert_settled(&second, &mended.observed());
            let back = first.up_from(&left);
            assert_settled(&first, &back.observed());
            let gone = second.down_without_file(&left);
            assert_gone(&gone.observed(), &gone);
            let half = killed(&gone, &chosen);
            let rest = second.down_from(&half);
            assert_gone(&rest.observed(), &rest);
        }
    }

    #[test]
    fn whatever_a_failed_step_leaves_the_next_up_mends(first in stack(), second in stack(), place: usize) {
        let second = lab(&second, false);
        let before = lab(&first, false).up().observed();
        let (left, _) = failed(&second.up_from(&before), place);
        let mended = second.up_from(&left);
        assert_settled(&second, &mended.observed());
    }

    #[test]
    fn what_does_not_hold_gives_way_to_what_was_there(first in stack(), second in stack(), place: usize, old: bool) {
        let (first, second) = (lab(&first, old), lab(&second, old));
        let planned = second.up_from(&first.up().observed());
        let (left, broken) = failed(&planned, place);
        let back = restore(&planned.plan, &broken, &planned.before, &left).unwrap();
        let restored = simulate(&back, &left);
        let touched = |c: &ObservedContainer| {
            back.steps().any(|(_, step)| step.operation.container().is_some_and(|target| *target.replica() == c.replica))
        };
        for container in restored.containers.iter().filter(|c| touched(c)) {
            let before = planned.before.containers.iter().find(|c| c.id == container.id);
            let before = before.unwrap_or_else(|| panic!("{} is new\n{}\n{back}", container.name, planned.plan));
            prop_assert_eq!(before.state.is_running(), container.state.is_running(), "{}\n{}", planned.plan, back);
            let networks = |c: &ObservedContainer| c.endpoints.keys().cloned().collect::<BTreeSet<_>>();
            prop_assert!(networks(before).is_subset(&networks(container)), "{}\n{}", planned.plan, back);
        }
        let mended = second.up_from(&restored);
        assert_settled(&second, &mended.observed());
        let gone = second.down_without_file(&restored);
        assert_gone(&gone.observed(), &gone);
    }

    #[test]
    fn a_plan_is_the_same_each_time(first in stack(), second in stack()) {
        let before = lab(&first, false).up().observed();
        let plan = || lab(&second, false).up_from(&before).plan.to_string();
        prop_assert_eq!(plan(), plan());
    }
}

#[test]
fn a_vlan_link_that_was_made_for_a_network_that_cannot_be_made_goes_again() {
    let text = "services: {web: {image: busybox, networks: [blue, green]}}
networks: {blue: {ipam: {config: [{subnet: 10.0.0.0/24}]}}, green: {ipam: {config: [{subnet: 10.0.1.0/24}]}}}
x-trunks: {up: {parent: eth0, vlans: {blue: {id: 10, within: 100}, green: {id: 20, within: 100}}}}";
    let planned = Lab::load(text).up();
    let of = |words: &str| planned.operations().iter().position(|line| line == words).unwrap();
    let back = |bad: &str| {
        let (left, broken) = failed(&planned, of(bad));
        let back = restore(&planned.plan, &broken, &planned.before, &left).unwrap();
        let links = simulate(&back, &left).vlans.into_iter().map(|link| link.name).collect::<Vec<_>>();
        (back.steps().map(|(_, step)| step.operation.to_string()).collect::<Vec<_>>(), links)
    };
    // what the other network hangs on stays
    let (lines, links) = back("create network blue");
    assert_eq!(lines, ["remove the VLAN link eth0-ad100-10"]);
    assert_eq!(links, ["eth0-ad100", "eth0-ad100-20"]);
    // the link itself cannot be made: its network is not, either
    assert!(back("make the VLAN link eth0-ad100-10").0.is_empty());
    // nothing hangs on them: the inner ones go before the outer one
    let alone = Lab::load(&text.replace(", green: {id: 20, within: 100}", "").replace(", green]", "]"));
    let planned = alone.up();
    let place = planned.operations().iter().position(|line| line == "create network blue").unwrap();
    let (left, broken) = failed(&planned, place);
    let back = restore(&planned.plan, &broken, &planned.before, &left).unwrap();
    let lines: Vec<_> = back.steps().map(|(_, step)| step.operation.to_string()).collect();
    assert_eq!(lines, ["remove the VLAN link eth0-ad100-10", "remove the VLAN link eth0-ad100"]);
    assert!(simulate(&back, &left).vlans.is_empty());
}

use super::joint::{self, HostPlan};
use super::lab::image;
use super::up::{UpOptions, up};
use super::{Operation, Plan};
use crate::compose::load_text;
use crate::compose::model::{Hosts, Part};
use crate::finding::Findings;
use crate::plan::down::{DownOptions, down};
use crate::state::desired::{Desired, DesiredOptions, desired};
use crate::state::observed::{ContainerState, EngineFacts, Health, Observed};
use crate::state::simulate::simulate;

const STACK: &str = "
services:
  web: {image: x, networks: [lan], depends_on: {db: {condition: service_healthy}}}
  db: {image: x, networks: [lan], healthcheck: {test: [CMD, 'true']}, depends_on: [store]}
  store: {image: x, networks: [lan]}
networks: {lan: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}
x-trunks: {uplink: {parent: eth0, vlans: {lan: 10}}}
x-hosts:
  left: {services: [web, store]}
  right: {services: [db]}
";

fn hosts(text: &str) -> Hosts {
    let loaded = load_text("compose.yaml", text);
    *loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings)).hosts.unwrap()
}

fn wanted(part: &Part) -> Desired {
    desired(&part.project, &DesiredOptions::default())
}

/// An Engine that holds the image alone.
fn bare() -> Observed {
    let engine = EngineFacts { api: (1, 51), version: "28.5.2".to_owned(), ..EngineFacts::default() };
    let mut observed = Observed { engine, ..Observed::default() };
    observed.images.insert("x".to_owned(), Some(image("x")));
    observed
}

fn plans<'o>(hosts: &Hosts, observed: &'o [Observed]) -> Vec<HostPlan<'o>> {
    let each = hosts.parts.iter().zip(observed).map(|(part, observed)| {
        let plan = up(&wanted(part), observed, &UpOptions::default(), &mut Findings::new()).unwrap();
        HostPlan { host: part.name.clone(), plan, observed }
    });
    each.collect()
}

fn joined(hosts: &Hosts, observed: &[Observed]) -> Plan {
    joint::up(plans(hosts, observed), &hosts.needs, None).unwrap()
}

/// What both Engines hold when everything is up and healthy.
fn after(hosts: &Hosts) -> Vec<Observed> {
    let before = [bare(), bare()];
    let done = plans(hosts, &before).into_iter().map(|part| {
        let mut observed = simulate(&part.plan, part.observed);
        for container in &mut observed.containers {
            if let ContainerState::Running { health, .. } = &mut container.state {
                *health = Some(Health::Healthy);
            }
        }
        observed
    });
    done.collect()
}

/// The number of the step that is said so.
fn step(plan: &Plan, said: &str) -> usize {
    let lines = plan.lines();
    lines.iter().position(|line| line.operation == said).unwrap_or_else(|| panic!("no `{said}` in\n{plan}"))
}

/// Whether one step needs another, by however many between them.
fn comes_after(plan: &Plan, late: &str, early: &str) -> bool {
    let (late, early) = (step(plan, late), step(plan, early));
    let ids: Vec<_> = plan.steps().map(|(id, _)| id).collect();
    let mut open = vec![ids[late]];
    while let Some(id) = open.pop() {
        open.extend(plan.predecessors(id).map(|(before, _)| before));
        if open.contains(&ids[early]) {
            return true;
        }
    }
    false
}

#[test]
fn a_service_waits_for_the_health_of_one_on_another_host() {
    let plan = joined(&hosts(STACK), &[bare(), bare()]);
    assert!(comes_after(&plan, "start web.1 on left", "await db healthy on right"), "{plan}");
    assert!(comes_after(&plan, "await db healthy on right", "start db.1 on right"), "{plan}");
    assert!(comes_after(&plan, "start db.1 on right", "start store.1 on left"), "back to the first host\n{plan}");
    assert!(!comes_after(&plan, "create web.1 on left", "start db.1 on right"), "only the start waits\n{plan}");
}

#[test]
fn each_step_has_the_settings_of_its_host() {
    let hosts = hosts(STACK);
    let plan = joined(&hosts, &[bare(), bare()]);
    let networks = plan.steps().filter(|(_, step)| matches!(step.operation, Operation::CreateNetwork(_)));
    let ranges: Vec<String> = networks
        .map(|(id, _)| {
            format!(
                "{} {}",
                plan.host_of(id).unwrap(),
                plan.desired_of(id).networks["lan"].ipam.pools[0].ip_range.unwrap()
            )
        })
        .collect();
    assert_eq!(ranges, ["left 10.5.0.0/25", "right 10.5.0.128/25"]);
}

#[test]
fn what_is_up_and_healthy_is_left_alone() {
    let hosts = hosts(STACK);
    let plan = joined(&hosts, &after(&hosts));
    assert!(plan.is_empty(), "{plan}");
}

#[test]
fn a_kill_in_between_leaves_what_the_next_plan_goes_on_from() {
    let hosts = hosts(STACK);
    let done = after(&hosts);
    // the right one is up, the left one was not begun
    let plan = joined(&hosts, &[bare(), done[1].clone()]);
    assert!(plan.lines().iter().all(|line| line.operation.ends_with("left")), "db is healthy already\n{plan}");
    let plan = joined(&hosts, &[done[0].clone(), bare()]);
    assert!(plan.lines().iter().all(|line| line.operation.ends_with("right")), "nobody waits for db\n{plan}");
}

#[test]
fn a_dependency_that_one_can_do_without_is_tolerated() {
    let hosts = hosts(&STACK.replace("condition: service_healthy", "condition: service_healthy, required: false"));
    let plan = joined(&hosts, &[bare(), bare()]);
    let wait = plan.steps().nth(step(&plan, "await db healthy on right")).unwrap().1;
    assert_eq!(wait.on_failure, super::OnFailure::GoOn);
}

#[test]
fn who_needs_another_host_stops_first() {
    let hosts = hosts(STACK);
    let done = after(&hosts);
    let parts = hosts.parts.iter().zip(&done).map(|(part, observed)| {
        let file = wanted(part);
        let plan = down(&file.project, Some(&file), observed, &DownOptions::default(), &mut Findings::new()).unwrap();
        HostPlan { host: part.name.clone(), plan, observed }
    });
    let plan = joint::down(parts.collect(), &hosts.needs).unwrap();
    assert!(comes_after(&plan, "stop db.1 on right", "stop web.1 on left"), "{plan}");
    assert!(comes_after(&plan, "stop store.1 on left", "stop db.1 on right"), "{plan}");
    for host in ["left", "right"] {
        step(&plan, &format!("remove network lan on {host}"));
    }
}

use super::over::{Over, rules_of};
use super::topology::Topology;
use super::{check::Check, derive};
use crate::compose::load_text;
use crate::compose::model::Project;
use crate::finding::Findings;
use crate::name::ServiceName;
use crate::verify::jobs::Ended;
use crate::verify::matrix::Expected;

const STACK: &str = "
services:
  web: {image: x, networks: [lan, front]}
  peer: {image: x, networks: [green]}
  local: {image: x, networks: [front]}
  db: {image: x, networks: [lan]}
  far: {image: x, networks: [green]}
networks:
  lan: {ipam: {config: [{subnet: 10.5.0.0/24}]}}
  green: {ipam: {config: [{subnet: 10.6.0.0/24}]}}
  front: {}
x-trunks: {uplink: {parent: eth0, vlans: {lan: 10, green: 20}}}
x-hosts:
  left: {services: [web, peer, local]}
  right: {services: [db, far]}
x-verify:
  allow: [web -> db arp, web -> local]
  deny: ['@lan -> @green arp', '@lan -> host']
";

fn project(text: &str) -> Project {
    let loaded = load_text("compose.yaml", text);
    loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings))
}

/// The ids of the checks between the hosts of a stack.
fn between(project: &Project) -> Vec<(String, Check)> {
    let topology = Topology::of(project);
    let hosts = project.hosts.as_ref().unwrap();
    let host = |name: &ServiceName| hosts.parts.iter().position(|part| part.project.services.contains_key(name));
    let checks = derive(project, &topology, &Ended::new(), &mut Findings::new());
    let checks = Over::new(&topology, &host).between(checks);
    checks.into_iter().map(|check| (check.id.clone(), check)).collect()
}

#[test]
fn between_hosts_the_wire_is_asked_and_nothing_else() {
    let mut ids: Vec<String> = between(&project(STACK)).into_iter().map(|(id, _)| id).collect();
    ids.sort();
    let expected = [
        "isolated/db->far/arp",
        "isolated/db->peer/arp",
        "isolated/web->far/arp",
        "isolated/web->peer/arp",
        "reach/db->web",
        "reach/far->peer",
        "reach/peer->far",
        "reach/web->db",
        "reach/web->db/arp",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn an_address_of_a_bridge_is_not_asked_from_another_host() {
    use crate::verify::check::Expectation;
    let all = between(&project(STACK));
    let (_, check) = all.iter().find(|(id, _)| id == "reach/db->web").unwrap();
    let Expectation::Reaches(path) = &check.expectation else { panic!("{check:?}") };
    assert_eq!(path.via, ["test_lan"]);
}

#[test]
fn what_nobody_asks_is_open_in_the_matrix() {
    let project = project(STACK);
    let topology = Topology::of(&project);
    let hosts = project.hosts.as_ref().unwrap();
    let host = |name: &ServiceName| hosts.parts.iter().position(|part| part.project.services.contains_key(name));
    let matrix = Over::new(&topology, &host).matrix();
    let cell = |from: &str, to: &str| {
        matrix.pairs().find(|(a, b, _)| a.to_string() == from && b.to_string() == to).unwrap().2.expected
    };
    assert_eq!(cell("web", "db"), Expected::Reach);
    assert_eq!(cell("db", "local"), Expected::Undecided);
    assert_eq!(cell("web", "local"), Expected::Reach, "on one host");
}

#[test]
fn modes_that_are_the_switchs_business_are_left_to_it() {
    let private = project(&STACK.replace("parent: eth0", "parent: eth0, mode: private"));
    assert!(between(&private).is_empty());
}

#[test]
fn each_host_has_the_rules_that_are_its_own() {
    let project = project(STACK);
    let hosts = project.hosts.as_ref().unwrap();
    let rules = |place: usize| {
        let own = rules_of(&hosts.parts[place].project, &project.rules);
        own.allow.iter().chain(&own.deny).map(|rule| rule.value.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rules(0), ["web -> local", "@lan -> @green arp", "@lan -> host"]);
    assert_eq!(rules(1), ["@lan -> @green arp", "@lan -> host"]);
}

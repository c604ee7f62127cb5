//! What `down` plans.

use crate::finding::Code;
use crate::name::ContainerId;
use crate::plan::lab::{Lab, assert_plan, change, service};
use crate::state::desired::labels;
use crate::state::observed::{ContainerState, ObservedVolume, OtherContainer};

const CHAIN: &str = "
    services:
      db: {image: busybox, networks: [back], volumes: ['data:/d']}
      web: {image: busybox, networks: [back], depends_on: [db]}
      alone: {image: busybox, network_mode: none}
    networks: {back: {}}
    volumes: {data: {}}
    ";

#[test]
fn dependents_stop_first_and_nobody_else_waits() {
    let lab = Lab::load(CHAIN).options(|lab| lab.down.volumes = true);
    assert_plan(
        &lab.down_from(&lab.up().observed()),
        "
        1              stop alone.1         asked for: down
        2  after 1     remove alone.1
        3              stop web.1           asked for: down
        4  after 3     stop db.1
        5  after 4     remove db.1
        6  after 3     remove web.1
        7  after 5, 6  remove network back
        8  after 5     remove volume data   asked for: down --volumes
        ",
    );
}

#[test]
fn without_a_file_the_order_comes_from_the_labels() {
    let lab = Lab::load(CHAIN);
    let before = lab.up().observed();
    assert_eq!(lab.down_without_file(&before).operations(), lab.down_from(&before).operations());
}

#[test]
fn who_does_not_run_is_only_removed_and_passes_the_order_on() {
    let lab = Lab::load(
        "
        services:
          a: {image: busybox, network_mode: none}
          b: {image: busybox, network_mode: none, depends_on: [a]}
          c: {image: busybox, network_mode: none, depends_on: [b]}
        ",
    );
    let mut before = lab.up().observed();
    change(&mut before, "b.1", |c| c.state = ContainerState::Created);
    assert_plan(
        &lab.down_from(&before),
        "
        1           remove b.1  asked for: down
        2           stop c.1    asked for: down
        3  after 2  stop a.1
        4  after 3  remove a.1
        5  after 2  remove c.1
        ",
    );
}

#[test]
fn what_the_file_no_longer_names_goes_too() {
    let lab = Lab::load(CHAIN).options(|lab| lab.down.volumes = true);
    let before = lab.up().observed();
    let less = lab.edit(", networks: [back]", "").edit("networks: {back: {}}", "").edit("data", "other");
    let planned = less.down_from(&before);
    assert!(planned.observed().networks.is_empty());
    assert!(planned.observed().volumes.is_empty());
}

#[test]
fn what_is_external_stays() {
    let lab = Lab::load(CHAIN).options(|lab| lab.down.volumes = true);
    let before = lab.up().observed();
    let external = lab
        .edit("networks: {back: {}}", "networks: {back: {external: true, name: test_back}}")
        .edit("volumes: {data: {}}", "volumes: {data: {external: true, name: test_data}}");
    let after = external.down_from(&before).observed();
    assert_eq!((after.containers.len(), after.networks.len(), after.volumes.len()), (0, 1, 1));
}

#[test]
fn an_orphan_that_stays_keeps_its_network_and_volume_and_that_is_said() {
    let lab = Lab::load(CHAIN).options(|lab| lab.down.volumes = true);
    let before = lab.up().observed();
    let less = lab.edit("db:", "base:").edit(", depends_on: [db]", "");
    let planned = less.down_from(&before);
    let said: Vec<_> = planned.findings.iter().map(|f| (f.code, f.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (Code::Orphan, "container `test-db-1` belongs to no service of the file, and stays"),
            (Code::StillUsed, "network back stays: `test-db-1` is on it"),
            (Code::StillUsed, "volume `test_data` stays: `test-db-1` mounts it"),
        ]
    );
    let all = less.options(|lab| lab.down.remove_orphans = true).down_from(&before);
    assert!(all.observed().containers.is_empty() && all.observed().networks.is_empty());
}

#[test]
fn chosen_services_go_alone() {
    let lab = Lab::load(CHAIN).options(|lab| lab.down.services = vec![service("web")]);
    assert_eq!(lab.down_from(&lab.up().observed()).operations(), ["stop web.1", "remove web.1"]);
    let both = lab.options(|lab| lab.down.services = vec![service("web"), service("db")]);
    assert_eq!(both.down_from(&both.up_from(&Default::default()).observed()).observed().networks.len(), 0);
}

#[test]
fn a_one_off_container_goes_with_its_service() {
    let lab = Lab::load(CHAIN);
    let mut before = lab.up().observed();
    let network = before.networks[0].id.clone();
    before.others.push(OtherContainer {
        id: ContainerId::from_engine("beef"),
        name: "test-web-run-1".to_owned(),
        project: Some("test".to_owned()),
        service: Some("web".to_owned()),
        state: "running".to_owned(),
        status: String::new(),
        bound: vec![],
        networks: vec![("test_back".to_owned(), network, vec![])],
        macs: vec![],
        labels: [(labels::ONE_OFF.to_owned(), "True".to_owned())].into(),
    });
    let operations = lab.down_from(&before).operations();
    let place = |text: &str| operations.iter().position(|o| o == text).unwrap();
    assert!(place("stop test-web-run-1") < place("remove test-web-run-1"));
    assert!(place("remove test-web-run-1") < place("remove network back"));
    let volumes = Lab::load("services: {web: {image: busybox, volumes: ['data:/data']}}\nvolumes: {data: {}}");
    let mut there = volumes.up().observed();
    there.others = before.others;
    let operations = volumes.options(|lab| lab.down.volumes = true).down_from(&there).operations();
    let place = |text: &str| operations.iter().position(|o| o == text).unwrap();
    assert!(place("remove test-web-run-1") < place("remove volume data"), "it may mount it: {operations:?}");
}

#[test]
fn a_network_with_a_stranger_on_it_is_still_tried() {
    let lab = Lab::load(CHAIN);
    let mut before = lab.up().observed();
    before.networks[0].members.push((ContainerId::from_engine("beef"), "stranger".to_owned(), vec![]));
    assert!(lab.down_from(&before).operations().contains(&"remove network back".to_owned()));
}

#[test]
fn a_volume_without_a_label_is_the_project_s_by_its_name() {
    let file = "services: {web: {image: busybox, volumes: ['data:/data', 'out:/out']}}\nvolumes: {data: {}, out: {external: true, name: test_out}}";
    let lab = Lab::load(file).options(|lab| lab.down.volumes = true);
    let mut before = lab.up().observed();
    let stray = |name: &str, label: &str| ObservedVolume {
        name: name.to_owned(),
        labels: if label.is_empty() { Default::default() } else { [(label.to_owned(), "x".to_owned())].into() },
        ..Default::default()
    };
    before.containers.clear();
    before.networks.clear();
    before.volumes = vec![
        stray("test_data", ""),
        stray("test_data", "of.somebody"),
        stray("test_out", ""),
        stray("test_more", ""),
        stray("testdata", ""),
    ];
    assert_eq!(lab.down_from(&before).operations(), ["remove volume test_data"]);
    let own = lab.options(|lab| lab.down.own_name = true).down_from(&before).operations();
    assert_eq!(own, ["remove volume test_data", "remove volume test_more"], "an external one is never");
}

//! Volumes that hold the configs and secrets of containers whose root is read-only.

use crate::name::{ContainerId, Replica};
use crate::plan::lab::{Lab, service};
use crate::plan::up::Recreate;
use crate::state::observed::{ContainerState, Observed, ObservedContainer, OtherContainer};

#[test]
fn a_volume_of_files_goes_with_its_container_and_what_a_kill_left_of_it_too() {
    let lab = Lab::load(
        "services: {web: {image: busybox, network_mode: none, read_only: true, configs: [app]}}\nconfigs: {app: {content: one}}",
    );
    let mut before = lab.up().observed();
    let volume = before.volumes[0].name.clone();
    assert!(volume.starts_with("test_web-1_files-"), "{volume}");
    let other = lab.edit("one", "two");
    let changed = other.up_from(&before).operations();
    assert_eq!(changed.last(), Some(&format!("remove volume {volume}")), "{changed:#?}");
    assert!(
        !lab.options(|o| o.up.recreate = Recreate::Always)
            .up_from(&before)
            .operations()
            .contains(&changed[changed.len() - 1])
    );
    assert_eq!(lab.down_from(&before).operations().last(), changed.last(), "without --volumes, too");

    // killed while it was filled, and the file has changed since
    before.containers.clear();
    let filler = |name: &str| OtherContainer {
        service: Some("web".to_owned()),
        labels: before.volumes[0].labels.clone(),
        ..ObservedContainer::named(
            ContainerId::from_engine("f1"),
            name,
            Replica::new(service("web"), 0),
            ContainerState::Created,
        )
        .into_other()
    };
    let mut left = Observed { others: vec![filler(&volume)], ..before.clone() };
    let mended = other.up_from(&left);
    assert!(mended.plan.to_string().contains("nothing uses it"), "{}", mended.plan);
    assert_eq!(
        mended.operations()[3..],
        [format!("remove {volume}"), format!("remove volume {volume}")],
        "{}",
        mended.plan
    );
    // that of a container of `run` stays with it
    left.others = vec![filler("test-web-1")];
    assert!(!other.up_from(&left).operations().iter().any(|operation| operation.starts_with("remove")));
}

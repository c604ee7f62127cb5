//! What a plan concerns: the rest of a stack cannot stand in its way.

use std::collections::BTreeSet;

use crate::compose::model::{MountSource, Project};
use crate::name::{NetworkKey, ServiceName};
use crate::plan::{Operation, Plan};
use crate::state::desired::Desired;

/// The services whose containers the plan makes or changes, with the networks and volumes that they use or that it makes. So `up
/// --no-deps` is not kept from its work by a port of a service that it leaves alone.
pub fn concerned(project: &Project, desired: &Desired, plan: &Plan) -> (Project, Desired) {
    let (mut project, mut desired) = (project.clone(), desired.clone());
    let (services, made) = touched(plan);
    project.services.retain(|name, _| services.contains(name));
    desired.containers.retain(|replica, _| services.contains(&replica.service));
    let used = |key: &NetworkKey| project.services.values().any(|service| service.networks.contains_key(key));
    project.networks.retain(|key, _| made.contains(key) || used(key));
    let mounts = || project.services.values().flat_map(|service| &service.mounts);
    project.volumes.retain(|wanted, volume| {
        let is_it = |source: &MountSource| matches!(source, MountSource::Volume { key, .. } if key == wanted);
        !volume.external || mounts().any(|mount| is_it(&mount.value.source))
    });
    (project, desired)
}

/// The services and the networks that steps of the plan are about.
fn touched(plan: &Plan) -> (BTreeSet<&ServiceName>, BTreeSet<&NetworkKey>) {
    let (mut services, mut networks) = (BTreeSet::new(), BTreeSet::new());
    for (_, step) in plan.steps() {
        match &step.operation {
            Operation::CreateContainer(new) => _ = services.insert(&new.replica.service),
            Operation::Build(service) => _ = services.insert(service),
            Operation::CreateNetwork(key) => _ = networks.insert(key),
            other => services.extend(other.container().map(|target| &target.replica().service)),
        }
    }
    (services, networks)
}

//! What a plan concerns: the rest of a stack cannot stand in its way.

use std::collections::BTreeSet;

use crate::compose::model::{MountSource, Project};
use crate::name::{NetworkKey, ServiceName};
use crate::state::desired::Desired;

/// These services, with the networks and volumes that they use, and these networks besides: what a plan makes or changes
/// (`Plan::touches`). So `up --no-deps` is not kept from its work by a port of a service that it leaves alone.
pub fn concerned(
    project: &Project,
    desired: &Desired,
    services: &BTreeSet<ServiceName>,
    networks: &BTreeSet<NetworkKey>,
) -> (Project, Desired) {
    let (mut project, mut desired) = (project.clone(), desired.clone());
    project.services.retain(|name, _| services.contains(name));
    desired.containers.retain(|replica, _| services.contains(&replica.service));
    let used = |key: &NetworkKey| project.services.values().any(|service| service.networks.contains_key(key));
    project.networks.retain(|key, _| networks.contains(key) || used(key));
    let mounts = || project.services.values().flat_map(|service| &service.mounts);
    project.volumes.retain(|wanted, volume| {
        let is_it = |source: &MountSource| matches!(source, MountSource::Volume { key, .. } if key == wanted);
        !volume.external || mounts().any(|mount| is_it(&mount.value.source))
    });
    (project, desired)
}

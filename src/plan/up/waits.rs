//! Who waits for whom before it starts, and what `--wait` waits for at the end.

use std::collections::BTreeMap;

use super::fate::{Fate, Fates};
use super::scope::Scope;
use super::work::Work;
use crate::compose::model::{Condition, HealthTest};
use crate::name::{Replica, ServiceName};
use crate::plan::builder::Handle;
use crate::plan::operation::{Cause, Needs, Operation, Target, Wait};
use crate::state::observed::{ContainerState, Health};

/// Waits are shared: one for each service and condition.
type Waits = BTreeMap<(ServiceName, Condition), Handle>;

/// Lets every start wait for what its service depends on, and adds what `--wait` asks for.
pub(super) fn add(work: &mut Work, fates: &Fates, scope: &Scope) {
    let mut waits = Waits::new();
    for (replica, start) in work.starts.clone() {
        for (name, dependency) in &fates[&replica].wanted.needs {
            if !scope.all.contains(name) && !fates.keys().any(|other| other.service == *name) {
                continue;
            }
            let why = if dependency.required { Needs::Condition(dependency.condition) } else { Needs::Order };
            let before = match dependency.condition {
                Condition::Started => starts(work, name),
                condition => {
                    let cause = Cause::Awaited(replica.service.clone());
                    wait(work, fates, &mut waits, name, condition, cause).into_iter().collect()
                }
            };
            for step in before {
                work.builder.needs(start, step, why);
                stop_late(work, &replica, fates, step, why);
            }
        }
    }
    tolerate(work, fates, &waits);
    keep_old(work, fates, &mut waits);
    if work.options.wait && !work.options.no_start {
        for name in &scope.all {
            let Some(condition) = final_condition(work, fates, name) else { continue };
            let cause = Cause::Requested("--wait".to_owned());
            if let Some(step) = wait(work, fates, &mut waits, name, condition, cause) {
                work.builder.insist(step);
            }
        }
    }
}

/// Where the old container is kept until the new one holds, its end comes after the wait for that.
fn keep_old(work: &mut Work, fates: &Fates, waits: &mut Waits) {
    for (replica, start) in work.starts.clone() {
        let fate = &fates[&replica];
        let Some(service) = &fate.kept_for else { continue };
        let Some(condition) = final_condition(work, fates, service) else { continue };
        work.outlive(fate, start);
        let cause = Cause::Requested("deploy.update_config".to_owned());
        if let Some(held) = wait(work, fates, waits, service, condition, cause) {
            work.builder.insist(held);
            work.outlive(fate, held);
        }
    }
}

/// The starts of a service's containers.
fn starts(work: &Work, name: &ServiceName) -> Vec<Handle> {
    work.starts.iter().filter(|(replica, _)| replica.service == *name).map(|(_, start)| *start).collect()
}

/// On an update a container goes on until all that its successor waits for has come, where nothing stands against it.
fn stop_late(work: &mut Work, replica: &Replica, fates: &Fates, step: Handle, why: Needs) {
    let stops: Vec<Handle> =
        work.stops.iter().filter(|(_, old)| old.replica == *replica).map(|(stop, _)| *stop).collect();
    if fates[replica].is_replaced() {
        stops.into_iter().for_each(|stop| work.builder.prefer(stop, step, why));
    }
}

/// The wait for a service, unless what is waited for holds already.
fn wait(
    work: &mut Work,
    fates: &Fates,
    waits: &mut Waits,
    name: &ServiceName,
    condition: Condition,
    cause: Cause,
) -> Option<Handle> {
    let key = (name.clone(), condition);
    if let Some(step) = waits.get(&key) {
        return Some(*step);
    }
    let starts = starts(work, name);
    if starts.is_empty() && fates.values().filter(|f| f.wanted.replica.service == *name).all(|f| holds(f, condition)) {
        return None;
    }
    let containers =
        fates.iter().filter(|(replica, _)| replica.service == *name).map(|(replica, fate)| match &fate.kept {
            Some(kept) => Target::existing(kept.found),
            None => Target::Planned(replica.clone()),
        });
    let timeout = work.options.wait_timeout;
    let operation =
        Operation::Await(Wait { service: name.clone(), containers: containers.collect(), condition, timeout });
    let step = work.builder.step(operation, cause);
    starts.into_iter().for_each(|start| work.builder.needs(step, start, Needs::Condition(Condition::Started)));
    waits.insert(key, step);
    Some(step)
}

/// Whether a container that stays fulfils a condition now.
fn holds(fate: &Fate, condition: Condition) -> bool {
    let Some(kept) = &fate.kept else { return false };
    match (condition, &kept.found.state) {
        (Condition::Started, ContainerState::Running { .. }) => true,
        (Condition::Healthy, ContainerState::Running { health, .. }) => *health == Some(Health::Healthy),
        (Condition::Completed | Condition::Started, ContainerState::Exited { code, .. }) => *code == 0,
        _ => false,
    }
}

/// A wait is tolerated to fail where everybody who waits can do without.
fn tolerate(work: &mut Work, fates: &Fates, waits: &Waits) {
    for ((name, condition), step) in waits {
        let needed = work.starts.keys().any(|replica| {
            let need = fates[replica].wanted.needs.get(name);
            need.is_some_and(|need| need.required && need.condition == *condition)
        });
        if !needed {
            work.builder.tolerate(*step);
        }
    }
}

/// What `--wait` waits for: that a service is healthy where it has a check, has ended well where others wait for that, and
/// runs (or has ended well) otherwise. None where it has no container.
fn final_condition(work: &Work, fates: &Fates, name: &ServiceName) -> Option<Condition> {
    let fate = fates.values().find(|fate| fate.wanted.replica.service == *name)?;
    if fate.wanted.awaited == Some(Condition::Completed) {
        return Some(Condition::Completed);
    }
    let image = work.observed.images.get(&fate.wanted.settings.image).and_then(Option::as_ref);
    let settings = image.map_or_else(|| fate.wanted.settings.clone(), |image| fate.wanted.settings.over(image));
    let test = settings.healthcheck.and_then(|check| check.test);
    let checked = test.is_some_and(|test| test != HealthTest::None);
    Some(if checked { Condition::Healthy } else { Condition::Started })
}

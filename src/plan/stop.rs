//! `stop`: what runs is stopped, dependents first, and stays.

use std::collections::BTreeSet;
use std::time::Duration;

use super::builder::{Handle, PlanBuilder};
use super::graph::Plan;
use super::operation::{Cause, Needs, Operation, Target};
use super::proof::Flaw;
use super::up::runs;
use crate::name::{ProjectName, ServiceName};
use crate::state::desired::{Desired, labels};
use crate::state::observed::{Observed, ObservedContainer};

/// The flags of `stop`.
#[derive(Clone, Debug, Default)]
pub struct StopOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--timeout`: how long a container may take to stop.
    pub timeout: Option<Duration>,
}

/// What stops a project's containers. Who depends on whom is known by their labels, so that no file is needed.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn stop(project: &ProjectName, observed: &Observed, options: &StopOptions) -> Result<Plan, Flaw> {
    let mut builder = PlanBuilder::new();
    let chosen = |service: &ServiceName| options.services.is_empty() || options.services.contains(service);
    let running = observed.containers.iter().filter(|c| runs(&c.state) && chosen(&c.replica.service));
    let stops: Vec<(Handle, &ObservedContainer)> = running
        .map(|container| {
            let operation = Operation::Stop { container: Target::existing(container), timeout: options.timeout };
            (builder.step(operation, Cause::Requested("stop".to_owned())), container)
        })
        .collect();
    for (dependent, container) in &stops {
        let needs = dependencies(container);
        for (stop, _) in stops.iter().filter(|(_, other)| needs.contains(other.replica.service.as_str())) {
            builder.prefer(*stop, *dependent, Needs::Order);
        }
    }
    builder.finish(Desired::nothing(project.clone()), observed)
}

/// The services that a container's label says it depends on: `db:service_healthy:false,cache:…`.
fn dependencies(container: &ObservedContainer) -> BTreeSet<&str> {
    let label = container.settings.labels.get(labels::DEPENDS_ON).map(String::as_str).unwrap_or_default();
    label.split(',').filter_map(|entry| entry.split(':').next()).collect()
}

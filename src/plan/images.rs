//! `build`, `pull`, and what `up` asks of images that are there: with an image that may come out anew, what hangs on it can only
//! be planned afterwards.

use indexmap::IndexMap;

use super::builder::{Handle, PlanBuilder};
use super::graph::Plan;
use super::operation::{Cause, Needs, OnFailure, Operation};
use super::proof::Flaw;
use super::up::{Scope, UpOptions};
use crate::name::ServiceName;
use crate::state::desired::Desired;
use crate::state::observed::Observed;

/// What `up` does before everything else: builds anew what `--build` or `pull_policy: build` says, and asks the registry again
/// where the policy is `always`. What is not there at all is left to `up`'s own plan.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn refresh(desired: &Desired, observed: &Observed, options: &UpOptions) -> Result<Plan, Flaw> {
    let scope = Scope::new(desired, options);
    let mut work = Work::new(desired, Cause::Requested("up".to_owned()));
    for container in desired.containers.values().filter(|container| scope.has(container)) {
        let service = &container.replica.service;
        let policy = options.pull.as_deref().or(container.pull_policy.as_deref());
        let is_built = desired.builds.contains_key(service) && options.build != Some(false);
        let is_there = observed.images.get(&container.settings.image).is_some_and(Option::is_some);
        if is_built && (options.build == Some(true) || policy == Some("build")) {
            work.cause =
                Cause::Requested(if policy == Some("build") { "pull_policy: build" } else { "--build" }.to_owned());
            work.build(service);
        } else if is_there && policy == Some("always") {
            work.cause = Cause::Requested("pull_policy: always".to_owned());
            work.pull(&container.settings.image, OnFailure::SkipDependents);
        }
    }
    work.builder.finish(desired.clone(), observed)
}

/// `build`: the images of these services, or of all, and those that they start from.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn build(desired: &Desired, observed: &Observed, services: &[ServiceName]) -> Result<Plan, Flaw> {
    let mut work = Work::new(desired, Cause::Requested("build".to_owned()));
    for service in desired.builds.keys().filter(|service| services.is_empty() || services.contains(service)) {
        work.build(service);
    }
    work.builder.finish(desired.clone(), observed)
}

/// The flags of `pull`.
#[derive(Clone, Debug, Default)]
pub struct PullOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--policy missing`: not what is there.
    pub only_missing: bool,
    /// `--ignore-buildable`: not what can be built.
    pub ignore_buildable: bool,
    /// `--ignore-pull-failures`: go on.
    pub ignore_failures: bool,
}

/// `pull`: the images of these services. One that is only built here (it has no name of its own) is nobody's to give.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn pull(desired: &Desired, observed: &Observed, options: &PullOptions) -> Result<Plan, Flaw> {
    let mut work = Work::new(desired, Cause::Requested("pull".to_owned()));
    let chosen = |service: &ServiceName| options.services.is_empty() || options.services.contains(service);
    for container in desired.containers.values().filter(|container| chosen(&container.replica.service)) {
        let (service, image) = (&container.replica.service, &container.settings.image);
        let is_built = desired.builds.contains_key(service);
        let is_nameless = is_built && *image == format!("{}-{service}", desired.project);
        let is_there = observed.images.get(image).is_some_and(Option::is_some);
        let policy_forbids = matches!(container.pull_policy.as_deref(), Some("never" | "build"));
        if is_nameless || policy_forbids || (is_built && options.ignore_buildable) || (is_there && options.only_missing)
        {
            continue;
        }
        let failure = if options.ignore_failures { OnFailure::GoOn } else { OnFailure::SkipDependents };
        work.pull(image, failure);
    }
    work.builder.finish(desired.clone(), observed)
}

struct Work<'a> {
    builder: PlanBuilder,
    desired: &'a Desired,
    cause: Cause,
    builds: IndexMap<ServiceName, Option<Handle>>,
    pulls: IndexMap<String, Handle>,
}

impl<'a> Work<'a> {
    fn new(desired: &'a Desired, cause: Cause) -> Self {
        Self { builder: PlanBuilder::new(), desired, cause, builds: IndexMap::new(), pulls: IndexMap::new() }
    }

    /// One build a service, after those of the images that it starts from; in a circle, one of them is first.
    fn build(&mut self, service: &ServiceName) -> Option<Handle> {
        if let Some(build) = self.builds.get(service) {
            return *build;
        }
        let bases = &self.desired.builds.get(service)?.needs;
        self.builds.insert(service.clone(), None);
        let bases: Vec<Handle> = bases.iter().filter_map(|base| self.build(base)).collect();
        let step = self.builder.step(Operation::Build(service.clone()), self.cause.clone());
        bases.into_iter().for_each(|base| self.builder.needs(step, base, Needs::Exists));
        self.builds.insert(service.clone(), Some(step));
        Some(step)
    }

    /// One pull an image.
    fn pull(&mut self, image: &str, failure: OnFailure) {
        if !self.pulls.contains_key(image) {
            let step = self.builder.step(Operation::Pull { image: image.to_owned() }, self.cause.clone());
            if failure == OnFailure::GoOn {
                self.builder.tolerate(step);
            }
            self.pulls.insert(image.to_owned(), step);
        }
    }
}

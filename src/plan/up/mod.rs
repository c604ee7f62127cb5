//! `up`: what is right stays, what differs is mended or replaced, what is missing is made, and all that runs, runs.

mod containers;
mod fate;
mod leftovers;
mod lenders;
mod networks;
mod order;
mod scope;
mod shims;
#[cfg(test)]
mod tests;
mod update;
mod vlans;
mod waits;
mod work;

pub(super) use containers::runs;
pub(super) use networks::{existing, key};
pub use scope::Reach;
pub(super) use scope::Scope;
pub(super) use shims::{existing as existing_shim, existing_link};
pub(super) use vlans::hangs_on;

use std::time::Duration;

use crate::finding::Findings;
use crate::name::ServiceName;
use crate::state::desired::Desired;
use crate::state::observed::Observed;

use super::builder::PlanBuilder;
use super::graph::Plan;
use super::proof::Flaw;

/// When a container is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recreate {
    /// When it is not as declared.
    #[default]
    Drifted,
    /// In any case: `--force-recreate`.
    Always,
    /// Never: `--no-recreate`.
    Never,
}

/// The flags of `up` (and of `create`, which is `up` without starting).
#[derive(Clone, Debug, Default)]
pub struct UpOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--no-deps`: leave alone what the named services depend on.
    pub reach: Reach,
    /// `--force-recreate`, `--no-recreate`.
    pub recreate: Recreate,
    /// `--always-recreate-deps`: replace what the named services depend on.
    pub always_recreate_deps: bool,
    /// `--no-start`: make everything, start nothing.
    pub no_start: bool,
    /// A service whose containers are made when what they depend on is there, and not started: `run` does that itself.
    pub held: Option<ServiceName>,
    /// `--wait`: go on until every service runs, and is healthy where it has a check.
    pub wait: bool,
    /// `--wait-timeout`: how long each wait may take.
    pub wait_timeout: Option<Duration>,
    /// `--remove-orphans`.
    pub remove_orphans: bool,
    /// `COMPOSE_IGNORE_ORPHANS`: of those that stay nothing is said.
    pub ignore_orphans: bool,
    /// `--timeout`: how long a container may take to stop.
    pub timeout: Option<Duration>,
    /// `-V`: volumes without a name are made anew instead of taken over.
    pub renew_anonymous_volumes: bool,
    /// `--pull`: a policy for every service.
    pub pull: Option<String>,
    /// `--build`, `--no-build`; by default an image that is not there is built.
    pub build: Option<bool>,
    /// The images that are to be had anew (`--build`, `pull_policy: always` …) were, a moment ago: they are taken as they are.
    pub refreshed: bool,
}

/// What brings the Engine from `observed` to `desired`. Orphans that stay and volumes that differ are
/// findings; a name that a container has which stays, and a namespace that nobody has to share, are errors: then nothing is planned.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn up(desired: &Desired, observed: &Observed, options: &UpOptions, findings: &mut Findings) -> Result<Plan, Flaw> {
    let scope = Scope::new(desired, &options.services, options.reach);
    let networks = networks::fates(desired, observed, &scope);
    let fates = fate::fates(desired, observed, options, &scope, &networks);
    let mut work = work::Work::new(desired, observed, options);
    work.report_orphans(findings);
    if work.report_held_names(&fates, findings) | work.report_missing_lenders(&fates, findings) {
        return PlanBuilder::new().finish(desired.clone(), observed);
    }
    if !options.refreshed {
        work.images.refresh(&mut work.builder, &scope, options);
    }
    work.networks(&networks, &fates);
    work.vlans(&networks);
    work.shims(&networks);
    work.volumes(&scope, findings);
    work.containers(&fates, &networks);
    work.leftovers(&fates);
    waits::add(&mut work, &fates, &scope);
    work.builder.finish(desired.clone(), observed)
}

//! Images: `build`, `pull`, `push`, and what `up` needs of them.

use std::collections::BTreeMap;

use indexmap::IndexSet;

use super::builder::{Handle, PlanBuilder};
use super::graph::Plan;
use super::operation::{Cause, Needs, Operation};
use super::proof::Flaw;
use super::up::{Reach, Scope, UpOptions};
use crate::name::ServiceName;
use crate::state::desired::{Desired, DesiredContainer};
use crate::state::observed::Observed;
use crate::state::platform::is_for;

/// What `up` does before everything else, as a plan of its own (see [`Images::refresh`]). Which containers hang on an image that
/// comes out anew can only be planned afterwards.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn refresh(desired: &Desired, observed: &Observed, options: &UpOptions) -> Result<Plan, Flaw> {
    let mut builder = PlanBuilder::new();
    Images::new(desired, observed).refresh(
        &mut builder,
        &Scope::new(desired, &options.services, options.reach),
        options,
    );
    // mostly there is nothing to do, and nothing that it would lead to
    let leads_to = if builder.is_empty() { Desired::nothing(desired.project.clone()) } else { desired.clone() };
    builder.finish(leads_to, observed)
}

/// `build`: the images of these services, or of all, and those that they start from.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn build(desired: &Desired, observed: &Observed, services: &[ServiceName], reach: Reach) -> Result<Plan, Flaw> {
    let (mut builder, mut images) = (PlanBuilder::new(), Images::new(desired, observed));
    for service in to_build(desired, services, reach) {
        images.build(&mut builder, service, &|_| Some(Cause::Requested("build".to_owned())));
    }
    builder.finish(desired.clone(), observed)
}

/// The services that `build` means: these, or all that have one.
pub fn to_build<'a>(desired: &'a Desired, services: &[ServiceName], reach: Reach) -> Vec<&'a ServiceName> {
    let scope = Scope::new(desired, services, reach);
    desired.builds.keys().filter(|service| scope.all.contains(*service)).collect()
}

/// The flags of `pull`.
#[derive(Clone, Debug, Default)]
pub struct PullOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--include-deps`: what they depend on as well.
    pub reach: Reach,
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
    let (mut builder, mut images) = (PlanBuilder::new(), Images::new(desired, observed));
    let scope = Scope::new(desired, &options.services, options.reach);
    for container in desired.containers.values().filter(|container| scope.has(container)) {
        let (service, image) = (&container.replica.service, &container.settings.image);
        let is_built = desired.builds.contains_key(service);
        let is_nameless = is_built && *image == format!("{}-{service}", desired.project);
        let is_there = images.has(image);
        let policy_forbids = matches!(container.pull_policy.as_deref(), Some("never" | "build"));
        if is_nameless || policy_forbids || (is_built && options.ignore_buildable) || (is_there && options.only_missing)
        {
            continue;
        }
        let step = images
            .pull(&mut builder, image, container.settings.platform.as_deref(), || Cause::Requested("pull".to_owned()));
        if options.ignore_failures {
            builder.tolerate(step);
        }
    }
    builder.finish(desired.clone(), observed)
}

/// The flags of `push`.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--include-deps`: what they depend on as well.
    pub reach: Reach,
    /// `--ignore-push-failures`: go on.
    pub ignore_failures: bool,
}

/// `push`: the images that are built for these services and have a name of their own, with their further tags.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn push(desired: &Desired, observed: &Observed, options: &PushOptions) -> Result<Plan, Flaw> {
    let scope = Scope::new(desired, &options.services, options.reach);
    let mut builder = PlanBuilder::new();
    let built = desired.builds.iter().filter(|(service, _)| scope.all.contains(*service));
    let named = built.filter(|(_, build)| build.named);
    let tags: IndexSet<&String> = named.flat_map(|(_, build)| &build.tags).collect();
    for image in tags {
        let step = builder.step(Operation::Push { image: image.clone() }, Cause::Requested("push".to_owned()));
        if options.ignore_failures {
            builder.tolerate(step);
        }
    }
    builder.finish(desired.clone(), observed)
}

/// The steps that make images, whoever asks for them: one build a service, one pull an image.
pub(super) struct Images<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    /// None while the images that it starts from are planned.
    builds: BTreeMap<ServiceName, Option<Handle>>,
    pulls: BTreeMap<String, Handle>,
}

impl<'a> Images<'a> {
    /// None yet.
    pub(super) fn new(desired: &'a Desired, observed: &'a Observed) -> Self {
        Self { desired, observed, builds: BTreeMap::new(), pulls: BTreeMap::new() }
    }

    /// Builds anew what `--build` or `pull_policy: build` says, and asks the registry again where the policy is `always`. What is
    /// not there at all waits until a container needs it.
    pub(super) fn refresh(&mut self, builder: &mut PlanBuilder, scope: &Scope, options: &UpOptions) {
        for container in self.desired.containers.values().filter(|container| scope.has(container)) {
            let (service, image) = (&container.replica.service, &container.settings.image);
            let policy = options.pull.as_deref().or(container.pull_policy.as_deref());
            let is_built = self.desired.builds.contains_key(service) && options.build != Some(false);
            if is_built && (options.build == Some(true) || policy == Some("build")) {
                let flag = match (options.pull.as_deref(), policy) {
                    (Some("build"), _) => "--pull build",
                    (_, Some("build")) => "pull_policy: build",
                    _ => "--build",
                };
                self.build(builder, service, &|_| Some(Cause::Refreshed(flag.to_owned())));
            } else if let Some(found) = self.observed.images.get(image).and_then(Option::as_ref) {
                let is_old = container.pull_every.is_some_and(|limit| found.age.is_none_or(|age| age >= limit));
                let flag = match (options.pull.as_deref(), policy) {
                    (Some("always"), _) => "--pull always".to_owned(),
                    (None, Some(policy)) if policy == "always" || is_old => format!("pull_policy: {policy}"),
                    _ => continue,
                };
                self.pull(builder, image, container.settings.platform.as_deref(), || Cause::Refreshed(flag));
            }
        }
    }

    /// The build or the pull that a new container waits for, if one is needed.
    pub(super) fn need(
        &mut self,
        builder: &mut PlanBuilder,
        wanted: &DesiredContainer,
        image: &str,
        options: &UpOptions,
    ) -> Option<Handle> {
        let service = &wanted.replica.service;
        let is_built = wanted.settings.image == image && self.desired.builds.contains_key(service);
        if let (true, Some(Some(build))) = (is_built, self.builds.get(service)) {
            return Some(*build);
        }
        // who says `pull_policy: missing` beside `build` wants the registry's; who says nothing wants what is written here
        match options.pull.as_deref().or(wanted.pull_policy.as_deref()) {
            None | Some("build" | "never") if is_built => {
                let (desired, observed) = (self.desired, self.observed);
                let is_missing = |service: &ServiceName| {
                    let tag = desired.builds.get(service).and_then(|build| build.tags.first());
                    tag.is_some_and(|tag| matches!(observed.images.get(tag), Some(None)))
                };
                let may = options.build != Some(false);
                self.build(builder, service, &|service| (may && is_missing(service)).then_some(Cause::Missing))
            }
            Some("build" | "never") => None,
            _ if self.is_missing(wanted, image) => {
                let platform = wanted.settings.platform.as_deref().filter(|_| wanted.settings.image == image);
                Some(self.pull(builder, image, platform, || Cause::Missing))
            }
            _ => self.pulls.get(image).copied(),
        }
    }

    /// The id of a container's image; none where this plan makes it.
    pub(super) fn known(&self, wanted: &DesiredContainer) -> Option<String> {
        let name = &wanted.settings.image;
        let makes = self.pulls.contains_key(name) || self.builds.contains_key(&wanted.replica.service);
        let found = self.observed.images.get(name).and_then(Option::as_ref).filter(|_| !makes)?;
        Some(found.id.clone())
    }

    /// One build a service, or for several that say the same, if there is a reason, after those of the images that it starts from; in a
    /// circle, one of them is first.
    fn build(
        &mut self,
        builder: &mut PlanBuilder,
        service: &ServiceName,
        reason: &dyn Fn(&ServiceName) -> Option<Cause>,
    ) -> Option<Handle> {
        if let Some(build) = self.builds.get(service) {
            return *build;
        }
        let wanted = self.desired.builds.get(service)?;
        let cause = reason(service)?;
        // built twice, one image would take the other's name while a container is made from it
        let same = |other: &ServiceName| self.desired.builds.get(other).is_some_and(|own| own.makes_the_same(wanted));
        let step = self.builds.iter().find_map(|(other, step)| step.filter(|_| same(other)));
        self.builds.insert(service.clone(), step);
        if step.is_some() {
            return step;
        }
        let bases: Vec<Handle> = wanted.needs.iter().filter_map(|base| self.build(builder, base, reason)).collect();
        let step = builder.step(Operation::Build(service.clone()), cause);
        bases.into_iter().for_each(|base| builder.needs(step, base, Needs::Exists));
        self.builds.insert(service.clone(), Some(step));
        Some(step)
    }

    /// One pull an image.
    fn pull(
        &mut self,
        builder: &mut PlanBuilder,
        image: &str,
        platform: Option<&str>,
        cause: impl FnOnce() -> Cause,
    ) -> Handle {
        let operation = || Operation::Pull { image: image.to_owned(), platform: platform.map(str::to_owned) };
        *self.pulls.entry(image.to_owned()).or_insert_with(|| builder.step(operation(), cause()))
    }

    /// Whether an image is not there, or only for another platform than the service says.
    fn is_missing(&self, wanted: &DesiredContainer, image: &str) -> bool {
        let platform = wanted.settings.platform.as_deref().filter(|_| wanted.settings.image == image);
        match self.observed.images.get(image) {
            Some(None) => true,
            Some(Some(found)) => platform.is_some_and(|platform| !is_for(platform, &found.platform)),
            None => false,
        }
    }

    fn has(&self, image: &str) -> bool {
        self.observed.images.get(image).is_some_and(Option::is_some)
    }
}

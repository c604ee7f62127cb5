//! From nothing to a stack that is up and healthy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::running::Running;
use super::{Owner, StackError, alone, teardown};
use crate::compose::model::Project;
use crate::engine::{Engine, Facts, Scope};
use crate::finding::Findings;
use crate::plan::images::refresh;
use crate::plan::up::{UpOptions, up};
use crate::plan::{Operation, Plan};
use crate::preflight::host::Known;
use crate::preflight::{self, HostFacts, Scene, auto};
use crate::report::findings::{Color, text};
use crate::run::{self, Event, Fate, HealthBy, Interrupt, Kind, Options, Outcomes};
use crate::state::desired::{Desired, DesiredOptions, desired};
use crate::state::observed::{Gap, Observed};
use crate::vantage::host;
use crate::vantage::shim::{self, Reason};

/// How often a subnet is chosen anew that somebody else took at the same moment.
const SUBNET_TRIES: u64 = 8;

/// Hears what happens while a plan is carried out.
pub type Hear<'a> = &'a dyn Fn(&Plan, &Event<'_>);

/// What is told while a stack comes up, and how it is told to stop.
#[derive(Default)]
pub struct Hooks<'a> {
    /// Hears what happens.
    pub tell: Option<Hear<'a>>,
    /// Sees each plan before it is carried out.
    pub planned: Option<&'a dyn Fn(&Plan)>,
    /// Says when to stop.
    pub interrupt: Option<Interrupt>,
    /// The services that are brought up with what they depend on; empty: all.
    pub services: Vec<crate::name::ServiceName>,
}

impl Running {
    /// Brings it up: preflight, images, then everything until it runs and is healthy, by the containers' own checks asked eagerly.
    ///
    /// # Errors
    /// What stands in the way. What was made so far is still there: [`Running::down`] takes it away.
    pub async fn bring_up(&mut self, hooks: &Hooks<'_>) -> Result<(), StackError> {
        self.settle_parents().await?;
        let Some(pool) = self.stack.subnet_pool else { return self.try_up(hooks).await };
        let untouched = self.stack.project.clone();
        for attempt in 0.. {
            self.stack.project = untouched.clone();
            let networks = self.engine.networks().await?;
            let taken: Vec<_> =
                networks.iter().flat_map(|network| &network.ipam.pools).filter_map(|pool| pool.subnet).collect();
            let seed = u64::from(std::process::id()).wrapping_mul(7919).wrapping_add(attempt * 104_729);
            alone::subnets(&mut self.stack.project, pool, &taken, seed).map_err(StackError::Refused)?;
            match self.try_up(hooks).await {
                // somebody else took it between our looking and our asking
                Err(StackError::Failed { message, .. }) if message.contains("overlap") && attempt < SUBNET_TRIES => {
                    teardown(&self.engine, self.name(), None, None).await?;
                }
                done => return done,
            }
        }
        Ok(())
    }

    /// `parent: auto` of its trunks, by a look at the Engine's host.
    async fn settle_parents(&mut self) -> Result<(), StackError> {
        if !auto::is_wanted(&self.stack.project) {
            return Ok(());
        }
        let routes = host::routes(&self.engine).await;
        let routes = routes.map_err(|why| StackError::Refused(format!("`parent: auto` is not known: {why}")))?;
        let mut findings = Findings::new();
        auto::settle(&mut self.stack.project, &routes, &mut findings);
        self.refuse(&findings)
    }

    async fn try_up(&mut self, hooks: &Hooks<'_>) -> Result<(), StackError> {
        let wanted = owned(&self.stack.project, &Owner::this().labels(self.stack.time_to_live, self.stack.keep));
        self.desired = Some(wanted.clone());
        let options = UpOptions {
            services: hooks.services.clone(),
            wait: true,
            remove_orphans: false,
            build: self.stack.build,
            ..UpOptions::default()
        };
        let mut observed = observe(&self.engine, &wanted).await?;
        let mut plan = self.plan(&wanted, &observed, &options)?;
        self.preflight(&wanted, &observed, &plan).await?;
        let images = refresh(&wanted, &observed, &options).map_err(StackError::Flaw)?;
        if !images.is_empty() {
            carry_out(&self.engine, &images, hooks).await?;
            observed = observe(&self.engine, &wanted).await?;
            plan = self.plan(&wanted, &observed, &UpOptions { refreshed: true, ..options })?;
        }
        if let Some(planned) = hooks.planned {
            planned(&plan);
        }
        carry_out(&self.engine, &plan, hooks).await
    }

    fn plan(&self, wanted: &Desired, observed: &Observed, options: &UpOptions) -> Result<Plan, StackError> {
        let mut findings = Findings::new();
        let plan = up(wanted, observed, options, &mut findings).map_err(StackError::Flaw)?;
        self.refuse(&findings)?;
        Ok(plan)
    }

    async fn preflight(&self, wanted: &Desired, observed: &Observed, plan: &Plan) -> Result<(), StackError> {
        if plan.is_empty() {
            return Ok(());
        }
        let (services, networks) = plan.touches();
        let (project, wanted) = preflight::concerned(&self.stack.project, wanted, &services, &networks);
        let facts = self.engine.all_facts().await?;
        let known = Known::of(&project, &facts, observed);
        // a host that cannot be looked at refuses by itself what it does not like
        let host = host::facts(&self.engine, &project, &known).await.unwrap_or_else(|_| HostFacts::default());
        let scene = Scene { project: &project, desired: &wanted, engine: &facts, observed, host: &host };
        let mut findings = Findings::new();
        preflight::check(scene, &mut findings);
        self.refuse(&findings)
    }

    fn refuse(&self, findings: &Findings) -> Result<(), StackError> {
        match findings.has_errors() {
            true => Err(StackError::Refused(text(&self.stack.files, findings, Color::Plain))),
            false => Ok(()),
        }
    }
}

/// What the project asks for, with the owner's labels on everything.
fn owned(project: &Project, labels: &BTreeMap<String, String>) -> Desired {
    let mut wanted = desired(project, &DesiredOptions::default());
    let each = || labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    wanted.containers.values_mut().map(Arc::make_mut).for_each(|container| container.settings.labels.extend(each()));
    wanted.networks.values_mut().for_each(|network| network.labels.extend(each()));
    wanted.volumes.values_mut().for_each(|volume| volume.labels.extend(each()));
    wanted
}

/// Looks at the Engine for a stack; without knowing everything, nothing is planned.
async fn observe(engine: &Engine, wanted: &Desired) -> Result<Observed, StackError> {
    let images = wanted.images();
    let mut observed =
        engine.observe(&Scope { project: &wanted.project, images, names: vec![], facts: Facts::Brief }).await?;
    if let Err(why) = shim::look(engine, &wanted.project, Reason::of(wanted), &mut observed).await {
        observed.gaps.push(Gap { about: "the links of its host (x-trunks)".to_owned(), why: why.to_string() });
    }
    match observed.gaps.first() {
        Some(gap) => {
            let message = format!("the Engine does not tell of {}: {}", gap.about, gap.why);
            Err(StackError::Failed { message, kind: Kind::Refused, details: vec![] })
        }
        None => Ok(observed),
    }
}

/// Carries a plan out, and says what it came to.
pub(super) async fn carry_out(engine: &Engine, plan: &Plan, hooks: &Hooks<'_>) -> Result<(), StackError> {
    let (_voice, never) = Interrupt::new();
    let ear = hooks.interrupt.clone().unwrap_or(never);
    let tell = |event: &Event<'_>| {
        if let Some(tell) = hooks.tell {
            tell(plan, event);
        }
    };
    let options = Options { health: HealthBy::Eager, ..Options::default() };
    let outcomes = run::run(engine, plan, options, ear, &tell).await;
    verdict(plan, &outcomes)
}

fn verdict(plan: &Plan, outcomes: &Outcomes) -> Result<(), StackError> {
    if outcomes.of(plan).any(|(_, fate)| matches!(fate, Fate::NotReached)) {
        return Err(StackError::Interrupted);
    }
    let failed = outcomes.of(plan).filter_map(|(id, fate)| match fate {
        Fate::Failed(error) => Some((&plan.step(id).operation, error)),
        _ => None,
    });
    let failed: Vec<(&Operation, &run::StepError)> = failed.collect();
    let Some((step, first)) = failed.first() else { return Ok(()) };
    let has = |kind: Kind| failed.iter().any(|(_, error)| error.kind == kind);
    let gravest = [Kind::Unreachable, Kind::Refused, Kind::Stuck, Kind::Unhealthy].into_iter().find(|kind| has(*kind));
    Err(StackError::Failed {
        message: format!("{}: {first}", step.failed()),
        kind: gravest.unwrap_or(Kind::InUse),
        details: failed.iter().flat_map(|(_, error)| error.details.iter().cloned()).collect(),
    })
}

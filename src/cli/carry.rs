//! Carrying a plan out in front of a person: progress, signals, and what it came to.

use std::time::Duration;

use bowline::engine::Engine;
use bowline::plan::{Flaw, Plan, StepId};
use bowline::preflight::late;
use bowline::run::{self, Fate, HealthBy, Interrupt, Kind, Options, Outcomes, Urgency};

use super::args::Global;
use super::display::Display;
use super::exit::{Exit, Failure};
use super::lock::Lock;
use super::output;
use super::signals::Signals;

/// How often the board is drawn anew while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// Where a plan is carried out, and before whom.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// Options before the command.
    pub global: &'a Global,
    /// The Engine.
    pub engine: &'a Engine,
    /// Where progress is shown.
    pub display: &'a Display,
    /// What keeps other writers away from the project.
    pub lock: &'a Lock,
    /// Where the stack is on several hosts, each one's Engine and lock, in the order of the plan; none otherwise.
    pub hosts: &'a [(Engine, Lock)],
    /// What the first Ctrl-C asks for; the next one asks to leave everything.
    pub first: Urgency,
    /// Who finds out that a service is healthy.
    pub health: HealthBy,
}

impl<'a> Stage<'a> {
    /// A stage on which the first Ctrl-C lets what is under way end.
    pub fn new(global: &'a Global, engine: &'a Engine, display: &'a Display, lock: &'a Lock) -> Self {
        Self { global, engine, display, lock, hosts: &[], first: Urgency::Soon, health: HealthBy::Engine }
    }

    fn engines(&self) -> Vec<&'a Engine> {
        match self.hosts {
            [] => vec![self.engine],
            hosts => hosts.iter().map(|(engine, _)| engine).collect(),
        }
    }

    fn locks(&self) -> impl Iterator<Item = &'a Lock> {
        let only = self.hosts.is_empty().then_some(self.lock);
        only.into_iter().chain(self.hosts.iter().map(|(_, lock)| lock))
    }

    /// Shows what happens, and writes down what is being made.
    pub fn hear(&self, plan: &Plan, event: &run::Event<'_>) {
        let of_host = self.hosts.get(plan.step(event.step()).host).map(|(_, lock)| lock);
        of_host.unwrap_or(self.lock).hear(plan, event);
        self.display.hear(plan, event);
    }
}

/// Runs `plan` with nothing beside it, and judges what it came to.
///
/// # Errors
/// When a step failed, or Ctrl-C ended it.
pub async fn perform(stage: Stage<'_>, plan: &Plan, signals: &mut Signals) -> Result<(), Failure> {
    let outcomes = carry_out(stage, plan, signals, std::future::pending()).await;
    verdict(plan, &outcomes)
}

/// Runs `plan` to its end, or to the end that Ctrl-C asks for. `aside` runs beside it and is dropped with it.
pub async fn carry_out(
    stage: Stage<'_>,
    plan: &Plan,
    signals: &mut Signals,
    aside: impl Future<Output = ()>,
) -> Outcomes {
    let Stage { global, display, first, health, .. } = stage;
    if plan.is_empty() {
        return Outcomes::default();
    }
    let (voice, ear) = Interrupt::new();
    let options = match usize::try_from(global.parallel) {
        Ok(at_once) => Options { at_once: at_once.max(1).into(), health },
        Err(_) => Options { health, ..Options::default() },
    };
    stage.locks().for_each(Lock::begin);
    let engines = stage.engines();
    let tell = |event: &run::Event<'_>| stage.hear(plan, event);
    let mut running = std::pin::pin!(run::run_over(&engines, plan, options, ear, &tell));
    let mut aside = std::pin::pin!(futures_util::FutureExt::fuse(aside));
    let mut tick = tokio::time::interval(TICK);
    let outcomes = loop {
        tokio::select! {
            outcomes = &mut running => break outcomes,
            () = signals.next() => {
                let asked = if *voice.borrow() == Urgency::None { first } else { Urgency::Now };
                display.clear();
                if asked == Urgency::Soon {
                    output::remark("interrupted: what is under way ends, nothing new begins (once more leaves it at once)");
                }
                let _ = voice.send(asked);
            }
            () = &mut aside => {}
            _ = tick.tick(), if display.is_live() => display.redraw(),
        }
    };
    // a call that was left, or whose answer did not come, may still have its effect
    let is_lost = outcomes.failures().any(|error| error.kind == Kind::Unreachable);
    if *voice.borrow() != Urgency::Now && !is_lost {
        stage.locks().for_each(Lock::end);
    }
    display.finish(plan, &outcomes);
    outcomes
}

/// What a run that did not do everything comes to: its exit code, and what is left.
pub fn verdict(plan: &Plan, outcomes: &Outcomes) -> Result<(), Failure> {
    let of = |wanted: fn(&Fate) -> bool| {
        let steps = outcomes.of(plan).filter(|(_, fate)| wanted(fate)).map(|(id, _)| id);
        steps.collect::<Vec<_>>()
    };
    let failed = of(|fate| matches!(fate, Fate::Failed(_)));
    let left = of(|fate| matches!(fate, Fate::NotReached));
    let skipped = of(|fate| matches!(fate, Fate::Skipped { .. }));
    if !left.is_empty() {
        let failure = Failure::new(Exit::Interrupted, format!("interrupted; not done: {}", listed(plan, &left)));
        return Err(failure.hint("the same command again goes on from here; `bowline down` takes away what is there"));
    }
    let Some(first) = outcomes.failures().next() else { return Ok(()) };
    let step = failed.first().map(|step| on(plan, *step, plan.step(*step).operation.failed())).unwrap_or_default();
    let skipped = match skipped.len() {
        0 => String::new(),
        1 => "; 1 step that needs it was skipped".to_owned(),
        more => format!("; {more} steps that need it were skipped"),
    };
    let message = match failed.len() {
        1 => format!("{step}: {first}{skipped}"),
        more => format!("{more} steps failed, the first: {step}: {first}{}", skipped.replace(" it ", " them ")),
    };
    Err(Failure::new(exit(outcomes), message).coded(late::code(&first.to_string())))
}

fn listed(plan: &Plan, steps: &[StepId]) -> String {
    steps.iter().map(|step| on(plan, *step, plan.step(*step).operation.to_string())).collect::<Vec<_>>().join(", ")
}

/// What is said of a step, with its host where there are several.
fn on(plan: &Plan, step: StepId, said: String) -> String {
    match plan.host_of(step) {
        Some(host) => format!("{said} on {host}"),
        None => said,
    }
}

/// The gravest kind of failure decides.
fn exit(outcomes: &Outcomes) -> Exit {
    let has = |kind: Kind| outcomes.failures().any(|error| error.kind == kind);
    if has(Kind::Unreachable) {
        Exit::Unreachable
    } else if has(Kind::Refused) || has(Kind::Stuck) {
        Exit::StepFailed
    } else if has(Kind::Unhealthy) {
        Exit::Unhealthy
    } else {
        Exit::Leftovers
    }
}

/// A plan that does not hold together.
pub fn flaw(flaw: Flaw) -> Failure {
    Failure::new(Exit::StepFailed, flaw).hint("this is a mistake of bowline's: please report it")
}

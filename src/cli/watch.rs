//! `bowline watch`, and what `up --watch` does beside its logs.

mod hands;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline::compose::attach;
use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::plan::up::UpOptions;
use bowline::state::desired::DesiredOptions;
use bowline::watch::{Copy, Eyes, EyesError, Rules, Work};
use clap::Args;
use hands::{Hands, tell};

use super::args::Global;
use super::carry::Stage;
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::lock::{self, Lock};
use super::preflight::Rigour;
use super::signals::Signals;
use super::stack::{Stack, service_names};
use super::{block_on, directory, load, output, preflight, up};

/// Bring the stack up, and carry every change of the sources into it
///
/// What follows from a change stands in `develop.watch` of a service: changed files are copied into its containers, what is deleted is
/// deleted there, the image is built anew, containers are restarted, a command runs in them. Ctrl-C ends it; the stack stays up.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Build and start nothing at the beginning.
    #[arg(long)]
    no_up: bool,
    /// Take away the images that a rebuild left without a name.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    prune: bool,
    /// Say nothing of what the builder says.
    #[arg(long)]
    quiet: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut stack =
        Stack::whole(global, Purpose::Write, &arguments.services, &DesiredOptions::default(), Rigour::Refuse)?;
    let mut watching = Watching::open(global, &mut stack, &arguments.services)?;
    watching.prune = arguments.prune;
    if global.dry_run {
        output::answer(&watching.plan())?;
        return Ok(Exit::Ok);
    }
    block_on(async {
        let mut signals = Signals::new()?;
        let engine = connect(global, Purpose::Write).await?;
        let display = Display::new(global).quiet_build(arguments.quiet);
        let nobody = Lock::default();
        let stage = Stage::new(global, &engine, &display, &nobody);
        if !arguments.no_up {
            bring_up(stage, &stack, &arguments.services, &mut signals).await?;
        }
        watching.run(stage, &stack, &mut signals).await?;
        Ok(Exit::Interrupted)
    })
}

/// Makes the stack as declared.
async fn bring_up(stage: Stage<'_>, stack: &Stack, services: &[String], signals: &mut Signals) -> Result<(), Failure> {
    let Stage { global, engine, .. } = stage;
    let lock = lock::take(global, engine, &stack.desired.project, "watch", signals).await?;
    let options = UpOptions { services: service_names(services), ..UpOptions::default() };
    let observed = stack.observe(engine).await?;
    let plan = up::plan(global, stack, &observed, &options)?;
    directory::check(global, stack, &observed, &plan, Rigour::Refuse)?;
    preflight::check(global, engine, stack, &observed, &plan, Rigour::Refuse).await?;
    converge(Stage { lock: &lock, ..stage }, stack, &options, signals).await
}

/// Builds what `options` ask for, and makes the rest of their services as declared.
async fn converge(stage: Stage<'_>, stack: &Stack, options: &UpOptions, signals: &mut Signals) -> Result<(), Failure> {
    let observed = stack.observe(stage.engine).await?;
    let plan = match up::refresh(stage, stack, &observed, options, signals).await? {
        Some((_, plan)) => plan,
        None => up::plan(stage.global, stack, &observed, options)?,
    };
    super::carry::perform(stage, &plan, signals).await
}

/// What is watched, from the beginning on: no change that comes while the stack is brought up is lost.
pub struct Watching {
    eyes: Eyes,
    /// What is copied before anything has changed.
    initial: BTreeMap<ServiceName, BTreeSet<Copy>>,
    prune: bool,
}

impl Watching {
    /// Begins to look at the sources of `services`, or of all. What is built for a service that is watched is built anew by the
    /// next `up`: its image has to be that of the sources as they are.
    ///
    /// # Errors
    /// An entry that cannot be followed; no entry at all; what the system refuses.
    pub fn open(global: &Global, stack: &mut Stack, services: &[String]) -> Result<Self, Failure> {
        let mut findings = Findings::new();
        let rules = Rules::new(&stack.project, &service_names(services), &mut findings);
        attach::builds(&stack.project, &mut findings);
        output::findings(&stack.files, &findings, global.verbose);
        if findings.has_errors() {
            return Err(load::refused());
        }
        if rules.is_empty() {
            let failure = Failure::new(Exit::File, "no service says what is to follow from a change of its sources");
            return Err(
                failure.hint("add `develop: {watch: [{path: ./src, action: sync, target: /app}]}` to a service")
            );
        }
        for (replica, container) in &mut stack.desired.containers {
            let is_watched = rules.iter().any(|rule| rule.service == replica.service);
            if is_watched && stack.desired.builds.contains_key(&replica.service) {
                Arc::make_mut(container).pull_policy = Some("build".to_owned());
            }
        }
        let (eyes, there) = Eyes::open(rules)?;
        let initial = eyes.rules().initial(&there);
        Ok(Self { eyes, initial, prune: true })
    }

    /// What follows from what, a line each.
    fn plan(&self) -> String {
        let line = |rule: &bowline::watch::Rule| {
            format!("{}: {} on a change of {}\n", rule.service, rule.watch.action.word(), rule.watch.path.display())
        };
        self.eyes.rules().iter().map(line).collect()
    }

    /// Carries changes out until a signal comes. What fails is told, and the next change is awaited: it may mend it.
    ///
    /// # Errors
    /// When the Engine does not answer any more, or changes cannot be seen.
    pub async fn run(&mut self, stage: Stage<'_>, stack: &Stack, signals: &mut Signals) -> Result<(), Failure> {
        let hands = Hands { stage, stack, prune: self.prune };
        let initial = Work { copies: std::mem::take(&mut self.initial), ..Work::default() };
        tell(stage.display, "Watch enabled");
        hands.carry_out(initial, signals).await?;
        loop {
            let changed = tokio::select! {
                changed = self.eyes.next() => changed?,
                () = signals.next() => return Ok(()),
            };
            match hands.carry_out(self.eyes.rules().work(&changed), signals).await {
                Err(failure) if failure.kind == Exit::Interrupted => return Ok(()),
                end => end?,
            }
        }
    }
}

impl From<EyesError> for Failure {
    fn from(error: EyesError) -> Self {
        Self::new(Exit::StepFailed, error)
    }
}

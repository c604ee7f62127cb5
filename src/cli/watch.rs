//! `bowline watch`, and what `up --watch` does beside its logs.

use std::collections::{BTreeMap, BTreeSet};

use bowline::compose::attach;
use bowline::compose::model::Hook;
use bowline::engine::Listed;
use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::plan::lifecycle::{Change, LifecycleOptions, lifecycle};
use bowline::plan::up::{Reach, UpOptions};
use bowline::run::run_hook;
use bowline::state::desired::DesiredOptions;
use bowline::watch::{Copy, Eyes, EyesError, Rules, Work, carry};
use clap::Args;

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
    let mut stack = Stack::whole(global, &arguments.services, &DesiredOptions::default())?;
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
                container.pull_policy = Some("build".to_owned());
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

/// What carries work out.
struct Hands<'a> {
    stage: Stage<'a>,
    stack: &'a Stack,
    prune: bool,
}

impl Hands<'_> {
    /// All of it, in docker compose's order. What cannot be done is told.
    async fn carry_out(&self, work: Work, signals: &mut Signals) -> Result<(), Failure> {
        let Work { rebuild, copies, restart, commands } = work;
        if !rebuild.is_empty() {
            survive(self.rebuild(&rebuild, signals).await)?;
        }
        for (service, copies) in &copies {
            survive(self.copy(service, copies).await)?;
        }
        if !restart.is_empty() {
            survive(self.restart(&restart, signals).await)?;
        }
        for (service, hook) in &commands {
            survive(self.command(service, hook).await)?;
        }
        Ok(())
    }

    async fn rebuild(&self, services: &BTreeSet<ServiceName>, signals: &mut Signals) -> Result<(), Failure> {
        let Stage { global, engine, .. } = self.stage;
        let project = &self.stack.desired.project;
        self.tell(&format!("Rebuilding service(s) {} after changes were detected...", named(services)));
        let lock = lock::take(global, engine, project, "watch", signals).await?;
        let options = UpOptions {
            services: services.iter().cloned().collect(),
            reach: Reach::Named,
            build: Some(true),
            ..UpOptions::default()
        };
        converge(Stage { lock: &lock, ..self.stage }, self.stack, &options, signals).await?;
        self.tell(&format!("service(s) {} successfully built", named(services)));
        if self.prune {
            engine.prune_images(project.as_str()).await?;
        }
        Ok(())
    }

    async fn copy(&self, service: &ServiceName, copies: &BTreeSet<Copy>) -> Result<(), Failure> {
        let engine = self.stage.engine;
        self.tell(&format!("Syncing service {:?} after {} changes were detected", service.as_str(), copies.len()));
        for container in self.running(service).await? {
            if let Err(why) = carry(engine, container.id.as_str(), copies).await {
                let kind = if why.is_lost() { Exit::Unreachable } else { Exit::StepFailed };
                return Err(Failure::new(kind, format!("{}: {why}", container.name)));
            }
        }
        Ok(())
    }

    async fn restart(&self, services: &BTreeSet<ServiceName>, signals: &mut Signals) -> Result<(), Failure> {
        let Stage { global, engine, .. } = self.stage;
        let desired = &self.stack.desired;
        let lock = lock::take(global, engine, &desired.project, "watch", signals).await?;
        let observed = self.stack.observe(engine).await?;
        let services_of = services.iter().cloned().collect();
        let options = LifecycleOptions { services: services_of, ..LifecycleOptions::default() };
        let plan = lifecycle(&Change::Restart, &desired.project, Some(desired), &observed, &options);
        let plan = plan.map_err(super::carry::flaw)?;
        super::carry::perform(Stage { lock: &lock, ..self.stage }, &plan, signals).await?;
        self.tell(&format!("service(s) {} restarted", named(services)));
        Ok(())
    }

    /// Runs a command in each container; what it writes is shown.
    async fn command(&self, service: &ServiceName, hook: &Hook) -> Result<(), Failure> {
        for container in self.running(service).await? {
            let name = format!("`exec` in {}", container.name);
            match run_hook(self.stage.engine, container.id.as_str(), hook, &name).await {
                Ok(said) => self.tell(said.trim_end()),
                Err(why) => {
                    why.details.iter().for_each(|line| self.tell(line));
                    return Err(Failure::new(Exit::StepFailed, why.to_string()));
                }
            }
        }
        Ok(())
    }

    async fn running(&self, service: &ServiceName) -> Result<Vec<Listed>, Failure> {
        let listed = self.stage.engine.list(&self.stack.desired.project).await?;
        let of_service = |container: &Listed| container.service == service.as_str() && !container.one_off;
        let running: Vec<Listed> = listed.into_iter().filter(|c| of_service(c) && c.state == "running").collect();
        if running.is_empty() {
            self.tell(&format!("nothing of {service} runs: it has none of it"));
        }
        Ok(running)
    }

    fn tell(&self, text: &str) {
        tell(self.stage.display, text);
    }
}

/// Writes a line of ours to standard output, where docker compose writes it, between the lines of the services.
fn tell(display: &Display, text: &str) {
    if text.is_empty() {
        return;
    }
    display.clear();
    let _ = output::answer(text);
    display.redraw();
}

/// `["api" "web"]`, as docker compose writes a list.
fn named(services: &BTreeSet<ServiceName>) -> String {
    let quoted: Vec<String> = services.iter().map(|service| format!("{:?}", service.as_str())).collect();
    format!("[{}]", quoted.join(" "))
}

/// A failure ends the watch only where nothing can come after it: the Engine is gone, or the person wants to leave.
fn survive(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if matches!(failure.kind, Exit::Unreachable | Exit::Interrupted) => Err(failure),
        Err(failure) => {
            output::failure(&failure);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

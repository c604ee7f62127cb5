//! `bowline up`.

pub mod spread;

use std::time::Duration;

use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::plan::images;
use bowline::plan::up::{Reach, Recreate, UpOptions, up};
use bowline::plan::{Cause, Plan};
use bowline::report::logs::Look;
use bowline::run::HealthBy;
use bowline::state::desired::DesiredOptions;
use bowline::state::observed::Observed;
use clap::{Args, ValueEnum};

use super::args::{Global, grace, switch};
use super::attached::{self, Attached, Ending};
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Ahead, Asked, Purpose};
use super::exit::{Exit, Failure};
use super::preflight::{self, Rigour};
use super::restore::restore;
use super::signals::Signals;
use super::spread::{Spread, is_spread};
use super::stack::{Stack, no_such_service, service_names};
use super::watch::Watching;
use super::{block_on, directory, leave, lock, output};

/// Create and start the stack
///
/// What is right stays untouched, what differs is replaced for a reason that is told, what is missing is made. Without `-d` the
/// output of the services is followed until Ctrl-C stops them; once more kills them.
#[derive(Debug, Default, Args)]
#[command(after_help = "Exit codes: with --verify also 71, something is refuted, and 73, something could not be told")]
pub struct Arguments {
    /// Return when everything runs, and leave it running.
    #[arg(short, long, conflicts_with_all = ["abort_on_container_exit", "abort_on_container_failure", "exit_code_from",
          "attach", "attach_dependencies", "watch"])]
    detach: bool,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    following: Following,
    /// Make everything, start nothing.
    #[arg(long, conflicts_with_all = ["wait", "watch"])]
    no_start: bool,
    /// Return when every service runs, and is healthy where it has a check; implies `-d`.
    #[arg(long, conflicts_with_all = ["abort_on_container_exit", "abort_on_container_failure", "exit_code_from"])]
    wait: bool,
    /// Go on where preflight says that the Engine or its host would refuse, by the file alone or by what is there.
    #[arg(long)]
    no_preflight: bool,
    /// Who finds out that a service is healthy: the Engine, which checks first after the check's interval; or eagerly bowline as
    /// well, by the same check as soon as the container runs.
    #[arg(long, value_enum, value_name = "WHO", default_value_t)]
    health: Health,
    /// Prove afterwards that the stack is what its file says, as `verify` does; implies `-d`.
    #[arg(long, conflicts_with_all = ["no_start", "abort_on_container_exit", "abort_on_container_failure", "exit_code_from",
          "attach", "attach_dependencies"])]
    verify: bool,
    /// How long `--wait` waits, in seconds.
    #[arg(long, value_name = "SECONDS")]
    wait_timeout: Option<u64>,
    /// Follow the changes of the sources as well, as `watch` does.
    #[arg(short, long, conflicts_with_all = ["wait", "verify", "abort_on_container_exit", "abort_on_container_failure",
          "exit_code_from"])]
    watch: bool,
    /// Show nothing of what a builder says; where it fails, its last lines are told.
    #[arg(long)]
    quiet_build: bool,
    /// Keys to press while attached: there are none, so that only `--menu=false` can be said.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    menu: Option<bool>,
    /// Only these services, and what they depend on.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Make the stack and start nothing
#[derive(Clone, Debug, Args)]
pub struct Create {
    #[command(flatten)]
    changes: Changes,
    /// Go on where preflight says that the Engine or its host would refuse, by the file alone or by what is there.
    #[arg(long)]
    no_preflight: bool,
    /// Only these services, and what they depend on.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl From<Create> for Arguments {
    fn from(Create { changes, no_preflight, services }: Create) -> Self {
        Self { changes, no_preflight, services, no_start: true, ..Self::default() }
    }
}

/// Change how many containers services have
#[derive(Clone, Debug, Args)]
pub struct Scale {
    /// Leave alone what the services depend on.
    #[arg(long)]
    no_deps: bool,
    /// How many containers each has.
    #[arg(value_name = "SERVICE=NUMBER", value_parser = scale, required = true)]
    scale: Vec<(ServiceName, u32)>,
}

impl From<Scale> for Arguments {
    fn from(Scale { no_deps, scale }: Scale) -> Self {
        let services = scale.iter().map(|(service, _)| service.to_string()).collect();
        Self { detach: true, changes: Changes { no_deps, scale, ..Changes::default() }, services, ..Self::default() }
    }
}

/// Flags that `up`, `create` and `plan` have in common.
#[derive(Clone, Debug, Default, Args)]
pub struct Changes {
    /// Replace every container, also where nothing differs.
    #[arg(long, conflicts_with = "no_recreate")]
    force_recreate: bool,
    /// Replace nothing that is there, even where it differs.
    #[arg(long, conflicts_with = "renew_anon_volumes")]
    no_recreate: bool,
    /// Replace what the named services depend on as well.
    #[arg(long, conflicts_with = "no_recreate")]
    always_recreate_deps: bool,
    /// Leave alone what the named services depend on.
    #[arg(long)]
    no_deps: bool,
    /// Remove containers of services that the file does not define (any more).
    #[arg(long, env = "COMPOSE_REMOVE_ORPHANS", value_parser = switch, hide_env = true)]
    remove_orphans: bool,
    /// Make volumes without a name anew, instead of taking over those of the container before.
    #[arg(short = 'V', long)]
    renew_anon_volumes: bool,
    /// When to pull images, whatever the file says.
    #[arg(long, value_enum, value_name = "POLICY")]
    pull: Option<Pull>,
    /// Build images anew before anything else.
    #[arg(long, conflicts_with = "no_build")]
    build: bool,
    /// Build nothing, not even an image that is not there.
    #[arg(long)]
    no_build: bool,
    /// Say nothing of how far a pull is.
    #[arg(long)]
    quiet_pull: bool,
    /// How many containers a service has, whatever the file says; may be repeated.
    #[arg(long, value_name = "SERVICE=NUMBER", value_parser = scale)]
    scale: Vec<(ServiceName, u32)>,
    /// How long a container may take to stop, in seconds, before it is killed; -1: as long as it takes.
    #[arg(short, long, value_name = "SECONDS", value_parser = grace, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Ask nothing: bowline never does.
    #[arg(short, long)]
    yes: bool,
}

/// `--pull`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pull {
    Always,
    #[value(alias = "if_not_present")]
    Missing,
    Never,
    /// What has a `build` is built anew, and nothing is pulled.
    Build,
}

impl Pull {
    /// As the file writes it.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// `--health`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Health {
    /// The Engine, when its interval is over.
    #[default]
    Engine,
    /// Whoever is first.
    Eager,
}

impl From<Health> for HealthBy {
    fn from(health: Health) -> Self {
        match health {
            Health::Engine => Self::Engine,
            Health::Eager => Self::Eager,
        }
    }
}

/// Whose output is followed, and what ends it.
#[derive(Debug, Default, Args)]
pub struct Following {
    /// Stop everything when a container ends.
    #[arg(long)]
    abort_on_container_exit: bool,
    /// Stop everything when a container ends with another code than 0.
    #[arg(long, conflicts_with = "abort_on_container_exit")]
    abort_on_container_failure: bool,
    /// Stop everything when this service's container ends, and exit with its code.
    #[arg(long, value_name = "SERVICE")]
    exit_code_from: Option<String>,
    /// Follow only these services; may be repeated.
    #[arg(long, value_name = "SERVICE", conflicts_with = "attach_dependencies")]
    attach: Vec<String>,
    /// Follow also what the named services depend on.
    #[arg(long)]
    attach_dependencies: bool,
    /// Do not follow this service; may be repeated.
    #[arg(long, value_name = "SERVICE")]
    no_attach: Vec<String>,
    /// No colours in the output of services.
    #[arg(long)]
    no_color: bool,
    /// No names in front of the output of services.
    #[arg(long)]
    no_log_prefix: bool,
    /// The time in front of each line of output.
    #[arg(long)]
    timestamps: bool,
}

/// `web=3`.
fn scale(text: &str) -> Result<(ServiceName, u32), String> {
    let (service, count) = text.split_once('=').ok_or("SERVICE=NUMBER is meant")?;
    let count = count.parse().map_err(|_| format!("`{count}` is not a number of containers"))?;
    Ok((service.parse().map_err(|why: bowline::name::BadName| why.to_string())?, count))
}

impl Changes {
    /// What the flags add to the file.
    pub fn desired(&self, global: &Global) -> DesiredOptions {
        DesiredOptions { scale: self.scale.iter().cloned().collect(), compatibility: global.compatibility }
    }

    /// What the flags say of the plan.
    pub fn options(&self, global: &Global, services: &[String]) -> UpOptions {
        UpOptions {
            services: service_names(services),
            reach: if self.no_deps { Reach::Named } else { Reach::Dependencies },
            recreate: match (self.force_recreate, self.no_recreate) {
                (true, _) => Recreate::Always,
                (_, true) => Recreate::Never,
                _ => Recreate::Drifted,
            },
            always_recreate_deps: self.always_recreate_deps,
            remove_orphans: self.remove_orphans,
            ignore_orphans: global.ignore_orphans,
            timeout: self.timeout,
            renew_anonymous_volumes: self.renew_anon_volumes,
            build: match (self.build, self.no_build) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            pull: self.pull.map(Pull::word),
            ..UpOptions::default()
        }
    }
}

/// Plans; what stands in the way is said, and ends the command before anything is changed.
pub fn plan(global: &Global, stack: &Stack, observed: &Observed, options: &UpOptions) -> Result<Plan, Failure> {
    let mut findings = Findings::new();
    let plan = up(&stack.desired, observed, options, &mut findings);
    output::findings(&stack.files, &findings, global.verbose);
    if findings.has_errors() {
        return Err(Failure::new(Exit::Preflight, "this Engine cannot hold the stack; nothing was changed"));
    }
    plan.map_err(carry::flaw)
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.menu == Some(true) {
        return Err(Failure::new(Exit::Usage, "an attached `up` has no menu of keys")
            .hint("`bowline ui` shows the stack live, `up --watch` follows the sources; `--menu=false` says the same as nothing"));
    }
    let changes = &arguments.changes;
    if changes.remove_orphans && global.ignore_orphans {
        let why = "COMPOSE_IGNORE_ORPHANS and --remove-orphans contradict each other";
        return Err(Failure::new(Exit::Usage, why).hint("COMPOSE_IGNORE_ORPHANS=0, or unset it"));
    }
    let (wanted, rigour) = (changes.desired(global), Rigour::of(arguments.no_preflight));
    let request = super::load::request(global, &arguments.services)?;
    let around = request.around();
    let ahead = Ahead::ask(global, Purpose::Write, &around)?;
    let loaded = bowline::compose::load(&request);
    if is_spread(global, &loaded) {
        let spread = Spread::of(global, Some(Purpose::Write), loaded, &wanted, rigour)?;
        return over_hosts(global, arguments, spread);
    }
    let mut stack = Stack::settled(global, Purpose::Write, loaded, &wanted, rigour)?;
    let mut watching = match arguments.watch && !global.dry_run {
        true => Some(Watching::open(global, &mut stack, &arguments.services)?),
        false => None,
    };
    for service in changes.scale.iter().map(|(service, _)| service.as_str()).chain(arguments.following.services()) {
        known(&stack, service)?;
    }
    let options = arguments.options(global);
    match ahead.block_on(async |asked| converge(global, arguments, &stack, &options, watching.as_mut(), asked).await)? {
        Exit::Ok if arguments.verify && !global.dry_run => super::verify::after_up(global, stack, &changes.scale),
        exit => {
            leave(stack);
            Ok(exit)
        }
    }
}

/// Runs `create`: makes everything and starts nothing.
pub fn create(global: &Global, arguments: &Create) -> Result<Exit, Failure> {
    run(global, &arguments.clone().into())
}

/// Runs `scale`.
pub fn scale_to(global: &Global, arguments: &Scale) -> Result<Exit, Failure> {
    run(global, &arguments.clone().into())
}

/// The same for a stack on several hosts.
fn over_hosts(global: &Global, arguments: &Arguments, spread: Spread) -> Result<Exit, Failure> {
    spread::refuse(arguments, &spread)?;
    match block_on(spread::converge(global, arguments, &spread, &arguments.options(global)))? {
        Exit::Ok if arguments.verify && !global.dry_run => {
            super::verify::after_up_over(global, spread, &arguments.changes.scale)
        }
        exit => Ok(exit),
    }
}

impl Arguments {
    /// What they say of the plan.
    fn options(&self, global: &Global) -> UpOptions {
        UpOptions {
            no_start: self.no_start,
            wait: self.wait,
            wait_timeout: self.wait_timeout.map(Duration::from_secs),
            ..self.changes.options(global, &self.services)
        }
    }
}

async fn converge(
    global: &Global,
    arguments: &Arguments,
    stack: &Stack,
    options: &UpOptions,
    watching: Option<&mut Watching>,
    Asked { engine, survey, at }: Asked,
) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let lock = lock::take(global, &engine, &stack.desired.project, "up", &mut signals).await?;
    let survey = if lock.was_free_since(at) { survey } else { engine.survey() };
    let mut observed = stack.observe_after(&engine, survey).await?;
    let mut plan = plan(global, stack, &observed, options)?;
    directory::check(global, stack, &observed, &plan, Rigour::Refuse)?;
    let mut passed = stack.passed.clone();
    let rigour = Rigour::of(arguments.no_preflight);
    passed.extend(preflight::check(global, &engine, stack, &observed, &plan, rigour).await?);
    let display = Display::new(global).quiet_pull(arguments.changes.quiet_pull).quiet_build(arguments.quiet_build);
    let stage = Stage { health: arguments.health.into(), ..Stage::new(global, &engine, &display, &lock) };
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    if let Some(anew) = refresh(stage, stack, &observed, options, &mut signals).await? {
        (observed, plan) = anew;
    }
    tell_why(&plan, &display);
    if arguments.detach || arguments.wait || arguments.verify || arguments.no_start {
        let done = detached(stage, stack, (&observed, &plan), options, &mut signals).await;
        leave((observed, plan));
        return done.map_err(|failure| failure.told_as(&passed));
    }
    let attached = Attached {
        stage,
        stack,
        observed: &observed,
        ending: arguments.following.ending(),
        look: arguments.following.look(),
        services: arguments.following.attached(stack, &arguments.services),
        options,
    };
    let done = attached::run(&attached, &plan, &mut signals, watching).await;
    done.map_err(|failure| failure.told_as(&passed))
}

/// Makes the images that are asked for anew; what the Engine holds then, and what is left to do; none where no image is.
pub async fn refresh(
    stage: Stage<'_>,
    stack: &Stack,
    observed: &Observed,
    options: &UpOptions,
    signals: &mut Signals,
) -> Result<Option<(Observed, Plan)>, Failure> {
    let images = images::refresh(&stack.desired, observed, options).map_err(carry::flaw)?;
    if images.is_empty() {
        return Ok(None);
    }
    carry::perform(stage, &images, signals).await?;
    let observed = stack.observe(stage.engine).await?;
    let plan = plan(stage.global, stack, &observed, &UpOptions { refreshed: true, ..options.clone() })?;
    Ok(Some((observed, plan)))
}

/// Says for what reason anything that is there is touched.
fn tell_why(plan: &Plan, display: &Display) {
    for line in plan.lines() {
        let told = !matches!(plan.step(line.id).cause, Cause::Missing | Cause::Awaited(_));
        if let Some(reason) = line.reason.filter(|_| told) {
            display.remark(&format!("{}: {reason}", line.operation));
        }
    }
}

async fn detached(
    stage: Stage<'_>,
    stack: &Stack,
    (observed, plan): (&Observed, &Plan),
    options: &UpOptions,
    signals: &mut Signals,
) -> Result<Exit, Failure> {
    if plan.is_empty() {
        stage.display.remark(&format!("{} is as declared: nothing to do", stack.desired.project));
        return Ok(Exit::Ok);
    }
    let outcomes = carry::carry_out(stage, plan, signals, std::future::pending()).await;
    if outcomes.has_stuck() {
        let plan = anew(stage, stack, options).await?;
        let outcomes = carry::carry_out(stage, &plan, signals, std::future::pending()).await;
        return carry::verdict(&plan, &outcomes).map(|()| Exit::Ok);
    }
    match carry::verdict(plan, &outcomes) {
        Ok(()) => Ok(Exit::Ok),
        Err(failure) => Err(restore(stage, stack, observed, (plan, &outcomes), signals, failure).await),
    }
}

/// The plan that makes those containers anew that turned out to be stuck: only now the Engine tells which ones. A second time it would be
/// another cause.
pub async fn anew(stage: Stage<'_>, stack: &Stack, options: &UpOptions) -> Result<Plan, Failure> {
    stage.display.remark(
        "an Engine that was killed left processes of containers that it does not know to run: these are made anew",
    );
    let observed = stack.observe(stage.engine).await?;
    plan(stage.global, stack, &observed, &UpOptions { refreshed: true, ..options.clone() })
}

/// A service that the file defines.
fn known(stack: &Stack, name: &str) -> Result<(), Failure> {
    match stack.desired.declares(name) {
        true => Ok(()),
        false => Err(no_such_service(name, &stack.desired.services)),
    }
}

impl Following {
    /// Every service that is named.
    fn services(&self) -> impl Iterator<Item = &str> {
        self.exit_code_from.iter().chain(&self.attach).chain(&self.no_attach).map(String::as_str)
    }

    fn ending(&self) -> Ending {
        match &self.exit_code_from {
            Some(service) => Ending::Of(service.clone()),
            None if self.abort_on_container_exit => Ending::Any,
            None if self.abort_on_container_failure => Ending::Failure,
            None => Ending::All,
        }
    }

    fn look(&self) -> Look {
        Look { no_prefix: self.no_log_prefix, timestamps: self.timestamps, no_color: self.no_color }
    }

    /// The services whose output is followed: those that are named by `--attach` or on the command line, or all but those
    /// that say `attach: false`.
    fn attached(&self, stack: &Stack, named: &[String]) -> Vec<String> {
        let wanted = |name: &str, by_file: bool| {
            let chosen = match (self.attach.is_empty(), named.is_empty() || self.attach_dependencies) {
                (false, _) => self.attach.iter().any(|service| service == name),
                (true, true) => by_file,
                (true, false) => named.iter().any(|service| service == name),
            };
            chosen && !self.no_attach.iter().any(|service| service == name)
        };
        let services = stack.project.services.values();
        let chosen = services.filter(|service| wanted(service.name.as_str(), service.attach));
        chosen.map(|service| service.name.to_string()).collect()
    }
}

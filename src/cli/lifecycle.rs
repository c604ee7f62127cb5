//! `bowline stop`, `start`, `restart`, `kill`, `pause`, `unpause` and `rm`.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use bowline::plan::lifecycle::{Change, LifecycleOptions, lifecycle};
use bowline::plan::{Operation, Plan, Target};
use clap::Args;

use super::args::{Global, grace};
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, directory, lock, output};

/// Stop containers without removing them; dependents first
#[derive(Debug, Args)]
pub struct Stop {
    /// How long a container may take to stop, in seconds, before it is killed; -1: as long as it takes.
    #[arg(short, long, value_name = "SECONDS", value_parser = grace, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Start containers that are there and do not run; each when what it depends on is there
#[derive(Debug, Args)]
pub struct Start {
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Stop and start containers
#[derive(Debug, Args)]
pub struct Restart {
    /// How long a container may take to stop, in seconds, before it is killed; -1: as long as it takes.
    #[arg(short, long, value_name = "SECONDS", value_parser = grace, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// In no order: nothing waits for what it depends on.
    #[arg(long)]
    no_deps: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Send a signal to containers that run; by default SIGKILL, which nothing survives
#[derive(Debug, Args)]
pub struct Kill {
    /// Containers of services that the file does not define as well: bowline always does.
    #[arg(long)]
    remove_orphans: bool,
    /// The signal, by name or number.
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    signal: String,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Hold containers still, with everything that they hold in memory
#[derive(Debug, Args)]
pub struct Pause {
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Let containers that are held still go on
#[derive(Debug, Args)]
pub struct Unpause {
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Remove containers that do not run
#[derive(Debug, Args)]
pub struct Rm {
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
    /// Stop those that run, and remove them as well.
    #[arg(short, long)]
    stop: bool,
    /// With their volumes that have no name.
    #[arg(short, long)]
    volumes: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// What they have in common.
pub struct Asked<'a> {
    change: Change,
    services: &'a [String],
    timeout: Option<Duration>,
    no_deps: bool,
    /// Whether somebody must say yes first.
    asks: bool,
}

impl<'a> Asked<'a> {
    fn new(change: Change, services: &'a [String]) -> Self {
        Self { change, services, timeout: None, no_deps: false, asks: false }
    }
}

impl<'a> From<&'a Stop> for Asked<'a> {
    fn from(Stop { timeout, services }: &'a Stop) -> Self {
        Self { timeout: *timeout, ..Self::new(Change::Stop, services) }
    }
}

impl<'a> From<&'a Start> for Asked<'a> {
    fn from(Start { services }: &'a Start) -> Self {
        Self::new(Change::Start, services)
    }
}

impl<'a> From<&'a Restart> for Asked<'a> {
    fn from(Restart { timeout, no_deps, services }: &'a Restart) -> Self {
        Self { timeout: *timeout, no_deps: *no_deps, ..Self::new(Change::Restart, services) }
    }
}

impl<'a> From<&'a Kill> for Asked<'a> {
    fn from(Kill { signal, services, remove_orphans: _ }: &'a Kill) -> Self {
        Self::new(Change::Kill { signal: signal.clone() }, services)
    }
}

impl<'a> From<&'a Pause> for Asked<'a> {
    fn from(Pause { services }: &'a Pause) -> Self {
        Self::new(Change::Pause, services)
    }
}

impl<'a> From<&'a Unpause> for Asked<'a> {
    fn from(Unpause { services }: &'a Unpause) -> Self {
        Self::new(Change::Unpause, services)
    }
}

impl<'a> From<&'a Rm> for Asked<'a> {
    fn from(Rm { force, stop, volumes, services }: &'a Rm) -> Self {
        let change = Change::Remove { stop: *stop, volumes: *volumes };
        Self { asks: !force, ..Self::new(change, services) }
    }
}

/// Runs the command.
pub fn run<'a>(global: &Global, asked: impl Into<Asked<'a>>) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(change(global, &asked.into(), &named))
}

async fn change(global: &Global, asked: &Asked<'_>, named: &Named) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let engine = connect(global, Purpose::Write).await?;
    let lock = lock::take(global, &engine, named.name(), asked.change.word(), &mut signals).await?;
    let observed = named.observe(&engine).await?;
    let options = LifecycleOptions {
        services: named.services(asked.services, &observed)?,
        timeout: asked.timeout,
        no_deps: asked.no_deps,
    };
    let plan = lifecycle(&asked.change, named.name(), named.desired(), &observed, &options).map_err(carry::flaw)?;
    directory::check_named(global, named, &observed, &plan)?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    if matches!(asked.change, Change::Start) && observed.containers.is_empty() {
        let failure = Failure::new(Exit::StepFailed, format!("{} has no container to start", named.name()));
        return Err(failure.hint("`bowline up -d` makes what is missing, and starts it"));
    }
    let display = Display::new(global);
    if plan.is_empty() {
        display.remark(&format!("nothing of {} to {}", named.name(), asked.change.word()));
    } else if asked.asks && !says_yes(&plan)? {
        display.remark("nothing was removed");
        return Ok(Exit::Ok);
    }
    carry::perform(Stage::new(global, &engine, &display, &lock), &plan, &mut signals).await?;
    Ok(Exit::Ok)
}

/// Tells what goes, and reads a line of yes or no.
///
/// # Errors
/// Where nobody can answer.
fn says_yes(plan: &Plan) -> Result<bool, Failure> {
    let goes = plan.steps().filter_map(|(_, step)| match &step.operation {
        Operation::Remove { container: Target::Existing { name, .. }, .. } => Some(name.as_str()),
        _ => None,
    });
    let mut out = anstream::stderr().lock();
    write!(out, "Going to remove {}\nAre you sure? [y/N] ", goes.collect::<Vec<_>>().join(", "))?;
    out.flush()?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer)? == 0 && !std::io::stdin().is_terminal() {
        writeln!(out)?;
        return Err(Failure::new(Exit::Usage, "nobody said yes; nothing was removed").hint("`-f` does not ask"));
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

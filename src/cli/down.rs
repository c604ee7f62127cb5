//! `bowline down`.

mod spread;

use std::time::Duration;

use bowline::finding::{Code, Findings};
use bowline::name::ServiceName;
use bowline::plan::Plan;
use bowline::plan::down::{self, DownOptions, down};
use bowline::state::observed::Gap;
use clap::{Args, ValueEnum};

use super::args::{Global, grace, switch};
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::{Found, Named};
use super::{block_on, directory, lock, output};

/// How often it is looked again whether something of the stack has appeared meanwhile.
const LOOKS: usize = 3;

/// Stop and remove the stack's containers and networks
///
/// What belongs to the stack is known by its labels. It goes on past a failure, tells who holds what could not be removed, and
/// exits with 72 when something of the stack is left.
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// Remove containers of services that the file does not define.
    #[arg(long, env = "COMPOSE_REMOVE_ORPHANS", value_parser = switch, hide_env = true)]
    remove_orphans: bool,
    /// Remove images as well: all that the services use, or those that were built for them and have no name of their own.
    #[arg(long, value_enum, value_name = "WHICH")]
    rmi: Option<Images>,
    /// How long a container may take to stop, in seconds, before it is killed; -1: as long as it takes.
    #[arg(short, long, value_name = "SECONDS", value_parser = grace, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Remove the volumes as well, those with a name and those without.
    #[arg(short, long)]
    volumes: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--rmi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Images {
    All,
    Local,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    match Found::find(global)? {
        Found::One(named) => block_on(take_away(global, arguments, &named)),
        Found::Spread(spread) => block_on(spread::take_away(global, arguments, &spread)),
    }
}

async fn take_away(global: &Global, arguments: &Arguments, named: &Named) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let engine = connect(global, Purpose::Write).await?;
    let lock = lock::take(global, &engine, named.name(), "down", &mut signals).await?;
    let observed = named.look_everywhere(&engine).await?;
    observed.gaps.iter().for_each(|gap| output::remark(&gap.to_string()));
    let options = options(global, arguments, named.services(&arguments.services, &observed)?);
    let mut findings = Findings::new();
    let plan = down(named.name(), named.desired(), &observed, &options, &mut findings);
    output::findings(named.files(), &findings, global.verbose);
    let plan = plan.map_err(carry::flaw)?;
    directory::check_named(global, named, &observed, &plan)?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    let display = Display::new(global);
    if plan.is_empty() && observed.gaps.is_empty() {
        display.remark(&format!("nothing of {} is there", named.name()));
    }
    let stage = Stage::new(global, &engine, &display, &lock);
    let done = perform(stage, &plan, &mut signals).await;
    // what the Engine did not tell of may be what the rest failed for, and is asked for again
    if let Err(failure) = done
        && (observed.gaps.is_empty() || failure.kind != Exit::Leftovers)
    {
        return Err(failure);
    }
    let gaps = take_latecomers(stage, named, &options, &mut signals).await?;
    let stays = findings.iter().any(|finding| finding.code == Code::StillUsed);
    match gaps.first() {
        Some(gap) => {
            Err(Failure::new(Exit::Leftovers, gap.to_string()).hint("what it does not tell of was left as it is"))
        }
        None if stays => Ok(Exit::Leftovers),
        None => Ok(Exit::Ok),
    }
}

fn options(global: &Global, arguments: &Arguments, services: Vec<ServiceName>) -> DownOptions {
    DownOptions {
        services,
        volumes: arguments.volumes,
        remove_orphans: arguments.remove_orphans,
        ignore_orphans: global.ignore_orphans,
        images: arguments.rmi.map(|which| match which {
            Images::All => down::Images::All,
            Images::Local => down::Images::Local,
        }),
        timeout: arguments.timeout,
        own_name: false,
    }
}

/// What a killed `up` had asked of the Engine may appear while the rest goes, so the stack is looked at until there is nothing; what the
/// Engine did not tell of at last.
async fn take_latecomers(
    stage: Stage<'_>,
    named: &Named,
    options: &DownOptions,
    signals: &mut Signals,
) -> Result<Vec<Gap>, Failure> {
    let options = DownOptions { images: None, ..options.clone() };
    let mut gaps = vec![];
    for _ in 0..LOOKS {
        let observed = named.look_everywhere(stage.engine).await?;
        gaps.clone_from(&observed.gaps);
        let plan = down(named.name(), named.desired(), &observed, &options, &mut Findings::new());
        let plan = plan.map_err(carry::flaw)?;
        if plan.is_empty() {
            break;
        }
        perform(stage, &plan, signals).await?;
    }
    Ok(gaps)
}

/// Carries out what takes away; where a step failed, something is left.
async fn perform(stage: Stage<'_>, plan: &Plan, signals: &mut Signals) -> Result<(), Failure> {
    carry::perform(stage, plan, signals).await.map_err(|failure| match failure.kind {
        Exit::StepFailed => Failure { kind: Exit::Leftovers, ..failure },
        _ => failure,
    })
}

//! `bowline down`.

use std::time::Duration;

use bowline::finding::{Code, Findings};
use bowline::plan::down::{self, DownOptions, down};
use clap::{Args, ValueEnum};

use super::args::Global;
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, directory, lock, output};

/// Stop and remove the stack's containers and networks
///
/// What belongs to the stack is known by its labels. It goes on past a failure, tells who holds what could not be removed, and
/// exits with 72 when something of the stack is left.
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// Remove containers of services that the file does not define.
    #[arg(long, env = "COMPOSE_REMOVE_ORPHANS", value_parser = clap::builder::FalseyValueParser::new(), hide_env = true)]
    remove_orphans: bool,
    /// Remove images as well: all that the services use, or those that were built for them and have no name of their own.
    #[arg(long, value_enum, value_name = "WHICH")]
    rmi: Option<Images>,
    /// How long a container may take to stop, in seconds, before it is killed.
    #[arg(short, long, value_name = "SECONDS")]
    timeout: Option<u64>,
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
    let named = Named::find(global)?;
    block_on(take_away(global, arguments, &named))
}

async fn take_away(global: &Global, arguments: &Arguments, named: &Named) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let engine = connect(global, Purpose::Write).await?;
    let _lock = lock::take(global, &engine, named.name(), "down", &mut signals).await?;
    let observed = named.observe(&engine).await?;
    let options = DownOptions {
        services: named.services(&arguments.services, &observed)?,
        volumes: arguments.volumes,
        remove_orphans: arguments.remove_orphans,
        images: arguments.rmi.map(|which| match which {
            Images::All => down::Images::All,
            Images::Local => down::Images::Local,
        }),
        timeout: arguments.timeout.map(Duration::from_secs),
    };
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
    if plan.is_empty() {
        display.remark(&format!("nothing of {} is there", named.name()));
    }
    let done = carry::perform(Stage::new(global, &engine, &display), &plan, &mut signals).await;
    done.map_err(|failure| match failure.kind {
        Exit::StepFailed => Failure { kind: Exit::Leftovers, ..failure },
        _ => failure,
    })?;
    let stays = findings.iter().any(|finding| finding.code == Code::StillUsed);
    Ok(if stays { Exit::Leftovers } else { Exit::Ok })
}

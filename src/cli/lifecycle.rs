//! `bowline stop`, `start` and `restart`.

use std::time::Duration;

use bowline::plan::lifecycle::{Change, LifecycleOptions, lifecycle};
use clap::Args;

use super::args::Global;
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, lock, output};

/// Stop containers without removing them; dependents first
#[derive(Debug, Args)]
pub struct Stop {
    /// How long a container may take to stop, in seconds, before it is killed.
    #[arg(short, long, value_name = "SECONDS")]
    timeout: Option<u64>,
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
    /// How long a container may take to stop, in seconds, before it is killed.
    #[arg(short, long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// In no order.
    #[arg(long)]
    no_deps: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// What the three have in common.
pub struct Asked<'a> {
    change: Change,
    word: &'static str,
    services: &'a [String],
    timeout: Option<u64>,
    no_deps: bool,
}

impl<'a> From<&'a Stop> for Asked<'a> {
    fn from(Stop { timeout, services }: &'a Stop) -> Self {
        Self { change: Change::Stop, word: "stop", services, timeout: *timeout, no_deps: false }
    }
}

impl<'a> From<&'a Start> for Asked<'a> {
    fn from(Start { services }: &'a Start) -> Self {
        Self { change: Change::Start, word: "start", services, timeout: None, no_deps: false }
    }
}

impl<'a> From<&'a Restart> for Asked<'a> {
    fn from(Restart { timeout, no_deps, services }: &'a Restart) -> Self {
        Self { change: Change::Restart, word: "restart", services, timeout: *timeout, no_deps: *no_deps }
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
    let _lock = match global.dry_run {
        true => None,
        false => Some(lock::take(&engine, named.name(), asked.word, &mut signals).await?),
    };
    let observed = named.observe(&engine).await?;
    let options = LifecycleOptions {
        services: named.services(asked.services, &observed)?,
        timeout: asked.timeout.map(Duration::from_secs),
        no_deps: asked.no_deps,
    };
    let plan = lifecycle(asked.change, named.name(), &observed, &options).map_err(carry::flaw)?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    let display = Display::new(global);
    if plan.is_empty() {
        display.remark(&format!("nothing of {} to {}", named.name(), asked.word));
    }
    let stage = Stage::new(global, &engine, &display);
    let outcomes = carry::carry_out(stage, &plan, &mut signals, std::future::pending()).await;
    carry::verdict(&plan, &outcomes)?;
    Ok(Exit::Ok)
}

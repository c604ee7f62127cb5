//! `bowline ps`.

use std::time::{SystemTime, UNIX_EPOCH};

use bowline::engine::Listed;
use bowline::report::containers::{self, Length};
use bowline::report::form::{self, Form};
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output};

/// List the containers of the stack
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also those that do not run, and those that `run` made.
    #[arg(short, long)]
    all: bool,
    /// Only those for which this holds: `status=running`.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Form of the answer: `table`, `json` (one object a line), `table TEMPLATE` or `TEMPLATE` in Go's language.
    #[arg(long, default_value = "table")]
    format: Form,
    /// Do not cut long values.
    #[arg(long)]
    no_trunc: bool,
    /// Whether to list services that the file does not define.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    orphans: bool,
    /// Only the ids.
    #[arg(short, long)]
    quiet: bool,
    /// Only the names of the services.
    #[arg(long)]
    services: bool,
    /// Only those in this state; may be repeated.
    #[arg(long, value_enum)]
    status: Vec<Status>,
    /// Only the containers of these services.
    #[arg(value_name = "SERVICE")]
    only: Vec<String>,
}

/// `--status`: the Engine's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Status {
    Paused,
    Restarting,
    Removing,
    Running,
    Dead,
    Created,
    Exited,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Created => "created",
            Self::Exited => "exited",
        }
    }
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let states = states(arguments)?;
    let named = Named::find(global)?;
    let listed = block_on(async { Ok(connect(global, Purpose::Read).await?.list(named.name()).await?) })?;
    let declared = |service: &str| named.desired().is_none_or(|desired| desired.declares(service));
    named.known(&arguments.only, &listed)?;
    let shown = |container: &&Listed| {
        (arguments.all || !container.one_off)
            && (arguments.orphans || declared(&container.service))
            && (arguments.only.is_empty() || arguments.only.contains(&container.service))
            && match states.is_empty() {
                true => arguments.all || container.is_up(),
                false => states.contains(&container.state.as_str()),
            }
    };
    let shown: Vec<&Listed> = listed.iter().filter(shown).collect();
    output::answer(&text(arguments, &shown, named.name())?)?;
    Ok(Exit::Ok)
}

/// The states that `--status` and `--filter status=` name together.
fn states(arguments: &Arguments) -> Result<Vec<&'static str>, Failure> {
    let mut states: Vec<&str> = arguments.status.iter().map(|status| status.word()).collect();
    for filter in &arguments.filter {
        let word = filter.strip_prefix("status=").ok_or_else(|| {
            Failure::new(Exit::Usage, format!("`{filter}` is no filter")).hint("the one filter is `status=STATE`")
        })?;
        let status = Status::from_str(word, true).map_err(|_| {
            Failure::new(Exit::Usage, format!("`{word}` is no state of a container"))
                .hint("paused, restarting, removing, running, dead, created or exited")
        })?;
        states.push(status.word());
    }
    Ok(states)
}

fn text(arguments: &Arguments, shown: &[&Listed], project: &bowline::name::ProjectName) -> Result<String, Failure> {
    let lines = |items: Vec<&str>| items.iter().map(|item| format!("{item}\n")).collect::<String>();
    if arguments.quiet {
        return Ok(lines(shown.iter().map(|container| container.id.as_str()).collect()));
    }
    if arguments.services {
        let mut services: Vec<&str> = shown.iter().map(|container| container.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        return Ok(lines(services));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let length = if arguments.no_trunc { Length::Whole } else { Length::Cut };
    let rows = containers::rows(shown, project, now, length, local_time);
    form::render(&arguments.format, &rows, &containers::COLUMNS, &containers::HEADS).map_err(usage)
}

/// A template that does not fit.
pub fn usage(why: String) -> Failure {
    Failure::new(Exit::Usage, why)
}

/// `2026-11-21 18:51:56 +0000 UTC` in this machine's time zone.
fn local_time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_zoned(jiff::tz::TimeZone::system());
    time.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

//! `bowline ps`.

use std::time::{SystemTime, UNIX_EPOCH};

use bowline::engine::Listed;
use bowline::report::containers::{self, Length};
use bowline::report::form::{self, Form};
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::spread::{Spread, on};
use super::stack::{Found, no_such_service};
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
    match Found::find(global)? {
        Found::One(named) => {
            let listed = block_on(async { Ok(connect(global, Purpose::Read).await?.list(named.name()).await?) })?;
            named.known(&arguments.only, &listed)?;
            let declared = |service: &str| named.desired().is_none_or(|desired| desired.declares(service));
            let shown: Vec<&Listed> =
                listed.iter().filter(|one| is_shown(arguments, &states, one, &declared)).collect();
            output::answer(&text(arguments, &[(None, shown)], named.name())?)?;
        }
        Found::Spread(spread) => over_hosts(arguments, &states, &spread)?,
    }
    Ok(Exit::Ok)
}

/// The containers of all hosts, each with its host.
fn over_hosts(arguments: &Arguments, states: &[&'static str], spread: &Spread) -> Result<(), Failure> {
    let listed = block_on(async {
        let engines = spread.connect(Purpose::Read).await?;
        let each = spread
            .seats
            .iter()
            .zip(&engines)
            .map(async |(seat, engine)| engine.list(spread.name()).await.map_err(|why| on(&seat.name, why.into())));
        futures_util::future::try_join_all(each).await
    })?;
    let declared = |service: &str| {
        spread.services().contains(service) || spread.whole.inactive.iter().any(|inactive| inactive == service)
    };
    let there = |name: &str| declared(name) || listed.iter().flatten().any(|container| container.service == name);
    if let Some(wrong) = arguments.only.iter().find(|name| !there(name)) {
        return Err(no_such_service(wrong, spread.whole.services.keys()));
    }
    let shown: Vec<(Option<&str>, Vec<&Listed>)> = spread
        .seats
        .iter()
        .zip(&listed)
        .map(|(seat, all)| {
            let shown = all.iter().filter(|one| is_shown(arguments, states, one, &declared));
            (Some(seat.name.as_str()), shown.collect())
        })
        .collect();
    output::answer(&text(arguments, &shown, spread.name())?)
}

fn is_shown(
    arguments: &Arguments,
    states: &[&'static str],
    container: &Listed,
    declared: &dyn Fn(&str) -> bool,
) -> bool {
    (arguments.all || !container.one_off)
        && (arguments.orphans || declared(&container.service))
        && (arguments.only.is_empty() || arguments.only.contains(&container.service))
        && match states.is_empty() {
            true => arguments.all || container.is_up(),
            false => states.contains(&container.state.as_str()),
        }
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

/// The containers of each host; where there are several, each row has the name of its host.
fn text(
    arguments: &Arguments,
    shown: &[(Option<&str>, Vec<&Listed>)],
    project: &bowline::name::ProjectName,
) -> Result<String, Failure> {
    let lines = |items: Vec<&str>| items.iter().map(|item| format!("{item}\n")).collect::<String>();
    let all = || shown.iter().flat_map(|(_, containers)| containers);
    if arguments.quiet {
        return Ok(lines(all().map(|container| container.id.as_str()).collect()));
    }
    if arguments.services {
        let mut services: Vec<&str> = all().map(|container| container.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        return Ok(lines(services));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let length = if arguments.no_trunc { Length::Whole } else { Length::Cut };
    let mut rows = vec![];
    for (host, containers) in shown {
        for mut row in containers::rows(containers, project, now, length, local_time) {
            if let Some(host) = host {
                row.insert("Host".to_owned(), (*host).into());
            }
            rows.push(row);
        }
    }
    let is_spread = shown.iter().any(|(host, _)| host.is_some());
    let host = is_spread.then_some(("HOST", "Host"));
    let columns: Vec<(&str, &str)> = host.into_iter().chain(containers::COLUMNS).collect();
    form::render(&arguments.format, &rows, &columns, &containers::HEADS).map_err(usage)
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

//! `bowline logs`.

use std::time::{Duration, Instant};

use bowline::engine::{Engine, Error, Follower, Listed, LogOptions, Origin, Output};
use bowline::report::logs::{Look, Printer};
use clap::Args;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, lock, output};

/// Show the output of the services, in the order of time
///
/// With `--follow` it stays, also when a container is replaced or started again, and when the Engine is: for a minute it is waited for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Stay, and show what comes.
    #[arg(short, long)]
    follow: bool,
    /// Only the container of this number.
    #[arg(long, value_name = "NUMBER")]
    index: Option<u32>,
    /// No colours.
    #[arg(long)]
    no_color: bool,
    /// No names in front.
    #[arg(long)]
    no_log_prefix: bool,
    /// Not before this time: RFC 3339, seconds since 1970, or how long ago (`10m`).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// Only the last lines of each container; `all` for all.
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all", value_parser = tail, allow_negative_numbers = true)]
    tail: Tail,
    /// The time in front of each line.
    #[arg(short, long)]
    timestamps: bool,
    /// Not after this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<String>,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--tail`: none is all.
#[derive(Clone, Copy, Debug)]
struct Tail(Option<u64>);

fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" | "-1" => Ok(Tail(None)),
        _ => text.parse().map(|count| Tail(Some(count))).map_err(|_| "a number of lines, or `all`".to_owned()),
    }
}

/// A moment as the API takes it: seconds since 1970, with a fraction.
pub fn moment(text: &str) -> Result<String, String> {
    if text.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0) {
        return Ok(text.to_owned());
    }
    let time = match (text.parse::<jiff::Timestamp>(), text.parse::<jiff::SignedDuration>()) {
        (Ok(time), _) => time,
        (_, Ok(ago)) => jiff::Timestamp::now().checked_sub(ago).map_err(|why| why.to_string())?,
        _ => text
            .parse::<jiff::civil::DateTime>()
            .and_then(|local| local.to_zoned(jiff::tz::TimeZone::system()))
            .map_err(|_| format!("`{text}` is no time: 2026-11-21T18:24:22Z, 1795285462, or 10m for ten minutes ago"))?
            .timestamp(),
    };
    let nanoseconds = time.as_nanosecond();
    Ok(format!("{}.{:09}", nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000)))
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(show(global, arguments, &named))
}

async fn show(global: &Global, arguments: &Arguments, named: &Named) -> Result<Exit, Failure> {
    let engine = connect(global, Purpose::Read).await?;
    let listed = engine.list(named.name()).await?;
    named.known(&arguments.services, &listed)?;
    let mut shown: Vec<&Listed> = listed.iter().filter(|container| arguments.chooses(container)).collect();
    shown.sort_by_key(|container| &container.name);
    let look =
        Look { no_prefix: arguments.no_log_prefix, timestamps: arguments.timestamps, no_color: arguments.no_color };
    let mut printer = Printer::new(named.name().as_str(), look);
    shown.iter().for_each(|container| printer.expect(&container.name));
    match arguments.follow {
        false => print_all(&engine, arguments, &shown, &mut printer).await,
        true => follow(&engine, arguments, named, &shown, &mut printer).await,
    }
}

impl Arguments {
    fn chooses(&self, container: &Listed) -> bool {
        let number = container.replica.as_ref().map(|replica| replica.number);
        self.wants(&container.service, number) && !container.one_off
    }

    fn wants(&self, service: &str, number: Option<u32>) -> bool {
        (self.services.is_empty() || self.services.iter().any(|wanted| wanted == service))
            && self.index.is_none_or(|index| number == Some(index))
    }

    fn options(&self) -> LogOptions {
        LogOptions {
            follow: self.follow,
            tail: self.tail.0,
            since: self.since.clone(),
            until: self.until.clone(),
            timestamps: true,
        }
    }
}

/// What was written so far, all containers in one order of time: of each only its next line is at hand, so that long logs need no memory.
async fn print_all(
    engine: &Engine,
    arguments: &Arguments,
    shown: &[&Listed],
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let options = arguments.options();
    let reading = shown.iter().map(|container| engine.lines(Origin::from(*container), &options));
    let opened = futures_util::future::try_join_all(reading).await?;
    let mut sources = vec![];
    for mut lines in opened.into_iter().flatten() {
        if let Some(first) = lines.next().await? {
            sources.push((first, lines));
        }
    }
    let mut text = String::new();
    while let Some(earliest) = (0..sources.len()).min_by(|&a, &b| sources[a].0.time.cmp(&sources[b].0.time)) {
        let (line, lines) = &mut sources[earliest];
        text.push_str(&printer.line(line));
        text.push('\n');
        match lines.next().await? {
            Some(next) => *line = next,
            None => drop(sources.remove(earliest)),
        }
        if text.len() >= PAGE {
            output::answer(&text)?;
            text.clear();
        }
    }
    output::answer(&text)?;
    Ok(Exit::Ok)
}

/// How much is written at once, in bytes.
const PAGE: usize = 64 * 1024;
/// How long nothing may run before following ends: longer than a restart leaves a service down, on a loaded machine too.
const GRACE: Duration = Duration::from_secs(5);
/// How long an Engine that is away is waited for: longer than a restart takes that stops many containers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was written, and what comes, until Ctrl-C, or until nothing runs any more and no bowline works on the project.
async fn follow(
    engine: &Engine,
    arguments: &Arguments,
    named: &Named,
    shown: &[&Listed],
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let chosen = |origin: &Origin| arguments.wants(&origin.service, origin.number);
    let mut follower = engine.follow(named.name(), engine.clock(), chosen).await?;
    for container in shown {
        follower.read(Origin::from(*container), &arguments.options()).await?;
    }
    let mut end = shown.is_empty().then(|| Instant::now() + GRACE);
    loop {
        let ending = async {
            match end {
                Some(end) => tokio::time::sleep_until(end.into()).await,
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            next = follower.next() => next,
            () = signals.next() => return Ok(Exit::Interrupted),
            () = ending => {
                // between a container's end and the start of what replaces it lies whatever a busy Engine takes
                if lock::is_taken(engine, named.name()) {
                    end = Some(Instant::now() + GRACE);
                    continue;
                }
                return Ok(Exit::Ok);
            }
        };
        let up = match next {
            Ok(Some(output)) => {
                write(printer, &mut follower, output)?;
                if follower.is_reading() { Ok(true) } else { any_up(engine, arguments, named).await }
            }
            Ok(None) => Err(None),
            Err(why) => Err(Some(why)),
        };
        let up = match up {
            Ok(up) => up,
            Err(Some(why)) if !why.is_lost() => return Err(why.into()),
            Err(_) => {
                output::remark("the Engine is away: waiting for it to come back");
                tokio::select! {
                    back = come_back(&mut follower) => back?,
                    () = signals.next() => return Ok(Exit::Interrupted),
                }
                true
            }
        };
        end = (!up).then(|| Instant::now() + GRACE);
    }
}

/// Shows what came, and everything else that is at hand, in one go.
fn write(printer: &mut Printer, follower: &mut Follower<'_>, first: Output) -> Result<(), Failure> {
    let mut text = String::new();
    let mut next = Some(first);
    while let Some(output) = next {
        match output {
            Output::Line(line) => text.push_str(&(printer.line(&line) + "\n")),
            Output::Ended { origin, code, again } => text.push_str(&(printer.ended(&origin, code, again) + "\n")),
            Output::Started(_) | Output::Silent(_) => {}
        }
        next = follower.at_hand();
    }
    output::answer(&text)
}

/// Returns when the Engine answers again and the follower has taken up its thread. Nothing tells that an Engine is back: it is asked.
async fn come_back(follower: &mut Follower<'_>) -> Result<(), Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        match follower.resume().await {
            Err(why) if why.is_lost() && Instant::now() < end => tokio::time::sleep(Duration::from_millis(200)).await,
            done => return done,
        }
    }
}

/// Whether any container that is followed runs.
async fn any_up(engine: &Engine, arguments: &Arguments, named: &Named) -> Result<bool, Option<Error>> {
    let listed = engine.list(named.name()).await.map_err(Some)?;
    Ok(listed.iter().any(|container| container.is_up() && arguments.chooses(container)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_the_forms_that_docker_reads() {
        assert_eq!(moment("2026-11-21T18:24:22Z").as_deref(), Ok("1795285462.000000000"));
        assert_eq!(moment("2026-11-21T18:24:22.5+01:00").as_deref(), Ok("1795281862.500000000"));
        assert_eq!(moment("1795285462.25").as_deref(), Ok("1795285462.25"));
        assert!(moment("10m").is_ok() && moment("1h30m").is_ok() && moment("2026-11-21T18:24:22").is_ok());
        assert!(moment("yesterday").is_err());
    }
}

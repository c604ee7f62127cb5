//! `verify --watch`: another look after every event that touches the stack, and a line for each verdict that changes.

use std::time::Duration;

use bowline::engine::{Engine, Events};
use bowline::report::verification::{self, Outcome, Report, changes};
use bowline::vantage::Way;
use bowline::verify::touch::touches;

use super::super::exit::{Exit, Failure};
use super::super::output;
use super::super::signals::Signals;
use super::subject::Subject;
use super::{Detail, exit, look};

/// Events come in flocks: a restart is five. So long nothing more must have come before the next look.
const QUIET: Duration = Duration::from_millis(200);
/// But no longer than this, where they do not end.
const LONGEST: Duration = Duration::from_secs(2);
/// A server that takes longer to start than a look waits for it comes up without any event: what is not proved is looked at again.
const AGAIN: Duration = Duration::from_secs(10);

/// How the lines are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// For a person: the first look as `verify` shows it, then a line a change.
    Text(Detail),
    /// For programs: an object a line, the first look's verdicts among them.
    Json,
}

/// Looks until Ctrl-C; the exit code is that of the last look.
pub async fn watch(subject: &Subject<'_>, engine: &Engine, way: Way, lines: Lines) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    // before the first look, so that nothing that happens during it is missed
    let mut events = engine.events_of_all().await?;
    let mut last: Option<Report> = None;
    loop {
        let report = tokio::select! {
            report = subject.prove(engine, way) => report?,
            () = signals.next() => break,
        };
        tell(last.as_ref(), &report, lines)?;
        let proved = report.outcome == Some(Outcome::Proved);
        last = Some(report);
        let pause = async {
            match proved {
                true => std::future::pending().await,
                false => tokio::time::sleep(AGAIN).await,
            }
        };
        tokio::select! {
            touched = touched(&mut events, subject) => touched?,
            () = pause => {}
            () = signals.next() => break,
        }
    }
    Ok(last.map_or(Exit::Interrupted, |report| exit(&report)))
}

/// Waits for an event that touches the stack, and until no more of them come.
async fn touched(events: &mut Events, subject: &Subject<'_>) -> Result<(), Failure> {
    next(events, subject).await?;
    let flock = async {
        while let Ok(more) = tokio::time::timeout(QUIET, next(events, subject)).await {
            more?;
        }
        Ok(())
    };
    tokio::time::timeout(LONGEST, flock).await.unwrap_or(Ok(()))
}

/// The next event that touches the stack.
async fn next(events: &mut Events, subject: &Subject<'_>) -> Result<(), Failure> {
    while let Some(event) = events.next().await? {
        if touches(&event, &subject.project.name, &subject.topology) {
            return Ok(());
        }
    }
    Err(Failure::new(Exit::Unreachable, "the Engine ended the stream of events"))
}

/// Says what changed; of the first look everything.
fn tell(before: Option<&Report>, after: &Report, lines: Lines) -> Result<(), Failure> {
    let now = jiff::Zoned::now();
    let changes = changes(before, after, &now.timestamp().to_string());
    match (lines, before) {
        (Lines::Text(detail), None) => output::answer(&verification::text(after, look(detail))),
        (Lines::Text(_), Some(_)) => {
            let clock = now.strftime("%H:%M:%S");
            let mut text: Vec<String> = changes.iter().map(|change| format!("{clock} {}", change.line())).collect();
            if !changes.is_empty() {
                text.push(format!("{clock} {}", verification::counts(after)));
            }
            output::answer(&text.join("\n"))
        }
        (Lines::Json, _) => {
            let text: Vec<String> = changes.iter().map(verification::Change::json).collect();
            output::answer(&text.join("\n"))
        }
    }
}

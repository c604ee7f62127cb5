//! `up` without `-d`: the plan runs, the services' output is followed, and Ctrl-C stops them.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline::engine::{Engine, Follower, LogOptions, Origin, Output};
use bowline::plan::Plan;
use bowline::plan::stop::{StopOptions, stop};
use bowline::report::logs::{Look, Printer};
use bowline::state::observed::{Observed, ObservedContainer};

use super::args::Global;
use super::carry;
use super::display::Display;
use super::exit::{Exit, Failure};
use super::output;
use super::signals::Signals;
use super::stack::{Stack, observe};

/// What an attached `up` works with.
pub struct Attached<'a> {
    /// Options before the command.
    pub global: &'a Global,
    /// The Engine.
    pub engine: &'a Engine,
    /// The stack.
    pub stack: &'a Stack,
    /// What was there before.
    pub observed: &'a Observed,
    /// What ends it.
    pub ending: Ending,
    /// How output is shown.
    pub look: Look,
    /// Whose output is followed.
    pub services: Vec<String>,
    /// How long a container may take to stop.
    pub timeout: Option<Duration>,
}

/// When an attached `up` ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// When every container has ended.
    All,
    /// When one has: then all are stopped.
    Any,
    /// When one has, with another code than 0: then all are stopped.
    Failure,
    /// When one of this service has: then all are stopped, and its code is ours.
    Of(String),
}

/// What the watched containers do.
#[derive(Debug, Default)]
struct Watched {
    /// The ids of those that run.
    running: BTreeSet<String>,
    /// The code of the one whose end ends everything.
    end: Option<i64>,
}

/// Runs the plan and follows the output until it ends.
pub async fn run(
    attached: &Attached<'_>,
    plan: &Plan,
    display: &Display,
    signals: &mut Signals,
) -> Result<Exit, Failure> {
    let project = &attached.stack.desired.project;
    let mut printer = Printer::new(project.as_str(), attached.look);
    let chosen = |origin: &Origin| attached.services.contains(&origin.service);
    for container in attached.stack.desired.containers.values() {
        if attached.services.iter().any(|service| container.replica.service == *service.as_str()) {
            printer.expect(&container.name);
        }
    }
    let mut watched = Watched::default();
    let mut follower = attached.engine.follow(project, attached.engine.clock(), |_| true).await?;
    for container in attached.observed.containers.iter().filter(|container| container.state.is_running()) {
        let origin = origin(container);
        watched.running.insert(origin.id.clone());
        if chosen(&origin) {
            let from_now = LogOptions { follow: true, tail: Some(0), ..LogOptions::default() };
            follower.read(origin, &from_now).await?;
        }
    }
    let outcomes = {
        let aside = async {
            while let Ok(Some(output)) = follower.next().await {
                show(attached, &mut printer, display, &mut watched, output, &chosen);
            }
        };
        carry::carry_out(attached.global, attached.engine, plan, display, signals, aside).await
    };
    match carry::verdict(plan, &outcomes) {
        Ok(()) => {}
        Err(failure) if failure.kind == Exit::Interrupted => {
            end(attached, display, signals, &mut follower, &mut printer).await?;
            return Ok(Exit::Interrupted);
        }
        Err(failure) => return Err(failure),
    }
    let interrupted = loop {
        if watched.end.is_some() || watched.running.is_empty() {
            break false;
        }
        tokio::select! {
            output = follower.next() => match output? {
                Some(output) => show(attached, &mut printer, display, &mut watched, output, &chosen),
                None => return Err(Failure::new(Exit::Unreachable, "the Engine ended the stream of events")),
            },
            () = signals.next() => break true,
        }
    };
    if interrupted {
        output::remark("stopping (once more kills)");
        end(attached, display, signals, &mut follower, &mut printer).await?;
        return Ok(Exit::Interrupted);
    }
    if let Some(code) = watched.end {
        output::remark("stopping everything, because a container ended");
        end(attached, display, signals, &mut follower, &mut printer).await?;
        return Ok(Exit::Container(code.clamp(0, 255) as u8));
    }
    Ok(Exit::Ok)
}

fn origin(container: &ObservedContainer) -> Origin {
    Origin {
        id: container.id.as_str().to_owned(),
        name: container.name.clone(),
        service: container.replica.service.to_string(),
    }
}

/// Writes what came, and takes note of who runs.
fn show(
    attached: &Attached<'_>,
    printer: &mut Printer,
    display: &Display,
    watched: &mut Watched,
    output: Output,
    chosen: &dyn Fn(&Origin) -> bool,
) {
    let text = match output {
        Output::Line(line) => chosen(&line.origin).then(|| printer.line(&line)),
        Output::Started(origin) => {
            watched.running.insert(origin.id);
            None
        }
        Output::Ended { origin, code, again } => {
            if !again && watched.running.remove(&origin.id) {
                watched.note(attached, &origin, code);
            }
            chosen(&origin).then(|| printer.ended(&origin, code, again))
        }
    };
    if let Some(text) = text {
        display.clear();
        // a reader of our output that went away ends nothing: the services go on
        let _ = output::answer(&format!("{text}\n"));
        display.redraw();
    }
}

impl Watched {
    /// Whether this end is the one that ends everything. A container whose successful end others wait for has done its work,
    /// and ends nothing.
    fn note(&mut self, attached: &Attached<'_>, origin: &Origin, code: i64) {
        let ends = match &attached.ending {
            Ending::All => false,
            Ending::Any => code != 0 || !is_one_shot(attached, &origin.service),
            Ending::Failure => code != 0,
            Ending::Of(service) => *service == origin.service,
        };
        if ends && self.end.is_none() {
            self.end = Some(code);
        }
    }
}

/// Whether somebody waits for the successful end of this service.
fn is_one_shot(attached: &Attached<'_>, service: &str) -> bool {
    use bowline::compose::model::Condition::Completed;
    let services = attached.stack.project.services.values();
    let mut needs = services.flat_map(|other| &other.depends_on);
    needs.any(|(name, need)| *name == service && need.condition == Completed)
}

/// Stops what runs, dependents first, while its last output is shown; a signal kills the rest.
async fn end(
    attached: &Attached<'_>,
    display: &Display,
    signals: &mut Signals,
    follower: &mut Follower<'_>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (engine, project) = (attached.engine, &attached.stack.desired.project);
    let observed = observe(engine, project, vec![], bowline::engine::Facts::Brief).await?;
    let options = StopOptions { services: vec![], timeout: attached.timeout };
    let plan = stop(project, &observed, &options).map_err(|flaw| {
        Failure::new(Exit::StepFailed, flaw).hint("this is a mistake of bowline's: please report it")
    })?;
    let chosen = |origin: &Origin| attached.services.contains(&origin.service);
    let mut watched = Watched::default();
    let aside = async {
        while let Ok(Some(output)) = follower.next().await {
            show(attached, printer, display, &mut watched, output, &chosen);
        }
    };
    let outcomes = carry::carry_out(attached.global, engine, &plan, display, signals, aside).await;
    if outcomes.interrupted() {
        for container in observed.containers.iter().filter(|container| container.state.is_running()) {
            engine.kill_container(container.id.as_str(), "KILL").await?;
        }
        return Ok(());
    }
    carry::verdict(&plan, &outcomes)
}

//! `up` without `-d`: the plan runs, the services' output is followed, and Ctrl-C stops them.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline::compose::model::Condition;
use bowline::engine::{Follower, LogOptions, Origin, Output};
use bowline::plan::lifecycle::{Change, LifecycleOptions, lifecycle};
use bowline::plan::up::UpOptions;
use bowline::plan::{Operation, Plan, Target};
use bowline::report::logs::{Look, Printer};
use bowline::run::{Fate, Outcomes, Urgency};
use bowline::state::observed::{Observed, ObservedContainer};

use super::carry::{self, Stage};
use super::display::Display;
use super::exit::{Exit, Failure};
use super::restore::restore;
use super::signals::Signals;
use super::stack::Stack;
use super::watch::Watching;
use super::{lock, output, up};

/// What an attached `up` works with.
pub struct Attached<'a> {
    /// Where the plan is carried out.
    pub stage: Stage<'a>,
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
    /// What is asked for; of it how long a container may take to stop.
    pub options: &'a UpOptions,
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

/// What the stack's containers do, by name, as far as their events have told.
#[derive(Debug, Default)]
struct Watched {
    /// Those that run.
    running: BTreeSet<String>,
    /// Those of which a start was told.
    started: BTreeSet<String>,
    /// The code of the one whose end ends everything.
    end: Option<i64>,
    /// Whether it goes on where nothing runs any more.
    stays: bool,
}

/// How long the last output of containers that have ended may take to come.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs the plan and follows the output until it ends; with `watching`, changes of the sources are carried out meanwhile, and
/// only Ctrl-C ends it: what ended may start again with the next change.
pub async fn run(
    attached: &Attached<'_>,
    plan: &Plan,
    signals: &mut Signals,
    watching: Option<&mut Watching>,
) -> Result<Exit, Failure> {
    let Stage { engine, display, .. } = attached.stage;
    let project = &attached.stack.desired.project;
    let mut printer = Printer::new(project.as_str(), attached.look);
    for container in attached.stack.desired.containers.values() {
        if attached.services.iter().any(|service| container.replica.service == *service.as_str()) {
            printer.expect(&container.name);
        }
    }
    let mut watched = Watched::default();
    let mut follower = engine.follow(project, engine.clock(), |_| true).await?;
    for container in attached.observed.containers.iter().filter(|container| container.state.is_running()) {
        let origin = origin(container);
        watched.running.insert(origin.name.clone());
        if attached.services.contains(&origin.service) {
            let from_now = LogOptions { follow: true, tail: Some(0), ..LogOptions::default() };
            follower.read(origin, &from_now).await?;
        }
    }
    let mut show = |output: Output, watched: &mut Watched| show(attached, &mut printer, display, watched, output);
    let anew;
    let mut plan = plan;
    let mut outcomes = beside(attached, plan, signals, (&mut follower, &mut watched), &mut show).await;
    if outcomes.has_stuck() {
        anew = up::anew(attached.stage, attached.stack, attached.options).await?;
        plan = &anew;
        outcomes = beside(attached, plan, signals, (&mut follower, &mut watched), &mut show).await;
    }
    let interrupted = match carry::verdict(plan, &outcomes) {
        Ok(()) => false,
        Err(failure) if failure.kind == Exit::Interrupted => true,
        Err(failure) => {
            let ran = (plan, &outcomes);
            return Err(restore(attached.stage, attached.stack, attached.observed, ran, signals, failure).await);
        }
    };
    watched.expect(plan, &outcomes);
    // whoever wants to change the stack while we only follow it may
    attached.stage.lock.release();
    let ended = match interrupted {
        true => Ended::Interrupted,
        false => {
            watched.stays = watching.is_some();
            // one listener for both, so that one Ctrl-C counts once
            let interrupted = async {
                match watching {
                    Some(watching) => watching.run(attached.stage, attached.stack, signals).await,
                    None => {
                        signals.next().await;
                        Ok(())
                    }
                }
            };
            follow(&mut follower, &mut watched, &mut show, std::pin::pin!(interrupted)).await?
        }
    };
    match ended {
        Ended::All => return Ok(Exit::Ok),
        Ended::Interrupted => output::remark("stopping (once more kills)"),
        Ended::By(_) => output::remark("stopping everything, because a container ended"),
    }
    stop_all(attached, signals, &mut follower, &mut watched, &mut show).await?;
    Ok(match ended {
        Ended::By(code) => Exit::Container(code.clamp(0, 255) as u8),
        _ => Exit::Interrupted,
    })
}

/// Carries the plan out while the output of the containers is shown.
async fn beside(
    attached: &Attached<'_>,
    plan: &Plan,
    signals: &mut Signals,
    (follower, watched): (&mut Follower<'_>, &mut Watched),
    show: &mut impl FnMut(Output, &mut Watched),
) -> Outcomes {
    let aside = async {
        while let Ok(Some(output)) = follower.next().await {
            show(output, watched);
        }
    };
    carry::carry_out(attached.stage, plan, signals, aside).await
}

/// Why following came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Everything has ended by itself.
    All,
    /// One ended, with this code, and that is to end everything.
    By(i64),
    /// Ctrl-C.
    Interrupted,
}

/// Shows what comes until there is nothing more to follow, or until the person has `interrupted` it: that ends when what is under way
/// is done.
async fn follow(
    follower: &mut Follower<'_>,
    watched: &mut Watched,
    show: &mut impl FnMut(Output, &mut Watched),
    mut interrupted: std::pin::Pin<&mut impl Future<Output = Result<(), Failure>>>,
) -> Result<Ended, Failure> {
    loop {
        if let Some(code) = watched.end {
            return Ok(Ended::By(code));
        }
        if watched.running.is_empty() && !watched.stays {
            return Ok(Ended::All);
        }
        tokio::select! {
            output = follower.next() => match output? {
                Some(output) => show(output, watched),
                None => return Err(Failure::new(Exit::Unreachable, "the Engine ended the stream of events")),
            },
            end = &mut interrupted => return end.map(|()| Ended::Interrupted),
        }
    }
}

fn origin(container: &ObservedContainer) -> Origin {
    Origin {
        id: container.id.as_str().to_owned(),
        name: container.name.clone(),
        service: container.replica.service.to_string(),
        number: Some(container.replica.number),
    }
}

/// Writes what came, and takes note of who runs.
fn show(attached: &Attached<'_>, printer: &mut Printer, display: &Display, watched: &mut Watched, output: Output) {
    let chosen = |origin: &Origin| attached.services.contains(&origin.service);
    let text = match output {
        Output::Line(line) => chosen(&line.origin).then(|| printer.line(&line)),
        Output::Silent(_) => None,
        Output::Started(origin) => {
            watched.started.insert(origin.name.clone());
            watched.running.insert(origin.name);
            None
        }
        Output::Ended { origin, code, again } => {
            if !again && watched.running.remove(&origin.name) {
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
    /// What the plan started runs, until an event tells of its end: the events come after the run of the plan.
    fn expect(&mut self, plan: &Plan, outcomes: &Outcomes) {
        for (id, _) in outcomes.of(plan).filter(|(_, fate)| matches!(fate, Fate::Done(_))) {
            let Operation::Start(target) = &plan.step(id).operation else { continue };
            let name = match target {
                Target::Existing { name, .. } => Some(name),
                Target::Planned(replica) => plan.desired().containers.get(replica).map(|container| &container.name),
            };
            self.running.extend(name.filter(|name| !self.started.contains(*name)).cloned());
        }
    }

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
    let services = attached.stack.project.services.values();
    let mut needs = services.flat_map(|other| &other.depends_on);
    needs.any(|(name, need)| *name == service && need.condition == Condition::Completed)
}

/// Stops what runs, dependents first, while its last output is shown; a signal kills the rest.
async fn stop_all(
    attached: &Attached<'_>,
    signals: &mut Signals,
    follower: &mut Follower<'_>,
    watched: &mut Watched,
    show: &mut impl FnMut(Output, &mut Watched),
) -> Result<(), Failure> {
    let Stage { global, engine, .. } = attached.stage;
    let project = &attached.stack.desired.project;
    let lock = lock::take(global, engine, project, "up", signals).await?;
    let observed = attached.stack.observe(engine).await?;
    let options = LifecycleOptions { timeout: attached.options.timeout, ..LifecycleOptions::default() };
    let plan =
        lifecycle(&Change::Stop, project, Some(&attached.stack.desired), &observed, &options).map_err(carry::flaw)?;
    let up: Vec<&ObservedContainer> =
        observed.containers.iter().filter(|container| container.state.is_running()).collect();
    watched.running = up.iter().map(|container| container.name.clone()).collect();
    let stage = Stage { first: Urgency::Now, lock: &lock, ..attached.stage };
    let outcomes = {
        let aside = async {
            while let Ok(Some(output)) = follower.next().await {
                show(output, watched);
            }
        };
        carry::carry_out(stage, &plan, signals, aside).await
    };
    if outcomes.interrupted() {
        output::remark("killing");
        for container in up {
            engine.kill_container(container.id.as_str(), "KILL").await?;
        }
        lock.end();
    } else {
        carry::verdict(&plan, &outcomes)?;
    }
    let last_words = async {
        while !watched.running.is_empty()
            && let Ok(Some(output)) = follower.next().await
        {
            show(output, watched);
        }
    };
    // what does not come in time is not worth holding up the end
    let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    Ok(())
}

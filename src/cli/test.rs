//! `bowline test`: a stack of its own for one command, taken away whatever happens.

mod artifacts;
mod command;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bowline::compose::Request;
use bowline::engine::Engine;
use bowline::name::ProjectName;
use bowline::plan::Plan;
use bowline::report::findings::Color;
use bowline::report::test_run::{Stage, TestRun};
use bowline::report::verification::{self, Detail, Look, Outcome, Report};
use bowline::run::{Event, Interrupt, Kind, Urgency};
use bowline::stack::{Hooks, Reaped, Running, Stack, StackError, SubnetPool, reap};
use clap::Args;

use super::args::Global;
use super::carry;
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::lock::{self, Lock};
use super::signals::Signals;
use super::stack::service_names;
use super::{block_on, load, output};

/// Bring the stack up under a name of its own, prove it, run a command against it, and take everything away
///
/// The command finds the published addresses in its environment: BOWLINE_WEB_80=127.0.0.1:49153 (BOWLINE_DNS_53_UDP for another
/// protocol, …_HOST and …_PORT for the parts, …_ALL for all addresses of all containers), and the project in COMPOSE_PROJECT_NAME. Whatever
/// happens, nothing is left: a failure, Ctrl-C, SIGTERM, a closed terminal, the end of the time. After a `kill -9` the next run, or `bowline reap`,
/// takes it away. The exit code is the command's.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Keep logs, inspections, the plan and the verdicts of a failed run in this directory.
    #[arg(long, value_name = "DIRECTORY")]
    artifacts: Option<PathBuf>,
    /// Build images anew before anything else.
    #[arg(long)]
    build: bool,
    /// Drop fixed host ports: the Engine chooses, and the environment tells.
    #[arg(long)]
    ephemeral_ports: bool,
    /// Run the command in a container of this service instead of here.
    #[arg(long = "in", value_name = "SERVICE")]
    inside: Option<String>,
    /// Leave the stack up at the end.
    #[arg(long)]
    keep: bool,
    /// Leave the stack up when something failed.
    #[arg(long, conflicts_with = "keep")]
    keep_on_failure: bool,
    /// Prove nothing.
    #[arg(long)]
    no_verify: bool,
    /// Write what happened to files: `junit=FILE`, `json=FILE`, `html=FILE`; several with commas between, or repeated.
    #[arg(long, value_name = "FORM=FILE", value_delimiter = ',', value_parser = report)]
    report: Vec<(Form, PathBuf)>,
    /// Take subnets for its networks from this pool: `10.200.0.0/16`, whose subnets are /28, or `10.200.0.0/16/24`.
    #[arg(long, value_name = "POOL")]
    subnet_pool: Option<SubnetPool>,
    /// How long `reap` leaves it alone where nobody can see whether this run still lives, or where it was kept: seconds, or `90m`; six hours
    /// without this.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time_to_live: Option<Duration>,
    /// How long everything may take, but for taking it away: seconds, or `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Only these services, and what they depend on.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// The command and its arguments; without one the stack is brought up and proved.
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<String>,
}

/// `--report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Junit,
    Json,
    Html,
}

fn report(text: &str) -> Result<(Form, PathBuf), String> {
    match text.split_once('=') {
        Some(("junit", file)) if !file.is_empty() => Ok((Form::Junit, file.into())),
        Some(("json", file)) if !file.is_empty() => Ok((Form::Json, file.into())),
        Some(("html", file)) if !file.is_empty() => Ok((Form::Html, file.into())),
        _ => Err("`junit=FILE`, `json=FILE` or `html=FILE` is meant".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is no time: 90 (seconds), or 10m");
    match (text.parse(), text.parse::<jiff::SignedDuration>()) {
        (Ok(seconds), _) => Ok(Duration::from_secs(seconds)),
        (_, Ok(time)) => Duration::try_from(time).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// How long what the Engine is doing may take to end, when everything is to stop.
const UNDER_WAY: Duration = Duration::from_secs(15);

/// Why everything ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Signal,
    Timeout,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.inside.is_some() && arguments.command.is_empty() {
        return Err(Failure::new(Exit::Usage, "`--in` needs a command").hint("bowline test --in SERVICE -- COMMAND"));
    }
    let request = load::request(global, &arguments.services)?;
    let stack = stack(arguments, &request)?;
    if global.dry_run {
        output::remark(&format!("{} would be brought up, proved and taken away", stack.name()));
        return Ok(Exit::Ok);
    }
    let (files, findings) = stack.findings();
    output::findings(files, findings, global.verbose);
    block_on(whole(global, arguments, stack, request.project_name.is_some()))
}

fn stack(arguments: &Arguments, request: &Request) -> Result<Stack, Failure> {
    let mut stack = Stack::of(request)?;
    if arguments.ephemeral_ports {
        stack = stack.ephemeral_ports();
    }
    if let Some(pool) = arguments.subnet_pool {
        stack = stack.subnet_pool(pool);
    }
    if let Some(time) = arguments.time_to_live {
        stack = stack.time_to_live(time);
    }
    if arguments.build {
        stack = stack.build();
    }
    if arguments.keep || arguments.keep_on_failure {
        stack = stack.kept();
    }
    Ok(stack)
}

/// `is_named`: the project's name is the user's, and others may work on it.
async fn whole(global: &Global, arguments: &Arguments, stack: Stack, is_named: bool) -> Result<Exit, Failure> {
    let mut signals = Signals::with_hangup()?;
    let engine = connect(global, Purpose::Write).await?;
    sweep(&engine).await;
    let mut running = stack.prepare().await?;
    let lock = match is_named {
        true => lock::take(global, &engine, running.name(), "test", &mut signals).await?,
        false => Lock::default(),
    };
    let display = Display::new(global);
    let mut run = TestRun { format: 1, project: running.name().to_string(), ..TestRun::default() };
    let mut deadline = std::pin::pin!(async {
        match arguments.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    });
    let mut stop = std::pin::pin!(async {
        tokio::select! {
            () = signals.next() => Stop::Signal,
            () = &mut deadline => Stop::Timeout,
        }
    });
    let plans = std::cell::RefCell::new(String::new());
    let at = carry::Stage::new(global, &engine, &display, &lock);
    let went = attempt(arguments, &mut running, at, &mut run, &plans, stop.as_mut()).await;
    let exit = match &went {
        Ok(exit) => *exit,
        Err(failure) => {
            // said now: taking everything away may take a while
            output::failure(failure);
            failure.kind
        }
    };
    let failed = exit != Exit::Ok;
    let plans = plans.into_inner();
    if let (true, Some(directory)) = (failed, &arguments.artifacts) {
        match artifacts::collect(&running, directory, &plans, run.verification.as_ref()).await {
            Ok(()) => output::remark(&format!("logs, inspections and verdicts are in {}", directory.display())),
            Err(why) => output::remark(&format!("warning: not all could be kept in {}: {why}", directory.display())),
        }
    }
    let lock = if is_named && !lock.is_held() { again(global, &engine, running.name()).await } else { lock };
    let at = carry::Stage::new(global, &engine, &display, &lock);
    let end = take_away(arguments, running, at, &mut run, failed).await;
    if end.is_ok() {
        lock.end();
    }
    let exit = match (exit, end) {
        (Exit::Ok, Err(failure)) => {
            output::failure(&failure);
            failure.kind
        }
        (exit, Err(failure)) => {
            output::failure(&failure);
            exit
        }
        (exit, Ok(())) => exit,
    };
    run.code = exit.number();
    for (form, file) in &arguments.report {
        let text = match form {
            Form::Json => run.json(),
            Form::Html => run.html(),
            Form::Junit => run.junit().map_err(|why| Failure::new(Exit::StepFailed, why))?,
        };
        output::answer_to(Some(file), &text)?;
    }
    Ok(exit)
}

/// The lock, once more. Everything goes also where somebody else has it.
async fn again(global: &Global, engine: &Engine, project: &ProjectName) -> Lock {
    let Ok(mut signals) = Signals::with_hangup() else { return Lock::default() };
    let global = Global { no_wait: true, ..global.clone() };
    lock::take(&global, engine, project, "test", &mut signals).await.unwrap_or_default()
}

/// Takes away what dead runs left behind. That it cannot be done is no reason not to begin.
async fn sweep(engine: &Engine) {
    for Reaped { project, outcome } in reap(engine).await.unwrap_or_default() {
        match outcome {
            Ok(()) => output::remark(&format!("took away {project}, which a dead run had left behind")),
            Err(why) => output::remark(&format!("warning: {project} was left behind by a dead run: {why}")),
        }
    }
}

/// Up, proof, command.
async fn attempt(
    arguments: &Arguments,
    running: &mut Running,
    at: carry::Stage<'_>,
    run: &mut TestRun,
    plans: &std::cell::RefCell<String>,
    mut stop: std::pin::Pin<&mut impl Future<Output = Stop>>,
) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let up = bring_up(arguments, running, at, plans, stop.as_mut()).await;
    note(run, "up", begun, up.as_ref().err());
    up?;
    if !arguments.no_verify {
        let begun = Instant::now();
        let proved = tokio::select! {
            report = running.verify() => prove(report?, run),
            why = stop.as_mut() => Err(stopped(why)),
        };
        note(run, "verify", begun, proved.as_ref().err());
        proved?;
    }
    // the command may be one of ours
    at.lock.release();
    run.addresses = command::environment(&running.published().await?, running.name().as_str());
    if arguments.command.is_empty() {
        return Ok(Exit::Ok);
    }
    let begun = Instant::now();
    let ended = match &arguments.inside {
        Some(service) => tokio::select! {
            ended = command::inside(running, service, &arguments.command) => ended,
            why = stop.as_mut() => Err(stopped(why)),
        },
        None => command::here(&arguments.command, &run.addresses, stop).await,
    };
    let failure = match &ended {
        Ok(Exit::Ok) => None,
        Ok(exit) => Some(Failure::new(*exit, format!("it ended with {}", exit.number()))),
        Err(failure) => Some(Failure::new(failure.kind, failure.to_string())),
    };
    note(run, "command", begun, failure.as_ref());
    ended
}

async fn bring_up(
    arguments: &Arguments,
    running: &mut Running,
    at: carry::Stage<'_>,
    plans: &std::cell::RefCell<String>,
    mut stop: std::pin::Pin<&mut impl Future<Output = Stop>>,
) -> Result<(), Failure> {
    let (voice, ear) = Interrupt::new();
    let tell = |plan: &Plan, event: &Event<'_>| at.hear(plan, event);
    let planned = |plan: &Plan| plans.borrow_mut().push_str(&plan.to_string());
    let services = service_names(&arguments.services);
    let hooks = Hooks { tell: Some(&tell), planned: Some(&planned), interrupt: Some(ear), services };
    at.lock.begin();
    let mut up = std::pin::pin!(running.bring_up(&hooks));
    let why = tokio::select! {
        done = &mut up => {
            done?;
            at.lock.end();
            return Ok(());
        }
        why = stop.as_mut() => why,
    };
    // what the Engine is asked for ends first: a network that it makes after everything was taken away would be left
    let _ = voice.send(Urgency::Soon);
    if tokio::time::timeout(UNDER_WAY, &mut up).await.is_err() {
        let _ = voice.send(Urgency::Now);
        let _ = up.await;
    }
    Err(stopped(why))
}

fn stopped(why: Stop) -> Failure {
    match why {
        Stop::Signal => Failure::new(Exit::Interrupted, "interrupted"),
        Stop::Timeout => Failure::new(Exit::TimedOut, "the time is over"),
    }
}

/// What the verification comes to; refuted checks are shown.
fn prove(report: Report, run: &mut TestRun) -> Result<(), Failure> {
    let outcome = report.outcome;
    let (proved, all) = (report.summary.proved, report.summary.checks);
    if outcome != Some(Outcome::Proved) {
        let look = Look { color: Color::Ansi, width: output::width().clamp(60, 120), detail: Detail::Counts };
        output::remark(verification::text(&report, look).trim_end());
    }
    run.verification = Some(report);
    match outcome {
        Some(Outcome::Proved) | None => {
            output::remark(&format!("{proved} checks proved"));
            Ok(())
        }
        Some(Outcome::Refuted) => Err(Failure::new(Exit::Refuted, "the stack is not what its file says")),
        Some(Outcome::Unproved) => {
            Err(Failure::new(Exit::Unproved, format!("only {proved} of {all} checks could be told")))
        }
    }
}

fn note(run: &mut TestRun, name: &str, begun: Instant, failure: Option<&Failure>) {
    let failure = failure.map(ToString::to_string);
    run.stages.push(Stage { name: name.to_owned(), failure, seconds: begun.elapsed().as_secs_f64() });
}

async fn take_away(
    arguments: &Arguments,
    running: Running,
    at: carry::Stage<'_>,
    run: &mut TestRun,
    failed: bool,
) -> Result<(), Failure> {
    if arguments.keep || (arguments.keep_on_failure && failed) {
        let name = running.name().clone();
        running.leave();
        output::remark(&format!("{name} is left up: `bowline -p {name} down -v` takes it away"));
        return Ok(());
    }
    let begun = Instant::now();
    let tell = |plan: &Plan, event: &Event<'_>| at.hear(plan, event);
    let gone = running.down_with(&Hooks { tell: Some(&tell), ..Hooks::default() }).await.map_err(Failure::from);
    note(run, "down", begun, gone.as_ref().err());
    gone
}

impl From<StackError> for Failure {
    fn from(error: StackError) -> Self {
        let exit = match &error {
            StackError::File(_) => Exit::File,
            StackError::Refused(_) => Exit::Preflight,
            StackError::Failed { kind: Kind::Unreachable, .. } => Exit::Unreachable,
            StackError::Failed { kind: Kind::Unhealthy, .. } => Exit::Unhealthy,
            StackError::Failed { .. } | StackError::Flaw(_) => Exit::StepFailed,
            StackError::Interrupted => Exit::Interrupted,
            StackError::Unknown(_) => Exit::Usage,
            StackError::Left(_) => Exit::Leftovers,
            StackError::Engine(_) => {
                let StackError::Engine(error) = error else { return Self::new(Exit::StepFailed, error) };
                return error.into();
            }
        };
        Self::new(exit, error)
    }
}

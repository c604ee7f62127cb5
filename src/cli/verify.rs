//! `bowline verify`: is the stack what its file says?

mod spread;
mod subject;
mod watch;

use bowline::compose::model::Project;
use bowline::compose::{Loaded, attach};
use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::report::findings::Color;
use bowline::report::graph::{Drawing, svg};
use bowline::report::verification::{self, Detail, Look, Outcome, Report};
use bowline::state::desired::DesiredOptions;
use bowline::vantage::Way;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, api_socket, connect};
use super::exit::{Exit, Failure};
use super::preflight::Rigour;
use super::spread::{Spread, is_spread};
use super::stack::Stack;
use super::{block_on, load, output, preflight};
use subject::Subject;
use watch::Lines;

/// Prove that the running stack is what its file says
///
/// Every promise of the file becomes a check: what runs and is healthy, addresses, routes and names, published ports, who
/// reaches whom and who does not, and the rules of `x-verify`. Each is proved, refuted, or not proved; only the first is a pass.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all proved, 71 something is refuted, 73 nothing is refuted and something could not be told"
)]
pub struct Arguments {
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Ask nobody: show who reaches whom by the file alone, and what would be checked.
    #[arg(long)]
    offline: bool,
    /// Look again on every event that touches the stack, and say which verdicts change; Ctrl-C ends it.
    #[arg(short, long, conflicts_with = "offline")]
    watch: bool,
    /// Show what is proved, too, with what was seen.
    #[arg(short, long)]
    all: bool,
    /// How network namespaces are looked into.
    #[arg(long, value_enum, default_value_t)]
    probe: Probe,
    /// Only the checks of these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: schemas/report.json.
    Json,
    /// For continuous integration.
    Junit,
    /// Test Anything Protocol.
    Tap,
    /// Annotations of GitHub's workflows, beside the lines of the file.
    Github,
    /// One page with picture, matrix and findings, for a browser.
    Html,
}

/// `--probe`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Probe {
    /// Directly where that is possible, else by sidecars.
    #[default]
    Auto,
    /// By a container in each namespace.
    Sidecar,
    /// By entering each namespace: needs root on the Engine's host.
    Direct,
}

impl From<Probe> for Way {
    fn from(probe: Probe) -> Self {
        match probe {
            Probe::Auto => Self::Auto,
            Probe::Sidecar => Self::Sidecar,
            Probe::Direct => Self::Direct,
        }
    }
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = bowline::compose::load(&load::request(global, &[])?);
    if is_spread(global, &loaded) {
        return over_hosts(global, arguments, loaded);
    }
    let (mut project, files, _) = load::accepted(global, loaded, Rigour::Refuse)?;
    // a file that cannot be read here is a check that is not proved, and no reason to prove nothing
    attach::contents(&mut project, &api_socket(global), &mut Findings::new());
    if !arguments.offline {
        preflight::settle_parents(global, Purpose::Write, &mut project, &files)?;
    }
    let subject = Subject::new(global, &project, &files, &arguments.services)?;
    let detail = if arguments.all { Detail::All } else { Detail::Counts };
    if arguments.offline {
        let report = subject.offline();
        let before = verification::matrix_text(&report, look(detail));
        let list = if arguments.all { verification::text(&report, look(detail)) } else { String::new() };
        return answer(arguments.format, &project, &report, &format!("{before}\n{list}"));
    }
    let way = arguments.probe.into();
    if arguments.watch {
        let lines = match arguments.format {
            Format::Text => Lines::Text(detail),
            Format::Json => Lines::Json,
            _ => return Err(Failure::new(Exit::Usage, "--watch writes text or json").hint("leave `--format` out")),
        };
        return block_on(async {
            let engine = connect(global, Purpose::Write).await?;
            watch::watch(&subject, &engine, way, lines).await
        });
    }
    let report = block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        subject.prove(&engine, way).await
    })?;
    let text = verification::text(&report, look(detail));
    answer(arguments.format, &project, &report, &text)
}

/// The same for a stack on several hosts.
fn over_hosts(global: &Global, arguments: &Arguments, loaded: Loaded) -> Result<Exit, Failure> {
    if arguments.watch {
        let message = "`--watch` looks at one host alone so far, and this stack is on several";
        return Err(Failure::new(Exit::Usage, message).hint("`--on HOST` says at which one"));
    }
    let purpose = (!arguments.offline).then_some(Purpose::Write);
    let mut spread = Spread::of(global, purpose, loaded, &DesiredOptions::default(), Rigour::Refuse)?;
    spread::share_rules(&mut spread)?;
    let subjects = spread::Subjects::new(global, &spread, &arguments.services)?;
    let detail = if arguments.all { Detail::All } else { Detail::Counts };
    if arguments.offline {
        let report = subjects.offline()?;
        let before = verification::matrix_text(&report, look(detail));
        let list = if arguments.all { verification::text(&report, look(detail)) } else { String::new() };
        return answer(arguments.format, subjects.whole(), &report, &format!("{before}\n{list}"));
    }
    let report = block_on(subjects.prove(arguments.probe.into()))?;
    answer(arguments.format, subjects.whole(), &report, &verification::text(&report, look(detail)))
}

/// `up --verify` of a stack on several hosts.
pub fn after_up_over(global: &Global, mut spread: Spread, scale: &[(ServiceName, u32)]) -> Result<Exit, Failure> {
    for (name, number) in scale {
        let parts = spread.seats.iter_mut().map(|seat| &mut seat.stack.project);
        for project in parts.chain([&mut spread.whole]) {
            if let Some(service) = project.services.get_mut(name) {
                service.scale.value = *number;
            }
        }
    }
    spread::share_rules(&mut spread)?;
    let subjects = spread::Subjects::new(global, &spread, &[])?;
    let report = block_on(subjects.prove(Way::Auto))?;
    answer(Format::Text, subjects.whole(), &report, &verification::text(&report, look(Detail::Counts)))
}

/// `up --verify`: proves what was brought up, with as many containers as `--scale` said, and shows it as `verify` does.
pub fn after_up(global: &Global, mut stack: Stack, scale: &[(ServiceName, u32)]) -> Result<Exit, Failure> {
    for (name, number) in scale {
        if let Some(service) = stack.project.services.get_mut(name) {
            service.scale.value = *number;
        }
    }
    let report = report(global, &stack)?;
    let text = verification::text(&report, look(Detail::Counts));
    answer(Format::Text, &stack.project, &report, &text)
}

/// Proves a stack that is loaded already.
pub fn report(global: &Global, stack: &Stack) -> Result<Report, Failure> {
    let subject = Subject::new(global, &stack.project, &stack.files, &[])?;
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        subject.prove(&engine, Way::Auto).await
    })
}

/// Colours always: where they do not belong, the output drops them.
fn look(detail: Detail) -> Look {
    Look { color: Color::Ansi, width: output::width().clamp(60, 120), detail }
}

fn answer(format: Format, project: &Project, report: &Report, text: &str) -> Result<Exit, Failure> {
    match format {
        Format::Text => output::answer(text)?,
        Format::Json => output::answer(&report.json())?,
        Format::Junit => {
            let xml = verification::junit(report).map_err(|e| Failure::new(Exit::StepFailed, e))?;
            output::answer(&xml)?;
        }
        Format::Tap => output::answer(&verification::tap(report))?,
        Format::Github => output::answer(&verification::github(report, &in_repository()))?,
        Format::Html => {
            let mut drawing = Drawing::of(project);
            drawing.verify(report);
            output::answer(&verification::html(report, svg(&drawing).as_deref()))?;
        }
    }
    Ok(exit(report))
}

/// This directory, seen from the root of the repository that GitHub's runner has checked out.
fn in_repository() -> String {
    let root = super::engine::environment("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let here = std::env::current_dir().ok();
    let inside =
        root.zip(here).and_then(|(root, here)| here.strip_prefix(root).ok().map(|path| path.display().to_string()));
    inside.unwrap_or_default()
}

/// What a report comes to.
pub fn exit(report: &Report) -> Exit {
    match report.outcome {
        Some(Outcome::Proved) | None => Exit::Ok,
        Some(Outcome::Refuted) => Exit::Refuted,
        Some(Outcome::Unproved) => Exit::Unproved,
    }
}

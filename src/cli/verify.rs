//! `bowline verify`: is the stack what its file says?

use bowline::finding::Findings;
use bowline::report::findings::Color;
use bowline::report::verification::{self, Detail, Look, Outcome, Report};
use bowline::vantage::Way;
use bowline::verify::derive;
use bowline::verify::gather::prove;
use bowline::verify::matrix::Matrix;
use bowline::verify::topology::Topology;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::{block_on, load, output};

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
    let (project, files) = load::project(global, &[])?;
    let topology = Topology::of(&project);
    let mut findings = Findings::new();
    let mut checks = derive(&project, &topology, &mut findings);
    output::findings(&files, &findings, global.verbose);
    if findings.has_errors() {
        return Err(Failure::new(Exit::File, "the rules of x-verify contradict the file"));
    }
    if let Some(wrong) = arguments.services.iter().find(|name| !project.services.keys().any(|s| s == name.as_str())) {
        let near = bowline::finding::nearest(wrong, project.services.keys().map(|s| s.as_str()));
        let failure = Failure::new(Exit::Usage, format!("no such service: {wrong}"));
        return Err(near.into_iter().fold(failure, |failure, near| failure.hint(format!("did you mean `{near}`?"))));
    }
    if !arguments.services.is_empty() {
        checks.retain(|c| c.service.as_ref().is_some_and(|s| arguments.services.iter().any(|name| s == name.as_str())));
    }
    let matrix = Matrix::of(&topology);
    let name = project.name.as_str();
    if arguments.offline {
        let report = Report::offline(name, &checks, &matrix, &files);
        let before = verification::matrix_text(&report, look(arguments));
        let list = if arguments.all { verification::text(&report, look(arguments)) } else { String::new() };
        return answer(arguments, &report, &format!("{before}\n{list}"));
    }
    let way = arguments.probe.into();
    let proof = block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        Ok(prove(&engine, &project, checks, way).await?)
    })?;
    for left in &proof.leftovers {
        output::remark(&format!("warning: {left}"));
    }
    let report = Report::of(name, proof, &matrix, &files);
    let text = verification::text(&report, look(arguments));
    answer(arguments, &report, &text)
}

/// Colours always: where they do not belong, the output drops them.
fn look(arguments: &Arguments) -> Look {
    let detail = if arguments.all { Detail::All } else { Detail::Counts };
    Look { color: Color::Ansi, width: output::width().clamp(60, 120), detail }
}

fn answer(arguments: &Arguments, report: &Report, text: &str) -> Result<Exit, Failure> {
    match arguments.format {
        Format::Text => output::answer(text)?,
        Format::Json => output::answer(&report.json())?,
        Format::Junit => {
            let xml = verification::junit(report).map_err(|e| Failure::new(Exit::StepFailed, e))?;
            output::answer(&xml)?;
        }
    }
    Ok(match report.outcome {
        Some(Outcome::Proved) | None => Exit::Ok,
        Some(Outcome::Refuted) => Exit::Refuted,
        Some(Outcome::Unproved) => Exit::Unproved,
    })
}

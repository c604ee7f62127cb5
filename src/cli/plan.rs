//! `bowline plan`.

use bowline::plan::Plan;
use bowline::report::plan as report;
use bowline::source::Files;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::preflight::{self, Rigour};
use super::spread::{Spread, is_spread};
use super::stack::Stack;
use super::{block_on, directory, output, up};

/// Show what `up` would do, in which order, and why; exits with 2 when that is anything
///
/// The Engine is only asked: the connection refuses every call that could change something.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    changes: up::Changes,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only these services, and what they depend on.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a step.
    #[default]
    Text,
    /// `{"project":"…","steps":[…]}`: schemas/plan.json.
    Json,
    /// A drawing for Graphviz.
    Dot,
    /// A drawing for Markdown.
    Mermaid,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let changes = arguments.changes.desired(global);
    let loaded = bowline::compose::load(&super::load::request(global, &arguments.services)?);
    let options = arguments.changes.options(global, &arguments.services);
    if is_spread(global, &loaded) {
        let spread = Spread::of(global, Some(Purpose::Read), loaded, &changes, Rigour::Refuse)?;
        let plan = block_on(up::spread::look(&spread, &options, Rigour::Tell))?;
        let files = spread.seats.into_iter().next().map(|seat| seat.stack.files).unwrap_or_default();
        return show(arguments, &plan, spread.whole.name.as_str(), &files);
    }
    let stack = Stack::settled(global, Purpose::Read, loaded, &changes, Rigour::Refuse)?;
    let plan = block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        let observed = stack.observe(&engine).await?;
        let plan = up::plan(global, &stack, &observed, &options)?;
        directory::check(global, &stack, &observed, &plan, Rigour::Tell)?;
        preflight::check(global, &engine, &stack, &observed, &plan, Rigour::Tell).await?;
        Ok::<_, Failure>(plan)
    })?;
    show(arguments, &plan, stack.desired.project.as_str(), &stack.files)
}

fn show(arguments: &Arguments, plan: &Plan, project: &str, files: &Files) -> Result<Exit, Failure> {
    match arguments.format {
        Format::Text if plan.is_empty() => output::answer(&format!("{project} is as declared"))?,
        Format::Text => output::answer(&plan.to_string())?,
        Format::Json => output::answer(&report::json(plan, files))?,
        Format::Dot => output::answer(&report::dot(plan))?,
        Format::Mermaid => output::answer(&report::mermaid(plan))?,
    }
    Ok(if plan.is_empty() { Exit::Ok } else { Exit::Changes })
}

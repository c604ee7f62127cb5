//! `bowline plan`.

use bowline::report::plan as report;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::preflight::{self, Rigour};
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
    let stack =
        Stack::whole(global, Purpose::Read, &arguments.services, &arguments.changes.desired(global), Rigour::Refuse)?;
    let plan = block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        let observed = stack.observe(&engine).await?;
        let plan = up::plan(global, &stack, &observed, &arguments.changes.options(&arguments.services))?;
        directory::check(global, &stack, &observed, &plan, Rigour::Tell)?;
        preflight::check(global, &engine, &stack, &observed, &plan, Rigour::Tell).await?;
        Ok::<_, Failure>(plan)
    })?;
    match arguments.format {
        Format::Text if plan.is_empty() => output::answer(&format!("{} is as declared", stack.desired.project))?,
        Format::Text => output::answer(&plan.to_string())?,
        Format::Json => output::answer(&report::json(&plan, &stack.files))?,
        Format::Dot => output::answer(&report::dot(&plan))?,
        Format::Mermaid => output::answer(&report::mermaid(&plan))?,
    }
    Ok(if plan.is_empty() { Exit::Ok } else { Exit::Changes })
}

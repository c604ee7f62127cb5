//! `bowline graph`.

use std::path::PathBuf;

use bowline::report::graph::{Drawing, dot, mermaid};
use bowline::state::desired::DesiredOptions;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::exit::{Exit, Failure};
use super::output;
use super::stack::Stack;

/// Draw the stack: services, networks with addresses and names, published ports, who waits for whom
///
/// No Engine is asked. `bowline graph | dot -Tsvg -o stack.svg` makes a picture; Mermaid goes into Markdown as it is.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Language of the drawing.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write to a file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these services, and what they depend on.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Graphviz.
    #[default]
    Dot,
    /// Mermaid flowchart.
    Mermaid,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let stack = Stack::load(global, &arguments.services, &DesiredOptions::default())?;
    let drawing = Drawing::of(&stack.project);
    let text = match arguments.format {
        Format::Dot => dot(&drawing),
        Format::Mermaid => mermaid(&drawing),
    };
    output::answer_to(arguments.output.as_deref(), &text)?;
    Ok(Exit::Ok)
}

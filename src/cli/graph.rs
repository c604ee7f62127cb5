//! `bowline graph`.

use std::path::PathBuf;

use bowline::compose::attach;
use bowline::finding::Findings;
use bowline::report::graph::{Drawing, dot, mermaid, svg};
use bowline::state::desired::DesiredOptions;
use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::api_socket;
use super::exit::{Exit, Failure};
use super::output;
use super::stack::Stack;
use super::verify;

/// Draw the stack: services, networks with addresses and names, published ports, who waits for whom
///
/// No Engine is asked, but for `--verified`. `bowline graph --format svg -o stack.svg` makes a picture; Mermaid goes into Markdown as it is.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Language of the drawing.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Prove the running stack first, and draw boxes and lines in the colour of their verdict.
    #[arg(long)]
    verified: bool,
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
    /// A picture of its own.
    Svg,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut stack = Stack::load(global, &arguments.services, &DesiredOptions::default())?;
    let mut drawing = Drawing::of(&stack.project);
    let mut exit = Exit::Ok;
    if arguments.verified {
        // a file that cannot be read here is a check that is not proved
        attach::contents(&mut stack.project, &api_socket(global), &mut Findings::new());
        let report = verify::report(global, &stack)?;
        drawing.verify(&report);
        exit = verify::exit(&report);
    }
    let text = match arguments.format {
        Format::Dot => dot(&drawing),
        Format::Mermaid => mermaid(&drawing),
        Format::Svg => svg(&drawing).ok_or_else(|| {
            Failure::new(Exit::StepFailed, "this stack could not be laid out as a picture")
                .hint("`bowline graph | dot -Tsvg` draws it, too")
        })?,
    };
    output::answer_to(arguments.output.as_deref(), &text)?;
    Ok(exit)
}

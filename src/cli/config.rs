//! `bowline config`: the stack as bowline understands it.

use std::path::PathBuf;

use bowline::compose::print::{self, Dollars};
use bowline::compose::{Loaded, Skip};
use clap::{Args, ValueEnum};

use super::args::Global;
use super::exit::{Exit, Failure};
use super::{load, output};

/// Read, check and print the stack in canonical form
#[derive(Debug, Args)]
pub struct Arguments {
    /// Services to print, with what they need; none: all.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Check only, and print nothing: what the Engine would refuse is an error too.
    #[arg(short, long)]
    quiet: bool,
    /// Write to a file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave `${…}` as they are.
    #[arg(long)]
    no_interpolate: bool,
    /// Leave out what follows from the file without being written.
    #[arg(long)]
    no_normalize: bool,
    /// Leave relative paths as they are.
    #[arg(long)]
    no_path_resolution: bool,
    /// Do not check whether the file makes sense as a whole.
    #[arg(long)]
    no_consistency: bool,
    /// Do not look variables without a value up.
    #[arg(long)]
    no_env_resolution: bool,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// YAML.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut request = load::request(global, &arguments.services)?;
    request.skip = Skip {
        interpolation: arguments.no_interpolate,
        normalization: arguments.no_normalize,
        path_resolution: arguments.no_path_resolution,
        consistency: arguments.no_consistency,
        env_resolution: arguments.no_env_resolution,
    };
    let loaded = load::load(global, &request);
    if loaded.tree.is_none() || arguments.quiet && loaded.findings.has_errors() {
        return Err(load::refused());
    }
    if !arguments.quiet {
        output::answer_to(arguments.output.as_deref(), &text(&loaded, arguments))?;
    }
    Ok(Exit::Ok)
}

fn text(loaded: &Loaded, arguments: &Arguments) -> String {
    let Some(tree) = &loaded.tree else { return String::new() };
    let format = match arguments.format {
        Format::Yaml => print::Format::Yaml,
        Format::Json => print::Format::Json,
    };
    let printed = if arguments.no_interpolate {
        print::printed_raw(tree)
    } else {
        print::printed(tree, format, Dollars::Doubled)
    };
    serde_json::to_string_pretty(&print::json(&printed)).unwrap_or_default()
}

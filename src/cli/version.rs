//! `bowline version`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::output;

/// Show the version of bowline
#[derive(Debug, Args)]
pub struct Arguments {
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    format: Format,
    /// The number only.
    #[arg(long)]
    short: bool,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A sentence.
    #[default]
    Pretty,
    /// `{"version":"…"}`
    Json,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match (arguments.short, arguments.format) {
        (true, _) => output::answer(version)?,
        (false, Format::Pretty) => output::answer(&format!("bowline version {version}"))?,
        (false, Format::Json) => output::answer(&json!({ "version": version }).to_string())?,
    }
    Ok(Exit::Ok)
}

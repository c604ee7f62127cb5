//! `bowline version`.

use std::time::Duration;

use bowline::engine::{Engine, Options};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::{block_on, engine, output};

/// How long an Engine may take to say who it is, before the answer is given without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Show the version of bowline, and of the Engine where one answers
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
    /// Sentences.
    #[default]
    Pretty,
    /// `{"version":"…","engine":{"version":"…","api":"…","address":"…"}}`; `engine` is null where none answers.
    Json,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if arguments.short {
        output::answer(version)?;
        return Ok(Exit::Ok);
    }
    let engine = block_on(async { Ok(answering().await) })?;
    let engine = engine.as_ref().map(|engine| {
        let (major, minor) = engine.api();
        (engine.facts().version.as_str(), format!("{major}.{minor}"), engine.address().to_string())
    });
    let answer = match (arguments.format, engine) {
        (Format::Json, engine) => {
            let engine =
                engine.map(|(version, api, address)| json!({ "version": version, "api": api, "address": address }));
            json!({ "version": version, "engine": engine }).to_string()
        }
        (Format::Pretty, Some((engine, api, address))) => {
            format!("bowline version {version}\nEngine version {engine}, API {api}, at {address}")
        }
        (Format::Pretty, None) => format!("bowline version {version}\nno Engine answers"),
    };
    output::answer(&answer)?;
    Ok(Exit::Ok)
}

/// The Engine, if it answers soon.
async fn answering() -> Option<Engine> {
    let options = Options { read_only: true, ..Options::default() };
    tokio::time::timeout(PATIENCE, Engine::connect(&engine::environment, options)).await.ok()?.ok()
}

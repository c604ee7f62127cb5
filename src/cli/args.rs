//! The options before the command, as `docker compose` has them. The commands stand in [`commands`](super::commands).

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};

/// Ties a Compose stack fast and proves that the knot holds
///
/// Without a command: how the project here stands, and what to do next.
#[derive(Debug, Parser)]
#[command(name = "bowline", version, disable_version_flag = true, max_term_width = 120)]
#[command(
    after_help = "Exit codes: 0 done, 1 a step failed, 2 `plan` has changes, 64 usage, 65 the file, 66 preflight, \
    69 no Engine, 70 unhealthy, 71 verification failed, 72 leftovers, 73 not all could be verified, 75 another bowline is at work, \
    124 `test` ran out of time, 130 interrupted"
)]
pub struct Arguments {
    /// Options before the command.
    #[command(flatten)]
    pub global: Global,
    /// Show the version of bowline.
    #[arg(short = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
}

/// Options that every command takes, written before its name.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// The Engine: `unix://…`, `tcp://…` or `ssh://…`, instead of DOCKER_HOST; `NAME=ADDRESS` is that of a host of `x-hosts`, and may be repeated.
    #[arg(short = 'H', long, value_name = "ADDRESS", conflicts_with = "context")]
    pub host: Vec<String>,
    /// Of a stack that is spread over hosts (`x-hosts`), this host's part alone.
    #[arg(long, value_name = "HOST")]
    pub on: Option<String>,
    /// The Engine that is meant, whatever the environment says: a host's, while several are worked on.
    #[arg(skip)]
    pub at: Option<bowline::compose::model::EnginePlace>,
    /// The docker context that names the Engine, instead of DOCKER_HOST and DOCKER_CONTEXT.
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// Stack file; several are merged in order, `-` is standard input.
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Project name; the default is the file's `name:` or its directory's name.
    #[arg(short, long, value_name = "NAME")]
    pub project_name: Option<String>,
    /// Directory that relative paths start from; the default is that of the first stack file.
    #[arg(long, value_name = "DIRECTORY")]
    pub project_directory: Option<PathBuf>,
    /// Profile to enable; may be repeated, `*` enables all.
    #[arg(long = "profile", value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Environment file for `${…}`, instead of .env; may be repeated, later ones win.
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<PathBuf>,
    /// Keep networks, volumes, secrets and configs that no active service uses.
    #[arg(long)]
    pub all_resources: bool,
    /// Name containers with `_` instead of `-`, as docker-compose 1 did.
    #[arg(long, env = "COMPOSE_COMPATIBILITY", value_parser = switch, hide_env = true)]
    pub compatibility: bool,
    /// Say nothing of containers of services that the file does not define.
    #[arg(long, env = "COMPOSE_IGNORE_ORPHANS", value_parser = switch, hide = true)]
    pub ignore_orphans: bool,
    /// How many steps run at once; -1: as many as the Engine is quick with.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, value_name = "NUMBER",
          env = "COMPOSE_PARALLEL_LIMIT", hide_env = true)]
    pub parallel: i64,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, env = "COMPOSE_PROGRESS", hide_env = true)]
    pub progress: Progress,
    /// When to use colours and cursor movements.
    #[arg(long, value_enum, default_value_t, env = "COMPOSE_ANSI", hide_env = true)]
    pub ansi: Ansi,
    /// Show what would be done and do nothing.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Fail where another bowline works on the project, instead of waiting until it is done.
    #[arg(long, global = true)]
    pub no_wait: bool,
    /// Show every request to the Engine.
    #[arg(short, long)]
    pub verbose: bool,
}

/// A variable that switches something on or off: the words of Go's `strconv.ParseBool`, and plain ones.
///
/// # Errors
/// For any other word, which docker compose takes for no.
pub fn switch(word: &str) -> Result<bool, String> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Ok(true),
        "" | "0" | "f" | "false" | "n" | "no" | "off" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

/// How long a container may take to stop: seconds; any negative number is for ever, as for docker compose.
///
/// # Errors
/// For what is no whole number.
pub fn grace(text: &str) -> Result<Duration, String> {
    let seconds: i64 = text.parse().map_err(|_| "a number of seconds, or -1 for as long as it takes")?;
    Ok(u64::try_from(seconds).map_or(Duration::MAX, Duration::from_secs))
}

/// `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// Live lines in a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// Live lines.
    Tty,
    /// One line an event.
    Plain,
    /// One JSON object an event.
    Json,
    /// None.
    Quiet,
}

/// `--ansi`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Ansi {
    /// Where the output is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Never.
    Never,
    /// Always.
    Always,
}

impl From<Ansi> for anstream::ColorChoice {
    fn from(ansi: Ansi) -> Self {
        match ansi {
            Ansi::Auto => Self::Auto,
            Ansi::Never => Self::Never,
            Ansi::Always => Self::Always,
        }
    }
}

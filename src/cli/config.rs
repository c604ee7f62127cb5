//! `bowline config`: the stack as bowline understands it.

use super::args::Global;
use super::exit::{Exit, Failure};

/// Read, check and print the stack in canonical form
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Check only; print nothing.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub fn run(_: &Global, _: &Arguments) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::File, "`config` cannot read stack files yet")
        .hint("the loader is being built; `docker compose config` does this meanwhile"))
}

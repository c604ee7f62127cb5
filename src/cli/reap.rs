//! `bowline reap`.

use bowline::stack::{Reaped, left, reap};
use clap::Args;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::{block_on, output};

/// Take away the stacks that killed runs of `bowline test` left behind
///
/// And those that killed programs left, which use the library. Of this machine those whose process is gone; of others those whose time is over. Exits with 72 when something could not be removed.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the command.
pub fn run(global: &Global, _: &Arguments) -> Result<Exit, Failure> {
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        if global.dry_run {
            let all = left(&engine).await?;
            output::answer(&all.iter().map(|project| format!("{project}\n")).collect::<String>())?;
            return Ok(Exit::Ok);
        }
        let mut exit = Exit::Ok;
        for Reaped { project, outcome } in reap(&engine).await? {
            match outcome {
                Ok(()) => output::answer(project.as_str())?,
                Err(why) => {
                    output::remark(&format!("{project}: {why}"));
                    exit = Exit::Leftovers;
                }
            }
        }
        Ok(exit)
    })
}

//! The command line of bowline: one file a command. Only the binary knows it; the library never prints.
//!
//! A new command is a file with `Arguments` (their doc comment is the command's help) and `run`, and a row of [`commands`]. One that talks
//! to an Engine runs its future by [`block_on`]; the others start no runtime.

mod archive;
mod args;
mod attach;
mod attached;
mod carry;
mod commands;
mod commit;
mod completion;
mod config;
mod conversation;
mod cp;
mod directory;
mod display;
mod down;
mod engine;
mod events;
mod exec;
mod exit;
mod explain;
mod export;
mod graph;
mod hosts;
mod images;
mod lifecycle;
mod load;
mod lock;
mod logs;
mod ls;
mod output;
mod plan;
mod port;
mod preflight;
mod ps;
mod reap;
mod refused;
mod restore;
mod run;
mod signals;
mod spread;
mod stack;
mod standing;
mod stats;
mod target;
mod terminal;
mod test;
mod top;
mod ui;
mod up;
mod used;
mod verify;
mod version;
mod volumes;
mod wait;
mod watch;

use std::process::ExitCode;

use exit::{Exit, Failure};
use tokio::runtime::Runtime;

/// Reads the arguments, runs the command, and turns its end into an exit code.
pub fn main() -> ExitCode {
    match completion::answer() {
        Ok(false) => {}
        Ok(true) => return Exit::Ok.into(),
        Err(failure) => return failure.kind.into(),
    }
    let (global, given) = match commands::read(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(read) => read,
        Err(error) => return usage(&error).into(),
    };
    anstream::ColorChoice::from(global.ansi).write_global();
    let run = given.unwrap_or_else(|| Box::new(standing::run));
    match engine::elsewhere(&global).and_then(|()| run(&global)) {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_closed_pipe() => Exit::Ok.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.kind.into()
        }
    }
}

/// Runs a command's future on this thread. A thread that still waits for a lock does not hold up the end.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run_on(runtime()?, future)
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn run_on<T>(runtime: Runtime, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let answer = runtime.block_on(future);
    runtime.shutdown_background();
    answer
}

/// What nobody looks at any more before the process ends. To take it apart would take as long as to read it did.
fn leave<T>(done_with: T) {
    std::mem::forget(done_with);
}

/// Help and bad arguments: clap's own text, our exit codes.
fn usage(error: &clap::Error) -> Exit {
    drop(error.print());
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

//! The command line of bowline: one file a command. Only the binary knows it; the library never prints.
//!
//! A new command is a file with `Arguments` (their doc comment is the command's help) and `run`, a variant of
//! [`args::Command`], and an arm of [`dispatch`].

mod archive;
mod args;
mod attach;
mod attached;
mod carry;
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

use clap::Parser;

use args::{Arguments, Command};
use exit::{Exit, Failure};

/// Reads the arguments, runs the command, and turns its end into an exit code.
pub fn main() -> ExitCode {
    match completion::answer() {
        Ok(false) => {}
        Ok(true) => return Exit::Ok.into(),
        Err(failure) => return failure.kind.into(),
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    anstream::ColorChoice::from(arguments.global.ansi).write_global();
    match engine::elsewhere(&arguments.global).and_then(|()| dispatch(&arguments)) {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_closed_pipe() => Exit::Ok.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.kind.into()
        }
    }
}

/// One arm a command. A command that talks to an Engine runs its future by [`block_on`]; the others start no runtime.
fn dispatch(Arguments { global, command, .. }: &Arguments) -> Result<Exit, Failure> {
    let Some(command) = command else { return standing::run(global) };
    match command {
        Command::Attach(arguments) => attach::run(global, arguments),
        Command::Build(arguments) => images::build(global, arguments),
        Command::Commit(arguments) => commit::run(global, arguments),
        Command::Completion(arguments) => completion::completion(arguments),
        Command::Config(arguments) => config::run(global, arguments),
        Command::Cp(arguments) => cp::run(global, arguments),
        Command::Create(arguments) => up::run(global, &(**arguments).clone().into()),
        Command::Down(arguments) => down::run(global, arguments),
        Command::Events(arguments) => events::run(global, arguments),
        Command::Exec(arguments) => exec::run(global, arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Export(arguments) => export::run(global, arguments),
        Command::Graph(arguments) => graph::run(global, arguments),
        Command::Images(arguments) => used::run(global, arguments),
        Command::Kill(arguments) => lifecycle::run(global, arguments),
        Command::Logs(arguments) => logs::run(global, arguments),
        Command::Ls(arguments) => ls::run(global, arguments),
        Command::Man(arguments) => completion::man(arguments),
        Command::Pause(arguments) => lifecycle::run(global, arguments),
        Command::Plan(arguments) => plan::run(global, arguments),
        Command::Port(arguments) => port::run(global, arguments),
        Command::Ps(arguments) => ps::run(global, arguments),
        Command::Pull(arguments) => images::pull(global, arguments),
        Command::Push(arguments) => images::push(global, arguments),
        Command::Reap(arguments) => reap::run(global, arguments),
        Command::Restart(arguments) => lifecycle::run(global, arguments),
        Command::Rm(arguments) => lifecycle::run(global, arguments),
        Command::Run(arguments) => run::run(global, arguments),
        Command::Scale(arguments) => up::run(global, &arguments.clone().into()),
        Command::Start(arguments) => lifecycle::run(global, arguments),
        Command::Stats(arguments) => stats::run(global, arguments),
        Command::Stop(arguments) => lifecycle::run(global, arguments),
        Command::Refused(words) => refused::run(words),
        Command::Test(arguments) => test::run(global, arguments),
        Command::Top(arguments) => top::run(global, arguments),
        Command::Ui(arguments) => ui::run(global, arguments),
        Command::Unpause(arguments) => lifecycle::run(global, arguments),
        Command::Up(arguments) => up::run(global, arguments),
        Command::Verify(arguments) => verify::run(global, arguments),
        Command::Version(arguments) => version::run(arguments),
        Command::Volumes(arguments) => volumes::run(global, arguments),
        Command::Wait(arguments) => wait::run(global, arguments),
        Command::Watch(arguments) => watch::run(global, arguments),
    }
}

/// Runs a command's future on this thread. A thread that still waits for a lock does not hold up the end.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(future);
    runtime.shutdown_background();
    answer
}

/// Help and bad arguments: clap's own text, our exit codes.
fn usage(error: &clap::Error) -> Exit {
    drop(error.print());
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

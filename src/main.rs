//! The program `bowline`: reads its arguments, runs one command, and says by its exit code how that went.

#![forbid(unsafe_code)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}

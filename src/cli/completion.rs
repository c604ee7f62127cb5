//! `bowline completion` and `bowline man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args::Arguments;
use super::exit::{Exit, Failure};
use super::output;

/// Write what a shell completes our commands and options from: `source <(bowline completion bash)`
#[derive(Debug, Args)]
pub struct Completion {
    /// Which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual pages, one a command, to a directory
#[derive(Debug, Args)]
pub struct Man {
    /// The directory; it is made.
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Runs `completion`.
pub fn completion(arguments: &Completion) -> Result<Exit, Failure> {
    output::answer(&script(arguments.shell))?;
    Ok(Exit::Ok)
}

fn script(shell: Shell) -> String {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Arguments::command(), "bowline", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Runs `man`.
pub fn man(arguments: &Man) -> Result<Exit, Failure> {
    let told = |why: std::io::Error| {
        std::io::Error::new(why.kind(), format!("cannot write {}: {why}", arguments.directory.display()))
    };
    std::fs::create_dir_all(&arguments.directory).map_err(told)?;
    clap_mangen::generate_to(Arguments::command(), &arguments.directory).map_err(told)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_and_the_manual_know_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let script = script(shell);
            assert!(script.contains("verify") && script.contains("ephemeral-ports"), "{shell}");
        }
        let directory = tempfile::tempdir().unwrap();
        man(&Man { directory: directory.path().join("man1") }).unwrap();
        let page = std::fs::read_to_string(directory.path().join("man1/bowline-test.1")).unwrap();
        assert!(page.contains("BOWLINE_WEB_80"), "{page}");
    }
}

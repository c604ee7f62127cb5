//! `bowline completion` and `bowline man`.

use std::ffi::OsStr;
use std::path::PathBuf;

use bowline::compose::{self, Loaded};
use clap::{Arg, Args, Command, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{self, EnvCompleter};

use super::args::Global;
use super::commands::command_line;
use super::exit::{Exit, Failure};
use super::{load, output};

/// Write what makes a shell complete commands, options, services and profiles
///
/// bash loads it by `source <(bowline completion bash)`. Names come from the stack file that the line means. zsh takes the same line with its own name, fish `bowline completion fish | source`, PowerShell
/// `bowline completion powershell | Out-String | Invoke-Expression`.
#[derive(Debug, Args)]
pub struct Completion {
    /// Which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// The shells that can ask.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// Write the manual pages, one a command, to a directory
#[derive(Debug, Args)]
pub struct Man {
    /// The directory; it is made.
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// The variable by which a shell asks what may come next; its value is the shell's name.
const ASKED: &str = "BOWLINE_COMPLETE";

/// Runs `completion`.
pub fn completion(arguments: &Completion) -> Result<Exit, Failure> {
    let mut script = vec![];
    arguments.shell.completer().write_registration(ASKED, "bowline", "bowline", "bowline", &mut script)?;
    output::answer(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &env::Bash,
            Self::Elvish => &env::Elvish,
            Self::Fish => &env::Fish,
            Self::Powershell => &env::Powershell,
            Self::Zsh => &env::Zsh,
        }
    }
}

/// Answers a shell that asks what may come next; tells whether one did.
pub fn answer() -> Result<bool, Failure> {
    let environment = env::CompleteEnv::with_factory(|| with_names(command_line())).var(ASKED);
    let here = std::env::current_dir().ok();
    environment.try_complete(std::env::args_os(), here.as_deref()).map_err(|why| Failure::new(Exit::Usage, why))
}

/// The command line, where names of services and profiles come from the stack file.
fn with_names(command: Command) -> Command {
    let named = |arg: Arg| match arg.get_value_names().and_then(<[_]>::first).map(|name| name.as_str()) {
        Some("SERVICE") => arg.add(ArgValueCompleter::new(|typed: &OsStr| services(typed, ""))),
        Some("SERVICE=NUMBER") => arg.add(ArgValueCompleter::new(|typed: &OsStr| services(typed, "="))),
        Some("PROFILE") => arg.add(ArgValueCompleter::new(profiles)),
        _ => arg,
    };
    command.mut_args(named).mut_subcommands(with_names)
}

/// The services of the file, active or not, each with its image.
fn services(typed: &OsStr, end: &str) -> Vec<CompletionCandidate> {
    let Some(project) = loaded().and_then(|loaded| loaded.project) else { return vec![] };
    let image = |name| project.services.get(name)?.image.as_ref().map(|image| image.value.clone());
    let names = project.services.keys().chain(&project.inactive);
    let candidates = names.map(|name| {
        let candidate = CompletionCandidate::new(format!("{name}{end}"));
        candidate.help(image(name).map(Into::into))
    });
    candidates.filter(|candidate| begins(candidate, typed)).collect()
}

/// The profiles of the file.
fn profiles(typed: &OsStr) -> Vec<CompletionCandidate> {
    let profiles = loaded().map(|loaded| loaded.profiles).unwrap_or_default();
    profiles.into_iter().map(CompletionCandidate::new).filter(|candidate| begins(candidate, typed)).collect()
}

fn begins(candidate: &CompletionCandidate, typed: &OsStr) -> bool {
    candidate.get_value().as_encoded_bytes().starts_with(typed.as_encoded_bytes())
}

/// The project that the line so far means; what is wrong with it is not said now.
fn loaded() -> Option<Loaded> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(2);
    let global = global(words.map(|word| word.to_string_lossy().into_owned()));
    load::request(&global, &[]).ok().map(|request| compose::load(&request))
}

/// The options before the command, as far as they say which files are meant. The line need not make sense yet.
fn global(mut words: impl Iterator<Item = String>) -> Global {
    let mut global = Global::default();
    while let Some(word) = words.next().filter(|word| word.starts_with('-')) {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || value.take().or_else(|| words.next()).unwrap_or_default();
        match name {
            "-f" | "--file" => global.files.push(value().into()),
            "--project-directory" => global.project_directory = Some(value().into()),
            "--env-file" => global.env_files.push(value().into()),
            "--profile" => global.profiles.push(value()),
            "-p" | "--project-name" | "-H" | "--host" | "--context" | "--parallel" | "--progress" | "--ansi" => {
                _ = value();
            }
            _ => {}
        }
    }
    global
}

/// Runs `man`.
pub fn man(arguments: &Man) -> Result<Exit, Failure> {
    let told = |why: std::io::Error| {
        std::io::Error::new(why.kind(), format!("cannot write {}: {why}", arguments.directory.display()))
    };
    std::fs::create_dir_all(&arguments.directory).map_err(told)?;
    clap_mangen::generate_to(command_line(), &arguments.directory).map_err(told)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_knows_every_command() {
        let directory = tempfile::tempdir().unwrap();
        man(&Man { directory: directory.path().join("man1") }).unwrap();
        let page = std::fs::read_to_string(directory.path().join("man1/bowline-test.1")).unwrap();
        assert!(page.contains("BOWLINE_WEB_80"), "{page}");
    }

    #[test]
    fn only_options_before_the_command_say_which_file_is_meant() {
        let line = ["-p", "x", "--file=a.yaml", "--dry-run", "-f", "b.yaml", "logs", "-f", "web"];
        let global = global(line.into_iter().map(str::to_owned));
        assert_eq!(global.files, ["a.yaml", "b.yaml"].map(PathBuf::from));
        assert!(super::global(["-f"].into_iter().map(str::to_owned)).files == [PathBuf::new()]);
    }
}

//! Every command: one row each, with what reads its arguments and what runs it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use bowline::compose::gather::environment;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, value_parser};

use super::args::{Arguments, Global};
use super::exit::{Exit, Failure};
use super::{
    attach, commit, completion, config, cp, down, events, exec, explain, export, graph, images, lifecycle, load, logs,
    ls, plan, port, ps, reap, refused, run, stats, test, top, ui, up, used, verify, version, volumes, wait, watch,
};

/// A command that was given, with its arguments: what runs it.
pub type Given = Box<dyn FnOnce(&Global) -> Result<Exit, Failure>>;

/// One command.
struct Row {
    name: &'static str,
    /// Its other name, which help does not tell.
    alias: Option<&'static str>,
    /// Adds its arguments and its help.
    describe: fn(clap::Command) -> clap::Command,
    /// Its arguments as they were given.
    read: fn(&ArgMatches) -> Result<Given, clap::Error>,
}

/// `"name" | "alias": Arguments => run`: a type whose doc comment is the command's help, and what is done with it.
macro_rules! rows {
    ($($name:literal $(| $alias:literal)?: $arguments:ty => $run:expr,)*) => {
        &[$(Row {
            name: $name,
            alias: [$($alias)?].first().copied(),
            describe: <$arguments as Args>::augment_args,
            read: |matches| {
                let arguments = <$arguments as FromArgMatches>::from_arg_matches(matches)?;
                Ok(Box::new(move |global| ($run)(global, &arguments)))
            },
        },)*]
    };
}

/// In the order of help.
const COMMANDS: &[Row] = rows! {
    "attach": attach::Arguments => attach::run,
    "build": images::Build => images::build,
    "commit": commit::Arguments => commit::run,
    "completion": completion::Completion => |_, asked| completion::completion(asked),
    "config" | "convert": config::Arguments => config::run,
    "cp": cp::Arguments => cp::run,
    "create": up::Create => up::create,
    "down": down::Arguments => down::run,
    "events": events::Arguments => events::run,
    "exec": exec::Arguments => exec::run,
    "explain": explain::Arguments => |_, asked| explain::run(asked),
    "export": export::Arguments => export::run,
    "graph": graph::Arguments => graph::run,
    "images": used::Arguments => used::run,
    "kill": lifecycle::Kill => lifecycle::run,
    "logs": logs::Arguments => logs::run,
    "ls": ls::Arguments => ls::run,
    "man": completion::Man => |_, asked| completion::man(asked),
    "pause": lifecycle::Pause => lifecycle::run,
    "plan": plan::Arguments => plan::run,
    "port": port::Arguments => port::run,
    "ps": ps::Arguments => ps::run,
    "pull": images::Pull => images::pull,
    "push": images::Push => images::push,
    "reap": reap::Arguments => reap::run,
    "restart": lifecycle::Restart => lifecycle::run,
    "rm": lifecycle::Rm => lifecycle::run,
    "run": run::Arguments => run::run,
    "scale": up::Scale => up::scale_to,
    "start": lifecycle::Start => lifecycle::run,
    "stats": stats::Arguments => stats::run,
    "stop": lifecycle::Stop => lifecycle::run,
    "test": test::Arguments => test::run,
    "top": top::Arguments => top::run,
    "ui": ui::Arguments => ui::run,
    "unpause": lifecycle::Unpause => lifecycle::run,
    "up": up::Arguments => up::run,
    "verify": verify::Arguments => verify::run,
    "version": version::Arguments => |_, asked| version::run(asked),
    "volumes": volumes::Arguments => volumes::run,
    "wait": wait::Arguments => wait::run,
    "watch": watch::Arguments => watch::run,
};

impl Row {
    fn is(&self, word: &str) -> bool {
        word == self.name || self.alias.is_some_and(|alias| word == alias)
    }

    fn command(&self) -> clap::Command {
        (self.describe)(clap::Command::new(self.name).aliases(self.alias))
    }
}

/// The command line with all commands.
pub fn command_line() -> clap::Command {
    with(COMMANDS.iter())
}

/// The names of all commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|row| row.name)
}

/// What a line says: the options before the command, and the command; none where it names none. What it leaves open the environment may say,
/// and what both leave open an environment file (`COMPOSE_PROGRESS=plain` in `.env`).
///
/// # Errors
/// clap's own: help that is asked for, and whatever makes no sense.
pub fn read(line: &[OsString]) -> Result<(Global, Option<Given>), clap::Error> {
    let mut command = with(COMMANDS.iter().filter(|row| may_be_meant(row, line)));
    let matches = command.try_get_matches_from_mut(line)?;
    let read = read_matches(&matches).map_err(|error| error.format(&mut command))?;
    let kept = kept(&read.0, &command);
    if kept.is_empty() {
        return Ok(read);
    }
    let by_default = |argument: Arg| match argument.get_env().and_then(|name| kept.get(name.to_str()?)) {
        Some(value) => argument.default_value(*value),
        None => argument,
    };
    let mut command = command.mut_args(by_default).mut_subcommands(|command| command.mut_args(by_default));
    let matches = command.try_get_matches_from_mut(line)?;
    read_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Those variables of the command's options that environment files have, and the environment itself does not. They live to the end of the
/// program, as clap wants its defaults to.
fn kept(global: &Global, command: &clap::Command) -> BTreeMap<String, &'static str> {
    // a directory that is gone is told by whoever needs it
    let Ok(request) = load::request(global, &[]) else { return BTreeMap::new() };
    let files = environment(&request);
    let all = command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
    let names = all.filter_map(|argument| argument.get_env()?.to_str());
    let kept = names.filter_map(|name| Some((name, files.variable(name).filter(|kept| kept.origin.is_some())?)));
    kept.map(|(name, kept)| (name.to_owned(), &*kept.value.clone().leak())).collect()
}

fn read_matches(matches: &ArgMatches) -> Result<(Global, Option<Given>), clap::Error> {
    let global = Arguments::from_arg_matches(matches)?.global;
    let Some((word, arguments)) = matches.subcommand() else { return Ok((global, None)) };
    if let Some(row) = COMMANDS.iter().find(|row| row.name == word) {
        return Ok((global, Some((row.read)(arguments)?)));
    }
    let word = word.to_owned();
    Ok((global, Some(Box::new(move |_| refused::run(&word)))))
}

/// The command line with these commands, and any other word as one that is refused later.
fn with<'a>(rows: impl Iterator<Item = &'a Row>) -> clap::Command {
    let arguments = Arguments::command().allow_external_subcommands(true);
    let arguments = arguments.external_subcommand_value_parser(value_parser!(OsString));
    rows.fold(arguments, |command, row| command.subcommand(row.command()))
}

/// Whether a line may mean this command. To make all forty of them takes longer, and more memory, than many a command's own work. So it is
/// those whose names stand in it, wherever that is, and all where help may be asked for.
fn may_be_meant(row: &Row, line: &[OsString]) -> bool {
    let has_flag = |word: &str, flag| word.starts_with('-') && !word.starts_with("--") && word.contains(flag);
    let asks_for_help = |word: &str| ["help", "--help"].contains(&word) || has_flag(word, 'h');
    line.iter().skip(1).filter_map(|word| word.to_str()).any(|word| row.is(word) || asks_for_help(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn meant(line: &str) -> usize {
        let line = words(line);
        COMMANDS.iter().filter(|row| may_be_meant(row, &line)).count()
    }

    #[test]
    fn no_command_has_an_option_twice() {
        command_line().debug_assert();
    }

    #[test]
    fn commands_are_in_the_order_of_their_names() {
        assert!(names().is_sorted());
    }

    #[test]
    fn a_line_makes_the_commands_that_it_may_mean() {
        assert_eq!(meant("bowline -f a.yaml up -d"), 1);
        assert_eq!(meant("bowline -p up convert --quiet"), 2, "a project may have a command's name");
        assert_eq!(meant("bowline --nonsense"), 0);
        for help in ["bowline --help", "bowline help", "bowline -vh", "bowline up -h"] {
            assert_eq!(meant(help), COMMANDS.len(), "{help}");
        }
    }

    #[test]
    fn each_command_reads_its_own_arguments() {
        let line = words("bowline -f a.yaml -p up --file - convert --quiet");
        let (global, given) = read(&line).unwrap();
        assert_eq!(global.files, ["a.yaml", "-"].map(std::path::PathBuf::from));
        assert!(given.is_some());
        assert!(read(&words("bowline config --nonsense")).is_err());
        assert!(read(&words("bowline")).unwrap().1.is_none());
        let refused = read(&words("bowline pus -x y")).unwrap().1.unwrap()(&Global::default()).unwrap_err();
        assert_eq!(refused.kind, Exit::Usage);
    }
}

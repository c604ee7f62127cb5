//! An action: the command of its name, run beside the view by this same program, which listens to what it says. So it takes the project's
//! lock, looks first, and fails as it does elsewhere.

use std::process::Stdio;

use bowline::ui::Action;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::super::args::Global;

/// A command under way.
pub struct Work {
    child: Child,
    out: Option<Lines<BufReader<ChildStdout>>>,
    err: Option<Lines<BufReader<ChildStderr>>>,
}

/// What it does.
pub enum Heard {
    /// It says something.
    Said(String),
    /// It ended: with this code, or by a signal.
    Ended(Option<i32>),
}

impl Work {
    /// Begins it, for one service or all; with its name in words.
    ///
    /// # Errors
    /// Where this program cannot be run.
    pub fn begin(global: &Global, action: Action, service: Option<&str>) -> std::io::Result<(Self, String)> {
        let mut command = Command::new(std::env::current_exe()?);
        options(&mut command, global);
        command.arg(action.word());
        if action == Action::Up {
            command.arg("--detach");
        }
        command.args(service);
        // a group of its own: Ctrl-C and a closed terminal come to us, and we tell it
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let out = child.stdout.take().map(|out| BufReader::new(out).lines());
        let err = child.stderr.take().map(|err| BufReader::new(err).lines());
        let what = service.map_or_else(|| format!("{} all", action.word()), |name| format!("{} {name}", action.word()));
        Ok((Self { child, out, err }, what))
    }

    /// Tells it to end; once more, at once.
    pub fn interrupt(&self) {
        let id = self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
        }
    }

    /// What comes next. It can be given up and taken up again.
    async fn next(&mut self) -> std::io::Result<Heard> {
        loop {
            let line = tokio::select! {
                line = next_line(&mut self.out) => line?,
                line = next_line(&mut self.err) => line?,
                status = self.child.wait(), if self.out.is_none() && self.err.is_none() => {
                    return Ok(Heard::Ended(status?.code()));
                }
            };
            if let Some(line) = line {
                return Ok(Heard::Said(line));
            }
        }
    }
}

/// The next line; none once at the end, and then never again.
async fn next_line<R: tokio::io::AsyncRead + Unpin>(
    lines: &mut Option<Lines<BufReader<R>>>,
) -> std::io::Result<Option<String>> {
    let Some(open) = lines else { return std::future::pending().await };
    let line = open.next_line().await?;
    if line.is_none() {
        *lines = None;
    }
    Ok(line)
}

/// What the action under way does next; for ever nothing where there is none.
pub async fn next(work: &mut Option<Work>) -> std::io::Result<Heard> {
    match work {
        Some(work) => work.next().await,
        None => std::future::pending().await,
    }
}

/// The options that this program was called with.
fn options(command: &mut Command, global: &Global) {
    let Global { files, project_name, project_directory, profiles, env_files, .. } = global;
    files.iter().for_each(|file| _ = command.arg("--file").arg(file));
    project_name.iter().for_each(|name| _ = command.arg("--project-name").arg(name));
    project_directory.iter().for_each(|directory| _ = command.arg("--project-directory").arg(directory));
    profiles.iter().for_each(|profile| _ = command.arg("--profile").arg(profile));
    env_files.iter().for_each(|file| _ = command.arg("--env-file").arg(file));
    let flags = [
        ("--all-resources", global.all_resources),
        ("--compatibility", global.compatibility),
        ("--dry-run", global.dry_run),
        ("--no-wait", global.no_wait),
    ];
    flags.iter().filter(|(_, is_set)| *is_set).for_each(|(flag, _)| _ = command.arg(flag));
    command.arg(format!("--parallel={}", global.parallel)).args(["--progress", "plain", "--ansi", "never"]);
}

//! How a run ends: the exit code, and for a failure what a person can do about it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use bowline::finding::Code;
use bowline::preflight::late;

/// Every exit code of bowline. The numbers are part of the interface; those above 63 follow `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and everything holds.
    Ok,
    /// A step of the plan failed.
    StepFailed,
    /// `plan` only: there is something to change.
    Changes,
    /// The arguments make no sense.
    Usage,
    /// The stack file, or what it needs (an environment file, an included file), is wrong.
    File,
    /// This Engine or this host would refuse the stack; nothing was changed.
    Preflight,
    /// No Engine answers.
    Unreachable,
    /// A service did not become healthy, or ended while it was waited for.
    Unhealthy,
    /// A check of `verify` was refuted.
    Refuted,
    /// Something of the stack could not be removed.
    Leftovers,
    /// No check of `verify` was refuted, and at least one could not be told: not a pass.
    Unproved,
    /// Another bowline works on the project, and `--no-wait` says not to wait for it.
    Busy,
    /// `test --timeout`: the time was over.
    TimedOut,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// What a container ended with, where the user asked for it (`--exit-code-from`).
    Container(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::StepFailed => 1,
            Self::Changes => 2,
            Self::Usage => 64,
            Self::File => 65,
            Self::Preflight => 66,
            Self::Unreachable => 69,
            Self::Unhealthy => 70,
            Self::Refuted => 71,
            Self::Leftovers => 72,
            Self::Unproved => 73,
            Self::Busy => 75,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
            Self::Container(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.number().into()
    }
}

/// Why a command could not do its work: its kind is the exit code, its hints are the way out.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub kind: Exit,
    /// The code of the same trouble as a finding, where there is one.
    pub code: Option<Code>,
    /// What happened, in one line; its sources follow after colons.
    pub error: Box<dyn Error + Send + Sync>,
    /// What can be done, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without hints.
    pub fn new(kind: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, code: None, error: error.into(), hints: vec![] }
    }

    /// Gives it the code of a finding, if any: `bowline explain` tells more.
    pub fn coded(self, code: Option<Code>) -> Self {
        Self { code: code.or(self.code), ..self }
    }

    /// Where the Engine has one sentence for several codes, the one that was told before is meant.
    pub fn told_as(self, told: &BTreeSet<Code>) -> Self {
        let code = self.code.filter(|code| !told.contains(code));
        let meant = code.and_then(|code| late::alike(code).iter().find(|alike| told.contains(alike)));
        self.coded(meant.copied())
    }

    /// Adds a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether it is only that the reader of our output went away (`bowline config | head -1`).
    pub fn is_closed_pipe(&self) -> bool {
        self.error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Writing the answer failed: the pipe was closed, the disk is full.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::StepFailed, error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let mut source = self.error.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// README and docs/exit-codes.md tell every code.
    #[test]
    fn every_code_is_documented() {
        let all = [
            Exit::Ok,
            Exit::StepFailed,
            Exit::Changes,
            Exit::Usage,
            Exit::File,
            Exit::Preflight,
            Exit::Unreachable,
            Exit::Unhealthy,
            Exit::Refuted,
            Exit::Leftovers,
            Exit::Unproved,
            Exit::Busy,
            Exit::TimedOut,
            Exit::Interrupted,
        ];
        for page in ["README.md", "docs/exit-codes.md"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
            let text = std::fs::read_to_string(path).unwrap();
            let rows: Vec<u8> =
                text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok()).collect();
            assert_eq!(rows, all.map(Exit::number), "{page}");
        }
    }
}

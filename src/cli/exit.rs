//! How a run ends: the exit code, and for a failure what a person can do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// Every exit code of bowline. The numbers are part of the interface; those above 63 follow `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, and everything holds.
    Ok = 0,
    /// A step of the plan failed.
    StepFailed = 1,
    /// `plan` only: there is something to change.
    Changes = 2,
    /// The arguments make no sense.
    Usage = 64,
    /// The stack file, or what it needs (an environment file, an included file), is wrong.
    File = 65,
    /// This Engine or this host would refuse the stack; nothing was changed.
    Preflight = 66,
    /// No Engine answers.
    Unreachable = 69,
    /// A service did not become healthy, or ended while it was waited for.
    Unhealthy = 70,
    /// A check of `verify` was refuted, or could not be proved where it had to be.
    Refuted = 71,
    /// Something of the stack could not be removed.
    Leftovers = 72,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work: its kind is the exit code, its hints are the way out.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub kind: Exit,
    /// What happened, in one line; its sources follow after colons.
    pub error: Box<dyn Error + Send + Sync>,
    /// What can be done, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without hints.
    pub fn new(kind: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, error: error.into(), hints: vec![] }
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

//! `develop.watch`: what follows from a change of a source.

use std::path::PathBuf;

use super::Hook;
use crate::source::Span;

/// One entry: a path, and what is done when something below it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Where it is written.
    pub span: Span,
    /// `path`: a file or a directory, absolute.
    pub path: PathBuf,
    /// `action`.
    pub action: Action,
    /// `target`: where it lies in the container; what is to be copied has one.
    pub target: Option<String>,
    /// `ignore`: patterns as in `.dockerignore`, seen from `path`.
    pub ignore: Vec<String>,
    /// `include`: patterns that alone count; empty: everything does.
    pub include: Vec<String>,
    /// `exec`.
    pub exec: Option<Hook>,
    /// `initial_sync`.
    pub initial_sync: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The image is built anew, and the containers that come from it are replaced.
    Rebuild,
    /// What changed is copied into the containers.
    Sync,
    /// The containers are stopped and started.
    Restart,
    /// First the one, then the other.
    SyncRestart,
    /// It is copied, and then a command runs in the containers.
    SyncExec,
}

impl Action {
    /// Whether files are copied.
    pub fn copies(self) -> bool {
        matches!(self, Self::Sync | Self::SyncRestart | Self::SyncExec)
    }

    /// As the file writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Sync => "sync",
            Self::Restart => "restart",
            Self::SyncRestart => "sync+restart",
            Self::SyncExec => "sync+exec",
        }
    }
}

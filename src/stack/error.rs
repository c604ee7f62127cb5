//! Why a stack is not up, or not down.

use crate::engine::Error;
use crate::plan::Flaw;
use crate::run::Kind;

/// What stands in the way. Each variant is one that a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The file is wrong, with everything that is.
    #[error("this stack cannot be worked with:\n{0}")]
    File(String),
    /// This Engine or its host would refuse it; nothing was made.
    #[error("this Engine or its host would refuse the stack; nothing was changed:\n{0}")]
    Refused(String),
    /// The Engine did not answer, or refused.
    #[error(transparent)]
    Engine(#[from] Error),
    /// Steps failed.
    #[error("{message}")]
    Failed {
        /// What the first one was, and why it failed.
        message: String,
        /// Of which kind the gravest is.
        kind: Kind,
        /// What helps to understand it, one line each.
        details: Vec<String>,
    },
    /// [`Hooks::interrupt`](super::Hooks::interrupt) said to stop.
    #[error("interrupted")]
    Interrupted,
    /// A service, a port or a container that the stack does not have.
    #[error("{0}")]
    Unknown(String),
    /// Something of it could not be taken away.
    #[error("something is left: {0}")]
    Left(String),
    /// A plan that does not hold together.
    #[error("{0}: this is a mistake of bowline's: please report it")]
    Flaw(Flaw),
}

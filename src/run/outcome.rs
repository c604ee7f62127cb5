//! What became of each step, and what is told while it happens.

use std::time::Duration;

use crate::engine::{Error, LayerProgress};
use crate::plan::{Plan, StepId};
use crate::probe::ProbeError;

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate<E = StepError> {
    /// Done, in this time.
    Done(Duration),
    /// Failed, and the plan goes on as if it had not.
    Tolerated(E),
    /// Failed.
    Failed(E),
    /// Not tried, because that step failed.
    Skipped {
        /// The step that failed.
        because: StepId,
    },
    /// Not tried, or left before its end, because the run was interrupted.
    NotReached,
}

/// What kind of failure it is: as much as an exit code can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Engine refused.
    Refused,
    /// A container can only be made anew; whoever looks at the Engine then finds it dead.
    Stuck,
    /// A service did not come to the state that was waited for.
    Unhealthy,
    /// Something is still used by others, and stays.
    InUse,
    /// The Engine does not answer any more.
    Unreachable,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// Its kind.
    pub kind: Kind,
    /// One sentence, lowercase.
    pub message: String,
    /// What helps to understand it, one line each: the last lines of output, the health log, who holds it.
    pub details: Vec<String>,
}

impl StepError {
    /// A failure without details.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: vec![] }
    }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::InUse(_) => Kind::InUse,
            Error::Stuck(_) => Kind::Stuck,
            lost if lost.is_lost() => Kind::Unreachable,
            _ => Kind::Refused,
        };
        Self::new(kind, error.to_string())
    }
}

/// What is done on the Engine's host by the probe.
impl From<ProbeError> for StepError {
    fn from(error: ProbeError) -> Self {
        Self::new(Kind::Refused, error.to_string())
    }
}

/// What is told while a plan runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// A step begins.
    Began(StepId),
    /// An image is on its way, from a registry or to it.
    Transfer(StepId, &'a LayerProgress),
    /// What a step found out on its way: a warning of the Engine, a state that is not yet the one waited for.
    Note(StepId, &'a str),
    /// A step ended, or will not be tried.
    Ended(StepId, &'a Fate),
}

impl Event<'_> {
    /// The step that it is about.
    pub fn step(&self) -> StepId {
        match self {
            Self::Began(id) | Self::Transfer(id, _) | Self::Note(id, _) | Self::Ended(id, _) => *id,
        }
    }
}

/// The fates of all steps of a plan, by their place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(pub Vec<Fate>);

impl Outcomes {
    /// Whether a container can only be made anew, which a plan made now would see.
    pub fn has_stuck(&self) -> bool {
        self.0.iter().any(|fate| matches!(fate, Fate::Failed(error) if error.kind == Kind::Stuck))
    }

    /// Each step with its fate.
    pub fn of<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (StepId, &'a Fate)> {
        plan.steps().map(|(id, _)| id).zip(&self.0)
    }

    /// Whether every step is done.
    pub fn all_done(&self) -> bool {
        self.0.iter().all(|fate| matches!(fate, Fate::Done(_)))
    }

    /// Whether the run was interrupted before its end.
    pub fn interrupted(&self) -> bool {
        self.0.contains(&Fate::NotReached)
    }

    /// The failures that were not tolerated.
    pub fn failures(&self) -> impl Iterator<Item = &StepError> {
        self.0.iter().filter_map(|fate| if let Fate::Failed(error) = fate { Some(error) } else { None })
    }
}

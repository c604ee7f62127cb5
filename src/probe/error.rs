//! What can go wrong with a probe itself. None of it says anything about the network.

/// A namespace could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// This bowline was built without the program.
    #[error("this bowline carries no probe: {0}")]
    NoProgram(String),
    /// The Engine runs on another machine than the program is for.
    #[error("this bowline carries a probe for {ours}, and the Engine runs on {theirs}")]
    Platform {
        /// What the program is for.
        ours: String,
        /// What the Engine runs on.
        theirs: String,
    },
    /// There is no way to that namespace from here.
    #[error("{0}")]
    NoWay(String),
    /// The program did not start, or could not enter the namespace.
    #[error("the probe could not be started: {0}")]
    NotStarted(String),
    /// The conversation broke off.
    #[error("the probe broke off: {0}")]
    BrokeOff(String),
    /// No answer in time.
    #[error("the probe did not answer within {0} s")]
    Silent(u64),
    /// A question that is not put there without leave.
    #[error("{0}")]
    NotAsked(String),
}

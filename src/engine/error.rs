//! What can go wrong between bowline and an Engine, classified once: each variant is one that a caller can act on.

use std::sync::Arc;

/// An answer of the Engine that is not success, or no answer. Reads after "cannot …:".
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// 404: what was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// 409: a name is taken, or the state of the object forbids it.
    #[error("{0}")]
    Conflict(String),
    /// Something else still uses it: a network's members, a volume's containers, an image's.
    #[error("{0}")]
    InUse(String),
    /// A process of this container is left from an Engine that was killed while it started it: it can only be made anew.
    #[error("{0}")]
    Stuck(String),
    /// 400, 401, 403, 500 …: the Engine understood and does not do it.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The Engine's words.
        message: String,
    },
    /// No Engine answers at the address.
    #[error("no Engine answers at {address}: {why}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What the operating system says.
        why: String,
    },
    /// The connection ended between the question and its answer; whether the Engine acted is not known.
    #[error("the connection to the Engine broke while it was asked to {request}: {why}")]
    Broken {
        /// `POST /containers/create`.
        request: String,
        /// What was seen.
        why: String,
    },
    /// No answer in time.
    #[error("the Engine did not answer {request} within {seconds} s")]
    Silent {
        /// `GET /info`.
        request: String,
        /// The limit.
        seconds: u64,
    },
    /// An answer that is not what the API promises.
    #[error("the Engine's answer to {request} cannot be read: {why}")]
    Unreadable {
        /// `GET /info`.
        request: String,
        /// What serde says.
        why: String,
    },
    /// The Engine's API is older than what is needed.
    #[error("{what} needs API {}.{}, and this Engine has {}.{}", needs.0, needs.1, has.0, has.1)]
    TooOld {
        /// What was wanted.
        what: String,
        /// The API version that it came with.
        needs: (u32, u32),
        /// The one that was negotiated.
        has: (u32, u32),
    },
    /// An image was not built.
    #[error("{0}")]
    Build(String),
    /// The address or the context of the Engine cannot be used.
    #[error("{0}")]
    Address(String),
    /// A writing call on an Engine that was opened for reading.
    #[error("this command only reads, and {0} writes")]
    ReadOnly(String),
    /// Reading or writing on an open stream failed.
    #[error("the stream from the Engine broke: {0}")]
    Stream(Arc<std::io::Error>),
}

impl Error {
    /// Classifies an answer by its status and its words (Engine API, "Errors"; the words are those of moby 20.10 to 28).
    pub(super) fn from_answer(status: u16, message: String) -> Self {
        let in_use = ["active endpoints", "is in use", "being used by", "in use by"];
        match status {
            404 => Self::NotFound(message),
            403 | 409 if in_use.iter().any(|words| message.contains(words)) && !is_taken_name(&message) => {
                Self::InUse(message)
            }
            409 => Self::Conflict(message),
            _ if is_left_task(&message) => Self::Stuck(message),
            _ => Self::Refused { status, message },
        }
    }

    /// Whether the object was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether the connection did not hold: the Engine said nothing, and may have done what it was asked.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Broken { .. } | Self::Silent { .. } | Self::Stream(_))
    }

    /// Whether nothing could be learnt from an Engine at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Address(_))
    }
}

/// `task 0123…: already exists`: containerd has a process that the Engine does not know of. So says a start, and from then on the
/// container's state (seen on 28.5 after SIGKILL during a start).
pub(super) fn is_left_task(message: &str) -> bool {
    message.split("task ").skip(1).any(|rest| {
        let id = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        id == 64 && rest[id..].starts_with(": already exists")
    })
}

/// `Conflict. The container name "/x" is already in use by container …`: taken, not used.
fn is_taken_name(message: &str) -> bool {
    message.contains("name") && message.contains("already in use")
}

/// bollard's errors, for the calls that go through it.
impl From<bollard::errors::Error> for Error {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as Theirs;
        match error {
            Theirs::DockerResponseServerError { status_code, message } => Self::from_answer(status_code, message),
            Theirs::DockerStreamError { error } => Self::Refused { status: 200, message: error },
            Theirs::IOError { err } => match err.downcast::<Error>() {
                Ok(ours) => ours,
                Err(err) => Self::Stream(Arc::new(err)),
            },
            other => Self::Stream(Arc::new(std::io::Error::other(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_both_engines_are_classified() {
        let kind = |status, words: &str| match Error::from_answer(status, words.to_owned()) {
            Error::NotFound(_) => "not found",
            Error::Conflict(_) => "conflict",
            Error::Stuck(_) => "stuck",
            Error::InUse(_) => "in use",
            Error::Refused { .. } => "refused",
            _ => "other",
        };
        assert_eq!(kind(404, "No such container: x"), "not found");
        let taken = "Conflict. The container name \"/x\" is already in use by container \"a\". You have to remove";
        assert_eq!(kind(409, taken), "conflict");
        assert_eq!(kind(409, "network with name x already exists"), "conflict");
        let active = "error while removing network: network x id 5f has active endpoints";
        assert_eq!(kind(403, active), "in use");
        assert_eq!(kind(409, "remove v: volume is in use - [a]"), "in use");
        assert_eq!(kind(403, "operation is not permitted on predefined bridge network"), "refused");
        assert_eq!(kind(500, "driver failed"), "refused");
        let task = format!("failed to create task for container: AlreadyExists: task {:064x}: already exists", 7);
        assert_eq!(kind(500, &task), "stuck");
        assert_eq!(kind(500, "failed to create task for container: mkdir /x: already exists"), "refused");
    }
}

//! Values that are small languages of their own: durations, sizes, ports, mounts, command lines.
//!
//! Pure functions of a text; an error is one sentence that names what is wrong, without a place.

pub mod bytes;
pub mod duration;
pub mod port;
pub mod volume;
pub mod words;

/// A value that cannot be read: one sentence, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl BadValue {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

//! The small languages inside Compose's strings: pure parsers, one a file. The caller knows the place and adds it.

pub mod bytes;
pub mod device;
pub mod duration;
pub mod host;
pub mod link;
pub mod port;
pub mod volume;
pub mod words;

/// Why a value cannot be read, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// One lowercase sentence with the text in it.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl BadValue {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

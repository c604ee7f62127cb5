//! A program in a container that we speak to: what it reads and what it writes.

use std::pin::Pin;

use bollard::container::LogOutput;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use super::Error;

/// Both ends of an attached program.
pub struct Ends {
    /// Its standard input; `shutdown` closes it.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    pub(super) output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
}

/// A piece of a program's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Of its standard output; with a terminal, all is.
    Output(Bytes),
    /// Of its standard error.
    Error(Bytes),
}

impl Ends {
    /// The next piece of its output; none when it has ended.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        Ok(match self.output.next().await.transpose()? {
            None => None,
            Some(LogOutput::StdErr { message }) => Some(Piece::Error(message)),
            Some(piece) => Some(Piece::Output(piece.into_bytes())),
        })
    }
}

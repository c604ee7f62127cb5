//! The terminal of the person: its size, and its raw mode while a program in a container has it.

use std::io::{self, IsTerminal};

use rustix::termios::{self, OptionalActions, Termios};

/// Whether both ends are a terminal, so that a program in a container can have it.
pub fn is_whole() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Rows and columns of the terminal, where there is one.
pub fn size() -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// Every key goes to the program as it is, until this is dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where standard input is none.
    pub fn take() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

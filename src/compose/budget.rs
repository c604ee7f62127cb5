//! What short texts may stand for: a range of ports, a service that others extend, a variable that repeats others say much with
//! few words.

/// How many values ranges of ports and extended services may add to those that are written out, in all files of a project.
/// A range of all 65,535 ports makes 400,000 of six each; 2,000 services that extend one of 50 lines add 100,000.
pub const VALUES: usize = 450_000;

/// How many bytes variables may add in one project, and in one environment file: 16 MiB, which is as much as a file may have.
pub const BYTES: usize = 16 << 20;

/// How many bytes variables may add to one text: 1 MiB. The kernel lets an environment variable have an eighth of that.
pub const BYTES_OF_TEXT: usize = 1 << 20;

/// What may still be added; none once that was not enough.
#[derive(Debug)]
pub struct Budget(Option<usize>);

impl Budget {
    /// So much may be added.
    pub fn of(limit: usize) -> Self {
        Self(Some(limit))
    }

    /// Takes so much; false where there is not as much left, and ever after.
    pub fn take(&mut self, amount: usize) -> bool {
        self.0 = self.0.and_then(|left| left.checked_sub(amount));
        self.0.is_some()
    }

    /// Whether more was asked for than there was: it has been said, and nothing further is added.
    pub fn is_spent(&self) -> bool {
        self.0.is_none()
    }
}

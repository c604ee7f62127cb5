//! How what is found differs from what is declared.

use serde::Serialize;

use crate::source::Span;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The attribute as the file calls it: `image`, `environment.PATH`, `networks.front.aliases`.
    pub field: String,
    /// What the file says, short.
    pub declared: String,
    /// What the Engine holds, short.
    pub found: String,
    /// Where the file says so.
    #[serde(skip)]
    pub at: Option<Span>,
}

//! Proof that a stack is what its file says: checks are derived from the file, facts are gathered from the Engine and from
//! inside the network namespaces, and each check is judged: proved, refuted, or not proved.

mod agenda;
pub mod check;
mod contents;
mod derive;
pub mod facet;
#[cfg(test)]
pub(crate) mod fixture;
mod gap;
pub mod gather;
pub mod jobs;
mod judge;
pub mod matrix;
pub mod over;
#[cfg(test)]
mod over_tests;
pub mod rule;
pub mod scene;
pub mod topology;
pub mod touch;

pub use derive::derive;
pub use judge::{Judgement, judge};

//! What was found and what happened, as text and JSON: pure, one file a format.

pub mod bake;
pub mod brief;
pub mod codes;
pub mod containers;
pub mod findings;
pub mod form;
#[cfg(test)]
mod formats_tests;
pub mod graph;
pub mod logs;
mod markup;
pub mod plan;
pub mod progress;
pub mod standing;
pub mod table;
pub mod test_run;
pub mod units;
pub mod variables;
pub mod verification;

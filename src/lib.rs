//! bowline ties a Compose stack fast and proves that the knot holds.

#![forbid(unsafe_code)]

pub mod compose;
pub mod engine;
pub mod finding;
pub mod ignore;
pub mod lint;
pub mod name;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod report;
pub mod run;
pub mod source;
pub mod stack;
pub mod state;
pub mod ui;
pub mod vantage;
pub mod verify;
pub mod watch;
pub mod yaml;

pub use stack::Stack;

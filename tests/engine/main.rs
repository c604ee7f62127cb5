//! Scenarios on a real Engine. Each test has a stack of its own (see [`stack`]), all run in parallel, nothing is left behind.
//!
//! The Engine is the one that bowline itself would choose. Where none answers, a test says that it is skipped and passes; with
//! `CI=true` or `BOWLINE_TEST_ENGINE` set that is a failure.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what it found by panicking")]

mod application;
mod attributes;
mod build;
mod ci;
mod client;
mod compose;
mod converge;
mod daily;
mod drift;
mod examples;
mod faults;
mod inside;
mod lab;
mod life;
mod lists;
mod logs;
mod namespace;
mod neighbours;
mod own;
mod preflight;
mod probe;
mod proof;
mod registry;
mod roads;
mod run;
mod sidecar;
mod sides;
mod signals;
mod stack;
mod talk;
mod terminal;
mod testing;
mod ui;
mod update;
mod wait;
mod watch;

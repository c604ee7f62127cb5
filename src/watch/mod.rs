//! `develop.watch`: what follows from a change of the sources.
//!
//! [`Rules`] is pure: paths become [`Work`]. [`Eyes`] are told by the system what changes (inotify on Linux), and hand over what came
//! together. [`carry`] brings files into containers. Building and restarting are plans, as everywhere.

mod carry;
mod eyes;
mod rules;
#[cfg(test)]
mod tests;

pub use carry::{CarryError, carry};
pub use eyes::{Eyes, EyesError};
pub use rules::{Copy, Rule, Rules, Work};

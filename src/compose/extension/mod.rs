//! Our two `x-` keys. `x-trunks` comes with its issue; until then it is an error that says so.

mod read;
mod rule;
pub mod verify;

pub(super) use read::rules;

//! `x-verify`. Our other key, `x-trunks`, is a stage of its own: it becomes networks before anything is decoded.

mod read;
mod rule;
pub mod verify;

pub(super) use read::rules;

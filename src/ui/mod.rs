//! The live view of a project: what it shows and how it changes ([`model`]), how that is drawn ([`view`]). Pure: what happens comes in as
//! an [`Event`], what is wanted goes out as a [`Wish`]; nothing here waits, reads or writes. `bowline ui` is the loop around it.

pub mod model;
mod pages;
pub mod seen;
#[cfg(test)]
mod tests;
mod text;
pub mod view;

pub use model::{Action, Event, Key, Model, Wish};
pub use seen::Seen;

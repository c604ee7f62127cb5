//! From files and environment to a [`model::Project`], one file a stage, in the order of the Compose Specification.

pub mod extension;
pub mod model;
mod request;

pub use request::{Request, Skip};

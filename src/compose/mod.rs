//! From files and environment to a [`model::Project`], one file a stage, in the order of the Compose Specification.

pub mod dotenv;
pub mod environment;
pub mod extension;
pub mod interpolate;
pub mod model;
mod request;
pub mod template;

pub use request::{Request, Skip};

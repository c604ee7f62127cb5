//! From files and environment to a [`model::Project`], one file a stage, in the order of the Compose Specification.

pub mod attributes;
mod cast;
pub mod dotenv;
pub mod environment;
pub mod extension;
pub mod gather;
pub mod interpolate;
mod merge;
pub mod model;
pub mod project_name;
mod request;
pub mod sources;
pub mod template;
mod trail;
mod validate;
pub mod value;

pub use request::{Request, Skip};

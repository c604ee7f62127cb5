//! From files and environment to a [`model::Project`], one file a stage, in the order of the Compose Specification.

pub mod attach;
pub mod attributes;
mod budget;
mod canonical;
mod cast;
mod consistency;
mod decode;
mod defaults;
pub mod dotenv;
mod env_file;
pub mod environment;
mod extends;
pub mod extension;
pub mod gather;
mod hosts;
mod include;
pub mod interpolate;
mod load;
mod merge;
pub mod model;
mod normalize;
mod order;
pub mod pin;
pub mod print;
mod profile;
pub mod project_name;
mod request;
mod resolve;
pub mod sources;
pub mod template;
mod trail;
mod tree;
mod trunks;
mod unsupported;
mod validate;
pub mod value;
pub mod variables;

pub use load::{Loaded, load, load_text, load_text_with};
pub use request::{Request, Skip};
pub use unsupported::unsupported;

#[cfg(test)]
mod property_tests;

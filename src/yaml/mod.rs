//! YAML as Compose reads it, with the place of every node.

mod merge;
mod node;
mod read;
mod scalar;
mod syntax;
mod tag;

pub use node::{Data, Entry, Mapping, Node, Scalar, Style, Tag, Value};
pub use read::{ALIAS_LIMIT, DEPTH_LIMIT, read};
pub use scalar::{is_timestamp, number, resolve};

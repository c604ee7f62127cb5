//! YAML as Compose reads it, with the place of every node.

mod anchor;
pub mod json;
mod key;
mod merge;
mod node;
mod order;
mod pairs;
mod read;
mod scalar;
mod syntax;
mod tag;
mod writer;

pub use node::{Data, Entry, Mapping, Node, Scalar, Style, Tag, Text, Value};
pub use order::natural;
pub use pairs::Pairs;
pub use read::{ALIAS_LIMIT, DEPTH_LIMIT, read};
pub use scalar::{is_timestamp, number, resolve};
pub use writer::{write, write_to};

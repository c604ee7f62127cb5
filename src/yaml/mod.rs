//! YAML as Compose reads it, with the place of every node.

mod node;

pub use node::{Data, Entry, Mapping, Node, Scalar, Style, Tag, Value};

//! A plan for machines and as a drawing: JSON (schemas/plan.json), DOT, Mermaid.

mod document;
mod drawing;

pub use document::{Document, json, schema};
pub use drawing::{dot, mermaid};

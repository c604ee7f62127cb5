//! Graphviz.

use super::{Drawing, Kind, Means};
use crate::report::verification::Outcome;

/// The drawing as a DOT digraph: `bowline graph | dot -Tsvg`.
pub fn dot(drawing: &Drawing) -> String {
    let mut out = format!("digraph {} {{\n", quoted(std::slice::from_ref(&drawing.title)));
    out.push_str("  rankdir=LR; node [fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];\n");
    for node in &drawing.nodes {
        let shape = match node.kind {
            Kind::Service => "box, style=rounded",
            Kind::Network => "ellipse",
            Kind::Surroundings => "box, style=dashed",
        };
        let color = color(node.verdict);
        out.push_str(&format!("  {} [shape={shape}, label={}{color}];\n", node.id, quoted(&node.lines)));
    }
    for edge in &drawing.edges {
        let style = match edge.means {
            Means::Attached | Means::Parent => "dir=none",
            Means::Published => "style=bold",
            Means::Link => "style=dotted",
            Means::Waits => "style=dashed, constraint=false",
        };
        let label = if edge.lines.is_empty() { String::new() } else { format!(", label={}", quoted(&edge.lines)) };
        let color = color(edge.verdict);
        out.push_str(&format!("  {} -> {} [{style}{label}{color}];\n", edge.from, edge.to));
    }
    out.push_str("}\n");
    out
}

/// The colour of a verdict.
fn color(verdict: Option<Outcome>) -> &'static str {
    match verdict {
        Some(Outcome::Proved) => ", color=\"#1a7f37\"",
        Some(Outcome::Refuted) => ", color=\"#b3261e\", penwidth=3",
        Some(Outcome::Unproved) => ", color=\"#8a5a00\", penwidth=2",
        None => "",
    }
}

/// A quoted string of DOT, its lines parted by `\n`.
fn quoted(lines: &[String]) -> String {
    let escaped = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\""));
    format!("\"{}\"", escaped.collect::<Vec<_>>().join("\\n"))
}

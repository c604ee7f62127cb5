//! Graphviz.

use super::{Drawing, Kind, Means};

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
        out.push_str(&format!("  {} [shape={shape}, label={}];\n", node.id, quoted(&node.lines)));
    }
    for edge in &drawing.edges {
        let style = match edge.means {
            Means::Attached | Means::Parent => "dir=none",
            Means::Published => "style=bold",
            Means::Link => "style=dotted",
            Means::Waits => "style=dashed, constraint=false",
        };
        let label = if edge.lines.is_empty() { String::new() } else { format!(", label={}", quoted(&edge.lines)) };
        out.push_str(&format!("  {} -> {} [{style}{label}];\n", edge.from, edge.to));
    }
    out.push_str("}\n");
    out
}

/// A quoted string of DOT, its lines parted by `\n`.
fn quoted(lines: &[String]) -> String {
    let escaped = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\""));
    format!("\"{}\"", escaped.collect::<Vec<_>>().join("\\n"))
}

//! Mermaid, as GitHub and GitLab draw it in Markdown.

use super::{Drawing, Kind, Means};
use crate::report::verification::Outcome;

/// The drawing as a Mermaid flowchart.
pub fn mermaid(drawing: &Drawing) -> String {
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", drawing.title);
    for node in &drawing.nodes {
        let text = quoted(&node.lines);
        let shape = match node.kind {
            Kind::Service => format!("({text})"),
            Kind::Network => format!("([{text}])"),
            Kind::Surroundings => format!("[/{text}/]"),
        };
        out.push_str(&format!("  {}{shape}\n", node.id));
    }
    for edge in &drawing.edges {
        let arrow = match edge.means {
            Means::Attached | Means::Parent => "---",
            Means::Published => "==>",
            Means::Link | Means::Waits => "-.->",
        };
        let label = if edge.lines.is_empty() { String::new() } else { format!("|{}|", quoted(&edge.lines)) };
        out.push_str(&format!("  {} {arrow}{label} {}\n", edge.from, edge.to));
    }
    for (number, edge) in drawing.edges.iter().enumerate() {
        let color = match edge.verdict {
            Some(Outcome::Proved) => "stroke:#1a7f37",
            Some(Outcome::Refuted) => "stroke:#b3261e,stroke-width:4px",
            Some(Outcome::Unproved) => "stroke:#8a5a00,stroke-width:3px",
            None => continue,
        };
        out.push_str(&format!("  linkStyle {number} {color}\n"));
    }
    out
}

/// A quoted string of Mermaid: lines parted by `<br/>`, what has a meaning in it as entities.
fn quoted(lines: &[String]) -> String {
    let escape =
        |line: &String| line.replace('&', "#amp;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
    format!("\"{}\"", lines.iter().map(escape).collect::<Vec<_>>().join("<br/>"))
}

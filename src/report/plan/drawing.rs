//! The plan as a drawing: what is done in boxes, and why one thing waits for another on the arrows.

use std::fmt::Write;

use crate::plan::{Needs, Plan, StepId};

/// The plan as a DOT digraph: `bowline plan --format dot | dot -Tsvg`.
pub fn dot(plan: &Plan) -> String {
    let mut out = format!("digraph \"{}\" {{\n  node [shape=box, fontname=\"sans-serif\"];\n", plan.desired().project);
    for line in plan.lines() {
        let text = format!("{} {}", line.id, line.operation).replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(out, "  s{} [label=\"{text}\"];", line.id);
    }
    for (step, other, why) in arrows(plan) {
        let style = if why == Needs::Order { "style=dotted" } else { "style=solid" };
        let _ = writeln!(out, "  s{other} -> s{step} [{style}, label=\"{}\"];", word(why));
    }
    out.push_str("}\n");
    out
}

/// The plan as a Mermaid flowchart.
pub fn mermaid(plan: &Plan) -> String {
    let mut out = "flowchart TD\n".to_owned();
    for line in plan.lines() {
        let text = format!("{} {}", line.id, line.operation).replace('"', "#quot;").replace('<', "#lt;");
        let _ = writeln!(out, "  s{}[\"{text}\"]", line.id);
    }
    for (step, other, why) in arrows(plan) {
        let arrow = if why == Needs::Order { "-.->" } else { "-->" };
        let _ = writeln!(out, "  s{other} {arrow}|{}| s{step}", word(why));
    }
    out
}

/// The arrows that do not follow from others.
fn arrows(plan: &Plan) -> Vec<(StepId, StepId, Needs)> {
    let direct = plan.lines().into_iter().flat_map(|line| {
        let needs: Vec<_> = plan.predecessors(line.id).filter(|(other, _)| line.after.contains(other)).collect();
        needs.into_iter().map(move |(other, why)| (line.id, other, why))
    });
    direct.collect()
}

/// Why one step comes after another.
fn word(why: Needs) -> &'static str {
    match why {
        Needs::Exists => "is there",
        Needs::Gone => "is gone",
        Needs::Stopped => "has stopped",
        Needs::Condition(condition) => condition.as_str().trim_start_matches("service_"),
        Needs::Order => "in order",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lab::Lab;

    #[test]
    fn an_arrow_says_why() {
        let lab = Lab::load("services: {web: {image: busybox, networks: [a]}}\nnetworks: {a: {}}");
        let plan = lab.up().plan;
        let drawn = "\
digraph \"test\" {
  node [shape=box, fontname=\"sans-serif\"];
  s1 [label=\"1 create network a\"];
  s2 [label=\"2 create web.1\"];
  s3 [label=\"3 start web.1\"];
  s1 -> s2 [style=solid, label=\"is there\"];
  s2 -> s3 [style=solid, label=\"is there\"];
}
";
        assert_eq!(dot(&plan), drawn);
        assert!(mermaid(&plan).contains("  s1 -->|is there| s2\n"), "{}", mermaid(&plan));
    }
}

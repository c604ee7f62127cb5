//! A plan as JSON.

use serde_json::{Value, json};

use crate::plan::{Cause, Plan, Step};
use crate::source::Files;
use crate::state::difference::Difference;

/// `{"project": …, "steps": [{"step", "operation", "after", "cause", "reason", "differences"}]}`. `after` has the steps that
/// one comes right after, `reason` is the sentence, `differences` are the fields that drifted, each with its place in the file.
pub fn json(plan: &Plan, files: &Files) -> String {
    let steps = plan.lines().into_iter().map(|line| {
        let step = plan.step(line.id);
        json!({
            "step": line.id.index() + 1,
            "operation": line.operation,
            "after": line.after.iter().map(|id| id.index() + 1).collect::<Vec<_>>(),
            "cause": cause(step),
            "reason": step.cause.to_string(),
            "differences": differences(step).iter().map(|difference| field(difference, files)).collect::<Vec<_>>(),
        })
    });
    let plan = json!({ "project": plan.desired().project, "steps": steps.collect::<Vec<_>>() });
    format!("{plan:#}\n")
}

/// One stable word a kind of cause.
fn cause(step: &Step) -> &'static str {
    match &step.cause {
        Cause::Missing => "missing",
        Cause::Drifted(_) => "drifted",
        Cause::NetworkDrifted(..) => "network-drifted",
        Cause::Requested(_) => "requested",
        Cause::Orphaned => "orphaned",
        Cause::Surplus => "surplus",
        Cause::ParentReplaced(_) => "parent-replaced",
        Cause::DependencyReplaced(_) => "dependency-replaced",
        Cause::NotRunning(_) => "not-running",
        Cause::Awaited(_) => "awaited",
    }
}

fn differences(step: &Step) -> &[Difference] {
    match &step.cause {
        Cause::Drifted(differences) | Cause::NetworkDrifted(_, differences) => differences,
        _ => &[],
    }
}

fn field(difference: &Difference, files: &Files) -> Value {
    json!({
        "field": difference.field,
        "declared": difference.declared,
        "found": difference.found,
        "at": difference.at.map(|span| files.place(span)),
    })
}

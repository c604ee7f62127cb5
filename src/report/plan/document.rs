//! The plan as a document: what `bowline plan --format json` prints.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::{Cause, Needs, OnFailure, Operation, Plan, StepId};
use crate::source::Files;
use crate::state::difference::Difference;

/// What `bowline up` would do.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "A plan of bowline")]
pub struct Document {
    /// The project.
    pub project: String,
    /// What is done, each step after those that it needs; empty where the Engine holds what the file says.
    pub steps: Vec<StepDocument>,
}

/// One call of the Engine's API, or one wait for an event of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StepDocument {
    /// Its number, from 1.
    pub step: usize,
    /// What is done, in words: `stop old web.1`.
    pub operation: String,
    /// The host that it is done on, where the stack is on several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What is done.
    pub action: Action,
    /// The container that is made or changed: `web.1`, or its name where it is a one-off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The key (or, where it has none, the name) of the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The steps that it comes right after; those that follow from them are left out.
    pub after: Vec<usize>,
    /// Every step that it needs, and why.
    pub needs: Vec<NeedDocument>,
    /// Whether the others go on where it fails.
    pub tolerated: bool,
    /// The kind of reason.
    pub cause: Reason,
    /// The reason in words.
    pub reason: String,
    /// The fields that are not as declared, where that is the reason.
    pub differences: Vec<DifferenceDocument>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Pull,
    Push,
    Build,
    RemoveImage,
    CreateNetwork,
    RemoveNetwork,
    MakeShim,
    RemoveShim,
    MakeVlan,
    RemoveVlan,
    Connect,
    Disconnect,
    CreateVolume,
    RemoveVolume,
    CreateContainer,
    Rename,
    Start,
    Stop,
    Kill,
    Pause,
    RunHook,
    CopyFiles,
    Update,
    Unpause,
    Remove,
    Await,
}

/// Why a step is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is not there.
    Missing,
    /// It is not as declared.
    Drifted,
    /// The network that it is on is not as declared.
    NetworkDrifted,
    /// A flag asks for it.
    Requested,
    /// A flag or the file asks for the image anew; the containers that run on it are planned again when it is there.
    Refreshed,
    /// What was to take its place did not hold.
    RolledBack,
    /// No service of the file has it.
    Orphaned,
    /// There is one too many.
    Surplus,
    /// Nothing uses it any more.
    Unused,
    /// The container whose namespace it shares is replaced or restarted.
    ParentReplaced,
    /// A service that it depends on is replaced or restarted.
    DependencyReplaced,
    /// It does not run.
    NotRunning,
    /// Somebody waits for it.
    Awaited,
}

/// A step that another needs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NeedDocument {
    /// Its number.
    pub step: usize,
    /// Why.
    pub why: Need,
}

/// Why one step needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// The other makes what this uses.
    Exists,
    /// The other takes away what is in this one's way.
    Gone,
    /// The other stops what this changes.
    Stopped,
    /// The other lets a condition come true.
    Condition,
    /// Nothing but order.
    Order,
}

/// A field that is not as declared.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DifferenceDocument {
    /// The attribute as the file calls it.
    pub field: String,
    /// What the file says, short.
    pub declared: String,
    /// What the Engine holds, short.
    pub found: String,
    /// The place in the file: `compose.yaml:4:5`.
    pub at: Option<String>,
}

/// The plan as JSON.
pub fn json(plan: &Plan, files: &Files) -> String {
    let steps = plan.lines().into_iter().map(|line| {
        let step = plan.step(line.id);
        StepDocument {
            step: number(line.id),
            operation: line.operation,
            host: plan.host_of(line.id).map(ToString::to_string),
            action: action(&step.operation),
            container: container(&step.operation),
            network: network(&step.operation),
            after: line.after.into_iter().map(number).collect(),
            needs: plan
                .predecessors(line.id)
                .map(|(id, why)| NeedDocument { step: number(id), why: need(why) })
                .collect(),
            tolerated: step.on_failure == OnFailure::GoOn,
            cause: reason(&step.cause),
            reason: step.cause.to_string(),
            differences: differences(&step.cause).iter().map(|difference| field(difference, files)).collect(),
        }
    });
    let document = Document { project: plan.desired().project.to_string(), steps: steps.collect() };
    let text = serde_json::to_string_pretty(&document).expect("a document of texts and numbers is JSON");
    format!("{text}\n")
}

/// The JSON schema of [`Document`]: schemas/plan.json.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Document).to_value())
}

fn number(id: StepId) -> usize {
    id.index() + 1
}

fn action(operation: &Operation) -> Action {
    match operation {
        Operation::Pull { .. } => Action::Pull,
        Operation::Push { .. } => Action::Push,
        Operation::Build(_) => Action::Build,
        Operation::RemoveImage { .. } => Action::RemoveImage,
        Operation::CreateNetwork(_) => Action::CreateNetwork,
        Operation::RemoveNetwork(_) => Action::RemoveNetwork,
        Operation::MakeShim(_) => Action::MakeShim,
        Operation::RemoveShim(_) => Action::RemoveShim,
        Operation::MakeVlan(_) => Action::MakeVlan,
        Operation::RemoveVlan(_) => Action::RemoveVlan,
        Operation::Connect { .. } => Action::Connect,
        Operation::Disconnect { .. } => Action::Disconnect,
        Operation::CreateVolume(_) => Action::CreateVolume,
        Operation::RemoveVolume { .. } => Action::RemoveVolume,
        Operation::CreateContainer(_) => Action::CreateContainer,
        Operation::Rename { .. } => Action::Rename,
        Operation::Start(_) => Action::Start,
        Operation::Stop { .. } => Action::Stop,
        Operation::Kill { .. } => Action::Kill,
        Operation::Pause(_) => Action::Pause,
        Operation::RunHook { .. } => Action::RunHook,
        Operation::CopyFiles(_) => Action::CopyFiles,
        Operation::Update(_) => Action::Update,
        Operation::Unpause(_) => Action::Unpause,
        Operation::Remove { .. } => Action::Remove,
        Operation::Await(_) => Action::Await,
    }
}

fn container(operation: &Operation) -> Option<String> {
    match operation {
        Operation::CreateContainer(new) => Some(new.replica.to_string()),
        other => other.container().map(ToString::to_string),
    }
}

fn network(operation: &Operation) -> Option<String> {
    match operation {
        Operation::CreateNetwork(key) | Operation::MakeShim(key) | Operation::Connect { network: key, .. } => {
            Some(key.to_string())
        }
        Operation::RemoveNetwork(network) | Operation::Disconnect { network, .. } => Some(network.to_string()),
        _ => None,
    }
}

fn need(why: Needs) -> Need {
    match why {
        Needs::Exists => Need::Exists,
        Needs::Gone => Need::Gone,
        Needs::Stopped => Need::Stopped,
        Needs::Condition(_) => Need::Condition,
        Needs::Order => Need::Order,
    }
}

fn reason(cause: &Cause) -> Reason {
    match cause {
        Cause::StopFirst { cause, .. } => reason(cause),
        Cause::RolledBack(_) => Reason::RolledBack,
        Cause::Missing => Reason::Missing,
        Cause::Drifted(_) => Reason::Drifted,
        Cause::NetworkDrifted(..) => Reason::NetworkDrifted,
        Cause::Requested(_) => Reason::Requested,
        Cause::Refreshed(_) => Reason::Refreshed,
        Cause::Orphaned => Reason::Orphaned,
        Cause::Surplus => Reason::Surplus,
        Cause::Unused => Reason::Unused,
        Cause::ParentReplaced(_) => Reason::ParentReplaced,
        Cause::DependencyReplaced(_) => Reason::DependencyReplaced,
        Cause::NotRunning(_) => Reason::NotRunning,
        Cause::Awaited(_) => Reason::Awaited,
    }
}

fn differences(cause: &Cause) -> &[Difference] {
    match cause {
        Cause::StopFirst { cause, .. } => differences(cause),
        Cause::Drifted(differences) | Cause::NetworkDrifted(_, differences) => differences,
        _ => &[],
    }
}

fn field(difference: &Difference, files: &Files) -> DifferenceDocument {
    DifferenceDocument {
        field: difference.field.clone(),
        declared: difference.declared.clone(),
        found: difference.found.clone(),
        at: difference.at.map(|span| files.place(span)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::compose::load_text;
    use crate::plan::lab::Lab;

    const STACK: &str = "services: {web: {image: busybox, command: old, network_mode: none}}";

    /// The stack with another command, after an `up` of it.
    fn changed() -> Value {
        let lab = Lab::load(STACK);
        let planned = lab.edit("old", "new").up_from(&lab.up().observed());
        serde_json::from_str(&json(&planned.plan, &load_text("compose.yaml", STACK).files)).unwrap()
    }

    #[test]
    fn a_step_says_what_is_done_after_what_and_why() {
        let document = changed();
        let first = &document["steps"][0];
        assert_eq!(first["operation"], "create web.1");
        assert_eq!(first["differences"][0]["at"], "compose.yaml:1:34");
        let second = &document["steps"][1];
        assert_eq!((&second["action"], &second["container"]), (&"stop".into(), &"web.1".into()));
        assert_eq!(second["needs"][0]["why"], "exists");
    }

    #[test]
    fn the_document_is_what_its_schema_says() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&changed()));
        assert!(!validator.is_valid(&serde_json::json!({"project": "a", "steps": [{"step": "one"}]})));
    }

    /// The schema in the repository is that of the types.
    #[test]
    fn generated_files_are_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/plan.json");
        if std::env::var_os("BOWLINE_WRITE").is_some() {
            std::fs::write(&path, schema()).unwrap();
        }
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(current == schema(), "`BOWLINE_WRITE=1 cargo test generated_files_are_current` writes it anew");
    }
}

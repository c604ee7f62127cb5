//! What is told while a plan runs: plain lines, JSON lines, and the live board of a terminal.

mod board;

use serde_json::{Map, Value, json};

pub use board::Board;

use crate::compose::model::Condition;
use crate::plan::{Operation, Plan, StepId, Target};
use crate::run::{Event, Fate, StepError};
use crate::state::desired::Desired;

/// A thing of the Engine that a step is about, and what the step does to it, in docker compose's words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    /// `Container lab-web-1`.
    id: String,
    doing: &'static str,
    done: &'static str,
}

/// What a step is about; a wait is about every container of its service.
fn subjects(plan: &Plan, step: StepId) -> Vec<Subject> {
    let all = of_host(plan, step);
    let Some(host) = plan.host_of(step) else { return all };
    all.into_iter().map(|subject| Subject { id: format!("{} on {host}", subject.id), ..subject }).collect()
}

/// The same without the host that it is on.
fn of_host(plan: &Plan, step: StepId) -> Vec<Subject> {
    let desired = plan.desired_of(step);
    let one = |kind: &str, name: &str, doing, done| vec![Subject { id: format!("{kind} {name}"), doing, done }];
    let container = |target: &Target, doing, done| one("Container", &name(desired, target), doing, done);
    let network = |key: &crate::name::NetworkKey| {
        desired.networks.get(key).map_or_else(|| key.to_string(), |network| network.name.clone())
    };
    match &plan.step(step).operation {
        Operation::Pull { image, .. } => one("Image", image, "Pulling", "Pulled"),
        Operation::Push { image } => one("Image", image, "Pushing", "Pushed"),
        Operation::Build(service) => {
            let build = desired.builds.get(service).and_then(|build| build.tags.first());
            one("Image", build.map_or(service.as_str(), String::as_str), "Building", "Built")
        }
        Operation::RemoveImage { image } => one("Image", image, "Removing", "Removed"),
        Operation::CreateNetwork(key) => one("Network", &network(key), "Creating", "Created"),
        Operation::RemoveNetwork(existing) => one("Network", &existing.name, "Removing", "Removed"),
        Operation::MakeShim(key) => {
            let shim = desired.shims.get(key);
            one("Link", shim.map_or(key.as_str(), |shim| &shim.name), "Creating", "Created")
        }
        Operation::MakeVlan(link) => one("Link", link, "Creating", "Created"),
        Operation::RemoveVlan(link) => one("Link", &link.name, "Removing", "Removed"),
        Operation::RemoveShim(shim) => one("Link", &shim.name, "Removing", "Removed"),
        Operation::Connect { container: target, .. } => container(target, "Connecting", "Connected"),
        Operation::Disconnect { container: target, .. } => container(target, "Disconnecting", "Disconnected"),
        Operation::CreateVolume(key) => {
            let volume = desired.volumes.get(key);
            one("Volume", volume.map_or(key.as_str(), |volume| &volume.name), "Creating", "Created")
        }
        Operation::RemoveVolume { name, .. } => one("Volume", name, "Removing", "Removed"),
        Operation::CreateContainer(new) => one("Container", &final_name(desired, &new.replica), "Creating", "Created"),
        Operation::Rename { container: target, .. } => container(target, "Renaming", "Renamed"),
        Operation::Start(target) => container(target, "Starting", "Started"),
        Operation::Stop { container: target, .. } => container(target, "Stopping", "Stopped"),
        Operation::Kill { container: target, .. } => container(target, "Killing", "Killed"),
        Operation::Pause(target) => container(target, "Pausing", "Paused"),
        Operation::RunHook { container: target, .. } => container(target, "Hook", "Hook done"),
        Operation::CopyFiles(target) => container(target, "Copying", "Copied"),
        Operation::Update(target) => container(target, "Updating", "Updated"),
        Operation::Unpause(target) => container(target, "Unpausing", "Unpaused"),
        Operation::Remove { container: target, .. } => container(target, "Removing", "Removed"),
        Operation::Await(wait) => {
            let done = match wait.condition {
                Condition::Started => "Running",
                Condition::Healthy => "Healthy",
                Condition::Completed => "Exited",
            };
            wait.containers.iter().flat_map(|target| container(target, "Waiting", done)).collect()
        }
    }
}

/// A container's name, the final one where it is made under another.
fn name(desired: &Desired, target: &Target) -> String {
    match target {
        Target::Existing { name, .. } => name.clone(),
        Target::Planned(replica) => final_name(desired, replica),
    }
}

fn final_name(desired: &Desired, replica: &crate::name::Replica) -> String {
    desired.containers.get(replica).map_or_else(|| replica.to_string(), |container| container.name.clone())
}

/// One line a subject, and the details of a failure under it. What is not reached says nothing.
pub fn plain(plan: &Plan, event: &Event<'_>) -> Vec<String> {
    let lines = |step: StepId, word: &dyn Fn(&Subject) -> String| -> Vec<String> {
        subjects(plan, step).iter().map(|subject| format!(" {}  {}", subject.id, word(subject))).collect()
    };
    match event {
        Event::Began(step) => lines(*step, &|subject| subject.doing.to_owned()),
        Event::Transfer(..) => vec![],
        Event::Note(step, text) => lines(*step, &|_| (*text).to_owned()),
        Event::Ended(step, Fate::Done(_)) => lines(*step, &|subject| subject.done.to_owned()),
        Event::Ended(step, Fate::Failed(error) | Fate::Tolerated(error)) => {
            let mut told = lines(*step, &|_| format!("Error: {error}"));
            told.extend(error.details.iter().map(|detail| format!("   {detail}")));
            told
        }
        Event::Ended(step, Fate::Skipped { because }) => lines(*step, &|_| skipped(plan, *because)),
        Event::Ended(_, Fate::NotReached) => vec![],
    }
}

fn skipped(plan: &Plan, because: StepId) -> String {
    format!("Skipped: {}", plan.step(because).operation.failed())
}

/// One JSON object a subject: docker compose's `id` and `status`, and beside them what it does not tell: the step's number in the
/// plan, `seconds`, `error` with `details`, `because`.
pub fn json(plan: &Plan, event: &Event<'_>) -> Vec<String> {
    let (step, fields) = match event {
        Event::Began(step) => (step, json!({})),
        Event::Transfer(step, progress) => {
            let (current, total) = progress.bytes.unzip();
            (step, json!({ "layer": progress.layer, "text": progress.status, "current": current, "total": total }))
        }
        Event::Note(step, text) => (step, json!({ "text": text })),
        Event::Ended(step, Fate::Done(took)) => (step, json!({ "seconds": took.as_secs_f64() })),
        Event::Ended(step, Fate::Failed(error)) => (step, failure(error, false)),
        Event::Ended(step, Fate::Tolerated(error)) => (step, failure(error, true)),
        Event::Ended(step, Fate::Skipped { because }) => (step, json!({ "because": because.index() + 1 })),
        Event::Ended(step, Fate::NotReached) => (step, json!({})),
    };
    let status = |subject: &Subject| match event {
        Event::Began(_) | Event::Transfer(..) | Event::Note(..) => subject.doing,
        Event::Ended(_, Fate::Done(_)) => subject.done,
        Event::Ended(_, Fate::Failed(_) | Fate::Tolerated(_)) => "Error",
        Event::Ended(_, Fate::Skipped { .. }) => "Skipped",
        Event::Ended(_, Fate::NotReached) => "Not reached",
    };
    let line = |subject: Subject| {
        let mut object = Map::new();
        object.insert("id".into(), subject.id.as_str().into());
        object.insert("status".into(), status(&subject).into());
        object.insert("step".into(), (step.index() + 1).into());
        if let Value::Object(fields) = &fields {
            object.extend(fields.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())));
        }
        Value::Object(object).to_string()
    };
    subjects(plan, *step).into_iter().map(line).collect()
}

fn failure(error: &StepError, tolerated: bool) -> Value {
    json!({ "error": error.message, "details": error.details, "tolerated": tolerated })
}

#[cfg(test)]
mod tests;

//! The plan as people read it.

use std::fmt;

use super::graph::{Plan, StepId};
use super::operation::{Cause, ExistingNetwork, Operation, Target};
use crate::compose::model::Condition;
use crate::name::Replica;
use crate::state::difference::Difference;

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing { name, replica, .. } if replica.number == 0 => f.write_str(name),
            _ => self.replica().fmt(f),
        }
    }
}

impl fmt::Display for ExistingNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key.as_ref().map_or(self.name.as_str(), |key| key.as_str()))
    }
}

/// What a line of a plan says is done: `connect web.1 front`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull { image, platform: None } => write!(f, "pull {image}"),
            Self::Pull { image, platform: Some(platform) } => write!(f, "pull {image} for {platform}"),
            Self::Push { image } => write!(f, "push {image}"),
            Self::Build(service) => write!(f, "build {service}"),
            Self::RemoveImage { image } => write!(f, "remove image {image}"),
            Self::CreateNetwork(key) => write!(f, "create network {key}"),
            Self::RemoveNetwork(network) => write!(f, "remove network {network}"),
            Self::MakeShim(network) => write!(f, "make the host's link on {network}"),
            Self::RemoveShim(shim) => write!(f, "remove the host's link {}", shim.name),
            Self::MakeVlan(link) => write!(f, "make the VLAN link {link}"),
            Self::RemoveVlan(link) => write!(f, "remove the VLAN link {}", link.name),
            Self::Connect { container, network } => write!(f, "connect {container} {network}"),
            Self::Disconnect { container, network } => write!(f, "disconnect {container} {network}"),
            Self::CreateVolume(key) => write!(f, "create volume {key}"),
            Self::RemoveVolume { name, key } => {
                write!(f, "remove volume {}", key.as_ref().map_or(name.as_str(), |key| key.as_str()))
            }
            Self::CreateContainer(new) => write!(f, "create {}", new.replica),
            Self::Rename { container, name } => write!(f, "rename {container} {name}"),
            Self::Start(container) => write!(f, "start {container}"),
            Self::Stop { container, .. } => write!(f, "stop {container}"),
            Self::Kill { container, signal } => write!(f, "kill {container} {signal}"),
            Self::Pause(container) => write!(f, "pause {container}"),
            Self::RunHook { container, phase, number } => {
                write!(f, "run {} {} in {container}", phase.as_str(), number + 1)
            }
            Self::CopyFiles(container) => write!(f, "copy files into {container}"),
            Self::Update(container) => write!(f, "update {container}"),
            Self::Unpause(container) => write!(f, "unpause {container}"),
            Self::Remove { container, .. } => write!(f, "remove {container}"),
            Self::Await(wait) => {
                let word = match wait.condition {
                    Condition::Started => "running",
                    Condition::Healthy => "healthy",
                    Condition::Completed => "completed",
                };
                write!(f, "await {} {word}", wait.service)
            }
        }
    }
}

impl Operation {
    /// What is so when it failed: `cannot start web.1`, `db did not become healthy`.
    pub fn failed(&self) -> String {
        match self {
            Self::Await(wait) => match wait.condition {
                Condition::Started => format!("{} does not run", wait.service),
                Condition::Healthy => format!("{} did not become healthy", wait.service),
                Condition::Completed => format!("{} did not do its work", wait.service),
            },
            _ => format!("cannot {self}"),
        }
    }
}

/// Why something is done: `network front differs: internal (true, declared false)`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Drifted(differences) => write!(f, "differs: {}", listed(differences)),
            Self::NetworkDrifted(key, differences) => write!(f, "network {key} differs: {}", listed(differences)),
            Self::Requested(flag) => write!(f, "asked for: {flag}"),
            Self::Refreshed(flag) => {
                write!(f, "asked for: {flag}; what runs on it is replaced where it comes out anew")
            }
            Self::StopFirst { cause, why } => write!(f, "{cause}; not start-first: {why}"),
            Self::RolledBack(why) => write!(f, "back to what was there: {why}"),
            Self::Orphaned => f.write_str("no service of the file"),
            Self::Surplus => f.write_str("one too many"),
            Self::Unused => f.write_str("nothing uses it"),
            Self::ParentReplaced(service) => write!(f, "lives in the network of {service}"),
            Self::DependencyReplaced(service) => write!(f, "depends on {service}"),
            Self::NotRunning(word) => f.write_str(word),
            Self::Awaited(service) => write!(f, "{service} waits for it"),
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join(", ")
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The step.
    pub id: StepId,
    /// The steps that it comes right after; those that follow from them are left out.
    pub after: Vec<StepId>,
    /// What is done; of two containers with one number, the one that is there is called old.
    pub operation: String,
    /// Why; none where a step that it comes right after has the same reason.
    pub reason: Option<String>,
}

impl Plan {
    /// The plan as lines.
    pub fn lines(&self) -> Vec<Line> {
        let all: Vec<Vec<StepId>> = self.steps().map(|(id, _)| self.direct(id)).collect();
        self.steps()
            .zip(all)
            .map(|((id, step), after)| {
                let same = |other: &StepId| self.step(*other).cause == step.cause;
                let stopped = self.stop_of(id).map(|stop| format!("stopped by {stop}"));
                let reason = stopped.or_else(|| (!after.iter().any(same)).then(|| step.cause.to_string()));
                Line { id, operation: self.said(id), after, reason }
            })
            .collect()
    }

    /// What a step needs, without what follows from the rest.
    fn direct(&self, id: StepId) -> Vec<StepId> {
        let needed: Vec<StepId> = self.predecessors(id).map(|(other, _)| other).collect();
        let mut reached = vec![false; self.len()];
        for &other in needed.iter().rev() {
            if reached[other.index()] {
                continue;
            }
            let mut open = vec![other];
            while let Some(step) = open.pop() {
                for (before, _) in self.predecessors(step) {
                    if !std::mem::replace(&mut reached[before.index()], true) {
                        open.push(before);
                    }
                }
            }
        }
        needed.into_iter().filter(|other| !reached[other.index()]).collect()
    }

    fn said(&self, id: StepId) -> String {
        let step = self.step(id);
        let text = step.operation.to_string();
        let text = match step.operation.container() {
            Some(Target::Existing { replica, .. }) if self.makes(step.host, replica) => {
                text.replacen(&replica.to_string(), &format!("old {replica}"), 1)
            }
            _ => text,
        };
        match self.host_of(id) {
            Some(host) => format!("{text} on {host}"),
            None => text,
        }
    }

    fn makes(&self, host: usize, replica: &Replica) -> bool {
        let mut here = self.steps().filter(|(_, step)| step.host == host);
        here.any(|(_, s)| matches!(&s.operation, Operation::CreateContainer(new) if new.replica == *replica))
    }

    /// The step that stopped what this one starts.
    fn stop_of(&self, id: StepId) -> Option<StepId> {
        let Operation::Start(target @ Target::Existing { .. }) = &self.step(id).operation else { return None };
        let stops =
            |operation: &Operation| matches!(operation, Operation::Stop { container, .. } if container == target);
        self.steps().find(|(_, other)| stops(&other.operation)).map(|(stop, _)| stop)
    }
}

/// One line a step: number, what it comes after, what is done, why.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let after = |line: &Line| match line.after.as_slice() {
            [] => String::new(),
            ids => format!("after {}", ids.iter().map(StepId::to_string).collect::<Vec<_>>().join(", ")),
        };
        let number = self.len().to_string().len();
        let middle = lines.iter().map(|line| after(line).len()).max().unwrap_or_default();
        let what = lines.iter().map(|line| line.operation.chars().count()).max().unwrap_or_default();
        for line in &lines {
            let row = format!(
                "{:>number$}  {:middle$}  {:what$}  {}",
                line.id,
                after(line),
                line.operation,
                line.reason.as_deref().unwrap_or_default()
            );
            writeln!(f, "{}", row.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::lab::Lab;

    #[test]
    fn lines_stand_in_columns() {
        let lab = Lab::load("services: {web: {image: busybox, networks: [front]}}\nnetworks: {front: {}}");
        let expected = "\
1           create network front  missing
2  after 1  create web.1
3  after 2  start web.1
";
        assert_eq!(lab.up().plan.to_string(), expected);
    }
}

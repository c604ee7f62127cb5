//! What every plan holds to, proved of each one before it leaves the builder.

use std::collections::BTreeMap;

use super::graph::{Plan, StepId};
use super::operation::{Cause, Operation, Target};
use crate::name::{ContainerId, NetworkKey, VolumeKey};
use crate::state::observed::{ContainerState, Observed};

/// A mistake in the making of a plan. Steps are named by what they do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Steps wait for each other.
    #[error("steps wait for each other: {}", .0.join(", "))]
    Cycle(Vec<String>),
    /// A container, network or volume is made twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// Something is used that may not be there yet.
    #[error("`{step}` does not come after `{maker}`")]
    BeforeMade {
        /// Who uses it.
        step: String,
        /// Who makes it.
        maker: String,
    },
    /// A container of the plan is used that no step makes.
    #[error("`{0}` uses a container that no step makes")]
    NeverMade(String),
    /// Two steps change one thing, and neither comes after the other.
    #[error("nothing orders `{0}` and `{1}`")]
    Unordered(String, String),
    /// Something is used that may be gone.
    #[error("`{0}` does not come before `{1}`")]
    AfterRemoval(String, String),
    /// A running container is removed without being stopped.
    #[error("`{0}` takes away what runs")]
    RemovesRunning(String),
    /// A network goes while a container of the project is on it.
    #[error("`{step}` comes while {container} is on it")]
    StillOn {
        /// The removal.
        step: String,
        /// Who is on it.
        container: String,
    },
    /// A container is stopped, kept and not started again.
    #[error("`{0}` is not undone")]
    LeftStopped(String),
    /// A name may still be another's when it is given.
    #[error("`{step}` gives a name that {holder} may still have")]
    NameHeld {
        /// Who gives it.
        step: String,
        /// Who has it.
        holder: String,
    },
}

/// Proves a plan whose steps are in topological order.
pub(super) fn prove(plan: &Plan, observed: &Observed) -> Result<(), Flaw> {
    let proof = Proof::new(plan, observed);
    proof.made_once_and_before_use()?;
    proof.one_after_the_other()?;
    proof.stopped_before_removed_and_started_again()?;
    proof.networks_go_when_nobody_is_on_them()?;
    proof.names_are_free_when_given()
}

/// A plan with what the proofs ask of it again and again.
struct Proof<'a> {
    plan: &'a Plan,
    observed: &'a Observed,
    /// For each step, the set of steps before it, one bit each.
    before: Vec<Vec<u64>>,
    /// The steps that change a container, in topological order.
    changes: BTreeMap<Target, Vec<StepId>>,
}

impl<'a> Proof<'a> {
    fn new(plan: &'a Plan, observed: &'a Observed) -> Self {
        let mut before = vec![vec![0u64; plan.len().div_ceil(64)]; plan.len()];
        let mut changes: BTreeMap<Target, Vec<StepId>> = BTreeMap::new();
        for (id, step) in plan.steps() {
            for (other, _) in plan.predecessors(id) {
                let (head, tail) = before.split_at_mut(id.index());
                tail[0].iter_mut().zip(&head[other.index()]).for_each(|(mine, theirs)| *mine |= theirs);
                tail[0][other.index() / 64] |= 1 << (other.index() % 64);
            }
            if let Some(target) = changed(&step.operation) {
                changes.entry(target).or_default().push(id);
            }
        }
        Self { plan, observed, before, changes }
    }

    fn is_before(&self, first: StepId, second: StepId) -> bool {
        self.before[second.index()][first.index() / 64] >> (first.index() % 64) & 1 == 1
    }

    fn say(&self, id: StepId) -> String {
        self.operation(id).to_string()
    }

    fn operation(&self, id: StepId) -> &'a Operation {
        &self.plan.step(id).operation
    }

    /// The steps of which `pick` says something, with what it says.
    fn all<T>(&self, pick: impl Fn(&'a Operation) -> Option<T>) -> Vec<(StepId, T)> {
        self.plan.steps().filter_map(|(id, s)| pick(&s.operation).map(|t| (id, t))).collect()
    }

    fn comes_after(&self, step: StepId, maker: StepId) -> Result<(), Flaw> {
        if self.is_before(maker, step) {
            return Ok(());
        }
        Err(Flaw::BeforeMade { step: self.say(step), maker: self.say(maker) })
    }

    fn made_once_and_before_use(&self) -> Result<(), Flaw> {
        let mut images = BTreeMap::new();
        let mut builds = BTreeMap::new();
        let mut networks: BTreeMap<&NetworkKey, StepId> = BTreeMap::new();
        let mut volumes: BTreeMap<&VolumeKey, StepId> = BTreeMap::new();
        for (id, step) in self.plan.steps() {
            let old = match &step.operation {
                Operation::Pull { image, .. } => images.insert(image, id),
                Operation::Build(service) => builds.insert(service, id),
                Operation::CreateNetwork(key) => networks.insert(key, id),
                Operation::CreateVolume(key) => volumes.insert(key, id),
                _ => None,
            };
            if old.is_some() {
                return Err(Flaw::Twice(self.say(id)));
            }
        }
        for (id, operation) in self.all(Some) {
            for target in used(operation) {
                self.target_is_made(id, &target)?;
            }
            let (network_keys, new) = match operation {
                Operation::CreateContainer(new) => (new.networks.iter().collect(), Some(new)),
                Operation::Connect { network, .. } => (vec![network], None),
                _ => continue,
            };
            let mut makers: Vec<StepId> = network_keys.iter().filter_map(|key| networks.get(key)).copied().collect();
            if let Some(container) = new.and_then(|new| self.plan.desired().containers.get(&new.replica)) {
                let named = |image: &str| images.iter().find(|(name, _)| ***name == *image).map(|(_, id)| *id);
                makers.extend(container.settings.images().filter_map(named));
                makers.extend(builds.get(&container.replica.service));
                let named = |key: &VolumeKey| self.plan.desired().volumes.get(key).map(|v| v.name.as_str());
                let mounted: Vec<&str> =
                    container.settings.mounts.iter().filter_map(|m| m.kind.volume_name()).collect();
                makers.extend(
                    volumes.iter().filter(|(k, _)| named(k).is_some_and(|n| mounted.contains(&n))).map(|(_, id)| id),
                );
            }
            makers.into_iter().try_for_each(|maker| self.comes_after(id, maker))?;
        }
        Ok(())
    }

    /// A container of the plan is made by exactly one step, before `user`.
    fn target_is_made(&self, user: StepId, target: &Target) -> Result<(), Flaw> {
        let Target::Planned(replica) = target else { return Ok(()) };
        let makers =
            self.all(|o| matches!(o, Operation::CreateContainer(new) if new.replica == *replica).then_some(()));
        match makers.as_slice() {
            [] => Err(Flaw::NeverMade(self.say(user))),
            [(maker, ())] if *maker == user => Ok(()),
            [(maker, ())] => self.comes_after(user, *maker),
            [_, (second, ()), ..] => Err(Flaw::Twice(self.say(*second))),
        }
    }

    /// All that changes one container is ordered; whoever only looks at it comes after its start and before its removal.
    fn one_after_the_other(&self) -> Result<(), Flaw> {
        for steps in self.changes.values() {
            for pair in steps.windows(2) {
                if !self.is_before(pair[0], pair[1]) {
                    return Err(Flaw::Unordered(self.say(pair[0]), self.say(pair[1])));
                }
            }
        }
        for (id, operation) in self.all(Some) {
            let awaits = matches!(operation, Operation::Await(_));
            for target in used(operation).into_iter().filter(|t| changed(operation).as_ref() != Some(t)) {
                for &change in self.changes.get(&target).into_iter().flatten() {
                    match self.operation(change) {
                        Operation::Start(_) if awaits => self.comes_after(id, change)?,
                        Operation::Remove { .. } if !self.is_before(id, change) => {
                            return Err(Flaw::AfterRemoval(self.say(id), self.say(change)));
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn stopped_before_removed_and_started_again(&self) -> Result<(), Flaw> {
        for (target, steps) in &self.changes {
            let mut runs = match target {
                Target::Planned(_) => false,
                Target::Existing { id, .. } => self.runs(id),
            };
            let mut stop = None;
            for (place, &id) in steps.iter().enumerate() {
                match self.operation(id) {
                    Operation::Start(_) => (runs, stop) = (true, None),
                    Operation::Stop { .. } => (runs, stop) = (false, Some(id)),
                    Operation::Remove { .. } if runs => return Err(Flaw::RemovesRunning(self.say(id))),
                    Operation::Remove { .. } => match steps.get(place + 1) {
                        Some(&late) => return Err(Flaw::AfterRemoval(self.say(late), self.say(id))),
                        None => stop = None,
                    },
                    _ => {}
                }
            }
            match stop {
                Some(id) if !matches!(self.plan.step(id).cause, Cause::Requested(_)) => {
                    return Err(Flaw::LeftStopped(self.say(id)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn runs(&self, id: &ContainerId) -> bool {
        let state = self.observed.containers.iter().find(|c| c.id == *id).map(|c| &c.state);
        matches!(
            state,
            Some(ContainerState::Running { .. } | ContainerState::Paused | ContainerState::Restarting { .. })
        )
    }

    fn networks_go_when_nobody_is_on_them(&self) -> Result<(), Flaw> {
        for (id, network) in self.all(|o| if let Operation::RemoveNetwork(n) = o { Some(n) } else { None }) {
            let on_it = |c: &&crate::state::observed::ObservedContainer| {
                c.endpoints.values().any(|e| e.network.as_ref() == Some(&network.id))
            };
            for container in self.observed.containers.iter().filter(on_it) {
                let off = self.all(|o| match o {
                    Operation::Disconnect { container: Target::Existing { id, .. }, network: from } => {
                        (*id == container.id && from.id == network.id).then_some(())
                    }
                    Operation::Remove { container: Target::Existing { id, .. }, .. } => {
                        (*id == container.id).then_some(())
                    }
                    _ => None,
                });
                if !off.iter().any(|(off, ())| self.is_before(*off, id)) {
                    return Err(Flaw::StillOn { step: self.say(id), container: container.name.clone() });
                }
            }
            let same_name =
                |key: &NetworkKey| self.plan.desired().networks.get(key).is_some_and(|n| n.name == network.name);
            for (maker, key) in self.all(|o| if let Operation::CreateNetwork(key) = o { Some(key) } else { None }) {
                if same_name(key) {
                    self.comes_after(maker, id)?;
                }
            }
        }
        Ok(())
    }

    /// Whoever has a name, or gets it in this plan, has lost it before another gets it, or gets it only afterwards.
    fn names_are_free_when_given(&self) -> Result<(), Flaw> {
        let mut holders: BTreeMap<&str, Vec<(Option<StepId>, Target)>> = BTreeMap::new();
        for target in self.changes.keys() {
            if let Target::Existing { name, .. } = target {
                holders.entry(name).or_default().push((None, target.clone()));
            }
        }
        let planned: Vec<(StepId, Target, &'a str)> = self
            .all(|o| match o {
                Operation::CreateContainer(new) => Some((changed(o)?, new.name.as_str())),
                Operation::Rename { container, name } => Some((container.clone(), name.as_str())),
                _ => None,
            })
            .into_iter()
            .map(|(id, (target, name))| (id, target, name))
            .collect();
        for (id, target, name) in &planned {
            holders.entry(name).or_default().push((Some(*id), target.clone()));
        }
        for (id, target, name) in planned {
            for (since, holder) in holders.get(name).into_iter().flatten().filter(|(_, holder)| *holder != target) {
                let freed = self.freed_after(holder, *since).is_some_and(|freed| self.is_before(freed, id));
                if !freed && !since.is_some_and(|since| self.is_before(id, since)) {
                    return Err(Flaw::NameHeld { step: self.say(id), holder: holder.to_string() });
                }
            }
        }
        self.kept_names_are_left_alone()
    }

    /// No name is given that a container has which the plan does not touch.
    fn kept_names_are_left_alone(&self) -> Result<(), Flaw> {
        let untouched = |name: &str| {
            let mut all = self.observed.containers.iter().filter(|c| c.name == name);
            all.find(|c| !self.changes.keys().any(|t| matches!(t, Target::Existing { id, .. } if *id == c.id)))
        };
        for (id, operation) in self.all(Some) {
            let (Operation::CreateContainer(super::NewContainer { name, .. }) | Operation::Rename { name, .. }) =
                operation
            else {
                continue;
            };
            if let Some(holder) = untouched(name) {
                return Err(Flaw::NameHeld { step: self.say(id), holder: holder.name.clone() });
            }
        }
        Ok(())
    }

    /// The step by which a holder loses the name that it has since a step (or from the start).
    fn freed_after(&self, holder: &Target, since: Option<StepId>) -> Option<StepId> {
        let frees = |id: &StepId| matches!(self.operation(*id), Operation::Remove { .. } | Operation::Rename { .. });
        let mut changes = self.changes.get(holder)?.iter().copied().filter(|id| since.is_none_or(|since| *id > since));
        changes.find(frees)
    }
}

/// The container that an operation changes.
fn changed(operation: &Operation) -> Option<Target> {
    match operation {
        Operation::CreateContainer(new) => Some(Target::Planned(new.replica.clone())),
        other => other.container().cloned(),
    }
}

/// The containers that an operation changes or looks at.
fn used(operation: &Operation) -> Vec<Target> {
    let mut used: Vec<Target> = changed(operation).into_iter().collect();
    match operation {
        Operation::CreateContainer(new) => {
            used.extend(new.parent.clone());
            used.extend(new.lenders.iter().cloned());
            used.extend(new.links.iter().filter_map(|(end, _)| end.target().cloned()));
        }
        Operation::Await(wait) => used.extend(wait.containers.iter().cloned()),
        _ => {}
    }
    used
}

//! Steps and edges are added in any order; [`PlanBuilder::finish`] sorts them and proves the plan.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::Direction;
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::graph::{Plan, Step};
use super::operation::{Cause, Needs, OnFailure, Operation, Phase, Target};
use super::proof::{self, Flaw};
use crate::state::desired::Desired;
use crate::state::observed::{ContainerState, Observed};

/// A step that was added, until the plan is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(NodeIndex);

/// A plan in the making.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    graph: DiGraph<Step, Needs>,
    wishes: Vec<(NodeIndex, NodeIndex, Needs)>,
}

impl PlanBuilder {
    /// Nothing to do yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do so far.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// Adds a step; of those that could come next, the one that was added first does.
    pub fn step(&mut self, operation: Operation, cause: Cause) -> Handle {
        Handle(self.graph.add_node(Step { operation, cause, on_failure: OnFailure::default(), host: 0 }))
    }

    /// What a step does.
    pub fn operation(&self, step: Handle) -> &Operation {
        &self.graph[step.0].operation
    }

    /// Why a step is done.
    pub fn cause(&self, step: Handle) -> &Cause {
        &self.graph[step.0].cause
    }

    /// Lets the plan go on where `step` fails.
    pub fn tolerate(&mut self, step: Handle) {
        self.graph[step.0].on_failure = OnFailure::GoOn;
    }

    /// Undoes [`PlanBuilder::tolerate`].
    pub fn insist(&mut self, step: Handle) {
        self.graph[step.0].on_failure = OnFailure::SkipDependents;
    }

    /// `step` needs `other`. Of two reasons for one edge the stronger one stays (`Order` is the weakest).
    pub fn needs(&mut self, step: Handle, other: Handle, why: Needs) {
        match self.graph.find_edge(other.0, step.0) {
            Some(edge) => self.graph[edge] = self.graph[edge].min(why),
            None => _ = self.graph.add_edge(other.0, step.0, why),
        }
    }

    /// `step` needs `other` if nothing stands against it: decided at the end, in the order of these calls.
    pub fn prefer(&mut self, step: Handle, other: Handle, why: Needs) {
        self.wishes.push((step.0, other.0, why));
    }

    /// Sorts the steps and proves the plan.
    ///
    /// # Errors
    /// A [`Flaw`] is a mistake of whoever built the plan, never of the user.
    pub fn finish(mut self, desired: Desired, observed: &Observed) -> Result<Plan, Flaw> {
        for (step, other, why) in std::mem::take(&mut self.wishes) {
            if !has_path_connecting(&self.graph, step, other, None) {
                self.needs(Handle(step), Handle(other), why);
            }
        }
        self.hooks(&desired, observed);
        let plan = Plan::new(desired, sorted(&self.graph)?);
        proof::prove(&plan, observed)?;
        Ok(plan)
    }
}

/// The commands of `post_start` and `pre_stop`, whoever starts and stops containers.
impl PlanBuilder {
    /// Puts hooks behind every start and before every stop of what runs: they come where the start or the stop would.
    fn hooks(&mut self, desired: &Desired, observed: &Observed) {
        for node in self.graph.node_indices().collect::<Vec<_>>() {
            let wanted = |target: &Target| desired.containers.get(target.replica());
            match self.graph[node].operation.clone() {
                Operation::Start(target) => {
                    let count = wanted(&target).map_or(0, |wanted| wanted.post_start.len());
                    (0..count).rev().for_each(|number| self.after_start(node, &target, number));
                }
                Operation::Stop { container: target, .. } if is_running(&target, observed) => {
                    let count = wanted(&target).map_or(0, |wanted| wanted.pre_stop.len());
                    (0..count).for_each(|number| self.before_stop(node, &target, number));
                }
                _ => {}
            }
        }
    }

    fn hook(&mut self, node: NodeIndex, target: &Target, phase: Phase, number: usize) -> NodeIndex {
        let (container, cause) = (target.clone(), self.graph[node].cause.clone());
        self.step(Operation::RunHook { container, phase, number }, cause).0
    }

    /// Whatever comes after the start comes after the hook too; called from the last hook to the first.
    fn after_start(&mut self, start: NodeIndex, target: &Target, number: usize) {
        let hook = self.hook(start, target, Phase::PostStart, number);
        let after: Vec<(NodeIndex, Needs)> =
            self.graph.edges_directed(start, Direction::Outgoing).map(|edge| (edge.target(), *edge.weight())).collect();
        after.into_iter().for_each(|(next, why)| self.needs(Handle(next), Handle(hook), why));
        self.needs(Handle(hook), Handle(start), Needs::Exists);
    }

    /// Whatever comes before the stop comes before the hook too; called from the first hook to the last.
    fn before_stop(&mut self, stop: NodeIndex, target: &Target, number: usize) {
        let hook = self.hook(stop, target, Phase::PreStop, number);
        let before: Vec<(NodeIndex, Needs)> =
            self.graph.edges_directed(stop, Direction::Incoming).map(|edge| (edge.source(), *edge.weight())).collect();
        before.into_iter().for_each(|(other, why)| self.needs(Handle(hook), Handle(other), why));
        self.needs(Handle(stop), Handle(hook), Needs::Exists);
        self.tolerate(Handle(hook));
    }
}

/// Whether a command can run in it.
fn is_running(target: &Target, observed: &Observed) -> bool {
    let Target::Existing { id, .. } = target else { return false };
    let found = observed.containers.iter().find(|container| container.id == *id);
    found.is_some_and(|container| matches!(container.state, ContainerState::Running { .. }))
}

/// The same graph with its nodes in topological order; among those that are free, the one that was added first.
pub(super) fn sorted(graph: &DiGraph<Step, Needs>) -> Result<DiGraph<Step, Needs>, Flaw> {
    let mut open: Vec<usize> =
        graph.node_indices().map(|n| graph.neighbors_directed(n, Direction::Incoming).count()).collect();
    let mut free: BinaryHeap<Reverse<NodeIndex>> =
        graph.node_indices().filter(|n| open[n.index()] == 0).map(Reverse).collect();
    let mut place = vec![None; graph.node_count()];
    let mut out = DiGraph::with_capacity(graph.node_count(), graph.edge_count());
    while let Some(Reverse(node)) = free.pop() {
        place[node.index()] = Some(out.add_node(graph[node].clone()));
        for next in graph.neighbors_directed(node, Direction::Outgoing) {
            open[next.index()] -= 1;
            if open[next.index()] == 0 {
                free.push(Reverse(next));
            }
        }
    }
    let place: Option<Vec<NodeIndex>> = place.into_iter().collect();
    let Some(place) = place else {
        let ring = graph.node_indices().filter(|n| open[n.index()] > 0).map(|n| graph[n].operation.to_string());
        return Err(Flaw::Cycle(ring.collect()));
    };
    for edge in graph.raw_edges() {
        out.add_edge(place[edge.source().index()], place[edge.target().index()], edge.weight);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ContainerId, Replica};
    use crate::state::observed::ObservedContainer;

    fn desired() -> Desired {
        Desired::nothing("lab".parse().unwrap())
    }

    fn pull(image: &str) -> Operation {
        Operation::Pull { image: image.into(), platform: None }
    }

    /// A running container of the project.
    fn running() -> (Observed, Target) {
        let (id, name) = (ContainerId::from_engine("c0ffee"), "lab-web-1".to_owned());
        let replica = Replica::new("web".parse().unwrap(), 1);
        let state = ContainerState::Running { pid: 1, health: None, started_at: String::new() };
        let container = ObservedContainer::named(id.clone(), &name, replica.clone(), state);
        let observed = Observed { containers: vec![container], ..Observed::default() };
        (observed, Target::Existing { id, name, replica })
    }

    #[test]
    fn steps_are_numbered_after_all_that_they_need() {
        let mut builder = PlanBuilder::new();
        let late = builder.step(pull("late"), Cause::Missing);
        let early = builder.step(pull("early"), Cause::Missing);
        builder.needs(late, early, Needs::Order);
        builder.needs(late, early, Needs::Exists);
        let plan = builder.finish(desired(), &Observed::default()).unwrap();
        let lines: Vec<String> = plan.steps().map(|(id, s)| format!("{id} {}", s.operation)).collect();
        assert_eq!(lines, ["1 pull early", "2 pull late"]);
        let (last, _) = plan.steps().last().unwrap();
        assert_eq!(
            plan.predecessors(last).map(|(id, why)| (id.index(), why)).collect::<Vec<_>>(),
            [(0, Needs::Exists)]
        );
    }

    #[test]
    fn steps_that_wait_for_each_other_are_no_plan() {
        let mut builder = PlanBuilder::new();
        let (a, b) = (builder.step(pull("a"), Cause::Missing), builder.step(pull("b"), Cause::Missing));
        builder.needs(a, b, Needs::Exists);
        builder.needs(b, a, Needs::Exists);
        let flaw = builder.finish(desired(), &Observed::default()).unwrap_err();
        assert_eq!(flaw, Flaw::Cycle(vec!["pull a".into(), "pull b".into()]));
    }

    #[test]
    fn a_wish_gives_way_to_a_need() {
        let mut builder = PlanBuilder::new();
        let (a, b) = (builder.step(pull("a"), Cause::Missing), builder.step(pull("b"), Cause::Missing));
        builder.needs(b, a, Needs::Exists);
        builder.prefer(a, b, Needs::Order);
        assert!(builder.finish(desired(), &Observed::default()).is_ok());
    }

    #[test]
    fn what_runs_is_stopped_before_it_is_removed() {
        let (observed, web) = running();
        let mut builder = PlanBuilder::new();
        builder.step(Operation::Remove { container: web.clone(), volumes: false }, Cause::Orphaned);
        let flaw = builder.finish(desired(), &observed).unwrap_err();
        assert_eq!(flaw, Flaw::RemovesRunning("remove web.1".into()));

        let mut builder = PlanBuilder::new();
        builder.step(Operation::Stop { container: web.clone(), timeout: None }, Cause::Orphaned);
        builder.step(Operation::Remove { container: web.clone(), volumes: false }, Cause::Orphaned);
        let unordered = builder.finish(desired(), &observed).unwrap_err();
        assert_eq!(unordered, Flaw::Unordered("stop web.1".into(), "remove web.1".into()));

        let mut builder = PlanBuilder::new();
        let stop = builder.step(Operation::Stop { container: web.clone(), timeout: None }, Cause::Orphaned);
        let remove = builder.step(Operation::Remove { container: web, volumes: false }, Cause::Orphaned);
        builder.needs(remove, stop, Needs::Stopped);
        assert!(builder.finish(desired(), &observed).is_ok());
    }

    #[test]
    fn what_is_stopped_and_kept_is_started_again() {
        let (observed, web) = running();
        let mut builder = PlanBuilder::new();
        builder.step(Operation::Stop { container: web.clone(), timeout: None }, Cause::Missing);
        assert_eq!(builder.finish(desired(), &observed).unwrap_err(), Flaw::LeftStopped("stop web.1".into()));

        let mut builder = PlanBuilder::new();
        builder.step(Operation::Stop { container: web, timeout: None }, Cause::Requested("stop".into()));
        assert!(builder.finish(desired(), &observed).is_ok());
    }
}

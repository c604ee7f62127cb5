//! The plan as a graph of steps that can only be read.

use std::collections::BTreeSet;
use std::fmt;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::operation::{Cause, Needs, OnFailure, Operation};
use crate::name::{HostName, NetworkKey, ServiceName};
use crate::state::desired::Desired;

/// A step's place in its plan: a step comes after all that it needs. Shown from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub(super) u32);

impl StepId {
    /// From 0 to `Plan::len()`, for tables beside the plan.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    fn node(self) -> NodeIndex {
        NodeIndex::new(self.index())
    }

    fn of(node: NodeIndex) -> Self {
        Self(node.index() as u32)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&(self.0 + 1), f)
    }
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub operation: Operation,
    /// Why.
    pub cause: Cause,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// The place of its host among those of the plan; 0 where that is one.
    pub host: usize,
}

/// What is done, and after what. Made by [`super::PlanBuilder`], which proves that it is sound.
///
/// An edge leads from a step to one that needs it. Nodes lie in topological order, so that every number is above those of
/// the steps it needs.
#[derive(Clone, Debug)]
pub struct Plan {
    desired: Desired,
    graph: DiGraph<Step, Needs>,
    /// The hosts that it is carried out on, each with what its steps lead to; none: it is one that nobody has named.
    hosts: Vec<(HostName, Desired)>,
}

impl Plan {
    /// Only the builder makes one, with its nodes in topological order.
    pub(super) fn new(desired: Desired, graph: DiGraph<Step, Needs>) -> Self {
        Self { desired, graph, hosts: vec![] }
    }

    /// A plan over several hosts, its nodes in topological order.
    pub(super) fn over(hosts: Vec<(HostName, Desired)>, graph: DiGraph<Step, Needs>) -> Option<Self> {
        let desired = Desired::nothing(hosts.first()?.1.project.clone());
        Some(Self { desired, graph, hosts })
    }

    /// What it was made of.
    pub(super) fn into_parts(self) -> (Desired, DiGraph<Step, Needs>) {
        (self.desired, self.graph)
    }

    /// What each Engine comes to hold, in the order of [`Step::host`]; one where there is one.
    pub fn each_desired(&self) -> impl Iterator<Item = &Desired> {
        let only = self.hosts.is_empty().then_some(&self.desired);
        only.into_iter().chain(self.hosts.iter().map(|(_, desired)| desired))
    }

    /// What a step leads to: the settings of what it creates.
    pub fn desired_of(&self, id: StepId) -> &Desired {
        self.hosts.get(self.step(id).host).map_or(&self.desired, |(_, desired)| desired)
    }

    /// The host of a step, where there are several.
    pub fn host_of(&self, id: StepId) -> Option<&HostName> {
        self.hosts.get(self.step(id).host).map(|(name, _)| name)
    }

    /// What the steps lead to: the settings of what they create. Over several hosts nothing but the project: see [`Plan::desired_of`].
    pub fn desired(&self) -> &Desired {
        &self.desired
    }

    /// How many steps.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every step, each after all that it needs.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (StepId, &Step)> + DoubleEndedIterator {
        self.graph.node_indices().map(|n| (StepId::of(n), &self.graph[n]))
    }

    /// A step of this plan.
    pub fn step(&self, id: StepId) -> &Step {
        &self.graph[id.node()]
    }

    /// The services whose containers or images it makes or changes, and the networks that it makes.
    pub fn touches(&self) -> (BTreeSet<ServiceName>, BTreeSet<NetworkKey>) {
        let (mut services, mut networks) = (BTreeSet::new(), BTreeSet::new());
        for (_, step) in self.steps() {
            match &step.operation {
                Operation::CreateContainer(new) => _ = services.insert(new.replica.service.clone()),
                Operation::Build(service) => _ = services.insert(service.clone()),
                Operation::CreateNetwork(key) | Operation::MakeShim(key) => _ = networks.insert(key.clone()),
                other => services.extend(other.container().map(|target| target.replica().service.clone())),
            }
        }
        (services, networks)
    }

    /// What a step needs, in order.
    pub fn predecessors(&self, id: StepId) -> impl Iterator<Item = (StepId, Needs)> + '_ {
        self.neighbours(id, Direction::Incoming)
    }

    /// What needs a step, in order.
    pub fn successors(&self, id: StepId) -> impl Iterator<Item = (StepId, Needs)> + '_ {
        self.neighbours(id, Direction::Outgoing)
    }

    fn neighbours(&self, id: StepId, direction: Direction) -> impl Iterator<Item = (StepId, Needs)> + '_ {
        let mut found: Vec<_> = self
            .graph
            .edges_directed(id.node(), direction)
            .map(|e| {
                let other = if direction == Direction::Incoming { e.source() } else { e.target() };
                (StepId::of(other), *e.weight())
            })
            .collect();
        found.sort();
        found.into_iter()
    }
}

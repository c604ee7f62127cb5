//! One plan over several hosts: each host's plan, which was proved by itself, side by side, and between them what one host's services
//! wait for on another.
//!
//! Nothing of a host's own is touched by it: an edge or a wait is all that comes in between, so that what holds for each plan holds
//! for the whole, and the law of plans with it.

use std::time::Duration;

use petgraph::graph::{DiGraph, NodeIndex};

use super::builder::sorted;
use super::graph::{Plan, Step};
use super::operation::{Cause, Needs, OnFailure, Operation, Target, Wait};
use super::proof::Flaw;
use crate::compose::model::{Condition, Need};
use crate::name::{HostName, Replica, ServiceName};
use crate::state::desired::Desired;
use crate::state::observed::{ContainerState, Health, Observed};

/// One host's plan, and what it was made from.
pub struct HostPlan<'a> {
    /// The host.
    pub host: HostName,
    /// Its plan.
    pub plan: Plan,
    /// What its Engine holds.
    pub observed: &'a Observed,
}

/// The plans of an `up` as one: a service starts when what it needs of another host is there.
///
/// # Errors
/// A [`Flaw`] is a mistake of whoever made the plans, never of the user.
pub fn up(parts: Vec<HostPlan<'_>>, needs: &[Need], timeout: Option<Duration>) -> Result<Plan, Flaw> {
    let mut work = Work::new(parts);
    // a wait is one for all who need it, and tolerated only where all of them can do without
    let mut tolerated: Vec<NodeIndex> = vec![];
    for need in needs {
        work.start_after(need, timeout, &mut tolerated);
    }
    for node in tolerated {
        work.graph[node].on_failure = OnFailure::GoOn;
    }
    work.finish()
}

/// The plans of a `down` as one: who needs a service of another host stops before it.
///
/// # Errors
/// As [`up`].
pub fn down(parts: Vec<HostPlan<'_>>, needs: &[Need]) -> Result<Plan, Flaw> {
    let mut work = Work::new(parts);
    for need in needs {
        for before in work.stops(&need.service) {
            for after in work.stops(&need.needed) {
                work.needs(after, before, Needs::Order);
            }
        }
    }
    work.finish()
}

struct Work<'a> {
    graph: DiGraph<Step, Needs>,
    hosts: Vec<(HostName, Desired)>,
    observed: Vec<&'a Observed>,
}

impl<'a> Work<'a> {
    fn new(parts: Vec<HostPlan<'a>>) -> Self {
        let mut work = Self { graph: DiGraph::new(), hosts: vec![], observed: vec![] };
        for (place, HostPlan { host, plan, observed }) in parts.into_iter().enumerate() {
            let first = work.graph.node_count();
            let (desired, graph) = plan.into_parts();
            for node in graph.node_indices() {
                work.graph.add_node(Step { host: place, ..graph[node].clone() });
            }
            let moved = |node: NodeIndex| NodeIndex::new(first + node.index());
            for edge in graph.raw_edges() {
                work.graph.add_edge(moved(edge.source()), moved(edge.target()), edge.weight);
            }
            work.hosts.push((host, desired));
            work.observed.push(observed);
        }
        work
    }

    fn finish(self) -> Result<Plan, Flaw> {
        let graph = sorted(&self.graph)?;
        Plan::over(self.hosts, graph).ok_or(Flaw::Cycle(vec![]))
    }

    /// The host that a service is placed on.
    fn host(&self, service: &ServiceName) -> Option<usize> {
        self.hosts.iter().position(|(_, desired)| desired.services.contains(service))
    }

    /// The steps on a host of which `pick` says yes.
    fn steps(&self, host: usize, pick: impl Fn(&Operation) -> bool) -> Vec<NodeIndex> {
        let of_host = |node: &NodeIndex| self.graph[*node].host == host && pick(&self.graph[*node].operation);
        self.graph.node_indices().filter(of_host).collect()
    }

    fn starts(&self, host: usize, service: &ServiceName) -> Vec<NodeIndex> {
        self.steps(host, |operation| {
            matches!(operation, Operation::Start(target) | Operation::Unpause(target) if target.replica().service == *service)
        })
    }

    /// Wherever they are: a service that moved may still be where it was.
    fn stops(&self, service: &ServiceName) -> Vec<NodeIndex> {
        let stops = |operation: &Operation| matches!(operation, Operation::Stop { container, .. } if container.replica().service == *service);
        (0..self.hosts.len()).flat_map(|host| self.steps(host, stops)).collect()
    }

    fn needs(&mut self, step: NodeIndex, other: NodeIndex, why: Needs) {
        self.graph.update_edge(other, step, why);
    }

    /// Lets the starts of a service wait for what it needs of another host.
    fn start_after(&mut self, need: &Need, timeout: Option<Duration>, tolerated: &mut Vec<NodeIndex>) {
        let (Some(here), Some(there)) = (self.host(&need.service), self.host(&need.needed)) else { return };
        let waiting = self.starts(here, &need.service);
        if waiting.is_empty() {
            return;
        }
        let condition = need.dependency.condition;
        let before = match condition {
            Condition::Started => self.starts(there, &need.needed),
            _ => self.wait(there, need, timeout, tolerated).into_iter().collect(),
        };
        let why = if need.dependency.required { Needs::Condition(condition) } else { Needs::Order };
        for step in before {
            waiting.iter().for_each(|start| self.needs(*start, step, why));
        }
    }

    /// The wait for a service on its host: one that is there already, or a new one, unless what is waited for holds.
    fn wait(
        &mut self,
        host: usize,
        need: &Need,
        timeout: Option<Duration>,
        tolerated: &mut Vec<NodeIndex>,
    ) -> Option<NodeIndex> {
        let (service, condition) = (&need.needed, need.dependency.condition);
        let same = |operation: &Operation| matches!(operation, Operation::Await(wait) if wait.service == *service && wait.condition == condition);
        if let Some(there) = self.steps(host, same).first().copied() {
            if need.dependency.required {
                tolerated.retain(|node| *node != there);
                self.graph[there].on_failure = OnFailure::SkipDependents;
            }
            return Some(there);
        }
        let starts = self.starts(host, service);
        let replicas: Vec<&Replica> =
            self.hosts[host].1.containers.keys().filter(|replica| replica.service == *service).collect();
        if starts.is_empty() && replicas.iter().all(|replica| self.holds(host, replica, condition)) {
            return None;
        }
        let containers: Vec<Target> = replicas.into_iter().filter_map(|replica| self.target(host, replica)).collect();
        let operation = Operation::Await(Wait { service: service.clone(), containers, condition, timeout });
        let cause = Cause::Awaited(need.service.clone());
        let step = self.graph.add_node(Step { operation, cause, on_failure: OnFailure::default(), host });
        for start in starts {
            self.needs(step, start, Needs::Condition(Condition::Started));
        }
        if !need.dependency.required {
            tolerated.push(step);
        }
        Some(step)
    }

    /// The container of a replica when the plan is done.
    fn target(&self, host: usize, replica: &Replica) -> Option<Target> {
        let makes =
            |operation: &Operation| matches!(operation, Operation::CreateContainer(new) if new.replica == *replica);
        if !self.steps(host, makes).is_empty() {
            return Some(Target::Planned(replica.clone()));
        }
        self.observed[host].containers.iter().find(|found| found.replica == *replica).map(Target::existing)
    }

    /// Whether a container that is there fulfils a condition now.
    fn holds(&self, host: usize, replica: &Replica, condition: Condition) -> bool {
        let found = self.observed[host].containers.iter().find(|found| found.replica == *replica);
        match (condition, found.map(|found| &found.state)) {
            (Condition::Started, Some(ContainerState::Running { .. })) => true,
            (Condition::Healthy, Some(ContainerState::Running { health, .. })) => *health == Some(Health::Healthy),
            (Condition::Completed | Condition::Started, Some(ContainerState::Exited { code, .. })) => *code == 0,
            _ => false,
        }
    }
}

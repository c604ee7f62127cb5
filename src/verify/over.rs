//! What is proved between hosts, where a stack is on several: who reaches whom on the wires that lead from one to another, and who does not. All else is proved
//! on each host by itself.

use super::check::{Check, Expectation, How, Path, Spot};
use super::matrix::{Expected, Matrix, Party};
use super::topology::{Kind, Topology, Wire};
use crate::compose::extension::verify::{Rule, Rules, Source, Target};
use crate::compose::model::Project;
use crate::name::ServiceName;

/// Why a cell of the matrix is left open.
const APART: &str = "they are on two hosts, and on no wire that leads from one to the other";

/// The stack as one, and where each of its services runs.
pub struct Over<'a> {
    topology: &'a Topology,
    host: &'a dyn Fn(&ServiceName) -> Option<usize>,
}

impl<'a> Over<'a> {
    /// Of a stack whose services are on these hosts, by their places.
    pub fn new(topology: &'a Topology, host: &'a dyn Fn(&ServiceName) -> Option<usize>) -> Self {
        Self { topology, host }
    }

    /// The checks between hosts: those whose ends are on two, asked at addresses that the other one can know; and silence by ARP on one host,
    /// which only another member of the target's wire makes a proof, on whichever host that one is.
    pub fn between(&self, checks: Vec<Check>) -> Vec<Check> {
        checks.into_iter().filter_map(|check| self.kept(check)).collect()
    }

    /// Whether a check of one host is asked here.
    pub fn takes(&self, check: &Check) -> bool {
        self.kept(check.clone()).is_some()
    }

    fn kept(&self, mut check: Check) -> Option<Check> {
        let is_silence = matches!(check.expectation, Expectation::Isolated(_));
        let path = match &mut check.expectation {
            Expectation::Reaches(path) | Expectation::Isolated(path) => path,
            _ => return None,
        };
        let (Spot::Service(from, _), Spot::Service(to, _)) = (&path.from, &path.to) else { return None };
        let (is_over, to) = (self.are_apart(from, to), to.clone());
        let is_told_here = is_silence && path.how == How::Arp;
        if !self.is_asked(from, &to) || !(is_over || is_told_here) {
            return None;
        }
        if is_over {
            self.leads_over(path, &to);
        }
        Some(check)
    }

    /// An address of a bridge is another's on another host: only those on wires are asked.
    fn leads_over(&self, path: &mut Path, to: &ServiceName) {
        if path.via.is_empty() {
            path.via = self.wires(to).map(|wire| wire.name.clone()).collect();
        }
    }

    fn are_apart(&self, one: &ServiceName, other: &ServiceName) -> bool {
        matches!(((self.host)(one), (self.host)(other)), (Some(one), Some(other)) if one != other)
    }

    /// Whether both are on wires, and all of them carry whatever comes.
    fn is_asked(&self, from: &ServiceName, to: &ServiceName) -> bool {
        let plain = |name: &ServiceName| {
            let mut wires = self.wires(name).peekable();
            wires.peek().is_some() && wires.all(is_plain)
        };
        plain(from) && plain(to)
    }

    /// The wires of a service that lead from host to host.
    fn wires(&self, service: &ServiceName) -> impl Iterator<Item = &'a Wire> {
        let wires = self.topology.ends(service).into_iter().map(|(_, wire)| wire);
        wires.filter(|wire| wire.is_child_of_parent() && wire.parent().is_some())
    }

    /// The matrix of the whole, open where nothing is asked.
    pub fn matrix(&self) -> Matrix {
        let mut matrix = Matrix::of(self.topology);
        let parties = matrix.parties.clone();
        for (from, row) in parties.iter().zip(&mut matrix.cells) {
            for (to, cell) in parties.iter().zip(row) {
                let (Party::Service(from), Party::Service(to), Some(cell)) = (from, to, cell) else { continue };
                if self.are_apart(from, to) && !self.is_asked(from, to) {
                    (cell.expected, cell.why, cell.via) = (Expected::Undecided, APART.to_owned(), vec![]);
                }
            }
        }
        matrix
    }
}

/// Whether children of the wire on two hosts meet whatever the switch does: modes that send what is a neighbour's out to it are its business.
fn is_plain(wire: &Wire) -> bool {
    match &wire.kind {
        Kind::Macvlan { mode, .. } => mode == "bridge",
        Kind::Ipvlan { mode, .. } => mode == "l2",
        _ => false,
    }
}

/// The rules of `x-verify` that are one host's: what they name is there. The others lead from host to host.
pub fn rules_of(part: &Project, rules: &Rules) -> Rules {
    let has = |name: &ServiceName| part.services.contains_key(name);
    let source = |source: &Source| match source {
        Source::Service(name, _) => has(name),
        Source::Network(key) => part.networks.contains_key(key),
        Source::Host | Source::Outside | Source::Every => true,
    };
    let target = |target: &Target| match target {
        Target::Service(name, _) => has(name),
        Target::Network(key) => part.networks.contains_key(key),
        _ => true,
    };
    let own = |rule: &Rule| {
        source(&rule.source)
            && target(&rule.target)
            && rule.via.as_ref().is_none_or(|key| part.networks.contains_key(key))
    };
    Rules {
        matrix: rules.matrix,
        timeout: rules.timeout,
        allow: rules.allow.iter().filter(|rule| own(&rule.value)).cloned().collect(),
        deny: rules.deny.iter().filter(|rule| own(&rule.value)).cloned().collect(),
        names: rules.names.iter().filter(|rule| has(&rule.from)).cloned().collect(),
        hosts: rules.hosts.iter().filter(|rule| has(&rule.from)).cloned().collect(),
        jobs: rules.jobs.iter().filter(|job| has(&job.value)).cloned().collect(),
    }
}

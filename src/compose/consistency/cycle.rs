//! No service waits for itself.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::compose::profile::Selection;
use crate::compose::tree::section;
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::yaml::Node;

/// How many services of a circle are named; a longer one is cut short.
const LONG: usize = 12;

/// Finds every circle of dependencies among the active services.
pub(super) fn check(tree: &Node, selection: &Selection, findings: &mut Findings) {
    let mut graph: DiGraph<&str, Span> = DiGraph::new();
    let services = section(tree, "services").filter(|(name, _)| selection.active.contains(&***name));
    let nodes: indexmap::IndexMap<&str, (NodeIndex, &Node)> =
        services.map(|(name, entry)| (&**name, (graph.add_node(name), &entry.value))).collect();
    for (from, service) in nodes.values() {
        for (needed, entry) in section(service, "depends_on") {
            if let Some((to, _)) = nodes.get(&**needed) {
                graph.add_edge(*from, *to, entry.key);
            }
        }
    }
    // Kosaraju's needs no stack as deep as the longest chain of services
    for component in kosaraju_scc(&graph) {
        let first = component.iter().copied().min();
        let Some(start) = first.filter(|start| component.len() > 1 || graph.find_edge(*start, *start).is_some()) else {
            continue;
        };
        findings.push(report(&graph, &circle(&graph, start, &component)));
    }
}

/// A shortest way from `start` back to itself: the nodes on it, `start` at both ends.
fn circle(graph: &DiGraph<&str, Span>, start: NodeIndex, component: &[NodeIndex]) -> Vec<NodeIndex> {
    let component: BTreeSet<NodeIndex> = component.iter().copied().collect();
    let mut came_from: std::collections::BTreeMap<NodeIndex, NodeIndex> = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut next: Vec<NodeIndex> = graph.neighbors(at).filter(|n| component.contains(n)).collect();
        next.sort();
        for to in next {
            if to == start {
                let mut way = vec![start, at];
                while let Some(before) = way.last().filter(|n| **n != start).and_then(|n| came_from.get(n)) {
                    way.push(*before);
                }
                way.reverse();
                return way;
            }
            if let Entry::Vacant(vacant) = came_from.entry(to) {
                vacant.insert(at);
                queue.push_back(to);
            }
        }
    }
    vec![start, start]
}

fn report(graph: &DiGraph<&str, Span>, circle: &[NodeIndex]) -> Finding {
    let mut names: Vec<&str> = circle.iter().map(|n| graph[*n]).collect();
    if names.len() > LONG + 1 {
        names.splice(LONG..names.len() - 1, ["…"]);
    }
    let mut finding =
        Finding::error(Code::DependencyCycle, format!("services wait for each other: {}", names.join(" -> ")));
    for (i, pair) in circle.windows(2).take(LONG).enumerate() {
        let Some(&at) = graph.find_edge(pair[0], pair[1]).and_then(|edge| graph.edge_weight(edge)) else { continue };
        let label = format!("{} waits for {}", graph[pair[0]], graph[pair[1]]);
        finding = if i == 0 { finding.at(at).label(label) } else { finding.also(at, label) };
    }
    finding.help("take one of these dependencies out")
}

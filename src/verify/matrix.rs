//! Who reaches whom, from the file alone: rules R0 to R5 of reference `network.md` 4.4, one cell a pair.

mod cells;
#[cfg(test)]
mod tests;

use serde::Serialize;

use cells::{across, best, common_wire, foreign, nothing, outside_all_wires, same_namespace, unknown};

use super::rule::Rule;
use super::topology::{Kind, Namespace, Topology, Wire};
use crate::name::ServiceName;
use crate::source::Span;

/// A row or column of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A service.
    Service(ServiceName),
    /// The Engine's host.
    Host,
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) => f.pad(name.as_str()),
            Self::Host => f.pad("host"),
        }
    }
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// ✓
    Reach,
    /// ✗
    Block,
    /// ? : to be declared in `x-verify`.
    Undecided,
}

impl Expected {
    /// `✓`, `✗`, `?`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Reach => "✓",
            Self::Block => "✗",
            Self::Undecided => "?",
        }
    }
}

/// One cell: what is expected, by which rule, why, and where the file says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Reach, block or undecided.
    pub expected: Expected,
    /// The rule.
    pub rule: Rule,
    /// Half a sentence with the names in it.
    pub why: String,
    /// The places that make it so.
    pub because: Vec<(Span, String)>,
    /// The wires that carry it, by their names in the Engine; empty but for a reach over wires.
    pub via: Vec<String>,
}

impl Cell {
    fn new(expected: Expected, rule: Rule, why: impl Into<String>) -> Self {
        Self { expected, rule, why: why.into(), because: vec![], via: vec![] }
    }

    fn reach(rule: Rule, why: impl Into<String>) -> Self {
        Self::new(Expected::Reach, rule, why)
    }

    fn block(rule: Rule, why: impl Into<String>) -> Self {
        Self::new(Expected::Block, rule, why)
    }

    fn undecided(rule: Rule, why: impl Into<String>) -> Self {
        Self::new(Expected::Undecided, rule, why)
    }

    fn because(mut self, span: Span, label: impl Into<String>) -> Self {
        self.because.push((span, label.into()));
        self
    }

    fn because_maybe(self, span: Option<Span>, label: impl Into<String>) -> Self {
        match span {
            Some(span) => self.because(span, label),
            None => self,
        }
    }

    fn via(mut self, wire: &Wire) -> Self {
        self.via.push(wire.name.clone());
        self
    }
}

/// The layer that a cell speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// ARP: one wire.
    Two,
    /// IP and above.
    Three,
}

/// The whole matrix of a project: services in the order of the file, then the host.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Rows and columns.
    pub parties: Vec<Party>,
    /// `cells[from][to]`; none where a party meets itself and has but one container.
    pub cells: Vec<Vec<Option<Cell>>>,
}

impl Matrix {
    /// All cells of layer 3.
    pub fn of(topology: &Topology) -> Self {
        let services = topology.places.keys().cloned().map(Party::Service);
        let parties: Vec<Party> = services.chain([Party::Host]).collect();
        let cells = parties.iter().map(|from| parties.iter().map(|to| topology.cell(from, to)).collect()).collect();
        Self { parties, cells }
    }

    /// Every pair with its cell, row by row.
    pub fn pairs(&self) -> impl Iterator<Item = (&Party, &Party, &Cell)> {
        let rows = self.parties.iter().zip(&self.cells);
        rows.flat_map(|(from, row)| {
            self.parties.iter().zip(row).filter_map(move |(to, cell)| cell.as_ref().map(|cell| (from, to, cell)))
        })
    }
}

impl Topology {
    /// What is expected of `from` towards `to` at layer 3. None for a lone container and itself, and for unknown names.
    pub fn cell(&self, from: &Party, to: &Party) -> Option<Cell> {
        self.cell_at(from, to, Layer::Three, None)
    }

    /// The same at either layer, and by one wire alone where `via` names it.
    pub fn cell_at(&self, from: &Party, to: &Party, layer: Layer, via: Option<&str>) -> Option<Cell> {
        match (from, to) {
            (Party::Host, Party::Host) => None,
            (Party::Service(from), Party::Service(to)) => {
                let (source, target) = (self.places.get(from)?, self.places.get(to)?);
                if from == to && source.scale < 2 {
                    return None;
                }
                let settled = same_namespace(from, source, to, target).or_else(|| outside_all_wires(source, target));
                Some(settled.unwrap_or_else(|| match (&source.namespace, &target.namespace) {
                    (Namespace::Host, _) => self.host_towards(to, layer, via),
                    (_, Namespace::Host) => self.towards_host(from, layer),
                    _ => self.over_wires(from, to, layer, via),
                }))
            }
            (Party::Service(from), Party::Host) => Some(self.host_row(from, &|t| t.towards_host(from, layer))?),
            (Party::Host, Party::Service(to)) => Some(self.host_row(to, &|t| t.host_towards(to, layer, via))?),
        }
    }

    /// R0 and R1 for the host and a service; `otherwise` for the rest.
    fn host_row(&self, service: &ServiceName, otherwise: &dyn Fn(&Self) -> Cell) -> Option<Cell> {
        let place = self.places.get(service)?;
        Some(match &place.namespace {
            Namespace::Host => {
                Cell::reach(Rule::R0, format!("{service} lives in the host's namespace")).because(place.span, "here")
            }
            Namespace::Nothing(_) => nothing(service, place),
            Namespace::Foreign(name) => foreign(name, place),
            Namespace::Own(_) => otherwise(self),
        })
    }

    /// R2 and R3: the best of all ends of the target.
    fn over_wires(&self, from: &ServiceName, to: &ServiceName, layer: Layer, via: Option<&str>) -> Cell {
        let (sources, targets) = (self.ends(from), self.ends(to));
        let mut cells = vec![];
        for (end, wire) in targets.iter().filter(|(_, w)| via.is_none_or(|name| w.name == name)) {
            let common = sources.iter().find(|(_, w)| w.name == wire.name);
            let cell = match common {
                Some((own, _)) => common_wire(wire, layer)
                    .because(own.span, format!("{from} joins {}", wire.label()))
                    .because(end.span, format!("{to} joins {}", wire.label())),
                None => across(&sources, (end, wire), from, to, layer),
            };
            cells.push(cell);
        }
        best(cells).unwrap_or_else(|| Cell::block(Rule::R1, format!("{to} is on no network")))
    }

    /// R4. The host's own firewall is not in the file: a bridge leads to the host, whether INPUT lets it in is undecided.
    fn towards_host(&self, from: &ServiceName, layer: Layer) -> Cell {
        let cells = self.ends(from).into_iter().map(|(end, wire)| {
            let cell = match &wire.kind {
                Kind::Bridge { gateway_mode: Some(mode), .. } if mode == "isolated" => Cell::block(
                    Rule::R4,
                    format!("{} has no address of the host: gateway_mode is isolated", wire.label()),
                ),
                Kind::Bridge { .. } => Cell::undecided(
                    Rule::R4,
                    format!("{} leads to the host, whose firewall the file does not know", wire.label()),
                ),
                _ if wire.host_access.is_some() => Cell::undecided(
                    Rule::R4,
                    format!("{} leads to the host, whose firewall the file does not know", wire.label()),
                ),
                // measured: a veth parent answers the child's ARP while its packets are lost
                _ if wire.is_child_of_parent() && layer == Layer::Two => Cell::undecided(
                    Rule::R4,
                    format!("what hangs on the other side of {}'s parent is not known", wire.label()),
                ),
                _ if wire.is_child_of_parent() => Cell::block(
                    Rule::R4,
                    format!(
                        "{} hangs beside the host on its parent, and the host does not hear its own children",
                        wire.label()
                    ),
                ),
                _ => unknown(wire),
            };
            cell.because(end.span, format!("{from} joins {}", wire.label()))
        });
        best(cells.collect()).unwrap_or_else(|| Cell::block(Rule::R1, format!("{from} is on no network")))
    }

    /// R5.
    fn host_towards(&self, to: &ServiceName, layer: Layer, via: Option<&str>) -> Cell {
        let ends = self.ends(to).into_iter().filter(|(_, w)| via.is_none_or(|name| w.name == name));
        let cells = ends.map(|(end, wire)| {
            let cell = match &wire.kind {
                Kind::Bridge { gateway_mode: Some(mode), .. } if mode == "isolated" => Cell::undecided(
                    Rule::R5,
                    format!("the host has no address on {}: gateway_mode is isolated", wire.label()),
                ),
                Kind::Bridge { .. } => {
                    Cell::reach(Rule::R5, format!("the host stands on the bridge of {}", wire.label())).via(wire)
                }
                _ if wire.host_access.is_some() => {
                    let at = wire.host_access.map(|address| address.span);
                    Cell::reach(Rule::R5, format!("the host has a link of its own on {}", wire.label()))
                        .via(wire)
                        .because_maybe(at, "host_access")
                }
                _ if wire.is_child_of_parent() && layer == Layer::Two => Cell::undecided(
                    Rule::R5,
                    format!("what hangs on the other side of {}'s parent is not known", wire.label()),
                ),
                _ if wire.is_child_of_parent() => Cell::block(
                    Rule::R5,
                    format!("the host does not reach the children of its own link on {}", wire.label()),
                ),
                _ => unknown(wire),
            };
            cell.because(end.span, format!("{to} joins {}", wire.label()))
        });
        best(cells.collect()).unwrap_or_else(|| Cell::block(Rule::R1, format!("{to} is on no network")))
    }
}

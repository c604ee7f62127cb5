//! The reachability matrix as checks: R2 to R5. R0 and R1 are proved by whose namespace it is and by what links it has.

use super::{Draft, Origin};
use crate::compose::extension::verify::Matrix as Mode;
use crate::probe::Family;
use crate::verify::check::{Basis, Expectation, How, Path, Spot};
use crate::verify::matrix::{Cell, Expected, Matrix, Party};
use crate::verify::rule::Rule;
use crate::verify::topology::Wire;

pub(super) fn derive(draft: &mut Draft<'_>) {
    let mode = draft.project.rules.matrix;
    if mode == Mode::Off {
        return;
    }
    let matrix = Matrix::of(draft.topology);
    for (from, to, cell) in matrix.pairs() {
        // whoever shares a namespace is judged with its owner
        let alive = [from, to].into_iter().all(|p| match p {
            Party::Service(name) => draft.has_own_links(name) && draft.stays(name),
            Party::Host => true,
        });
        if !alive || matches!(cell.rule, Rule::R0 | Rule::R1) {
            continue;
        }
        match cell.expected {
            Expected::Undecided if mode == Mode::Strict => {
                let says = format!("whether {from} reaches {to} is declared");
                let expectation = Expectation::Undeclared { why: cell.why.clone() };
                draft.add(format!("undeclared/{from}->{to}"), says, origin(from, to, cell), expectation);
            }
            Expected::Undecided => {}
            Expected::Reach | Expected::Block => {
                for (family, via) in families(draft, from, to, cell) {
                    pair(draft, (from, to), cell, family, via);
                }
            }
        }
    }
}

/// A cell in one family.
fn pair(draft: &mut Draft<'_>, (from, to): (&Party, &Party), cell: &Cell, family: Option<Family>, via: Vec<String>) {
    let path = Path { from: spot(from), to: spot(to), how: How::Network, via, family };
    let (tail, by) = if family == Some(Family::V6) { ("/ipv6", " by IPv6") } else { ("", "") };
    let (id, says, expectation) = match cell.expected {
        Expected::Reach => ("reach", format!("{from} reaches {to}{by}"), Expectation::Reaches(path)),
        _ => ("isolated", format!("{from} does not reach {to}{by}"), Expectation::Isolated(path)),
    };
    draft.add(format!("{id}/{from}->{to}{tail}"), says, origin(from, to, cell), expectation);
}

fn origin<'a>(from: &'a Party, to: &'a Party, cell: &Cell) -> Origin<'a> {
    let service = match (from, to) {
        (Party::Service(name), _) | (Party::Host, Party::Service(name)) => Some(name),
        (Party::Host, Party::Host) => None,
    };
    let span = cell.because.first().map(|(span, _)| *span);
    Origin { service, basis: Basis::Rule(cell.rule, cell.why.clone()), span }
}

/// R9: the families in which a cell is asked, each with the wires that carry it. IPv6 is one of its own where both ends have it.
/// Towards the host it is not: which addresses the host has is not in the file.
fn families(draft: &Draft<'_>, from: &Party, to: &Party, cell: &Cell) -> Vec<(Option<Family>, Vec<String>)> {
    let wires = &draft.topology.wires;
    let has = |party: &Party, fits: fn(&Wire) -> bool| match party {
        Party::Service(name) => draft.topology.ends(name).iter().any(|(_, wire)| fits(wire)),
        Party::Host => true,
    };
    let carried = |fits: fn(&Wire) -> bool| -> Vec<String> {
        cell.via.iter().filter(|name| wires.get(*name).is_some_and(fits)).cloned().collect()
    };
    let asked = |fits: fn(&Wire) -> bool| {
        let ends = has(from, fits) && has(to, fits);
        if cell.expected == Expected::Reach { !carried(fits).is_empty() } else { ends }
    };
    let v4: fn(&Wire) -> bool = |wire| wire.ipv4;
    let v6: fn(&Wire) -> bool = |wire| wire.ipv6;
    match (asked(v6) && *to != Party::Host, asked(v4)) {
        (true, true) => vec![(Some(Family::V4), carried(v4)), (Some(Family::V6), carried(v6))],
        (true, false) => vec![(Some(Family::V6), carried(v6))],
        (false, _) => vec![(None, cell.via.clone())],
    }
}

/// A party as the end of a path.
pub(super) fn spot(party: &Party) -> Spot {
    match party {
        Party::Service(name) => Spot::Service(name.clone(), None),
        Party::Host => Spot::Host,
    }
}

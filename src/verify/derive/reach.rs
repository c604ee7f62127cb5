//! The reachability matrix as checks: R2 to R5. R0 and R1 are proved by whose namespace it is and by what links it has.

use super::{Draft, Origin};
use crate::compose::extension::verify::Matrix as Mode;
use crate::verify::check::{Basis, Expectation, How, Path, Spot};
use crate::verify::matrix::{Expected, Matrix, Party};
use crate::verify::rule::Rule;

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
        let service = match (from, to) {
            (Party::Service(name), _) | (Party::Host, Party::Service(name)) => Some(name),
            (Party::Host, Party::Host) => None,
        };
        let span = cell.because.first().map(|(span, _)| *span);
        let origin = Origin { service, basis: Basis::Rule(cell.rule, cell.why.clone()), span };
        let path = Path { from: spot(from), to: spot(to), how: How::Network, via: cell.via.clone() };
        match cell.expected {
            Expected::Reach => {
                draft.add(
                    format!("reach/{from}->{to}"),
                    format!("{from} reaches {to}"),
                    origin,
                    Expectation::Reaches(path),
                );
            }
            Expected::Block => {
                let says = format!("{from} does not reach {to}");
                draft.add(format!("isolated/{from}->{to}"), says, origin, Expectation::Isolated(path));
            }
            Expected::Undecided if mode == Mode::Strict => {
                let says = format!("whether {from} reaches {to} is declared");
                draft.add(
                    format!("undeclared/{from}->{to}"),
                    says,
                    origin,
                    Expectation::Undeclared { why: cell.why.clone() },
                );
            }
            Expected::Undecided => {}
        }
    }
}

/// A party as the end of a path.
pub(super) fn spot(party: &Party) -> Spot {
    match party {
        Party::Service(name) => Spot::Service(name.clone(), None),
        Party::Host => Spot::Host,
    }
}

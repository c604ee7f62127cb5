//! The rules themselves: what two places, or two wires, make of a pair.

use super::{Cell, Expected, Layer};
use crate::name::ServiceName;
use crate::verify::rule::Rule;
use crate::verify::topology::{End, Kind, Namespace, Place, Wire};

/// R0: one namespace, or the host's twice.
pub(super) fn same_namespace(from: &ServiceName, source: &Place, to: &ServiceName, target: &Place) -> Option<Cell> {
    let one = match (&source.namespace, &target.namespace) {
        (Namespace::Own(a), Namespace::Own(b)) | (Namespace::Nothing(a), Namespace::Nothing(b)) => a == b && from != to,
        (Namespace::Host, Namespace::Host) => true,
        (Namespace::Foreign(a), Namespace::Foreign(b)) => a == b,
        _ => false,
    };
    one.then(|| {
        Cell::reach(Rule::R0, format!("{from} and {to} live in one network namespace"))
            .because(source.span, format!("{from}'s namespace"))
            .because(target.span, format!("{to}'s namespace"))
    })
}

/// R1, and namespaces that the file does not know.
pub(super) fn outside_all_wires(source: &Place, target: &Place) -> Option<Cell> {
    [source, target].into_iter().find_map(|place| match &place.namespace {
        Namespace::Nothing(owner) => Some(nothing(owner, place)),
        Namespace::Foreign(name) => Some(foreign(name, place)),
        _ => None,
    })
}

pub(super) fn nothing(owner: &ServiceName, place: &Place) -> Cell {
    Cell::block(Rule::R1, format!("{owner} has no link but lo")).because(place.span, "no network")
}

pub(super) fn foreign(name: &str, place: &Place) -> Cell {
    Cell::undecided(Rule::Unknown, format!("the networks of the container {name} are not in this file"))
        .because(place.span, "another container's namespace")
}

pub(super) fn unknown(wire: &Wire) -> Cell {
    let what = match &wire.kind {
        Kind::Unknown(what) => what.clone(),
        Kind::Overlay => "an overlay".to_owned(),
        _ => "not a bridge".to_owned(),
    };
    Cell::undecided(Rule::Unknown, format!("what the network {} lets through is not in the file: {what}", wire.label()))
        .because_maybe(wire.span, "this network")
}

/// R2: both hang on this wire.
pub(super) fn common_wire(wire: &Wire, layer: Layer) -> Cell {
    let name = wire.label();
    match &wire.kind {
        Kind::Bridge { icc: false, icc_span, .. } if layer == Layer::Three => {
            Cell::block(Rule::R2b, format!("{name} parts its members: enable_icc is false"))
                .because_maybe(*icc_span, "parted here")
        }
        Kind::Bridge { .. } => Cell::reach(Rule::R2a, format!("both are on {name}")).via(wire),
        Kind::Macvlan { mode, span, .. } => match mode.as_str() {
            "private" => Cell::block(Rule::R2c, format!("{name} is a macvlan in mode private"))
                .because_maybe(*span, "private here"),
            "vepa" if wire.hairpin => {
                Cell::reach(Rule::R2c, format!("{name} is in mode vepa, and the switch sends back (hairpin)")).via(wire)
            }
            "vepa" => Cell::undecided(Rule::R2c, format!("{name} is in mode vepa: the switch decides"))
                .because_maybe(*span, "vepa here"),
            _ => Cell::reach(Rule::R2c, format!("both are children of one parent on {name}")).via(wire),
        },
        Kind::Ipvlan { mode, .. } if mode != "l2" && layer == Layer::Two => {
            Cell::block(Rule::R2d, format!("{name} is an ipvlan in mode {mode}, which knows no ARP"))
        }
        Kind::Ipvlan { flag, .. } => match flag.as_str() {
            "private" => Cell::block(Rule::R2d, format!("{name} is an ipvlan with the flag private")),
            "vepa" => Cell::undecided(Rule::R2d, format!("{name} has the flag vepa: the switch decides")),
            _ => Cell::reach(Rule::R2d, format!("both are children of one parent on {name}")).via(wire),
        },
        Kind::Overlay => Cell::reach(Rule::R2e, format!("both are on the overlay {name}")).via(wire),
        Kind::Host | Kind::Null | Kind::Unknown(_) => unknown(wire),
    }
}

/// R3: the target's end hangs on a wire that the source is not on; every way out of the source is looked at.
pub(super) fn across(
    sources: &[(&End, &Wire)],
    target: (&End, &Wire),
    from: &ServiceName,
    to: &ServiceName,
    layer: Layer,
) -> Cell {
    let (end, wire) = target;
    let parted = |cell: Cell| cell.because(end.span, format!("{to} joins {}", wire.label()));
    let closed = |inner: &Wire| format!("{} is internal, and {from} and {to} have no network in common", inner.label());
    let ways: Vec<&(&End, &Wire)> = sources.iter().filter(|(_, w)| !w.internal).collect();
    if let Some((own, inner)) = sources.first().filter(|_| ways.is_empty()) {
        // two macvlan networks on one parent are one wire, internal or not
        let pair = if inner.is_child_of_parent() { between(inner, wire, layer) } else { None };
        let cell = pair.unwrap_or_else(|| Cell::block(Rule::R3c, closed(inner)));
        return parted(cell).because(own.span, format!("{from} joins {}", inner.label()));
    }
    let cells = ways.into_iter().map(|(own, way)| {
        let cell = match between(way, wire, layer) {
            Some(cell) => cell,
            None if wire.internal => Cell::block(Rule::R3c, closed(wire)),
            None => between_kinds(way, wire, layer),
        };
        parted(cell).because(own.span, format!("{from} joins {}", way.label()))
    });
    best(cells.collect()).unwrap_or_else(|| parted(Cell::block(Rule::R1, format!("{from} is on no network"))))
}

/// R3e to R3g: two networks that hang on links of the host.
fn between(a: &Wire, b: &Wire, layer: Layer) -> Option<Cell> {
    if !a.is_child_of_parent() || !b.is_child_of_parent() {
        return None;
    }
    let (names, parents) = ((a.label(), b.label()), (a.parent()?, b.parent()?));
    let ((card, tags), (other_card, other_tags)) = (a.card()?, b.card()?);
    let one_trunk = card == other_card;
    let routed = "a router behind it is not in the file";
    if layer == Layer::Three && b.key.as_ref().is_some_and(|key| a.routed.contains(key)) {
        return Some(Cell::reach(Rule::R3f, format!("a router joins {} and {} (x-trunks)", names.0, names.1)));
    }
    Some(match (layer, parents.0 == parents.1, one_trunk) {
        (Layer::Two, true, _) => {
            Cell::reach(Rule::R3e, format!("{} and {} hang on {}: one wire", names.0, names.1, parents.0))
        }
        (Layer::Two, false, true) => {
            Cell::block(Rule::R3f, format!("{} and {} are parted by VLAN on {}", names.0, names.1, card))
        }
        (Layer::Three, true, _) => {
            Cell::undecided(Rule::R3e, format!("{} and {} share the wire of {}; {routed}", names.0, names.1, parents.0))
        }
        (Layer::Three, false, true) => {
            Cell::undecided(Rule::R3f, format!("{} and {} are VLANs of {card}; {routed}", names.0, names.1))
        }
        (_, false, false) => {
            let same_vlan = tags.is_some() && tags == other_tags;
            let what = if same_vlan { "carry one VLAN id" } else { "differ" };
            Cell::undecided(
                Rule::R3g,
                format!("the parents {} and {} {what}; what joins them is not in the file", parents.0, parents.1),
            )
        }
    })
}

/// R3a and R3d, by the kinds of the two networks.
fn between_kinds(way: &Wire, wire: &Wire, layer: Layer) -> Cell {
    let (a, b) = (way.label(), wire.label());
    match (&way.kind, &wire.kind) {
        (Kind::Bridge { .. }, Kind::Bridge { gateway_mode, trusted, .. }) => {
            let open = gateway_mode.as_deref().filter(|m| matches!(*m, "routed" | "nat-unprotected"));
            match (layer, open, trusted) {
                (Layer::Three, Some(mode), _) => {
                    Cell::undecided(Rule::R3a, format!("{b} is open to others: gateway_mode is {mode}"))
                }
                (Layer::Three, None, true) => {
                    Cell::undecided(Rule::R3a, format!("{b} trusts links of the host (trusted_host_interfaces)"))
                }
                _ => Cell::block(Rule::R3a, format!("no common network: {a} and {b} are two bridges")),
            }
        }
        (Kind::Bridge { .. } | Kind::Macvlan { .. } | Kind::Ipvlan { .. }, _)
            if way.is_child_of_parent() != wire.is_child_of_parent()
                && matches!(wire.kind, Kind::Bridge { .. } | Kind::Macvlan { .. } | Kind::Ipvlan { .. }) =>
        {
            match layer {
                Layer::Two => Cell::block(Rule::R3d, format!("{a} and {b} are two wires")),
                Layer::Three => Cell::undecided(
                    Rule::R3d,
                    format!("no common network: whether a gateway joins {a} and {b} is not in the file"),
                ),
            }
        }
        // a macvlan or ipvlan without a parent leads nowhere
        (Kind::Macvlan { .. } | Kind::Ipvlan { .. }, Kind::Macvlan { .. } | Kind::Ipvlan { .. }) => {
            Cell::block(Rule::R3c, format!("no common network, and one of {a} and {b} has no parent: it leads nowhere"))
        }
        (Kind::Unknown(_) | Kind::Overlay | Kind::Host | Kind::Null, _) => unknown(way),
        _ => unknown(wire),
    }
}

/// Several ways: one that carries is enough, and then one that is undecided leaves it so.
pub(super) fn best(cells: Vec<Cell>) -> Option<Cell> {
    let carrying = cells.iter().filter(|c| c.expected == Expected::Reach).count();
    if carrying > 1 {
        let mut cells = cells.into_iter().filter(|c| c.expected == Expected::Reach);
        let first = cells.next()?;
        return Some(cells.fold(first, |mut all, cell| {
            // R5 stays R5: the host stands on every bridge
            if all.rule != Rule::R5 {
                all.rule = Rule::R2f;
            }
            all.why = format!("{}; {}", all.why, cell.why);
            all.because.extend(cell.because);
            all.via.extend(cell.via);
            all
        }));
    }
    let order = |c: &Cell| match c.expected {
        Expected::Reach => 0,
        Expected::Undecided => 1,
        Expected::Block => 2,
    };
    cells.into_iter().min_by_key(order)
}

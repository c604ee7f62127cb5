//! Who reaches whom, from the file alone: rules R0 to R5 of reference `network.md` 4.4, one cell a pair.

use serde::Serialize;

use super::rule::Rule;
use super::topology::{End, Kind, Namespace, Place, Topology, Wire};
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
                    (Namespace::Host, _) => self.from_host(to, layer, via),
                    (_, Namespace::Host) => self.to_host(from, layer),
                    _ => self.over_wires(from, to, layer, via),
                }))
            }
            (Party::Service(from), Party::Host) => Some(self.host_row(from, &|t| t.to_host(from, layer))?),
            (Party::Host, Party::Service(to)) => Some(self.host_row(to, &|t| t.from_host(to, layer, via))?),
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
    fn to_host(&self, from: &ServiceName, layer: Layer) -> Cell {
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
    fn from_host(&self, to: &ServiceName, layer: Layer, via: Option<&str>) -> Cell {
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

/// R0: one namespace, or the host's twice.
fn same_namespace(from: &ServiceName, source: &Place, to: &ServiceName, target: &Place) -> Option<Cell> {
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
fn outside_all_wires(source: &Place, target: &Place) -> Option<Cell> {
    [source, target].into_iter().find_map(|place| match &place.namespace {
        Namespace::Nothing(owner) => Some(nothing(owner, place)),
        Namespace::Foreign(name) => Some(foreign(name, place)),
        _ => None,
    })
}

fn nothing(owner: &ServiceName, place: &Place) -> Cell {
    Cell::block(Rule::R1, format!("{owner} has no link but lo")).because(place.span, "no network")
}

fn foreign(name: &str, place: &Place) -> Cell {
    Cell::undecided(Rule::Unknown, format!("the networks of the container {name} are not in this file"))
        .because(place.span, "another container's namespace")
}

fn unknown(wire: &Wire) -> Cell {
    let what = match &wire.kind {
        Kind::Unknown(what) => what.clone(),
        Kind::Overlay => "an overlay".to_owned(),
        _ => "not a bridge".to_owned(),
    };
    Cell::undecided(Rule::Unknown, format!("what the network {} lets through is not in the file: {what}", wire.label()))
        .because_maybe(wire.span, "this network")
}

/// R2: both hang on this wire.
fn common_wire(wire: &Wire, layer: Layer) -> Cell {
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
fn across(
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
    let (base, vlan) = (parents.0.split_once('.'), parents.1.split_once('.'));
    let trunk = |p: &str| p.split_once('.').map_or(p.to_owned(), |(base, _)| base.to_owned());
    let one_trunk = trunk(parents.0) == trunk(parents.1);
    let routed = "a router behind it is not in the file";
    Some(match (layer, parents.0 == parents.1, one_trunk) {
        (Layer::Two, true, _) => {
            Cell::reach(Rule::R3e, format!("{} and {} hang on {}: one wire", names.0, names.1, parents.0))
        }
        (Layer::Two, false, true) => {
            Cell::block(Rule::R3f, format!("{} and {} are parted by VLAN on {}", names.0, names.1, trunk(parents.0)))
        }
        (Layer::Three, true, _) => {
            Cell::undecided(Rule::R3e, format!("{} and {} share the wire of {}; {routed}", names.0, names.1, parents.0))
        }
        (Layer::Three, false, true) => Cell::undecided(
            Rule::R3f,
            format!("{} and {} are VLANs of {}; {routed}", names.0, names.1, trunk(parents.0)),
        ),
        (_, false, false) => {
            let same_vlan = base.zip(vlan).is_some_and(|((_, a), (_, b))| a == b);
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
fn best(cells: Vec<Cell>) -> Option<Cell> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::observed::ObservedNetwork;
    use crate::verify::fixture::project;

    /// A cell as `✓ R2a`.
    fn cell(text: &str, from: &str, to: &str) -> String {
        at(text, from, to, Layer::Three)
    }

    fn at(text: &str, from: &str, to: &str, layer: Layer) -> String {
        let party = |s: &str| if s == "host" { Party::Host } else { Party::Service(s.parse().unwrap()) };
        let topology = Topology::of(&project(text));
        match topology.cell_at(&party(from), &party(to), layer, None) {
            Some(c) => format!("{} {}", c.expected.sign(), c.rule),
            None => "-".to_owned(),
        }
    }

    const SHARED: &str = "services: {a: {}, b: {network_mode: 'service:a'}, c: {network_mode: 'service:b'}, d: {},
        h: {network_mode: host}, i: {network_mode: host}}";

    #[test]
    fn r0_a_shared_namespace_reaches_itself_and_has_its_owners_networks() {
        assert_eq!(cell(SHARED, "a", "b"), "✓ R0");
        assert_eq!(cell(SHARED, "c", "a"), "✓ R0");
        assert_eq!(cell(SHARED, "c", "d"), "✓ R2a");
        assert_eq!(cell(SHARED, "d", "c"), "✓ R2a");
        assert_eq!(cell(SHARED, "h", "i"), "✓ R0");
        assert_eq!(cell(SHARED, "h", "host"), "✓ R0");
        assert_eq!(cell(SHARED, "host", "h"), "✓ R0");
    }

    #[test]
    fn a_lone_container_has_no_cell_with_itself_and_replicas_have() {
        assert_eq!(cell(SHARED, "a", "a"), "-");
        assert_eq!(cell("services: {a: {scale: 2}}", "a", "a"), "✓ R2a");
        assert_eq!(cell("services: {a: {scale: 2, network_mode: none}}", "a", "a"), "✗ R1");
        assert_eq!(cell("services: {a: {}}", "a", "nobody"), "-");
    }

    #[test]
    fn r1_no_network_reaches_nobody() {
        let text = "services: {a: {network_mode: none}, b: {}, c: {network_mode: 'service:a'}}";
        assert_eq!(cell(text, "a", "b"), "✗ R1");
        assert_eq!(cell(text, "b", "a"), "✗ R1");
        assert_eq!(cell(text, "a", "host"), "✗ R1");
        assert_eq!(cell(text, "host", "c"), "✗ R1");
        assert_eq!(cell(text, "a", "c"), "✓ R0");
    }

    #[test]
    fn another_containers_namespace_is_undecided() {
        let text = "services: {a: {network_mode: 'container:x'}, b: {}, c: {network_mode: 'container:x'}}";
        assert_eq!(cell(text, "a", "b"), "? R?");
        assert_eq!(cell(text, "host", "a"), "? R?");
        assert_eq!(cell(text, "a", "c"), "✓ R0");
    }

    #[test]
    fn r2a_a_bridge_joins_its_members_internal_or_not() {
        assert_eq!(cell("services: {a: {}, b: {}}", "a", "b"), "✓ R2a");
        assert_eq!(cell("services: {a: {}, b: {}}\nnetworks: {default: {internal: true}}", "a", "b"), "✓ R2a");
        assert_eq!(cell("services: {a: {network_mode: bridge}, b: {network_mode: bridge}}", "a", "b"), "✓ R2a");
        assert_eq!(cell("services: {a: {network_mode: bridge}, b: {}}", "a", "b"), "✗ R3a");
    }

    #[test]
    fn r2b_icc_off_parts_layer_3_and_not_layer_2() {
        let text = "services: {a: {}, b: {}}
networks: {default: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
        assert_eq!(cell(text, "a", "b"), "✗ R2b");
        assert_eq!(at(text, "a", "b", Layer::Two), "✓ R2a");
    }

    #[test]
    fn r2c_the_macvlan_mode_decides() {
        let text = |mode| {
            format!(
                "services: {{a: {{networks: [n]}}, b: {{networks: [n]}}}}
networks: {{n: {{driver: macvlan, driver_opts: {{parent: eth0{mode}}}}}}}"
            )
        };
        assert_eq!(cell(&text(""), "a", "b"), "✓ R2c");
        assert_eq!(cell(&text(", macvlan_mode: private"), "a", "b"), "✗ R2c");
        assert_eq!(cell(&text(", macvlan_mode: vepa"), "a", "b"), "? R2c");
    }

    #[test]
    fn r2d_the_ipvlan_flag_decides_and_l3_knows_no_arp() {
        let text = |more| {
            format!(
                "services: {{a: {{networks: [n]}}, b: {{networks: [n]}}}}
networks: {{n: {{driver: ipvlan, driver_opts: {{parent: eth0{more}}}}}}}"
            )
        };
        assert_eq!(cell(&text(""), "a", "b"), "✓ R2d");
        assert_eq!(cell(&text(", ipvlan_flag: private"), "a", "b"), "✗ R2d");
        assert_eq!(cell(&text(", ipvlan_flag: vepa"), "a", "b"), "? R2d");
        assert_eq!(cell(&text(", ipvlan_mode: l3"), "a", "b"), "✓ R2d");
        assert_eq!(at(&text(", ipvlan_mode: l3"), "a", "b", Layer::Two), "✗ R2d");
    }

    #[test]
    fn r2f_of_several_common_networks_one_is_enough() {
        let text = "services: {a: {networks: [x, y]}, b: {networks: [x, y]}}
networks: {x: , y: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}";
        assert_eq!(cell(text, "a", "b"), "✓ R2a");
        let both = "services: {a: {networks: [x, y]}, b: {networks: [x, y]}}\nnetworks: {x: , y: }";
        assert_eq!(cell(both, "a", "b"), "✓ R2f");
        let topology = Topology::of(&project(both));
        let (a, b) = (Party::Service("a".parse().unwrap()), Party::Service("b".parse().unwrap()));
        assert_eq!(topology.cell(&a, &b).unwrap().via, ["p_x", "p_y"]);
        assert_eq!(topology.cell_at(&a, &b, Layer::Three, Some("p_y")).unwrap().via, ["p_y"]);
    }

    const THREE: &str =
        "services: {a: {networks: [x]}, b: {networks: [y]}, ab: {networks: [x, y]}, i: {networks: [in]}}
networks: {x: , y: , in: {internal: true}}";

    #[test]
    fn r3a_two_bridges_are_parted_and_who_is_on_both_is_no_router() {
        assert_eq!(cell(THREE, "a", "b"), "✗ R3a");
        assert_eq!(cell(THREE, "b", "a"), "✗ R3a");
        assert_eq!(cell(THREE, "a", "ab"), "✓ R2a");
        assert_eq!(at(THREE, "a", "b", Layer::Two), "✗ R3a");
    }

    #[test]
    fn r3a_a_routed_network_is_undecided() {
        let text = "services: {a: {networks: [x]}, b: {networks: [y]}}
networks: {x: , y: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}}";
        assert_eq!(cell(text, "a", "b"), "? R3a");
        assert_eq!(cell(text, "b", "a"), "✗ R3a");
    }

    #[test]
    fn r3c_internal_has_no_way_out_and_none_in() {
        assert_eq!(cell(THREE, "i", "a"), "✗ R3c");
        assert_eq!(cell(THREE, "a", "i"), "✗ R3c");
    }

    const CHILDREN: &str = "services: {l: {networks: [lan]}, m: {networks: [lan2]}, v: {networks: [blue]},
  w: {networks: [green]}, o: {networks: [other]}, b: {networks: [br]}, n: {networks: [nowhere]}}
networks:
  lan: {driver: macvlan, driver_opts: {parent: eth0}}
  lan2: {driver: macvlan, driver_opts: {parent: eth0}}
  blue: {driver: macvlan, driver_opts: {parent: eth0.10}}
  green: {driver: macvlan, driver_opts: {parent: eth0.20}}
  other: {driver: macvlan, driver_opts: {parent: eth1.10}}
  nowhere: {driver: macvlan}
  br:";

    #[test]
    fn r3d_between_bridge_and_macvlan_stands_an_unknown_gateway() {
        assert_eq!(cell(CHILDREN, "l", "b"), "? R3d");
        assert_eq!(cell(CHILDREN, "b", "l"), "? R3d");
        assert_eq!(at(CHILDREN, "b", "l", Layer::Two), "✗ R3d");
    }

    #[test]
    fn r3e_one_parent_is_one_wire_at_layer_2() {
        assert_eq!(cell(CHILDREN, "l", "m"), "? R3e");
        assert_eq!(at(CHILDREN, "l", "m", Layer::Two), "✓ R3e");
        assert_eq!(cell(CHILDREN, "l", "n"), "✗ R3c");
    }

    #[test]
    fn r3f_vlans_of_one_trunk_are_parted_at_layer_2_only() {
        assert_eq!(at(CHILDREN, "v", "w", Layer::Two), "✗ R3f");
        assert_eq!(at(CHILDREN, "l", "v", Layer::Two), "✗ R3f");
        assert_eq!(cell(CHILDREN, "v", "w"), "? R3f");
    }

    #[test]
    fn r3g_other_parents_are_undecided_at_both_layers() {
        assert_eq!(cell(CHILDREN, "v", "o"), "? R3g");
        assert_eq!(at(CHILDREN, "v", "o", Layer::Two), "? R3g");
    }

    #[test]
    fn r4_and_r5_a_child_and_its_host_do_not_hear_each_other() {
        assert_eq!(cell(CHILDREN, "l", "host"), "✗ R4");
        assert_eq!(cell(CHILDREN, "host", "l"), "✗ R5");
        assert_eq!(at(CHILDREN, "l", "host", Layer::Two), "? R4");
        assert_eq!(cell(CHILDREN, "b", "host"), "? R4");
        assert_eq!(cell(CHILDREN, "host", "b"), "✓ R5");
        assert_eq!(cell(THREE, "host", "i"), "✓ R5");
        assert_eq!(cell(THREE, "host", "ab"), "✓ R5");
    }

    #[test]
    fn r4_and_r5_an_isolated_bridge_has_no_host_on_it() {
        let text = "services: {a: {}}
networks: {default: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}}}";
        assert_eq!(cell(text, "a", "host"), "✗ R4");
        assert_eq!(cell(text, "host", "a"), "? R5");
    }

    #[test]
    fn host_mode_is_the_host_towards_others() {
        let text = "services: {h: {network_mode: host}, b: {}, m: {networks: [lan]}}
networks: {lan: {driver: macvlan, driver_opts: {parent: eth0}}}";
        assert_eq!(cell(text, "h", "b"), "✓ R5");
        assert_eq!(cell(text, "b", "h"), "? R4");
        assert_eq!(cell(text, "m", "h"), "✗ R4");
    }

    #[test]
    fn an_external_network_is_undecided_until_the_engine_tells() {
        let text = "services: {a: {networks: [x]}, b: {networks: [x]}}\nnetworks: {x: {external: true, name: lan}}";
        assert_eq!(cell(text, "a", "b"), "? R?");
        let seen = ObservedNetwork { name: "lan".into(), driver: "bridge".into(), ..Default::default() };
        let topology = Topology::of(&project(text)).with_networks(&[seen]);
        let matrix = Matrix::of(&topology);
        let (_, _, first) = matrix.pairs().next().unwrap();
        assert_eq!((first.expected, first.rule), (Expected::Reach, Rule::R2a));
        assert_eq!(first.because.len(), 2, "both places where they join are cited");
    }
}

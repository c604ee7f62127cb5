//! `x-trunks`: networks that ride on one wire, each with a VLAN of its own or untagged. What it says is written into the networks
//! as any Compose file has it (`driver`, `driver_opts`), so that all that follows, docker compose among it, knows networks alone.

mod reserve;
mod vlans;

use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;

use crate::compose::model;
use crate::compose::tree::{field_mut, is_true, items, section, set, text};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::source::{Span, Spanned};
use crate::yaml::{Data, Mapping, Node};

/// What the host's own address is called among those that are set aside.
const HOST: &str = "host";

/// What the trunks that were read first have taken.
#[derive(Default)]
struct Taken<'t> {
    /// The trunk that a network was found on first: its name, and where that is said.
    riders: IndexMap<String, (&'t str, Span)>,
    /// The VLAN links, with the place that asks for each.
    links: Vec<(model::VlanLink, Span)>,
}

/// Writes the trunks of the file into its networks. A network that says otherwise is an error with both places.
pub fn trunks(tree: &mut Node, findings: &mut Findings) {
    if let Some(declared) = tree.get("x-trunks").cloned() {
        declared_trunks(tree, &declared, findings);
    }
}

/// Few files have any: its code lies apart from what every file needs.
#[cold]
fn declared_trunks(tree: &mut Node, declared: &Node, findings: &mut Findings) {
    let mut taken = Taken::default();
    let map = declared.as_map().into_iter().flat_map(Mapping::iter);
    for (name, entry) in map.filter(|(_, entry)| entry.value.as_map().is_some()) {
        if let Some(trunk) = Trunk::read(name, &entry.value, entry.key, findings) {
            trunk.check_links(&mut taken, findings);
            trunk.give(tree, &mut taken, findings);
            trunk.give_host_access(tree, findings);
            trunk.reserve(tree, findings);
            trunk.check_routed(findings);
        }
    }
}

/// One wire and who rides on it.
struct Trunk<'t> {
    name: &'t str,
    node: &'t Node,
    parent: Spanned<&'t str>,
    driver: Spanned<&'t str>,
    /// The networks, each with its VLAN; none is untagged.
    vlans: Vec<(&'t str, Span, Option<model::Vlan>)>,
}

impl<'t> Trunk<'t> {
    fn read(name: &'t str, node: &'t Node, at: Span, findings: &mut Findings) -> Option<Self> {
        let span = |key: &str| node.get(key).map_or(at, |value| value.span);
        let Some(parent) = text(node, "parent") else {
            let finding = Finding::error(Code::MissingKey, format!("x-trunks.{name} needs `parent`")).at(at);
            findings.push(finding.help("name the link of the Engine's host that the networks ride on: `parent: eth0`"));
            return None;
        };
        let driver = Spanned::new(text(node, "driver").unwrap_or("macvlan"), span("driver"));
        let parent = Spanned::new(parent, span("parent"));
        let mut trunk = Self { name, node, parent, driver, vlans: vec![] };
        trunk.check_mode(findings);
        trunk.check_promisc(findings);
        trunk.read_vlans(findings);
        Some(trunk)
    }

    fn check_mode(&self, findings: &mut Findings) {
        let modes: &[&str] = match self.driver.value {
            "ipvlan" => &["l2", "l3", "l3s"],
            _ => &["bridge", "private", "vepa", "passthru"],
        };
        let node = self.node.get("mode");
        if let Some((mode, at)) =
            text(self.node, "mode").zip(node.map(|node| node.span)).filter(|(m, _)| !modes.contains(m))
        {
            let message = format!("x-trunks.{}.mode: {} has no mode `{mode}`", self.name, self.driver.value);
            findings.push(Finding::error(Code::BadValue, message).at(at).help(format!("one of: {}", modes.join(", "))));
        }
    }

    fn check_promisc(&self, findings: &mut Findings) {
        if let Some(node) = self.node.get("promisc").filter(|node| !node.is_null() && promisc(node).is_none()) {
            let message = format!("x-trunks.{}.promisc cannot be `{}`", self.name, scalar(node));
            findings.push(Finding::error(Code::BadValue, message).at(node.span).help("one of: auto, on, off"));
        }
    }

    /// Writes driver, parent and mode into the networks.
    fn give(&self, tree: &mut Node, taken: &mut Taken<'t>, findings: &mut Findings) {
        for (network, at, vlan) in &self.vlans {
            let declared = section(tree, "networks").find(|(key, _)| &***key == *network).map(|(_, entry)| entry.key);
            let Some(declared) = declared else {
                let message = format!("x-trunks.{} names a network that is not defined: {network}", self.name);
                let finding = Finding::error(Code::UndefinedReference, message).at(*at);
                let near = nearest(network, section(tree, "networks").map(|(key, _)| &**key));
                findings.push(match near {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help(format!("define it: `networks: {{{network}: {{…}}}}`")),
                });
                continue;
            };
            if let Some((other, first)) = taken.riders.insert((*network).to_owned(), (self.name, *at)) {
                let message = format!("network {network} rides on two trunks, {other} and {}", self.name);
                let finding = Finding::error(Code::Conflict, message).at(*at).also(first, "on this one first");
                findings.push(finding.help("take it out of one of them"));
                continue;
            }
            let Some(node) = field_mut(tree, "networks").and_then(|networks| field_mut(networks, network)) else {
                continue;
            };
            self.write(network, declared, vlan.as_ref(), node, findings);
        }
    }

    fn write(
        &self,
        network: &str,
        declared: Span,
        vlan: Option<&model::Vlan>,
        node: &mut Node,
        findings: &mut Findings,
    ) {
        if node.is_null() {
            *node = Node::map(declared, Mapping::new());
        }
        if is_true(node, "external") {
            let message = format!("network {network} is external, and x-trunks.{} would make it", self.name);
            let at = node.get("external").map_or(declared, |external| external.span);
            let finding = Finding::error(Code::Conflict, message).at(at).also(self.parent.span, "the trunk");
            return findings.push(finding.help("take it out of `vlans`, or leave `external` out"));
        }
        self.fill(network, node, "driver", self.driver.value.to_owned(), self.driver.span, findings);
        let parent = vlan.map_or_else(|| self.parent.value.to_owned(), |vlan| vlan.link_name(self.parent.value));
        if node.get("driver_opts").is_none_or(Node::is_null) {
            set(node, "driver_opts", |at| Node::map(at, Mapping::new()));
        }
        let Some(options) = field_mut(node, "driver_opts") else { return };
        self.fill(network, options, "parent", parent, self.parent.span, findings);
        if let (Some(mode), Some(at)) = (text(self.node, "mode"), self.node.get("mode")) {
            let key = format!("{}_mode", self.driver.value);
            self.fill(network, options, &key, mode.to_owned(), at.span, findings);
        }
    }

    /// Writes a text where there is none; one that is there must be the same.
    fn fill(&self, network: &str, node: &mut Node, key: &str, value: String, from: Span, findings: &mut Findings) {
        match node.get(key).filter(|there| !there.is_null()) {
            Some(there) if text(node, key) == Some(&value) || scalar(there) == value => {}
            Some(there) => {
                let said = scalar(there);
                let message =
                    format!("network {network} has {key} `{said}`, and x-trunks.{} says `{value}`", self.name);
                let finding = Finding::error(Code::Conflict, message).at(there.span).also(from, "the trunk");
                findings.push(finding.help(format!("take `{key}` out of the network: the trunk gives it")));
            }
            None => set(node, key, |_| Node::str(from, value)),
        }
    }

    /// `host_access`: the address is set aside on the network that has it, so that the Engine gives it to nobody.
    fn give_host_access(&self, tree: &mut Node, findings: &mut Findings) {
        let Some(node) = self.node.get("host_access").filter(|node| !node.is_null()) else { return };
        let refuse = |code: Code, why: String, help: &str| {
            Finding::error(code, format!("x-trunks.{}.host_access {why}", self.name))
                .at(node.span)
                .help(help.to_owned())
        };
        let Ok(address) = scalar(node).parse::<IpAddr>() else {
            let why = format!("is an address, and `{}` is none", scalar(node));
            return findings.push(refuse(
                Code::BadValue,
                why,
                "an address of the network, without a length: `10.0.0.9`",
            ));
        };
        if self.driver.value != "macvlan" || text(self.node, "mode").is_some_and(|mode| mode != "bridge") {
            let why =
                "needs macvlan in mode bridge: in others the host's link would not hear its neighbours".to_owned();
            return findings.push(refuse(Code::Conflict, why, "leave `driver` and `mode` out, or `host_access`"));
        }
        for (network, ..) in &self.vlans {
            let Some(node) = field_mut(tree, "networks").and_then(|networks| field_mut(networks, network)) else {
                continue;
            };
            let Some(pools) =
                field_mut(node, "ipam").and_then(|ipam| field_mut(ipam, "config")).and_then(Node::as_seq_mut)
            else {
                continue;
            };
            if let Some(pool) = pools.iter_mut().find(|pool| holds(pool, address)) {
                if pool.get("aux_addresses").is_none_or(Node::is_null) {
                    set(pool, "aux_addresses", |at| Node::map(at, Mapping::new()));
                }
                let Some(set_aside) = field_mut(pool, "aux_addresses") else { return };
                return self.fill(
                    network,
                    set_aside,
                    HOST,
                    address.to_string(),
                    self.node.get("host_access").map_or(self.parent.span, |n| n.span),
                    findings,
                );
            }
        }
        let why = format!("is {address}, which is in no subnet of its networks");
        findings.push(refuse(
            Code::AddressOutside,
            why,
            "give the network that it is for a subnet with room for it: `ipam: {config: [{subnet: …}]}`",
        ));
    }

    /// `routed` joins networks of this trunk.
    fn check_routed(&self, findings: &mut Findings) {
        for group in items(self.node, "routed") {
            for item in group.as_seq().unwrap_or_default() {
                let name = item.as_str().unwrap_or_default();
                if !self.vlans.iter().any(|(network, ..)| *network == name) {
                    let message = format!("x-trunks.{}.routed: `{name}` does not ride on this trunk", self.name);
                    let finding = Finding::error(Code::UndefinedReference, message).at(item.span);
                    findings.push(finding.help("name networks of its `vlans`: `routed: [[lan, blue]]`"));
                }
            }
        }
    }
}

/// The trunk that carries a network, as far as the network's `driver_opts` cannot say it.
pub fn carrying(tree: &Node, network: &str) -> model::Trunk {
    let rides = |trunk: &&Node| trunk.get("vlans").is_some_and(|vlans| vlans.get(network).is_some());
    let mut trunks = section(tree, "x-trunks").map(|(name, entry)| (name, &entry.value));
    let Some((name, trunk)) = trunks.find(|(_, trunk)| rides(trunk)) else { return model::Trunk::default() };
    let groups = items(trunk, "routed").iter().filter_map(Node::as_seq);
    let groups = groups.map(|group| group.iter().filter_map(Node::as_str).collect::<Vec<_>>());
    let with = groups.filter(|group| group.contains(&network)).flatten().filter(|other| *other != network);
    let at = |key: &str| trunk.get(key).map_or(trunk.span, |node| node.span);
    let mtu = trunk.get("mtu").and_then(|node| scalar(node).parse().ok()).map(|mtu| Spanned::new(mtu, at("mtu")));
    let vlan = trunk.get("vlans").and_then(|vlans| vlans.get(network)).and_then(vlans::read).flatten();
    model::Trunk {
        name: name.to_string(),
        parent: text(trunk, "parent").unwrap_or_default().to_owned(),
        routed: with.filter_map(|other| other.parse().ok()).collect(),
        hairpin: is_true(trunk, "hairpin"),
        host_access: host_access(tree, trunk, network),
        mtu: vlan.as_ref().and_then(|vlan| vlan.mtu).or(mtu),
        vlan,
        promisc: trunk.get("promisc").and_then(promisc).flatten().map(|on| Spanned::new(on, at("promisc"))),
    }
}

/// Puts a trunk on another link, and its networks with it: what `x-hosts` says of one host.
pub fn move_to(tree: &mut Node, name: &str, parent: &str) {
    let Some(trunk) = field_mut(tree, "x-trunks").and_then(|trunks| field_mut(trunks, name)) else { return };
    set(trunk, "parent", |at| Node::str(at, parent));
    let riders = section(trunk, "vlans").filter_map(|(key, entry)| Some((key.to_string(), vlans::read(&entry.value)?)));
    for (network, vlan) in riders.collect::<Vec<_>>() {
        let networks = field_mut(tree, "networks");
        let options = networks.and_then(|networks| field_mut(field_mut(networks, &network)?, "driver_opts"));
        let link = vlan.map_or_else(|| parent.to_owned(), |vlan| vlan.link_name(parent));
        if let Some(options) = options {
            set(options, "parent", |at| Node::str(at, link));
        }
    }
}

/// Whether an entry of `ipam.config` has a subnet with this address in it.
fn holds(pool: &Node, address: IpAddr) -> bool {
    let subnet = text(pool, "subnet").and_then(|subnet| subnet.parse::<IpNet>().ok());
    subnet.is_some_and(|subnet| subnet.contains(&address))
}

/// The address that `host_access` of a trunk gives the host on this network.
fn host_access(tree: &Node, trunk: &Node, network: &str) -> Option<Spanned<IpAddr>> {
    let node = trunk.get("host_access")?;
    let address = scalar(node).parse().ok()?;
    let pools = tree.get("networks")?.get(network)?.get("ipam")?.get("config")?.as_seq()?;
    pools.iter().any(|pool| holds(pool, address)).then(|| Spanned::new(address, node.span))
}

/// `promisc`: on, off, or `auto`, which is none within.
fn promisc(node: &Node) -> Option<Option<bool>> {
    match scalar(node).as_str() {
        "auto" => Some(None),
        "on" | "true" => Some(Some(true)),
        "off" | "false" => Some(Some(false)),
        _ => None,
    }
}

fn scalar(node: &Node) -> String {
    match &node.data {
        Data::Scalar(scalar) => scalar.value.to_string(),
        _ => node.kind().to_owned(),
    }
}

//! A link of the host's own on the wire of a network (`host_access` of a trunk): what hangs on a card does not hear the card itself, so a
//! macvlan beside the children's is made, with an address of its own and routes to them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::difference::Difference;
use crate::compose::model::{Network, Project};
use crate::name::ProjectName;
use crate::source::Span;

/// One to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredShim {
    /// Its name, of 15 bytes: `bw`, six digits of the project, six of the network.
    pub name: String,
    /// What stands on it: whose it is.
    pub label: String,
    /// The link that it is a child of, which is the network's parent.
    pub parent: String,
    /// The host's address on the wire.
    pub address: IpAddr,
    /// What the host reaches by it.
    pub routes: BTreeSet<IpNet>,
    /// Where the address is written.
    pub span: Option<Span>,
}

/// One that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedShim {
    /// Its name.
    pub name: String,
    /// What stands on it; empty where its maker did not come to that.
    pub label: String,
    /// The link that it is a child of; none: one that is gone, or in another namespace.
    pub parent: Option<String>,
    /// Its addresses, those of the link alone left out.
    pub addresses: BTreeSet<IpAddr>,
    /// The destinations that are routed by it.
    pub routes: BTreeSet<IpNet>,
    /// Whether it is set up, as a child in mode `bridge`.
    pub works: bool,
}

impl From<&DesiredShim> for ObservedShim {
    /// As it is when it has just been made.
    fn from(made: &DesiredShim) -> Self {
        Self {
            name: made.name.clone(),
            label: made.label.clone(),
            parent: Some(made.parent.clone()),
            addresses: BTreeSet::from([made.address]),
            routes: made.routes.clone(),
            works: true,
        }
    }
}

/// The name of the shim of a network.
pub fn name(project: &ProjectName, network: &str) -> String {
    format!("{}{}", prefix(project), digits(network))
}

/// What the names of a project's shims begin with.
pub fn prefix(project: &ProjectName) -> String {
    format!("bw{}-", digits(project.as_str()))
}

/// What stands on the shims of a project begins with this.
pub fn label_of(project: &ProjectName) -> String {
    format!("bowline {project}/")
}

fn digits(text: &str) -> String {
    Sha256::digest(text).iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}

/// The shim that a network asks for.
pub fn desired(project: &Project, network: &Network) -> Option<DesiredShim> {
    let address = network.trunk.host_access.filter(|_| !network.external)?;
    let parent = network.driver_opts.get("parent")?.value.clone();
    Some(DesiredShim {
        name: name(&project.name, network.key.as_str()),
        label: format!("{}{}", label_of(&project.name), network.key),
        parent,
        address: address.value,
        routes: routes(project, network, address.value),
        span: Some(address.span),
    })
}

/// What is to be reached: no more of the subnet than is the network's, for the rest of it may be the wire's other machines'. The static
/// addresses, and for whoever has none `ip_range`, or the whole subnet where there is no such range.
fn routes(project: &Project, network: &Network, address: IpAddr) -> BTreeSet<IpNet> {
    let pool = network.ipam.pools.iter().find(|pool| pool.subnet.is_some_and(|subnet| subnet.value.contains(&address)));
    let Some(pool) = pool else { return BTreeSet::new() };
    let ends = project.services.values().filter_map(|service| service.networks.get(&network.key));
    let fixed: Vec<Option<IpAddr>> = ends
        .map(|end| match address {
            IpAddr::V4(_) => end.ipv4_address.map(|fixed| fixed.value.into()),
            IpAddr::V6(_) => end.ipv6_address.map(|fixed| fixed.value.into()),
        })
        .collect();
    let any = match pool.ip_range.or(pool.subnet.filter(|_| fixed.is_empty() || fixed.contains(&None))) {
        Some(range) => BTreeSet::from([range.value.trunc()]),
        None => BTreeSet::new(),
    };
    let beside = fixed.into_iter().flatten().filter(|fixed| !any.iter().any(|range| range.contains(fixed)));
    beside.map(IpNet::from).chain(any.iter().copied()).collect()
}

/// What is not as declared.
pub fn differences(declared: &DesiredShim, found: &ObservedShim) -> Vec<Difference> {
    let listed = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(" ") };
    let nets = |all: &BTreeSet<IpNet>| listed(all.iter().map(ToString::to_string).collect());
    let pairs = [
        ("parent", declared.parent.clone(), found.parent.clone().unwrap_or_else(|| "none".to_owned())),
        ("address", declared.address.to_string(), listed(found.addresses.iter().map(ToString::to_string).collect())),
        ("routes", nets(&declared.routes), nets(&found.routes)),
        (
            "state",
            "up, in mode bridge".to_owned(),
            (if found.works { "up, in mode bridge" } else { "another" }).to_owned(),
        ),
    ];
    let unequal = pairs.into_iter().filter(|(_, declared, found)| declared != found);
    let difference = |(field, wanted, found): (&str, String, String)| Difference {
        field: format!("host_access.{field}"),
        declared: wanted,
        found,
        at: declared.span,
    };
    unequal.map(difference).collect()
}

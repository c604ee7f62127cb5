//! What one look at the Engine gives to show: services, networks, what differs from the file.

use std::collections::BTreeMap;

use crate::report::standing::{Row, Standing};
use crate::state::observed::{Observed, ObservedNetwork};

/// One look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A row a service.
    pub services: Vec<Row>,
    /// The project's networks, and others that its containers are on.
    pub networks: Vec<Network>,
    /// What an `up` would do, and why; none where that cannot be told.
    pub differences: Option<Vec<String>>,
    /// Whether any container of it is there.
    pub is_up: bool,
    /// What is wrong with the stack file as it is now, where the view goes on with what it said before.
    pub trouble: Option<String>,
}

/// A network and who is on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Its name, without the project's.
    pub name: String,
    /// Its driver, subnets, gateway: what it is like, in words.
    pub kind: String,
    /// The containers on it, and their addresses.
    pub members: Vec<(String, String)>,
}

impl Seen {
    /// What a look shows of a project.
    pub fn of(standing: &Standing<'_>) -> Self {
        let project = standing.desired.project.as_str();
        Self {
            services: standing.rows(),
            networks: networks(project, standing.observed),
            differences: standing.plan.map(|_| standing.differences()),
            is_up: !standing.observed.containers.is_empty(),
            trouble: None,
        }
    }
}

fn networks(project: &str, observed: &Observed) -> Vec<Network> {
    let mut members: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    let own = observed.networks.iter().filter(|network| network.project() == Some(project));
    own.for_each(|network| _ = members.entry(&network.name).or_default());
    for container in &observed.containers {
        for (network, end) in &container.endpoints {
            let addresses = [end.ipv4, end.ipv6].into_iter().flatten().map(|address| address.addr().to_string());
            let addresses: Vec<String> = addresses.collect();
            let name = short(project, &container.name).to_owned();
            members.entry(network).or_default().push((name, addresses.join(", ")));
        }
    }
    let network = |(name, mut members): (&str, Vec<(String, String)>)| {
        members.sort();
        let known = observed.networks.iter().find(|network| network.name == name);
        Network { name: short(project, name).to_owned(), kind: known.map(kind).unwrap_or_default(), members }
    };
    members.into_iter().map(network).collect()
}

/// `bridge 10.30.1.0/24, gateway 10.30.1.1, internal`.
fn kind(network: &ObservedNetwork) -> String {
    let mut words = vec![];
    for pool in &network.ipam.pools {
        words.extend(pool.subnet.map(|subnet| subnet.to_string()));
        words.extend(pool.gateway.map(|gateway| format!("gateway {gateway}")));
    }
    if network.internal {
        words.push("internal".to_owned());
    }
    format!("{} {}", network.driver, words.join(", ")).trim_end().to_owned()
}

/// A name without the project's in front: `shop-web-1` is `web-1`, `shop_front` is `front`.
pub fn short<'a>(project: &str, name: &'a str) -> &'a str {
    let rest = name.strip_prefix(project).and_then(|rest| rest.strip_prefix(['-', '_']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

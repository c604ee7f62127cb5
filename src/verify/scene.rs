//! Where the judge looks: the project, what the Engine holds, and what was answered from inside the namespaces.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::check::{Container, Owner};
use super::topology::{Namespace, Topology};
use crate::compose::extension::verify::RuleProbe;
use crate::compose::model::Project;
use crate::name::{ContainerId, Mac, Replica, ServiceName};
use crate::probe::{Answer, Question};
use crate::state::desired::Desired;
use crate::state::observed::{Observed, ObservedContainer, ObservedEndpoint, ObservedNetwork};

/// A place from which questions are asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vantage {
    /// Inside a container's namespace.
    Replica(Replica),
    /// Inside the namespace of a container outside the project.
    Named(String),
    /// The Engine's host.
    Host,
    /// A machine beside the host: beyond its own stack.
    Outside,
}

impl std::fmt::Display for Vantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Replica(replica) => write!(f, "{replica}"),
            Self::Named(name) => f.write_str(name),
            Self::Host => f.write_str("the host"),
            Self::Outside => f.write_str("outside"),
        }
    }
}

/// Questions, each with the place where it is asked.
pub type Questions = BTreeSet<(Vantage, Question)>;

/// What was answered in one run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The answers.
    pub answers: BTreeMap<(Vantage, Question), Answer>,
    /// Places that could not be visited, and why.
    pub blind: BTreeMap<Vantage, String>,
    /// Files that were copied into containers, by their paths: how they compare with what was to be copied.
    pub files: BTreeMap<(Replica, String), Content>,
}

/// A file in a container, beside what the stack's file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The same, so many bytes.
    Same(usize),
    /// Another.
    Other,
    /// There is none.
    Missing,
    /// It could not be read, and why.
    Untold(String),
}

/// The project and what the Engine holds of it.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its namespaces and wires.
    pub topology: &'a Topology,
    /// What it asks of the Engine.
    pub desired: &'a Desired,
    /// What the Engine holds.
    pub observed: &'a Observed,
}

/// A container by its name, its id and its addresses now, each with its network's name.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub id: &'a ContainerId,
    /// Its addresses with the networks' names.
    pub addresses: Vec<(String, IpAddr)>,
}

impl<'a> Scene<'a> {
    /// The container of a replica, in whatever state.
    pub fn container(&self, replica: &Replica) -> Option<&'a ObservedContainer> {
        self.observed.containers.iter().find(|c| c.replica == *replica)
    }

    /// A replica as people call it: the service alone where it has but one container.
    pub fn called(&self, replica: &Replica) -> String {
        match self.topology.places.get(&replica.service).map(|p| p.scale) {
            Some(1) | None => replica.service.to_string(),
            Some(_) => format!("{}#{}", replica.service, replica.number),
        }
    }

    /// The containers that a service should have.
    pub fn replicas(&self, service: &ServiceName) -> Vec<Replica> {
        let scale = self.topology.places.get(service).map_or(0, |p| p.scale);
        (1..=scale).map(|number| Replica::new(service.clone(), number)).collect()
    }

    /// The container whose namespace a replica lives in.
    pub fn home(&self, replica: &Replica) -> Replica {
        match self.topology.places.get(&replica.service).map(|p| &p.namespace) {
            Some(Namespace::Own(owner) | Namespace::Nothing(owner)) if *owner != replica.service => {
                Replica::new(owner.clone(), 1)
            }
            _ => replica.clone(),
        }
    }

    /// The place from which a replica speaks: its namespace's owner, or the host.
    pub fn vantage(&self, replica: &Replica) -> Vantage {
        match self.topology.places.get(&replica.service).map(|p| &p.namespace) {
            Some(Namespace::Host) => Vantage::Host,
            Some(Namespace::Foreign(name)) => Vantage::Named(name.clone()),
            _ => Vantage::Replica(self.home(replica)),
        }
    }

    /// How a replica hangs on a wire now.
    pub fn endpoint(&self, replica: &Replica, wire: &str) -> Option<&'a ObservedEndpoint> {
        self.container(&self.home(replica))?.endpoints.get(wire)
    }

    /// A replica's addresses now: on the wires named, or on all it has.
    pub fn addresses(&self, replica: &Replica, wires: &[String]) -> Vec<(String, IpNet)> {
        let Some(container) = self.container(&self.home(replica)) else { return vec![] };
        let wanted = container.endpoints.iter().filter(|(name, _)| wires.is_empty() || wires.contains(name));
        wanted.flat_map(|(name, e)| e.ipv4.into_iter().chain(e.ipv6).map(move |a| (name.clone(), a))).collect()
    }

    /// A network of the Engine by its name.
    pub fn network(&self, name: &str) -> Option<&'a ObservedNetwork> {
        self.observed.networks.iter().find(|n| n.name == name)
    }

    /// Whether ARP will be asked for, for which the probe makes packets of its own: by a rule, or for a container's own address.
    pub fn asks_layer2(&self) -> bool {
        let rules = self.project.rules.allow.iter().chain(&self.project.rules.deny);
        rules.into_iter().any(|r| r.value.probe == RuleProbe::Arp)
            || self.topology.places.values().any(|place| !place.ends.is_empty())
    }

    /// A wire as people know it.
    pub fn wire_label<'b>(&'b self, wire: &'b str) -> &'b str {
        self.topology.wires.get(wire).map_or(wire, |w| w.label())
    }

    /// Who has an address now: the container's name.
    pub fn holder(&self, address: IpAddr) -> Option<&'a str> {
        let own = self
            .observed
            .containers
            .iter()
            .find(|c| c.endpoints.values().any(|e| e.ipv4.into_iter().chain(e.ipv6).any(|a| a.addr() == address)));
        let other = || {
            let other = self.observed.others.iter();
            other.into_iter().find(|c| c.networks.iter().any(|(_, _, a)| a.contains(&address)))
        };
        own.map(|c| c.name.as_str()).or_else(|| other().map(|c| c.name.as_str()))
    }

    /// Who has a MAC address now: the container's name.
    pub fn holder_of_mac(&self, mac: Mac) -> Option<&'a str> {
        let own = self.observed.containers.iter().find(|c| c.endpoints.values().any(|e| e.mac == Some(mac)));
        let other = || self.observed.others.iter().find(|c| c.macs.contains(&mac));
        own.map(|c| c.name.as_str()).or_else(|| other().map(|c| c.name.as_str()))
    }

    /// A container of the project, or another.
    pub fn identity(&self, container: &Container) -> Option<Identity<'a>> {
        match container {
            Container::Replica(replica) => {
                let found = self.container(replica)?;
                let addresses = self.addresses(replica, &[]).into_iter().map(|(w, a)| (w, a.addr())).collect();
                Some(Identity { name: &found.name, id: &found.id, addresses })
            }
            Container::Named(name) => self.named(name),
        }
    }

    /// A container outside the project by its name or the start of its id; of the project, where it has that name.
    pub fn named(&self, name: &str) -> Option<Identity<'a>> {
        if let Some(own) = self.observed.containers.iter().find(|c| c.name == name) {
            return self.identity(&Container::Replica(own.replica.clone()));
        }
        let fits = |id: &ContainerId| name.len() >= 4 && id.as_str().starts_with(name);
        let other = self.observed.others.iter().find(|c| c.name == name || fits(&c.id))?;
        let addresses = other.networks.iter().flat_map(|(net, _, a)| a.iter().map(|a| (net.clone(), *a))).collect();
        Some(Identity { name: &other.name, id: &other.id, addresses })
    }

    /// The addresses of a container on the wires named or on all; none where it does not run.
    fn running_addresses(&self, replica: &Replica, wires: &[String]) -> BTreeSet<IpAddr> {
        let runs = self.container(replica).is_some_and(|c| c.state.is_running());
        let addresses = runs.then(|| self.addresses(replica, wires));
        addresses.into_iter().flatten().map(|(_, a)| a.addr()).collect()
    }

    /// What a name of these owners may be answered with: all of their addresses, or those of one.
    pub fn answers(&self, owners: &[Owner], wires: &[String]) -> Vec<BTreeSet<IpAddr>> {
        match owners {
            [Owner::OneOf(service)] => {
                self.replicas(service).iter().map(|replica| self.running_addresses(replica, wires)).collect()
            }
            owners => vec![owners.iter().flat_map(|owner| self.owner_addresses(owner, wires)).collect()],
        }
    }

    /// The addresses of all running containers of an owner, on the wires named or on all.
    pub fn owner_addresses(&self, owner: &Owner, wires: &[String]) -> BTreeSet<IpAddr> {
        let on = |wire: &String| wires.is_empty() || wires.contains(wire);
        match owner {
            Owner::Service(service) | Owner::OneOf(service) => {
                self.replicas(service).iter().flat_map(|r| self.running_addresses(r, wires)).collect()
            }
            Owner::Named(name) => {
                let all = self.named(name).map(|i| i.addresses).unwrap_or_default();
                all.into_iter().filter(|(wire, _)| on(wire)).map(|(_, a)| a).collect()
            }
        }
    }
}

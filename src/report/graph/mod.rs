//! A stack as a drawing: services, the networks they hang on with their addresses and names, published ports, who waits for whom.
//!
//! [`Drawing`] says what is drawn; [`dot`], [`mermaid`] and [`svg()`] only write it down. The order is the file's.

mod dot;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;
mod verified;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use super::verification::Outcome;
use crate::compose::model::{Condition, Endpoint, Network, NetworkMode, Port, Project, Service, TagProtocol, VlanLink};
use crate::name::ServiceName;

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The project.
    pub title: String,
    /// Boxes.
    pub nodes: Vec<Node>,
    /// Lines.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique in the drawing: a letter for the kind, and a number.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// Its lines of text, the first of them its name.
    pub lines: Vec<String>,
    /// The worst verdict of its checks, where a verification was drawn.
    pub verdict: Option<Outcome>,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A service.
    Service,
    /// A network of the project or an external one.
    Network,
    /// What is there already: the host's namespace, the default bridge, a container or link outside the project.
    Surroundings,
}

/// A line between two boxes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The box it starts from.
    pub from: String,
    /// The box it leads to.
    pub to: String,
    /// What it means.
    pub means: Means,
    /// Its label, in lines.
    pub lines: Vec<String>,
    /// The worst verdict of its checks, where a verification was drawn.
    pub verdict: Option<Outcome>,
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A service hangs on a network or lives in a namespace.
    Attached,
    /// A network hangs on a parent.
    Parent,
    /// A port of the host leads to a service.
    Published,
    /// A service knows another by a link.
    Link,
    /// A service waits for another.
    Waits,
}

impl Drawing {
    /// What a project looks like.
    pub fn of(project: &Project) -> Self {
        let mut drawing = Self { title: project.name.to_string(), nodes: vec![], edges: vec![] };
        for network in project.networks.values() {
            let id = drawing.add(Kind::Network, network.key.as_str(), network_lines(network));
            if let Some(parent) = network.driver_opts.get("parent") {
                drawing.hang(&id, &parent.value, &network.trunk.own_links());
            }
        }
        for service in project.services.values() {
            for name in boxes(service) {
                drawing.add(Kind::Service, &name, service_lines(service, &name));
            }
        }
        for service in project.services.values() {
            drawing.attach(project, service);
            drawing.publish(service);
            drawing.relate(project, service);
        }
        drawing
    }

    /// A network under its parent; a VLAN under the link that carries it.
    fn hang(&mut self, network: &str, parent: &str, own: &[VlanLink]) {
        let link = self.surroundings(&format!("link {parent}"));
        self.line(network, &link, Means::Parent, vec![]);
        for vlan in own.iter().rev() {
            let words = match vlan.protocol {
                TagProtocol::Customer => format!("VLAN {}", vlan.id),
                TagProtocol::Service => format!("VLAN {} ({})", vlan.id, vlan.protocol),
            };
            let (link, below) = (format!("link {}", vlan.name), format!("link {}", vlan.parent));
            let (link, below) = (self.surroundings(&link), self.surroundings(&below));
            if !self.edges.iter().any(|edge| edge.from == link && edge.to == below) {
                self.line(&link, &below, Means::Parent, vec![words]);
            }
        }
        if !own.is_empty() {
            return;
        }
        let vlan = parent.split_once('.').filter(|(_, id)| id.parse::<u16>().is_ok());
        if let Some((trunk, id)) = vlan {
            let trunk = self.surroundings(&format!("link {trunk}"));
            if !self.edges.iter().any(|edge| edge.from == link && edge.to == trunk) {
                self.line(&link, &trunk, Means::Parent, vec![format!("VLAN {id}")]);
            }
        }
    }

    fn attach(&mut self, project: &Project, service: &Service) {
        let from = boxes(service).iter().map(|name| id_of(Kind::Service, name)).collect::<Vec<_>>();
        for (key, endpoint) in &service.networks {
            for from in &from {
                self.line(from, &id_of(Kind::Network, key.as_str()), Means::Attached, endpoint_lines(endpoint));
            }
        }
        let to = match service.network_mode.as_ref().map(|mode| &mode.value) {
            None | Some(NetworkMode::None) => return,
            Some(NetworkMode::Host) => self.surroundings("the host's network"),
            Some(NetworkMode::Bridge) => self.surroundings("default bridge docker0"),
            Some(NetworkMode::Service(owner)) => first_box(project, owner),
            Some(NetworkMode::Container(name)) => self.surroundings(&format!("container {name}")),
            Some(NetworkMode::Other(name)) => self.surroundings(&format!("network {name}")),
        };
        for from in &from {
            self.line(from, &to, Means::Attached, vec!["shares".into()]);
        }
    }

    fn publish(&mut self, service: &Service) {
        if service.ports.is_empty() {
            return;
        }
        let outside = self.surroundings("the host's ports");
        let lines: Vec<String> = service.ports.iter().map(|port| port_line(port)).collect();
        for name in boxes(service) {
            self.line(&outside, &id_of(Kind::Service, &name), Means::Published, lines.clone());
        }
    }

    /// Links and waits, between the first containers: they hold for all of them.
    fn relate(&mut self, project: &Project, service: &Service) {
        let from = first_box(project, &service.name);
        for link in &service.links {
            let to = first_box(project, &link.value.target);
            self.line(&from, &to, Means::Link, vec![format!("link {}", link.value.alias)]);
        }
        for link in &service.external_links {
            let to = self.surroundings(&format!("container {}", link.value.target));
            self.line(&from, &to, Means::Link, vec![format!("link {}", link.value.alias)]);
        }
        // what a link or a shared namespace implies is drawn as that
        let written = service.depends_on.iter().filter(|(target, dependency)| {
            let linked = service.links.iter().any(|link| link.value.target == **target);
            let shared =
                service.network_mode.as_ref().is_some_and(|m| m.value == NetworkMode::Service((*target).clone()));
            dependency.condition != Condition::Started || !(linked || shared)
        });
        let waits: Vec<_> = written.map(|(target, dependency)| (target.clone(), dependency.condition)).collect();
        for (target, condition) in waits {
            let when = match condition {
                Condition::Started => "after it starts",
                Condition::Healthy => "after it is healthy",
                Condition::Completed => "after it completes",
            };
            self.line(&from, &first_box(project, &target), Means::Waits, vec![when.into()]);
        }
    }

    fn add(&mut self, kind: Kind, name: &str, lines: Vec<String>) -> String {
        let id = id_of(kind, name);
        self.nodes.push(Node { id: id.clone(), kind, lines, verdict: None });
        id
    }

    /// The box of something that is there already; made when it is named first.
    fn surroundings(&mut self, name: &str) -> String {
        let id = id_of(Kind::Surroundings, name);
        if !self.nodes.iter().any(|node| node.id == id) {
            self.add(Kind::Surroundings, name, vec![name.to_owned()]);
        }
        id
    }

    fn line(&mut self, from: &str, to: &str, means: Means, lines: Vec<String>) {
        self.edges.push(Edge { from: from.to_owned(), to: to.to_owned(), means, lines, verdict: None });
    }
}

/// An id of letters, digits and `_` alone: other characters become their code, so that two names never meet.
fn id_of(kind: Kind, name: &str) -> String {
    let kind = match kind {
        Kind::Service => 's',
        Kind::Network => 'n',
        Kind::Surroundings => 'x',
    };
    let each =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("_{:x}_", u32::from(c)) });
    format!("{kind}_{}", each.collect::<String>())
}

/// A service of more containers than this is one box.
const MOST_BOXES: u32 = 6;

/// The names of a service's boxes: one a container.
fn boxes(service: &Service) -> Vec<String> {
    match service.scale.value {
        count @ 2..=MOST_BOXES => (1..=count).map(|number| format!("{}#{number}", service.name)).collect(),
        _ => vec![service.name.to_string()],
    }
}

/// The id of a service's first box.
fn first_box(project: &Project, name: &ServiceName) -> String {
    let first = project.services.get(name).and_then(|service| boxes(service).into_iter().next());
    id_of(Kind::Service, first.as_deref().unwrap_or(name.as_str()))
}

fn network_lines(network: &Network) -> Vec<String> {
    let kind = match (network.external, network.internal) {
        (true, _) => "external".to_owned(),
        (_, true) => format!("{}, internal", network.driver_name()),
        _ => network.driver_name().to_owned(),
    };
    let subnets = network.ipam.pools.iter().filter_map(|pool| pool.subnet.as_ref().map(|s| s.value.to_string()));
    [network.key.to_string(), kind].into_iter().chain(subnets).collect()
}

fn service_lines(service: &Service, name: &str) -> Vec<String> {
    let name = match service.scale.value {
        1..=MOST_BOXES => name.to_owned(),
        n => format!("{} × {n}", service.name),
    };
    let image = service.image.iter().map(|image| image.value.clone());
    let alone = service.network_mode.as_ref().is_some_and(|mode| mode.value == NetworkMode::None);
    [name].into_iter().chain(image).chain(alone.then(|| "no network".to_owned())).collect()
}

fn endpoint_lines(endpoint: &Endpoint) -> Vec<String> {
    let v4 = endpoint.ipv4_address.iter().map(|a| a.value.to_string());
    let v6 = endpoint.ipv6_address.iter().map(|a| a.value.to_string());
    let mac = endpoint.mac_address.iter().map(|m| m.value.to_string());
    let aliases = endpoint.aliases.iter().map(|a| format!("as {}", a.value));
    v4.chain(v6).chain(mac).chain(aliases).collect()
}

/// `127.0.0.1:8080 → 80`, `any → 53/udp`.
fn port_line(port: &Port) -> String {
    let published = match port.published {
        None => "any".to_owned(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
    };
    let host = port.host_ip.map(|ip| if ip.is_ipv6() { format!("[{ip}]:") } else { format!("{ip}:") });
    let protocol = match port.protocol {
        crate::name::Protocol::Tcp => String::new(),
        other => format!("/{other}"),
    };
    format!("{}{published} → {}{protocol}", host.unwrap_or_default(), port.target)
}

//! Where a container hangs: its networks, the primary one first, with aliases, addresses and links.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{Attachment, LinkTarget, Naming};
use crate::compose::model::{Endpoint, Link, NetworkMode, Service};
use crate::name::{NetworkKey, Replica};
use crate::state::settings::EndpointSettings;

/// The driver option that names a container's interface (API 1.49).
const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";

/// Where a container of `service` hangs.
pub(super) fn attachment(naming: &Naming, service: &Service, replica: &Replica) -> Attachment {
    match service.network_mode.as_ref().map(|mode| &mode.value) {
        None => of_networks(naming, service, replica),
        Some(NetworkMode::Bridge) => Attachment::DefaultBridge,
        Some(NetworkMode::Host) => Attachment::Host,
        Some(NetworkMode::None) => Attachment::None,
        Some(NetworkMode::Service(parent)) => Attachment::Replica(Replica::new(parent.clone(), 1)),
        Some(NetworkMode::Container(name)) => match naming.lender(service, &format!("container:{name}")) {
            Some(parent) => Attachment::Replica(parent),
            None => Attachment::Container(name.clone()),
        },
        Some(NetworkMode::Other(name)) => Attachment::Other(name.clone()),
    }
}

/// On its networks. It has none where `network_mode` says nothing, because a variable is not set, for instance: then
/// docker compose takes the default one, where another service has it, and the Engine's bridge else.
fn of_networks(naming: &Naming, service: &Service, replica: &Replica) -> Attachment {
    if !service.networks.is_empty() {
        return Attachment::Networks(networks(naming, service, &service.networks, replica));
    }
    match naming.project.networks.get_key_value("default") {
        Some((key, _)) => {
            let only = IndexMap::from([(key.clone(), Endpoint::default())]);
            Attachment::Networks(networks(naming, service, &only, replica))
        }
        None => Attachment::DefaultBridge,
    }
}

/// The endpoints: highest `priority` first, then by key. The first is the primary network.
fn networks(
    naming: &Naming,
    service: &Service,
    all: &IndexMap<NetworkKey, Endpoint>,
    replica: &Replica,
) -> IndexMap<NetworkKey, EndpointSettings> {
    let mut order: Vec<(&NetworkKey, &Endpoint)> = all.iter().collect();
    order.sort_by(|(a, x), (b, y)| y.priority.cmp(&x.priority).then_with(|| a.cmp(b)));
    let links: Vec<(String, String)> =
        links(naming, service, replica).into_iter().map(|link| (link_name(naming, &link.target), link.alias)).collect();
    let mut endpoints: IndexMap<_, _> = order
        .into_iter()
        .map(|(key, endpoint)| (key.clone(), settings(naming, service, replica, endpoint, &links)))
        .collect();
    if let Some((_, primary)) = endpoints.first_mut() {
        primary.mac = primary.mac.or(service.mac_address.map(|mac| mac.value));
    }
    endpoints
}

fn settings(
    naming: &Naming,
    service: &Service,
    replica: &Replica,
    endpoint: &Endpoint,
    links: &[(String, String)],
) -> EndpointSettings {
    let (own, name) = (naming.container(service, replica.number), service.name.to_string());
    let twice = Some(own.clone()).filter(|own| *own == name);
    let mut aliases = BTreeSet::from([own, name]);
    let repeated = endpoint.aliases.iter().map(|alias| &alias.value).filter(|alias| aliases.contains(*alias));
    let repeated = twice.into_iter().chain(repeated.cloned()).collect();
    aliases.extend(endpoint.aliases.iter().map(|alias| alias.value.clone()));
    let mut driver_opts: std::collections::BTreeMap<_, _> =
        endpoint.driver_opts.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(name) = &endpoint.interface_name {
        driver_opts.insert(INTERFACE_NAME.to_owned(), name.value.clone());
    }
    EndpointSettings {
        aliases,
        repeated,
        links: links.to_vec(),
        is_mapping: endpoint.is_mapping,
        ipv4: endpoint.ipv4_address.map(|ip| ip.value),
        ipv6: endpoint.ipv6_address.map(|ip| ip.value),
        link_local: endpoint.link_local_ips.iter().map(|ip| ip.value).collect(),
        mac: endpoint.mac_address.map(|mac| mac.value),
        gateway_priority: endpoint.gateway_priority,
        driver_opts,
    }
}

/// The links of a container, to every container of each target: by the link's alias, by `<service>-<n>` and by
/// `<project>-<service>-<n>`, where n is the number of the container that has the link (seen on docker compose 2.40.3, which says what
/// two links share twice); external ones by their alias alone.
fn links(naming: &Naming, service: &Service, own: &Replica) -> Vec<Link<LinkTarget>> {
    let mut links: Vec<Link<LinkTarget>> = Vec::new();
    for link in &service.links {
        let Some(target) = naming.project.services.get(&link.target) else { continue };
        for replica in naming.replicas(target) {
            let numbered = format!("{}-{}", target.name, own.number);
            let full = format!("{}-{numbered}", naming.project.name);
            for alias in [link.alias.clone(), numbered, full] {
                links.push(Link { target: LinkTarget::Replica(replica.clone()), alias });
            }
        }
    }
    let external = service
        .external_links
        .iter()
        .map(|link| Link { target: LinkTarget::External(link.target.clone()), alias: link.alias.clone() });
    links.extend(external);
    links
}

/// Links to be made on the default bridge, where the Engine keeps each name once.
pub(super) fn legacy_links(naming: &Naming, service: &Service, own: &Replica) -> Vec<Link<LinkTarget>> {
    let mut links = links(naming, service, own);
    let mut seen = Vec::new();
    links.retain(|link| {
        let new = !seen.contains(link);
        if new {
            seen.push(link.clone());
        }
        new
    });
    links
}

/// The name of a link's target.
fn link_name(naming: &Naming, target: &LinkTarget) -> String {
    match target {
        LinkTarget::External(name) => name.clone(),
        LinkTarget::Replica(replica) => match naming.project.services.get(&replica.service) {
            Some(service) => naming.container(service, replica.number),
            None => replica.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::load_text;
    use crate::state::desired::{Attachment, DesiredOptions, desired};

    /// What is said twice of each container, by its name.
    fn repeated(text: &str) -> Vec<(String, Vec<String>)> {
        let project = load_text("compose.yaml", text).project.unwrap();
        let desired = desired(&project, &DesiredOptions::default());
        let of = |attachment: &Attachment| match attachment {
            Attachment::Networks(networks) => networks.values().flat_map(|n| n.repeated.clone()).collect(),
            _ => vec![],
        };
        desired.containers.values().map(|c| (c.name.clone(), of(&c.attachment))).collect()
    }

    #[test]
    fn a_name_that_is_the_containers_and_the_services_is_said_twice_as_docker_compose_says_it() {
        let text = "{name: p, services: {db: {image: x, container_name: db}, web: {image: x, networks: {default: {aliases: [web, w]}}}, \
                    own: {image: x, container_name: other}}}";
        let twice = |name: &str| vec![name.to_owned()];
        let expected =
            [("db".to_owned(), twice("db")), ("p-web-1".to_owned(), twice("web")), ("other".to_owned(), vec![])];
        assert_eq!(repeated(text), expected);
    }
}

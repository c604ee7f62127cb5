//! What the Engine's host has, looked at through the probe: links, routes, listening sockets.

use indexmap::IndexMap;
use ipnet::IpNet;

use super::{Options, Vantage, Vantages};
use crate::compose::model::{MountSource, Project};
use crate::engine::{Address, Engine};
use crate::name::Protocol;
use crate::preflight::HostFacts;
use crate::preflight::host::{HostLink, HostRoute, Listener, Process};
use crate::probe::{self, Answer, ProbeError, Question};

/// Looks at the host, as far as `project` gives reason to.
///
/// # Errors
/// When there is no way into the host's namespace: rules that need it stay silent then, and the caller says so.
pub async fn facts(engine: &Engine, project: &Project) -> Result<HostFacts, ProbeError> {
    let mut facts = HostFacts { missing_paths: missing_paths(engine, project), ..HostFacts::default() };
    if !is_needed(project) {
        return Ok(facts);
    }
    let options = Options { processes: true, ..Options::default() };
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], options).await;
    let questions =
        vec![Question::Links {}, Question::Addresses {}, Question::Routes {}, Question::Sockets { owners: true }];
    let answers = vantages.ask(&[(0, questions)]).await;
    // what would not go is swept by the next run; the answers are good
    let _ = vantages.close().await;
    let mut found = Found::default();
    for answer in answers.into_iter().next().unwrap_or_else(|| Ok(vec![]))? {
        match answer {
            Answer::Links(links) => found.links = Some(links),
            Answer::Addresses(addresses) => found.addresses = addresses,
            Answer::Routes(routes) => facts.routes = Some(routes.iter().filter_map(route).collect()),
            Answer::Sockets(sockets) => facts.listeners = Some(sockets.into_iter().map(listener).collect()),
            _ => {}
        }
    }
    facts.links = found.into_links();
    Ok(facts)
}

/// Whether a rule needs to know the host: ports to publish, subnets to route, parents to hang on.
fn is_needed(project: &Project) -> bool {
    project.services.values().any(|s| !s.ports.is_empty())
        || project.networks.values().any(|n| !n.external && (n.driver.is_some() || !n.ipam.pools.is_empty()))
}

/// Bind sources that are not there and may not be made; only where the Engine's files are ours.
fn missing_paths(engine: &Engine, project: &Project) -> std::collections::BTreeSet<std::path::PathBuf> {
    if !matches!(engine.address(), Address::Unix(_)) {
        return Default::default();
    }
    let mounts = project.services.values().flat_map(|s| &s.mounts);
    let binds = mounts.filter_map(|m| match &m.value.source {
        MountSource::Bind(bind) if !bind.create_host_path => Some(&bind.source),
        _ => None,
    });
    binds.filter(|path| !path.exists()).cloned().collect()
}

#[derive(Default)]
struct Found {
    links: Option<Vec<probe::Link>>,
    addresses: Vec<probe::Address>,
}

impl Found {
    fn into_links(self) -> Option<Vec<HostLink>> {
        let links = self.links?;
        let names: IndexMap<u32, String> = links.iter().map(|l| (l.index, l.name.clone())).collect();
        let each = links.into_iter().map(|link| HostLink {
            kind: link.kind.unwrap_or_default(),
            up: link.up,
            carrier: link.carrier.unwrap_or(true),
            master: link.master.and_then(|m| names.get(&m).cloned()),
            addresses: self.addresses.iter().filter(|a| a.device == link.name).filter_map(address).collect(),
            name: link.name,
        });
        Some(each.collect())
    }
}

fn address(address: &probe::Address) -> Option<IpNet> {
    IpNet::new(address.address, address.prefix).ok()
}

fn route(route: &probe::Route) -> Option<HostRoute> {
    let destination = IpNet::new(route.destination, route.prefix).ok()?;
    Some(HostRoute { destination, link: route.device.clone()? })
}

fn listener(socket: probe::Socket) -> Listener {
    Listener {
        address: socket.address,
        port: socket.port,
        protocol: match socket.transport {
            probe::Transport::Tcp => Protocol::Tcp,
            probe::Transport::Udp => Protocol::Udp,
        },
        process: socket.owner.map(|p| Process { pid: p.pid, name: p.name }),
    }
}

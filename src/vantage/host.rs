//! What the Engine's host has, looked at through the probe: links, routes, listening sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::{Options, Vantage, Vantages};
use crate::compose::model::{MountSource, Project};
use crate::engine::{Address, Engine};
use crate::name::Protocol;
use crate::preflight::host::{Disk, HostLink, HostRoute, Known, Listener, Process};
use crate::preflight::{HostFacts, asked_of_wires};
use crate::probe::{self, Answer, LinkKind, ProbeError, Question};

/// Who has an address answers at once; silence is waited for, once, for all of them together.
const HEARD_WITHIN: Duration = Duration::from_millis(400);

/// `RT_TABLE_MAIN` (include/uapi/linux/rtnetlink.h): other tables are for packets that a rule sends there.
const MAIN_TABLE: u32 = 254;

/// Looks at the host, as far as `project` gives reason to.
///
/// # Errors
/// When there is no way into the host's namespace: rules that need it stay silent then, and the caller says so.
pub async fn facts(engine: &Engine, project: &Project, known: &Known) -> Result<HostFacts, ProbeError> {
    let (missing_paths, disk) = (missing_paths(engine, project), disk(engine, known));
    let mut facts = HostFacts { missing_paths, disk, ..HostFacts::default() };
    if !(is_needed(project) || known.joins_parents) {
        return Ok(facts);
    }
    let (kinds, wires) = (kinds(project), asked_of_wires(project));
    let options =
        Options { processes: true, kinds: !kinds.is_empty(), layer2: !wires.is_empty(), ..Options::default() };
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], options).await;
    let mut questions =
        vec![Question::Links {}, Question::Addresses {}, Question::Routes {}, Question::Sockets { owners: true }];
    questions.extend(SETTINGS.iter().map(|name| Question::Sysctl { name: (*name).to_owned() }));
    questions.extend(kinds.into_iter().map(|kind| Question::Kind { kind }));
    questions.extend(wires.into_iter().map(|(device, address)| solicitation(device, address)));
    let answers = vantages.ask(&[(0, questions.clone())]).await;
    // what would not go is swept by the next run; the answers are good
    let _ = vantages.close().await;
    let mut found = Found::default();
    let answers = answers.into_iter().next().unwrap_or_else(|| Ok(vec![]))?;
    for (question, answer) in questions.into_iter().zip(answers) {
        match (question, answer) {
            (_, Answer::Links(links)) => found.links = Some(links),
            (_, Answer::Addresses(addresses)) => found.addresses = addresses,
            (_, Answer::Routes(routes)) => facts.routes = Some(routes.iter().filter_map(route).collect()),
            (_, Answer::Sockets(sockets)) => facts.listeners = Some(sockets.into_iter().map(listener).collect()),
            (Question::Solicit { .. }, Answer::Heard(heard)) => {
                facts.heard.insert((heard.device, heard.target), heard.macs);
            }
            (Question::Kind { kind }, Answer::Known(known)) => _ = facts.kinds.insert(kind.as_str().to_owned(), known),
            (Question::Sysctl { name }, Answer::Sysctl(setting)) => {
                facts.settings.extend(setting.value.map(|value| (name, value)));
            }
            // what cannot be told is not known: its rules stay silent
            _ => {}
        }
    }
    facts.links = found.into_links();
    Ok(facts)
}

/// The routes of the host's main table.
///
/// # Errors
/// When there is no way into the host's namespace, or it does not tell.
pub async fn routes(engine: &Engine) -> Result<Vec<HostRoute>, ProbeError> {
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], Options::default()).await;
    let answers = vantages.ask(&[(0, vec![Question::Routes {}])]).await;
    let _ = vantages.close().await;
    let answers = answers.into_iter().next().unwrap_or_else(|| Ok(vec![]))?;
    match answers.into_iter().next() {
        Some(Answer::Routes(found)) => Ok(found.iter().filter(|r| r.table == MAIN_TABLE).filter_map(route).collect()),
        other => Err(ProbeError::BrokeOff(format!("the host's routes were asked for, and it answered {other:?}"))),
    }
}

/// Whether a rule needs to know the host: ports to publish, subnets to route, parents to hang on.
fn is_needed(project: &Project) -> bool {
    project.services.values().any(|s| !s.ports.is_empty())
        || project.networks.values().any(|n| !n.external && (n.driver.is_some() || !n.ipam.pools.is_empty()))
}

/// An ARP probe (RFC 5227): from nobody, so that it teaches nobody a wrong neighbour.
fn solicitation(device: String, address: Ipv4Addr) -> Question {
    let (target, sender) = (IpAddr::V4(address), Some(Ipv4Addr::UNSPECIFIED));
    Question::Solicit { target, device: Some(device), sender, within: HEARD_WITHIN, tries: 2 }
}

/// Room where the Engine keeps its data; only where its files are ours.
fn disk(engine: &Engine, known: &Known) -> Option<Disk> {
    let path = known.data.clone().filter(|_| matches!(engine.address(), Address::Unix(_)))?;
    let found = rustix::fs::statvfs(&path).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    Some(Disk { path, free, inodes: found.f_files, free_inodes: found.f_favail })
}

/// Settings of the kernel that decide what networks do.
const SETTINGS: [&str; 4] = [
    "net.ipv4.ip_forward",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv6.conf.all.disable_ipv6",
    "net.bridge.bridge-nf-call-iptables",
];

/// The kinds of links that the networks of the file are made of.
fn kinds(project: &Project) -> std::collections::BTreeSet<LinkKind> {
    let mut kinds = std::collections::BTreeSet::new();
    for network in project.networks.values().filter(|n| !n.external) {
        match network.driver_name() {
            "macvlan" => kinds.insert(LinkKind::Macvlan),
            "ipvlan" => kinds.insert(LinkKind::Ipvlan),
            _ => continue,
        };
        if network.driver_opts.get("parent").is_some_and(|parent| parent.value.contains('.')) {
            kinds.insert(LinkKind::Vlan);
        }
    }
    kinds
}

/// Bind sources that are not there and may not be made, and devices that are not; only where the Engine's files are ours.
fn missing_paths(engine: &Engine, project: &Project) -> std::collections::BTreeSet<std::path::PathBuf> {
    if !matches!(engine.address(), Address::Unix(_)) {
        return Default::default();
    }
    let mounts = project.services.values().flat_map(|s| &s.mounts);
    let binds = mounts.filter_map(|m| match &m.value.source {
        MountSource::Bind(bind) if !bind.create_host_path => Some(&bind.source),
        _ => None,
    });
    let devices = project.services.values().flat_map(|s| &s.resources.devices).map(|device| &device.source);
    let devices = devices.filter(|path| path.starts_with("/dev/")).map(std::path::PathBuf::from);
    binds.cloned().chain(devices).filter(|path| !path.exists()).collect()
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
            promiscuous: link.is_set_promiscuous(),
            kind: link.kind.unwrap_or_default(),
            up: link.up,
            carrier: link.carrier.unwrap_or(true),
            master: link.master.and_then(|m| names.get(&m).cloned()),
            parent: link.parent.filter(|_| link.parent_namespace.is_none()).and_then(|p| names.get(&p).cloned()),
            vlan: link.vlan,
            mtu: link.mtu,
            wireless: link.wireless,
            promiscuity: link.promiscuity,
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
    Some(HostRoute { destination, link: route.device.clone()?, metric: route.metric.unwrap_or_default() })
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

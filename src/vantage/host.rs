//! What the Engine's host has, looked at through the probe: links, routes, listening sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::{Options, Vantage, Vantages, daemon};
use crate::compose::model::{FileContent, MountSource, Project};
use crate::engine::{Address, Engine};
use crate::name::Protocol;
use crate::preflight::host::{Chain, Disk, HostLink, HostRoute, Known, Listener, Process, Source};
use crate::preflight::{HostFacts, asked_of_wires, volume_devices};
use crate::probe::{self, Answer, LinkKind, ProbeError, Question};
use crate::state::vlan::TagProtocol;

/// Who has an address answers at once; silence is waited for, once, for all of them together.
const HEARD_WITHIN: Duration = Duration::from_millis(400);

/// `RT_TABLE_MAIN` (include/uapi/linux/rtnetlink.h): other tables are for packets that a rule sends there.
const MAIN_TABLE: u32 = 254;

/// Looks at the host, as far as `project` gives reason to.
///
/// # Errors
/// When there is no way into the host's namespace: rules that need it stay silent then, and the caller says so.
pub async fn facts(engine: &Engine, project: &Project, known: &Known) -> Result<HostFacts, ProbeError> {
    let (sources, missing_paths) = paths(engine, project);
    let (disk, client, daemon) = (disk(engine, known), client(engine), daemon::options(engine));
    let mut facts = HostFacts { missing_paths, sources, disk, client, daemon, ..HostFacts::default() };
    if !(is_needed(project) || known.joins_parents) {
        return Ok(facts);
    }
    let (kinds, wires) = (kinds(project), asked_of_wires(project));
    let options =
        Options { processes: true, kinds: !kinds.is_empty(), layer2: !wires.is_empty(), ..Options::default() };
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], options).await;
    let mut questions = vec![
        Question::Links {},
        Question::Addresses {},
        Question::Routes {},
        Question::Resolver {},
        Question::Chains {},
        Question::Machine {},
        Question::Sockets { owners: true },
    ];
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
            (_, Answer::Chains(chains)) => facts.forward_drops = forward_drops(chains),
            (_, Answer::Machine(machine)) => facts.machine = (machine.vendor, machine.product),
            (_, Answer::Resolver(resolver)) => facts.resolvers = resolvers(resolver),
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
const SETTINGS: [&str; 6] = [
    "net.ipv4.ip_forward",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv6.ip_nonlocal_bind",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv6.conf.all.disable_ipv6",
    "net.bridge.bridge-nf-call-iptables",
];

/// The kinds of links that the networks of the file are made of.
fn kinds(project: &Project) -> BTreeSet<LinkKind> {
    let mut kinds = BTreeSet::new();
    for network in project.networks.values().filter(|n| !n.external) {
        match network.driver_name() {
            "macvlan" => kinds.insert(LinkKind::Macvlan),
            "ipvlan" => kinds.insert(LinkKind::Ipvlan),
            _ => continue,
        };
        let is_vlan = network.driver_opts.get("parent").is_some_and(|parent| parent.value.contains('.'));
        if is_vlan || !network.trunk.own_links().is_empty() {
            kinds.insert(LinkKind::Vlan);
        }
    }
    kinds
}

/// What lies where the stack mounts something from, and what of it and of its devices is not there; only where the Engine's files are ours.
fn paths(engine: &Engine, project: &Project) -> (BTreeMap<PathBuf, Source>, BTreeSet<PathBuf>) {
    let (mut sources, mut missing) = (BTreeMap::new(), BTreeSet::new());
    if !matches!(engine.address(), Address::Unix(_)) {
        return (sources, missing);
    }
    let services = || project.services.values();
    let binds = services().flat_map(|service| &service.mounts).filter_map(|mount| match &mount.value.source {
        MountSource::Bind(bind) => Some(bind.source.clone()),
        _ => None,
    });
    let files = services().flat_map(|service| &service.files).filter_map(|file| match &file.value.content {
        FileContent::Path(path, _) => Some(path.clone()),
        _ => None,
    });
    let devices = services().flat_map(|service| &service.resources.devices).map(|device| &device.source);
    let devices = devices.filter(|path| path.starts_with("/dev/")).map(PathBuf::from);
    let volumes = volume_devices(project).map(|(_, device)| device.to_owned());
    for path in binds.chain(files).chain(devices).chain(volumes) {
        match source(&path) {
            Ok(source) => _ = sources.insert(path, source),
            Err(why) if why.kind() == ErrorKind::NotFound => _ = missing.insert(path),
            // whoever may not look does not know
            Err(_) => {}
        }
    }
    (sources, missing)
}

fn source(path: &Path) -> std::io::Result<Source> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(Source::Directory),
        Ok(_) => Ok(Source::File),
        Err(why) if why.kind() == ErrorKind::NotADirectory => {
            let above = path.ancestors().find(|above| above.is_file());
            above.map(|file| Source::Below(file.to_owned())).ok_or(why)
        }
        Err(why) => Err(why),
    }
}

/// The address from which we speak to an Engine elsewhere: what the kernel would take, without a packet.
fn client(engine: &Engine) -> Option<IpAddr> {
    let Address::Tcp { host, port, .. } = engine.address() else { return None };
    let to: IpAddr = host.parse().ok()?;
    let any = if to.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, *port)).ok()?;
    socket.local_addr().ok().map(|own| own.ip()).filter(|own| !own.is_loopback())
}

/// The chains that drop what they are not told to forward.
fn forward_drops(chains: Vec<probe::Chain>) -> Vec<Chain> {
    let drops = chains.into_iter().filter(|chain| chain.hook == "forward" && chain.drops);
    drops.map(|chain| Chain { family: chain.family, table: chain.table, name: chain.name }).collect()
}

/// The resolvers of the host that are other machines.
fn resolvers(resolver: probe::Resolver) -> Vec<IpAddr> {
    resolver.servers.into_iter().filter(|server| !server.is_loopback()).collect()
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
            protocol: link.tag.and_then(TagProtocol::of),
            label: link.label.unwrap_or_default(),
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
    let metric = route.metric.unwrap_or_default();
    Some(HostRoute { destination, link: route.device.clone()?, metric, gateway: route.gateway })
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

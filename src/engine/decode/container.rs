//! Containers: `GET /containers/{id}/json` and the entries of `GET /containers/json`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use indexmap::IndexMap;

use super::{address, some, wire, with_prefix};
use crate::engine::error::is_left_task;
use crate::name::{ContainerId, Mac, NetworkId, Replica};
use crate::state::desired::labels;
use crate::state::observed::{BoundPort, ContainerState, Health, ObservedContainer, ObservedEndpoint, OtherContainer};
use crate::state::settings::{
    EndpointSettings, MountForm, MountKind, MountSettings, PortBinding, Settings, ports, range,
};

/// An inspected container of a project. `None` where its labels do not say which one it is.
pub(in crate::engine) fn container(raw: wire::Container) -> Option<ObservedContainer> {
    let replica = replica(&raw.config.labels)?;
    let volumes = volumes(&raw.mounts);
    let mounts = mounts(&raw, &volumes);
    let asked_mac: Option<Mac> = raw.config.mac_address.parse().ok();
    let id = ContainerId::from_engine(raw.id);
    let mut settings = super::settings(raw.config);
    let host = raw.host_config;
    if settings.hostname.as_deref() == Some(id.short()) {
        settings.hostname = None;
    }
    let settings = Settings {
        annotations: host.annotations.clone(),
        ports: bindings(&host.port_bindings),
        restart: Some(super::restart(&host.restart_policy)),
        extra_hosts: host.extra_hosts.iter().filter_map(|entry| extra_host(entry)).collect(),
        dns: host.dns.iter().filter_map(|text| address(text)).collect(),
        dns_search: host.dns_search.clone(),
        dns_options: host.dns_options.clone(),
        init: host.init,
        privileged: host.privileged,
        read_only: host.readonly_rootfs,
        cap_add: host.cap_add.iter().map(|name| capability(name)).collect(),
        cap_drop: host.cap_drop.iter().map(|name| capability(name)).collect(),
        sysctls: host.sysctls.clone(),
        mounts,
        ..settings
    };
    let network_mode = host.network_mode.clone();
    let legacy_links = host.links.iter().filter_map(|link| legacy_link(link)).collect();
    let settings = super::host::host(host, settings);
    let endpoints = raw.network_settings.networks.into_iter().map(|(name, shown)| {
        let mut endpoint = endpoint(&shown, id.short());
        endpoint.settings.mac = asked_mac.filter(|_| name == network_mode);
        (name, endpoint)
    });
    Some(ObservedContainer {
        name: raw.name.trim_start_matches('/').to_owned(),
        replica,
        state: state(&raw.state),
        settings,
        image_id: raw.image,
        endpoints: endpoints.collect(),
        network_mode,
        legacy_links,
        bound: bound(&raw.network_settings.ports),
        sandbox: some(raw.network_settings.sandbox_key),
        hosts_path: some(raw.hosts_path),
        volumes,
        id,
    })
}

/// Which replica the labels name (`com.docker.compose.service` and `.container-number`).
pub(in crate::engine) fn replica(labels: &BTreeMap<String, String>) -> Option<Replica> {
    let service = labels.get("com.docker.compose.service")?.parse().ok()?;
    let number = labels.get("com.docker.compose.container-number")?.parse().ok()?;
    Some(Replica::new(service, number))
}

/// What a container does.
pub(in crate::engine) fn state(raw: &wire::State) -> ContainerState {
    match raw.status.as_str() {
        // it cannot be started any more, only removed
        "created" | "exited" if is_left_task(&raw.error) => ContainerState::Dead,
        "created" => ContainerState::Created,
        "running" => ContainerState::Running {
            pid: raw.pid,
            health: raw.health.as_ref().and_then(|health| health_word(&health.status)),
            started_at: raw.started_at.clone(),
        },
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting { exit_code: raw.exit_code },
        // Podman says `stopped`
        "exited" | "stopped" => ContainerState::Exited {
            code: raw.exit_code,
            oom_killed: raw.oom_killed,
            finished_at: raw.finished_at.clone(),
        },
        "removing" => ContainerState::Removing,
        "dead" => ContainerState::Dead,
        other => ContainerState::Other(other.to_owned()),
    }
}

/// `none` and unknown words are no health.
fn health_word(word: &str) -> Option<Health> {
    match word {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

/// A capability as the file writes it most: upper case, without `CAP_` (the Engine adds it since 20.10).
fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").map_or(name.clone(), str::to_owned)
}

/// `name:address`; the address may have colons, the name has none.
fn extra_host(entry: &str) -> Option<(String, String)> {
    let (name, address) = entry.split_once(':')?;
    Some((name.to_owned(), address.to_owned()))
}

/// `/web-1:/client-1/alias` as `web-1` and `alias`.
fn legacy_link(link: &str) -> Option<(String, String)> {
    let (target, rest) = link.split_once(':')?;
    let alias = rest.rsplit('/').next()?;
    Some((target.trim_start_matches('/').to_owned(), alias.to_owned()))
}

fn bindings(raw: &BTreeMap<String, Option<Vec<wire::HostPort>>>) -> Vec<PortBinding> {
    let mut found = vec![];
    for (port, hosts) in raw {
        for (target, protocol) in ports(port) {
            for host in hosts.iter().flatten() {
                let published = range(&host.host_port).filter(|&range| range != (0, 0));
                found.push(PortBinding { target, protocol, host_ip: address(&host.host_ip), published });
            }
        }
    }
    found.sort();
    found
}

fn bound(raw: &BTreeMap<String, Option<Vec<wire::HostPort>>>) -> Vec<BoundPort> {
    let mut found = vec![];
    for (port, hosts) in raw {
        for (target, protocol) in ports(port) {
            for host in hosts.iter().flatten() {
                if let (Some(host_ip), Ok(published)) = (address(&host.host_ip), host.host_port.parse()) {
                    found.push(BoundPort { target, protocol, host_ip, published });
                }
            }
        }
    }
    found.sort();
    found
}

/// The volumes that are mounted: path in the container, name.
fn volumes(mounted: &[wire::MountPoint]) -> BTreeMap<String, String> {
    let volumes = mounted.iter().filter(|mount| mount.kind == "volume");
    volumes.map(|mount| (mount.destination.clone(), mount.name.clone())).collect()
}

/// What was asked for, from `Binds`, `Mounts` and `Tmpfs` of the host configuration. A volume that the Engine named (64
/// hexadecimal digits) is anonymous, also where an orchestrator handed it on to the next container by its name.
fn mounts(raw: &wire::Container, volumes: &BTreeMap<String, String>) -> Vec<MountSettings> {
    let host = &raw.host_config;
    let mut found: Vec<MountSettings> = host.binds.iter().filter_map(|text| bind(text)).collect();
    found.extend(host.mounts.iter().filter(|raw| !holds_files(raw)).filter_map(mount));
    let tmpfs = host.tmpfs.iter().map(|(target, options)| MountSettings {
        target: target.clone(),
        kind: MountKind::Tmpfs { options: options.clone() },
        read_only: false,
        form: MountForm::default(),
    });
    found.extend(tmpfs);
    // those that it has by `VolumesFrom` are another's
    let own: Vec<&str> = found.iter().map(|mount| mount.target.as_str()).collect();
    let own: BTreeSet<String> =
        own.into_iter().chain(raw.config.volumes.keys().map(String::as_str)).map(str::to_owned).collect();
    let own = |target: &str| host.volumes_from.is_empty() || own.contains(target);
    let anonymous = |target: &str| own(target) && volumes.get(target).is_some_and(|name| is_anonymous(name));
    found.retain(|mount| !anonymous(&mount.target));
    for target in volumes.keys().filter(|target| anonymous(target)) {
        let writable = raw.mounts.iter().any(|mount| mount.destination == *target && mount.writable);
        let (target, kind, form) = (target.clone(), MountKind::Anonymous, MountForm::default());
        found.push(MountSettings { target, kind, read_only: !writable, form });
    }
    found.sort();
    found
}

/// Whether this is a config or secret in a volume of the container's own (`Settings::files_volume`).
fn holds_files(raw: &wire::Mount) -> bool {
    raw.volume_options.as_ref().is_some_and(|options| options.labels.contains_key(labels::FILES))
}

/// Whether the Engine made up the name of a volume.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `source:target[:options]` of `HostConfig.Binds`.
fn bind(text: &str) -> Option<MountSettings> {
    let mut parts = text.splitn(3, ':');
    let (source, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let options: Vec<&str> = parts.next().unwrap_or_default().split(',').collect();
    let has = |word: &str| options.contains(&word);
    let selinux = options.iter().find(|o| ["z", "Z"].contains(o)).map(|o| (*o).to_owned());
    let kind = if source.starts_with('/') {
        let propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
        MountKind::Bind {
            source,
            create_host_path: true,
            propagation: options.iter().find(|o| propagations.contains(o)).map(|o| (*o).to_owned()),
            selinux,
            recursive: None,
        }
    } else {
        MountKind::Volume { name: source, no_copy: has("nocopy"), subpath: None, selinux }
    };
    Some(MountSettings { target, kind, read_only: has("ro"), form: MountForm::default() })
}

/// An entry of `HostConfig.Mounts`; kinds that bowline cannot make are left out.
fn mount(raw: &wire::Mount) -> Option<MountSettings> {
    let kind = match raw.kind.as_str() {
        "bind" => {
            let options = raw.bind_options.as_ref();
            MountKind::Bind {
                source: raw.source.clone(),
                create_host_path: options.is_some_and(|o| o.create_mountpoint),
                propagation: options.and_then(|o| some(o.propagation.clone())),
                selinux: None,
                recursive: options.and_then(recursive),
            }
        }
        "volume" if raw.source.is_empty() => MountKind::Anonymous,
        "volume" => MountKind::Volume {
            name: raw.source.clone(),
            no_copy: raw.volume_options.as_ref().is_some_and(|o| o.no_copy),
            subpath: raw.volume_options.as_ref().and_then(|o| some(o.subpath.clone())),
            selinux: None,
        },
        "tmpfs" => {
            let (size, mode) = raw.tmpfs_options.as_ref().map_or((0, 0), |o| (o.size_bytes, o.mode));
            MountKind::Memory { size, mode }
        }
        "image" => MountKind::Image {
            source: raw.source.clone(),
            subpath: raw.image_options.as_ref().and_then(|o| some(o.subpath.clone())),
        },
        _ => return None,
    };
    Some(MountSettings { target: raw.target.clone(), kind, read_only: raw.read_only, form: MountForm::default() })
}

/// What becomes of mounts below a bind mount, in the file's words.
fn recursive(options: &wire::BindOptions) -> Option<String> {
    let words = [
        (options.non_recursive, "disabled"),
        (options.read_only_non_recursive, "writable"),
        (options.read_only_force_recursive, "readonly"),
    ];
    words.into_iter().find(|(is_set, _)| *is_set).map(|(_, word)| word.to_owned())
}

/// An endpoint. Engines before 25 put the container's short id among the aliases. The MAC that is shown may be one that
/// the Engine made up; only `Config.MacAddress`, which is the primary network's, is surely one that was asked for.
fn endpoint(raw: &wire::Endpoint, short_id: &str) -> ObservedEndpoint {
    let ipam = raw.ipam_config.clone().unwrap_or_default();
    let settings = EndpointSettings {
        aliases: raw.aliases.iter().filter(|alias| *alias != short_id).cloned().collect(),
        repeated: vec![],
        links: raw.links.iter().filter_map(|l| l.split_once(':')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
        ipv4: ipam.ipv4_address.parse().ok(),
        ipv6: ipam.ipv6_address.parse().ok(),
        link_local: ipam.link_local_ips.iter().filter_map(|text| address(text)).collect(),
        mac: None,
        gateway_priority: Some(raw.gw_priority).filter(|&priority| priority != 0),
        driver_opts: raw.driver_opts.clone(),
        is_mapping: raw.ipam_config.is_some(),
    };
    ObservedEndpoint {
        network: some(raw.network_id.clone()).map(NetworkId::from_engine),
        settings,
        ipv4: with_prefix(&raw.ip_address, raw.ip_prefix_len),
        ipv6: with_prefix(&raw.global_ipv6_address, raw.global_ipv6_prefix_len),
        gateway: address(&raw.gateway),
        gateway_v6: address(&raw.ipv6_gateway),
        mac: raw.mac_address.parse().ok(),
    }
}

/// A container's own name among those of the list: for each link that leads to it, the Engine lists `/LINKER/ALIAS` as well, in no
/// order.
pub(in crate::engine) fn own_name(names: &[String]) -> String {
    let own = |name: &&String| !name.trim_start_matches('/').contains('/');
    let name = names.iter().find(own).or(names.first());
    name.map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

/// An entry of the list, for containers that are not inspected.
pub(in crate::engine) fn summary(raw: wire::Summary) -> OtherContainer {
    let bound = ports_of_summary(&raw);
    let name = own_name(&raw.names);
    let label = |key: &str| raw.labels.get(key).cloned();
    let ends = raw.network_settings.iter().flat_map(|n| n.networks.values());
    OtherContainer {
        macs: ends.filter_map(|e| e.mac_address.parse().ok()).collect(),
        name,
        project: label("com.docker.compose.project"),
        service: label("com.docker.compose.service"),
        bound,
        networks: networks(raw.network_settings.map(|n| n.networks).unwrap_or_default()),
        id: ContainerId::from_engine(raw.id),
        state: raw.state,
        status: raw.status,
        labels: raw.labels,
    }
}

fn networks(raw: IndexMap<String, wire::Endpoint>) -> Vec<(String, Option<NetworkId>, Vec<IpAddr>)> {
    let one = |(name, shown): (String, wire::Endpoint)| {
        let addresses = [&shown.ip_address, &shown.global_ipv6_address];
        let addresses = addresses.into_iter().filter_map(|text| address(text)).collect();
        (name, some(shown.network_id).map(NetworkId::from_engine), addresses)
    };
    raw.into_iter().map(one).collect()
}

/// The ports that are bound on the host, in order; those that are only exposed are left out.
fn ports_of_summary(raw: &wire::Summary) -> Vec<BoundPort> {
    let bound = raw.ports.iter().filter(|port| port.public > 0).filter_map(|port| {
        let host_ip = address(&port.ip)?;
        Some(BoundPort { target: port.private, protocol: port.protocol.parse().ok()?, host_ip, published: port.public })
    });
    let mut bound: Vec<BoundPort> = bound.collect();
    bound.sort();
    bound
}

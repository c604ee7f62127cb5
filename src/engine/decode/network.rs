//! Networks, volumes, and the Engine itself.

use ipnet::IpNet;

use super::{address, some, wire};
use crate::name::{ContainerId, NetworkId};
use crate::state::observed::{EngineFacts, ObservedNetwork, ObservedVolume};
use crate::state::platform::processor;
use crate::state::settings::{IpamSettings, PoolSettings};

/// An entry of `GET /networks`, or the whole of `GET /networks/{id}` with its members.
pub(in crate::engine) fn network(raw: wire::Network) -> ObservedNetwork {
    let members = raw.containers.into_iter().map(|(id, member)| {
        let addresses = member_addresses(&member);
        (ContainerId::from_engine(id), member.name, addresses)
    });
    ObservedNetwork {
        members: members.collect(),
        id: some(raw.id).map(NetworkId::from_engine),
        name: raw.name,
        driver: raw.driver,
        scope: raw.scope,
        options: raw.options,
        ipam: ipam(raw.ipam.unwrap_or_default()),
        internal: raw.internal,
        attachable: raw.attachable,
        enable_ipv4: raw.enable_ipv4,
        enable_ipv6: raw.enable_ipv6,
        labels: raw.labels,
    }
}

/// The addresses of a member, with their prefix lengths.
fn member_addresses(member: &wire::Member) -> Vec<IpNet> {
    [&member.ipv4, &member.ipv6].into_iter().filter_map(|text| text.parse().ok()).collect()
}

/// The driver `default` is what no driver means.
fn ipam(raw: wire::Ipam) -> IpamSettings {
    let pools = raw.config.into_iter().map(|pool| PoolSettings {
        subnet: pool.subnet.parse().ok(),
        ip_range: pool.ip_range.parse().ok(),
        // Engine 20.10 shows the gateway of an IPv6 pool with its prefix length
        gateway: address(pool.gateway.split('/').next().unwrap_or_default()),
        aux_addresses: pool.auxiliary_addresses.into_iter().filter_map(|(k, v)| Some((k, address(&v)?))).collect(),
    });
    IpamSettings {
        driver: some(raw.driver).filter(|driver| driver != "default"),
        pools: pools.collect(),
        options: raw.options,
    }
}

/// An entry of `GET /volumes`.
pub(in crate::engine) fn volume(raw: wire::Volume) -> ObservedVolume {
    ObservedVolume { name: raw.name, driver: raw.driver, options: raw.options, labels: raw.labels }
}

/// What `GET /info` adds to the facts that the first answer gave.
pub(in crate::engine) fn info(raw: wire::Info, facts: &EngineFacts) -> EngineFacts {
    let swarm = raw.swarm.unwrap_or_default();
    let pools = raw.default_address_pools.iter();
    let version = if raw.server_version.is_empty() { facts.version.clone() } else { raw.server_version };
    EngineFacts {
        version,
        api: facts.api,
        platform: format!("{}/{}", raw.os_type, processor(&raw.architecture).0),
        rootless: raw.security_options.iter().any(|option| option.starts_with("name=rootless")),
        podman: facts.podman,
        memory: raw.mem_total,
        swarm_manager: swarm.local_node_state == "active" && swarm.control_available,
        default_pools: pools.filter_map(|pool| Some((pool.base.parse().ok()?, pool.size))).collect(),
        data: raw.docker_root_dir.filter(|path| !path.is_empty()),
        firewall: raw.firewall_backend.map(|backend| backend.driver).filter(|driver| !driver.is_empty()),
    }
}

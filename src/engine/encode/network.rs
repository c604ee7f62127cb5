//! Networks, endpoints, volumes.

use bollard::models::{
    EndpointIpamConfig, EndpointSettings as Endpoint, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest,
    NetworkDisconnectRequest, VolumeCreateRequest,
};

use super::{list, map};
use crate::state::desired::{DesiredNetwork, DesiredVolume};
use crate::state::settings::{EndpointSettings, IpamSettings, PoolSettings};

/// `POST /networks/create`.
pub(in crate::engine) fn network(wanted: &DesiredNetwork) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: wanted.name.clone(),
        driver: Some(wanted.driver.clone()),
        internal: wanted.internal.then_some(true),
        attachable: wanted.attachable.then_some(true),
        ipam: ipam(&wanted.ipam),
        enable_ipv4: wanted.enable_ipv4,
        enable_ipv6: wanted.enable_ipv6,
        options: map(&wanted.options),
        labels: map(&wanted.labels),
        ..NetworkCreateRequest::default()
    }
}

fn ipam(wanted: &IpamSettings) -> Option<Ipam> {
    (*wanted != IpamSettings::default()).then(|| Ipam {
        driver: wanted.driver.clone(),
        config: list(wanted.pools.iter().map(pool)),
        options: map(&wanted.options),
    })
}

fn pool(wanted: &PoolSettings) -> IpamConfig {
    let aux: std::collections::BTreeMap<_, _> =
        wanted.aux_addresses.iter().map(|(name, address)| (name.clone(), address.to_string())).collect();
    IpamConfig {
        subnet: wanted.subnet.map(|subnet| subnet.to_string()),
        ip_range: wanted.ip_range.map(|range| range.to_string()),
        gateway: wanted.gateway.map(|gateway| gateway.to_string()),
        auxiliary_addresses: map(&aux),
    }
}

/// `POST /volumes/create`.
pub(in crate::engine) fn volume(wanted: &DesiredVolume) -> VolumeCreateRequest {
    VolumeCreateRequest {
        name: Some(wanted.name.clone()),
        driver: Some(wanted.driver.clone()),
        driver_opts: map(&wanted.options),
        labels: map(&wanted.labels),
        ..VolumeCreateRequest::default()
    }
}

/// An endpoint, whole: as `create` and `connect` take it.
pub(in crate::engine) fn endpoint(wanted: &EndpointSettings) -> Endpoint {
    let ipam = EndpointIpamConfig {
        ipv4_address: wanted.ipv4.map(|address| address.to_string()),
        ipv6_address: wanted.ipv6.map(|address| address.to_string()),
        link_local_ips: list(wanted.link_local.iter().map(ToString::to_string)),
    };
    Endpoint {
        ipam_config: (wanted.is_mapping || ipam != EndpointIpamConfig::default()).then_some(ipam),
        links: list(wanted.links.iter().map(|(container, alias)| format!("{container}:{alias}"))),
        aliases: list(wanted.aliases.iter().chain(&wanted.repeated).cloned()),
        mac_address: wanted.mac.map(|mac| mac.to_string()),
        gw_priority: wanted.gateway_priority,
        driver_opts: map(&wanted.driver_opts),
        ..Endpoint::default()
    }
}

/// `POST /networks/{id}/connect`.
pub(in crate::engine) fn connection(container: &str, wanted: &EndpointSettings) -> NetworkConnectRequest {
    NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(endpoint(wanted)) }
}

/// `POST /networks/{id}/disconnect`; by force, because an endpoint whose container the Engine lost must go as well.
pub(in crate::engine) fn disconnection(container: &str) -> NetworkDisconnectRequest {
    NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) }
}

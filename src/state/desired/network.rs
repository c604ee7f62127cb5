//! Networks and volumes.

use super::hash::Decoded;
use super::{DesiredNetwork, DesiredVolume, labels};
use crate::compose::model::{Network, Pool, Project, Volume};
use crate::state::settings::{IpamSettings, PoolSettings};

/// A network as the Engine is asked for it.
pub(super) fn network(project: &Project, decoded: &Decoded, network: &Network) -> DesiredNetwork {
    let mut labels = labels::resource(project, &network.labels);
    labels.insert(labels::NETWORK.to_owned(), network.key.to_string());
    let access = network.trunk.host_access.map(|address| (labels::HOST_ACCESS.to_owned(), address.value.to_string()));
    labels.extend(access);
    let links: Vec<String> = network.trunk.own_links().into_iter().map(|link| link.name).collect();
    if !links.is_empty() && !network.external {
        labels.insert(labels::VLANS.to_owned(), links.join(" "));
    }
    labels.extend(decoded.network(&network.key).map(|hash| (labels::CONFIG_HASH.to_owned(), hash)));
    DesiredNetwork {
        key: network.key.clone(),
        name: network.name.clone(),
        external: network.external,
        driver: network.driver_name().to_owned(),
        options: network.driver_opts.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect(),
        ipam: IpamSettings {
            driver: network.ipam.driver.clone(),
            pools: network.ipam.pools.iter().map(pool).collect(),
            options: network.ipam.options.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        },
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        labels,
        span: network.span,
    }
}

fn pool(pool: &Pool) -> PoolSettings {
    PoolSettings {
        subnet: pool.subnet.map(|s| s.value),
        ip_range: pool.ip_range.map(|s| s.value),
        gateway: pool.gateway.map(|s| s.value),
        aux_addresses: pool.aux_addresses.iter().map(|(k, v)| (k.clone(), v.value)).collect(),
    }
}

/// A volume as the Engine is asked for it.
pub(super) fn volume(project: &Project, decoded: &Decoded, volume: &Volume) -> DesiredVolume {
    let mut labels = labels::resource(project, &volume.labels);
    labels.insert(labels::VOLUME.to_owned(), volume.key.to_string());
    labels.extend(decoded.volume(&volume.key).map(|hash| (labels::CONFIG_HASH.to_owned(), hash)));
    DesiredVolume {
        key: volume.key.clone(),
        name: volume.name.clone(),
        external: volume.external,
        driver: volume.driver.clone().unwrap_or_else(|| "local".to_owned()),
        options: volume.driver_opts.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        labels,
        span: volume.span,
    }
}

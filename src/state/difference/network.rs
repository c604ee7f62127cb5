//! Networks and volumes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Comparison, Difference, podman};
use crate::state::desired::{DesiredNetwork, DesiredVolume, labels};
use crate::state::observed::{EngineFacts, ObservedNetwork, ObservedVolume};
use crate::state::settings::PoolSettings;

/// Compares a network with what is declared. External ones are never compared.
pub fn network(declared: &DesiredNetwork, found: &ObservedNetwork, engine: &EngineFacts) -> Vec<Difference> {
    let found = &if engine.podman { Cow::Owned(podman::asked_network(found)) } else { Cow::Borrowed(found) };
    let place = |_: &str| declared.span;
    let mut out = Comparison::new(&place);
    let unchanged = made_from_this(&declared.labels, &found.labels);
    out.same("driver", &declared.driver, &found.driver);
    out.same_map("driver_opts", &declared.options, &found.options);
    let driver = |name: &Option<String>| name.clone().unwrap_or_else(|| "default".to_owned());
    out.same("ipam.driver", &driver(&declared.ipam.driver), &driver(&found.ipam.driver));
    out.same_map("ipam.options", &declared.ipam.options, &found.ipam.options);
    compare_pools(&mut out, &declared.ipam.pools, &found.ipam.pools);
    if !unchanged {
        compare_chosen_pools(&mut out, &declared.ipam.pools, &found.ipam.pools, engine);
    }
    out.same("internal", &declared.internal, &found.internal);
    out.same("attachable", &declared.attachable, &found.attachable);
    if declared.enable_ipv4.is_some() || !unchanged {
        out.same("enable_ipv4", &declared.enable_ipv4.unwrap_or(true), &found.enable_ipv4.unwrap_or(true));
    }
    // where the file says nothing, the daemon's own default may be on
    if declared.enable_ipv6.is_some() || !unchanged {
        out.same("enable_ipv6", &declared.enable_ipv6.unwrap_or(false), &found.enable_ipv6);
    }
    out.same_map("labels", &users(&declared.labels), &users(&found.labels));
    out.found
}

/// Compares a volume with what is declared. External ones are never compared.
pub fn volume(declared: &DesiredVolume, found: &ObservedVolume) -> Vec<Difference> {
    let place = |_: &str| declared.span;
    let mut out = Comparison::new(&place);
    out.same("driver", &declared.driver, &found.driver);
    out.same_map("driver_opts", &declared.options, &found.options);
    out.same_map("labels", &users(&declared.labels), &users(&found.labels));
    out.found
}

fn made_from_this(declared: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> bool {
    let hash = |labels: &BTreeMap<String, String>| labels.get(labels::CONFIG_HASH).cloned();
    hash(declared).is_some() && hash(declared) == hash(found)
}

fn users(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().filter(|(k, _)| !labels::is_own(k)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The subnets of one family, in order.
fn subnets(pools: &[PoolSettings], v6: bool) -> Vec<IpNet> {
    let all = pools.iter().filter_map(|pool| pool.subnet).map(|net| net.trunc());
    let mut all: Vec<IpNet> = all.filter(|net| net.addr().is_ipv6() == v6).collect();
    all.sort();
    all
}

/// Declared pools by subnet.
fn compare_pools(out: &mut Comparison, declared: &[PoolSettings], found: &[PoolSettings]) {
    for (ours, theirs) in [false, true].map(|v6| (subnets(declared, v6), subnets(found, v6))) {
        if !ours.is_empty() {
            out.same("ipam.config.subnet", &ours, &theirs);
        }
    }
    for pool in declared {
        let same = |p: &&PoolSettings| p.subnet.map(|net| net.trunc()) == pool.subnet.map(|net| net.trunc());
        let Some(there) = found.iter().find(same) else { continue };
        let range = |range: Option<IpNet>| range.map(|net| net.trunc());
        out.same("ipam.config.ip_range", &range(pool.ip_range), &range(there.ip_range));
        if pool.gateway.is_some() || (there.gateway.is_some() && there.gateway != first_host(there)) {
            out.same("ipam.config.gateway", &pool.gateway, &there.gateway);
        }
        out.same_map("ipam.config.aux_addresses", &pool.aux_addresses, &there.aux_addresses);
    }
}

/// Where no subnet of a family is declared (any more), the Engine's must be one that it takes by itself.
fn compare_chosen_pools(out: &mut Comparison, declared: &[PoolSettings], found: &[PoolSettings], engine: &EngineFacts) {
    let declares_none = subnets(declared, false).is_empty();
    for net in subnets(found, false).into_iter().filter(|net| declares_none && !is_default(*net, engine)) {
        out.differs("ipam.config.subnet", &None::<IpNet>, &net);
    }
}

/// Whether a subnet may come from the Engine's default pools: those of its configuration, or the built-in ones
/// (172.17 to 172.31 as /16, 192.168 as /20).
fn is_default(net: IpNet, engine: &EngineFacts) -> bool {
    if !engine.default_pools.is_empty() {
        return engine.default_pools.iter().any(|(pool, size)| pool.contains(&net) && net.prefix_len() == *size);
    }
    match net {
        IpNet::V4(net) => match (net.network().octets(), net.prefix_len()) {
            ([172, second, _, _], 16) => (17..=31).contains(&second),
            ([192, 168, _, _], 20) => true,
            _ => false,
        },
        IpNet::V6(_) => true,
    }
}

/// The address that the Engine takes for a gateway by itself.
fn first_host(pool: &PoolSettings) -> Option<IpAddr> {
    match pool.ip_range.or(pool.subnet)?.trunc() {
        IpNet::V4(net) => Some(IpAddr::V4((u32::from(net.network()) + 1).into())),
        IpNet::V6(net) => Some(IpAddr::V6((u128::from(net.network()) + 1).into())),
    }
}

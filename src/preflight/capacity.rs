//! What there is too little of: address pools, memory; and what an image or a device was made for.

use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net};

use super::Scene;
use super::pools::overlap;
use crate::compose::model::Network;
use crate::finding::{Code, Finding, Findings};

/// P4: more networks without a subnet than the Engine's pools have subnets left.
pub(super) fn check_pools_left(scene: Scene<'_>, findings: &mut Findings) {
    let exists = |n: &Network| scene.observed.networks.iter().any(|o| o.name == n.name);
    let chooses = |n: &&Network| {
        let has_subnet = n.ipam.pools.iter().filter_map(|p| p.subnet.as_ref()).any(|s| s.value.addr().is_ipv4());
        !n.external
            && !has_subnet
            && n.driver_name() == "bridge"
            && n.enable_ipv4 != Some(false)
            && n.ipam.driver.is_none()
    };
    let fresh: Vec<&Network> = scene.project.networks.values().filter(chooses).filter(|n| !exists(n)).collect();
    // whoever reaches the end of the pools has many networks; a count of a few needs no look
    let Some(first) = fresh.first() else { return };
    let mut taken: Vec<IpNet> =
        scene.observed.networks.iter().flat_map(|n| n.ipam.pools.iter().filter_map(|p| p.subnet)).collect();
    taken.extend(
        scene
            .project
            .networks
            .values()
            .flat_map(|n| n.ipam.pools.iter())
            .filter_map(|p| Some(p.subnet.as_ref()?.value)),
    );
    let routes = scene.host.routes.iter().flatten().map(|r| r.destination);
    taken.extend(routes.filter(|d| d.prefix_len() > 0));
    let left = subnets(&scene.engine.default_pools)
        .filter(|subnet| !taken.iter().any(|t| overlap(*t, IpNet::V4(*subnet))))
        .take(fresh.len())
        .count();
    if left >= fresh.len() {
        return;
    }
    let names: Vec<&str> = fresh.iter().map(|n| n.key.as_str()).collect();
    let message = format!(
        "{} {} a subnet of the Engine's pools, and {left} {} left",
        names.join(", "),
        if names.len() == 1 { "needs" } else { "need each" },
        if left == 1 { "is" } else { "are" }
    );
    let unused = unused(scene);
    let help = match unused.is_empty() {
        true => "give them subnets of their own, or the Engine more pools: `default-address-pools` in daemon.json"
            .to_owned(),
        false => format!("give them subnets of their own, or remove networks that nobody uses: {}", unused.join(", ")),
    };
    findings.push(Finding::error(Code::PoolsExhausted, message).maybe_at(first.span).help(help));
}

/// The subnets that an Engine chooses from; where it has no pools of its own those that are built in.
fn subnets(pools: &[(IpNet, u8)]) -> impl Iterator<Item = Ipv4Net> {
    let built_in = (17..=31).map(|n| (Ipv4Net::new(Ipv4Addr::new(172, n, 0, 0), 16), 16));
    let built_in = built_in.chain([(Ipv4Net::new(Ipv4Addr::new(192, 168, 0, 0), 16), 20)]);
    let own = pools.iter().filter_map(|(base, size)| match base {
        IpNet::V4(base) => Some((*base, *size)),
        IpNet::V6(_) => None,
    });
    let own: Vec<(Ipv4Net, u8)> = own.collect();
    let pools = if own.is_empty() { built_in.filter_map(|(net, size)| Some((net.ok()?, size))).collect() } else { own };
    pools.into_iter().flat_map(|(base, size)| base.subnets(size).into_iter().flatten().take(4096))
}

/// Networks that were made by somebody and that no container is on, the first five.
fn unused(scene: Scene<'_>) -> Vec<&str> {
    let on = |name: &str| {
        scene.observed.others.iter().any(|o| o.networks.iter().any(|(n, _, _)| n == name))
            || scene.observed.containers.iter().any(|c| c.endpoints.contains_key(name))
    };
    let made = scene.observed.networks.iter().filter(|n| !matches!(n.name.as_str(), "bridge" | "host" | "none"));
    made.map(|n| n.name.as_str()).filter(|name| !on(name)).take(5).collect()
}

/// A limit above what the host has, or reservations that are so together.
pub(super) fn check_memory(scene: Scene<'_>, findings: &mut Findings) {
    let Some(total) = scene.engine.memory.filter(|total| *total > 0) else { return };
    let mut reserved: i64 = 0;
    for service in scene.project.services.values() {
        let (limit, reservation) = (service.resources.memory, service.resources.memory_reservation);
        reserved = reserved.saturating_add(reservation.max(0).saturating_mul(i64::from(service.scale.value)));
        if limit > total {
            let message = format!(
                "{} may use {}, and the Engine's host has {}",
                service.name,
                mebibytes(limit),
                mebibytes(total)
            );
            findings
                .push(Finding::warning(Code::MemoryShort, message).at(service.span).help("the limit limits nothing"));
        }
    }
    if reserved > total
        && let Some(service) = scene.project.services.values().find(|s| s.resources.memory_reservation > 0)
    {
        let message = format!(
            "the services reserve {} together, and the Engine's host has {}",
            mebibytes(reserved),
            mebibytes(total)
        );
        let finding = Finding::warning(Code::MemoryShort, message).at(service.span);
        findings.push(finding.help("reserve less, or run fewer of them here"));
    }
}

fn mebibytes(bytes: i64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// An image for another processor: it runs only where the host emulates that.
pub(super) fn check_platforms(scene: Scene<'_>, findings: &mut Findings) {
    // `linux/arm64/v8` runs on `linux/arm64`
    let base = |platform: &str| platform.split('/').take(2).collect::<Vec<_>>().join("/");
    let theirs = base(&scene.engine.platform);
    if theirs.is_empty() {
        return;
    }
    for service in scene.project.services.values() {
        let Some(name) = &service.image else { continue };
        let Some(Some(image)) = scene.observed.images.get(&name.value) else { continue };
        if !image.platform.is_empty() && base(&image.platform) != theirs {
            let message = format!(
                "image `{}` is for {}, and the Engine runs {}",
                name.value, image.platform, scene.engine.platform
            );
            let help =
                format!("`bowline pull` gets one for {theirs} where there is one; otherwise the host must emulate it");
            findings.push(Finding::warning(Code::PlatformMismatch, message).at(name.span).help(help));
        }
    }
}

/// A device that is not there: the Engine says so when the container is created, after others were.
pub(super) fn check_devices(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        for device in &service.resources.devices {
            if scene.host.missing_paths.contains(Path::new(&device.source)) {
                let message = format!("{} wants the device `{}`, which is not there", service.name, device.source);
                let finding = Finding::error(Code::DeviceMissing, message).at(service.span);
                findings.push(finding.help("plug it in, load its driver, or leave it out of `devices`"));
            }
        }
    }
}

//! What the Engine itself cannot do: too old an API, no Swarm, too little memory, another processor.

use super::Scene;
use crate::compose::model::MountSource;
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::state::desired::Attachment;

/// Attributes that need a newer API than the Engine has: the error names both versions.
pub(super) fn check_api_version(scene: Scene<'_>, findings: &mut Findings) {
    let has = scene.engine.api;
    let mut need = |api: (u32, u32), what: String, at: Option<Span>| {
        if has < api {
            let message = format!(
                "{what} needs API {}.{}, and the Engine {} has API {}.{}",
                api.0, api.1, scene.engine.version, has.0, has.1
            );
            let help = "leave it out, or take a newer Engine";
            findings.push(Finding::error(Code::ApiTooOld, message).maybe_at(at).help(help));
        }
    };
    for service in scene.project.services.values() {
        let own = scene.desired.containers.values().find(|c| c.replica.service == service.name);
        if !service.annotations.is_empty() {
            let at = scene.place(service, &["annotations"]);
            need((1, 43), format!("`annotations` of {}", service.name), Some(at));
        }
        let primary = own.and_then(|c| match &c.attachment {
            Attachment::Networks(networks) => networks.keys().next(),
            _ => None,
        });
        for (key, endpoint) in &service.networks {
            if let Some(mac) = endpoint.mac_address.filter(|_| primary != Some(key)) {
                need(
                    (1, 44),
                    format!("`mac_address` on {key}, which is not the first network of {},", service.name),
                    Some(mac.span),
                );
            }
            let at = endpoint.span.or(Some(service.span));
            if endpoint.gateway_priority.is_some() {
                need((1, 48), format!("`gw_priority` of network {key}"), at);
            }
            if let Some(name) = &endpoint.interface_name {
                need((1, 49), format!("`interface_name` of network {key}"), Some(name.span));
            }
        }
        let copied = own.and_then(|c| c.settings.files_volume.as_ref().and(c.settings.files.first()));
        if let Some(file) = copied.and_then(|copied| service.files.iter().find(|f| f.value.target == copied.target)) {
            let (kind, source) = (file.value.kind.section().trim_end_matches('s'), &file.value.source);
            need(
                (1, 45),
                format!("{kind} `{source}` that is copied into {}, which is read-only,", service.name),
                Some(file.span),
            );
        }
        if let Some(check) = service.healthcheck.as_ref().filter(|h| h.start_interval.is_some()) {
            need((1, 44), "`start_interval` of a health check".into(), Some(check.span));
        }
        for mount in &service.mounts {
            match &mount.value.source {
                MountSource::Volume { subpath: Some(_), .. } => {
                    need((1, 45), "`subpath` of a volume".into(), Some(mount.span));
                }
                MountSource::Image { .. } => need((1, 48), "a mount of type `image`".into(), Some(mount.span)),
                // before it no Engine could mount what is below read-only, and all mounted it writable
                MountSource::Bind(bind) if bind.recursive.as_deref() == Some("readonly") => {
                    need((1, 44), "`recursive: readonly` of a bind mount".into(), Some(mount.span));
                }
                _ => {}
            }
        }
    }
    for network in scene.project.networks.values().filter(|n| n.enable_ipv4.is_some()) {
        need((1, 48), "`enable_ipv4` of a network".into(), network.span);
    }
}

/// Options of bridges, what they may say, and the first Engine that does it. Those before take them without a word.
const BRIDGE_OPTIONS: &[(&str, &[&str], (u32, u32))] = &[
    ("com.docker.network.bridge.gateway_mode_ipv4", &["nat-unprotected", "isolated"], (28, 0)),
    ("com.docker.network.bridge.gateway_mode_ipv6", &["nat-unprotected", "isolated"], (28, 0)),
    ("com.docker.network.bridge.gateway_mode_ipv4", &[], (27, 0)),
    ("com.docker.network.bridge.gateway_mode_ipv6", &[], (27, 0)),
    ("com.docker.network.bridge.trusted_host_interfaces", &[], (28, 2)),
];

/// P49: an option that decides who reaches a network, on an Engine that does not know it: what the file says of its containers does
/// not hold.
pub(super) fn check_bridge_options(scene: Scene<'_>, findings: &mut Findings) {
    let has = scene.engine.release();
    let made = scene.project.networks.values().filter(|n| !n.external && n.driver_name() == "bridge");
    for network in made.filter(|_| has > (0, 0)) {
        for (option, value) in &network.driver_opts {
            let fits = |(name, values, _): &&(&str, &[&str], (u32, u32))| {
                name == option && (values.is_empty() || values.contains(&value.value.as_str()))
            };
            let Some((name, _, needs)) = BRIDGE_OPTIONS.iter().find(fits).filter(|(_, _, needs)| has < *needs) else {
                continue;
            };
            let message = format!(
                "Engine {} does nothing with `{name}: {}` of network {}, which came with {}.{}",
                scene.engine.version, value.value, network.key, needs.0, needs.1
            );
            let help = "leave it out and see by `bowline verify` who reaches the network, or take a newer Engine";
            findings.push(Finding::warning(Code::ApiTooOld, message).at(value.span).help(help));
        }
    }
}

/// P44: an overlay network on an Engine that manages no Swarm.
pub(super) fn check_swarm(scene: Scene<'_>, findings: &mut Findings) {
    if scene.engine.swarm_manager {
        return;
    }
    for network in scene.project.networks.values().filter(|n| !n.external && n.driver_name() == "overlay") {
        let at = network.driver.as_ref().map(|d| d.span).or(network.span);
        findings.push(
            Finding::error(
                Code::SwarmNeeded,
                format!("network {} is an overlay, and this Engine is not a Swarm manager", network.key),
            )
            .maybe_at(at)
            .help("run `docker swarm init`, or join a Swarm as a manager; on one host `driver: bridge` does"),
        );
    }
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
            let at = scene.place(service, &["mem_limit", "deploy.resources.limits"]);
            findings.push(Finding::warning(Code::MemoryShort, message).at(at).help("the limit limits nothing"));
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
        let at = scene.place(service, &["mem_reservation", "deploy.resources.reservations"]);
        let finding = Finding::warning(Code::MemoryShort, message).at(at);
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

//! What is named and not there, or held by somebody else.

use std::path::Path;

use super::Scene;
use crate::compose::model::NetworkMode;
use crate::finding::{Code, Finding, Findings, nearest};
use crate::state::desired::Attachment;
use crate::state::observed::OtherContainer;

/// An image that is not there and that nobody may pull.
pub(super) fn check_images(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        let Some(image) = &service.image else { continue };
        let missing = matches!(scene.observed.images.get(&image.value), Some(None));
        if missing && service.build.is_none() && service.pull_policy.as_deref() == Some("never") {
            findings.push(
                Finding::error(
                    Code::ImageMissing,
                    format!("image `{}` is not there, and may not be pulled", image.value),
                )
                .at(image.span)
                .label(format!("{} needs it", service.name))
                .help("pull or build it first, or leave `pull_policy: never` out"),
            );
        }
    }
}

/// P45: an external network that is not there.
pub(super) fn check_external_networks(scene: Scene<'_>, findings: &mut Findings) {
    let names = || scene.observed.networks.iter().map(|n| n.name.as_str());
    for network in scene.project.networks.values().filter(|n| n.external) {
        if names().any(|n| n == network.name) {
            continue;
        }
        let help = nearest(&network.name, names()).map_or_else(
            || format!("make it: `docker network create {}`; or leave `external` out", network.name),
            |near| format!("did you mean `{near}`?"),
        );
        findings.push(
            Finding::error(Code::NetworkMissing, format!("external network `{}` is not there", network.name))
                .maybe_at(network.span)
                .help(help),
        );
    }
}

/// P45: a name that two networks of the Engine have, as Engines before 25 let them.
pub(super) fn check_ambiguous_networks(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values() {
        let found = scene.observed.networks.iter().filter(|other| other.name == network.name).count();
        if found > 1 {
            let message = format!("{found} networks of the Engine are called `{}`", network.name);
            let help = "`docker network ls --no-trunc` shows them: remove all but one by its id";
            findings.push(Finding::error(Code::NameTaken, message).maybe_at(network.span).help(help));
        }
    }
}

/// P44: an overlay network of others that only services of a Swarm may join.
pub(super) fn check_attachable(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values().filter(|network| network.external) {
        let found = scene.observed.networks.iter().find(|other| other.name == network.name);
        if found.is_some_and(|found| found.scope == "swarm" && !found.attachable) {
            let message = format!("`{}` is a network that only services of a Swarm may join", network.name);
            let help = "whoever made it has to make it with `--attachable`";
            findings.push(Finding::error(Code::SwarmNeeded, message).maybe_at(network.span).help(help));
        }
    }
}

/// P24: a name by which a container outside the project is known on a network that it shares with a service.
pub(super) fn check_foreign_names(scene: Scene<'_>, findings: &mut Findings) {
    // the project's own are containers of `run`, and of the service that `run` leaves alone
    let is_foreign = |other: &&OtherContainer| other.project.as_deref() != Some(scene.desired.project.as_str());
    let foreign: Vec<&OtherContainer> = scene.observed.others.iter().filter(is_foreign).collect();
    for service in scene.project.services.values() {
        for (key, endpoint) in &service.networks {
            let Some(network) = scene.project.networks.get(key) else { continue };
            let own = service.container_name.iter().map(|name| (name.value.as_str(), name.span));
            let aliases = endpoint.aliases.iter().map(|alias| (alias.value.as_str(), alias.span));
            let names =
                [(service.name.as_str(), endpoint.span.unwrap_or(service.span))].into_iter().chain(own).chain(aliases);
            for (name, at) in names {
                let knows = |other: &&&OtherContainer| {
                    let called = other.name == name || other.service.as_deref() == Some(name);
                    called && other.networks.iter().any(|(on, _, _)| *on == network.name)
                };
                let Some(other) = foreign.iter().find(knows) else { continue };
                let owner = other.project.as_ref().map_or(String::new(), |project| format!(" of project {project}"));
                let message =
                    format!("`{name}` on network {key} means {} and container `{}`{owner}", service.name, other.name);
                let help = "whoever asks gets either: give the service another name or alias there";
                findings.push(Finding::warning(Code::AliasAmbiguous, message).at(at).help(help));
            }
        }
    }
}

/// An external volume that is not there.
pub(super) fn check_external_volumes(scene: Scene<'_>, findings: &mut Findings) {
    let names = || scene.observed.volumes.iter().map(|v| v.name.as_str());
    for volume in scene.project.volumes.values().filter(|v| v.external) {
        if names().any(|n| n == volume.name) {
            continue;
        }
        let help = nearest(&volume.name, names()).map_or_else(
            || format!("make it: `docker volume create {}`; or leave `external` out", volume.name),
            |near| format!("did you mean `{near}`?"),
        );
        findings.push(
            Finding::error(Code::VolumeMissing, format!("external volume `{}` is not there", volume.name))
                .maybe_at(volume.span)
                .help(help),
        );
    }
}

/// P46: a network of the name that a stack's network gets, made by somebody else.
pub(super) fn check_network_names(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values().filter(|n| !n.external) {
        let held = scene.observed.networks.iter().find(|o| o.name == network.name);
        let Some(other) = held.filter(|o| !o.belongs_to(&scene.project.name)) else { continue };
        let holder = match other.project() {
            Some(project) => format!("project `{project}` has"),
            None => "somebody made by hand".into(),
        };
        findings.push(
            Finding::error(
                Code::ForeignResource,
                format!("network {} would be named `{}`, which {holder}", network.key, network.name),
            )
            .maybe_at(network.span)
            .help("use it with `external: true`, give another `name`, or remove the old one"),
        );
    }
}

/// A container of a name that a service's container gets, outside the project.
pub(super) fn check_container_names(scene: Scene<'_>, findings: &mut Findings) {
    for wanted in scene.desired.containers.values() {
        let Some(other) = scene.observed.others.iter().find(|o| o.name == wanted.name) else { continue };
        let service = scene.project.services.get(&wanted.replica.service);
        let at = service.map(|s| s.container_name.as_ref().map_or(s.span, |n| n.span));
        let project = other.project.as_ref().map_or("no project".into(), |p| format!("project `{p}`"));
        findings.push(
            Finding::error(
                Code::NameTaken,
                format!(
                    "container name `{}` is held by container {} of {project}, {}",
                    wanted.name,
                    other.id.short(),
                    other.status.to_lowercase()
                ),
            )
            .maybe_at(at)
            .help(format!("remove it (`docker rm {}`), or give another `container_name`", other.name)),
        );
    }
}

/// P50: a container outside the project whose namespace is shared, that is not there or does not run.
pub(super) fn check_namespace_owners(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        let Some(mode) = &service.network_mode else { continue };
        let NetworkMode::Container(name) = &mode.value else { continue };
        let shares = scene.desired.containers.values().find(|c| c.replica.service == service.name);
        if shares.is_none_or(|c| !matches!(c.attachment, Attachment::Container(_))) {
            continue;
        }
        let is_it = |id: &str, n: &str| n == name || (name.len() >= 12 && id.starts_with(name.as_str()));
        let own = scene.observed.containers.iter().any(|c| is_it(c.id.as_str(), &c.name));
        let other = scene.observed.others.iter().find(|o| is_it(o.id.as_str(), &o.name));
        let finding = match other {
            None if own => continue,
            None => Finding::error(Code::ContainerMissing, format!("there is no container `{name}`"))
                .help("start it first, or name a service: `network_mode: service:NAME`"),
            Some(o) if o.state != "running" => {
                Finding::error(Code::ContainerMissing, format!("container `{name}` does not run: it is {}", o.state))
                    .help(format!("`docker start {name}` first: a namespace lives as long as its container runs"))
            }
            Some(_) => continue,
        };
        findings.push(finding.at(mode.span).label(format!("{} shares its network", service.name)));
    }
}

/// A device that is not there: the Engine says so when the container is created, after others were.
pub(super) fn check_devices(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        for device in &service.resources.devices {
            if scene.host.missing_paths.contains(Path::new(&device.source)) {
                let message = format!("{} wants the device `{}`, which is not there", service.name, device.source);
                let finding = Finding::error(Code::DeviceMissing, message).at(scene.place(service, &["devices"]));
                findings.push(finding.help("plug it in, load its driver, or leave it out of `devices`"));
            }
        }
    }
}

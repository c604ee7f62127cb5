//! Containers: `POST /containers/create`.

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, Mount, MountType, NetworkingConfig, PortBinding as Binding,
    RestartPolicy, RestartPolicyNameEnum,
};
use serde::Serialize;

use super::{endpoint, host, list, map, mount};
use crate::compose::model::{HealthTest, Restart};
use crate::state::settings::{EndpointSettings, HealthSettings, MountKind, PortBinding, Settings};

/// The API that takes a MAC address in each endpoint; before it there is one for the whole container.
const ENDPOINT_MAC: (u32, u32) = (1, 44);

/// What a container is made of, with every name resolved: the plan's `NewContainer` and the ids of what came before.
#[derive(Clone, Debug)]
pub struct Creation<'a> {
    /// What is fixed for its life.
    pub settings: &'a Settings,
    /// `HostConfig.NetworkMode`.
    pub network_mode: String,
    /// Networks by their name in the Engine; the first is that of `network_mode`.
    pub endpoints: Vec<(String, EndpointSettings)>,
    /// `HostConfig.Links`: container, alias.
    pub links: Vec<(String, String)>,
    /// Anonymous volumes of a container before it: path in the container, volume.
    pub inherits: Vec<(String, String)>,
    /// The negotiated API.
    pub api: (u32, u32),
}

/// The body of the request: bollard's model, and what older Engines want beside it.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct Body {
    #[serde(flatten)]
    model: ContainerCreateBody,
    #[serde(rename = "MacAddress", skip_serializing_if = "Option::is_none")]
    mac_address: Option<String>,
}

/// The body of `POST /containers/create`; `more` are variables for where the container has no word on them.
pub(in crate::engine) fn creation(wanted: &Creation<'_>, more: &[(String, String)]) -> Body {
    let settings = wanted.settings;
    let variable = |(key, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.clone(),
    };
    let unsaid = more.iter().filter(|(key, _)| !settings.environment.contains_key(key));
    let unsaid = unsaid.map(|(key, value)| format!("{key}={value}"));
    let first_mac = wanted.endpoints.first().and_then(|(_, endpoint)| endpoint.mac);
    let model = ContainerCreateBody {
        image: Some(settings.image.clone()),
        cmd: settings.command.clone(),
        entrypoint: settings.entrypoint.clone(),
        env: list(settings.environment.iter().map(variable).chain(unsaid)),
        hostname: settings.hostname.clone(),
        domainname: settings.domainname.clone(),
        user: settings.user.clone(),
        working_dir: settings.working_dir.clone(),
        tty: Some(settings.tty),
        open_stdin: Some(settings.stdin_open),
        stdin_once: settings.stdin_once.then_some(true),
        attach_stdin: settings.stdin_once.then_some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        exposed_ports: list(settings.exposed.iter().cloned()),
        labels: map(&settings.labels),
        stop_signal: settings.stop_signal.clone(),
        // whole seconds; a part of one would become 0, which means "kill at once"
        stop_timeout: settings.stop_timeout.map(|time| time.as_millis().div_ceil(1000).try_into().unwrap_or(i64::MAX)),
        healthcheck: settings.healthcheck.as_ref().map(health),
        host_config: Some(host_config(wanted)),
        networking_config: networking(wanted),
        ..ContainerCreateBody::default()
    };
    let mac_address = first_mac.filter(|_| wanted.api < ENDPOINT_MAC).map(|mac| mac.to_string());
    Body { model, mac_address }
}

fn networking(wanted: &Creation<'_>) -> Option<NetworkingConfig> {
    let endpoints = wanted.endpoints.iter().map(|(name, settings)| {
        let mut model = endpoint(settings);
        if wanted.api < ENDPOINT_MAC {
            model.mac_address = None;
        }
        (name.clone(), model)
    });
    (!wanted.endpoints.is_empty()).then(|| NetworkingConfig { endpoints_config: Some(endpoints.collect()) })
}

fn host_config(wanted: &Creation<'_>) -> HostConfig {
    let settings = wanted.settings;
    let (inherited, own): (Vec<_>, Vec<_>) =
        settings.mounts.iter().partition(|mount| wanted.inherits.iter().any(|(target, _)| *target == mount.target));
    let taken_over = wanted.inherits.iter().map(|(target, volume)| Mount {
        target: Some(target.clone()),
        source: Some(volume.clone()),
        typ: Some(MountType::VOLUME),
        read_only: inherited.iter().any(|mount| mount.target == *target && mount.read_only).then_some(true),
        ..Mount::default()
    });
    let tmpfs = own.iter().filter_map(|mount| match &mount.kind {
        MountKind::Tmpfs { options } => Some((mount.target.clone(), mount::tmpfs_options(options, mount.read_only))),
        _ => None,
    });
    HostConfig {
        binds: list(own.iter().filter_map(|mount| mount::bind(mount, wanted.api))),
        mounts: list(
            own.iter()
                .filter_map(|mount| mount::long(mount, wanted.api))
                .chain(taken_over)
                .chain(mount::files(settings)),
        ),
        tmpfs: map(&tmpfs.collect()),
        network_mode: Some(wanted.network_mode.clone()),
        links: list(wanted.links.iter().map(|(container, alias)| format!("{container}:{alias}"))),
        port_bindings: Some(bindings(&settings.ports)),
        auto_remove: settings.auto_remove.then_some(true),
        restart_policy: settings.restart.map(restart),
        annotations: map(&settings.annotations),
        extra_hosts: Some(settings.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect()),
        dns: list(settings.dns.iter().map(ToString::to_string)),
        dns_search: list(settings.dns_search.iter().cloned()),
        dns_options: list(settings.dns_options.iter().cloned()),
        init: settings.init,
        privileged: settings.privileged.then_some(true),
        readonly_rootfs: settings.read_only.then_some(true),
        cap_add: list(settings.cap_add.iter().map(|name| capability(name))),
        cap_drop: list(settings.cap_drop.iter().map(|name| capability(name))),
        sysctls: map(&settings.sysctls),
        ..host::host(settings)
    }
}

/// `CAP_NET_ADMIN`, however it is written; `ALL` is no capability.
fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
}

/// `HostPort` is `""` (any), `80`, or `8000-8010` (one of these).
fn bindings<M: FromIterator<(String, Option<Vec<Binding>>)>>(ports: &[PortBinding]) -> M {
    let mut by_target = indexmap::IndexMap::<String, Vec<Binding>>::new();
    for port in ports {
        let published = match port.published {
            None => String::new(),
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}-{last}"),
        };
        let host_ip = port.host_ip.map(|address| address.to_string()).unwrap_or_default();
        let binding = Binding { host_ip: Some(host_ip), host_port: Some(published) };
        by_target.entry(format!("{}/{}", port.target, port.protocol)).or_default().push(binding);
    }
    by_target.into_iter().map(|(target, bindings)| (target, Some(bindings))).collect()
}

pub(super) fn restart(policy: Restart) -> RestartPolicy {
    let (name, limit) = match policy {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::OnFailure(limit) => (RestartPolicyNameEnum::ON_FAILURE, limit),
    };
    RestartPolicy { name: Some(name), maximum_retry_count: limit.map(i64::from) }
}

fn health(check: &HealthSettings) -> HealthConfig {
    let nanoseconds = |time: Option<std::time::Duration>| time.and_then(|time| time.as_nanos().try_into().ok());
    let test = check.test.as_ref().map(|test| match test {
        HealthTest::None => vec!["NONE".to_owned()],
        HealthTest::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        HealthTest::Command(words) => ["CMD".to_owned()].into_iter().chain(words.iter().cloned()).collect(),
    });
    HealthConfig {
        test,
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
        retries: check.retries.map(i64::from),
    }
}

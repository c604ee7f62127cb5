//! Containers: what `POST /containers/create` is asked for (reference `compose.md` 1.7).

use std::time::Duration;

use super::{Attachment, Borrow, Borrowed, DesiredContainer, Naming, endpoint, file, hash, labels, spans};
use crate::compose::model::{Condition, Healthcheck, Mount, MountSource, Namespaces, Port, Project, Service};
use crate::name::Replica;
use crate::state::settings::{HealthSettings, MountForm, MountKind, MountSettings, PortBinding, Settings};

/// One container of `service`.
pub(super) fn desired(naming: &Naming, service: &Service, replica: &Replica) -> DesiredContainer {
    let attachment = endpoint::attachment(naming, service, replica);
    let legacy_links = match attachment {
        Attachment::DefaultBridge | Attachment::Other(_) => endpoint::legacy_links(naming, service, replica),
        _ => Vec::new(),
    };
    let hashed = naming.decoded.service(&service.name).unwrap_or_default();
    let mut settings = settings(naming.project, service, replica);
    file::add(service, &mut settings);
    settings.labels.insert(labels::CONFIG_HASH.to_owned(), hash::hash(&hashed));
    DesiredContainer {
        replica: replica.clone(),
        name: naming.container(service, replica.number),
        settings,
        attachment,
        borrows: borrows(service),
        legacy_links,
        update: service.update,
        needs: service.depends_on.clone(),
        awaited: awaited(naming.project, service),
        pull_policy: service.pull_policy.clone(),
        pull_every: service.pull_every(),
        attach: service.attach,
        post_start: service.post_start.clone(),
        pre_stop: service.pre_stop.clone(),
        files: service.files.iter().map(|f| (f.target.clone(), format!("{}.{}", f.kind.section(), f.source))).collect(),
        span: service.span,
        hashed,
        spans: spans::of(&naming.project.tree, &service.name),
    }
}

/// The strongest condition that another service waits for on this one.
fn awaited(project: &Project, service: &Service) -> Option<Condition> {
    project.services.values().filter_map(|other| other.depends_on.get(&service.name)).map(|d| d.condition).max()
}

fn settings(project: &Project, service: &Service, replica: &Replica) -> Settings {
    let mut exposed: std::collections::BTreeSet<_> = service.expose_words.iter().cloned().collect();
    exposed.extend(service.ports.iter().map(|port| format!("{}/{}", port.target, port.protocol)));
    Settings {
        image: service.image.as_ref().map(|image| image.value.clone()).unwrap_or_default(),
        command: service.command.clone(),
        entrypoint: service.entrypoint.clone(),
        environment: service.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        hostname: service.hostname.as_ref().map(|name| name.value.clone()),
        domainname: service.domainname.clone(),
        user: service.user.clone(),
        working_dir: service.working_dir.clone(),
        tty: service.tty,
        stdin_open: service.stdin_open,
        stdin_once: false,
        auto_remove: false,
        labels: labels::container(project, service, replica),
        annotations: service.annotations.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        exposed,
        stop_signal: service.stop_signal.clone(),
        stop_timeout: service.stop_grace_period.map(whole_seconds),
        healthcheck: service.healthcheck.as_ref().map(|check| health(&check.value)),
        ports: service.ports.iter().map(|port| binding(&port.value)).collect(),
        restart: service.restart.map(|restart| restart.value),
        extra_hosts: service.extra_hosts.iter().map(|host| host.value.clone()).collect(),
        dns: service.dns.iter().map(|server| server.value).collect(),
        dns_search: service.dns_search.clone(),
        dns_options: service.dns_options.clone(),
        init: service.init,
        privileged: service.privileged,
        read_only: service.read_only,
        cap_add: service.cap_add.iter().cloned().collect(),
        cap_drop: service.cap_drop.iter().cloned().collect(),
        sysctls: service.sysctls.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        mounts: service.mounts.iter().map(|m| mount(project, &m.value)).collect(),
        files: vec![],
        platform: service.platform.clone(),
        resources: service.resources.clone(),
        shm_size: service.shm_size,
        oom_score_adj: service.oom_score_adj,
        logging: service.logging.clone().unwrap_or_default(),
        namespaces: namespaces(service),
        cgroup_parent: service.cgroup_parent.clone(),
        isolation: service.isolation.clone(),
        runtime: service.runtime.clone(),
        storage_options: service.storage_options.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        groups: service.groups.clone(),
        security: security(service),
        system_paths_unconfined: service.security.iter().any(|option| is_unconfined(option)),
        volumes_from: others_volumes(service),
    }
}

/// Those that are not another service's.
fn namespaces(service: &Service) -> Namespaces {
    let own = |mode: &Option<String>| mode.clone().filter(|mode| !mode.starts_with("service:"));
    let all = &service.namespaces;
    Namespaces { ipc: own(&all.ipc), pid: own(&all.pid), ..all.clone() }
}

/// What a service has from the first containers of others.
fn borrows(service: &Service) -> Vec<Borrow> {
    let lender = |mode: &Option<String>| {
        let name = mode.as_deref()?.strip_prefix("service:")?.parse().ok()?;
        Some(Replica::new(name, 1))
    };
    let ipc = lender(&service.namespaces.ipc).map(|from| Borrow { what: Borrowed::Ipc, from });
    let pid = lender(&service.namespaces.pid).map(|from| Borrow { what: Borrowed::Pid, from });
    let volumes = service.volumes_from.iter().filter(|entry| !entry.starts_with("container:")).filter_map(|entry| {
        let (name, mode) = entry.split_once(':').map_or((entry.as_str(), None), |(name, mode)| (name, Some(mode)));
        let what = Borrowed::Volumes {
            written: entry.value.clone(),
            mode: mode.filter(|mode| *mode != "rw").map(str::to_owned),
        };
        Some(Borrow { what, from: Replica::new(name.parse().ok()?, 1) })
    });
    ipc.into_iter().chain(pid).chain(volumes).collect()
}

/// `volumes_from: [container:name[:mode]]`, as the Engine takes it.
fn others_volumes(service: &Service) -> Vec<String> {
    service.volumes_from.iter().filter_map(|entry| entry.strip_prefix("container:")).map(str::to_owned).collect()
}

fn is_unconfined(option: &str) -> bool {
    option == "systempaths=unconfined"
}

fn security(service: &Service) -> Vec<String> {
    let options = service.security.iter().filter(|option| !is_unconfined(option));
    options.map(|option| option.value.clone()).collect()
}

/// Cut to whole seconds, as docker compose does; but less than one stays one, because 0 means "kill at once".
fn whole_seconds(time: Duration) -> Duration {
    let least = u64::from(!time.is_zero());
    Duration::from_secs(time.as_secs().max(least))
}

fn health(check: &Healthcheck) -> HealthSettings {
    HealthSettings {
        test: check.test.clone(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        start_interval: check.start_interval,
        retries: check.retries,
    }
}

fn binding(port: &Port) -> PortBinding {
    PortBinding { target: port.target, protocol: port.protocol, host_ip: port.host_ip, published: port.published }
}

fn mount(project: &Project, mount: &Mount) -> MountSettings {
    let kind = match &mount.source {
        MountSource::Volume { key, no_copy, subpath } => MountKind::Volume {
            name: project.volumes.get(key).map_or_else(|| key.to_string(), |volume| volume.name.clone()),
            no_copy: *no_copy,
            subpath: subpath.clone(),
        },
        MountSource::Anonymous => MountKind::Anonymous,
        MountSource::Bind(bind) => MountKind::Bind {
            source: bind.source.display().to_string(),
            create_host_path: bind.create_host_path,
            propagation: bind.propagation.clone(),
            selinux: bind.selinux.clone(),
            recursive: bind.recursive.clone(),
        },
        MountSource::Tmpfs { options } => MountKind::Tmpfs { options: options.clone() },
        MountSource::Memory { size, mode } => MountKind::Memory { size: *size, mode: *mode },
        MountSource::Image { source, subpath } => MountKind::Image { source: source.clone(), subpath: subpath.clone() },
    };
    let labels = mount.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let form = MountForm { is_mapping: mount.is_mapping, labels };
    MountSettings { target: mount.target.clone(), kind, read_only: mount.read_only, form }
}

//! Containers: what `POST /containers/create` is asked for (reference `compose.md` 1.7).

use std::time::Duration;

use indexmap::IndexMap;

use super::{Attachment, Borrow, Borrowed, DesiredContainer, Naming, endpoint, file, hash, labels, spans};
use crate::compose::model::{
    Condition, Dependency, Healthcheck, Mount, MountSource, Namespaces, Port, Project, Resources, Service, VolumesFrom,
    VolumesOwner,
};
use crate::name::{Replica, ServiceName};
use crate::state::settings::{HealthSettings, MountForm, MountKind, MountSettings, PortBinding, Settings};

/// One container of `service`.
pub(super) fn desired(naming: &Naming, service: &Service, replica: &Replica) -> DesiredContainer {
    let attachment = endpoint::attachment(naming, service, replica);
    let legacy_links = match attachment {
        Attachment::DefaultBridge | Attachment::Other(_) => endpoint::legacy_links(naming, service, replica),
        _ => Vec::new(),
    };
    let hashed = naming.decoded.service(&service.name).unwrap_or_default();
    let borrows = borrows(naming, service);
    let mut settings = settings(naming.project, service, replica, &borrows);
    let name = naming.container(service, replica.number);
    file::add(service, replica, &name, &mut settings);
    settings.labels.insert(labels::CONFIG_HASH.to_owned(), hash::hash(&hashed));
    DesiredContainer {
        replica: replica.clone(),
        name,
        settings,
        needs: needs(service, &attachment, &borrows),
        attachment,
        borrows,
        legacy_links,
        update: service.update,
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

/// What it waits for: what the file says, and whose namespaces and volumes it shares by their names.
fn needs(service: &Service, attachment: &Attachment, borrows: &[Borrow]) -> IndexMap<ServiceName, Dependency> {
    let mut needs = service.depends_on.clone();
    let parent = match attachment {
        Attachment::Replica(parent) => Some(parent),
        _ => None,
    };
    let lent = borrows.iter().map(|borrow| (&borrow.from, borrow.what.dies_with_owner()));
    for (lender, restart) in parent.map(|parent| (parent, true)).into_iter().chain(lent) {
        let (condition, required) = (Condition::Started, true);
        let dependency = Dependency { condition, restart, required, span: None };
        needs.entry(lender.service.clone()).or_insert(dependency);
    }
    needs
}

fn settings(project: &Project, service: &Service, replica: &Replica, borrows: &[Borrow]) -> Settings {
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
        files_volume: None,
        platform: service.platform.clone(),
        resources: Resources::clone(&service.resources),
        shm_size: service.shm_size,
        oom_score_adj: service.oom_score_adj,
        logging: service.logging.clone().unwrap_or_default(),
        namespaces: namespaces(service, borrows),
        cgroup_parent: service.cgroup_parent.clone(),
        isolation: service.isolation.as_ref().map(|way| way.value.clone()),
        runtime: service.runtime.clone(),
        storage_options: service.storage_options.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        groups: service.groups.clone(),
        security: security(service),
        system_paths_unconfined: service.security.iter().any(|option| is_unconfined(option)),
        volumes_from: others_volumes(service, borrows),
    }
}

/// Those that are not another container's of the project.
fn namespaces(service: &Service, borrows: &[Borrow]) -> Namespaces {
    let is_lent = |what: &Borrowed| borrows.iter().any(|borrow| borrow.what == *what);
    let own = |what, mode: &Option<String>| mode.clone().filter(|_| !is_lent(&what));
    let all = &service.namespaces;
    Namespaces { ipc: own(Borrowed::Ipc, &all.ipc), pid: own(Borrowed::Pid, &all.pid), ..Namespaces::clone(all) }
}

/// What a service has from containers of others.
fn borrows(naming: &Naming, service: &Service) -> Vec<Borrow> {
    let lender = |mode: &Option<String>| naming.lender(service, mode.as_deref()?);
    let ipc = lender(&service.namespaces.ipc).map(|from| Borrow { what: Borrowed::Ipc, from });
    let pid = lender(&service.namespaces.pid).map(|from| Borrow { what: Borrowed::Pid, from });
    let volumes = service.volumes_from.iter().filter_map(|entry| {
        let VolumesFrom { owner, mode } = VolumesFrom::of(entry);
        let owner = match owner {
            VolumesOwner::Service(name) => format!("service:{name}"),
            VolumesOwner::Container(name) => format!("container:{name}"),
        };
        let mode = mode.filter(|mode| *mode != "rw").map(str::to_owned);
        let what = Borrowed::Volumes { written: entry.value.clone(), mode };
        Some(Borrow { what, from: naming.lender(service, &owner)? })
    });
    ipc.into_iter().chain(pid).chain(volumes).collect()
}

/// `volumes_from: [container:name[:mode]]` of containers outside the project, as the Engine takes it.
fn others_volumes(service: &Service, borrows: &[Borrow]) -> Vec<String> {
    let is_lent = |entry: &str| {
        borrows.iter().any(|borrow| matches!(&borrow.what, Borrowed::Volumes { written, .. } if written == entry))
    };
    let others = service.volumes_from.iter().filter(|entry| !is_lent(entry));
    others.filter_map(|entry| entry.strip_prefix("container:")).map(str::to_owned).collect()
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
        MountSource::Volume { key, no_copy, subpath, selinux } => MountKind::Volume {
            name: project.volumes.get(key).map_or_else(|| key.to_string(), |volume| volume.name.clone()),
            no_copy: *no_copy,
            subpath: subpath.clone(),
            // the API says it in the short form alone, which says nothing else
            selinux: selinux.clone().filter(|_| !no_copy && subpath.is_none() && mount.labels.is_empty()),
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

//! Small projects for tests, read from YAML by a reader of its own until the loader takes its place.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::compose::extension::verify::Rules;
use crate::compose::model::{Endpoint, Ipam, Network, NetworkMode, Pool, Project, Service};
use crate::name::{NetworkKey, ServiceName};
use crate::source::{FileId, Span, Spanned};
use crate::yaml::Node;

#[derive(Deserialize)]
struct File {
    services: IndexMap<String, FileService>,
    #[serde(default)]
    networks: IndexMap<String, Option<FileNetwork>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileService {
    network_mode: Option<String>,
    networks: Option<Vec<String>>,
    scale: Option<u32>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileNetwork {
    driver: Option<String>,
    driver_opts: IndexMap<String, String>,
    internal: bool,
    external: bool,
    name: Option<String>,
    subnet: Option<ipnet::IpNet>,
}

/// Reads a project named `p`.
pub fn project(text: &str) -> Project {
    let file: File = serde_yaml::from_str(text).unwrap();
    let span = Span::new(FileId(0), 0, 0);
    let services: IndexMap<_, _> =
        file.services.into_iter().map(|(name, s)| (name.parse().unwrap(), service(&name, s, span))).collect();
    let mut networks = file.networks;
    if services.values().any(|s: &Service| s.networks.contains_key("default")) {
        networks.entry("default".to_owned()).or_default();
    }
    Project {
        name: "p".parse().unwrap(),
        working_dir: "/p".into(),
        files: vec![],
        env_files: vec![],
        services,
        inactive: vec![],
        networks: networks
            .into_iter()
            .map(|(k, n)| (k.parse().unwrap(), network(&k, n.unwrap_or_default(), span)))
            .collect(),
        volumes: IndexMap::new(),
        rules: Rules::default(),
        tree: Node::null(span),
    }
}

fn network(key: &str, file: FileNetwork, span: Span) -> Network {
    let key: NetworkKey = key.parse().unwrap();
    Network {
        span: Some(span),
        name: file.name.unwrap_or_else(|| format!("p_{key}")),
        external: file.external,
        driver: file.driver.map(|d| Spanned::new(d, span)),
        driver_opts: file.driver_opts.into_iter().map(|(k, v)| (k, Spanned::new(v, span))).collect(),
        ipam: Ipam {
            pools: file
                .subnet
                .map(|s| Pool {
                    span,
                    subnet: Some(Spanned::new(s, span)),
                    ip_range: None,
                    gateway: None,
                    aux_addresses: IndexMap::new(),
                })
                .into_iter()
                .collect(),
            ..Ipam::default()
        },
        internal: file.internal,
        attachable: false,
        enable_ipv4: None,
        enable_ipv6: None,
        labels: IndexMap::new(),
        key,
    }
}

fn service(name: &str, file: FileService, span: Span) -> Service {
    let mode = file.network_mode.map(|mode| match mode.as_str() {
        "bridge" => NetworkMode::Bridge,
        "host" => NetworkMode::Host,
        "none" => NetworkMode::None,
        other => match other.split_once(':') {
            Some(("service", s)) => NetworkMode::Service(s.parse().unwrap()),
            Some((_, c)) => NetworkMode::Container(c.to_owned()),
            None => NetworkMode::Other(other.to_owned()),
        },
    });
    let names = match &mode {
        Some(_) => vec![],
        None => file.networks.unwrap_or_else(|| vec!["default".to_owned()]),
    };
    let end = || Endpoint { span: Some(span), ..Endpoint::default() };
    let name: ServiceName = name.parse().unwrap();
    blank(name, span, mode, names.into_iter().map(|n| (n.parse().unwrap(), end())).collect(), file.scale.unwrap_or(1))
}

fn blank(
    name: ServiceName,
    span: Span,
    mode: Option<NetworkMode>,
    networks: IndexMap<NetworkKey, Endpoint>,
    scale: u32,
) -> Service {
    Service {
        name,
        span,
        image: None,
        command: None,
        entrypoint: None,
        environment: IndexMap::new(),
        container_name: None,
        hostname: None,
        domainname: None,
        labels: IndexMap::new(),
        annotations: IndexMap::new(),
        scale: Spanned::new(scale, span),
        network_mode: mode.map(|m| Spanned::new(m, span)),
        networks,
        links: vec![],
        external_links: vec![],
        ports: vec![],
        expose: vec![],
        depends_on: IndexMap::new(),
        healthcheck: None,
        restart: None,
        extra_hosts: vec![],
        dns: vec![],
        dns_search: vec![],
        dns_options: vec![],
        init: None,
        privileged: false,
        read_only: false,
        cap_add: vec![],
        cap_drop: vec![],
        sysctls: IndexMap::new(),
        stop_signal: None,
        stop_grace_period: None,
        user: None,
        working_dir: None,
        tty: false,
        stdin_open: false,
        mac_address: None,
        mounts: vec![],
        profiles: vec![],
        pull_policy: None,
        platform: None,
        attach: true,
    }
}

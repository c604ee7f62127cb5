//! One service.

use std::net::IpAddr;

use indexmap::IndexMap;

use super::fields::Fields;
use super::{develop, mount, resources};
use crate::compose::attributes::Pattern;
use crate::compose::model::{
    Condition, Dependency, Endpoint, HealthTest, Healthcheck, Link, Namespaces, NetworkMode, Port, Restart, Service,
    Update,
};
use crate::compose::tree;
use crate::compose::value::{link, port};
use crate::finding::{Code, Findings};
use crate::name::{NetworkKey, Protocol, ServiceName};
use crate::source::{Span, Spanned};
use crate::yaml::Node;

const MAC_HELP: &str = "write six pairs of hexadecimal digits: `02:42:ac:11:00:02`";

pub(super) fn service(name: ServiceName, span: Span, node: &Node, findings: &mut Findings) -> Service {
    let path = format!("services.{name}");
    let mounts = mount::mounts(node, &path, findings);
    let healthcheck = node.get("healthcheck").filter(|n| !n.is_null());
    let healthcheck = healthcheck.map(|check| healthcheck_of(check, &path, findings));
    let networks = networks(node, &path, findings);
    let policy = resources::restart_policy(node);
    let mut f = Fields { node, path, findings };
    check_devices(&mut f);
    Service {
        image: f.spanned("image"),
        build: None, // it reads secrets too: the stage's own `build` fills it in
        command: f.words("command"),
        entrypoint: f.words("entrypoint"),
        environment: environment(node),
        container_name: f.whole_pattern("container_name", Pattern::ContainerName, Code::BadName),
        hostname: f.spanned("hostname"),
        domainname: f.text("domainname"),
        labels: f.pairs("labels"),
        annotations: f.pairs("annotations").into_iter().collect(),
        scale: scale(&mut f, span),
        update: update(node),
        network_mode: network_mode(&mut f),
        networks,
        links: links(&mut f, "links"),
        external_links: links(&mut f, "external_links"),
        ports: ports(&mut f),
        expose: expose(&mut f),
        expose_words: f.texts("expose"),
        depends_on: depends_on(node),
        healthcheck,
        restart: policy.unwrap_or_else(|| restart(&mut f)),
        extra_hosts: extra_hosts(&f),
        dns: f.parsed_list("dns", "the address of a name server", "write an address: `1.1.1.1`"),
        dns_search: f.texts("dns_search"),
        dns_options: f.texts("dns_opt"),
        init: f.flag("init"),
        privileged: f.flag("privileged").unwrap_or(false),
        read_only: f.flag("read_only").unwrap_or(false),
        cap_add: f.texts("cap_add"),
        cap_drop: f.texts("cap_drop"),
        sysctls: f.pairs("sysctls").into_iter().collect(),
        stop_signal: f.text("stop_signal"),
        stop_grace_period: f.duration("stop_grace_period"),
        user: f.text("user"),
        working_dir: f.text("working_dir"),
        tty: f.flag("tty").unwrap_or(false),
        api_socket: f.flag("use_api_socket").filter(|wanted| *wanted).and(node.get("use_api_socket")).map(|n| n.span),
        stdin_open: f.flag("stdin_open").unwrap_or(false),
        mac_address: f.parsed("mac_address", Code::BadMac, "a MAC address", MAC_HELP),
        mounts,
        files: vec![],
        profiles: f.texts("profiles"),
        pull_policy: f.whole_pattern("pull_policy", Pattern::PullPolicy, Code::BadValue).map(|p| p.value),
        pull_refresh_after: f.duration("pull_refresh_after"),
        platform: f.text("platform"),
        resources: resources::resources(node).into(),
        shm_size: f.text("shm_size").and_then(|size| size.parse().ok()).unwrap_or(0),
        oom_score_adj: f.whole("oom_score_adj").map_or(0, |n| n.value),
        logging: resources::logging(node),
        namespaces: Namespaces {
            ipc: f.text("ipc"),
            pid: f.text("pid"),
            uts: f.text("uts"),
            user: f.text("userns_mode"),
            cgroup: f.text("cgroup"),
        }
        .into(),
        cgroup_parent: f.text("cgroup_parent"),
        isolation: f.spanned("isolation"),
        runtime: f.text("runtime"),
        storage_options: f.pairs("storage_opt").into_iter().collect(),
        groups: f.texts("group_add"),
        security: f.spanned_texts("security_opt"),
        volumes_from: f.spanned_texts("volumes_from"),
        post_start: resources::hooks(node, "post_start"),
        pre_stop: resources::hooks(node, "pre_stop"),
        watches: develop::watches(node),
        attach: f.flag("attach").unwrap_or(true),
        name,
        span,
    }
}

/// A device has a path on the host and one in the container; a variable that is not set leaves one out.
fn check_devices(f: &mut Fields<'_, '_>) {
    for (i, device) in tree::items(f.node, "devices").iter().enumerate() {
        for key in ["source", "target"].iter().filter(|key| tree::text(device, key).is_none()) {
            let message = format!("{}.devices[{i}] has no `{key}`", f.path);
            f.refuse(Code::MissingKey, message, device.span, "write `/dev/host:/dev/container`, or take the line out");
        }
    }
}

fn environment(service: &Node) -> IndexMap<String, Option<String>> {
    let value = |node: &Node| node.as_scalar().map(|s| s.value.text().into_owned());
    tree::section(service, "environment").map(|(name, entry)| (name.to_string(), value(&entry.value))).collect()
}

fn scale(f: &mut Fields<'_, '_>, span: Span) -> Spanned<u32> {
    let own = f.count("scale");
    let deploy = f.node.get("deploy").filter(|d| d.as_map().is_some());
    let replicas = deploy.and_then(|node| {
        let path = format!("{}.deploy", f.path);
        Fields { node, path, findings: &mut *f.findings }.count("replicas")
    });
    own.or(replicas).unwrap_or(Spanned::new(1, span))
}

fn update(service: &Node) -> Update {
    let config = service.get("deploy").and_then(|deploy| deploy.get("update_config"));
    let says = |key: &str, word: &str| config.is_some_and(|config| tree::text(config, key) == Some(word));
    Update { start_first: says("order", "start-first"), rollback: says("failure_action", "rollback") }
}

fn network_mode(f: &mut Fields<'_, '_>) -> Option<Spanned<NetworkMode>> {
    let mode = f.spanned("network_mode")?;
    let parsed = match mode.value.split_once(':') {
        Some(("service", name)) => NetworkMode::Service(name.parse().ok()?),
        Some(("container", name)) => NetworkMode::Container(name.to_owned()),
        _ => match mode.value.as_str() {
            "bridge" | "default" => NetworkMode::Bridge,
            "host" => NetworkMode::Host,
            "none" => NetworkMode::None,
            other => NetworkMode::Other(other.to_owned()),
        },
    };
    Some(mode.map(|_| parsed))
}

fn networks(service: &Node, path: &str, findings: &mut Findings) -> IndexMap<NetworkKey, Endpoint> {
    let mut networks = IndexMap::with_capacity(tree::size(service, "networks"));
    for (key, entry) in tree::section(service, "networks") {
        let Ok(network) = key.parse() else { continue };
        let path = format!("{path}.networks.{key}");
        let fields = Fields { node: &entry.value, path, findings: &mut *findings };
        networks.insert(network, endpoint(fields, entry.key));
    }
    networks
}

fn endpoint(mut f: Fields<'_, '_>, span: Span) -> Endpoint {
    let help = "write one that the network's subnet holds: `172.30.0.5`";
    Endpoint {
        span: Some(span),
        aliases: f.spanned_texts("aliases"),
        ipv4_address: f.parsed("ipv4_address", Code::BadValue, "an IPv4 address", help),
        ipv6_address: f.parsed("ipv6_address", Code::BadValue, "an IPv6 address", "write one: `2001:db8::5`"),
        link_local_ips: f.parsed_list("link_local_ips", "an address", "write one: `169.254.1.1`"),
        mac_address: f.parsed("mac_address", Code::BadMac, "a MAC address", MAC_HELP),
        priority: f.whole("priority").map_or(0, |n| n.value),
        gateway_priority: f.whole("gw_priority").map(|n| n.value),
        interface_name: f.spanned("interface_name"),
        driver_opts: f.pairs("driver_opts").into_iter().collect(),
        is_mapping: f.node.as_map().is_some(),
    }
}

/// Links of either kind: to services, or to containers outside the project.
fn links<T: std::str::FromStr>(f: &mut Fields<'_, '_>, key: &str) -> Vec<Spanned<Link<T>>> {
    let mut links = vec![];
    for text in f.spanned_texts(key) {
        match link::parse(&text) {
            Ok((target, alias)) => {
                let link = target.parse().ok().map(|target| Link { target, alias: alias.to_owned() });
                links.extend(link.map(|link| Spanned::new(link, text.span)));
            }
            Err(bad) => f.refuse(Code::BadValue, format!("{}.{key}: {}", f.path, bad.message), text.span, bad.help),
        }
    }
    links
}

fn ports(f: &mut Fields<'_, '_>) -> Vec<Spanned<Port>> {
    let items = tree::items(f.node, "ports");
    let mut ports = Vec::with_capacity(items.len());
    for (i, node) in items.iter().enumerate() {
        let path = format!("{}.ports[{i}]", f.path);
        let port = one_port(Fields { node, path, findings: &mut *f.findings });
        ports.extend(port.map(|port| Spanned::new(port, node.span)));
    }
    ports
}

fn one_port(mut f: Fields<'_, '_>) -> Option<Port> {
    let target = f.whole("target")?;
    let Some(number) = u16::try_from(target.value).ok().filter(|n| *n > 0) else {
        let message = format!("{}.target: there is no port {}", f.path, target.value);
        f.refuse(Code::BadValue, message, target.span, "ports run from 1 to 65535");
        return None;
    };
    let range = match f.spanned("published").map(|text| (port::range(&text), text.span)) {
        None => None,
        Some((Ok(range), _)) => Some(range),
        Some((Err(bad), span)) => {
            f.refuse(Code::BadValue, format!("{}.published: {}", f.path, bad.message), span, bad.help);
            return None;
        }
    };
    let protocol = f.parsed("protocol", Code::BadValue, "a protocol", "write tcp, udp or sctp");
    let host_ip = f.parsed::<IpAddr>("host_ip", Code::BadValue, "an address of the host", "write one: `127.0.0.1`");
    Some(Port {
        target: number,
        published: range.filter(|range| *range != (0, 0)),
        given_up: None,
        host_ip: host_ip.map(|ip| ip.value),
        protocol: protocol.map_or(Protocol::Tcp, |p| p.value),
    })
}

fn expose(f: &mut Fields<'_, '_>) -> Vec<(u16, Protocol)> {
    let mut exposed = vec![];
    for text in f.spanned_texts("expose") {
        match port::parse_exposed(&text) {
            Ok(((first, last), protocol)) => exposed.extend((first..=last).map(|port| (port, protocol))),
            Err(bad) => f.refuse(Code::BadValue, format!("{}.expose: {}", f.path, bad.message), text.span, bad.help),
        }
    }
    exposed
}

/// Dependencies on services that are not active and not required are left out by the caller.
/// `depends_on` of a service's tree.
pub(in crate::compose) fn depends_on(service: &Node) -> IndexMap<ServiceName, Dependency> {
    let dependency = |entry: &crate::yaml::Entry| {
        let node = &entry.value;
        let condition = match tree::text(node, "condition") {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::Completed,
            _ => Condition::Started,
        };
        let required = node.get("required").and_then(Node::as_bool).unwrap_or(true);
        Dependency { condition, restart: tree::is_true(node, "restart"), required, span: Some(entry.key) }
    };
    tree::section(service, "depends_on")
        .filter_map(|(name, entry)| Some((name.parse().ok()?, dependency(entry))))
        .collect()
}

fn healthcheck_of(node: &Node, path: &str, findings: &mut Findings) -> Spanned<Healthcheck> {
    let mut f = Fields { node, path: format!("{path}.healthcheck"), findings };
    let words = f.texts("test");
    let test = match words.split_first() {
        _ if f.flag("disable") == Some(true) => Some(HealthTest::None),
        None => None,
        Some((first, _)) if first == "NONE" => Some(HealthTest::None),
        Some((first, rest)) if first == "CMD-SHELL" => Some(HealthTest::Shell(rest.join(" "))),
        Some((_, rest)) => Some(HealthTest::Command(rest.to_vec())),
    };
    let check = Healthcheck {
        test,
        interval: f.duration("interval"),
        timeout: f.duration("timeout"),
        start_period: f.duration("start_period"),
        start_interval: f.duration("start_interval"),
        retries: f.count("retries").map(|n| n.value),
    };
    Spanned::new(check, node.span)
}

fn restart(f: &mut Fields<'_, '_>) -> Option<Spanned<Restart>> {
    let text = f.spanned("restart")?;
    let restart = match text.split_once(':').unwrap_or((&text, "")) {
        ("no", "") => Some(Restart::No),
        ("always", "") => Some(Restart::Always),
        ("unless-stopped", "") => Some(Restart::UnlessStopped),
        ("on-failure", "") => Some(Restart::OnFailure(None)),
        ("on-failure", times) => times.parse().ok().map(|times| Restart::OnFailure(Some(times))),
        _ => None,
    };
    if restart.is_none() {
        let message = format!("{}.restart: the Engine knows no policy `{}`", f.path, text.value);
        f.refuse(Code::BadValue, message, text.span, "one of: no, always, unless-stopped, on-failure, on-failure:3");
    }
    restart.map(|restart| Spanned::new(restart, text.span))
}

fn extra_hosts(f: &Fields<'_, '_>) -> Vec<Spanned<(String, String)>> {
    let pair = |text: Spanned<String>| {
        let (name, address) = text.split_once('=')?;
        Some(Spanned::new((name.to_owned(), address.to_owned()), text.span))
    };
    f.spanned_texts("extra_hosts").into_iter().filter_map(pair).collect()
}

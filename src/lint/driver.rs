//! Drivers of networks: parents, modes, options, names of links.

use indexmap::IndexMap;

use crate::compose::model::{LINK_NAME_MAX, Network, NetworkMode, Project, another_vlan};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::name::VlanId;
use crate::source::Spanned;

/// P34, P35, P43: a parent that cannot be one: `lo`, a VLAN id beyond 4094, two dots, a name too long.
pub(super) fn check_parent(project: &Project, findings: &mut Findings) {
    for (network, parent) in parents(project) {
        let name = parent.value.as_str();
        if !network.trunk.own_links().is_empty() {
            continue; // a link of our own, whose name is no message to the Engine
        }
        let finding = if name == "lo" {
            Finding::error(Code::BadParent, format!("`lo` cannot be the parent of network {}", network.key))
                .help("name the interface that leads to the LAN")
        } else if let Some((base, id)) = name.split_once('.') {
            match vlan_id(id) {
                Ok(_) if name.len() > LINK_NAME_MAX => too_long(name).help(format!(
                    "`{base}` has {} bytes too many for this id; a trunk (`x-trunks`) makes the VLAN's link under a shorter name",
                    name.len() - LINK_NAME_MAX
                )),
                Ok(_) => continue,
                Err(why) => Finding::error(Code::BadVlan, format!("`{name}` names no VLAN link: {why}")).help(
                    "`eth0.10` is VLAN 10 on eth0; `x-trunks` makes a VLAN in a VLAN: `vlans: {blue: {id: 10, within: 100}}`",
                ),
            }
        } else if name.len() > LINK_NAME_MAX {
            too_long(name).help("no link can have this name")
        } else {
            continue;
        };
        findings.push(finding.at(parent.span));
    }
}

fn vlan_id(text: &str) -> Result<VlanId, String> {
    let number: u16 = text.parse().map_err(|_| format!("`{text}` is not a VLAN id from 1 to 4094"))?;
    VlanId::try_from(number).map_err(|e| e.to_string())
}

fn too_long(name: &str) -> Finding {
    Finding::error(
        Code::NameTooLong,
        format!("`{name}` has {} bytes, and a link name has at most {LINK_NAME_MAX}", name.len()),
    )
}

/// P43: a mode that the driver does not have.
pub(super) fn check_mode(project: &Project, findings: &mut Findings) {
    let modes: [(&str, &str, &[&str]); 3] = [
        ("macvlan", "macvlan_mode", &["bridge", "private", "vepa", "passthru"]),
        ("ipvlan", "ipvlan_mode", &["l2", "l3", "l3s"]),
        ("ipvlan", "ipvlan_flag", &["bridge", "private", "vepa"]),
    ];
    for network in project.networks.values() {
        for (driver, option, known) in modes {
            let Some(mode) = network.driver_opts.get(option).filter(|_| network.driver_name() == driver) else {
                continue;
            };
            if !known.contains(&mode.value.as_str()) {
                let near = nearest(&mode.value, known.iter().copied()).map(|n| format!("; did you mean `{n}`?"));
                findings.push(
                    Finding::error(Code::BadDriverOption, format!("{driver} has no {option} `{}`", mode.value))
                        .at(mode.span)
                        .help(format!("it is one of {}{}", known.join(", "), near.unwrap_or_default())),
                );
            }
        }
    }
}

/// P32: mode `passthru` gives the parent to one child; the second container fails when it starts, with `invalid argument`.
pub(super) fn check_passthru(project: &Project, findings: &mut Findings) {
    for network in project.networks.values().filter(|n| n.driver_name() == "macvlan") {
        let Some(mode) = network.driver_opts.get("macvlan_mode").filter(|m| m.value == "passthru") else { continue };
        let members = || project.services.values().filter(|s| s.networks.contains_key(&network.key));
        if members().map(|s| s.scale.value).sum::<u32>() > 1 {
            let names: Vec<&str> = members().map(|s| s.name.as_str()).collect();
            let message = format!(
                "network {} is in mode passthru, which has room for one container, and more are on it: {}",
                network.key,
                names.join(", ")
            );
            let finding = Finding::error(Code::ParentBusy, message).at(mode.span);
            findings.push(finding.help("mode `bridge`, or a network with a VLAN of its own for each"));
        }
    }
}

/// P52: a network of the drivers of which the Engine has one network each, its own.
pub(super) fn check_single_drivers(project: &Project, findings: &mut Findings) {
    for network in project.networks.values().filter(|n| !n.external) {
        let Some(driver) = network.driver.as_ref().filter(|d| matches!(d.value.as_str(), "host" | "null")) else {
            continue;
        };
        let mode = if driver.value == "host" { "host" } else { "none" };
        let message =
            format!("network {} cannot be made: the Engine has one of driver {}, its own", network.key, driver.value);
        let finding = Finding::error(Code::Conflict, message).at(driver.span);
        findings.push(finding.help(format!("write `network_mode: {mode}` where it is used")));
    }
}

/// P42: a driver option that the Engine takes without a word and that does nothing: a typo in `parent` is the worst of them.
pub(super) fn check_options(project: &Project, findings: &mut Findings) {
    const BRIDGE: [&str; 14] = [
        "com.docker.network.bridge.name",
        "com.docker.network.bridge.enable_ip_masquerade",
        "com.docker.network.bridge.enable_icc",
        "com.docker.network.bridge.host_binding_ipv4",
        "com.docker.network.bridge.default_bridge",
        "com.docker.network.bridge.inhibit_ipv4",
        "com.docker.network.bridge.gateway_mode_ipv4",
        "com.docker.network.bridge.gateway_mode_ipv6",
        "com.docker.network.bridge.trusted_host_interfaces",
        "com.docker.network.driver.mtu",
        "com.docker.network.container_iface_prefix",
        "com.docker.network.host_ipv4",
        "com.docker.network.host_ipv6",
        "com.docker.network.enable_ipv4",
    ];
    const MACVLAN: [&str; 3] = ["parent", "macvlan_mode", "com.docker.network.driver.mtu"];
    const IPVLAN: [&str; 4] = ["parent", "ipvlan_mode", "ipvlan_flag", "com.docker.network.driver.mtu"];
    for network in project.networks.values().filter(|n| !n.external) {
        let known: &[&str] = match network.driver_name() {
            "bridge" => &BRIDGE,
            "macvlan" => &MACVLAN,
            "ipvlan" => &IPVLAN,
            _ => continue,
        };
        for (option, value) in network.driver_opts.iter().filter(|(o, _)| !known.contains(&o.as_str())) {
            let message = format!("the {} driver does not know the option `{option}`", network.driver_name());
            let help = match nearest(option, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the Engine takes it and does nothing with it".into(),
            };
            findings.push(Finding::warning(Code::BadDriverOption, message).at(value.span).help(help));
        }
    }
}

/// P38 within the file: several macvlan networks on one parent share its wire.
pub(super) fn check_parent_shared(project: &Project, findings: &mut Findings) {
    let mut seen: IndexMap<&str, (&Network, &Spanned<String>)> = IndexMap::new();
    for (network, parent) in parents(project) {
        let Some((first, other)) = seen.get(parent.value.as_str()).copied() else {
            seen.insert(&parent.value, (network, parent));
            continue;
        };
        let (a, b) = (first.driver_name(), network.driver_name());
        let message = format!("networks {} and {} hang on one parent, `{}`", first.key, network.key, parent.value);
        let finding = if a != b {
            Finding::error(Code::ParentShared, format!("{message}, and {a} and {b} cannot share one"))
        } else if b == "ipvlan" {
            Finding::error(Code::ParentShared, format!("{message}, and ipvlan takes one network only"))
        } else {
            Finding::warning(
                Code::ParentShared,
                format!("{message}: they share its wire, and Engines up to 26 refuse it"),
            )
        };
        let help = format!("give each a VLAN of its own: `parent: {}`", another_vlan(&parent.value));
        findings.push(finding.at(parent.span).also(other.span, format!("{} is there already", first.key)).help(help));
    }
}

/// P35: names of bridges and interfaces beyond the kernel's 15 bytes.
pub(super) fn check_name_length(project: &Project, findings: &mut Findings) {
    let bridges = project.networks.values().filter_map(|n| n.driver_opts.get("com.docker.network.bridge.name"));
    let endpoints = project.services.values().flat_map(|s| s.networks.values());
    let names = bridges.chain(endpoints.filter_map(|e| e.interface_name.as_ref()));
    for name in names.filter(|n| n.value.len() > LINK_NAME_MAX) {
        findings.push(too_long(&name.value).at(name.span).help("take a shorter one"));
    }
}

/// P51: network sysctls in the host's namespace, which the Engine refuses.
pub(super) fn check_host_mode_sysctls(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        let Some(mode) = service.network_mode.as_ref().filter(|m| m.value == NetworkMode::Host) else { continue };
        if let Some(name) = service.sysctls.keys().find(|k| k.starts_with("net.")) {
            findings.push(
                Finding::error(Code::Conflict, format!("{} may not set {name} in the host's network", service.name))
                    .at(mode.span)
                    .help("set it on the host, or give the service a network of its own"),
            );
        }
    }
}

/// P55: `host-gateway` where nothing leads to the host.
pub(super) fn check_gateway_hosts(project: &Project, findings: &mut Findings) {
    for service in project.services.values().filter(|s| s.network_mode.is_none()) {
        let Some(host) = service.extra_hosts.iter().find(|h| h.value.1 == "host-gateway") else { continue };
        let networks: Vec<&Network> = service.networks.keys().filter_map(|k| project.networks.get(k)).collect();
        let cut_off = |n: &&Network| n.internal || matches!(n.driver_name(), "macvlan" | "ipvlan");
        if !networks.is_empty() && networks.iter().all(cut_off) {
            findings.push(
                Finding::warning(
                    Code::DeadLink,
                    format!("{} cannot reach the host by `{}` from its networks", service.name, host.value.0),
                )
                .at(host.span)
                .help("add a bridge network that is not `internal`"),
            );
        }
    }
}

/// The macvlan and ipvlan networks of the file with their parents.
fn parents(project: &Project) -> impl Iterator<Item = (&Network, &Spanned<String>)> {
    let wired = project.networks.values().filter(|n| !n.external && matches!(n.driver_name(), "macvlan" | "ipvlan"));
    wired.filter_map(|n| n.driver_opts.get("parent").map(|p| (n, p)))
}

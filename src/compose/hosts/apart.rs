//! What cannot reach over from one host to another: refused, with the reason and the way out.

use super::Placed;
use crate::compose::model::VolumesFrom;
use crate::compose::tree::{is_true, items, section, text};
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;
use crate::yaml::Node;

/// Checks every service and every network.
pub(super) fn check(tree: &Node, placed: &Placed<'_>, findings: &mut Findings) {
    for (name, entry) in section(tree, "services") {
        let mut service = Service { placed, tree, name, node: &entry.value, refused: vec![] };
        service.check_links(findings);
        service.check_namespaces(findings);
        service.check_dependencies(findings);
        service.check_not_yet(findings);
    }
    for (key, entry) in section(tree, "networks") {
        check_network(tree, placed, key, &entry.value, findings);
    }
    check_host_access(tree, placed, findings);
    check_volumes(tree, placed, findings);
}

struct Service<'a> {
    placed: &'a Placed<'a>,
    tree: &'a Node,
    name: &'a str,
    node: &'a Node,
    /// The services that an error speaks of already: what follows from a link is not said again.
    refused: Vec<&'a str>,
}

impl<'a> Service<'a> {
    /// An error about another service, where that is on another host.
    fn refuse(&mut self, other: &'a str, at: Span, what: &str, why: &str, help: &str, findings: &mut Findings) {
        if !self.placed.are_apart(self.name, other) || self.refused.contains(&other) {
            return;
        }
        self.refused.push(other);
        let host = |service: &str| self.placed.host(service).unwrap_or_default().to_owned();
        let (here, there) = (host(self.name), host(other));
        let message = format!("{} on {here} {what} {other}, which is on {there}: {why}", self.name);
        let mut finding = Finding::error(Code::AcrossHosts, message).at(at);
        if let Some((_, entry)) = section(self.tree, "services").find(|(key, _)| ***key == *other) {
            finding = finding.also(entry.key, format!("runs on {there}"));
        }
        findings.push(finding.help(help.to_owned()));
    }

    fn check_links(&mut self, findings: &mut Findings) {
        for item in items(self.node, "links") {
            let Some(other) = VolumesFrom::of(item.as_str().unwrap_or_default()).service() else { continue };
            let why = "a link is a line in the /etc/hosts of one host's containers, by which its Engine follows the other one's address";
            let help = "give the other one a static address on a trunk that both ride on: its names then go into `extra_hosts` by themselves; \
                        or take a Swarm's overlay network";
            self.refuse(other, item.span, "links to", why, help, findings);
        }
    }

    fn check_namespaces(&mut self, findings: &mut Findings) {
        for key in ["network_mode", "ipc", "pid"] {
            let Some(other) = text(self.node, key).and_then(|word| word.strip_prefix("service:")) else { continue };
            let at = self.node.get(key).map_or(self.node.span, |node| node.span);
            let why = "a namespace is one kernel's";
            self.refuse(other, at, &format!("shares `{key}` with"), why, "place both on one host", findings);
        }
        for item in items(self.node, "volumes_from") {
            let other = item.as_str().unwrap_or_default().split(':').next().unwrap_or_default();
            let why = "volumes lie on the disk of one host";
            self.refuse(other, item.span, "takes the volumes of", why, "place both on one host", findings);
        }
    }

    fn check_dependencies(&mut self, findings: &mut Findings) {
        for (other, entry) in section(self.node, "depends_on").filter(|(_, entry)| is_true(&entry.value, "restart")) {
            let why = "bowline does not restart over hosts yet";
            self.refuse(other, entry.key, "restarts with", why, "take `restart: true` out", findings);
        }
    }

    /// What is done on one host alone so far.
    fn check_not_yet(&self, findings: &mut Findings) {
        let mut refuse = |at: Span, what: &str, help: &str| {
            let message = format!("services.{}: bowline does not {what} on several hosts yet", self.name);
            findings.push(Finding::error(Code::NotSupported, message).at(at).help(help.to_owned()));
        };
        let update = self.node.get("deploy").and_then(|deploy| deploy.get("update_config"));
        let action = update.and_then(|update| update.get("failure_action"));
        if let Some(action) = action.filter(|action| action.as_str() == Some("rollback")) {
            refuse(action.span, "roll back", "take `failure_action` out, or `x-hosts`");
        }
        if let Some(build) = self.node.get("build").filter(|build| !build.is_null()) {
            refuse(build.span, "build", "build and push the image without `x-hosts`, and name it by `image` alone");
        }
    }
}

/// What kind of network it is, as far as hosts are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Its members are on a wire that leads out of the host, and their addresses are the file's to part.
    Wire,
    /// Somebody else spans it over hosts: external, or a Swarm's.
    Elsewhere,
    /// One host's.
    Local,
}

/// Whether a network leads from host to host.
pub(super) fn reach(network: &Node) -> Reach {
    let is_on_a_link = || network.get("driver_opts").is_some_and(|options| text(options, "parent").is_some());
    match text(network, "driver") {
        _ if is_true(network, "external") => Reach::Elsewhere,
        Some("macvlan" | "ipvlan") if is_on_a_link() => Reach::Wire,
        _ => Reach::Local,
    }
}

fn check_network(tree: &Node, placed: &Placed<'_>, key: &str, network: &Node, findings: &mut Findings) {
    let members = placed.members(tree, key);
    let mut hosts = members.iter();
    let (Some((_, (one, first))), Some((_, (other, second)))) = (hosts.next(), hosts.next()) else { return };
    let driver = text(network, "driver").unwrap_or("bridge");
    let mode = network.get("driver_opts").and_then(|options| text(options, "ipvlan_mode"));
    let (why, help) = match (reach(network), driver, mode) {
        (Reach::Wire, "ipvlan", Some("l3" | "l3s")) => (
            "in mode l3 a host routes for its own containers alone".to_owned(),
            "take mode l2, or a network for each host",
        ),
        (Reach::Wire, ..) | (Reach::Elsewhere, ..) => return,
        (Reach::Local, "overlay", _) => (
            "each Engine would make it for itself".to_owned(),
            "make it once (`docker network create --driver overlay --attachable`) and say `external: true`",
        ),
        (Reach::Local, driver, _) => (
            format!("its driver, {driver}, keeps to one host"),
            "let it ride on a trunk (`x-trunks`), take a Swarm's overlay network (`external: true`), or write a network for each host",
        ),
    };
    let host = |service: &str| placed.host(service).unwrap_or_default();
    let message = format!("network {key} is to have {one} on {} and {other} on {}: {why}", host(one), host(other));
    let finding = Finding::error(Code::AcrossHosts, message).at(*second).also(*first, format!("{one} joins it"));
    findings.push(finding.help(help));
}

/// One address for two hosts is none.
fn check_host_access(tree: &Node, placed: &Placed<'_>, findings: &mut Findings) {
    for (trunk, entry) in section(tree, "x-trunks") {
        let Some(access) = entry.value.get("host_access").filter(|node| !node.is_null()) else { continue };
        let over = section(&entry.value, "vlans").any(|(network, _)| placed.members(tree, network).len() > 1);
        if over {
            let message =
                format!("x-trunks.{trunk}.host_access is one address, and the trunk has members on two hosts");
            let finding = Finding::error(Code::NotSupported, message).at(access.span);
            findings.push(finding.help("take it out: an address for each host is not there yet"));
        }
    }
}

/// A volume of one name on two hosts is two volumes.
fn check_volumes(tree: &Node, placed: &Placed<'_>, findings: &mut Findings) {
    for (key, _) in section(tree, "volumes") {
        let mut first: Option<(&str, Span)> = None;
        for (name, service) in section(tree, "services") {
            let mounts = items(&service.value, "volumes").iter();
            let Some(mount) = mounts.into_iter().find(|mount| text(mount, "source") == Some(key)) else { continue };
            match first {
                None => first = Some((name, mount.span)),
                Some((one, at)) if placed.are_apart(one, name) => {
                    let message = format!("volume {key} of {one} and {name} is two volumes: each host has its own");
                    let finding = Finding::warning(Code::AcrossHosts, message).at(mount.span).also(at, "the other one");
                    findings.push(
                        finding.help("what is to be one lies on a share (`driver_opts`), or its services on one host"),
                    );
                    break;
                }
                Some(_) => {}
            }
        }
    }
}

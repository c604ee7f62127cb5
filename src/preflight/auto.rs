//! `parent: auto` of a trunk: the link of the default route of the Engine's host.
//!
//! It is settled before anything is planned, so that plan, preflight and `verify` know links by their names alone.

use std::collections::BTreeSet;

use super::host::HostRoute;
use crate::compose::model::{Network, Project};
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;

/// What stands in place of a link's name.
const AUTO: &str = "auto";

/// Whether the stack needs to know the default route.
pub fn is_wanted(project: &Project) -> bool {
    project.networks.values().any(rides_on_auto)
}

fn rides_on_auto(network: &Network) -> bool {
    !network.trunk.name.is_empty() && network.trunk.parent == AUTO
}

/// Writes the link of the default route into the networks of every trunk that says `parent: auto`, and tells it.
pub fn settle(project: &mut Project, routes: &[HostRoute], findings: &mut Findings) {
    let found = default_link(routes);
    let mut told = BTreeSet::new();
    for network in project.networks.values_mut().filter(|network| rides_on_auto(network)) {
        let Some(parent) = network.driver_opts.get_mut("parent") else { continue };
        let first = told.insert(network.trunk.name.clone());
        let Ok(link) = &found else {
            let why = found.as_ref().err().map(String::as_str).unwrap_or_default();
            if first {
                findings.push(unsettled(&network.trunk.name, why, parent.span));
            }
            continue;
        };
        if first {
            let message = format!("x-trunks.{}.parent is `{link}`, the link of the default route", network.trunk.name);
            let help = format!("write `parent: {link}` where it must not change with the route");
            findings.push(Finding::note(Code::ParentAuto, message).at(parent.span).help(help));
        }
        parent.value = match &network.trunk.vlan {
            None => link.clone(),
            Some(vlan) => {
                let told = vlan.tell_shortened(network.key.as_str(), link);
                told.into_iter().for_each(|finding| findings.push(finding));
                vlan.link_name(link)
            }
        };
        network.trunk.parent.clone_from(link);
    }
}

fn unsettled(trunk: &str, why: &str, at: Span) -> Finding {
    let message = format!("x-trunks.{trunk}.parent is `auto`, and {why}");
    Finding::error(Code::ParentAuto, message)
        .at(at)
        .help("name the link: `ip link` on the Engine's host lists what there is")
}

/// The link of the default route: that of IPv4, and where there is none that of IPv6. Of several routes the kernel takes the one with the
/// smallest metric; where two links have the same, it is not for us to choose.
fn default_link(routes: &[HostRoute]) -> Result<String, String> {
    let defaults = |ipv4: bool| {
        routes.iter().filter(move |r| r.destination.prefix_len() == 0 && r.destination.addr().is_ipv4() == ipv4)
    };
    let family = defaults(true).next().is_some();
    let Some(metric) = defaults(family).map(|route| route.metric).min() else {
        return Err("the Engine's host has no default route".to_owned());
    };
    let best: BTreeSet<&str> = defaults(family).filter(|r| r.metric == metric).map(|r| r.link.as_str()).collect();
    match best.iter().collect::<Vec<_>>().as_slice() {
        [link] => Ok((**link).to_owned()),
        links => {
            let names: Vec<String> = links.iter().map(|link| format!("`{link}`")).collect();
            Err(format!("the Engine's host has several default routes, by {}", names.join(" and ")))
        }
    }
}

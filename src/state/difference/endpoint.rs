//! A container's endpoints: each declared network with its names, addresses and options, and those that are not declared.

use std::collections::BTreeSet;
use std::net::IpAddr;

use indexmap::IndexMap;

use super::container::{made_from_this, network_name};
use super::{Comparison, Difference};
use crate::name::{Mac, ProjectName};
use crate::source::Span;
use crate::state::desired::{Attachment, Desired, DesiredContainer};
use crate::state::observed::{Observed, ObservedContainer, ObservedEndpoint};
use crate::state::settings::EndpointSettings;

/// The API that takes a MAC for every endpoint at creation.
const ENDPOINT_MAC: (u32, u32) = (1, 44);

/// Endpoints that only another container mends (they lead to a network that is gone, or are to have a MAC), and those that
/// connecting again or disconnecting mends, by the network's name.
pub(super) fn endpoints(
    container: &DesiredContainer,
    found: &ObservedContainer,
    desired: &Desired,
    observed: &Observed,
    place: &dyn Fn(&str) -> Option<Span>,
) -> (Vec<Difference>, IndexMap<String, Vec<Difference>>) {
    let (mut stale, mut all) = (Comparison::new(place), IndexMap::new());
    let Attachment::Networks(networks) = &container.attachment else { return (stale.found, all) };
    for (place_in_order, (key, declared)) in networks.iter().enumerate() {
        let name = network_name(desired, key);
        let field = format!("networks.{key}");
        let mut out = Comparison::new(place);
        match found.endpoints.get(&name) {
            None => out.differs(&field, "connected", "not connected"),
            Some(there) if is_gone(there, &name, observed) => {
                stale.differs(&field, "connected", "connected to a network that is gone");
            }
            Some(there) => endpoint(&mut out, &field, declared, there, &own_names(found)),
        }
        // connecting gives no MAC (measured on 20.10.24 and 28.5.2: the Engine makes one up), creating does: every endpoint's
        // from API 1.44 on, and the primary network's before
        if declared.mac.is_some() && (observed.engine.api >= ENDPOINT_MAC || place_in_order == 0) {
            if let Some(there) = found.endpoints.get(&name) {
                compare_mac(&mut out, &field, declared, there);
            }
            stale.found.append(&mut out.found);
        }
        if !out.found.is_empty() {
            all.insert(name, out.found);
        }
    }
    let declared: BTreeSet<String> = networks.keys().map(|key| network_name(desired, key)).collect();
    for (name, there) in found.endpoints.iter().filter(|(name, _)| !declared.contains(*name)) {
        if is_of(&desired.project, there, name, observed) || !made_from_this(container, found) {
            let mut out = Comparison::new(place);
            out.differs("networks", "not connected", &format!("connected to {name}"));
            all.insert(name.clone(), out.found);
        }
    }
    (stale.found, all)
}

/// Whether an endpoint leads to another network than the one that has the name now.
fn is_gone(there: &ObservedEndpoint, name: &str, observed: &Observed) -> bool {
    let mut named = observed.networks.iter().filter(|network| network.name == name).peekable();
    match &there.network {
        Some(id) if named.peek().is_some() => !named.any(|network| network.id.as_ref() == Some(id)),
        Some(_) => !observed.networks.is_empty(),
        None => false,
    }
}

/// Whether an endpoint leads to a network of the project. Others were connected by somebody else, who may need them.
fn is_of(project: &ProjectName, there: &ObservedEndpoint, name: &str, observed: &Observed) -> bool {
    let on = |network: &&crate::state::observed::ObservedNetwork| match (&network.id, &there.network) {
        (Some(id), Some(on)) => id == on,
        _ => network.name == name,
    };
    observed.networks.iter().find(on).is_some_and(|network| network.belongs_to(project))
}

/// Names that older Engines put among the aliases by themselves (seen on 20.10.24): the start of the id, the host name,
/// and that with the domain.
fn own_names(found: &ObservedContainer) -> Vec<String> {
    let mut names = vec![found.id.short().to_owned()];
    if let Some(host) = &found.settings.hostname {
        names.push(host.clone());
        names.extend(found.settings.domainname.as_ref().map(|domain| format!("{host}.{domain}")));
    }
    names
}

fn endpoint(
    out: &mut Comparison,
    field: &str,
    declared: &EndpointSettings,
    there: &ObservedEndpoint,
    own_names: &[String],
) {
    let at = |attribute: &str| format!("{field}.{attribute}");
    let found = &there.settings;
    let mut aliases = found.aliases.clone();
    aliases.retain(|alias| declared.aliases.contains(alias) || !own_names.contains(alias));
    out.same(&at("aliases"), &declared.aliases, &aliases);
    let once = |links: &[(String, String)]| links.iter().cloned().collect::<BTreeSet<_>>();
    out.same("links", &once(&declared.links), &once(&found.links));
    out.same(&at("ipv4_address"), &declared.ipv4, &found.ipv4);
    out.same(&at("ipv6_address"), &declared.ipv6, &found.ipv6);
    let set = |list: &[IpAddr]| list.iter().copied().collect::<BTreeSet<_>>();
    out.same(&at("link_local_ips"), &set(&declared.link_local), &set(&found.link_local));
    out.same(&at("gw_priority"), &declared.gateway_priority.unwrap_or(0), &found.gateway_priority.unwrap_or(0));
    out.same_map(&at("driver_opts"), &declared.driver_opts, &found.driver_opts);
}

/// The MAC, where one is declared and one is shown (a stopped container shows none).
fn compare_mac(out: &mut Comparison, field: &str, declared: &EndpointSettings, there: &ObservedEndpoint) {
    let mac: Option<Mac> = there.settings.mac.or(there.mac);
    if declared.mac.is_some() && mac.is_some() {
        out.same(&format!("{field}.mac_address"), &declared.mac, &mac);
    }
}

//! MAC addresses.

use indexmap::IndexMap;

use crate::compose::model::{Network, Project, Service};
use crate::finding::{Code, Finding, Findings, Severity};
use crate::name::Mac;
use crate::source::{Span, Spanned};

/// P26: an address with the group bit, which no interface can have.
pub(super) fn check_multicast(project: &Project, findings: &mut Findings) {
    let on_service = project.services.values().filter_map(|s| s.mac_address.as_ref().map(|m| (s, m)));
    let all = on_service.chain(macs(project).map(|(s, _, m)| (s, m)));
    for (service, mac) in all.filter(|(_, m)| m.value.is_multicast()) {
        let mut own = mac.value;
        own.0[0] = (own.0[0] & !1) | 2;
        findings.push(
            Finding::error(Code::BadMac, format!("{} addresses a group, and no interface can have it", mac.value))
                .at(mac.span)
                .label(format!("{} asks for it", service.name))
                .help(format!("{own} would do: the lowest bit of the first byte must be 0"))
                .patch(mac.span, own.to_string()),
        );
    }
}

/// P25: one address twice on a wire: a bridge, or all networks of one parent. macvlan refuses it, a bridge goes astray silently.
pub(super) fn check_unique(project: &Project, findings: &mut Findings) {
    let mut seen: IndexMap<(String, Mac), (&Service, Span)> = IndexMap::new();
    for (service, network, mac) in macs(project) {
        let severity = match network.driver_name() {
            "macvlan" => Severity::Error,
            _ => Severity::Warning,
        };
        match seen.get(&(wire(network), mac.value)) {
            Some((first, at)) => findings.push(
                Finding::new(severity, Code::MacTaken, format!("{} is given twice on one wire", mac.value))
                    .at(mac.span)
                    .label(format!("{} asks for it here", service.name))
                    .also(*at, format!("{} asks for it here", first.name))
                    .help("leave one out and the Engine makes one up"),
            ),
            None => _ = seen.insert((wire(network), mac.value), (service, mac.span)),
        }
        if service.scale.value > 1 {
            let message =
                format!("{} containers of {} cannot all have {}", service.scale.value, service.name, mac.value);
            findings.push(
                Finding::new(severity, Code::MacTaken, message)
                    .at(mac.span)
                    .also(service.scale.span, "so many are asked for")
                    .help("leave `mac_address` out and the Engine makes one up for each"),
            );
        }
    }
}

/// What a frame travels on: the network, or its parent with everything else that hangs there.
fn wire(network: &Network) -> String {
    match network.driver_opts.get("parent") {
        Some(parent) if network.driver_name() == "macvlan" => format!("parent {}", parent.value),
        _ => format!("network {}", network.name),
    }
}

fn macs(project: &Project) -> impl Iterator<Item = (&Service, &Network, &Spanned<Mac>)> {
    project.services.values().flat_map(move |service| {
        service.networks.iter().filter_map(move |(key, endpoint)| {
            Some((service, project.networks.get(key)?, endpoint.mac_address.as_ref()?))
        })
    })
}

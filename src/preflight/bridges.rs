//! The links of bridge networks: their names and how much a packet may carry.

use super::Scene;
use crate::finding::{Code, Finding, Findings};

const NAME: &str = "com.docker.network.bridge.name";
const MTU: &str = "com.docker.network.driver.mtu";

/// P36: a bridge's name that another network has, or a link of the host that is no bridge.
pub(super) fn check_bridge_names(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values().filter(|n| !n.external && n.driver_name() == "bridge") {
        let Some(wanted) = network.driver_opts.get(NAME) else { continue };
        let other = scene
            .observed
            .networks
            .iter()
            .find(|o| o.name != network.name && o.options.get(NAME) == Some(&wanted.value));
        let link = scene.host.link(&wanted.value).filter(|link| link.kind != "bridge");
        let holder = match (other, link) {
            (Some(other), _) => format!("that of network `{}`", other.name),
            (None, Some(link)) if link.kind.is_empty() => "an interface of the host".to_owned(),
            (None, Some(link)) => format!("a {} link of the host", link.kind),
            (None, None) => continue,
        };
        let message =
            format!("the bridge of network {} would be named `{}`, which is {holder}", network.key, wanted.value);
        let finding = Finding::error(Code::BridgeTaken, message).at(wanted.span);
        findings.push(finding.help("take another name, or leave it out and the Engine chooses one"));
    }
}

/// P41: packets larger than the host's way out takes, which are lost there without a word; and an option that does nothing.
pub(super) fn check_mtu(scene: Scene<'_>, findings: &mut Findings) {
    for network in scene.project.networks.values().filter(|n| !n.external) {
        let Some(wanted) = network.driver_opts.get(MTU) else { continue };
        let Ok(mtu) = wanted.value.trim().parse::<u32>() else { continue };
        let (what, way) = match network.driver_name() {
            "bridge" if !network.internal => ("the way out", scene.host.default_link()),
            "macvlan" | "ipvlan" => ("the parent", network.driver_opts.get("parent").map(|p| p.value.as_str())),
            _ => continue,
        };
        let Some(link) = way.and_then(|name| scene.host.link(name)).filter(|link| link.mtu > 0) else { continue };
        let child = network.driver_name() != "bridge";
        let message = match child {
            true if link.mtu != mtu => {
                format!(
                    "network {} has the MTU of its parent `{}`, {}, whatever it says",
                    network.key, link.name, link.mtu
                )
            }
            false if mtu > link.mtu => {
                format!(
                    "packets of {mtu} bytes on network {} do not pass {what}, `{}` with {}",
                    network.key, link.name, link.mtu
                )
            }
            _ => continue,
        };
        let help = match child {
            true => format!("`ip link set {} mtu {mtu}` on the Engine's host, or leave the option out", link.name),
            false => format!("`{MTU}: {}`", link.mtu),
        };
        findings.push(Finding::warning(Code::BadMtu, message).at(wanted.span).help(help));
    }
}

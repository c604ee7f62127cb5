//! What Podman writes into its containers and networks by itself. Taken out, what is left is what was asked for; otherwise a second
//! `up` would replace everything (seen with Podman 4.3.1).
//!
//! Much is told otherwise than it was asked for, or not at all (sysctls, limits, mounts of its own). So the settings of a container
//! that was made from this very file are taken for right: what is changed there by hand is not seen.

use crate::state::desired::{Attachment, Desired, DesiredContainer};
use crate::state::observed::{ObservedContainer, ObservedNetwork};
use crate::state::settings::{PortBinding, Settings};

use super::container::{capabilities, made_from_this, network_name};

/// Variables that each container gets.
const VARIABLES: [&str; 5] = ["HOME", "HOSTNAME", "PATH", "TERM", "container"];
/// Capabilities that Docker gives by default and Podman does not: each container has them dropped.
const DROPPED: [&str; 3] = ["AUDIT_WRITE", "MKNOD", "NET_RAW"];
/// How many processes each container may have.
const PIDS: i64 = 2048;

/// The container without what Podman added. `expected` is what is declared, over the image.
pub(super) fn asked(
    container: &DesiredContainer,
    expected: &Settings,
    found: &ObservedContainer,
    desired: &Desired,
) -> ObservedContainer {
    let unchanged = made_from_this(container, found);
    let mut found = found.clone();
    attached_as_asked(container, &mut found, desired);
    if unchanged {
        let Settings { image, labels, .. } = found.settings;
        found.settings = Settings { image, labels, ..expected.clone() };
        return found;
    }
    let there = &mut found.settings;
    there.environment.retain(|key, _| !VARIABLES.contains(&key.as_str()) || expected.environment.contains_key(key));
    let (declared, dropped) = (capabilities(&expected.cap_drop), capabilities(&there.cap_drop));
    there.cap_drop =
        dropped.into_iter().filter(|name| !DROPPED.contains(&name.as_str()) || declared.contains(name)).collect();
    let chosen = |port: PortBinding| {
        let any = PortBinding { published: None, ..port.clone() };
        if expected.ports.contains(&any) { any } else { port }
    };
    there.ports = std::mem::take(&mut there.ports).into_iter().map(chosen).collect();
    // the first is not told, of the second only that it is on
    if there.stop_timeout.is_some_and(|time| time.is_zero()) {
        there.stop_timeout = expected.stop_timeout;
    }
    if there.resources.pids_limit == PIDS {
        there.resources.pids_limit = expected.resources.pids_limit;
    }
    if there.init.is_none() && expected.init == Some(false) {
        there.init = Some(false);
    }
    let own = |mode: &mut Option<String>| _ = mode.take_if(|mode| mode == "private");
    own(&mut there.namespaces.pid);
    own(&mut there.namespaces.uts);
    found
}

/// A network of one's own is told as a bridge, and by its name where its id should be.
fn attached_as_asked(container: &DesiredContainer, found: &mut ObservedContainer, desired: &Desired) {
    if let Attachment::Networks(networks) = &container.attachment
        && found.network_mode == "bridge"
        && let Some(first) = networks.keys().next().map(|key| network_name(desired, key))
        && found.endpoints.contains_key(&first)
    {
        found.network_mode = first;
    }
    for (name, endpoint) in &mut found.endpoints {
        endpoint.network.take_if(|id| id.as_str() == name);
    }
}

/// The network without the driver that Podman gives out addresses with.
pub(super) fn asked_network(found: &ObservedNetwork) -> ObservedNetwork {
    let mut found = found.clone();
    found.ipam.options.remove("driver");
    found
}

#[cfg(test)]
mod tests {
    use crate::name::NetworkId;
    use crate::plan::lab::{Lab, change};

    const STACK: &str = "services: {a: {image: busybox, ports: ['80'], init: false, sysctls: {net.core.somaxconn: '7'}, networks: [n]}}\n\
                         networks: {n: }";

    /// What Podman 4.3.1 tells of a container and a network right after they were made.
    #[test]
    fn a_second_up_does_nothing_and_a_change_is_the_only_reason() {
        let lab = Lab::load(STACK);
        let mut observed = lab.up().observed();
        observed.engine.podman = true;
        change(&mut observed, "a.1", |container| {
            let told = &mut container.settings;
            for (name, value) in [("container", "podman"), ("HOME", "/root"), ("TERM", "xterm")] {
                told.environment.insert(name.to_owned(), Some(value.to_owned()));
            }
            told.cap_drop.extend(["CAP_MKNOD".to_owned(), "CAP_NET_RAW".to_owned()]);
            told.ports[0].published = Some((45625, 45625));
            (told.stop_timeout, told.init) = (Some(std::time::Duration::ZERO), None);
            told.namespaces.pid = Some("private".to_owned());
            told.resources.pids_limit = 2048;
            container.network_mode = "bridge".to_owned();
            container.endpoints.values_mut().for_each(|end| end.network = Some(NetworkId::from_engine("test_n")));
        });
        observed.networks[0].ipam.options.insert("driver".to_owned(), "host-local".to_owned());
        let changed = lab.edit("busybox", "busybox, environment: {A: b}");
        assert_eq!(changed.up_from(&observed).plan.steps().count(), 5, "{}", changed.up_from(&observed).plan);
        let plan = changed.up_from(&observed).plan.to_string();
        let reasons = plan.lines().next().unwrap().split_once("differs: ").unwrap().1;
        assert_eq!(reasons, "environment.A (none, declared b)");
        // and what it does not tell at all is taken for right
        change(&mut observed, "a.1", |container| container.settings.sysctls.clear());
        assert!(lab.up_from(&observed).plan.is_empty(), "{}", lab.up_from(&observed).plan);
        observed.engine.podman = false;
        assert!(!lab.up_from(&observed).plan.is_empty(), "a Docker Engine tells what it was asked for");
    }
}

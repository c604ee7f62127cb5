//! What this Engine and this host would refuse, found before anything is changed.
//!
//! Pure like `lint`: what the Engine holds is [`Observed`], what its host has is [`HostFacts`], both gathered before. One
//! function a rule; each names the holder, shows what was read, and offers one way out. The numbers P1 to P58 are those of the
//! catalogue in the reference.

pub mod auto;
mod bridges;
mod concern;
mod disk;
mod engine;
mod firewall;
pub mod host;
mod kernel;
mod lan;
pub mod late;
mod names;
mod parents;
mod pools;
mod ports;
mod sources;
#[cfg(test)]
mod tests;
mod trunks;
mod vlans;

pub use concern::concerned;
pub use host::HostFacts;
pub use lan::asked as asked_of_wires;
pub use sources::devices as volume_devices;

use crate::compose::model::{Project, Service};
use crate::finding::Findings;
use crate::source::Span;
use crate::state::desired::Desired;
use crate::state::observed::{EngineFacts, Observed};

/// Everything that a rule may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The stack, with the places in its files.
    pub project: &'a Project,
    /// What it asks of the Engine.
    pub desired: &'a Desired,
    /// The Engine itself.
    pub engine: &'a EngineFacts,
    /// What it holds.
    pub observed: &'a Observed,
    /// What its host has.
    pub host: &'a HostFacts,
}

impl Scene<'_> {
    /// Where a service says the first of these attributes that it has; its name, where it has none.
    fn place(&self, service: &Service, attributes: &[&str]) -> Span {
        let own = self.desired.containers.values().find(|container| container.replica.service == service.name);
        let said = own.and_then(|own| attributes.iter().find_map(|attribute| own.spans.get(*attribute)));
        said.copied().unwrap_or(service.span)
    }
}

/// Every rule, all findings at once.
pub fn check(scene: Scene<'_>, findings: &mut Findings) {
    let rules: &[fn(Scene<'_>, &mut Findings)] = &[
        engine::check_api_version,
        engine::check_bridge_options,
        engine::check_swarm,
        kernel::check_kinds,
        kernel::check_forwarding,
        kernel::check_ipv6,
        firewall::check_forward_policy,
        firewall::check_rules_switched_off,
        firewall::check_direct_routing,
        firewall::check_proxy,
        names::check_images,
        names::check_external_networks,
        names::check_external_volumes,
        names::check_network_names,
        names::check_container_names,
        names::check_namespace_owners,
        names::check_ambiguous_networks,
        names::check_attachable,
        names::check_foreign_names,
        sources::check_bind_sources,
        sources::check_files,
        sources::check_kinds_of_sources,
        sources::check_volume_devices,
        pools::check_subnet_overlap,
        pools::check_needed_hosts,
        pools::check_host_routes,
        pools::check_held_addresses,
        pools::check_pools_left,
        engine::check_memory,
        disk::check_disk,
        engine::check_platforms,
        names::check_devices,
        ports::check_ports_of_containers,
        ports::check_ports_of_processes,
        ports::check_host_addresses,
        ports::check_privileged_ports,
        bridges::check_bridge_names,
        bridges::check_mtu,
        parents::check_parent_link,
        parents::check_parent_gone,
        parents::check_parent_shared,
        parents::check_parent_children,
        parents::check_parent_wireless,
        parents::check_parent_filtered,
        parents::check_vlan_link,
        vlans::check_own_links,
        vlans::check_taken,
        vlans::check_mtu,
        trunks::check_mtu,
        trunks::check_promiscuous,
        lan::check_lan,
        lan::check_gateways,
        lan::check_wire_addresses,
        lan::check_host_access,
    ];
    rules.iter().for_each(|rule| rule(scene, findings));
}

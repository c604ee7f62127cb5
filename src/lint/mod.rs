//! What is wrong with a project by itself: no Engine is needed to know that it must fail, or will not do what is meant.
//!
//! One `check_*` function a rule; each cites both places and offers one way out. The numbers P5 to P57 are those of the catalogue
//! in the reference. `compose::load` runs them at its end; `preflight` goes on with what needs an Engine.

mod address;
mod driver;
mod mac;
mod mount;
mod naming;
mod port;
mod sharing;
mod subnet;
mod waiting;

use crate::compose::model::Project;
use crate::finding::Findings;

/// Every rule, all findings at once.
pub fn check(project: &Project, findings: &mut Findings) {
    let rules: &[fn(&Project, &mut Findings)] = &[
        subnet::check_host_bits,
        subnet::check_pool_members,
        subnet::check_overlap,
        subnet::check_public,
        subnet::check_size,
        address::check_inside_subnet,
        address::check_reserved,
        address::check_unique,
        address::check_static_in_dynamic_range,
        mac::check_multicast,
        mac::check_unique,
        port::check_unique,
        port::check_replicas,
        port::check_discarded,
        port::check_shared_namespace,
        naming::check_container_names,
        naming::check_aliases,
        naming::check_links,
        mount::check_selinux,
        waiting::check_health_waits,
        waiting::check_completion_waits,
        driver::check_parent,
        driver::check_mode,
        driver::check_passthru,
        driver::check_single_drivers,
        driver::check_options,
        driver::check_parent_shared,
        driver::check_name_length,
        driver::check_host_mode_sysctls,
        driver::check_gateway_hosts,
        sharing::check_shared_options,
        sharing::check_shared_name,
    ];
    rules.iter().for_each(|rule| rule(project, findings));
}

/// Those that are no word of the Engine's: it could not even be asked. Nobody can go past them.
pub fn check_unsayable(project: &Project, findings: &mut Findings) {
    mount::check_selinux(project, findings);
}

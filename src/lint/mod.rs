//! What is wrong with a project by itself: no Engine is needed to know that it must fail, or will not do what is meant.
//!
//! One `check_*` function a rule; each cites both places and offers one way out. The numbers P5 to P57 are those of the catalogue
//! in the reference. `compose::load` runs them at its end; `preflight` goes on with what needs an Engine.

mod address;
mod driver;
mod image;
mod mac;
mod mount;
mod naming;
mod port;
mod sharing;
mod subnet;
mod waiting;

use crate::compose::model::Project;
use crate::finding::{Finding, Findings};

/// One rule.
type Rule = fn(&Project, &mut Findings);

/// Every rule, all findings at once. Of a stack on several hosts, what one host keeps to itself (ports, names of containers, links,
/// the addresses that its Engine gives out) is looked at host by host.
pub fn check(project: &Project, findings: &mut Findings) {
    EVERYWHERE.iter().for_each(|rule| rule(project, findings));
    let Some(hosts) = &project.hosts else { return ON_A_HOST.iter().for_each(|rule| rule(project, findings)) };
    let mut told = Findings::new();
    for part in &hosts.parts {
        ON_A_HOST.iter().for_each(|rule| rule(&part.project, &mut told));
    }
    // a network on two hosts is wrong once
    let mut once: Vec<&Finding> = vec![];
    for finding in told.iter() {
        if !once.contains(&finding) {
            once.push(finding);
            findings.push(finding.clone());
        }
    }
}

/// What holds for the file as a whole.
const EVERYWHERE: &[Rule] = &[
    subnet::check_host_bits,
    subnet::check_overlap,
    subnet::check_public,
    address::check_inside_subnet,
    address::check_reserved,
    address::check_unique,
    mac::check_multicast,
    mac::check_unique,
    image::check_names,
    naming::check_aliases,
    naming::check_links,
    sharing::check_isolation,
    mount::check_selinux,
    mount::check_lent_memory,
    waiting::check_health_waits,
    waiting::check_completion_waits,
    driver::check_mode,
    driver::check_passthru,
    driver::check_single_drivers,
    driver::check_options,
    driver::check_host_mode_sysctls,
    driver::check_gateway_hosts,
];

/// What holds for what one Engine has.
const ON_A_HOST: &[Rule] = &[
    subnet::check_pool_members,
    subnet::check_size,
    address::check_static_in_dynamic_range,
    port::check_unique,
    port::check_replicas,
    port::check_discarded,
    port::check_shared_namespace,
    naming::check_container_names,
    driver::check_parent,
    driver::check_parent_shared,
    driver::check_name_length,
    sharing::check_shared_options,
    sharing::check_shared_name,
];

/// Those that are no word of the Engine's: it could not even be asked. Nobody can go past them.
pub fn check_unsayable(project: &Project, findings: &mut Findings) {
    mount::check_selinux(project, findings);
    sharing::check_isolation_word(project, findings);
}

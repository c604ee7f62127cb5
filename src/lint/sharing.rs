//! What a service cannot say of a network namespace that is another's.

use crate::compose::model::{NetworkMode, Project, Service};
use crate::finding::{Code, Finding, Findings};
use crate::source::Span;

/// P21: a name, resolvers, hosts or ports of a namespace that is another container's. The Engine says `conflicting options` when it makes
/// the container, after others were made.
pub(super) fn check_shared_options(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        let Some(mode) = &service.network_mode else { continue };
        let owner = match &mode.value {
            NetworkMode::Service(owner) => owner.to_string(),
            NetworkMode::Container(name) => format!("container {name}"),
            _ => continue,
        };
        for (option, at) in said(service) {
            let message = format!("{} says `{option}` of a network that is {owner}'s", service.name);
            findings.push(
                Finding::error(Code::Conflict, message)
                    .at(at)
                    .also(mode.span, "shared here")
                    .help(format!("say it of {owner}, whose namespace it is, or leave it out")),
            );
        }
    }
}

/// A host name where the host's is shared.
pub(super) fn check_shared_name(project: &Project, findings: &mut Findings) {
    for service in project.services.values().filter(|service| service.namespaces.uts.as_deref() == Some("host")) {
        let Some(name) = &service.hostname else { continue };
        let message = format!("{} has the host's name by `uts: host`, and one of its own", service.name);
        findings.push(Finding::error(Code::Conflict, message).at(name.span).help("leave one of them out"));
    }
}

/// A way to keep containers apart that is Windows'.
pub(super) fn check_isolation(project: &Project, findings: &mut Findings) {
    refuse_isolation(project, &["", "default"], findings);
}

/// The same where the API itself has no such word.
pub(super) fn check_isolation_word(project: &Project, findings: &mut Findings) {
    refuse_isolation(project, &["", "default", "process", "hyperv"], findings);
}

fn refuse_isolation(project: &Project, taken: &[&str], findings: &mut Findings) {
    for service in project.services.values() {
        let Some(way) = service.isolation.as_ref().filter(|way| !taken.contains(&way.as_str())) else { continue };
        let message = format!(
            "{} is to be isolated by `{}`, and an Engine on Linux knows `default` alone",
            service.name, way.value
        );
        findings.push(Finding::error(Code::BadValue, message).at(way.span).help("leave it out"));
    }
}

/// What the Engine refuses beside another's network, and where it is written. Ports are a rule of their own.
fn said(service: &Service) -> Vec<(&'static str, Span)> {
    let of = |option, at: Option<Span>| at.map(|at| (option, at));
    let all = [
        of("hostname", service.hostname.as_ref().map(|name| name.span)),
        of("dns", service.dns.first().map(|server| server.span)),
        of("extra_hosts", service.extra_hosts.first().map(|host| host.span)),
        of("expose", service.expose_words.first().map(|_| service.span)),
    ];
    all.into_iter().flatten().collect()
}

//! From the file to checks: every promise that it makes about what runs, pure, each with the rule or attribute behind it.

mod container;
mod declared;
mod life;
mod names;
mod namespace;
mod ports;
mod reach;
#[cfg(test)]
mod tests;

pub(super) use declared::placeholders;
use indexmap::IndexMap;

use super::check::{Basis, Check, Expectation};
use super::jobs::{Ended, may_end, starts_again};
use super::topology::Topology;
use crate::compose::model::{Condition, Project, Service};
use crate::finding::Findings;
use crate::name::{Replica, ServiceName};
use crate::source::Span;
use crate::state::desired::{Desired, DesiredOptions, desired};

/// Every check of a project, service by service in the order of the file. Rules of `x-verify` that cannot hold beside the file
/// are findings with both places; they give no check. Of the services that have `ended`, those that may promise their end alone.
pub fn derive(project: &Project, topology: &Topology, ended: &Ended, findings: &mut Findings) -> Vec<Check> {
    let desired = desired(project, &DesiredOptions::default());
    let mut draft = Draft { project, topology, desired: &desired, ended, checks: IndexMap::new() };
    for service in project.services.values() {
        life::derive(&mut draft, service);
        if !draft.stays(&service.name) {
            continue;
        }
        container::derive(&mut draft, service);
        namespace::derive(&mut draft, service);
        names::derive(&mut draft, service);
        ports::derive(&mut draft, service);
    }
    reach::derive(&mut draft);
    declared::derive(&mut draft, findings);
    let mut checks: Vec<Check> = draft.checks.into_values().collect();
    let place = |c: &Check| c.service.as_ref().and_then(|s| project.services.get_index_of(s)).unwrap_or(usize::MAX);
    checks.sort_by_key(place);
    checks
}

/// The checks so far, by id: what a user declares takes the place of what was derived.
struct Draft<'a> {
    project: &'a Project,
    topology: &'a Topology,
    desired: &'a Desired,
    ended: &'a Ended,
    checks: IndexMap<String, Check>,
}

/// What makes a service a job: it promises that it ends with 0, and nothing that only a running container could keep.
enum Job {
    /// This service waits until it has ended.
    Awaited(ServiceName, Option<Span>),
    /// `x-verify.jobs` names it.
    Declared(Span),
    /// Its `restart` lets it end, and so it did.
    Ended(Span),
}

/// A check about to be added: where it comes from.
struct Origin<'a> {
    service: Option<&'a ServiceName>,
    basis: Basis,
    span: Option<Span>,
}

impl<'a> Origin<'a> {
    /// An attribute of a service.
    fn attribute(service: &'a ServiceName, path: &str, span: Span) -> Self {
        let path = if path.is_empty() { format!("services.{service}") } else { format!("services.{service}.{path}") };
        Self { service: Some(service), basis: Basis::Attribute(path), span: Some(span) }
    }
}

impl Draft<'_> {
    /// Adds a check; one of the same id gives way.
    fn add(&mut self, id: String, says: String, origin: Origin<'_>, expectation: Expectation) {
        let Origin { service, basis, span } = origin;
        let check = Check { id: id.clone(), service: service.cloned(), says, basis, span, expectation };
        self.checks.insert(id, check);
    }

    /// Whether containers of the service are meant to stay. One that is scaled to none has no container, and a job promises
    /// nothing but its end.
    fn stays(&self, name: &ServiceName) -> bool {
        let scaled = self.topology.places.get(name).is_some_and(|p| p.scale > 0);
        scaled && self.job(name).is_none()
    }

    /// What makes the service a job, if it is one.
    fn job(&self, name: &ServiceName) -> Option<Job> {
        let declared = || {
            let service = self.project.services.get(name).filter(|service| starts_again(service).is_none())?;
            let job = self.project.rules.jobs.iter().find(|job| job.value == service.name);
            job.map(|job| Job::Declared(job.span))
        };
        let ended = || {
            let service = self.project.services.get(name).filter(|_| self.ended.contains(name))?;
            may_end(service).map(Job::Ended)
        };
        let awaited = self.awaited(name).map(|(waiting, span)| Job::Awaited(waiting.clone(), span));
        awaited.or_else(declared).or_else(ended)
    }

    /// Who waits until the service has ended, and where the file says so.
    fn awaited(&self, name: &ServiceName) -> Option<(&ServiceName, Option<Span>)> {
        self.project.services.values().find_map(|other| {
            let need = other.depends_on.get(name).filter(|d| d.condition == Condition::Completed)?;
            Some((&other.name, need.span))
        })
    }

    /// Whether the service has a network namespace of its own with links in it.
    fn has_own_links(&self, service: &ServiceName) -> bool {
        self.topology.places.get(service).is_some_and(|p| !p.ends.is_empty())
    }
}

/// A noun with its article: `an ipvlan`.
pub(super) fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// The containers that a service should have.
fn replicas(service: &Service) -> impl Iterator<Item = Replica> + '_ {
    (1..=service.scale.value).map(|number| Replica::new(service.name.clone(), number))
}

/// A container as people call it: the service alone where it has but one.
fn called(service: &Service, replica: &Replica) -> String {
    match service.scale.value {
        1 => service.name.to_string(),
        _ => format!("{}#{}", service.name, replica.number),
    }
}

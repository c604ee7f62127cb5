//! The hosts that a stack is spread over.

use super::{Dependency, Project};
use crate::name::{HostName, ServiceName};
use crate::source::{Span, Spanned};

/// `x-hosts`: the stack, host by host, and what leads from one to another.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// What each host runs, in the order of the file; one without active services is among them.
    pub parts: Vec<Part>,
    /// What waits for a service of another host: no part has it in its `depends_on`.
    pub needs: Vec<Need>,
}

/// One host's part.
#[derive(Clone, Debug)]
pub struct Part {
    /// The host's key in the file.
    pub name: HostName,
    /// Where it stands.
    pub span: Span,
    /// Where its Engine is; none: the command line says it.
    pub place: Option<Spanned<EnginePlace>>,
    /// The services that run there, with the networks and volumes that they use.
    pub project: Project,
}

/// Where an Engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnginePlace {
    /// `url`: as `DOCKER_HOST` has it.
    Url(String),
    /// `context`: a docker context.
    Context(String),
}

/// A service waits for one of another host.
#[derive(Clone, Debug)]
pub struct Need {
    /// Who waits.
    pub service: ServiceName,
    /// For whom.
    pub needed: ServiceName,
    /// In which way.
    pub dependency: Dependency,
}

impl Hosts {
    /// The part of a host.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == *name)
    }

    /// The host that a service runs on.
    pub fn of(&self, service: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.project.services.contains_key(service))
    }
}

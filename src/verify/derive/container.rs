//! What a container is made with, beside its network: one check an attribute that the file writes.

use super::{Draft, Origin, called, replicas};
use crate::compose::model::{HealthTest, Mount, MountSource, Service};
use crate::name::Replica;
use crate::source::Span;
use crate::verify::check::Expectation;
use crate::verify::facet::{Facet, LIMITS, RIGHTS};

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    for replica in replicas(service) {
        let who = called(service, &replica);
        let mut part = Part { draft, service, replica, who };
        part.environment();
        part.user();
        part.limits();
        part.rights();
        part.health_check();
        part.mounts();
        part.files();
    }
}

/// One container.
struct Part<'a, 'b> {
    draft: &'a mut Draft<'b>,
    service: &'a Service,
    replica: Replica,
    who: String,
}

impl Part<'_, '_> {
    fn add(&mut self, id: String, says: String, attribute: &str, span: Span, facet: Facet) {
        let origin = Origin::attribute(&self.service.name, attribute, span);
        self.draft.add(id, says, origin, Expectation::Has { replica: self.replica.clone(), facet });
    }

    /// Where the first of these attributes is written, if one is.
    fn written(&self, attributes: &[&'static str]) -> Option<(&'static str, Span)> {
        let spans = &self.draft.desired.containers.get(&self.replica)?.spans;
        attributes.iter().find_map(|name| spans.get(*name).map(|span| (*name, *span)))
    }

    fn environment(&mut self) {
        let Some((name, span)) = self.written(&["environment", "env_file"]) else { return };
        if !self.service.environment.is_empty() {
            let says = format!("{} has the variables that the file gives it", self.who);
            self.add(format!("environment/{}", self.who), says, name, span, Facet::Environment);
        }
    }

    fn user(&mut self) {
        let Some((name, span)) = self.written(&["user", "group_add"]) else { return };
        let says = match &self.service.user {
            Some(user) => format!("{} runs as {user}", self.who),
            None => format!("{} is in the groups {}", self.who, self.service.groups.join(", ")),
        };
        self.add(format!("user/{}", self.who), says, name, span, Facet::User);
    }

    fn limits(&mut self) {
        let deploy = ["deploy.resources.limits", "deploy.resources.reservations"];
        let Some((name, span)) = self.written(LIMITS).or_else(|| self.written(&deploy)) else { return };
        let says = format!("{} may use what the file allows it", self.who);
        self.add(format!("limits/{}", self.who), says, name, span, Facet::Limits);
    }

    fn rights(&mut self) {
        if let Some((name, span)) = self.written(RIGHTS) {
            let says = format!("{} may do what the file lets it", self.who);
            self.add(format!("rights/{}", self.who), says, name, span, Facet::Rights);
        }
        if let Some((name, span)) = self.written(&["read_only"]).filter(|_| self.service.read_only) {
            let says = format!("{} cannot write to its root", self.who);
            self.add(format!("read-only/{}", self.who), says, name, span, Facet::ReadOnly);
        }
    }

    fn health_check(&mut self) {
        let service = self.service;
        let Some(check) = service.healthcheck.as_ref().filter(|check| check.test != Some(HealthTest::None)) else {
            return;
        };
        let says = format!("{}'s health is looked at as the file says", self.who);
        self.add(format!("healthcheck/{}", self.who), says, "healthcheck", check.span, Facet::HealthCheck);
    }

    fn mounts(&mut self) {
        let service = self.service;
        for mount in &service.mounts {
            let target = &mount.value.target;
            let says = format!("{} has {} at {target}", self.who, source(&mount.value));
            let attribute = if matches!(mount.value.source, MountSource::Tmpfs { .. }) { "tmpfs" } else { "volumes" };
            let facet = Facet::Mount(target.clone());
            self.add(format!("mount/{}:{target}", self.who), says, attribute, mount.span, facet);
        }
    }

    fn files(&mut self) {
        let service = self.service;
        for file in &service.files {
            let (target, section) = (&file.value.target, file.value.kind.section());
            let kind = section.trim_end_matches('s');
            let says = format!("{} has {kind} {} at {target}", self.who, file.value.source);
            let facet = Facet::File(target.clone());
            self.add(format!("{kind}/{}:{target}", self.who), says, section, file.span, facet);
        }
    }
}

/// What is mounted, in a few words.
fn source(mount: &Mount) -> String {
    match &mount.source {
        MountSource::Volume { key, .. } => format!("volume {key}"),
        MountSource::Anonymous => "a volume of its own".to_owned(),
        MountSource::Bind(bind) => bind.source.display().to_string(),
        MountSource::Tmpfs { .. } | MountSource::Memory { .. } => "memory".to_owned(),
        MountSource::Image { source, .. } => format!("the files of {source}"),
    }
}

//! Images to be built.

use indexmap::IndexMap;

use super::labels;
use crate::compose::model::{Build, Project, Service};
use crate::name::ServiceName;
use crate::source::Span;

/// An image to be built for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredBuild {
    /// The image's name, and the further ones.
    pub tags: Vec<String>,
    /// Whether the file gives the image a name; otherwise it is called after its project and service, and is not pushed.
    pub named: bool,
    /// How; its labels are complete.
    pub build: Build,
    /// The platform that the service asks for.
    pub platform: Option<String>,
    /// What the command says besides the file.
    pub flags: BuildFlags,
    /// The services whose images it starts from (`additional_contexts: {base: service:NAME}`).
    pub needs: Vec<ServiceName>,
    /// Where the service is declared.
    pub span: Span,
}

/// What a command says of a build that no file does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFlags {
    /// `--builder`: an instance of buildx.
    pub builder: Option<String>,
    /// `--memory`, in bytes, of the container that the classic builder works in.
    pub memory: Option<i64>,
    /// `--push`: to the registries of its names.
    pub push: bool,
}

impl DesiredBuild {
    /// Whether one build serves both services: it differs in nothing but whose it is and where that is written.
    pub fn makes_the_same(&self, other: &Self) -> bool {
        let plain = |own: &Self| {
            let mut own = own.clone();
            own.build.labels.shift_remove(labels::SERVICE);
            (own.span, own.build.span, own.named) = (self.span, self.span, self.named);
            own.build.buildkit.secrets.iter_mut().for_each(|secret| secret.span = self.span);
            own
        };
        plain(self) == plain(other)
    }
}

/// The builds of a project, by service.
pub(super) fn builds(project: &Project) -> IndexMap<ServiceName, DesiredBuild> {
    let build = |service: &Service| Some((service.name.clone(), desired(project, service, service.build.as_ref()?)));
    project.services.values().chain(project.bases.values()).filter_map(build).collect()
}

fn desired(project: &Project, service: &Service, build: &Build) -> DesiredBuild {
    let image = |service: &Service| service.image.as_ref().map(|image| image.value.clone()).unwrap_or_default();
    let mut build = build.clone();
    for (label, value) in labels::image(project, service) {
        build.labels.insert(label, value);
    }
    let mut needs = vec![];
    for context in build.buildkit.contexts.values_mut() {
        let known = |name| project.services.get(name).or_else(|| project.bases.get(name));
        let other = context.strip_prefix("service:").and_then(known);
        if let Some(other) = other {
            needs.push(other.name.clone());
            *context = format!("docker-image://{}", image(other));
        }
    }
    let tags = std::iter::once(image(service)).chain(build.tags.iter().cloned()).collect();
    // a name that is made up has the place of its service
    let named = service.image.as_ref().is_some_and(|image| image.span != service.span);
    let (platform, flags) = (service.platform.clone(), BuildFlags::default());
    DesiredBuild { tags, named, build, platform, flags, needs, span: service.span }
}

/// A stack whose service `a` says everything that a build can, for tests of who has to say it again.
#[cfg(test)]
pub(crate) const EVERY_ATTRIBUTE: &str = "
name: p
services:
  base: {build: /b}
  a:
    image: a:1
    build:
      context: /ctx
      dockerfile: sub/D
      target: t
      args: {A: '1'}
      labels: {l: x}
      tags: [more:2]
      network: host
      extra_hosts: ['h:1.2.3.4']
      cache_from: [old]
      cache_to: ['type=inline']
      no_cache: true
      pull: true
      shm_size: 1k
      ulimits: {nofile: 10, nproc: {soft: 1, hard: 2}}
      platforms: [linux/amd64, linux/arm64]
      additional_contexts: {o: /other, s: service:base}
      secrets: [s, {source: f, target: g}]
      ssh: [default, k=/key]
      privileged: true
      provenance: false
secrets: {s: {environment: S}, f: {file: /f}}
";

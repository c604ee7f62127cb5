//! How an image is built.

use std::path::Path;

use indexmap::IndexMap;

use super::FileContent;
use crate::source::Span;

/// `build`, canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Where it is written.
    pub span: Span,
    /// `context`: an absolute directory, or a repository's or an archive's URL.
    pub context: String,
    /// `dockerfile`, seen from the context, or an absolute path.
    pub dockerfile: String,
    /// `dockerfile_inline`: the text itself, instead of a file.
    pub dockerfile_inline: Option<String>,
    /// `args`.
    pub args: IndexMap<String, String>,
    /// `labels`, the user's own.
    pub labels: IndexMap<String, String>,
    /// `target`.
    pub target: Option<String>,
    /// `tags`: names besides the service's image.
    pub tags: Vec<String>,
    /// `network`.
    pub network: Option<String>,
    /// `extra_hosts`: name and address.
    pub extra_hosts: Vec<(String, String)>,
    /// `cache_from`.
    pub cache_from: Vec<String>,
    /// `no_cache`.
    pub no_cache: bool,
    /// `pull`.
    pub pull: bool,
    /// `shm_size`, in bytes.
    pub shm_size: Option<u64>,
    /// `ulimits`: name, soft and hard limit.
    pub ulimits: Vec<(String, i64, i64)>,
    /// `platforms`.
    pub platforms: Vec<String>,
    /// What only BuildKit can do.
    pub buildkit: BuildKit,
}

impl Build {
    /// Where the Dockerfile is: a path, or within a repository or an archive a path from its root.
    pub fn dockerfile_path(&self) -> String {
        match self.context.contains("://") {
            true => self.dockerfile.clone(),
            false => Path::new(&self.context).join(&self.dockerfile).display().to_string(),
        }
    }
}

/// The part of `build` that the Engine's classic builder does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildKit {
    /// `additional_contexts`: name, and a directory, an image, or `service:NAME`.
    pub contexts: IndexMap<String, String>,
    /// `cache_to`.
    pub cache_to: Vec<String>,
    /// `secrets`.
    pub secrets: Vec<BuildSecret>,
    /// `ssh`: `default`, or `id=path`.
    pub ssh: Vec<String>,
    /// `entitlements`, and what `privileged` comes to.
    pub entitlements: Vec<String>,
    /// `provenance`.
    pub provenance: Option<String>,
    /// `sbom`.
    pub sbom: Option<String>,
}

impl BuildKit {
    /// The attributes that say something, by their names.
    pub fn said(&self) -> Vec<&'static str> {
        let all = [
            ("additional_contexts", !self.contexts.is_empty()),
            ("cache_to", !self.cache_to.is_empty()),
            ("secrets", !self.secrets.is_empty()),
            ("ssh", !self.ssh.is_empty()),
            ("entitlements", !self.entitlements.is_empty()),
            // what the classic builder does anyway: neither is made
            ("provenance", self.provenance.as_deref().is_some_and(|word| word != "false")),
            ("sbom", self.sbom.as_deref().is_some_and(|word| word != "false")),
        ];
        all.into_iter().filter_map(|(name, said)| said.then_some(name)).collect()
    }
}

/// A secret that a build may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSecret {
    /// What the Dockerfile calls it.
    pub id: String,
    /// Its key at the top level.
    pub source: String,
    /// Where it comes from.
    pub content: FileContent,
    /// The variable that holds it, where one does.
    pub variable: Option<String>,
    /// Where the build asks for it.
    pub span: Span,
}

//! The last stage: the canonical tree into the model that the rest of bowline works with.
//!
//! What docker compose lets pass and the Engine would refuse (an address that is none, a restart policy that there is
//! not) is found here.

mod build;
mod develop;
mod fields;
mod file;
mod mount;
mod network;
mod resources;
mod service;

pub(super) use service::depends_on;

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::environment::Environment;
use super::extension;
use super::model::{FileKind, NamedBy, Network, Project};
use super::{tree, trunks};
use crate::finding::Findings;
use crate::name::{ProjectName, ServiceName};
use crate::source::Spanned;
use crate::yaml::Node;

/// What a project is besides its tree.
#[derive(Clone)]
pub(super) struct Identity {
    pub name: ProjectName,
    pub named_by: NamedBy,
    pub working_dir: PathBuf,
    pub files: Vec<PathBuf>,
    pub env_files: Vec<PathBuf>,
    pub inactive: Vec<ServiceName>,
    /// Every network that the file declares, used or not.
    pub networks: Vec<String>,
}

/// `DOCKER_DEFAULT_PLATFORM`.
fn default_platform(environment: &Environment) -> Option<String> {
    environment.get("DOCKER_DEFAULT_PLATFORM").filter(|platform| !platform.is_empty()).map(str::to_owned)
}

/// Decodes a tree whose services are the active ones, and whose resources are those that they use.
pub(super) fn decode(tree: &Node, identity: Identity, environment: &Environment, findings: &mut Findings) -> Project {
    let mut services = IndexMap::with_capacity(tree::size(tree, "services"));
    for (key, entry) in tree::section(tree, "services") {
        if let Ok(name) = key.parse::<ServiceName>() {
            let mut service = service::service(name.clone(), entry.key, &entry.value, findings);
            // what the Engine is asked for where the file does not say, and no word of the file
            service.platform = service.platform.or_else(|| default_platform(environment));
            service.files = file::files(tree, &entry.value, environment);
            let secret = |key: &str| {
                let content = file::content(tree, FileKind::Secret, key, environment)?;
                Some((content, file::variable(tree, FileKind::Secret, key).map(str::to_owned)))
            };
            let built = build::build(&entry.value, &format!("services.{key}"), &secret, findings);
            service.build = built.map(Box::new);
            services.insert(name, service);
        }
    }
    for (key, service) in &mut services {
        if service.image.is_none() && service.build.is_some() {
            service.image = Some(Spanned::new(format!("{}-{key}", identity.name), service.span));
        }
    }
    let names: BTreeSet<ServiceName> = services.keys().cloned().collect();
    for service in services.values_mut() {
        service.depends_on.retain(|name, _| names.contains(name));
    }
    let mut networks = IndexMap::new();
    for (key, entry) in tree::section(tree, "networks") {
        if let Ok(key) = key.parse::<crate::name::NetworkKey>() {
            let network = network::network(key.clone(), entry.key, &entry.value, findings);
            networks.insert(key.clone(), Network { trunk: trunks::carrying(tree, key.as_str()), ..network });
        }
    }
    let mut volumes = IndexMap::new();
    for (key, entry) in tree::section(tree, "volumes") {
        if let Ok(key) = key.parse::<crate::name::VolumeKey>() {
            volumes.insert(key.clone(), network::volume(key, entry.key, &entry.value, findings));
        }
    }
    let declared = identity.networks.iter().map(String::as_str);
    let rules = extension::rules(tree, identity.inactive.iter().map(ServiceName::as_str), declared, findings);
    let Identity { name, named_by, working_dir, files, env_files, inactive, .. } = identity;
    let tree = tree.clone();
    Project {
        name,
        named_by,
        working_dir,
        files,
        env_files,
        services,
        bases: IndexMap::new(),
        inactive,
        networks,
        volumes,
        rules,
        hosts: None,
        tree,
    }
}

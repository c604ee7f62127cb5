//! `env_file` and `label_file`: files of variables and labels, which `environment` and `labels` go before.

use std::path::Path;

use super::dotenv::{self, Format};
use super::environment::Environment;
use super::sources::{Asked, Sources};
use crate::compose::tree::{is_true, items, section, set, text};
use crate::finding::{Code, Finding, Findings};
use crate::yaml::{Mapping, Node};

/// Works a service's environment files into its `environment`. Variables within them are looked up in the project's
/// environment, then in the service's own, then in what the files said before.
pub(super) fn environment(
    service: &mut Node,
    name: &str,
    project: &Environment,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    if items(service, "env_file").is_empty() {
        return;
    }
    let own = section(service, "environment").filter_map(|(key, entry)| Some((&**key, entry.value.as_str()?)));
    let own: Environment = own.collect();
    let mut read = Environment::new();
    for file in items(service, "env_file") {
        let format = match text(file, "format") {
            None => Format::Compose,
            Some("raw") => Format::Raw,
            Some(other) => {
                let at = file.get("format").map_or(file.span, |f| f.span);
                let message = format!("services.{name}.env_file: there is no format `{other}`");
                findings.push(Finding::error(Code::BadValue, message).at(at).help("write `raw`, or leave it out"));
                continue;
            }
        };
        let Some(path) = text(file, "path").map(Path::new) else {
            if is_true(file, "required") {
                let at = file.get("path").map_or(file.span, |path| path.span);
                let finding = Finding::error(Code::MissingKey, format!("services.{name}.env_file names no file"));
                findings.push(finding.at(at).help("write its path, or take the line out"));
            }
            continue;
        };
        let asked = Asked { what: "the environment file", at: file.get("path").map(|p| p.span) };
        let id = if is_true(file, "required") {
            sources.read(path, asked, findings)
        } else {
            sources.read_optional(path, asked, findings)
        };
        if let Some(id) = id {
            dotenv::read_into(&mut read, sources.files(), id, format, &[project, &own], findings);
        }
    }
    under(service, "environment", &read);
}

/// Works a service's label files into its `labels`.
pub(super) fn labels(service: &mut Node, sources: &mut Sources, findings: &mut Findings) {
    let mut read = Environment::new();
    for file in items(service, "label_file") {
        let Some(path) = file.as_str().map(Path::new) else { continue };
        let asked = Asked { what: "the label file", at: Some(file.span) };
        if let Some(id) = sources.read(path, asked, findings) {
            dotenv::read_into(&mut read, sources.files(), id, Format::Compose, &[], findings);
        }
    }
    under(service, "labels", &read);
}

/// Puts what files said under a mapping of the service, which goes before it.
fn under(service: &mut Node, key: &str, read: &Environment) {
    if read.iter().next().is_none() {
        return;
    }
    let mut whole = Mapping::new();
    for (name, variable) in read.iter() {
        let at = variable.origin.unwrap_or(service.span);
        whole.insert(name, at, Node::str(at, variable.value.as_str()));
    }
    for (name, entry) in section(service, key) {
        whole.insert(name.clone(), entry.key, entry.value.clone());
    }
    set(service, key, |at| Node::map(at, whole));
}

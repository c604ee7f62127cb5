//! `include`: another project, read with its own directory and environment, whose services and resources join this one.

use std::path::{Path, PathBuf};

use super::gather;
use super::load::{Loader, Scope};
use super::sources::Asked;
use crate::compose::resolve;
use crate::compose::tree::{field_mut, items, section, set_default, text};
use crate::finding::{Code, Finding};
use crate::source::{FileId, Span};
use crate::yaml::{Mapping, Node};

/// How many times a project may include a file, and how many of them one inside the other.
const COUNT_LIMIT: usize = 1000;
const CHAIN_LIMIT: usize = 50;

/// The sections that are taken over.
const SECTIONS: &[&str] = &["services", "networks", "volumes", "configs", "secrets", "models"];

/// Loads what a canonical document includes, and puts it in.
pub(super) fn include(document: &mut Node, scope: &mut Scope<'_>, loader: &mut Loader<'_>) {
    let Some(entry) = document.as_map_mut().and_then(|map| map.remove("include")) else { return };
    for included in entry.value.as_seq().unwrap_or_default() {
        if let Some(tree) = load_included(included, scope, loader) {
            import(document, &tree, included.span, loader);
        }
    }
}

/// One included project: merged, defaults filled in, paths absolute, names not yet given.
fn load_included(included: &Node, scope: &mut Scope<'_>, loader: &mut Loader<'_>) -> Option<Node> {
    let paths: Vec<(PathBuf, Span)> = items(included, "path")
        .iter()
        .filter_map(|path| Some((resolve::clean(&scope.directory.join(path.as_str()?)), path.span)))
        .collect();
    let Some((first, at)) = paths.first().cloned() else {
        let finding = Finding::error(Code::BadInclude, "an `include` names no file").at(included.span);
        loader.findings.push(finding.help("write `- path/to/compose.yaml`"));
        return None;
    };
    if let Some(start) = scope.chain.iter().position(|(path, _)| *path == first) {
        loader.findings.push(circle(&scope.chain[start..], &first, at, loader));
        return None;
    }
    loader.included += 1;
    if loader.included > COUNT_LIMIT || scope.chain.len() > CHAIN_LIMIT {
        loader.findings.push(too_many(at));
        return None;
    }
    let directory = match text(included, "project_directory") {
        Some(directory) => resolve::clean(&scope.directory.join(directory)),
        None => first.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    let start = start_of_paths(included, &directory, loader);
    let mut environment = scope.environment.clone();
    let env_files = env_files(included, &directory, scope);
    for (path, at) in env_files {
        let asked = Asked { what: "the environment file", at };
        gather::read_env_files(loader.sources, &[path], asked, &mut environment, loader.findings);
    }
    let asked = |at| Asked { what: "the included file", at: Some(at) };
    let files: Vec<FileId> =
        paths.iter().filter_map(|(path, at)| loader.sources.read(path, asked(*at), loader.findings)).collect();
    if files.len() < paths.len() {
        return None;
    }
    let mut chain = scope.chain.clone();
    chain.push((first, at));
    let mut inner = Scope { parent: Some(scope.directory.clone()), ..Scope::new(&environment, start, chain) };
    loader.model(&files, &mut inner)
}

/// Where relative paths of an included project start: its directory, or where that is not there, as docker compose has
/// it, the one above.
fn start_of_paths(included: &Node, directory: &Path, loader: &mut Loader<'_>) -> PathBuf {
    if directory.is_dir() {
        return directory.to_path_buf();
    }
    let start = directory.parent().unwrap_or(directory).to_path_buf();
    if let Some(named) = included.get("project_directory") {
        let shown = loader.sources.shown(directory);
        let message = format!("the project directory {shown} is not there");
        let help = format!("make it; until then relative paths start from {}", start.display());
        loader.findings.push(Finding::warning(Code::FileNotFound, message).at(named.span).help(help));
    }
    start
}

/// The environment files that an include names; `.env` beside it where it names none. The later one wins, so it comes
/// first.
fn env_files(included: &Node, directory: &Path, scope: &Scope<'_>) -> Vec<(PathBuf, Option<Span>)> {
    let named = items(included, "env_file");
    let mut files: Vec<(PathBuf, Option<Span>)> = named
        .iter()
        .filter_map(|file| Some((resolve::clean(&scope.directory.join(file.as_str()?)), Some(file.span))))
        .collect();
    files.reverse();
    let default = directory.join(".env");
    if named.is_empty() && default.is_file() {
        files.push((default, None));
    }
    files
}

/// Puts services and resources in; what the document has already must be the same.
fn import(document: &mut Node, tree: &Node, at: Span, loader: &mut Loader<'_>) {
    for kind in SECTIONS {
        if tree.get(kind).and_then(Node::as_map).is_none_or(Mapping::is_empty) {
            continue;
        }
        set_default(document, kind, |_| Node::map(at, Mapping::new()));
        let Some(into) = field_mut(document, kind) else { continue };
        if into.is_null() {
            *into = Node::map(at, Mapping::new());
        }
        for (name, entry) in section(tree, kind) {
            match into.get(name) {
                Some(own) if !same(own, &entry.value) => {
                    let message = format!("{kind}.{name} is defined here and in what is included");
                    let finding = Finding::error(Code::BadInclude, message).at(own.span);
                    let finding = finding.also(entry.key, "defined here as well").also(at, "included here");
                    let help =
                        "rename one of them; or change what is included by a second path: `path: [a.yaml, mine.yaml]`";
                    loader.findings.push(finding.help(help));
                }
                Some(_) => {}
                None => {
                    if let Some(map) = into.as_map_mut() {
                        map.insert(name.clone(), entry.key, entry.value.clone());
                    }
                }
            }
        }
    }
}

/// Whether two definitions say the same; nothing and an empty mapping do.
fn same(a: &Node, b: &Node) -> bool {
    let empty = |node: &Node| node.is_null() || node.as_map().is_some_and(Mapping::is_empty);
    a == b || empty(a) && empty(b)
}

fn too_many(at: Span) -> Finding {
    let message = format!("more than {COUNT_LIMIT} files are included, or {CHAIN_LIMIT} one inside the other");
    let help = "files that include one file twice each multiply; include it once, further up";
    Finding::error(Code::BadInclude, message).at(at).help(help)
}

fn circle(chain: &[(PathBuf, Span)], again: &Path, at: Span, loader: &Loader<'_>) -> Finding {
    let names: Vec<String> =
        chain.iter().map(|(path, _)| path.as_path()).chain([again]).map(|path| loader.sources.shown(path)).collect();
    let message = format!("files include each other in a circle: {}", names.join(" -> "));
    let mut finding = Finding::error(Code::BadInclude, message).at(at);
    for (path, at) in chain.iter().skip(1) {
        finding = finding.also(*at, format!("{} is included here", loader.sources.shown(path)));
    }
    finding.help("take one of these `include` out")
}

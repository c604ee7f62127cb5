//! `extends`: a service starts from another one, of the same file or of another, which may itself start from a third.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::load::{Loader, Scope};
use super::sources::Asked;
use crate::compose::attributes::Place;
use crate::compose::merge;
use crate::compose::resolve::{self, Base};
use crate::compose::trail::Trail;
use crate::compose::tree::{field_mut, section, text};
use crate::compose::{canonical, cast, validate};
use crate::finding::{Code, Finding, Severity, nearest};
use crate::source::Span;
use crate::yaml::{Entry, Mapping, Node, Text};

/// A file that services are taken from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    /// Its path; none for standard input and for texts of tests.
    path: Option<PathBuf>,
    /// Where its own `extends.file` start from.
    directory: PathBuf,
    /// Whether its services have been checked and made canonical already.
    is_canonical: bool,
}

/// How many services may extend each other one after the other. Real ones are three or four.
const CHAIN_LIMIT: usize = 100;

/// A service on the way from the one that extends to the last one that is extended.
type Link = (Option<PathBuf>, String, Span);

/// A service with all that it extends.
#[derive(Clone)]
struct Complete {
    service: Node,
    /// How many it extends, one after the other.
    chain: usize,
}

/// What has been walked.
#[derive(Default)]
struct Walk {
    /// From the service that extends to where the walk stands.
    way: Vec<Link>,
    /// Services by where they stand and name; none where one cannot be complete.
    known: BTreeMap<(Origin, String), Option<Complete>>,
}

/// Replaces every service of a canonical document that extends another by what both say.
pub(super) fn extend(document: &mut Node, path: Option<&Path>, scope: &mut Scope<'_>, loader: &mut Loader<'_>) {
    let extends = |entry: &Entry| entry.value.get("extends").is_some();
    let services = document.get("services").and_then(Node::as_map);
    let Some(services) = services.filter(|all| all.iter().any(|(_, entry)| extends(entry))).cloned() else { return };
    let origin = Origin { path: path.map(Path::to_path_buf), directory: scope.directory.clone(), is_canonical: true };
    let extending = services.iter().filter(|(_, entry)| extends(entry));
    let mut done: Vec<(Text, Node)> = vec![];
    let mut walk = Walk::default();
    for (name, _) in extending {
        if let Some(complete) = extended(&services, name, &origin, scope, loader, &mut walk) {
            done.push((name.clone(), complete.service));
        }
    }
    let Some(services) = field_mut(document, "services").and_then(Node::as_map_mut) else { return };
    for (name, service) in done {
        if let Some(slot) = services.get_mut(&name) {
            *slot = service;
        }
    }
}

/// A service made complete, once; none where it is not there or cannot be.
fn extended(
    services: &Mapping,
    name: &str,
    origin: &Origin,
    scope: &mut Scope<'_>,
    loader: &mut Loader<'_>,
    walk: &mut Walk,
) -> Option<Complete> {
    let key = (origin.clone(), name.to_owned());
    if let Some(known) = walk.known.get(&key) {
        return known.clone();
    }
    let complete = complete(services, name, origin, scope, loader, walk);
    walk.known.insert(key, complete.clone());
    complete
}

fn complete(
    services: &Mapping,
    name: &str,
    origin: &Origin,
    scope: &mut Scope<'_>,
    loader: &mut Loader<'_>,
    walk: &mut Walk,
) -> Option<Complete> {
    let entry = services.0.get(name)?;
    let mut service = entry.value.clone();
    if !origin.is_canonical {
        prepare(&mut service, name, loader);
    }
    let Some(extends) = service.get("extends").filter(|e| e.as_map().is_some()).cloned() else {
        return Some(Complete { service, chain: 0 });
    };
    let place = extends.get("service").map_or(extends.span, |s| s.span);
    let here: Link = (origin.path.clone(), name.to_owned(), place);
    if walk.way.iter().any(|(path, service, _)| (path, service) == (&here.0, &here.1)) {
        let mut members: Vec<String> = walk.way.iter().map(|(_, name, _)| name.clone()).collect();
        members.sort();
        if !scope.circles.contains(&members) {
            loader.findings.push(circle(&walk.way, &here));
            scope.circles.push(members);
        }
        return None;
    }
    if walk.way.len() > CHAIN_LIMIT {
        loader.findings.push(too_long(name, place));
        return None;
    }
    walk.way.push(here);
    let base = base(services, &extends, name, origin, scope, loader, walk);
    walk.way.pop();
    let Complete { service: base, chain } = base?;
    if base.is_null() {
        return Some(Complete { service, chain });
    }
    if chain >= CHAIN_LIMIT {
        loader.findings.push(too_long(name, place));
        return None;
    }
    if loader.budget.is_spent() {
        return None;
    }
    let weight = base.weight();
    if !loader.budget.take(weight) {
        loader.findings.push(too_much(name, weight, place));
        return None;
    }
    if let Some(map) = service.as_map_mut() {
        map.remove("extends");
    }
    let service = merge::merge(Some(base), service, Place::of("services.*"))?;
    Some(Complete { service, chain: chain + 1 })
}

fn too_much(name: &str, weight: usize, at: Span) -> Finding {
    let message =
        format!("services.{name} extends one of {weight} values: with these there are more than a stack can have");
    Finding::error(Code::YamlBudget, message)
        .at(at)
        .help("services that extend long ones multiply; extend what is needed")
}

fn too_long(name: &str, at: Span) -> Finding {
    let message = format!("services.{name} extends more than {CHAIN_LIMIT} services, one after the other");
    Finding::error(Code::BadExtends, message).at(at).help("say in one service what all of them have in common")
}

/// The service that is extended, complete, its paths seen from the project.
fn base(
    services: &Mapping,
    extends: &Node,
    name: &str,
    origin: &Origin,
    scope: &mut Scope<'_>,
    loader: &mut Loader<'_>,
    walk: &mut Walk,
) -> Option<Complete> {
    let wanted = text(extends, "service")?.to_owned();
    let at = extends.get("service").map_or(extends.span, |s| s.span);
    let Some(file) = text(extends, "file") else {
        if services.get(&wanted).is_none() {
            not_there(services, &wanted, at, name, None, loader);
            return None;
        }
        return extended(services, &wanted, origin, scope, loader, walk);
    };
    let file_at = extends.get("file").map_or(at, |f| f.span);
    let path = resolve::clean(&origin.directory.join(file));
    let tree = other_file(&path, file_at, scope, loader)?;
    let others = tree.get("services").and_then(Node::as_map).cloned().unwrap_or_default();
    if others.get(&wanted).is_none() {
        not_there(&others, &wanted, at, name, Some(&path), loader);
        return None;
    }
    let directory = path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let other = Origin { path: Some(path), directory: directory.clone(), is_canonical: false };
    let mut base = extended(&others, &wanted, &other, scope, loader, walk)?;
    let seen_from = loader.seen_from(&directory, &origin.directory);
    resolve::service_paths(&mut base.service, &Base { directory: &seen_from, home: loader.home.as_deref() });
    Some(base)
}

/// Another file, interpolated and cast, read once for all services of a project that extend from it.
fn other_file(path: &Path, at: Span, scope: &mut Scope<'_>, loader: &mut Loader<'_>) -> Option<Node> {
    if let Some(known) = scope.extended_files.get(path) {
        return known.clone();
    }
    let asked = Asked { what: "the file to extend from", at: Some(at) };
    let id = loader.sources.read(path, asked, loader.findings);
    let tree = id.and_then(|id| {
        let mut whole = None;
        for mut document in loader.documents(id) {
            loader.interpolate(&mut document, scope);
            cast::cast(&mut document, loader.findings);
            whole = match whole {
                None => Some(document),
                whole => merge::merge(whole, document, Place::UNKNOWN),
            };
        }
        whole
    });
    scope.extended_files.insert(path.to_path_buf(), tree.clone());
    tree
}

/// Structure and canonical form of one service of another file; the rest of that file is nobody's concern here.
fn prepare(service: &mut Node, name: &str, loader: &mut Loader<'_>) {
    let (place, mut trail) = (Place::of("services.*"), Trail::of(&["services", name]));
    validate::structure_at(service, place, &mut trail, loader.findings);
    let variables = loader.variables();
    canonical::canonical_at(service, place, &mut trail, variables, &mut loader.budget, loader.findings);
}

fn not_there(services: &Mapping, wanted: &str, at: Span, name: &str, file: Option<&Path>, loader: &mut Loader<'_>) {
    if loader.findings.is_full(Severity::Error) {
        return;
    }
    let place = file.map_or("this file".to_owned(), |file| loader.sources.shown(file));
    let message = format!("services.{name} extends `{wanted}`, and {place} has no such service");
    let finding = Finding::error(Code::BadExtends, message).at(at);
    let names = || services.iter().map(|(key, _)| &**key);
    loader.findings.push(match nearest(wanted, names()) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")),
        None if services.is_empty() => finding.help("it defines no services"),
        None if services.len() <= 12 => {
            finding.help(format!("its services are: {}", names().collect::<Vec<_>>().join(", ")))
        }
        None => finding.help("name one of its services; for one of another file add `file: …`"),
    });
}

fn circle(way: &[Link], here: &Link) -> Finding {
    let start = way.iter().position(|(path, name, _)| (path, name) == (&here.0, &here.1)).unwrap_or(0);
    let names: Vec<&str> = way[start..].iter().chain([here]).map(|(_, name, _)| name.as_str()).collect();
    let message = format!("services extend each other in a circle: {}", names.join(" -> "));
    let mut finding = Finding::error(Code::BadExtends, message).at(way[start].2);
    for (_, name, at) in &way[start + 1..] {
        finding = finding.also(*at, format!("{name} goes on here"));
    }
    finding.help("take one of these `extends` out")
}

/// Takes out of what earlier files said what a document's services reset, before their `extends` are worked in.
pub(super) fn clear_resets(earlier: &mut Node, document: &Node) {
    for (name, entry) in section(document, "services").filter(|(_, entry)| entry.value.get("extends").is_some()) {
        if let Some(service) = field_mut(earlier, "services").and_then(|services| field_mut(services, name)) {
            merge::clear(service, &entry.value);
        }
    }
}

//! `extends`: a service starts from another one, of the same file or of another, which may itself start from a third.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::load::{Loader, Scope};
use super::sources::Asked;
use crate::compose::attributes::Place;
use crate::compose::merge;
use crate::compose::resolve::{self, Base};
use crate::compose::trail::Trail;
use crate::compose::tree::{field_mut, section, text};
use crate::compose::{canonical, cast, validate};
use crate::finding::{Code, Finding, nearest};
use crate::source::Span;
use crate::yaml::{Mapping, Node};

/// A file that services are taken from.
struct Origin {
    /// Its path; none for standard input and for texts of tests.
    path: Option<PathBuf>,
    /// Where its own `extends.file` start from.
    directory: PathBuf,
    /// Whether its services have been checked and made canonical already.
    is_canonical: bool,
}

/// A service on the way from the one that extends to the last one that is extended.
type Link = (Option<PathBuf>, String, Span);

/// Replaces every service of a canonical document that extends another by what both say.
pub(super) fn extend(document: &mut Node, path: Option<&Path>, scope: &mut Scope<'_>, loader: &mut Loader<'_>) {
    let Some(services) = document.get("services").and_then(Node::as_map).cloned() else { return };
    let origin = Origin { path: path.map(Path::to_path_buf), directory: scope.directory.clone(), is_canonical: true };
    let extending = services.iter().filter(|(_, entry)| entry.value.get("extends").is_some());
    let mut done: Vec<(Rc<str>, Node)> = vec![];
    for (name, _) in extending {
        let mut way = vec![];
        if let Some(service) = extended(&services, name, &origin, scope, loader, &mut way) {
            done.push((name.clone(), service));
        }
    }
    let Some(services) = field_mut(document, "services").and_then(Node::as_map_mut) else { return };
    for (name, service) in done {
        if let Some(slot) = services.get_mut(&name) {
            *slot = service;
        }
    }
}

/// A service with all that it extends; none where it is not there or cannot be.
fn extended(
    services: &Mapping,
    name: &str,
    origin: &Origin,
    scope: &mut Scope<'_>,
    loader: &mut Loader<'_>,
    way: &mut Vec<Link>,
) -> Option<Node> {
    let entry = services.0.get(name)?;
    let mut service = entry.value.clone();
    if !origin.is_canonical {
        prepare(&mut service, name, loader);
    }
    let Some(extends) = service.get("extends").filter(|e| e.as_map().is_some()).cloned() else { return Some(service) };
    let place = extends.get("service").map_or(extends.span, |s| s.span);
    let here: Link = (origin.path.clone(), name.to_owned(), place);
    if way.iter().any(|(path, service, _)| (path, service) == (&here.0, &here.1)) {
        let mut members: Vec<String> = way.iter().map(|(_, name, _)| name.clone()).collect();
        members.sort();
        if !scope.circles.contains(&members) {
            loader.findings.push(circle(way, &here));
            scope.circles.push(members);
        }
        return None;
    }
    way.push(here);
    let base = base(services, &extends, name, origin, scope, loader, way);
    way.pop();
    let base = base?;
    if base.is_null() {
        return Some(service);
    }
    if let Some(map) = service.as_map_mut() {
        map.remove("extends");
    }
    merge::merge(Some(base), service, Place::of("services.*"))
}

/// The service that is extended, complete, its paths seen from the project.
fn base(
    services: &Mapping,
    extends: &Node,
    name: &str,
    origin: &Origin,
    scope: &mut Scope<'_>,
    loader: &mut Loader<'_>,
    way: &mut Vec<Link>,
) -> Option<Node> {
    let wanted = text(extends, "service")?.to_owned();
    let at = extends.get("service").map_or(extends.span, |s| s.span);
    let Some(file) = text(extends, "file") else {
        if services.get(&wanted).is_none() {
            loader.findings.push(not_there(services, &wanted, at, name, None));
            return None;
        }
        return extended(services, &wanted, origin, scope, loader, way);
    };
    let file_at = extends.get("file").map_or(at, |f| f.span);
    let path = resolve::clean(&origin.directory.join(file));
    let tree = other_file(&path, file_at, scope, loader)?;
    let others = tree.get("services").and_then(Node::as_map).cloned().unwrap_or_default();
    if others.get(&wanted).is_none() {
        loader.findings.push(not_there(&others, &wanted, at, name, Some(&loader.sources.shown(&path))));
        return None;
    }
    let directory = path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let other = Origin { path: Some(path), directory: directory.clone(), is_canonical: false };
    let mut base = extended(&others, &wanted, &other, scope, loader, way)?;
    let seen_from = loader.seen_from(&directory, &origin.directory);
    resolve::service_paths(&mut base, &Base { directory: &seen_from, home: loader.home.as_deref() });
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
    canonical::canonical_at(service, place, &mut trail, loader.variables(), loader.findings);
}

fn not_there(services: &Mapping, wanted: &str, at: Span, name: &str, file: Option<&str>) -> Finding {
    let place = file.map_or("this file".to_owned(), |file| file.to_owned());
    let message = format!("services.{name} extends `{wanted}`, and {place} has no such service");
    let finding = Finding::error(Code::BadExtends, message).at(at);
    let names: Vec<&str> = services.iter().map(|(key, _)| &**key).collect();
    match nearest(wanted, names.iter().copied()) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")),
        None if names.is_empty() => finding.help("it defines no services"),
        None if names.len() <= 12 => finding.help(format!("its services are: {}", names.join(", "))),
        None => finding.help("name one of its services; for one of another file add `file: …`"),
    }
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

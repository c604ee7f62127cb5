//! The configs and secrets of a service, with what the top level says of them.

use std::path::PathBuf;

use crate::compose::environment::Environment;
use crate::compose::model::{Bytes, FileContent, FileKind, FileOwner, ServiceFile};
use crate::compose::tree;
use crate::source::Spanned;
use crate::yaml::Node;

/// Both kinds, configs first.
pub(super) fn files(tree: &Node, service: &Node, environment: &Environment) -> Vec<Spanned<ServiceFile>> {
    let of = |kind: FileKind| {
        let entries = tree::items(service, kind.section()).iter();
        entries.filter_map(move |node| Some(Spanned::new(file(tree, node, kind, environment)?, node.span)))
    };
    of(FileKind::Config).chain(of(FileKind::Secret)).collect()
}

fn file(tree: &Node, node: &Node, kind: FileKind, environment: &Environment) -> Option<ServiceFile> {
    let word = |key: &str| node.get(key).and_then(Node::as_scalar).map(|s| s.value.text().into_owned());
    let source = word("source")?;
    let directory = if kind == FileKind::Config { "" } else { "/run/secrets" };
    let target = match word("target").filter(|target| !target.is_empty()) {
        Some(path) if path.starts_with('/') => path,
        Some(name) => format!("{directory}/{name}"),
        None => format!("{directory}/{source}"),
    };
    let number = |key| word(key).and_then(|text| text.parse().ok());
    let mode = word("mode").and_then(|text| u32::from_str_radix(text.trim_start_matches("0o"), 8).ok());
    let content = content(tree, kind, &source, environment)?;
    Some(ServiceFile {
        kind,
        source,
        target,
        content,
        owner: FileOwner { user: number("uid"), group: number("gid"), mode },
    })
}

/// Where the config or secret of this key comes from; none where the top level has none such.
pub(super) fn content(tree: &Node, kind: FileKind, source: &str, environment: &Environment) -> Option<FileContent> {
    let definition = tree.get(kind.section())?.get(source)?;
    let text = |key| tree::text(definition, key);
    if let Some(path) = text("file") {
        return Some(FileContent::Path(PathBuf::from(path), None));
    }
    if let Some(content) = text("content") {
        return Some(FileContent::Text(Bytes::new(content.as_bytes())));
    }
    Some(match text("environment").map(|name| (name, environment.get(name))) {
        Some((_, Some(value))) => FileContent::Text(Bytes::new(value.as_bytes())),
        Some((name, None)) => FileContent::Unset(name.to_owned()),
        None => FileContent::Nowhere,
    })
}

/// The variable that a config or a secret is to be in.
pub(super) fn variable<'t>(tree: &'t Node, kind: FileKind, source: &str) -> Option<&'t str> {
    tree::text(tree.get(kind.section())?.get(source)?, "environment")
}

//! Short forms made long.

use std::path::Path;

use crate::compose::attributes::{Named, Short};
use crate::compose::resolve;
use crate::compose::value::{BadValue, device, port, volume};
use crate::source::Span;
use crate::yaml::{Mapping, Node, Pairs, Text};

/// The long form, or none where the node has it already.
///
/// # Errors
/// When the short form cannot be read.
pub(super) fn long(node: &Node, short: Short) -> Result<Option<Node>, BadValue> {
    let long = match (short, text(node)) {
        (Short::Key(key), Some(_)) => Some(keyed(node, key)),
        (Short::EnvFile, Some(_)) => Some(required(&keyed(node, "path"))),
        (Short::EnvFile, None) => Some(required(node)),
        (Short::Mount, Some(text)) => Some(mount(node, &text)?),
        (Short::Mount, None) => clean_target(node),
        (Short::Device, Some(text)) => Some(device(node, &text)?),
        (Short::Names(named), None) => names(node, named),
        (Short::Ssh, None) => ssh(node)?,
        _ => None,
    };
    Ok(long)
}

/// The text of a scalar, whatever its type; none for a list, a mapping and nothing.
pub(super) fn text(node: &Node) -> Option<String> {
    node.as_scalar().map(|s| s.value.text().into_owned())
}

/// A mapping at one place; values that are none are left out.
fn mapping<const N: usize>(at: Span, pairs: [(impl Into<Text>, Option<Node>); N]) -> Node {
    let mut mapping = Mapping(Pairs::with_capacity(pairs.iter().filter(|(_, value)| value.is_some()).count()));
    for (key, value) in pairs {
        if let Some(value) = value {
            mapping.insert(key, at, value);
        }
    }
    Node::map(at, mapping)
}

fn keyed(node: &Node, key: &str) -> Node {
    let mut value = node.clone();
    value.tag = None;
    mapping(node.span, [(key, Some(value))])
}

/// A mapping that says `required: true` where it says nothing of it.
fn required(node: &Node) -> Node {
    let mut node = node.clone();
    let span = node.span;
    if let Some(map) = node.as_map_mut().filter(|map| map.get("required").is_none()) {
        map.insert("required", span, Node::bool(span, true));
    }
    node
}

/// The ports that a scalar stands for: how many, and each. What they share is made once, because a range may be long.
///
/// # Errors
/// When it is no port.
pub(super) fn ports(node: &Node) -> Result<(usize, impl Iterator<Item = Node>), BadValue> {
    let short = port::parse(&text(node).unwrap_or_default())?;
    let span = node.span;
    let string = |text: &str| Node::str(span, text);
    let pattern = [
        ("mode", Some(string("ingress"))),
        ("host_ip", short.host_ip.as_deref().map(string)),
        ("target", Some(Node::null(span))),
        ("published", short.published.map(|_| Node::null(span))),
        ("protocol", Some(string(&short.protocol.to_string()))),
    ]
    .map(|(key, value)| (Text::from(key), value));
    let long = move |(target, published): (u16, Option<String>)| {
        let own = |key: &str, same: &Node| match key {
            "target" => Node::int(span, i64::from(target)),
            "published" => Node::str(span, published.as_deref().unwrap_or_default()),
            _ => same.clone(),
        };
        let pairs = pattern.each_ref().map(|(key, value)| (key.clone(), value.as_ref().map(|same| own(key, same))));
        mapping(span, pairs)
    };
    Ok((short.count(), short.each().map(long)))
}

fn mount(node: &Node, text: &str) -> Result<Node, BadValue> {
    let short = volume::parse(text)?;
    let string = |text: String| Node::str(node.span, text);
    let yes = || Node::bool(node.span, true);
    let kind = if short.is_bind { "bind" } else { "volume" };
    let bind = mapping(
        node.span,
        [
            ("selinux", short.selinux.map(|c| string(c.to_string()))),
            ("propagation", short.propagation.map(string)),
            ("create_host_path", short.is_bind.then(yes)),
        ],
    );
    let volume = mapping(node.span, [("nocopy", short.no_copy.then(yes))]);
    let has_bind = bind.as_map().is_some_and(|map| !map.is_empty());
    Ok(mapping(
        node.span,
        [
            ("type", Some(string(kind.into()))),
            ("source", short.source.map(string)),
            ("target", Some(string(short.target))),
            ("read_only", short.read_only.then(yes)),
            ("bind", has_bind.then_some(bind)),
            ("volume", (!short.is_bind && text.len() > 2).then_some(volume)),
        ],
    ))
}

/// A mount whose target is written without `.`, `..` and double slashes, as a short form's is.
fn clean_target(node: &Node) -> Option<Node> {
    let target = node.get("target")?;
    let clean = resolve::clean(Path::new(target.as_str()?));
    let clean = clean.to_string_lossy();
    let mut mount = (Some(&*clean) != target.as_str()).then(|| node.clone())?;
    *mount.as_map_mut()?.get_mut("target")? = Node::str(target.span, &*clean);
    Some(mount)
}

fn device(node: &Node, text: &str) -> Result<Node, BadValue> {
    let short = device::parse(text)?;
    let string = |text: String| Some(Node::str(node.span, text));
    let pairs = [("source", short.source), ("target", short.target), ("permissions", short.permissions)];
    Ok(mapping(node.span, pairs.map(|(key, text)| (key, string(text)))))
}

/// `gpus: all`.
pub(super) fn every_gpu(node: &Node) -> Node {
    Node::seq(node.span, vec![mapping(node.span, [("count", Some(Node::str(node.span, "all")))])])
}

/// A list of names as a mapping; of a mapping of dependencies, what its entries leave out.
fn names(node: &Node, named: Named) -> Option<Node> {
    if let Some(map) = node.as_map() {
        return (named == Named::Dependency).then(|| all_required(node, map));
    }
    let items = node.as_seq()?;
    let mut map = Mapping::new();
    for item in items {
        let value = match named {
            Named::Null => Node::null(item.span),
            Named::Dependency => mapping(
                item.span,
                [
                    ("condition", Some(Node::str(item.span, "service_started"))),
                    ("required", Some(Node::bool(item.span, true))),
                ],
            ),
        };
        map.insert(text(item)?, item.span, value);
    }
    Some(Node::map(node.span, map))
}

fn all_required(node: &Node, map: &Mapping) -> Node {
    let mut map = map.clone();
    for (_, entry) in map.0.iter_mut() {
        entry.value = required(&entry.value);
    }
    Node::map(node.span, map)
}

fn ssh(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(items) = node.as_seq() else { return Ok(None) };
    let mut map = Mapping::new();
    for item in items {
        let text = text(item).unwrap_or_default();
        match text.split_once('=') {
            Some((id, path)) => map.insert(id, item.span, Node::str(item.span, path)),
            None if text == "default" => map.insert("default", item.span, Node::null(item.span)),
            None => {
                return Err(BadValue {
                    message: format!("`{text}` is not a key for ssh: its path is missing"),
                    help: format!("write `{text}=path`, or `default` for the agent"),
                });
            }
        }
    }
    Ok(Some(Node::map(node.span, map)))
}

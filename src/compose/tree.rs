//! Short ways into the canonical tree, for the stages after merging.

use crate::source::Span;
use crate::yaml::{Entry, Mapping, Node, Text};

/// The entries of a section such as `services`; none where the file has no such section.
pub fn section<'t>(tree: &'t Node, name: &str) -> impl Iterator<Item = (&'t Text, &'t Entry)> {
    tree.get(name).and_then(Node::as_map).into_iter().flat_map(Mapping::iter)
}

/// The entries of a section, to change.
pub fn section_mut<'t>(tree: &'t mut Node, name: &str) -> impl Iterator<Item = (&'t Text, &'t mut Entry)> {
    field_mut(tree, name).and_then(Node::as_map_mut).into_iter().flat_map(|map| map.0.iter_mut())
}

/// The value under a key, to change.
pub fn field_mut<'t>(node: &'t mut Node, key: &str) -> Option<&'t mut Node> {
    node.get(key)?;
    node.as_map_mut()?.get_mut(key)
}

/// How many pairs a section has.
pub fn size(node: &Node, key: &str) -> usize {
    node.get(key).and_then(Node::as_map).map_or(0, Mapping::len)
}

/// The items of a list under a key; none where there is no list.
pub fn items<'t>(node: &'t Node, key: &str) -> &'t [Node] {
    node.get(key).and_then(Node::as_seq).unwrap_or_default()
}

/// The text under a key, where it is a string that says something.
pub fn text<'t>(node: &'t Node, key: &str) -> Option<&'t str> {
    node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// Whether a key is there with something under it.
pub fn has(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

/// Whether a key says `true`.
pub fn is_true(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool) == Some(true)
}

/// Adds a mapping of texts to the list under a key.
pub fn push(node: &mut Node, key: &str, fields: &[(&str, &str)], at: Span) {
    set_default(node, key, |span| Node::seq(span, vec![]));
    let mut map = Mapping::new();
    fields.iter().for_each(|(name, text)| map.insert(*name, at, Node::str(at, *text)));
    if let Some(items) = field_mut(node, key).and_then(Node::as_seq_mut) {
        items.push(Node::map(at, map));
    }
}

/// Sets a key of a mapping where it has none.
pub fn set_default(node: &mut Node, key: &str, value: impl FnOnce(Span) -> Node) {
    if node.get(key).is_none() {
        set(node, key, value);
    }
}

/// Sets a key of a mapping.
pub fn set(node: &mut Node, key: &str, value: impl FnOnce(Span) -> Node) {
    let span = node.span;
    if let Some(map) = node.as_map_mut() {
        map.insert(key, span, value(span));
    }
}

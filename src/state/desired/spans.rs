//! Where the attributes of a service are written.

use std::collections::BTreeMap;

use crate::name::ServiceName;
use crate::source::Span;
use crate::yaml::Node;

/// How deep attributes are told apart: `networks.front.aliases`.
const DEPTH: usize = 3;

/// The places of a service's attributes in the canonical tree, by path.
pub(super) fn of(tree: &Node, service: &ServiceName) -> BTreeMap<String, Span> {
    let mut spans = BTreeMap::new();
    if let Some(node) = tree.get("services").and_then(|services| services.get(service.as_str())) {
        collect(node, "", DEPTH, &mut spans);
    }
    spans
}

fn collect(node: &Node, path: &str, depth: usize, spans: &mut BTreeMap<String, Span>) {
    for (key, entry) in node.as_map().into_iter().flat_map(|map| map.iter()).filter(|_| depth > 0) {
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        collect(&entry.value, &path, depth - 1, spans);
        spans.insert(path, entry.key);
    }
}

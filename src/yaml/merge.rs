//! Merge keys: `<<: *base`, `<<: {…}` and `<<: [*first, *second]`, where the earlier wins and the mapping's own keys win
//! over all.

use super::node::{Data, Mapping, Node};
use crate::finding::{Code, Finding};
use crate::source::Span;

/// What a merge key brings, the mapping that wins first.
pub(super) struct Source(Vec<Node>);

/// The mappings under the merge key at `key`, or what is wrong with them.
pub(super) fn source(value: &Node, key: Span) -> Result<Source, Finding> {
    let wrong = |node: &Node, what: &str| {
        let finding = Finding::error(Code::BadMerge, format!("`<<` takes a mapping or a list of mappings, not {what}"))
            .at(key)
            .help("anchor a mapping with `&name` and write `<<: *name`, or `<<: [*first, *second]`");
        finding.also(node.span, format!("this is {}", node.kind()))
    };
    match &value.data {
        Data::Map(_) => Ok(Source(vec![value.clone()])),
        Data::Seq(items) => match items.iter().find(|i| i.as_map().is_none()) {
            None => Ok(Source(items.to_vec())),
            Some(item) => Err(wrong(item, &format!("a list with {} in it", item.kind()))),
        },
        _ => Err(wrong(value, value.kind())),
    }
}

/// Adds to a mapping what it does not have itself, after its own keys.
pub(super) fn into(mapping: &mut Mapping, source: &Source) {
    for node in &source.0 {
        let Some(other) = node.as_map() else { continue };
        mapping.0.reserve(other.iter().filter(|(key, _)| mapping.get(key).is_none()).count());
        for (key, entry) in other.iter() {
            if mapping.get(key).is_none() {
                mapping.0.insert(key.clone(), entry.clone());
            }
        }
    }
}

//! One file over another (Compose Specification, "Merge"): by the table's rules, on canonical trees.
//!
//! `!reset` deletes what earlier files said, `!override` replaces it; both are gone from the result.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::compose::attributes::{Key, Merge, Place};
use crate::yaml::{Data, Entry, Node, Tag, Text, Value};

/// Lays `over` upon `base` at a place. None: nothing is left.
pub fn merge(base: Option<Node>, over: Node, place: Place) -> Option<Node> {
    match (over.tag, base) {
        (Some(Tag::Reset), _) => None,
        (Some(Tag::Override), _) | (None, None) => Some(fresh(over, place)),
        (None, Some(base)) => join(base, over, place),
    }
}

/// Joins two values by the rule of their place.
fn join(base: Node, over: Node, place: Place) -> Option<Node> {
    let rule = place.attribute().map_or(Merge::Join, |a| a.merge);
    if rule == Merge::Replace {
        return Some(fresh(over, place));
    }
    if over.is_null() {
        return Some(base);
    }
    let logging_differs = rule == Merge::Logging && drivers_differ(&base, &over);
    let (base, over) = alike(base, over, rule);
    match (&base.data, &over.data) {
        (Data::Map(_), Data::Map(_)) if !logging_differs => Some(join_maps(base, over, place, rule)),
        (Data::Seq(_), Data::Seq(_)) => Some(join_lists(base, over, place, rule)),
        _ => Some(fresh(over, place)),
    }
}

/// Where variables were not replaced, one file may have a list and another a mapping or a text: both as lists.
fn alike(base: Node, over: Node, rule: Merge) -> (Node, Node) {
    let takes_both = matches!(rule, Merge::Pairs | Merge::Hosts | Merge::Unique(_));
    let same = std::mem::discriminant(&base.data) == std::mem::discriminant(&over.data);
    if !takes_both || same && base.as_scalar().is_none() {
        return (base, over);
    }
    (as_list(base), as_list(over))
}

/// A mapping as a list of `NAME=value`, a text as a list of itself.
fn as_list(node: Node) -> Node {
    if node.as_scalar().is_some() {
        return Node::seq(node.span, vec![Node { tag: None, ..node }]);
    }
    let Some(map) = node.as_map() else { return node };
    let pair = |(name, entry): (&Text, &Entry)| {
        let value = entry.value.as_scalar().map(|scalar| format!("{name}={}", scalar.value));
        Node { tag: entry.value.tag, ..Node::str(entry.key, value.unwrap_or_else(|| name.to_string())) }
    };
    Node::seq(node.span, map.iter().map(pair).collect())
}

fn join_maps(mut base: Node, over: Node, place: Place, rule: Merge) -> Node {
    let Data::Map(over) = over.data else { return base };
    let Some(into) = base.as_map_mut() else { return base };
    for (key, Entry { key: at, value }) in Rc::unwrap_or_clone(over).0 {
        let below = place.key(&key);
        let old = if rule == Merge::Pairs { None } else { into.get_mut(&key).map(take) };
        match merge(old, value, below) {
            Some(joined) => match into.get_mut(&key) {
                Some(slot) => *slot = joined,
                None => into.insert(key, at, joined),
            },
            None => drop(into.remove(&key)),
        }
    }
    base
}

fn join_lists(mut base: Node, over: Node, place: Place, rule: Merge) -> Node {
    let Some(over) = fresh(over, place).as_seq_mut().map(std::mem::take) else { return base };
    let Some(items) = base.as_seq_mut() else { return base };
    match rule {
        Merge::Pools => *items = join_pools(std::mem::take(items), over, place.item()),
        Merge::Unique(key) => {
            items.extend(over);
            unify(items, key);
        }
        Merge::Pairs => {
            items.extend(over);
            unify(items, Key::Text);
        }
        _ if rule == Merge::Hosts || place.attribute().is_some_and(|a| a.distinct) => {
            let known: BTreeSet<Text> = items.iter().filter_map(said).collect();
            items.extend(over.into_iter().filter(|item| said(item).is_none_or(|text| !known.contains(&text))));
        }
        _ => items.extend(over),
    }
    base
}

/// Takes out of `base` what `over` resets or overrides.
pub fn clear(base: &mut Node, over: &Node) {
    let (Some(_), Some(said)) = (base.as_map(), over.as_map()) else { return };
    let Some(into) = base.as_map_mut() else { return };
    for (key, entry) in said.iter() {
        if entry.value.tag.is_some() {
            into.remove(key);
        } else if let Some(below) = into.get_mut(key) {
            clear(below, &entry.value);
        }
    }
}

fn take(slot: &mut Node) -> Node {
    std::mem::replace(slot, Node::null(slot.span))
}

/// What a scalar says, as text: not how it is written, because a variable may stand there.
fn said(node: &Node) -> Option<Text> {
    node.as_scalar().map(|scalar| match &scalar.value {
        Value::Str(text) => text.clone(),
        value => value.to_string().into(),
    })
}

/// The later file's pools, each upon the earlier one of the same subnet.
fn join_pools(base: Vec<Node>, over: Vec<Node>, place: Place) -> Vec<Node> {
    let subnet = |pool: &Node| pool.get("subnet").and_then(said);
    let mut known: BTreeMap<Option<Text>, Node> = BTreeMap::new();
    for pool in base {
        known.entry(subnet(&pool)).or_insert(pool);
    }
    let join = |pool: Node| merge(known.get(&subnet(&pool)).cloned(), pool, place);
    over.into_iter().filter_map(join).collect()
}

/// A value with nothing below it: tags do their work, lists say each thing once.
fn fresh(mut node: Node, place: Place) -> Node {
    freshen(&mut node, place);
    node
}

/// In place, and without a copy of the scalars that other trees share.
fn freshen(node: &mut Node, place: Place) {
    node.tag = None;
    // where a scalar stands makes no difference, and most values are one
    let keep = |node: &mut Node, place: &dyn Fn() -> Place| {
        let stays = node.tag != Some(Tag::Reset);
        if stays && matches!(node.data, Data::Map(_) | Data::Seq(_)) {
            freshen(node, place());
        } else {
            node.tag = None;
        }
        stays
    };
    match &mut node.data {
        Data::Map(map) => Rc::make_mut(map).0.retain(|key, entry| keep(&mut entry.value, &|| place.key(key))),
        Data::Seq(items) => {
            let items = Rc::make_mut(items);
            items.retain_mut(|item| keep(item, &|| place.item()));
            if let Some(Merge::Unique(key)) = place.attribute().map(|a| a.merge) {
                unify(items, key);
            }
        }
        _ => {}
    }
}

/// Leaves one of the items with the same key: the last, where the first one stood.
fn unify(items: &mut Vec<Node>, key: Key) {
    if items.len() < 2 {
        return;
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let next = kept.len();
        let place = key_of(&item, key).map_or(next, |key| *places.entry(key).or_insert(next));
        match kept.get_mut(place) {
            Some(slot) => *slot = item,
            None => kept.push(item),
        }
    }
    *items = kept;
}

/// What tells an item from others; None where the item has no such thing.
fn key_of(item: &Node, key: Key) -> Option<String> {
    let field = |name: &str| item.get(name).and_then(said).map(|text| text.to_string());
    match key {
        Key::Text => said(item).map(|text| text.split('=').next().unwrap_or_default().to_owned()),
        Key::Target => field("target"),
        Key::Path => field("path"),
        Key::MountedFile(directory) => field("target").or_else(|| Some(format!("{directory}/{}", field("source")?))),
        Key::Port => {
            let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
            let address = or(field("host_ip").filter(|ip| !ip.is_empty()), "0.0.0.0");
            let protocol = or(field("protocol"), "tcp");
            Some(format!("{address}:{}:{}/{protocol}", or(field("published"), ""), field("target")?))
        }
    }
}

fn drivers_differ(base: &Node, over: &Node) -> bool {
    matches!((base.get("driver"), over.get("driver")), (Some(base), Some(over)) if base != over)
}

//! Structure: which keys there are, which shapes their values have. Everything that is wrong is found at once.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::compose::attributes::{Accepts, Attribute, Form, Place};
use crate::compose::trail::Trail;
use crate::finding::{Code, Finding, Findings, nearest};
use crate::source::Span;
use crate::yaml::{Data, Mapping, Node, Scalar, Value};

/// Checks keys and shapes of one file, before its short forms are made long. What is wrong is found, and taken out so
/// that later stages need not look at it again.
///
/// `null` is let pass where a later file may still say more; [`completeness`] looks at it once all files are merged.
pub fn structure(file: &mut Node, findings: &mut Findings) {
    if file.as_map().is_none() {
        let message = format!("a stack file is a mapping, this is {}", file.kind());
        let help = "start with `services:`, and the services indented below it";
        findings.push(Finding::error(Code::WrongType, message).at(file.span).help(help));
        *file = Node::map(file.span, Mapping::new());
        return;
    }
    Structure { findings }.children(file, Place::root(), &mut Trail::default());
}

/// Checks one place of a file, as [`structure`] does.
pub fn structure_at(node: &mut Node, place: Place, trail: &mut Trail, findings: &mut Findings) {
    if !(Structure { findings }).keep(node, place, trail) {
        *node = Node::map(node.span, Mapping::new());
    }
}

/// Checks the merged file: what must be there is, and nothing that must have a value is left empty.
pub fn completeness(tree: &Node, findings: &mut Findings) {
    complete(tree, Place::root(), &mut Trail::default(), findings);
}

struct Structure<'a> {
    findings: &'a mut Findings,
}

impl Structure<'_> {
    /// Whether a node may stay. Its children are checked, and the wrong ones taken out.
    fn keep(&mut self, node: &mut Node, place: Place, trail: &mut Trail) -> bool {
        let Some(attribute) = place.attribute() else { return true };
        let shape = Accepts::of(node);
        if shape == Accepts::NULL {
            return true;
        }
        if !self.shape_fits(node, shape, attribute, trail) {
            return false;
        }
        self.check_words(node, attribute, trail);
        self.check_range(node, attribute, trail);
        self.check_twins(node, attribute, trail);
        self.children(node, place, trail);
        true
    }

    fn children(&mut self, node: &mut Node, place: Place, trail: &mut Trail) {
        let form = place.attribute().map(|a| a.form);
        match &node.data {
            Data::Map(_) => {
                let Some(map) = node.as_map_mut() else { return };
                map.0.retain(|key, entry| {
                    trail.at_key(key, |trail| self.keep_field(key, entry.key, &mut entry.value, place, form, trail))
                });
            }
            Data::Seq(_) => {
                let Some(items) = node.as_seq_mut() else { return };
                let mut index = 0;
                items.retain_mut(|item| {
                    let keep = trail.at_item(index, |trail| self.keep_item(item, place, form, trail));
                    index += 1;
                    keep
                });
            }
            _ => {}
        }
    }

    fn keep_field(
        &mut self,
        key: &str,
        key_span: Span,
        value: &mut Node,
        place: Place,
        form: Option<Form>,
        trail: &mut Trail,
    ) -> bool {
        if let Some(below) = place.field(key) {
            return self.keep(value, below, trail);
        }
        if place.takes_names() {
            return self.check_name(key, key_span) && self.keep(value, place.key(key), trail);
        }
        if let Some(form) = form.filter(|f| f.is_free()) {
            return self.free_value_fits(value, form, trail);
        }
        if key.starts_with("x-") {
            return true;
        }
        self.findings.push(unknown_key(key, key_span, place, trail));
        false
    }

    fn keep_item(&mut self, item: &mut Node, place: Place, form: Option<Form>, trail: &mut Trail) -> bool {
        if item.tag.is_some() && item.is_null() {
            return true;
        }
        let below = place.item();
        let accepts = below.attribute().map(|a| a.form.accepts()).or(form.map(Form::items)).unwrap_or(Accepts::ALL);
        if item.is_null() && !accepts.has(Accepts::NULL) {
            self.findings.push(
                Finding::error(Code::WrongType, format!("{trail} is empty"))
                    .at(item.span)
                    .help("write an item after the `-`, or take the line out"),
            );
            return false;
        }
        if below.attribute().is_some() {
            return self.keep(item, below, trail);
        }
        let fits = accepts.has(Accepts::of(item));
        if !fits {
            self.findings.push(wrong_item(item, form.unwrap_or(Form::Texts), trail));
        }
        fits
    }

    fn shape_fits(&mut self, node: &Node, shape: Accepts, attribute: &Attribute, trail: &Trail) -> bool {
        if attribute.form.accepts().has(shape) {
            return true;
        }
        self.findings.push(wrong_shape(node, shape, attribute, trail));
        false
    }

    fn free_value_fits(&mut self, value: &Node, form: Form, trail: &Trail) -> bool {
        let odd = value.as_seq().and_then(|items| items.iter().find(|item| !form.items().has(Accepts::of(item))));
        if value.tag.is_some() || odd.is_none() && form.values().has(Accepts::of(value)) {
            return true;
        }
        if let Some(item) = odd.filter(|_| form.values().has(Accepts::LIST)) {
            self.findings.push(wrong_item(item, form, trail));
            return false;
        }
        let expected = if form.values().has(Accepts::BOOL) { "a string, a number or a boolean" } else { "a string" };
        let message = format!("{trail} must be {expected}, not {}", value.kind());
        self.findings.push(Finding::error(Code::WrongType, message).at(value.span).help("write one value, quoted"));
        false
    }

    fn check_name(&mut self, key: &str, span: Span) -> bool {
        let good = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !good {
            let message = format!("`{key}` cannot be a name: letters, digits, `.`, `_` and `-`");
            let mended: String = key
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' })
                .collect();
            let mended = if mended.is_empty() { "a name" } else { &format!("`{mended}`") };
            self.findings.push(Finding::error(Code::BadName, message).at(span).help(format!("write {mended}")));
        }
        good
    }

    fn check_words(&mut self, node: &Node, attribute: &Attribute, trail: &Trail) {
        let Some(word) = node.as_str() else { return };
        if !attribute.pattern.is_in(word) {
            let message = format!("{trail} cannot be `{word}`");
            self.findings
                .push(Finding::error(Code::BadValue, message).at(node.span).help(attribute.pattern.expected()));
        }
        if attribute.words.is_empty() || attribute.words.contains(&word) {
            return;
        }
        let message = format!("{trail} cannot be `{word}`");
        let finding = Finding::error(Code::BadValue, message).at(node.span);
        let finding = match nearest(word, attribute.words.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")).patch(node.span, near),
            None => finding,
        };
        let words = attribute.words.join(", ");
        self.findings.push(match attribute.form {
            Form::TextOrList => finding.help(format!("write `{words}`, or a list")),
            _ => finding.help(format!("one of: {words}")),
        });
    }

    fn check_range(&mut self, node: &Node, attribute: &Attribute, trail: &Trail) {
        let (Some((least, most)), Some(scalar)) = (attribute.range, node.as_scalar()) else { return };
        let inside = match scalar.value {
            Value::Int(n) => (least..=most).contains(&n),
            Value::Float(n) => n >= least as f64 && n <= most as f64,
            Value::UInt(_) => false,
            _ => true,
        };
        if inside {
            return;
        }
        let range = if most == i64::MAX { format!("at least {least}") } else { format!("{least} to {most}") };
        let message = format!("{trail} must be {range}, not {}", scalar.raw());
        self.findings
            .push(Finding::error(Code::BadValue, message).at(node.span).help(format!("write a number of {range}")));
    }

    /// A list that may not say the same twice.
    fn check_twins(&mut self, node: &Node, attribute: &Attribute, trail: &Trail) {
        let Some(items) = node.as_seq().filter(|_| attribute.distinct) else { return };
        let mut seen: BTreeMap<(&str, String), Span> = BTreeMap::new();
        for item in items {
            let Some(scalar) = item.as_scalar() else { continue };
            match seen.entry((item.kind(), scalar.value.to_string())) {
                Entry::Vacant(new) => drop(new.insert(item.span)),
                Entry::Occupied(first) => self.findings.push(
                    Finding::error(Code::DuplicateKey, format!("{trail} says the same twice"))
                        .at(item.span)
                        .also(*first.get(), "it stands here already")
                        .help("take one of them out"),
                ),
            }
        }
    }
}

fn unknown_key(key: &str, span: Span, place: Place, trail: &Trail) -> Finding {
    let parent = trail.to_string();
    let parent = parent.strip_suffix(key).map_or(parent.as_str(), |p| p.trim_end_matches('.'));
    let message = match parent {
        "" => format!("a stack file has no `{key}`"),
        parent => format!("{parent} has no `{key}`"),
    };
    let finding = Finding::error(Code::UnknownKey, message).at(span);
    let fields: BTreeSet<&str> = place.fields().collect();
    if let Some(near) = nearest(key, fields.iter().copied()) {
        return finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")).patch(span, near);
    }
    if parent.is_empty() && Place::of("services.*").has_field(key) {
        return finding.help(format!("`{key}` belongs to a service: indent it below one"));
    }
    if !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return finding.help("comments begin with `#`; a text that goes on from the line above is indented deeper");
    }
    if parent.is_empty() {
        return finding.help(format!("services go below `services:`; keys of your own start with `x-`: `x-{key}`"));
    }
    let known = fields.into_iter().collect::<Vec<_>>();
    if known.len() <= 12 {
        return finding.help(format!("known here: {}; keys of your own start with `x-`", known.join(", ")));
    }
    finding.help(format!("keys of your own start with `x-`: `x-{key}`"))
}

fn wrong_shape(node: &Node, shape: Accepts, attribute: &Attribute, trail: &Trail) -> Finding {
    let expected = attribute.form.expected();
    let finding =
        Finding::error(Code::WrongType, format!("{trail} must be {expected}, not {}", node.kind())).at(node.span);
    let accepts = attribute.form.accepts();
    let scalar = node.as_scalar();
    if let (Form::Duration, Some(number)) = (attribute.form, scalar) {
        let seconds = format!("{}s", number.raw());
        return finding.help(format!("write its unit: `{seconds}`")).patch(node.span, seconds);
    }
    if accepts.has(Accepts::TEXT) && shape != Accepts::LIST && shape != Accepts::MAP {
        let raw = scalar.map_or(Cow::Borrowed(""), Scalar::raw);
        return finding.help(format!("put it in quotes: \"{raw}\"")).patch(node.span, format!("\"{raw}\""));
    }
    if accepts.has(Accepts::LIST) && scalar.is_some() {
        let raw = scalar.map_or(Cow::Borrowed(""), Scalar::raw);
        return finding.help(format!("write a list, each item after a `-`: `- {raw}`"));
    }
    if accepts == Accepts::MAP.union(Accepts::NULL) || accepts == Accepts::MAP {
        return finding.help("indent `key: value` lines below it");
    }
    finding.help(format!("write {expected}"))
}

fn wrong_item(item: &Node, form: Form, trail: &Trail) -> Finding {
    let message = format!("{trail} must be a string, not {}", item.kind());
    let finding = Finding::error(Code::WrongType, message).at(item.span);
    match (item.as_map(), item.as_scalar()) {
        (Some(map), _) if form == Form::Pairs || form == Form::Variables => {
            let pair = map.iter().next().map_or("NAME", |(key, _)| key);
            finding.help(format!("in a list write `{pair}=value`; in a mapping leave the `-` out"))
        }
        (Some(_), _) => finding.help("a `: ` in it makes a mapping of it: put the item in quotes"),
        (_, Some(scalar)) => finding.help(format!("put it in quotes: \"{}\"", scalar.raw())),
        _ => finding.help("write one string an item"),
    }
}

fn complete(node: &Node, place: Place, trail: &mut Trail, findings: &mut Findings) {
    let Some(attribute) = place.attribute() else {
        if trail.is_top() {
            children_complete(node, place, trail, findings);
        }
        return;
    };
    if node.is_null() && !attribute.form.accepts().has(Accepts::NULL) {
        let message = format!("{trail} is empty: it must be {}", attribute.form.expected());
        findings
            .push(Finding::error(Code::WrongType, message).at(node.span).help("give it a value, or take the line out"));
        return;
    }
    if let Some(map) = node.as_map() {
        for key in attribute.required.iter().filter(|key| map.get(key).is_none()) {
            let message = format!("{trail} needs `{key}`");
            let about = place.key(key).attribute().map_or(String::new(), |a| format!(" ({})", a.about));
            findings
                .push(Finding::error(Code::MissingKey, message).at(node.span).help(format!("add `{key}: …`{about}")));
        }
    }
    children_complete(node, place, trail, findings);
}

fn children_complete(node: &Node, place: Place, trail: &mut Trail, findings: &mut Findings) {
    match &node.data {
        Data::Map(map) => {
            // of a scalar there is nothing to ask, and most values are one
            for (key, entry) in map.iter().filter(|(_, entry)| entry.value.as_scalar().is_none()) {
                trail.at_key(key, |trail| complete(&entry.value, place.key(key), trail, findings));
            }
        }
        Data::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                trail.at_item(index, |trail| complete(item, place.item(), trail, findings));
            }
        }
        _ => {}
    }
}

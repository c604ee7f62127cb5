//! The canonical tree as `config` prints it: in one order, without what says nothing, `$` doubled so that it can be read
//! back.

use crate::compose::attributes::{Accepts, Attribute, Form, Place, Print, Short};
use crate::compose::order;
use crate::source::Span;
use crate::yaml::{Data, Entry, Mapping, Node, Scalar, Text, Value};

/// The format, which decides what is printed where docker compose prints different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// All that the file says.
    Yaml,
    /// What tools know from docker compose: beside it attributes that they expect to be there (`command: null`), but
    /// no `models`, and no `x-` keys below the top level other than ours; and `$` is doubled in keys too.
    Json,
}

/// Whether `$` is doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dollars {
    /// It is: the text is read back with variables replaced.
    Doubled,
    /// It is not: `${…}` still stand in it.
    Kept,
}

/// A canonical tree made ready to be printed; in place, where nobody else holds it.
pub fn printed(tree: Node, format: Format, dollars: Dollars) -> Node {
    Printer { format, dollars, stage: Stage::Canonical }.whole(tree)
}

/// A tree whose variables still stand in it, made ready to be printed: nothing is left out.
pub fn printed_raw(tree: Node) -> Node {
    Printer { format: Format::Yaml, dollars: Dollars::Kept, stage: Stage::Raw }.whole(tree)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Canonical,
    Raw,
}

#[derive(Clone, Copy)]
struct Printer {
    format: Format,
    dollars: Dollars,
    stage: Stage,
}

impl Printer {
    fn whole(self, mut tree: Node) -> Node {
        self.node(&mut tree, Place::root());
        tree
    }

    fn node(self, node: &mut Node, place: Place) {
        match &node.data {
            Data::Map(map) if self.stage == Stage::Canonical && attribute_is_ssh(place) => {
                *node = keys_of_ssh(node, map);
            }
            Data::Map(_) => {
                let at = node.span;
                if let Some(map) = node.as_map_mut() {
                    self.mapping(at, map, place);
                }
            }
            Data::Seq(_) => {
                let Some(items) = node.as_seq_mut() else { return };
                items.iter_mut().for_each(|item| self.node(item, place.item()));
                let is_hosts = place.attribute().is_some_and(|a| a.form == Form::Hosts);
                if is_hosts && self.stage == Stage::Canonical {
                    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
            }
            Data::Scalar(Scalar { value: Value::Str(text), .. }) if self.doubles(text) => {
                *node = Node::str(node.span, self.text(text));
            }
            Data::Scalar(_) | Data::Null => {}
        }
    }

    fn mapping(self, at: Span, map: &mut Mapping, place: Place) {
        map.0.retain(|key, entry| self.is_kept(key, &entry.value, place));
        for (key, entry) in map.0.iter_mut() {
            self.node(&mut entry.value, place.key(key));
        }
        if self.format == Format::Json {
            self.rename(map, place);
            self.add_expected(at, place, map);
        }
        order::sort(place, map);
    }

    /// Whether a pair is printed.
    fn is_kept(self, key: &str, value: &Node, place: Place) -> bool {
        if self.format == Format::Json && place == Place::root() && key == "models" {
            return false;
        }
        if !place.has_field(key) {
            let is_record = place.attribute().is_some_and(|a| !a.form.is_free()) && !place.takes_names();
            let is_extension = key.starts_with("x-") && is_record;
            return !is_extension || self.format == Format::Yaml || key == "x-verify";
        }
        let below = place.key(key);
        let Some(attribute) = below.attribute() else { return true };
        let is_required = place.attribute().is_some_and(|a| a.required.contains(&key));
        is_required && attribute.print != Print::Never
            || self.stage == Stage::Raw
            || self.is_shown(value, attribute, below)
    }

    /// The keys of JSON: some have another name there, and `$` is doubled in all.
    fn rename(self, map: &mut Mapping, place: Place) {
        let alias = |key: &str| place.key(key).attribute().filter(|_| place.has_field(key)).and_then(|a| a.alias);
        if !map.0.keys().any(|key| alias(key).is_some() || self.doubles(key)) {
            return;
        }
        let renamed = |(key, entry): (Text, Entry)| (self.text(alias(&key).unwrap_or(&key)), entry);
        map.0 = std::mem::take(&mut map.0).into_iter().map(renamed).collect();
    }

    /// What tools expect to be there though the file does not say it.
    fn add_expected(self, at: Span, place: Place, printed: &mut Mapping) {
        for field in place.fields() {
            let below = place.key(field);
            let print = below.attribute().map(|a| a.print);
            match print.filter(|print| matches!(print, Print::Null | Print::Empty) && printed.get(field).is_none()) {
                Some(Print::Null) => printed.insert(field, at, Node::null(at)),
                Some(Print::Empty) => {
                    let mut empty = Node::map(at, Mapping::new());
                    self.node(&mut empty, below);
                    printed.insert(field, at, empty);
                }
                _ => {}
            }
        }
    }

    fn is_shown(self, value: &Node, attribute: &Attribute, place: Place) -> bool {
        match attribute.print {
            Print::Never => false,
            Print::Written => !value.is_null(),
            Print::Null => self.format == Format::Json || !value.is_null(),
            Print::Empty if self.format == Format::Json => true,
            Print::Filled | Print::Empty => {
                let is_record = place.fields().next().is_some() && Accepts::of(value) == Accepts::MAP;
                let is_size = matches!(attribute.form, Form::Bytes | Form::WholeBytes | Form::BytesText);
                let is_nothing = says_nothing(value) || is_size && value.as_str() == Some("0");
                is_record && attribute.print == Print::Filled || !is_nothing
            }
        }
    }

    /// Keys are not interpolated, so that a `$` in them stays single in YAML, which is read back.
    fn doubles(self, text: &str) -> bool {
        self.dollars == Dollars::Doubled && text.contains('$')
    }

    fn text(self, text: &str) -> Text {
        match self.dollars {
            Dollars::Doubled => text.replace('$', "$$").into(),
            Dollars::Kept => text.into(),
        }
    }
}

fn attribute_is_ssh(place: Place) -> bool {
    place.attribute().is_some_and(|a| a.short == Short::Ssh)
}

/// Null, `false`, 0, empty.
fn says_nothing(node: &Node) -> bool {
    match &node.data {
        Data::Null => true,
        Data::Seq(items) => items.is_empty(),
        Data::Map(map) => map.is_empty(),
        Data::Scalar(scalar) => match &scalar.value {
            Value::Bool(b) => !b,
            Value::Int(n) => *n == 0,
            Value::UInt(n) => *n == 0,
            Value::Float(n) => *n == 0.0,
            Value::Str(text) => text.is_empty(),
        },
    }
}

/// Keys for `RUN --mount=type=ssh`, as a list again.
fn keys_of_ssh(node: &Node, map: &Mapping) -> Node {
    let key = |(id, entry): (&Text, &Entry)| {
        let text = match entry.value.as_str() {
            Some(path) => format!("{id}={path}"),
            None => id.to_string(),
        };
        Node::str(entry.value.span, text)
    };
    let mut keys: Vec<Node> = map.iter().map(key).collect();
    keys.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Node::seq(node.span, keys)
}

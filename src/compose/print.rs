//! The canonical tree as `config` prints it: in one order, without what says nothing, `$` doubled so that it can be read
//! back.

use std::rc::Rc;

use crate::compose::attributes::{Accepts, Attribute, Form, Place, Print, Short};
use crate::compose::order;
use crate::yaml::{Data, Entry, Mapping, Node, Value};

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

/// A canonical tree made ready to be printed.
pub fn printed(tree: &Node, format: Format, dollars: Dollars) -> Node {
    let printer = Printer { format, dollars, stage: Stage::Canonical };
    printer.node(tree, Place::root())
}

/// A tree whose variables still stand in it, made ready to be printed: nothing is left out.
pub fn printed_raw(tree: &Node) -> Node {
    let printer = Printer { format: Format::Yaml, dollars: Dollars::Kept, stage: Stage::Raw };
    printer.node(tree, Place::root())
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
    fn node(self, node: &Node, place: Place) -> Node {
        let form = place.attribute().map(|a| a.form);
        match &*node.data {
            Data::Map(map) if self.stage == Stage::Canonical && attribute_is_ssh(place) => keys_of_ssh(node, map),
            Data::Map(map) => Node::map(node.span, self.mapping(node, map, place)),
            Data::Seq(items) => {
                let mut items: Vec<Node> = items.iter().map(|item| self.node(item, place.item())).collect();
                if form == Some(Form::Hosts) && self.stage == Stage::Canonical {
                    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
                Node::seq(node.span, items)
            }
            Data::Scalar(scalar) => match &scalar.value {
                Value::Str(text) if text.contains('$') => Node::str(node.span, self.text(text)),
                _ => node.clone(),
            },
            Data::Null => node.clone(),
        }
    }

    fn mapping(self, node: &Node, map: &Mapping, place: Place) -> Mapping {
        let mut printed = Mapping::new();
        for (key, Entry { key: at, value }) in map.iter() {
            let below = place.key(key);
            let named = place.has_field(key);
            let is_record = place.attribute().is_some_and(|a| !a.form.is_free()) && !place.takes_names();
            let extension = key.starts_with("x-") && !named && is_record;
            let attribute = below.attribute().filter(|_| named);
            let hidden = self.format == Format::Json && place == Place::root() && &**key == "models";
            let required = place.attribute().is_some_and(|a| a.required.contains(&&**key));
            let skipped = match attribute {
                _ if hidden => true,
                Some(attribute) if required && attribute.print != Print::Never => false,
                Some(attribute) => self.stage == Stage::Canonical && !self.is_shown(value, attribute, below),
                None => extension && self.format == Format::Json && &**key != "x-verify",
            };
            if !skipped {
                let alias = attribute.and_then(|a| a.alias).filter(|_| self.format == Format::Json);
                let name = alias.unwrap_or(key);
                printed.insert(self.key(name), *at, self.node(value, below));
            }
        }
        if self.format == Format::Json && place != Place::UNKNOWN {
            self.add_expected(node, place, &mut printed);
        }
        printed.0.sort_by(|a, _, b, _| order::compare(place, a, b));
        printed
    }

    /// What tools expect to be there though the file does not say it.
    fn add_expected(self, node: &Node, place: Place, printed: &mut Mapping) {
        for field in place.fields() {
            if printed.get(field).is_some() {
                continue;
            }
            let below = place.key(field);
            match below.attribute().map(|a| a.print) {
                Some(Print::Null) => printed.insert(field, node.span, Node::null(node.span)),
                Some(Print::Empty) => {
                    let empty = Node::map(node.span, Mapping::new());
                    printed.insert(field, node.span, self.node(&empty, below));
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

    /// Keys are not interpolated, so that a `$` in them stays single where the text is to be read back.
    fn key(self, key: &str) -> Rc<str> {
        match self.format {
            Format::Json => self.text(key),
            Format::Yaml => key.into(),
        }
    }

    fn text(self, text: &str) -> Rc<str> {
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
    match &*node.data {
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
    let key = |(id, entry): (&Rc<str>, &Entry)| {
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

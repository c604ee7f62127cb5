//! The tree that a stack file is read into: every node knows where it stands.

use std::borrow::Cow;
use std::rc::Rc;

use smol_str::SmolStr;

use super::pairs::Pairs;
use crate::source::Span;

/// A value with its place. Cloning is cheap: collections and long texts are shared, so are those that aliases stand for.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written; for an alias, where the anchored value stands.
    pub span: Span,
    /// The tag, where one was written that changes what Compose does.
    pub tag: Option<Tag>,
    /// What it is.
    pub data: Data,
}

/// The tags that Compose gives a meaning to; others are dropped by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `!reset`: delete what earlier files said here.
    Reset,
    /// `!override`: replace what earlier files said here instead of merging.
    Override,
}

/// What a node is, as Compose reads scalars (YAML 1.2 core with 1.1 integers: see reference `crates.md` 1.2).
#[derive(Clone, Debug)]
pub enum Data {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Seq(Rc<Vec<Node>>),
    /// A mapping.
    Map(Rc<Mapping>),
}

/// The text of a scalar: a short one stands in the tree itself, a long one is shared by all that say it.
pub type Text = SmolStr;

/// A scalar: its value and the text it was written as.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The value.
    pub value: Value,
    /// The text as written, where the value's own is another; boxed, because most scalars of a large stack have none.
    written: Option<Box<Text>>,
    /// How it was quoted.
    pub style: Style,
}

/// The value of a scalar.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Int(i64),
    /// An integer above that.
    UInt(u64),
    /// A float.
    Float(f64),
    /// A string.
    Str(Text),
}

/// How a scalar was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// A mapping in the order of the file. Keys are strings: other scalar keys are refused by the reader.
#[derive(Clone, Debug, Default)]
pub struct Mapping(pub Pairs);

/// One pair of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: Node,
}

/// Equality of values: places, tags and quoting do not count.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}
impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Data::Null, Data::Null) => true,
            (Data::Scalar(a), Data::Scalar(b)) => a == b,
            (Data::Seq(a), Data::Seq(b)) => Rc::ptr_eq(a, b) || a == b,
            (Data::Map(a), Data::Map(b)) => Rc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(k, e)| other.0.get(k).is_some_and(|o| o.value == e.value))
    }
}

impl Node {
    /// A node without a tag.
    pub fn new(span: Span, data: Data) -> Self {
        Self { span, tag: None, data }
    }

    /// `null`.
    pub fn null(span: Span) -> Self {
        Self::new(span, Data::Null)
    }

    /// A string.
    pub fn str(span: Span, text: impl Into<Text>) -> Self {
        Self::scalar(span, Value::Str(text.into()))
    }

    /// A boolean.
    pub fn bool(span: Span, value: bool) -> Self {
        Self::scalar(span, Value::Bool(value))
    }

    /// An integer.
    pub fn int(span: Span, value: i64) -> Self {
        Self::scalar(span, Value::Int(value))
    }

    /// A float.
    pub fn float(span: Span, value: f64) -> Self {
        Self::scalar(span, Value::Float(value))
    }

    /// A plain scalar, written as its value's own text.
    pub fn scalar(span: Span, value: Value) -> Self {
        Self::new(span, Data::Scalar(Scalar::new(value, Style::Plain)))
    }

    /// A sequence.
    pub fn seq(span: Span, items: Vec<Node>) -> Self {
        Self::new(span, Data::Seq(Rc::new(items)))
    }

    /// A mapping.
    pub fn map(span: Span, mapping: Mapping) -> Self {
        Self::new(span, Data::Map(Rc::new(mapping)))
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Mapping> {
        match &self.data {
            Data::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The mapping to change, if it is one; copied first where an alias shares it.
    pub fn as_map_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.data {
            Data::Map(m) => Some(Rc::make_mut(m)),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The items to change, if it is a sequence.
    pub fn as_seq_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.data {
            Data::Seq(s) => Some(Rc::make_mut(s)),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.data {
            Data::Scalar(s) => Some(s),
            _ => None,
        }
    }

    /// The string, if it is one (a number is not).
    pub fn as_str(&self) -> Option<&str> {
        match self.as_scalar()? {
            Scalar { value: Value::Str(s), .. } => Some(s),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_scalar()?.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// What it weighs against the budgets: each value in it one, and one more for each 64 bytes of a text. The walk goes into
    /// what aliases share as often as it stands there.
    pub fn weight(&self) -> usize {
        match &self.data {
            Data::Null => 1,
            Data::Scalar(Scalar { value: Value::Str(text), .. }) => 1 + text.len() / 64,
            Data::Scalar(_) => 1,
            Data::Seq(items) => 1 + items.iter().map(Node::weight).sum::<usize>(),
            Data::Map(mapping) => mapping.weight(),
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// What a message calls it: "a mapping", "the number 5" …
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Seq(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Scalar(s) => match s.value {
                Value::Bool(_) => "a boolean",
                Value::Int(_) | Value::UInt(_) => "a number",
                Value::Float(_) => "a number with a fraction",
                Value::Str(_) => "a string",
            },
        }
    }
}

impl Scalar {
    /// A scalar that is written as its value's own text.
    pub fn new(value: Value, style: Style) -> Self {
        Self { value, written: None, style }
    }

    /// A scalar and the text that it is written as.
    pub fn of(value: Value, written: &str, style: Style) -> Self {
        let same = value.text() == written;
        Self { value, written: (!same).then(|| Box::new(written.into())), style }
    }

    /// The same text with another value.
    pub fn with(&self, value: Value, style: Style) -> Self {
        Self::of(value, &self.raw(), style)
    }

    /// The same, quoted another way.
    pub fn quoted(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// The text as written, without quotes; the value's own text for a string.
    pub fn raw(&self) -> Cow<'_, str> {
        match &self.written {
            Some(text) => Cow::Borrowed(text.as_str()),
            None => self.value.text(),
        }
    }
}

impl Value {
    /// Its text, as docker compose prints it into a string: `0644` is `420`, `1.10` is `1.1`, `1e6` is `1e+06`.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Str(text) => Cow::Borrowed(text.as_str()),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl Mapping {
    /// An empty mapping.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|e| &e.value)
    }

    /// The value under a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.get_mut(key).map(|e| &mut e.value)
    }

    /// Sets a key; an old one keeps its place in the order.
    pub fn insert(&mut self, key: impl Into<Text>, at: Span, value: Node) {
        self.0.insert(key.into(), Entry { key: at, value });
    }

    /// Takes a key out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.0.remove(key)
    }

    /// Keys, places and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Entry)> {
        self.0.iter()
    }

    /// What it weighs: [`Node::weight`], and long keys.
    pub fn weight(&self) -> usize {
        1 + self.iter().map(|(key, entry)| key.len() / 64 + entry.value.weight()).sum::<usize>()
    }

    /// How many pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! The tree that a stack file is read into: every node knows where it stands.

use std::rc::Rc;

use indexmap::IndexMap;

use crate::source::Span;

/// A value with its place. Cloning is cheap: aliases share what they stand for.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written; for an alias, where the anchored value stands.
    pub span: Span,
    /// The tag, where one was written that changes what Compose does.
    pub tag: Option<Tag>,
    /// What it is.
    pub data: Rc<Data>,
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
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping.
    Map(Mapping),
}

/// A scalar: its value and the text it was written as.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The value.
    pub value: Value,
    /// The text as written, without quotes; the value's own text for a string.
    pub raw: Rc<str>,
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
    Str(Rc<str>),
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

/// What a [`Mapping`] holds, hashed by foldhash: the standard library's SipHash takes a tenth of the time of a load.
pub type Pairs = IndexMap<Rc<str>, Entry, foldhash::fast::RandomState>;

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
        Rc::ptr_eq(&self.data, &other.data) || self.data == other.data
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
        Self { span, tag: None, data: Rc::new(data) }
    }

    /// `null`.
    pub fn null(span: Span) -> Self {
        Self::new(span, Data::Null)
    }

    /// A string.
    pub fn str(span: Span, text: impl Into<Rc<str>>) -> Self {
        let text = text.into();
        Self::scalar(span, Value::Str(text.clone()), text)
    }

    /// A boolean.
    pub fn bool(span: Span, value: bool) -> Self {
        Self::scalar(span, Value::Bool(value), value.to_string())
    }

    /// An integer.
    pub fn int(span: Span, value: i64) -> Self {
        Self::scalar(span, Value::Int(value), value.to_string())
    }

    /// A float.
    pub fn float(span: Span, value: f64) -> Self {
        Self::scalar(span, Value::Float(value), value.to_string())
    }

    /// A plain scalar of a value and the text it is written as.
    pub fn scalar(span: Span, value: Value, raw: impl Into<Rc<str>>) -> Self {
        Self::new(span, Data::Scalar(Scalar { value, raw: raw.into(), style: Style::Plain }))
    }

    /// A sequence.
    pub fn seq(span: Span, items: Vec<Node>) -> Self {
        Self::new(span, Data::Seq(items))
    }

    /// A mapping.
    pub fn map(span: Span, mapping: Mapping) -> Self {
        Self::new(span, Data::Map(mapping))
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(*self.data, Data::Null)
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Mapping> {
        match &*self.data {
            Data::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The mapping to change, if it is one; copied first where an alias shares it.
    pub fn as_map_mut(&mut self) -> Option<&mut Mapping> {
        match Rc::make_mut(&mut self.data) {
            Data::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &*self.data {
            Data::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The items to change, if it is a sequence.
    pub fn as_seq_mut(&mut self) -> Option<&mut Vec<Node>> {
        match Rc::make_mut(&mut self.data) {
            Data::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &*self.data {
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
        match &*self.data {
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
        match &*self.data {
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
    pub fn insert(&mut self, key: impl Into<Rc<str>>, at: Span, value: Node) {
        self.0.insert(key.into(), Entry { key: at, value });
    }

    /// Takes a key out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.0.shift_remove(key)
    }

    /// Keys, places and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Rc<str>, &Entry)> {
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

//! Values made plain: each form of the table has one way to be written afterwards.

use indexmap::IndexMap;

use super::long::text;
use crate::compose::attributes::{Form, Short};
use crate::compose::value::{BadValue, bytes, duration, host, words};
use crate::finding::{Code, Finding};
use crate::source::Span;
use crate::yaml::{Entry, Mapping, Node, Pairs, Value};

/// The plain value, or none where the node has it already.
///
/// # Errors
/// When it cannot be read.
pub(super) fn plain(node: &Node, form: Form, short: Short) -> Result<Option<Node>, BadValue> {
    let plain = match form {
        Form::Pairs if short == Short::Ssh => None,
        Form::Pairs => pairs(node, Unset::Empty),
        Form::Variables => pairs(node, Unset::Null),
        Form::Options | Form::Settings | Form::Texted => pairs(node, Unset::Empty),
        Form::Hosts => Some(hosts(node)?),
        Form::Words => command(node)?,
        Form::Test => text(node).map(|line| list(node.span, ["CMD-SHELL".to_owned(), line])),
        Form::OneOrMore => text(node).map(|text| list(node.span, [text])),
        Form::TextsOrNumbers => texts(node),
        Form::WholeOrMap => no_limit_at_all(node),
        Form::Bytes | Form::WholeBytes | Form::BytesText => size(node)?,
        Form::Duration => time(node)?,
        Form::Mode => mode(node)?,
        Form::Count => count(node)?,
        Form::Number | Form::StrictNumber | Form::Microseconds => whole(node)?,
        Form::Decimal => single(node),
        Form::WholeAsText | Form::TextOrFlag => text(node).map(|text| Node::str(node.span, text)),
        _ => None,
    };
    Ok(plain)
}

/// What a value gives to think about before it is made plain; the place in the tree is put before the message.
pub(super) fn warning(node: &Node, form: Form) -> Option<Finding> {
    let (message, help) = match form {
        Form::Words => {
            let line = node.as_str()?;
            let dropped = &line[words::split(line).ok()?.cut?..];
            (format!("`{dropped}` is dropped: no shell reads the line"), "write a list: `[sh, -c, \"…\"]`")
        }
        Form::Test => {
            let [one] = node.as_seq()? else { return None };
            matches!(one.as_str(), Some("CMD" | "CMD-SHELL")).then_some(())?;
            ("nothing is run".to_owned(), "write what is to be run after it")
        }
        _ => return None,
    };
    Some(Finding::warning(Code::BadValue, message).at(node.span).help(help))
}

/// What a name without a value means.
#[derive(Clone, Copy)]
enum Unset {
    Null,
    Empty,
}

impl Unset {
    fn node(self, span: Span) -> Node {
        match self {
            Self::Null => Node::null(span),
            Self::Empty => Node::str(span, ""),
        }
    }
}

/// `NAME=value` lists and mappings as one mapping of texts. A name said twice has its last value.
fn pairs(node: &Node, unset: Unset) -> Option<Node> {
    let room = node.as_map().map(|map| map.len()).or_else(|| Some(node.as_seq()?.len()))?;
    let mut pairs = Mapping(Pairs::with_capacity(room));
    if let Some(map) = node.as_map() {
        for (key, Entry { key: at, value }) in map.iter() {
            let mut plain = match text(value) {
                Some(text) => Node::str(value.span, text),
                None => unset.node(value.span),
            };
            plain.tag = value.tag;
            pairs.insert(key.clone(), *at, plain);
        }
        return Some(Node::map(node.span, pairs));
    }
    for item in node.as_seq()? {
        let text = text(item)?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Node::str(item.span, value)),
            None => (text.as_str(), unset.node(item.span)),
        };
        pairs.insert(name, item.span, value);
    }
    Some(Node::map(node.span, pairs))
}

/// Hosts as a list of `name=address`, one address each, and each once: a list that says the same twice cannot be read again.
fn hosts(node: &Node) -> Result<Node, BadValue> {
    let line = |span, name: &str, address: &str| (format!("{name}={address}"), span);
    let mut lines: IndexMap<String, Span> = IndexMap::new();
    for (name, entry) in node.as_map().into_iter().flat_map(Mapping::iter) {
        let many = entry.value.as_seq().unwrap_or(std::slice::from_ref(&entry.value));
        let address = |node: &Node| text(node).unwrap_or_default();
        lines.extend(many.iter().map(|one| line(one.span, name, host::without_brackets(&address(one)))));
    }
    for item in node.as_seq().unwrap_or_default() {
        let (name, addresses) = host::parse(&text(item).unwrap_or_default())?;
        lines.extend(addresses.iter().map(|address| line(item.span, &name, address)));
    }
    Ok(Node::seq(node.span, lines.into_iter().map(|(line, span)| Node::str(span, line)).collect()))
}

fn command(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(line) = text(node) else { return Ok(None) };
    Ok(Some(list(node.span, words::split(&line)?.words)))
}

fn list(span: Span, texts: impl IntoIterator<Item = String>) -> Node {
    Node::seq(span, texts.into_iter().map(|text| Node::str(span, text)).collect())
}

fn texts(node: &Node) -> Option<Node> {
    let plain = |item: &Node| text(item).map_or_else(|| item.clone(), |text| Node::str(item.span, text));
    Some(Node::seq(node.span, node.as_seq()?.iter().map(plain).collect()))
}

/// A limit of 0 as its two values, as docker compose prints it.
fn no_limit_at_all(node: &Node) -> Option<Node> {
    let zero = matches!(node.as_scalar()?.value, Value::Int(0)).then(|| Node::int(node.span, 0))?;
    let entry = || Entry { key: node.span, value: zero.clone() };
    Some(Node::map(node.span, Mapping([("soft".into(), entry()), ("hard".into(), entry())].into_iter().collect())))
}

/// A size as the text of its bytes, as docker compose prints it.
fn size(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(scalar) = node.as_scalar() else { return Ok(None) };
    let bytes = match &scalar.value {
        Value::Int(n) => *n,
        Value::Float(n) => without_fraction(*n)?,
        // no limit; docker compose prints it so, and does not read it back
        Value::Str(text) if &**text == "-1" => -1,
        Value::Str(text) => bytes::parse(text)?,
        _ => return Ok(None),
    };
    Ok(Some(Node::str(node.span, bytes.to_string())))
}

fn time(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(text) = node.as_str() else { return Ok(None) };
    Ok(Some(Node::str(node.span, duration::format(duration::parse(text)?))))
}

/// Permission bits as an octal text that begins with 0.
fn mode(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(scalar) = node.as_scalar() else { return Ok(None) };
    let bits = match &scalar.value {
        Value::Int(n) => u32::try_from(*n).ok(),
        Value::Str(text) => u32::from_str_radix(text.strip_prefix("0o").unwrap_or(text), 8).ok(),
        _ => None,
    };
    match bits {
        Some(bits) => Ok(Some(Node::str(node.span, format!("0{bits:o}")))),
        None => Err(BadValue {
            message: format!("`{}` are no permission bits", scalar.value),
            help: "write them octal, in quotes: \"0440\"".into(),
        }),
    }
}

/// A number of devices; every one is -1.
fn count(node: &Node) -> Result<Option<Node>, BadValue> {
    let Some(text) = node.as_str() else { return Ok(None) };
    let count = if text.eq_ignore_ascii_case("all") { Some(-1) } else { text.parse().ok() };
    match count {
        Some(count) => Ok(Some(Node::int(node.span, count))),
        None => Err(BadValue {
            message: format!("`{text}` is no number of devices"),
            help: "write a number, or `all`".into(),
        }),
    }
}

/// A whole number, without its fraction.
fn whole(node: &Node) -> Result<Option<Node>, BadValue> {
    match node.as_scalar().map(|scalar| &scalar.value) {
        Some(Value::Float(n)) => Ok(Some(Node::int(node.span, without_fraction(*n)?))),
        _ => Ok(None),
    }
}

/// The whole part of a number, where 64 bits hold it.
#[expect(clippy::cast_possible_truncation, reason = "the fraction is what is to go")]
fn without_fraction(n: f64) -> Result<i64, BadValue> {
    // 2⁶³; the least i64 is exact
    if n.abs() < 9_223_372_036_854_775_808.0 {
        return Ok(n as i64);
    }
    let message = format!("{n:e} is beyond every number that counts here");
    Err(BadValue { message, help: "write a number of 64 bits".into() })
}

/// A number in single precision, as docker compose keeps it, in its shortest form.
fn single(node: &Node) -> Option<Node> {
    match node.as_scalar()?.value {
        Value::Float(n) => Some(Node::float(node.span, (n as f32).to_string().parse().unwrap_or(n))),
        _ => None,
    }
}

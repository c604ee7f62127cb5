//! A tree as YAML text, byte for byte as docker compose (go-yaml v3) writes it.
//!
//! Two blanks a level, lists indented below their key, double quotes where a plain scalar would be read as something
//! else, single quotes where YAML's syntax asks for them, `|` for several lines. One rule differs: the string `<<` is
//! quoted, which docker compose leaves to be read as a merge key.

use std::io;

use super::node::{Data, Mapping, Node, Value};
use super::{key, scalar};

/// Keys longer than this are written as `? key`.
const SIMPLE_KEY_LIMIT: usize = 128;

/// How many bytes are held back at most before they go where they are written to.
const PAGE: usize = 32 * 1024;

/// The YAML text of a tree, keys in the order in which they stand. Tags are not written.
pub fn write(node: &Node) -> String {
    let mut page = Page { text: String::new(), to: None, outcome: Ok(()) };
    write_whole(node, &mut page);
    page.text
}

/// Writes that text, page by page: that of a large tree is never there as a whole.
///
/// # Errors
/// What the writer says.
pub fn write_to(node: &Node, to: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { text: String::with_capacity(PAGE * 2), to: Some(to), outcome: Ok(()) };
    write_whole(node, &mut page);
    page.turn();
    page.outcome
}

/// Text that is on its way out.
struct Page<'w> {
    text: String,
    /// Where full pages go; where there is none, all of it is one page.
    to: Option<&'w mut dyn io::Write>,
    /// How that went so far: after an error nothing more is written.
    outcome: io::Result<()>,
}

impl Page<'_> {
    fn turn_if_full(&mut self) {
        if self.text.len() >= PAGE {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let Some(to) = &mut self.to else { return };
        if self.outcome.is_ok() {
            self.outcome = to.write_all(self.text.as_bytes());
        }
        self.text.clear();
    }
}

fn write_whole(node: &Node, page: &mut Page<'_>) {
    match &node.data {
        Data::Map(mapping) if !mapping.is_empty() => write_mapping(mapping, 0, page),
        Data::Seq(items) if !items.is_empty() => write_sequence(items, 0, page),
        _ => {
            write_inline(node, 2, &mut page.text);
            page.text.push('\n');
        }
    }
}

/// Pairs, the first of them where the text stands, the others each on a line of their own.
fn write_mapping(mapping: &Mapping, indent: usize, page: &mut Page<'_>) {
    for (index, (key, entry)) in mapping.iter().enumerate() {
        page.turn_if_full();
        let out = &mut page.text;
        if index > 0 {
            pad(indent, out);
        }
        if key.contains('\n') || key.len() > SIMPLE_KEY_LIMIT {
            out.push_str("? ");
            write_string(key, indent + 2, Place::Value, out);
            out.push('\n');
            pad(indent, out);
        } else {
            write_string(key, indent + 2, Place::Key, out);
        }
        out.push(':');
        match &entry.value.data {
            Data::Map(children) if !children.is_empty() => {
                out.push('\n');
                pad(indent + 2, out);
                write_mapping(children, indent + 2, page);
            }
            Data::Seq(items) if !items.is_empty() => {
                out.push('\n');
                pad(indent + 2, out);
                write_sequence(items, indent + 2, page);
            }
            _ => {
                out.push(' ');
                write_inline(&entry.value, indent + 2, out);
                out.push('\n');
            }
        }
    }
}

/// Items, the first of them where the text stands.
fn write_sequence(items: &[Node], indent: usize, page: &mut Page<'_>) {
    for (index, item) in items.iter().enumerate() {
        page.turn_if_full();
        let out = &mut page.text;
        if index > 0 {
            pad(indent, out);
        }
        out.push_str("- ");
        match &item.data {
            Data::Map(mapping) if !mapping.is_empty() => write_mapping(mapping, indent + 2, page),
            Data::Seq(children) if !children.is_empty() => write_sequence(children, indent + 2, page),
            _ => {
                write_inline(item, indent + 2, out);
                out.push('\n');
            }
        }
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar or an empty collection; the lines of a block scalar are indented by `indent`.
fn write_inline(node: &Node, indent: usize, out: &mut String) {
    match &node.data {
        Data::Null => out.push_str("null"),
        Data::Map(_) => out.push_str("{}"),
        Data::Seq(_) => out.push_str("[]"),
        Data::Scalar(scalar) => match &scalar.value {
            Value::Str(text) => write_string(text, indent, Place::Value, out),
            Value::Float(f) if f.is_nan() => out.push_str(".nan"),
            Value::Float(f) if f.is_infinite() => out.push_str(if *f > 0.0 { ".inf" } else { "-.inf" }),
            value => out.push_str(&value.to_string()),
        },
    }
}

/// Where a string stands: a key has one line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

fn write_string(text: &str, indent: usize, place: Place, out: &mut String) {
    if is_word(text) {
        return out.push_str(text);
    }
    let shape = Shape::of(text);
    if text.contains('\n') && place == Place::Value {
        return if shape.block_allowed() { write_block(text, indent, out) } else { write_double(text, out) };
    }
    // what cannot be seen at the edge of a key is taken for a slip, unless quotes say that it is meant
    let is_odd_key = place == Place::Key && key::has_invisible_edge(text);
    if reads_as_other(text) || is_odd_key || text.contains('\n') {
        write_double(text, out);
    } else if shape.plain_allowed() {
        out.push_str(text);
    } else if shape.single_allowed() {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        write_double(text, out);
    }
}

/// Whether a text is plain at the first look, as nearly all are: it begins with a letter or a slash, no character of it means anything
/// in the middle of a word, and it is too long for the words of YAML, or begins like none of them (`null`, `true`, `false`, `yes`,
/// `no`, `on`, `off`).
fn is_word(text: &str) -> bool {
    let [first, .., last] = text.as_bytes() else { return false };
    let like_none = || !matches!(first.to_ascii_lowercase(), b'n' | b't' | b'f' | b'y' | b'o');
    (first.is_ascii_alphabetic() || *first == b'/')
        && *last != b':'
        && (text.len() > "false".len() || like_none())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b':' | b'@' | b'=' | b','))
}

/// Whether the plain text would be read as something other than this string, by YAML 1.2 or 1.1.
fn reads_as_other(text: &str) -> bool {
    !scalar::is_string(text) || text == "<<" || scalar::is_timestamp(text) || is_old_bool(text) || is_base_60(text)
}

/// The booleans of YAML 1.1 that 1.2 has no more.
fn is_old_bool(text: &str) -> bool {
    let words = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    words.contains(&text)
}

/// The base-60 numbers of YAML 1.1: `1:30`, `190:20:30.15`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    if let Some(last) = rest.last_mut()
        && let Some((whole, fraction)) = last.split_once('.')
    {
        if !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            return false;
        }
        *last = whole;
    }
    let below_60 = |part: &&str| match part.as_bytes() {
        [b] => b.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && !rest.is_empty()
        && rest.iter().all(below_60)
}

/// What a text has in it that decides how it may be written (libyaml's analysis of scalars).
#[derive(Default)]
struct Shape {
    /// A character that begins something else in YAML.
    indicator: bool,
    special: bool,
    tab: bool,
    line_break: bool,
    leading_space: bool,
    leading_break: bool,
    trailing_space: bool,
    trailing_break: bool,
    /// A blank after a line break, and before one.
    break_space: bool,
    space_break: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self { indicator: text.starts_with("---") || text.starts_with("..."), ..Self::default() };
        let mut before = None;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let followed = characters.peek().is_none_or(|&n| is_white(n));
            let preceded = before.is_none_or(is_white);
            shape.indicator |= match c {
                '#' => preceded,
                ':' => followed,
                '?' | '-' if before.is_none() => followed,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    before.is_none()
                }
                _ => false,
            };
            let is_last = characters.peek().is_none();
            match c {
                ' ' => {
                    shape.leading_space |= before.is_none();
                    shape.trailing_space |= is_last;
                    shape.break_space |= before == Some('\n');
                }
                '\n' => {
                    shape.line_break = true;
                    shape.leading_break |= before.is_none();
                    shape.trailing_break |= is_last;
                    shape.space_break |= before == Some(' ');
                }
                '\t' => shape.tab = true,
                c => shape.special |= !is_printable(c),
            }
            before = Some(c);
        }
        shape
    }

    fn plain_allowed(&self) -> bool {
        let edges = self.leading_space || self.leading_break || self.trailing_space || self.trailing_break;
        self.single_allowed() && !edges && !self.line_break && !self.indicator
    }

    fn single_allowed(&self) -> bool {
        !(self.break_space || self.space_break || self.tab || self.special)
    }

    fn block_allowed(&self) -> bool {
        !(self.trailing_space || self.space_break || self.special)
    }
}

fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// What go-yaml writes as it is: no control characters, nothing beyond the basic plane. Line breaks that YAML 1.2 does not
/// know are not printable here either.
fn is_printable(c: char) -> bool {
    match c {
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        '\n' | ' '..='~' | '\u{a0}'..='\u{ffff}' => true,
        _ => false,
    }
}

fn write_block(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    let lines = text.strip_suffix('\n').unwrap_or(text);
    for line in lines.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent, out);
            out.push_str(line);
        }
    }
}

fn write_double(text: &str, out: &mut String) {
    // after a byte order mark go-yaml escapes all that follows
    let escape_all = text.starts_with('\u{feff}');
    out.push('"');
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if is_printable(c) && !escape_all => out.push(c),
            c => {
                let code = u32::from(c);
                out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

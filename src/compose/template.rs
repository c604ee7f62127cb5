//! The grammar of `${VARIABLE}`: pure, shared by stack files and environment files.
//!
//! Compose Specification, "Interpolation": `$NAME`, `${NAME}`, `:-` and `-` (default), `:?` and `?` (required), `:+` and `+`
//! (replacement), `$$` for a dollar sign. An operand is itself a template. A `$` before anything else is a plain character.
//! Two rules are wider than docker compose's: an operand may hold line breaks, and one that is not used is not evaluated.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::budget::{self, Budget};

/// How deep operands may stand inside each other.
const DEPTH_LIMIT: usize = 32;

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Text that stands for itself.
    Text(&'t str),
    /// A variable.
    Variable(Reference<'t>),
}

/// A variable where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// Its name.
    pub name: &'t str,
    /// The bytes of the whole: `${NAME:-x}`.
    pub range: Range<usize>,
    /// What to do when it is set or not; none is the plain value.
    pub operation: Option<Operation<'t>>,
}

/// What follows the name between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<'t> {
    /// `-`, `?` or `+`.
    pub kind: OperationKind,
    /// Whether an empty value counts as unset: the colon.
    pub empty_is_unset: bool,
    /// The default, the message or the replacement: a template.
    pub operand: &'t str,
    /// Where the operand begins.
    pub start: usize,
}

/// The three operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// `-`: the operand where the variable is not set.
    Default,
    /// `?`: an error where the variable is not set.
    Required,
    /// `+`: the operand where the variable is set, nothing otherwise.
    Replacement,
}

/// What a template could not be expanded for, or what is worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// `${` without its `}`.
    Unclosed,
    /// No name after `${`.
    NoName,
    /// Something after the name that is no operator.
    BadOperator,
    /// More than 32 operands inside each other.
    TooDeep,
    /// Variables add more than 1 MiB.
    TooLong,
    /// `?`, and the variable is not set (or empty, with a colon).
    Required {
        /// The variable.
        name: String,
        /// The operand: what the file's author has to say.
        message: String,
        /// Whether it is set, but empty.
        empty: bool,
    },
    /// Neither set nor given a default: it became a blank string.
    Unset {
        /// The variable.
        name: String,
    },
}

impl Trouble {
    /// Whether the result cannot be used.
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::Unset { .. })
    }
}

/// The parts of a template in order; after the first [`Trouble`] there are no more.
pub fn parts(text: &str) -> Parts<'_> {
    Parts { text, at: 0, closing: closing_braces(text) }
}

/// The iterator of [`parts`].
#[derive(Clone, Debug)]
pub struct Parts<'t> {
    text: &'t str,
    at: usize,
    closing: BTreeMap<usize, usize>,
}

impl<'t> Iterator for Parts<'t> {
    type Item = Result<Part<'t>, (Range<usize>, Trouble)>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let from = self.at;
        if !rest.starts_with('$') {
            self.at = rest.find('$').map_or(self.text.len(), |n| from + n);
            return Some(Ok(Part::Text(&self.text[from..self.at])));
        }
        let result = match rest.as_bytes().get(1) {
            Some(b'$') => Ok((Part::Text(&rest[..1]), 2)),
            Some(b'{') => braced(self.text, from, &self.closing).map(|r| (Part::Variable(r.clone()), r.range.len())),
            Some(b) if begins_name(*b) => {
                let name = name_at(rest, 1);
                let range = from..from + 1 + name.len();
                Ok((Part::Variable(Reference { name, range, operation: None }), 1 + name.len()))
            }
            _ => Ok((Part::Text(&rest[..1]), 1)),
        };
        match result {
            Ok((part, length)) => {
                self.at += length;
                Some(Ok(part))
            }
            Err(trouble) => {
                self.at = self.text.len();
                Some(Err(trouble))
            }
        }
    }
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// The name that begins at a byte; empty where none does.
fn name_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    if !rest.bytes().next().is_some_and(begins_name) {
        return "";
    }
    let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_'));
    &rest[..end.unwrap_or(rest.len())]
}

/// The reference that begins with the `${` at `from`.
fn braced<'t>(
    text: &'t str,
    from: usize,
    closing: &BTreeMap<usize, usize>,
) -> Result<Reference<'t>, (Range<usize>, Trouble)> {
    let Some(close) = closing_brace(text, from, closing) else { return Err((from..text.len(), Trouble::Unclosed)) };
    let range = from..close + 1;
    let name = name_at(text, from + 2);
    if name.is_empty() {
        return Err((range, Trouble::NoName));
    }
    let operator = from + 2 + name.len();
    let rest = &text[operator..close];
    if rest.is_empty() {
        return Ok(Reference { name, range, operation: None });
    }
    let colon = usize::from(rest.starts_with(':'));
    let kind = match rest.as_bytes().get(colon) {
        Some(b'-') => OperationKind::Default,
        Some(b'?') => OperationKind::Required,
        Some(b'+') => OperationKind::Replacement,
        _ => return Err((range, Trouble::BadOperator)),
    };
    let start = operator + colon + 1;
    let operation = Operation { kind, empty_is_unset: colon == 1, operand: &text[start..close], start };
    Ok(Reference { name, range, operation: Some(operation) })
}

/// The brace that balances the one after the `$` at `from`; where none does, the last brace of the line, so that
/// `${A:-{}` gives `{`.
fn closing_brace(text: &str, from: usize, closing: &BTreeMap<usize, usize>) -> Option<usize> {
    let line = || text[from..].lines().next().unwrap_or_default();
    closing.get(&(from + 1)).copied().or_else(|| line().rfind('}').map(|n| from + n))
}

/// The balancing brace of each one after a `$`. All at once: to look for each from where it opens would take the square of
/// a text with many that stay open.
fn closing_braces(text: &str) -> BTreeMap<usize, usize> {
    let mut closing = BTreeMap::new();
    if !text.contains("${") {
        return closing;
    }
    let mut open = vec![];
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open.push(at),
            b'}' => {
                let opened = open.pop().filter(|opened| text[..*opened].ends_with('$'));
                closing.extend(opened.map(|opened| (opened, at)));
            }
            _ => {}
        }
    }
    closing
}

/// Expands a template. What went wrong is added to `troubles` with its bytes; the text is then not to be used, unless it
/// is only [`Trouble::Unset`].
pub fn expand<'t>(
    text: &'t str,
    lookup: &dyn Fn(&str) -> Option<String>,
    troubles: &mut Vec<(Range<usize>, Trouble)>,
) -> Cow<'t, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let mut expanded = String::with_capacity(text.len());
    Expansion { lookup, troubles, left: Budget::of(budget::BYTES_OF_TEXT) }.run(text, 0, 0, &mut expanded);
    Cow::Owned(expanded)
}

struct Expansion<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    troubles: &'a mut Vec<(Range<usize>, Trouble)>,
    /// How many bytes variables may still add.
    left: Budget,
}

impl Expansion<'_> {
    /// Appends the expansion of `text`, which stands `offset` bytes into the whole.
    fn run(&mut self, text: &str, offset: usize, depth: usize, out: &mut String) {
        if depth > DEPTH_LIMIT {
            self.troubles.push((offset..offset + text.len(), Trouble::TooDeep));
            return;
        }
        for part in parts(text) {
            match part {
                Ok(Part::Text(text)) => out.push_str(text),
                Ok(Part::Variable(_)) if self.left.is_spent() => return,
                Ok(Part::Variable(reference)) => self.variable(&reference, offset, depth, out),
                Err((range, trouble)) => self.trouble(&range, offset, trouble),
            }
        }
    }

    fn trouble(&mut self, range: &Range<usize>, offset: usize, trouble: Trouble) {
        self.troubles.push((range.start + offset..range.end + offset, trouble));
    }

    /// Appends a variable's value, unless the text becomes too long.
    fn push(&mut self, value: &str, range: &Range<usize>, offset: usize, out: &mut String) {
        if self.left.is_spent() {
            return;
        }
        match self.left.take(value.len()) {
            true => out.push_str(value),
            false => self.trouble(range, offset, Trouble::TooLong),
        }
    }

    fn variable(&mut self, reference: &Reference<'_>, offset: usize, depth: usize, out: &mut String) {
        let value = (self.lookup)(reference.name);
        let Some(operation) = &reference.operation else {
            match value {
                Some(value) => self.push(&value, &reference.range, offset, out),
                None => self.trouble(&reference.range, offset, Trouble::Unset { name: reference.name.to_owned() }),
            }
            return;
        };
        let empty = value.as_ref().is_some_and(String::is_empty);
        let set = value.filter(|v| !operation.empty_is_unset || !v.is_empty());
        match (operation.kind, set) {
            (OperationKind::Default | OperationKind::Required, Some(value)) => {
                self.push(&value, &reference.range, offset, out);
            }
            (OperationKind::Default, None) | (OperationKind::Replacement, Some(_)) => {
                self.run(operation.operand, offset + operation.start, depth + 1, out);
            }
            (OperationKind::Replacement, None) => {}
            (OperationKind::Required, None) => {
                let mut message = String::new();
                self.run(operation.operand, offset + operation.start, depth + 1, &mut message);
                let name = reference.name.to_owned();
                self.trouble(&reference.range, offset, Trouble::Required { name, message, empty });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(name: &str) -> Option<String> {
        match name {
            "SET" => Some("set".into()),
            "EMPTY" => Some(String::new()),
            "A" => Some("aa".into()),
            _ => None,
        }
    }

    fn run(text: &str) -> Result<String, Trouble> {
        let mut troubles = vec![];
        let expanded = expand(text, &look, &mut troubles).into_owned();
        for (range, _) in &troubles {
            assert!(text.get(range.clone()).is_some_and(|t| t.starts_with('$')), "{text} {range:?}");
        }
        match troubles.into_iter().map(|(_, t)| t).find(Trouble::is_error) {
            Some(trouble) => Err(trouble),
            None => Ok(expanded),
        }
    }

    #[test]
    #[rustfmt::skip]
    fn templates_expand_as_docker_compose_expands_them() {
        // measured with docker compose 2.40.3, SET=set, EMPTY empty, A=aa
        let cases = [
            ("$SET", "set"), ("${SET}", "set"), ("${SET-d}", "set"), ("${EMPTY-d}", ""), ("${EMPTY:-d}", "d"), ("${NO-d}", "d"),
            ("${NO:-d}", "d"), ("${NO:-${A}}", "aa"), ("${NO:-${NO2:-${A}}}", "aa"), ("${SET:+alt}", "alt"),
            ("${EMPTY:+alt}", ""), ("${EMPTY+alt}", "alt"), ("${NO+alt}", ""), ("${NO:+alt}", ""), ("${NO}", ""), ("$NO", ""),
            ("$$", "$"), ("$$SET", "$SET"), ("$$$SET", "$set"), ("$", "$"), ("$1", "$1"), ("$ x", "$ x"), ("a$", "a$"),
            ("${A}}", "aa}"), ("${NO:-{}}", "{}"), ("${NO:-{\"x\":1}}", "{\"x\":1}"), ("${NO:-a}b}", "ab}"),
            ("${NO:-a}\n${SET:-b}", "a\nset"), ("${SET:-a} ${NO:-b} ${A}", "set b aa"), ("${NO:-a:-b}", "a:-b"),
            ("${NO-a:-b}", "a:-b"), ("${NO:-a?b}", "a?b"), ("${EMPTY?x}", ""), ("$A-b", "aa-b"), ("${NO:-$$x}", "$x"),
            ("${NO:-$SET}", "set"), ("$A$A", "aaaa"), ("$Aé", "aaé"), ("$(A)", "$(A)"), ("${NO:-'}'}", "''}"),
            ("${NO:-\\}}", "\\}"), ("$${A}", "${A}"), ("$$${A}", "$aa"), ("${A}$", "aa$"), ("${NO:- d }", " d "),
            ("${NO:--1}", "-1"), ("${NO:-a{b}", "a{b"), ("${NO:-{a}", "{a"), ("$A:-b", "aa:-b"), ("${SET:+}", ""),
            ("${NO:-}", ""), ("${SET+a:-b}", "a:-b"), ("${NO:-http://x-y?z+w}", "http://x-y?z+w"),
        ];
        for (text, expected) in cases {
            assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(run("${NO:-a\nb}").as_deref(), Ok("a\nb"), "wider than docker compose");
        assert_eq!(run("${SET:-${NO:?x}}").as_deref(), Ok("set"), "wider than docker compose");
    }

    #[test]
    fn what_is_no_template_is_named() {
        for text in ["${", "${A ", "${A", "${A-b", "${NO:-${A}", "${A:-b}${"] {
            assert_eq!(run(text), Err(Trouble::Unclosed), "{text}");
        }
        for text in ["${}", "${1}", "${ A}", "${é}", "${$A}", "${${A}}", "${NO:-${1}}"] {
            assert_eq!(run(text), Err(Trouble::NoName), "{text}");
        }
        for text in ["${A:=x}", "${A/b/c}", "${A:}", "${A:x}", "${NO: -d}", "${A }", "${a.b}", "${A!}"] {
            assert_eq!(run(text), Err(Trouble::BadOperator), "{text}");
        }
    }

    #[test]
    fn a_required_variable_says_what_its_author_says() {
        let required = |message: &str, empty| {
            Err(Trouble::Required { name: if empty { "EMPTY" } else { "NO" }.into(), message: message.into(), empty })
        };
        assert_eq!(run("${NO?x-y}"), required("x-y", false));
        assert_eq!(run("${NO:?}"), required("", false));
        assert_eq!(run("${NO:?msg ${A}}"), required("msg aa", false));
        assert_eq!(run("${EMPTY:?x}"), required("x", true));
        assert_eq!(run("${NO?a:-b}"), required("a:-b", false));
    }

    #[test]
    fn operands_do_not_nest_without_end() {
        let text = format!("{}{}", "${NO:-".repeat(10_000), "}".repeat(10_000));
        let mut troubles = vec![];
        expand(&text, &look, &mut troubles);
        assert_eq!(troubles.last().map(|(_, t)| t), Some(&Trouble::TooDeep));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\$|\\{|\\}|:|-|\\?|\\+|A|NO|[a-c1 \\n웹]){0,30}") {
            let mut troubles = vec![];
            expand(&text, &look, &mut troubles);
            for (range, _) in troubles {
                prop_assert!(text.get(range).is_some());
            }
        }

        #[test]
        fn a_doubled_dollar_is_a_dollar(text in "[^$]{0,20}", after in "[^$]{0,20}") {
            let escaped = format!("{text}$${after}");
            prop_assert_eq!(run(&escaped), Ok(format!("{text}${after}")));
        }
    }
}

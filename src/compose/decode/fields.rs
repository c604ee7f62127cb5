//! One mapping of the canonical tree, read field by field into the types of the model.

use std::time::Duration;

use indexmap::IndexMap;

use crate::compose::attributes::Pattern;
use crate::compose::tree;
use crate::compose::value::duration;
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};
use crate::yaml::{Entry, Node, Text, Value};

/// A mapping, and where findings about its values go.
pub(super) struct Fields<'t, 'f> {
    pub node: &'t Node,
    /// The path of the mapping, for messages.
    pub path: String,
    pub findings: &'f mut Findings,
}

impl<'t> Fields<'t, '_> {
    /// A text that says something, with its place.
    pub fn spanned(&self, key: &str) -> Option<Spanned<String>> {
        let node = self.node.get(key)?;
        let text = node.as_scalar()?.value.text().into_owned();
        (!text.is_empty()).then(|| Spanned::new(text, node.span))
    }

    /// A text that says something.
    pub fn text(&self, key: &str) -> Option<String> {
        self.spanned(key).map(|s| s.value)
    }

    /// A boolean.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.node.get(key)?.as_bool()
    }

    /// A whole number.
    pub fn whole(&self, key: &str) -> Option<Spanned<i64>> {
        let node = self.node.get(key)?;
        match node.as_scalar()?.value {
            Value::Int(n) => Some(Spanned::new(n, node.span)),
            _ => None,
        }
    }

    /// A count; more than the type holds is found.
    pub fn count(&mut self, key: &str) -> Option<Spanned<u32>> {
        let number = self.whole(key)?;
        match u32::try_from(number.value) {
            Ok(n) => Some(number.map(|_| n)),
            Err(_) => {
                let message = format!("{}.{key} cannot be {}", self.path, number.value);
                self.refuse(Code::BadValue, message, number.span, "write a number from 0 to 4294967295");
                None
            }
        }
    }

    /// A duration.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        duration::parse(self.node.get(key)?.as_str()?).ok()
    }

    /// The texts of a list; an empty list where there is none.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let items = tree::items(self.node, key);
        let mut texts = Vec::with_capacity(items.len());
        texts.extend(items.iter().filter_map(|item| Some(item.as_scalar()?.value.text().into_owned())));
        texts
    }

    /// The texts of a list with their places.
    pub fn spanned_texts(&self, key: &str) -> Vec<Spanned<String>> {
        let text = |item: &Node| Some(Spanned::new(item.as_scalar()?.value.text().into_owned(), item.span));
        let items = tree::items(self.node, key);
        let mut texts = Vec::with_capacity(items.len());
        texts.extend(items.iter().filter_map(text));
        texts
    }

    /// A program and its arguments; none where the file does not say it.
    pub fn words(&self, key: &str) -> Option<Vec<String>> {
        self.node.get(key)?.as_seq()?;
        Some(self.texts(key))
    }

    /// A mapping of texts.
    pub fn pairs(&self, key: &str) -> IndexMap<String, String> {
        let text = |node: &Node| node.as_scalar().map_or(String::new(), |s| s.value.text().into_owned());
        tree::section(self.node, key).map(|(key, entry)| (key.to_string(), text(&entry.value))).collect()
    }

    /// A mapping of texts with their places.
    pub fn spanned_pairs(&self, key: &str) -> IndexMap<String, Spanned<String>> {
        let pair = |(key, entry): (&Text, &Entry)| {
            let value = entry.value.as_scalar().map_or(String::new(), |s| s.value.text().into_owned());
            (key.to_string(), Spanned::new(value, entry.value.span))
        };
        tree::section(self.node, key).map(pair).collect()
    }

    /// A text that parses; what does not is found with its code, and `help` as the way out.
    pub fn parsed<T: std::str::FromStr>(
        &mut self,
        key: &str,
        code: Code,
        what: &str,
        help: &str,
    ) -> Option<Spanned<T>> {
        let text = self.spanned(key)?;
        self.parse(&text, key, code, what, help)
    }

    /// The texts of a list that parse.
    pub fn parsed_list<T: std::str::FromStr>(&mut self, key: &str, what: &str, help: &str) -> Vec<Spanned<T>> {
        let texts = self.spanned_texts(key);
        texts.iter().filter_map(|text| self.parse(text, key, Code::BadValue, what, help)).collect()
    }

    /// A text that matches a pattern from end to end; what does not is found.
    pub fn whole_pattern(&mut self, key: &str, pattern: Pattern, code: Code) -> Option<Spanned<String>> {
        let text = self.spanned(key)?;
        if !pattern.is_whole(&text) {
            let message = format!("{}.{key} cannot be `{}`", self.path, text.value);
            self.refuse(code, message, text.span, pattern.expected());
            return None;
        }
        Some(text)
    }

    fn parse<T: std::str::FromStr>(
        &mut self,
        text: &Spanned<String>,
        key: &str,
        code: Code,
        what: &str,
        help: &str,
    ) -> Option<Spanned<T>> {
        let parsed = text.parse().ok().map(|value| Spanned::new(value, text.span));
        if parsed.is_none() {
            let message = format!("{}.{key}: `{}` is not {what}", self.path, text.value);
            self.refuse(code, message, text.span, help);
        }
        parsed
    }

    /// An error about a value.
    pub fn refuse(&mut self, code: Code, message: impl Into<String>, at: Span, help: impl Into<String>) {
        self.findings.push(Finding::error(code, message).at(at).help(help));
    }
}

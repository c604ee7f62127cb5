//! Second stage: `${VARIABLE}` in every string value of a document, in place. Keys are not interpolated.
//!
//! An interpolated scalar keeps the text as it was written in `raw`; its value becomes the expanded string, whatever it
//! looks like: the cast to a number or a boolean is that of the attribute's type and comes later.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::budget::{self, Budget};
use super::environment::Environment;
use super::template::{self, Trouble};
use super::trail::Way;
use crate::finding::{Code, Finding, Findings, nearest};
use crate::source::{Files, Span};
use crate::yaml::{Data, Entry, Mapping, Node, Scalar, Value};

/// Interpolates trees; one serves all files of a project, so that each unset variable is spoken of once.
pub struct Interpolator<'e> {
    environment: &'e Environment,
    unset: BTreeSet<String>,
    /// How many bytes variables may still add to texts, all in all.
    left: Budget,
    /// What an alias shares is expanded once: by the address of the old collection, that one (held, so that its address
    /// stays its own) and the new one, where it is another.
    shared: BTreeMap<*const (), (Data, Option<Data>)>,
    /// Scalars that were spoken of: an alias brings them again.
    troubled: BTreeSet<Span>,
}

impl<'e> Interpolator<'e> {
    /// Over these variables.
    pub fn new(environment: &'e Environment) -> Self {
        let (unset, troubled, shared) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { environment, unset, left: Budget::of(budget::BYTES), shared, troubled }
    }

    /// Interpolates every string under a node.
    pub fn tree(&mut self, files: &Files, node: &mut Node, findings: &mut Findings) {
        self.node(files, node, &Way::Top, findings);
    }

    /// Interpolates a node in place, and says whether anything is different now.
    fn node(&mut self, files: &Files, node: &mut Node, way: &Way<'_>, findings: &mut Findings) -> bool {
        match &mut node.data {
            Data::Null => false,
            Data::Scalar(scalar) => match self.scalar(files, node.span, scalar, way, findings) {
                Some(expanded) => {
                    *scalar = expanded;
                    true
                }
                None => false,
            },
            Data::Seq(items) => match Rc::get_mut(items) {
                Some(items) => self.sequence(files, items, way, findings),
                None => self.shared(files, Rc::as_ptr(items).cast(), node, way, findings),
            },
            Data::Map(mapping) => match Rc::get_mut(mapping) {
                Some(mapping) => self.mapping(files, mapping, way, findings),
                None => self.shared(files, Rc::as_ptr(mapping).cast(), node, way, findings),
            },
        }
    }

    /// A collection that stands in other places too: a copy is changed, and every place gets the same one.
    fn shared(
        &mut self,
        files: &Files,
        address: *const (),
        node: &mut Node,
        way: &Way<'_>,
        findings: &mut Findings,
    ) -> bool {
        if !self.shared.contains_key(&address) {
            let mut data = node.data.clone();
            let is_changed = match &mut data {
                Data::Seq(items) => self.sequence(files, Rc::make_mut(items).as_mut_slice(), way, findings),
                Data::Map(mapping) => self.mapping(files, Rc::make_mut(mapping), way, findings),
                Data::Null | Data::Scalar(_) => false,
            };
            self.shared.insert(address, (node.data.clone(), is_changed.then_some(data)));
        }
        let Some((_, Some(data))) = self.shared.get(&address) else { return false };
        node.data = data.clone();
        true
    }

    fn sequence(&mut self, files: &Files, items: &mut [Node], way: &Way<'_>, findings: &mut Findings) -> bool {
        let mut is_changed = false;
        for (index, item) in items.iter_mut().enumerate() {
            is_changed |= self.node(files, item, &Way::Item(way, index), findings);
        }
        is_changed
    }

    fn mapping(&mut self, files: &Files, mapping: &mut Mapping, way: &Way<'_>, findings: &mut Findings) -> bool {
        let mut is_changed = false;
        for (key, Entry { value, .. }) in mapping.0.iter_mut() {
            is_changed |= self.node(files, value, &Way::Key(way, key), findings);
        }
        is_changed
    }

    fn scalar(
        &mut self,
        files: &Files,
        span: Span,
        scalar: &Scalar,
        way: &Way<'_>,
        findings: &mut Findings,
    ) -> Option<Scalar> {
        let Value::Str(text) = &scalar.value else { return None };
        if !text.contains('$') || self.left.is_spent() {
            return None;
        }
        let mut troubles = vec![];
        let lookup = |name: &str| self.environment.get(name).map(str::to_owned);
        let expanded = template::expand(text, &lookup, &mut troubles);
        if !self.left.take(expanded.len().saturating_sub(text.len())) {
            troubles.push((0..text.len(), Trouble::TooLong));
        }
        // what cannot be expanded stays as it is written, so that it does not count as empty
        let failed = troubles.iter().any(|(_, trouble)| trouble.is_error());
        let value = Value::Str(if failed { text.clone() } else { expanded.into() });
        if !troubles.is_empty() && !self.troubled.insert(span) {
            troubles.clear();
        }
        troubles.retain(|(_, trouble)| self.is_news(trouble));
        for (place, written, trouble) in placed(files, span, text, troubles) {
            let is_error = trouble.is_error();
            let finding = finding(&[self.environment], Within::StackFile, place, written, trouble);
            let message = if is_error { format!("{}: {}", way, finding.message) } else { finding.message };
            findings.push(Finding { message, ..finding });
        }
        Some(scalar.with(value, scalar.style))
    }

    /// Whether a trouble has not been spoken of: an unset variable is once only.
    fn is_news(&mut self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::Unset { name } => self.unset.insert(name.clone()),
            _ => true,
        }
    }
}

/// What a template stands in: there are two ways to write a plain dollar sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// A stack file: `$$`.
    StackFile,
    /// An environment file: single quotes.
    EnvironmentFile,
}

/// What is said about a template's trouble; `known` are the variables that were looked up.
pub(super) fn finding(known: &[&Environment], within: Within, span: Span, written: &str, trouble: Trouble) -> Finding {
    let near = |name: &str| nearest(name, known.iter().flat_map(|e| e.iter()).map(|(n, _)| n)).map(str::to_owned);
    let invalid = |message: &str| {
        Finding::error(Code::BadInterpolation, message).at(span).help(
            "write `$$` where a plain dollar sign is meant; the forms are `${NAME}`, `${NAME:-default}`, \
                   `${NAME:?message}` and `${NAME:+replacement}`",
        )
    };
    match trouble {
        Trouble::Unclosed => invalid("`${` is not closed by `}`"),
        Trouble::NoName => invalid("after `${` stands no variable's name").label("a letter or `_` must come first"),
        Trouble::BadOperator => {
            invalid(&format!("`{written}` is not a variable")).label("the name is followed by no operator")
        }
        Trouble::TooDeep => Finding::error(Code::BadInterpolation, "too many defaults stand inside each other")
            .at(span)
            .help("give the inner ones a variable of their own in .env"),
        Trouble::TooLong => {
            Finding::error(Code::YamlBudget, "variables make these texts longer than any stack can need").at(span).help(
                "variables that repeat others multiply; they may add 1 MiB to one text, and 16 MiB to all of them",
            )
        }
        Trouble::Required { name, message, empty } => {
            let state = if empty { "empty" } else { "not set" };
            let text = if message.is_empty() { String::new() } else { format!(": {message}") };
            let finding = Finding::error(Code::RequiredVariable, format!("`{name}` is required and {state}{text}"));
            let finding = match known.iter().find_map(|e| e.variable(&name)).and_then(|v| v.origin) {
                Some(origin) => finding.also(origin, "set to nothing here"),
                None => finding,
            };
            let hint =
                near(&name).filter(|_| !empty).map_or(String::new(), |n| format!("; `{n}` is set: is that meant?"));
            finding.at(span).help(format!("set it: `{name}=… bowline …`, or a line `{name}=…` in .env{hint}"))
        }
        Trouble::Unset { name } => {
            let finding =
                Finding::warning(Code::UnsetVariable, format!("`{name}` is not set and becomes a blank string"))
                    .at(span);
            match near(&name) {
                Some(near) => finding.help(format!("`{near}` is set: is that meant?")),
                None if within == Within::EnvironmentFile => {
                    finding.help("set it; or put the value between single quotes if a plain dollar sign is meant")
                }
                None => finding.help(format!(
                    "set it, or write `${{{name}:-}}` where blank is meant, `$${}` where a dollar sign is",
                    written.trim_start_matches('$')
                )),
            }
        }
    }
}

/// How many troubles of one scalar are placed exactly: each takes a walk through its text.
const PLACED: usize = 100;

/// A template's troubles, each with its place in the file and the text that stands there.
pub(super) fn placed<'t>(
    files: &Files,
    span: Span,
    text: &'t str,
    troubles: Vec<(Range<usize>, Trouble)>,
) -> impl Iterator<Item = (Span, &'t str, Trouble)> {
    troubles.into_iter().enumerate().map(move |(n, (range, trouble))| {
        let place = if n < PLACED { place_in(files, span, text, &range) } else { span };
        (place, text.get(range).unwrap_or_default(), trouble)
    })
}

/// Where in the file a stretch of a scalar's text stands; the whole scalar where quoting hides it.
fn place_in(files: &Files, span: Span, text: &str, range: &Range<usize>) -> Span {
    let source = files.text(span);
    let Some(part) = text.get(range.clone()) else { return span };
    let at = match source.find(text) {
        Some(offset) => Some(offset + range.start),
        // escapes or folded lines stand before it: the n-th of its kind in the text is the n-th in the source
        None => {
            let before = text[..range.start].matches(part).count();
            source.match_indices(part).nth(before).map(|(at, _)| at)
        }
    };
    at.map_or(span, |at| Span::new(span.file, span.start as usize + at, span.start as usize + at + part.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn interpolate(text: &str) -> (Node, Vec<String>) {
        let environment: Environment = [("SET", "set"), ("PORT", "80"), ("EMPTY", "")].into_iter().collect();
        let mut files = Files::new();
        let id = files.add("c.yaml", None, text);
        let mut findings = Findings::new();
        let mut node = yaml::read(&files, id, &mut findings).remove(0);
        Interpolator::new(&environment).tree(&files, &mut node, &mut findings);
        let said =
            findings.iter().map(|f| format!("{} {}: {}", files.place(f.at.unwrap()), f.code, f.message)).collect();
        (node, said)
    }

    #[test]
    fn strings_are_expanded_and_keys_are_not() {
        let (node, said) = interpolate("$SET: [\"${SET}\", $SET-x, 5, {a: '${PORT}'}]\n");
        assert_eq!(said, Vec::<String>::new());
        let items = node.get("$SET").and_then(Node::as_seq).unwrap();
        assert_eq!(items[0].as_str(), Some("set"));
        assert_eq!(items[1].as_str(), Some("set-x"));
        let port = items[3].get("a").unwrap();
        assert_eq!(port.as_str(), Some("80"), "still a string: the attribute's type casts it");
        assert_eq!(port.as_scalar().unwrap().raw(), "${PORT}");
    }

    #[test]
    fn the_variable_itself_is_cited() {
        let (_, said) =
            interpolate("a: x ${ONE} y\nb: '$TWO'\nc: \"\\t${THREE}\"\nd: |\n  some\n  $FOUR\ne: >-\n  a\n  ${1}\n");
        let places: Vec<&str> = said.iter().map(|s| s.split(' ').next().unwrap()).collect();
        assert_eq!(places, ["c.yaml:1:6", "c.yaml:2:5", "c.yaml:3:7", "c.yaml:6:3", "c.yaml:9:3"]);
    }

    #[test]
    fn an_unset_variable_is_spoken_of_once() {
        let (node, said) = interpolate("a: $NO\nb: ${NO}\nc: &c [$NO, $OTHER]\nd: *c\n");
        assert_eq!(
            said,
            [
                "c.yaml:1:4 unset-variable: `NO` is not set and becomes a blank string",
                "c.yaml:3:13 unset-variable: `OTHER` is not set and becomes a blank string",
            ]
        );
        assert_eq!(node.get("b").and_then(Node::as_str), Some(""));
    }

    #[test]
    fn what_aliases_share_stays_shared() {
        let (node, _) = interpolate("a: &a {x: $SET, y: [1, 2]}\nb: *a\nc: {<<: *a}\n");
        assert_eq!(node.get("b").and_then(|b| b.get("x")).and_then(Node::as_str), Some("set"));
        let map = |key: &str| match &node.get(key).unwrap().data {
            Data::Map(map) => map.clone(),
            other => panic!("{other:?}"),
        };
        assert!(Rc::ptr_eq(&map("a"), &map("b")));
        assert_eq!(node.get("c").and_then(|c| c.get("x")).and_then(Node::as_str), Some("set"));
    }

    #[test]
    fn a_required_variable_is_an_error_with_its_message() {
        let (_, said) = interpolate("a: ${NO:?set it in .env}\nb: ${EMPTY:?}\n");
        assert_eq!(
            said,
            [
                "c.yaml:1:4 required-variable: a: `NO` is required and not set: set it in .env",
                "c.yaml:2:4 required-variable: b: `EMPTY` is required and empty",
            ]
        );
    }
}

//! Anchors and aliases: what an alias stands for, and what is wrong where it stands for nothing, itself or too much.

use std::borrow::Cow;

use super::node::Node;
use super::read::ALIAS_LIMIT;
use crate::finding::{Code, Finding, nearest};
use crate::source::Span;

/// What an anchor names.
pub(super) struct Anchor<'t> {
    pub id: usize,
    pub name: Cow<'t, str>,
    pub span: Span,
    /// The value; absent while it is being read.
    pub value: Option<Built>,
}

/// A value with what it counts against the budgets.
#[derive(Clone)]
pub(super) struct Built {
    pub node: Node,
    /// What it weighs: [`Node::weight`].
    pub weight: usize,
    /// How many collections stand inside each other in it.
    pub height: usize,
}

impl Built {
    pub fn leaf(node: Node) -> Self {
        Self { weight: node.weight(), node, height: 0 }
    }
}

impl Anchor<'_> {
    /// An alias within what it names.
    pub fn contains_itself(&self, alias: Span) -> Finding {
        Finding::error(Code::BadAnchor, format!("`*{0}` stands inside what `&{0}` names", self.name))
            .at(alias)
            .label("would contain itself")
            .also(self.span, "begins here")
            .help("move what both need under a key of its own, an `x-` key for instance, and anchor that")
    }

    /// An alias that is one too many.
    pub fn too_much(&self, alias: Span, weight: usize) -> Finding {
        let limit = thousands(ALIAS_LIMIT);
        Finding::error(Code::YamlBudget, format!("aliases blow this file up beyond {limit} values"))
            .at(alias)
            .label(format!("stands for {} values", thousands(weight)))
            .also(self.span, "defined here")
            .help("aliases of lists of aliases multiply; write out what is really needed")
    }
}

/// An alias that names nothing which stands before it.
pub(super) fn unknown(name: &str, alias: Span, text: &str, known: &[Anchor<'_>]) -> Finding {
    let finding = Finding::error(Code::BadAnchor, format!("no anchor `&{name}` stands before `*{name}`"))
        .at(alias)
        .label("names nothing");
    let definition = format!("&{name}");
    let after = alias.end as usize;
    if let Some(at) = text.get(after..).and_then(|rest| rest.find(&definition)) {
        let place = Span::new(alias.file, after + at, after + at + definition.len());
        return finding.also(place, "defined only here").help("move the anchored value above the place that uses it");
    }
    let before = text.get(..alias.start as usize).and_then(|text| text.rfind(&definition));
    if let Some(at) = before {
        let place = Span::new(alias.file, at, at + definition.len());
        return finding
            .also(place, "defined in another document")
            .help("anchors end at `---`: repeat it in this document");
    }
    match nearest(name, known.iter().take(1000).map(|a| a.name.as_ref())) {
        Some(near) => finding.help(format!("did you mean `*{near}`?")).patch(alias, format!("*{near}")),
        None => {
            finding.help(format!("quote `*{name}` if a text is meant; or anchor a value with `&{name}` further up"))
        }
    }
}

/// `250,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|g| str::from_utf8(g).unwrap_or_default()).collect();
    groups.join(",")
}

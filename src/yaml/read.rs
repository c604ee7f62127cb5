//! Text to documents: granit-parser's events to [`Node`]s, each with the bytes where it stands.

use granit_parser::{
    Event, Options, Parser, ScalarStyle, Span as EventSpan, StrInput, StructureStyle, Tag as EventTag,
};

use super::anchor::{Anchor, Built};
use super::merge::{self, Source};
use super::node::{Data, Entry, Mapping, Node, Scalar, Style, Text, Value};
use super::pairs::Pairs;
use super::syntax::Context;
use super::{anchor, key, scalar, syntax, tag};
use crate::finding::{Code, Finding, Findings};
use crate::source::{FileId, Files, Span};

/// How many collections may stand inside each other. Real stacks nest less than twenty.
pub const DEPTH_LIMIT: usize = 100;

/// How many values the aliases of one file may add to those that are written out; a long text counts as several. A stack of
/// 2,000 services that share a block of 50 lines adds 100,000; the nine-level "billion laughs" adds 10⁹.
pub const ALIAS_LIMIT: usize = 250_000;

/// How many documents one file may have. They are merged like files that override each other.
pub const DOCUMENT_LIMIT: usize = 100;

/// How many findings one file may give before the reader stops listing them.
const FINDING_LIMIT: usize = 100;

/// Reads the documents of a file. An empty file has none; an empty document is null.
///
/// After a syntax error the rest of that document is left out and the next is read; all else that is wrong (a key given
/// twice, an alias of nothing) leaves a tree that is whole, so that later stages can speak too.
pub fn read(files: &Files, id: FileId, findings: &mut Findings) -> Vec<Node> {
    let text = files.get(id).text.as_str();
    if let Some(finding) = syntax::forbidden_character(text, id) {
        findings.push(finding);
        return vec![];
    }
    let options: Options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH_LIMIT,
        block_nesting_limit: DEPTH_LIMIT,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader {
        parser,
        text,
        file: id,
        findings,
        reported: 0,
        anchors: vec![],
        added: 0,
        depth: 0,
        read_to: 0,
        brackets: vec![],
    };
    reader.stream()
}

/// Why the rest of a document is not read; a finding has been made.
pub(super) struct Abandoned;

type Outcome<T> = Result<T, Abandoned>;

struct Reader<'t, 'f> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    file: FileId,
    findings: &'f mut Findings,
    reported: usize,
    /// The anchors of this document, in the order in which they opened, which is that of their ids.
    anchors: Vec<Anchor<'t>>,
    /// How many values aliases have added.
    added: usize,
    depth: usize,
    /// The end of the last event, and the open brackets: for the messages of syntax errors.
    read_to: usize,
    brackets: Vec<Span>,
}

impl<'t> Reader<'t, '_> {
    fn stream(&mut self) -> Vec<Node> {
        let mut documents = vec![];
        loop {
            match self.next() {
                Ok(Some((Event::DocumentStart(..), at))) if documents.len() == DOCUMENT_LIMIT => {
                    let message = format!("more than {DOCUMENT_LIMIT} documents stand in this file");
                    let finding = Finding::error(Code::YamlBudget, message).at(self.span(at));
                    self.report(finding.help("put what belongs together into one; `---` begins a new one"));
                    break;
                }
                Ok(Some((Event::DocumentStart(..), _))) => {
                    self.anchors.clear();
                    self.brackets.clear();
                    self.depth = 0;
                    match self.document() {
                        Ok(node) => documents.push(node),
                        Err(Abandoned) if self.skip_document() => {}
                        Err(Abandoned) => break,
                    }
                }
                Ok(Some((Event::StreamEnd, _)) | None) => break,
                Ok(Some(_)) => {}
                Err(Abandoned) if self.skip_document() => {}
                Err(Abandoned) => break,
            }
        }
        documents
    }

    /// Goes to the next document after an error; false at the end of the file.
    fn skip_document(&mut self) -> bool {
        self.reported < FINDING_LIMIT && matches!(self.parser.proceed_next_document(), Ok(true))
    }

    fn document(&mut self) -> Outcome<Node> {
        let start = self.expect_next()?;
        let node = self.node(start)?.node;
        match self.expect_next()? {
            (Event::DocumentEnd, _) => Ok(node),
            _ => Err(Abandoned),
        }
    }

    fn next(&mut self) -> Outcome<Option<(Event<'t>, EventSpan)>> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, at))) => {
                self.read_to = at.byte_range().map_or(self.read_to, |r| self.read_to.max(r.end));
                Ok(Some((event, at)))
            }
            Some(Err(error)) => {
                let Self { text, file, read_to, .. } = *self;
                let finding = syntax::finding(&error, &Context { text, file, read_to, brackets: &self.brackets });
                self.report(finding);
                Err(Abandoned)
            }
        }
    }

    fn expect_next(&mut self) -> Outcome<(Event<'t>, EventSpan)> {
        self.next()?.ok_or(Abandoned)
    }

    fn report(&mut self, finding: Finding) {
        self.reported += 1;
        match self.reported {
            ..FINDING_LIMIT => self.findings.push(finding),
            FINDING_LIMIT => {
                let more = format!("{FINDING_LIMIT} things are wrong in this file; what follows is not listed");
                self.findings.push(finding);
                self.findings.push(Finding::note(Code::YamlSyntax, more).at(Span::new(self.file, 0, 0)));
            }
            _ => {}
        }
    }

    fn span(&self, span: EventSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        Span::new(self.file, range.start, range.end)
    }

    /// The value that begins with this event.
    fn node(&mut self, (event, at): (Event<'t>, EventSpan)) -> Outcome<Built> {
        let span = self.span(at);
        let tag_span = at.tag_span().map_or(span, |s| self.span(s));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let named = self.open_anchor(anchor)?;
                let node = self.scalar(&text, style, tag.as_deref(), span, tag_span);
                Ok(self.close_anchor(named, Built::leaf(node)))
            }
            Event::SequenceStart(style, anchor, tag) => {
                let named = self.open_anchor(anchor)?;
                self.descend(style, span)?;
                let mut built = self.sequence(span)?;
                self.ascend(style);
                built.node.tag = tag.as_deref().and_then(tag::of_compose);
                Ok(self.close_anchor(named, built))
            }
            Event::MappingStart(style, anchor, tag) => {
                let named = self.open_anchor(anchor)?;
                self.descend(style, span)?;
                let mut built = self.mapping(span)?;
                self.ascend(style);
                built.node.tag = tag.as_deref().and_then(tag::of_compose);
                Ok(self.close_anchor(named, built))
            }
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                // the search for what was meant walks the text: not for a finding that is not shown
                if self.reported < FINDING_LIMIT {
                    self.report(anchor::unknown(&name, span, self.text, &self.anchors));
                }
                Ok(Built::leaf(Node::null(span)))
            }
            _ => Err(Abandoned),
        }
    }

    fn descend(&mut self, style: StructureStyle, span: Span) -> Outcome<()> {
        if style == StructureStyle::Flow {
            // a pair in a list is a mapping without a bracket of its own: `[a: b]`
            let opens = self.text[span.range()].starts_with(['[', '{']);
            let outer = self.brackets.last().copied().filter(|_| !opens);
            self.brackets.push(outer.unwrap_or(span));
        }
        self.depth += 1;
        if self.depth <= DEPTH_LIMIT {
            return Ok(());
        }
        self.report(syntax::too_deep(span));
        Err(Abandoned)
    }

    fn ascend(&mut self, style: StructureStyle) {
        if style == StructureStyle::Flow {
            self.brackets.pop();
        }
        self.depth -= 1;
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&EventTag>, span: Span, tag_span: Span) -> Node {
        let span = syntax::trim_block(self.text, span);
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            _ => Style::Block,
        };
        // the parser says `~` where nothing stands
        let text = if style == Style::Plain && span.start == span.end { "" } else { text };
        let data = match tag {
            Some(tag) => tag::scalar(tag, text, style).unwrap_or_else(|what| {
                let finding = Finding::error(Code::BadTag, what).at(tag_span.to(span));
                self.report(finding.help("take the tag out, or give a value of its kind"));
                string(text, style)
            }),
            None if style == Style::Plain => {
                if text.starts_with(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
                    self.report(syntax::typographic_quotes(span));
                }
                scalar::resolve(text)
            }
            None => string(text, style),
        };
        Node { span, tag: tag.and_then(tag::of_compose), data }
    }

    fn sequence(&mut self, start: Span) -> Outcome<Built> {
        let (mut items, mut weight, mut height, mut end) = (vec![], 1, 0, start);
        loop {
            let (event, at) = self.expect_next()?;
            if matches!(event, Event::SequenceEnd) {
                let span = self.close(start, end, at);
                items.shrink_to_fit();
                return Ok(Built { node: Node::seq(span, items), weight, height: height + 1 });
            }
            end = self.end_of_written(at, end);
            let item = self.node((event, at))?;
            end = if item.node.span.file == end.file && item.node.span.start >= end.start {
                end.to(item.node.span)
            } else {
                end
            };
            weight += item.weight;
            height = height.max(item.height);
            items.push(item.node);
        }
    }

    /// The later of what was written so far and this event: an alias counts where the `*` stands.
    fn end_of_written(&self, at: EventSpan, end: Span) -> Span {
        end.to(self.span(at))
    }

    /// The span of a collection: a flow one to its bracket, a block one to the end of its last child.
    fn close(&self, start: Span, last: Span, at: EventSpan) -> Span {
        let end = self.span(at);
        let closed = self.text.get(end.range()).is_some_and(|t| matches!(t, "]" | "}"));
        if closed { start.to(end) } else { start.to(last) }
    }

    fn mapping(&mut self, start: Span) -> Outcome<Built> {
        let mut map = Pairs::default();
        let mut merges: Vec<(Span, Source)> = vec![];
        let (mut weight, mut height, mut end) = (1, 0, start);
        loop {
            let (event, at) = self.expect_next()?;
            if matches!(event, Event::MappingEnd) {
                let span = self.close(start, end, at);
                map.shrink();
                let mut mapping = Mapping(map);
                if let Some((_, source)) = merges.into_iter().next() {
                    merge::into(&mut mapping, &source);
                    weight = mapping.weight();
                }
                return Ok(Built { node: Node::map(span, mapping), weight, height: height + 1 });
            }
            let key_at = self.span(at);
            let is_merge = is_merge_key(&event);
            let key = self.key((event, at), key_at)?;
            end = end.to(key_at);
            let (event, at) = self.expect_next()?;
            end = self.end_of_written(at, end);
            let mut value = self.node((event, at))?;
            if value.node.is_null() && value.node.span.start == value.node.span.end {
                value.node.span = key_at;
            }
            if value.node.span.start >= end.start {
                end = end.to(value.node.span);
            }
            weight += value.weight + key.as_ref().map_or(0, |key| key.len() / 64);
            height = height.max(value.height);
            if is_merge {
                self.add_merge(&mut merges, key_at, value.node);
            } else if let Some(key) = key {
                self.add_entry(&mut map, key, key_at, value.node);
            }
        }
    }

    fn add_merge(&mut self, merges: &mut Vec<(Span, Source)>, key_at: Span, value: Node) {
        if let Some((first, _)) = merges.first() {
            self.report(key::twice("<<", *first, key_at));
        }
        // of an alias of nothing enough is said
        if value.is_null() && self.text.get(value.span.range()).is_some_and(|t| t.starts_with('*')) {
            return;
        }
        match merge::source(&value, key_at) {
            Ok(source) => merges.push((key_at, source)),
            Err(finding) => self.report(finding),
        }
    }

    fn add_entry(&mut self, map: &mut Pairs, key: Text, key_at: Span, value: Node) {
        if let Some(first) = map.get(&key) {
            self.report(key::twice(&key, first.key, key_at));
            return;
        }
        map.insert(key, Entry { key: key_at, value });
    }

    /// The text of a key; none after a finding.
    fn key(&mut self, (event, at): (Event<'t>, EventSpan), span: Span) -> Outcome<Option<Text>> {
        if let Event::Scalar(text, ScalarStyle::Plain, 0, None) = &event
            && key::is_usual(text)
        {
            return Ok(Some(Text::from(text.as_ref())));
        }
        let built = self.node((event, at))?;
        // of a mapping within braces the first brace is before it: `{{ name }}`
        let is_collection = built.node.as_scalar().is_none() && !built.node.is_null();
        let from = span.start as usize - usize::from(is_collection && self.text[..span.start as usize].ends_with('{'));
        let written = if is_collection { self.text.get(from..) } else { self.text.get(span.range()) };
        let (key, finding) = key::text(&built.node, span, written.unwrap_or_default());
        if let Some(finding) = finding {
            self.report(finding);
        }
        Ok(key)
    }

    fn open_anchor(&mut self, id: usize) -> Outcome<Option<usize>> {
        if id == 0 {
            return Ok(None);
        }
        match self.expect_next()? {
            (Event::Anchor(id, name), at) => {
                let span = self.span(at);
                self.anchors.push(Anchor { id, name, span, value: None });
                Ok(Some(self.anchors.len() - 1))
            }
            _ => Err(Abandoned),
        }
    }

    fn close_anchor(&mut self, index: Option<usize>, built: Built) -> Built {
        if let Some(index) = index {
            self.anchors[index].value = Some(built.clone());
        }
        built
    }

    fn alias(&mut self, id: usize, span: Span) -> Outcome<Built> {
        let Ok(index) = self.anchors.binary_search_by_key(&id, |a| a.id) else { return Err(Abandoned) };
        let anchor = &self.anchors[index];
        let Some(built) = anchor.value.clone() else {
            let finding = anchor.contains_itself(span);
            self.report(finding);
            return Ok(Built::leaf(Node::null(span)));
        };
        self.added += built.weight;
        if self.added > ALIAS_LIMIT {
            let finding = anchor.too_much(span, built.weight);
            self.report(finding);
            return Err(Abandoned);
        }
        if self.depth + built.height > DEPTH_LIMIT {
            self.report(syntax::too_deep(span));
            return Err(Abandoned);
        }
        Ok(built)
    }
}

fn string(text: &str, style: Style) -> Data {
    Data::Scalar(Scalar::new(Value::Str(text.into()), style))
}

fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, tag) => {
            text == "<<" && tag.as_ref().is_none_or(|t| tag::is_merge(t))
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;

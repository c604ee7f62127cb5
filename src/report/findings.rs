//! Findings as a person reads them, and as a program does.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet, normalize_untrusted_str,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Finding, Findings, Severity};
use crate::source::{FileId, Files, Position, Span};

/// Labels of one file that lie more lines apart than this are shown as two excerpts.
const APART: u32 = 12;

/// How wide an excerpt may be; longer lines are cut round what is cited.
pub(super) const WIDTH: usize = 140;

/// A line that goes on for more bytes than this before or after what is cited is cut before it is laid out.
const CUT: usize = 1000;

/// Whether a text may have colours. The library does not look at terminals: the command line decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// None.
    Plain,
    /// ANSI escapes.
    Ansi,
}

/// All findings, sorted by place, each with its excerpts and its way out, and a line that counts them; nothing for none.
pub fn text(files: &Files, findings: &Findings, color: Color) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let renderer = match color {
        Color::Plain => Renderer::plain(),
        Color::Ansi => Renderer::styled(),
    };
    let renderer = renderer.term_width(WIDTH);
    let mut sorted = findings.clone();
    sorted.sort();
    let mut out = String::new();
    for finding in sorted.iter() {
        out.push_str(&one(files, finding, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&count(findings));
    out.push('\n');
    out
}

/// `2 errors, 1 warning`.
pub fn count(findings: &Findings) -> String {
    let counted =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")].map(|(s, name)| {
            match findings.iter().filter(|f| f.severity == s).count() {
                0 => None,
                1 => Some(format!("1 {name}")),
                n => Some(format!("{n} {name}s")),
            }
        });
    counted.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) fn one(files: &Files, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let excerpts = excerpts(files, finding);
    let title = level.primary_title(one_line(&finding.message)).id(finding.code.text());
    let mut groups = vec![Group::with_title(title).elements(excerpts.iter().flat_map(Excerpt::elements))];
    let patched = finding.patch.as_ref().map(|(span, text)| (excerpt(files, &[(*span, None)]), text));
    let patched = patched.filter(|(excerpt, _)| excerpt.source.len() <= WIDTH);
    if let Some(help) = &finding.help {
        let group = Group::with_title(Level::HELP.secondary_title(one_line(help)));
        groups.push(match &patched {
            Some((excerpt, text)) => group.element(excerpt.patch(text)),
            None => group,
        });
    }
    if excerpts.is_empty() {
        // without an excerpt there is nothing to draw a line from
        return groups.into_iter().map(|group| renderer.render(&[group])).collect::<Vec<_>>().join("\n");
    }
    let rendered = renderer.render(&groups);
    if excerpts.iter().all(|e| e.origin.is_none()) {
        return rendered;
    }
    // a snippet under an origin of its own brings an empty header with it
    rendered.lines().filter(|line| line.trim() != ":::").collect::<Vec<_>>().join("\n")
}

/// A message without control characters and line breaks.
pub(super) fn one_line(text: &str) -> String {
    normalize_untrusted_str(text).replace(['\n', '\u{85}', '\u{2028}', '\u{2029}'], " ")
}

/// A place and what is said there.
type Label = (Span, Option<String>);

/// Some lines of a file with what is cited in them.
struct Excerpt<'f> {
    name: String,
    first_line: u32,
    /// Line and column to show where the beginning of a very long line was cut off.
    origin: Option<Position>,
    source: &'f str,
    /// Bytes of `source`, whether they are the first place, and the label.
    labels: Vec<(Range<usize>, bool, Option<String>)>,
}

impl<'f> Excerpt<'f> {
    fn snippet(&self) -> Snippet<'f, Annotation<'f>> {
        let annotate = |(bytes, first, label): &(Range<usize>, bool, Option<String>)| {
            let kind = if *first { AnnotationKind::Primary } else { AnnotationKind::Context };
            kind.span(bytes.clone()).label(label.clone().map(Cow::Owned))
        };
        let snippet = Snippet::source(self.source).line_start(self.first_line as usize);
        let snippet = if self.origin.is_some() { snippet } else { snippet.path(self.name.clone()) };
        snippet.annotations(self.labels.iter().map(annotate))
    }

    fn elements(&self) -> Vec<Element<'f>> {
        let origin = self
            .origin
            .map(|at| Origin::path(self.name.clone()).line(at.line as usize).char_column(at.column as usize).into());
        origin.into_iter().chain([self.snippet().into()]).collect()
    }

    fn patch<'t>(&self, text: &'t str) -> Snippet<'t, Patch<'t>>
    where
        'f: 't,
    {
        let bytes = self.labels.first().map(|l| l.0.clone()).unwrap_or_default();
        Snippet::source(self.source)
            .path(self.name.clone())
            .line_start(self.first_line as usize)
            .patch(Patch::new(bytes, text))
    }
}

/// What is shown of a finding: one excerpt for the places that lie near each other in one file.
fn excerpts<'f>(files: &'f Files, finding: &Finding) -> Vec<Excerpt<'f>> {
    let first = finding.at.map(|span| (span, finding.label.clone()));
    let also = finding.also.iter().map(|(span, label)| (*span, Some(label.clone())));
    let mut groups: Vec<(FileId, u32, Vec<Label>)> = vec![];
    for (span, label) in first.into_iter().chain(also) {
        let line = files.position(span).line;
        match groups.iter_mut().find(|(file, near, _)| *file == span.file && line.abs_diff(*near) <= APART) {
            Some((_, _, places)) => places.push((span, label)),
            None => groups.push((span.file, line, vec![(span, label)])),
        }
    }
    let is_first = |index: usize| index == 0 && finding.at.is_some();
    groups
        .iter()
        .enumerate()
        .map(|(index, (_, _, places))| {
            let mut excerpt = excerpt(files, places);
            excerpt.labels.iter_mut().enumerate().for_each(|(n, label)| label.1 = n == 0 && is_first(index));
            excerpt
        })
        .collect()
}

/// The lines that hold some places of one file. A place of several lines is shown to the end of its first.
fn excerpt<'f>(files: &'f Files, places: &[Label]) -> Excerpt<'f> {
    let file = files.get(places[0].0.file);
    let text = file.text.as_str();
    let shown: Vec<Range<usize>> = places.iter().map(|(span, _)| first_line_of(text, *span)).collect();
    let start = shown.iter().map(|r| r.start).min().unwrap_or(0);
    let end = shown.iter().map(|r| r.end).max().unwrap_or(0);
    let line = text[..start].rfind('\n').map_or(0, |n| n + 1);
    let from = if start - line > CUT { boundary(text, start - WIDTH) } else { line };
    let to = text[end..].find('\n').map_or(text.len(), |n| end + n);
    let to = if to - end > CUT { boundary(text, end + WIDTH) } else { to };
    let first = Span::new(places[0].0.file, from, from);
    let label = |(range, (_, label)): (Range<usize>, &Label)| {
        (range.start - from..range.end - from, false, label.as_deref().map(one_line))
    };
    Excerpt {
        name: one_line(&file.name),
        first_line: files.position(first).line,
        origin: (from > line).then(|| files.position(places[0].0)),
        source: &text[from..(from + text[from..to].trim_end_matches('\r').len()).max(end)],
        labels: shown.into_iter().zip(places).map(label).collect(),
    }
}

fn first_line_of(text: &str, span: Span) -> Range<usize> {
    let start = boundary(text, span.start as usize);
    let end = boundary(text, span.end as usize).max(start);
    let line = text[start..end].split(['\n', '\r']).next().unwrap_or_default();
    start..start + line.trim_end().len()
}
/// The nearest character boundary at or before a byte.
fn boundary(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// A finding for programs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Record {
    /// Its kind: a stable word.
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// One sentence.
    pub message: String,
    /// Where it is, if somewhere.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What stands at the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Further places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A replacement that would mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Replacement>,
}

/// A stretch of a file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Place {
    /// The file, as it is shown.
    pub file: String,
    /// The line of its first character.
    pub line: u32,
    /// The column of its first character.
    pub column: u32,
    /// The line of the character after it.
    pub end_line: u32,
    /// The column of the character after it.
    pub end_column: u32,
}

/// A further place of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Also {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What stands there.
    pub label: String,
}

/// A text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Replacement {
    /// What is replaced.
    #[serde(flatten)]
    pub place: Place,
    /// By what.
    pub text: String,
}

/// All findings for programs, sorted by place.
pub fn records(files: &Files, findings: &Findings) -> Vec<Record> {
    let mut sorted = findings.clone();
    sorted.sort();
    let place = |span: Span| {
        let (start, end) = (files.position(span), files.position(Span { start: span.end, ..span }));
        Place {
            file: files.get(span.file).name.clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    };
    let record = |f: Finding| Record {
        code: f.code.text(),
        severity: f.severity.to_string(),
        message: f.message,
        place: f.at.map(place),
        label: f.label,
        also: f.also.into_iter().map(|(span, label)| Also { place: place(span), label }).collect(),
        help: f.help,
        patch: f.patch.map(|(span, text)| Replacement { place: place(span), text }),
    };
    sorted.into_iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::finding::Code;

    /// A file, and the span of the first occurrence of a text in it.
    fn file(files: &mut Files, name: &str, text: &str) -> impl Fn(&str) -> Span + use<> {
        let id = files.add(name, None, text);
        let text = text.to_owned();
        move |part| {
            let at = text.find(part).unwrap();
            Span::new(id, at, at + part.len())
        }
    }

    fn shown(files: &Files, finding: Finding) -> String {
        let mut findings = Findings::new();
        findings.push(finding);
        text(files, &findings, Color::Plain)
    }

    #[test]
    fn two_files_a_suggestion_and_wide_characters_are_shown_aligned() {
        let mut files = Files::new();
        let stack = file(&mut files, "compose.yml", "services:\n  웹:\n    networks: [프론트, nope]\r\n");
        let other = file(&mut files, "override.yml", "networks:\n  node: {}\n");
        let finding =
            Finding::error(Code::UndefinedReference, "service `웹` joins the network `nope`, which is not defined")
                .at(stack("nope"))
                .label("not under `networks:`")
                .also(other("node"), "a similar name")
                .help("did you mean `node`?")
                .patch(stack("nope"), "node");
        insta::assert_snapshot!(shown(&files, finding), @r#"
    error[undefined-reference]: service `웹` joins the network `nope`, which is not defined
     --> compose.yml:3:21
      |
    3 |     networks: [프론트, nope]
      |                        ^^^^ not under `networks:`
      |
     ::: override.yml:2:3
      |
    2 |   node: {}
      |   ---- a similar name
      |
    help: did you mean `node`?
      |
    3 -     networks: [프론트, nope]
    3 +     networks: [프론트, node]
      |

    1 error
    "#);
    }

    #[test]
    fn places_near_each_other_share_an_excerpt_and_far_ones_do_not() {
        let mut files = Files::new();
        let text = format!("a: 1\nb: 2\n{}c: 3\n", "\n".repeat(50));
        let at = file(&mut files, "c.yaml", &text);
        let finding = Finding::warning(Code::Conflict, "three places")
            .at(at("b: 2"))
            .also(at("a: 1"), "near")
            .also(at("c: 3"), "far");
        insta::assert_snapshot!(shown(&files, finding), @r#"
    warning[conflict]: three places
      --> c.yaml:2:1
       |
     1 | a: 1
       | ---- near
     2 | b: 2
       | ^^^^
       |
      ::: c.yaml:53:1
       |
    53 | c: 3
       | ---- far

    1 warning
    "#);
    }

    #[test]
    fn what_stands_nowhere_has_its_help_all_the_same() {
        let finding = Finding::error(Code::NoProject, "no stack file here").help("name one with `-f`");
        insta::assert_snapshot!(shown(&Files::new(), finding), @r#"
    error[no-project]: no stack file here
    help: name one with `-f`

    1 error
    "#);
    }

    #[test]
    fn control_characters_are_harmless_and_a_block_is_cited_by_its_first_line() {
        let mut files = Files::new();
        let at = file(&mut files, "a\u{1b}[31m.yaml", "x:\n\ty: \"a\u{1b}[31m\"\n\tz: 1\n");
        let whole = at("y: \"a\u{1b}[31m\"\n\tz: 1");
        let finding = Finding::note(Code::BadValue, "odd\nthing \u{1b}[0m").at(whole).label("all\u{7}").help("no\r");
        insta::assert_snapshot!(shown(&files, finding), @r#"
    note[bad-value]: odd thing ␛[0m
     --> a␛[31m.yaml:2:2
      |
    2 |     y: "a␛[31m"
      |     ^^^^^^^^^^^ all␇
      |
    help: no␍

    1 note
    "#);
    }

    #[test]
    fn a_very_long_line_is_cut_round_its_place_and_costs_nothing() {
        let mut files = Files::new();
        let line = format!("a: [{}nope{}]\n", "x, ".repeat(200_000), ", y".repeat(200_000));
        let at = file(&mut files, "long.yml", &line);
        let start = Instant::now();
        let shown = shown(
            &files,
            Finding::error(Code::BadValue, "far out").at(at("nope")).patch(at("nope"), "hope").help("hope"),
        );
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        assert!(shown.contains("long.yml:1:600005\n"), "{shown}");
        assert!(shown.lines().all(|l| l.len() <= WIDTH), "{shown}");
        assert!(!shown.contains(":::"), "{shown}");
    }

    #[test]
    fn all_are_shown_in_the_order_of_their_places_and_counted() {
        let mut files = Files::new();
        let at = file(&mut files, "c.yaml", "a: 1\nb: 2\n");
        let mut findings = Findings::new();
        findings.push(Finding::error(Code::NoProject, "nowhere"));
        findings.push(Finding::error(Code::BadValue, "second").at(at("b")));
        findings.push(Finding::warning(Code::BadValue, "first").at(at("a")));
        let shown = text(&files, &findings, Color::Plain);
        let order: Vec<usize> = ["first", "second", "nowhere"].iter().map(|w| shown.find(w).unwrap()).collect();
        assert!(order.is_sorted());
        assert!(shown.ends_with("\n\n2 errors, 1 warning\n"));
        assert_eq!(text(&files, &Findings::new(), Color::Plain), "");
        assert!(text(&files, &findings, Color::Ansi).contains("\u{1b}["));
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn programs_get_line_and_column_of_both_ends() {
        let mut files = Files::new();
        let at = file(&mut files, "c.yaml", "웹: 1\nb: 2\n");
        let mut findings = Findings::new();
        findings.push(Finding::error(Code::BadValue, "x").at(at("1")).also(at("b: 2"), "y").help("z"));
        let json = serde_json::to_value(records(&files, &findings)).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{
                "code": "bad-value", "severity": "error", "message": "x", "file": "c.yaml", "line": 1, "column": 4,
                "end_line": 1, "end_column": 5, "help": "z",
                "also": [{"file": "c.yaml", "line": 2, "column": 1, "end_line": 2, "end_column": 5, "label": "y"}],
            }])
        );
    }

    proptest! {
        #[test]
        fn no_place_in_no_text_panics(text in "[a-b웹\\t\\n\\r\u{1b}é ]{0,60}", places in prop::collection::vec((0usize..80, 0usize..80), 1..4)) {
            let mut files = Files::new();
            let id = files.add("f", None, text);
            let spans: Vec<Span> = places.into_iter().map(|(a, b)| Span::new(id, a.min(b), a.max(b))).collect();
            let finding = Finding::error(Code::BadValue, "m").at(spans[0]).patch(spans[0], "p").help("h");
            shown(&files, spans.iter().skip(1).fold(finding, |f, s| f.also(*s, "l")));
        }
    }
}

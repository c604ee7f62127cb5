//! Keys: text, given once, without what cannot be seen.

use super::node::{Data, Node, Style, Text, Value};
use super::scalar;
use crate::finding::{Code, Finding};
use crate::source::Span;

/// The text of a key that begins at `span`, where `written` stands, and what is wrong with it, where something is.
pub(super) fn text(node: &Node, span: Span, written: &str) -> (Option<Text>, Option<Finding>) {
    match &node.data {
        Data::Scalar(scalar) => match &scalar.value {
            Value::Str(text) if scalar.style == Style::Plain && has_invisible_edge(text) => {
                (Some(text.trim_matches(is_invisible).into()), Some(invisible(text, span)))
            }
            Value::Str(text) => (Some(text.clone()), None),
            _ => (Some((*scalar.raw()).into()), Some(not_text(&scalar.raw(), node.kind(), span))),
        },
        Data::Null if !written.is_empty() => (Some(written.into()), Some(not_text(written, "null", span))),
        Data::Null => {
            (None, Some(bad(span, "a key is missing before the colon").help("write one, or take the line out")))
        }
        _ => {
            let finding = bad(node.span, &format!("a key has to be text; this one is {}", node.kind()));
            let help = match written.starts_with("{{") {
                true => "`{{ … }}` belongs to a template of another tool: render it first, or quote it",
                false => "quote it if a text is meant that begins with `{`, `[` or `?`",
            };
            (None, Some(finding.help(help)))
        }
    }
}

/// Whether a plain key is a text of which nothing is to be said: it begins with a letter, and is no word of YAML's.
pub(super) fn is_usual(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edges = bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.last().is_some_and(u8::is_ascii_graphic);
    edges && scalar::is_string(text)
}

fn bad(span: Span, message: &str) -> Finding {
    Finding::error(Code::BadKey, message).at(span)
}

fn not_text(written: &str, kind: &str, span: Span) -> Finding {
    let quoted = format!("\"{written}\"");
    bad(span, &format!("the key `{written}` is {kind}, not text"))
        .help(format!("quote it: {quoted}"))
        .patch(span, quoted)
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

pub(super) fn has_invisible_edge(text: &str) -> bool {
    text.starts_with(is_invisible) || text.ends_with(is_invisible)
}

/// A key that begins or ends with white space other than a blank, which no eye tells from one.
fn invisible(text: &str, span: Span) -> Finding {
    let found = text.chars().find(|&c| is_invisible(c)).unwrap_or(' ');
    let name = match found {
        '\u{a0}' => "a no-break space",
        '\u{3000}' => "an ideographic space",
        '\u{200b}' => "a zero-width space",
        _ => "an invisible character",
    };
    bad(span, &format!("{name} (U+{:04X}) stands where a blank is meant", u32::from(found)))
        .help("delete the white space of this line and type it anew")
}

/// A key that the mapping has already.
pub(super) fn twice(key: &str, first: Span, again: Span) -> Finding {
    let help = match key {
        "<<" => "give one list: `<<: [*first, *second]`; the earlier wins",
        _ => "keep one of the two; where both are meant, put them into one mapping or list",
    };
    Finding::error(Code::DuplicateKey, format!("`{key}` is given twice in one mapping"))
        .at(again)
        .label("given again here")
        .also(first, "first given here")
        .help(help)
}

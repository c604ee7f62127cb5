//! What is no YAML at all, said so that a person can mend it.

use granit_parser::{ErrorKind, ScanError};

use super::read::DEPTH_LIMIT;
use crate::finding::{Code, Finding};
use crate::source::{FileId, Span};

/// Where the reader stood when the parser gave up.
pub(super) struct Context<'t> {
    pub text: &'t str,
    pub file: FileId,
    /// The byte after the last event.
    pub read_to: usize,
    /// The brackets that are open, the outermost first.
    pub brackets: &'t [Span],
}

/// What a parser's error is called, where it stands and the way out.
pub(super) fn finding(error: &ScanError, context: &Context<'_>) -> Finding {
    let Context { text, file, .. } = *context;
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let span = character(text, file, at);
    let finding = |message: &str| Finding::error(Code::YamlSyntax, message).at(span);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(span),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => tab(context, at),
        ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar => quote(context, at),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => escape(context, at),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            finding("text follows a closing quote")
                .label("does not belong to the quoted text")
                .help("quote the whole value, with the other kind of quotes if these are in it")
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            finding(&format!("`{open}` is not closed")).label("opened here").help(closing(*open))
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            finding(&format!("`{open}` is closed by `{close}`")).label("opened here").help(closing(*open))
        }
        ErrorKind::MisplacedFlowCollectionEnd => finding("a bracket is closed that was never opened")
            .help("remove it, or quote the value if the bracket belongs to the text"),
        ErrorKind::InvalidColonPlacement
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => flow(context, span),
        ErrorKind::MappingValueNotAllowed => second_colon(context, span),
        ErrorKind::UnexpectedCharacter { character } => reserved(*character, span),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => no_colon(context, span),
        kind => other(kind, span),
    }
}

/// The kinds that need nothing but a sentence and a way out.
fn other(kind: &ErrorKind, span: Span) -> Finding {
    let (message, help) = match kind {
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation | ErrorKind::ExpectedDocumentStart => (
            "this line is indented like nothing above it",
            "give it the same indentation as the lines that it belongs to; a value with several lines needs `|` or quotes",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "this line stands among the items of a list, but has no `-`",
            "write `- ` before it, or indent the list one level deeper than its key",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::InvalidBlockEntryWhitespace => (
            "a list item cannot begin here",
            "begin a list on a line of its own below its key, or write `[item, item]`; quote a text that begins with `-`",
        ),
        ErrorKind::BlockEntryInFlowCollection | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            ("`-` cannot begin an item between brackets", "leave the `-` out, or quote the text")
        }
        ErrorKind::CommentNotSeparated => {
            ("`#` begins a comment only after a blank", "put a blank before it, or quote it with the text")
        }
        ErrorKind::UndeclaredTagHandle => {
            ("this tag is not declared", "leave it out, or quote the text if it begins with `!`")
        }
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => (
            "text follows `|` or `>` on the same line",
            "put the text on the next line, indented; quote it if it begins with `|` or `>`",
        ),
        ErrorKind::InvalidBlockScalarIndent => {
            ("this line is indented less than the text it belongs to", "indent the whole text alike")
        }
        ErrorKind::MissingAnchorOrAliasName => {
            ("`&` or `*` has no name after it", "quote the text if it begins with that character")
        }
        ErrorKind::MappingKeyNotAllowed => {
            ("a key cannot begin here", "begin it on a line of its own, or quote the text")
        }
        ErrorKind::UnsupportedYamlMajorVersion => ("this version of YAML is not known", "leave the `%YAML` line out"),
        ErrorKind::InvalidDocumentEnd => ("text follows `...` on the same line", "put it on a line of its own"),
        ErrorKind::BomInsideDocument => ("a byte order mark stands inside the file", "remove it"),
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            ("the file ends in the middle of a value", "complete it; a closing quote or bracket may be missing")
        }
        ErrorKind::UnclosedVerbatimTag
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::ExpectedTagBang
        | ErrorKind::InvalidTagEscape => {
            ("this tag cannot be read", "leave it out, or quote the text if it begins with `!`")
        }
        ErrorKind::ExpectedNodeContent => {
            ("a value is missing before this", "write it, or quote the text that was meant")
        }
        // rarer than words of our own are worth
        _ => ("this cannot be read as YAML", "quote the text if this belongs to one"),
    };
    Finding::error(Code::YamlSyntax, message).at(span).help(help)
}

/// Too many collections inside each other.
pub(super) fn too_deep(span: Span) -> Finding {
    Finding::error(Code::YamlBudget, format!("more than {DEPTH_LIMIT} mappings and lists stand inside each other here"))
        .at(span)
        .help("no stack needs that; look for brackets that are never closed")
}

/// The character at a byte, or the end of the text.
fn character(text: &str, file: FileId, at: usize) -> Span {
    let length = text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| !matches!(c, '\n' | '\r'));
    Span::new(file, at, at + length.map_or(0, char::len_utf8))
}

fn tab(context: &Context<'_>, at: usize) -> Finding {
    let from = context.text[..at].rfind('\n').map_or(0, |n| n + 1);
    let tab = context.text[from..].find('\t').map_or(at, |n| from + n);
    let tabs = context.text[tab..].bytes().take_while(|&b| b == b'\t').count();
    Finding::error(Code::YamlSyntax, "a tab is used for indentation")
        .at(Span::new(context.file, tab, tab + tabs))
        .help("YAML indents with blanks only; most editors can turn tabs into blanks")
}

fn quote(context: &Context<'_>, at: usize) -> Finding {
    let Context { text, file, .. } = *context;
    let open = open_quote(text, context.read_to, at).unwrap_or(at);
    let mark = text[open..].chars().next().filter(|c| matches!(c, '"' | '\'')).unwrap_or('"');
    Finding::error(Code::YamlSyntax, "a quote is not closed")
        .at(character(text, file, open))
        .label("opened here")
        .help(format!("close it with `{mark}` at the end of the text"))
}

/// The first quote in a stretch of text that is opened and not closed in it.
fn open_quote(text: &str, from: usize, to: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < to.min(bytes.len()) {
        let begins =
            at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'[' | b'{' | b',' | b':' | b'-');
        match bytes[at] {
            mark @ (b'"' | b'\'') if begins || at == from => match close_quote(bytes, at, mark) {
                Some(close) if close < to => at = close + 1,
                _ => return Some(at),
            },
            b'#' if begins => at += bytes[at..].iter().position(|&b| b == b'\n')?,
            _ => at += 1,
        }
    }
    None
}

/// The quote that closes the one at `open`.
fn close_quote(bytes: &[u8], open: usize, mark: u8) -> Option<usize> {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if mark == b'"' => at += 1,
            b if b == mark && mark == b'\'' && bytes.get(at + 1) == Some(&mark) => at += 1,
            b if b == mark => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn escape(context: &Context<'_>, at: usize) -> Finding {
    let Context { text, file, .. } = *context;
    let known = |b: u8| b"0abt\tnvfre \"/\\N_LPxuU\n\r".contains(&b);
    let bytes = text.as_bytes();
    let mut from = at;
    while from + 1 < bytes.len()
        && (bytes[from] != b'\\' || known(bytes[from + 1]))
        && (from == at || bytes[from] != b'"')
    {
        from += if bytes[from] == b'\\' { 2 } else { 1 };
    }
    let found = bytes.get(from) == Some(&b'\\');
    let end = from + 1 + text.get(from + 1..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
    let span = if found { Span::new(file, from, end) } else { character(text, file, at) };
    Finding::error(Code::YamlSyntax, "double quotes know no such escape")
        .at(span)
        .help("write `\\\\` for a backslash, or take single quotes, in which it is a plain character")
}

fn closing(open: char) -> String {
    let (close, what) = if open == '{' { ('}', "mapping") } else { (']', "list") };
    format!("close the {what} with `{close}`, or quote the value if the bracket belongs to a text")
}

fn flow(context: &Context<'_>, span: Span) -> Finding {
    let Some(open) = context.brackets.last() else {
        return Finding::error(Code::YamlSyntax, "a colon cannot stand here").at(span).help("quote the text");
    };
    let bracket = if context.text.as_bytes().get(open.start as usize) == Some(&b'{') { '{' } else { '[' };
    Finding::error(Code::YamlSyntax, format!("a comma or the end of `{bracket}` is missing before this"))
        .at(span)
        .also(Span { end: open.start + 1, ..*open }, "opened here, and not closed yet")
        .help(closing(bracket))
}

/// `a: b: c`, a line under `a: x` that is indented deeper, or a line after `key:value`.
fn second_colon(context: &Context<'_>, span: Span) -> Finding {
    let at = span.start as usize;
    let finding = Finding::error(Code::YamlSyntax, "a second value begins here").at(span);
    if context.text[line_start(context.text, at)..at].contains(": ") {
        return finding
            .label("a colon and a blank make a key of what stands before")
            .help("quote the value if the colon belongs to it, or begin a mapping on the next line");
    }
    let Some((from, line)) = line_above(context.text, at) else { return finding.help("quote the text") };
    let above = Span::new(context.file, from, from + line.len());
    if let Some(finding) = blank_missing(context, from, line) {
        return finding;
    }
    finding
        .label("makes a key of what stands before")
        .also(above, "this line has a value already")
        .help("take away the value above, if these lines are to stand below it; else indent them alike")
}

/// A line that is neither `key: value` nor an item.
fn no_colon(context: &Context<'_>, span: Span) -> Finding {
    let text = context.text;
    let at = span.start as usize;
    let start = line_start(text, at);
    if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| text[start..].starts_with(mark)) {
        return Finding::error(Code::YamlSyntax, "a conflict of a merge is left in the file")
            .at(Span::new(context.file, start, start + 7))
            .help("decide which side is right, and take the lines with `<<<<<<<`, `=======` and `>>>>>>>` out");
    }
    let line = text[at..].lines().next().unwrap_or_default();
    if let Some(finding) = blank_missing(context, at, line) {
        return finding;
    }
    let is_item = |(from, line): (usize, &str)| line.starts_with("- ") && from - line_start(text, from) == at - start;
    if line_above(text, at).is_some_and(is_item) {
        return Finding::error(Code::YamlSyntax, "this line stands among the items of a list, but has no `-`")
            .at(span)
            .help("write `- ` before it");
    }
    Finding::error(Code::YamlSyntax, "this line should be `key: value`, and has no colon")
        .at(span)
        .help("write `key: value`; a text that goes on from the line above has to be indented deeper")
}

/// `key:value` in a line that begins at `from`.
fn blank_missing(context: &Context<'_>, from: usize, line: &str) -> Option<Finding> {
    let colon = line.find(':').filter(|&c| c + 1 < line.len() && !line.contains(": "))?;
    let is_key = line[..colon].bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let place = Span::new(context.file, from + colon, from + colon + 1);
    let finding = Finding::error(Code::YamlSyntax, "a blank is missing after the colon").at(place);
    (is_key && colon > 0).then(|| finding.help("write `key: value`").patch(place, ": "))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

/// The nearest line above that holds more than a comment: its first byte that is no blank, and the text from there.
fn line_above(text: &str, at: usize) -> Option<(usize, &str)> {
    let mut end = line_start(text, at);
    while end > 0 {
        let start = line_start(text, end - 1);
        let line = text[start..end].trim_end();
        let trimmed = line.trim_start();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            return Some((start + line.len() - trimmed.len(), trimmed));
        }
        end = start;
    }
    None
}

/// `@`, `%` or a backtick at the beginning of a value.
fn reserved(character: char, span: Span) -> Finding {
    let what = if character == '`' { "a backtick".to_owned() } else { format!("`{character}`") };
    Finding::error(Code::YamlSyntax, format!("a value cannot begin with {what}"))
        .at(span)
        .label("YAML reserves it")
        .help("quote the value")
}

/// A value that a word processor has quoted.
pub(super) fn typographic_quotes(span: Span) -> Finding {
    Finding::warning(Code::BadValue, "these quotes quote nothing: they become part of the value")
        .at(span)
        .help("take straight ones, `\"` or `'`, if it is to be quoted")
}

/// A block scalar without the line breaks after it.
pub(super) fn trim_block(text: &str, span: Span) -> Span {
    let written = text.get(span.range()).unwrap_or_default();
    Span { end: span.start + written.trim_end_matches(['\n', '\r', ' ']).len() as u32, ..span }
}

/// The first character that YAML forbids: a control character other than tab and line break.
pub(super) fn forbidden_character(text: &str, file: FileId) -> Option<Finding> {
    // most files have none but these, which is seen sooner than which of the others one is
    if text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)) {
        return None;
    }
    let forbidden = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    };
    let (at, c) = text.char_indices().find(|&(_, c)| forbidden(c))?;
    let finding =
        Finding::error(Code::YamlSyntax, format!("the control character U+{:04X} stands in the file", u32::from(c)))
            .at(Span::new(file, at, at + c.len_utf8()))
            .help("remove it; between double quotes it can be written as an escape, `\\x1b` for instance");
    Some(finding)
}

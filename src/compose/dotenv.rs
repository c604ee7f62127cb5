//! Environment files: `.env`, `--env-file` and `env_file`, in the two grammars that docker compose reads.
//!
//! Measured against docker compose 2.40.3. `KEY=value` or `KEY: value`, `export` before it or not; a bare `KEY` takes its
//! value from outside. A plain value ends at ` #` or the line's end and is interpolated; `'…'` is literal but for `\'`;
//! `"…"` knows `\n \t \r \a \b \f \v \\ \" \$` and octal `\0NNN`, and is interpolated; both may span lines. In the raw
//! format every line is `KEY=value` to its last byte, as `docker run --env-file` has it.

use super::budget::{self, Budget};
use super::environment::Environment;
use super::interpolate::Within;
use super::template::Trouble;
use super::{interpolate, template};
use crate::finding::{Code, Finding, Findings};
use crate::source::{FileId, Files, Span};

/// The grammar of an environment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Quotes, comments and interpolation.
    Compose,
    /// `format: raw`: nothing of that.
    Raw,
}

/// Reads an environment file. Variables are looked up in `outer`, the first first, then in what the file said so far.
///
/// A line that cannot be read is an error with its place, and the next is read. A variable set twice has its last value.
pub fn read(files: &Files, id: FileId, format: Format, outer: &[&Environment], findings: &mut Findings) -> Environment {
    let mut read = Environment::new();
    read_into(&mut read, files, id, format, outer, findings);
    read
}

/// Like [`read`], on top of what earlier files set: a variable that is set again has the new value.
pub fn read_into(
    read: &mut Environment,
    files: &Files,
    id: FileId,
    format: Format,
    outer: &[&Environment],
    findings: &mut Findings,
) {
    let text = files.get(id).text.as_str();
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { files, file: id, text, at, outer, read, left: Budget::of(budget::BYTES), findings };
    match format {
        Format::Compose => while reader.statement() {},
        Format::Raw => while reader.raw_line() {},
    }
}

struct Reader<'a> {
    files: &'a Files,
    file: FileId,
    text: &'a str,
    at: usize,
    outer: &'a [&'a Environment],
    read: &'a mut Environment,
    /// How many bytes variables may still add to values.
    left: Budget,
    findings: &'a mut Findings,
}

/// White space within a line, as Go sees it.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

fn may_be_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or_default()
    }

    fn next_line(&mut self) {
        self.at = (self.at + self.line().len() + 1).min(self.text.len());
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(is_blank).len();
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn error(&mut self, message: String, start: usize, end: usize, help: &str) {
        let span = self.span(start, end);
        self.findings.push(Finding::error(Code::DotenvSyntax, message).at(span).help(help));
    }

    /// Reads one statement; false at the end of the file.
    fn statement(&mut self) -> bool {
        self.at += self.rest().len() - self.rest().trim_start_matches(|c| is_blank(c) || c == '\n').len();
        if self.rest().is_empty() {
            return false;
        }
        if self.rest().starts_with('#') {
            self.next_line();
            return true;
        }
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(is_blank)
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let start = self.at;
        let line = self.line();
        let separator = line.find(['=', ':']);
        let name = line[..separator.unwrap_or(line.len())].trim_end_matches(is_blank);
        if !self.check_name(name, start, line) {
            self.next_line();
            return true;
        }
        let Some(separator) = separator else {
            self.inherit(name, start);
            self.next_line();
            return true;
        };
        self.at = start + separator + 1;
        self.skip_blanks();
        self.value(name, start)
    }

    fn check_name(&mut self, name: &str, start: usize, line: &str) -> bool {
        if name.is_empty() {
            let end = start + line.trim_end().len();
            self.error("a variable's name is missing".into(), start, end, "write `NAME=value`");
            return false;
        }
        let Some(at) = name.find(|c| !may_be_in_name(c)) else { return true };
        let found = name[at..].chars().next().unwrap_or(' ');
        let from = start + at;
        if is_blank(found) {
            let help = "write `NAME=value`, or begin the line with `#` if it is a comment";
            self.error(
                format!("`{name}` has a blank in it and cannot be a variable's name"),
                start,
                start + name.len(),
                help,
            );
        } else {
            let help = "a name has letters, digits, `_`, `.` and `-`; begin the line with `#` if it is a comment";
            self.error(format!("`{found}` cannot be in a variable's name"), from, from + found.len_utf8(), help);
        }
        false
    }

    /// A bare name: the value that it has outside.
    fn inherit(&mut self, name: &str, start: usize) {
        if let Some(value) = self.outer.iter().find_map(|e| e.get(name)) {
            let value = value.to_owned();
            self.read.set(name, value, Some(self.span(start, start + name.len())));
        }
    }

    /// The value of `name`, up to and with the end of its line; false where the rest cannot be read.
    fn value(&mut self, name: &str, start: usize) -> bool {
        let from = self.at;
        match self.rest().chars().next() {
            Some(mark @ ('"' | '\'')) => {
                let Some((value, close)) = quoted(self.text, from, mark) else {
                    let help = format!("close it with `{mark}` at the end of the value");
                    self.error(format!("the quote of `{name}` is not closed"), from, from + 1, &help);
                    return false;
                };
                self.at = close + 1;
                let value = if mark == '"' { self.expand(&unescape(&value), from, close + 1) } else { value };
                self.read.set(name, value, Some(self.span(start, close + 1)));
                self.after_quote(name);
            }
            _ => {
                let line = self.line();
                let value = line.split(" #").next().unwrap_or_default().trim_end_matches(is_blank);
                let end = from + value.len();
                if value.starts_with('#') && self.text[..from].ends_with(is_blank) {
                    let warning = format!("`{name}` becomes `{value}`, which looks like a comment");
                    let warning = Finding::warning(Code::DotenvSyntax, warning).at(self.span(from, end));
                    self.findings.push(
                        warning.help(format!("quote the value if it is meant; for an empty one write `{name}=\"\"`")),
                    );
                }
                let value = self.expand(value, from, end);
                self.read.set(name, value, Some(self.span(start, end)));
                self.next_line();
            }
        }
        true
    }

    /// What stands behind a closing quote: a comment, or what docker compose drops in silence.
    fn after_quote(&mut self, name: &str) {
        self.skip_blanks();
        let left = self.line().trim_end_matches(is_blank);
        if !left.is_empty() && !left.starts_with('#') {
            let span = self.span(self.at, self.at + left.len());
            let finding = Finding::error(Code::DotenvSyntax, format!("text follows the closing quote of `{name}`"));
            self.findings.push(finding.at(span).help("quote the whole value, or put ` #` before a comment"));
        }
        self.next_line();
    }

    /// Interpolates a value that stands between two bytes of the file.
    fn expand(&mut self, value: &str, start: usize, end: usize) -> String {
        if self.left.is_spent() {
            return value.to_owned();
        }
        let mut troubles = vec![];
        let read = &*self.read;
        let lookup = |name: &str| {
            let found = self.outer.iter().find_map(|e| e.get(name)).or_else(|| read.get(name));
            found.map(str::to_owned)
        };
        let expanded = template::expand(value, &lookup, &mut troubles).into_owned();
        if !self.left.take(expanded.len().saturating_sub(value.len())) {
            troubles.push((0..value.len(), Trouble::TooLong));
        }
        let known: Vec<&Environment> = self.outer.iter().copied().chain([read]).collect();
        for (place, written, trouble) in interpolate::placed(self.files, self.span(start, end), value, troubles) {
            self.findings.push(interpolate::finding(&known, Within::EnvironmentFile, place, written, trouble));
        }
        expanded
    }

    /// Reads one line of the raw format; false at the end of the file.
    fn raw_line(&mut self) -> bool {
        if self.rest().is_empty() {
            return false;
        }
        let written = self.line();
        let line = written.strip_suffix('\r').unwrap_or(written).trim_start();
        let start = self.at + written.len() - written.trim_start().len();
        if !line.is_empty() && !line.starts_with('#') {
            let (name, value) = line.split_once('=').map_or((line, None), |(n, v)| (n, Some(v)));
            let end = start + line.len();
            if name.is_empty() {
                self.error("a variable's name is missing".into(), start, end, "write `NAME=value`");
            } else if name.contains(char::is_whitespace) {
                let help = "in the raw format no blank may stand before `=`, and `export` is not known";
                self.error(
                    format!("`{name}` has a blank in it and cannot be a variable's name"),
                    start,
                    start + name.len(),
                    help,
                );
            } else if let Some(value) = value {
                self.read.set(name, value, Some(self.span(start, end)));
            } else {
                self.inherit(name, start);
            }
        }
        self.next_line();
        true
    }
}

/// The text between the quote at `open` and its end, with `\` before the quote itself taken away, and the closing quote.
fn quoted(text: &str, open: usize, mark: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip_while(|&(at, _)| at <= open) {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if c == mark && !escaped => return Some((value, at)),
            c if c == mark => {}
            // the file's line ends are LF, whatever wrote it
            '\r' if text[at..].starts_with("\r\n") => continue,
            _ if escaped => value.push('\\'),
            _ => {}
        }
        escaped = false;
        value.push(c);
    }
    None
}

/// Replaces the escapes that double quotes know; `\$` becomes `$$`, a literal dollar sign for the interpolation.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(c) = after.chars().next() else {
            out.push('\\');
            return out;
        };
        let mut length = c.len_utf8();
        match c {
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            '"' => out.push('"'),
            '\\' => out.push('\\'),
            '$' => out.push_str("$$"),
            '0' => match octal(after) {
                Some(c) => {
                    length = 4;
                    out.push(c);
                }
                None => out.push_str("\\0"),
            },
            c => {
                out.push('\\');
                out.push(c);
            }
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

/// The character of `0NNN`, three octal digits after the zero.
fn octal(text: &str) -> Option<char> {
    let digits = text.get(1..4).filter(|d| d.bytes().all(|b| matches!(b, b'0'..=b'7')))?;
    u8::from_str_radix(digits, 8).ok().map(char::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(text: &str, format: Format) -> (Vec<(String, String)>, Vec<String>) {
        let outer: Environment = [("SET", "set"), ("EMPTY", "")].into_iter().collect();
        let mut files = Files::new();
        let id = files.add(".env", None, text);
        let mut findings = Findings::new();
        let read = read(&files, id, format, &[&outer], &mut findings);
        let pairs = read.iter().map(|(n, v)| (n.to_owned(), v.value.clone())).collect();
        (pairs, findings.iter().map(|f| format!("{} {}", files.place(f.at.unwrap()), f.severity)).collect())
    }

    fn check(format: Format, text: &str, expected: &[(&str, &str)]) {
        let (pairs, said) = load(text, format);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, expected, "{text}");
        assert!(said.iter().all(|s| s.ends_with("warning")), "{text}: {said:?}");
    }

    #[test]
    #[rustfmt::skip]
    fn lines_are_read_as_docker_compose_reads_them() {
        // measured with docker compose 2.40.3 through `env_file`, SET=set
        let one = |text: &str, value: &str| check(Format::Compose, text, &[("A", value)]);
        one("A=1 # c", "1"); one("A=1# c", "1# c"); one("A=1 #c", "1"); one("A=#c", "#c"); one("A= #c", "#c"); one("A= x ", "x");
        one("A=\"x y\" # c", "x y"); one("A='x y'", "x y"); one("A='a\\'b'", "a'b"); one("A='a\\nb'", "a\\nb");
        one("A=\"a\\nb\\tc\\\\d\\\"e\\$f\"", "a\nb\tc\\d\"e$f"); one("A=\"\\101\"", "\\101"); one("A=\"\\0101\"", "A");
        one("A=\"\\x41\"", "\\x41"); one("A=\"\\a\\b\\f\\r\\v\\c\"", "\u{7}\u{8}\u{c}\r\u{b}\\c"); one("A=a\\nb", "a\\nb");
        one("export A=1", "1"); one("export  A=1", "1"); one("A: 1", "1"); one("A:1", "1"); one("A : 1", "1"); one("A = 1", "1");
        one("A=1=2", "1=2"); one("A=", ""); one("A=\n", ""); one("A=${SET}", "set"); one("A=$SET", "set"); one("A=${NO:-d}", "d");
        one("A=${NO}", ""); one("A=$$x", "$x"); one("A='$SET'", "$SET"); one("A=\"$SET\"", "set"); one("A=`x`", "`x`");
        one("A=$(x)", "$(x)"); one("A=\"\\$x\"", "$x"); one("A=a\"b\"c", "a\"b\"c"); one("A=\"\n\"", "\n"); one("A=x\ty", "x\ty");
        one("A\t=1", "1"); one("A=1;B=2", "1;B=2"); one("A=a\\", "a\\"); one("A=\"a\\ b\"", "a\\ b"); one("A=$", "$");
        one("A=x#y", "x#y"); one("A=x\t#y", "x\t#y"); one("A=\"#x\"", "#x"); one("A==1", "=1"); one("A:=1", "=1"); one("A=:1", ":1");
        one("A=\"\"", ""); one("A=''", ""); one("A=\"a'b\"", "a'b"); one("A=a b c", "a b c"); one("A=\u{a0}x\u{a0}", "x");
        one("A=\"a\\\nb\"", "a\\\nb"); one("\u{feff}A=1", "1"); one("export A:1", "1"); one("A=\"a\\\\\"", "a\\");
        let many = |text: &str, expected: &[(&str, &str)]| check(Format::Compose, text, expected);
        many("A=1\nB=2", &[("A", "1"), ("B", "2")]); many("A=\"m\nl\"\nB=1", &[("A", "m\nl"), ("B", "1")]);
        many("A='m\r\nl'\r\nB=1\r\n", &[("A", "m\nl"), ("B", "1")]); many("A=\"x\"#c\nB=1", &[("A", "x"), ("B", "1")]);
        many("SET\nA=1", &[("SET", "set"), ("A", "1")]); many("NOPE\nA=1", &[("A", "1")]); many("export SET", &[("SET", "set")]);
        many("A=1\nB=$A", &[("A", "1"), ("B", "1")]); many("A=1\nA=2\nB=$A", &[("A", "2"), ("B", "2")]);
        many("SET=1\nB=$SET", &[("SET", "1"), ("B", "set")]); many("# c\n\n  A=1\n  # d\nB=2", &[("A", "1"), ("B", "2")]);
        many("A.b=1\nA-b=2\nA[0]=3\né=4\n1A=5\n-A=6", &[("A.b", "1"), ("A-b", "2"), ("A[0]", "3"), ("é", "4"), ("1A", "5"), ("-A", "6")]);
        many("A=\n B=1", &[("A", ""), ("B", "1")]); many("export=1\nexportA=1", &[("export", "1"), ("exportA", "1")]);
        many("", &[]); many("# only\n", &[]);
    }

    #[test]
    #[rustfmt::skip]
    fn raw_lines_are_taken_to_the_last_byte() {
        let raw = |text: &str, expected: &[(&str, &str)]| check(Format::Raw, text, expected);
        raw("A=1 # c\n", &[("A", "1 # c")]); raw("A= x \r\n", &[("A", " x ")]); raw("A=\"x\"\n# c\n\n  B='y'", &[("A", "\"x\""), ("B", "'y'")]);
        raw("SET\nNOPE\nA=$SET", &[("SET", "set"), ("A", "$SET")]); raw("A=1=2", &[("A", "1=2")]); raw("A/b=1", &[("A/b", "1")]);
        assert_eq!(load("export A=1\n=2\nB=3", Format::Raw).1, [".env:1:1 error", ".env:2:1 error"]);
    }

    #[test]
    fn every_bad_line_is_named_and_the_others_are_read() {
        let (pairs, said) = load("A B=1\nC=2\nD/e=3\n=4\nF=\"x\" y\nG=${1}\nH=$NO\n", Format::Compose);
        assert_eq!(pairs.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["C", "F", "G", "H"]);
        let expected = ["1:1 error", "3:2 error", "4:1 error", "5:7 error", "6:3 error", "7:3 warning"];
        assert_eq!(said, expected.map(|s| format!(".env:{s}")));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_cited_where_it_opens() {
        assert_eq!(load("A=1\nB=\"x\nC=2\n", Format::Compose).1, [".env:2:3 error"]);
        assert_eq!(load("A='a\\'", Format::Compose).1, [".env:1:3 error"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([A-C]|=|:|\"|'|\\\\|\\$|\\{|\\}|#|\\n|\\r| |export |0|웹|\u{a0}){0,40}") {
            for format in [Format::Compose, Format::Raw] {
                load(&text, format);
            }
        }

        #[test]
        fn a_single_quoted_value_is_what_stands_between_the_quotes(value in "[^'\\\\\r]{0,20}") {
            let (pairs, _) = load(&format!("A='{value}'\nB=1"), Format::Compose);
            prop_assert_eq!(pairs, [("A".to_owned(), value), ("B".to_owned(), "1".to_owned())]);
        }
    }
}

//! Findings on one screen: the first ones with their excerpts, the others in a line each, the rest counted.

use annotate_snippets::Renderer;

use super::findings::{Color, count, one, one_line};
use crate::finding::{Finding, Findings, Severity};
use crate::source::Files;

/// How many of the findings that get no excerpt have a line of their own at least.
const IN_LINES: usize = 5;

/// Errors, or where there are none, warnings, in at most `lines` lines with the one that counts them. Notes are counted
/// only. Nothing for no findings.
pub fn text(files: &Files, findings: &Findings, color: Color, lines: usize) -> String {
    let severity = if findings.has_errors() { Severity::Error } else { Severity::Warning };
    let mut shown: Vec<&Finding> = findings.iter().filter(|f| f.severity == severity).collect();
    shown.sort_by_key(|finding| (finding.at.is_none(), finding.at));
    if shown.is_empty() {
        return String::new();
    }
    let mut page = Page { files, left: lines.saturating_sub(1), text: String::new() };
    let excerpts = if severity == Severity::Error { page.excerpts(&shown, color) } else { 0 };
    let lines = page.lines(&shown[excerpts..]);
    let hidden = shown.len() - excerpts - lines;
    let count = count(findings);
    let more = if hidden == 0 { String::new() } else { format!(", {hidden} of them not shown") };
    format!("{}{count}{more}\n", page.text)
}

struct Page<'a> {
    files: &'a Files,
    left: usize,
    text: String,
}

impl Page<'_> {
    /// Findings with their excerpts, as long as the others still have room; how many.
    fn excerpts(&mut self, findings: &[&Finding], color: Color) -> usize {
        let renderer = match color {
            Color::Plain => Renderer::plain(),
            Color::Ansi => Renderer::styled(),
        };
        for (i, finding) in findings.iter().enumerate() {
            let text = one(self.files, finding, &renderer.clone().term_width(super::findings::WIDTH));
            let height = text.lines().count() + 1;
            let reserved = (findings.len() - i - 1).min(IN_LINES);
            if height + reserved > self.left {
                return i;
            }
            self.left -= height;
            self.text.push_str(&format!("{text}\n\n"));
        }
        findings.len()
    }

    /// Findings in a line each; how many.
    fn lines(&mut self, findings: &[&Finding]) -> usize {
        let shown = findings.len().min(self.left);
        for finding in &findings[..shown] {
            let place = finding.at.map(|at| format!("{}: ", self.files.place(at))).unwrap_or_default();
            let message = one_line(&finding.message);
            self.text.push_str(&format!("{}[{}]: {place}{message}\n", finding.severity, finding.code));
        }
        self.left -= shown;
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;
    use crate::source::Span;

    fn shown(errors: usize, lines: usize) -> String {
        let mut files = Files::new();
        let id = files.add("c.yaml", None, "a: 1\n".repeat(50));
        let mut findings = Findings::new();
        for i in 0..errors {
            findings.push(Finding::error(Code::BadValue, format!("error {i}")).at(Span::new(id, i * 5, i * 5 + 1)));
        }
        findings.push(Finding::warning(Code::Obsolete, "old").at(Span::new(id, 200, 201)));
        text(&files, &findings, Color::Plain, lines)
    }

    #[test]
    fn the_first_have_excerpts_the_others_a_line_and_the_rest_a_number() {
        let text = shown(30, 20);
        assert!(text.lines().count() <= 20, "{text}");
        assert!(text.contains("1 | a: 1"), "{text}");
        assert!(text.contains("error[bad-value]: c.yaml:9:1: error 8\n"), "{text}");
        assert!(text.ends_with("not shown\n") && text.contains("30 errors, 1 warning, "), "{text}");
    }

    #[test]
    fn a_few_are_all_shown_with_their_excerpts() {
        let text = shown(2, 24);
        assert_eq!(text.matches("| ^").count(), 2, "{text}");
        assert!(text.ends_with("2 errors, 1 warning\n"), "{text}");
    }

    #[test]
    fn warnings_are_shown_where_there_are_no_errors() {
        assert_eq!(shown(0, 24), "warning[obsolete]: c.yaml:41:1: old\n1 warning\n");
    }
}

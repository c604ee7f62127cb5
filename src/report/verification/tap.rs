//! A verification as TAP 14 (<https://testanything.org/tap-version-14-specification.html>): a test point a check.

use super::{Entry, Outcome, Report};

/// The test points, each that is not proved with a YAML block that says why. With nothing asked, every one is skipped.
pub fn tap(report: &Report) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", report.checks.len());
    for (number, entry) in (1..).zip(&report.checks) {
        let (ok, directive) = match entry.verdict {
            Some(Outcome::Proved) => ("ok", ""),
            Some(Outcome::Refuted | Outcome::Unproved) => ("not ok", ""),
            None => ("ok", " # SKIP nothing was asked"),
        };
        out.push_str(&format!("{ok} {number} - {}{directive}\n", escaped(&format!("{} [{}]", entry.says, entry.id))));
        if !matches!(entry.verdict, Some(Outcome::Proved) | None) {
            out.push_str(&block(entry));
        }
    }
    out
}

/// `#` and `\` have a meaning in a description; a line ends it.
fn escaped(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect::<String>().replace('\\', "\\\\").replace('#', "\\#")
}

fn block(entry: &Entry) -> String {
    let verdict = if entry.verdict == Some(Outcome::Refuted) { "refuted" } else { "unproved" };
    let mut out = format!("  ---\n  verdict: {verdict}\n");
    let fields = [
        ("service", entry.service.as_ref()),
        ("rule", Some(&entry.rule)),
        ("basis", Some(&entry.basis)),
        ("at", entry.place.as_ref()),
        ("expected", entry.expected.as_ref()),
        ("found", entry.found.as_ref()),
        ("why", entry.why.as_ref()),
        ("help", entry.help.as_ref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            out.push_str(&format!("  {name}: {}\n", quoted(value)));
        }
    }
    if !entry.evidence.is_empty() {
        out.push_str("  seen:\n");
        entry.evidence.iter().for_each(|line| out.push_str(&format!("    - {}\n", quoted(line))));
    }
    out.push_str("  ...\n");
    out
}

/// A string as JSON writes it, which is YAML, too.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

//! A verification as annotations of GitHub's workflows: what is not proved stands beside the line of the file that promises it.
//!
//! The form is that of the runner's workflow commands: `::error file=…,line=…,col=…,title=…::message`, with `%`, line ends and, in the
//! properties, `:` and `,` written by their codes.

use super::junit::split_place;
use super::{Entry, Outcome, Report};

/// An error for each refuted check, a warning for each that could not be told, and a line that counts them. `base` is the directory
/// of the files' names, seen from the root of the repository; empty where it is that root.
pub fn github(report: &Report, base: &str) -> String {
    let mut out = String::new();
    for entry in &report.checks {
        let command = match entry.verdict {
            Some(Outcome::Refuted) => "error",
            Some(Outcome::Unproved) => "warning",
            Some(Outcome::Proved) | None => continue,
        };
        out.push_str(&format!("::{command} {}::{}\n", properties(entry, base), data(&message(entry))));
    }
    let summary = report.summary;
    let counts = format!("{} proved, {} refuted, {} not proved", summary.proved, summary.refuted, summary.unproved);
    // a line of its own must not be taken for a command
    out.push_str(&format!("bowline verify {}: {}\n", data(&report.project), counts));
    out
}

fn properties(entry: &Entry, base: &str) -> String {
    let place = entry.place.as_deref().and_then(split_place).map(|(file, line, column)| {
        let absolute = file.starts_with('/') || base.is_empty();
        let file = if absolute { file.to_owned() } else { format!("{}/{file}", base.trim_end_matches('/')) };
        format!("file={},line={line},col={column},", property(&file))
    });
    format!("{}title={}", place.unwrap_or_default(), property(&entry.says))
}

/// What was found, why it matters, and the way out.
fn message(entry: &Entry) -> String {
    let mut lines = vec![];
    lines.extend(entry.expected.as_ref().map(|text| format!("expected {text}")));
    lines.extend(entry.found.as_ref().map(|text| format!("found {text}")));
    lines.extend(entry.why.clone());
    lines.extend(entry.evidence.iter().map(|text| format!("seen {text}")));
    lines.extend(entry.help.as_ref().map(|text| format!("help: {text}")));
    lines.push(format!("{}: {} [{}]", entry.rule, entry.basis, entry.id));
    lines.join("\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

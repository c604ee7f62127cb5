//! What changed from one look to the next: a line for each verdict that is another now.

use serde::Serialize;

use super::text::sign;
use super::{Entry, Outcome, Report};

/// A verdict that is another now; the first look gives every verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// When it was seen: RFC 3339.
    pub time: String,
    /// What it was; absent where it was not asked before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Outcome>,
    /// The check with its verdict now; without one it is not asked any more.
    #[serde(flatten)]
    pub check: Entry,
}

/// The checks whose verdict changed, in the order of the file; those that are not asked any more last. `time` is when they were seen.
pub fn changes(before: Option<&Report>, after: &Report, time: &str) -> Vec<Change> {
    let old = before.map(|report| report.checks.as_slice()).unwrap_or_default();
    let verdict = |id: &str| old.iter().find(|entry| entry.id == id).and_then(|entry| entry.verdict);
    let changed = after.checks.iter().filter_map(|entry| {
        let was = verdict(&entry.id);
        (was != entry.verdict).then(|| Change { time: time.to_owned(), was, check: entry.clone() })
    });
    let gone = old.iter().filter(|entry| !after.checks.iter().any(|now| now.id == entry.id)).map(|entry| {
        let check = Entry { verdict: None, expected: None, found: None, evidence: vec![], help: None, ..entry.clone() };
        Change { time: time.to_owned(), was: entry.verdict, check: Entry { why: None, reason: None, ..check } }
    });
    changed.chain(gone).collect()
}

impl Change {
    /// For a person: `✗ web reaches client: client is not on front [reach/web->client]`, with colours.
    pub fn line(&self) -> String {
        let said = match self.check.verdict {
            Some(Outcome::Refuted) => self.check.found.as_deref(),
            Some(Outcome::Unproved) => self.check.why.as_deref(),
            Some(Outcome::Proved) => None,
            None => Some("not asked any more"),
        };
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        format!("{} {}{said} [{}]", sign(self.check.verdict), self.check.says, self.check.id)
    }

    /// For programs: one object.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

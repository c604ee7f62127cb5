//! What `verify` found: every promise of the file with its verdict, as data, text, JSON, JUnit, TAP, annotations and a page.

mod changes;
mod github;
pub(super) mod html;
mod junit;
mod tap;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::source::Files;
use crate::verify::check::{Basis, Check, Verdict, Why};
use crate::verify::gather::{Proof, Settled};
use crate::verify::matrix::{Expected, Matrix};

pub use changes::{Change, changes};
pub use github::github;
pub use html::html;
pub use junit::junit;
pub use tap::tap;
pub use text::{Detail, Look, counts, matrix_text, text};

/// The number of this format; it changes when a field changes its meaning or goes.
const FORMAT: u32 = 1;

/// A whole verification.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The number of this format.
    pub format: u32,
    /// The project.
    pub project: String,
    /// The Engine's version; absent when nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What it comes to; absent when nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How many of each.
    pub summary: Summary,
    /// How many containers of the project were found, in whatever state; absent when nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<usize>,
    /// Milliseconds from the first question to the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// How each place was looked into: `direct`, `sidecar`, or why it was not.
    pub places: BTreeMap<String, String>,
    /// Every check, service by service in the order of the file.
    pub checks: Vec<Entry>,
    /// Who reaches whom by the file alone.
    pub matrix: Vec<Pair>,
}

/// What a verification comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every check is proved.
    Proved,
    /// At least one is refuted.
    Refuted,
    /// None is refuted, and at least one could not be told. Not a pass.
    Unproved,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Checks.
    pub checks: usize,
    /// Proved.
    pub proved: usize,
    /// Refuted.
    pub refuted: usize,
    /// Not told.
    pub unproved: usize,
}

/// One check with its verdict.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// Stable from run to run: `reach/bot->db:5432/tcp`.
    pub id: String,
    /// The service it is about; absent for the stack as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The promise as half a sentence.
    pub says: String,
    /// The rule of the matrix behind it (`R2a`), `x-verify`, or `file`.
    pub rule: String,
    /// The attribute's path, the rule's reason or the written rule.
    pub basis: String,
    /// `compose.yaml:14:23`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Absent when nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Outcome>,
    /// Refuted: what should have been seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Refuted: what was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was seen that proves it, or that tells why it does not hold.
    pub evidence: Vec<String>,
    /// Refuted: the way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Unproved: why it could not be told, a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Unproved: why it could not be told, a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Milliseconds from the first question of the run to this verdict; absent when nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

/// Why a check could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A container that would have to be looked into, or asked, does not run.
    NotRunning,
    /// The probe could not look.
    NotSeen,
    /// It is blocked, and nothing shows that the target lives: the silence may have another reason.
    NoControl,
    /// What came back does not tell.
    Inconclusive,
    /// The file leaves it open.
    Undeclared,
}

impl From<&Why> for Reason {
    fn from(why: &Why) -> Self {
        match why {
            Why::NotRunning(_) => Self::NotRunning,
            Why::NotSeen(_) => Self::NotSeen,
            Why::NoControl(_) => Self::NoControl,
            Why::Inconclusive(_) => Self::Inconclusive,
            Why::Undeclared(_) => Self::Undeclared,
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Pair {
    /// From: a service, or `host`.
    pub from: String,
    /// To.
    pub to: String,
    /// `reach`, `block`, `undecided`.
    pub expected: String,
    /// The rule.
    pub rule: String,
    /// Why.
    pub why: String,
}

impl Report {
    /// What a proof found.
    pub fn of(project: &str, proof: Proof, matrix: &Matrix, files: &Files) -> Self {
        let checks: Vec<Entry> = proof.verdicts.iter().map(|s| Entry::settled(s, files)).collect();
        let place = |way: &Result<crate::vantage::Way, String>| match way {
            Ok(way) => way.to_string(),
            Err(why) => why.clone(),
        };
        let places = proof.ways.iter().map(|(vantage, way)| (vantage.to_string(), place(way))).collect();
        let took_ms = u64::try_from(proof.took.as_millis()).ok();
        let (engine, containers) = (Some(proof.engine), Some(proof.containers));
        Self { engine, containers, took_ms, places, ..Self::assembled(project, checks, matrix) }
    }

    /// What would be asked.
    pub fn offline(project: &str, checks: &[Check], matrix: &Matrix, files: &Files) -> Self {
        let checks = checks.iter().map(|c| Entry::of(c, None, files)).collect();
        Self::assembled(project, checks, matrix)
    }

    fn assembled(project: &str, checks: Vec<Entry>, matrix: &Matrix) -> Self {
        let count = |outcome| checks.iter().filter(|e| e.verdict == Some(outcome)).count();
        let summary = Summary {
            checks: checks.len(),
            proved: count(Outcome::Proved),
            refuted: count(Outcome::Refuted),
            unproved: count(Outcome::Unproved),
        };
        let asked = checks.iter().any(|e| e.verdict.is_some());
        let outcome = match summary {
            Summary { refuted: 1.., .. } => Outcome::Refuted,
            Summary { unproved: 1.., .. } => Outcome::Unproved,
            _ => Outcome::Proved,
        };
        Self {
            format: FORMAT,
            project: project.to_owned(),
            engine: None,
            outcome: asked.then_some(outcome),
            summary,
            containers: None,
            took_ms: None,
            places: BTreeMap::new(),
            matrix: pairs(matrix),
            checks,
        }
    }

    /// As JSON, indented.
    pub fn json(&self) -> String {
        // a report is made of strings and numbers: writing it cannot fail
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn pairs(matrix: &Matrix) -> Vec<Pair> {
    let expected = |e: Expected| match e {
        Expected::Reach => "reach",
        Expected::Block => "block",
        Expected::Undecided => "undecided",
    };
    let pair = |(from, to, cell): (&_, &_, &crate::verify::matrix::Cell)| Pair {
        from: format!("{from}"),
        to: format!("{to}"),
        expected: expected(cell.expected).to_owned(),
        rule: cell.rule.to_string(),
        why: cell.why.clone(),
    };
    matrix
        .pairs()
        .map(|(from, to, cell): (&crate::verify::matrix::Party, &crate::verify::matrix::Party, _)| {
            pair((from, to, cell))
        })
        .collect()
}

impl Entry {
    fn settled(settled: &Settled, files: &Files) -> Self {
        let after_ms = u64::try_from(settled.after.as_millis()).ok();
        Self { after_ms, ..Self::of(&settled.check, Some(&settled.verdict), files) }
    }

    fn of(check: &Check, verdict: Option<&Verdict>, files: &Files) -> Self {
        let (rule, basis) = match &check.basis {
            Basis::Rule(rule, why) => (rule.to_string(), why.clone()),
            Basis::Attribute(path) => ("file".to_owned(), path.clone()),
            Basis::Declared(text) => ("x-verify".to_owned(), text.clone()),
        };
        let mut entry = Self {
            id: check.id.clone(),
            service: check.service.as_ref().map(ToString::to_string),
            says: check.says.clone(),
            rule,
            basis,
            place: check.span.map(|span| files.place(span)),
            verdict: None,
            expected: None,
            found: None,
            evidence: vec![],
            help: None,
            why: None,
            reason: None,
            after_ms: None,
        };
        match verdict {
            None => {}
            Some(Verdict::Proved(evidence)) => {
                (entry.verdict, entry.evidence) = (Some(Outcome::Proved), evidence.clone());
            }
            Some(Verdict::Refuted { expected, found, evidence, help }) => {
                entry.verdict = Some(Outcome::Refuted);
                (entry.expected, entry.found) = (Some(expected.clone()), Some(found.clone()));
                (entry.evidence, entry.help) = (evidence.clone(), help.clone());
            }
            Some(Verdict::Unproved(why)) => {
                (entry.verdict, entry.why) = (Some(Outcome::Unproved), Some(why.text().to_owned()));
                entry.reason = Some(why.into());
            }
        }
        entry
    }
}

/// The JSON schema of a report: `schemas/report.json`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), "What `bowline verify --format json` prints".into());
    schema.into()
}

//! A verification as JUnit XML: a suite a service, a case a check.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{Entry, Outcome, Report};

/// JUnit XML as GitLab, Jenkins and GitHub read it. A check that could not be told is an error: it is no pass.
///
/// # Errors
/// When the writer refuses a text; control characters do not get this far.
pub fn junit(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let mut out = Junit::new(format!("bowline verify {}", report.project));
    if let Some(ms) = report.took_ms {
        out.set_time(Duration::from_millis(ms));
    }
    let mut suites: Vec<TestSuite> = vec![];
    for entry in &report.checks {
        let name = entry.service.clone().unwrap_or_else(|| report.project.clone());
        let at = suites.iter().position(|s| s.name.as_str() == name).unwrap_or_else(|| {
            suites.push(TestSuite::new(name));
            suites.len() - 1
        });
        suites[at].add_test_case(case(entry));
    }
    out.add_test_suites(suites);
    out.to_string()
}

fn case(entry: &Entry) -> TestCase {
    let mut status = match entry.verdict {
        Some(Outcome::Proved) => TestCaseStatus::success(),
        Some(Outcome::Refuted) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Some(Outcome::Unproved) => TestCaseStatus::non_success(NonSuccessKind::Error),
        None => TestCaseStatus::skipped(),
    };
    let message = match entry.verdict {
        Some(Outcome::Refuted) => {
            let found = entry.found.as_deref().unwrap_or_default();
            Some(format!("expected {}, found {found}", entry.expected.as_deref().unwrap_or_default()))
        }
        Some(Outcome::Unproved) => entry.why.clone(),
        _ => None,
    };
    if let Some(message) = message {
        status.set_message(message);
        status.set_description(body(entry));
    }
    let mut case = TestCase::new(entry.id.as_str(), status);
    case.set_classname(entry.rule.as_str());
    if entry.verdict == Some(Outcome::Proved) {
        case.set_system_out(body(entry));
    }
    if let Some((file, line, _)) = entry.place.as_deref().and_then(split_place) {
        case.extra.insert("file".into(), file.into());
        case.extra.insert("line".into(), line.into());
    }
    case
}

/// `compose.yaml:14:23` in its three parts.
pub(super) fn split_place(place: &str) -> Option<(&str, &str, &str)> {
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file, line, column))
}

/// Everything that was seen, a line each.
fn body(entry: &Entry) -> String {
    let mut lines = vec![entry.says.clone(), format!("promised by {}: {}", entry.rule, entry.basis)];
    lines.extend(entry.place.clone());
    lines.extend(entry.evidence.iter().cloned());
    lines.extend(entry.help.as_ref().map(|h| format!("help: {h}")));
    lines.join("\n")
}

//! A run of `bowline test` as JSON and JUnit: its stages, and every check of its verification.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::verification::{Outcome, Report};

/// A run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TestRun {
    /// The number of this format.
    pub format: u32,
    /// The project that it ran under.
    pub project: String,
    /// The exit code.
    pub code: u8,
    /// What was done, in its order: `up`, `verify`, `command`, `down`.
    pub stages: Vec<Stage>,
    /// The published addresses, by the variable that told the command.
    pub addresses: Vec<(String, String)>,
    /// The verification; absent where it did not come to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Report>,
}

/// One stage of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// `up`, `verify`, `command`, `down`.
    pub name: String,
    /// Why it failed; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl TestRun {
    /// As JSON.
    pub fn json(&self) -> String {
        // strings and numbers: writing them cannot fail
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As JUnit XML: a suite of stages, and one of checks.
    ///
    /// # Errors
    /// When the writer refuses a text; control characters do not get this far.
    pub fn junit(&self) -> Result<String, quick_junit::SerializeError> {
        let mut out = Junit::new(format!("bowline test {}", self.project));
        let mut stages = TestSuite::new("stages");
        for stage in &self.stages {
            let status = match &stage.failure {
                None => TestCaseStatus::success(),
                Some(why) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(why.lines().next().unwrap_or_default());
                    status.set_description(why.as_str());
                    status
                }
            };
            let mut case = TestCase::new(stage.name.as_str(), status);
            case.set_time(Duration::from_secs_f64(stage.seconds.max(0.0)));
            stages.add_test_case(case);
        }
        out.add_test_suite(stages);
        if let Some(report) = &self.verification {
            let mut checks = TestSuite::new("verify");
            for entry in &report.checks {
                let status = match entry.verdict {
                    Some(Outcome::Proved) => TestCaseStatus::success(),
                    Some(Outcome::Refuted) => TestCaseStatus::non_success(NonSuccessKind::Failure),
                    Some(Outcome::Unproved) => TestCaseStatus::non_success(NonSuccessKind::Error),
                    None => TestCaseStatus::skipped(),
                };
                checks.add_test_case(TestCase::new(entry.id.as_str(), status));
            }
            out.add_test_suite(checks);
        }
        out.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_cases_and_failures_say_why() {
        let stage = |name: &str, failure: Option<&str>| Stage {
            name: name.into(),
            failure: failure.map(str::to_owned),
            seconds: 0.5,
        };
        let stages = vec![stage("up", None), stage("command", Some("it ended with 3\nmore"))];
        let run = TestRun { format: 1, project: "p-1".into(), code: 3, stages, ..TestRun::default() };
        let xml = run.junit().unwrap();
        assert!(xml.contains("name=\"stages\" tests=\"2\"") && xml.contains("failures=\"1\""), "{xml}");
        assert!(xml.contains("message=\"it ended with 3\""), "{xml}");
        let json: serde_json::Value = serde_json::from_str(&run.json()).unwrap();
        assert_eq!((&json["code"], &json["stages"][1]["name"]), (&3.into(), &"command".into()));
        assert!(json.get("verification").is_none());
    }
}

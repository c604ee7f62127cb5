//! A run of `bowline test` as JSON, JUnit and a page: its stages, and every check of its verification.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::markup::escaped;
use super::verification::{Outcome, Report, html};

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

    /// As one page for a browser, without a request to anywhere.
    pub fn html(&self) -> String {
        let outcome = if self.code == 0 { "passed".to_owned() } else { format!("failed with {}", self.code) };
        let title = format!("{}: {outcome}", self.project);
        let stages: String = self.stages.iter().map(Stage::html).collect();
        let mut body = format!("<h1>{}</h1>\n<p class=\"soft\">bowline test</p>\n{stages}", escaped(&title));
        if !self.addresses.is_empty() {
            let row =
                |(name, value): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
            let rows: String = self.addresses.iter().map(row).collect();
            body.push_str(&format!("<h2>What the command was told</h2>\n<dl>\n{rows}</dl>\n"));
        }
        body.extend(self.verification.as_ref().map(html::sections));
        html::page(&title, &body)
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

impl Stage {
    fn html(&self) -> String {
        let (class, sign, why) = match &self.failure {
            None => ("p", "✓", String::new()),
            Some(why) => ("r", "✗", format!("<pre>{}</pre>\n", escaped(why))),
        };
        format!(
            "<article class=\"{class}\">\n<h3><span class=\"sign\">{sign}</span> {} <small class=\"soft\">{:.1} s</small></h3>\n{why}</article>\n",
            escaped(&self.name),
            self.seconds
        )
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
        let page = TestRun { addresses: vec![("BOWLINE_WEB_80".into(), "<b>".into())], ..run }.html();
        assert!(
            page.contains("<h1>p-1: failed with 3</h1>") && page.contains("<pre>it ended with 3\nmore</pre>"),
            "{page}"
        );
        assert!(page.contains("<dt>BOWLINE_WEB_80</dt><dd>&lt;b&gt;</dd>") && !page.contains("<script"), "{page}");
    }
}

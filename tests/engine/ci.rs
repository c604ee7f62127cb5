//! examples/ci: its programs run, and every line of its pipelines is one that bowline takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_yaml::Value;

use crate::stack::{Ran, Stack};

#[path = "../../examples/ci/cargo_test.rs"]
mod cargo_test;

const BOWLINE: &str = env!("CARGO_BIN_EXE_bowline");

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci")
}

/// The example in a directory of its own; none where there is no Engine, or no such program.
fn copied(topic: &str, program: &str) -> Option<Stack> {
    let stack = Stack::new(topic, "")?;
    for file in ["compose.yaml", "Makefile", "test_web.py"] {
        std::fs::copy(example().join(file), stack.directory.join(file)).unwrap();
    }
    if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no {program}");
        eprintln!("SKIPPED, and nothing is known of this part of examples/ci: there is no {program} here");
        return None;
    }
    Some(stack)
}

/// Runs a program in the directory, where it finds bowline.
fn run(stack: &Stack, program: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&stack.directory).env("BOWLINE", BOWLINE).stdin(Stdio::null());
    ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME"].iter().for_each(|name| _ = command.env_remove(name));
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{program} {arguments:?}\n{}\n{}", ran.out, ran.err);
    ran
}

#[test]
fn make_test_tests_the_stack() {
    let Some(stack) = copied("cimake", "make") else { return };
    let ran = run(&stack, "make", &["test", &format!("BOWLINE={BOWLINE}")]);
    assert!(ran.out.contains("hello from bowline") && ran.err.contains("checks proved"), "{ran:?}");
    let report = std::fs::read_to_string(stack.directory.join("report.xml")).unwrap();
    assert!(report.contains("failures=\"0\"") && stack.directory.join("report.html").exists(), "{report}");
}

#[test]
fn a_test_in_python_has_the_stack_as_long_as_it_runs() {
    let Some(stack) = copied("cipython", "python3") else { return };
    let ran = run(&stack, "python3", &["-m", "unittest", "-v"]);
    assert!(ran.err.contains("test_it_greets") && ran.err.contains("\nOK"), "{ran:?}");
}

/// Every line of a pipeline that calls bowline.
fn lines(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.trim_start().starts_with("bowline ") => into.push(text.clone()),
        Value::Sequence(items) => items.iter().for_each(|item| lines(item, into)),
        Value::Mapping(map) => map.values().for_each(|value| lines(value, into)),
        _ => {}
    }
}

#[test]
fn bowline_takes_every_line_of_the_pipelines() {
    for (file, expected) in [("github-actions.yml", 2), ("gitlab-ci.yml", 2)] {
        let text = std::fs::read_to_string(example().join(file)).unwrap();
        let mut found = vec![];
        lines(&serde_yaml::from_str(&text).unwrap(), &mut found);
        assert_eq!(found.len(), expected, "{file}: {found:?}");
        for line in found {
            let script = format!("bowline() {{ \"$BOWLINE\" --dry-run \"$@\"; }}\n{line}");
            let mut command = Command::new("sh");
            command.args(["-euc", &script]).current_dir(example()).env("BOWLINE", BOWLINE);
            let ran = Ran::from(command.output().unwrap());
            let is_test = line.contains("bowline test");
            assert_eq!((ran.code, ran.err.contains("would be brought up")), (Some(0), is_test), "{line}\n{ran:?}");
        }
    }
}

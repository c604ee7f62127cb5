//! Every directory beside this file is a stack, right or wrong, and what bowline makes of it.
//!
//! `expected.txt` is what the user sees of the findings, `expected.json` the canonical tree; a case has one or both. The
//! stack is loaded in its directory. A file `request` gives more than that, a line each: `-f FILE`, `-p NAME`,
//! `--profile NAME`, `--env-file FILE`, `--project-directory DIR`, `NAME=VALUE` for the environment, `stdin FILE`, and the
//! flags of `config` that leave a stage out: `--no-interpolate` …
//! `BOWLINE_UPDATE=1 cargo test --test load` writes what is expected anew; read the difference before you commit it.

mod browser;
mod complete;
mod page;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bowline::compose::attributes::schema;
use bowline::compose::environment::Environment;
use bowline::compose::print::{self, Dollars};
use bowline::compose::{Loaded, Request, Skip, load, load_text_with};
use bowline::finding::{Code, Severity};
use bowline::report::findings::{Color, text};
use bowline::yaml::{self, json};

/// Findings that have no place in a file, or the place of which is the whole file.
const PLACELESS: &[Code] =
    &[Code::FileNotFound, Code::FileUnreadable, Code::NoProject, Code::BadName, Code::NotSupported];

/// The longest that loading one case may take.
const LIMIT: Duration = Duration::from_secs(1);

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/load");
    let entries = fs::read_dir(root).expect("the cases are there").flatten().map(|entry| entry.path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn request(case: &Path) -> Request {
    let mut request = Request { current_dir: case.to_path_buf(), ..Request::default() };
    request.environment.insert("HOME".into(), "/home/me".into());
    let lines = fs::read_to_string(case.join("request")).unwrap_or_default();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        match line.split_once(' ') {
            Some(("-f", file)) => request.files.push(file.into()),
            Some(("-p", name)) => request.project_name = Some(name.into()),
            Some(("--profile", name)) => request.profiles.push(name.into()),
            Some(("--env-file", file)) => request.env_files.push(file.into()),
            Some(("--project-directory", directory)) => request.project_directory = Some(directory.into()),
            None if line == "--no-interpolate" => request.skip.interpolation = true,
            None if line == "--no-normalize" => request.skip.normalization = true,
            None if line == "--no-path-resolution" => request.skip.path_resolution = true,
            None if line == "--no-consistency" => request.skip.consistency = true,
            None if line == "--no-env-files" => request.skip.env_files = true,
            Some(("stdin", file)) => request.stdin = Some(fs::read(case.join(file)).expect("the file is there")),
            _ => {
                let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: {line}", case.display()));
                request.environment.insert(name.into(), value.into());
            }
        }
    }
    request
}

/// The findings as shown and the tree as JSON, with the case's path taken out of both.
fn shown(case: &Path, loaded: &Loaded) -> (Option<String>, Option<String>) {
    let anonymous = |text: String| text.replace(&case.display().to_string(), "$CASE");
    let findings = Some(text(&loaded.files, &loaded.findings, Color::Plain)).filter(|t| !t.is_empty());
    let tree = loaded.tree.as_ref().filter(|_| !loaded.findings.has_errors()).map(|tree| json::write(tree) + "\n");
    (findings.map(anonymous), tree.map(anonymous))
}

/// Compares with a file, or writes it; adds to `wrong` what differs.
fn check(path: &Path, found: Option<String>, wrong: &mut String) {
    let expected = fs::read_to_string(path).ok();
    if found == expected {
        return;
    }
    if std::env::var_os("BOWLINE_UPDATE").is_some() {
        match found {
            Some(found) => fs::write(path, found).expect("the case can be written"),
            None => fs::remove_file(path).expect("the file is there"),
        }
        return;
    }
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "(nothing)\n".into());
    let (expected, found) = (or_nothing(expected), or_nothing(found));
    *wrong += &format!("==== {}\n---- expected\n{expected}---- found\n{found}", path.display());
}

#[test]
fn every_case_is_as_expected() {
    let mut wrong = String::new();
    for case in cases() {
        let start = Instant::now();
        let loaded = load(&request(&case));
        let (findings, tree) = shown(&case, &loaded);
        if start.elapsed() > LIMIT {
            writeln!(wrong, "==== {} took {:?}", case.display(), start.elapsed()).unwrap();
        }
        if findings.is_none() && tree.is_none() {
            writeln!(wrong, "==== {} gives neither findings nor a tree", case.display()).unwrap();
        }
        check(&case.join("expected.txt"), findings, &mut wrong);
        check(&case.join("expected.json"), tree, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The cases that give a tree without an error.
fn good_cases() -> impl Iterator<Item = (PathBuf, Loaded)> {
    let loaded = cases().into_iter().map(|case| {
        let loaded = load(&request(&case));
        (case, loaded)
    });
    loaded.filter(|(_, loaded)| loaded.tree.is_some() && !loaded.findings.has_errors())
}

#[test]
fn what_config_prints_reads_back_as_the_same() {
    for (case, loaded) in good_cases().filter(|(case, _)| request(case).skip == Skip::default()) {
        let tree = loaded.tree.expect("it was looked for");
        for format in [print::Format::Yaml, print::Format::Json] {
            let printed = print::printed(tree.clone(), format, Dollars::Doubled);
            let text = match format {
                print::Format::Yaml => yaml::write(&printed),
                print::Format::Json => json::write(&printed),
            };
            // docker compose's JSON, and so ours, has no models, and `$$` in keys
            let odd_key = text.lines().any(|line| line.split_once("\": ").is_some_and(|(key, _)| key.contains("$$")));
            if format == print::Format::Json && (tree.get("models").is_some() || odd_key) {
                continue;
            }
            let all = Request { profiles: vec!["*".into()], ..Request::default() };
            let again = load_text_with("printed.yaml", &text, &Environment::new(), &all);
            let tree = again.tree.unwrap_or_else(|| panic!("{}: {text}\n{:#?}", case.display(), again.findings));
            let printed_again = print::printed(tree.clone(), format, Dollars::Doubled);
            assert_eq!(json::write(&printed_again), json::write(&printed), "{}", case.display());
        }
    }
}

#[test]
fn the_schema_agrees_on_what_is_right_and_what_is_wrong() {
    let schema = serde_json::to_value(schema::schema()).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    for (case, loaded) in good_cases() {
        let documents = loaded.documents();
        for document in documents.iter().filter(|document| !document.is_null()) {
            let errors: Vec<String> = validator.iter_errors(&json::value(document)).map(|e| e.to_string()).collect();
            // what a later file overrides or resets may look odd by itself
            let stands_alone = documents.len() == 1;
            assert!(errors.is_empty() || !stands_alone, "{}: {errors:#?}", case.display());
        }
    }
    for case in cases() {
        let loaded = load(&request(&case));
        let is_structural = |code| matches!(code, Code::UnknownKey | Code::WrongType);
        let documents = loaded.documents();
        let [document] = documents.as_slice() else { continue };
        let errors = loaded.findings.iter().filter(|f| f.severity == Severity::Error);
        let in_document =
            errors.filter(|f| is_structural(f.code) && f.at.map(|at| at.file) == Some(document.span.file));
        if in_document.count() > 0 {
            assert!(!validator.is_valid(&json::value(document)), "{} is valid by the schema", case.display());
        }
    }
}

#[test]
fn every_error_names_a_place_and_the_way_out() {
    let mut lacking = String::new();
    for case in cases() {
        let loaded = load(&request(&case));
        for finding in loaded.findings.iter().filter(|f| f.severity == Severity::Error) {
            let name = case.file_name().unwrap_or_default().display();
            if finding.at.is_none() && !PLACELESS.contains(&finding.code) {
                writeln!(lacking, "{name}: no place: {}", finding.message).unwrap();
            }
            if finding.help.is_none() {
                writeln!(lacking, "{name}: no way out: {}", finding.message).unwrap();
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking}");
}

//! The walls of the house, held: every `crate::` path of every room against the table of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and what it may use; `room::part` is that part alone.
const MAY_USE: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("finding", &["source"]),
    ("name", &[]),
    ("ignore", &[]),
    ("yaml", &["source", "finding"]),
    ("compose", &["yaml", "source", "finding", "name", "lint"]),
    ("lint", &["compose::model", "finding", "name", "source"]),
    ("state", &["compose::model", "compose::print", "plan", "yaml", "name", "finding", "source"]),
    ("plan", &["state", "compose::model", "name", "finding", "source"]),
    ("preflight", &["state", "compose::model", "finding", "name", "source"]),
    ("engine", &["state", "compose::model", "ignore", "name"]),
    ("run", &["plan", "engine", "state", "compose::model", "name", "probe", "vantage"]),
    ("watch", &["compose::model", "engine", "finding", "ignore", "name", "source"]),
    ("probe", &[]),
    ("vantage", &["engine", "probe", "preflight", "state", "compose::model", "name"]),
    (
        "verify",
        &["compose::model", "compose::extension", "state", "engine", "probe", "vantage", "name", "finding", "source"],
    ),
    (
        "stack",
        &[
            "compose",
            "engine",
            "finding",
            "name",
            "plan",
            "preflight",
            "report",
            "run",
            "source",
            "state",
            "vantage",
            "verify",
        ],
    ),
    ("ui", &["report", "state"]),
    (
        "report",
        &[
            "compose",
            "plan",
            "state",
            "verify",
            "preflight",
            "lint",
            "yaml",
            "finding",
            "source",
            "name",
            "probe",
            "vantage",
        ],
    ),
];

/// Breaches that stand and are to go: a file and the path that it uses. One that is gone must go from here too.
const DEBTS: &[(&str, &str)] = &[
    ("report/containers.rs", "engine"),
    ("report/logs.rs", "engine"),
    ("report/progress/board.rs", "run"),
    ("report/progress/mod.rs", "run"),
];

/// Crates that only these rooms may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("bollard", &["engine"]),
    ("tokio", &["engine", "run", "stack", "vantage", "verify", "watch", "cli"]),
    ("notify", &["watch"]),
    ("clap", &["cli"]),
    ("ratatui", &["ui", "cli"]),
    ("crossterm", &["cli"]),
    ("granit_parser", &["yaml"]),
    ("annotate_snippets", &["report"]),
];

/// Rooms in which nothing waits.
const PURE: &[&str] =
    &["source", "finding", "name", "yaml", "compose", "lint", "preflight", "state", "plan", "report", "ui"];

/// Files that read files: the others of `compose` get texts.
const READERS: &[&str] = &["compose/attach.rs", "compose/gather.rs", "compose/sources.rs", "compose/request.rs"];

/// A file of the library or the program, without its tests and comments.
struct Source {
    /// Below `src`: `plan/text.rs`.
    path: String,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = vec![];
    let mut directories = vec![src.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("src is there") {
            let path = entry.expect("src can be listed").path();
            let below = path.strip_prefix(&src).expect("it is below src").display().to_string();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test_file(&below) {
                found.push(Source {
                    code: code(&fs::read_to_string(&path).expect("a source file is text")),
                    path: below,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn is_test_file(path: &str) -> bool {
    let name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    name == "tests"
        || name.ends_with("_tests")
        || name == "fixture"
        || name == "lab"
        || path.starts_with("probe/program/")
}

fn waits(code: &str) -> bool {
    let await_ends = |at: usize| !code[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    code.contains("async fn") || code.match_indices(".await").any(|(at, word)| await_ends(at + word.len()))
}

/// The text up to its tests, without comments and strings' line ends mattering.
fn code(text: &str) -> String {
    let until_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let without_comment = |line: &str| match line.find("//") {
        Some(at) if !line[..at].contains('"') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    until_tests.lines().map(without_comment).collect::<Vec<_>>().join("\n")
}

/// Every path after `crate::`, as far as two names: `compose::model`.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let is_our_crate = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if is_our_crate {
            paths.extend(expand(&code[at + "crate::".len()..]));
        }
    }
    paths
}

/// `a::b::C` is `a::b`; `{a::b, c}` is both.
fn expand(text: &str) -> Vec<String> {
    let Some(inside) = text.strip_prefix('{') else { return vec![two_names(text)] };
    let mut depth = 1;
    let mut items = vec![String::new()];
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (c, depth) {
            (_, 0) => break,
            (',', 1) => items.push(String::new()),
            _ => items.last_mut().expect("it begins with one").push(c),
        }
    }
    items.iter().map(|item| two_names(item.trim())).filter(|path| !path.is_empty()).collect()
}

fn two_names(text: &str) -> String {
    let path = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next().unwrap_or_default();
    path.split("::").filter(|name| !name.is_empty()).take(2).collect::<Vec<_>>().join("::")
}

#[test]
fn no_room_reaches_through_a_wall() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut breaches: Vec<(String, String, String)> = vec![];
    for source in sources().iter().filter(|s| !matches!(s.room(), "cli" | "main" | "lib")) {
        let room = source.room();
        let Some(allowed) = table.get(room) else { continue };
        for path in crate_paths(&source.code) {
            let first = path.split("::").next().unwrap_or_default();
            let is_room = table.contains_key(first) || first == "cli";
            let may = first == room || allowed.iter().any(|a| *a == first || *a == path);
            if is_room && !may {
                breaches.push((source.path.clone(), path.clone(), room.to_owned()));
            }
        }
    }
    let is_debt = |(file, path, _): &(String, String, String)| DEBTS.contains(&(file.as_str(), path.as_str()));
    let paid: Vec<_> =
        DEBTS.iter().filter(|(f, p)| !breaches.iter().any(|(file, path, _)| file == f && path == p)).collect();
    assert!(paid.is_empty(), "these debts are paid, take them out of DEBTS: {paid:?}");
    let breaches: Vec<String> = breaches
        .iter()
        .filter(|breach| !is_debt(breach))
        .map(|(file, path, room)| format!("{file}: `{room}` uses `{path}`"))
        .collect();
    assert!(breaches.is_empty(), "walls are broken:\n{}", breaches.join("\n"));
}

#[test]
fn what_is_dangerous_or_heavy_is_named_in_its_rooms_only() {
    let mut breaches = vec![];
    for source in sources() {
        for (name, rooms) in ONLY_IN {
            let named = source
                .code
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if named && !rooms.contains(&source.room()) {
                breaches.push(format!("{} names {name}", source.path));
            }
        }
        if PURE.contains(&source.room()) && waits(&source.code) {
            breaches.push(format!("{} waits", source.path));
        }
        let reads =
            source.code.contains("std::fs") || source.code.contains("fs::File") || source.code.contains("std::env");
        if source.room() == "compose" && reads && !READERS.contains(&source.path.as_str()) {
            breaches.push(format!("{} reads files or variables", source.path));
        }
        let prints = ["println!", "print!(", "eprintln!", "dbg!"].iter().any(|macro_| source.code.contains(macro_));
        if source.room() != "cli" && prints {
            breaches.push(format!("{} prints", source.path));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_living_plan_names_every_room() {
    let plan = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (room, _) in MAY_USE {
        assert!(plan.contains(&format!("| `{room}` |")), "ARCHITECTURE.md has no row for `{room}`");
    }
    for source in sources() {
        let room = source.room().to_owned();
        let known = MAY_USE.iter().any(|(name, _)| *name == room) || matches!(room.as_str(), "cli" | "main" | "lib");
        assert!(known, "{} is in no room of the table", source.path);
    }
}

/// What is between backticks and looks like the path of a test of the engine: `lab::wires::trunk`, or its beginning and `…`.
fn named_tests(page: &str) -> Vec<&str> {
    let words = page.split('`').skip(1).step_by(2);
    words
        .filter(|word| word.contains("::") && word.chars().all(|c| c.is_ascii_alphanumeric() || "_:…".contains(c)))
        .collect()
}

/// Whether a module of tests/engine has a test of that path, or is of that path.
fn is_test(path: &str) -> bool {
    let (modules, name) = path.rsplit_once("::").unwrap_or(("", path));
    let file = |modules: &str| fs::read_to_string(root().join("tests/engine").join(modules.replace("::", "/") + ".rs"));
    // the examples' modules are called without the one around them
    let places = [modules.to_owned(), format!("examples::{modules}")];
    let has = |text: String| match name.strip_suffix('…') {
        Some(beginning) => text.contains(&format!("#[test]\nfn {beginning}")),
        None => text.contains(&format!("#[test]\nfn {name}()")),
    };
    places.iter().any(|place| file(place).is_ok_and(has)) || file(path).is_ok()
}

#[test]
fn every_test_that_the_scenarios_name_is_there() {
    let page = fs::read_to_string(root().join("docs/scenarios.md")).unwrap();
    let named = named_tests(&page);
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<&str> = named.into_iter().filter(|path| *path != "lab::…" && !is_test(path)).collect();
    assert!(missing.is_empty(), "docs/scenarios.md names tests that are not there: {missing:?}");
    assert!(is_test("lab::wires::trunk") && is_test("simple::links") && !is_test("lab::wires::truck"));
}

#[test]
fn the_test_sees_paths_in_every_form() {
    let code = "use crate::{compose::{model, load}, state};\nfn f() -> crate::engine::Engine { $crate::x() }\nuse crate::plan::Plan;";
    let paths = crate_paths(code);
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["compose", "engine::Engine", "plan::Plan", "state"]);
}

//! Whole files: the YAML reader and writer, and the load from text to project.

use std::collections::BTreeSet;

use bowline::compose::attributes::Place;
use bowline::compose::environment::Environment;
use bowline::compose::print::{self, Dollars, Format};
use bowline::compose::{self, Loaded, Request, Skip};
use bowline::finding::Findings;
use bowline::report::{brief, findings as report};
use bowline::source::Files;
use bowline::yaml::{self, Data, Mapping, Node, Value};

/// Every place is one of a file, and findings can be shown to people and programs.
pub fn check_findings(files: &Files, findings: &Findings) {
    for finding in findings.iter() {
        let places = finding.at.into_iter().chain(finding.also.iter().map(|(span, _)| *span));
        for span in places.chain(finding.patch.iter().map(|(span, _)| *span)) {
            let text = &files.get(span.file).text;
            assert!(text.get(span.range()).is_some(), "{finding:?} is at no place of {text:?}");
        }
    }
    if findings.len() < 300 {
        let plain = report::text(files, findings, report::Color::Plain);
        assert!(!plain.contains('\u{1b}'));
        report::text(files, findings, report::Color::Ansi);
    }
    brief::text(files, findings, report::Color::Plain, 40);
    serde_json::to_string(&report::records(files, findings)).expect("records are JSON");
}

fn read(files: &mut Files, text: &str, findings: &mut Findings) -> Vec<Node> {
    let id = files.add("compose.yaml", None, text);
    yaml::read(files, id, findings)
}

/// Whether two trees say the same.
fn alike(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Scalar(a), Data::Scalar(b)) => match (&a.value, &b.value) {
            (Value::Float(a), b) | (b, Value::Float(a)) => match b {
                Value::Int(b) => *a == *b as f64,
                Value::UInt(b) => *a == *b as f64,
                Value::Float(b) => a == b || a.is_nan() && b.is_nan(),
                _ => false,
            },
            (a, b) => a == b,
        },
        (Data::Seq(a), Data::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| alike(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && alike(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}

/// What a text without a fault says can be written, and what is written says the same.
pub fn yaml(text: &str) {
    let (mut files, mut findings) = (Files::new(), Findings::new());
    let documents = read(&mut files, text, &mut findings);
    check_findings(&files, &findings);
    if !findings.is_empty() {
        return;
    }
    for document in documents {
        let written = yaml::write(&document);
        let again = read(&mut files, &written, &mut findings);
        assert!(findings.is_empty(), "{written}\n{findings:?}");
        let [again] = again.as_slice() else { panic!("{} documents: {written}", again.len()) };
        assert!(alike(again, &document), "{document:?}\n{written}\n{again:?}");
        serde_json::from_str::<serde_json::Value>(&yaml::json::write(&document)).expect("it is JSON");
    }
}

fn variables() -> Environment {
    [("A", "a"), ("EMPTY", ""), ("DOLLAR", "$A"), ("PORT", "8080"), ("HOME", "/home/u")].into_iter().collect()
}

/// What `config` prints.
fn config(loaded: &Loaded, format: Format) -> Option<String> {
    let printed = print::printed(loaded.tree.clone()?, format, Dollars::Doubled);
    Some(match format {
        Format::Yaml => yaml::write(&printed),
        Format::Json => yaml::json::write(&printed),
    })
}

/// No stage panics, whichever are left out; what `config` prints is a stack file that says the same.
pub fn load(text: &str) {
    let variables = variables();
    let load = |text: &str, request: &Request| compose::load_text_with("compose.yaml", text, &variables, request);
    let loaded = load(text, &Request::default());
    check_findings(&loaded.files, &loaded.findings);
    if let Some(project) = &loaded.project {
        check_findings(&loaded.files, &compose::unsupported(project));
    }
    for format in [Format::Yaml, Format::Json] {
        let has_models = loaded.tree.as_ref().is_some_and(|tree| tree.get("models").is_some());
        // JSON has no models, and `$` of keys doubled, as docker compose does
        if format == Format::Json && (has_models || loaded.tree.as_ref().is_some_and(has_dollar_keys)) {
            continue;
        }
        let Some(first) = config(&loaded, format) else { continue };
        let again = load(&first, &Request::default());
        let said: Vec<&str> = again.findings.iter().map(|f| f.message.as_str()).collect();
        let second = config(&again, format).unwrap_or_else(|| panic!("{first}\ncannot be read: {said:?}"));
        assert!(first == second, "{first}\nreads as\n{second}");
        assert_eq!(loaded.project.is_some(), again.project.is_some(), "{first}\n{said:?}");
    }
    // further requests one at a time, chosen by the text, because all of them take as many times as long
    let chosen = text.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    let loaded = load(text, &requests()[usize::from(chosen) % requests().len()]);
    check_findings(&loaded.files, &loaded.findings);
    config(&loaded, Format::Yaml);
    loaded.tree.iter().for_each(|tree| drop(yaml::write(&print::printed_raw(tree.clone()))));
}

fn has_dollar_keys(node: &Node) -> bool {
    let below = |map: &Mapping| map.iter().any(|(key, entry)| key.contains('$') || has_dollar_keys(&entry.value));
    node.as_map().is_some_and(below) || node.as_seq().is_some_and(|items| items.iter().any(has_dollar_keys))
}

/// What `config` can be asked for.
fn requests() -> Vec<Request> {
    let all = Skip::default();
    let skips = [
        Skip { interpolation: true, ..all },
        Skip { normalization: true, ..all },
        Skip { path_resolution: true, ..all },
        Skip { consistency: true, ..all },
        Skip { env_files: true, ..all },
        Skip { interpolation: true, normalization: true, path_resolution: true, consistency: true, env_files: true },
    ];
    let skipping = skips.map(|skip| Request { skip, ..Request::default() });
    let named = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let further = [
        Request { services: named(&["a"]), ..Request::default() },
        Request { profiles: named(&["p", "*"]), ..Request::default() },
        Request { all_resources: true, compatibility: true, ..Request::default() },
    ];
    skipping.into_iter().chain(further).collect()
}

/// Files that include, extend and read each other: `=== name` begins a file, the first is `compose.yaml`.
pub fn project(text: &str) {
    let directory = tempfile::tempdir().expect("there is room for some files");
    let mut names: Vec<String> = vec![];
    for (index, part) in text.split("=== ").enumerate().take(12) {
        let (name, body) =
            if index == 0 { ("compose.yaml", part) } else { part.split_once('\n').unwrap_or((part, "")) };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.starts_with('.') && name != ".env" || name.len() > 40 || !name.chars().all(plain) {
            continue;
        }
        std::fs::write(directory.path().join(name), body).expect("a file can be written");
        names.push(name.to_owned());
    }
    let environment = variables().iter().map(|(n, v)| (n.to_owned(), v.value.clone())).collect();
    let request = Request { current_dir: directory.path().to_owned(), environment, ..Request::default() };
    let loaded = compose::load(&request);
    check_findings(&loaded.files, &loaded.findings);
    let first = config(&loaded, Format::Yaml);
    assert_eq!(first, config(&compose::load(&request), Format::Yaml), "a second load gives the same");
    let all = Request { files: names.iter().map(Into::into).collect(), ..request };
    let loaded = compose::load(&all);
    check_findings(&loaded.files, &loaded.findings);
}

/// What stack files are made of: YAML's marks, every key and word of the table, values that mean something somewhere.
pub fn words() -> Vec<String> {
    let marks = [
        "\n",
        ": ",
        "- ",
        "\n  ",
        "\n    ",
        "\n      - ",
        "&a ",
        "*a",
        "<<: *a",
        "<<: [*a, *a]",
        "!reset ",
        "!override ",
        "!reset null",
        "!!str ",
        "!!int ",
        "!!binary ",
        "|\n",
        ">-\n",
        "|2+\n",
        "\"",
        "'",
        "{}",
        "[]",
        "[",
        "]",
        "{",
        "}",
        "null",
        "~",
        "true",
        "0o7",
        "0x1F",
        "1e3",
        ".inf",
        ".nan",
        "18446744073709551616",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "? ",
        "# ",
        "\\x41",
        "${A:-b}",
        "${NO}",
        "$$",
        "x-a: ",
        "image: x",
        "services:\n  a:\n    ",
        "a:",
        "b:",
        "1.2.3.4",
        "172.30.0.0/24",
        "fd00::/64",
        "02:42:ac:11:00:02",
        "80:80",
        "8000-8010",
        "1m30s",
        "64m",
        "/d",
        "v:/d:ro",
        "./x:/y",
        "service:a",
        "container:c",
        "all",
        "KEY=value",
        "=== b.yaml\n",
        "=== .env\n",
        "include: [b.yaml]",
        "extends: {file: b.yaml, service: a}",
        "env_file: .env",
        "condition: service_healthy",
    ];
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut seen = vec![];
    let mut open = vec![Place::root()];
    while let Some(place) = open.pop() {
        if place == Place::UNKNOWN || seen.contains(&place) {
            continue;
        }
        seen.push(place);
        found.extend(place.attribute().into_iter().flat_map(|a| a.words).map(|w| (*w).to_owned()));
        for field in place.fields() {
            found.insert(format!("{field}: "));
            open.push(place.key(field));
        }
        open.extend([place.item(), place.key("a")]);
    }
    marks.into_iter().map(str::to_owned).chain(found).collect()
}

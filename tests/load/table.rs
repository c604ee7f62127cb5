//! The table of attributes held against the cases beside this file, and against the schema.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bowline::compose::attributes::{Accepts, Attribute, Form, Place, Segment, rows, schema, segments};
use bowline::compose::load_text;
use bowline::finding::{Code, Severity};
use bowline::yaml::{Data, Node, json};
use serde_json::{Map, Value};

use super::good_cases;

/// Every shape with its name, and a value of it.
fn shapes() -> [(Accepts, &'static str, Value); 7] {
    [
        (Accepts::NULL, "null", Value::Null),
        (Accepts::BOOL, "boolean", serde_json::json!(true)),
        (Accepts::INT, "whole number", serde_json::json!(7)),
        (Accepts::FLOAT, "number", serde_json::json!(7.5)),
        (Accepts::TEXT, "text", serde_json::json!("text")),
        (Accepts::LIST, "list", serde_json::json!([])),
        (Accepts::MAP, "mapping", serde_json::json!({})),
    ]
}

/// What stands where in the valid cases.
#[derive(Default)]
struct Seen {
    places: BTreeSet<Place>,
    shapes: Vec<(Place, Accepts)>,
}

impl Seen {
    fn look(&mut self, node: &Node, place: Place) {
        if place == Place::UNKNOWN {
            return;
        }
        self.places.insert(place);
        let shape = (place, Accepts::of(node));
        if !self.shapes.contains(&shape) {
            self.shapes.push(shape);
        }
        match &node.data {
            Data::Map(map) => map.iter().for_each(|(key, entry)| self.look(&entry.value, place.key(key))),
            Data::Seq(items) => items.iter().for_each(|item| self.look(item, place.item())),
            _ => {}
        }
    }
}

fn seen_in_valid_cases() -> Seen {
    let mut seen = Seen::default();
    for (_, loaded) in good_cases() {
        for document in &loaded.documents() {
            seen.look(document, Place::root());
        }
    }
    seen
}

#[test]
fn every_attribute_stands_in_a_valid_case() {
    let seen = seen_in_valid_cases();
    let missing: Vec<String> =
        rows().map(|(path, _)| path).filter(|path| !seen.places.contains(&Place::of(path))).collect();
    assert!(missing.is_empty(), "add them to a case: {missing:#?}");
}

#[test]
fn every_form_of_an_attribute_stands_in_a_valid_case() {
    let seen = seen_in_valid_cases();
    let mut missing = vec![];
    for (path, row) in rows() {
        for (shape, name, _) in shapes() {
            let place = Place::of(&path);
            // a whole number is a number, and each is written as a text in the same way
            let implied = [Accepts::INT, Accepts::FLOAT].contains(&shape) && row.form.accepts().has(Accepts::FLOAT);
            let numbers = [Accepts::INT, Accepts::FLOAT].map(|number| seen.shapes.contains(&(place, number)));
            let is_seen = seen.shapes.contains(&(place, shape)) || implied && numbers.contains(&true);
            if row.form.accepts().has(shape) && !is_seen {
                missing.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "add them to a case: {missing:#?}");
}

/// A value that an attribute takes.
fn sample(place: Place) -> Value {
    let Some(row) = place.attribute() else { return serde_json::json!("text") };
    if let Some(word) = row.words.first() {
        return serde_json::json!(word);
    }
    let accepts = row.form.accepts();
    match row.form {
        Form::Duration => serde_json::json!("10s"),
        Form::Bytes | Form::WholeBytes | Form::BytesText => serde_json::json!("64m"),
        Form::Mode => serde_json::json!("0440"),
        _ if accepts.has(Accepts::BOOL) => serde_json::json!(true),
        _ if accepts.has(Accepts::INT) => serde_json::json!(80),
        _ if accepts.has(Accepts::MAP) => record(place, row),
        _ if accepts.has(Accepts::TEXT) && row.path == "pull_policy" => serde_json::json!("always"),
        _ if accepts.has(Accepts::TEXT) => serde_json::json!("text"),
        _ => serde_json::json!([]),
    }
}

/// A mapping with what it must have.
fn record(place: Place, row: &Attribute) -> Value {
    let fields = row.required.iter().map(|key| ((*key).to_owned(), sample(place.key(key))));
    Value::Object(fields.collect())
}

/// A file that says `value` at a path, and around it no more than it must.
fn file_with(path: &str, value: Value) -> Value {
    let mut steps = vec![];
    let mut place = Place::root();
    for segment in segments(path) {
        let above = place;
        place = match segment {
            Segment::Key(key) => place.key(key),
            Segment::Item => place.item(),
        };
        steps.push((segment, above));
    }
    steps.into_iter().rev().fold(value, |inside, (segment, above)| match segment {
        Segment::Item => serde_json::json!([inside]),
        Segment::Key(key) => {
            let around = above.attribute().map_or_else(|| serde_json::json!({}), |row| record(above, row));
            let mut map: Map<String, Value> = around.as_object().cloned().unwrap_or_default();
            map.insert(if key == "*" { "name".to_owned() } else { key.to_owned() }, inside);
            Value::Object(map)
        }
    })
}

/// Whether bowline finds the structure of a file wrong.
fn is_refused(file: &Value) -> bool {
    let loaded = load_text("table.yaml", &file.to_string());
    let structural = [Code::WrongType, Code::UnknownKey, Code::MissingKey, Code::BadValue, Code::BadVerifyRule];
    loaded.findings.iter().any(|f| f.severity == Severity::Error && structural.contains(&f.code))
}

#[test]
fn a_wrong_shape_is_refused_by_bowline_and_by_the_schema() {
    let schema = serde_json::to_value(schema::schema()).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let mut wrong = vec![];
    for (path, row) in rows() {
        let good = file_with(&path, sample(Place::of(&path)));
        if !validator.is_valid(&good) {
            wrong.push(format!("{path}: the schema refuses {good}"));
        }
        for (shape, name, value) in shapes() {
            let accepts = row.form.accepts();
            if accepts.has(shape) || shape == Accepts::INT && accepts.has(Accepts::FLOAT) {
                continue;
            }
            // they are worked in and gone before it is asked whether anything was left empty
            let is_gone = path == "version" || path.starts_with("include");
            if shape == Accepts::NULL && is_gone {
                continue;
            }
            let bad = file_with(&path, value);
            if validator.is_valid(&bad) {
                wrong.push(format!("{path}: {name}: the schema takes {bad}"));
            }
            if !is_refused(&bad) {
                wrong.push(format!("{path}: {name}: bowline takes {bad}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_key_that_no_record_has_is_refused_by_both_and_an_x_key_by_none() {
    let schema = serde_json::to_value(schema::schema()).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let mut wrong = vec![];
    for (path, row) in rows() {
        let place = Place::of(&path);
        if !row.form.accepts().has(Accepts::MAP) || place.takes_names() || row.form.is_free() {
            continue;
        }
        let with = |key: &str| {
            let mut map = record(place, row).as_object().cloned().unwrap_or_default();
            map.insert(key.to_owned(), serde_json::json!("text"));
            file_with(&path, Value::Object(map))
        };
        for (key, taken) in [("no-such-key", false), ("x-mine", true)] {
            let file = with(key);
            if validator.is_valid(&file) != taken {
                wrong.push(format!("{path}: the schema on {file}"));
            }
            let found = load_text("table.yaml", &file.to_string());
            if found.findings.iter().any(|f| f.code == Code::UnknownKey) == taken {
                wrong.push(format!("{path}: bowline on {file}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_is_valid_by_the_schema() {
    let schema = serde_json::to_value(schema::schema()).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut looked_at = 0;
    for example in fs::read_dir(root).expect("they are there").flatten() {
        let Ok(text) = fs::read_to_string(example.path().join("compose.yaml")) else { continue };
        let loaded = load_text("compose.yaml", &text);
        for document in &loaded.documents() {
            let errors: Vec<String> = validator.iter_errors(&json::value(document)).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", example.path().display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 5, "{looked_at} examples");
}

/// Codes that need an Engine, a host, what is already there, or thousands of findings.
const BEYOND_LOADING: &[Code] = &[
    Code::BadWatch,
    Code::TooMany,
    Code::NoEffect,
    Code::Orphan,
    Code::StillUsed,
    Code::LenderMissing,
    Code::OtherDirectory,
    Code::VolumeDiffers,
    Code::ImageMissing,
    Code::NetworkMissing,
    Code::VolumeMissing,
    Code::ContainerMissing,
    Code::ForeignResource,
    Code::ApiTooOld,
    Code::SourceMissing,
    Code::ParentMissing,
    Code::ParentAuto,
    Code::ParentDown,
    Code::SwarmNeeded,
    Code::LanMismatch,
    Code::GatewaySilent,
    Code::ParentWireless,
    Code::ParentPromiscuous,
    Code::PortPrivileged,
    Code::PoolsExhausted,
    Code::BridgeTaken,
    Code::BadMtu,
    Code::NoIpv6,
    Code::KernelSetting,
    Code::MemoryShort,
    Code::DiskShort,
    Code::SourceKind,
    Code::HostFirewall,
    Code::ParentFiltered,
    Code::PlatformMismatch,
    Code::DeviceMissing,
    Code::DriverMissing,
];

#[test]
fn every_kind_of_finding_is_found_in_a_case() {
    let found: BTreeSet<Code> = super::cases()
        .iter()
        .flat_map(|case| super::load(&super::request(case)).findings.iter().map(|f| f.code).collect::<Vec<_>>())
        .collect();
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(|code| !found.contains(code) && !BEYOND_LOADING.contains(code)).collect();
    assert!(missing.is_empty(), "add a case: {missing:?}");
}

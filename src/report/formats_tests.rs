//! docs/formats.md and docs/exit-codes.md say what is so: their examples hold to the schemas, and no field is left out.

use std::collections::BTreeSet;

use serde_json::Value;

fn page(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// A section of formats.md: from its title to the next.
fn section(title: &str) -> String {
    let page = page("formats.md");
    let (_, after) = page.split_once(&format!("\n## {title}\n")).unwrap();
    after.split("\n## ").next().unwrap().to_owned()
}

/// The example of a section.
fn example(title: &str) -> String {
    let section = section(title);
    let (_, after) = section.split_once("```").unwrap();
    let (_, body) = after.split_once('\n').unwrap();
    body.split("\n```").next().unwrap().to_owned()
}

/// What the tables of a section name, in backticks in the first column or anywhere in a sentence.
fn named(title: &str) -> BTreeSet<String> {
    let section = section(title);
    section.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every key of a document, however deep.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

/// The fields of a schema's types.
fn fields(schema: &Value) -> BTreeSet<String> {
    let types = schema["$defs"].as_object().into_iter().flat_map(|defs| defs.values()).chain([schema]);
    types.filter_map(|t| t["properties"].as_object()).flat_map(|p| p.keys().cloned()).collect()
}

#[test]
fn the_examples_hold_to_their_schemas_and_every_field_is_told() {
    for (title, schema) in [
        ("verify", crate::report::verification::schema()),
        ("plan", serde_json::from_str(&crate::report::plan::schema()).unwrap()),
    ] {
        let document: Value = serde_json::from_str(&example(title)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{title}: {errors:?}");
        let named = named(title);
        let untold: Vec<_> = fields(&schema).into_iter().filter(|f| !named.contains(f)).collect();
        assert!(untold.is_empty(), "{title}: {untold:?} are not told");
        let mut used = BTreeSet::new();
        keys(&document, &mut used);
        let known = fields(&schema);
        // the keys of `places` are names
        used.retain(|key| !known.contains(key) && !document["places"][key.as_str()].is_string());
        assert!(used.is_empty(), "{title}: {used:?} are no fields");
    }
}

#[test]
fn every_line_of_the_other_examples_is_an_object_whose_fields_are_told() {
    for title in ["progress", "ps", "version"] {
        let named = named(title);
        for line in example(title).lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            let mut used = BTreeSet::new();
            keys(&object, &mut used);
            let untold: Vec<_> = used.into_iter().filter(|k| !named.contains(k)).collect();
            assert!(untold.is_empty(), "{title}: {untold:?} are not told");
        }
    }
}

#[test]
fn the_example_of_junit_is_one() {
    let example = example("junit");
    assert!(example.starts_with("<?xml") && example.ends_with("</testsuites>"), "{example}");
    assert_eq!(example.matches("<testcase ").count(), 2);
    assert_eq!(example.matches("</testcase>").count(), 2);
}

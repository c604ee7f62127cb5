//! `schemas/stack.json`: the file format as a JSON schema (2020-12), for editors and other validators.

use serde_json::{Map, Value, json};

use super::{Accepts, Attribute, Form, Place};

/// What a name that the user chooses looks like.
const NAME: &str = "^[a-zA-Z0-9._-]+$";

/// The schema of a stack file.
pub fn schema() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "bowline stack file".into());
    schema.insert("description".into(), "The Compose Specification's file format with bowline's own keys.".into());
    schema.insert("type".into(), "object".into());
    record(Place::root(), &mut schema);
    Value::Object(schema)
}

/// The schema of one place.
fn place_schema(place: Place, attribute: &Attribute) -> Value {
    let mut schema = Map::new();
    schema.insert("description".into(), description(attribute).into());
    let accepts = attribute.form.accepts();
    if attribute.words.is_empty() || !accepts.has(Accepts::LIST) && !accepts.has(Accepts::MAP) {
        describe(place, attribute, accepts, &mut schema);
        return Value::Object(schema);
    }
    // `enum` would hold for the other shapes too
    let mut others = Map::new();
    describe(place, &Attribute { words: &[], ..*attribute }, accepts.without(Accepts::TEXT), &mut others);
    schema.insert("anyOf".into(), json!([{ "type": "string", "enum": attribute.words }, others]));
    Value::Object(schema)
}

fn describe(place: Place, attribute: &Attribute, accepts: Accepts, schema: &mut Map<String, Value>) {
    schema.insert("type".into(), types(accepts));
    if !attribute.words.is_empty() {
        schema.insert("enum".into(), json!(attribute.words));
    }
    if let Some(expression) = attribute.pattern.expression() {
        schema.insert("pattern".into(), expression.into());
    }
    if let Some((least, most)) = attribute.range {
        schema.insert("minimum".into(), least.into());
        if most != i64::MAX {
            schema.insert("maximum".into(), most.into());
        }
    }
    if attribute.distinct {
        schema.insert("uniqueItems".into(), true.into());
    }
    if accepts.has(Accepts::LIST) {
        schema.insert("items".into(), items(place, attribute.form));
    }
    if accepts.has(Accepts::MAP) {
        mapping(place, attribute, schema);
    }
}

fn items(place: Place, form: Form) -> Value {
    match place.item().attribute() {
        Some(item) => place_schema(place.item(), item),
        None => json!({ "type": types(form.items()) }),
    }
}

fn mapping(place: Place, attribute: &Attribute, schema: &mut Map<String, Value>) {
    if place.fields().next().is_some() || place.takes_names() {
        record(place, schema);
    } else if attribute.form != Form::Free {
        let values = attribute.form.values();
        let mut value = Map::new();
        value.insert("type".into(), types(values));
        if values.has(Accepts::LIST) {
            value.insert("items".into(), json!({ "type": types(attribute.form.items()) }));
        }
        schema.insert("additionalProperties".into(), Value::Object(value));
    }
    if !attribute.required.is_empty() {
        schema.insert("required".into(), json!(attribute.required));
    }
}

/// The keys of a mapping: those that the table names, those that the user chooses, and `x-` keys.
fn record(place: Place, schema: &mut Map<String, Value>) {
    let mut properties = Map::new();
    for field in place.fields() {
        if let Some(attribute) = place.key(field).attribute() {
            let value = place_schema(place.key(field), attribute);
            if let Some(alias) = attribute.alias {
                properties.insert(alias.into(), value.clone());
            }
            properties.insert(field.into(), value);
        }
    }
    let mut patterns = Map::new();
    if let Some(named) = place.key("*").attribute().filter(|_| place.takes_names()) {
        patterns.insert(NAME.into(), place_schema(place.key("*"), named));
    } else {
        patterns.insert("^x-".into(), json!({}));
    }
    if !properties.is_empty() {
        schema.insert("properties".into(), Value::Object(properties));
    }
    schema.insert("patternProperties".into(), Value::Object(patterns));
    schema.insert("additionalProperties".into(), false.into());
}

fn description(attribute: &Attribute) -> String {
    let mut text = attribute.about.to_owned();
    if !attribute.default.is_empty() {
        text.push_str(&format!(" Default: {}.", attribute.default));
    }
    if let Some(since) = attribute.since {
        text.push_str(&format!(" Needs API {since}."));
    }
    text
}

fn types(accepts: Accepts) -> Value {
    let number = if accepts.has(Accepts::FLOAT) { "number" } else { "integer" };
    let names = [
        (Accepts::NULL, "null"),
        (Accepts::BOOL, "boolean"),
        (Accepts::INT, number),
        (Accepts::TEXT, "string"),
        (Accepts::LIST, "array"),
        (Accepts::MAP, "object"),
    ];
    let names: Vec<&str> = names.into_iter().filter(|(shape, _)| accepts.has(*shape)).map(|(_, name)| name).collect();
    match names[..] {
        [one] => one.into(),
        _ => json!(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_a_schema_and_tells_good_from_bad() {
        let schema = schema();
        assert!(jsonschema::meta::is_valid(&schema));
        let validator = jsonschema::validator_for(&schema).unwrap();
        for good in [
            json!({ "services": { "a": { "image": "x", "ports": [80, "81:81", { "target": 1 }], "x-mine": 5 } } }),
            json!({ "services": { "a": { "build": ".", "depends_on": { "b": { "condition": "service_healthy" } } } } }),
            json!({ "services": { "a": { "gpus": "all", "environment": { "A": null, "B": 1.5 }, "command": null } } }),
            json!({ "networks": { "n": null }, "x-verify": { "allow": ["a -> b"] } }),
        ] {
            assert!(validator.is_valid(&good), "{good}");
        }
        for bad in [
            json!({ "servics": {} }),
            json!({ "services": { "a b": {} } }),
            json!({ "services": { "a": { "image": 5 } } }),
            json!({ "services": { "a": { "gpus": "some" } } }),
            json!({ "services": { "a": { "ports": [{ "published": "80" }] } } }),
            json!({ "services": { "a": { "depends_on": { "b": { "condition": "ready" } } } } }),
            json!({ "services": { "a": { "environment": { "A": [1] } } } }),
            json!({ "services": { "a": { "oom_score_adj": 5000 } } }),
            json!({ "x-verify": { "alow": [] } }),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }
}

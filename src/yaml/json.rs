//! A tree as JSON, with the numbers and escapes of `docker compose config --format json`.

use serde_json::{Map, Number, Value as Json};

use super::node::{Data, Node, Value};

/// The tree as a JSON value. A float without a fraction is an integer, as Go prints it; one that is no number is null.
pub fn value(node: &Node) -> Json {
    match &node.data {
        Data::Null => Json::Null,
        Data::Seq(items) => Json::Array(items.iter().map(value).collect()),
        Data::Map(mapping) => {
            let pairs: Map<String, Json> = mapping.iter().map(|(k, e)| (k.to_string(), value(&e.value))).collect();
            Json::Object(pairs)
        }
        Data::Scalar(scalar) => match &scalar.value {
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::UInt(n) => Json::from(*n),
            Value::Float(f) => float(*f),
            Value::Str(s) => Json::String(s.to_string()),
        },
    }
}

fn float(f: f64) -> Json {
    // above 2^53 the digits of an integer would claim an exactness that a float has not; up to 10^21 Go prints them
    if f.fract() == 0.0 && f.abs() < 9_007_199_254_740_992.0 && (f != 0.0 || f.is_sign_positive()) {
        return Json::from(f as i64);
    }
    Number::from_f64(f).map_or(Json::Null, Json::Number)
}

/// The tree as JSON text, two blanks a level, with `<`, `>`, `&` escaped as Go's encoder does, and no newline at the end.
pub fn write(node: &Node) -> String {
    let text = serde_json::to_string_pretty(&value(node)).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // they stand in strings only
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    #[test]
    fn numbers_and_strings_are_those_of_docker_compose() {
        let span = Span::new(FileId(0), 0, 0);
        let numbers = [1e6, 0.1, -0.0, 5.0, 1e-7].map(|f| Node::float(span, f));
        assert_eq!(
            serde_json::to_string(&value(&Node::seq(span, numbers.to_vec()))).unwrap(),
            "[1000000,0.1,-0.0,5,1e-7]"
        );
        let others = vec![
            Node::scalar(span, Value::UInt(u64::MAX)),
            Node::int(span, -1),
            Node::bool(span, true),
            Node::null(span),
            Node::str(span, "<a&b>\u{2028}\u{1}"),
            Node::float(span, f64::NAN),
        ];
        let text = write(&Node::seq(span, others)).replace(['\n', ' '], "");
        assert_eq!(text, r#"[18446744073709551615,-1,true,null,"\u003ca\u0026b\u003e\u2028\u0001",null]"#);
    }
}

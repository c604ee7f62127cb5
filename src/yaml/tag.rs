//! Tags: those of Compose (`!reset`, `!override`) and what YAML's own (`!!int` …) make of a scalar. All others change
//! nothing but that a plain scalar under them stays the text it is, as go-yaml has it.

use granit_parser::Tag as EventTag;

use super::node::{Data, Scalar, Style, Tag, Value};
use super::scalar;

/// The tag that Compose knows, if this is one.
pub(super) fn of_compose(tag: &EventTag) -> Option<Tag> {
    match tag.original().as_str() {
        "!reset" => Some(Tag::Reset),
        "!override" => Some(Tag::Override),
        _ => None,
    }
}

/// Whether the tag leaves `<<` a merge key.
pub(super) fn is_merge(tag: &EventTag) -> bool {
    tag.is_yaml_core_schema_tag("merge") || tag.original() == "!"
}

/// The scalar under a tag, or why it cannot be that.
pub(super) fn scalar(tag: &EventTag, text: &str, style: Style) -> Result<Data, String> {
    let plain = |data: Data| match data {
        Data::Scalar(scalar) => Data::Scalar(scalar.quoted(style)),
        other => other,
    };
    let as_string = || Data::Scalar(Scalar::new(Value::Str(text.into()), style));
    let of_value = |value: Value| Data::Scalar(Scalar::of(value, text, style));
    if of_compose(tag).is_some() || tag.original() == "!" {
        return Ok(if style == Style::Plain { plain(scalar::resolve(text)) } else { as_string() });
    }
    let resolved = plain(scalar::resolve(text));
    let value = match &resolved {
        Data::Scalar(s) => Some(s.value.clone()),
        _ => None,
    };
    let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
    match (name.as_deref(), value) {
        (Some("int"), Some(v @ (Value::Int(_) | Value::UInt(_)))) => Ok(of_value(v)),
        (Some("float"), Some(Value::Int(n))) => Ok(of_value(Value::Float(n as f64))),
        (Some("float"), Some(Value::UInt(n))) => Ok(of_value(Value::Float(n as f64))),
        (Some("float"), Some(v @ Value::Float(_))) => Ok(of_value(v)),
        (Some("bool"), Some(v @ Value::Bool(_))) => Ok(of_value(v)),
        (Some("null"), None) => Ok(Data::Null),
        (Some("timestamp"), _) if scalar::is_timestamp(text) => Ok(as_string()),
        (Some("binary"), _) => {
            let bytes = base64(text).ok_or_else(|| "the value of `!!binary` is not base64".to_owned())?;
            let decoded = String::from_utf8(bytes).map_err(|_| "the value of `!!binary` is not text".to_owned())?;
            Ok(of_value(Value::Str(decoded.into())))
        }
        (Some(wanted @ ("int" | "float" | "bool" | "null" | "timestamp")), _) => {
            Err(format!("`{text}` is not what the tag `!!{wanted}` says"))
        }
        _ => Ok(as_string()),
    }
}

/// Decodes base64 (RFC 4648, padding required), blanks and line breaks left out.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let unpadded = digits.iter().rposition(|&b| b != b'=').map_or(0, |last| last + 1);
    if digits.len() - unpadded > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for group in digits[..unpadded].chunks(4) {
        let mut bits = 0u32;
        for &digit in group {
            bits = bits << 6 | u32::from(sextet(digit)?);
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

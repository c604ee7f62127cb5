//! Typed scalars: a text where the table says boolean or number becomes one (Compose Specification, "Interpolation").
//!
//! Runs after interpolation, because `"${REPLICAS}"` is a text until then.

use crate::compose::attributes::{Form, Place};
use crate::compose::trail::Trail;
use crate::finding::{Code, Finding, Findings};
use crate::yaml::{Data, Node, Scalar, Style, Value};

/// Casts every scalar of a file in place. What cannot be cast is found and stays.
pub fn cast(file: &mut Node, findings: &mut Findings) {
    cast_node(file, Place::root(), &mut Trail::default(), findings);
}

fn cast_node(node: &mut Node, place: Place, trail: &mut Trail, findings: &mut Findings) {
    if place == Place::UNKNOWN {
        return;
    }
    match &node.data {
        Data::Scalar(scalar) => {
            let Some(attribute) = place.attribute() else { return };
            match cast_scalar(scalar, attribute.form) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    node.data = Data::Scalar(scalar.with(value, Style::Plain));
                }
                Err(why) => findings.push(refused(node, scalar, why, attribute.form, trail)),
            }
        }
        Data::Map(_) => {
            let Some(map) = node.as_map_mut() else { return };
            for (key, entry) in map.0.iter_mut() {
                trail.at_key(key, |trail| cast_node(&mut entry.value, place.key(key), trail, findings));
            }
        }
        Data::Seq(_) => {
            let Some(items) = node.as_seq_mut() else { return };
            for (index, item) in items.iter_mut().enumerate() {
                trail.at_item(index, |trail| cast_node(item, place.item(), trail, findings));
            }
        }
        Data::Null => {}
    }
}

/// Up to here every whole number is one that a float holds: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The value that a text stands for, where its form asks for one; the reason where it cannot be.
fn cast_scalar(scalar: &Scalar, form: Form) -> Result<Option<Value>, &'static str> {
    let is_whole = matches!(form, Form::Whole | Form::StrictWhole | Form::WholeOrMap);
    let text = match &scalar.value {
        Value::Str(text) => text,
        // `1e3` and `2.0` are whole numbers too
        Value::Float(n) if is_whole && n.fract() == 0.0 && n.abs() < EXACT => return Ok(Some(Value::Int(*n as i64))),
        _ => return Ok(None),
    };
    let value = match form {
        Form::Flag | Form::FlagOrMap => Value::Bool(boolean(text).ok_or("is neither true nor false")?),
        Form::Whole | Form::Number | Form::Microseconds | Form::WholeOrMap => {
            Value::Int(text.parse().map_err(|_| "is not a whole number")?)
        }
        Form::Decimal => Value::Float(single(text).ok_or("is not a number")?),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// The boolean that a word says; YAML 1.1's words count, as they do for docker compose.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A decimal in single precision, as docker compose keeps it, in its shortest form.
fn single(text: &str) -> Option<f64> {
    let number: f32 = text.parse().ok()?;
    number.is_finite().then(|| number.to_string().parse().ok()).flatten()
}

fn refused(node: &Node, scalar: &Scalar, why: &str, form: Form, trail: &Trail) -> Finding {
    let raw = scalar.raw();
    let what = if raw.is_empty() { "the empty string".to_owned() } else { format!("`{raw}`") };
    let finding = Finding::error(Code::BadValue, format!("{trail}: {what} {why}")).at(node.span);
    let finding = finding.label(format!("{} is needed here", form.expected()));
    if raw.is_empty() {
        return finding.help("give the variable a value, or a default: `${NAME:-1}`");
    }
    match form {
        Form::Flag | Form::FlagOrMap => finding.help("write `true` or `false`"),
        _ => finding.help("write a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_what_its_form_says() {
        let cast = |text: &str, form| {
            let scalar = Scalar::new(Value::Str(text.into()), Style::Double);
            cast_scalar(&scalar, form)
        };
        for (text, form, value) in [
            ("Yes", Form::Flag, Some(Value::Bool(true))),
            ("off", Form::Flag, Some(Value::Bool(false))),
            ("3", Form::Whole, Some(Value::Int(3))),
            ("-1", Form::Number, Some(Value::Int(-1))),
            ("0.1", Form::Decimal, Some(Value::Float(0.1))),
            ("3", Form::Text, None),
            ("64m", Form::Bytes, None),
        ] {
            assert_eq!(cast(text, form), Ok(value), "{text} as {form:?}");
        }
        for (text, form) in
            [("maybe", Form::Flag), ("1.5", Form::Whole), ("", Form::Decimal), ("20ms", Form::Microseconds)]
        {
            assert!(cast(text, form).is_err(), "{text} as {form:?}");
        }
    }
}

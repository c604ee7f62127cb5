//! What a plain scalar means, as go-yaml v3 reads it for docker compose: YAML 1.2's core schema with the integers of 1.1.
//!
//! Measured against `docker compose config` 2.40.3 (reference `crates.md` 1.2). One rule differs on purpose: a date stays
//! the string that was written; docker compose makes a time of it and then refuses it in most places.

use std::fmt;

use super::node::{Data, Scalar, Style, Value};

/// What a plain scalar of this text is.
pub fn resolve(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        _ => {
            let value = typed(text).unwrap_or_else(|| Value::Str(text.into()));
            Data::Scalar(Scalar::of(value, text, Style::Plain))
        }
    }
}

/// Whether a plain scalar of this text is a string.
pub fn is_string(text: &str) -> bool {
    !matches!(text, "" | "~" | "null" | "Null" | "NULL") && typed(text).is_none()
}

/// The value of a plain scalar that is neither null nor a string.
fn typed(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => number(text),
    }
}

/// The number that a plain scalar is, if it is one.
pub fn number(text: &str) -> Option<Value> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Value::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Value::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| float(&digits))
}

/// An integer of base 2, 8 (`0o` or a leading zero), 10 or 16 with an optional sign, that fits 64 bits.
fn integer(text: &str) -> Option<Value> {
    let (negative, signed, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let lower = unsigned.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &unsigned[2..]),
        Some("0b") => (2, &unsigned[2..]),
        Some("0o") => (8, &unsigned[2..]),
        Some(other) if other.starts_with('0') => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Value::Int(value)),
        (true, _) => 0i64.checked_sub_unsigned(magnitude).map(Value::Int),
        // a sign and more than 63 bits: go-yaml leaves it to the floats
        (false, Err(_)) if signed => None,
        (false, Err(_)) => Some(Value::UInt(magnitude)),
    }
}

/// A decimal float in YAML's grammar; one that overflows is not a number.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Value::Float)
}

/// Whether go-yaml takes the text for a date or a time: it quotes such strings when it writes them.
///
/// `2001-12-14`, and with a time after `T`, `t` or a space: `21:59:43`, a fraction, and `Z` or an offset after `T`.
pub fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    let Some((month, rest)) = rest.split_once('-') else { return false };
    if year.len() != 4 || !in_range(year, 0, 9999) || !one_or_two(month) || !in_range(month, 1, 12) {
        return false;
    }
    let (day, time) = match rest.find(['T', 't', ' ']) {
        Some(at) => (&rest[..at], Some((rest.as_bytes()[at], &rest[at + 1..]))),
        None => (rest, None),
    };
    if !one_or_two(day) || !in_range(day, 1, days_of(year, month)) {
        return false;
    }
    time.is_none_or(|(separator, time)| is_clock(time, separator != b' '))
}

fn one_or_two(digits: &str) -> bool {
    matches!(digits.len(), 1 | 2)
}

fn in_range(digits: &str, least: u32, most: u32) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u32>().is_ok_and(|n| (least..=most).contains(&n))
}

fn days_of(year: &str, month: &str) -> u32 {
    let year: u32 = year.parse().unwrap_or_default();
    match month.parse() {
        Ok(4 | 6 | 9 | 11) => 30,
        Ok(2) if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        Ok(2) => 28,
        _ => 31,
    }
}

/// `h:m:s[.fraction]`, with a zone after it exactly when `zoned`.
fn is_clock(text: &str, zoned: bool) -> bool {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    if zoned == zone.is_empty() || !is_zone(zone) {
        return false;
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let mut next = |most| parts.next().is_some_and(|p| one_or_two(p) && in_range(p, 0, most));
    next(23) && next(59) && next(59) && parts.next().is_none() && !fraction.is_empty() && in_range_of_digits(fraction)
}

fn in_range_of_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_zone(zone: &str) -> bool {
    match zone.strip_prefix(['+', '-']) {
        None => matches!(zone, "" | "Z"),
        Some(offset) => offset
            .split_once(':')
            .is_some_and(|(h, m)| h.len() == 2 && m.len() == 2 && in_range(h, 0, 24) && in_range(m, 0, 60)),
    }
}

/// As docker compose prints a value into a string: `0644` is `420`, `1.10` is `1.1`, `1e6` is `1e+06`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(n) => write!(f, "{n}"),
            Value::UInt(n) => write!(f, "{n}"),
            Value::Float(n) => f.write_str(&go_float(*n, -4, 6)),
            Value::Str(s) => f.write_str(s),
        }
    }
}

/// The shortest text that reads back as `value`, with an exponent (of two digits at least) where the decimal exponent
/// is below `least` or not below `most`: Go's `%v` switches at -4 and 6, its JSON at -6 and 21.
pub fn go_float(value: f64, least: i32, most: i32) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if exponent < least || exponent >= most {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

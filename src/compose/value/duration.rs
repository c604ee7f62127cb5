//! Durations as Compose writes them: `1m30s`, `1.5h`, `10d`.

use std::time::Duration;

use super::BadValue;

/// Units from the shortest on, in nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Reads a duration: numbers with units, one after the other; `0` alone needs none.
///
/// # Errors
/// When a number or its unit is missing, when it is negative, or longer than 292 years.
pub fn parse(text: &str) -> Result<Duration, BadValue> {
    let bad = |why: &str| {
        BadValue::new(
            format!("`{text}` is not a duration: {why}"),
            "write a number and a unit: `90s`, `1m30s`, `500ms`",
        )
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.starts_with('-') {
        return Err(bad("it is negative"));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err(bad("it is empty"));
    }
    let mut nanoseconds: u64 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        if digits.is_empty() {
            return Err(bad("a number is missing"));
        }
        if unit.is_empty() {
            return Err(bad("the unit is missing"));
        }
        let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(bad(&format!("`{unit}` is no unit")));
        };
        let part = scaled(digits, scale).ok_or_else(|| bad("the number cannot be read"))?;
        nanoseconds =
            nanoseconds.checked_add(part).filter(|n| *n <= i64::MAX as u64).ok_or_else(|| bad("it is too long"))?;
        rest = after;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// `digits` (with at most one point) times `scale`, without rounding of the whole part.
fn scaled(digits: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut value = whole.checked_mul(scale)?;
    let mut digit_scale = scale as f64;
    let mut part = 0.0;
    for digit in fraction.bytes() {
        digit_scale /= 10.0;
        part += f64::from(digit - b'0') * digit_scale;
    }
    value = value.checked_add(part.round() as u64)?;
    Some(value)
}

/// The text that docker compose prints: `1h0m0s`, `1m30s`, `1.5s`, `500ms`, `0s`.
pub fn format(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let fraction = |value: u128, scale: u128, unit: &str| {
        let rest = value % scale;
        if rest == 0 {
            return format!("{}{unit}", value / scale);
        }
        let width = scale.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        format!("{}.{}{unit}", value / scale, digits.trim_end_matches('0'))
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => fraction(nanoseconds, 1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(nanoseconds, 1_000_000, "ms"),
        _ => {
            let seconds = nanoseconds / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let tail = fraction(nanoseconds % 60_000_000_000, 1_000_000_000, "s");
            match (hours, minutes) {
                (0, 0) => tail,
                (0, minutes) => format!("{minutes}m{tail}"),
                (hours, minutes) => format!("{hours}h{minutes}m{tail}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_and_printed_as_docker_compose_does() {
        for (text, printed) in [
            ("0", "0s"),
            ("90s", "1m30s"),
            ("1m30s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1d1h0.5s", "25h0m0.5s"),
            ("2w", "336h0m0s"),
            ("1500ms", "1.5s"),
            ("1.5ms", "1.5ms"),
            ("2us", "2µs"),
            ("5ns", "5ns"),
            (".5s", "500ms"),
            ("1.005s", "1.005s"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "empty"),
            ("10", "unit is missing"),
            ("s", "number is missing"),
            ("-1s", "negative"),
            ("1x", "`x` is no unit"),
            (" 1s", "number is missing"),
            ("1..5s", "cannot be read"),
            ("400000000w", "cannot be read"),
            ("20000w", "too long"),
        ] {
            let error = parse(text).unwrap_err().message;
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

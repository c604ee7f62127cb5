//! Durations: `1m30s`, `1.5h`, `10d`, as docker compose reads and prints them.
//!
//! Go's `time.ParseDuration` with `d` (24 h) and `w` (7 d) added; printed as Go prints, without them. Measured with 2.40.3,
//! but a negative one is refused: nothing in a stack can take it.

use std::time::Duration;

use super::BadValue;

const SECOND: u64 = 1_000_000_000;

/// The units and their nanoseconds.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
];
const WEEK: u64 = 7 * 24 * 3600 * SECOND;

/// Reads a duration: numbers with units, one after the other; `0` alone needs none.
///
/// # Errors
/// When a unit is missing or unknown, or it is negative or longer than 292 years.
pub fn parse(text: &str) -> Result<Duration, BadValue> {
    if text.starts_with('-') {
        return Err(problem(format!("the duration `{text}` is negative")));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(problem(format!("`{text}` is no duration")));
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = term(text, rest)?;
        total = total.checked_add(nanoseconds).filter(|&t| t <= i64::MAX as u64).ok_or_else(|| too_long(text))?;
        rest = after;
    }
    Ok(Duration::from_nanos(total))
}

/// One number with its unit, and what follows it.
fn term<'t>(text: &str, rest: &'t str) -> Result<(u64, &'t str), BadValue> {
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = &rest[..digits(rest)];
    let mut after = &rest[whole.len()..];
    let mut fraction = "";
    if let Some(behind) = after.strip_prefix('.') {
        fraction = &behind[..digits(behind)];
        after = &behind[fraction.len()..];
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(problem(format!("`{text}` is no duration")));
    }
    let unit = &after[..after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len())];
    if unit.is_empty() {
        let message = format!("the duration `{text}` has no unit");
        return Err(BadValue::new(
            message,
            format!("write `{text}s` for seconds; the units are w, d, h, m, s, ms, us and ns"),
        ));
    }
    let known = UNITS.iter().find(|(name, _)| *name == unit).map(|&(_, n)| n).or((unit == "w").then_some(WEEK));
    let Some(size) = known else {
        return Err(problem(format!("`{unit}` in the duration `{text}` is no unit")));
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| too_long(text))? };
    let whole = whole.checked_mul(size).ok_or_else(|| too_long(text))?;
    // digits beyond the 18th cannot make a nanosecond
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10f64.powi(fraction.len() as i32);
    let part = fraction.parse::<u64>().unwrap_or_default() as f64 * (size as f64 / scale);
    Ok((whole.saturating_add(part as u64), &after[unit.len()..]))
}

fn problem(message: String) -> BadValue {
    BadValue::new(
        message,
        "write numbers with a unit, without blanks: `10s`, `1m30s`, `1.5h`; the units are w, d, h, m, s, ms, us and ns",
    )
}

fn too_long(text: &str) -> BadValue {
    BadValue::new(format!("the duration `{text}` is too long"), "the longest is 292 years")
}

/// As docker compose prints it: `1h30m0s`, `1.5s`, `500ms`, `100µs`, `0s`.
pub fn format(duration: Duration) -> String {
    let total = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(total, 1_000)),
        1_000_000..SECOND => format!("{}ms", decimal(total, 1_000_000)),
        _ => {
            let (hours, minutes) = (total / (3600 * SECOND), total / (60 * SECOND) % 60);
            let seconds = decimal(total % (60 * SECOND), SECOND);
            match (hours, minutes) {
                (0, 0) => format!("{seconds}s"),
                (0, _) => format!("{minutes}m{seconds}s"),
                _ => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `value / unit`, a power of ten, without trailing zeros.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, part) = (value / unit, value % unit);
    if part == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{part:0width$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[rustfmt::skip]
    fn durations_are_read_and_printed_as_docker_compose_does() {
        let cases = [
            ("10s", "10s"), ("1m30s", "1m30s"), ("1.5h", "1h30m0s"), ("1d", "24h0m0s"), ("1w", "168h0m0s"), ("1µs", "1µs"),
            ("1w2d3h4m5s6ms7us8ns", "219h4m5.006007008s"), ("1μs", "1µs"), ("+1s", "1s"), ("0", "0s"),
            ("1.5d", "36h0m0s"), (".5s", "500ms"), ("5.s", "5s"), ("1s1m", "1m1s"), ("1m1m", "2m0s"), ("1ns", "1ns"),
            ("1500ms", "1.5s"), ("100us", "100µs"), ("1h0.5s", "1h0m0.5s"), ("999999h", "999999h0m0s"), ("0s", "0s"),
            ("1d12h", "36h0m0s"), ("90s", "1m30s"), ("1.0000000001s", "1s"), ("0.1ns", "0s"), ("1.5ns", "1ns"),
            ("0.5ms", "500µs"), ("1234567ns", "1.234567ms"), ("1w1.5h", "169h30m0s"),
        ];
        for (text, printed) in cases {
            assert_eq!(parse(text).map(format).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let cases = [
            "",
            "10",
            "1h 30m",
            " 10s",
            "10s ",
            "1D",
            "1S",
            "9999999999h",
            "1e3s",
            "1y",
            "1M",
            "h",
            "1m30",
            "1,5s",
            "1_000s",
            "1d-1h",
            "-",
            ".",
        ];
        for text in cases {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("10").is_err_and(|p| p.help.contains("`10s`")));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanoseconds in 0..i64::MAX as u64 / 1000) {
            // above 2^53 ns the fraction goes through a float, as in Go
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.a-zµ ]{0,20}|.*") {
            let _ = parse(&text);
        }
    }
}

//! Sizes: `512m`, `1.5g`, `1024`. Every suffix counts in 1024s (go-units' `RAMInBytes`, measured with 2.40.3).

use super::BadValue;

/// Bytes of a size.
///
/// # Errors
/// When it has no number, is negative, has an unknown suffix, or does not fit 63 bits.
pub fn parse(text: &str) -> Result<i64, BadValue> {
    let problem = |message: String| {
        BadValue::new(message, "write a number and b, k, m, g, t or p: `512m`, `1.5g`; each counts in 1024s")
    };
    let Some(last) = text.rfind(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ')) else {
        return Err(problem(format!("`{text}` is no size")));
    };
    let suffix = &text[last + 1..];
    let number = if text.as_bytes()[last] == b' ' { &text[..last] } else { &text[..=last] };
    let Some(value) = decimal(number) else { return Err(problem(format!("`{text}` is no size"))) };
    if value < 0.0 {
        return Err(problem(format!("the size `{text}` is negative")));
    }
    let Some(factor) = factor(suffix) else {
        return Err(problem(format!("`{suffix}` in the size `{text}` is no unit")));
    };
    let bytes = value * factor;
    if bytes >= 9_223_372_036_854_775_808.0 {
        return Err(problem(format!("the size `{text}` is too large")));
    }
    Ok(bytes as i64)
}

/// A decimal number in Go's grammar: a sign, digits that `_` may part, a fraction, an exponent.
fn decimal(text: &str) -> Option<f64> {
    let allowed = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-' | b'_');
    if !text.bytes().all(allowed) || text.starts_with('_') || text.ends_with('_') {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// What a suffix multiplies by.
fn factor(suffix: &str) -> Option<f64> {
    let lower = suffix.to_ascii_lowercase();
    if matches!(lower.as_str(), "" | "b") {
        return Some(1.0);
    }
    let unit = lower.strip_suffix("ib").or(lower.strip_suffix('b')).unwrap_or(&lower);
    let power = ["k", "m", "g", "t", "p"].iter().position(|u| *u == unit)?;
    Some(1024f64.powi(power as i32 + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[rustfmt::skip]
    fn sizes_are_read_as_docker_compose_reads_them() {
        let cases = [
            ("1024", 1024), ("1b", 1), ("1k", 1024), ("1kb", 1024), ("1K", 1024), ("1KB", 1024), ("1m", 1 << 20), ("1mb", 1 << 20),
            ("1g", 1 << 30), ("1t", 1 << 40), ("1pb", 1 << 50), ("1.5g", 1_610_612_736), (".5g", 1 << 29), ("5.g", 5 << 30),
            ("1.5", 1), ("0", 0), ("1 m", 1 << 20), ("1 GB", 1 << 30), ("1KiB", 1024), ("1gib", 1 << 30), ("1e3", 1000),
            ("1_000", 1000), ("+1m", 1 << 20), ("9999999999999", 9_999_999_999_999), ("1.9b", 1), ("0.1k", 102),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let cases = [
            "",
            "-1",
            "-1m",
            "-0.5g",
            " 1m",
            "1m ",
            "1i",
            "1bb",
            "1x",
            "m",
            "0x10",
            "1,5g",
            "1.5.1m",
            "1gi",
            "1MB ",
            "1  m",
            "1e",
            "1eb",
            "inf",
            "nan",
            "99999p",
            "9223372036854775808",
            "1kbb",
            "1ibib",
        ];
        for text in cases {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9.a-z_ é]{0,12}|.*") {
            let _ = parse(&text);
        }
    }
}

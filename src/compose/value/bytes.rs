//! Sizes: bytes, or a number with a unit of base 1024.

use super::BadValue;

/// Reads a size: `64m`, `1.5 GiB`, `1024`; the letters are of base 1024, in either case.
///
/// # Errors
/// When there is no number, a unit that is none, a sign, or more than 8 EiB.
pub fn parse(text: &str) -> Result<i64, BadValue> {
    let bad = || {
        BadValue::new(
            format!("`{text}` is not a size"),
            "write bytes, or a number and a unit of base 1024: `64m`, `1.5g`",
        )
    };
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(bad)?;
    let (number, unit) = text.split_at(end + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(bad());
    }
    let number: f64 = number.parse().map_err(|_| bad())?;
    let scale = scale(&unit.to_ascii_lowercase()).ok_or_else(bad)?;
    let bytes = number * scale;
    if bytes >= i64::MAX as f64 {
        return Err(bad());
    }
    Ok(bytes as i64)
}

fn scale(unit: &str) -> Option<f64> {
    let power = match unit.bytes().next() {
        None => return Some(1.0),
        Some(b'b') => return (unit == "b").then_some(1.0),
        Some(b'k') => 1,
        Some(b'm') => 2,
        Some(b'g') => 3,
        Some(b't') => 4,
        Some(b'p') => 5,
        Some(_) => return None,
    };
    matches!(&unit[1..], "" | "b" | "ib").then(|| 1024_f64.powi(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_in_every_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1024", 1024),
            ("1b", 1),
            ("2k", 2048),
            ("64m", 67_108_864),
            ("64 MB", 67_108_864),
            ("64MiB", 67_108_864),
            ("1.5g", 1_610_612_736),
            ("1tb", 1 << 40),
            ("1p", 1 << 50),
            (".5k", 512),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "m", "-1", "1x", "1mm", "1 2m", "1e3", "1bb", "9999999p", "1.2.3k", "1ké", "é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

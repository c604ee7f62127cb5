//! Sizes and ages in the docker command's words.

/// `1.98MB`: three digits, in steps of 1,000.
pub fn decimal(bytes: u64) -> String {
    scaled(bytes as f64, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"], 3)
}

/// `1.984MiB`: four digits, in steps of 1,024.
pub fn binary(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 4)
}

fn scaled(mut value: f64, step: f64, units: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let before = if value < 1.0 { 1 } else { value.log10() as usize + 1 };
    let text = format!("{value:.*}", digits.saturating_sub(before));
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", units.get(unit).unwrap_or(&""))
}

/// `3 seconds`, coarser the longer it is.
pub fn duration(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match seconds {
        ..=0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        _ if minutes == 1 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 14 => format!("{} days", hours / 24),
        _ if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 730 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_or_four_digits() {
        assert_eq!(decimal(1_984_172), "1.98MB");
        assert_eq!(decimal(0), "0B");
        assert_eq!(decimal(999), "999B");
        assert_eq!(decimal(1_200_000_000), "1.2GB");
        assert_eq!(decimal(126_000), "126kB");
        assert_eq!(binary(1_622_016.0), "1.547MiB");
        assert_eq!(binary(15.57 * 1024.0 * 1024.0 * 1024.0), "15.57GiB");
        assert_eq!(binary(512.0), "512B");
    }

    #[test]
    fn times_are_as_coarse_as_docker_tells_them() {
        let told = [0, 1, 59, 60, 119, 120, 3599, 7199, 7200, 200_000, 1_300_000, 6_000_000, 70_000_000].map(duration);
        assert_eq!(
            told,
            [
                "Less than a second",
                "1 second",
                "59 seconds",
                "About a minute",
                "About a minute",
                "2 minutes",
                "59 minutes",
                "2 hours",
                "2 hours",
                "2 days",
                "2 weeks",
                "2 months",
                "2 years",
            ]
        );
    }
}

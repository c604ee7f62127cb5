//! The order in which docker compose writes keys: `a1, a2, a10`, letters after the rest (go-yaml's natural order).

use std::cmp::Ordering;

/// Compares two keys.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    let (x, y) = (a[at], b[at]);
    let after_digits = at > 0 && a[at - 1].is_numeric();
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        // within a number the one that goes on is greater; elsewhere letters come last
        (true, false) => return if after_digits { Ordering::Less } else { Ordering::Greater },
        (false, true) => return if after_digits { Ordering::Greater } else { Ordering::Less },
        (false, false) => {}
    }
    // zeros within a number count as its digits; at its beginning they count for nothing
    let within_number = a[..at].iter().rev().take_while(|c| c.is_numeric()).any(|c| *c != '0');
    let start = if (x == '0' || y == '0') && within_number { 1 } else { 0 };
    let ((number_a, length_a), (number_b, length_b)) = (number(&a[at..], start), number(&b[at..], start));
    number_a.cmp(&number_b).then(length_a.cmp(&length_b)).then(x.cmp(&y))
}

/// The number that begins here, with digits before it that count as `start`, and how many digits it has.
fn number(text: &[char], start: i64) -> (i64, usize) {
    let digits: Vec<i64> = text.iter().map_while(|c| c.to_digit(10)).map(i64::from).collect();
    let value = digits.iter().fold(start, |n, d| n.wrapping_mul(10).wrapping_add(*d));
    (value, digits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_keys_count_as_numbers() {
        // as `docker compose config` 2.40.3 orders them
        let ordered = [
            "_x", "1", "9", "10", "A1", "B", "a", "a-b", "a.b", "a_b", "a1", "a1b", "a1-1", "a1.0", "a01", "a001",
            "a2", "a02", "a10", "a100", "ab", "b", "x0", "x00", "x1a", "x1_", "x10", "x100", "é",
        ];
        let mut keys = ordered;
        keys.reverse();
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(keys, ordered);
    }
}

//! The order in which docker compose writes keys: `a1, a2, a10`, letters after the rest (go-yaml's natural order).

use std::cmp::Ordering;

/// Compares two keys.
pub fn natural(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return compare(a.as_bytes(), b.as_bytes());
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    compare(&a, &b)
}

/// By bytes where all of them are ASCII, else by characters.
fn compare<C: Copy + Ord + Into<char>>(a: &[C], b: &[C]) -> Ordering {
    let Some(at) = a.iter().zip(b).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    let (x, y): (char, char) = (a[at].into(), b[at].into());
    let is_digit = |c: &C| Into::<char>::into(*c).is_numeric();
    let after_digits = at > 0 && is_digit(&a[at - 1]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        // within a number the one that goes on is greater; elsewhere letters come last
        (true, false) => return if after_digits { Ordering::Less } else { Ordering::Greater },
        (false, true) => return if after_digits { Ordering::Greater } else { Ordering::Less },
        (false, false) => {}
    }
    // zeros within a number count as its digits; at its beginning they count for nothing
    let within_number = a[..at].iter().rev().take_while(|c| is_digit(c)).any(|c| Into::<char>::into(*c) != '0');
    let start = if (x == '0' || y == '0') && within_number { 1 } else { 0 };
    let ((number_a, length_a), (number_b, length_b)) = (number(&a[at..], start), number(&b[at..], start));
    number_a.cmp(&number_b).then(length_a.cmp(&length_b)).then(x.cmp(&y))
}

/// The number that begins here, with digits before it that count as `start`, and how many digits it has.
fn number<C: Copy + Into<char>>(text: &[C], start: i64) -> (i64, usize) {
    let digits = text.iter().map_while(|c| Into::<char>::into(*c).to_digit(10)).map(i64::from);
    digits.fold((start, 0), |(n, length), digit| (n.wrapping_mul(10).wrapping_add(digit), length + 1))
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

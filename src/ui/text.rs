//! Words of others made fit for a screen of ours: no escape sequences, no tabs, and lines that are folded.

use unicode_width::UnicodeWidthChar;

/// What a container wrote, without what would move the cursor or change colours. Tabs become blanks up to the next eighth column.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut column = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\x1b' => skip_sequence(&mut characters),
            '\t' => {
                let blanks = 8 - column % 8;
                plain.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            // a line that was written over: what was written last stands
            '\r' => {
                plain.clear();
                column = 0;
            }
            c if c.is_control() => {}
            c => {
                plain.push(c);
                column += c.width().unwrap_or_default();
            }
        }
    }
    plain
}

/// Passes over an escape sequence whose first byte is gone (ECMA-48: CSI ends with `@` to `~`, the strings with BEL or ST).
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => _ = characters.find(|c| ('@'..='~').contains(c)),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = characters.next() {
                if c == '\x07' || c == '\x1b' && characters.next_if_eq(&'\\').is_some() {
                    break;
                }
            }
        }
        Some(' '..='/') => _ = characters.find(|c| ('0'..='~').contains(c)),
        _ => {}
    }
}

/// The text in pieces of at most `width` columns, at blanks where that loses little; at least one piece.
pub fn fold(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut columns = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or_default();
        if columns + wide > width {
            let rest = match piece.rfind(' ') {
                Some(at) if at > piece.len() / 2 && c != ' ' => {
                    let rest = piece.split_off(at + 1);
                    piece.truncate(at);
                    rest
                }
                _ => String::new(),
            };
            columns = rest.chars().filter_map(char::width).sum();
            pieces.push(std::mem::replace(&mut piece, rest));
            if c == ' ' && piece.is_empty() {
                continue;
            }
        }
        piece.push(c);
        columns += wide;
    }
    pieces.push(piece);
    pieces
}

/// The text in `width` columns, an ellipsis at its end where it is longer.
pub fn cut(text: &str, width: usize) -> String {
    let columns: usize = text.chars().filter_map(char::width).sum();
    if columns <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or_default();
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    let cut: String = text.chars().take_while(fits).collect();
    if width == 0 { cut } else { cut + "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_container_moves_the_cursor() {
        assert_eq!(plain("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07done\x1b(B"), "red and done");
        assert_eq!(plain("10 %\r100 %"), "100 %");
        assert_eq!(plain("a\tb\x07\x08"), "a       b");
        assert_eq!(plain("cut \x1b["), "cut ");
    }

    #[test]
    fn lines_are_folded_at_blanks() {
        assert_eq!(fold("", 10), [""]);
        assert_eq!(fold("one two three", 8), ["one two", "three"]);
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        assert_eq!(fold("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(fold("日本語です", 4), ["日本", "語で", "す"]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("quickstart", 10), "quickstart");
        assert_eq!(cut("quickstart", 6), "quick…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("x", 0), "");
    }
}

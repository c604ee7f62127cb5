//! Text from outside, made harmless. Pure.

/// The text of `bytes` without anything that a terminal would obey: control characters and marks of writing direction are written
/// out as `\u{1b}`, bytes that are not UTF-8 as `\x9f`.
pub fn printable(bytes: &[u8]) -> String {
    escaped(bytes, |_| false)
}

/// As [`printable`], with line feeds and tabs kept.
pub fn printable_lines(bytes: &[u8]) -> String {
    escaped(bytes, |c| matches!(c, '\n' | '\t'))
}

fn escaped(bytes: &[u8], kept: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if kept(c) || !hostile(c) {
                out.push(c);
            } else {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Whether a character changes what is shown beside itself: control, direction, line ends of Unicode, tags, no-width marks.
fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

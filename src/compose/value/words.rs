//! Command lines: a text split into words as docker compose splits it, which is not quite what a shell does.

use super::BadValue;

/// The words of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub words: Vec<String>,
    /// Where a `;`, `&`, `|`, `<` or `>` ended the reading: the byte; all that follows is dropped.
    pub cut: Option<usize>,
}

/// Splits a command line. Quotes and backslashes do what they do in a shell; variables and globs stay as they are.
///
/// # Errors
/// When a quote is not closed, the text ends in a backslash, or a parenthesis stands outside quotes.
pub fn split(text: &str) -> Result<Words, BadValue> {
    Splitter::default().split(text)
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    /// Whether a word has begun, though it may be empty: `""`.
    begun: bool,
}

impl Splitter {
    fn split(mut self, text: &str) -> Result<Words, BadValue> {
        let bad = |why: &str| {
            BadValue::new(format!("the command line cannot be split: {why}"), "write it as a list: one item a word")
        };
        let mut characters = text.char_indices();
        let mut cut = None;
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => {
                    let (_, next) = characters.next().ok_or_else(|| bad("it ends in a backslash"))?;
                    self.push(next);
                }
                '\'' => self.quoted(&mut characters, '\'').ok_or_else(|| bad("a `'` is not closed"))?,
                '"' => self.quoted(&mut characters, '"').ok_or_else(|| bad("a `\"` is not closed"))?,
                '`' => self.substituted(&mut characters, '`').ok_or_else(|| bad("a backquote is not closed"))?,
                '(' if self.word.ends_with('$') => {
                    self.push('(');
                    self.substituted_rest(&mut characters, ')').ok_or_else(|| bad("a `$(` is not closed"))?;
                }
                '(' | ')' => return Err(bad("a parenthesis stands outside quotes")),
                ' ' | '\t' | '\r' | '\n' => self.end(),
                ';' | '&' | '|' | '<' | '>' => {
                    if character == '>' && self.word.bytes().all(|b| b.is_ascii_digit()) {
                        (self.word, self.begun) = (String::new(), false);
                    }
                    cut = Some(at);
                    break;
                }
                character => self.push(character),
            }
        }
        self.end();
        Ok(Words { words: self.words, cut })
    }

    fn push(&mut self, character: char) {
        self.word.push(character);
        self.begun = true;
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.begun) {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    /// What stands within quotes; a backslash takes the next character as it is, but not within single quotes.
    fn quoted(&mut self, characters: &mut std::str::CharIndices<'_>, quote: char) -> Option<()> {
        self.begun = true;
        loop {
            match characters.next()?.1 {
                c if c == quote => return Some(()),
                '\\' if quote == '"' => {
                    let next = characters.next()?.1;
                    self.push(next);
                }
                c => self.push(c),
            }
        }
    }

    /// What stands within backquotes, kept with them.
    fn substituted(&mut self, characters: &mut std::str::CharIndices<'_>, end: char) -> Option<()> {
        self.push(end);
        self.substituted_rest(characters, end)
    }

    fn substituted_rest(&mut self, characters: &mut std::str::CharIndices<'_>, end: char) -> Option<()> {
        loop {
            let (_, character) = characters.next()?;
            self.push(character);
            if character == end {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_docker_compose_does() {
        for (text, words) in [
            ("", &[][..]),
            ("sleep  infinity\n", &["sleep", "infinity"]),
            (r#"echo "a b" c\ d 'x "y"'"#, &["echo", "a b", "c d", r#"x "y""#]),
            (r#"a\\b "q\"r\n" "\$x""#, &[r"a\b", "q\"rn", "$x"]),
            (r#""" b"#, &["", "b"]),
            (r#"a'b'c"d""#, &["abcd"]),
            ("echo $FOO `ls x` $(ls y) {b} #c", &["echo", "$FOO", "`ls x`", "$(ls y)", "{b}", "#c"]),
        ] {
            assert_eq!(split(text).unwrap().words, words, "{text}");
        }
    }

    #[test]
    fn what_a_shell_would_run_next_is_cut_off_and_said_so() {
        for (text, words, cut) in
            [("echo a && b | c", &["echo", "a"][..], 7), ("x 2>&1", &["x"], 3), ("a;b", &["a"], 1)]
        {
            let split = split(text).unwrap();
            assert_eq!(
                (split.words.as_slice(), split.cut),
                (words.iter().map(|w| w.to_string()).collect::<Vec<_>>().as_slice(), Some(cut)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        for text in ["a \"unclosed", "a 'x", r"a \", "echo (sub)", "`ls"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}

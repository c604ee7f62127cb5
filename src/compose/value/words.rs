//! A command line in one string, split into words as docker compose splits it (mattn/go-shellwords, measured with 2.40.3).
//!
//! Blanks part words; single quotes are literal; in double quotes and outside a backslash takes the next character as it
//! is. Nothing is expanded: `$NAME`, `*`, `~` stay. `` `…` `` and `$(…)` stay too, as one word. An operator of the shell
//! outside quotes ends the command, and what follows is dropped: see [`Words::cut`].

use super::BadValue;

/// The words of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub words: Vec<String>,
    /// The byte of an operator (`;`, `&`, `|`, `<`, `>`) that ended the command; what follows it is lost without a word in
    /// docker compose, and a warning is due.
    pub cut: Option<usize>,
}

/// Splits a command line.
///
/// # Errors
/// When a quote, a backquote or a parenthesis is left open, or the text ends with a backslash.
pub fn split(text: &str) -> Result<Words, BadValue> {
    let mut splitter = Splitter::default();
    for (at, c) in text.char_indices() {
        if !splitter.take(at, c).map_err(|what| problem(text, what))? {
            break;
        }
    }
    splitter.finish().map_err(|what| problem(text, what))
}

fn problem(text: &str, what: &str) -> BadValue {
    BadValue::new(
        format!("`{text}` cannot be split into words: {what}"),
        "close it, or write the command as a list: `[\"sh\", \"-c\", \"…\"]`",
    )
}

/// What the current character stands in.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    Single,
    Double,
    /// `$(…)`
    Dollar,
}

#[derive(Default)]
struct Splitter {
    words: Words,
    word: String,
    /// Whether a word has begun; it may be empty: `""`.
    begun: bool,
    escaped: bool,
    inside: Inside,
    /// Inside `` `…` ``, in which quotes still count.
    back: bool,
}

impl Splitter {
    /// Takes one character; false where an operator ends the command.
    fn take(&mut self, at: usize, c: char) -> Result<bool, &'static str> {
        if self.escaped {
            self.escaped = false;
        } else {
            match c {
                '\\' if self.inside != Inside::Single => {
                    self.escaped = true;
                    return Ok(true);
                }
                ' ' | '\t' | '\r' | '\n' if self.inside == Inside::Nothing && !self.back => {
                    self.end_word();
                    return Ok(true);
                }
                '\'' | '"' if self.quote(c) => return Ok(true),
                ';' | '&' | '|' | '<' | '>' if self.inside == Inside::Nothing && !self.back => {
                    // `2>file`: the number belongs to the operator
                    if c == '>' && self.word.starts_with(|d: char| d.is_ascii_digit()) {
                        self.begun = false;
                    }
                    self.words.cut = Some(at);
                    return Ok(false);
                }
                c => self.bracket(c)?,
            }
        }
        self.begun = true;
        self.word.push(c);
        Ok(true)
    }

    /// Opens or closes a quote; false where the character is a plain one here.
    fn quote(&mut self, c: char) -> bool {
        let own = if c == '\'' { Inside::Single } else { Inside::Double };
        self.inside = match self.inside {
            Inside::Nothing => own,
            inside if inside == own => Inside::Nothing,
            _ => return false,
        };
        self.begun = true;
        true
    }

    /// Opens or closes a command substitution, which stays in the word.
    fn bracket(&mut self, c: char) -> Result<(), &'static str> {
        match (c, self.inside) {
            ('`', Inside::Nothing) => self.back = !self.back,
            ('(' | ')', _) if self.back => {}
            ('(', Inside::Nothing) if self.word.ends_with('$') => self.inside = Inside::Dollar,
            ('(', Inside::Nothing | Inside::Dollar) => return Err("a `(` stands outside quotes"),
            (')', Inside::Dollar) => self.inside = Inside::Nothing,
            (')', Inside::Nothing) => return Err("a `)` stands outside quotes"),
            _ => {}
        }
        Ok(())
    }

    fn end_word(&mut self) {
        if self.begun {
            self.words.words.push(std::mem::take(&mut self.word));
        }
        self.word.clear();
        self.begun = false;
    }

    fn finish(mut self) -> Result<Words, &'static str> {
        if self.escaped {
            return Err("it ends with a backslash");
        }
        match self.inside {
            Inside::Single => Err("a `'` is not closed"),
            Inside::Double => Err("a `\"` is not closed"),
            Inside::Dollar => Err("a `$(` is not closed"),
            Inside::Nothing if self.back => Err("a backquote is not closed"),
            Inside::Nothing => {
                self.end_word();
                Ok(self.words)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[rustfmt::skip]
    fn commands_are_split_as_docker_compose_splits_them() {
        let cases: &[(&str, &[&str])] = &[
            ("a b", &["a", "b"]), (" a  b ", &["a", "b"]), ("\"a b\" c", &["a b", "c"]), ("'a b' c", &["a b", "c"]),
            ("a\\ b", &["a b"]), ("a\\b", &["ab"]), ("\"a\\\"b\"", &["a\"b"]), ("'a\\b'", &["a\\b"]), ("\"a\\nb\"", &["anb"]),
            ("a\"b c\"d", &["ab cd"]), ("\"\"", &[""]), ("''", &[""]), ("a \"\" b", &["a", "", "b"]), ("$HOME", &["$HOME"]),
            ("`x`", &["`x`"]), ("$(x y)", &["$(x y)"]), ("a\nb\tc\rd", &["a", "b", "c", "d"]), ("#a", &["#a"]), ("*", &["*"]),
            ("sh -c 'echo \"hi\"'", &["sh", "-c", "echo \"hi\""]), ("a\\\nb", &["a\nb"]), ("\\\"a\\\"", &["\"a\""]),
            ("\"a'b\"", &["a'b"]), ("'a\"b'", &["a\"b"]), ("", &[]), ("   ", &[]), ("echo $(ls | wc)", &["echo", "$(ls | wc)"]),
            ("a\u{a0}b", &["a\u{a0}b"]), ("\"`x y`\"", &["`x y`"]), ("\"$(x y)\"", &["$(x y)"]), ("\"a;b\"", &["a;b"]),
            ("a \\; b", &["a", ";", "b"]), ("\"\\\\\"", &["\\"]), ("a'b'c", &["abc"]), ("\\a\\ ", &["a "]), ("$(a) b", &["$(a)", "b"]),
            ("`a b` c", &["`a b`", "c"]), ("x$(a)y", &["x$(a)y"]), ("\"a\"'b'", &["ab"]), ("a '`' b", &["a", "`", "b"]),
            ("a \\\"b c\\\"", &["a", "\"b", "c\""]), ("`echo \"x y\"`", &["`echo x y`"]),
        ];
        for (text, expected) in cases {
            let words = split(text).unwrap_or_else(|p| panic!("{text}: {}", p.message));
            assert_eq!(words.words, *expected, "{text}");
            assert_eq!(words.cut, None, "{text}");
        }
    }

    #[test]
    fn an_operator_of_the_shell_ends_the_command_and_is_reported() {
        let cases: &[(&str, &[&str], usize)] = &[
            ("a;b", &["a"], 1),
            ("a && b", &["a"], 2),
            ("a|b c", &["a"], 1),
            ("a>b", &["a"], 1),
            (">a", &[], 0),
            ("&", &[], 0),
            ("a 2>b", &["a"], 3),
            ("a 1 >b", &["a", "1"], 4),
        ];
        for (text, expected, cut) in cases {
            assert_eq!(
                split(text),
                Ok(Words { words: expected.iter().map(|w| (*w).to_owned()).collect(), cut: Some(*cut) }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_left_open_is_refused() {
        for text in
            ["'a\\'b'", "\"a", "'a", "a\\", "(a b)", "$(", "`", "a (b", "( ", "a)", "\\", "a $x(y)", "a `b\" c` d"]
        {
            assert!(split(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a'\"`$()\\\\;>| \\n1é]{0,20}") {
            let _ = split(&text);
        }

        #[test]
        fn quoted_words_come_out_as_they_went_in(words in prop::collection::vec("[^']{0,8}", 0..5)) {
            let line = words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line).map(|w| w.words), Ok(words));
        }
    }
}

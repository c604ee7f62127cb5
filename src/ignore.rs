//! The patterns of `.dockerignore`: what of a directory is not sent to the builder, or not watched (Docker's reference for the file, and moby's
//! patternmatcher).

use std::io;
use std::path::Path;

/// Patterns, one a line; the last one that speaks of a path decides.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// Whether it takes back what an earlier rule meant (`!`).
    keeps: bool,
    pattern: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    /// `?`: one character of a name.
    One,
    /// `*`: characters of a name, or none.
    Name,
    /// `**`: anything, or nothing.
    Path,
    /// `**/`: any directories, or none.
    Directories,
    /// `[a-z]`, `[^a-z]`.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Patterns {
    /// Reads the lines of a file.
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let rule = |line: &str| {
            if line.starts_with('#') {
                return None;
            }
            let line = line.trim();
            let (keeps, path) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
            let path = clean(path);
            (!path.is_empty()).then(|| Rule { keeps, pattern: tokens(&path) })
        };
        Self { rules: text.lines().filter_map(rule).collect() }
    }

    /// What a build context leaves out: by the Dockerfile's own `<name>.dockerignore`, or else by `.dockerignore`.
    ///
    /// # Errors
    /// A file that is there and cannot be read, with its path.
    pub fn of_context(directory: &Path, dockerfile: &str) -> io::Result<Self> {
        let own = directory.join(format!("{dockerfile}.dockerignore"));
        let file = if own.exists() { own } else { directory.join(".dockerignore") };
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(why) => Err(io::Error::new(why.kind(), format!("{}: {why}", file.display()))),
        }
    }

    /// Whether they mean a path, seen from their directory and with `/` between its parts: the last one that speaks of it, or of a
    /// directory above it, decides.
    pub fn mean(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        let all: Vec<&str> = above.chain([path]).collect();
        let speaks = |rule: &&Rule| all.iter().any(|path| is_match(&rule.pattern, path));
        self.rules.iter().rev().find(speaks).is_some_and(|rule| !rule.keeps)
    }

    /// Whether something below a directory that they mean may be taken back.
    pub fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.keeps)
    }
}

/// Without `.`, `..` and doubled or outer slashes.
fn clean(path: &str) -> String {
    let mut parts = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = vec![];
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        tokens.push(match character {
            '*' if rest.next_if_eq(&'*').is_some() => match rest.next_if_eq(&'/') {
                Some(_) => Token::Directories,
                None => Token::Path,
            },
            '*' => Token::Name,
            '?' => Token::One,
            '[' => class(&mut rest),
            '\\' => Token::Character(rest.next().unwrap_or('\\')),
            other => Token::Character(other),
        });
    }
    tokens
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Token {
    let not = rest.next_if(|c| matches!(c, '^' | '!')).is_some();
    let mut ranges = vec![];
    while let Some(first) = rest.next().filter(|c| *c != ']') {
        let last = match rest.next_if_eq(&'-') {
            Some(_) => rest.next().unwrap_or(first),
            None => first,
        };
        ranges.push((first, last));
    }
    Token::Class { not, ranges }
}

/// Whether the whole path matches, in time of the pattern's length by the path's.
fn is_match(pattern: &[Token], path: &str) -> bool {
    // the places in the pattern where the path read so far can stand
    let mut at = vec![false; pattern.len() + 1];
    at[0] = true;
    skip_empty(pattern, &mut at);
    for character in path.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for place in (0..pattern.len()).filter(|place| at[*place]) {
            let in_name = character != '/';
            match &pattern[place] {
                Token::Character(wanted) => next[place + 1] |= *wanted == character,
                Token::One => next[place + 1] |= in_name,
                Token::Class { not, ranges } => {
                    let inside = ranges.iter().any(|(first, last)| (*first..=*last).contains(&character));
                    next[place + 1] |= in_name && inside != *not;
                }
                Token::Name => next[place] |= in_name,
                Token::Path => next[place] = true,
                // it ends behind a slash only
                Token::Directories => {
                    next[place] = true;
                    next[place + 1] |= !in_name;
                }
            }
        }
        skip_stars(pattern, &mut next, character);
        at = next;
    }
    at[pattern.len()]
}

/// Before anything is read, all that matches nothing is behind us too.
fn skip_empty(pattern: &[Token], at: &mut [bool]) {
    for place in 0..pattern.len() {
        if at[place] && matches!(pattern[place], Token::Name | Token::Path | Token::Directories) {
            at[place + 1] = true;
        }
    }
}

/// After a character, what may match nothing is behind us too; `**/` only at the beginning of a name.
fn skip_stars(pattern: &[Token], at: &mut [bool], last: char) {
    for place in 0..pattern.len() {
        let may_skip = match pattern[place] {
            Token::Name | Token::Path => true,
            Token::Directories => last == '/',
            _ => false,
        };
        // one that is under way already may not end inside a name
        if at[place] && may_skip {
            at[place + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the paths are left out.
    fn left_out<'p>(file: &str, paths: &[&'p str]) -> Vec<&'p str> {
        let patterns = Patterns::parse(file);
        paths.iter().copied().filter(|path| patterns.mean(path)).collect()
    }

    #[test]
    fn patterns_are_those_of_the_reference() {
        let paths = ["a", "a.md", "b/a.md", "b/c/a.md", "b/c/d", "tmp1", "tmp12", "b/tmp1"];
        assert_eq!(left_out("*.md", &paths), ["a.md"]);
        assert_eq!(left_out("**/*.md", &paths), ["a.md", "b/a.md", "b/c/a.md"]);
        assert_eq!(left_out("*/*.md", &paths), ["b/a.md"]);
        assert_eq!(left_out("tmp?", &paths), ["tmp1"]);
        assert_eq!(left_out("tmp[0-9]*", &paths), ["tmp1", "tmp12"]);
        assert_eq!(left_out("b/c", &paths), ["b/c/a.md", "b/c/d"], "what is below goes with it");
        assert_eq!(left_out("/b/./c/", &paths), ["b/c/a.md", "b/c/d"]);
        assert_eq!(left_out("b/**", &paths), ["b/a.md", "b/c/a.md", "b/c/d", "b/tmp1"]);
        assert_eq!(left_out("**/c/**", &paths), ["b/c/a.md", "b/c/d"]);
        assert_eq!(left_out("**", &paths), paths);
        assert_eq!(left_out("# b\n\n  \n.\n", &paths), [""; 0]);
    }

    #[test]
    fn the_last_rule_that_speaks_decides() {
        let paths = ["README.md", "README-secret.md", "other.md"];
        assert_eq!(left_out("*.md\n!README*.md\nREADME-secret.md", &paths), ["README-secret.md", "other.md"]);
        assert_eq!(left_out("*.md\nREADME-secret.md\n!README*.md", &paths), ["other.md"]);
        assert_eq!(left_out("*\n!src", &["src/main.rs", "target/x"]), ["target/x"]);
    }

    #[test]
    fn a_star_does_not_end_a_name_in_its_middle() {
        assert_eq!(left_out("**/b", &["b", "a/b", "ab", "a/cb"]), ["b", "a/b"]);
        assert_eq!(left_out("a\\*b", &["a*b", "axb"]), ["a*b"]);
        assert_eq!(left_out("[^a]x", &["ax", "bx"]), ["bx"]);
    }
}

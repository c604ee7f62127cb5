//! What some texts must look like.

/// A pattern that a text must match somewhere, as the Compose Specification has it: not from end to end. What matches
/// only in part is no structural error; [`Pattern::is_whole`] tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Anything.
    Any,
    /// A container's name: a letter or digit, then letters, digits, `_`, `.` and `-`.
    ContainerName,
    /// When an image is pulled.
    PullPolicy,
}

const POLICIES: &[&str] = &["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];

impl Pattern {
    /// The pattern as a regular expression; none where anything goes.
    pub const fn expression(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::ContainerName => Some("[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
            Self::PullPolicy => {
                Some("always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+")
            }
        }
    }

    /// What a message says is expected.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Any => "any text",
            Self::ContainerName => "a letter or digit first, then letters, digits, `_`, `.` and `-`, two at least",
            Self::PullPolicy => "one of: always, never, missing, build, daily, weekly, every_12h, refresh",
        }
    }

    /// Whether a part of the text matches.
    pub fn is_in(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::ContainerName => {
                text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && may_be_in_name(pair[1]))
            }
            Self::PullPolicy => {
                let periods = text.match_indices("every_").any(|(at, word)| periods(&text[at + word.len()..]) > 0);
                periods || POLICIES.iter().any(|policy| text.contains(policy))
            }
        }
    }

    /// Whether the whole text matches.
    pub fn is_whole(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::ContainerName => {
                self.is_in(text.get(..2).unwrap_or(text)) && text.bytes().skip(1).all(may_be_in_name)
            }
            Self::PullPolicy => {
                let every = text.strip_prefix("every_");
                POLICIES.contains(&text) || every.is_some_and(|rest| !rest.is_empty() && periods(rest) == rest.len())
            }
        }
    }
}

fn may_be_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// How many bytes of the text are periods: `2w3d`.
fn periods(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    loop {
        let digits = bytes[end..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || !matches!(bytes.get(end + digits), Some(b'w' | b'd' | b'h' | b'm' | b's')) {
            return end;
        }
        end += digits + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_may_match_where_the_whole_does_not() {
        for (pattern, text, part, whole) in [
            (Pattern::ContainerName, "web-1", true, true),
            (Pattern::ContainerName, "_web", true, false),
            (Pattern::ContainerName, "my web", true, false),
            (Pattern::ContainerName, "x", false, false),
            (Pattern::ContainerName, "", false, false),
            (Pattern::ContainerName, "é1", false, false),
            (Pattern::PullPolicy, "every_1w2d", true, true),
            (Pattern::PullPolicy, "every_2x", false, false),
            (Pattern::PullPolicy, "every_2dx", true, false),
            (Pattern::PullPolicy, "sometimes", false, false),
            (Pattern::PullPolicy, "missing", true, true),
        ] {
            assert_eq!((pattern.is_in(text), pattern.is_whole(text)), (part, whole), "{text}");
        }
    }
}

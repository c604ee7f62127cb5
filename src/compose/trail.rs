//! Where a stage stands in the tree, as messages write it: `services.web.ports[0].target`.

use std::fmt::{self, Write};

/// The keys and indices from the top of a file down to a node, as one text, so that a step costs no memory of its own.
#[derive(Clone, Debug, Default)]
pub struct Trail(String);

impl Trail {
    /// The trail to a place that is known by its path.
    pub fn of(keys: &[&str]) -> Self {
        let mut trail = Self::default();
        keys.iter().for_each(|key| trail.push_key(key));
        trail
    }

    /// Goes to a key, does something there, and comes back.
    pub fn at_key<T>(&mut self, key: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.push_key(key);
        let done = then(self);
        self.0.truncate(length);
        done
    }

    /// Goes to an item, does something there, and comes back.
    pub fn at_item<T>(&mut self, index: usize, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.push_item(index);
        let done = then(self);
        self.0.truncate(length);
        done
    }

    /// Whether it is the top of the file.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// A key, cut where it is very long.
    fn push_key(&mut self, key: &str) {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        let cut = if key.len() > KEY_LENGTH { key.char_indices().nth(KEY_LENGTH) } else { None };
        match cut {
            Some((end, _)) => self.0.extend([&key[..end], "…"]),
            None => self.0.push_str(key),
        }
    }

    fn push_item(&mut self, index: usize) {
        // a text takes all that is written to it
        let _ = write!(self.0, "[{index}]");
    }
}

/// How long a key is shown: every message below it repeats it.
const KEY_LENGTH: usize = 100;

/// A trail that costs nothing while it is not shown: each step knows the one above.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// The top of the file.
    Top,
    /// A key of a mapping.
    Key(&'a Way<'a>, &'a str),
    /// An item of a list.
    Item(&'a Way<'a>, usize),
}

impl Way<'_> {
    fn trail(&self) -> Trail {
        match self {
            Way::Top => Trail::default(),
            Way::Key(above, key) => {
                let mut trail = above.trail();
                trail.push_key(key);
                trail
            }
            Way::Item(above, index) => {
                let mut trail = above.trail();
                trail.push_item(*index);
                trail
            }
        }
    }
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trail().fmt(f)
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_reads_as_people_write_it() {
        let mut trail = Trail::of(&["services", "web", "ports"]);
        let text = trail.at_item(0, |t| t.at_key("target", |t| t.to_string()));
        assert_eq!(text, "services.web.ports[0].target");
        assert_eq!(trail.to_string(), "services.web.ports");
    }
}

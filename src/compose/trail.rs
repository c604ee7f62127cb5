//! Where a stage stands in the tree, as messages write it: `services.web.ports[0].target`.

use std::fmt;

/// The keys and indices from the top of a file down to a node.
#[derive(Clone, Debug, Default)]
pub struct Trail(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Item(usize),
}

impl Trail {
    /// The trail to a place that is known by its path.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|k| step(k)).collect())
    }

    /// Goes to a key, does something there, and comes back.
    pub fn at_key<T>(&mut self, key: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(step(key));
        let done = then(self);
        self.0.pop();
        done
    }

    /// Goes to an item, does something there, and comes back.
    pub fn at_item<T>(&mut self, index: usize, then: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(Step::Item(index));
        let done = then(self);
        self.0.pop();
        done
    }

    /// Whether it is the top of the file.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }
}

/// How long a key is shown: every message below it repeats it.
const KEY_LENGTH: usize = 100;

/// A step to a key, cut where it is very long.
fn step(key: &str) -> Step {
    match key.char_indices().nth(KEY_LENGTH) {
        Some((end, _)) => Step::Key(format!("{}…", &key[..end])),
        None => Step::Key(key.to_owned()),
    }
}

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
    fn steps(&self) -> Vec<Step> {
        let (mut steps, mut at) = (vec![], *self);
        loop {
            at = match at {
                Way::Top => break,
                Way::Key(above, key) => {
                    steps.push(step(key));
                    *above
                }
                Way::Item(above, index) => {
                    steps.push(Step::Item(index));
                    *above
                }
            };
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Trail(self.steps()).fmt(f)
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
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

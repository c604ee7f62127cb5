//! The pairs of a mapping, in the order of the file.
//!
//! A stack has dozens of mappings a service, nearly all of them of less than ten keys: a list that is searched from its
//! beginning is smaller than a hash table, and quicker to make, to copy and to search. A long one gets an index beside it.

use std::cell::OnceCell;

use indexmap::IndexMap;

use super::node::{Entry, Text};

/// How many pairs are searched one after the other.
const SHORT: usize = 16;

/// A key and what stands under it.
type Pair = (Text, Entry);

/// Where each key of a long list stands.
type Index = IndexMap<Text, usize, foldhash::fast::RandomState>;

/// Keys, each once, and what stands under them.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    list: Vec<Pair>,
    /// Of a long list, once it was searched; taken away by what moves pairs.
    index: OnceCell<Box<Index>>,
}

impl Pairs {
    /// An empty one with room for some.
    pub fn with_capacity(room: usize) -> Self {
        Self { list: Vec::with_capacity(room), index: OnceCell::new() }
    }

    /// Makes room for so many more, and no more.
    pub fn reserve(&mut self, more: usize) {
        self.list.reserve_exact(more);
    }

    /// Gives back the room that no pair takes.
    pub fn shrink(&mut self) {
        self.list.shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn find(&self, key: &str) -> Option<usize> {
        if self.list.len() <= SHORT {
            return self.list.iter().position(|(own, _)| own == key);
        }
        let places = || Box::new(self.list.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect());
        self.index.get_or_init(places).get(key).copied()
    }

    /// What stands under a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.find(key).map(|at| &self.list[at].1)
    }

    /// What stands under a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.find(key).map(|at| &mut self.list[at].1)
    }

    /// Sets a key; an old one keeps its place, and what stood under it is given back.
    pub fn insert(&mut self, key: Text, entry: Entry) -> Option<Entry> {
        if let Some(at) = self.find(&key) {
            return Some(std::mem::replace(&mut self.list[at].1, entry));
        }
        if let Some(index) = self.index.get_mut() {
            index.insert(key.clone(), self.list.len());
        }
        if self.list.len() == self.list.capacity() {
            // a vector's own first step is room for four, and most mappings have one key or two
            self.list.reserve_exact(self.list.len().max(1));
        }
        self.list.push((key, entry));
        None
    }

    /// Takes a key out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.find(key)?;
        if let Some(index) = self.index.get_mut() {
            index.swap_remove(key);
            index.values_mut().filter(|place| **place > at).for_each(|place| *place -= 1);
        }
        Some(self.list.remove(at).1)
    }

    /// Gives a key another name, where it stands; what stood under that name goes.
    pub fn rename(&mut self, key: &str, name: Text) {
        if name != key && self.find(key).is_some() {
            self.remove(&name);
        }
        if let Some(at) = self.find(key) {
            self.list[at].0 = name;
            self.index.take();
        }
    }

    /// Keeps the pairs of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Entry) -> bool) {
        let before = self.list.len();
        self.list.retain_mut(|(key, entry)| keep(key, entry));
        if self.list.len() != before {
            self.index.take();
        }
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Entry)> {
        self.list.iter().map(|(key, entry)| (key, entry))
    }

    /// The pairs in order, what stands under the keys to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Text, &mut Entry)> {
        self.list.iter_mut().map(|(key, entry)| (&*key, entry))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> {
        self.list.iter().map(|(key, _)| key)
    }

    /// Puts the pairs in the order of what `rank` says of their keys; equal ones keep theirs.
    pub fn sort_by_key<R: Ord>(&mut self, mut rank: impl FnMut(&Text) -> R) {
        self.list.sort_by_cached_key(|(key, _)| rank(key));
        self.index.take();
    }
}

/// Of what is said twice the last counts, at the place of the first.
impl FromIterator<Pair> for Pairs {
    fn from_iter<I: IntoIterator<Item = Pair>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        let mut all = Self::with_capacity(pairs.size_hint().0);
        pairs.for_each(|(key, entry)| drop(all.insert(key, entry)));
        all
    }
}

impl IntoIterator for Pairs {
    type Item = Pair;
    type IntoIter = std::vec::IntoIter<Pair>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{FileId, Span};
    use crate::yaml::Node;

    fn entry(n: i64) -> Entry {
        let span = Span::new(FileId(0), 0, 0);
        Entry { key: span, value: Node::int(span, n) }
    }

    proptest! {
        /// Long and short lists answer as an [`IndexMap`] does, whatever was done to them.
        #[test]
        fn pairs_are_an_ordered_map(steps in prop::collection::vec((0..5u8, 0..40i64), 0..120)) {
            let (mut pairs, mut model) = (Pairs::default(), IndexMap::<String, Entry>::new());
            for (n, (step, key)) in steps.into_iter().enumerate() {
                let name = format!("k{key}");
                match step {
                    0..=2 => {
                        let (new, same) = (entry(n as i64), entry(n as i64));
                        let old = pairs.insert(name.as_str().into(), new).map(|e| e.value);
                        prop_assert_eq!(old, model.insert(name, same).map(|e| e.value));
                    }
                    3 => {
                        let removed = pairs.remove(&name).map(|e| e.value);
                        prop_assert_eq!(removed, model.shift_remove(&name).map(|e| e.value));
                    }
                    _ => {
                        pairs.sort_by_key(|key| key.to_string());
                        model.sort_keys();
                    }
                }
                prop_assert_eq!(pairs.get("k7").map(|e| &e.value), model.get("k7").map(|e| &e.value));
            }
            let all: Vec<_> = pairs.iter().map(|(key, e)| (key.to_string(), e.value.clone())).collect();
            prop_assert_eq!(all, model.into_iter().map(|(key, e)| (key, e.value)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_renamed_key_stays_where_it_is_and_takes_the_place_of_its_namesake() {
        let three = || Pairs::from_iter([("a".into(), entry(1)), ("b".into(), entry(2)), ("c".into(), entry(3))]);
        let keys = |pairs: &Pairs| pairs.keys().map(ToString::to_string).collect::<String>();
        let mut pairs = three();
        pairs.rename("b", "x".into());
        assert_eq!(keys(&pairs), "axc");
        let mut pairs = three();
        pairs.rename("c", "a".into());
        assert_eq!(keys(&pairs), "ba");
        assert_eq!(pairs.get("a").map(|e| &e.value), Some(&entry(3).value));
    }
}

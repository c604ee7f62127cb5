//! Places in the file format: a tree made of the table's rows, walked beside the user's tree.

use std::sync::OnceLock;

use indexmap::IndexMap;

use super::{Attribute, SECTIONS};

/// A place in the file format: what the table knows of a node in the user's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Option<u16>);

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A key of a mapping.
    Key(&'a str),
    /// An item of a list.
    Item,
}

/// Asked for every key of a file by every stage: hashed by what is quickest.
type Fields = IndexMap<&'static str, u16, foldhash::fast::RandomState>;

#[derive(Default)]
struct Branch {
    attribute: Option<&'static Attribute>,
    fields: Fields,
    aliases: Fields,
    any: Option<u16>,
    item: Option<u16>,
    like: Option<u16>,
}

struct Table {
    branches: Vec<Branch>,
}

impl Place {
    /// The whole file.
    pub fn root() -> Self {
        Self(Some(0))
    }

    /// A place that the table does not describe: below `x-` keys and keys that the user chooses.
    pub const UNKNOWN: Self = Self(None);

    /// The place of a path with `*` and `[]`: `services.*.ports[]`.
    pub fn of(path: &str) -> Self {
        segments(path).fold(Self::root(), |place, segment| match segment {
            Segment::Key(key) => place.key(key),
            Segment::Item => place.item(),
        })
    }

    /// The value under a key.
    pub fn key(self, key: &str) -> Self {
        self.step(|b| b.named(key).or(b.any))
    }

    /// An item of the list.
    pub fn item(self) -> Self {
        self.step(|b| b.item)
    }

    /// The row of the table.
    pub fn attribute(self) -> Option<&'static Attribute> {
        self.branch()?.attribute
    }

    /// The keys that the mapping here can have, by their own names.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        self.branch()
            .into_iter()
            .flat_map(|b| b.fields.keys().chain(b.like().into_iter().flat_map(|l| l.fields.keys())))
            .copied()
    }

    /// The value under a key that the table names here; keys that the user chooses are not.
    pub fn field(self, key: &str) -> Option<Self> {
        let branch = self.branch()?;
        branch.named(key).or_else(|| branch.like()?.named(key)).map(|at| Self(Some(at)))
    }

    /// Whether a key is one that the table names here.
    pub fn has_field(self, key: &str) -> bool {
        self.field(key).is_some()
    }

    /// The name that the table has for a key which is written by its other name.
    pub fn own_name(self, key: &str) -> Option<&'static str> {
        let of = |b: &'static Branch| {
            let at = b.aliases.get(key)?;
            b.fields.iter().find(|(_, field)| *field == at).map(|(name, _)| *name)
        };
        let branch = self.branch()?;
        of(branch).or_else(|| branch.like().and_then(of))
    }

    /// Whether the user chooses the keys of the mapping here.
    pub fn takes_names(self) -> bool {
        self.branch().is_some_and(|b| b.any.is_some() || b.like().is_some_and(|l| l.any.is_some()))
    }

    fn branch(self) -> Option<&'static Branch> {
        self.0.map(|i| &table().branches[usize::from(i)])
    }

    /// A step from here, or from the place that this one is like.
    fn step(self, to: impl Fn(&'static Branch) -> Option<u16>) -> Self {
        let Some(branch) = self.branch() else { return Self::UNKNOWN };
        Self(to(branch).or_else(|| branch.like().and_then(&to)))
    }
}

impl Branch {
    /// Where the table names a key, by its own name or its other one.
    fn named(&self, key: &str) -> Option<u16> {
        self.fields.get(key).or_else(|| self.aliases.get(key)).copied()
    }

    fn like(&self) -> Option<&'static Branch> {
        self.like.map(|i| &table().branches[usize::from(i)])
    }
}

/// Every row with its whole path, in the order of the table.
pub fn rows() -> impl Iterator<Item = (String, &'static Attribute)> {
    SECTIONS.iter().flat_map(|section| section.rows.iter().map(|row| (join(section.prefix, row.path), row)))
}

/// The steps of a path.
pub fn segments(path: &str) -> impl Iterator<Item = Segment<'_>> {
    path.split('.').filter(|s| !s.is_empty()).flat_map(|part| {
        let (key, item) = part.strip_suffix("[]").map_or((part, None), |key| (key, Some(Segment::Item)));
        std::iter::once(Segment::Key(key)).chain(item)
    })
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.to_owned(),
        (prefix, path) if path.is_empty() || path.starts_with('.') => format!("{prefix}{path}"),
        (prefix, path) => format!("{prefix}.{path}"),
    }
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(Table::new)
}

impl Table {
    fn new() -> Self {
        let mut table = Table { branches: vec![Branch::default()] };
        for section in SECTIONS {
            let from = segments(section.prefix).fold(0, |at, segment| table.child(at, segment));
            for row in section.rows {
                let at = segments(row.path).fold(from, |at, segment| table.child(at, segment));
                table.branches[usize::from(at)].attribute = Some(row);
            }
        }
        table.link();
        table
    }

    /// Second round: what is like what, and the other names of fields.
    fn link(&mut self) {
        for at in 0..self.branches.len() {
            if let Some(path) = self.branches[at].attribute.and_then(|a| a.like) {
                let to = segments(path).fold(0, |at, segment| self.child(at, segment));
                self.branches[at].like = Some(to);
            }
            let alias = |i: u16| self.branches[usize::from(i)].attribute.and_then(|a| a.alias).map(|alias| (alias, i));
            let aliases = self.branches[at].fields.values().filter_map(|&i| alias(i)).collect();
            self.branches[at].aliases = aliases;
        }
    }

    fn child(&mut self, at: u16, segment: Segment<'static>) -> u16 {
        let branch = &self.branches[usize::from(at)];
        let known = match segment {
            Segment::Item => branch.item,
            Segment::Key("*") => branch.any,
            Segment::Key(key) => branch.fields.get(key).copied(),
        };
        if let Some(known) = known {
            return known;
        }
        let new = u16::try_from(self.branches.len()).expect("the table has far fewer rows");
        self.branches.push(Branch::default());
        let branch = &mut self.branches[usize::from(at)];
        match segment {
            Segment::Item => branch.item = Some(new),
            Segment::Key("*") => branch.any = Some(new),
            Segment::Key(key) => _ = branch.fields.insert(key, new),
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_at_its_own_path_and_has_a_parent() {
        for (path, row) in rows() {
            let found = Place::of(&path).attribute().unwrap_or_else(|| panic!("{path} is not in the tree"));
            assert_eq!(found.about, row.about, "{path} is in the table twice");
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            assert!(parent.is_empty() || Place::of(parent).attribute().is_some(), "{path} has no parent");
        }
    }

    #[test]
    fn what_is_like_another_place_has_its_fields() {
        let command = Place::of("services.*.pre_stop[].command");
        assert_eq!(command, Place::of("services.*.post_start[].command"));
        assert!(Place::of("services.*.pre_stop[]").has_field("user"));
        assert!(Place::of("services.*.build.ulimits").takes_names());
    }

    #[test]
    fn a_name_that_the_user_chooses_leads_to_the_row_with_a_star() {
        let root = Place::root();
        assert_eq!(root.key("services").key("web").key("image"), Place::of("services.*.image"));
        assert_eq!(root.key("x-mine").key("services"), Place::UNKNOWN);
    }
}

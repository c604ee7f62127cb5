//! ONE table of the whole file format. Validation, casts, canonical forms, merging, printing, the JSON schema
//! (`schemas/stack.json`) and the reference page (`docs/format.md`) are all read from it.
//!
//! Adding an attribute is one row here and one field in [`crate::compose::model`].

mod build;
mod deploy;
mod form;
pub mod page;
mod pattern;
mod place;
mod resource;
pub mod schema;
mod service;
mod top;

pub use form::{Accepts, Form};
pub use pattern::Pattern;
pub use place::{Place, Segment, rows, segments};

/// One attribute of the file format.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its path below its section: names, `*` for a name that the user chooses, `[]` for an item of a list.
    pub path: &'static str,
    /// What may be written.
    pub form: Form,
    /// One sentence that says what it does.
    pub about: &'static str,
    /// How a later file's value joins an earlier one's.
    pub merge: Merge,
    /// How a short form is read.
    pub short: Short,
    /// The words that are allowed; empty: any.
    pub words: &'static [&'static str],
    /// What a text must look like.
    pub pattern: Pattern,
    /// The least and the greatest number that is allowed.
    pub range: Option<(i64, i64)>,
    /// Whether a list may not say the same twice.
    pub distinct: bool,
    /// The keys that a mapping must have once all files are merged.
    pub required: &'static [&'static str],
    /// What holds where the file says nothing; empty: the image or the Engine decides.
    pub default: &'static str,
    /// When it is printed.
    pub print: Print,
    /// What `docker compose config` prints the key as, where that is another word; read as well.
    pub alias: Option<&'static str>,
    /// What is done with it.
    pub realized: Realized,
    /// What it becomes in the Engine's API; empty: nothing there.
    pub becomes: &'static str,
    /// The API version that it needs, where that is above 1.41, the oldest one that bowline speaks.
    pub since: Option<&'static str>,
    /// Where bowline reads it otherwise than docker compose does, and why.
    pub differs: &'static str,
    /// The path of an attribute whose fields it has as well.
    pub like: Option<&'static str>,
}

/// How a later value joins an earlier one (Compose Specification, "Merge").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Mappings by key, lists one after the other, anything else by the later one; a later `null` says nothing.
    Join,
    /// The later one stands, `null` too.
    Replace,
    /// A mapping by key whose values are replaced, `null` too: environment, labels and their like.
    Pairs,
    /// Lists one after the other; of two items with the same key the later one stands at the earlier one's place.
    Unique(Key),
    /// Hosts: lists one after the other without what is said twice.
    Hosts,
    /// Options join where the driver is the same, or one side names none; else the later one stands.
    Logging,
    /// Address pools: joined where the subnet is the same; the later file's pools stand alone otherwise.
    Pools,
}

/// What makes two items of a list the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The text before a `=`, or all of it.
    Text,
    /// `target`: where it is mounted.
    Target,
    /// `target`, or the directory and `source`.
    MountedFile(&'static str),
    /// Host address, published port, target and protocol.
    Port,
    /// `path`.
    Path,
}

/// How a short form becomes the long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// There is none.
    None,
    /// A text is the value of this key.
    Key(&'static str),
    /// A file of variables: its path; it must be there unless it says otherwise.
    EnvFile,
    /// A list of names is a mapping with this under each name.
    Names(Named),
    /// A port: `[[address:]published:]target[/protocol]`; ranges become several entries.
    Port,
    /// A mount: `[source:]target[:options]`.
    Mount,
    /// A device: `source[:target[:permissions]]`.
    Device,
    /// `default` and `id=path`.
    Ssh,
    /// `all`: one request for every device.
    Gpus,
    /// `external: {name: …}`, as files before 3.4 had it.
    External,
}

/// What stands under each name of a list that becomes a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing.
    Null,
    /// A dependency that is met when the service has started.
    Dependency,
}

/// When `config` prints an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// When it is more than nothing: not `false`, 0, empty.
    Filled,
    /// When the file says it.
    Written,
    /// Always, as `null` where the file does not say it.
    Null,
    /// Always, as an empty mapping where the file does not say it.
    Empty,
    /// Never: it has done its work when the project stands.
    Never,
}

/// What is done with an attribute when a stack is brought up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realized {
    /// What it says.
    Yes,
    /// An error in commands that talk to an Engine, until its issue; `config` prints it.
    NotYet,
    /// Nothing, and nothing is to be done: it speaks to people or other tools.
    NoEffect,
    /// Nothing: it speaks to Swarm, or to an Engine on Windows; a note says so.
    Elsewhere,
}

/// A row of the table with its defaults; the other columns are set by the methods that follow.
const fn at(path: &'static str, form: Form, about: &'static str) -> Attribute {
    Attribute {
        path,
        form,
        about,
        merge: form.usual_merge(),
        short: Short::None,
        words: &[],
        pattern: Pattern::Any,
        range: None,
        distinct: false,
        required: &[],
        default: "",
        print: Print::Filled,
        alias: None,
        realized: Realized::Yes,
        becomes: "",
        since: None,
        differs: "",
        like: None,
    }
}

impl Attribute {
    const fn merge(mut self, merge: Merge) -> Self {
        self.merge = merge;
        self
    }
    const fn unique(self, key: Key) -> Self {
        self.merge(Merge::Unique(key))
    }
    const fn short(mut self, short: Short) -> Self {
        self.short = short;
        self
    }
    const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
    const fn pattern(mut self, pattern: Pattern) -> Self {
        self.pattern = pattern;
        self
    }
    const fn range(mut self, least: i64, greatest: i64) -> Self {
        self.range = Some((least, greatest));
        self
    }
    const fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }
    const fn required(mut self, keys: &'static [&'static str]) -> Self {
        self.required = keys;
        self
    }
    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }
    const fn print(mut self, print: Print) -> Self {
        self.print = print;
        self
    }
    const fn written(self) -> Self {
        self.print(Print::Written)
    }
    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }
    const fn not_yet(mut self) -> Self {
        self.realized = Realized::NotYet;
        self
    }
    const fn elsewhere(mut self) -> Self {
        self.realized = Realized::Elsewhere;
        self
    }

    const fn no_effect(mut self) -> Self {
        self.realized = Realized::NoEffect;
        self
    }
    const fn becomes(mut self, field: &'static str) -> Self {
        self.becomes = field;
        self
    }
    const fn since(mut self, version: &'static str) -> Self {
        self.since = Some(version);
        self
    }
    const fn differs(mut self, text: &'static str) -> Self {
        self.differs = text;
        self
    }
    const fn like(mut self, path: &'static str) -> Self {
        self.like = Some(path);
        self
    }
}

/// The rows below one path.
struct Section {
    /// What stands before each row's path.
    prefix: &'static str,
    rows: &'static [Attribute],
}

/// Every section, in the order of the reference page.
const SECTIONS: &[Section] = &[
    Section { prefix: "", rows: top::ROWS },
    Section { prefix: "services.*", rows: service::ROWS },
    Section { prefix: "services.*", rows: service::LIST_ROWS },
    Section { prefix: "services.*.build", rows: build::ROWS },
    Section { prefix: "services.*.deploy", rows: deploy::ROWS },
    Section { prefix: "services.*.develop", rows: deploy::DEVELOP_ROWS },
    Section { prefix: "networks", rows: resource::NETWORK_ROWS },
    Section { prefix: "volumes", rows: resource::VOLUME_ROWS },
    Section { prefix: "configs", rows: resource::CONFIG_ROWS },
    Section { prefix: "secrets", rows: resource::SECRET_ROWS },
    Section { prefix: "models", rows: resource::MODEL_ROWS },
];

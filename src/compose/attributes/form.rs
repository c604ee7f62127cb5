//! What may be written for an attribute, and what it is read as.

use super::Merge;
use crate::yaml::{Data, Node, Value};

/// A set of the shapes that YAML has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts(u8);

impl Accepts {
    /// `null`.
    pub const NULL: Self = Self(1);
    /// A boolean.
    pub const BOOL: Self = Self(2);
    /// A whole number.
    pub const INT: Self = Self(4);
    /// A number with a fraction.
    pub const FLOAT: Self = Self(8);
    /// A string.
    pub const TEXT: Self = Self(16);
    /// A list.
    pub const LIST: Self = Self(32);
    /// A mapping.
    pub const MAP: Self = Self(64);
    /// Anything.
    pub const ALL: Self = Self(127);

    /// These shapes and those.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These shapes but not those.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every shape of `other` is among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The shape of a node.
    pub fn of(node: &Node) -> Self {
        match &node.data {
            Data::Null => Self::NULL,
            Data::Seq(_) => Self::LIST,
            Data::Map(_) => Self::MAP,
            Data::Scalar(s) => match s.value {
                Value::Bool(_) => Self::BOOL,
                Value::Int(_) | Value::UInt(_) => Self::INT,
                Value::Float(_) => Self::FLOAT,
                Value::Str(_) => Self::TEXT,
            },
        }
    }
}

/// What an attribute's value may be. The name says what it is read as; [`Form::accepts`] which shapes can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A text or nothing.
    TextOrNull,
    /// A text, or a boolean that is kept as its text.
    TextOrFlag,
    /// A boolean, or a text that says one: `"true"`.
    Flag,
    /// A boolean, and no text.
    StrictFlag,
    /// A whole number, or a text that says one.
    Whole,
    /// A whole number, and no text.
    StrictWhole,
    /// A number, or a text that says one; read as a whole one.
    Number,
    /// A number, or a text that says one; a fraction counts.
    Decimal,
    /// A number, and no text.
    StrictNumber,
    /// An amount of memory or disk: bytes, or a text with a unit (`64m`, base 1024).
    Bytes,
    /// The same, without a fraction of a byte.
    WholeBytes,
    /// An amount of memory with a unit, and no number.
    BytesText,
    /// A time: `1m30s`.
    Duration,
    /// Microseconds, or a time.
    Microseconds,
    /// Permission bits: `0440`, `"0440"`.
    Mode,
    /// A program and its arguments: a list, or a text that is split as a shell splits words.
    Words,
    /// What a health check runs: a list that starts with `CMD`, `CMD-SHELL` or `NONE`, or a text for the shell.
    Test,
    /// A list of texts.
    Texts,
    /// A list of texts, where a number counts as its text.
    TextsOrNumbers,
    /// One text or a list of them.
    OneOrMore,
    /// A mapping of names to scalars, or a list of `NAME=value`.
    Pairs,
    /// The same, where a name without a value is taken from bowline's own environment.
    Variables,
    /// A mapping of names to texts and numbers.
    Options,
    /// A mapping of names to texts, numbers or nothing, which is the empty text.
    Settings,
    /// A mapping of names to texts.
    Texted,
    /// A mapping of names to anything.
    Free,
    /// A mapping of names to scalars or lists of scalars.
    ProviderOptions,
    /// Names and addresses: a mapping, or a list of `name:address` or `name=address`.
    Hosts,
    /// A mapping with the keys that follow.
    Map,
    /// A mapping with the keys that follow, or nothing.
    MapOrNull,
    /// A list of what follows.
    List,
    /// A text, or the mapping that follows.
    TextOrMap,
    /// A number, a text, or the mapping that follows.
    NumberTextOrMap,
    /// A whole number, a text, or the mapping that follows.
    WholeOrMap,
    /// A boolean, a text that says one, or the mapping that follows.
    FlagOrMap,
    /// A list of names, or a mapping of them to what follows.
    NamesOrMap,
    /// A text, or a list of what follows.
    TextOrList,
    /// A list of texts, or the mapping that follows.
    TextsOrMap,
    /// How many: a number, a text that says one, or `all`.
    Count,
    /// A whole number or a text; kept as a text.
    WholeAsText,
}

impl Form {
    /// The shapes that can be written.
    pub const fn accepts(self) -> Accepts {
        use Accepts as A;
        match self {
            Self::Text | Self::BytesText | Self::Duration => A::TEXT,
            Self::TextOrNull => A::TEXT.union(A::NULL),
            Self::TextOrFlag | Self::Flag => A::TEXT.union(A::BOOL),
            Self::StrictFlag => A::BOOL,
            Self::Whole | Self::WholeBytes | Self::Count | Self::WholeAsText => A::INT.union(A::TEXT),
            Self::StrictWhole => A::INT,
            Self::StrictNumber => A::INT.union(A::FLOAT),
            Self::Number | Self::Decimal | Self::Bytes | Self::Microseconds | Self::Mode => {
                A::INT.union(A::FLOAT).union(A::TEXT)
            }
            Self::Words => A::NULL.union(A::TEXT).union(A::LIST),
            Self::Test | Self::OneOrMore | Self::TextOrList => A::TEXT.union(A::LIST),
            Self::Texts | Self::TextsOrNumbers | Self::List => A::LIST,
            Self::Pairs | Self::Variables | Self::Hosts | Self::NamesOrMap | Self::TextsOrMap => A::MAP.union(A::LIST),
            Self::Options | Self::Settings | Self::Texted | Self::Free | Self::ProviderOptions | Self::Map => A::MAP,
            Self::MapOrNull => A::MAP.union(A::NULL),
            Self::TextOrMap => A::TEXT.union(A::MAP),
            Self::NumberTextOrMap => A::INT.union(A::FLOAT).union(A::TEXT).union(A::MAP),
            Self::WholeOrMap => A::INT.union(A::TEXT).union(A::MAP),
            Self::FlagOrMap => A::BOOL.union(A::TEXT).union(A::MAP),
        }
    }

    /// The shapes of a list's items, where no row of their own says more.
    pub const fn items(self) -> Accepts {
        match self {
            Self::TextsOrNumbers => Accepts::TEXT.union(Accepts::INT).union(Accepts::FLOAT),
            Self::ProviderOptions => SCALAR,
            _ => Accepts::TEXT,
        }
    }

    /// The shapes of a mapping's values, where no row of their own says more.
    pub const fn values(self) -> Accepts {
        match self {
            Self::Pairs | Self::Variables => SCALAR.union(Accepts::NULL),
            Self::Options => Accepts::TEXT.union(Accepts::INT).union(Accepts::FLOAT),
            Self::Hosts => Accepts::TEXT.union(Accepts::LIST),
            Self::ProviderOptions => SCALAR.union(Accepts::LIST),
            Self::Settings => Accepts::TEXT.union(Accepts::INT).union(Accepts::FLOAT).union(Accepts::NULL),
            Self::Texted => Accepts::TEXT,
            _ => Accepts::ALL,
        }
    }

    /// Whether a mapping of this form has keys that the user chooses, and no rows for them.
    pub const fn is_free(self) -> bool {
        matches!(
            self,
            Self::Pairs
                | Self::Variables
                | Self::Options
                | Self::Settings
                | Self::Texted
                | Self::Free
                | Self::ProviderOptions
                | Self::Hosts
        )
    }

    /// How such values usually join.
    pub(super) const fn usual_merge(self) -> Merge {
        match self {
            Self::Pairs | Self::Variables => Merge::Pairs,
            Self::Words | Self::Test => Merge::Replace,
            Self::Hosts => Merge::Hosts,
            _ => Merge::Join,
        }
    }

    /// What a message says is expected here.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::TextOrNull => "a string",
            Self::TextOrFlag => "a string or a boolean",
            Self::Flag => "a boolean",
            Self::StrictFlag => "`true` or `false`, without quotes",
            Self::Whole | Self::StrictWhole => "a whole number",
            Self::WholeAsText => "a whole number or a string",
            Self::Number | Self::Decimal | Self::StrictNumber => "a number",
            Self::Bytes | Self::WholeBytes => "a size: a number of bytes, or a string such as `64m`",
            Self::BytesText => "a size with a unit, such as `64m`",
            Self::Duration => "a duration, such as `1m30s`",
            Self::Microseconds => "microseconds, or a duration such as `10ms`",
            Self::Mode => "permission bits, such as `0440`",
            Self::Words => "a string or a list of strings",
            Self::Test => "a string, or a list that starts with `CMD`, `CMD-SHELL` or `NONE`",
            Self::Texts | Self::List => "a list",
            Self::TextsOrNumbers => "a list of strings or numbers",
            Self::OneOrMore | Self::TextOrList => "a string or a list",
            Self::Pairs | Self::Variables => "a mapping, or a list of `NAME=value`",
            Self::Hosts => "a mapping, or a list of `name=address`",
            Self::Options
            | Self::Settings
            | Self::Texted
            | Self::Free
            | Self::ProviderOptions
            | Self::Map
            | Self::MapOrNull => "a mapping",
            Self::TextOrMap => "a string or a mapping",
            Self::NumberTextOrMap => "a number, a string or a mapping",
            Self::WholeOrMap => "a whole number or a mapping",
            Self::FlagOrMap => "a boolean",
            Self::NamesOrMap => "a list of names, or a mapping",
            Self::TextsOrMap => "a list, or a mapping",
            Self::Count => "a whole number or `all`",
        }
    }
}

const SCALAR: Accepts = Accepts::TEXT.union(Accepts::INT).union(Accepts::FLOAT).union(Accepts::BOOL);

//! JSON written by hand, for a program without crates, and the macros that keep one definition for both sides.
//!
//! Shared: a module of bowline, and of the static program (where `probe_program` is set and serde is not at hand). What
//! [`Json`] writes, serde reads back as the same value: a property test in `wire_tests.rs` holds the two together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Writes itself as JSON.
pub trait Json {
    /// Appends its JSON to `out`.
    fn write_json(&self, out: &mut String);

    /// Its JSON, in one line.
    fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }
}

/// Reads one kind of answer in a function of its own: most commands get only few of them.
#[cfg(not(probe_program))]
#[inline(never)]
pub fn apart<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(from)
}

/// Implements [`Json`] for what prints as a JSON literal.
macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl Json for $kind {
            fn write_json(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )*};
}
plain!(bool, u8, u16, u32, u64, i32);

/// Implements [`Json`] for what prints as text.
macro_rules! quoted {
    ($($kind:ty),*) => {$(
        impl Json for $kind {
            fn write_json(&self, out: &mut String) {
                self.to_string().as_str().write_json(out);
            }
        }
    )*};
}
quoted!(IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr);

impl Json for str {
    fn write_json(&self, out: &mut String) {
        out.push('"');
        for c in self.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

impl Json for String {
    fn write_json(&self, out: &mut String) {
        self.as_str().write_json(out);
    }
}

impl<T: Json> Json for Option<T> {
    fn write_json(&self, out: &mut String) {
        match self {
            Some(value) => value.write_json(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Json> Json for Vec<T> {
    fn write_json(&self, out: &mut String) {
        out.push('[');
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            item.write_json(out);
        }
        out.push(']');
    }
}

/// A struct that both sides know: serde reads it, [`Json`] writes it.
macro_rules! record {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(not(probe_program), derive(serde::Serialize, serde::Deserialize))]
        pub struct $name { $($(#[$field_about])* pub $field: $kind,)* }

        impl super::json::Json for $name {
            fn write_json(&self, out: &mut String) {
                let mut opening = '{';
                $(
                    out.push(opening);
                    opening = ',';
                    out.push_str(concat!("\"", stringify!($field), "\":"));
                    super::json::Json::write_json(&self.$field, out);
                )*
                debug_assert_eq!(opening, ',', "a record has fields");
                out.push('}');
            }
        }
    };
}

/// An enum of words that both sides know, with its text.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$word_about:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(not(probe_program), derive(serde::Serialize, serde::Deserialize))]
        pub enum $name { $(
            $(#[$word_about])*
            #[cfg_attr(not(probe_program), serde(rename = $text))]
            $word,
        )* }

        impl $name {
            /// Every word.
            #[cfg(not(probe_program))]
            pub const ALL: &[Self] = &[$(Self::$word),*];

            /// Its text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($text => Ok(Self::$word),)*
                    _ => Err(()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl super::json::Json for $name {
            fn write_json(&self, out: &mut String) {
                super::json::Json::write_json(self.as_str(), out);
            }
        }
    };
}

/// An enum of one value each, written as `{"name": value}` as serde does.
macro_rules! tagged {
    ($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident($kind:ty) = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(not(probe_program), derive(serde::Serialize, serde::Deserialize))]
        pub enum $name { $(
            $(#[$variant_about])*
            #[cfg_attr(not(probe_program), serde(rename = $text))]
            $variant(#[cfg_attr(not(probe_program), serde(deserialize_with = "super::json::apart"))] $kind),
        )* }

        impl super::json::Json for $name {
            fn write_json(&self, out: &mut String) {
                match self { $(
                    Self::$variant(value) => {
                        out.push_str(concat!("{\"", $text, "\":"));
                        super::json::Json::write_json(value, out);
                    }
                )* }
                out.push('}');
            }
        }
    };
}

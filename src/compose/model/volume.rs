//! One named volume.

use indexmap::IndexMap;

use crate::name::VolumeKey;
use crate::source::Span;

/// A volume, canonical.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its key.
    pub key: VolumeKey,
    /// Where the key stands.
    pub span: Option<Span>,
    /// Its name in the Engine.
    pub name: String,
    /// `external`: made by somebody else, never removed.
    pub external: bool,
    /// `driver`; absent is the Engine's default, `local`.
    pub driver: Option<String>,
    /// `driver_opts`.
    pub driver_opts: IndexMap<String, String>,
    /// `labels`, the user's own.
    pub labels: IndexMap<String, String>,
}

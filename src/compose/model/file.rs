//! Configs and secrets: files that a service finds beside those of its image.

use std::path::PathBuf;
use std::sync::Arc;

/// A config or a secret as a service has it.
#[derive(Clone, Debug)]
pub struct ServiceFile {
    /// Which of the two.
    pub kind: FileKind,
    /// Its key at the top level.
    pub source: String,
    /// The path in the container, absolute.
    pub target: String,
    /// Where its content comes from.
    pub content: FileContent,
    /// `uid`, `gid`, `mode`; what is said of them.
    pub owner: FileOwner,
}

/// Configs lie in `/`, secrets in `/run/secrets`, unless the file says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `configs`.
    Config,
    /// `secrets`.
    Secret,
}

impl FileKind {
    /// The section of the file.
    pub fn section(self) -> &'static str {
        match self {
            Self::Config => "configs",
            Self::Secret => "secrets",
        }
    }
}

/// Whose it is and who may do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileOwner {
    /// `uid`; 0 where it is not said.
    pub user: Option<u32>,
    /// `gid`; 0 where it is not said.
    pub group: Option<u32>,
    /// `mode`; 0444 where it is not said.
    pub mode: Option<u32>,
}

/// Where the content of a config or secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// `file`, with what it holds once [`crate::compose::attach`] has read it; none: it cannot be read here.
    Path(PathBuf, Option<Bytes>),
    /// `content`, or the variable of `environment`.
    Text(Bytes),
    /// `environment`: a variable that nobody has set.
    Unset(String),
    /// None that bowline can get at: `external`.
    Nowhere,
}

/// What a service with `use_api_socket` gets.
#[derive(Clone, Debug)]
pub struct ApiSocket {
    /// The Engine's socket.
    pub path: PathBuf,
    /// A docker configuration with the credentials for registries.
    pub configuration: Bytes,
}

/// Bytes that do not show themselves: they may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(Arc<[u8]>);

impl Bytes {
    /// These bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

//! A directory on its way to the classic builder: a tar archive, made while it is sent.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::engine::pack::{Archive, add, pack};
use crate::ignore::Patterns;

/// What the Dockerfile is called where it does not lie in the context.
const STRANGER: &str = ".bowline.Dockerfile";

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Context {
    directory: PathBuf,
    ignore: Patterns,
    /// What the builder reads: a path in the archive.
    pub(super) dockerfile: String,
    /// The Dockerfile's text, where it does not lie in the directory.
    text: Option<Vec<u8>>,
}

impl Context {
    /// Looks at the directory: its Dockerfile and what it leaves out.
    ///
    /// # Errors
    /// A directory or a Dockerfile that is not there or cannot be read, with its path.
    pub(super) fn open(directory: &Path, dockerfile: &str, inline: Option<&str>) -> io::Result<Self> {
        let told = |path: &Path, why: io::Error| io::Error::new(why.kind(), format!("{}: {why}", path.display()));
        if !directory.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("the build context {} is not a directory", directory.display()),
            ));
        }
        let path = directory.join(dockerfile);
        let (name, text) = match (inline, path.strip_prefix(directory)) {
            (Some(text), _) => (STRANGER.to_owned(), Some(text.as_bytes().to_vec())),
            (None, Ok(inside)) if !inside.starts_with("..") => {
                std::fs::metadata(&path).map_err(|why| told(&path, why))?;
                (inside.display().to_string(), None)
            }
            _ => (STRANGER.to_owned(), Some(std::fs::read(&path).map_err(|why| told(&path, why))?)),
        };
        let ignore = Patterns::of_context(directory, dockerfile)?;
        Ok(Self { directory: directory.to_owned(), ignore, dockerfile: name, text })
    }

    /// The archive, piece by piece. An error ends it, so that the builder does not take half a directory for the whole.
    pub(super) fn send(self) -> mpsc::Receiver<io::Result<Bytes>> {
        pack(move |archive| self.write(archive))
    }

    fn write(&self, archive: &mut Archive) -> io::Result<()> {
        self.add_directory(archive, "")?;
        if let Some(text) = &self.text {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, STRANGER, text.as_slice())?;
        }
        Ok(())
    }

    /// All below a directory, by name, so that the same directory gives the same archive.
    fn add_directory(&self, archive: &mut Archive, below: &str) -> io::Result<()> {
        let directory = self.directory.join(below);
        let told = |path: &Path, why: io::Error| io::Error::new(why.kind(), format!("{}: {why}", path.display()));
        let entries = std::fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|why| told(&directory, why))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if below.is_empty() { name } else { format!("{below}/{name}") };
            let path = entry.path();
            let data = std::fs::symlink_metadata(&path).map_err(|why| told(&path, why))?;
            let left_out = self.ignore.mean(&name) && name != self.dockerfile && name != ".dockerignore";
            if !left_out {
                add(archive, &name, &path, &data).map_err(|why| told(&path, why))?;
            }
            if data.is_dir()
                && (!left_out || self.ignore.has_exceptions() || self.dockerfile.starts_with(&format!("{name}/")))
            {
                self.add_directory(archive, &name)?;
            }
        }
        Ok(())
    }
}

//! A directory on its way to the classic builder: a tar archive, made while it is sent.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::ignore::Ignore;
use crate::engine::pack::{Archive, pack};

/// What the Dockerfile is called where it does not lie in the context.
const STRANGER: &str = ".bowline.Dockerfile";

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Context {
    directory: PathBuf,
    ignore: Ignore,
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
        let own = directory.join(format!("{dockerfile}.dockerignore"));
        let ignore = if own.exists() { own } else { directory.join(".dockerignore") };
        let ignore = match std::fs::read_to_string(&ignore) {
            Ok(text) => Ignore::parse(&text),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ignore::default(),
            Err(why) => return Err(told(&ignore, why)),
        };
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
            let left_out = self.ignore.leaves_out(&name) && name != self.dockerfile && name != ".dockerignore";
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

/// One file, directory or link, as root's, whoever has it here (docker's rule). A socket has nothing to send.
fn add(archive: &mut Archive, name: &str, path: &Path, data: &std::fs::Metadata) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(data);
    header.set_uid(0);
    header.set_gid(0);
    if data.is_symlink() {
        header.set_size(0);
        archive.append_link(&mut header, name, std::fs::read_link(path)?)
    } else if data.is_dir() {
        header.set_size(0);
        archive.append_data(&mut header, format!("{name}/"), io::empty())
    } else if data.is_file() {
        // a file that grows meanwhile does not break the archive
        let file = io::Read::take(std::fs::File::open(path)?, data.len());
        archive.append_data(&mut header, name, file)
    } else {
        Ok(())
    }
}

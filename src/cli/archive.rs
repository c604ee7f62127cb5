//! The side of `cp` that is here: files into a tar archive while it is sent, and out of one while it comes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bowline::engine::{Download, pack};
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::exit::{Exit, Failure};

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// They are copied as links.
    Kept,
    /// What the first one leads to is copied.
    Followed,
}

/// A file or a directory that is to be sent.
pub struct Source {
    path: PathBuf,
    /// As it was named, before links were followed.
    named: PathBuf,
    data: std::fs::Metadata,
    /// `directory/.`: what is in it.
    contents: bool,
}

impl Source {
    /// Looks at it.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn open(path: &Path, links: Links) -> Result<Self, Failure> {
        let told = |why: io::Error| Failure::new(Exit::StepFailed, format!("cannot read {}: {why}", path.display()));
        let text = path.to_string_lossy();
        let contents = text.ends_with("/.") || text == ".";
        // a slash at the end asks for what a link leads to
        let follow = links == Links::Followed || text.ends_with('/') || text.ends_with("..") || contents;
        let real = if follow { path.canonicalize().map_err(told)? } else { path.to_owned() };
        let data = std::fs::symlink_metadata(&real).map_err(told)?;
        Ok(Self { path: real, named: path.to_owned(), data, contents })
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.data.is_dir()
    }

    /// What it is called; none for what is in a directory.
    pub fn name(&self) -> Option<String> {
        // `..` is called what it leads to
        let name = if self.named.ends_with("..") { &self.path } else { &self.named };
        name.file_name().filter(|_| !self.contents).map(|name| name.to_string_lossy().into_owned())
    }

    /// The archive, while it is made; `name` is what it is called there, none for what is in the directory. An error breaks it off.
    pub fn send(self, name: Option<String>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let mut receiver = pack(move |archive| {
            let name = name.as_deref().unwrap_or(".");
            match self.data.is_dir() {
                true => archive.append_dir_all(name, &self.path),
                false => archive.append_path_with_name(&self.path, name),
            }
        });
        futures_util::stream::poll_fn(move |waiting| receiver.poll_recv(waiting))
    }
}

/// Unpacks an archive at `to`: in it where it is a directory, under its name otherwise. `contents`: the archive holds what is in a
/// directory, without the directory itself. Nothing is written elsewhere, whatever the archive says.
///
/// # Errors
/// What the operating system says, with the path.
pub async fn unpack(mut download: Download, to: &Path, contents: bool, owners: bool) -> Result<(), Failure> {
    let told = |why: io::Error| Failure::new(Exit::StepFailed, format!("cannot write {}: {why}", to.display()));
    let place = Place::of(to, contents).map_err(told)?;
    let (pieces, receiver) = mpsc::channel(4);
    let writing =
        tokio::task::spawn_blocking(move || place.fill(Wired { pieces: receiver, rest: Bytes::new() }, owners));
    while let Some(piece) = download.next().await? {
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    drop(pieces);
    writing.await.map_err(|why| Failure::new(Exit::StepFailed, why))?.map_err(told)
}

/// Where an archive is unpacked, and what becomes of it then.
struct Place {
    /// Where.
    directory: PathBuf,
    /// The one entry at its root is called so in the end; then `directory` is for the time being.
    named: Option<PathBuf>,
}

impl Place {
    fn of(to: &Path, contents: bool) -> io::Result<Self> {
        if to.is_dir() {
            return Ok(Self { directory: to.to_owned(), named: None });
        }
        if contents {
            std::fs::create_dir(to)?;
            return Ok(Self { directory: to.to_owned(), named: None });
        }
        if to.to_string_lossy().ends_with('/') && to.file_name().is_some() && !to.exists() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such directory"));
        }
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = parent.join(format!(".bowline-cp-{}", std::process::id()));
        std::fs::create_dir(&directory)?;
        Ok(Self { directory, named: Some(to.to_owned()) })
    }

    fn fill(self, archive: impl Read, owners: bool) -> io::Result<()> {
        let done = self.unpack(archive, owners);
        if self.named.is_some() {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
        done
    }

    fn unpack(&self, archive: impl Read, owners: bool) -> io::Result<()> {
        let mut archive = tar::Archive::new(archive);
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(owners);
        archive.set_overwrite(true);
        archive.unpack(&self.directory)?;
        let Some(name) = &self.named else { return Ok(()) };
        match std::fs::read_dir(&self.directory)?.next() {
            Some(entry) => std::fs::rename(entry?.path(), name),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is empty")),
        }
    }
}

/// Pieces as one stream of bytes.
struct Wired {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Read for Wired {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.rest.len());
        buffer.iter_mut().zip(self.rest.split_to(count)).for_each(|(to, from)| *to = from);
        Ok(count)
    }
}

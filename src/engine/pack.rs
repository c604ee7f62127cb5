//! A tar archive that is made while it is sent, and is never whole in memory.

use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use tokio::sync::mpsc;

/// How much is sent at once.
const PIECE: usize = 64 * 1024;

/// An archive that is being made. Links are put in as links.
pub type Archive = tar::Builder<Wire>;

/// The archive that `fill` makes, piece by piece. An error breaks it off, so that nobody takes half of it for the whole.
pub fn pack(fill: impl FnOnce(&mut Archive) -> io::Result<()> + Send + 'static) -> mpsc::Receiver<io::Result<Bytes>> {
    let (pieces, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut archive = tar::Builder::new(Wire { pieces: pieces.clone(), buffer: Vec::with_capacity(PIECE) });
        archive.follow_symlinks(false);
        let filled = fill(&mut archive).and_then(|()| archive.finish()).and_then(|()| archive.get_mut().flush());
        if let Err(why) = filled {
            // whoever listens has gone, or is told; before the archive is dropped, which would end it as if it were whole
            let _ = pieces.blocking_send(Err(why));
        }
    });
    receiver
}

/// Puts one file, directory or link into an archive, as root's, whoever has it here (docker's rule). A socket has nothing to send.
///
/// # Errors
/// What cannot be read.
pub fn add(archive: &mut Archive, name: &str, path: &Path, data: &std::fs::Metadata) -> io::Result<()> {
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
        archive.append_data(&mut header, name, Exactly { file: std::fs::File::open(path)?, left: data.len() })
    } else {
        Ok(())
    }
}

/// A file of a known size: one that grows meanwhile does not break the archive, one that shrinks breaks it off.
struct Exactly {
    file: std::fs::File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let count = (&self.file).take(self.left).read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Cuts what the archive writes into pieces.
pub struct Wire {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.pieces.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

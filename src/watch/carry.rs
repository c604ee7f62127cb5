//! Files on their way into a container, and out of it.

use std::io;
use std::path::Path;

use futures_util::stream;

use super::rules::Copy;
use crate::engine::{Archive, Engine, Error, ExecSpec, Piece, add, pack};

/// How many paths one `rm` is given.
const AT_ONCE: usize = 500;

/// Why a container does not have what is here.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The Engine refused it, or a file could not be read.
    #[error("cannot copy: {0}")]
    Copy(#[source] Error),
    /// What was deleted here is still there.
    #[error("cannot remove what was deleted here: {0}")]
    Remove(String),
    /// The Engine said no.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl CarryError {
    /// Whether the Engine does not answer any more.
    pub fn is_lost(&self) -> bool {
        match self {
            // a file that could not be read breaks the stream off as well
            Self::Copy(error) => error.is_unreachable(),
            Self::Engine(error) => error.is_lost(),
            Self::Remove(_) => false,
        }
    }
}

/// Makes paths of a container what they are here: what is here is copied, as the container's user's where it has one, what is
/// not is removed (by the container's own `rm`).
///
/// # Errors
/// What the Engine refuses; a container without `rm`, where something is to be removed.
pub async fn carry<'a>(
    engine: &Engine,
    container: &str,
    copies: impl IntoIterator<Item = &'a Copy>,
) -> Result<(), CarryError> {
    let (there, gone): (Vec<&Copy>, Vec<&Copy>) = copies.into_iter().partition(|copy| is_there(&copy.here));
    remove(engine, container, &gone).await?;
    if there.is_empty() {
        return Ok(());
    }
    if send(engine, container, &there).await.is_ok() {
        return Ok(());
    }
    // a file where a directory was, or the other way round; or one that was written just then
    let in_the_way = of_another_kind(engine, container, &there).await;
    remove(engine, container, &in_the_way).await?;
    send(engine, container, &there).await.map_err(CarryError::Copy)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

async fn send(engine: &Engine, container: &str, copies: &[&Copy]) -> Result<(), Error> {
    let copies: Vec<Copy> = copies.iter().map(|copy| (*copy).clone()).collect();
    let pieces = pack(move |archive| copies.iter().try_for_each(|copy| put(archive, copy)));
    let pieces = stream::unfold(pieces, async |mut pieces| pieces.recv().await.map(|piece| (piece, pieces)));
    engine.send_archive(container, "/", true, pieces).await
}

/// One path into the archive. What has gone meanwhile is told by the next change.
fn put(archive: &mut Archive, copy: &Copy) -> io::Result<()> {
    match copy.here.symlink_metadata() {
        Ok(data) => add(archive, copy.there.trim_start_matches('/'), &copy.here, &data),
        Err(_) => Ok(()),
    }
}

/// Those that are a directory on one side alone.
async fn of_another_kind<'a>(engine: &Engine, container: &str, copies: &[&'a Copy]) -> Vec<&'a Copy> {
    let mut found = vec![];
    for copy in copies {
        // below a file the Engine finds no path, but an error
        if let Ok(Some(stat)) = engine.stat_path(container, &copy.there).await
            && stat.is_directory() != copy.here.is_dir()
        {
            found.push(*copy);
        }
    }
    found
}

async fn remove(engine: &Engine, container: &str, copies: &[&Copy]) -> Result<(), CarryError> {
    for some in copies.chunks(AT_ONCE) {
        let words = ["rm", "-rf", "--"].map(str::to_owned).into_iter();
        let command = words.chain(some.iter().map(|copy| copy.there.clone())).collect();
        // the archive's files are root's to write, so they are root's to remove
        let spec = ExecSpec { command, user: Some("0".to_owned()), ..ExecSpec::default() };
        let mut exec = engine.exec(container, &spec).await.map_err(|why| CarryError::Remove(why.to_string()))?;
        let mut said = vec![];
        while let Some(Piece::Output(bytes) | Piece::Error(bytes)) = exec.ends.next().await? {
            said.extend_from_slice(&bytes);
        }
        if engine.exec_code(&exec.id).await? != Some(0) {
            return Err(CarryError::Remove(String::from_utf8_lossy(&said).trim().to_owned()));
        }
    }
    Ok(())
}

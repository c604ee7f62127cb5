//! Files that were copied into containers, as they are now: read through the Engine, which needs nothing in the image.

use std::collections::BTreeMap;
use std::io::Read;

use super::check::{Check, Expectation};
use super::facet::Facet;
use super::scene::{Content, Scene};
use crate::engine::{Engine, Error};
use crate::name::Replica;

/// What an archive has besides the one file: its header, its end, and what a name takes.
const AROUND: usize = 64 << 10;

/// Compares every file that these checks are about with what the file of the stack gives.
pub(super) async fn look(engine: &Engine, scene: Scene<'_>, checks: &[&Check]) -> BTreeMap<(Replica, String), Content> {
    let asked = checks.iter().filter_map(|check| match &check.expectation {
        Expectation::Has { replica, facet: Facet::File(target) } => {
            let files = &scene.desired.containers.get(replica)?.settings.files;
            let declared = files.iter().find(|file| file.target == *target)?;
            let container = scene.container(replica).filter(|container| container.state.is_running())?;
            Some((replica, target, declared.content.as_slice(), container.id.as_str()))
        }
        _ => None,
    });
    let read = asked.map(|(replica, target, declared, id)| async move {
        let content = match read(engine, id, target, declared.len()).await {
            Ok(None) => Content::Missing,
            Ok(Some(found)) if found == declared => Content::Same(found.len()),
            Ok(Some(_)) => Content::Other,
            Err(why) => Content::Untold(why),
        };
        ((replica.clone(), target.clone()), content)
    });
    futures_util::future::join_all(read).await.into_iter().collect()
}

/// A file's bytes, no more than it may have and one; none where it is not there.
async fn read(engine: &Engine, id: &str, path: &str, length: usize) -> Result<Option<Vec<u8>>, String> {
    let told = |error: Error| error.to_string();
    let mut download = match engine.get_archive(id, path).await {
        Ok(download) => download,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(told(error)),
    };
    let mut archive = vec![];
    while let Some(piece) = download.next().await.map_err(told)? {
        archive.extend_from_slice(&piece);
        if archive.len() > length + AROUND {
            break;
        }
    }
    first_file(&archive, length).map(Some).map_err(|why| why.to_string())
}

/// The first file of an archive, one byte more than `length` at the most.
fn first_file(archive: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entry = archive.entries()?.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    let mut content = vec![];
    entry.take(length as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_far_as_it_may_be_long() {
        let mut builder = tar::Builder::new(vec![]);
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        builder.append_data(&mut header, "key", b"secret".as_slice()).unwrap();
        let archive = builder.into_inner().unwrap();
        assert_eq!(first_file(&archive, 6).unwrap(), b"secret");
        assert_eq!(
            first_file(&archive, 2).unwrap(),
            b"sec",
            "longer than it should be is seen, and no more of it is kept"
        );
        assert!(first_file(&[], 2).is_err());
    }
}

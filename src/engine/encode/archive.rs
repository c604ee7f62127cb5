//! Files as a tar archive.

use std::sync::Arc;

use crate::engine::Error;
use crate::state::settings::FileSettings;

/// The time that files have: none, so that the same files give the same archive.
const TIME: u64 = 0;

/// An archive to be unpacked at `/`, or where a volume is that takes its place.
///
/// # Errors
/// [`Error::Stream`] for a path that no archive can name.
pub(in crate::engine) fn archive(files: &[FileSettings]) -> Result<Vec<u8>, Error> {
    let mut archive = tar::Builder::new(vec![]);
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.content.as_slice().len() as u64);
        header.set_mode(file.mode);
        header.set_uid(file.user.into());
        header.set_gid(file.group.into());
        header.set_mtime(TIME);
        archive
            .append_data(&mut header, file.path(), file.content.as_slice())
            .map_err(|why| Error::Stream(Arc::new(why)))?;
    }
    archive.into_inner().map_err(|why| Error::Stream(Arc::new(why)))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::compose::model::Bytes;

    #[test]
    fn a_file_has_its_owner_mode_and_content() {
        let content = Bytes::new(&b"secret"[..]);
        let file = FileSettings { target: "/run/secrets/pw".into(), user: 7, group: 8, mode: 0o400, content };
        let bytes = archive(&[file]).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("run/secrets/pw"));
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap()), (7, 8, 0o400));
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "secret");
    }
}

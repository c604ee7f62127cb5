//! Configs and secrets: mounted from the host where nothing is said of their owner, copied in where something is or where they
//! are no file, be it by way of a volume where the root file system is read-only; and a label with the digest of each, by which a
//! change of content is seen.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::labels::CONTENT;
use crate::compose::model::{FileContent, FileKind, FileOwner, Service, ServiceFile};
use crate::name::Replica;
use crate::state::settings::{FileSettings, FilesVolume, MountForm, MountKind, MountSettings, Settings};

/// Who may read what is copied, unless the file says otherwise.
const MODE: u32 = 0o444;

/// Adds a service's configs and secrets to what its container is made of.
pub(super) fn add(service: &Service, replica: &Replica, name: &str, settings: &mut Settings) {
    for file in &service.files {
        let copied = is_copied(file);
        if let Some(digest) = digest(file, copied, &settings.labels) {
            settings.labels.insert(format!("{CONTENT}{}", file.target), digest);
        }
        match (&file.content, copied) {
            (FileContent::Path(path, _), false) => settings.mounts.push(mount(file, path.display().to_string())),
            (FileContent::Path(_, Some(content)) | FileContent::Text(content), true) => {
                let FileOwner { user, group, mode } = file.owner;
                settings.files.push(FileSettings {
                    target: file.target.clone(),
                    user: user.unwrap_or(0),
                    group: group.unwrap_or(0),
                    mode: mode.unwrap_or(MODE),
                    content: content.clone(),
                });
            }
            _ => {}
        }
    }
    if service.read_only && !settings.files.is_empty() {
        let place = format!("{}-{}", replica.service, replica.number);
        settings.files_volume = Some(volume(settings, &place, name));
    }
}

/// The volume that the files of a container lie in, `place` among those of its project. Other contents have another one, so that a container whose
/// place is taken keeps what it has.
fn volume(settings: &Settings, place: &str, name: &str) -> FilesVolume {
    let mut hash = Sha256::new();
    for file in &settings.files {
        hash.update(&file.target);
        hash.update([0]);
        hash.update(
            settings.labels.get(&format!("{CONTENT}{}", file.target)).map(String::as_bytes).unwrap_or_default(),
        );
    }
    let project = settings.labels.get(super::labels::PROJECT).map(String::as_str).unwrap_or_default();
    let volume = format!("{project}_{place}_files-{}", start(hash));
    FilesVolume { name: volume, labels: super::labels::files(&settings.labels, name) }
}

/// The same for a container of `run`, which has its place by 12 digits of its own.
pub(super) fn move_volume(settings: &mut Settings, digits: &str, name: &str) {
    if settings.files_volume.is_some() {
        let service = settings.labels.get(super::labels::SERVICE).map(String::as_str).unwrap_or_default();
        settings.files_volume = Some(volume(settings, &format!("{service}-run-{digits}"), name));
    }
}

fn is_copied(file: &ServiceFile) -> bool {
    match &file.content {
        FileContent::Path(_, content) => file.owner != FileOwner::default() && content.is_some(),
        _ => true,
    }
}

/// As docker compose 2.40.3 mounts it: a secret with empty options, a config with none.
fn mount(file: &ServiceFile, source: String) -> MountSettings {
    let kind = MountKind::Bind { source, create_host_path: false, propagation: None, selinux: None, recursive: None };
    let form = MountForm { is_mapping: file.kind == FileKind::Secret, ..MountForm::default() };
    MountSettings { target: file.target.clone(), kind, read_only: true, form }
}

/// The start of a digest of the content and, where it is copied, of its owner. The project and the place count in it, so that
/// one secret does not have one digest everywhere. None where the content is not known.
fn digest(file: &ServiceFile, copied: bool, labels: &std::collections::BTreeMap<String, String>) -> Option<String> {
    let content = match &file.content {
        FileContent::Path(_, content) => content.as_ref()?,
        FileContent::Text(content) => content,
        FileContent::Unset(_) | FileContent::Nowhere => return None,
    };
    let mut hash = Sha256::new();
    for part in [labels.get(super::labels::PROJECT), labels.get(super::labels::SERVICE)] {
        hash.update(part.map(String::as_bytes).unwrap_or_default());
        hash.update([0]);
    }
    hash.update(&file.target);
    if copied {
        hash.update(format!("{:?}", file.owner));
    }
    hash.update([0]);
    hash.update(content.as_slice());
    Some(start(hash))
}

/// The first 16 hexadecimal digits.
fn start(hash: Sha256) -> String {
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

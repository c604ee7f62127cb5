//! Mounts: where the API can say what, and in which of its two forms docker compose says it.

use bollard::models::{
    Mount, MountBindOptions, MountBindOptionsPropagationEnum as Propagation, MountImageOptions, MountTmpfsOptions,
    MountType, MountVolumeOptions,
};

use super::map;
use crate::state::settings::{MountKind, MountSettings, Settings};

/// The API in which `Mounts` can make a directory where the host has none; `Binds` always does.
const CREATE_MOUNTPOINT: (u32, u32) = (1, 42);

/// Options of `HostConfig.Tmpfs`.
pub(super) fn tmpfs_options(options: &str, read_only: bool) -> String {
    match (options, read_only) {
        (options, false) => options.to_owned(),
        ("", true) => "ro".to_owned(),
        (options, true) => format!("{options},ro"),
    }
}

/// A mount in the form `source:target:options`, where docker compose says it so.
pub(super) fn bind(mount: &MountSettings, api: (u32, u32)) -> Option<String> {
    let access = if mount.read_only { "ro" } else { "rw" };
    let target = &mount.target;
    let more =
        |words: &[&Option<String>]| words.iter().copied().flatten().map(|word| format!(",{word}")).collect::<String>();
    match &mount.kind {
        MountKind::Bind { source, propagation, selinux, .. } if is_short(mount, api) => {
            Some(format!("{source}:{target}:{access}{}", more(&[selinux, propagation])))
        }
        MountKind::Volume { name, selinux, .. } if is_short(mount, api) => {
            Some(format!("{name}:{target}:{access}{}", more(&[selinux])))
        }
        _ => None,
    }
}

/// Whether the short form can say it, and is the one that docker compose 2.40.3 takes: no colon in a path, a directory that
/// may be made, nothing but access. An SELinux label can only be said there, and so can propagation on an Engine whose
/// `Mounts` make no directory.
fn is_short(mount: &MountSettings, api: (u32, u32)) -> bool {
    let plain = |path: &str| !path.contains(':');
    plain(&mount.target)
        && match &mount.kind {
            MountKind::Bind { source, create_host_path, propagation, selinux, recursive } => {
                let only_there = selinux.is_some() || (*create_host_path && api < CREATE_MOUNTPOINT);
                let as_compose = *create_host_path && propagation.is_none();
                plain(source) && recursive.is_none() && (only_there || as_compose)
            }
            MountKind::Volume { no_copy, subpath, .. } => !no_copy && subpath.is_none() && mount.form.labels.is_empty(),
            _ => false,
        }
}

/// A mount in the long form, where [`bind`] does not say it.
pub(super) fn long(mount: &MountSettings, api: (u32, u32)) -> Option<Mount> {
    let model = |typ, source: Option<&String>| Mount {
        target: Some(mount.target.clone()),
        source: source.cloned(),
        typ: Some(typ),
        read_only: mount.read_only.then_some(true),
        ..Mount::default()
    };
    let is_mapping = mount.form.is_mapping;
    match &mount.kind {
        _ if is_short(mount, api) => None,
        MountKind::Anonymous => {
            let volume_options = MountVolumeOptions { labels: map(&mount.form.labels), ..Default::default() };
            Some(Mount { volume_options: is_mapping.then_some(volume_options), ..model(MountType::VOLUME, None) })
        }
        MountKind::Bind { source, create_host_path, propagation, recursive, .. } => {
            let said = |word: &str| (recursive.as_deref() == Some(word)).then_some(true);
            let options = MountBindOptions {
                propagation: propagation.as_deref().and_then(propagation_word),
                create_mountpoint: create_host_path.then_some(true),
                non_recursive: said("disabled"),
                read_only_non_recursive: said("writable"),
                read_only_force_recursive: said("readonly"),
            };
            let bind_options = (is_mapping || options != MountBindOptions::default()).then_some(options);
            Some(Mount { bind_options, ..model(MountType::BIND, Some(source)) })
        }
        MountKind::Volume { name, no_copy, subpath, .. } => Some(Mount {
            volume_options: Some(MountVolumeOptions {
                no_copy: no_copy.then_some(true),
                subpath: subpath.clone(),
                labels: map(&mount.form.labels),
                ..MountVolumeOptions::default()
            }),
            ..model(MountType::VOLUME, Some(name))
        }),
        MountKind::Memory { size, mode } => {
            let tmpfs_options = MountTmpfsOptions {
                size_bytes: Some(*size).filter(|size| *size > 0),
                mode: Some(i64::from(*mode)).filter(|mode| *mode > 0),
                ..MountTmpfsOptions::default()
            };
            Some(Mount { tmpfs_options: is_mapping.then_some(tmpfs_options), ..model(MountType::TMPFS, None) })
        }
        MountKind::Image { source, subpath } => {
            let image_options = MountImageOptions { subpath: subpath.clone() };
            Some(Mount { image_options: is_mapping.then_some(image_options), ..model(MountType::IMAGE, Some(source)) })
        }
        MountKind::Tmpfs { .. } => None,
    }
}

/// The files of a container whose root file system is read-only, each from the volume that holds them. The Engine makes that volume.
pub(super) fn files(settings: &Settings) -> impl Iterator<Item = Mount> {
    let all = settings.files_volume.iter().flat_map(|volume| settings.files.iter().map(move |file| (volume, file)));
    all.map(|(volume, file)| Mount {
        target: Some(file.target.clone()),
        source: Some(volume.name.clone()),
        typ: Some(MountType::VOLUME),
        read_only: Some(true),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            subpath: Some(file.path().to_owned()),
            labels: map(&volume.labels),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    })
}

fn propagation_word(word: &str) -> Option<Propagation> {
    match word {
        "private" => Some(Propagation::PRIVATE),
        "rprivate" => Some(Propagation::RPRIVATE),
        "shared" => Some(Propagation::SHARED),
        "rshared" => Some(Propagation::RSHARED),
        "slave" => Some(Propagation::SLAVE),
        "rslave" => Some(Propagation::RSLAVE),
        _ => None,
    }
}

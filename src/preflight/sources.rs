//! What is mounted from the Engine's host: bind mounts, configs and secrets that are files.

use std::path::Path;

use super::Scene;
use super::host::Source;
use crate::compose::model::{Bind, FileContent, Mount, MountSource, Project, Service, Volume};
use crate::finding::{Code, Finding, Findings};
use crate::source::Spanned;

/// A bind mount whose source is not there and may not be made.
pub(super) fn check_bind_sources(scene: Scene<'_>, findings: &mut Findings) {
    for (service, mount, bind) in binds(scene) {
        if !bind.create_host_path && scene.host.missing_paths.contains(&bind.source) {
            findings.push(
                Finding::error(Code::SourceMissing, format!("`{}` is not there", bind.source.display()))
                    .at(mount.span)
                    .label(format!("{} mounts it at {}", service.name, mount.value.target))
                    .help("make it, or let the Engine make a directory: `bind: {create_host_path: true}`"),
            );
        }
    }
}

/// A config's or secret's file that is not there, and would be mounted. One that would be copied was missed already when it was read.
pub(super) fn check_files(scene: Scene<'_>, findings: &mut Findings) {
    for service in scene.project.services.values() {
        for file in &service.files {
            let FileContent::Path(path, None) = &file.value.content else { continue };
            if !scene.host.missing_paths.contains(path) {
                continue;
            }
            let kind = file.value.kind.section().trim_end_matches('s');
            let message = format!("{kind} `{}` is not there: {}", file.value.source, path.display());
            findings.push(
                Finding::error(Code::SourceMissing, message)
                    .at(file.span)
                    .label(format!("{} has it at {}", service.name, file.value.target))
                    .help("put the file there, or name another under `file`"),
            );
        }
    }
}

/// A volume of the driver `local` that is a directory of the host, which is not there or is a file.
pub(super) fn check_volume_devices(scene: Scene<'_>, findings: &mut Findings) {
    for (volume, path) in devices(scene.project) {
        let (code, what) = match scene.host.sources.get(path) {
            _ if scene.host.missing_paths.contains(path) => (Code::SourceMissing, "is not there"),
            Some(Source::File) => (Code::SourceKind, "is a file, and a volume is a directory"),
            _ => continue,
        };
        let message = format!("`{}` {what}: volume {} cannot be mounted", path.display(), volume.key);
        let help = "make the directory on the Engine's host, or name another as `device`";
        findings.push(Finding::error(code, message).maybe_at(volume.span).help(help));
    }
}

/// The volumes that the file makes of directories of the host (`o: bind`), and where those are.
pub fn devices(project: &Project) -> impl Iterator<Item = (&Volume, &Path)> {
    let made = project.volumes.values().filter(|volume| !volume.external);
    made.filter_map(|volume| {
        let is_local = volume.driver.as_ref().is_none_or(|driver| driver == "local");
        let binds = |options: &String| options.split(',').any(|option| matches!(option, "bind" | "rbind"));
        let bound = is_local && volume.driver_opts.get("o").is_some_and(binds);
        let device = volume.driver_opts.get("device").filter(|device| bound && device.starts_with('/'))?;
        Some((volume, Path::new(device)))
    })
}

/// A file where a directory is meant, and a directory where a file is.
pub(super) fn check_kinds_of_sources(scene: Scene<'_>, findings: &mut Findings) {
    for (service, mount, bind) in binds(scene) {
        let (source, target) = (bind.source.display(), &mount.value.target);
        let there = scene.host.sources.get(&bind.source);
        let is_missing = scene.host.missing_paths.contains(&bind.source);
        let finding = if let Some(Source::Below(file)) = there {
            let message = format!("`{source}` cannot be: `{}` is a file", file.display());
            Finding::error(Code::SourceKind, message).help("name a path below a directory")
        } else if names_a_file(&bind.source, target) && there == Some(&Source::Directory) {
            let message = format!("`{source}` is a directory, and a file seems to be meant");
            Finding::warning(Code::SourceKind, message)
                .help("an Engine makes a directory where it finds nothing: remove it, and put the file there")
        } else if names_a_file(&bind.source, target) && is_missing && bind.create_host_path {
            let message =
                format!("`{source}` is not there: the Engine makes a directory, and a file seems to be meant");
            Finding::warning(Code::SourceKind, message)
                .help("make the file, or say `bind: {create_host_path: false}` in the long form to be refused")
        } else {
            continue;
        };
        findings.push(finding.at(mount.span).label(format!("{} mounts it at {target}", service.name)));
    }
}

/// Ends of names that files have, and directories have not.
const OF_FILES: &[&str] = &[
    "cert",
    "cfg",
    "cnf",
    "conf",
    "crt",
    "css",
    "csv",
    "db",
    "env",
    "html",
    "ini",
    "js",
    "json",
    "key",
    "list",
    "lock",
    "md",
    "pem",
    "php",
    "properties",
    "pub",
    "py",
    "rb",
    "sh",
    "sock",
    "sql",
    "toml",
    "ts",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// Whether both ends of a mount are called as one kind of file is.
fn names_a_file(source: &Path, target: &str) -> bool {
    let end = |path: &Path| path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let (ours, theirs) = (end(source), end(Path::new(target)));
    ours.is_some_and(|end| OF_FILES.contains(&end.as_str()) && theirs.as_deref() == Some(end.as_str()))
}

/// Every bind mount of a service.
fn binds<'a>(scene: Scene<'a>) -> impl Iterator<Item = (&'a Service, &'a Spanned<Mount>, &'a Bind)> {
    scene.project.services.values().flat_map(|service| {
        service.mounts.iter().filter_map(move |mount| match &mount.value.source {
            MountSource::Bind(bind) => Some((service, mount, bind)),
            _ => None,
        })
    })
}

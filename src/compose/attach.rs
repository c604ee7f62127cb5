//! What a stack brings along to the Engine besides its words: the contents of configs and secrets, and security profiles.
//!
//! Read only by commands that bring a stack up; `config` and `down` need none of it.

use std::path::Path;

use super::model::{Bytes, FileContent, FileOwner, Project, Service, ServiceFile};
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};

/// Reads everything. What cannot be had and is needed is found.
pub fn attach(project: &mut Project, findings: &mut Findings) {
    let directory = project.working_dir.clone();
    for service in project.services.values_mut() {
        profiles(service, &directory, findings);
        let (name, read_only) = (service.name.to_string(), service.read_only);
        for file in &mut service.files {
            read(&mut file.value, findings);
            check(file, &name, read_only, findings);
        }
    }
}

/// `seccomp=file` becomes the profile itself: the Engine cannot read our files.
fn profiles(service: &mut Service, directory: &Path, findings: &mut Findings) {
    for option in &mut service.security {
        let path = option.strip_prefix("seccomp=").or_else(|| option.strip_prefix("seccomp:"));
        let Some(path) = path.filter(|path| !["unconfined", "builtin"].contains(path)) else { continue };
        let path = directory.join(path);
        let parsed = std::fs::read(&path).map_err(|why| why.to_string()).and_then(|text| {
            serde_json::from_slice::<serde_json::Value>(&text).map_err(|why| format!("it is not JSON: {why}"))
        });
        match parsed {
            Ok(profile) => option.value = format!("seccomp={profile}"),
            Err(why) => {
                let message = format!("the seccomp profile {} cannot be read: {why}", path.display());
                findings.push(Finding::error(Code::FileUnreadable, message).at(option.span));
            }
        }
    }
}

fn read(file: &mut ServiceFile, findings: &mut Findings) {
    let needed = file.owner != FileOwner::default();
    let FileContent::Path(path, content) = &mut file.content else { return };
    match std::fs::read(&*path) {
        Ok(bytes) => *content = Some(Bytes::new(bytes)),
        // mounted as it is, it may well be on the Engine's host alone
        Err(why) if needed => {
            let message = format!("{} `{}` cannot be read from {}: {why}", word(file), file.source, shown(file));
            let help = "with `uid`, `gid` or `mode` it is copied into the container, and for that it has to be here";
            findings.push(Finding::error(Code::FileUnreadable, message).help(help));
        }
        Err(_) => {}
    }
}

fn shown(file: &ServiceFile) -> String {
    match &file.content {
        FileContent::Path(path, _) => path.display().to_string(),
        _ => String::new(),
    }
}

/// What cannot be done, as docker compose says it too.
fn check(file: &Spanned<ServiceFile>, service: &str, read_only: bool, findings: &mut Findings) {
    let (what, name) = (word(file), &file.source);
    let mut refuse = |code: Code, message: String, at: Span, help: &str| {
        findings.push(Finding::error(code, message).at(at).help(help));
    };
    match &file.content {
        FileContent::Nowhere => {
            let message = format!("{what} `{name}` of {service} is external, and only a Swarm keeps such");
            refuse(
                Code::NotSupported,
                message,
                file.span,
                "give it a `file`, an `environment` variable or, for a config, `content`",
            );
        }
        FileContent::Unset(variable) => {
            let message = format!("{what} `{name}` of {service}: the environment variable {variable} is not set");
            refuse(Code::RequiredVariable, message, file.span, "set it, or give another source");
        }
        FileContent::Text(_) if read_only => {
            let message = format!("{what} `{name}` cannot be put into {service}, whose root file system is read-only");
            refuse(Code::NotSupported, message, file.span, "give it as a `file`, which is mounted");
        }
        FileContent::Path(..) if read_only && file.owner != FileOwner::default() => {
            let message = format!(
                "`uid`, `gid` and `mode` of {what} `{name}` do not hold in {service}, whose root file system is read-only"
            );
            let finding = Finding::warning(Code::Conflict, message).at(file.span);
            findings.push(finding.help("the file is mounted as it is: give it the owner and the mode on the host"));
        }
        FileContent::Text(_) | FileContent::Path(..) => {}
    }
}

fn word(file: &ServiceFile) -> &'static str {
    file.kind.section().trim_end_matches('s')
}

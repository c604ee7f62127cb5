//! What a stack brings along to the Engine besides its words: the contents of configs and secrets, security profiles, and the way to the
//! Engine itself (`use_api_socket`).
//!
//! Looked for only by commands that need it: `up` and `plan` ([`contents`]) and `build` ([`builds`]). `config`, `pull`,
//! `graph`, `down` need none of it.

use std::path::Path;

use super::model::{
    ApiSocket, BuildSecret, Bytes, FileContent, FileKind, FileOwner, Mount, Project, Service, ServiceFile,
};
use super::tree;
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};
use crate::yaml::{Mapping, Node};

/// Where such a service has the socket, its configuration's directory, and the variable that names that.
const SOCKET: &str = "/var/run/docker.sock";
const CONFIGURATION: &str = "/run/secrets/docker";
const VARIABLE: &str = "DOCKER_CONFIG";

/// Reads everything that containers need. What cannot be had is found. `way` is asked where a service wants to speak to the Engine.
pub fn contents(project: &mut Project, way: &dyn Fn() -> Result<ApiSocket, String>, findings: &mut Findings) {
    api_socket(project, way, findings);
    let directory = project.working_dir.clone();
    for service in project.services.values_mut() {
        profiles(service, &directory, findings);
        let name = service.name.to_string();
        for file in &mut service.files {
            read(&mut file.value, findings);
            check(file, &name, findings);
        }
    }
}

/// Gives services with `use_api_socket` what docker compose 2.40.3 gives them: the socket, and a config with the credentials, unless they have a
/// docker configuration of their own. The tree gets what docker compose has there, for the hash is of it: always the default socket.
fn api_socket(project: &mut Project, way: &dyn Fn() -> Result<ApiSocket, String>, findings: &mut Findings) {
    let mut asked = None;
    for service in project.services.values_mut() {
        let Some(at) = service.api_socket else { continue };
        let socket = match asked.get_or_insert_with(way) {
            Ok(socket) => socket,
            Err(why) => {
                let message = format!("services.{}.use_api_socket: {why}", service.name);
                findings.push(Finding::error(Code::NotSupported, message).at(at));
                continue;
            }
        };
        let (source, target) = (socket.path.display().to_string(), format!("{CONFIGURATION}/config.json"));
        service.mounts.push(Spanned::new(Mount::bind(&source, SOCKET), at));
        let content = FileContent::Text(socket.configuration.clone());
        let (kind, owner) = (FileKind::Config, FileOwner::default());
        let file = ServiceFile { kind, source: "use_api_socket".to_owned(), target: target.clone(), content, owner };
        service.files.push(Spanned::new(file, at));
        service.environment.entry(VARIABLE.to_owned()).or_insert_with(|| Some(CONFIGURATION.to_owned()));

        let own =
            tree::field_mut(&mut project.tree, "services").and_then(|all| tree::field_mut(all, service.name.as_str()));
        let Some(own) = own else { continue };
        tree::push(own, "volumes", &[("type", "bind"), ("source", SOCKET), ("target", SOCKET)], at);
        tree::push(own, "configs", &[("source", "#apisocket"), ("target", &target)], at);
        tree::set_default(own, "environment", |span| Node::map(span, Mapping::new()));
        if let Some(environment) = tree::field_mut(own, "environment") {
            tree::set_default(environment, VARIABLE, |span| Node::str(span, CONFIGURATION));
        }
    }
}

/// Looks whether the secrets of builds are there.
pub fn builds(project: &Project, findings: &mut Findings) {
    for build in project.services.values().chain(project.bases.values()).filter_map(|service| service.build.as_ref()) {
        build.buildkit.secrets.iter().filter_map(missing).for_each(|finding| findings.push(finding));
    }
}

fn missing(secret: &BuildSecret) -> Option<Finding> {
    let name = &secret.source;
    let finding = match &secret.content {
        FileContent::Text(_) => return None,
        FileContent::Path(path, _) => {
            let why = std::fs::metadata(path).err()?;
            let message = format!("secret `{name}` of the build cannot be read from {}: {why}", path.display());
            Finding::error(Code::FileUnreadable, message).help("put the file there, or name another")
        }
        // docker compose goes on too: only the Dockerfile knows whether it can do without
        FileContent::Unset(variable) => {
            let message = format!("secret `{name}` of the build: the environment variable {variable} is not set");
            Finding::warning(Code::UnsetVariable, message).help("set it; the build goes without it")
        }
        FileContent::Nowhere => {
            let message = format!("secret `{name}` of the build is external, and only a Swarm keeps such");
            Finding::error(Code::NotSupported, message).help("give it a `file` or an `environment` variable")
        }
    };
    Some(finding.at(secret.span))
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
fn check(file: &Spanned<ServiceFile>, service: &str, findings: &mut Findings) {
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
        FileContent::Text(_) | FileContent::Path(..) => {}
    }
}

fn word(file: &ServiceFile) -> &'static str {
    file.kind.section().trim_end_matches('s')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::load_text;
    use crate::finding::Severity;

    const TEXT: &str = "
services:
  a: {image: busybox, secrets: [unset]}
  b: {build: {context: /b, secrets: [unset, lost, outside]}}
secrets: {unset: {environment: NOBODY_SETS_THIS}, lost: {file: /no/such/file}, outside: {external: true}}
";

    fn told(findings: &Findings) -> Vec<(&'static str, Severity)> {
        findings.iter().map(|finding| (finding.code.text(), finding.severity)).collect()
    }

    #[test]
    fn a_file_can_be_read_whose_contents_are_nowhere() {
        let loaded = load_text("compose.yaml", TEXT);
        assert!(loaded.project.is_some() && !loaded.findings.has_errors());
    }

    #[test]
    fn containers_need_the_variables_of_their_secrets() {
        let (mut project, mut findings) = (load_text("compose.yaml", TEXT).project.unwrap(), Findings::new());
        contents(&mut project, &nowhere, &mut findings);
        assert_eq!(told(&findings), [("required-variable", Severity::Error)]);
    }

    fn nowhere() -> Result<ApiSocket, String> {
        Err("it is at tcp://far:2375".to_owned())
    }

    #[test]
    fn who_may_speak_to_the_engine_has_its_socket_and_credentials() {
        let text = "services: {a: {image: busybox, use_api_socket: true}, b: {image: busybox, use_api_socket: true, read_only: true,
            environment: {DOCKER_CONFIG: /mine}}, c: {image: busybox, use_api_socket: false}}";
        let load = || load_text("compose.yaml", text).project.unwrap();
        let (mut project, mut findings) = (load(), Findings::new());
        let way = || Ok(ApiSocket { path: "/run/my.sock".into(), configuration: Bytes::new(b"{}".as_slice()) });
        contents(&mut project, &way, &mut findings);
        assert!(findings.is_empty(), "{findings:?}");
        let seen = |name: &str| {
            let service = &project.services[name];
            let mounts = service.mounts.iter().map(|mount| mount.target.as_str());
            let files = service.files.iter().map(|file| file.target.as_str());
            let variable = service.environment.get(VARIABLE).cloned().flatten().unwrap_or_default();
            (mounts.chain(files).collect::<Vec<_>>(), variable)
        };
        assert_eq!(project.services["a"].mounts[0].value, Mount::bind("/run/my.sock", SOCKET));
        let both = vec![SOCKET, "/run/secrets/docker/config.json"];
        assert_eq!(seen("a"), (both.clone(), CONFIGURATION.to_owned()));
        assert_eq!(seen("b"), (both, "/mine".to_owned()));
        assert_eq!(seen("c"), (vec![], String::new()));
        contents(&mut load(), &nowhere, &mut findings);
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        let said = |name| format!("services.{name}.use_api_socket: it is at tcp://far:2375");
        assert_eq!(messages, [said("a"), said("b")]);
    }

    #[test]
    fn builds_go_without_a_variable_but_not_without_a_file() {
        let (project, mut findings) = (load_text("compose.yaml", TEXT).project.unwrap(), Findings::new());
        builds(&project, &mut findings);
        let expected = [
            ("unset-variable", Severity::Warning),
            ("file-unreadable", Severity::Error),
            ("not-supported", Severity::Error),
        ];
        assert_eq!(told(&findings), expected);
    }
}

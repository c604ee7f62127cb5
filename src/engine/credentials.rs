//! Who we are to a registry: what the docker configuration (`config.json`) and its credential helpers know.
//!
//! The protocol of helpers: `docker-credential-NAME get`, the registry on its input, `{"Username", "Secret"}` on its output.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use bollard::auth::DockerCredentials;
use indexmap::IndexMap;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::Error;

/// The name that the configuration has for Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// What of the configuration is about registries.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Configuration {
    auths: IndexMap<String, Entry>,
    creds_store: String,
    cred_helpers: IndexMap<String, String>,
}

/// One registry: `user:password` in base64, or the two by themselves, or a token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What a helper answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// What is known for the registry of `image`; none where nobody has logged in.
///
/// # Errors
/// [`Error::Address`] for a configuration that cannot be read, and a helper that fails.
pub(super) async fn credentials(directory: &Path, image: &str) -> Result<Option<DockerCredentials>, Error> {
    let path = directory.join("config.json");
    let Ok(text) = std::fs::read(&path) else { return Ok(None) };
    let unreadable = |why| Error::Address(format!("the docker configuration {} cannot be read: {why}", path.display()));
    let configuration: Configuration = serde_json::from_slice(&text).map_err(unreadable)?;
    let registry = registry(image);
    let named = configuration.cred_helpers.get(registry).or_else(|| configuration.cred_helpers.get(host(registry)));
    let helper = named.unwrap_or(&configuration.creds_store);
    if !helper.is_empty()
        && let Some(found) = ask(Path::new(&format!("docker-credential-{helper}")), registry).await?
    {
        return Ok(Some(found));
    }
    let mut all = configuration.auths.iter();
    let entry = all.find(|(name, _)| host(name) == host(registry)).map(|(_, entry)| entry.clone());
    Ok(entry.and_then(|entry| from_entry(entry, registry)))
}

/// The registry of an image: what stands before the first `/`, if that can be a host.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => HUB,
    }
}

/// A registry as the configuration may name it, without scheme and path.
fn host(name: &str) -> &str {
    let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn from_entry(entry: Entry, registry: &str) -> Option<DockerCredentials> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(entry.auth.trim()).unwrap_or_default();
    let decoded = String::from_utf8(decoded).unwrap_or_default();
    let (username, password) = match decoded.split_once(':') {
        Some((user, password)) => (user.to_owned(), password.trim_end_matches('\0').to_owned()),
        None => (entry.username, entry.password),
    };
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let found = DockerCredentials {
        username: said(username),
        password: said(password),
        identitytoken: said(entry.identitytoken),
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    };
    (found.username.is_some() || found.identitytoken.is_some()).then_some(found)
}

/// Asks a helper; none where it has nothing for the registry.
async fn ask(program: &Path, registry: &str) -> Result<Option<DockerCredentials>, Error> {
    let failed = |why: String| Error::Address(format!("the credential helper {} failed: {why}", program.display()));
    let mut command = tokio::process::Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|why| failed(why.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // a helper that does not read has its answer already
        let _ = input.write_all(registry.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(|why| failed(why.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() {
        return if said.contains("credentials not found") { Ok(None) } else { Err(failed(said)) };
    }
    let answer: Answer = serde_json::from_str(&said).map_err(|why| failed(why.to_string()))?;
    let is_token = answer.username == "<token>";
    Ok(Some(DockerCredentials {
        username: (!is_token).then_some(answer.username),
        password: (!is_token).then(|| answer.secret.clone()),
        identitytoken: is_token.then_some(answer.secret),
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    }))
}

/// The Engine reads the header in the alphabet for URLs (RFC 4648, 5); bollard 0.21 writes the other one.
pub(super) fn for_urls(headers: &mut http::HeaderMap) {
    let Some(value) = headers.get("x-registry-auth").and_then(|value| value.to_str().ok()) else { return };
    if let Ok(value) = value.replace('+', "-").replace('/', "_").parse() {
        headers.insert("x-registry-auth", value);
    }
}

/// Where the configuration is: `DOCKER_CONFIG`, or `.docker` at home.
pub(super) fn directory(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(Path::new(&set("HOME")?).join(".docker")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_registry_is_what_can_be_a_host() {
        assert_eq!(registry("busybox"), HUB);
        assert_eq!(registry("library/busybox:1"), HUB);
        assert_eq!(registry("registry.example:5000/a/b"), "registry.example:5000");
        assert_eq!(registry("localhost/a"), "localhost");
        assert_eq!(host(HUB), "index.docker.io");
    }

    #[test]
    fn the_header_is_in_the_alphabet_that_the_engine_reads() {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-registry-auth", "a+b/c=".parse().unwrap());
        for_urls(&mut headers);
        assert_eq!(headers["x-registry-auth"], "a-b_c=");
    }

    #[tokio::test]
    async fn entries_are_found_by_their_host_and_helpers_go_before_them() {
        let directory = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(directory.path().join("config.json"), text).unwrap();
        assert!(credentials(directory.path(), "busybox").await.unwrap().is_none());
        write(
            r#"{"auths": {"https://registry.example/v2/": {"auth": "bWU6c2VjOnJldA=="},
            "https://index.docker.io/v1/": {"identitytoken": "t"}}}"#,
        );
        let found = credentials(directory.path(), "registry.example/x:1").await.unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("me"), Some("sec:ret")));
        let hub = credentials(directory.path(), "busybox").await.unwrap().unwrap();
        assert_eq!((hub.identitytoken.as_deref(), hub.serveraddress.as_deref()), (Some("t"), Some(HUB)));
        assert!(credentials(directory.path(), "other.example/x").await.unwrap().is_none());
        write("{");
        assert!(credentials(directory.path(), "busybox").await.unwrap_err().to_string().contains("config.json"));
    }

    #[tokio::test]
    async fn a_helper_is_asked_for_the_registry() {
        let directory = tempfile::tempdir().unwrap();
        let helper = directory.path().join("helper");
        let script = "#!/bin/sh\nread registry\ncase $registry in\n  none) echo 'credentials not found in native keychain'; exit 1;;\n  bad) echo broken; exit 2;;\nesac\necho '{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"'$registry'\"}'\n";
        std::fs::write(&helper, script).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        let found = ask(&helper, "registry.example").await.unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("u"), Some("registry.example")));
        assert!(ask(&helper, "none").await.unwrap().is_none());
        assert!(ask(&helper, "bad").await.unwrap_err().to_string().contains("broken"));
    }
}

//! Who we are to a registry: what the docker configuration (`config.json`) and its credential helpers know.
//!
//! The protocol of helpers: `docker-credential-NAME get`, the registry on its input, `{"Username", "Secret"}` on its output; and
//! `list`, which gives a mapping from registries to users.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use indexmap::IndexMap;
use serde::Deserialize;

use super::Error;
use super::configuration::{Client, Configuration, Entry};
use crate::compose::model::is_registry;

/// The name that the configuration has for Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

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
pub(super) async fn credentials(client: &Arc<Client>, image: &str) -> Result<Option<DockerCredentials>, Error> {
    let (client, image) = (client.clone(), image.to_owned());
    // a helper may ask its user
    let asked = tokio::task::spawn_blocking(move || find(&client, &image)).await;
    asked.map_err(|why| Error::Stream(Arc::new(std::io::Error::other(why))))?
}

/// A configuration of its own with all that is known of registries, for whoever cannot ask the helpers.
///
/// # Errors
/// [`Error::Address`] for a configuration that cannot be read, and a helper that fails.
pub(super) fn all(directory: Option<&Path>) -> Result<Vec<u8>, Error> {
    let configuration = Configuration::read(directory)?;
    let mut found: Vec<(String, DockerCredentials)> = vec![];
    match configuration.creds_store.as_str() {
        "" => {
            let entries = configuration.auths.into_iter();
            found.extend(entries.filter_map(|(name, entry)| Some((name.clone(), from_entry(entry, &name)?))));
        }
        store => {
            for registry in list(&helper(store))? {
                let known = ask(&helper(store), &registry)?;
                found.extend(known.map(|known| (registry, known)));
            }
        }
    }
    for (registry, name) in configuration.cred_helpers {
        let known = ask(&helper(&name), &registry)?;
        found.extend(known.map(|known| (registry, known)));
    }
    let auths: IndexMap<String, Entry> = found.into_iter().map(|(name, known)| (name, to_entry(known))).collect();
    let written = serde_json::to_vec_pretty(&serde_json::json!({ "auths": auths }));
    written.map_err(|why| Error::Stream(Arc::new(std::io::Error::other(why))))
}

fn find(client: &Client, image: &str) -> Result<Option<DockerCredentials>, Error> {
    let registry = registry(image);
    if let Some(found) = entry(&client.logins, registry) {
        return Ok(Some(found));
    }
    let configuration = Configuration::read(client.directory.as_deref())?;
    let named = configuration.cred_helpers.get(registry).or_else(|| configuration.cred_helpers.get(host(registry)));
    let name = named.unwrap_or(&configuration.creds_store);
    if !name.is_empty()
        && let Some(found) = ask(&helper(name), registry)?
    {
        return Ok(Some(found));
    }
    Ok(entry(&configuration.auths, registry))
}

/// What a list of registries has for one.
fn entry(all: &IndexMap<String, Entry>, registry: &str) -> Option<DockerCredentials> {
    let (_, found) = all.iter().find(|(name, _)| host(name) == host(registry))?;
    from_entry(found.clone(), registry)
}

/// The registry of an image: what stands before the first `/`, if that can be a host.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if is_registry(first) => first,
        _ => HUB,
    }
}

/// A registry as the configuration may name it, without scheme and path.
fn host(name: &str) -> &str {
    let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn from_entry(entry: Entry, registry: &str) -> Option<DockerCredentials> {
    let decoded = STANDARD.decode(entry.auth.trim()).unwrap_or_default();
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

/// The same as the configuration writes it.
fn to_entry(known: DockerCredentials) -> Entry {
    let pair = |user: String| format!("{user}:{}", known.password.unwrap_or_default());
    let auth = known.username.map(|user| STANDARD.encode(pair(user))).unwrap_or_default();
    Entry { auth, identitytoken: known.identitytoken.unwrap_or_default(), ..Entry::default() }
}

/// The program of a helper.
fn helper(name: &str) -> PathBuf {
    PathBuf::from(format!("docker-credential-{name}"))
}

/// Has a helper do something: what it says, and whether it succeeded.
fn call(program: &Path, verb: &str, input: &str) -> Result<(bool, String), Error> {
    let mut command = Command::new(program);
    command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| failed(program, &why))?;
    if let Some(mut stdin) = child.stdin.take() {
        // a helper that does not read has its answer already
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|why| failed(program, &why))?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

fn failed(program: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Address(format!("the credential helper {} failed: {why}", program.display()))
}

/// The registries that a helper knows.
fn list(program: &Path) -> Result<Vec<String>, Error> {
    let (succeeded, said) = call(program, "list", "")?;
    if !succeeded {
        return Err(failed(program, &said));
    }
    let known: IndexMap<String, serde_json::Value> =
        serde_json::from_str(&said).map_err(|why| failed(program, &why))?;
    Ok(known.into_keys().collect())
}

/// Asks a helper; none where it has nothing for the registry.
fn ask(program: &Path, registry: &str) -> Result<Option<DockerCredentials>, Error> {
    let (succeeded, said) = call(program, "get", registry)?;
    if !succeeded {
        return if said.contains("credentials not found") { Ok(None) } else { Err(failed(program, &said)) };
    }
    let answer: Answer = serde_json::from_str(&said).map_err(|why| failed(program, &why))?;
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
        let client = Arc::new(Client { directory: Some(directory.path().into()), ..Client::default() });
        assert!(credentials(&client, "busybox").await.unwrap().is_none());
        write(
            r#"{"auths": {"https://registry.example/v2/": {"auth": "bWU6c2VjOnJldA=="},
            "https://index.docker.io/v1/": {"identitytoken": "t"}}}"#,
        );
        let found = credentials(&client, "registry.example/x:1").await.unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("me"), Some("sec:ret")));
        let hub = credentials(&client, "busybox").await.unwrap().unwrap();
        assert_eq!((hub.identitytoken.as_deref(), hub.serveraddress.as_deref()), (Some("t"), Some(HUB)));
        assert!(credentials(&client, "other.example/x").await.unwrap().is_none());
        let logins =
            serde_json::from_str(r#"{"registry.example": {"username": "by", "password": "variable"}}"#).unwrap();
        let first = Arc::new(Client { directory: client.directory.clone(), logins, ..Client::default() });
        let found = credentials(&first, "registry.example/x:1").await.unwrap().unwrap();
        assert_eq!(found.username.as_deref(), Some("by"));
        assert!(credentials(&first, "busybox").await.unwrap().unwrap().identitytoken.is_some());
        write("{");
        assert!(credentials(&client, "busybox").await.unwrap_err().to_string().contains("config.json"));
    }

    #[test]
    fn a_helper_is_asked_for_the_registry() {
        let directory = tempfile::tempdir().unwrap();
        let helper = directory.path().join("helper");
        let script = "#!/bin/sh\n[ $1 = list ] && { echo '{\"registry.example\": \"u\"}'; exit; }\nread registry\ncase $registry in\n  none) echo 'credentials not found in native keychain'; exit 1;;\n  bad) echo broken; exit 2;;\nesac\necho '{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"'$registry'\"}'\n";
        std::fs::write(&helper, script).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        let found = ask(&helper, "registry.example").unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("u"), Some("registry.example")));
        assert_eq!(list(&helper).unwrap(), ["registry.example"]);
        assert!(ask(&helper, "none").unwrap().is_none());
        assert!(ask(&helper, "bad").unwrap_err().to_string().contains("broken"));
    }

    #[test]
    fn all_that_is_known_can_be_handed_on() {
        let directory = tempfile::tempdir().unwrap();
        let text = r#"{"auths": {"a.example": {"username": "me", "password": "it"}, "b.example": {"identitytoken": "t"}, "c.example": {}},
            "HttpHeaders": {"X-Meta": "mine"}}"#;
        std::fs::write(directory.path().join("config.json"), text).unwrap();
        let handed: serde_json::Value = serde_json::from_slice(&all(Some(directory.path())).unwrap()).unwrap();
        let expected =
            serde_json::json!({"auths": {"a.example": {"auth": "bWU6aXQ="}, "b.example": {"identitytoken": "t"}}});
        assert_eq!(handed, expected);
        assert_eq!(all(None).unwrap(), b"{\n  \"auths\": {}\n}");
    }
}

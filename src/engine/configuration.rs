//! The docker command's own configuration: `config.json` in `DOCKER_CONFIG` or `~/.docker`, and the variables that stand for parts of it.
//! What it says of an Engine holds for bowline as well: the context, who we are to registries, headers, and the proxies that containers and
//! builds are told of (<https://docs.docker.com/engine/cli/proxy>).

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue};
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

use super::connect::Address;
use super::error::Error;

/// The variable with headers for every request, instead of those of the file: `NAME=VALUE,"NAME=VALUE"`.
const HEADERS: &str = "DOCKER_CUSTOM_HEADERS";
/// The variable with names at registries, before those of the file.
const LOGINS: &str = "DOCKER_AUTH_CONFIG";

/// What of the file is anything to us. A part that is null is one that is not there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Configuration {
    #[serde(deserialize_with = "or_nothing")]
    pub auths: IndexMap<String, Entry>,
    #[serde(deserialize_with = "or_nothing")]
    pub creds_store: String,
    #[serde(deserialize_with = "or_nothing")]
    pub cred_helpers: IndexMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    pub current_context: String,
    #[serde(deserialize_with = "or_nothing")]
    cli_plugins_extra_dirs: Vec<PathBuf>,
    #[serde(rename = "HttpHeaders", deserialize_with = "or_nothing")]
    headers: IndexMap<String, String>,
    /// By the address of an Engine, or `default`.
    #[serde(deserialize_with = "or_nothing")]
    proxies: IndexMap<String, Proxies>,
}

/// One registry: `user:password` in base64, or the two by themselves, or a token.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Entry {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth: String,
    #[serde(skip_serializing)]
    pub username: String,
    #[serde(skip_serializing)]
    pub password: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identitytoken: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Proxies {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

/// What the configuration has for one Engine.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// Where the file is.
    pub directory: Option<PathBuf>,
    /// Where plugins of the docker command are looked for before its usual places.
    pub plugins: Vec<PathBuf>,
    /// Names at registries that are asked before those of the file.
    pub logins: IndexMap<String, Entry>,
    /// Variables for containers and builds that do not say these themselves, each in capitals and in small letters.
    pub proxies: Vec<(String, String)>,
}

fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(source: D) -> Result<T, D::Error> {
    Option::deserialize(source).map(Option::unwrap_or_default)
}

/// Where the configuration is: `DOCKER_CONFIG`, or `.docker` at home.
pub(super) fn directory(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(Path::new(&set("HOME")?).join(".docker")))
}

impl Configuration {
    /// That of a directory; an empty one where there is no directory, or no file that may be read in it.
    ///
    /// # Errors
    /// [`Error::Address`] for a file that is not what it should be.
    pub(super) fn read(directory: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = directory.map(|directory| directory.join("config.json")) else { return Ok(Self::default()) };
        let Ok(text) = std::fs::read(&path) else { return Ok(Self::default()) };
        let unreadable =
            |why| Error::Address(format!("the docker configuration {} cannot be read: {why}", path.display()));
        serde_json::from_slice(&text).map_err(unreadable)
    }

    /// Headers for every request.
    ///
    /// # Errors
    /// [`Error::Address`] for what cannot be one.
    pub(super) fn headers(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<HeaderMap, Error> {
        let bad = |what: &str| Error::Address(format!("`{what}` is no header for the Engine: NAME=VALUE is one"));
        let pair = |(name, value): (&str, &str)| {
            let name: HeaderName = name.trim().parse().ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        match environment(HEADERS).filter(|text| !text.is_empty()) {
            Some(text) => fields(&text)
                .iter()
                .map(|field| field.split_once('=').and_then(pair).ok_or_else(|| bad(field)))
                .collect(),
            None => self
                .headers
                .iter()
                .map(|(name, value)| pair((name, value)).ok_or_else(|| bad(&format!("{name}={value}"))))
                .collect(),
        }
    }

    /// What is for the Engine at `address`.
    ///
    /// # Errors
    /// [`Error::Address`] for a `DOCKER_AUTH_CONFIG` that is not what it should be.
    pub(super) fn client(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
        address: &Address,
    ) -> Result<Client, Error> {
        let logins = match environment(LOGINS).filter(|text| !text.is_empty()) {
            Some(text) => {
                serde_json::from_str::<Self>(&text)
                    .map_err(|why| Error::Address(format!("{LOGINS} cannot be read: {why}")))?
                    .auths
            }
            None => IndexMap::new(),
        };
        let (directory, plugins) = (directory(environment), self.cli_plugins_extra_dirs.clone());
        Ok(Client { directory, plugins, logins, proxies: self.proxies(&address.to_string()) })
    }

    fn proxies(&self, address: &str) -> Vec<(String, String)> {
        let Some(all) = self.proxies.get(address).or_else(|| self.proxies.get("default")) else { return vec![] };
        let said = [
            ("HTTP_PROXY", &all.http_proxy),
            ("HTTPS_PROXY", &all.https_proxy),
            ("NO_PROXY", &all.no_proxy),
            ("FTP_PROXY", &all.ftp_proxy),
            ("ALL_PROXY", &all.all_proxy),
        ];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        said.flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_lowercase(), value.clone())])
            .collect()
    }
}

/// The fields of a line of comma-separated values; one in `"` may have commas in it.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        match (letter, fields.last_mut()) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => fields.push(String::new()),
            (letter, Some(field)) => field.push(letter),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn configuration(text: &str) -> Configuration {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn proxies_are_those_of_the_engine_or_the_default_ones() {
        let own = configuration(
            r#"{"proxies": {"default": {"httpProxy": "http://p", "noProxy": "a,b", "allProxy": ""}, "tcp://box:2375": {"ftpProxy": "f"}}}"#,
        );
        let of = |address: Address| {
            let all = own.client(&nothing, &address).unwrap().proxies;
            all.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        let unix = Address::Unix("/var/run/docker.sock".into());
        assert_eq!(of(unix), "HTTP_PROXY=http://p http_proxy=http://p NO_PROXY=a,b no_proxy=a,b");
        assert_eq!(of(Address::Tcp { host: "box".into(), port: 2375, tls: None }), "FTP_PROXY=f ftp_proxy=f");
    }

    #[test]
    fn headers_are_those_of_the_variable_or_of_the_file() {
        let own = configuration(r#"{"HttpHeaders": {"X-Meta": "mine"}, "auths": null}"#);
        let said = |variable: &str| {
            own.headers(&|name| (name == HEADERS).then(|| variable.to_owned())).map(|all| format!("{all:?}"))
        };
        assert_eq!(said("").unwrap(), r#"{"x-meta": "mine"}"#);
        assert_eq!(said(r#"one=1,"two=a,b""#).unwrap(), r#"{"one": "1", "two": "a,b"}"#);
        for wrong in ["one", "=1", "a b=1", "one=1,"] {
            assert!(said(wrong).unwrap_err().to_string().contains("is no header"), "{wrong}");
        }
    }

    #[test]
    fn what_is_there_and_wrong_is_said() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Configuration::read(Some(directory.path())).is_ok());
        std::fs::write(directory.path().join("config.json"), "{").unwrap();
        let said = Configuration::read(Some(directory.path())).unwrap_err().to_string();
        assert!(said.contains("config.json"), "{said}");
        let wrong = |name: &str| (name == LOGINS).then(|| "{".to_owned());
        let said = Configuration::default().client(&wrong, &Address::Unix("/x".into())).unwrap_err().to_string();
        assert!(said.contains(LOGINS), "{said}");
    }
}

//! Where the Engine is: `DOCKER_HOST`, the docker context, or the default socket, as the docker command finds it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::configuration::{self, Configuration};
use super::credentials;
use super::error::Error;
use super::tls::Tls;
use crate::compose::model::{ApiSocket, Bytes};

/// The socket of an Engine on this machine.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// How an Engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// TCP, secured or plain.
    Tcp {
        /// Name or address.
        host: String,
        /// Port; where none is given 2376 with TLS, and 2375 without.
        port: u16,
        /// What it is secured with.
        tls: Option<Tls>,
    },
    /// `docker system dial-stdio` on another machine.
    Ssh {
        /// `user@host` or `host`.
        host: String,
        /// The port, where it is not ssh's own choice.
        port: Option<u16>,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh { host, port: Some(port) } => write!(f, "ssh://{host}:{port}"),
            Self::Ssh { host, port: None } => write!(f, "ssh://{host}"),
        }
    }
}

/// `contexts/meta/<sha256 of the name>/meta.json`.
#[derive(Debug, Deserialize)]
struct Context {
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Debug, Default, Deserialize)]
struct Endpoints {
    #[serde(default)]
    docker: Option<DockerEndpoint>,
}

#[derive(Debug, Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// Finds the address: `DOCKER_HOST`, `DOCKER_CONTEXT`, the configuration's `currentContext`, the default socket, in this
/// order (docker's own). `environment` answers for the process's variables.
///
/// # Errors
/// [`Error::Address`] when the context is not there, or what is found is no address.
pub fn find(environment: &dyn Fn(&str) -> Option<String>) -> Result<Address, Error> {
    find_by(environment, &Configuration::read(configuration::directory(environment).as_deref())?)
}

/// The same, where the configuration is known.
pub(super) fn find_by(
    environment: &dyn Fn(&str) -> Option<String>,
    configuration: &Configuration,
) -> Result<Address, Error> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    let directory = configuration::directory(environment);
    if let Some(host) = set("DOCKER_HOST") {
        let verify = set("DOCKER_TLS_VERIFY").is_some();
        let wanted = verify || set("DOCKER_TLS").is_some() || host.starts_with("https://");
        let certificates = set("DOCKER_CERT_PATH").map(PathBuf::from).or(directory).unwrap_or_default();
        return parse(&host, wanted.then_some(Tls { directory: certificates, verify }));
    }
    let Some(directory) = directory else { return Ok(Address::Unix(DEFAULT_SOCKET.into())) };
    let context = set("DOCKER_CONTEXT").unwrap_or_else(|| configuration.current_context.clone());
    match context.as_str() {
        "" | "default" => Ok(Address::Unix(DEFAULT_SOCKET.into())),
        name => from_context(&directory, name),
    }
}

/// What a service with `use_api_socket` gets of the Engine that `environment` names: that Engine's socket, and not whatever is at the default
/// path of its host (an Engine without root, or a second one, is elsewhere).
///
/// # Errors
/// [`Error::Address`] for an Engine that is behind no socket of this machine, and credentials that cannot be had.
pub fn api_socket(environment: &dyn Fn(&str) -> Option<String>) -> Result<ApiSocket, Error> {
    match find(environment)? {
        Address::Unix(path) => {
            let configuration = credentials::all(configuration::directory(environment).as_deref())?;
            let path = on_its_host(path, environment("HOME").as_deref());
            Ok(ApiSocket { path, configuration: Bytes::new(configuration) })
        }
        other => Err(Error::Address(format!(
            "it needs an Engine behind a socket of this machine, and this one is at {other}"
        ))),
    }
}

/// Where the Engine itself has the socket that we see at `path`. One in the user's home belongs to a virtual machine (Docker Desktop, Colima,
/// Rancher Desktop), whose Engine has the default; another name of the default is the default, as docker compose writes it.
fn on_its_host(path: PathBuf, home: Option<&str>) -> PathBuf {
    let home = home.filter(|home| Path::new(home).components().count() > 1);
    let of_a_machine = home.is_some_and(|home| path.starts_with(home));
    let same = || {
        path.canonicalize()
            .ok()
            .filter(|real| Path::new(DEFAULT_SOCKET).canonicalize().is_ok_and(|default| *real == default))
    };
    if of_a_machine || same().is_some() { DEFAULT_SOCKET.into() } else { path }
}

fn from_context(directory: &Path, name: &str) -> Result<Address, Error> {
    let id = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let meta = directory.join("contexts/meta").join(&id).join("meta.json");
    let text = std::fs::read(&meta).map_err(|why| {
        Error::Address(format!("the docker context `{name}` cannot be read: {}: {why}", meta.display()))
    })?;
    let context: Context = serde_json::from_slice(&text)
        .map_err(|why| Error::Address(format!("the docker context `{name}` cannot be read: {why}")))?;
    let Some(endpoint) = context.endpoints.docker.filter(|endpoint| !endpoint.host.is_empty()) else {
        return Err(Error::Address(format!("the docker context `{name}` names no Engine")));
    };
    let certificates = directory.join("contexts/tls").join(&id).join("docker");
    let wanted = certificates.is_dir() || endpoint.skip_tls_verify || endpoint.host.starts_with("https://");
    let tls = Tls { directory: certificates, verify: !endpoint.skip_tls_verify };
    parse(&endpoint.host, wanted.then_some(tls))
}

/// Reads an address as `DOCKER_HOST` has it; `tls` is what secures it, where it is a TCP port.
///
/// # Errors
/// [`Error::Address`] for a scheme that is not spoken, and for what is no address.
pub fn parse(text: &str, tls: Option<Tls>) -> Result<Address, Error> {
    let bad = |why: &str| Error::Address(format!("`{text}` is not an Engine's address: {why}"));
    let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("unix://, tcp:// or ssh:// comes first"))?;
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Address::Unix(rest.into())),
        "unix" => Err(bad("the path of a socket starts with `/`")),
        "tcp" | "http" | "https" => {
            let (host, port) = host_and_port(rest.trim_end_matches('/')).ok_or_else(|| bad("host:port follows"))?;
            let port = port.unwrap_or(if tls.is_some() { 2376 } else { 2375 });
            Ok(Address::Tcp { host, port, tls })
        }
        "ssh" => {
            let rest = rest.trim_end_matches('/');
            if rest.contains('/') {
                return Err(bad("an ssh:// address has no path"));
            }
            let (host, port) = host_and_port(rest).ok_or_else(|| bad("[user@]host[:port] follows"))?;
            if host.starts_with('-') {
                return Err(bad("a host does not start with `-`"));
            }
            Ok(Address::Ssh { host, port })
        }
        _ => Err(bad(&format!("bowline speaks unix://, tcp:// and ssh://, not {scheme}://"))),
    }
}

/// `host`, `host:port`, `[v6]:port`.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn find_with(variables: &[(&str, &str)]) -> Result<Address, Error> {
        let map: BTreeMap<&str, &str> = variables.iter().copied().collect();
        find(&|name| map.get(name).map(|v| (*v).to_owned()))
    }

    #[test]
    fn a_container_gets_the_socket_where_its_engine_has_it() {
        let given = |path: &str, home| on_its_host(path.into(), home).display().to_string();
        assert_eq!(given("/run/user/1000/docker.sock", Some("/home/me")), "/run/user/1000/docker.sock");
        assert_eq!(given("/home/me/.docker/run/docker.sock", Some("/home/me")), DEFAULT_SOCKET);
        for home in [Some("/"), Some(""), None] {
            assert_eq!(given("/run/other.sock", home), "/run/other.sock", "{home:?}");
        }
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        let parse = |text: &str| parse(text, None);
        let tcp = |host: &str, port| Address::Tcp { host: host.into(), port, tls: None };
        assert_eq!(parse("unix:///run/d.sock").unwrap(), Address::Unix("/run/d.sock".into()));
        assert_eq!(parse("tcp://10.0.0.1:2376").unwrap(), tcp("10.0.0.1", 2376));
        assert_eq!(parse("tcp://[::1]:99/").unwrap(), tcp("::1", 99));
        assert_eq!(parse("tcp://box").unwrap(), tcp("box", 2375));
        assert_eq!(parse("ssh://me@box:22").unwrap(), Address::Ssh { host: "me@box".into(), port: Some(22) });
        for wrong in
            ["box:2375", "unix://relative", "tcp://", "tcp://h:x", "ssh://h/path", "ssh://-oProxy=x", "npipe:////./x"]
        {
            assert!(matches!(parse(wrong), Err(Error::Address(_))), "{wrong}");
        }
        assert_eq!(tcp("::1", 99).to_string(), "tcp://[::1]:99");
    }

    #[test]
    fn certificates_come_from_where_docker_looks_for_them() {
        let found = |variables: &[(&str, &str)]| match find_with(variables).unwrap() {
            Address::Tcp { tls, port, .. } => (port, tls.map(|tls| (tls.directory.display().to_string(), tls.verify))),
            other => panic!("{other:?}"),
        };
        let (host, home) = (("DOCKER_HOST", "tcp://box"), ("HOME", "/home/me"));
        assert_eq!(found(&[host, home]), (2375, None));
        let verify = ("DOCKER_TLS_VERIFY", "1");
        assert_eq!(found(&[host, home, verify]), (2376, Some(("/home/me/.docker".into(), true))));
        assert_eq!(found(&[host, verify, ("DOCKER_CERT_PATH", "/certs")]), (2376, Some(("/certs".into(), true))));
        assert_eq!(found(&[host, home, ("DOCKER_TLS", "1")]), (2376, Some(("/home/me/.docker".into(), false))));
        assert_eq!(found(&[("DOCKER_HOST", "https://box:1"), home]).0, 1);
    }

    #[test]
    fn the_environment_wins_over_the_context_and_the_context_over_the_default() {
        let directory = std::env::temp_dir().join(format!("bowline-context-{}", std::process::id()));
        let id = Sha256::digest(b"box").iter().map(|b| format!("{b:02x}")).collect::<String>();
        let meta = directory.join("contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(meta.join("meta.json"), r#"{"Name":"box","Endpoints":{"docker":{"Host":"ssh://box"}}}"#)
            .unwrap();
        std::fs::write(directory.join("config.json"), r#"{"auths":{},"currentContext":"box"}"#).unwrap();
        let config = ("DOCKER_CONFIG", directory.to_str().unwrap());

        let ssh = Address::Ssh { host: "box".into(), port: None };
        assert_eq!(find_with(&[config]).unwrap(), ssh);
        assert_eq!(find_with(&[config, ("DOCKER_CONTEXT", "default")]).unwrap(), Address::Unix(DEFAULT_SOCKET.into()));
        assert_eq!(find_with(&[config, ("DOCKER_HOST", "unix:///x")]).unwrap(), Address::Unix("/x".into()));
        assert!(find_with(&[config, ("DOCKER_CONTEXT", "gone")]).unwrap_err().to_string().contains("`gone`"));

        let certificates = directory.join("contexts/tls").join(&id).join("docker");
        std::fs::create_dir_all(&certificates).unwrap();
        let secured = r#"{"Endpoints":{"docker":{"Host":"tcp://box","SkipTLSVerify":true}}}"#;
        std::fs::write(meta.join("meta.json"), secured).unwrap();
        let tls = Some(Tls { directory: certificates, verify: false });
        assert_eq!(find_with(&[config]).unwrap(), Address::Tcp { host: "box".into(), port: 2376, tls });
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(find_with(&[config]).unwrap(), Address::Unix(DEFAULT_SOCKET.into()));
    }
}

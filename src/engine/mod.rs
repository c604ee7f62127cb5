//! The Docker Engine: the only module that speaks its API, and the only one that names bollard.
//!
//! Reads go into lenient types of ours, because an unknown word must not fail a list; writes use bollard's models. Everything
//! travels on one pooled [`transport`](self) that puts the negotiated API version in front of each path.

mod archive;
mod attach;
mod build;
mod call;
mod configuration;
mod connect;
mod credentials;
mod decode;
mod encode;
mod ends;
mod error;
mod exec;
mod fill;
mod follow;
mod inventory;
mod life;
mod list;
mod observe;
mod pack;
mod registry;
mod sidecar;
mod stats;
mod stream;
mod tls;
mod transport;
mod write;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::state::observed::EngineFacts;
pub use archive::{Commit, Download, PathStat};
pub use attach::Attachment;
pub use build::BuildCheck;
use call::Call;
use configuration::{Client, Configuration};
pub use connect::{Address, api_socket, find, parse};
pub use encode::Creation;
pub use ends::{Ends, Piece};
pub use error::Error;
pub use exec::{Exec, ExecSpec};
pub use follow::{Follower, Line, Lines, Origin, Output};
pub use inventory::{ImageDetails, Processes, VolumeDetails};
pub use life::{Life, OwnCheck};
pub use list::{Listed, ListedPort};
pub use observe::{Facts, Scope, Survey};
pub use pack::{Archive, add, pack};
pub use registry::LayerProgress;
pub use sidecar::{Sidecar, SidecarSpec};
pub use stats::Usage;
pub use stream::{Channel, Event, Events, LogOptions, Logs};
pub use tls::Tls;
use transport::Transport;
pub use transport::{Exchange, Gate, Log};
pub use write::{Effect, Ending};

/// The newest API that bowline knows. What an Engine can do beyond it is not asked for.
pub const NEWEST_API: (u32, u32) = (1, 51);
/// The oldest that it works with: Engine 20.10.
pub const OLDEST_API: (u32, u32) = (1, 40);

/// How an Engine is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// Refuses every call that could change something.
    pub read_only: bool,
    /// A version that the user asks for (`DOCKER_API_VERSION`), instead of the newest that both know.
    pub api: Option<(u32, u32)>,
    /// Sees every request before it leaves.
    pub gate: Option<Gate>,
    /// Sees every answer.
    pub log: Option<Log>,
    /// Sent with every request.
    pub headers: http::HeaderMap,
}

/// One Engine that answered.
#[derive(Clone)]
pub struct Engine {
    transport: Arc<Transport>,
    /// For the calls that upgrade or stream; it travels on the same transport.
    docker: bollard::Docker,
    address: Address,
    facts: EngineFacts,
    /// When it was opened, in seconds by its own clock.
    clock: Option<i64>,
    /// What the docker configuration has for it: our names at registries, proxies.
    client: Arc<Client>,
    /// How buildx is called, once somebody has looked for it.
    buildx: Arc<OnceCell<Option<build::Buildx>>>,
    /// The answer to [`Engine::all_facts`], where that was asked for before it is wanted.
    foreseen: Arc<Mutex<Option<observe::Foreseen>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("address", &self.address).field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Engine {
    /// Finds the Engine as the docker command does (see [`find`]), and opens it.
    ///
    /// # Errors
    /// [`Error::Address`], and those of [`Engine::open`].
    pub async fn connect(environment: &dyn Fn(&str) -> Option<String>, mut options: Options) -> Result<Self, Error> {
        if let Some(text) = environment("DOCKER_API_VERSION").filter(|text| !text.is_empty()) {
            let bad = || Error::Address(format!("DOCKER_API_VERSION is `{text}`, which is not a version like 1.41"));
            options.api = Some(version(&text).ok_or_else(bad)?);
        }
        let configuration = Configuration::read(configuration::directory(environment).as_deref())?;
        let address = connect::find_by(environment, &configuration)?;
        let client = Arc::new(configuration.client(environment, &address)?);
        options.headers.extend(configuration.headers(environment)?);
        Ok(Self { client, ..Self::open(address, options).await? })
    }

    /// Opens the Engine at `address` with one question, `GET /_ping`, whose answer carries version and API.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody answers, [`Error::TooOld`] when the Engine's API is older than ours can be.
    pub async fn open(address: Address, options: Options) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(address.clone(), options.clone())?);
        let docker = by_bollard(transport.clone())?;
        let (facts, client, buildx, foreseen) = <_>::default();
        let mut engine = Self { transport, docker, address, facts, clock: None, client, buildx, foreseen };
        let answer =
            engine.head(Call::get("/_ping"), Bytes::new()).await.map_err(|why| nobody(&engine.address, why))?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let has = version(header("api-version")).unwrap_or(OLDEST_API);
        let api = options.api.unwrap_or(NEWEST_API.min(has));
        if api < OLDEST_API {
            return Err(Error::TooOld { what: "bowline".into(), needs: OLDEST_API, has: api });
        }
        engine.transport.set_api(api);
        engine.facts = EngineFacts {
            version: server_version(header("server")).to_owned(),
            api,
            swarm_manager: header("swarm") == "active/manager",
            podman: header("server").starts_with("Libpod/"),
            ..EngineFacts::default()
        };
        engine.clock = jiff::fmt::rfc2822::parse(header("date")).ok().map(|date| date.timestamp().as_second());
        engine.body_of(answer, "GET /_ping").await?;
        Ok(engine)
    }

    /// What its first answer said: version, API, Swarm. [`Engine::all_facts`] asks for the rest.
    pub fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    /// When it was opened, in seconds since 1970 by its own clock, rounded down; none where its answer had no date.
    pub fn clock(&self) -> Option<i64> {
        self.clock
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The negotiated API version.
    pub fn api(&self) -> (u32, u32) {
        self.facts.api
    }
}

/// What a first question that broke means: nobody there who speaks the Engine's API, or somebody who speaks it by TLS.
fn nobody(address: &Address, error: Error) -> Error {
    let why = match (error, address) {
        (Error::Broken { why, .. } | Error::Refused { status: 400, message: why }, Address::Tcp { tls: None, .. }) => {
            format!("{why}; if it speaks TLS, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH are for that")
        }
        (Error::Broken { why, .. }, _) => why,
        (other, _) => return other,
    };
    Error::Unreachable { address: address.to_string(), why }
}

/// bollard on our transport. Its own limit of time is far away: a pull, a stop or a load takes as long as it takes.
fn by_bollard(transport: Arc<Transport>) -> Result<bollard::Docker, Error> {
    let send = move |mut request: bollard::BollardRequest| {
        credentials::for_urls(request.headers_mut());
        let transport = transport.clone();
        async move { transport.send(request).await.map_err(|error| std::io::Error::other(error).into()) }
    };
    let a_day = 24 * 60 * 60;
    Ok(bollard::Docker::connect_with_custom_transport(
        send,
        Some("http://engine"),
        a_day,
        bollard::API_DEFAULT_VERSION,
    )?)
}

/// `1.41` as numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `28.5.2` of `Docker/28.5.2+dfsg4 (linux)`, the `Server` header of moby since 1.12.
fn server_version(header: &str) -> &str {
    let product = header.split(' ').next().unwrap_or_default();
    product.split_once('/').map_or("", |(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_headers() {
        assert_eq!(version("1.51"), Some((1, 51)));
        assert_eq!(version("v1.9"), Some((1, 9)));
        assert_eq!(version(""), None);
        assert_eq!(server_version("Docker/28.5.2+dfsg4 (linux)"), "28.5.2+dfsg4");
        assert_eq!(server_version("Libpod/4.9.3 (linux)"), "4.9.3");
        assert_eq!(server_version(""), "");
    }
}

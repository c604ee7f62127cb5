//! The calls that change something, one method each. "Already there", "already gone" and "already stopped" are outcomes.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use super::call::{Call, segment};
use super::encode::{self, Creation};
use super::{Engine, Error};
use crate::name::{ContainerId, NetworkId, ProjectName};
use crate::state::desired::{DesiredNetwork, DesiredVolume};
use crate::state::settings::{EndpointSettings, FileSettings, Settings};

/// What a call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What it was asked for.
    Done,
    /// Nothing: it was so before.
    Already,
}

/// No body.
const NOTHING: Option<&()> = None;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

/// The id in the answer to a `create`.
pub(super) fn created(answer: &[u8], request: &str) -> Result<ContainerId, Error> {
    Ok(ContainerId::from_engine(read_created(answer, request)?.id))
}

/// The answer to a `wait`.
#[derive(Deserialize)]
struct Ended {
    #[serde(rename = "StatusCode")]
    code: i64,
}

/// The end of a container that is waited for.
pub struct Ending<'a> {
    engine: &'a Engine,
    answer: http::Response<hyper::body::Incoming>,
}

impl Ending<'_> {
    /// Waits for it: the exit code.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn code(self) -> Result<i64, Error> {
        let name = "POST /containers/wait";
        let answer = self.engine.body_of(self.answer, name).await?;
        let ended: Ended = serde_json::from_slice(&answer)
            .map_err(|why| Error::Unreadable { request: name.to_owned(), why: why.to_string() })?;
        Ok(ended.code)
    }
}

/// Engines before 25 make a second network of the same name unless they are asked not to.
#[derive(Serialize)]
struct NetworkBody {
    #[serde(flatten)]
    model: bollard::models::NetworkCreateRequest,
    #[serde(rename = "CheckDuplicate")]
    check_duplicate: bool,
}

impl Engine {
    /// `POST /networks/create`. A network of the name that belongs to `project` is taken for it, also one that a killed client asked
    /// for and that the Engine still makes: its pool is taken before it is listed.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the name is somebody else's; what the driver refuses.
    pub async fn create_network(
        &self,
        wanted: &DesiredNetwork,
        project: &ProjectName,
    ) -> Result<(NetworkId, Effect), Error> {
        let body = NetworkBody { model: encode::network(wanted), check_duplicate: true };
        match self.order(Call::post("/networks/create"), Some(&body)).await {
            Ok((_, answer)) => {
                let id = NetworkId::from_engine(read_created(&answer, "POST /networks/create")?.id);
                self.only_network(wanted, project, id).await
            }
            Err(error @ Error::Conflict(_)) => {
                Ok((self.own_network(wanted, project, &[0]).await?.ok_or(error)?, Effect::Already))
            }
            Err(error @ Error::Refused { .. }) if error.to_string().contains("overlap") => {
                let late = self.own_network(wanted, project, &[50, 150, 300, 600, 1200, 2400]).await?;
                Ok((late.ok_or(error)?, Effect::Already))
            }
            Err(error) => Err(error),
        }
    }

    /// The project's network of that name, looked for after each of these pauses, in milliseconds.
    async fn own_network(
        &self,
        wanted: &DesiredNetwork,
        project: &ProjectName,
        pauses: &[u64],
    ) -> Result<Option<NetworkId>, Error> {
        for pause in pauses {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            let mut there = self.networks().await?.into_iter();
            if let Some(own) = there.find(|network| network.name == wanted.name && network.belongs_to(project)) {
                return Ok(own.id);
            }
        }
        Ok(None)
    }

    /// The network that was made, or the project's own of the same name that was there a moment earlier: Engines before 25 make
    /// both when two ask at once (a killed bowline's last call and its successor's), and refuse the name as ambiguous ever after.
    async fn only_network(
        &self,
        wanted: &DesiredNetwork,
        project: &ProjectName,
        made: NetworkId,
    ) -> Result<(NetworkId, Effect), Error> {
        if self.facts().api >= (1, 44) {
            return Ok((made, Effect::Done));
        }
        let there = self.networks().await?.into_iter().filter(|n| n.name == wanted.name && n.belongs_to(project));
        let Some(other) = there.filter_map(|network| network.id).find(|id| *id != made) else {
            return Ok((made, Effect::Done));
        };
        self.remove_network(made.as_str()).await?;
        Ok((other, Effect::Already))
    }

    /// `DELETE /networks/{id}`.
    ///
    /// # Errors
    /// [`Error::InUse`] while somebody is on it.
    pub async fn remove_network(&self, id: &str) -> Result<Effect, Error> {
        gone(self.order(Call::delete(&format!("/networks/{}", segment(id))), NOTHING).await)
    }

    /// `POST /networks/{id}/connect` with the whole endpoint.
    ///
    /// # Errors
    /// What the Engine refuses: an address that is taken, a network that is gone.
    pub async fn connect_container(
        &self,
        network: &str,
        container: &str,
        endpoint: &EndpointSettings,
    ) -> Result<Effect, Error> {
        let body = encode::connection(container, endpoint);
        let call = Call::post(&format!("/networks/{}/connect", segment(network)));
        already(self.order(call, Some(&body)).await, &["already exists in network"])
    }

    /// `POST /networks/{id}/disconnect`.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn disconnect_container(&self, network: &str, container: &str) -> Result<Effect, Error> {
        let body = encode::disconnection(container);
        let call = Call::post(&format!("/networks/{}/disconnect", segment(network)));
        already(gone(self.order(call, Some(&body)).await), &["is not connected to"])
    }

    /// `POST /volumes/create`; a volume of the name with the same driver and options is taken for it.
    ///
    /// # Errors
    /// What the driver refuses.
    pub async fn create_volume(&self, wanted: &DesiredVolume) -> Result<(), Error> {
        self.order(Call::post("/volumes/create"), Some(&encode::volume(wanted))).await.map(drop)
    }

    /// `DELETE /images/{name}`: the name goes, and with an image's last name the image.
    ///
    /// # Errors
    /// [`Error::Conflict`] while a container has it.
    pub async fn remove_image(&self, name: &str) -> Result<Effect, Error> {
        gone(self.order(Call::delete(&format!("/images/{}", segment(name))), NOTHING).await)
    }

    /// `DELETE /volumes/{name}`.
    ///
    /// # Errors
    /// [`Error::InUse`] while a container has it, running or not.
    pub async fn remove_volume(&self, name: &str) -> Result<Effect, Error> {
        gone(self.order(Call::delete(&format!("/volumes/{}", segment(name))), NOTHING).await)
    }

    /// `POST /containers/create`. Returns the id, and what the Engine warns of.
    ///
    /// A client that was killed may have left a request behind, which the Engine carried out after everybody looked. So a
    /// container of this name that carries the same labels of project, service and number, and was never started, is taken away
    /// for it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an image that is not there, [`Error::Conflict`] for a name that is taken.
    pub async fn create_container(
        &self,
        name: &str,
        wanted: &Creation<'_>,
    ) -> Result<(ContainerId, Vec<String>), Error> {
        match self.try_create(name, wanted).await {
            Err(conflict @ Error::Conflict(_)) => match self.remove_stillborn(name, wanted).await? {
                true => self.try_create(name, wanted).await,
                false => Err(conflict),
            },
            answer => answer,
        }
    }

    async fn try_create(&self, name: &str, wanted: &Creation<'_>) -> Result<(ContainerId, Vec<String>), Error> {
        let mut call = Call::post("/containers/create").query("name", name);
        if let Some(platform) = &wanted.settings.platform {
            call = call.query("platform", platform);
        }
        let (_, answer) = self.order(call, Some(&encode::creation(wanted, &self.client.proxies))).await?;
        let created = read_created(&answer, "POST /containers/create")?;
        Ok((ContainerId::from_engine(created.id), created.warnings.unwrap_or_default()))
    }

    /// Whether a container of this name was what an earlier, killed run left, and is gone now. While the Engine still makes it,
    /// the name is taken and nothing can be seen.
    async fn remove_stillborn(&self, name: &str, wanted: &Creation<'_>) -> Result<bool, Error> {
        let mut found = None;
        for pause in [0, 20, 50, 100, 200, 400, 800] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            found = self.raw_container(name).await?;
            if found.is_some() {
                break;
            }
        }
        let Some(found) = found else { return Ok(true) };
        let ours = ["com.docker.compose.project", "com.docker.compose.service", "com.docker.compose.container-number"];
        let same = |label: &str| {
            let label = (wanted.settings.labels.get(label), found.config.labels.get(label));
            matches!(label, (Some(wanted), Some(found)) if wanted == found)
        };
        if found.state.status != "created" || !ours.into_iter().all(same) {
            return Ok(false);
        }
        self.remove_container(&found.id, true, false).await?;
        Ok(true)
    }

    /// `POST /containers/{id}/rename`.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a name that is taken.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<Effect, Error> {
        let call = self.container(Method::POST, id, "/rename").query("name", name);
        already(self.order(call, NOTHING).await, &["same name as its current name"])
    }

    /// `POST /containers/{id}/start`.
    ///
    /// # Errors
    /// What the Engine refuses: a port that is taken, a program that is not in the image.
    pub async fn start_container(&self, id: &str) -> Result<Effect, Error> {
        already(self.order(self.container(Method::POST, id, "/start"), NOTHING).await, &[])
    }

    /// `POST /containers/{id}/stop`: returns when it has ended. Without a limit the container's own counts, or 10 s; then
    /// it is killed. With [`Duration::MAX`] it never is.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn stop_container(&self, id: &str, limit: Option<Duration>) -> Result<Effect, Error> {
        let mut call = self.container(Method::POST, id, "/stop");
        if let Some(limit) = limit {
            let seconds = (limit < Duration::MAX).then(|| limit.as_millis().div_ceil(1000).to_string());
            call = call.query("t", seconds.as_deref().unwrap_or("-1"));
        }
        gone(self.order(call, NOTHING).await)
    }

    /// `POST /containers/{id}/kill`.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn kill_container(&self, id: &str, signal: &str) -> Result<Effect, Error> {
        let call = self.container(Method::POST, id, "/kill").query("signal", signal);
        already(gone(self.order(call, NOTHING).await), &["is not running"])
    }

    /// `POST /containers/{id}/wait`: the exit code, as soon as it does not run (any more).
    ///
    /// # Errors
    /// What the Engine says; [`Error::NotFound`] when it is gone.
    pub async fn container_ended(&self, id: &str) -> Result<i64, Error> {
        self.wait_for(id, "not-running").await?.code().await
    }

    /// The same for the next end of a container, which may not run yet: the Engine waits when this returns.
    ///
    /// # Errors
    /// As [`Engine::container_ended`].
    pub async fn next_end(&self, id: &str) -> Result<Ending<'_>, Error> {
        self.wait_for(id, "next-exit").await
    }

    /// `POST /containers/{id}/wait`: returns when a container that goes by itself as it ends is gone.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn container_gone(&self, id: &str) -> Result<(), Error> {
        match self.wait_for(id, "removed").await {
            Ok(ending) => ending.code().await.map(drop),
            Err(Error::NotFound(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    async fn wait_for(&self, id: &str, condition: &str) -> Result<Ending<'_>, Error> {
        let call = self.container(Method::POST, id, "/wait").query("condition", condition);
        Ok(Ending { engine: self, answer: self.head(call, bytes::Bytes::new()).await? })
    }

    /// `POST /containers/{id}/pause`.
    ///
    /// # Errors
    /// What the Engine refuses: a container that does not run.
    pub async fn pause_container(&self, id: &str) -> Result<Effect, Error> {
        already(self.order(self.container(Method::POST, id, "/pause"), NOTHING).await, &["is already paused"])
    }

    /// `PUT /containers/{id}/archive`: files, each with its owner and mode; directories that are missing are made.
    ///
    /// # Errors
    /// What the Engine refuses: a read-only root file system, a directory where the file is to be.
    pub async fn copy_files(&self, id: &str, files: &[FileSettings]) -> Result<(), Error> {
        self.put_archive(id, "/", encode::archive(files)?.into()).await
    }

    /// `POST /containers/{id}/update`: its limits and its restart policy as `settings` says.
    ///
    /// # Errors
    /// What the Engine or its kernel refuses.
    pub async fn update_container(&self, id: &str, settings: &Settings) -> Result<(), Error> {
        self.order(self.container(Method::POST, id, "/update"), Some(&encode::update(settings))).await.map(drop)
    }

    /// `POST /containers/{id}/unpause`.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn unpause_container(&self, id: &str) -> Result<Effect, Error> {
        already(self.order(self.container(Method::POST, id, "/unpause"), NOTHING).await, &["is not paused"])
    }

    /// `DELETE /containers/{id}`, with its anonymous volumes if `volumes`; a running one only by `force`. One that another
    /// client is removing is waited for.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a running one without `force`.
    pub async fn remove_container(&self, id: &str, volumes: bool, force: bool) -> Result<Effect, Error> {
        let mut call = self.container(Method::DELETE, id, "");
        for (name, wanted) in [("v", volumes), ("force", force)] {
            if wanted {
                call = call.query(name, "1");
            }
        }
        match gone(self.order(call, NOTHING).await) {
            Err(Error::Conflict(words)) if words.contains("already in progress") => {
                let wait = self.container(Method::POST, id, "/wait").query("condition", "removed");
                gone(self.order(wait, NOTHING).await).map(|_| Effect::Already)
            }
            answer => answer,
        }
    }

    fn container(&self, method: Method, id: &str, rest: &str) -> Call {
        Call::new(method, &format!("/containers/{}{rest}", segment(id)))
    }
}

fn read_created(answer: &[u8], request: &str) -> Result<Created, Error> {
    serde_json::from_slice(answer)
        .map_err(|why| Error::Unreadable { request: request.to_owned(), why: why.to_string() })
}

/// The object is not there (404), or was as asked (304).
fn gone(answer: Result<(u16, bytes::Bytes), Error>) -> Result<Effect, Error> {
    match already(answer, &[]) {
        Err(Error::NotFound(_)) => Ok(Effect::Already),
        other => other,
    }
}

/// 304, or a refusal with words that mean the same.
fn already(answer: impl Answer, words: &[&str]) -> Result<Effect, Error> {
    match answer.effect() {
        Err(Error::Conflict(message) | Error::Refused { message, .. })
            if words.iter().any(|words| message.contains(words)) =>
        {
            Ok(Effect::Already)
        }
        other => other,
    }
}

/// What [`already`] looks at: an answer, or what [`gone`] made of it.
trait Answer {
    fn effect(self) -> Result<Effect, Error>;
}

impl Answer for Result<(u16, bytes::Bytes), Error> {
    fn effect(self) -> Result<Effect, Error> {
        self.map(|(status, _)| if status == 304 { Effect::Already } else { Effect::Done })
    }
}

impl Answer for Result<Effect, Error> {
    fn effect(self) -> Self {
        self
    }
}

//! A short-lived container beside another, that is spoken to on its standard input and output, and the image it needs.

use std::collections::BTreeMap;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateImageOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;

use super::call::Call;
use super::{Ends, Engine, Error};
use crate::name::ContainerId;

/// What a sidecar is made of. It has no capability but those that are named, a read-only root, no new privileges, and it
/// goes by itself when it ends.
#[derive(Clone, Debug, Default)]
pub struct SidecarSpec {
    /// The image.
    pub image: String,
    /// The arguments of the image's entry point.
    pub command: Vec<String>,
    /// `HostConfig.NetworkMode`: `container:<id>`, `host` …
    pub network_mode: String,
    /// `HostConfig.PidMode`, where it sees the processes of another.
    pub pid_mode: Option<String>,
    /// Capabilities that it keeps (`NET_RAW`).
    pub cap_add: Vec<String>,
    /// `HostConfig.Binds`.
    pub binds: Vec<String>,
    /// `User`; none: the image's.
    pub user: Option<String>,
    /// The most memory, in bytes.
    pub memory: Option<i64>,
    /// The most processes and threads.
    pub pids: Option<i64>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A running sidecar. When its input is closed, it is expected to end.
pub struct Sidecar {
    /// Its id.
    pub id: ContainerId,
    /// What it reads and writes.
    pub ends: Ends,
}

impl Engine {
    /// Makes, attaches to, and starts a sidecar. Nothing of it stays when this fails, or when it ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an image or a container beside it that is not there; what the Engine refuses.
    pub async fn run_sidecar(&self, spec: &SidecarSpec) -> Result<Sidecar, Error> {
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let body = ContainerCreateBody {
            image: Some(spec.image.clone()),
            cmd: Some(spec.command.clone()),
            user: spec.user.clone(),
            open_stdin: Some(true),
            stdin_once: Some(true),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            labels: Some(spec.labels.clone().into_iter().collect()),
            host_config: Some(HostConfig {
                network_mode: Some(spec.network_mode.clone()),
                pid_mode: spec.pid_mode.clone(),
                cap_drop: words(&["ALL"]),
                cap_add: Some(spec.cap_add.clone()),
                binds: Some(spec.binds.clone()),
                security_opt: words(&["no-new-privileges"]),
                readonly_rootfs: Some(true),
                memory: spec.memory,
                pids_limit: spec.pids,
                // what it says is read from it, and nothing else is kept
                log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
                auto_remove: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let (_, answer) = self.order(Call::post("/containers/create"), Some(&body)).await?;
        let id = super::write::created(&answer, "POST /containers/create")?;
        match self.attach_and_start(&id).await {
            Ok(sidecar) => Ok(sidecar),
            Err(error) => {
                // never started, so `auto_remove` does not take it
                let _ = self.remove_container(id.as_str(), true, true).await;
                Err(error)
            }
        }
    }

    async fn attach_and_start(&self, id: &ContainerId) -> Result<Sidecar, Error> {
        let options =
            AttachContainerOptionsBuilder::default().stdin(true).stdout(true).stderr(true).stream(true).build();
        let attached = self.docker.attach_container(id.as_str(), Some(options)).await?;
        self.start_container(id.as_str()).await?;
        Ok(Sidecar { id: id.clone(), ends: Ends { input: attached.input, output: attached.output } })
    }

    /// The sidecars with this label that were made `seconds` ago or earlier and do not run: their maker did not come to start them.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn sidecars_left(&self, label: &str, seconds: i64) -> Result<Vec<ContainerId>, Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Listed {
            id: String,
            #[serde(default)]
            created: i64,
            #[serde(default)]
            state: String,
        }
        let call = Call::get("/containers/json").query("all", "1").filter("label", &[label]);
        let listed: Vec<Listed> = self.ask(call).await?;
        let before = seconds_since_epoch() - seconds;
        let left =
            listed.into_iter().filter(|l| l.created < before && matches!(l.state.as_str(), "created" | "exited"));
        Ok(left.map(|l| ContainerId::from_engine(l.id)).collect())
    }

    /// Removes the images with this label that have had no name for two minutes (a younger one may just be getting it) or are older
    /// than `seconds`, but not `keep`, and not what a container still needs.
    ///
    /// # Errors
    /// When the Engine does not list its images. That one cannot be removed is no error: another run may need it.
    pub async fn sweep_images(&self, label: &str, keep: &str, seconds: i64) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Listed {
            id: String,
            #[serde(default)]
            created: i64,
            repo_tags: Option<Vec<String>>,
        }
        let listed: Vec<Listed> = self.ask(Call::get("/images/json").filter("label", &[label])).await?;
        for image in listed {
            let names = image.repo_tags.unwrap_or_default();
            // until API 1.43 an image without a name was called so
            let nameless = names.iter().all(|name| name == "<none>:<none>");
            let age = seconds_since_epoch() - image.created;
            if (nameless && age > 120 || age > seconds) && !names.iter().any(|name| name == keep) {
                let call = Call::delete(&format!("/images/{}", super::call::segment(&image.id)));
                let _ = self.order(call, None::<&()>).await;
            }
        }
        Ok(())
    }

    /// Makes an image of one tar archive (`POST /images/create?fromSrc=-`). `changes` are lines of a Dockerfile
    /// (`ENTRYPOINT ["/probe"]`).
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn import_image(
        &self,
        repository: &str,
        tag: &str,
        archive: Bytes,
        changes: &[String],
    ) -> Result<(), Error> {
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(repository).tag(tag);
        let options = options.changes(changes.to_vec()).build();
        let mut answers = Box::pin(self.docker.create_image(Some(options), Some(bollard::body_full(archive)), None));
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok(())
    }

    /// Unpacks a tar archive in a container (`PUT /containers/{id}/archive`).
    ///
    /// # Errors
    /// [`Error::NotFound`] for a path that is not there; a read-only root file system.
    pub async fn put_archive(&self, id: &str, path: &str, archive: Bytes) -> Result<(), Error> {
        let options = UploadToContainerOptionsBuilder::default().path(path).build();
        Ok(self.docker.upload_to_container(id, Some(options), bollard::body_full(archive)).await?)
    }
}

fn seconds_since_epoch() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(now).unwrap_or(i64::MAX)
}

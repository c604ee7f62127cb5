//! What the short lists show: the projects of an Engine, processes, images, volumes. One question each.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Call, segment};
use super::list::{Listed, listed};
use super::{Engine, Error};

/// The processes of one container, as `ps` on the Engine's host tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Processes {
    /// The heads of the columns: `UID`, `PID` …
    pub titles: Vec<String>,
    /// One row a process.
    pub processes: Vec<Vec<String>>,
}

/// An image, as `images` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageDetails {
    /// Its id, `sha256:…`.
    pub id: String,
    /// `linux/arm64/v8`.
    pub platform: String,
    /// In bytes.
    pub size: u64,
    /// When it was last tagged here (RFC 3339); empty where the Engine does not know.
    pub tagged: String,
}

/// A volume, as `volumes` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeDetails {
    /// Its name.
    pub name: String,
    /// `local` …
    pub driver: String,
    /// Where it is on the Engine's host.
    pub mountpoint: String,
    /// `local` or `global`.
    pub scope: String,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawImage {
    id: String,
    os: String,
    architecture: String,
    variant: Option<String>,
    size: u64,
    metadata: Tagged,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tagged {
    last_tag_time: Option<String>,
}

impl Engine {
    /// The containers of every project, in whatever state, sorted by name.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn list_all(&self) -> Result<Vec<Listed>, Error> {
        let call = Call::get("/containers/json").query("all", "1").filter("label", &["com.docker.compose.project"]);
        let raw: Vec<super::decode::wire::Summary> = self.ask(call).await?;
        let mut all: Vec<Listed> = raw.into_iter().map(listed).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// The labels of every container, network and volume that has this one.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn labelled(&self, label: &str) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let call = Call::get("/containers/json").query("all", "1").filter("label", &[label]);
        let containers: Vec<super::decode::wire::Summary> = self.ask(call).await?;
        let networks = self.networks().await?.into_iter().map(|network| network.labels);
        let volumes = self.volumes().await?.into_iter().map(|volume| volume.labels);
        let all = containers.into_iter().map(|container| container.labels).chain(networks).chain(volumes);
        Ok(all.filter(|labels| labels.contains_key(label)).collect())
    }

    /// The whole inspection of a container, in the Engine's words; none where it is gone.
    ///
    /// # Errors
    /// What the Engine says, but "no such container".
    pub async fn inspection(&self, id: &str) -> Result<Option<serde_json::Value>, Error> {
        match self.ask(Call::get(&format!("/containers/{}/json", segment(id)))).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The id of the container of this name; none where there is none.
    ///
    /// # Errors
    /// What the Engine says, but "no such container".
    pub async fn id_of(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.raw_container(name).await?.map(|container| container.id))
    }

    /// `GET /containers/{id}/top`.
    ///
    /// # Errors
    /// What the Engine refuses: a container that does not run.
    pub async fn processes(&self, id: &str) -> Result<Processes, Error> {
        self.ask(Call::get(&format!("/containers/{}/top", segment(id)))).await
    }

    /// `GET /images/{name}/json`, in short; none where the image is gone.
    ///
    /// # Errors
    /// What the Engine says, but "no such image".
    pub async fn image_details(&self, name: &str) -> Result<Option<ImageDetails>, Error> {
        let raw: RawImage = match self.ask(Call::get(&format!("/images/{}/json", segment(name)))).await {
            Ok(raw) => raw,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let variant = raw.variant.filter(|variant| !variant.is_empty()).map(|variant| format!("/{variant}"));
        Ok(Some(ImageDetails {
            id: raw.id,
            platform: format!("{}/{}{}", raw.os, raw.architecture, variant.unwrap_or_default()),
            size: raw.size,
            // the year 1 is Go's way of saying never
            tagged: raw.metadata.last_tag_time.filter(|time| !time.starts_with("0001-")).unwrap_or_default(),
        }))
    }

    /// `POST /images/prune`: takes away the images of a project that have lost their name, and that no container has.
    ///
    /// An Engine does one of these at a time; where it is at another, they go the next time.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn prune_images(&self, project: &str) -> Result<(), Error> {
        let label = format!("com.docker.compose.project={project}");
        let filters = serde_json::json!({ "dangling": ["true"], "label": [label] }).to_string();
        match self.order(Call::post("/images/prune").query("filters", &filters), None::<&()>).await {
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// `GET /volumes` of one project, sorted by name.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn volume_details(&self, project: &str) -> Result<Vec<VolumeDetails>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Volumes")]
            volumes: Option<Vec<VolumeDetails>>,
        }
        let call = Call::get("/volumes").filter("label", &[&format!("com.docker.compose.project={project}")]);
        let mut volumes = self.ask::<Answer>(call).await?.volumes.unwrap_or_default();
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }
}

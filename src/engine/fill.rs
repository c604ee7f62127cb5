//! A volume that is filled: the Engine copies files into containers alone, so one that is never started has the volume meanwhile.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions};

use super::call::Call;
use super::{Engine, Error, encode};
use crate::state::desired::labels;
use crate::state::settings::{FileSettings, FilesVolume};

/// Where that container has the volume.
const PLACE: &str = "/files";

impl Engine {
    /// Puts `files` into a volume, each with its owner and mode, in the place of those that are there. A volume that is missing is made. `image`
    /// is any that is there, and `platform` what of it is meant.
    ///
    /// The container for it has the volume's name: where an earlier one was left behind by a client that was killed, it makes room.
    ///
    /// # Errors
    /// What the Engine refuses.
    pub async fn fill_volume(
        &self,
        volume: &FilesVolume,
        files: &[FileSettings],
        image: &str,
        platform: Option<&str>,
    ) -> Result<(), Error> {
        let archive = encode::archive(files)?;
        let mut pauses = [20, 50, 100, 200, 400, 800].into_iter();
        let id = loop {
            let conflict = match self.create_filler(volume, image, platform).await {
                Ok(id) => break id,
                Err(conflict @ Error::Conflict(_)) => conflict,
                Err(error) => return Err(error),
            };
            match (self.raw_container(&volume.name).await?, pauses.next()) {
                (Some(left), _) if left.config.labels.contains_key(labels::FILES) => {
                    self.remove_container(&left.id, false, true).await?;
                }
                // the name is taken before the Engine shows the container, and a while after it is gone
                (None, Some(pause)) => tokio::time::sleep(Duration::from_millis(pause)).await,
                _ => return Err(conflict),
            }
        };
        let copied = self.put_archive(&id, PLACE, archive.into()).await;
        let removed = self.remove_container(&id, false, true).await;
        copied.and(removed.map(drop))
    }

    async fn create_filler(&self, volume: &FilesVolume, image: &str, platform: Option<&str>) -> Result<String, Error> {
        let options = MountVolumeOptions {
            no_copy: Some(true),
            labels: Some(volume.labels.clone().into_iter().collect()),
            ..MountVolumeOptions::default()
        };
        let mount = Mount {
            target: Some(PLACE.to_owned()),
            source: Some(volume.name.clone()),
            typ: Some(MountType::VOLUME),
            volume_options: Some(options),
            ..Mount::default()
        };
        let own = [(labels::ONE_OFF.to_owned(), "True".to_owned())];
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // it is never run, and an image need not name a program
            cmd: Some(vec!["none".to_owned()]),
            labels: Some(volume.labels.clone().into_iter().chain(own).collect()),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![mount]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let mut call = Call::post("/containers/create").query("name", &volume.name);
        if let Some(platform) = platform {
            call = call.query("platform", platform);
        }
        let (_, answer) = self.order(call, Some(&body)).await?;
        Ok(super::write::created(&answer, "POST /containers/create")?.as_str().to_owned())
    }
}

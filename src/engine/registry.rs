//! Images on their way from a registry and to one.

use bollard::models::ProgressDetail;
use futures_util::{Stream, StreamExt};

use super::{Engine, Error};

/// How far one layer of an image is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerProgress {
    /// The layer; none for the image as a whole.
    pub layer: Option<String>,
    /// `Downloading`, `Pull complete` …
    pub status: String,
    /// Bytes so far and in all, where they are counted.
    pub bytes: Option<(u64, u64)>,
}

impl LayerProgress {
    fn new(layer: Option<String>, status: Option<String>, detail: Option<ProgressDetail>) -> Self {
        let count = |number: Option<i64>| u64::try_from(number?).ok();
        let bytes = detail.and_then(|detail| count(detail.current).zip(count(detail.total)));
        Self { layer, status: status.unwrap_or_default(), bytes }
    }
}

/// `3f2a Downloading 12/40 MB`.
impl std::fmt::Display for LayerProgress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(layer) = &self.layer {
            write!(f, "{layer} ")?;
        }
        f.write_str(&self.status)?;
        match self.bytes {
            Some((now, total)) if total > 0 => write!(f, " {}/{} MB", now / 1_000_000, total.div_ceil(1_000_000)),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// `POST /images/create`: pulls an image, and tells how far it is.
    ///
    /// # Errors
    /// [`Error::Address`] where the docker configuration or its credential helper fails.
    pub async fn pull<'a>(
        &'a self,
        image: &'a str,
        platform: Option<&'a str>,
    ) -> Result<impl Stream<Item = Result<LayerProgress, Error>> + 'a, Error> {
        let credentials = self.credentials(image).await?;
        let options = bollard::query_parameters::CreateImageOptionsBuilder::default().from_image(image);
        let options = match platform {
            Some(platform) => options.platform(platform).build(),
            None => options.build(),
        };
        Ok(self.docker.create_image(Some(options), None, credentials).map(|item| {
            let info = item?;
            Ok(LayerProgress::new(info.id, info.status, info.progress_detail))
        }))
    }

    /// `POST /images/{name}/push`: gives an image to its registry, and tells how far it is, layers without names.
    ///
    /// # Errors
    /// As [`Engine::pull`].
    pub async fn push<'a>(
        &'a self,
        image: &'a str,
    ) -> Result<impl Stream<Item = Result<LayerProgress, Error>> + 'a, Error> {
        let credentials = self.credentials(image).await?;
        // without a tag the Engine would push every tag that the name has here
        let (name, tag) = split_tag(image);
        let tag = tag.unwrap_or("latest");
        let options = bollard::query_parameters::PushImageOptionsBuilder::default().tag(tag).build();
        Ok(self.docker.push_image(name, Some(options), credentials).map(|item| {
            let info = item?;
            Ok(LayerProgress::new(None, info.status, info.progress_detail))
        }))
    }

    /// `GET /distribution/{name}/json`: the digest by which its registry knows an image.
    ///
    /// # Errors
    /// As [`Engine::pull`], and what the registry says.
    pub async fn digest(&self, image: &str) -> Result<String, Error> {
        let credentials = self.credentials(image).await?;
        let found = self.docker.inspect_registry_image(image, credentials).await?;
        found.descriptor.digest.ok_or_else(|| Error::NotFound(format!("its registry has no digest for {image}")))
    }

    async fn credentials(&self, image: &str) -> Result<Option<bollard::auth::DockerCredentials>, Error> {
        super::credentials::credentials(&self.client, image).await
    }
}

/// The name and the tag of an image, where it has one; the port of a registry is no tag.
pub(super) fn split_tag(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(split_tag("127.0.0.1:5000/a/b"), ("127.0.0.1:5000/a/b", None));
        assert_eq!(split_tag("127.0.0.1:5000/a:2"), ("127.0.0.1:5000/a", Some("2")));
        assert_eq!(split_tag("a"), ("a", None));
    }
}

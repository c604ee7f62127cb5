//! The terminal of a container's own program: its input and output in our hands.

use bollard::query_parameters::{AttachContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder};

use super::{Ends, Engine, Error};

/// What of a container is wanted.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// Its input as well.
    pub input: bool,
    /// Keys that let it go on alone (`ctrl-p,ctrl-q`); none: the Engine's own.
    pub detach_keys: Option<String>,
}

impl Engine {
    /// `POST /containers/{id}/attach`. What it wrote before is not told.
    ///
    /// # Errors
    /// What the Engine refuses: a container that is paused.
    pub async fn attach(&self, id: &str, wanted: &Attachment) -> Result<Ends, Error> {
        let options =
            AttachContainerOptionsBuilder::default().stdin(wanted.input).stdout(true).stderr(true).stream(true);
        let options = match &wanted.detach_keys {
            Some(keys) => options.detach_keys(keys).build(),
            None => options.build(),
        };
        let attached = self.docker.attach_container(id, Some(options)).await?;
        Ok(Ends { input: attached.input, output: attached.output })
    }

    /// Tells a container how large its terminal is, in rows and columns.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn resize_container(&self, id: &str, (height, width): (u16, u16)) -> Result<(), Error> {
        let options = ResizeContainerTTYOptionsBuilder::default().h(height.into()).w(width.into()).build();
        Ok(self.docker.resize_container_tty(id, options).await?)
    }
}

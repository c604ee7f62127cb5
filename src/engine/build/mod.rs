//! Images that are built: by buildx where the docker command has it, else by the Engine's classic builder.

mod buildx;
mod classic;
mod context;

use super::{Engine, Error};
use crate::state::desired::DesiredBuild;

impl Engine {
    /// Builds an image and gives it its names. `tell` hears each line of the builder as it comes.
    ///
    /// # Errors
    /// [`Error::Build`] with the builder's own sentence; a context or Dockerfile that is not there; what needs buildx where that is
    /// not to be had.
    pub async fn build(&self, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<(), Error> {
        match buildx::is_here().await {
            true => buildx::build(wanted, tell).await,
            false => classic::build(self, wanted, tell).await,
        }
    }
}

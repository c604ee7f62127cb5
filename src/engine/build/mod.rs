//! Images that are built: by buildx where the docker command has it, else by the Engine's classic builder.

mod buildx;
mod classic;
mod context;

use futures_util::TryStreamExt;

pub(super) use buildx::Buildx;

use super::{Engine, Error};
use crate::state::desired::DesiredBuild;

/// What a Dockerfile's check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildCheck {
    /// The builder's own text.
    pub report: String,
    /// Whether it has no warnings.
    pub passed: bool,
}

impl Engine {
    /// Builds an image and gives it its names. `tell` hears each line of the builder as it comes.
    ///
    /// # Errors
    /// [`Error::Build`] with the builder's own sentence; a context or Dockerfile that is not there; what needs buildx where that is
    /// not to be had.
    pub async fn build(&self, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<(), Error> {
        if let Some(buildx) = self.buildx().await {
            return buildx.build(wanted, tell).await;
        }
        classic::build(self, wanted, tell).await?;
        for tag in wanted.tags.iter().filter(|_| wanted.flags.push) {
            tell(&format!("pushing {tag}"));
            self.push(tag).await?.try_for_each(|_| std::future::ready(Ok(()))).await?;
        }
        Ok(())
    }

    /// What BuildKit's linter says of a Dockerfile; nothing is built.
    ///
    /// # Errors
    /// [`Error::Build`] where it could not be checked: no buildx, no such file, a builder that knows no checks.
    pub async fn check_build(&self, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<BuildCheck, Error> {
        match self.buildx().await {
            Some(buildx) => buildx.check(wanted, tell).await,
            None => Err(classic::lacks("`--check`")),
        }
    }

    async fn buildx(&self) -> Option<&Buildx> {
        self.buildx.get_or_init(|| Buildx::find(&self.client)).await.as_ref()
    }
}

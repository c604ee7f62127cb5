//! Taking a stack away, all of it.

use super::bring::{Hooks, carry_out};
use super::{StackError, alone};
use crate::engine::{Engine, Facts, Scope};
use crate::finding::{Code, Findings};
use crate::name::ProjectName;
use crate::plan::down::{DownOptions, Images, down};
use crate::state::desired::Desired;
use crate::vantage::shim::{self, Reason};

/// How often the Engine is looked at before what still appears counts as left.
const LOOKS: usize = 8;

/// Takes away every container, network, volume and built image of a project, until there is nothing more to take. What a request that is
/// under way still makes is taken as well.
///
/// # Errors
/// [`StackError::Left`] when something stays; it went on past that to the end.
pub async fn teardown(
    engine: &Engine,
    project: &ProjectName,
    file: Option<&Desired>,
    hooks: Option<&Hooks<'_>>,
) -> Result<(), StackError> {
    let none = Hooks::default();
    // nothing interrupts this: what is left then would be somebody's trouble
    let hooks = Hooks { tell: hooks.and_then(|hooks| hooks.tell), ..none };
    let images = file.map(Desired::images).unwrap_or_default();
    let mut last = Ok(());
    for look in 0..LOOKS {
        let scope = Scope { project, images: images.clone(), names: vec![], facts: Facts::Brief };
        let mut observed = engine.observe(&scope).await?;
        let reason = file.map_or(Reason::NoFile, Reason::of);
        let seen = shim::look(engine, project, reason, &mut observed).await;
        seen.map_err(|why| StackError::Left(format!("the links of the Engine's host: {why}")))?;
        let images = (look == 0).then_some(Images::Local);
        let own_name = alone::is_own_name(project);
        let options = DownOptions { volumes: true, remove_orphans: true, images, own_name, ..DownOptions::default() };
        let mut findings = Findings::new();
        let plan = down(project, file, &observed, &options, &mut findings).map_err(StackError::Flaw)?;
        if plan.is_empty() {
            let stays = findings.iter().find(|finding| finding.code == Code::StillUsed);
            return stays.map_or(Ok(()), |stays| Err(StackError::Left(stays.message.clone())));
        }
        last = carry_out(engine, &plan, &hooks).await;
    }
    last.map_err(|why| StackError::Left(why.to_string()))
}

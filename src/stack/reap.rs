//! Taking away what dead processes left behind.

use std::collections::BTreeMap;

use super::{Owner, StackError, owner, teardown};
use crate::engine::Engine;
use crate::name::ProjectName;

/// A stack that was left behind.
#[derive(Debug)]
pub struct Reaped {
    /// Its project.
    pub project: ProjectName,
    /// What became of it.
    pub outcome: Result<(), StackError>,
}

/// Takes away every stack whose owner is gone, as far as can be told from this process: of this machine by process id, start and boot;
/// of others when their time is over.
///
/// # Errors
/// When the Engine does not list what it has.
pub async fn reap(engine: &Engine) -> Result<Vec<Reaped>, StackError> {
    let mut reaped = vec![];
    for project in left(engine).await? {
        let outcome = teardown(engine, &project, None, None).await;
        reaped.push(Reaped { project, outcome });
    }
    Ok(reaped)
}

/// The projects of which something was left behind.
///
/// # Errors
/// As [`reap`].
pub async fn left(engine: &Engine) -> Result<Vec<ProjectName>, StackError> {
    let here = Owner::this();
    let mut projects: BTreeMap<ProjectName, bool> = BTreeMap::new();
    for labels in engine.labelled(owner::PID).await? {
        let Some(Ok(project)) = labels.get("com.docker.compose.project").map(|name| name.parse()) else { continue };
        // a second run under the same name may own a part of it, and live
        let all_left = projects.entry(project).or_insert(true);
        *all_left &= here.sees_left(&labels);
    }
    Ok(projects.into_iter().filter(|(_, left)| *left).map(|(project, _)| project).collect())
}

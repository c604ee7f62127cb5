//! Taking away what dead processes left behind.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Owner, StackError, owner, teardown};
use crate::engine::Engine;
use crate::name::ProjectName;

/// How often nothing more may be found, before nothing more is looked for: an Engine goes on making what a process asked for that was
/// killed a moment ago, and tells of it only then (networks of Engine 20.10, seen for a second and more).
const LOOKS: u32 = 8;
/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_millis(250);

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
    let mut reaped: BTreeMap<ProjectName, Result<(), StackError>> = BTreeMap::new();
    let mut quiet = 0;
    while quiet < LOOKS {
        let projects = left(engine).await?;
        // what could not be taken away once is not tried for ever
        let fresh = projects.into_iter().filter(|project| !matches!(reaped.get(project), Some(Err(_))));
        let fresh: Vec<ProjectName> = fresh.collect();
        if fresh.is_empty() && reaped.is_empty() {
            break;
        }
        quiet = if fresh.is_empty() { quiet + 1 } else { 0 };
        for project in fresh {
            let outcome = teardown(engine, &project, None, None).await;
            reaped.insert(project, outcome);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(reaped.into_iter().map(|(project, outcome)| Reaped { project, outcome }).collect())
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

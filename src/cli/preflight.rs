//! What stands in a plan's way: told, all of it, before anything is changed.

use std::collections::BTreeSet;

use bowline::compose::model::Project;
use bowline::engine::Engine;
use bowline::finding::{Code, Findings};
use bowline::plan::Plan;
use bowline::preflight::host::Known;
use bowline::preflight::{self, HostFacts, Scene, auto};
use bowline::source::Files;
use bowline::state::observed::Observed;
use bowline::vantage::host;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Stack;
use super::{block_on, output};

/// Whether errors end the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rigour {
    /// They do: nothing is changed.
    Refuse,
    /// They are told (`--no-preflight`).
    Tell,
}

impl Rigour {
    /// By `--no-preflight`.
    pub fn of(no_preflight: bool) -> Self {
        if no_preflight { Self::Tell } else { Self::Refuse }
    }
}

/// Settles `parent: auto` of the stack's trunks by a look at the Engine's host, and tells what it comes to; whether there was one. Without one,
/// nothing is asked. An Engine elsewhere is asked by a sidecar, which a command that only reads does not make.
///
/// # Errors
/// [`Exit::Preflight`] where there is no default route, or several, or the host cannot be looked at.
pub fn settle_parents(
    global: &Global,
    purpose: Purpose,
    project: &mut Project,
    files: &Files,
) -> Result<bool, Failure> {
    if !auto::is_wanted(project) {
        return Ok(false);
    }
    let routes = block_on(async {
        let engine = connect(global, purpose).await?;
        host::routes(&engine).await.map_err(|why| {
            Failure::new(Exit::Preflight, format!("the Engine's host cannot be looked at for `parent: auto`: {why}"))
                .hint("name the link in the file")
        })
    })?;
    let mut findings = Findings::new();
    auto::settle(project, &routes, &mut findings);
    output::findings(files, &findings, global.verbose);
    match findings.has_errors() {
        true => Err(Failure::new(Exit::Preflight, "the parent of a trunk is not known; nothing was changed")),
        false => Ok(true),
    }
}

/// Looks at the Engine's host and holds the stack against it. A plan that changes nothing has nothing in its way. Gives the errors that
/// `rigour` goes past.
///
/// # Errors
/// [`Exit::Preflight`] when something would fail and `rigour` is [`Rigour::Refuse`].
pub async fn check(
    global: &Global,
    engine: &Engine,
    stack: &Stack,
    observed: &Observed,
    plan: &Plan,
    rigour: Rigour,
) -> Result<BTreeSet<Code>, Failure> {
    if plan.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (services, networks) = plan.touches();
    let (project, desired) = preflight::concerned(&stack.project, &stack.desired, &services, &networks);
    let facts = engine.all_facts().await?;
    let host = match host::facts(engine, &project, &Known::of(&project, &facts, observed)).await {
        Ok(facts) => facts,
        Err(why) => {
            output::remark(&format!(
                "note: the Engine's host cannot be looked at, ports and parents are not checked: {why}"
            ));
            HostFacts::default()
        }
    };
    let mut findings = Findings::new();
    let scene = Scene { project: &project, desired: &desired, engine: &facts, observed, host: &host };
    preflight::check(scene, &mut findings);
    output::findings(&stack.files, &findings, global.verbose);
    match findings.has_errors() && rigour == Rigour::Refuse {
        true => {
            Err(Failure::new(Exit::Preflight, "this Engine or its host would refuse the stack; nothing was changed")
                .hint("`--no-preflight` goes on all the same"))
        }
        false => Ok(findings.errors()),
    }
}

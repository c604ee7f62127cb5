//! What stands in a plan's way: told, all of it, before anything is changed.

use bowline::engine::Engine;
use bowline::finding::Findings;
use bowline::plan::Plan;
use bowline::preflight::host::Known;
use bowline::preflight::{self, HostFacts, Scene};
use bowline::state::observed::Observed;
use bowline::vantage::host;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::output;
use super::stack::Stack;

/// Whether errors end the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rigour {
    /// They do: nothing is changed.
    Refuse,
    /// They are told (`--no-preflight`).
    Tell,
}

/// Looks at the Engine's host and holds the stack against it. A plan that changes nothing has nothing in its way.
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
) -> Result<(), Failure> {
    if plan.is_empty() {
        return Ok(());
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
        false => Ok(()),
    }
}

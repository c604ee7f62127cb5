//! After an `up` that failed: what the file asks for, or a network that could not be made anew, brings back what was there.

use bowline::plan::{Plan, StepId};
use bowline::run::{Fate, Outcomes};
use bowline::state::observed::Observed;

use super::carry::{self, Stage};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Stack;

/// Brings back what was there before `ran`, as far as that is asked for; the failure says what came of it. An interrupted run is
/// left as it is: the next `up` goes on from there.
pub async fn restore(
    stage: Stage<'_>,
    stack: &Stack,
    before: &Observed,
    ran: (&Plan, &Outcomes),
    signals: &mut Signals,
    failure: Failure,
) -> Failure {
    if failure.kind == Exit::Interrupted {
        return failure;
    }
    match bring_back(stage, stack, before, ran, signals).await {
        Ok(None) => failure,
        Ok(Some(what)) => failure.hint(format!("{what} as before; mend the file and run it again")),
        Err(worse) => failure.hint(format!("what was there could not be brought back: {worse}")),
    }
}

/// Says what is as before; none where nothing was to be brought back.
async fn bring_back(
    stage: Stage<'_>,
    stack: &Stack,
    before: &Observed,
    (plan, outcomes): (&Plan, &Outcomes),
    signals: &mut Signals,
) -> Result<Option<String>, Failure> {
    let of = |(id, fate): (StepId, &Fate)| match fate {
        Fate::Failed(_) => Some((id, id)),
        Fate::Skipped { because } => Some((id, *because)),
        _ => None,
    };
    let broken: Vec<(StepId, StepId)> = outcomes.of(plan).filter_map(of).collect();
    let after = stack.observe(stage.engine).await?;
    let back = bowline::plan::restore::restore(plan, &broken, before, &after).map_err(carry::flaw)?;
    if back.is_empty() {
        return Ok(None);
    }
    for line in back.lines() {
        if let Some(reason) = line.reason {
            stage.display.remark(&format!("{}: {reason}", line.operation));
        }
    }
    let outcomes = carry::carry_out(stage, &back, signals, std::future::pending()).await;
    carry::verdict(&back, &outcomes)?;
    let mut services: Vec<&str> = back
        .steps()
        .filter_map(|(_, step)| step.operation.container())
        .map(|target| target.replica().service.as_str())
        .collect();
    services.sort_unstable();
    services.dedup();
    Ok(Some(match services.as_slice() {
        [] => "the host has its links".to_owned(),
        [one] => format!("{one} runs"),
        all => format!("{} run", all.join(", ")),
    }))
}

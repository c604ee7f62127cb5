//! Two directories whose names make one project name are told apart before anything is stopped, replaced or removed.

use std::path::Path;

use bowline::compose::model::NamedBy;
use bowline::finding::{Code, Finding, Findings};
use bowline::plan::{Operation, Plan, Target};
use bowline::state::desired::labels;
use bowline::state::observed::{Observed, ObservedContainer};

use super::args::Global;
use super::exit::{Exit, Failure};
use super::output;
use super::preflight::Rigour;
use super::stack::{Named, Stack};

/// As [`check`]; who names a project alone, without a file, means whatever the Engine has of it.
pub fn check_named(global: &Global, named: &Named, observed: &Observed, plan: &Plan) -> Result<(), Failure> {
    match named {
        Named::Stack(stack) => check(global, stack, observed, plan, Rigour::Refuse),
        Named::Name(_) => Ok(()),
    }
}

/// Looks at where the containers were brought up from that `plan` takes away or stops. Another directory than this stack's is an
/// error where the project has its name from its directory alone and the other one is still there: that is another stack. Who says
/// the name (`-p`, `COMPOSE_PROJECT_NAME`, `name:`) says that it is the same one, checked out elsewhere; docker compose always
/// takes it for the same.
///
/// # Errors
/// [`Exit::Preflight`] for that error, when `rigour` is [`Rigour::Refuse`].
pub fn check(global: &Global, stack: &Stack, observed: &Observed, plan: &Plan, rigour: Rigour) -> Result<(), Failure> {
    let here = stack.project.working_dir.as_path();
    let mut findings = Findings::new();
    for container in goes(plan, observed) {
        let Some(there) = container.settings.labels.get(labels::WORKING_DIR) else { continue };
        if is_same(here, Path::new(there)) {
            continue;
        }
        let name = &stack.desired.project;
        let (here, container) = (here.display(), &container.name);
        let message = format!("container `{container}` was brought up from {there}, and this stack lies in {here}");
        findings.push(match stack.project.named_by {
            NamedBy::User => Finding::note(Code::OtherDirectory, message),
            NamedBy::Directory if !Path::new(there).is_dir() => Finding::warning(Code::OtherDirectory, message),
            NamedBy::Directory => Finding::error(Code::OtherDirectory, message).help(format!(
                "two directories give the name `{name}`: `-p` gives this stack one of its own, and `-p {name}` says that both are one"
            )),
        });
    }
    output::findings(&stack.files, &findings, global.verbose);
    match findings.has_errors() && rigour == Rigour::Refuse {
        true => Err(Failure::new(Exit::Preflight, "what is there is another directory's stack; nothing was changed")),
        false => Ok(()),
    }
}

/// The containers that a plan stops or takes away.
fn goes<'a>(plan: &Plan, observed: &'a Observed) -> impl Iterator<Item = &'a ObservedContainer> {
    let ends = |operation: &Operation, container: &ObservedContainer| match operation {
        Operation::Stop { container: Target::Existing { id, .. }, .. }
        | Operation::Kill { container: Target::Existing { id, .. }, .. }
        | Operation::Remove { container: Target::Existing { id, .. }, .. } => *id == container.id,
        _ => false,
    };
    observed.containers.iter().filter(move |c| plan.steps().any(|(_, step)| ends(&step.operation, c)))
}

/// Whether two paths lead to one directory.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

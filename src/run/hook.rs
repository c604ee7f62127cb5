//! A command of `post_start` or `pre_stop`, in its container.

use super::outcome::{Kind, StepError};
use crate::compose::model::Hook;
use crate::engine::{Engine, ExecSpec, Piece};

/// How many lines of a hook are told when it failed.
const LAST_LINES: usize = 10;

/// Runs a hook to its end, and returns what it wrote. `name` is what it is called in an error, such as `post_start of web.1`; what the
/// hook wrote last is told there as well.
///
/// # Errors
/// When it ends with anything but 0; what the Engine says.
pub async fn run_hook(engine: &Engine, container: &str, hook: &Hook, name: &str) -> Result<String, StepError> {
    let said = |(name, value): (&String, &Option<String>)| value.as_ref().map(|value| format!("{name}={value}"));
    let spec = ExecSpec {
        command: hook.command.clone(),
        environment: hook.environment.iter().filter_map(said).collect(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        terminal: false,
        privileged: hook.privileged,
    };
    let mut exec = engine.exec(container, &spec).await?;
    let mut output = vec![];
    while let Some(Piece::Output(bytes) | Piece::Error(bytes)) = exec.ends.next().await? {
        output.extend_from_slice(&bytes);
    }
    let text = String::from_utf8_lossy(&output);
    let code = match engine.exec_code(&exec.id).await? {
        Some(0) => return Ok(text.into_owned()),
        Some(code) => code.to_string(),
        None => "no exit code".to_owned(),
    };
    let mut error = StepError::new(Kind::Refused, format!("{name} ended with {code}: {}", hook.command.join(" ")));
    let last: Vec<_> = text.lines().rev().take(LAST_LINES).map(str::to_owned).collect();
    error.details.extend(last.into_iter().rev());
    Err(error)
}

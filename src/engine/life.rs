//! How a container fares: what a wait for it looks at, and what is told when it failed.

use std::time::Duration;

use super::decode::{self, wire};
use super::{Engine, Error};
use crate::state::observed::ContainerState;

/// A container's life so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its name.
    pub name: String,
    /// What it does.
    pub state: ContainerState,
    /// Whether it has a health check.
    pub has_health_check: bool,
    /// Its health check, as a program.
    pub check: Option<OwnCheck>,
    /// The last answer of its health check: exit code and output.
    pub last_check: Option<(i64, String)>,
    /// How often in a row the check failed.
    pub failing_streak: u32,
    /// How often the Engine started it again after it ended.
    pub restarts: u32,
    /// What the Engine says went wrong when it started.
    pub error: String,
    /// Whether it was made with a terminal.
    pub terminal: bool,
    /// Whether its standard input is open.
    pub input: bool,
}

/// A container's health check, as a program to run in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCheck {
    /// The program and its arguments; of `CMD-SHELL`, the image's shell and the line.
    pub command: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// How long a check may take that does not say.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

impl Engine {
    /// Looks at one container; none where it is gone.
    ///
    /// # Errors
    /// What the Engine says, but "no such container".
    pub async fn life(&self, id: &str) -> Result<Option<Life>, Error> {
        Ok(self.raw_container(id).await?.map(life))
    }
}

fn life(raw: wire::Container) -> Life {
    let health = raw.state.health.as_ref();
    let check = raw.config.healthcheck.as_ref();
    Life {
        name: raw.name.trim_start_matches('/').to_owned(),
        state: decode::state(&raw.state),
        // the Engine shows `Health` only once the container was started
        has_health_check: health.is_some_and(|health| health.status != "none")
            || check.is_some_and(|check| check.test.first().is_some_and(|word| word != "NONE")),
        check: check.and_then(|check| own_check(check, raw.config.shell.as_deref())),
        last_check: health.and_then(|health| health.log.last()).map(|log| (log.exit_code, log.output.clone())),
        failing_streak: health.map_or(0, |health| health.failing_streak),
        restarts: raw.restart_count,
        error: raw.state.error,
        terminal: raw.config.tty,
        input: raw.config.open_stdin,
    }
}

/// The check as the Engine runs it (moby, daemon/health.go).
fn own_check(check: &wire::Healthcheck, shell: Option<&[String]>) -> Option<OwnCheck> {
    let (form, words) = check.test.split_first()?;
    let command = match form.as_str() {
        "CMD" => words.to_vec(),
        "CMD-SHELL" => {
            let default = ["/bin/sh".to_owned(), "-c".to_owned()];
            let shell = shell.filter(|shell| !shell.is_empty()).unwrap_or(&default);
            shell.iter().chain(words.first()).cloned().collect()
        }
        _ => return None,
    };
    let timeout = if check.timeout == 0 { CHECK_TIMEOUT } else { Duration::from_nanos(check.timeout) };
    (!command.is_empty()).then_some(OwnCheck { command, timeout })
}

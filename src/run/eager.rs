//! Health without waiting for the Engine's interval: the container's own check, run by exec as soon as the container runs.
//!
//! Nothing is changed in the container: its health stays what the Engine says. A check that fails counts for nothing, for only the
//! Engine knows of start periods and retries.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use crate::engine::{Engine, Error, ExecSpec, OwnCheck};
use crate::name::ContainerId;

/// The pause after the first try; each one is half as long again, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(50);
/// What is not healthy by then may take long.
const LONGEST: Duration = Duration::from_secs(1);

/// Runs the check of a container until it passes, and says what was counted. For a container without a check, and after a
/// check that did not end in its time (another beside it would change what runs there), it never ends: the Engine decides.
pub(super) async fn healthy(engine: &Engine, id: &ContainerId, note: impl Fn(&str)) {
    let Ok(Some(check)) = engine.life(id.as_str()).await.map(|life| life.and_then(|life| life.check)) else {
        return std::future::pending().await;
    };
    let (begun, mut tries, mut pause) = (Instant::now(), 0, FIRST);
    loop {
        tries += 1;
        match timeout(check.timeout, passes(engine, id, &check)).await {
            Ok(Ok(true)) => break,
            // it does not run yet, or not now, or said no
            Ok(_) => sleep(pause).await,
            Err(_) => return std::future::pending().await,
        }
        pause = (pause * 3 / 2).min(LONGEST);
    }
    let (tries, seconds) = (if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") }, begun.elapsed());
    note(&format!("its own check passed, run by bowline ({tries}, {:.1} s)", seconds.as_secs_f64()));
}

/// Runs the check once, to its end, as the Engine does: with the container's user, environment and directory, and no input.
async fn passes(engine: &Engine, id: &ContainerId, check: &OwnCheck) -> Result<bool, Error> {
    let spec = ExecSpec { command: check.command.clone(), ..ExecSpec::default() };
    let mut exec = engine.exec(id.as_str(), &spec).await?;
    let _ = exec.ends.input.shutdown().await;
    while exec.ends.next().await?.is_some() {}
    Ok(engine.exec_code(&exec.id).await? == Some(0))
}

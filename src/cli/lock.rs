//! One writer at a time for a project on an Engine, on this machine.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use bowline::engine::Engine;
use bowline::name::ProjectName;
use sha2::{Digest, Sha256};

use super::args::Global;
use super::engine::environment;
use super::exit::{Exit, Failure};
use super::output;
use super::signals::Signals;

/// Held until it is dropped, or the process ends, however it ends.
pub struct Lock(#[expect(dead_code, reason = "closing it unlocks")] Option<File>);

/// Waits for the lock of `project` on `engine`, and says for whom; with `--no-wait` it fails instead. A dry run takes none.
///
/// Where no lock file can be had (no directory of this user), the command goes on without one: the Engine itself refuses what two
/// writers would do to each other.
pub async fn take(
    global: &Global,
    engine: &Engine,
    project: &ProjectName,
    command: &str,
    signals: &mut Signals,
) -> Result<Lock, Failure> {
    if global.dry_run {
        return Ok(Lock(None));
    }
    let Some(mut file) = open(engine, project) else { return Ok(Lock(None)) };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(_)) => return Ok(Lock(None)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "another bowline" } else { holder.trim() };
            if global.no_wait {
                let message = format!("{holder} works on the project `{project}`; nothing was begun");
                return Err(Failure::new(Exit::Busy, message).hint("without `--no-wait` it is waited for"));
            }
            output::remark(&format!("waiting for {holder}, which works on the project `{project}`"));
            let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
            file = tokio::select! {
                locked = waiting => locked.map_err(|why| Failure::new(Exit::StepFailed, why))??,
                () = signals.next() => return Err(Failure::new(Exit::Interrupted, "interrupted; nothing was begun")),
            };
        }
    }
    let _ = file.set_len(0);
    let _ = file.rewind();
    let _ = write!(file, "`bowline {command}` (process {})", std::process::id());
    Ok(Lock(Some(file)))
}

/// The lock file: named after what it locks, in a directory of this user's.
fn open(engine: &Engine, project: &ProjectName) -> Option<File> {
    let user = rustix::process::geteuid();
    let directory = match environment("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
        Some(runtime) => PathBuf::from(runtime).join("bowline"),
        None => std::env::temp_dir().join(format!("bowline-{}", user.as_raw())),
    };
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&directory);
    // in a directory that somebody else made, the file could be a link to one of ours
    let found = std::fs::symlink_metadata(&directory).ok()?;
    if !found.is_dir() || found.uid() != user.as_raw() {
        return None;
    }
    let digest = Sha256::digest(format!("{}\n{project}", engine.address()));
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let path = directory.join(format!("{project}-{name}.lock"));
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).ok()
}

//! One writer at a time for a project on an Engine, on this machine; and what a writer that was killed may have left under way.

use std::cell::RefCell;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use bowline::engine::Engine;
use bowline::name::ProjectName;
use sha2::{Digest, Sha256};

use super::args::Global;
use super::engine::environment;
use super::exit::{Exit, Failure};
use super::output;
use super::signals::Signals;

/// What stands in the file while calls are under way. The Engine ends what it was asked for even if the asker is killed.
const AT_WORK: &str = "\nat work";
/// Between two looks at an Engine that may be at work for somebody who was killed. Networks and containers are made in less.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked at most.
const LOOKS: usize = 10;

/// Held until it is released or dropped, or the process ends, however it ends.
#[derive(Default)]
pub struct Lock {
    file: RefCell<Option<File>>,
    /// Who holds it, in words.
    holder: String,
}

impl Lock {
    /// Calls begin. Whoever finds this written when nobody holds the lock knows that its holder was killed meanwhile.
    pub fn begin(&self) {
        self.write(AT_WORK);
    }

    /// Every call was answered.
    pub fn end(&self) {
        self.write("");
    }

    /// Lets the next one in.
    pub fn release(&self) {
        self.file.take();
    }

    fn write(&self, state: &str) {
        if let Some(file) = self.file.borrow_mut().as_mut() {
            // a lock that nobody can be named for still locks
            let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}{state}", self.holder));
        }
    }
}

/// Waits for the lock of `project` on `engine`, and says for whom; with `--no-wait` it fails instead. Where the last holder was
/// killed at its work, the Engine is given the time to end it. A dry run takes no lock.
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
        return Ok(Lock::default());
    }
    let Some(mut file) = open(engine, project) else { return Ok(Lock::default()) };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(_)) => return Ok(Lock::default()),
        Err(TryLockError::WouldBlock) => {
            let holder = read(&mut file);
            let holder = if holder.is_empty() { "another bowline" } else { holder.trim_end_matches(AT_WORK) };
            if global.no_wait {
                let message = format!("{holder} works on the project `{project}`; nothing was begun");
                return Err(Failure::new(Exit::Busy, message).hint("without `--no-wait` it is waited for"));
            }
            output::remark(&format!("waiting for {holder}, which works on the project `{project}`"));
            let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
            file = tokio::select! {
                locked = waiting => locked.map_err(|why| Failure::new(Exit::StepFailed, why))??,
                () = signals.next() => return Err(nothing_begun()),
            };
        }
    }
    if let Some(killed) = read(&mut file).strip_suffix(AT_WORK) {
        output::remark(&format!("{killed} ended in the middle of its work: looking until the Engine is at rest"));
        tokio::select! {
            rest = at_rest(engine, project) => rest?,
            () = signals.next() => return Err(nothing_begun()),
        }
    }
    let holder = format!("`bowline {command}` (process {})", std::process::id());
    let lock = Lock { file: RefCell::new(Some(file)), holder };
    lock.end();
    Ok(lock)
}

fn nothing_begun() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted; nothing was begun")
}

fn read(file: &mut File) -> String {
    let mut text = String::new();
    // what cannot be read names nobody
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text
}

/// Looks at what the project has until two looks see the same.
async fn at_rest(engine: &Engine, project: &ProjectName) -> Result<(), Failure> {
    let mut before = None;
    for _ in 0..LOOKS {
        let containers =
            engine.list(project).await?.into_iter().map(|it| (it.id.as_str().to_owned(), it.name, it.state));
        let networks = engine.networks().await?.into_iter().filter(|network| network.belongs_to(project));
        let seen = (containers.collect::<Vec<_>>(), networks.map(|network| network.id).collect::<Vec<_>>());
        if before.as_ref() == Some(&seen) {
            break;
        }
        before = Some(seen);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
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

//! One writer at a time for a project on an Engine, on this machine; and what a writer that was killed may have left under way.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use bowline::engine::Engine;
use bowline::name::ProjectName;
use bowline::plan::{Operation, Plan, StepId};
use bowline::run::{Event, Fate, Kind};
use sha2::{Digest, Sha256};

use super::args::Global;
use super::engine::environment;
use super::exit::{Exit, Failure};
use super::output;
use super::signals::Signals;

/// What stands in the file while calls are under way, before what is being made, a line each (`network NAME`). The Engine ends what
/// it was asked for even if the asker is killed.
const AT_WORK: &str = "\nat work\n";
/// Between two looks at an Engine that may be at work for somebody who was killed.
const PAUSE: Duration = Duration::from_secs(1);
/// The clock of files goes in steps, and may be behind that much.
const FILE_CLOCK: Duration = Duration::from_millis(10);
/// How long what was asked for last is waited for: an old Engine that makes many networks takes its time for each.
const LONGEST: Duration = Duration::from_secs(10);

/// Held until it is released or dropped, or the process ends, however it ends.
#[derive(Default)]
pub struct Lock {
    file: RefCell<Option<File>>,
    /// Who holds it, in words.
    holder: String,
    /// What is being made.
    making: RefCell<BTreeSet<String>>,
    /// When somebody held it last, where that was ever.
    before: Option<SystemTime>,
}

impl Lock {
    /// Calls begin. Whoever finds this written when nobody holds the lock knows that its holder was killed meanwhile.
    pub fn begin(&self) {
        self.write(AT_WORK);
    }

    /// Takes note of what is being made, and of what was made or refused. What ended without an answer may still be made.
    pub fn hear(&self, plan: &Plan, event: &Event<'_>) {
        let (step, begins) = match event {
            Event::Began(step) => (*step, true),
            Event::Ended(_, Fate::NotReached) => return,
            Event::Ended(_, Fate::Failed(error)) if error.kind == Kind::Unreachable => return,
            Event::Ended(step, _) => (*step, false),
            Event::Transfer(..) | Event::Note(..) => return,
        };
        let Some(what) = made_by(plan, step) else { return };
        if begins {
            self.making.borrow_mut().insert(what);
        } else {
            self.making.borrow_mut().remove(&what);
        }
        self.write(AT_WORK);
    }

    /// Every call was answered.
    pub fn end(&self) {
        self.making.borrow_mut().clear();
        self.write("");
    }

    /// Whether it is there, and not released yet.
    pub fn is_held(&self) -> bool {
        self.file.borrow().is_some()
    }

    /// Whether nobody else can have worked on the project since then: what was seen of it then still holds.
    pub fn was_free_since(&self, then: SystemTime) -> bool {
        self.before.is_none_or(|before| before + FILE_CLOCK < then)
    }

    /// Lets the next one in.
    pub fn release(&self) {
        self.file.take();
    }

    fn write(&self, state: &str) {
        if let Some(file) = self.file.borrow_mut().as_mut() {
            // a lock that nobody can be named for still locks
            let making = self.making.borrow().iter().map(|what| format!("{what}\n")).collect::<String>();
            let text = format!("{}{state}{making}", self.holder);
            let _ = rewrite(file, &text);
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
            let holder = holder.lines().next().filter(|line| !line.is_empty()).unwrap_or("another bowline");
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
    // whoever held it wrote to it last of all, where nobody killed it
    let found = file.metadata().ok().filter(|metadata| metadata.len() > 0);
    let mut before = found.and_then(|metadata| metadata.modified().ok());
    if let Some((killed, making)) = read(&mut file).split_once(AT_WORK) {
        output::remark(&format!("{killed} ended in the middle of its work: looking until the Engine is at rest"));
        tokio::select! {
            rest = at_rest(engine, project, making, age(&file)) => rest?,
            () = signals.next() => return Err(nothing_begun()),
        }
        before = Some(SystemTime::now());
    }
    let holder = format!("`bowline {command}` (process {})", std::process::id());
    let lock = Lock { file: RefCell::new(Some(file)), holder, before, ..Lock::default() };
    lock.end();
    Ok(lock)
}

/// Whether somebody works on the project at the moment.
pub fn is_taken(engine: &Engine, project: &ProjectName) -> bool {
    open(engine, project).is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Gives the file this text in place of its own. It is not emptied first: ext4 brings what is written to an emptied file to the disk when it
/// is closed (0.3 ms; 0.02 so), which takes as long as an Engine's answer. Who is killed in between leaves more than is true, never less.
fn rewrite(file: &mut File, text: &str) -> std::io::Result<()> {
    let length = text.len() as u64;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    if file.metadata()?.len() > length { file.set_len(length) } else { Ok(()) }
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

/// What a step makes, as the file has it.
fn made_by(plan: &Plan, step: StepId) -> Option<String> {
    match &plan.step(step).operation {
        Operation::CreateNetwork(key) => Some(format!("network {}", plan.desired_of(step).networks.get(key)?.name)),
        Operation::CreateContainer(new) => Some(format!("container {}", new.name)),
        _ => None,
    }
}

/// Looks at what the project has until all of `making` is there, or it is too long ago, and two looks see the same.
async fn at_rest(engine: &Engine, project: &ProjectName, making: &str, age: Duration) -> Result<(), Failure> {
    let mut before = None;
    let end = Instant::now() + LONGEST.saturating_sub(age);
    loop {
        let mut seen = BTreeSet::new();
        for container in engine.list(project).await? {
            seen.insert(format!("container {}", container.name));
            seen.insert(format!("{} {}", container.id, container.state));
        }
        let networks = engine.networks().await?.into_iter().filter(|network| network.belongs_to(project));
        seen.extend(networks.map(|network| format!("network {}", network.name)));
        let (is_same, now) = (before.as_ref() == Some(&seen), Instant::now());
        let is_done = is_same && (now > end || making.lines().all(|what| seen.contains(what)));
        // what starts again and again is never at rest
        if is_done || now > end + LONGEST {
            return Ok(());
        }
        before = Some(seen);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Since when nothing was asked for any more.
fn age(file: &File) -> Duration {
    let written = file.metadata().and_then(|metadata| metadata.modified()).ok();
    written.and_then(|written| written.elapsed().ok()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_place_of_a_longer_and_of_a_shorter_one() {
        let mut file = tempfile::tempfile().unwrap();
        for text in [
            "`bowline up` (process 1)",
            "`bowline up` (process 20)\nat work\nnetwork a\n",
            "`bowline down` (process 3)",
        ] {
            rewrite(&mut file, text).unwrap();
            assert_eq!(read(&mut file), text);
        }
    }
}

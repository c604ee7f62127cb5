//! What changes below the paths of the rules, as the system tells it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::{Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};
use tokio::sync::mpsc;

use super::rules::Rules;

/// Changes come in flocks: an editor saves in three steps, a checkout in hundreds. So long nothing more must have come.
const QUIET: Duration = Duration::from_millis(100);
/// But no longer than this, where they do not end.
const LONGEST: Duration = Duration::from_secs(1);

/// Why changes cannot be seen.
#[derive(Debug, thiserror::Error)]
pub enum EyesError {
    /// The system watches no more directories for this user.
    #[error(
        "the system watches no more directories: `sysctl fs.inotify.max_user_watches` tells how many one user may have"
    )]
    Limit,
    /// The system said no.
    #[error("cannot watch {path}: {why}")]
    Refused {
        /// What was to be watched.
        path: PathBuf,
        /// The system's own words.
        why: notify::Error,
    },
    /// The system's notifications ended.
    #[error("the system tells of no more changes")]
    Blind,
}

/// Eyes on every directory below the rules' paths that may mean something. Ignored directories are not watched: a
/// `node_modules` costs nothing.
pub struct Eyes {
    rules: Rules,
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<notify::Result<Event>>,
}

impl Eyes {
    /// Opens them, and tells everything that is there.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn open(rules: Rules) -> Result<(Self, BTreeSet<PathBuf>), EyesError> {
        let (sender, changes) = mpsc::unbounded_channel();
        let tell = move |event| drop(sender.send(event));
        let refused = |why| EyesError::Refused { path: PathBuf::from("/"), why };
        let watcher = RecommendedWatcher::new(tell, Config::default()).map_err(refused)?;
        let mut eyes = Self { rules, watcher, changes };
        let there = eyes.look_everywhere()?;
        Ok((eyes, there))
    }

    /// The rules that they see by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Waits for changes, and until no more of them come; every path is one that the rules speak of.
    ///
    /// # Errors
    /// When changes cannot be seen any more.
    pub async fn next(&mut self) -> Result<BTreeSet<PathBuf>, EyesError> {
        let mut changed = BTreeSet::new();
        while changed.is_empty() {
            let event = self.changes.recv().await.ok_or(EyesError::Blind)?;
            self.hear(event, &mut changed)?;
        }
        let begun = Instant::now();
        while let Some(left) = LONGEST.checked_sub(begun.elapsed()) {
            match tokio::time::timeout(left.min(QUIET), self.changes.recv()).await {
                Ok(event) => self.hear(event.ok_or(EyesError::Blind)?, &mut changed)?,
                Err(_) => break,
            }
        }
        Ok(changed)
    }

    /// Takes note of what an event tells. A directory that is new may hold files already.
    fn hear(&mut self, event: notify::Result<Event>, changed: &mut BTreeSet<PathBuf>) -> Result<(), EyesError> {
        let event = match event {
            Ok(event) if event.need_rescan() => {
                changed.extend(self.look_everywhere()?);
                return Ok(());
            }
            Ok(event) => event,
            Err(why) => return Err(refused(Path::new("/"), why)),
        };
        let is_new = matches!(event.kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)));
        if matches!(event.kind, EventKind::Access(_)) {
            return Ok(());
        }
        for path in event.paths {
            if is_new && is_directory(&path) {
                changed.extend(self.look_at(&path)?);
            }
            if self.rules.concern(&path) {
                changed.insert(path);
            }
        }
        Ok(())
    }

    /// Looks at every rule's path, and at the directory that it lies in: a path may be replaced as a whole.
    fn look_everywhere(&mut self) -> Result<BTreeSet<PathBuf>, EyesError> {
        let paths: BTreeSet<PathBuf> = self.rules.iter().map(|rule| rule.watch.path.clone()).collect();
        let mut there = BTreeSet::new();
        for path in paths {
            if let Some(parent) = path.parent() {
                self.watch(parent)?;
            }
            if is_directory(&path) {
                there.extend(self.look_at(&path)?);
            } else if path.exists() {
                there.insert(path);
            }
        }
        Ok(there)
    }

    /// Looks at a directory and at all below it, and tells what is there. It is watched first and listed then, so that what is made in
    /// between is told at least once.
    fn look_at(&mut self, directory: &Path) -> Result<BTreeSet<PathBuf>, EyesError> {
        let mut there = BTreeSet::new();
        let mut open = vec![directory.to_owned()];
        while let Some(directory) = open.pop() {
            if self.rules.are_blind_to(&directory) || !self.watch(&directory)? {
                continue;
            }
            // what cannot be listed is gone again, or not ours to read
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push(entry.path());
                }
                there.insert(entry.path());
            }
        }
        there.retain(|path| self.rules.concern(path));
        Ok(there)
    }

    /// Watches one directory; tells whether it is there.
    fn watch(&mut self, directory: &Path) -> Result<bool, EyesError> {
        match self.watcher.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => Ok(true),
            Err(why) if is_gone(&why) => Ok(false),
            Err(why) => Err(refused(directory, why)),
        }
    }
}

/// A link to a directory is copied as a link, and not followed.
fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|data| data.is_dir())
}

fn is_gone(why: &notify::Error) -> bool {
    match &why.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(why) => why.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

fn refused(path: &Path, why: notify::Error) -> EyesError {
    match why.kind {
        ErrorKind::MaxFilesWatch => EyesError::Limit,
        _ => EyesError::Refused { path: path.to_owned(), why },
    }
}

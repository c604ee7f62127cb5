//! Whose a stack is that lives as long as its owner: labels that tell, and whether the owner is still there.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The owner's process id. Who has this label belongs to an owner.
pub const PID: &str = "bowline.owner.pid";
/// When that process began, in clock ticks after the boot: ids are given again.
const START: &str = "bowline.owner.start";
/// Which boot that is.
const BOOT: &str = "bowline.owner.boot";
/// Which machine.
const HOST: &str = "bowline.owner.host";
/// Which namespace the process id is of: a container has its own.
const NAMESPACE: &str = "bowline.owner.namespace";
/// When nobody may need it any more, whatever became of the owner: seconds since 1970.
const UNTIL: &str = "bowline.owner.until";
/// It may outlive its owner, until that time.
const KEEP: &str = "bowline.owner.keep";

/// A process that owns stacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pid: String,
    start: String,
    boot: String,
    host: String,
    namespace: String,
}

impl Owner {
    /// This process.
    pub fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
        let pid = std::process::id().to_string();
        let namespace = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string());
        Self {
            start: start(&pid).unwrap_or_default(),
            pid,
            boot: read("/proc/sys/kernel/random/boot_id"),
            host: format!("{} {}", read("/proc/sys/kernel/hostname"), read("/etc/machine-id")).trim().to_owned(),
            namespace: namespace.unwrap_or_default(),
        }
    }

    /// The labels of what it owns. `keep`: what may outlive it, until the time is over.
    pub fn labels(&self, time_to_live: Duration, keep: bool) -> BTreeMap<String, String> {
        let until = now() + time_to_live.as_secs();
        let mut labels: BTreeMap<String, String> = [
            (PID, self.pid.clone()),
            (START, self.start.clone()),
            (BOOT, self.boot.clone()),
            (HOST, self.host.clone()),
            (NAMESPACE, self.namespace.clone()),
            (UNTIL, until.to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if keep {
            labels.insert(KEEP.to_owned(), "true".to_owned());
        }
        labels
    }

    /// Whether what has these labels was left behind, as far as can be told from here.
    pub fn sees_left(&self, labels: &BTreeMap<String, String>) -> bool {
        is_left(self, labels, now(), start)
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// When a process began: field 22 of its `stat`, counted after the name, which may hold blanks (proc_pid_stat(5)).
fn start(pid: &str) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.rsplit_once(')')?.1;
    // a zombie has ended
    let mut fields = after.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned)).flatten()
}

/// Left behind is what belongs to a process of this machine that is gone. Of what belongs to others elsewhere only the time tells.
fn is_left(here: &Owner, labels: &BTreeMap<String, String>, now: u64, start: impl Fn(&str) -> Option<String>) -> bool {
    let label = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
    let Some(pid) = labels.get(PID) else { return false };
    let is_over = label(UNTIL).parse().is_ok_and(|until: u64| until < now);
    if labels.contains_key(KEEP) {
        return is_over;
    }
    let same_boot = !here.boot.is_empty() && label(BOOT) == here.boot;
    if same_boot && label(NAMESPACE) == here.namespace {
        return start(pid).is_none_or(|began| began != label(START));
    }
    let rebooted = !here.host.is_empty() && label(HOST) == here.host && !same_boot;
    rebooted || is_over
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        let text = |text: &str| text.to_owned();
        Owner { pid: text("7"), start: text("100"), boot: text("b1"), host: text("h"), namespace: text("pid:[1]") }
    }

    fn left(change: impl Fn(&mut BTreeMap<String, String>), started: Option<&str>, later: u64) -> bool {
        let mut labels = owner().labels(Duration::from_secs(60), false);
        change(&mut labels);
        is_left(&owner(), &labels, now() + later, |_| started.map(str::to_owned))
    }

    #[test]
    fn a_process_that_is_gone_leaves_things_behind() {
        assert!(!left(|_| {}, Some("100"), 0), "it lives");
        assert!(!left(|_| {}, Some("100"), 1000), "it lives, however long it takes");
        assert!(left(|_| {}, None, 0), "it is gone");
        assert!(left(|_| {}, Some("200"), 0), "another one has its id");
        assert!(left(|labels| _ = labels.insert(BOOT.to_owned(), "b0".to_owned()), Some("100"), 0), "before a reboot");
    }

    #[test]
    fn of_what_cannot_be_seen_only_the_time_tells() {
        let elsewhere = |labels: &mut BTreeMap<String, String>| {
            labels.insert(HOST.to_owned(), "other".to_owned());
            labels.insert(BOOT.to_owned(), "b2".to_owned());
        };
        assert!(!left(elsewhere, None, 0) && left(elsewhere, None, 61));
        let in_a_container =
            |labels: &mut BTreeMap<String, String>| _ = labels.insert(NAMESPACE.to_owned(), "pid:[2]".to_owned());
        assert!(!left(in_a_container, None, 0) && left(in_a_container, None, 61));
        let kept = |labels: &mut BTreeMap<String, String>| _ = labels.insert(KEEP.to_owned(), "true".to_owned());
        assert!(!left(kept, None, 0) && left(kept, None, 61));
        assert!(!left(BTreeMap::clear, None, 1000), "it is nobody's");
    }

    #[test]
    fn this_process_lives() {
        let this = Owner::this();
        assert!(!this.sees_left(&this.labels(Duration::from_secs(60), false)), "{this:?}");
    }
}

//! What /proc tells of one process: its user, its mounts, its cgroups. Pure.

use super::answer::Mount;
use super::text::printable;

/// The effective user or group (`Uid`, `Gid`) in /proc/PID/status: `Uid:\treal\teffective\tsaved\tfile system`.
pub fn identity(status: &[u8], key: &str) -> Option<u32> {
    let text = String::from_utf8_lossy(status);
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A number in base 16 in /proc/PID/status: `CapBnd:\t00000000a80425fb`, `NoNewPrivs:\t1`.
pub fn bits(status: &[u8], key: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(status);
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// The number that a user or a group has inside, by /proc/PID/uid_map: lines of `inside outside count`. Whoever is not in it stays.
pub fn inside(map: &[u8], id: u32) -> u32 {
    let text = String::from_utf8_lossy(map);
    let range = |line: &str| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [inside, outside, count] = numbers[..] else { return None };
        let at = u64::from(id).checked_sub(outside).filter(|at| *at < count)?;
        u32::try_from(inside.checked_add(at)?).ok()
    };
    text.lines().find_map(range).unwrap_or(id)
}

/// A line of /proc/PID/mountinfo: `id parent major:minor root target options [tags…] - kind source options`.
pub fn mount(line: &[u8]) -> Option<Mount> {
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').take(64).collect();
    let dash = words.iter().position(|word| *word == b"-")?;
    let (before, after) = (words.get(..dash)?, words.get(dash + 1..)?);
    let read_only = |options: &[u8]| options.split(|b| *b == b',').any(|option| option == b"ro");
    Some(Mount {
        root: plain(before.get(3)?),
        target: plain(before.get(4)?),
        kind: printable(after.first()?),
        source: plain(after.get(1)?),
        read_only: read_only(before.get(5)?) || after.get(2).is_some_and(|options| read_only(options)),
    })
}

/// A path as the kernel writes it, with blanks and backslashes as `\040`.
fn plain(word: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    printable(&bytes)
}

/// A cgroup of a process, by a line of /proc/PID/cgroup: `number:controllers:path`, and `0::path` where one hierarchy has them all.
pub struct Cgroup {
    /// The names of its hierarchy, `cpu,cpuacct`; none where one has them all.
    pub controllers: String,
    /// From the root of the hierarchy.
    pub path: String,
}

impl Cgroup {
    /// Where a controller's files may lie on the host.
    pub fn directories(&self, controller: &str) -> Vec<String> {
        let Self { controllers, path } = self;
        if controllers.is_empty() {
            return vec![format!("/sys/fs/cgroup{path}")];
        }
        vec![format!("/sys/fs/cgroup/{controllers}{path}"), format!("/sys/fs/cgroup/{controller}{path}")]
    }

    /// The mount that is this very cgroup: a container that mounts the host's /sys has the host's own beside it, or in its place.
    pub fn mounted<'a>(&self, controller: &str, mounts: &'a [Mount]) -> Option<&'a Mount> {
        let kind = if self.controllers.is_empty() { "cgroup2" } else { "cgroup" };
        let named =
            |target: &str| target.rsplit('/').next().is_some_and(|name| name.split(',').any(|n| n == controller));
        let own = |mount: &&Mount| {
            mount.kind == kind && mount.root == self.path && (self.controllers.is_empty() || named(&mount.target))
        };
        let found = mounts.iter().find(own)?;
        // of several at one path the last is seen
        mounts.iter().rfind(|mount| mount.target == found.target).filter(own)
    }
}

/// The cgroups in which a controller may keep a process. The root is no container's.
pub fn cgroups(cgroup: &[u8], controller: &str) -> Vec<Cgroup> {
    let text = String::from_utf8_lossy(cgroup);
    let cgroup = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1).map(str::to_owned);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let root = path == "/" || path.split('/').any(|part| part == "..");
        let keeps = controllers.is_empty() || controllers.split(',').any(|name| name == controller);
        (keeps && !root).then_some(Cgroup { controllers, path })
    };
    text.lines().take(64).filter_map(cgroup).collect()
}

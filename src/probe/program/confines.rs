//! What the container's first process is confined to: read from outside of the container, where the program stands on the direct way.

use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

use crate::answer::{Answer, Confines, Failure, Limit, Mount, Rights};
use crate::proc::Cgroup;
use crate::text::printable;
use crate::{files, proc, sys};

/// The container's first process, where the program was told of it.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Longer files of /proc are cut.
const LONGEST: u64 = 1024 * 1024;
/// More mounts are not told.
const MOST_MOUNTS: usize = 1024;

/// The limits that are told: the controller, its file where each controller has a hierarchy, and where one has them all.
const LIMITS: &[(&str, &[&str])] = &[
    ("memory", &["memory.limit_in_bytes", "memory.max"]),
    ("pids", &["pids.max"]),
    ("cpu", &["cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max"]),
];

/// Tells of the process whose root directory this is from now on: `/proc/PID/root`.
pub fn use_root(path: &str) {
    let pid = path.strip_prefix("/proc/").and_then(|rest| rest.strip_suffix("/root")).and_then(|pid| pid.parse().ok());
    pid.map(|pid| PROCESS.set(pid));
}

/// User, mounts, limits.
pub fn answer() -> Answer {
    let Some(pid) = PROCESS.get() else {
        let message = "a container's processes are not visible from a sidecar".to_owned();
        return Answer::Failure(Failure { errno: None, message });
    };
    confines(*pid).map_or_else(|e| Answer::Failure(sys::failure("cannot read /proc", &e)), Answer::Confines)
}

fn confines(pid: u32) -> io::Result<Confines> {
    let file = |name: &str| bounded(&format!("/proc/{pid}/{name}"));
    let status = file("status")?;
    let id = |key: &str, map: &str| -> io::Result<u32> {
        let id = proc::identity(&status, key).ok_or(io::ErrorKind::InvalidData)?;
        Ok(proc::inside(&file(map)?, id))
    };
    let mountinfo = file("mountinfo")?;
    let mounts: Vec<Mount> = mountinfo.split(|b| *b == b'\n').take(MOST_MOUNTS).filter_map(proc::mount).collect();
    let cgroup = file("cgroup").unwrap_or_default();
    let mut limits = vec![];
    for (controller, names) in LIMITS {
        let cgroups = proc::cgroups(&cgroup, controller);
        limits.extend(names.iter().filter_map(|name| limit(controller, name, &cgroups, &mounts)));
    }
    let (user, group) = (id("Uid", "uid_map")?, id("Gid", "gid_map")?);
    Ok(Confines { pid, user, group, mounts, limits, rights: rights(&status)? })
}

fn rights(status: &[u8]) -> io::Result<Rights> {
    let own = bounded("/proc/self/status")?;
    let set = |status: &[u8], key: &str| proc::bits(status, key).ok_or(io::ErrorKind::InvalidData);
    Ok(Rights {
        bounding: set(status, "CapBnd")?,
        effective: set(status, "CapEff")?,
        ours: set(&own, "CapBnd")?,
        no_new_privileges: proc::bits(status, "NoNewPrivs") == Some(1),
        filtered: proc::bits(status, "Seccomp").map(|mode| mode == 2),
    })
}

/// A file of the process's cgroup: where this program sees it, else where the container does.
fn limit(controller: &str, name: &str, cgroups: &[Cgroup], mounts: &[Mount]) -> Option<Limit> {
    let here = |cgroup: &Cgroup| {
        let directories = cgroup.directories(controller);
        directories.iter().find_map(|directory| bounded(&format!("{directory}/{name}")).ok())
    };
    let inside = |cgroup: &Cgroup| files::read(&format!("{}/{name}", cgroup.mounted(controller, mounts)?.target)).ok();
    let value = cgroups.iter().find_map(here).or_else(|| cgroups.iter().find_map(inside))?;
    let value = value.get(..value.len().min(256)).unwrap_or_default().trim_ascii();
    Some(Limit { name: name.to_owned(), value: printable(value) })
}

fn bounded(path: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut content)?;
    Ok(content)
}

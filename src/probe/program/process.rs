//! Processes: who holds a socket, who runs under a name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};

use crate::answer::{Process, Socket};
use crate::text::printable;

/// More processes than this are not looked at.
const MOST_PROCESSES: usize = 65_536;

/// The ids of every process that can be seen.
fn pids() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).take(MOST_PROCESSES).collect())
}

/// What is known of a process; `None` when it is gone.
fn describe(pid: u32) -> Option<Process> {
    let status = bounded(&format!("/proc/{pid}/stat")).ok()?;
    // `pid (comm) state ppid …`: comm may hold anything, so the last parenthesis counts
    let open = status.iter().position(|&b| b == b'(')?;
    let close = status.iter().rposition(|&b| b == b')')?;
    let name = printable(status.get(open + 1..close)?);
    let after = String::from_utf8_lossy(status.get(close + 1..)?).into_owned();
    let parent = after.split_whitespace().nth(1)?.parse().ok()?;
    let line = bounded(&format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.strip_suffix(b"\0").unwrap_or(&line);
    let arguments = if words.is_empty() {
        Vec::new()
    } else {
        words.split(|&b| b == 0).take(64).map(|word| printable(&word[..word.len().min(256)])).collect()
    };
    Some(Process { pid, parent, name, arguments })
}

fn bounded(path: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(16 * 1024).read_to_end(&mut content)?;
    Ok(content)
}

/// Every process whose `comm` is `name`.
pub fn named(name: &str) -> io::Result<Vec<Process>> {
    let same =
        |pid: &u32| bounded(&format!("/proc/{pid}/comm")).is_ok_and(|found| printable(found.trim_ascii()) == name);
    Ok(pids()?.into_iter().filter(same).filter_map(describe).take(4096).collect())
}

/// Fills in the processes that hold the sockets, as far as /proc shows them.
pub fn find_owners(sockets: &mut [Socket]) {
    let mut wanted: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, socket) in sockets.iter().enumerate().filter(|(_, socket)| socket.inode != 0) {
        wanted.entry(socket.inode).or_default().push(at);
    }
    for pid in pids().unwrap_or_default() {
        if wanted.is_empty() {
            return;
        }
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for target in descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()) {
            let inode =
                target.to_str().and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok());
            let Some(holders) = inode.and_then(|inode| wanted.remove(&inode)) else { continue };
            let process = describe(pid);
            for at in holders {
                sockets[at].owner = process.clone();
            }
        }
    }
}

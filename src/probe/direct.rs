//! The direct way: where bowline is root on the Engine's host, the program enters the namespace by itself, as a child of ours.
//!
//! It is taken only where the namespace is proved to be the container's: the inode of `/proc/PID/ns/net` here is the inode of the
//! file that the Engine calls the container's sandbox. On another machine, in another process namespace or in another mount
//! namespace there is no such file, or it is another; then the sidecar is the way.

use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::{ProbeError, carried};

/// A network namespace that can be entered from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    inode: u64,
    root: Option<PathBuf>,
}

impl Place {
    /// The namespace of a container's first process, if it is here and is the Engine's `sandbox`.
    pub fn of_container(pid: u32, sandbox: &str) -> Option<Self> {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        let here = namespace(&path)?;
        let named = namespace(&PathBuf::from(sandbox))?;
        let same = here.ino() == named.ino() && here.dev() == named.dev();
        same.then(|| Self { path, inode: here.ino(), root: Some(PathBuf::from(format!("/proc/{pid}/root"))) })
    }

    /// The namespace of the daemon that answers at `socket`: the host's, as the Engine sees it.
    ///
    /// The kernel tells which process listens there. Where that is not dockerd itself (socket activation, a proxy), its namespace
    /// counts only if the one dockerd that can be seen shares it.
    pub fn of_daemon(socket: &std::path::Path) -> Option<Self> {
        let stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
        let listener = rustix::net::sockopt::socket_peercred(&stream).ok()?;
        let listener = u32::try_from(listener.pid.as_raw_nonzero().get()).ok()?;
        let place = |pid: u32| {
            let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
            Some(Self { inode: namespace(&path)?.ino(), path, root: None })
        };
        if name_of(listener).as_deref() == Some("dockerd") {
            return place(listener);
        }
        let daemons: Vec<u32> = fs::read_dir("/proc")
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| name_of(*pid).as_deref() == Some("dockerd"))
            .collect();
        let [daemon] = daemons[..] else { return None };
        place(daemon).filter(|found| place(listener).is_some_and(|p| p.inode == found.inode))
    }

    /// The inode of the namespace's file.
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// The program, to be started in this namespace.
    ///
    /// # Errors
    /// [`ProbeError::NoProgram`], or why it cannot be started from here.
    pub fn command(&self) -> Result<Command, ProbeError> {
        let mut command = Command::new(executable()?);
        command.arg("--namespace").arg(&self.path).arg("--inode").arg(self.inode.to_string());
        if let Some(root) = &self.root {
            command.arg("--root").arg(root);
        }
        command.env_clear().arg0("bowline-probe");
        Ok(command)
    }

    /// The program, to be started beside this namespace: in one of its own, joined to this one by a pair of links with a /30 out of
    /// `pool`. Both ends go with the program.
    ///
    /// # Errors
    /// As [`Place::command`].
    pub fn command_beside(&self, pool: &str) -> Result<Command, ProbeError> {
        let mut command = self.command()?;
        command.arg("--outside").arg(pool);
        Ok(command)
    }
}

/// Whether this process may enter namespaces at all.
pub fn is_permitted() -> bool {
    rustix::process::geteuid().is_root()
}

/// The file of a namespace, if it is one.
fn namespace(path: &std::path::Path) -> Option<Metadata> {
    // nsfs has no entry in /proc/filesystems that could be asked for; its files have no size and no kind of their own
    let metadata = fs::metadata(path).ok()?;
    let own = fs::metadata("/proc/self/ns/net").ok()?;
    (metadata.dev() == own.dev()).then_some(metadata)
}

/// The name of a process.
fn name_of(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The program as a file that can be started: in memory, so that no directory needs to permit it, and never written again.
fn executable() -> Result<String, ProbeError> {
    static FILE: OnceLock<Result<fs::File, String>> = OnceLock::new();
    let program = carried::program()?;
    let in_memory = || -> io::Result<fs::File> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        let mut file = fs::File::from(memfd_create("bowline-probe", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.write_all(program)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(file)
    };
    let file = FILE.get_or_init(|| in_memory().map_err(|e| e.to_string()));
    match file {
        Ok(file) => Ok(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())),
        Err(e) => Err(ProbeError::NotStarted(format!("no file in memory: {e}"))),
    }
}

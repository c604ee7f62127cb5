//! What the namespace's files say: hosts, resolv.conf, hostname, settings, its own inode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::OnceLock;

use crate::answer::{Answer, Failure, HostsLine, Machine, Namespace, Resolver, Socket, Sysctl, Transport};
use crate::{process, sys, tables, text};

/// The root directory of the container, where the program runs outside of it.
static ROOT: OnceLock<File> = OnceLock::new();

/// Longer files are a failure.
const LONGEST_FILE: u64 = 1024 * 1024;
/// More sockets than this are a failure.
const MOST_SOCKETS: usize = 16_384;

/// Reads the files under `path` from now on.
pub fn use_root(path: &str) -> io::Result<()> {
    let root = OpenOptions::new().read(true).custom_flags(sys::O_NONBLOCK).open(path)?;
    ROOT.set(root).map_err(|_| io::ErrorKind::AlreadyExists.into())
}

/// Reads a file of the container: no link leads out of it, nothing but a regular file is opened for long, and not without end.
pub fn read(path: &str) -> io::Result<Vec<u8>> {
    let file = match ROOT.get() {
        Some(root) => sys::open_in_root(root, path)?,
        None => OpenOptions::new().read(true).custom_flags(sys::O_NONBLOCK).open(path)?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut content = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
}

fn trouble(path: &str, error: &io::Error) -> Failure {
    sys::failure(&format!("cannot read {path}"), error)
}

/// Which namespace this is.
pub fn namespace() -> Answer {
    let path = "/proc/self/ns/net";
    match fs::metadata(path) {
        Ok(metadata) => Answer::Namespace(Namespace {
            inode: metadata.ino(),
            hostname: read("/etc/hostname").ok().map(|name| text::printable(name.trim_ascii())),
        }),
        Err(e) => Answer::Failure(trouble(path, &e)),
    }
}

/// The lines of /etc/hosts.
pub fn hosts() -> Result<Vec<HostsLine>, Failure> {
    read("/etc/hosts").map(|content| tables::hosts(&content)).map_err(|e| trouble("/etc/hosts", &e))
}

/// What /etc/resolv.conf says.
pub fn resolver() -> Result<Resolver, Failure> {
    read("/etc/resolv.conf").map(|content| tables::resolver(&content)).map_err(|e| trouble("/etc/resolv.conf", &e))
}

/// A kernel setting; those under `net` are this namespace's.
pub fn sysctl(name: &str) -> Answer {
    let Some(path) = tables::sysctl_path(name) else {
        return Answer::Failure(Failure { errno: None, message: format!("{name} names no kernel setting") });
    };
    let value = File::open(&path).and_then(|file| {
        let mut content = Vec::new();
        file.take(4096).read_to_end(&mut content)?;
        Ok(text::printable(content.trim_ascii()))
    });
    match value {
        Ok(value) => Answer::Sysctl(Sysctl { name: name.to_owned(), value: Some(value) }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Answer::Sysctl(Sysctl { name: name.to_owned(), value: None }),
        Err(e) => Answer::Failure(trouble(&path, &e)),
    }
}

/// What the machine says that it is.
pub fn machine() -> Machine {
    let word = |name: &str| {
        let mut content = Vec::new();
        let read =
            File::open(format!("/sys/class/dmi/id/{name}")).and_then(|file| file.take(256).read_to_end(&mut content));
        read.map(|_| text::printable(content.trim_ascii())).unwrap_or_default()
    };
    Machine { vendor: word("sys_vendor"), product: word("product_name") }
}

/// Every socket that listens or is bound.
pub fn sockets(owners: bool) -> Answer {
    let mut found: Vec<Socket> = Vec::new();
    for (path, transport) in [
        ("/proc/self/net/tcp", Transport::Tcp),
        ("/proc/self/net/tcp6", Transport::Tcp),
        ("/proc/self/net/udp", Transport::Udp),
        ("/proc/self/net/udp6", Transport::Udp),
    ] {
        let file = match File::open(path) {
            Ok(file) => file,
            // a kernel without IPv6 has no such table
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.ends_with('6') => continue,
            Err(e) => return Answer::Failure(trouble(path, &e)),
        };
        for line in BufReader::new(file).lines() {
            match line {
                Ok(line) => found.extend(tables::socket(&line, transport)),
                Err(e) => return Answer::Failure(trouble(path, &e)),
            }
            if found.len() > MOST_SOCKETS {
                return Answer::Failure(trouble(path, &io::ErrorKind::FileTooLarge.into()));
            }
        }
    }
    if owners {
        process::find_owners(&mut found);
    }
    Answer::Sockets(found)
}

/// Whether sysfs shows a wireless device behind the link. It is asked only where sysfs is this namespace's, by the same MAC.
pub fn is_wireless(name: &str, mac: Option<&str>) -> bool {
    let directory = format!("/sys/class/net/{name}");
    let same = fs::read_to_string(format!("{directory}/address")).is_ok_and(|found| Some(found.trim()) == mac);
    same && ["phy80211", "wireless"].iter().any(|entry| fs::exists(format!("{directory}/{entry}")).unwrap_or(false))
}

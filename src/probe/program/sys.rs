//! The system calls that std does not have: the only `unsafe` of bowline, each a call with slices it owns.
//!
//! The numbers are Linux's on 64-bit machines (x86-64, arm64, riscv64), where they are the same; build.rs builds for no other.

use std::ffi::{c_int, c_long, c_void};
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Instant;

use crate::answer::Failure;

pub const AF_INET: c_int = 2;
pub const AF_INET6: c_int = 10;
pub const AF_NETLINK: c_int = 16;
pub const AF_PACKET: c_int = 17;
pub const SOCK_STREAM: c_int = 1;
pub const SOCK_DGRAM: c_int = 2;
pub const SOCK_RAW: c_int = 3;
const SOCK_CLOEXEC: c_int = 0o2000000;
const SOCK_NONBLOCK: c_int = 0o4000;
pub const SOL_SOCKET: c_int = 1;
pub const SO_REUSEADDR: c_int = 2;
const SO_ERROR: c_int = 4;
const SO_BINDTODEVICE: c_int = 25;
pub const IPPROTO_IP: c_int = 0;
pub const IPPROTO_UDP: c_int = 17;
pub const IPPROTO_ICMP: c_int = 1;
pub const IPPROTO_IPV6: c_int = 41;
pub const IPPROTO_ICMPV6: c_int = 58;
const IP_RECVERR: c_int = 11;
const IPV6_RECVERR: c_int = 25;
pub const IPV6_V6ONLY: c_int = 26;
const MSG_ERRQUEUE: c_int = 0x2000;
const MSG_DONTWAIT: c_int = 0x40;
const MSG_TRUNC: c_int = 0x20;
const CLONE_NEWNET: c_int = 0x4000_0000;
const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;
const SYS_OPENAT2: c_long = 437;
pub const O_NONBLOCK: c_int = 0o4000;
const O_CLOEXEC: u64 = 0o2000000;
/// `RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT`.
const RESOLVE: u64 = 0x02 | 0x10;

pub const EPERM: i32 = 1;
pub const ENOENT: i32 = 2;
pub const EINTR: i32 = 4;
pub const EACCES: i32 = 13;
pub const EINVAL: i32 = 22;
pub const EOPNOTSUPP: i32 = 95;
pub const EPROTONOSUPPORT: i32 = 93;
pub const EAFNOSUPPORT: i32 = 97;
pub const EADDRINUSE: i32 = 98;
pub const EADDRNOTAVAIL: i32 = 99;
pub const ENETDOWN: i32 = 100;
pub const ENETUNREACH: i32 = 101;
pub const ETIMEDOUT: i32 = 110;
pub const ECONNREFUSED: i32 = 111;
pub const EHOSTDOWN: i32 = 112;
pub const EHOSTUNREACH: i32 = 113;
const EINPROGRESS: i32 = 115;

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

#[repr(C)]
struct IoVec {
    base: *mut c_void,
    length: usize,
}

#[repr(C)]
struct MessageHeader {
    name: *mut c_void,
    name_length: u32,
    vectors: *mut IoVec,
    vector_count: usize,
    control: *mut c_void,
    control_length: usize,
    flags: c_int,
}

#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

unsafe extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn bind(fd: c_int, address: *const c_void, length: u32) -> c_int;
    fn connect(fd: c_int, address: *const c_void, length: u32) -> c_int;
    fn listen(fd: c_int, backlog: c_int) -> c_int;
    fn getsockname(fd: c_int, address: *mut c_void, length: *mut u32) -> c_int;
    fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut u32) -> c_int;
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    fn send(fd: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
    fn sendto(fd: c_int, bytes: *const c_void, length: usize, flags: c_int, to: *const c_void, to_length: u32)
    -> isize;
    fn recvfrom(
        fd: c_int,
        bytes: *mut c_void,
        length: usize,
        flags: c_int,
        from: *mut c_void,
        from_length: *mut u32,
    ) -> isize;
    fn recvmsg(fd: c_int, message: *mut MessageHeader, flags: c_int) -> isize;
    fn poll(fds: *mut PollFd, count: u64, timeout: c_int) -> c_int;
    fn setns(fd: c_int, kind: c_int) -> c_int;
    fn unshare(flags: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

fn checked(result: impl Into<i64>) -> io::Result<usize> {
    usize::try_from(result.into()).map_err(|_| io::Error::last_os_error())
}

/// A failed call, in words.
pub fn failure(what: &str, error: &io::Error) -> Failure {
    Failure { errno: error.raw_os_error(), message: format!("{what}: {error}") }
}

/// Moves this thread, and so the threads that it will start, into the network namespace that `file` is.
pub fn enter_network_namespace(file: &File) -> io::Result<()> {
    // SAFETY: takes a descriptor that is open and a number.
    checked(unsafe { setns(file.as_raw_fd(), CLONE_NEWNET) }).map(drop)
}

/// Moves this thread into a new network namespace.
pub fn new_network_namespace() -> io::Result<()> {
    // SAFETY: takes a number.
    checked(unsafe { unshare(CLONE_NEWNET) }).map(drop)
}

/// Opens a file for reading as a process whose root directory is `root` would: no link leads out of it.
pub fn open_in_root(root: &File, path: &str) -> io::Result<File> {
    let path = std::ffi::CString::new(path)?;
    let how = OpenHow { flags: O_CLOEXEC | O_NONBLOCK as u64, mode: 0, resolve: RESOLVE };
    // SAFETY: the path ends with a zero, `how` lives through the call and its size is given; a descriptor comes back that is ours.
    unsafe {
        let fd = checked(syscall(SYS_OPENAT2, root.as_raw_fd(), path.as_ptr(), &how, size_of::<OpenHow>()))?;
        Ok(File::from_raw_fd(fd as RawFd))
    }
}

/// A socket that never blocks: every wait is a poll with a deadline.
pub struct Socket(OwnedFd);

impl Socket {
    /// Opens one.
    pub fn new(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<Self> {
        // SAFETY: takes numbers; a descriptor comes back that is ours.
        unsafe {
            let fd = checked(socket(domain, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol))?;
            Ok(Self(OwnedFd::from_raw_fd(fd as RawFd)))
        }
    }

    /// Opens one of the family of `to`, and lets it leave by `device` only.
    pub fn towards(to: IpAddr, kind: c_int, protocol: c_int, device: Option<&str>) -> io::Result<Self> {
        let socket = Self::new(if to.is_ipv4() { AF_INET } else { AF_INET6 }, kind, protocol)?;
        if let Some(device) = device {
            socket.set_option(SOL_SOCKET, SO_BINDTODEVICE, device.as_bytes())?;
        }
        Ok(socket)
    }

    /// Its descriptor, to hand on.
    pub fn into_fd(self) -> OwnedFd {
        self.0
    }

    /// Sets an option.
    pub fn set_option(&self, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
        // SAFETY: the slice lives through the call and its length is given.
        let done = unsafe { setsockopt(self.0.as_raw_fd(), level, name, value.as_ptr().cast(), value.len() as u32) };
        checked(done).map(drop)
    }

    /// Asks that ICMP messages about what it sends are queued for [`Socket::queued_error`].
    pub fn queue_errors(&self, to: IpAddr) -> io::Result<()> {
        let (level, name) = if to.is_ipv4() { (IPPROTO_IP, IP_RECVERR) } else { (IPPROTO_IPV6, IPV6_RECVERR) };
        self.set_option(level, name, &1i32.to_ne_bytes())
    }

    /// Binds it.
    pub fn bind(&self, address: &[u8]) -> io::Result<()> {
        // SAFETY: as in `set_option`.
        checked(unsafe { bind(self.0.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) }).map(drop)
    }

    /// Makes it listen.
    pub fn listen(&self) -> io::Result<()> {
        // SAFETY: takes numbers.
        checked(unsafe { listen(self.0.as_raw_fd(), 256) }).map(drop)
    }

    /// Connects it, waiting until `deadline`; `TimedOut` when that passes.
    pub fn connect(&self, to: &SocketAddr, deadline: Instant) -> io::Result<()> {
        let address = socket_address(to);
        // SAFETY: as in `set_option`.
        let begun = checked(unsafe { connect(self.0.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) });
        match begun {
            Ok(_) => return Ok(()),
            Err(e) if e.raw_os_error() == Some(EINPROGRESS) => {}
            Err(e) => return Err(e),
        }
        if !self.wait(POLLOUT, deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match self.pending_error()? {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }

    /// The error that waits on it (`SO_ERROR`), which this takes away.
    fn pending_error(&self) -> io::Result<i32> {
        let mut value = 0i32;
        let mut length = 4u32;
        // SAFETY: both live through the call, and the length is the value's.
        let done =
            unsafe { getsockopt(self.0.as_raw_fd(), SOL_SOCKET, SO_ERROR, (&raw mut value).cast(), &raw mut length) };
        checked(done).map(|_| value)
    }

    /// The address that it is bound to.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        let mut bytes = [0u8; 28];
        let mut length = bytes.len() as u32;
        // SAFETY: both live through the call, and the length is the buffer's.
        checked(unsafe { getsockname(self.0.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length) })?;
        parse_socket_address(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Sends to whom it is connected to.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: as in `set_option`.
        checked(unsafe { send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) } as i64)
    }

    /// Sends to `to`, an address in the kernel's form.
    pub fn send_to(&self, bytes: &[u8], to: &[u8]) -> io::Result<usize> {
        let (start, length) = (to.as_ptr().cast(), to.len() as u32);
        // SAFETY: as in `set_option`, twice.
        checked(unsafe { sendto(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0, start, length) } as i64)
    }

    /// Receives what is there, cut to the buffer; the sender's address in the kernel's form beside it.
    pub fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, [u8; 28])> {
        let mut from = [0u8; 28];
        let mut length = from.len() as u32;
        // SAFETY: all three live through the call, and the lengths are theirs.
        let count = unsafe {
            let (start, size) = (buffer.as_mut_ptr().cast(), buffer.len());
            recvfrom(self.0.as_raw_fd(), start, size, MSG_DONTWAIT, from.as_mut_ptr().cast(), &raw mut length)
        };
        Ok((checked(count as i64)?.min(buffer.len()), from))
    }

    /// Receives a whole message; an error when the buffer is too small for it.
    pub fn receive_whole(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the buffer lives through the call and its length is given; nobody asks for an address.
        let count = unsafe {
            let (start, size) = (buffer.as_mut_ptr().cast(), buffer.len());
            recvfrom(
                self.0.as_raw_fd(),
                start,
                size,
                MSG_DONTWAIT | MSG_TRUNC,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        let count = checked(count as i64)?;
        if count > buffer.len() { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(count) }
    }

    /// The control messages of the oldest queued error; `None` when there is none.
    pub fn queued_error(&self) -> Option<Vec<u8>> {
        let mut payload = [0u8; 64];
        let mut control = vec![0u64; 64];
        let mut vector = IoVec { base: payload.as_mut_ptr().cast(), length: payload.len() };
        let mut header = MessageHeader {
            name: std::ptr::null_mut(),
            name_length: 0,
            vectors: &raw mut vector,
            vector_count: 1,
            control: control.as_mut_ptr().cast(),
            control_length: control.len() * 8,
            flags: 0,
        };
        // SAFETY: every pointer in the header is to something above that lives through the call, with its length.
        checked(unsafe { recvmsg(self.0.as_raw_fd(), &raw mut header, MSG_ERRQUEUE | MSG_DONTWAIT) } as i64).ok()?;
        let bytes = control.iter().flat_map(|word| word.to_ne_bytes()).take(header.control_length).collect();
        Some(bytes)
    }

    /// Waits until there is something to read (or an error); false when `deadline` passes first.
    pub fn readable(&self, deadline: Instant) -> io::Result<bool> {
        self.wait(POLLIN, deadline)
    }

    fn wait(&self, events: i16, deadline: Instant) -> io::Result<bool> {
        let mut one = [PollFd { fd: self.0.as_raw_fd(), events, revents: 0 }];
        wait_any(&mut one, Some(deadline))
    }
}

/// Waits until one of `sockets` has something to read; gives which.
pub fn wait_for_one(sockets: &[Socket]) -> io::Result<Vec<usize>> {
    let mut fds: Vec<PollFd> =
        sockets.iter().map(|s| PollFd { fd: s.0.as_raw_fd(), events: POLLIN, revents: 0 }).collect();
    wait_any(&mut fds, None)?;
    Ok(fds.iter().enumerate().filter(|(_, fd)| fd.revents != 0).map(|(i, _)| i).collect())
}

/// poll(2), again after a signal, rounded up to the next millisecond.
fn wait_any(fds: &mut [PollFd], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let timeout = match deadline {
            None => -1,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() { 0 } else { c_int::try_from(left.as_millis() + 1).unwrap_or(c_int::MAX) }
            }
        };
        // SAFETY: the slice lives through the call and its length is given.
        match checked(unsafe { poll(fds.as_mut_ptr(), fds.len() as u64, timeout) }) {
            Ok(count) => return Ok(count > 0),
            Err(e) if e.raw_os_error() == Some(EINTR) => {}
            Err(e) => return Err(e),
        }
    }
}

/// `sockaddr_in` or `sockaddr_in6`.
pub fn socket_address(address: &SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match address {
        SocketAddr::V4(v4) => {
            bytes.extend((AF_INET as u16).to_ne_bytes());
            bytes.extend(v4.port().to_be_bytes());
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(v6) => {
            bytes.extend((AF_INET6 as u16).to_ne_bytes());
            bytes.extend(v6.port().to_be_bytes());
            bytes.extend(v6.flowinfo().to_be_bytes());
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
        }
    }
    bytes
}

/// Reads `sockaddr_in` or `sockaddr_in6`.
pub fn parse_socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    match c_int::from(family) {
        AF_INET => {
            let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv4Addr::from(octets).into(), port))
        }
        AF_INET6 => {
            let octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            let scope = u32::from_ne_bytes(bytes.get(24..28)?.try_into().ok()?);
            Some(SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope).into())
        }
        _ => None,
    }
}

/// `sockaddr_nl` of the kernel.
pub const KERNEL: [u8; 12] = {
    let family = (AF_NETLINK as u16).to_ne_bytes();
    [family[0], family[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
};

/// `sockaddr_ll`: a link, an EtherType, and, to send to, a hardware address.
pub fn link_address(index: u32, ether_type: u16, mac: [u8; 6]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20);
    bytes.extend((AF_PACKET as u16).to_ne_bytes());
    bytes.extend(ether_type.to_be_bytes());
    bytes.extend(index.to_ne_bytes());
    bytes.extend([0, 0, 0, 6]);
    bytes.extend(mac);
    bytes.extend([0; 2]);
    bytes
}

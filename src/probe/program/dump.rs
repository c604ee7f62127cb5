//! Asks the kernel for its tables, by netlink.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::answer::{Address, Answer, Chain, Failure, Link, Neighbour, Route, RouteLookup};
use crate::netfilter;
use crate::netlink::{self, Message, Request};
use crate::rtnetlink;
use crate::sys::{self, Socket};

/// `NLM_F_REQUEST`.
pub const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
pub const ACK: u16 = 0x4;
/// `NLM_F_ROOT | NLM_F_MATCH`.
const DUMP: u16 = 0x300;
/// `NLM_F_CREATE | NLM_F_EXCL`.
pub const CREATE_NEW: u16 = 0x600;
/// `NLM_F_DUMP_INTR`: the tables changed while they were read.
const INTERRUPTED: u16 = 0x10;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// `NLMSG_DONE`.
const DONE: u16 = 3;
/// `NETLINK_ROUTE`.
const ROUTE: i32 = 0;
/// `NETLINK_NETFILTER`.
const NETFILTER: i32 = 12;
/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN` (include/uapi/linux/netfilter/nf_tables.h).
const GET_CHAIN: u16 = 10 << 8 | 4;
/// `RTM_NEWLINK`.
pub const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
const GET_ROUTE: u16 = 26;
const GET_NEIGHBOUR: u16 = 30;
const DELETE_NEIGHBOUR: u16 = 29;
const NEW_ROUTE: u16 = 24;
/// `IFLA_EXT_MASK` with `RTEXT_FILTER_SKIP_STATS`: links without their counters.
const EXTENSION: (u16, u32) = (29, 1 << 3);
/// More entries than this are a failure, not a shorter answer.
const MOST_ENTRIES: usize = 16_384;

/// A conversation with the kernel in one namespace, even after this thread has left it.
pub struct Kernel {
    socket: Socket,
    sequence: u32,
}

impl Kernel {
    /// Opens one in this thread's namespace.
    pub fn open() -> io::Result<Self> {
        Self::open_to(ROUTE)
    }

    /// Opens one to another part of the kernel.
    fn open_to(protocol: i32) -> io::Result<Self> {
        let socket = Socket::new(sys::AF_NETLINK, sys::SOCK_RAW, protocol)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The chains that packets come to by themselves; none where the kernel has no nf_tables.
    pub fn chains() -> io::Result<Vec<Chain>> {
        let read = |body: &[u8]| netfilter::chain(body).into_iter().collect();
        match Self::open_to(NETFILTER)?.table(GET_CHAIN, &[0; 4], read) {
            Err(e) if e.raw_os_error() == Some(sys::EINVAL) => Ok(vec![]),
            other => other,
        }
    }

    /// Sends a request and hands on every message of the answer, until its end.
    ///
    /// An error of the kernel is given with its number; `Interrupted` says that the tables changed meanwhile.
    pub fn ask(&mut self, request: Request, mut each: impl FnMut(Message<'_>)) -> io::Result<()> {
        self.sequence += 1;
        let several = self.send(request)?;
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut buffer = vec![0u8; 128 * 1024];
        let mut interrupted = false;
        loop {
            if !self.socket.readable(deadline)? {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let count = match self.socket.receive_whole(&mut buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                other => other?,
            };
            for message in netlink::messages(&buffer[..count]).filter(|m| m.sequence == self.sequence) {
                interrupted |= message.flags & INTERRUPTED != 0;
                match message.kind {
                    DONE if interrupted => return Err(io::ErrorKind::Interrupted.into()),
                    DONE => return Ok(()),
                    ERROR => {
                        return match netlink::error_number(message.body) {
                            Some(0) => Ok(()),
                            Some(number) => Err(io::Error::from_raw_os_error(number)),
                            None => Err(io::ErrorKind::InvalidData.into()),
                        };
                    }
                    _ => each(message),
                }
                if !several && message.kind == NEW_ROUTE {
                    return Ok(());
                }
            }
        }
    }

    /// Sends it, and says whether the answer is a dump or ends with an acknowledgement.
    fn send(&self, request: Request) -> io::Result<bool> {
        let bytes = request.finish(self.sequence);
        let flags = netlink::u16_at(&bytes, 6).unwrap_or_default();
        self.socket.send_to(&bytes, &sys::KERNEL)?;
        Ok(flags & (DUMP | ACK) != 0)
    }

    /// A whole table; read again, up to five times, when it changed under way.
    fn table<T>(&mut self, kind: u16, fixed: &[u8], read: impl Fn(&[u8]) -> Vec<T>) -> io::Result<Vec<T>> {
        let mut attempts = 0;
        loop {
            let mut request = Request::new(kind, REQUEST | DUMP, fixed);
            if kind == GET_LINK {
                request = request.attribute(EXTENSION.0, &EXTENSION.1.to_ne_bytes());
            }
            let mut found = Vec::new();
            let asked = self.ask(request, |message| {
                if found.len() <= MOST_ENTRIES {
                    found.extend(read(message.body));
                }
            });
            attempts += 1;
            match asked {
                Err(e) if e.kind() == io::ErrorKind::Interrupted && attempts < 5 => {}
                Err(e) => return Err(e),
                Ok(()) if found.len() > MOST_ENTRIES => return Err(io::ErrorKind::FileTooLarge.into()),
                Ok(()) => return Ok(found),
            }
        }
    }

    /// Every link.
    pub fn links(&mut self) -> io::Result<Vec<Link>> {
        let mut links = self.table(GET_LINK, &[0; 16], |body| rtnetlink::link(body).into_iter().collect())?;
        for link in &mut links {
            link.wireless = super::files::is_wireless(&link.name, link.mac.as_deref());
        }
        Ok(links)
    }

    /// Every address.
    pub fn addresses(&mut self) -> io::Result<Vec<Address>> {
        let names = self.names()?;
        self.table(GET_ADDRESS, &[0; 8], |body| rtnetlink::address(body, &name_in(&names)).into_iter().collect())
    }

    /// Every route that is not to an own address.
    pub fn routes(&mut self) -> io::Result<Vec<Route>> {
        let names = self.names()?;
        self.table(GET_ROUTE, &[0; 12], |body| rtnetlink::routes(body, &name_in(&names)))
    }

    /// Every neighbour.
    pub fn neighbours(&mut self) -> io::Result<Vec<Neighbour>> {
        let names = self.names()?;
        self.table(GET_NEIGHBOUR, &[0; 12], |body| rtnetlink::neighbour(body, &name_in(&names)).into_iter().collect())
    }

    /// Removes the neighbours with these addresses that are not set by hand; how many there were.
    pub fn forget(&mut self, addresses: &[IpAddr]) -> io::Result<u32> {
        // the number of the link in place of its name: it is what the kernel wants back
        let number = |index: u32| index.to_string();
        let found =
            self.table(GET_NEIGHBOUR, &[0; 12], |body| rtnetlink::neighbour(body, &number).into_iter().collect())?;
        let mut count = 0;
        for neighbour in found.iter().filter(|n| addresses.contains(&n.address)) {
            let Ok(index) = neighbour.device.parse::<u32>() else { continue };
            if matches!(neighbour.state.as_str(), "permanent" | "noarp" | "none") {
                continue;
            }
            let (family, octets) = octets_of(neighbour.address);
            let mut fixed = [0; 12];
            fixed[0] = family;
            fixed[4..8].copy_from_slice(&index.to_ne_bytes());
            let request = Request::new(DELETE_NEIGHBOUR, REQUEST | ACK, &fixed).attribute(1, &octets);
            match self.ask(request, |_| ()) {
                Ok(()) => count += 1,
                // it went by itself
                Err(e) if e.raw_os_error() == Some(sys::ENOENT) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(count)
    }

    /// Whether there are links of this kind. Asked for one without a parent, which those kinds cannot be: a kernel that has the
    /// kind calls that invalid, another one calls the kind not supported.
    pub fn knows(&mut self, kind: &str) -> io::Result<bool> {
        let name = b"bowline-asks\0";
        let request = Request::new(NEW_LINK, REQUEST | ACK | CREATE_NEW, &[0; 16])
            .attribute(3, name)
            .nested(18, |info| info.attribute(1, kind.as_bytes()));
        match self.ask(request, |_| ()) {
            Err(e) if e.raw_os_error() == Some(sys::EOPNOTSUPP) => Ok(false),
            Err(e) if e.raw_os_error() == Some(sys::EINVAL) => Ok(true),
            Err(e) => Err(e),
            Ok(()) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The route that a packet to `to` would take.
    pub fn route_to(&mut self, to: IpAddr) -> io::Result<RouteLookup> {
        let names = self.names()?;
        let (family, octets) = octets_of(to);
        let fixed = [family, (octets.len() * 8) as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let request = Request::new(GET_ROUTE, REQUEST, &fixed).attribute(1, &octets);
        let mut found = None;
        match self.ask(request, |message| found = rtnetlink::route_lookup(to, message.body, &name_in(&names))) {
            Ok(()) => found.ok_or_else(|| io::ErrorKind::InvalidData.into()),
            Err(e) => match e.raw_os_error() {
                Some(errno) => {
                    Ok(RouteLookup { to, errno: Some(errno), kind: None, gateway: None, device: None, source: None })
                }
                None => Err(e),
            },
        }
    }

    fn names(&mut self) -> io::Result<BTreeMap<u32, String>> {
        Ok(self.links()?.into_iter().map(|link| (link.index, link.name)).collect())
    }
}

fn octets_of(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(v4) => (sys::AF_INET as u8, v4.octets().to_vec()),
        IpAddr::V6(v6) => (sys::AF_INET6 as u8, v6.octets().to_vec()),
    }
}

/// The name of a link, or its number where it is gone by now.
fn name_in(names: &BTreeMap<u32, String>) -> impl Fn(u32) -> String {
    move |index| names.get(&index).cloned().unwrap_or_else(|| format!("#{index}"))
}

/// Answers a question to the kernel's tables.
pub fn answer(what: &str, ask: impl FnOnce(&mut Kernel) -> io::Result<Answer>) -> Answer {
    let failed = |e: io::Error| -> Failure { sys::failure(&format!("cannot read the {what}"), &e) };
    Kernel::open().and_then(|mut kernel| ask(&mut kernel)).unwrap_or_else(|e| Answer::Failure(failed(e)))
}

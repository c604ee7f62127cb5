//! A place beside the host: a namespace of our own, joined to the host's by a pair of links.
//!
//! The namespace has no name and no file: it lives as long as this program, and the kernel takes the links with it, whatever ends the
//! program. What the host sees meanwhile is one link, `bwl-…`, with the first address of a /30.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use crate::answer::{Address, Failure, Route};
use crate::attempt::random;
use crate::dump::{ACK, CREATE_NEW, Kernel, NEW_LINK, REQUEST};
use crate::netlink::Request;
use crate::sys;

pub const DELETE_LINK: u16 = 17;
pub const NEW_ADDRESS: u16 = 20;
pub const NEW_ROUTE: u16 = 24;
/// The prefix of the host's link.
pub const PREFIX: &str = "bwl-";

/// The pair of links; its end takes them away.
pub struct Link {
    host: Kernel,
    name: String,
}

impl Link {
    /// Joins a new namespace, in which this program is from then on, to the one it was in. `pool` is `ADDRESS/LENGTH`: the /30 is the
    /// first in it that touches no address and no route of the host.
    pub fn make(pool: &str) -> Result<Self, Failure> {
        let fail = |what: &'static str| move |e: io::Error| sys::failure(what, &e);
        let (base, prefix) = parse_pool(pool).ok_or_else(|| Failure {
            errno: None,
            message: format!("{pool} is no pool of IPv4 addresses that holds a /30"),
        })?;
        let mut host = Kernel::open().map_err(fail("cannot ask the kernel"))?;
        sys::new_network_namespace().map_err(fail("cannot make a network namespace"))?;
        let name = format!("{PREFIX}{:08x}", random() as u32);
        let mut inside = Kernel::open().map_err(fail("cannot ask the kernel"))?;
        host.ask(pair(&name), |_| ()).map_err(fail("cannot make a pair of links"))?;
        let mut link = Self { host, name };
        let subnet = link.address_host(base, prefix)?;
        let own = Ipv4Addr::from(u32::from(subnet) + 2);
        let gateway = Ipv4Addr::from(u32::from(subnet) + 1);
        configure(&mut inside, own, gateway).map_err(fail("cannot set up the links"))?;
        settle(&mut inside).map_err(fail("the links do not come up"))?;
        Ok(link)
    }

    /// Gives the host's end the first address of a free /30 and sets it up; when someone took the same one meanwhile, another.
    fn address_host(&mut self, base: Ipv4Addr, prefix: u8) -> Result<Ipv4Addr, Failure> {
        let fail = |e: io::Error| sys::failure("cannot set up the host's end", &e);
        let index = index_of(&mut self.host, &self.name).map_err(fail)?;
        self.host.ask(set_up(index), |_| ()).map_err(fail)?;
        let count = 1u32 << (30 - prefix);
        // programs that start together begin at different places
        let start = (random() as u32) % count;
        let (addresses, routes) = (self.host.addresses().map_err(fail)?, self.host.routes().map_err(fail)?);
        for step in 0..count {
            let subnet = Ipv4Addr::from(u32::from(base) + (start + step) % count * 4);
            if is_taken(subnet, &addresses, &routes) {
                continue;
            }
            let own = Ipv4Addr::from(u32::from(subnet) + 1);
            self.host.ask(add_address(index, own), |_| ()).map_err(fail)?;
            let after = self.host.addresses().map_err(fail)?;
            let holders: BTreeSet<u32> =
                after.iter().filter(|a| a.address == IpAddr::V4(own)).map(|a| a.index).collect();
            // the one whose link is older keeps it
            if holders.iter().next() == Some(&index) {
                return Ok(subnet);
            }
            self.host.ask(delete_address(index, own), |_| ()).map_err(fail)?;
        }
        Err(Failure { errno: None, message: format!("no /30 of {base}/{prefix} is free") })
    }
}

impl Drop for Link {
    /// Takes the links away now, so that they are gone when the program is; without this the kernel does it a little later.
    fn drop(&mut self) {
        if let Ok(index) = index_of(&mut self.host, &self.name) {
            let _ = self.host.ask(Request::new(DELETE_LINK, REQUEST | ACK, &link_message(index, false)), |_| ());
        }
    }
}

fn parse_pool(pool: &str) -> Option<(Ipv4Addr, u8)> {
    let (base, prefix) = pool.split_once('/')?;
    let (base, prefix) = (base.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok()?);
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix))?;
    ((8..=30).contains(&prefix) && u32::from(base) & !mask == 0).then_some((base, prefix))
}

/// Whether a /30 meets an address or a route of the host, the default route left out.
fn is_taken(subnet: Ipv4Addr, addresses: &[Address], routes: &[Route]) -> bool {
    let meets = |other: IpAddr, prefix: u8| match other {
        IpAddr::V4(other) if prefix > 0 => {
            let shift = 32 - u32::from(prefix.clamp(1, 30));
            u32::from(other) >> shift == u32::from(subnet) >> shift
        }
        _ => false,
    };
    addresses.iter().any(|a| meets(a.address, a.prefix)) || routes.iter().any(|r| meets(r.destination, r.prefix))
}

fn index_of(kernel: &mut Kernel, name: &str) -> io::Result<u32> {
    let links = kernel.links()?;
    links.iter().find(|l| l.name == name).map(|l| l.index).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// `ifinfomsg`: a link, and whether it is to be set up.
pub fn link_message(index: u32, up: bool) -> [u8; 16] {
    let mut message = [0; 16];
    message[4..8].copy_from_slice(&index.to_ne_bytes());
    message[8] = u8::from(up);
    message[12] = u8::from(up);
    message
}

/// A pair of links: `name` in the host's namespace, `eth0` in that of this process.
fn pair(name: &str) -> Request {
    let pid = std::process::id();
    let text = |name: &str| [name.as_bytes(), b"\0"].concat();
    Request::new(NEW_LINK, REQUEST | ACK | CREATE_NEW, &link_message(0, false)).attribute(3, &text(name)).nested(
        18,
        |info| {
            info.attribute(1, b"veth").nested(2, |data| {
                data.nested(1, |peer| {
                    peer.raw(&link_message(0, false)).attribute(3, &text("eth0")).attribute(19, &pid.to_ne_bytes())
                })
            })
        },
    )
}

pub fn set_up(index: u32) -> Request {
    Request::new(NEW_LINK, REQUEST | ACK, &link_message(index, true))
}

fn address_message(index: u32) -> [u8; 8] {
    let mut message = [sys::AF_INET as u8, 30, 0, 0, 0, 0, 0, 0];
    message[4..].copy_from_slice(&index.to_ne_bytes());
    message
}

fn add_address(index: u32, own: Ipv4Addr) -> Request {
    let message = Request::new(NEW_ADDRESS, REQUEST | ACK | CREATE_NEW, &address_message(index));
    message.attribute(2, &own.octets()).attribute(1, &own.octets())
}

fn delete_address(index: u32, own: Ipv4Addr) -> Request {
    Request::new(NEW_ADDRESS + 1, REQUEST | ACK, &address_message(index)).attribute(2, &own.octets())
}

/// Sets up our own end: lo, the address, everything else by the host.
fn configure(kernel: &mut Kernel, own: Ipv4Addr, gateway: Ipv4Addr) -> io::Result<()> {
    for name in ["lo", "eth0"] {
        let index = index_of(kernel, name)?;
        kernel.ask(set_up(index), |_| ())?;
    }
    let index = index_of(kernel, "eth0")?;
    kernel.ask(add_address(index, own), |_| ())?;
    // main table, static, universe, unicast
    let route = [sys::AF_INET as u8, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
    kernel.ask(Request::new(NEW_ROUTE, REQUEST | ACK | CREATE_NEW, &route).attribute(5, &gateway.octets()), |_| ())
}

/// Waits until both ends are up, which the kernel tells a little later.
fn settle(kernel: &mut Kernel) -> io::Result<()> {
    let limit = Instant::now() + Duration::from_secs(2);
    loop {
        if kernel.links()?.iter().any(|l| l.name == "eth0" && l.state == "up") {
            return Ok(());
        }
        if Instant::now() > limit {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

//! Asks at layer 2 who has an address, and hears everyone who claims it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Failure, Heard, Link};
use crate::dump::Kernel;
use crate::sys::{self, Socket};
use crate::{arp, rtnetlink};

const ETHERTYPE_ARP: u16 = 0x0806;
const IPV6_UNICAST_HOPS: i32 = 16;
const IPV6_MULTICAST_HOPS: i32 = 18;
/// After the first answer, others are waited for so long.
const LINGER: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// So many packets are looked at that were there before the time was over, but on a busy machine were not read.
const MOST_LATE: usize = 64;
/// More claims than this are not counted.
const MOST_CLAIMS: usize = 16;

fn trouble(message: String) -> Failure {
    Failure { errno: None, message }
}

/// Reads the hardware address that an answer claims.
type Claim<'a> = Box<dyn Fn(&[u8]) -> Option<[u8; 6]> + 'a>;

/// How one protocol asks: what is sent where, and what an answer claims.
struct Wire<'a> {
    socket: Socket,
    request: Vec<u8>,
    to: Vec<u8>,
    read: Claim<'a>,
}

/// Asks.
pub fn solicit(
    target: IpAddr,
    device: Option<&str>,
    sender: Option<Ipv4Addr>,
    within: Duration,
    tries: u8,
) -> Result<Heard, Failure> {
    let mut kernel = Kernel::open().map_err(|e| sys::failure("cannot ask the kernel", &e))?;
    let link = link_towards(&mut kernel, target, device)?;
    let mac = own_mac(&link)?;
    let opened = match target {
        IpAddr::V4(v4) => {
            let sender = match sender {
                Some(sender) => sender,
                None => {
                    own_address(&mut kernel, &link, v4).map_err(|e| sys::failure("cannot read the addresses", &e))?
                }
            };
            arp_wire(&link, mac, sender, v4)
        }
        IpAddr::V6(v6) => discovery_wire(&link, mac, v6),
    };
    let wire = opened.map_err(|e| sys::failure("cannot open a socket for layer 2", &e))?;
    let tries = tries.clamp(1, 20);
    let share = within.min(LONGEST) / u32::from(tries);
    let started = Instant::now();
    let mut heard = Heard { target, device: link.name.clone(), macs: Vec::new(), tries: 0, micros: 0 };
    while heard.tries < tries && heard.macs.is_empty() {
        let sent = wire.socket.send_to(&wire.request, &wire.to);
        sent.map_err(|e| sys::failure(&format!("cannot send on {}", link.name), &e))?;
        heard.tries += 1;
        hear(&wire, started + share * u32::from(heard.tries), started, &mut heard)
            .map_err(|e| sys::failure(&format!("cannot hear {}", link.name), &e))?;
    }
    if heard.macs.is_empty() {
        heard.micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    }
    // to close a packet socket the kernel waits some ten milliseconds for all readers: nobody else needs to
    let Wire { socket, .. } = wire;
    drop(thread::Builder::new().stack_size(16 * 1024).spawn(move || drop(socket)));
    Ok(heard)
}

/// Hears answers until `deadline`, or until a little after the first.
fn hear(wire: &Wire<'_>, mut deadline: Instant, started: Instant, heard: &mut Heard) -> io::Result<()> {
    let mut buffer = [0u8; 2048];
    let mut late = MOST_LATE;
    while late > 0 && wire.socket.readable(deadline)? {
        if Instant::now() >= deadline {
            late -= 1;
        }
        let count = match wire.socket.receive_from(&mut buffer) {
            Ok((count, _)) => count,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
            Err(e) => return Err(e),
        };
        let Some(mac) = (wire.read)(&buffer[..count]) else { continue };
        let mac = rtnetlink::mac(&mac);
        if heard.macs.is_empty() {
            heard.micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            deadline = deadline.min(Instant::now() + LINGER);
        }
        if !heard.macs.contains(&mac) && heard.macs.len() < MOST_CLAIMS {
            heard.macs.push(mac);
        }
    }
    Ok(())
}

fn arp_wire<'a>(link: &Link, mac: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> io::Result<Wire<'a>> {
    // of no protocol until it is bound to its link: else it would hear every link for a moment, and the kernel wait for all readers
    let socket = Socket::new(sys::AF_PACKET, sys::SOCK_DGRAM, 0)?;
    socket.bind(&sys::link_address(link.index, ETHERTYPE_ARP, [0; 6]))?;
    let to = sys::link_address(link.index, ETHERTYPE_ARP, [0xff; 6]);
    let request = arp::request(mac, sender, target);
    Ok(Wire { socket, request, to, read: Box::new(move |packet| arp::reply(packet, target)) })
}

fn discovery_wire<'a>(link: &Link, mac: [u8; 6], target: std::net::Ipv6Addr) -> io::Result<Wire<'a>> {
    let socket = Socket::new(sys::AF_INET6, sys::SOCK_RAW, sys::IPPROTO_ICMPV6)?;
    // RFC 4861 7.1: a solicitation that has passed a router is thrown away
    for option in [IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS] {
        socket.set_option(sys::IPPROTO_IPV6, option, &255i32.to_ne_bytes())?;
    }
    let group = SocketAddrV6::new(arp::solicited_node(target), 0, 0, link.index);
    let to = sys::socket_address(&SocketAddr::V6(group));
    let request = arp::solicitation(mac, target);
    Ok(Wire { socket, request, to, read: Box::new(move |packet| arp::advertisement(packet, target)) })
}

/// The link that is named, or that has the address, or that a packet would take.
fn link_towards(kernel: &mut Kernel, target: IpAddr, device: Option<&str>) -> Result<Link, Failure> {
    let links = kernel.links().map_err(|e| sys::failure("cannot read the links", &e))?;
    let own = || {
        let addresses = kernel.addresses().map_err(|e| sys::failure("cannot read the addresses", &e))?;
        let holds = |link: &&Link| addresses.iter().any(|a| a.index == link.index && a.address == target);
        Ok(links.iter().find(holds).map(|link| link.name.clone()))
    };
    let name = match device.map(str::to_owned).map_or_else(own, |device| Ok(Some(device)))? {
        Some(name) => name,
        None => {
            let route = kernel.route_to(target).map_err(|e| sys::failure("cannot ask for the route", &e))?;
            route.device.ok_or_else(|| trouble(format!("no route to {target}: a link must be named")))?
        }
    };
    let link =
        links.into_iter().find(|link| link.name == name).ok_or_else(|| trouble(format!("there is no link {name}")))?;
    if link.up { Ok(link) } else { Err(Failure { errno: Some(sys::ENETDOWN), message: format!("{name} is down") }) }
}

fn own_mac(link: &Link) -> Result<[u8; 6], Failure> {
    let bytes: Option<Vec<u8>> =
        link.mac.as_deref().map(|mac| mac.split(':').filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect());
    let mac = bytes.and_then(|bytes| bytes.try_into().ok()).filter(|_| !link.loopback);
    mac.ok_or_else(|| trouble(format!("{} has no Ethernet address", link.name)))
}

/// The link's own address that shares most with `target`; unspecified where it has none.
fn own_address(kernel: &mut Kernel, link: &Link, target: Ipv4Addr) -> io::Result<Ipv4Addr> {
    let own = kernel.addresses()?.into_iter().filter(|a| a.index == link.index).filter_map(|a| match a.address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    });
    let shared = |own: &Ipv4Addr| (u32::from(*own) ^ u32::from(target)).leading_zeros();
    Ok(own.max_by_key(shared).unwrap_or(Ipv4Addr::UNSPECIFIED))
}

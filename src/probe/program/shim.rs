//! A link of the host's own on the wire of its children: a macvlan beside theirs. What hangs on a card does not hear the card itself.
//!
//! Nothing is touched but a link of the given name that carries the given label, or has not got one yet: a maker that was killed comes
//! no further than that.

use std::io;
use std::net::IpAddr;

use crate::answer::{Failure, Link};
use crate::dump::{ACK, CREATE_NEW, Kernel, NEW_LINK, REQUEST};
use crate::netlink::Request;
use crate::outside::{DELETE_LINK, NEW_ADDRESS, NEW_ROUTE, link_message, set_up};
use crate::sys;

/// `IFLA_IFNAME`, `IFLA_LINK`, `IFLA_LINKINFO`, `IFLA_IFALIAS`.
pub const NAME: u16 = 3;
pub const PARENT: u16 = 5;
pub const INFO: u16 = 18;
const LABEL: u16 = 20;
/// `MACVLAN_MODE_BRIDGE`: children of one parent hear each other.
const BRIDGE: u32 = 4;

/// Makes one, whole or not at all.
pub fn make(name: &str, label: &str, parent: &str, address: IpAddr, routes: &[String]) -> Result<bool, Failure> {
    let routes: Vec<(IpAddr, u8)> = routes
        .iter()
        .map(|route| destination(route).ok_or_else(|| told(format!("{route} is no destination"))))
        .collect::<Result<_, _>>()?;
    let mut kernel = Kernel::open().map_err(|e| sys::failure("cannot ask the kernel", &e))?;
    let index = find(&mut kernel, parent)?.map(|link| link.index);
    let index = index.ok_or_else(|| told(format!("there is no link {parent}")))?;
    clear(&mut kernel, name, label)?;
    let fail = |what: &str| {
        let what = format!("cannot {what} {name}");
        move |e: io::Error| sys::failure(&what, &e)
    };
    kernel.ask(child(name, index), |_| ()).map_err(fail("make"))?;
    let done = (|| {
        let own = find(&mut kernel, name)?.map(|link| link.index).ok_or_else(|| told(format!("{name} is gone")))?;
        kernel.ask(labelled(own, label), |_| ()).map_err(fail("write on"))?;
        kernel.ask(addressed(own, address), |_| ()).map_err(fail("give an address to"))?;
        kernel.ask(set_up(own), |_| ()).map_err(fail("set up"))?;
        for (to, length) in &routes {
            let what = format!("route {to}/{length} by");
            kernel.ask(routed(own, *to, *length), |_| ()).map_err(fail(&what))?;
        }
        Ok(true)
    })();
    if done.is_err() {
        let _ = clear(&mut kernel, name, label);
    }
    done
}

/// Takes one away.
pub fn remove(name: &str, label: &str) -> Result<bool, Failure> {
    let mut kernel = Kernel::open().map_err(|e| sys::failure("cannot ask the kernel", &e))?;
    clear(&mut kernel, name, label)
}

/// Takes away the link of that name if it is one of ours; whether it was there.
fn clear(kernel: &mut Kernel, name: &str, label: &str) -> Result<bool, Failure> {
    let Some(link) = find(kernel, name)? else { return Ok(false) };
    let ours = link.kind.as_deref() == Some("macvlan") && link.label.as_deref().is_none_or(|on_it| on_it == label);
    if !ours {
        return Err(told(format!("the link {name} is not ours, and is left as it is")));
    }
    let request = Request::new(DELETE_LINK, REQUEST | ACK, &link_message(link.index, false));
    kernel.ask(request, |_| ()).map_err(|e| sys::failure(&format!("cannot remove {name}"), &e))?;
    Ok(true)
}

pub fn find(kernel: &mut Kernel, name: &str) -> Result<Option<Link>, Failure> {
    let links = kernel.links().map_err(|e| sys::failure("cannot read the links", &e))?;
    Ok(links.into_iter().find(|link| link.name == name))
}

pub fn told(message: String) -> Failure {
    Failure { errno: None, message }
}

/// `ADDRESS/LENGTH`.
fn destination(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse::<u8>().ok()?);
    (length <= bits(address)).then_some((address, length))
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn family(address: IpAddr) -> u8 {
    (if address.is_ipv4() { sys::AF_INET } else { sys::AF_INET6 }) as u8
}

/// A macvlan child in mode `bridge`.
fn child(name: &str, parent: u32) -> Request {
    let name = [name.as_bytes(), b"\0"].concat();
    Request::new(NEW_LINK, REQUEST | ACK | CREATE_NEW, &link_message(0, false))
        .attribute(NAME, &name)
        .attribute(PARENT, &parent.to_ne_bytes())
        .nested(INFO, |info| info.attribute(1, b"macvlan").nested(2, |data| data.attribute(1, &BRIDGE.to_ne_bytes())))
}

pub fn labelled(index: u32, label: &str) -> Request {
    Request::new(NEW_LINK, REQUEST | ACK, &link_message(index, false)).attribute(LABEL, label.as_bytes())
}

/// The address alone: what is beside it is reached by the routes.
fn addressed(index: u32, address: IpAddr) -> Request {
    let mut message = [family(address), bits(address), 0, 0, 0, 0, 0, 0];
    message[4..8].copy_from_slice(&index.to_ne_bytes());
    let octets = octets(address);
    Request::new(NEW_ADDRESS, REQUEST | ACK | CREATE_NEW, &message).attribute(2, &octets).attribute(1, &octets)
}

/// Main table, static, on the link itself, unicast; `RTA_DST` and `RTA_OIF`.
fn routed(index: u32, to: IpAddr, length: u8) -> Request {
    let message = [family(to), length, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0];
    Request::new(NEW_ROUTE, REQUEST | ACK | CREATE_NEW, &message)
        .attribute(1, &octets(to))
        .attribute(4, &index.to_ne_bytes())
}

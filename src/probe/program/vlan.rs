//! A VLAN link of our own, where the Engine cannot make it.
//!
//! A link cannot be made with something written on it, so it is made under a name that is nobody's, and gets the one that is asked for last: what
//! has that name is whole, and whoever was killed before leaves a draft that the next one clears.

use std::io;

use crate::answer::{Failure, Link};
use crate::dump::{ACK, CREATE_NEW, Kernel, NEW_LINK, REQUEST};
use crate::netlink::Request;
use crate::outside::{DELETE_LINK, link_message, set_up};
use crate::shim::{INFO, NAME, PARENT, find, labelled, told};
use crate::sys;

/// `IFLA_MTU`.
const MTU: u16 = 4;

/// What is to be made.
pub struct Wanted<'q> {
    pub name: &'q str,
    pub draft: &'q str,
    pub label: &'q str,
    pub parent: &'q str,
    pub id: u16,
    pub protocol: u16,
    pub mtu: Option<u32>,
}

/// Makes one, whole or not at all.
pub fn make(wanted: &Wanted<'_>) -> Result<bool, Failure> {
    let mut kernel = open()?;
    let parent = find(&mut kernel, wanted.parent)?.map(|link| link.index);
    let parent = parent.ok_or_else(|| told(format!("there is no link {}", wanted.parent)))?;
    clear(&mut kernel, wanted.draft, "")?;
    clear(&mut kernel, wanted.name, wanted.label)?;
    let fail = |what: &str| {
        let what = format!("cannot {what} {}", wanted.name);
        move |e: io::Error| sys::failure(&what, &e)
    };
    kernel.ask(tagged(wanted, parent), |_| ()).map_err(fail("make"))?;
    let own = find(&mut kernel, wanted.draft)?.map(|link| link.index);
    let own = own.ok_or_else(|| told(format!("{} is gone", wanted.draft)))?;
    let done = (|| {
        kernel.ask(labelled(own, wanted.label), |_| ()).map_err(fail("write on"))?;
        // before it is up: older kernels give no other name to a link that is
        kernel.ask(named(own, wanted.name), |_| ()).map_err(fail("give its name to"))?;
        kernel.ask(set_up(own), |_| ()).map_err(fail("set up"))?;
        Ok(true)
    })();
    if done.is_err() {
        let _ = kernel.ask(gone(own), |_| ());
    }
    done
}

/// Takes one away.
pub fn remove(name: &str, label: &str) -> Result<bool, Failure> {
    clear(&mut open()?, name, label)
}

fn open() -> Result<Kernel, Failure> {
    Kernel::open().map_err(|e| sys::failure("cannot ask the kernel", &e))
}

/// Takes away the link of that name if it is the one that is meant and nothing stands on it; whether it was there. With a VLAN link the kernel
/// takes everything on it.
fn clear(kernel: &mut Kernel, name: &str, label: &str) -> Result<bool, Failure> {
    let links = kernel.links().map_err(|e| sys::failure("cannot read the links", &e))?;
    let Some(link) = links.iter().find(|link| link.name == name) else { return Ok(false) };
    if link.kind.as_deref() != Some("vlan") || link.label.as_deref().unwrap_or_default() != label {
        return Err(told(format!("the link {name} is not ours, and is left as it is")));
    }
    let stands = |other: &&Link| other.parent == Some(link.index) && other.parent_namespace.is_none();
    if let Some(other) = links.iter().find(stands) {
        return Err(told(format!("{} stands on {name}, which is left as it is", other.name)));
    }
    kernel.ask(gone(link.index), |_| ()).map_err(|e| sys::failure(&format!("cannot remove {name}"), &e))?;
    Ok(true)
}

fn gone(index: u32) -> Request {
    Request::new(DELETE_LINK, REQUEST | ACK, &link_message(index, false))
}

fn text(name: &str) -> Vec<u8> {
    [name.as_bytes(), b"\0"].concat()
}

fn named(index: u32, name: &str) -> Request {
    Request::new(NEW_LINK, REQUEST | ACK, &link_message(index, false)).attribute(NAME, &text(name))
}

/// `IFLA_VLAN_ID` and `IFLA_VLAN_PROTOCOL`, the latter in the order of the wire.
fn tagged(wanted: &Wanted<'_>, parent: u32) -> Request {
    let mut request = Request::new(NEW_LINK, REQUEST | ACK | CREATE_NEW, &link_message(0, false))
        .attribute(NAME, &text(wanted.draft))
        .attribute(PARENT, &parent.to_ne_bytes());
    if let Some(mtu) = wanted.mtu {
        request = request.attribute(MTU, &mtu.to_ne_bytes());
    }
    request.nested(INFO, |info| {
        info.attribute(1, b"vlan")
            .nested(2, |data| data.attribute(1, &wanted.id.to_ne_bytes()).attribute(5, &wanted.protocol.to_be_bytes()))
    })
}

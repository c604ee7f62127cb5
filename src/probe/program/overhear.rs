//! An ear beside an application that has a UDP port and may rightly keep silent: whoever asks it in our words is answered in its
//! place, so that the way to it can be told from its silence. What is not ours is not touched; the application gets it all.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;

use crate::answer::Listening;
use crate::dump::Kernel;
use crate::listen::reply;
use crate::sys::{self, Socket};
use crate::udp;

/// Hears from now on. Raw sockets need `CAP_NET_RAW`; one an address, so that an answer leaves from where the question went.
pub fn overhear(port: u16, label: &str) -> io::Result<Listening> {
    let label: String = label.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    let (mut sockets, mut addresses) = (Vec::new(), Vec::new());
    let own = Kernel::open()?.addresses()?.into_iter().map(|own| own.address).filter(IpAddr::is_ipv4);
    for address in own.take(256) {
        let socket = Socket::towards(address, sys::SOCK_RAW, sys::IPPROTO_UDP, None)?;
        socket.bind(&sys::socket_address(&SocketAddr::new(address, 0)))?;
        sockets.push(socket);
        addresses.push(address);
    }
    thread::Builder::new().stack_size(64 * 1024).spawn(move || answer(&sockets, port, &label))?;
    Ok(Listening { port, addresses, ipv6: false })
}

/// Answers packets that ask.
fn answer(sockets: &[Socket], port: u16, label: &str) {
    let mut buffer = [0u8; 512];
    loop {
        let Ok(ready) = sys::wait_for_one(sockets) else { return };
        for at in ready {
            let Ok((count, _)) = sockets[at].receive_from(&mut buffer) else { continue };
            let Some(asked) = udp::asked(&buffer[..count], port) else { continue };
            let (to, back) = asked.from;
            let message = udp::message(port, back, &reply(&asked.nonce, label));
            // who asks again gets another answer: a lost one is not our trouble
            let _ = sockets[at].send_to(&message, &sys::socket_address(&SocketAddr::new(to.into(), 0)));
        }
    }
}

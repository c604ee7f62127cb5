//! Listeners of our own, so that what a probe finds does not depend on the application.
//!
//! TCP: whoever connects is sent `bowline! LABEL` and let go, so that nobody can hold the listener up. UDP: `bowline? NONCE` is
//! answered with `bowline! NONCE LABEL`, anything else with nothing.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::answer::Listening;
use crate::attempt::zoned;
use crate::dump::Kernel;
use crate::question::Scope;
use crate::sys::{self, Socket};

/// The datagram that asks a listener.
pub fn request(nonce: &[u8]) -> Vec<u8> {
    [b"bowline? ".as_slice(), nonce].concat()
}

/// What a listener says: its label, to the nonce that it was asked with, or to none.
pub fn reply(nonce: &[u8], label: &str) -> Vec<u8> {
    let blank: &[u8] = if nonce.is_empty() { b"" } else { b" " };
    [b"bowline! ".as_slice(), nonce, blank, label.as_bytes(), b"\n"].concat()
}

/// The label in what a listener said in answer to `nonce` (empty: a TCP greeting); none in what is not of a listener.
pub fn label_in(said: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
    let rest = said.strip_prefix(b"bowline! ")?;
    let rest = if nonce.is_empty() { rest } else { rest.strip_prefix(nonce)?.strip_prefix(b" ")? };
    let end = rest.iter().position(|&b| b == b'\n')?;
    Some(rest[..end.min(64)].to_vec())
}

/// Listens from now on, on one port by TCP and UDP, IPv4 and, where there is any, IPv6.
pub fn listen(port: u16, scope: Scope, label: &str) -> io::Result<Listening> {
    let label: String = label.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    let mut attempts = 0;
    let (tcp, udp, addresses) = loop {
        attempts += 1;
        match open(port, scope) {
            Err(e) if port == 0 && attempts < 32 && e.raw_os_error() == Some(sys::EADDRINUSE) => {}
            other => break other?,
        }
    };
    let port = tcp[0].local_addr()?.port();
    let ipv6 = tcp.len() > 1;
    for listener in tcp {
        let greeting = reply(b"", &label);
        thread::Builder::new().stack_size(64 * 1024).spawn(move || greet(&listener, &greeting))?;
    }
    thread::Builder::new().stack_size(64 * 1024).spawn(move || answer(&udp, &label))?;
    Ok(Listening { port, addresses, ipv6 })
}

/// The sockets, all on one port. UDP has one an address, so that an answer leaves from where the question went.
fn open(port: u16, scope: Scope) -> io::Result<(Vec<TcpListener>, Vec<Socket>, Vec<IpAddr>)> {
    let (any4, any6) = match scope {
        Scope::Any => (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
        Scope::Loopback => (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
    };
    let first = open_tcp(SocketAddr::new(any4.into(), port))?;
    let port = first.local_addr()?.port();
    let mut tcp = vec![first];
    match open_tcp(SocketAddr::new(any6.into(), port)) {
        Ok(listener) => tcp.push(listener),
        Err(e) if matches!(e.raw_os_error(), Some(sys::EAFNOSUPPORT | sys::EADDRNOTAVAIL)) => {}
        Err(e) => return Err(e),
    }
    let (mut udp, mut addresses) = (Vec::new(), Vec::new());
    for own in Kernel::open()?.addresses()? {
        let address = own.address;
        if own.tentative || own.duplicate || scope == Scope::Loopback && !address.is_loopback() || udp.len() >= 256 {
            continue;
        }
        let Ok(to) = zoned(SocketAddr::new(address, port), Some(&own.device)) else { continue };
        let socket = Socket::towards(address, sys::SOCK_DGRAM, 0, None)?;
        match socket.bind(&sys::socket_address(&to)) {
            Ok(()) => {
                udp.push(socket);
                addresses.push(address);
            }
            // an address that is on its way out
            Err(e) if e.raw_os_error() == Some(sys::EADDRNOTAVAIL) => {}
            Err(e) => return Err(e),
        }
    }
    Ok((tcp, udp, addresses))
}

fn open_tcp(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::towards(at.ip(), sys::SOCK_STREAM, 0, None)?;
    socket.set_option(sys::SOL_SOCKET, sys::SO_REUSEADDR, &1i32.to_ne_bytes())?;
    if at.is_ipv6() {
        socket.set_option(sys::IPPROTO_IPV6, sys::IPV6_V6ONLY, &1i32.to_ne_bytes())?;
    }
    socket.bind(&sys::socket_address(&at))?;
    socket.listen()?;
    let listener = TcpListener::from(socket.into_fd());
    listener.set_nonblocking(false)?;
    Ok(listener)
}

/// Greets whoever connects. The greeting fits into the socket's buffer, so that writing does not wait.
fn greet(listener: &TcpListener, greeting: &[u8]) {
    let send = |mut stream: TcpStream| stream.set_nonblocking(true).and_then(|()| stream.write_all(greeting));
    loop {
        // who left before the greeting is not waited for; without descriptors there is nothing to do but wait
        if listener.accept().and_then(|(stream, _)| send(stream)).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Answers datagrams that ask.
fn answer(sockets: &[Socket], label: &str) {
    let mut buffer = [0u8; 256];
    loop {
        let Ok(ready) = sys::wait_for_one(sockets) else { return };
        for at in ready {
            let Ok((count, from)) = sockets[at].receive_from(&mut buffer) else { continue };
            let Some(nonce) = buffer[..count].strip_prefix(b"bowline? ") else { continue };
            if let Some(to) = sys::parse_socket_address(&from).filter(|_| !nonce.is_empty() && nonce.len() <= 64) {
                // who asks again gets another answer: a lost one is not our trouble
                let _ = sockets[at].send_to(&reply(nonce, label), &sys::socket_address(&to));
            }
        }
    }
}

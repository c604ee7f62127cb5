//! Where questions are asked from, and the direct way there.

use std::process::Command;

use crate::engine::Engine;
use crate::name::ContainerId;
use crate::probe::ProbeError;

/// A running container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its id.
    pub id: ContainerId,
    /// Its first process on the Engine's host (`State.Pid`).
    pub pid: Option<u32>,
    /// `NetworkSettings.SandboxKey`: its own, or that of the container whose namespace it shares. Without it there is no proof that a
    /// process here is the container's, and no direct way.
    pub sandbox: Option<String>,
    /// Whether it shares the host's namespace.
    pub shares_host: bool,
}

/// A place from which questions are asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vantage {
    /// Inside a container's namespace, with its files.
    Container(Target),
    /// The Engine's host.
    Host,
    /// A machine beside the host, beyond its own stack: a namespace of the probe's own, joined to the host's by a pair of links.
    Outside,
}

impl Vantage {
    /// Whether its namespace is the host's.
    pub fn is_host(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Container(target) => target.shares_host,
            Self::Outside => false,
        }
    }
}

/// The program, ready to be started at a vantage, where it is on this machine and we are root.
#[cfg(target_os = "linux")]
pub fn direct(engine: &Engine, vantage: &Vantage, pool: &str) -> Result<Command, ProbeError> {
    use crate::engine::Address;
    use crate::probe::direct::{Place, is_permitted};

    let no_way = |why: &str| ProbeError::NoWay(why.to_owned());
    if !is_permitted() {
        return Err(no_way("entering another namespace needs root"));
    }
    let Address::Unix(socket) = engine.address() else {
        return Err(no_way("the Engine is not on this machine"));
    };
    let daemon = || {
        let place = Place::of_daemon(socket);
        place.ok_or_else(|| no_way("it cannot be seen in which namespace the Engine's daemon runs"))
    };
    match vantage {
        Vantage::Container(Target { pid: Some(pid), sandbox: Some(sandbox), .. }) => {
            let place = Place::of_container(*pid, sandbox);
            place.ok_or_else(|| no_way("the container's namespace is not visible from here"))?.command()
        }
        Vantage::Container(_) => Err(no_way("the Engine does not tell the container's process and sandbox")),
        Vantage::Host => daemon()?.command(),
        Vantage::Outside => daemon()?.command_beside(pool),
    }
}

/// Only Linux has namespaces.
#[cfg(not(target_os = "linux"))]
pub fn direct(_engine: &Engine, _vantage: &Vantage, _pool: &str) -> Result<Command, ProbeError> {
    Err(ProbeError::NoWay("the Engine is not on this machine".to_owned()))
}

//! What is looked at from inside a network namespace: the questions, the answers, and the program that is asked.
//!
//! One implementation serves both ways of asking. The program under `program/` is std only; `build.rs` makes it static and bowline
//! carries it. In a sidecar it is the whole image. Where bowline is root on the Engine's host, the same program is started as a
//! child that enters the namespace itself, which costs about a millisecond. So bowline has no system call of its own that needs
//! `unsafe`, never moves one of its threads into another namespace, and a crash of a probe is the end of a child.

#[macro_use]
mod json;
mod answer;
pub mod carried;
mod conversation;
#[cfg(target_os = "linux")]
pub mod direct;
mod error;
mod question;

#[cfg(test)]
mod parser_tests;
#[cfg(test)]
mod wire_tests;

pub use answer::*;
pub use conversation::{Conversation, longest};
pub use error::ProbeError;
pub use json::Json;
pub use question::*;

impl Link {
    /// `IFF_PROMISC` (include/uapi/linux/if.h): somebody has set it to take every frame. What the kernel does by itself for children of
    /// the link shows in `promiscuity` alone.
    pub fn is_set_promiscuous(&self) -> bool {
        self.flags & 0x100 != 0
    }
}

//! The plan as people read it.

use std::fmt;

use super::operation::{ExistingNetwork, Operation, Target};

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.replica().fmt(f)
    }
}

impl fmt::Display for ExistingNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key.as_ref().map_or(self.name.as_str(), |key| key.as_str()))
    }
}

/// What a line of a plan says is done: `connect web.1 front`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull { image } => write!(f, "pull {image}"),
            Self::CreateNetwork(key) => write!(f, "create network {key}"),
            Self::RemoveNetwork(network) => write!(f, "remove network {network}"),
            Self::Connect { container, network } => write!(f, "connect {container} {network}"),
            Self::Disconnect { container, network } => write!(f, "disconnect {container} {network}"),
            Self::CreateVolume(key) => write!(f, "create volume {key}"),
            Self::RemoveVolume { name, key } => {
                write!(f, "remove volume {}", key.as_ref().map_or(name.as_str(), |key| key.as_str()))
            }
            Self::CreateContainer(new) => write!(f, "create {}", new.replica),
            Self::Rename { container, name } => write!(f, "rename {container} {name}"),
            Self::Start(container) => write!(f, "start {container}"),
            Self::Stop { container, .. } => write!(f, "stop {container}"),
            Self::Unpause(container) => write!(f, "unpause {container}"),
            Self::Remove { container, .. } => write!(f, "remove {container}"),
            Self::Await(wait) => {
                let word = wait.condition.as_str().trim_start_matches("service_");
                write!(f, "await {} {}", wait.service, word.trim_end_matches("_successfully"))
            }
        }
    }
}

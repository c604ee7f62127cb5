//! One operation is one call of the Engine's API (or one wait for an event), and leaves no choice to whoever carries it out.

use std::time::Duration;

use crate::compose::model::Condition;
use crate::name::{ContainerId, NetworkId, NetworkKey, Replica, ServiceName, VolumeKey};
use crate::state::difference::Difference;
use crate::state::observed::{ObservedContainer, OtherContainer};

/// A container, whether it has an id already or gets it from an earlier step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// One that is there.
    Existing {
        /// Its id.
        id: ContainerId,
        /// Its name, for people.
        name: String,
        /// Which one it is; number 0 for a one-off container (`run`), which is known by its name.
        replica: Replica,
    },
    /// One that this plan creates.
    Planned(Replica),
}

impl Target {
    /// One that is there.
    pub fn existing(container: &ObservedContainer) -> Self {
        let (id, name, replica) = (container.id.clone(), container.name.clone(), container.replica.clone());
        Self::Existing { id, name, replica }
    }

    /// A container of `run`, or another that no plan made; none where it has no service.
    pub fn one_off(container: &OtherContainer) -> Option<Self> {
        let service = container.service.as_deref()?.parse().ok()?;
        let (id, name) = (container.id.clone(), container.name.clone());
        Some(Self::Existing { id, name, replica: Replica::new(service, 0) })
    }

    /// Which one it is.
    pub fn replica(&self) -> &Replica {
        match self {
            Self::Existing { replica, .. } | Self::Planned(replica) => replica,
        }
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `POST /images/create`.
    Pull {
        /// The image.
        image: String,
        /// `platform` of the service that asks for it; none: the Engine's own.
        platform: Option<String>,
    },
    /// `POST /images/{name}/push`.
    Push {
        /// The image.
        image: String,
    },
    /// `POST /build`, or buildx: the image of a service (`Desired::builds`).
    Build(ServiceName),
    /// `DELETE /images/{name}`.
    RemoveImage {
        /// The image.
        image: String,
    },
    /// `POST /networks/create`.
    CreateNetwork(NetworkKey),
    /// `DELETE /networks/{id}`.
    RemoveNetwork(ExistingNetwork),
    /// A macvlan link of the host's own on the network's wire (`host_access`), by the probe: the Engine has no call for it.
    MakeShim(NetworkKey),
    /// That link goes.
    RemoveShim(ExistingShim),
    /// A VLAN link of the host (`Desired::vlans`), by the probe: the Engine makes those named `parent.id` alone.
    MakeVlan(String),
    /// That link goes.
    RemoveVlan(ExistingShim),
    /// `POST /networks/{id}/connect` with the whole endpoint.
    Connect {
        /// Who.
        container: Target,
        /// To which network.
        network: NetworkKey,
    },
    /// `POST /networks/{id}/disconnect`.
    Disconnect {
        /// Who.
        container: Target,
        /// From which network.
        network: ExistingNetwork,
    },
    /// `POST /volumes/create`.
    CreateVolume(VolumeKey),
    /// `DELETE /volumes/{name}`.
    RemoveVolume {
        /// Its name.
        name: String,
        /// Its key in the file, by its label.
        key: Option<VolumeKey>,
    },
    /// `POST /containers/create`.
    CreateContainer(NewContainer),
    /// `POST /containers/{id}/rename`.
    Rename {
        /// Who.
        container: Target,
        /// The new name.
        name: String,
    },
    /// `POST /containers/{id}/start`.
    Start(Target),
    /// `POST /containers/{id}/stop`.
    Stop {
        /// Who.
        container: Target,
        /// How long it may take before it is killed; none: as the container says, or 10 s.
        timeout: Option<Duration>,
    },
    /// `POST /containers/{id}/kill`.
    Kill {
        /// Who.
        container: Target,
        /// The signal, by name or number.
        signal: String,
    },
    /// `POST /containers/{id}/pause`.
    Pause(Target),
    /// `POST /containers/{id}/exec`: a command of `post_start` or `pre_stop`, to its end.
    RunHook {
        /// In whom.
        container: Target,
        /// Which list.
        phase: Phase,
        /// Its place in the list, from 0.
        number: usize,
    },
    /// `PUT /containers/{id}/archive` with the files of its service.
    CopyFiles(Target),
    /// `POST /containers/{id}/update` with the limits and the restart policy of its service.
    Update(Target),
    /// `POST /containers/{id}/unpause`.
    Unpause(Target),
    /// `DELETE /containers/{id}`.
    Remove {
        /// Who.
        container: Target,
        /// With its anonymous volumes.
        volumes: bool,
    },
    /// Waits for an event of the Engine.
    Await(Wait),
}

impl Operation {
    /// The container that is changed, where it is one.
    pub fn container(&self) -> Option<&Target> {
        match self {
            Self::Connect { container, .. }
            | Self::Disconnect { container, .. }
            | Self::Rename { container, .. }
            | Self::Start(container)
            | Self::RunHook { container, .. }
            | Self::CopyFiles(container)
            | Self::Update(container)
            | Self::Stop { container, .. }
            | Self::Kill { container, .. }
            | Self::Pause(container)
            | Self::Unpause(container)
            | Self::Remove { container, .. } => Some(container),
            _ => None,
        }
    }
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// `post_start`: before anybody counts the container as started.
    PostStart,
    /// `pre_stop`: whatever it ends with, the container stops after it.
    PreStop,
}

impl Phase {
    /// The attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostStart => "post_start",
            Self::PreStop => "pre_stop",
        }
    }
}

/// A network that is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExistingNetwork {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// Its key in the file, by its label.
    pub key: Option<NetworkKey>,
}

/// A link on the host that bowline made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExistingShim {
    /// Its name.
    pub name: String,
    /// What stands on it, by which it is known as the project's.
    pub label: String,
}

/// A container to be made: what its `DesiredContainer` in the plan's `Desired` leaves open.
#[derive(Clone, Debug, PartialEq)]
pub struct NewContainer {
    /// Which one; its settings are in the plan's `Desired`.
    pub replica: Replica,
    /// The name it gets: the final one, or one that a later step renames.
    pub name: String,
    /// The networks whose endpoints the request carries, the primary one first; a `Connect` step adds each other one.
    /// Empty where it hangs elsewhere (`Attachment`).
    pub networks: Vec<NetworkKey>,
    /// The container whose network namespace it shares (`Attachment::Replica`).
    pub parent: Option<Target>,
    /// The containers of `DesiredContainer::borrows`, in its order.
    pub lenders: Vec<Target>,
    /// `HostConfig.Links` (only on the default bridge): to whom, and by which name.
    pub links: Vec<(LinkEnd, String)>,
    /// Anonymous volumes that it takes over from the container before it: path in the container, the volume's name.
    pub inherits: Vec<(String, String)>,
    /// The id of its image, where that is known before.
    pub image: Option<String>,
}

/// Whom a link of a container to be made leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEnd {
    /// A container of the project.
    Target(Target),
    /// Another, by name or id.
    External(String),
}

impl LinkEnd {
    /// The container, where it is one of the project.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Target(target) => Some(target),
            Self::External(_) => None,
        }
    }
}

/// What is waited for: every container of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wait {
    /// The service.
    pub service: ServiceName,
    /// Its containers.
    pub containers: Vec<Target>,
    /// When it is over.
    pub condition: Condition,
    /// At the latest; none: no limit of ours.
    pub timeout: Option<Duration>,
}

/// Why it is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// It is not there.
    Missing,
    /// It is not as declared.
    Drifted(Vec<Difference>),
    /// A flag asks for it: `--force-recreate`, `down`.
    Requested(String),
    /// An image is built or asked for anew, by this flag or policy: containers that run on it are replaced where it comes out anew,
    /// which a plan made before cannot know.
    Refreshed(String),
    /// It makes room for the one that takes its place before that one starts, although the file asks for `start-first`.
    StopFirst {
        /// Why it is replaced.
        cause: Box<Cause>,
        /// What stands against the other order.
        why: String,
    },
    /// What was to take its place did not hold, which this says.
    RolledBack(String),
    /// The file does not have its service (any more).
    Orphaned,
    /// There are more of its service than the file asks for, or two with one number.
    Surplus,
    /// Nothing uses it any more.
    Unused,
    /// The network that it is on is not as declared.
    NetworkDrifted(NetworkKey, Vec<Difference>),
    /// The container whose namespace it shares is replaced or restarted.
    ParentReplaced(ServiceName),
    /// A service that it depends on with `restart: true`, or that it links to, is replaced or restarted.
    DependencyReplaced(ServiceName),
    /// It is there and does not run: what it does instead.
    NotRunning(String),
    /// Somebody waits for it.
    Awaited(ServiceName),
}

/// Why one step comes after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Needs {
    /// The other makes what this uses.
    Exists,
    /// The other takes away what is in this one's way.
    Gone,
    /// The other stops what this changes.
    Stopped,
    /// The other waits for a condition that this needs.
    Condition(Condition),
    /// Nothing but order: a failure of the other, or its being skipped, does not skip this one.
    Order,
}

/// What a failure of the step means for those that come after it.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    #[default]
    /// What needs it is skipped, by every edge but `Needs::Order`.
    SkipDependents,
    /// It is tolerated: nothing is skipped (a wait that is `required: false` for all who wait).
    GoOn,
}

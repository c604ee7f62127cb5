//! Which services a command is about.

use indexmap::IndexSet;

use crate::name::{NetworkKey, ServiceName};
use crate::state::desired::{Attachment, Desired, DesiredContainer};

/// Whom naming a service means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It alone.
    Named,
    /// It and what it depends on.
    #[default]
    Dependencies,
}

/// The services that a command is about.
pub(in crate::plan) struct Scope {
    /// Those that were named, or all.
    pub named: IndexSet<ServiceName>,
    /// Those and what they depend on.
    pub all: IndexSet<ServiceName>,
    /// Whether it is the whole project.
    pub whole: bool,
}

impl Scope {
    /// Those that are `named`, or all where none is.
    pub(in crate::plan) fn new(desired: &Desired, names: &[ServiceName], reach: Reach) -> Self {
        let whole = names.is_empty();
        let chosen = |name: &&ServiceName| whole || names.contains(name);
        let named: IndexSet<ServiceName> = desired.services.iter().filter(chosen).cloned().collect();
        let mut all = named.clone();
        let mut place = 0;
        while let (Reach::Dependencies, Some(service)) = (reach, all.get_index(place).cloned()) {
            let needs =
                desired.containers.values().filter(|c| c.replica.service == service).flat_map(|c| c.needs.keys());
            all.extend(needs.filter(|name| desired.services.contains(name)).cloned());
            place += 1;
        }
        Self { named, all, whole }
    }

    /// Whether a container is to become what the file says.
    pub(in crate::plan) fn has(&self, container: &DesiredContainer) -> bool {
        self.all.contains(&container.replica.service)
    }

    /// Whether a network is needed for it.
    pub(super) fn has_network(&self, desired: &Desired, key: &NetworkKey) -> bool {
        let mut used = desired.containers.values().filter(|c| self.has(c));
        self.whole || used.any(|c| matches!(&c.attachment, Attachment::Networks(all) if all.contains_key(key)))
    }
}

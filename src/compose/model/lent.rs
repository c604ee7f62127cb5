//! What an entry of `volumes_from` says.

/// An entry of `volumes_from`: `service[:mode]` or `container:name[:mode]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumesFrom<'a> {
    /// Who lends its volumes.
    pub owner: VolumesOwner<'a>,
    /// `ro`, `rw`, or none.
    pub mode: Option<&'a str>,
}

/// Who lends its volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumesOwner<'a> {
    /// A service of the stack.
    Service(&'a str),
    /// A container by its own name, of this stack or not.
    Container(&'a str),
}

impl<'a> VolumesFrom<'a> {
    /// The parts of an entry.
    pub fn of(entry: &'a str) -> Self {
        let outside = entry.strip_prefix("container:");
        let rest = outside.unwrap_or(entry);
        let (name, mode) = rest.split_once(':').map_or((rest, None), |(name, mode)| (name, Some(mode)));
        let owner = if outside.is_some() { VolumesOwner::Container(name) } else { VolumesOwner::Service(name) };
        Self { owner, mode }
    }

    /// The service that lends them.
    pub fn service(self) -> Option<&'a str> {
        match self.owner {
            VolumesOwner::Service(name) => Some(name),
            VolumesOwner::Container(_) => None,
        }
    }

    /// The container that lends them, where it is named by its own name.
    pub fn container(self) -> Option<&'a str> {
        match self.owner {
            VolumesOwner::Service(_) => None,
            VolumesOwner::Container(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_service_or_a_container_and_how() {
        for (entry, owner, mode) in [
            ("db", VolumesOwner::Service("db"), None),
            ("db:ro", VolumesOwner::Service("db"), Some("ro")),
            ("container", VolumesOwner::Service("container"), None),
            ("container:db", VolumesOwner::Container("db"), None),
            ("container:db:rw", VolumesOwner::Container("db"), Some("rw")),
        ] {
            assert_eq!(VolumesFrom::of(entry), VolumesFrom { owner, mode }, "{entry}");
        }
    }
}

//! A plan in the making: the steps that there are, what was done to whom, and what orders them.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};

use super::UpOptions;
use super::containers::runs;
use super::networks::existing;
use super::scope::Scope;
use crate::finding::{Code, Finding, Findings};
use crate::name::{NetworkKey, Replica, VolumeKey};
use crate::plan::builder::{Handle, PlanBuilder};
use crate::plan::images::Images;
use crate::plan::operation::{Cause, ExistingNetwork, Needs, Operation, Target};
use crate::state::desired::Desired;
use crate::state::difference;
use crate::state::observed::{Observed, ObservedContainer};

/// A plan in the making, with what was done to whom.
pub(super) struct Work<'a> {
    pub(super) builder: PlanBuilder,
    pub(super) desired: &'a Desired,
    pub(super) observed: &'a Observed,
    pub(super) options: &'a UpOptions,
    /// The last step of each container.
    pub(super) last: BTreeMap<Target, Handle>,
    pub(super) images: Images<'a>,
    pub(super) networks: BTreeMap<NetworkKey, Handle>,
    /// The steps that take a network away, by its key.
    pub(super) cleared: BTreeMap<NetworkKey, Handle>,
    pub(super) volumes: BTreeMap<VolumeKey, Handle>,
    pub(super) creates: BTreeMap<Replica, Handle>,
    /// Steps that stop a container, with the container.
    pub(super) stops: Vec<(Handle, &'a ObservedContainer)>,
    /// Steps that give a name, with the name, and those that free one.
    pub(super) named: Vec<(Handle, Target, String)>,
    pub(super) freed: Vec<(Handle, Target, String)>,
    /// The steps that let each container run.
    pub(super) starts: IndexMap<Replica, Handle>,
}

impl<'a> Work<'a> {
    pub(super) fn new(desired: &'a Desired, observed: &'a Observed, options: &'a UpOptions) -> Self {
        Self {
            builder: PlanBuilder::new(),
            desired,
            observed,
            options,
            last: BTreeMap::new(),
            images: Images::new(desired, observed),
            networks: BTreeMap::new(),
            cleared: BTreeMap::new(),
            volumes: BTreeMap::new(),
            creates: BTreeMap::new(),
            stops: Vec::new(),
            named: Vec::new(),
            freed: Vec::new(),
            starts: IndexMap::new(),
        }
    }

    /// Stops a container, if it runs and was not stopped before.
    pub(super) fn stop(&mut self, container: &'a ObservedContainer, cause: Cause) -> Option<Handle> {
        if let Some((stop, _)) = self.stops.iter().find(|(_, stopped)| stopped.id == container.id) {
            return Some(*stop);
        }
        if !runs(&container.state) {
            return None;
        }
        let target = Target::existing(container);
        let operation = Operation::Stop { container: target.clone(), timeout: self.options.timeout };
        let step = self.after_last(&target, operation, cause);
        self.stops.push((step, container));
        Some(step)
    }

    pub(super) fn remove(&mut self, container: &'a ObservedContainer, cause: Cause) -> Handle {
        let target = Target::existing(container);
        let volumes = self.options.renew_anonymous_volumes;
        let step = self.after_last(&target, Operation::Remove { container: target.clone(), volumes }, cause);
        self.freed.push((step, target, container.name.clone()));
        step
    }

    pub(super) fn disconnect(
        &mut self,
        container: &ObservedContainer,
        network: ExistingNetwork,
        cause: Cause,
    ) -> Handle {
        let target = Target::existing(container);
        self.after_last(&target, Operation::Disconnect { container: target.clone(), network }, cause)
    }

    pub(super) fn connect(&mut self, target: &Target, key: &NetworkKey, cause: Cause) {
        let operation = Operation::Connect { container: target.clone(), network: key.clone() };
        let step = self.after_last(target, operation, cause);
        self.after_network(step, key);
    }

    pub(super) fn after_network(&mut self, step: Handle, key: &NetworkKey) {
        if let Some(network) = self.networks.get(key) {
            self.builder.needs(step, *network, Needs::Exists);
        }
    }

    /// Adds a step that comes after all that was done to the container before.
    pub(super) fn after_last(&mut self, target: &Target, operation: Operation, cause: Cause) -> Handle {
        let step = self.builder.step(operation, cause);
        if let Some(last) = self.last.insert(target.clone(), step) {
            let why = match self.builder.operation(last) {
                Operation::Stop { .. } => Needs::Stopped,
                Operation::Disconnect { .. } => Needs::Gone,
                _ => Needs::Exists,
            };
            self.builder.needs(step, last, why);
        }
        step
    }

    /// A network that an endpoint leads to, as an operation names it.
    pub(super) fn network(&self, name: &str, id: Option<&crate::name::NetworkId>) -> Option<ExistingNetwork> {
        let found = self.observed.networks.iter().find(|n| n.id.as_ref() == id && id.is_some());
        found.or_else(|| self.observed.networks.iter().find(|n| n.name == name)).and_then(existing)
    }

    /// Makes volumes that are missing. One that differs holds data: it stays, and that is said.
    pub(super) fn volumes(&mut self, scope: &Scope, findings: &mut Findings) {
        let used: IndexSet<&str> = self
            .desired
            .containers
            .values()
            .filter(|c| scope.has(c))
            .flat_map(|c| c.settings.mounts.iter().filter_map(|mount| mount.kind.volume_name()))
            .collect();
        for (key, volume) in self.desired.volumes.iter().filter(|(_, v)| !v.external) {
            if !scope.whole && !used.contains(volume.name.as_str()) {
                continue;
            }
            match self.observed.volumes.iter().find(|found| found.name == volume.name) {
                None => {
                    let step = self.builder.step(Operation::CreateVolume(key.clone()), Cause::Missing);
                    self.volumes.insert(key.clone(), step);
                }
                Some(found) => {
                    for difference in difference::volume(volume, found) {
                        let message = format!("volume {key} differs and is kept: {difference}");
                        let help =
                            format!("to make it anew, and lose what is in it: `docker volume rm {}`", volume.name);
                        let finding = Finding::warning(Code::VolumeDiffers, message);
                        findings.push(finding.maybe_at(difference.at).help(help));
                    }
                }
            }
        }
    }
}

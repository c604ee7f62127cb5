//! What becomes of each container: kept, mended, stopped and started, replaced, made.

use indexmap::IndexMap;

use super::networks::NetworkFate;
use super::scope::Scope;
use super::update::{self, Succession};
use super::{Recreate, UpOptions};
use crate::name::{NetworkKey, Replica, ServiceName};
use crate::plan::operation::Cause;
use crate::state::desired::{Attachment, Desired, DesiredContainer, LinkTarget};
use crate::state::difference::{self, ContainerDrift};
use crate::state::observed::{ContainerState, Observed, ObservedContainer};

/// What becomes of a container.
pub(super) struct Fate<'a> {
    /// What it is to be.
    pub wanted: &'a DesiredContainer,
    /// The one that stays.
    pub kept: Option<Kept<'a>>,
    /// Those that go.
    pub going: Vec<&'a ObservedContainer>,
    /// Why a new one is made, where none is kept.
    pub cause: Cause,
    /// Which goes first where one takes another's place.
    pub succession: Succession,
    /// The service for whose new container the old one is kept: its own, or that in whose namespaces it lives.
    pub kept_for: Option<ServiceName>,
}

/// A container that stays.
pub(super) struct Kept<'a> {
    /// The container.
    pub found: &'a ObservedContainer,
    /// What is mended on it.
    pub drift: ContainerDrift,
    /// Why it is stopped and started again, if it is.
    pub restarted: Option<Cause>,
}

impl Fate<'_> {
    /// Whether a new one takes the place of one that was there.
    pub(super) fn is_replaced(&self) -> bool {
        self.kept.is_none() && !self.going.is_empty()
    }

    /// Why it stops for a while, or for ever.
    fn interrupted(&self) -> Option<&Cause> {
        match &self.kept {
            Some(kept) => kept.restarted.as_ref(),
            None => self.is_replaced().then_some(&self.cause),
        }
    }

    /// Lets a new one take its place.
    fn replace(&mut self, cause: Cause) -> bool {
        let Some(kept) = self.kept.take() else { return false };
        self.going.insert(0, kept.found);
        self.cause = cause;
        true
    }
}

/// Every container that something is to become of.
pub(super) type Fates<'a> = IndexMap<Replica, Fate<'a>>;

/// Decides for every container of the scope, and for those that are drawn in: on a network that is replaced, in the
/// namespace of one that is, linked to it, or to be restarted with it.
pub(super) fn fates<'a>(
    desired: &'a Desired,
    observed: &'a Observed,
    options: &UpOptions,
    scope: &Scope,
    networks: &IndexMap<NetworkKey, NetworkFate<'a>>,
) -> Fates<'a> {
    let mut fates = Fates::new();
    for (replica, wanted) in &desired.containers {
        let there: Vec<&ObservedContainer> = observed.containers.iter().filter(|c| c.replica == *replica).collect();
        if scope.has(wanted) {
            let recreate = strategy(options, scope, wanted);
            fates.insert(replica.clone(), decide(wanted, there, desired, observed, recreate));
        } else if !there.is_empty() {
            fates.insert(replica.clone(), untouched(wanted, there));
        }
    }
    for fate in fates.values_mut() {
        restart_for_networks(fate, networks);
    }
    while spread(&mut fates) {}
    fates.retain(|_, fate| scope.has(fate.wanted) || fate.interrupted().is_some());
    update::decide(&mut fates, networks);
    fates
}

fn strategy(options: &UpOptions, scope: &Scope, wanted: &DesiredContainer) -> Recreate {
    match options.recreate {
        Recreate::Never => Recreate::Never,
        recreate if scope.named.contains(&wanted.replica.service) => recreate,
        _ if options.always_recreate_deps => Recreate::Always,
        _ => Recreate::Drifted,
    }
}

/// Keeps the container that fits best, if one does.
fn decide<'a>(
    wanted: &'a DesiredContainer,
    there: Vec<&'a ObservedContainer>,
    desired: &Desired,
    observed: &Observed,
    recreate: Recreate,
) -> Fate<'a> {
    let usable = |c: &ObservedContainer| !matches!(c.state, ContainerState::Dead | ContainerState::Removing);
    let drifts = there.iter().filter(|c| usable(c)).map(|c| (*c, difference::container(wanted, c, desired, observed)));
    let mut drifts: Vec<(&ObservedContainer, ContainerDrift)> = drifts.collect();
    drifts.sort_by_key(|(c, drift)| (!drift.fixed.is_empty(), drift.name.is_some(), !c.state.is_running()));
    let best = (!drifts.is_empty()).then(|| drifts.remove(0));
    let (kept, cause) = match best {
        None => (None, Cause::Missing),
        Some(_) if recreate == Recreate::Always => (None, Cause::Requested("--force-recreate".to_owned())),
        Some((_, drift)) if !drift.fixed.is_empty() && recreate == Recreate::Drifted => {
            (None, Cause::Drifted(drift.fixed))
        }
        Some((found, drift)) => (Some(Kept { found, drift, restarted: None }), Cause::Missing),
    };
    let stays = kept.as_ref().map(|kept| kept.found.id.clone());
    let going = there.into_iter().filter(|c| Some(&c.id) != stays.as_ref()).collect();
    Fate { wanted, kept, going, cause, succession: Succession::default(), kept_for: None }
}

/// A container outside the scope is kept as it is, unless it is drawn in.
fn untouched<'a>(wanted: &'a DesiredContainer, mut there: Vec<&'a ObservedContainer>) -> Fate<'a> {
    there.sort_by_key(|c| (c.name != wanted.name, !c.state.is_running()));
    let kept = Kept { found: there.remove(0), drift: ContainerDrift::default(), restarted: None };
    Fate {
        wanted,
        kept: Some(kept),
        going: Vec::new(),
        cause: Cause::Missing,
        succession: Succession::default(),
        kept_for: None,
    }
}

/// A container on a network that is replaced stops for the time, and is connected again afterwards; one with a MAC of its own
/// there is replaced, for only creating gives a MAC.
fn restart_for_networks(fate: &mut Fate, networks: &IndexMap<NetworkKey, NetworkFate>) {
    for (key, network) in networks {
        let NetworkFate::Replaced { id, cause, .. } = network else { continue };
        let Some(kept) = &mut fate.kept else { return };
        if !kept.found.endpoints.values().any(|endpoint| endpoint.network.as_ref() == Some(id)) {
            continue;
        }
        if has_mac(fate.wanted, key) {
            fate.replace(cause.clone());
        } else {
            kept.restarted.get_or_insert_with(|| cause.clone());
        }
    }
}

fn has_mac(wanted: &DesiredContainer, key: &NetworkKey) -> bool {
    match &wanted.attachment {
        Attachment::Networks(networks) => networks.get(key).is_some_and(|endpoint| endpoint.mac.is_some()),
        _ => false,
    }
}

/// Passes on what a replacement or restart means for others; true where something changed.
fn spread(fates: &mut Fates) -> bool {
    let replicas: Vec<Replica> = fates.keys().cloned().collect();
    let mut changed = false;
    for replica in replicas {
        let effect = effect_on(&replica, fates);
        let Some(fate) = fates.get_mut(&replica) else { continue };
        changed |= match (effect, &mut fate.kept) {
            (Some(Effect::Replace(cause)), _) => fate.replace(cause),
            (Some(Effect::Restart(cause)), Some(kept)) if kept.restarted.is_none() => {
                kept.restarted = Some(cause);
                true
            }
            _ => false,
        };
    }
    changed
}

/// What others do to a container.
enum Effect {
    Replace(Cause),
    Restart(Cause),
}

/// A replacement by one of them goes before a restart by another.
fn effect_on(replica: &Replica, fates: &Fates) -> Option<Effect> {
    let mut restart = None;
    let fate = fates.get(replica)?;
    let kept = fate.kept.as_ref()?;
    if let Attachment::Replica(parent) = &fate.wanted.attachment
        && let Some(owner) = fates.get(parent)
    {
        let cause = Cause::ParentReplaced(parent.service.clone());
        let shared = owner.kept.as_ref().map(|owner| format!("container:{}", owner.found.id));
        match (&owner.kept, shared) {
            (Some(owner), Some(shared)) if kept.found.network_mode == shared => {
                if owner.restarted.is_some() {
                    restart = Some(Effect::Restart(cause));
                }
            }
            _ => return Some(Effect::Replace(cause)),
        }
    }
    for borrow in &fate.wanted.borrows {
        let Some(owner) = fates.get(&borrow.from) else { continue };
        let cause = Cause::ParentReplaced(borrow.from.service.clone());
        match &owner.kept {
            None => return Some(Effect::Replace(cause)),
            Some(owner) if owner.restarted.is_some() && borrow.what.dies_with_owner() => {
                restart.get_or_insert(Effect::Restart(cause));
            }
            Some(_) => {}
        }
    }
    // a link of the default bridge leads to one container, and dies with it
    for link in &fate.wanted.legacy_links {
        if let LinkTarget::Replica(target) = &link.target
            && fates.get(target).is_some_and(|target| target.kept.is_none())
        {
            return Some(Effect::Replace(Cause::DependencyReplaced(target.service.clone())));
        }
    }
    if let Some(difference) = &kept.drift.name
        && fates.values().any(|other| is_renamed_from(other, &fate.wanted.name))
    {
        return Some(Effect::Replace(Cause::Drifted(vec![difference.clone()])));
    }
    if restart.is_some() || !kept.found.state.is_running() {
        return restart;
    }
    let restarts = fate.wanted.needs.iter().filter(|(_, dependency)| dependency.restart).map(|(name, _)| name);
    let moved = |fate: &&Fate| match fate.interrupted() {
        // a restart is not passed on for ever
        Some(Cause::DependencyReplaced(_)) => fate.kept.is_none(),
        other => other.is_some(),
    };
    for name in restarts {
        let mut dependency = fates.values().filter(|fate| fate.wanted.replica.service == *name);
        if dependency.any(|fate| moved(&fate)) {
            return Some(Effect::Restart(Cause::DependencyReplaced(name.clone())));
        }
    }
    None
}

/// Whether a container that is to be renamed has this name now: two that swap names cannot both be renamed.
fn is_renamed_from(fate: &Fate, name: &str) -> bool {
    fate.kept.as_ref().is_some_and(|kept| kept.drift.name.is_some() && kept.found.name == name)
}

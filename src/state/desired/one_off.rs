//! A container that `run` makes: one of a service, beside those that the file asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compose::model::Restart;
use crate::name::{Replica, ServiceName};
use crate::state::desired::{Attachment, Desired, DesiredContainer, file, labels};
use crate::state::observed::{Observed, ObservedContainer};

/// What `run` says of it.
#[derive(Clone, Debug, Default)]
pub struct OneOff {
    /// 64 hexadecimal digits that nobody else has.
    pub slug: String,
    /// `--name`; none: `<project>-<service>-run-<12 digits>`.
    pub name: Option<String>,
    /// The command, where one is given.
    pub command: Vec<String>,
    /// `--entrypoint`, as words. Without a command of its own, it has none: the file's was for another program.
    pub entrypoint: Option<Vec<String>>,
    /// `-e`, `--env-from-file`.
    pub environment: BTreeMap<String, String>,
    /// `-l`.
    pub labels: BTreeMap<String, String>,
    /// `-u`.
    pub user: Option<String>,
    /// `-w`.
    pub working_dir: Option<String>,
    /// `--cap-add`.
    pub cap_add: BTreeSet<String>,
    /// `--cap-drop`.
    pub cap_drop: BTreeSet<String>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Whether its input is open.
    pub input: bool,
    /// `--rm`.
    pub auto_remove: bool,
    /// `--use-aliases`: it is known by the service's names as well.
    pub aliases: bool,
}

impl OneOff {
    /// The container's name.
    pub fn name(&self, desired: &Desired, service: &ServiceName) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}-{service}-run-{}", desired.project, self.digits()))
    }

    fn digits(&self) -> &str {
        self.slug.get(..12).unwrap_or(&self.slug)
    }
}

/// Which one it is in plans: numbers of the others begin at 1.
pub fn replica(service: &ServiceName) -> Replica {
    Replica::new(service.clone(), 0)
}

/// The stack with this container in the place of those of its service; none where the service has no container to be like.
/// Together with [`hide`] no plan touches the others.
pub fn with(mut desired: Desired, service: &ServiceName, one_off: &OneOff) -> Option<Desired> {
    let template = desired.containers.values().find(|container| container.replica.service == *service)?;
    let template = DesiredContainer::clone(template);
    let name = one_off.name(&desired, service);
    let container = made(template, name, one_off);
    desired.containers.retain(|replica, _| replica.service != *service);
    desired.containers.insert(container.replica.clone(), Arc::new(container));
    Some(desired)
}

/// What is there, the containers of a service as if they were another project's.
pub fn hide(mut observed: Observed, service: &ServiceName) -> Observed {
    let hidden = observed.containers.extract_if(.., |container| container.replica.service == *service);
    observed.others.extend(hidden.map(ObservedContainer::into_other));
    observed
}

/// The container, as docker compose makes it.
fn made(template: DesiredContainer, name: String, one_off: &OneOff) -> DesiredContainer {
    let mut container = DesiredContainer { replica: replica(&template.replica.service), ..template };
    let old = std::mem::replace(&mut container.name, name.clone());
    if let Attachment::Networks(networks) = &mut container.attachment {
        for endpoint in networks.values_mut() {
            match one_off.aliases {
                true if old == container.replica.service.as_str() => {}
                true => _ = endpoint.aliases.remove(&old),
                false => endpoint.aliases.clear(),
            }
            endpoint.repeated.retain(|alias| one_off.aliases && *alias != old);
            endpoint.aliases.insert(name.clone());
        }
    }
    let settings = &mut container.settings;
    if let Some(words) = &one_off.entrypoint {
        settings.entrypoint = Some(words.clone());
        settings.command = Some(vec![]);
    }
    if !one_off.command.is_empty() {
        settings.command = Some(one_off.command.clone());
    }
    let variables = one_off.environment.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    settings.environment.extend(variables);
    settings.user = one_off.user.clone().or(settings.user.take());
    settings.working_dir = one_off.working_dir.clone().or(settings.working_dir.take());
    settings.cap_add.extend(one_off.cap_add.iter().cloned());
    settings.cap_drop.extend(one_off.cap_drop.iter().cloned());
    settings.tty = one_off.terminal;
    settings.stdin_open = one_off.input;
    settings.stdin_once = one_off.input;
    settings.auto_remove = one_off.auto_remove;
    settings.restart = Some(Restart::No);
    settings.labels.extend(one_off.labels.iter().map(|(name, value)| (name.clone(), value.clone())));
    settings.labels.remove(labels::NUMBER);
    settings.labels.insert(labels::ONE_OFF.to_owned(), "True".to_owned());
    settings.labels.insert(labels::SLUG.to_owned(), one_off.slug.clone());
    file::move_volume(settings, one_off.digits(), &name);
    container
}

//! `stop`, `start`, `restart`, `kill`, `pause`, `unpause`, `rm`: containers that are there, whatever the file says.
//!
//! Who depends on whom is known by the containers' labels, so that no file is needed.

use std::time::Duration;

use indexmap::IndexMap;

use super::builder::{Handle, PlanBuilder};
use super::graph::Plan;
use super::operation::{Cause, Needs, Operation, Target, Wait};
use super::proof::Flaw;
use super::up::runs;
use crate::compose::model::Condition;
use crate::name::{ProjectName, ServiceName};
use crate::state::desired::{Desired, labels};
use crate::state::observed::{ContainerState, Observed, ObservedContainer, ObservedVolume};

/// What is done to containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Those that run are stopped, dependents first.
    Stop,
    /// Those that do not run are started, each when what it depends on is there.
    Start,
    /// Both.
    Restart,
    /// Those that run get a signal, all at once.
    Kill {
        /// By name or number.
        signal: String,
    },
    /// Those that run are held still, all at once.
    Pause,
    /// Those that are held still go on.
    Unpause,
    /// Those that do not run are removed.
    Remove {
        /// Those that run as well, after a stop.
        stop: bool,
        /// With their volumes that have no name.
        volumes: bool,
    },
}

impl Change {
    /// The command that asks for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Kill { .. } => "kill",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Remove { .. } => "rm",
        }
    }
}

/// The flags that the commands have in common.
#[derive(Clone, Debug, Default)]
pub struct LifecycleOptions {
    /// The services that were named; empty: all.
    pub services: Vec<ServiceName>,
    /// `--timeout`: how long a container may take to stop.
    pub timeout: Option<Duration>,
    /// `--no-deps`: in no order.
    pub no_deps: bool,
}

/// What does this to a project's containers; their hooks are those of the file, where there is one.
///
/// # Errors
/// A [`Flaw`] is a mistake of this module, never of the user.
pub fn lifecycle(
    change: &Change,
    project: &ProjectName,
    file: Option<&Desired>,
    observed: &Observed,
    options: &LifecycleOptions,
) -> Result<Plan, Flaw> {
    let services = meant(change, observed, options);
    let chosen = |container: &&ObservedContainer| services.is_empty() || services.contains(&container.replica.service);
    let containers: Vec<&ObservedContainer> = observed.containers.iter().filter(chosen).collect();
    let volumes = observed.volumes.iter().filter(|volume| volume.files_of(project).is_some()).collect();
    let mut work = Work { builder: PlanBuilder::new(), options, change, containers, volumes };
    let (mut stops, mut starts) = (Steps::new(), Steps::new());
    match change {
        Change::Stop => stops = work.stops(),
        Change::Start => starts = work.starts(&stops),
        Change::Restart => {
            stops = work.stops();
            starts = work.starts(&stops);
        }
        Change::Kill { signal } => {
            let kill = |container| Operation::Kill { container, signal: signal.clone() };
            work.each(runs, kill);
        }
        Change::Pause => {
            let may = |state: &ContainerState| matches!(state, ContainerState::Running { .. });
            work.each(may, Operation::Pause);
        }
        Change::Unpause => work.each(|state| *state == ContainerState::Paused, Operation::Unpause),
        Change::Remove { stop, volumes } => {
            if *stop {
                stops = work.stops();
            }
            work.removals(&stops, *volumes);
        }
    }
    if !options.no_deps {
        work.stop_dependents_first(&stops);
        work.start_after_needs(&starts);
    }
    let desired = file.cloned().unwrap_or_else(|| Desired::nothing(project.clone()));
    work.builder.finish(desired, observed)
}

/// The services that are meant, none for all: a start also starts what the named ones depend on, as docker compose does.
fn meant(change: &Change, observed: &Observed, options: &LifecycleOptions) -> Vec<ServiceName> {
    let mut services = options.services.clone();
    if options.no_deps || !matches!(change, Change::Start) {
        return services;
    }
    let mut place = 0;
    while let Some(service) = services.get(place) {
        let dependents = observed.containers.iter().filter(|container| container.replica.service == *service);
        let needed: Vec<&str> = dependents.flat_map(dependencies).map(|(needed, _)| needed).collect();
        for ObservedContainer { replica, .. } in &observed.containers {
            if needed.contains(&replica.service.as_str()) && !services.contains(&replica.service) {
                services.push(replica.service.clone());
            }
        }
        place += 1;
    }
    services
}

/// Steps by the place of their container.
type Steps = IndexMap<usize, Handle>;

struct Work<'a> {
    builder: PlanBuilder,
    options: &'a LifecycleOptions,
    change: &'a Change,
    containers: Vec<&'a ObservedContainer>,
    /// Those that hold configs and secrets of containers, and go with them.
    volumes: Vec<&'a ObservedVolume>,
}

impl Work<'_> {
    fn cause(&self) -> Cause {
        Cause::Requested(self.change.word().to_owned())
    }

    fn stops(&mut self) -> Steps {
        let mut stops = Steps::new();
        for (place, container) in self.containers.iter().enumerate().filter(|(_, c)| runs(&c.state)) {
            let target = Target::existing(container);
            let operation = Operation::Stop { container: target, timeout: self.options.timeout };
            let step = self.builder.step(operation, self.cause());
            stops.insert(place, step);
        }
        stops
    }

    /// What is paused is let go on; what is neither running nor going away is started, after its stop.
    fn starts(&mut self, stops: &Steps) -> Steps {
        let mut starts = Steps::new();
        for (place, container) in self.containers.iter().enumerate() {
            let target = Target::existing(container);
            let operation = match container.state {
                _ if stops.contains_key(&place) => Operation::Start(target),
                ContainerState::Paused => Operation::Unpause(target),
                ContainerState::Created | ContainerState::Exited { .. } => Operation::Start(target),
                _ => continue,
            };
            let step = self.builder.step(operation, self.cause());
            if let Some(&stop) = stops.get(&place) {
                self.builder.needs(step, stop, Needs::Stopped);
            }
            starts.insert(place, step);
        }
        starts
    }

    /// One step for each container in such a state, in no order.
    fn each(&mut self, chosen: impl Fn(&ContainerState) -> bool, operation: impl Fn(Target) -> Operation) {
        for container in self.containers.iter().filter(|container| chosen(&container.state)) {
            self.builder.step(operation(Target::existing(container)), self.cause());
        }
    }

    /// What does not run is removed, after its stop; one-off containers (`run`) are somebody else's.
    fn removals(&mut self, stops: &Steps, volumes: bool) {
        for (place, container) in self.containers.iter().enumerate() {
            let stop = stops.get(&place).copied();
            let is_going = container.state == ContainerState::Removing;
            if is_going || container.replica.number == 0 || (stop.is_none() && runs(&container.state)) {
                continue;
            }
            let operation = Operation::Remove { container: Target::existing(container), volumes };
            let removal = self.builder.step(operation, self.cause());
            if let Some(stop) = stop {
                self.builder.needs(removal, stop, Needs::Stopped);
            }
            for volume in
                self.volumes.iter().filter(|volume| container.volumes.values().any(|name| *name == volume.name))
            {
                let operation = Operation::RemoveVolume { name: volume.name.clone(), key: None };
                let step = self.builder.step(operation, self.cause());
                self.builder.needs(step, removal, Needs::Gone);
            }
        }
    }

    fn stop_dependents_first(&mut self, stops: &Steps) {
        for (&place, &dependent) in stops {
            for (needed, _) in dependencies(self.containers[place]) {
                let of = |other: &usize| self.containers[*other].replica.service == *needed;
                let needed: Vec<Handle> = stops.iter().filter(|(other, _)| of(other)).map(|(_, stop)| *stop).collect();
                needed.into_iter().for_each(|stop| self.builder.prefer(stop, dependent, Needs::Order));
            }
        }
    }

    /// Each start waits for what its label asks for; one wait serves all who ask for the same.
    fn start_after_needs(&mut self, starts: &Steps) {
        let mut waits: IndexMap<(String, Condition), Handle> = IndexMap::new();
        for (&place, &start) in starts {
            let (container, all) = (self.containers[place], self.containers.clone());
            for (needed, condition) in dependencies(container) {
                let of = |other: &usize| all[*other].replica.service == *needed && *other != place;
                let began: Vec<Handle> = starts.iter().filter(|(other, _)| of(other)).map(|(_, step)| *step).collect();
                if began.is_empty() {
                    continue;
                }
                if condition == Condition::Started {
                    began.into_iter().for_each(|step| self.builder.prefer(start, step, Needs::Condition(condition)));
                    continue;
                }
                let wait = *waits.entry((needed.to_owned(), condition)).or_insert_with(|| {
                    let of_service = all.iter().filter(|other| other.replica.service == *needed);
                    let containers: Vec<Target> = of_service.map(|other| Target::existing(other)).collect();
                    let service = containers[0].replica().service.clone();
                    let operation = Operation::Await(Wait { service, containers, condition, timeout: None });
                    let wait = self.builder.step(operation, Cause::Awaited(container.replica.service.clone()));
                    began.iter().for_each(|step| self.builder.needs(wait, *step, Needs::Exists));
                    wait
                });
                self.builder.prefer(start, wait, Needs::Condition(condition));
            }
        }
    }
}

/// What a container's label says that it depends on: `db:service_healthy:false,cache:service_started:true`.
fn dependencies(container: &ObservedContainer) -> impl Iterator<Item = (&str, Condition)> {
    let label = container.settings.labels.get(labels::DEPENDS_ON).map(String::as_str).unwrap_or_default();
    label.split(',').filter(|entry| !entry.is_empty()).map(|entry| {
        let mut parts = entry.split(':');
        let service = parts.next().unwrap_or_default();
        let condition = match parts.next() {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::Completed,
            _ => Condition::Started,
        };
        (service, condition)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ContainerId, Replica};

    /// A container that depends on what `label` says.
    fn container(service: &str, label: &str, running: bool) -> ObservedContainer {
        let state = match running {
            true => ContainerState::Running { pid: 1, health: None, started_at: String::new() },
            false => ContainerState::Exited { code: 0, oom_killed: false, finished_at: String::new() },
        };
        let replica = Replica::new(service.parse().unwrap(), 1);
        let mut container =
            ObservedContainer::named(ContainerId::from_engine(service), format!("lab-{service}-1"), replica, state);
        container.settings.labels.insert(labels::DEPENDS_ON.to_owned(), label.to_owned());
        container
    }

    fn planned(change: Change, containers: Vec<ObservedContainer>) -> String {
        planned_for(change, containers, &LifecycleOptions::default())
    }

    fn planned_for(change: Change, containers: Vec<ObservedContainer>, options: &LifecycleOptions) -> String {
        let observed = Observed { containers, ..Observed::default() };
        let plan = lifecycle(&change, &"lab".parse().unwrap(), None, &observed, options).unwrap();
        plan.lines().iter().map(|line| format!("{} {} {:?}\n", line.id, line.operation, line.after)).collect()
    }

    #[test]
    fn dependents_stop_first_and_start_last() {
        let stack = |running| vec![container("db", "", running), container("web", "db:service_healthy:true", running)];
        assert_eq!(planned(Change::Stop, stack(true)), "1 stop web.1 []\n2 stop db.1 [StepId(0)]\n");
        let starts = "1 start db.1 []\n2 await db healthy [StepId(0)]\n3 start web.1 [StepId(1)]\n";
        assert_eq!(planned(Change::Start, stack(false)), starts);
        assert_eq!(planned(Change::Start, stack(true)), "");
        assert_eq!(planned(Change::Stop, stack(false)), "");
        let both = planned(Change::Restart, stack(true));
        let order: Vec<&str> = both.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(order, ["stop", "stop", "start", "await", "start"]);
    }

    #[test]
    fn a_start_of_one_service_starts_what_it_depends_on() {
        let stack = || {
            let web = container("web", "cache:service_started:false,gone:service_started:false", false);
            let cache = container("cache", "db:service_started:false", true);
            vec![web, container("other", "web:service_started:false", false), cache, container("db", "", false)]
        };
        let options =
            |no_deps| LifecycleOptions { services: vec!["web".parse().unwrap()], no_deps, ..Default::default() };
        let both = "1 start web.1 []\n2 start db.1 []\n";
        assert_eq!(planned_for(Change::Start, stack(), &options(false)), both, "the cache runs");
        assert_eq!(planned_for(Change::Start, stack(), &options(true)), "1 start web.1 []\n");
        assert_eq!(planned_for(Change::Stop, stack(), &options(false)), "", "a stop means the named ones alone");
    }

    #[test]
    fn what_runs_is_killed_and_paused_and_only_what_does_not_is_removed() {
        let stack = || vec![container("db", "", true), container("web", "db:service_healthy:true", false)];
        assert_eq!(planned(Change::Kill { signal: "SIGHUP".to_owned() }, stack()), "1 kill db.1 SIGHUP []\n");
        assert_eq!(planned(Change::Pause, stack()), "1 pause db.1 []\n");
        assert_eq!(planned(Change::Unpause, stack()), "");
        assert_eq!(planned(Change::Remove { stop: false, volumes: false }, stack()), "1 remove web.1 []\n");
        let all = "1 stop db.1 []\n2 remove db.1 [StepId(0)]\n3 remove web.1 []\n";
        assert_eq!(planned(Change::Remove { stop: true, volumes: true }, stack()), all);
    }

    #[test]
    fn a_circle_of_labels_hinders_nothing() {
        let stack =
            vec![container("a", "b:service_started:false", true), container("b", "a:service_started:false", true)];
        assert_eq!(planned(Change::Restart, stack).lines().count(), 4);
    }
}

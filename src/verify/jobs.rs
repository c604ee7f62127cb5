//! Services that are meant to end: jobs. What has ended promises its end alone; nobody can be reached in it.

use std::collections::BTreeSet;

use crate::compose::model::{HealthTest, Project, Restart, Service};
use crate::name::ServiceName;
use crate::source::Span;
use crate::state::observed::{ContainerState, Observed};

/// Services whose containers have all ended with 0.
pub type Ended = BTreeSet<ServiceName>;

/// The services whose containers have all ended with 0, as the Engine tells it. What that means is the file's to say.
pub fn ended(project: &Project, observed: &Observed) -> Ended {
    let well = |service: &&Service| {
        let mut own = observed.containers.iter().filter(|c| c.replica.service == service.name).peekable();
        own.peek().is_some() && own.all(|c| matches!(c.state, ContainerState::Exited { code: 0, .. }))
    };
    project.services.values().filter(well).map(|service| service.name.clone()).collect()
}

/// Where the file says that a service may end and stay so: a written `restart: "no"` or `on-failure`, which asks for an end with 0,
/// and neither a published port nor a health check, which only what stays can keep.
///
/// `restart` left out says nothing: a server whose program went into the background ends with 0, too.
pub(super) fn may_end(service: &Service) -> Option<Span> {
    let stays = !service.ports.is_empty()
        || service.healthcheck.as_ref().is_some_and(|health| health.test != Some(HealthTest::None));
    let restart = service.restart.as_ref().filter(|_| !stays)?;
    matches!(restart.value, Restart::No | Restart::OnFailure(_)).then_some(restart.span)
}

/// Where the file says that the Engine starts a service again whenever it ends.
pub(super) fn starts_again(service: &Service) -> Option<Span> {
    let restart = service.restart.as_ref()?;
    matches!(restart.value, Restart::Always | Restart::UnlessStopped).then_some(restart.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ContainerId, Replica};
    use crate::state::observed::ObservedContainer;
    use crate::verify::fixture::project;

    #[test]
    fn only_a_written_policy_lets_a_service_end() {
        for (attributes, expected) in [
            ("restart: 'no'", true),
            ("restart: on-failure", true),
            ("restart: 'on-failure:3'", true),
            ("deploy: {restart_policy: {condition: on-failure}}", true),
            ("image: x", false),
            ("restart: always", false),
            ("restart: unless-stopped", false),
            ("restart: 'no', ports: ['80']", false),
            ("restart: 'no', healthcheck: {test: 'true'}", false),
            ("restart: 'no', healthcheck: {disable: true}", true),
        ] {
            let project = project(&format!("services: {{a: {{{attributes}}}}}"));
            assert_eq!(may_end(&project.services[0]).is_some(), expected, "{attributes}");
        }
    }

    #[test]
    fn a_service_has_ended_when_all_its_containers_have() {
        let project = project("services: {a: {scale: 2}, b: {}}");
        let exited = |code| ContainerState::Exited { code, oom_killed: false, finished_at: String::new() };
        let container = |number, state| {
            let replica = Replica::new("a".parse().unwrap(), number);
            ObservedContainer::named(ContainerId::from_engine("1"), format!("p-a-{number}"), replica, state)
        };
        let with = |states: [ContainerState; 2]| {
            let containers = states.into_iter().zip(1..).map(|(state, number)| container(number, state)).collect();
            ended(&project, &Observed { containers, ..Observed::default() })
        };
        assert_eq!(with([exited(0), exited(0)]).into_iter().map(|s| s.to_string()).collect::<Vec<_>>(), ["a"]);
        assert!(with([exited(0), exited(1)]).is_empty());
        assert!(with([exited(0), ContainerState::Created]).is_empty());
    }
}

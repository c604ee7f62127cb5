//! Containers run, have done their work, are healthy: what the Engine says.

use super::desk::Desk;
use crate::compose::model::Restart;
use crate::name::Replica;
use crate::state::observed::{ContainerState, Health};
use crate::verify::check::{Verdict, Why};

/// What a container is doing, as a sentence about it.
fn sentence(name: &str, state: &ContainerState) -> String {
    match state {
        ContainerState::Exited { .. } => format!("{name} {}", state_text(state)),
        ContainerState::Created => format!("{name} was {}", state_text(state)),
        _ => format!("{name} is {}", state_text(state)),
    }
}

/// A state in a few words.
pub(super) fn state_text(state: &ContainerState) -> String {
    match state {
        ContainerState::Created => "made and never started".to_owned(),
        ContainerState::Running { .. } => "running".to_owned(),
        ContainerState::Paused => "paused".to_owned(),
        ContainerState::Restarting { exit_code } => format!("restarting; it ended with {exit_code}"),
        ContainerState::Exited { code, oom_killed: true, .. } => format!("ended with {code}: memory ran out"),
        ContainerState::Exited { code, .. } => format!("ended with {code}"),
        ContainerState::Removing => "being removed".to_owned(),
        ContainerState::Dead => "dead".to_owned(),
        ContainerState::Other(word) => word.clone(),
    }
}

fn no_container(desk: &Desk<'_>, replica: &Replica, expected: &str) -> Verdict {
    let found = format!("{} has no container", desk.scene.called(replica));
    Verdict::refuted(expected, found).help("`bowline up -d` makes what is missing")
}

pub(super) fn running(desk: &Desk<'_>, replica: &Replica) -> Verdict {
    let Some(container) = desk.scene.container(replica) else { return no_container(desk, replica, "running") };
    let name = &container.name;
    match &container.state {
        ContainerState::Running { pid, started_at, .. } => {
            Verdict::Proved(vec![format!("{name} runs as process {pid} since {}", second(started_at))])
        }
        ContainerState::Paused => {
            Verdict::refuted("running", format!("{name} is paused")).help(format!("docker unpause {name}"))
        }
        ContainerState::Exited { code: 0, .. } if may_end(desk, replica) => {
            Verdict::Unproved(Why::Undeclared(format!(
                "{name} has ended with 0, and whether it is meant to end, the file does not say: \
                 `x-verify: {{jobs: [{}]}}` would, or its `restart: on-failure`",
                replica.service
            )))
        }
        state => {
            Verdict::refuted("running", sentence(name, state)).help(format!("see what it said: docker logs {name}"))
        }
    }
}

/// What is to be said of a paused container.
pub(super) struct Paused {
    /// That it is.
    pub found: String,
    /// The way out.
    pub help: String,
}

/// A paused container: its kernel still takes connections, and nobody in it answers.
pub(super) fn paused(desk: &Desk<'_>, replica: &Replica) -> Option<Paused> {
    let container = desk.scene.container(replica).filter(|c| c.state == ContainerState::Paused)?;
    let found = format!("{} is paused: connections are taken, and nobody answers", container.name);
    Some(Paused { found, help: format!("docker unpause {}", container.name) })
}

/// Without a restart policy a container that ends stays ended.
fn may_end(desk: &Desk<'_>, replica: &Replica) -> bool {
    let service = desk.scene.project.services.get(&replica.service);
    let restart = service.and_then(|s| s.restart.as_ref()).map(|r| r.value);
    matches!(restart, None | Some(Restart::No | Restart::OnFailure(_)))
}

/// The time without fractions of a second, for people.
fn second(time: &str) -> &str {
    time.split_once('.').map_or(time, |(whole, _)| whole)
}

pub(super) fn completed(desk: &Desk<'_>, replica: &Replica) -> Verdict {
    let Some(container) = desk.scene.container(replica) else { return no_container(desk, replica, "ended with 0") };
    let name = &container.name;
    match &container.state {
        ContainerState::Exited { code: 0, finished_at, .. } => {
            Verdict::Proved(vec![format!("{name} ended with 0 at {}", second(finished_at))])
        }
        ContainerState::Running { .. } | ContainerState::Paused | ContainerState::Created => {
            Verdict::Unproved(Why::Inconclusive(format!("{}: it has not ended yet", sentence(name, &container.state))))
        }
        state => Verdict::refuted("ended with 0", sentence(name, state))
            .help(format!("see what it said: docker logs {name}")),
    }
}

pub(super) fn healthy(desk: &Desk<'_>, replica: &Replica) -> Verdict {
    let Some(container) = desk.scene.container(replica) else { return no_container(desk, replica, "healthy") };
    let name = &container.name;
    match &container.state {
        ContainerState::Running { health: Some(Health::Healthy), .. } => {
            Verdict::Proved(vec![format!("{name} passes its health check")])
        }
        ContainerState::Running { health: Some(Health::Unhealthy), .. } => {
            Verdict::refuted("healthy", format!("{name} is unhealthy: its check failed as often as it may"))
                .help(format!("see what the check said: docker inspect -f '{{{{json .State.Health}}}}' {name}"))
        }
        ContainerState::Running { health: Some(Health::Starting), .. } => {
            Verdict::Unproved(Why::Inconclusive(format!("{name} is starting: no check has passed yet")))
        }
        ContainerState::Running { health: None, .. } => {
            Verdict::refuted("healthy", format!("{name} has no health check"))
                .help("it was made from another file: `bowline up -d` replaces it")
        }
        state => Verdict::Unproved(Why::NotRunning(sentence(name, state))),
    }
}

//! Waiting for containers by the Engine's events. An event is a hint to look; what counts is the look, and of events that alone which says
//! that what ran at the look is healthy now. So nothing is missed when the stream breaks, and nothing old is taken for new.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::TryRecvError};

use super::outcome::{Kind, StepError};
use crate::compose::model::Condition;
use crate::engine::{Engine, Error, Event, Events, Life};
use crate::name::ContainerId;
use crate::state::observed::{ContainerState, Health};

/// A container that was started again so often since the wait began, and still is not there, will not get there. With the
/// Engine's pauses (0.1 s, doubled each time) that takes more than six seconds.
const CRASHES: u32 = 6;
/// How long a container without a check has to run before it counts as running: most that cannot run at all end sooner.
const SETTLED: Duration = Duration::from_secs(1);
/// How many lines of output a failure shows.
const LINES: u64 = 10;

/// "Look at this container"; none: look at all.
type Hint = Option<Rc<Event>>;

/// One stream of events, shared by all waits of a run.
pub(super) struct Watch<'a> {
    engine: &'a Engine,
    project: String,
    hints: broadcast::Sender<Hint>,
    /// Set once the stream cannot be had any more.
    lost: Cell<bool>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(engine: &'a Engine, project: &str) -> Self {
        let (hints, _) = broadcast::channel(256);
        Self { engine, project: project.to_owned(), hints, lost: Cell::new(false) }
    }

    /// Opens the stream. It also tells what happened since the Engine was opened, so that no event falls between.
    pub(super) async fn open(&self) -> Result<Events, Error> {
        self.engine.turns(&self.project, self.engine.clock()).await
    }

    /// Turns events into hints for ever. When the stream breaks it is opened anew, for half a minute: an Engine that
    /// restarts is soon back.
    pub(super) async fn pump(&self, mut events: Events) -> std::convert::Infallible {
        loop {
            while let Ok(Some(event)) = events.next().await {
                if event.is_turn() {
                    // no receiver is no error: nobody waits at the moment
                    let _ = self.hints.send(Some(event.into()));
                }
            }
            match self.reopen().await {
                Some(again) => events = again,
                None => break,
            }
            let _ = self.hints.send(None);
        }
        self.lost.set(true);
        let _ = self.hints.send(None);
        std::future::pending().await
    }

    async fn reopen(&self) -> Option<Events> {
        for pause in [0, 100, 400, 1500, 3000, 5000, 10_000, 10_000] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if let Ok(events) = self.open().await {
                return Some(events);
            }
        }
        None
    }

    /// Waits until one container is as `condition` says, or never will be. `note` hears what is seen on the way.
    pub(super) async fn until(
        &self,
        id: &ContainerId,
        condition: Condition,
        mut note: impl FnMut(&str),
    ) -> Result<(), StepError> {
        let mut hints = self.hints.subscribe();
        let mut first_restarts = None;
        let mut told = String::new();
        loop {
            let life = self.look(id).await?;
            let before = *first_restarts.get_or_insert(life.restarts);
            let restarts = life.restarts.saturating_sub(before);
            match judge(&life, condition, restarts) {
                Seen::Holds => return Ok(()),
                Seen::Never(why) => return Err(self.explain(id, &life, why).await),
                Seen::NotYet(what) => {
                    if what != told {
                        note(&what);
                        told = what;
                    }
                }
            }
            let hint = self.hinted(&mut hints, id).await?;
            if condition == Condition::Healthy && hint.is_some_and(|event| became_healthy(&event, &life)) {
                return Ok(());
            }
        }
    }

    /// Waits until a container runs, and goes on: what ends badly or is started again within [`SETTLED`] does not run. One that has
    /// ended with 0 has done its work.
    pub(super) async fn settled(&self, id: &ContainerId, note: impl FnMut(&str) + Copy) -> Result<(), StepError> {
        let mut first = None;
        loop {
            self.until(id, Condition::Started, note).await?;
            let before = self.look(id).await?.restarts;
            let since = *first.get_or_insert(before);
            if let Ok(ended) = tokio::time::timeout(SETTLED, self.until(id, Condition::Completed, |_| ())).await {
                return ended;
            }
            let life = self.look(id).await?;
            match (judge(&life, Condition::Started, 0), life.restarts.saturating_sub(since)) {
                (Seen::Holds, _) if life.restarts == before => return Ok(()),
                (_, CRASHES..) => {
                    let why = format!("was started again {} times", life.restarts - since);
                    return Err(self.explain(id, &life, why).await);
                }
                _ => {}
            }
        }
    }

    async fn look(&self, id: &ContainerId) -> Result<Life, StepError> {
        let gone = || StepError::new(Kind::Unhealthy, "the container is gone");
        self.engine.life(id.as_str()).await?.ok_or_else(gone)
    }

    /// What helps to understand why a container is not there when the time is over; nothing where it is.
    pub(super) async fn late(&self, id: &ContainerId, condition: Condition) -> Vec<String> {
        let Ok(Some(life)) = self.engine.life(id.as_str()).await else { return vec![] };
        let Seen::NotYet(what) = judge(&life, condition, 0) else { return vec![] };
        let explained = self.explain(id, &life, what).await;
        [explained.message].into_iter().chain(explained.details).collect()
    }

    /// Waits for a hint about `id`. Several that are there count as one: the event where it is a single one.
    async fn hinted(&self, hints: &mut broadcast::Receiver<Hint>, id: &ContainerId) -> Result<Hint, StepError> {
        let concerns = |hint: &Hint| hint.as_ref().is_none_or(|event| event.id == *id.as_str());
        let first = loop {
            if self.lost.get() {
                return Err(StepError::new(Kind::Unreachable, "the Engine's events cannot be had any more"));
            }
            match hints.recv().await {
                Ok(hint) if !concerns(&hint) => continue,
                Ok(hint) => break hint,
                // too many at once: look, whatever they were
                Err(broadcast::error::RecvError::Lagged(_)) => break None,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        };
        let mut alone = true;
        loop {
            match hints.try_recv() {
                Ok(hint) => alone &= !concerns(&hint),
                Err(TryRecvError::Lagged(_)) => alone = false,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(first.filter(|_| alone)),
            }
        }
    }

    /// The failure with what helps to understand it: the last health check, what the Engine said, the last lines of output.
    async fn explain(&self, id: &ContainerId, life: &Life, why: String) -> StepError {
        let mut error = StepError::new(Kind::Unhealthy, format!("{} {why}", life.name));
        if !life.error.is_empty() {
            error.details.push(format!("the Engine says: {}", life.error));
        }
        if let Some((code, output)) = &life.last_check {
            let times = life.failing_streak;
            error.details.push(format!("the last health check ended with {code}, after {times} failures in a row:"));
            error.details.extend(output.trim().lines().take(LINES as usize).map(|line| format!("  {line}")));
        }
        let lines = self.engine.last_lines(id, LINES, life.terminal).await;
        if lines.is_empty() {
            error.details.push("it wrote nothing".to_owned());
        } else {
            error.details.push("the last lines that it wrote:".to_owned());
            error.details.extend(lines.into_iter().map(|line| format!("  {line}")));
        }
        error
    }
}

/// Whether an event says that a container is healthy, which was not so when it was looked at: one of the same run of it, for the stream
/// tells of what was before, too. Under load a look takes the Engine longer than a check.
fn became_healthy(event: &Event, life: &Life) -> bool {
    let ContainerState::Running { health: Some(Health::Starting), started_at, .. } = &life.state else { return false };
    let started = started_at.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_nanosecond);
    event.action == "health_status: healthy" && started.is_ok_and(|started| i128::from(event.time) > started)
}

/// What one look shows.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Holds,
    NotYet(String),
    Never(String),
}

/// What a container's life says about a condition. `restarts` counts from the beginning of the wait.
fn judge(life: &Life, condition: Condition, restarts: u32) -> Seen {
    let crashed = |code: i64| Seen::Never(format!("ended with {code} {restarts} times in a row"));
    match (&life.state, condition) {
        (ContainerState::Exited { code: 0, .. }, Condition::Completed | Condition::Started) => Seen::Holds,
        (ContainerState::Exited { code, oom_killed, .. }, _) => Seen::Never(ending(*code, *oom_killed)),
        (ContainerState::Dead | ContainerState::Removing, _) => Seen::Never("is being removed".to_owned()),
        (ContainerState::Restarting { exit_code }, _) if restarts >= CRASHES => crashed(*exit_code),
        (ContainerState::Restarting { exit_code }, _) => {
            Seen::NotYet(format!("restarts after it ended with {exit_code}"))
        }
        (ContainerState::Running { .. } | ContainerState::Paused, Condition::Started) => Seen::Holds,
        (ContainerState::Running { .. }, Condition::Completed) => Seen::NotYet("runs".to_owned()),
        (ContainerState::Running { .. }, Condition::Healthy) if !life.has_health_check => {
            Seen::Never("has no health check, so it can never be healthy".to_owned())
        }
        (ContainerState::Running { health, .. }, Condition::Healthy) => match health {
            Some(Health::Healthy) => Seen::Holds,
            Some(Health::Unhealthy) => Seen::Never("is unhealthy".to_owned()),
            Some(Health::Starting) | None if restarts >= CRASHES => crashed(0),
            Some(Health::Starting) | None => Seen::NotYet("health: starting".to_owned()),
        },
        (ContainerState::Paused, _) => Seen::NotYet("is paused".to_owned()),
        (ContainerState::Created, _) => Seen::NotYet("is not started yet".to_owned()),
        (ContainerState::Other(word), _) => Seen::NotYet(format!("is {word}")),
    }
}

/// How a container ended, with what the code means where everybody's tools agree.
fn ending(code: i64, oom_killed: bool) -> String {
    let meaning = match code {
        _ if oom_killed => " (out of memory: the kernel killed it)",
        126 => " (its program cannot be executed)",
        127 => " (its program is not there)",
        137 => " (killed: SIGKILL)",
        139 => " (it crashed: SIGSEGV)",
        143 => " (ended: SIGTERM)",
        _ => "",
    };
    format!("ended with exit code {code}{meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(state: ContainerState) -> Life {
        Life {
            name: "web-1".into(),
            state,
            has_health_check: true,
            check: None,
            last_check: None,
            failing_streak: 0,
            restarts: 0,
            error: String::new(),
            terminal: false,
            input: false,
        }
    }

    fn running(health: Option<Health>) -> Life {
        life(ContainerState::Running { pid: 1, health, started_at: String::new() })
    }

    fn exited(code: i64) -> Life {
        life(ContainerState::Exited { code, oom_killed: code == 137, finished_at: String::new() })
    }

    #[test]
    fn a_state_holds_not_yet_or_never() {
        use Condition::{Completed, Healthy, Started};
        let holds = |life: &Life, condition| judge(life, condition, 0) == Seen::Holds;
        let never = |life: &Life, condition| matches!(judge(life, condition, 0), Seen::Never(_));
        assert!(holds(&running(None), Started));
        assert!(holds(&running(Some(Health::Healthy)), Healthy));
        assert!(!never(&running(Some(Health::Starting)), Healthy));
        assert!(never(&running(Some(Health::Unhealthy)), Healthy));
        assert!(holds(&exited(0), Completed));
        assert!(never(&exited(3), Completed) && never(&exited(3), Started));
        assert!(holds(&exited(0), Started), "what ended well has done its work");
        assert!(never(&exited(0), Healthy), "what ended well is not healthy");
        assert!(never(&Life { has_health_check: false, ..running(None) }, Healthy));
    }

    #[test]
    fn an_event_counts_that_says_what_is_awaited_of_the_run_that_was_seen() {
        let seen = life(ContainerState::Running {
            pid: 1,
            health: Some(Health::Starting),
            started_at: "2026-11-22T20:00:00.5Z".into(),
        });
        let event = |action: &str, time: i64| Event { action: action.into(), time, ..Event::default() };
        let half_past = 1_795_377_600_500_000_000;
        assert!(became_healthy(&event("health_status: healthy", half_past + 1), &seen));
        assert!(!became_healthy(&event("health_status: healthy", half_past), &seen), "of a run before");
        assert!(!became_healthy(&event("health_status: unhealthy", half_past + 1), &seen));
        assert!(!became_healthy(&event("start", half_past + 1), &seen));
        let ended = life(ContainerState::Restarting { exit_code: 1 });
        assert!(!became_healthy(&event("health_status: healthy", half_past + 1), &ended), "looked at, it did not run");
    }

    #[test]
    fn a_crash_is_waited_out_and_a_crash_loop_is_not() {
        let again = life(ContainerState::Restarting { exit_code: 3 });
        assert_eq!(judge(&again, Condition::Healthy, 1), Seen::NotYet("restarts after it ended with 3".into()));
        assert_eq!(judge(&again, Condition::Healthy, CRASHES), Seen::Never("ended with 3 6 times in a row".into()));
    }

    #[test]
    fn an_ending_names_what_killed_it() {
        assert_eq!(ending(3, false), "ended with exit code 3");
        assert!(ending(137, true).contains("out of memory"));
        assert!(ending(127, false).contains("not there"));
    }
}

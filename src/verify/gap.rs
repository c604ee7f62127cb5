//! A gap of Engines before 28: what parts two networks is away for milliseconds whenever a network is made.
//!
//! They take the jump to `DOCKER-ISOLATION-STAGE-1` out of `FORWARD` and put it in again (2 of 151 looks at the chain on 20.10.24
//! missed it). What got through in that moment says nothing of the stack. It counts as such only where the Engine tells that a
//! network was made meanwhile; everything else that gets through refutes.

use std::time::Duration;

use super::check::Verdict;
use super::judge::FORWARDED;
use crate::engine::{Engine, Error, Events};

/// How long after the second look a network may be told of that was being made at the first.
const LATE: Duration = Duration::from_millis(500);

/// Hears of the networks that an Engine with the gap makes, from its opening on.
pub(super) struct Gap {
    /// None where the Engine has no gap.
    events: Option<Events>,
    /// The first network that was heard of.
    made: Option<String>,
}

impl Gap {
    /// Listens, where the Engine has the gap.
    ///
    /// # Errors
    /// What the Engine says.
    pub(super) async fn watch(engine: &Engine) -> Result<Self, Error> {
        let events = if engine.facts().major() < 28 { Some(engine.networks_made().await?) } else { None };
        Ok(Self { events, made: None })
    }

    /// Whether what was seen may be due to the gap: it is worth a second look.
    pub(super) fn may_explain(&self, verdict: &Verdict) -> bool {
        self.events.is_some() && was_forwarded(verdict)
    }

    /// The verdict of two looks.
    pub(super) async fn settle(&mut self, first: Verdict, second: Verdict) -> Verdict {
        if second.is_proved() && self.made.is_none() {
            self.made = self.hear().await;
        }
        of_two(first, second, self.made.as_deref())
    }

    /// The name of a network that was made since the watch began.
    async fn hear(&mut self) -> Option<String> {
        let event = tokio::time::timeout(LATE, self.events.as_mut()?.next()).await.ok()?.ok()??;
        Some(event.attributes.get("name").cloned().unwrap_or(event.id))
    }
}

fn was_forwarded(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refuted { evidence, .. } if evidence.iter().any(|line| line == FORWARDED))
}

/// The second look counts when a network was made meanwhile; otherwise what got through once has got through.
fn of_two(first: Verdict, second: Verdict, made: Option<&str>) -> Verdict {
    match (&first, made) {
        (Verdict::Refuted { found, .. }, Some(network)) if second.is_proved() => second.seen(format!(
            "once, a moment before: {found} (network {network} was made meanwhile: before Engine 28 the rule that parts networks \
             is away for milliseconds then)"
        )),
        (Verdict::Refuted { .. }, None) if second.is_proved() => first,
        _ => second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_got_through_between_bridges_is_asked_once_more() {
        let open = |line: &str| Verdict::refuted("apart", "a -> b: answered").seen(line);
        assert!(was_forwarded(&open(FORWARDED)));
        assert!(!was_forwarded(&open("both are on x")));
        assert!(!was_forwarded(&Verdict::Proved(vec![])));
    }

    #[test]
    fn a_second_look_counts_only_when_a_network_was_made_meanwhile() {
        let open = || Verdict::refuted("apart", "a -> b: answered").seen(FORWARDED);
        let shut = || Verdict::Proved(vec![]);
        let Verdict::Proved(evidence) = of_two(open(), shut(), Some("lab_back")) else { panic!("it was explained") };
        assert!(evidence[0].contains("a -> b: answered (network lab_back was made meanwhile"), "{evidence:?}");
        assert_eq!(of_two(open(), shut(), None), open());
        assert_eq!(of_two(open(), open(), Some("lab_back")), open());
    }
}

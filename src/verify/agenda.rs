//! What is still to be settled: checks with their verdicts so far. They change when a job ends while they are looked at.

use std::time::Duration;

use super::check::{Check, Expectation, Verdict};
use super::gather::Settled;
use super::jobs::Ended;

/// One check on the way to its verdict.
pub(super) struct Item {
    /// The check.
    pub check: Check,
    /// Its verdict, once that is final, and how long that took.
    pub verdict: Option<(Verdict, Duration)>,
    /// A verdict that a gap of old Engines may explain: it is looked at once more.
    pub first: Option<Verdict>,
}

/// All of them, in the order of the file.
#[derive(Default)]
pub(super) struct Agenda {
    items: Vec<Item>,
    /// The services that had ended when the checks were made; none before the first look.
    ended: Option<Ended>,
}

impl Agenda {
    /// Takes up the checks that there are now that these services have ended; what is settled of them stays so.
    pub(super) fn follow(&mut self, ended: Ended, checks: impl Fn(&Ended) -> Vec<Check>) {
        if self.ended.as_ref() == Some(&ended) {
            return;
        }
        let mut known = std::mem::take(&mut self.items);
        let same = |check: Check| {
            let place = known.iter().position(|item| item.check == check);
            place.map_or(Item { check, verdict: None, first: None }, |at| known.swap_remove(at))
        };
        self.items = checks(&ended).into_iter().map(same).collect();
        self.ended = Some(ended);
    }

    /// Takes up again what was true of containers for the time being: that they run and are healthy. A further look costs nothing there,
    /// and one that ended meanwhile is not to be told as running beside checks that could not be made because it had ended.
    pub(super) fn look_again(&mut self) {
        for item in &mut self.items {
            let passing = matches!(item.check.expectation, Expectation::Running(_) | Expectation::Healthy(_));
            if passing && item.verdict.as_ref().is_some_and(|(verdict, _)| verdict.is_proved()) {
                item.verdict = None;
            }
        }
    }

    /// What is not settled yet.
    pub(super) fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.verdict.is_none())
    }

    /// What is not settled yet.
    pub(super) fn open_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut().filter(|item| item.verdict.is_none())
    }

    /// Every check with its verdict.
    pub(super) fn settled(self) -> Vec<Settled> {
        let settled = |Item { check, verdict, .. }| verdict.map(|(verdict, after)| Settled { check, verdict, after });
        self.items.into_iter().filter_map(settled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Findings;
    use crate::verify::derive;
    use crate::verify::fixture::project;
    use crate::verify::topology::Topology;

    #[test]
    fn a_job_that_ends_meanwhile_is_asked_for_its_end_alone_and_what_is_settled_stays() {
        let project = project("services: {web: {}, job: {restart: 'no'}}");
        let topology = Topology::of(&project);
        let checks = |ended: &Ended| derive(&project, &topology, ended, &mut Findings::new());
        let mut agenda = Agenda::default();
        agenda.follow(Ended::new(), checks);
        for item in agenda.open_mut().filter(|item| !item.check.id.contains("->")) {
            item.verdict = Some((Verdict::Proved(vec![]), Duration::ZERO));
        }
        let open = |agenda: &Agenda| agenda.open().map(|item| item.check.id.clone()).collect::<Vec<_>>();
        let pairs = ["reach/web->job", "reach/host->web", "reach/job->web", "reach/host->job"];
        assert_eq!(open(&agenda), pairs);
        agenda.follow(Ended::from(["job".parse().unwrap()]), checks);
        assert_eq!(open(&agenda), ["reach/host->web", "completed/job"]);
        agenda.look_again();
        assert_eq!(open(&agenda), ["running/web", "reach/host->web", "completed/job"]);
        let web = agenda.open_mut().next().unwrap();
        web.verdict = Some((Verdict::refuted("running", "web-1 ended with 3"), Duration::ZERO));
        agenda.look_again();
        assert!(open(&agenda).iter().all(|id| id != "running/web"), "what is refuted stays so");
        assert!(agenda.settled().iter().any(|settled| settled.check.id == "running/web"));
    }
}

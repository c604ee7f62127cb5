//! The scheduler: one task, a counter a node, no lock. It knows the graph of a plan and nothing of Docker.
//!
//! A step starts when all that it needs has ended well. A failed step skips what needs it, over every edge but
//! `Needs::Order`, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::interrupt::{Interrupt, Urgency};
use super::outcome::Fate;
use crate::plan::{Needs, OnFailure, Plan, Step, StepId};

/// How a step counts while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// It works the Engine hard: only so many at once.
    Bounded,
    /// The same, and it takes something away, of which fewer are best.
    Ending,
    /// As [`Lane::Ending`], but what it asks for may take long to come, without work. When for a short time nothing has ended, those that are under
    /// way count no more, and as many more begin at once: others will wait as well.
    Patient,
    /// It mostly waits for something outside, and is let end when the run is interrupted.
    Free,
    /// It only waits, changes nothing, and is left when the run is interrupted.
    Leavable,
}

impl Lane {
    fn counts(self) -> bool {
        matches!(self, Self::Bounded) || self.ends()
    }

    fn ends(self) -> bool {
        matches!(self, Self::Ending | Self::Patient)
    }
}

/// How many steps may work the Engine hard at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtOnce {
    /// Together.
    pub all: usize,
    /// That take something away.
    pub ending: usize,
}

impl From<usize> for AtOnce {
    fn from(count: usize) -> Self {
        Self { all: count, ending: count }
    }
}

/// How long nothing ends before patient steps count as waiting: longer than an Engine takes that has its hands full.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs every step of `plan`, at most `at_once` that count at a time, the lower number first where several could start.
/// `ended` hears of each fate as it is known. The answer has the fates by the place of their steps.
pub async fn execute<E, Run>(
    plan: &Plan,
    at_once: AtOnce,
    mut interrupt: Interrupt,
    lane: impl Fn(&Step) -> Lane,
    run: impl Fn(StepId) -> Run,
    mut ended: impl FnMut(StepId, &Fate<E>),
) -> Vec<Fate<E>>
where
    Run: Future<Output = Result<(), E>>,
{
    let mut board = Board::new(plan);
    let mut under_way = FuturesUnordered::new();
    let mut slots = Slots::new(at_once);
    loop {
        while interrupt.urgency() == Urgency::None
            && let Some(id) = board.next(|id| slots.has_one_for(lane(plan.step(id))))
        {
            let lane = lane(plan.step(id));
            slots.take(id, lane);
            let (work, mut ear) = (run(id), interrupt.clone());
            under_way.push(async move {
                let started = Instant::now();
                let asked = async {
                    match lane {
                        Lane::Leavable => ear.asked(Urgency::Soon).await,
                        Lane::Bounded | Lane::Ending | Lane::Patient | Lane::Free => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    answer = work => (id, Some(answer.map(|()| started.elapsed()))),
                    () = asked => (id, None),
                }
            });
        }
        if under_way.is_empty() {
            break;
        }
        let (id, answer) = tokio::select! {
            biased;
            () = interrupt.asked(Urgency::Now) => break,
            Some(ended) = under_way.next() => ended,
            () = tokio::time::sleep_until(slots.moved + PATIENCE), if slots.may_be_stuck() => {
                slots.lose_patience();
                continue;
            }
        };
        slots.free(id);
        let fate = match answer {
            Some(Ok(took)) => Fate::Done(took),
            Some(Err(error)) if plan.step(id).on_failure == OnFailure::GoOn => Fate::Tolerated(error),
            Some(Err(error)) => Fate::Failed(error),
            None => Fate::NotReached,
        };
        board.settle(plan, id, fate, &mut ended);
    }
    board.finish(plan, &mut ended)
}

/// How many more steps may work the Engine hard.
struct Slots {
    at_once: AtOnce,
    /// Who does.
    taken: BTreeMap<StepId, Lane>,
    /// When one began or ended last.
    moved: Instant,
}

impl Slots {
    fn new(at_once: AtOnce) -> Self {
        Self { at_once, taken: BTreeMap::new(), moved: Instant::now() }
    }

    fn has_one_for(&self, lane: Lane) -> bool {
        let ending = || self.taken.values().filter(|lane| lane.ends()).count();
        let has_room = self.taken.len() < self.at_once.all;
        !lane.counts() || has_room && (!lane.ends() || ending() < self.at_once.ending)
    }

    fn take(&mut self, id: StepId, lane: Lane) {
        if lane.counts() {
            self.taken.insert(id, lane);
            self.moved = Instant::now();
        }
    }

    fn free(&mut self, id: StepId) {
        self.taken.remove(&id);
        self.moved = Instant::now();
    }

    fn may_be_stuck(&self) -> bool {
        !self.has_one_for(Lane::Patient) && self.taken.values().any(|lane| *lane == Lane::Patient)
    }

    /// The patient ones wait, and work no more.
    fn lose_patience(&mut self) {
        let before = self.taken.len();
        self.taken.retain(|_, lane| *lane != Lane::Patient);
        let waiting = before - self.taken.len();
        self.at_once = AtOnce { all: self.at_once.all + waiting, ending: self.at_once.ending + waiting };
    }
}

/// Which steps may start, and what became of the others.
struct Board<E> {
    /// How many steps each one still waits for.
    open: Vec<usize>,
    /// Those that wait for nothing more.
    ready: BTreeSet<StepId>,
    /// Why a step will be skipped when its turn comes.
    doomed: Vec<Option<StepId>>,
    fates: Vec<Option<Fate<E>>>,
}

impl<E> Board<E> {
    fn new(plan: &Plan) -> Self {
        let open: Vec<usize> = plan.steps().map(|(id, _)| plan.predecessors(id).count()).collect();
        let ready = plan.steps().map(|(id, _)| id).filter(|id| open[id.index()] == 0).collect();
        let fates = open.iter().map(|_| None).collect();
        Self { doomed: vec![None; open.len()], open, ready, fates }
    }

    /// Takes the first step that may start and that `fits`.
    fn next(&mut self, fits: impl Fn(StepId) -> bool) -> Option<StepId> {
        let id = self.ready.iter().copied().find(|&id| fits(id))?;
        self.ready.remove(&id);
        Some(id)
    }

    /// Writes down a fate and frees, or dooms, what came after; what is doomed and free is settled at once.
    fn settle(&mut self, plan: &Plan, id: StepId, fate: Fate<E>, ended: &mut impl FnMut(StepId, &Fate<E>)) {
        let mut settled = vec![(id, fate)];
        while let Some((id, fate)) = settled.pop() {
            ended(id, &fate);
            let reason = match fate {
                Fate::Failed(_) => Some(id),
                Fate::Skipped { because } => Some(because),
                Fate::Done(_) | Fate::Tolerated(_) => None,
                // the run ends; what came after is not reached either
                Fate::NotReached => {
                    self.fates[id.index()] = Some(fate);
                    continue;
                }
            };
            self.fates[id.index()] = Some(fate);
            for (next, why) in plan.successors(id) {
                let place = next.index();
                if why != Needs::Order {
                    self.doomed[place] = self.doomed[place].or(reason);
                }
                self.open[place] -= 1;
                match (self.open[place], self.doomed[place]) {
                    (0, Some(because)) => settled.push((next, Fate::Skipped { because })),
                    (0, None) => _ = self.ready.insert(next),
                    _ => {}
                }
            }
        }
    }

    /// Every fate; what has none was not reached.
    fn finish(self, plan: &Plan, ended: &mut impl FnMut(StepId, &Fate<E>)) -> Vec<Fate<E>> {
        let ids = plan.steps().map(|(id, _)| id);
        let all = ids.zip(self.fates).map(|(id, fate)| {
            fate.unwrap_or_else(|| {
                ended(id, &Fate::NotReached);
                Fate::NotReached
            })
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::plan::{Cause, Operation, PlanBuilder};
    use crate::state::desired::Desired;
    use crate::state::observed::Observed;

    /// A plan of steps `a`, `b` …; an edge `"a>b"` is a need, `"a~b"` only order, `"?a"` tolerates a failure of `a`.
    fn plan(names: &[&str], edges: &[&str]) -> Plan {
        let mut builder = PlanBuilder::new();
        let pull = |name: &str| Operation::Pull { image: name.to_owned(), platform: None };
        let handles: BTreeMap<&str, _> =
            names.iter().map(|&name| (name, builder.step(pull(name), Cause::Missing))).collect();
        for edge in edges {
            if let Some(name) = edge.strip_prefix('?') {
                builder.tolerate(handles[name]);
            } else if let Some((from, to)) = edge.split_once('>') {
                builder.needs(handles[to], handles[from], Needs::Exists);
            } else if let Some((from, to)) = edge.split_once('~') {
                builder.needs(handles[to], handles[from], Needs::Order);
            }
        }
        builder.finish(Desired::nothing("lab".parse().unwrap()), &Observed::default()).unwrap()
    }

    fn name(plan: &Plan, id: StepId) -> String {
        match &plan.step(id).operation {
            Operation::Pull { image, .. } => image.clone(),
            other => other.to_string(),
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    /// Runs with a closure that fails for the steps in `bad`; returns the order of the starts and the fates in words.
    fn run(plan: &Plan, at_once: usize, bad: &str) -> (String, Vec<String>) {
        let started = RefCell::new(String::new());
        let (_voice, ear) = Interrupt::new();
        let work = |id: StepId| {
            let name = name(plan, id);
            started.borrow_mut().push_str(&name);
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if bad.contains(&name) { Err(name) } else { Ok(()) }
            }
        };
        let fates = block_on(execute(plan, at_once.into(), ear, |_| Lane::Bounded, work, |_, _| ()));
        let words = plan.steps().zip(&fates).map(|((id, _), fate)| format!("{}: {}", name(plan, id), word(plan, fate)));
        (started.take(), words.collect())
    }

    fn word(plan: &Plan, fate: &Fate<String>) -> String {
        match fate {
            Fate::Done(_) => "done".into(),
            Fate::Failed(_) => "failed".into(),
            Fate::Tolerated(_) => "tolerated".into(),
            Fate::Skipped { because } => format!("skipped by {}", name(plan, *because)),
            Fate::NotReached => "not reached".into(),
        }
    }

    #[test]
    fn steps_run_after_what_they_need() {
        let plan = plan(&["a", "b", "c", "d"], &["d>b", "b>a", "c>a"]);
        assert_eq!(run(&plan, 1, "").0, "cdba");
        assert_eq!(run(&plan, 9, "").0, "cdba");
    }

    #[test]
    fn a_failed_step_skips_its_dependents_only() {
        let plan = plan(&["a", "b", "c", "d", "e"], &["a>b", "b>c", "a~d", "c~e"]);
        let (started, fates) = run(&plan, 2, "a");
        assert_eq!(started, "ade");
        assert_eq!(fates, ["a: failed", "b: skipped by a", "c: skipped by a", "d: done", "e: done"]);
    }

    #[test]
    fn a_tolerated_failure_skips_nothing() {
        let plan = plan(&["a", "b"], &["a>b", "?a"]);
        assert_eq!(run(&plan, 2, "a").1, ["a: tolerated", "b: done"]);
    }

    #[test]
    fn a_step_with_two_broken_needs_is_skipped_once() {
        let plan = plan(&["a", "b", "c"], &["a>c", "b>c"]);
        assert_eq!(run(&plan, 2, "ab").1, ["a: failed", "b: failed", "c: skipped by a"]);
    }

    #[test]
    fn no_more_than_so_many_run_at_once_and_the_free_do_not_count() {
        let plan = plan(&["a", "b", "c", "d", "free"], &[]);
        let (now, most) = (RefCell::new(0), RefCell::new(0));
        let (_voice, ear) = Interrupt::new();
        let lane = |step: &Step| {
            let free = step.operation == Operation::Pull { image: "free".into(), platform: None };
            if free { Lane::Free } else { Lane::Bounded }
        };
        let work = |_| async {
            *now.borrow_mut() += 1;
            let at_once = *now.borrow();
            most.replace_with(|&mut most| at_once.max(most));
            tokio::time::sleep(Duration::from_millis(1)).await;
            *now.borrow_mut() -= 1;
            Ok::<_, String>(())
        };
        block_on(execute(&plan, 2.into(), ear, lane, work, |_, _| ()));
        assert_eq!(most.take(), 3);
    }

    #[test]
    fn of_steps_that_take_something_away_fewer_run_at_once() {
        let plan = plan(&["a", "b", "c", "d", "e", "f"], &[]);
        let begun = RefCell::new(String::new());
        let (_voice, ear) = Interrupt::new();
        let lane = |step: &Step| match &step.operation {
            Operation::Pull { image, .. } if "abc".contains(image) => Lane::Ending,
            _ => Lane::Bounded,
        };
        let work = |id| {
            begun.borrow_mut().push_str(&name(&plan, id));
            async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok::<_, String>(())
            }
        };
        block_on(execute(&plan, AtOnce { all: 3, ending: 1 }, ear, lane, work, |_, _| ()));
        assert_eq!(begun.borrow()[..3], *"ade", "one that ends, and two others");
    }

    #[test]
    fn patient_steps_of_which_none_ends_make_room_for_more() {
        let plan = plan(&["a", "b", "c", "d", "e", "f", "g"], &[]);
        let begun = RefCell::new(vec![]);
        let (_voice, ear) = Interrupt::new();
        let work = |id| {
            let (name, begun) = (name(&plan, id), &begun);
            async move {
                begun.borrow_mut().push((name, Instant::now()));
                while begun.borrow().len() < 7 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Ok::<_, String>(())
            }
        };
        block_on(execute(&plan, 1.into(), ear, |_| Lane::Patient, work, |_, _| ()));
        let (names, times): (String, Vec<Instant>) = begun.take().into_iter().unzip();
        assert_eq!(names, "abcdefg");
        assert!(times[1] - times[0] >= PATIENCE && times[3] - times[2] >= PATIENCE, "one, then two, then the rest");
    }

    #[test]
    fn an_interrupt_lets_work_end_leaves_waits_and_starts_nothing() {
        let plan = plan(&["work", "wait", "after"], &["work>after"]);
        let (voice, ear) = Interrupt::new();
        let lane = |step: &Step| {
            let wait = step.operation == Operation::Pull { image: "wait".into(), platform: None };
            if wait { Lane::Leavable } else { Lane::Bounded }
        };
        let work = |id| {
            let wait = name(&plan, id) == "wait";
            async move {
                tokio::time::sleep(Duration::from_millis(if wait { 3_600_000 } else { 20 })).await;
                Ok::<_, String>(())
            }
        };
        let heard = RefCell::new(vec![]);
        let ended =
            |id, fate: &Fate<String>| heard.borrow_mut().push(format!("{} {}", name(&plan, id), word(&plan, fate)));
        block_on(async {
            let ctrl_c = async {
                tokio::time::sleep(Duration::from_millis(2)).await;
                voice.send(Urgency::Soon).unwrap();
            };
            tokio::join!(execute(&plan, 2.into(), ear, lane, work, ended), ctrl_c)
        });
        assert_eq!(heard.take(), ["wait not reached", "work done", "after not reached"]);
    }

    #[test]
    fn a_second_interrupt_leaves_everything() {
        let plan = plan(&["work"], &[]);
        let (voice, ear) = Interrupt::new();
        let work = |_| std::future::pending::<Result<(), String>>();
        let fates = block_on(async {
            let twice = async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                voice.send(Urgency::Soon).unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                voice.send(Urgency::Now).unwrap();
            };
            tokio::join!(execute(&plan, 2.into(), ear, |_| Lane::Bounded, work, |_, _| ()), twice).0
        });
        assert_eq!(fates, [Fate::NotReached]);
    }
}

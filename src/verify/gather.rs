//! From checks to verdicts on a real Engine: rounds of questions, all places side by side, until every check is settled or the
//! time for what may still come true is over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::check::{Check, Expectation, Verdict, Why};
use super::contents;
use super::gap::Gap;
use super::jobs::{Ended, ended};
use super::judge::{Judgement, judge};
use super::scene::{Facts, Questions, Scene, Vantage};
use super::topology::Namespace;
use crate::compose::model::Project;
use crate::engine::{Engine, Error, Facts as Depth, Scope};
use crate::name::{Replica, ServiceName};
use crate::probe::{Answer, Question};
use crate::state::desired::{Desired, DesiredOptions, desired};
use crate::state::observed::{ContainerState, Observed};
use crate::vantage::{self, Options, Target, Vantages, Way};
use crate::verify::topology::Topology;

/// How long an expectation may take to come true, where the file does not say: a server that has just been started may need it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A judge that asks on after this many rounds has lost its way.
const MOST_ROUNDS: usize = 12;

/// Every check with its verdict, and how it was found.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The checks in their order, each with its verdict.
    pub verdicts: Vec<Settled>,
    /// The way that was taken to each place, or why there was none.
    pub ways: BTreeMap<Vantage, Result<Way, String>>,
    /// The Engine's version.
    pub engine: String,
    /// How many containers of the project were found.
    pub containers: usize,
    /// From the first question to the last answer.
    pub took: Duration,
    /// What could not be cleaned up, one sentence each.
    pub leftovers: Vec<String>,
}

/// A check with its verdict.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The check.
    pub check: Check,
    /// Its verdict.
    pub verdict: Verdict,
    /// From the first question of the run to this verdict.
    pub after: Duration,
}

/// Asks and judges until every check is settled. What is expected to hold is asked again until the file's `timeout` is over, and twice at least;
/// what is expected to be blocked was tried three times in one round, and any success refutes it for good, but for a known [gap](Gap)
/// of old Engines, in which it is looked at twice. `checks` gives what is to be checked when these services have ended: it is called
/// again when a job ends meanwhile.
///
/// # Errors
/// When the Engine does not answer, or does not tell of a container.
pub async fn prove(
    engine: &Engine,
    project: &Project,
    checks: impl Fn(&Ended) -> Vec<Check>,
    way: Way,
) -> Result<Proof, Error> {
    prove_over(&[engine], &|_| Some(0), project, checks, way).await
}

/// The same for a stack on several hosts: what leads from one to another. `host` says on which of the Engines a service runs.
///
/// # Errors
/// As [`prove`].
pub async fn prove_over(
    engines: &[&Engine],
    host: &dyn Fn(&ServiceName) -> Option<usize>,
    project: &Project,
    checks: impl Fn(&Ended) -> Vec<Check>,
    way: Way,
) -> Result<Proof, Error> {
    let Some(engine) = engines.first() else {
        return Err(Error::Refused { status: 400, message: "there is no Engine".to_owned() });
    };
    let started = Instant::now();
    let deadline = started + project.rules.timeout.unwrap_or(PATIENCE);
    let desired = desired(project, &DesiredOptions::default());
    let scope = Scope { project: &project.name, images: images(&desired), names: vec![], facts: Depth::Brief };
    let mut agenda = Agenda::default();
    let mut gap = Gap::watch(engine).await?;
    let mut proof = Proof {
        verdicts: vec![],
        ways: BTreeMap::new(),
        engine: String::new(),
        containers: 0,
        took: Duration::ZERO,
        leftovers: vec![],
    };
    let mut pause = Duration::from_millis(50);
    let mut places = Places::default();
    let mut looks = 0;
    loop {
        looks += 1;
        let observed = observe(engines, host, &scope).await?;
        // a container that the Engine does not tell of would be refuted as missing
        if let Some(untold) = observed.gaps.iter().find(|untold| untold.about.starts_with("container")) {
            places.close().await;
            let message = format!("the Engine does not tell of {}: {}", untold.about, untold.why);
            return Err(Error::Refused { status: 500, message });
        }
        proof.engine = observed.engine.version.clone();
        proof.containers = observed.containers.len();
        let topology = Topology::of(project).with_networks(&observed.networks);
        let scene = Scene { project, topology: &topology, desired: &desired, observed: &observed };
        agenda.follow(ended(project, &observed), &checks);
        agenda.look_again();
        let round = Round { engines, host, scene, way };
        let verdicts = round.run(agenda.open().map(|item| &item.check).collect(), &mut places, &mut proof).await;
        // on a slow machine one round may outlast the deadline: nothing is refuted for what came late in a single look
        let late = looks > 1 && Instant::now() + pause >= deadline;
        for (item, verdict) in agenda.open_mut().zip(verdicts) {
            if item.first.is_none() && gap.may_explain(&verdict) {
                item.first = Some(verdict);
                continue;
            }
            let verdict = match item.first.take() {
                Some(first) => gap.settle(first, verdict).await,
                None => verdict,
            };
            if late || !may_come_true(&item.check, &verdict, &proof, &observed) {
                item.verdict = Some((verdict, started.elapsed()));
            }
        }
        if agenda.open().next().is_none() {
            break;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
    proof.leftovers = places.close().await;
    proof.verdicts = agenda.settled();
    proof.took = started.elapsed();
    Ok(proof)
}

/// What the Engines hold: of several, each one's containers of the services that run there.
async fn observe(
    engines: &[&Engine],
    host: &dyn Fn(&ServiceName) -> Option<usize>,
    scope: &Scope<'_>,
) -> Result<Observed, Error> {
    let mut looks =
        futures_util::future::try_join_all(engines.iter().map(|engine| engine.observe(scope))).await?.into_iter();
    let Some(mut all) = looks.next() else { return Ok(Observed::default()) };
    if engines.len() > 1 {
        all.containers.retain(|container| host(&container.replica.service) == Some(0));
    }
    for (place, one) in looks.enumerate() {
        let here = one.containers.into_iter().filter(|container| host(&container.replica.service) == Some(place + 1));
        all.containers.extend(here);
        all.networks.extend(one.networks);
        all.others.extend(one.others);
        all.gaps.extend(one.gaps);
    }
    Ok(all)
}

/// The images of which something has to be known: those whose check of health the file says a part of.
fn images(desired: &Desired) -> Vec<String> {
    let partly = desired.containers.values().filter_map(|container| {
        let check = container.settings.healthcheck.as_ref()?;
        check.test.is_none().then(|| container.settings.image.clone())
    });
    let mut images: Vec<String> = partly.collect();
    images.sort_unstable();
    images.dedup();
    images
}

/// Whether asking again may change the verdict: something that is only just starting, not what is blocked or absent for good.
fn may_come_true(check: &Check, verdict: &Verdict, proof: &Proof, observed: &Observed) -> bool {
    let moves = |replica: &Replica| {
        let container = observed.containers.iter().find(|c| c.replica == *replica);
        container.is_some_and(|c| matches!(c.state, ContainerState::Running { .. } | ContainerState::Restarting { .. }))
    };
    match verdict {
        Verdict::Proved(_) => false,
        // asking does not start anything
        _ if !observed.containers.iter().any(|c| c.state.is_running()) => false,
        Verdict::Unproved(Why::Undeclared(_) | Why::NotRunning(_)) => false,
        // a container that could not be entered may be between two starts; for the host there is a way or there is none
        Verdict::Unproved(Why::NotSeen(_)) => {
            let lost = |place: &Vantage| matches!(place, Vantage::Replica(_) | Vantage::Named(_));
            proof.ways.iter().any(|(place, way)| way.is_err() && lost(place))
        }
        Verdict::Unproved(_) => true,
        Verdict::Refuted { .. } => match &check.expectation {
            Expectation::Running(replica) | Expectation::Healthy(replica) => moves(replica),
            Expectation::Completed(_)
            | Expectation::Name { .. }
            | Expectation::Published { .. }
            | Expectation::Listens { .. }
            | Expectation::Reaches(_) => true,
            // what is blocked was tried three times; what the Engine or the kernel has set up does not change by waiting
            _ => false,
        },
    }
}

/// Places, each with the way into it.
type Entrances = Vec<(Vantage, vantage::Vantage)>;

/// One look at everything that is still open.
struct Round<'a> {
    engines: &'a [&'a Engine],
    /// On which of them a service runs.
    host: &'a dyn Fn(&ServiceName) -> Option<usize>,
    scene: Scene<'a>,
    way: Way,
}

impl Round<'_> {
    /// Judges, asks what the judges miss, and judges again. The places stay open from round to round, so that listeners
    /// stand while others ask for them.
    async fn run(&self, checks: Vec<&Check>, places: &mut Places, proof: &mut Proof) -> Vec<Verdict> {
        places.keep(|place| self.entrance(place).ok());
        let files = contents::look(self.engines[0], self.scene, &checks).await;
        let mut facts = Facts { answers: places.listeners.clone(), files, ..Facts::default() };
        let mut verdicts: Vec<Option<Verdict>> = checks.iter().map(|_| None).collect();
        for _ in 0..MOST_ROUNDS {
            let mut missing = Questions::new();
            for (check, verdict) in checks.iter().zip(&mut verdicts).filter(|(_, v)| v.is_none()) {
                match judge(check, self.scene, &facts) {
                    Judgement::Settled(found) => *verdict = Some(found),
                    Judgement::Open(questions) => missing.extend(questions),
                }
            }
            if missing.is_empty() {
                break;
            }
            places.open(self, &missing, &mut facts, proof).await;
            places.ask(missing, &mut facts).await;
        }
        let lost = || Verdict::Unproved(Why::NotSeen("the questions did not come to an end".to_owned()));
        verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(lost)).collect()
    }

    /// The places of each Engine that has any.
    fn by_engine(&self, places: Entrances) -> Vec<(&Engine, Entrances)> {
        let mut each: Vec<(&Engine, Entrances)> = self.engines.iter().map(|engine| (*engine, vec![])).collect();
        for (place, entrance) in places {
            let of_service = match &place {
                Vantage::Replica(replica) => (self.host)(&replica.service),
                _ => None,
            };
            if let Some((_, places)) = each.get_mut(of_service.unwrap_or(0)) {
                places.push((place, entrance));
            }
        }
        each.retain(|(_, places)| !places.is_empty());
        each
    }

    /// What is known of a place for the way into it; the reason where there is nothing to enter.
    fn entrance(&self, place: &Vantage) -> Result<vantage::Vantage, String> {
        match place {
            Vantage::Host | Vantage::Outside | Vantage::Named(_) if self.engines.len() > 1 => {
                Err("each of several hosts has one, and between them it is not asked".to_owned())
            }
            Vantage::Host => Ok(vantage::Vantage::Host),
            Vantage::Outside => Ok(vantage::Vantage::Outside),
            Vantage::Replica(replica) => {
                let container = self.scene.container(replica).ok_or("it has no container")?;
                let home = self.scene.home(replica);
                let sandbox = self.scene.container(&home).and_then(|c| c.sandbox.clone());
                let pid = match container.state {
                    ContainerState::Running { pid, .. } => Some(pid),
                    _ => None,
                };
                let namespace = self.scene.topology.places.get(&replica.service).map(|p| &p.namespace);
                let shares_host = matches!(namespace, Some(Namespace::Host));
                Ok(vantage::Vantage::Container(Target { id: container.id.clone(), pid, sandbox, shares_host }))
            }
            Vantage::Named(name) => {
                let found = self.scene.named(name).ok_or("there is no such container")?;
                let id = found.id.clone();
                Ok(vantage::Vantage::Container(Target { id, pid: None, sandbox: None, shares_host: false }))
            }
        }
    }
}

/// The places that are open, in batches: each round may bring new ones. They stay open from one look to the next, and so do the
/// listeners in them.
#[derive(Default)]
struct Places {
    batches: Vec<Batch>,
    /// The listeners that stand, by the question that set them up.
    listeners: BTreeMap<(Vantage, Question), Answer>,
}

/// Places that were opened together; `None` for one that is no longer to be asked.
struct Batch {
    places: Vec<Option<(Vantage, vantage::Vantage)>>,
    vantages: Vantages,
}

impl Batch {
    fn position(&self, place: &Vantage) -> Option<usize> {
        self.places.iter().position(|p| p.as_ref().is_some_and(|(known, _)| known == place))
    }
}

impl Places {
    /// Gives up the places that are entered in another way by now: their container was started again, or replaced.
    fn keep(&mut self, entrance: impl Fn(&Vantage) -> Option<vantage::Vantage>) {
        for slot in self.batches.iter_mut().flat_map(|batch| &mut batch.places) {
            if slot.as_ref().is_some_and(|(place, entered)| entrance(place).as_ref() != Some(entered)) {
                *slot = None;
            }
        }
        let batches = &self.batches;
        self.listeners.retain(|(place, _), _| batches.iter().any(|batch| batch.position(place).is_some()));
    }

    /// Opens the places of these questions that are not open yet.
    async fn open(&mut self, round: &Round<'_>, questions: &Questions, facts: &mut Facts, proof: &mut Proof) {
        let mut fresh: Vec<(Vantage, vantage::Vantage)> = vec![];
        for (place, _) in questions {
            let known = self.batches.iter().any(|batch| batch.position(place).is_some());
            if known || fresh.iter().any(|(p, _)| p == place) || facts.blind.contains_key(place) {
                continue;
            }
            match round.entrance(place) {
                Ok(entrance) => fresh.push((place.clone(), entrance)),
                Err(why) => {
                    facts.blind.insert(place.clone(), why.clone());
                    proof.ways.insert(place.clone(), Err(why));
                }
            }
        }
        if fresh.is_empty() {
            return;
        }
        let asks = |needs: fn(&Question) -> bool| questions.iter().any(|(_, q)| needs(q));
        let options = Options {
            way: round.way,
            // sidecars are made before it is known what they will be asked in the end
            layer2: asks(Question::needs_net_raw) || round.scene.asks_layer2(),
            processes: asks(|q| matches!(q, Question::Processes { .. })),
            ..Options::default()
        };
        for (engine, fresh) in round.by_engine(fresh) {
            let entrances = fresh.iter().map(|(_, entrance)| entrance.clone()).collect();
            let vantages = Vantages::open(engine, entrances, options.clone()).await;
            let mut places = vec![];
            for ((place, entrance), (_, way)) in fresh.into_iter().zip(vantages.ways()) {
                let way = way.map_err(ToString::to_string);
                if let Err(why) = &way {
                    facts.blind.insert(place.clone(), why.clone());
                }
                places.push(way.is_ok().then(|| (place.clone(), entrance)));
                proof.ways.insert(place, way);
            }
            self.batches.push(Batch { places, vantages });
        }
    }

    /// Asks all of them, every place at once.
    async fn ask(&mut self, questions: Questions, facts: &mut Facts) {
        let mut by_place: BTreeMap<Vantage, Vec<Question>> = BTreeMap::new();
        for (place, question) in questions {
            by_place.entry(place).or_default().push(question);
        }
        let asked = self.batches.iter_mut().map(|batch| {
            let with = |(place, questions): (&Vantage, &Vec<Question>)| {
                batch.position(place).map(|at| (at, place.clone(), questions.clone()))
            };
            let wanted: Vec<_> = by_place.iter().filter_map(with).collect();
            async move {
                let list: Vec<_> = wanted.iter().map(|(at, _, questions)| (*at, questions.clone())).collect();
                let answers = batch.vantages.ask(&list).await;
                let mut found = vec![];
                for ((at, place, questions), answers) in wanted.into_iter().zip(answers) {
                    if answers.is_err() {
                        // it cannot be asked any more; another look opens it anew
                        batch.places[at] = None;
                    }
                    found.push((place, questions, answers));
                }
                found
            }
        });
        for (place, questions, answers) in futures_util::future::join_all(asked).await.into_iter().flatten() {
            match answers {
                Ok(answers) => {
                    let keys = questions.into_iter().map(|question| (place.clone(), question));
                    for (key, answer) in keys.zip(answers) {
                        if matches!(answer, Answer::Listening(_)) {
                            self.listeners.insert(key.clone(), answer.clone());
                        }
                        facts.answers.insert(key, answer);
                    }
                }
                Err(why) => {
                    facts.blind.insert(place, why.to_string());
                }
            }
        }
    }

    /// Ends all conversations; what would not go, one sentence each.
    async fn close(self) -> Vec<String> {
        let closed = futures_util::future::join_all(self.batches.into_iter().map(|batch| batch.vantages.close()));
        closed.await.into_iter().filter_map(Result::err).flatten().collect()
    }
}

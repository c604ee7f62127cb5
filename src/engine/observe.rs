//! What the Engine holds, asked with as few questions as possible, several at a time, and sorted.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use futures_util::stream::{self, StreamExt};
use indexmap::{IndexMap, IndexSet};

use super::call::{Call, segment};
use super::decode::{self, wire};
use super::{Address, Engine, Error};
use crate::name::{ContainerId, ProjectName};
use crate::state::observed::{
    EngineFacts, Gap, Observed, ObservedContainer, ObservedImage, ObservedNetwork, ObservedVolume, OtherContainer,
};
use ipnet::IpNet;

/// Questions that are under way at once, of an Engine elsewhere: an answer takes the way there and back.
const AT_ONCE: usize = 16;
/// The same of an Engine on this machine: more only wait for each other, on connections that are to be made first (50 inspections on two
/// cores: 11 ms one by one, 4.6 ms four at once, 6.7 ms sixteen).
const AT_ONCE_HERE: usize = 4;
/// From so many containers on they are asked for ahead. Fewer than ten gain nothing by it, and lose nothing.
const WORTH_IT: usize = 4;
/// From so many names on they are inspected before the list says that they are there: it takes the Engine as long as half of the
/// inspections do, and names that are wrong cost next to nothing.
const WORTH_A_GUESS: usize = 10;
/// How long a container that is listed may take until it can be inspected, in pauses of milliseconds: 6 s together.
const BEING_MADE: [u64; 8] = [10, 40, 150, 400, 900, 1500, 1500, 1500];

/// Turns of the runtime in which questions leave: a connection is made, the question written.
const TURNS: usize = 12;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// Whose containers are inspected.
    pub project: &'a ProjectName,
    /// The images that are asked for by name.
    pub images: Vec<String>,
    /// The names that its containers should have: where they are many, these are inspected while the lists are awaited.
    pub names: Vec<String>,
    /// Whether the Engine's address pools and its kind of privilege matter ([`Engine::all_facts`], 8 ms).
    pub facts: Facts,
}

/// How much is asked about the Engine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// What the first answer said.
    Brief,
    /// `GET /info` too.
    Whole,
}

/// A question that was maybe sent, and maybe answered, before its answer is wanted.
type Early<T> = Pin<Box<MaybeDone<BoxFuture<'static, T>>>>;

/// What [`Engine::foresee_facts`] asked.
pub(super) type Foreseen = Early<Result<EngineFacts, Error>>;

/// The lists of all that an Engine has, whoever they are for: asked for, and maybe not answered yet.
pub struct Survey(Early<Lists>);

/// Containers, networks, volumes.
type Lists =
    (Result<Vec<wire::Summary>, Error>, Result<Vec<ObservedNetwork>, Error>, Result<Vec<ObservedVolume>, Error>);

impl Survey {
    /// Sends the questions, and awaits no answer.
    pub async fn send(&mut self) {
        send(&mut self.0).await;
    }

    /// Whether the list of containers is there by now, and none of them has such labels.
    pub fn lacks(&self, such: impl Fn(&BTreeMap<String, String>) -> bool) -> bool {
        match self.0.as_ref().get_ref() {
            MaybeDone::Done((Ok(containers), ..)) => !containers.iter().any(|container| such(&container.labels)),
            _ => false,
        }
    }
}

async fn send<T>(early: &mut Early<T>) {
    for _ in 0..TURNS {
        if futures_util::poll!(&mut *early).is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

async fn answer<T>(mut early: Early<T>) -> T {
    (&mut early).await;
    early.as_mut().take_output().unwrap_or_else(|| unreachable!("what was awaited is taken once"))
}

impl Engine {
    /// The questions of a [`Survey`], which leave when it is sent or awaited.
    pub fn survey(&self) -> Survey {
        let engine = self.clone();
        let lists = async move { futures_util::join!(engine.summaries(None), engine.networks(), engine.volumes()) };
        Survey(Box::pin(maybe_done(lists.boxed())))
    }

    /// Looks at the whole Engine for one project: every container in short and the project's own by inspection, every
    /// network and volume, the images that are named. Who is on a network follows from the list of containers.
    ///
    /// # Errors
    /// When a list of containers or networks is refused, and when the connection breaks. Smaller questions that are refused
    /// are [`Observed::gaps`].
    pub async fn observe(&self, scope: &Scope<'_>) -> Result<Observed, Error> {
        self.observe_after(self.survey(), scope).await
    }

    /// As [`Engine::observe`], with lists that were asked for before.
    ///
    /// # Errors
    /// The same.
    pub async fn observe_after(&self, survey: Survey, scope: &Scope<'_>) -> Result<Observed, Error> {
        let ((summaries, networks, volumes), images, facts, guessed) = futures_util::join!(
            answer(survey.0),
            self.images(&scope.images),
            self.facts_for(scope.facts),
            self.guessed(&scope.names)
        );
        let mut gaps = vec![];
        let (own, others) = divide(summaries?, scope.project);
        let listed = own.iter().map(|summary| summary.id.as_str());
        let containers = self.containers(scope.project, listed, guessed, &mut gaps).await?;
        let others: Vec<OtherContainer> = others.into_iter().map(decode::summary).collect();
        let mut networks = networks?;
        add_members(&mut networks, &containers, &others);
        let volumes = or_gap(&mut gaps, "volumes", volumes)?.unwrap_or_default();
        let engine = or_gap(&mut gaps, "the Engine's settings", facts)?.unwrap_or_else(|| self.facts().clone());
        let images = images.into_iter().map(|(name, found)| {
            let about = format!("image {name}");
            Ok((name, or_gap(&mut gaps, &about, found)?.flatten()))
        });
        let images = images.collect::<Result<_, Error>>()?;
        Ok(Observed { engine, containers, others, networks, shims: vec![], vlans: vec![], volumes, images, gaps })
    }

    /// The list of containers in whatever state; of one project, or all.
    pub(super) async fn summaries(&self, project: Option<&ProjectName>) -> Result<Vec<wire::Summary>, Error> {
        let mut call = Call::get("/containers/json").query("all", "1");
        if let Some(project) = project {
            call = call.filter("label", &[&format!("com.docker.compose.project={project}")]);
        }
        self.ask(call).await
    }

    /// The containers, in whatever state, that have this volume.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn containers_with_volume(&self, name: &str) -> Result<Vec<OtherContainer>, Error> {
        let call = Call::get("/containers/json").query("all", "1").filter("volume", &[name]);
        Ok(self.ask::<Vec<wire::Summary>>(call).await?.into_iter().map(decode::summary).collect())
    }

    /// Containers that have these names, none where they are few. What they are for the list says: a name may be another's by now.
    async fn guessed(&self, names: &[String]) -> Vec<ObservedContainer> {
        if names.len() < WORTH_A_GUESS {
            return vec![];
        }
        self.inspect_ahead(names).await.into_iter().flatten().flatten().collect()
    }

    /// Inspects containers that were listed, but for those that were by their names, several at once; sorted by replica and name. One that is
    /// gone meanwhile is not there; one that cannot be inspected is a gap.
    async fn containers(
        &self,
        project: &ProjectName,
        ids: impl Iterator<Item = &str>,
        guessed: Vec<ObservedContainer>,
        gaps: &mut Vec<Gap>,
    ) -> Result<Vec<ObservedContainer>, Error> {
        let mut ids: IndexSet<&str> = ids.collect();
        let mut found = guessed;
        found.retain(|container| ids.swap_remove(container.id.as_str()));
        let ids: Vec<&str> = ids.into_iter().collect();
        let answered = self.inspect_ahead(&ids).await;
        let mut left = vec![];
        for (id, answer) in ids.into_iter().zip(answered) {
            match answer {
                Some(container) => found.extend(container),
                None => left.push(id),
            }
        }
        let asked = left.into_iter().map(|id| async move { (id, self.inspect_listed(project, id).await) });
        let mut answers = stream::iter(asked).buffer_unordered(self.at_once());
        while let Some((id, answer)) = answers.next().await {
            let about = format!("container {}", ContainerId::from_engine(id).short());
            found.extend(or_gap(gaps, &about, answer)?.flatten());
        }
        found.sort_by(|a, b| (&a.replica, &a.name).cmp(&(&b.replica, &b.name)));
        gaps.sort_by(|a, b| a.about.cmp(&b.about));
        Ok(found)
    }

    /// What inspections without waiting say, each at its place; none where that road is not taken or did not lead to an answer.
    async fn inspect_ahead(&self, ids: &[impl AsRef<str>]) -> Vec<Option<Option<ObservedContainer>>> {
        if ids.len() < WORTH_IT {
            return ids.iter().map(|_| None).collect();
        }
        let paths: Vec<String> = ids.iter().map(|id| inspection(id.as_ref()).path().to_owned()).collect();
        self.transport.ahead(&paths, decode::container).await
    }

    /// Inspects a container that was listed. While the Engine makes a container, it is in the list and cannot be inspected yet
    /// (20.10 and 28 alike): only what is in no list any more is gone.
    async fn inspect_listed(&self, project: &ProjectName, id: &str) -> Result<Option<ObservedContainer>, Error> {
        let mut pauses = BEING_MADE.iter();
        loop {
            let error = match self.ask::<wire::Container>(inspection(id)).await {
                Ok(found) => return Ok(decode::container(found)),
                Err(error @ Error::NotFound(_)) => error,
                Err(error) => return Err(error),
            };
            if !self.summaries(Some(project)).await?.iter().any(|summary| summary.id == id) {
                return Ok(None);
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(Duration::from_millis(*pause)).await,
                None => return Err(error),
            }
        }
    }

    /// Inspects one container of a project: none where it is gone, or its labels do not say which one it is.
    ///
    /// # Errors
    /// What the Engine says, but "no such container".
    pub async fn inspect(&self, id: &str) -> Result<Option<ObservedContainer>, Error> {
        Ok(self.raw_container(id).await?.and_then(decode::container))
    }

    pub(super) async fn raw_container(&self, id: &str) -> Result<Option<wire::Container>, Error> {
        absent(self.ask(inspection(id)).await)
    }

    /// Every network, sorted by name, without members.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn networks(&self) -> Result<Vec<ObservedNetwork>, Error> {
        let raw: Vec<wire::Network> = self.ask(Call::get("/networks")).await?;
        let mut networks: Vec<ObservedNetwork> = raw.into_iter().map(decode::network).collect();
        networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(networks)
    }

    /// One network with its members; none where it is gone.
    ///
    /// # Errors
    /// What the Engine says, but "no such network".
    pub async fn network(&self, id: &str) -> Result<Option<ObservedNetwork>, Error> {
        Ok(absent(self.ask(Call::get(&format!("/networks/{}", segment(id)))).await)?.map(decode::network))
    }

    /// Every volume, sorted by name.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn volumes(&self) -> Result<Vec<ObservedVolume>, Error> {
        let raw: wire::Volumes = self.ask(Call::get("/volumes")).await?;
        let mut volumes: Vec<ObservedVolume> = raw.volumes.into_iter().map(decode::volume).collect();
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }

    /// The images that are named, in the order of their names here.
    async fn images(&self, names: &[String]) -> IndexMap<String, Result<Option<ObservedImage>, Error>> {
        let asked = names.iter().map(|name| async move { (name.clone(), self.image(name).await) });
        stream::iter(asked).buffered(self.at_once()).collect().await
    }

    /// How many questions are asked at once.
    fn at_once(&self) -> usize {
        match self.address {
            Address::Unix(_) => AT_ONCE_HERE,
            Address::Tcp { .. } | Address::Ssh { .. } => AT_ONCE,
        }
    }

    /// One image by name or id; none where it is not there, as one whose name cannot be an image's is not.
    ///
    /// # Errors
    /// What the Engine says, but "no such image" and "invalid reference format".
    pub async fn image(&self, name: &str) -> Result<Option<ObservedImage>, Error> {
        match self.ask(Call::get(&format!("/images/{}/json", segment(name)))).await {
            Ok(image) => Ok(Some(decode::image(image, self.clock))),
            Err(Error::Refused { status: 400, message }) if message.contains("invalid reference format") => Ok(None),
            Err(error) => absent(Err(error)),
        }
    }

    /// The Engine itself by `GET /info`: its platform, its address pools, whether it runs without root.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn all_facts(&self) -> Result<EngineFacts, Error> {
        let foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(early) = foreseen
            && let Ok(facts) = answer(early).await
        {
            return Ok(facts);
        }
        Ok(decode::info(self.ask(Call::get("/info")).await?, self.facts()))
    }

    /// Sends the question of [`Engine::all_facts`], whose next caller has the answer: the Engine starts two processes for it, and so long
    /// other things can be done.
    pub async fn foresee_facts(&self) {
        let engine = Self { foreseen: Arc::default(), ..self.clone() };
        let mut early: Foreseen = Box::pin(maybe_done(async move { engine.all_facts().await }.boxed()));
        send(&mut early).await;
        *self.foreseen.lock().unwrap_or_else(PoisonError::into_inner) = Some(early);
    }

    async fn facts_for(&self, facts: Facts) -> Result<EngineFacts, Error> {
        match facts {
            Facts::Brief => Ok(self.facts().clone()),
            Facts::Whole => self.all_facts().await,
        }
    }
}

fn inspection(id: &str) -> Call {
    Call::get(&format!("/containers/{}/json", segment(id)))
}

/// "Not there" as an answer.
fn absent<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An answer; a refusal is a gap. Where the connection broke, nothing more is to be learnt.
fn or_gap<T>(gaps: &mut Vec<Gap>, about: &str, answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_lost() => Err(error),
        Err(error) => {
            gaps.push(Gap { about: about.to_owned(), why: error.to_string() });
            Ok(None)
        }
    }
}

/// The project's own containers, and all others. One-off containers (`run`) and those whose labels do not say which
/// replica they are count as others.
fn divide(all: Vec<wire::Summary>, project: &ProjectName) -> (Vec<wire::Summary>, Vec<wire::Summary>) {
    all.into_iter().partition(|summary| {
        let label = |key: &str| summary.labels.get(key).map(String::as_str);
        label("com.docker.compose.project") == Some(project.as_str())
            && label("com.docker.compose.oneoff") != Some("True")
            && decode::replica(&summary.labels).is_some()
    })
}

/// Puts every container that has an address on a network among its members.
fn add_members(networks: &mut [ObservedNetwork], own: &[ObservedContainer], others: &[OtherContainer]) {
    for network in networks {
        let Some(id) = network.id.as_ref() else { continue };
        for container in own {
            for endpoint in container.endpoints.values().filter(|e| e.network.as_ref() == Some(id)) {
                let addresses: Vec<IpNet> = endpoint.ipv4.into_iter().chain(endpoint.ipv6).collect();
                if container.state.is_running() {
                    network.members.push((container.id.clone(), container.name.clone(), addresses));
                }
            }
        }
        for container in others {
            for (_, _, addresses) in container.networks.iter().filter(|(_, on, _)| on.as_ref() == Some(id)) {
                let addresses: Vec<IpNet> = addresses.iter().map(|&a| IpNet::from(a)).collect();
                if ["running", "paused"].contains(&container.state.as_str()) {
                    network.members.push((container.id.clone(), container.name.clone(), addresses));
                }
            }
        }
        network.members.sort_by(|a, b| a.1.cmp(&b.1));
    }
}

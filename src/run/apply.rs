//! From an operation to the one call of the Engine that carries it out. What it leaves open are ids that are not born yet.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use super::eager;
use super::execute::{AtOnce, Lane, execute};
use super::hook::run_hook;
use super::interrupt::Interrupt;
use super::outcome::{Event, Fate, Kind, Outcomes, StepError};
use super::wait::Watch;
use crate::compose::model::Condition;
use crate::engine::{Creation, Engine, Error};
use crate::name::{ContainerId, NetworkKey, Replica, ServiceName};
use crate::plan::{ExistingNetwork, LinkEnd, NewContainer, Operation, Phase, Plan, Step, StepId, Target, Wait};
use crate::state::desired::{Attachment, Desired, DesiredContainer, Lenders, labels};
use crate::vantage::{shim, vlan};

/// How many lines of a builder are told when it failed.
const LAST_LINES: usize = 20;

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many calls that make, start or remove something are under way at once.
    pub at_once: AtOnce,
    /// Who finds out that a service is healthy.
    pub health: HealthBy,
}

/// Who finds out that a service is healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthBy {
    /// The Engine: it checks first when the check's interval is over.
    #[default]
    Engine,
    /// bowline as well, by the same check, as soon as the container runs; whoever is first counts.
    Eager,
}

impl Default for Options {
    /// On two cores 8, 12 and 16 at once make and start 50 containers in the same time, 6 and 50 later; each costs a connection, 30 kB of memory. Of
    /// those that end, six are fastest: more only make the Engine's own locks longer.
    fn default() -> Self {
        Self { at_once: AtOnce { all: 8, ending: 6 }, health: HealthBy::Engine }
    }
}

/// Carries `plan` out on `engine`. Everything that happens is told to `tell` as it happens.
pub async fn run(
    engine: &Engine,
    plan: &Plan,
    options: Options,
    interrupt: Interrupt,
    tell: &dyn Fn(&Event<'_>),
) -> Outcomes {
    run_over(&[engine], plan, options, interrupt, tell).await
}

/// Carries out a plan over several hosts, each step on the Engine of its host: `engines` has them in the order of [`Step::host`].
pub async fn run_over(
    engines: &[&Engine],
    plan: &Plan,
    options: Options,
    interrupt: Interrupt,
    tell: &dyn Fn(&Event<'_>),
) -> Outcomes {
    let runs: Vec<Run<'_>> = engines
        .iter()
        .zip(plan.each_desired())
        .map(|(engine, desired)| Run {
            engine,
            plan,
            desired,
            health: options.health,
            tell,
            watch: Watch::new(engine, desired.project.as_str()),
            containers: RefCell::default(),
            networks: RefCell::default(),
        })
        .collect();
    let mut pumps = FuturesUnordered::new();
    for (place, run) in runs.iter().enumerate() {
        if !plan.steps().any(|(_, step)| step.host == place && matches!(step.operation, Operation::Await(_))) {
            continue;
        }
        match run.watch.open().await {
            Ok(events) => pumps.push(run.watch.pump(events)),
            // without events no wait could end: nothing is begun
            Err(error) => return refused(plan, &error.into(), tell),
        }
    }
    let scheduled = execute(
        plan,
        options.at_once,
        interrupt,
        lane,
        |id| step(&runs, plan, id),
        |id, fate: &Fate| tell(&Event::Ended(id, fate)),
    );
    let pump = async {
        match pumps.next().await {
            Some(never) => never,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        fates = scheduled => Outcomes(fates),
        never = pump => match never {},
    }
}

/// One step, on the Engine of its host.
async fn step(runs: &[Run<'_>], plan: &Plan, id: StepId) -> Result<(), StepError> {
    match runs.get(plan.step(id).host) {
        Some(run) => run.step(id).await,
        None => Err(unplanned(&id)),
    }
}

/// A plan of which nothing was begun.
fn refused(plan: &Plan, error: &StepError, tell: &dyn Fn(&Event<'_>)) -> Outcomes {
    let mut because = None;
    let fates = plan.steps().map(|(id, _)| {
        let fate = match because {
            None => Fate::Failed(error.clone()),
            Some(because) => Fate::Skipped { because },
        };
        because.get_or_insert(id);
        tell(&Event::Ended(id, &fate));
        fate
    });
    Outcomes(fates.collect())
}

fn lane(step: &Step) -> Lane {
    match step.operation {
        Operation::Await(_) => Lane::Leavable,
        Operation::Pull { .. } | Operation::Push { .. } | Operation::Build(_) => Lane::Free,
        Operation::Stop { .. } => Lane::Patient,
        Operation::Remove { .. } | Operation::RemoveNetwork(_) | Operation::RemoveVolume { .. } => Lane::Ending,
        _ => Lane::Bounded,
    }
}

/// One run on one Engine: what its steps share.
struct Run<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    /// What its Engine comes to hold.
    desired: &'a Desired,
    health: HealthBy,
    tell: &'a dyn Fn(&Event<'_>),
    watch: Watch<'a>,
    /// The containers that this run made.
    containers: RefCell<BTreeMap<Replica, ContainerId>>,
    /// The networks that this run made.
    networks: RefCell<BTreeMap<NetworkKey, String>>,
}

impl Run<'_> {
    async fn step(&self, id: StepId) -> Result<(), StepError> {
        (self.tell)(&Event::Began(id));
        self.operation(id).await
    }

    /// The work of a step. In a box each, or every step that is under way would take the room of the largest.
    fn operation(&self, id: StepId) -> LocalBoxFuture<'_, Result<(), StepError>> {
        let engine = self.engine;
        match &self.plan.step(id).operation {
            Operation::Pull { image, platform } => Box::pin(self.pull(id, image, platform.as_deref())),
            Operation::Push { image } => Box::pin(self.push(id, image)),
            Operation::Build(service) => Box::pin(self.build(id, service)),
            Operation::RemoveImage { image } => Box::pin(done(engine.remove_image(image))),
            Operation::CreateNetwork(key) => Box::pin(self.create_network(key)),
            Operation::RemoveNetwork(network) => Box::pin(self.remove_network(network)),
            Operation::MakeShim(key) => Box::pin(async move {
                Ok(shim::make(engine, self.desired.shims.get(key).ok_or_else(|| unplanned(key))?).await?)
            }),
            Operation::MakeVlan(name) => Box::pin(async move {
                Ok(vlan::make(engine, self.desired.vlans.get(name).ok_or_else(|| unplanned(name))?).await?)
            }),
            Operation::RemoveVlan(gone) => {
                Box::pin(async move { Ok(vlan::remove(engine, &gone.name, &gone.label).await?) })
            }
            Operation::RemoveShim(gone) => {
                Box::pin(async move { Ok(shim::remove(engine, &gone.name, &gone.label).await?) })
            }
            Operation::Connect { container, network } => Box::pin(self.connect(container, network)),
            Operation::Disconnect { container, network } => self.with(container, async move |id| {
                done(engine.disconnect_container(network.id.as_str(), id.as_str())).await
            }),
            Operation::CreateVolume(key) => Box::pin(async move {
                done(engine.create_volume(self.desired.volumes.get(key).ok_or_else(|| unplanned(key))?)).await
            }),
            Operation::RemoveVolume { name, .. } => Box::pin(self.remove_volume(name)),
            Operation::CreateContainer(new) => Box::pin(self.create_container(id, new)),
            Operation::Rename { container, name } => {
                self.with(container, async move |id| done(engine.rename_container(id.as_str(), name)).await)
            }
            Operation::Start(container) => {
                self.with(container, async move |id| done(engine.start_container(id.as_str())).await)
            }
            Operation::Stop { container, timeout } => {
                self.with(container, async move |id| done(engine.stop_container(id.as_str(), *timeout)).await)
            }
            Operation::Kill { container, signal } => {
                self.with(container, async move |id| done(engine.kill_container(id.as_str(), signal)).await)
            }
            Operation::Pause(container) => {
                self.with(container, async move |id| done(engine.pause_container(id.as_str())).await)
            }
            Operation::RunHook { container, phase, number } => Box::pin(self.run_hook(container, *phase, *number)),
            Operation::CopyFiles(container) => Box::pin(self.copy_files(container)),
            Operation::Update(container) => Box::pin(self.update(container)),
            Operation::Unpause(container) => {
                self.with(container, async move |id| done(engine.unpause_container(id.as_str())).await)
            }
            Operation::Remove { container, volumes } => {
                self.with(container, async move |id| done(engine.remove_container(id.as_str(), *volumes, false)).await)
            }
            Operation::Await(wait) => Box::pin(self.wait(id, wait)),
        }
    }

    /// What is done with a container, by its id.
    fn with<'r>(
        &'r self,
        target: &'r Target,
        work: impl AsyncFnOnce(ContainerId) -> Result<(), StepError> + 'r,
    ) -> LocalBoxFuture<'r, Result<(), StepError>> {
        Box::pin(async move { work(self.id(target)?).await })
    }

    /// The id of a container, late where an earlier step made it.
    fn id(&self, target: &Target) -> Result<ContainerId, StepError> {
        match target {
            Target::Existing { id, .. } => Ok(id.clone()),
            Target::Planned(replica) => {
                self.containers.borrow().get(replica).cloned().ok_or_else(|| unplanned(replica))
            }
        }
    }

    async fn run_hook(&self, container: &Target, phase: Phase, number: usize) -> Result<(), StepError> {
        let replica = container.replica();
        let wanted = self.desired.containers.get(replica).ok_or_else(|| unplanned(replica))?;
        let hooks = if phase == Phase::PostStart { &wanted.post_start } else { &wanted.pre_stop };
        let hook = hooks.get(number).ok_or_else(|| unplanned(replica))?;
        let id = self.id(container)?;
        run_hook(self.engine, id.as_str(), hook, &format!("{} of {replica}", phase.as_str())).await.map(drop)
    }

    async fn copy_files(&self, container: &Target) -> Result<(), StepError> {
        let replica = container.replica();
        let wanted = self.desired.containers.get(replica).ok_or_else(|| unplanned(replica))?;
        let (id, settings) = (self.id(container)?, &wanted.settings);
        match &settings.files_volume {
            None => self.engine.copy_files(id.as_str(), &settings.files).await?,
            Some(volume) => {
                let (image, platform) = (&settings.image, settings.platform.as_deref());
                self.engine.fill_volume(volume, &settings.files, image, platform).await?;
            }
        }
        Ok(())
    }

    async fn update(&self, container: &Target) -> Result<(), StepError> {
        let replica = container.replica();
        let wanted = self.desired.containers.get(replica).ok_or_else(|| unplanned(replica))?;
        Ok(self.engine.update_container(self.id(container)?.as_str(), &wanted.settings).await?)
    }

    async fn push(&self, id: StepId, image: &str) -> Result<(), StepError> {
        let mut progress = std::pin::pin!(self.engine.push(image).await?);
        while let Some(layer) = progress.next().await {
            (self.tell)(&Event::Transfer(id, &layer?));
        }
        Ok(())
    }

    async fn pull(&self, id: StepId, image: &str, platform: Option<&str>) -> Result<(), StepError> {
        let mut progress = std::pin::pin!(self.engine.pull(image, platform).await?);
        while let Some(layer) = progress.next().await {
            (self.tell)(&Event::Transfer(id, &layer?));
        }
        Ok(())
    }

    /// An image that is not built says what the builder said last.
    async fn build(&self, id: StepId, service: &ServiceName) -> Result<(), StepError> {
        let wanted = self.desired.builds.get(service).ok_or_else(|| unplanned(service))?;
        let last = RefCell::new(VecDeque::new());
        let tell = |line: &str| {
            (self.tell)(&Event::Note(id, line));
            let mut last = last.borrow_mut();
            last.push_back(line.to_owned());
            if last.len() > LAST_LINES {
                last.pop_front();
            }
        };
        self.engine.build(wanted, &tell).await.map_err(|why| {
            let mut told = StepError::from(why);
            told.details.extend(last.take());
            told
        })
    }

    async fn create_network(&self, key: &NetworkKey) -> Result<(), StepError> {
        let desired = self.desired;
        let wanted = desired.networks.get(key).ok_or_else(|| unplanned(key))?;
        let (id, _) = self.engine.create_network(wanted, &desired.project).await?;
        self.networks.borrow_mut().insert(key.clone(), id.as_str().to_owned());
        Ok(())
    }

    /// A network that cannot go says who is on it. Where nobody is, the Engine has not cleared up yet after a container that is
    /// gone, and is asked again for a few seconds.
    async fn remove_network(&self, network: &ExistingNetwork) -> Result<(), StepError> {
        let mut told = StepError::new(Kind::InUse, format!("network {} is still in use", network.name));
        let mut last = None;
        for pause in [0, 50, 200, 600, 1500] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let error = match self.engine.remove_network(network.id.as_str()).await {
                Ok(_) => return Ok(()),
                Err(error @ Error::InUse(_)) => error,
                Err(error) => return Err(error.into()),
            };
            let members =
                self.engine.network(network.id.as_str()).await?.map(|found| found.members).unwrap_or_default();
            if !members.is_empty() {
                told.details.extend(members.iter().map(|(_, name, _)| format!("{name} is on it")));
                return Err(told);
            }
            last = Some(error);
        }
        told.details.extend(last.map(|error| error.to_string()));
        told.details.push("no container is on it: the Engine lets go of it when it is started again".to_owned());
        Err(told)
    }

    /// A volume that cannot go says who has it.
    async fn remove_volume(&self, name: &str) -> Result<(), StepError> {
        let error = match self.engine.remove_volume(name).await {
            Ok(_) => return Ok(()),
            Err(error @ Error::InUse(_)) => error,
            Err(error) => return Err(error.into()),
        };
        let mut told = StepError::new(Kind::InUse, format!("volume {name} is still in use"));
        match self.engine.containers_with_volume(name).await {
            Ok(holders) if !holders.is_empty() => {
                told.details.extend(holders.iter().map(|holder| format!("{} has it", holder.name)));
            }
            _ => told.details.push(error.to_string()),
        }
        Err(told)
    }

    /// By the id of a network that this run made, else by its name.
    fn network(&self, key: &NetworkKey) -> Result<String, StepError> {
        let made = self.networks.borrow().get(key).cloned();
        let named = || self.desired.networks.get(key).map(|network| network.name.clone());
        made.or_else(named).ok_or_else(|| unplanned(key))
    }

    async fn connect(&self, container: &Target, network: &NetworkKey) -> Result<(), StepError> {
        let wanted = self.desired.containers.get(container.replica());
        let endpoint = match wanted.map(|wanted| &wanted.attachment) {
            Some(Attachment::Networks(endpoints)) => endpoints.get(network),
            _ => None,
        };
        let endpoint = endpoint.ok_or_else(|| unplanned(network))?;
        self.engine.connect_container(&self.network(network)?, self.id(container)?.as_str(), endpoint).await?;
        Ok(())
    }

    async fn create_container(&self, id: StepId, new: &NewContainer) -> Result<(), StepError> {
        let desired = self.desired;
        let wanted = desired.containers.get(&new.replica).ok_or_else(|| unplanned(&new.replica))?;
        let mut endpoints = vec![];
        if let Attachment::Networks(all) = &wanted.attachment {
            for key in &new.networks {
                let (network, endpoint) = desired.networks.get(key).zip(all.get(key)).ok_or_else(|| unplanned(key))?;
                endpoints.push((network.name.clone(), endpoint.clone()));
            }
        }
        let network_mode = match &wanted.attachment {
            Attachment::None => "none".to_owned(),
            Attachment::Host => "host".to_owned(),
            Attachment::DefaultBridge => "bridge".to_owned(),
            Attachment::Container(other) => format!("container:{other}"),
            Attachment::Other(name) => name.clone(),
            Attachment::Replica(replica) => {
                let parent = new.parent.as_ref().ok_or_else(|| unplanned(replica))?;
                format!("container:{}", self.id(parent)?)
            }
            Attachment::Networks(_) => endpoints.first().map(|(name, _)| name.clone()).unwrap_or_default(),
        };
        let links = new.links.iter().map(|(end, alias)| {
            let target = match end {
                LinkEnd::Target(target) => self.id(target)?.as_str().to_owned(),
                LinkEnd::External(name) => name.clone(),
            };
            Ok((target, alias.clone()))
        });
        let mut settings = wanted.settings.clone();
        let lenders = new.lenders.iter().map(|target| self.id(target)).collect::<Result<Vec<_>, _>>()?;
        settings.lend(&wanted.borrows, &lenders);
        settings.labels.extend(self.late_labels(wanted, new, lenders).await?);
        let creation = Creation {
            settings: &settings,
            network_mode,
            endpoints,
            links: links.collect::<Result<_, StepError>>()?,
            inherits: new.inherits.clone(),
            api: self.engine.api(),
        };
        let (made, warnings) = self.engine.create_container(&new.name, &creation).await?;
        self.containers.borrow_mut().insert(new.replica.clone(), made);
        warnings.iter().for_each(|warning| (self.tell)(&Event::Note(id, warning)));
        Ok(())
    }

    /// Labels that name what was there before it: the image, the container whose namespace is shared.
    async fn late_labels(
        &self,
        wanted: &DesiredContainer,
        new: &NewContainer,
        others: Vec<ContainerId>,
    ) -> Result<Vec<(String, String)>, StepError> {
        let mut late = vec![];
        let image = match &new.image {
            Some(known) => Some(known.clone()),
            None => self.engine.image(&wanted.settings.image).await?.map(|image| image.id),
        };
        late.extend(image.map(|id| (labels::IMAGE.to_owned(), id)));
        if new.parent.is_some() || !others.is_empty() {
            let network = new.parent.as_ref().map(|parent| self.id(parent)).transpose()?;
            late.push((labels::CONFIG_HASH.to_owned(), wanted.config_hash(&Lenders { network, others })));
        }
        Ok(late)
    }

    /// Every container of a service, all at once: the first that never will ends the wait.
    async fn wait(&self, id: StepId, wait: &Wait) -> Result<(), StepError> {
        let ids = wait.containers.iter().map(|target| self.id(target)).collect::<Result<Vec<_>, _>>()?;
        let note = |text: &str| (self.tell)(&Event::Note(id, text));
        let each = |id| async move {
            match (wait.condition, self.health) {
                (Condition::Started, _) => self.watch.settled(id, note).await,
                (Condition::Healthy, HealthBy::Eager) => tokio::select! {
                    biased;
                    told = self.watch.until(id, wait.condition, note) => told,
                    () = eager::healthy(self.engine, id, note) => Ok(()),
                },
                _ => self.watch.until(id, wait.condition, note).await,
            }
        };
        let all = futures_util::future::try_join_all(ids.iter().map(each));
        let limit = wait.timeout.unwrap_or(Duration::MAX);
        match tokio::time::timeout(limit, all).await {
            Ok(answer) => answer.map(drop),
            Err(_) => {
                let (service, seconds) = (&wait.service, limit.as_secs_f64());
                let mut error = StepError::new(Kind::Unhealthy, format!("{service} was not ready within {seconds} s"));
                for id in &ids {
                    error.details.extend(self.watch.late(id, wait.condition).await);
                }
                Err(error)
            }
        }
    }
}

/// A call of the Engine whose answer says no more than that it was done.
async fn done<T>(call: impl Future<Output = Result<T, Error>>) -> Result<(), StepError> {
    call.await?;
    Ok(())
}

/// The builder of the plan proves that this does not happen.
fn unplanned(what: &dyn std::fmt::Display) -> StepError {
    StepError::new(Kind::Refused, format!("the plan does not say what {what} is: this is a mistake of bowline's"))
}

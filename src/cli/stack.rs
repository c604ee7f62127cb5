//! From the command line to what the Engine shall hold, and to what it holds.

use std::collections::BTreeSet;

use bowline::compose::model::Project;
use bowline::compose::{self, Loaded, Request};
use bowline::engine::{Engine, Facts, Listed, Scope, Survey};
use bowline::finding::{Code, Findings};
use bowline::name::{ProjectName, ServiceName};
use bowline::source::Files;
use bowline::state::desired::{Desired, DesiredOptions, desired};
use bowline::state::observed::{Gap, Observed};
use bowline::vantage::shim::{self, Reason};

use super::args::Global;
use super::engine::{Purpose, api_socket, environment};
use super::exit::{Exit, Failure};
use super::preflight::{self, Rigour};
use super::spread::{self, Spread};
use super::{hosts, load, output};

/// A stack file that makes sense.
pub struct Stack {
    /// What it says.
    pub project: Project,
    /// What that asks of the Engine.
    pub desired: Desired,
    /// Its texts, for citing them.
    pub files: Files,
    /// Errors that `--no-preflight` went past.
    pub passed: BTreeSet<Code>,
}

impl Stack {
    /// Loads the stack's words; what is wrong or worth knowing is said.
    pub fn load(global: &Global, services: &[String], options: &DesiredOptions) -> Result<Self, Failure> {
        let (project, files) = load::project(global, services)?;
        let desired = desired(&project, options);
        Ok(Self { project, desired, files, passed: BTreeSet::new() })
    }

    /// The same with the contents that its containers need.
    pub fn whole(
        global: &Global,
        purpose: Purpose,
        services: &[String],
        options: &DesiredOptions,
        rigour: Rigour,
    ) -> Result<Self, Failure> {
        Self::requested(global, purpose, &load::request(global, services)?, options, rigour)
    }

    /// As [`Stack::requested`], for what was loaded already.
    pub fn settled(
        global: &Global,
        purpose: Purpose,
        loaded: Loaded,
        options: &DesiredOptions,
        rigour: Rigour,
    ) -> Result<Self, Failure> {
        let mut stack = Self::loaded(global, loaded, options, rigour)?;
        if preflight::settle_parents(global, purpose, &mut stack.project, &stack.files)? {
            stack.desired = desired(&stack.project, options);
        }
        Ok(stack)
    }

    /// As [`Stack::whole`], for a request that says more than the global options do. Where a trunk's parent is `auto`, the Engine's host is asked.
    pub fn requested(
        global: &Global,
        purpose: Purpose,
        request: &Request,
        options: &DesiredOptions,
        rigour: Rigour,
    ) -> Result<Self, Failure> {
        Self::settled(global, purpose, compose::load(request), options, rigour)
    }

    /// As [`Stack::whole`], for what was loaded already.
    pub fn loaded(global: &Global, loaded: Loaded, options: &DesiredOptions, rigour: Rigour) -> Result<Self, Failure> {
        let (mut project, files, passed) = load::accepted(global, loaded, rigour)?;
        let mut findings = Findings::new();
        compose::attach::contents(&mut project, &api_socket(global), &mut findings);
        output::findings(&files, &findings, global.verbose);
        if findings.has_errors() {
            return Err(load::refused());
        }
        let desired = desired(&project, options);
        Ok(Self { project, desired, files, passed })
    }

    fn known(global: &Global, loaded: Loaded) -> Result<Self, Failure> {
        let (project, files) = load::known(global, loaded)?;
        let project = hosts::part(global, project)?;
        let desired = desired(&project, &DesiredOptions::default());
        Ok(Self { project, desired, files, passed: BTreeSet::new() })
    }

    /// Looks at the Engine as far as this stack is concerned, and insists on every answer.
    pub async fn observe(&self, engine: &Engine) -> Result<Observed, Failure> {
        whole(self.look(engine).await?)
    }

    /// The same with lists that were asked for ahead.
    pub async fn observe_after(&self, engine: &Engine, survey: Survey) -> Result<Observed, Failure> {
        whole(self.look_after(engine, survey).await?)
    }

    async fn look(&self, engine: &Engine) -> Result<Observed, Failure> {
        self.look_after(engine, engine.survey()).await
    }

    async fn look_after(&self, engine: &Engine, survey: Survey) -> Result<Observed, Failure> {
        // the first answer of Engines before API 1.42 does not tell of a Swarm
        let overlay = self.desired.networks.values().any(|network| network.driver == "overlay");
        let facts = if overlay { Facts::Whole } else { Facts::Brief };
        let names = self.desired.containers.values().map(|container| container.name.to_string()).collect();
        let scope = Scope { project: &self.desired.project, images: self.desired.images(), names, facts };
        let mut observed = engine.observe_after(survey, &scope).await?;
        add_shims(engine, &self.desired.project, Some(&self.desired), &mut observed).await;
        Ok(observed)
    }
}

/// Adds the host's own links on the wires of the project's networks, where there are to be any. A host that cannot be looked at is a gap.
async fn add_shims(engine: &Engine, project: &ProjectName, desired: Option<&Desired>, observed: &mut Observed) {
    let reason = desired.map_or(Reason::NoFile, Reason::of);
    if let Err(why) = shim::look(engine, project, reason, observed).await {
        observed.gaps.push(Gap { about: "the links of its host (x-trunks)".to_owned(), why: why.to_string() });
    }
}

/// What the Engine has of a project that is known by its name alone.
async fn look(engine: &Engine, project: &ProjectName) -> Result<Observed, Failure> {
    Ok(engine.observe(&Scope { project, images: vec![], names: vec![], facts: Facts::Brief }).await?)
}

/// What the Engine does not tell may be what a plan would destroy or make twice: so there is none.
fn whole(observed: Observed) -> Result<Observed, Failure> {
    let mut gaps = observed.gaps.iter().map(Gap::to_string);
    let Some(first) = gaps.next() else { return Ok(observed) };
    gaps.for_each(|gap| output::remark(&gap));
    Err(Failure::new(Exit::StepFailed, first).hint("without knowing it, nothing is planned or done"))
}

/// A project on one Engine, or on several.
pub enum Found {
    /// On one.
    One(Named),
    /// On each host of its file's `x-hosts`.
    Spread(Box<Spread>),
}

impl Found {
    /// As [`Named::find`], for a command that works on several hosts. Which these are, the file says, under whatever name.
    pub fn find(global: &Global) -> Result<Self, Failure> {
        match Named::load(global)? {
            Some(loaded) if spread::is_spread(global, &loaded) => {
                Spread::known(global, loaded).map(|spread| Self::Spread(Box::new(spread)))
            }
            loaded => Named::of(global, loaded).map(Self::One),
        }
    }
}

/// A project, with its file or by its name alone.
pub enum Named {
    /// By its file.
    Stack(Box<Stack>),
    /// By `-p` without `-f`, as docker compose does: whatever the Engine has of it.
    Name(ProjectName),
}

impl Named {
    /// `-p` without `-f` names a project alone; otherwise the file does. Where it cannot be read, `COMPOSE_PROJECT_NAME` names it.
    pub fn find(global: &Global) -> Result<Self, Failure> {
        Self::of(global, Self::load(global)?)
    }

    /// What the command line and the directory give. A project by its name alone needs no directory.
    fn load(global: &Global) -> Result<Option<Loaded>, Failure> {
        match load::request(global, &[]) {
            Ok(mut request) => {
                request.skip.env_files = true;
                Ok(Some(compose::load(&request)))
            }
            Err(_) if Self::name_alone(global).is_some() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn name_alone(global: &Global) -> Option<&str> {
        global.project_name.as_deref().filter(|_| global.files.is_empty())
    }

    fn of(global: &Global, loaded: Option<Loaded>) -> Result<Self, Failure> {
        let name = Self::name_alone(global);
        let Some(mut loaded) = loaded else { return named(name.unwrap_or_default()) };
        if let Some(name) = name {
            // of a stack on several hosts one Engine has a part alone, by whatever name
            return match loaded.project.take_if(|project| project.hosts.is_some()) {
                Some(spread) => hosts::part(global, spread).and_then(|_| named(name)),
                None => named(name),
            };
        }
        match environment("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()) {
            Some(name) if loaded.project.is_none() => named(&name),
            _ => Stack::known(global, loaded).map(|stack| Self::Stack(Box::new(stack))),
        }
    }

    /// The project's name.
    pub fn name(&self) -> &ProjectName {
        match self {
            Self::Stack(stack) => &stack.desired.project,
            Self::Name(name) => name,
        }
    }

    /// What its file asks for, where there is one.
    pub fn desired(&self) -> Option<&Desired> {
        match self {
            Self::Stack(stack) => Some(&stack.desired),
            Self::Name(_) => None,
        }
    }

    /// Looks at the Engine for it, and insists on every answer.
    pub async fn observe(&self, engine: &Engine) -> Result<Observed, Failure> {
        whole(self.look(engine).await?)
    }

    /// Looks at the Engine for it. What that does not tell of are gaps, for who goes on without knowing it.
    pub async fn look(&self, engine: &Engine) -> Result<Observed, Failure> {
        match self {
            Self::Stack(stack) => stack.look(engine).await,
            Self::Name(name) => look(engine, name).await,
        }
    }

    /// As [`Named::look`], with the host's own links on the wires of its networks.
    pub async fn look_everywhere(&self, engine: &Engine) -> Result<Observed, Failure> {
        match self {
            Self::Stack(stack) => stack.look(engine).await,
            Self::Name(name) => {
                let mut observed = look(engine, name).await?;
                add_shims(engine, name, None, &mut observed).await;
                Ok(observed)
            }
        }
    }

    /// The texts of its files.
    pub fn files(&self) -> &Files {
        static NONE: std::sync::LazyLock<Files> = std::sync::LazyLock::new(Files::new);
        match self {
            Self::Stack(stack) => &stack.files,
            Self::Name(_) => &NONE,
        }
    }

    /// The services of these names.
    ///
    /// # Errors
    /// For a name that neither the file nor the Engine has.
    pub fn services(&self, names: &[String], observed: &Observed) -> Result<Vec<ServiceName>, Failure> {
        let there = |name: &str| observed.containers.iter().any(|container| container.replica.service == *name);
        let one = |name: &String| match name.parse() {
            Ok(service) if there(name) || self.desired().is_some_and(|desired| desired.declares(name)) => Ok(service),
            _ => Err(self.no_such_service(name)),
        };
        names.iter().map(one).collect()
    }

    /// Whether the file or the Engine has services of these names.
    ///
    /// # Errors
    /// For a name that neither has.
    pub fn known(&self, names: &[String], listed: &[Listed]) -> Result<(), Failure> {
        let there = |name: &str| listed.iter().any(|container| container.service == name);
        let known = |name: &str| there(name) || self.desired().is_some_and(|desired| desired.declares(name));
        names.iter().find(|name| !known(name)).map_or(Ok(()), |wrong| Err(self.no_such_service(wrong)))
    }

    /// A name that is no service, with the one that may be meant.
    pub fn no_such_service(&self, name: &str) -> Failure {
        let declared = self.desired().into_iter().flat_map(|desired| desired.services.iter().chain(&desired.inactive));
        no_such_service(name, declared)
    }
}

/// A project by its name.
fn named(name: &str) -> Result<Named, Failure> {
    name.parse().map(Named::Name).map_err(|error| Failure::new(Exit::Usage, error))
}

/// Services that loading the stack found in it.
pub fn service_names(services: &[String]) -> Vec<ServiceName> {
    services.iter().filter_map(|name| name.parse().ok()).collect()
}

/// A name that is no service, with the one that may be meant.
pub fn no_such_service<'a>(name: &str, services: impl IntoIterator<Item = &'a ServiceName>) -> Failure {
    let failure = Failure::new(Exit::Usage, format!("no such service: {name}"));
    let near = bowline::finding::nearest(name, services.into_iter().map(ServiceName::as_str));
    near.into_iter().fold(failure, |failure, near| failure.hint(format!("did you mean `{near}`?")))
}

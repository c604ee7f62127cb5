//! A stack on several hosts (`x-hosts`): each host's part beside its Engine, all of which have to answer before anything is changed.

use std::collections::BTreeSet;

use bowline::compose::model::{Need, Project};
use bowline::compose::{Loaded, attach};
use bowline::engine::Engine;
use bowline::finding::Findings;
use bowline::name::{HostName, ProjectName};
use bowline::plan::joint::HostPlan;
use bowline::plan::{Flaw, Plan};
use bowline::state::desired::{DesiredOptions, desired};
use bowline::state::observed::Observed;

use super::args::Global;
use super::engine::{Purpose, api_socket, connect};
use super::exit::{Exit, Failure};
use super::lock::{self, Lock};
use super::preflight::{self, Rigour};
use super::signals::Signals;
use super::stack::Stack;
use super::{carry, hosts, load, output};

/// A stack host by host, in the order of the file.
pub struct Spread {
    /// What each host runs, and where it is.
    pub seats: Vec<Seat>,
    /// What services wait for on another host.
    pub needs: Vec<Need>,
    /// The stack as one.
    pub whole: Project,
}

/// One host.
pub struct Seat {
    /// Its name.
    pub name: HostName,
    /// The options, which lead to its Engine.
    pub global: Global,
    /// Its part of the stack.
    pub stack: Stack,
}

/// Of a stack on several hosts no single Engine can be named.
fn check_one_is_not_named(global: &Global) -> Result<(), Failure> {
    match hosts::only(global)?.is_some() || global.context.is_some() {
        true => Err(Failure::new(Exit::Usage, "the stack is on several hosts, and one Engine is named")
            .hint("`--host NAME=URL` says where a host's Engine is; `--on NAME` works on one alone")),
        false => Ok(()),
    }
}

/// Whether a stack is on several hosts, and all of them are meant.
pub fn is_spread(global: &Global, loaded: &Loaded) -> bool {
    global.on.is_none() && loaded.project.as_ref().is_some_and(|project| project.hosts.is_some())
}

impl Spread {
    /// Of what was loaded, with the contents that its containers need. Where there is a purpose, hosts are asked for a `parent: auto`.
    ///
    /// # Errors
    /// A file that is wrong; a host whose Engine nobody says where to find.
    pub fn of(
        global: &Global,
        purpose: Option<Purpose>,
        loaded: Loaded,
        options: &DesiredOptions,
        rigour: Rigour,
    ) -> Result<Self, Failure> {
        check_one_is_not_named(global)?;
        let (whole, files, passed) = load::whole(global, loaded, rigour)?;
        Self::seated(global, whole, |global, name, mut project| {
            let mut findings = Findings::new();
            attach::contents(&mut project, &api_socket(global), &mut findings);
            output::findings(&files, &findings, global.verbose);
            if findings.has_errors() {
                return Err(load::refused());
            }
            if let Some(purpose) = purpose {
                preflight::settle_parents(global, purpose, &mut project, &files).map_err(|why| on(name, why))?;
            }
            let desired = desired(&project, options);
            Ok(Stack { project, desired, files: files.clone(), passed: passed.clone() })
        })
    }

    /// The same for a command that makes nothing, as [`load::known`].
    ///
    /// # Errors
    /// The same.
    pub fn known(global: &Global, loaded: Loaded) -> Result<Self, Failure> {
        check_one_is_not_named(global)?;
        let (whole, files) = load::known(global, loaded)?;
        Self::seated(global, whole, |_, _, project| {
            let desired = desired(&project, &DesiredOptions::default());
            Ok(Stack { project, desired, files: files.clone(), passed: BTreeSet::new() })
        })
    }

    /// Each host with its part, as `stack` makes it.
    fn seated(
        global: &Global,
        mut whole: Project,
        stack: impl Fn(&Global, &HostName, Project) -> Result<Stack, Failure>,
    ) -> Result<Self, Failure> {
        hosts::check_named(global, &whole)?;
        let (parts, needs) = whole.hosts.take().map(|hosts| (hosts.parts, hosts.needs)).unwrap_or_default();
        let seats = parts.into_iter().map(|part| {
            let place = hosts::place(global, &part)?;
            let global = Global { at: Some(place), on: Some(part.name.to_string()), ..global.clone() };
            let stack = stack(&global, &part.name, part.project)?;
            Ok(Seat { name: part.name, global, stack })
        });
        Ok(Self { seats: seats.collect::<Result<_, Failure>>()?, needs, whole })
    }

    /// The project's name.
    pub fn name(&self) -> &ProjectName {
        &self.whole.name
    }

    /// Opens every host's Engine.
    ///
    /// # Errors
    /// The first that does not answer, by name.
    pub async fn connect(&self, purpose: Purpose) -> Result<Vec<Engine>, Failure> {
        let mut engines = vec![];
        for seat in &self.seats {
            let engine = connect(&seat.global, purpose).await;
            engines.push(engine.map_err(|why| on(&seat.name, why).hint("nothing was changed on any host"))?);
        }
        Ok(engines)
    }

    /// The same, with the project's lock on each.
    ///
    /// # Errors
    /// As [`Spread::connect`]; one that somebody holds.
    pub async fn take(&self, command: &str, signals: &mut Signals) -> Result<Vec<(Engine, Lock)>, Failure> {
        let mut taken = vec![];
        for (seat, engine) in self.seats.iter().zip(self.connect(Purpose::Write).await?) {
            let lock = lock::take(&seat.global, &engine, self.name(), command, signals).await;
            let lock = lock.map_err(|why| on(&seat.name, why))?;
            taken.push((engine, lock));
        }
        Ok(taken)
    }

    /// Looks at every Engine, and insists on every answer.
    ///
    /// # Errors
    /// The first that does not tell all, by name.
    pub async fn observe<'e>(&self, engines: impl IntoIterator<Item = &'e Engine>) -> Result<Vec<Observed>, Failure> {
        let looks = self
            .seats
            .iter()
            .zip(engines)
            .map(async |(seat, engine)| seat.stack.observe(engine).await.map_err(|why| on(&seat.name, why)));
        futures_util::future::try_join_all(looks).await
    }

    /// Each host's plan with what it was made from.
    ///
    /// # Errors
    /// The first host's that has none.
    pub fn plans<'o>(
        &self,
        observed: &'o [Observed],
        plan: impl Fn(&Seat, &'o Observed) -> Result<Plan, Failure>,
    ) -> Result<Vec<HostPlan<'o>>, Failure> {
        let each = self.seats.iter().zip(observed).map(|(seat, observed)| {
            let plan = plan(seat, observed).map_err(|why| on(&seat.name, why))?;
            Ok(HostPlan { host: seat.name.clone(), plan, observed })
        });
        each.collect()
    }

    /// The services of all hosts.
    pub fn services(&self) -> BTreeSet<&str> {
        self.whole.services.keys().map(|name| name.as_str()).collect()
    }
}

/// A failure on one host.
pub fn on(host: &HostName, failure: Failure) -> Failure {
    Failure { error: format!("host {host}: {failure}").into(), ..failure }
}

/// A joint plan, or the mistake in it.
pub fn joined(plan: Result<Plan, Flaw>) -> Result<Plan, Failure> {
    plan.map_err(carry::flaw)
}

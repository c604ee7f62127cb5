//! `verify` of a stack on several hosts: each host's part by itself, and between them who reaches whom on the wires that lead over.

use bowline::compose::model::Project;
use bowline::finding::Findings;
use bowline::name::{HostName, ServiceName};
use bowline::report::verification::Report;
use bowline::source::Files;
use bowline::vantage::Way;
use bowline::verify::check::Check;
use bowline::verify::derive;
use bowline::verify::gather::{Proof, prove_over};
use bowline::verify::jobs::Ended;
use bowline::verify::over::{Over, rules_of};
use bowline::verify::scene::Vantage;
use bowline::verify::topology::Topology;

use super::super::args::Global;
use super::super::engine::Purpose;
use super::super::exit::{Exit, Failure};
use super::super::output;
use super::super::spread::{Seat, Spread, on};
use super::super::stack::no_such_service;
use super::subject::Subject;

/// A stack whose rules hold together, host by host and as one.
pub struct Subjects<'a> {
    spread: &'a Spread,
    topology: Topology,
    /// Only the checks of these; all where none is named.
    services: &'a [String],
    /// The same for each host.
    own: Vec<Vec<String>>,
}

/// Gives each host the rules of `x-verify` that are its own.
///
/// # Errors
/// A name that is to mean what another host has: that is not proved yet.
pub fn share_rules(spread: &mut Spread) -> Result<(), Failure> {
    let rules = spread.whole.rules.clone();
    let known: Vec<ServiceName> = spread.whole.services.keys().cloned().collect();
    for seat in &mut spread.seats {
        let part = &mut seat.stack.project;
        let is_elsewhere = |name: &ServiceName| known.contains(name) && !part.services.contains_key(name);
        let own = rules_of(part, &rules);
        let names = own.names.iter().filter(|rule| rule.means.iter().any(is_elsewhere)).map(|rule| &rule.from);
        let asked = |line: &str, name: &ServiceName| {
            [format!("{{{name}}}"), format!("{{{name}.id}}")].iter().any(|word| line.contains(word))
        };
        let lines =
            own.hosts.iter().filter(|rule| known.iter().any(|name| is_elsewhere(name) && asked(&rule.line, name)));
        if let Some(from) = names.chain(lines.map(|rule| &rule.from)).next() {
            let message = format!(
                "x-verify: a name that {from} knows is to mean a service of another host, which is not proved yet"
            );
            return Err(Failure::new(Exit::File, message)
                .hint("lines of `extra_hosts`, bowline's own among them, are proved without a rule"));
        }
        part.rules = own;
    }
    Ok(())
}

impl<'a> Subjects<'a> {
    /// Says what is wrong with the rules of `x-verify`, and ends the command there.
    pub fn new(global: &Global, spread: &'a Spread, services: &'a [String]) -> Result<Self, Failure> {
        if let Some(wrong) = services.iter().find(|name| !spread.services().contains(name.as_str())) {
            return Err(no_such_service(wrong, spread.whole.services.keys()));
        }
        let own = |seat: &Seat| {
            let here = |name: &&String| seat.stack.project.services.keys().any(|service| service == name.as_str());
            services.iter().filter(here).cloned().collect::<Vec<_>>()
        };
        let own = spread.seats.iter().map(own).collect();
        let subjects = Self { spread, topology: Topology::of(&spread.whole), services, own };
        let mut findings = Findings::new();
        derive(&spread.whole, &subjects.topology, &Ended::new(), &mut findings);
        if let Some(files) = subjects.files() {
            output::findings(files, &findings, global.verbose);
        }
        match findings.has_errors() {
            true => Err(Failure::new(Exit::File, "the rules of x-verify contradict the file")),
            false => Ok(subjects),
        }
    }

    fn files(&self) -> Option<&'a Files> {
        self.spread.seats.first().map(|seat| &seat.stack.files)
    }

    /// Each host that has something to prove.
    fn seats(&self) -> impl Iterator<Item = (usize, &'a Seat, &[String])> {
        let all = self.spread.seats.iter().zip(&self.own).enumerate();
        all.filter(|(_, (seat, own))| {
            !seat.stack.project.services.is_empty() && (self.services.is_empty() || !own.is_empty())
        })
        .map(|(place, (seat, own))| (place, seat, own.as_slice()))
    }

    fn host(&self, name: &ServiceName) -> Option<usize> {
        self.spread.seats.iter().position(|seat| seat.stack.project.services.contains_key(name))
    }

    /// The checks between hosts when these services have ended.
    fn between(&self, ended: &Ended) -> Vec<Check> {
        let host = |name: &ServiceName| self.host(name);
        let all = derive(&self.spread.whole, &self.topology, ended, &mut Findings::new());
        let mut checks = Over::new(&self.topology, &host).between(all);
        let named =
            |check: &Check| check.service.as_ref().is_some_and(|s| self.services.iter().any(|n| *s == n.as_str()));
        checks.retain(|check| self.services.is_empty() || named(check));
        checks
    }

    /// The whole, for its picture.
    pub fn whole(&self) -> &'a Project {
        &self.spread.whole
    }

    /// What the file alone says.
    pub fn offline(&self) -> Result<Report, Failure> {
        let host = |name: &ServiceName| self.host(name);
        let over = Over::new(&self.topology, &host);
        let elsewhere = |check: &Check| over.takes(check);
        let mut checks = vec![];
        for (_, seat, own) in self.seats() {
            let (project, files) = (&seat.stack.project, &seat.stack.files);
            let subject = Subject::new(&seat.global, project, files, own)?.without(&elsewhere);
            checks.extend(subject.checks(&Ended::new()));
        }
        checks.extend(self.between(&Ended::new()));
        let files = self.files().cloned().unwrap_or_default();
        Ok(Report::offline(self.spread.name().as_str(), &checks, &over.matrix(), &files))
    }

    /// Asks and judges on each host, and then between them. What could not be cleaned up is said.
    pub async fn prove(&self, way: Way) -> Result<Report, Failure> {
        let engines = self.spread.connect(Purpose::Write).await?;
        let mut whole: Option<Proof> = None;
        let host = |name: &ServiceName| self.host(name);
        let over = Over::new(&self.topology, &host);
        let elsewhere = |check: &Check| over.takes(check);
        for (place, seat, own) in self.seats() {
            let subject = Subject::new(&seat.global, &seat.stack.project, &seat.stack.files, own)?.without(&elsewhere);
            let proof = subject.proof(&engines[place], way).await.map_err(|why| on(&seat.name, why))?;
            add(&mut whole, of_host(proof, &seat.name));
        }
        let all: Vec<_> = engines.iter().collect();
        let between = |ended: &Ended| self.between(ended);
        let mut proof = prove_over(&all, &host, &self.spread.whole, between, way).await?;
        (proof.containers, proof.engine) = (0, String::new());
        proof.ways.retain(|place, _| matches!(place, Vantage::Replica(_)));
        add(&mut whole, proof);
        let Some(mut proof) = whole else { return Err(Failure::new(Exit::Usage, "there is nothing to prove")) };
        let order = &self.spread.whole.services;
        proof
            .verdicts
            .sort_by_key(|s| s.check.service.as_ref().and_then(|name| order.get_index_of(name)).unwrap_or(usize::MAX));
        proof.leftovers.iter().for_each(|left| output::remark(&format!("warning: {left}")));
        let files = self.files().cloned().unwrap_or_default();
        Ok(Report::of(self.spread.name().as_str(), proof, &over.matrix(), &files))
    }
}

/// What was found on one host, with its name where another one has the same: its own place, and what is about no service.
fn of_host(mut proof: Proof, host: &HostName) -> Proof {
    let place = |place: Vantage| match place {
        Vantage::Host => Vantage::Named(format!("the host {host}")),
        Vantage::Outside => Vantage::Named(format!("outside {host}")),
        Vantage::Named(name) => Vantage::Named(format!("{name} on {host}")),
        replica => replica,
    };
    proof.ways = proof.ways.into_iter().map(|(at, way)| (place(at), way)).collect();
    for settled in proof.verdicts.iter_mut().filter(|settled| settled.check.service.is_none()) {
        settled.check.id = format!("{}@{host}", settled.check.id);
        settled.check.says = format!("{} on {host}", settled.check.says);
    }
    proof.leftovers = proof.leftovers.into_iter().map(|left| format!("{host}: {left}")).collect();
    proof
}

/// Adds one proof to those before it.
fn add(whole: &mut Option<Proof>, proof: Proof) {
    let Some(all) = whole else { return *whole = Some(proof) };
    all.verdicts.extend(proof.verdicts);
    all.ways.extend(proof.ways);
    all.leftovers.extend(proof.leftovers);
    all.containers += proof.containers;
    all.took += proof.took;
    if !proof.engine.is_empty() && !all.engine.split(", ").any(|version| version == proof.engine) {
        all.engine = format!("{}, {}", all.engine, proof.engine);
    }
}

//! What is proved: a project, and the checks of it that were asked for.

use bowline::compose::model::Project;
use bowline::engine::Engine;
use bowline::finding::Findings;
use bowline::report::verification::Report;
use bowline::source::Files;
use bowline::vantage::Way;
use bowline::verify::check::Check;
use bowline::verify::derive;
use bowline::verify::gather::{Proof, prove};
use bowline::verify::jobs::Ended;
use bowline::verify::matrix::Matrix;
use bowline::verify::topology::Topology;

use super::super::args::Global;
use super::super::exit::{Exit, Failure};
use super::super::output;
use super::super::stack::no_such_service;

/// A project whose rules hold together.
pub struct Subject<'a> {
    pub project: &'a Project,
    files: &'a Files,
    pub topology: Topology,
    /// Only the checks of these; all where none is named.
    services: &'a [String],
    /// Whether a check is proved elsewhere: over hosts.
    left_out: &'a dyn Fn(&Check) -> bool,
}

impl<'a> Subject<'a> {
    /// Says what is wrong with the rules of `x-verify`, and ends the command there.
    pub fn new(
        global: &Global,
        project: &'a Project,
        files: &'a Files,
        services: &'a [String],
    ) -> Result<Self, Failure> {
        let subject = Self { project, files, topology: Topology::of(project), services, left_out: &|_| false };
        let mut findings = Findings::new();
        derive(project, &subject.topology, &Ended::new(), &mut findings);
        output::findings(files, &findings, global.verbose);
        if findings.has_errors() {
            return Err(Failure::new(Exit::File, "the rules of x-verify contradict the file"));
        }
        match services.iter().find(|name| !project.services.keys().any(|s| s == name.as_str())) {
            Some(wrong) => Err(no_such_service(wrong, project.services.keys())),
            None => Ok(subject),
        }
    }

    /// The same without what is proved elsewhere.
    pub fn without(self, left_out: &'a dyn Fn(&Check) -> bool) -> Self {
        Self { left_out, ..self }
    }

    /// What is to be checked when these services have ended.
    pub fn checks(&self, ended: &Ended) -> Vec<Check> {
        let mut checks = derive(self.project, &self.topology, ended, &mut Findings::new());
        checks.retain(|check| !(self.left_out)(check));
        if !self.services.is_empty() {
            let named = |check: &Check| {
                check.service.as_ref().is_some_and(|s| self.services.iter().any(|name| s == name.as_str()))
            };
            checks.retain(named);
        }
        checks
    }

    /// What the file alone says.
    pub fn offline(&self) -> Report {
        let matrix = Matrix::of(&self.topology);
        Report::offline(self.project.name.as_str(), &self.checks(&Ended::new()), &matrix, self.files)
    }

    /// Asks and judges.
    pub async fn proof(&self, engine: &Engine, way: Way) -> Result<Proof, Failure> {
        Ok(prove(engine, self.project, |ended| self.checks(ended), way).await?)
    }

    /// Asks and judges. What could not be cleaned up is said.
    pub async fn prove(&self, engine: &Engine, way: Way) -> Result<Report, Failure> {
        let proof = self.proof(engine, way).await?;
        for left in &proof.leftovers {
            output::remark(&format!("warning: {left}"));
        }
        Ok(Report::of(self.project.name.as_str(), proof, &Matrix::of(&self.topology), self.files))
    }
}

//! What is shown: a project with its file, or by its name alone; the file is read again at every look.

use std::collections::BTreeSet;
use std::rc::Rc;

use bowline::compose;
use bowline::engine::{Engine, Event};
use bowline::finding::Findings;
use bowline::name::ProjectName;
use bowline::plan::up::{UpOptions, up};
use bowline::preflight::auto;
use bowline::report::standing::Standing;
use bowline::report::verification::Report;
use bowline::state::desired::{Desired, DesiredOptions, desired};
use bowline::ui::Seen;
use bowline::vantage::Way;
use bowline::verify::matrix::Matrix;
use bowline::verify::topology::Topology;
use bowline::verify::touch::touches;
use bowline::verify::{derive, gather};

use super::super::args::Global;
use super::super::engine::{Purpose, api_socket};
use super::super::exit::{Exit, Failure};
use super::super::preflight::Rigour;
use super::super::stack::{Named, Stack};
use super::super::{hosts, load, standing};

/// A project.
pub struct Source {
    /// Its name.
    pub name: ProjectName,
    /// Its file's words; none where it is known by its name alone.
    file: Option<(Stack, Topology)>,
}

impl Source {
    /// Reads the file; what is wrong with it is said.
    ///
    /// # Errors
    /// A file that is wrong.
    pub fn load(global: &Global) -> Result<Self, Failure> {
        if standing::is_known_by_name(global)? {
            return Ok(Self { name: Named::find(global)?.name().clone(), file: None });
        }
        let request = load::request(global, &[])?;
        let options = DesiredOptions { compatibility: global.compatibility, ..DesiredOptions::default() };
        Ok(Self::of(Stack::requested(global, Purpose::Write, &request, &options, Rigour::Refuse)?))
    }

    fn of(stack: Stack) -> Self {
        let topology = Topology::of(&stack.project);
        Self { name: stack.desired.project.clone(), file: Some((stack, topology)) }
    }

    /// `from compose.yaml`.
    pub fn from(&self) -> String {
        let Some((stack, _)) = &self.file else { return "without a stack file".to_owned() };
        let files: Vec<String> = stack.project.files.iter().map(|file| file.display().to_string()).collect();
        format!("from {}", files.join(", "))
    }

    /// The file as it is now; where it cannot be used, what it said before, and why.
    fn reload(self: Rc<Self>, global: &Global) -> (Rc<Self>, Option<String>) {
        if self.file.is_none() {
            return (self, None);
        }
        let Ok(request) = load::request(global, &[]) else { return (self, None) };
        let mut loaded = compose::load(&request);
        let Some(project) = loaded.project.take() else { return (self, wrong(&loaded.findings)) };
        let mut project = match hosts::part(global, project) {
            Ok(project) => project,
            Err(failure) => return (self, Some(failure.to_string())),
        };
        // whose parent that is was found out when the view began
        if auto::is_wanted(&project) {
            return (self, None);
        }
        loaded.findings.append(compose::unsupported(&project));
        compose::attach::contents(&mut project, &api_socket(global), &mut loaded.findings);
        if loaded.findings.has_errors() {
            return (self, wrong(&loaded.findings));
        }
        let options = DesiredOptions { compatibility: global.compatibility, ..DesiredOptions::default() };
        let desired = desired(&project, &options);
        let stack = Stack { project, desired, files: loaded.files, passed: BTreeSet::new() };
        (Rc::new(Self::of(stack)), None)
    }

    /// Looks at the Engine, with the file as it is now.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn look(self: Rc<Self>, global: &Global, engine: &Engine) -> Result<(Rc<Self>, Seen), Failure> {
        let (source, trouble) = self.reload(global);
        let nothing = Desired::nothing(source.name.clone());
        let (observed, plan, desired) = match &source.file {
            Some((stack, _)) => {
                let observed = stack.observe(engine).await?;
                let plan = up(&stack.desired, &observed, &UpOptions::default(), &mut Findings::new()).ok();
                (observed, plan, &stack.desired)
            }
            None => (Named::Name(source.name.clone()).observe(engine).await?, None, &nothing),
        };
        let (observed, plan) = (&observed, plan.as_ref());
        let standing = Standing { desired, observed, plan, call: "bowline", watches: false };
        let seen = Seen { trouble, ..Seen::of(&standing) };
        Ok((source, seen))
    }

    /// Proves the stack.
    ///
    /// # Errors
    /// What the Engine says; rules that contradict the file; where there is no file.
    pub async fn prove(self: Rc<Self>, engine: &Engine) -> Result<Report, Failure> {
        let Some((stack, topology)) = &self.file else {
            return Err(Failure::new(Exit::File, "without a stack file nothing is promised"));
        };
        let project = &stack.project;
        let mut findings = Findings::new();
        derive(project, topology, &Default::default(), &mut findings);
        if findings.has_errors() {
            return Err(Failure::new(Exit::File, "the rules of x-verify contradict the file: `bowline verify` tells"));
        }
        let checks = |ended: &_| derive(project, topology, ended, &mut Findings::new());
        let proof = gather::prove(engine, project, checks, Way::Auto).await?;
        Ok(Report::of(self.name.as_str(), proof, &Matrix::of(topology), &stack.files))
    }

    /// Whether an event may change what is shown.
    pub fn concerns(&self, event: &Event) -> bool {
        let attribute = |name: &str| event.attributes.get(name).map(String::as_str).unwrap_or_default();
        match event.kind.as_str() {
            "container" => {
                let own = attribute("com.docker.compose.project") == self.name.as_str();
                own && !event.action.starts_with("exec_") && event.action != "top"
            }
            "network" => attribute("name").starts_with(&format!("{}_", self.name)) || self.is_touched_by(event),
            _ => self.is_touched_by(event),
        }
    }

    /// Whether an event may change a verdict.
    pub fn is_touched_by(&self, event: &Event) -> bool {
        self.file.as_ref().is_some_and(|(_, topology)| touches(event, &self.name, topology))
    }

    /// Whether there are promises to prove.
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

fn wrong(findings: &Findings) -> Option<String> {
    let first = findings.iter().find(|finding| finding.severity == bowline::finding::Severity::Error)?;
    Some(format!("The file is wrong now, so it is shown as it was before: {} (`bowline config -q`)", first.message))
}

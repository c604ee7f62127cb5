//! From the command line to a project.

use std::collections::BTreeSet;

use bowline::compose::model::Project;
use bowline::compose::{self, Loaded, Request};
use bowline::finding::{Code, Findings};
use bowline::lint;
use bowline::source::Files;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::preflight::Rigour;
use super::{hosts, output};

/// What the options and this process ask to be loaded.
pub fn request(global: &Global, services: &[String]) -> Result<Request, Failure> {
    let process =
        Request::from_process().map_err(|e| Failure::new(Exit::File, e).hint("change to a directory that is there"))?;
    Ok(Request {
        files: global.files.clone(),
        project_name: global.project_name.clone(),
        project_directory: global.project_directory.clone(),
        profiles: global.profiles.clone(),
        env_files: global.env_files.clone(),
        services: services.to_vec(),
        all_resources: global.all_resources,
        compatibility: global.compatibility,
        ..process
    })
}

/// Loads, and says what was found.
pub fn load(global: &Global, request: &Request) -> Loaded {
    let loaded = compose::load(request);
    output::findings(&loaded.files, &loaded.findings, global.verbose);
    loaded
}

/// The project that a command brings up, plans, verifies: everything in it is understood, and nothing in it is left
/// undone. What was found is said; warnings do not stop it.
pub fn project(global: &Global, services: &[String]) -> Result<(Project, Files), Failure> {
    let request = request(global, services)?;
    accepted(global, compose::load(&request), Rigour::Refuse).map(|(project, files, _)| (project, files))
}

/// The same for what was loaded already. What the Engine would refuse for the file's own words is told, and where `rigour` lets it the
/// command goes on: with the codes of that.
pub fn accepted(global: &Global, loaded: Loaded, rigour: Rigour) -> Result<(Project, Files, BTreeSet<Code>), Failure> {
    let (project, files, passed) = whole(global, loaded, rigour)?;
    Ok((hosts::part(global, project)?, files, passed))
}

/// The same with all hosts that the stack is on.
pub fn whole(global: &Global, mut loaded: Loaded, rigour: Rigour) -> Result<(Project, Files, BTreeSet<Code>), Failure> {
    let mut unsayable = Findings::new();
    if let Some(project) = &loaded.project {
        unsayable = compose::unsupported(project);
        loaded.findings.append(unsayable.clone());
        lint::check_unsayable(project, &mut unsayable);
    }
    output::findings(&loaded.files, &loaded.findings, global.verbose);
    let stands = !loaded.findings.has_errors() || rigour == Rigour::Tell && !unsayable.has_errors();
    match loaded.project.filter(|_| stands) {
        Some(project) => Ok((project, loaded.files, loaded.findings.errors())),
        None => Err(refused()),
    }
}

/// The project of a command that makes nothing: what an Engine would refuse in it is in nobody's way there, and is told with `-v` alone.
pub fn known(global: &Global, loaded: Loaded) -> Result<(Project, Files), Failure> {
    let Loaded { project, files, mut findings, .. } = loaded;
    if project.is_some() && !global.verbose {
        findings.drop_errors();
    }
    output::findings(&files, &findings, global.verbose);
    project.map(|project| (project, files)).ok_or_else(refused)
}

/// The end of a command whose files are wrong; what is wrong has been said.
pub fn refused() -> Failure {
    Failure::new(Exit::File, "this stack cannot be worked with")
}

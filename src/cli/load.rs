//! From the command line to a project.

use bowline::compose::model::Project;
use bowline::compose::{self, Loaded, Request};
use bowline::source::Files;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::output;

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
    requested(global, &request(global, services)?)
}

/// The same for a request that says more than the global options do.
pub fn requested(global: &Global, request: &Request) -> Result<(Project, Files), Failure> {
    accepted(global, compose::load(request))
}

/// The same for what was loaded already.
pub fn accepted(global: &Global, mut loaded: Loaded) -> Result<(Project, Files), Failure> {
    if let Some(project) = &loaded.project {
        loaded.findings.append(compose::unsupported(project));
    }
    output::findings(&loaded.files, &loaded.findings, global.verbose);
    match loaded.project {
        Some(project) if !loaded.findings.has_errors() => Ok((project, loaded.files)),
        _ => Err(refused()),
    }
}

/// The end of a command whose files are wrong; what is wrong has been said.
pub fn refused() -> Failure {
    Failure::new(Exit::File, "this stack cannot be worked with")
}

//! From the command line to a project.

use bowline::compose::{self, Loaded, Request};
use bowline::finding::Severity;

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
pub fn load(request: &Request) -> Loaded {
    let loaded = compose::load(request);
    output::findings(&loaded.files, &loaded.findings);
    loaded
}

/// The end of a command whose files are wrong; what is wrong has been said.
pub fn refused(loaded: &Loaded) -> Failure {
    let errors = loaded.findings.iter().filter(|f| f.severity == Severity::Error).count();
    let errors = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
    Failure::new(Exit::File, format!("the stack cannot be read: {errors}"))
}

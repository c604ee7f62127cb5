//! Which project a command is about.

use bowline::name::ProjectName;

use super::args::Global;
use super::engine::environment;
use super::exit::{Exit, Failure};

/// What is known of a project without asking an Engine.
pub struct Known {
    /// Its name.
    pub name: ProjectName,
    /// The services that its file defines; none where there is no file.
    pub services: Option<Vec<String>>,
}

/// The project by `-p` or `COMPOSE_PROJECT_NAME`.
pub fn name_and_services(global: &Global) -> Result<Known, Failure> {
    let named =
        global.project_name.clone().or_else(|| environment("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()));
    let Some(name) = named else {
        return Err(Failure::new(Exit::Usage, "no project is named").hint("-p NAME names one"));
    };
    let name = name.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Known { name, services: None })
}

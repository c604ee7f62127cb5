//! Small projects for tests, named `p`; services need no image.

use crate::compose::environment::Environment;
use crate::compose::model::Project;
use crate::compose::{Loaded, Request, Skip, load_text_with};

/// Loads a project; what keeps it from being one is a panic with the findings.
pub fn project(text: &str) -> Project {
    let loaded = load(text);
    loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings))
}

/// Loads a project with its files and findings.
pub fn load(text: &str) -> Loaded {
    let skip = Skip { consistency: true, ..Skip::default() };
    let request = Request { skip, project_name: Some("p".to_owned()), ..Request::default() };
    load_text_with("compose.yaml", text, &Environment::new(), &request)
}

//! First stage, and the only one that reads files of its own accord: which stack files, which environment.
//!
//! Files: `-f`, else `COMPOSE_FILE`, else the search upwards for `compose.yaml` and its like with an override file beside
//! it. Project directory: `--project-directory`, else that of the first file, else the current one. Variables: the
//! process's own, then `--env-file` or `COMPOSE_ENV_FILES` (a later file wins), else `.env` of the current directory and
//! of the project's. Measured against docker compose 2.40.3.

use std::path::{Path, PathBuf};

use super::dotenv::{self, Format};
use super::environment::Environment;
use super::request::Request;
use super::sources::{Asked, Sources};
use crate::finding::{Code, Finding, Findings};
use crate::source::{FileId, Span};

/// Names that are searched for, the first first.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Names of override files, the first first.
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// What a project is loaded from.
#[derive(Debug)]
pub struct Gathered {
    /// The texts, and the reader of further ones (`extends`, `include`, `env_file`).
    pub sources: Sources,
    /// The stack files in the order in which they are merged. Empty after an error.
    pub stack_files: Vec<FileId>,
    /// Where relative paths start, absolute.
    pub project_directory: PathBuf,
    /// The variables for `${…}`.
    pub environment: Environment,
    /// The environment files that were named, absolute; `.env` is not among them.
    pub env_files: Vec<PathBuf>,
    /// The active profiles.
    pub profiles: Vec<String>,
}

/// Finds and reads the stack files and the environment.
pub fn gather(request: &Request, findings: &mut Findings) -> Gathered {
    let mut gathering = Gathering::new(request, findings);
    let env_files = gathering.named_env_files();
    let named: Vec<PathBuf> = request.files.clone();
    let before = gathering.directory(&named);
    gathering.read_env_files(&env_files, &before);
    let named = gathering.stack_files(named, &before);
    let project_directory = gathering.directory(&named);
    if project_directory != before {
        gathering.read_env_files(&env_files, &project_directory);
    }
    let stack_files = gathering.read_stack_files(&named);
    let Gathering { sources, environment, .. } = gathering;
    let profiles = match request.profiles.as_slice() {
        // `profiles: ["${WHEN}"]` with WHEN unset is active where no profile is asked for: the empty name counts
        [] => {
            let asked = environment.get("COMPOSE_PROFILES").unwrap_or_default();
            asked.split(',').map(|profile| profile.trim().to_owned()).collect()
        }
        profiles => profiles.to_vec(),
    };
    Gathered { sources, stack_files, project_directory, environment, env_files, profiles }
}

/// The variables that are known before any stack file is looked for: the process's, then those of the environment files that are named, else
/// those of `.env`. What is wrong with these files is told by [`gather`].
pub fn environment(request: &Request) -> Environment {
    let mut findings = Findings::new();
    let mut gathering = Gathering::new(request, &mut findings);
    let env_files = gathering.named_env_files();
    gathering.read_env_files(&env_files, &gathering.directory(&request.files));
    gathering.environment
}

/// Adds to `environment` what environment files set that is not set yet; of two files the later wins.
///
/// `asked` says who names them; a file that is not there is an error.
pub fn read_env_files(
    sources: &mut Sources,
    paths: &[PathBuf],
    asked: Asked<'_>,
    environment: &mut Environment,
    findings: &mut Findings,
) {
    let mut read = Environment::new();
    for path in paths {
        if let Some(id) = sources.read(path, asked, findings) {
            dotenv::read_into(&mut read, sources.files(), id, Format::Compose, &[environment], findings);
        }
    }
    environment.add_all(&read);
}

struct Gathering<'a> {
    request: &'a Request,
    sources: Sources,
    environment: Environment,
    findings: &'a mut Findings,
}

impl<'a> Gathering<'a> {
    fn new(request: &'a Request, findings: &'a mut Findings) -> Self {
        let sources = Sources::new(&request.current_dir, request.stdin.clone());
        let environment = request.environment.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        Self { request, sources, environment, findings }
    }

    /// `--env-file`, else `COMPOSE_ENV_FILES` of the process: absolute.
    fn named_env_files(&self) -> Vec<PathBuf> {
        let named = match self.request.env_files.as_slice() {
            [] => {
                let variable = self.request.environment.get("COMPOSE_ENV_FILES").map_or("", String::as_str);
                list(variable, ",").into_iter().map(PathBuf::from).collect()
            }
            files => files.to_vec(),
        };
        named.iter().map(|path| self.sources.absolute(path)).collect()
    }

    /// Reads the named environment files, or `.env` of a directory where none is named.
    fn read_env_files(&mut self, named: &[PathBuf], directory: &Path) {
        let Self { sources, environment, findings, .. } = self;
        if !named.is_empty() {
            let asked = Asked { what: "the environment file", at: None };
            return read_env_files(sources, named, asked, environment, findings);
        }
        if self.default_is_disabled() {
            return;
        }
        let Self { sources, environment, findings, .. } = self;
        let default = directory.join(".env");
        if default.exists() && !default.is_dir() {
            let asked = Asked { what: "the environment file", at: None };
            read_env_files(sources, &[default], asked, environment, findings);
        }
    }

    fn default_is_disabled(&mut self) -> bool {
        let name = "COMPOSE_DISABLE_ENV_FILE";
        let Some(value) = self.request.environment.get(name).cloned() else { return false };
        match self.environment.flag(name) {
            Some(flag) => flag,
            None => {
                let id = self.sources.files_mut().add("<environment>", None, format!("{name}={value}"));
                let span = Span::new(id, name.len() + 1, name.len() + 1 + value.len());
                let message = format!("`{name}` is neither true nor false");
                let finding = Finding::error(Code::BadValue, message).at(span);
                self.findings.push(finding.help("set it to `true` or `false`, or unset it"));
                true
            }
        }
    }

    /// Where relative paths start, as far as the files are known.
    fn directory(&self, files: &[PathBuf]) -> PathBuf {
        if let Some(directory) = &self.request.project_directory {
            return self.sources.absolute(directory);
        }
        let first = files.iter().find(|f| !is_stdin(f)).map(|f| self.sources.absolute(f));
        match first.as_deref().and_then(Path::parent) {
            Some(parent) => parent.to_path_buf(),
            None => self.request.current_dir.clone(),
        }
    }

    /// The stack files: named by `-f`, by `COMPOSE_FILE`, or found.
    fn stack_files(&mut self, named: Vec<PathBuf>, directory: &Path) -> Vec<PathBuf> {
        if !named.is_empty() {
            return named;
        }
        if let Some(variable) = self.environment.get("COMPOSE_FILE") {
            let separator = self.environment.get("COMPOSE_PATH_SEPARATOR").filter(|s| !s.is_empty()).unwrap_or(":");
            return variable.split(separator).filter(|p| !p.is_empty()).map(PathBuf::from).collect();
        }
        for place in directory.ancestors() {
            let found = self.first_of(place, &NAMES);
            if !found.is_empty() {
                return found.into_iter().chain(self.first_of(place, &OVERRIDES)).collect();
            }
        }
        vec![]
    }

    /// The first of these names that is there; several are a warning.
    fn first_of(&mut self, directory: &Path, names: &[&str]) -> Vec<PathBuf> {
        let there: Vec<&&str> = names.iter().filter(|name| directory.join(name).exists()).collect();
        if let [first, rest @ ..] = there.as_slice()
            && !rest.is_empty()
        {
            let others: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("`{first}` is read, and {} beside it is not", others.join(", "));
            let help = "remove the one that is not meant, or name those that are with `-f`";
            self.findings.push(Finding::warning(Code::AmbiguousFile, message).help(help));
        }
        there.first().map(|name| directory.join(name)).into_iter().collect()
    }

    fn read_stack_files(&mut self, named: &[PathBuf]) -> Vec<FileId> {
        if named.is_empty() {
            self.findings.push(self.nothing_found());
        }
        let origin = self.environment.variable("COMPOSE_FILE").and_then(|v| v.origin);
        let mut read = vec![];
        for path in named {
            let id = if is_stdin(path) {
                self.sources.read_stdin(self.findings)
            } else if is_remote(path) {
                self.findings.push(remote(path, origin));
                None
            } else {
                let at = if self.request.files.is_empty() { origin } else { None };
                self.sources.read(path, Asked { what: "the stack file", at }, self.findings)
            };
            read.extend(id);
        }
        if let (Some(text), false) = (&self.request.overlay, read.is_empty()) {
            read.push(self.sources.files_mut().add("<command line>", None, text.clone()));
        }
        read
    }

    fn nothing_found(&self) -> Finding {
        let directory = self.directory(&[]);
        let message = format!("no stack file in {} or above it", directory.display());
        let mut yaml: Vec<String> = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
            .collect();
        yaml.sort();
        let help = match yaml.as_slice() {
            [] => format!("write {}, or name a file with `-f`", NAMES[0]),
            [first, ..] => format!("the names that are searched for are {}; is `-f {first}` meant?", NAMES.join(", ")),
        };
        Finding::error(Code::NoProject, message).help(help)
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A stack file from a registry or a repository.
fn is_remote(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["oci://", "https://", "http://", "ssh://", "git://", "git@", "github.com/"].iter().any(|p| text.starts_with(p))
}

fn remote(path: &Path, origin: Option<Span>) -> Finding {
    Finding::error(Code::NotSupported, format!("a stack file from elsewhere is not supported yet: {}", path.display()))
        .maybe_at(origin)
        .help("fetch it first, and name the local file")
}

/// The parts of a variable that lists things, without blanks and empty ones.
fn list(text: &str, separator: &str) -> Vec<String> {
    text.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;

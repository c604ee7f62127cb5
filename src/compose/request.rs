//! What is asked of the loader: the command line's share and the environment's, as data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

/// Everything that decides which project is loaded. The loader looks at nothing else but the files that follow from it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`, in order; `-` is standard input. Empty: `COMPOSE_FILE`, or the search upwards from `current_dir`.
    pub files: Vec<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// `--profile`; empty: `COMPOSE_PROFILES`.
    pub profiles: Vec<String>,
    /// `--env-file`; empty: `COMPOSE_ENV_FILES`, or `.env`.
    pub env_files: Vec<PathBuf>,
    /// Services that were named: their profiles are active, and only they and what they need stay. Empty: all.
    pub services: Vec<String>,
    /// The environment of the process.
    pub environment: IndexMap<String, String>,
    /// One more stack file, merged last, that no file holds: what the command line says of services (`run -p 80:80`).
    pub overlay: Option<String>,
    /// What `-f -` reads; none: the standard input of the process.
    pub stdin: Option<Vec<u8>>,
    /// The directory that the process stands in, absolute.
    pub current_dir: PathBuf,
    /// `--all-resources`: keep networks, volumes, secrets and configs that no active service uses.
    pub all_resources: bool,
    /// `--compatibility`: `_` instead of `-` in names.
    pub compatibility: bool,
    /// Stages that `config` can leave out.
    pub skip: Skip,
}

/// Stages that `config` can leave out; a command that talks to an Engine leaves out `env_files` at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skip {
    /// `--no-interpolate`.
    pub interpolation: bool,
    /// `--no-normalize`.
    pub normalization: bool,
    /// `--no-path-resolution`.
    pub path_resolution: bool,
    /// `--no-consistency`.
    pub consistency: bool,
    /// Files of variables and labels: a command that makes no container does not need what is in them.
    pub env_files: bool,
}

impl Request {
    /// A request for what this process was started with: its environment and its directory.
    ///
    /// # Errors
    /// When the current directory is gone.
    pub fn from_process() -> std::io::Result<Self> {
        let current_dir = current_dir()?;
        Ok(Self { environment: environment(std::env::vars_os(), &current_dir), current_dir, ..Self::default() })
    }

    /// The project's directory, or one above or below it: as far as it is known before any file is looked for.
    pub fn around(&self) -> PathBuf {
        let file = self.files.first().and_then(|file| file.parent());
        let said = self.project_directory.as_deref().or(file).unwrap_or(Path::new(""));
        super::sources::clean(&self.current_dir.join(said))
    }
}

/// The process's variables. `PWD` is always among them, whoever started the process: a file may say `${PWD}/data`.
fn environment(process: impl Iterator<Item = (OsString, OsString)>, current_dir: &Path) -> IndexMap<String, String> {
    let text = |s: OsString| s.to_string_lossy().into_owned();
    let mut all: IndexMap<String, String> = process.map(|(name, value)| (text(name), text(value))).collect();
    all.entry("PWD".to_owned()).or_insert_with(|| current_dir.to_string_lossy().into_owned());
    all
}

/// The current directory as the shell names it (`PWD`), which keeps symbolic links, as docker compose does.
fn current_dir() -> std::io::Result<PathBuf> {
    let physical = std::env::current_dir()?;
    let logical = std::env::var_os("PWD").map(PathBuf::from).filter(|p| p.is_absolute());
    Ok(match logical {
        Some(path) if path.canonicalize().is_ok_and(|p| p == physical) => path,
        _ => physical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_project_is_likely_to_be_needs_no_file() {
        let around = |files: &[&str], directory: Option<&str>| {
            let files = files.iter().map(PathBuf::from).collect();
            let directory = directory.map(PathBuf::from);
            Request { files, project_directory: directory, current_dir: "/a/b".into(), ..Request::default() }.around()
        };
        assert_eq!(around(&[], None), Path::new("/a/b"));
        assert_eq!(around(&["compose.yaml"], None), Path::new("/a/b"));
        assert_eq!(around(&["../c/one.yaml", "/d/two.yaml"], None), Path::new("/a/c"));
        assert_eq!(around(&["../c/one.yaml"], Some("d")), Path::new("/a/b/d"));
    }

    #[test]
    fn the_directory_is_a_variable_whoever_started_the_process() {
        let pwd = |process: &[(&str, &str)]| {
            let process = process.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            environment(process, Path::new("/here")).shift_remove("PWD")
        };
        assert_eq!(pwd(&[]).as_deref(), Some("/here"));
        assert_eq!(pwd(&[("PWD", "/there")]).as_deref(), Some("/there"));
    }
}

//! A further program in a container that runs.

use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};

use super::{Ends, Engine, Error};

/// What is run.
#[derive(Clone, Debug, Default)]
pub struct ExecSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// As whom; none: as the container's own user.
    pub user: Option<String>,
    /// Where; none: in the container's own directory.
    pub working_dir: Option<String>,
    /// On a terminal of its own.
    pub terminal: bool,
    /// With every capability.
    pub privileged: bool,
}

/// A program that runs.
pub struct Exec {
    /// Its id.
    pub id: String,
    /// What it reads and writes.
    pub ends: Ends,
}

impl Engine {
    /// Runs a program in a container, with its ends in our hands.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a container that does not run; what the Engine refuses.
    pub async fn exec(&self, container: &str, spec: &ExecSpec) -> Result<Exec, Error> {
        let id = self.create_exec(container, spec, true).await?;
        let options = StartExecOptions { detach: false, tty: spec.terminal, output_capacity: None };
        match self.docker.start_exec(&id, Some(options)).await? {
            StartExecResults::Attached { output, input } => Ok(Exec { id, ends: Ends { input, output } }),
            StartExecResults::Detached => {
                let why = "it is not attached".to_owned();
                Err(Error::Unreadable { request: "POST /exec/start".to_owned(), why })
            }
        }
    }

    /// Runs a program in a container and leaves it alone.
    ///
    /// # Errors
    /// As [`Engine::exec`].
    pub async fn exec_detached(&self, container: &str, spec: &ExecSpec) -> Result<(), Error> {
        let id = self.create_exec(container, spec, false).await?;
        let options = StartExecOptions { detach: true, tty: spec.terminal, output_capacity: None };
        self.docker.start_exec(&id, Some(options)).await?;
        Ok(())
    }

    /// Tells the program how large its terminal is, in rows and columns.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn resize_exec(&self, id: &str, (height, width): (u16, u16)) -> Result<(), Error> {
        Ok(self.docker.resize_exec(id, ResizeExecOptions { height, width }).await?)
    }

    /// What the program ended with; none while it runs.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn exec_code(&self, id: &str) -> Result<Option<i64>, Error> {
        let found = self.docker.inspect_exec(id).await?;
        Ok(found.exit_code.filter(|_| found.running != Some(true)))
    }

    async fn create_exec(&self, container: &str, spec: &ExecSpec, attached: bool) -> Result<String, Error> {
        let options = CreateExecOptions {
            attach_stdin: Some(attached),
            attach_stdout: Some(attached),
            attach_stderr: Some(attached),
            tty: Some(spec.terminal),
            env: Some(spec.environment.clone()),
            cmd: Some(spec.command.clone()),
            privileged: Some(spec.privileged),
            user: spec.user.clone(),
            working_dir: spec.working_dir.clone(),
            ..CreateExecOptions::default()
        };
        Ok(self.docker.create_exec(container, options).await?.id)
    }
}

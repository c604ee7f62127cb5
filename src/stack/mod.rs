//! A stack for a test or a program: up with everything healthy, its addresses, logs and proofs, and down again whatever happens.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let here = |name: &str| std::env::var(name).ok();
//! # if bowline::engine::Engine::connect(&here, Default::default()).await.is_err() { return Ok(()) }
//! let stack = bowline::Stack::load("examples/quickstart/compose.yaml")?.ephemeral_ports().up().await?;
//! let web = stack.address("web", 80).await?; // 127.0.0.1:49153
//! std::net::TcpStream::connect(web.to_string())?;
//! assert_eq!(stack.exec("client", &["true"]).await?.code, 0);
//! stack.down().await?;
//! # Ok(()) }) }
//! ```
//!
//! The project has a name of its own, so that many stand side by side. What was made is taken away when [`Running`] is dropped, also by
//! a panic; what a killed process leaves behind is known by its labels, and [`reap`] takes it away.

mod alone;
mod bring;
mod error;
mod owner;
mod reap;
mod running;
mod teardown;

use std::path::PathBuf;
use std::time::Duration;

pub use alone::SubnetPool;
pub use bring::Hooks;
pub use error::StackError;
pub use owner::Owner;
pub use reap::{Reaped, left, reap};
pub use running::{Finished, Published, Running};
use sha2::{Digest, Sha256};
pub use teardown::teardown;

use crate::compose::model::Project;
use crate::compose::{self, Request};
use crate::engine::{Engine, Options};
use crate::finding::Findings;
use crate::name::ProjectName;
use crate::report::findings::{Color, text};
use crate::source::Files;

/// How long what a process on another machine made is left alone.
const TIME_TO_LIVE: Duration = Duration::from_secs(6 * 60 * 60);

/// A stack file that makes sense, and how it is to be brought up.
#[derive(Clone, Debug)]
pub struct Stack {
    project: Project,
    files: Files,
    /// What is worth knowing of the files, but no error.
    findings: Findings,
    subnet_pool: Option<SubnetPool>,
    time_to_live: Duration,
    keep: bool,
    build: Option<bool>,
}

impl Stack {
    /// The stack of a file, with the environment of this process, under a name of its own.
    ///
    /// # Errors
    /// [`StackError::File`] with everything that is wrong with the file.
    pub fn load(file: impl Into<PathBuf>) -> Result<Self, StackError> {
        let request = Request::from_process().map_err(|why| StackError::File(why.to_string()))?;
        Self::of(&Request { files: vec![file.into()], ..request })
    }

    /// The stack of a request. Where that names no project, it gets a name of its own: the stack's with eight digits behind it.
    ///
    /// # Errors
    /// As [`Stack::load`].
    pub fn of(request: &Request) -> Result<Self, StackError> {
        let own_names = request.project_name.is_none();
        let (mut project, mut files, mut findings) = load(request)?;
        if own_names {
            let name = format!("{}-{}", project.name, digits());
            (project, files, findings) = load(&Request { project_name: Some(name), ..request.clone() })?;
            alone::own_names(&mut project);
        }
        Ok(Self { project, files, findings, subnet_pool: None, time_to_live: TIME_TO_LIVE, keep: false, build: None })
    }

    /// Fixed host ports are dropped: the Engine chooses, and [`Running::address`] tells.
    #[must_use]
    pub fn ephemeral_ports(mut self) -> Self {
        alone::ephemeral_ports(&mut self.project);
        self
    }

    /// Its networks get small subnets of this pool, instead of those of the file or the Engine.
    #[must_use]
    pub fn subnet_pool(self, pool: SubnetPool) -> Self {
        Self { subnet_pool: Some(pool), ..self }
    }

    /// How long [`reap`] leaves it alone where nobody can see whether its owner lives; six hours without this.
    #[must_use]
    pub fn time_to_live(self, time_to_live: Duration) -> Self {
        Self { time_to_live, ..self }
    }

    /// It may outlive this process: [`reap`] takes it away when its time is over.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { keep: true, ..self }
    }

    /// Builds every image anew, also those that are there.
    #[must_use]
    pub fn build(self) -> Self {
        Self { build: Some(true), ..self }
    }

    /// The project's name.
    pub fn name(&self) -> &ProjectName {
        &self.project.name
    }

    /// What is worth knowing of the files, with their texts.
    pub fn findings(&self) -> (&Files, &Findings) {
        (&self.files, &self.findings)
    }

    /// Opens the Engine that the docker command would take; nothing is made yet. From now on whatever happens ends with nothing left.
    ///
    /// # Errors
    /// [`StackError::Engine`] where none answers.
    pub async fn prepare(self) -> Result<Running, StackError> {
        let engine = Engine::connect(&|name| std::env::var(name).ok(), Options::default()).await?;
        Ok(Running::new(self, engine))
    }

    /// Brings it up, and waits until everything runs and is healthy. One that does not come up is taken away again.
    ///
    /// # Errors
    /// What stands in the way; nothing of it is left then.
    pub async fn up(self) -> Result<Running, StackError> {
        let mut running = self.prepare().await?;
        match running.bring_up(&Hooks::default()).await {
            Ok(()) => Ok(running),
            Err(why) => {
                running.down().await?;
                Err(why)
            }
        }
    }
}

/// The project with the contents that its containers need.
fn load(request: &Request) -> Result<(Project, Files, Findings), StackError> {
    let mut loaded = compose::load(request);
    if let Some(project) = &mut loaded.project {
        loaded.findings.append(compose::unsupported(project));
        let way = || crate::engine::api_socket(&|name| std::env::var(name).ok()).map_err(|why| why.to_string());
        compose::attach::contents(project, &way, &mut loaded.findings);
        compose::attach::builds(project, &mut loaded.findings);
    }
    if loaded.project.as_ref().is_some_and(|project| project.hosts.is_some()) {
        return Err(StackError::File("a stack on several hosts (`x-hosts`) cannot be tested yet".to_owned()));
    }
    match loaded.project {
        Some(project) if !loaded.findings.has_errors() => Ok((project, loaded.files, loaded.findings)),
        _ => Err(StackError::File(text(&loaded.files, &loaded.findings, Color::Plain))),
    }
}

/// Eight hexadecimal digits that nobody else has: of the time, the process, the thread and the machine.
fn digits() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let seed = format!("{:?} {number} {:?}", std::time::SystemTime::now(), Owner::this());
    Sha256::digest(seed).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

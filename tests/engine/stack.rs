//! What a scenario stands on: a project name of its own, a directory, the program, and a cleanup that runs whatever happens.

use std::cell::RefCell;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bowline::engine::{Engine, Facts, Options, Scope};
use bowline::name::ProjectName;

/// A runtime for a test that speaks to the Engine itself.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

thread_local! {
    /// The Engine that this test speaks to, where it is not the one that the environment names: tests of the lab have several.
    static HOST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on this test, and each program that it starts, speaks to the Engine there (`tcp://…`); none is the environment's.
pub fn speak_to(host: Option<String>) {
    HOST.set(host);
}

/// Whether these tests run on the second of the Engines that `scripts/test` sets up: where it would take too long to try every place
/// on each, both try different ones.
pub fn second_engine() -> bool {
    std::env::var("BOWLINE_TEST_ENGINE").is_ok_and(|name| name != "default")
}

/// A program that speaks to the test's Engine.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    HOST.with_borrow(|host| _ = host.as_ref().map(|host| command.env("DOCKER_HOST", host)));
    command
}

async fn connect() -> Result<Engine, bowline::engine::Error> {
    let variable = |name: &str| {
        let other = HOST.with_borrow(Clone::clone).filter(|_| name == "DOCKER_HOST");
        other.or_else(|| std::env::var(name).ok())
    };
    Engine::connect(&variable, Options::default()).await
}

/// The Engine, or none after saying that the test is skipped.
///
/// # Panics
/// Where a test must not be skipped.
pub async fn engine() -> Option<Engine> {
    match connect().await {
        Ok(engine) => Some(engine),
        Err(why) => {
            let strict =
                std::env::var_os("BOWLINE_TEST_ENGINE").is_some() || std::env::var("CI").as_deref() == Ok("true");
            assert!(!strict, "no Engine, and this run must have one: {why}");
            eprintln!("SKIPPED, no Engine: {why}");
            None
        }
    }
}

/// Asks until the answer is `Ok`, without a pause that matters, and fails with the last answer when `limit` is over.
pub fn eventually<T, E: Debug>(limit: Duration, mut check: impl FnMut() -> Result<T, E>) -> T {
    let end = Instant::now() + limit;
    loop {
        match check() {
            Ok(found) => return found,
            Err(last) if Instant::now() > end => panic!("not within {limit:?}; at last: {last:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A stack under test. Dropped, it is removed from the Engine by its label, without bowline's help.
pub struct Stack {
    /// Its project name, unlike any other's.
    pub name: String,
    /// Its directory.
    pub directory: PathBuf,
}

/// A stack that builds. Dropped, its images go too, those that lost their names among them.
pub struct Built(pub Stack);

impl std::ops::Deref for Built {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.0
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let _ = self.bowline("down -t 0").output();
        // an Engine does one of these at a time, and refuses another test's
        for _ in 0..100 {
            let pruned = program("docker").args(["image", "prune", "-af", "--filter", &filter]).output();
            if !pruned.is_ok_and(|output| Ran::from(output).err.contains("already running")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Stack {
    /// A stack with `compose.yaml` as given; none where there is no Engine. `$NAME` in the text is the project's name.
    pub fn new(topic: &str, yaml: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        block_on(engine())?;
        let name = format!("bt-{topic}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&directory).unwrap();
        let stack = Self { name, directory };
        stack.write(yaml);
        Some(stack)
    }

    /// Replaces the stack file.
    pub fn write(&self, yaml: &str) {
        std::fs::write(self.directory.join("compose.yaml"), yaml.replace("$NAME", &self.name)).unwrap();
    }

    /// `bowline -p NAME …` in the stack's directory.
    pub fn bowline(&self, arguments: &str) -> Command {
        self.command(env!("CARGO_BIN_EXE_bowline"), &[], arguments)
    }

    /// `docker compose -p NAME …` in the stack's directory.
    pub fn compose(&self, arguments: &str) -> Command {
        self.command("docker", &["compose"], arguments)
    }

    fn command(&self, program: &str, first: &[&str], arguments: &str) -> Command {
        let mut command = self::program(program);
        command.args(first).args(["-p", &self.name]).args(arguments.split_whitespace());
        command.current_dir(&self.directory).stdin(Stdio::null());
        for variable in ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs bowline and expects this exit code.
    pub fn run(&self, arguments: &str, code: i32) -> Ran {
        let ran = Ran::from(self.bowline(arguments).output().unwrap());
        assert_eq!(ran.code, Some(code), "bowline {arguments}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// What `docker` prints for these arguments, where `{p}` is the filter on the project's label.
    pub fn docker(&self, arguments: &str) -> String {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let words = arguments.split_whitespace().map(|word| if word == "{p}" { filter.as_str() } else { word });
        let ran = Ran::from(program("docker").args(words).output().unwrap());
        assert_eq!(ran.code, Some(0), "docker {arguments}\n{}", ran.err);
        ran.out.trim().to_owned()
    }

    /// What a line prints in one of the stack's containers.
    pub fn shell(&self, service: &str, line: &str) -> String {
        let name = format!("{}-{service}-1", self.name);
        let ran = Ran::from(program("docker").args(["exec", &name, "sh", "-c", line]).output().unwrap());
        assert_eq!(ran.code, Some(0), "{line}\n{}", ran.err);
        ran.out.trim().to_owned()
    }

    /// `docker inspect -f FORMAT` of one of the stack's containers.
    pub fn inspect(&self, service: &str, format: &str) -> String {
        let name = format!("{}-{service}-1", self.name);
        let ran = Ran::from(program("docker").args(["inspect", "-f", format, &name]).output().unwrap());
        assert_eq!(ran.code, Some(0), "docker inspect {name}\n{}", ran.err);
        ran.out.trim().to_owned()
    }

    /// Everything of the stack that the Engine holds, one name a line: empty is clean.
    pub fn remains(&self) -> String {
        let left = block_on(async {
            match engine().await {
                Some(engine) => self.left(&engine).await,
                None => vec![],
            }
        });
        left.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The names of everything of the stack that the Engine holds, and of everything else that is called after it: names for the
    /// time being, too.
    pub fn names(&self) -> Vec<String> {
        block_on(async {
            let Some(engine) = engine().await else { return vec![] };
            let scope = Scope { project: &self.project(), images: vec![], names: vec![], facts: Facts::Brief };
            let seen = engine.observe(&scope).await.unwrap();
            let own = seen.containers.into_iter().map(|container| container.name);
            let others = seen.others.into_iter().map(|container| container.name);
            let networks = seen.networks.into_iter().map(|network| network.name);
            let volumes = seen.volumes.into_iter().map(|volume| volume.name);
            own.chain(others).chain(networks).chain(volumes).filter(|name| name.contains(&self.name)).collect()
        })
    }

    /// What the Engine holds by the project's label, in the order in which it can go: kind and name.
    async fn left(&self, engine: &Engine) -> Vec<(Kind, String)> {
        let project = self.project();
        let containers = engine.list(&project).await.unwrap().into_iter().map(|c| (Kind::Container, c.name));
        let networks = engine.networks().await.unwrap().into_iter().filter(|n| n.belongs_to(&project));
        let label = |labels: &std::collections::BTreeMap<String, String>| {
            labels.get("com.docker.compose.project").is_some_and(|p| *p == self.name)
        };
        let volumes = engine.volumes().await.unwrap().into_iter().filter(|v| label(&v.labels));
        // by id: Engines before 25 may hold two of one name
        let networks = networks.map(|n| (Kind::Network, n.id.map_or(n.name, |id| id.as_str().to_owned())));
        containers.chain(networks).chain(volumes.map(|v| (Kind::Volume, v.name))).collect()
    }

    /// The project's name.
    pub fn project(&self) -> ProjectName {
        self.name.parse().unwrap()
    }
}

/// What can be left behind.
enum Kind {
    Container,
    Network,
    Volume,
}

impl Drop for Stack {
    fn drop(&mut self) {
        block_on(async {
            // an Engine that a test has killed takes everything along
            let Ok(engine) = connect().await else { return };
            for (kind, name) in self.left(&engine).await {
                let _ = match kind {
                    Kind::Container => engine.remove_container(&name, true, true).await,
                    Kind::Network => engine.remove_network(&name).await,
                    Kind::Volume => engine.remove_volume(&name).await,
                };
            }
        });
        remove_directory(&self.directory);
    }
}

fn remove_directory(path: &Path) {
    let _ = std::fs::remove_dir_all(path);
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; none by a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

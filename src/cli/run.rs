//! `bowline run`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bowline::compose::Request;
use bowline::compose::dotenv::{self, Format};
use bowline::compose::model::Hook;
use bowline::compose::value::words;
use bowline::engine::{Attachment, Effect, Engine};
use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::plan::up::{Reach, UpOptions, up};
use bowline::run::run_hook;
use bowline::source::Files;
use bowline::state::desired::one_off::{self, OneOff};
use bowline::state::desired::{Desired, DesiredOptions};
use bowline::state::settings::FilesVolume;
use clap::Args;
use sha2::{Digest, Sha256};

use super::args::{Global, Progress};
use super::carry::{self, Stage};
use super::conversation::{self, Joint};
use super::display::Display;
use super::engine::{Purpose, connect, environment};
use super::exit::{Exit, Failure};
use super::preflight::{self, Rigour};
use super::signals::Signals;
use super::stack::{Stack, no_such_service};
use super::up::Pull;
use super::{block_on, directory, load, lock, output, terminal};

/// Run a command in a new container of a service
///
/// What the service depends on is brought up first. The container has the service's settings but for its ports and its names on
/// networks, and the terminal where there is one. The command's exit code is bowline's.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Build images anew before anything else.
    #[arg(long)]
    build: bool,
    /// A capability that it has; may be repeated.
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// A capability that it has not; may be repeated.
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// Leave it running, show its id and return.
    #[arg(short, long)]
    detach: bool,
    /// Another program than the image's, in one string.
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    /// A variable of its environment; may be repeated. Without a value it is taken from bowline's own.
    #[arg(short = 'e', long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// A file of variables; may be repeated.
    #[arg(long, value_name = "FILE")]
    env_from_file: Vec<PathBuf>,
    /// Whether its input stays open.
    #[arg(short, long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    interactive: bool,
    /// A label; may be repeated.
    #[arg(short, long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// No terminal, even where there is one.
    #[arg(short = 'T', long = "no-TTY", alias = "no-tty")]
    no_tty: bool,
    /// Leave alone what the service depends on.
    #[arg(long)]
    no_deps: bool,
    /// Go on where preflight says that the Engine or its host would refuse, by the file alone or by what is there.
    #[arg(long)]
    no_preflight: bool,
    /// Publish a port, in the file's short form; may be repeated.
    #[arg(short, long = "publish", value_name = "PORT", conflicts_with = "service_ports")]
    ports: Vec<String>,
    /// When to pull images.
    #[arg(long, value_enum, value_name = "POLICY")]
    pull: Option<Pull>,
    /// Show no progress.
    #[arg(short, long)]
    quiet: bool,
    /// Show nothing of what a builder says; where it fails, its last lines are told.
    #[arg(long)]
    quiet_build: bool,
    /// Say nothing of how far a pull is.
    #[arg(long)]
    quiet_pull: bool,
    /// Remove containers of services that the file does not define.
    #[arg(long)]
    remove_orphans: bool,
    /// Remove it when it ends.
    #[arg(long)]
    rm: bool,
    /// Publish the service's ports.
    #[arg(short = 'P', long)]
    service_ports: bool,
    /// Give it the service's names on its networks.
    #[arg(long)]
    use_aliases: bool,
    /// As which user: a name or an id, `:GROUP` behind it.
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// A volume, in the file's short form; may be repeated.
    #[arg(short, long = "volume", value_name = "VOLUME")]
    volumes: Vec<String>,
    /// The directory that it begins in.
    #[arg(short, long, value_name = "DIRECTORY")]
    workdir: Option<String>,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The command and its arguments; by default the service's own.
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let request = Request {
        overlay: Some(arguments.overlay()),
        ..load::request(global, std::slice::from_ref(&arguments.service))?
    };
    let service: ServiceName = arguments.service.parse().map_err(|why| Failure::new(Exit::Usage, why))?;
    known(&request, arguments)?;
    let options =
        DesiredOptions { scale: [(service.clone(), 1)].into_iter().collect(), compatibility: global.compatibility };
    let rigour = Rigour::of(arguments.no_preflight);
    let stack = Stack::requested(global, Purpose::Write, &request, &options, rigour)?;
    let one_off = arguments.one_off()?;
    let name = one_off.name(&stack.desired, &service);
    let desired = one_off::with(stack.desired.clone(), &service, &one_off);
    let desired = desired.ok_or_else(|| no_such_service(&arguments.service, &stack.desired.services))?;
    let stack = Stack { desired, ..stack };
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        if !make(global, arguments, &engine, &stack, &service).await? {
            return Ok(Exit::Ok);
        }
        let id = engine.id_of(&name).await?.ok_or_else(|| Failure::new(Exit::StepFailed, format!("{name} is gone")))?;
        let hooks = hooks(&stack.desired, &service);
        let files =
            stack.desired.containers.get(&one_off::replica(&service)).and_then(|c| c.settings.files_volume.as_ref());
        let made = Made { engine: &engine, id: &id, hooks, files, one_off: &one_off, ends: Cell::new(false) };
        match arguments.detach {
            true => {
                made.start().await?;
                made.greet().await?;
                output::answer(&id)?;
                Ok(Exit::Ok)
            }
            false => made.attached().await,
        }
    })
}

/// What is run in the container once it has started.
fn hooks<'s>(desired: &'s Desired, service: &ServiceName) -> &'s [Hook] {
    desired.containers.get(&one_off::replica(service)).map_or(&[], |container| &container.post_start)
}

/// Makes the container, when what it depends on is there; false where nothing is to be done (`--dry-run`).
async fn make(
    global: &Global,
    arguments: &Arguments,
    engine: &Engine,
    stack: &Stack,
    service: &ServiceName,
) -> Result<bool, Failure> {
    let mut signals = Signals::new()?;
    let lock = lock::take(global, engine, &stack.desired.project, "run", &mut signals).await?;
    let observed = one_off::hide(stack.observe(engine).await?, service);
    let options = UpOptions {
        services: vec![service.clone()],
        reach: if arguments.no_deps { Reach::Named } else { Reach::Dependencies },
        held: Some(service.clone()),
        remove_orphans: arguments.remove_orphans,
        ignore_orphans: global.ignore_orphans,
        build: arguments.build.then_some(true),
        pull: arguments.pull.map(Pull::word),
        ..UpOptions::default()
    };
    let mut findings = Findings::new();
    let plan = up(&stack.desired, &observed, &options, &mut findings);
    output::findings(&stack.files, &findings, global.verbose);
    if findings.has_errors() {
        return Err(Failure::new(Exit::Preflight, "this Engine cannot hold the container; nothing was changed"));
    }
    let plan = plan.map_err(carry::flaw)?;
    directory::check(global, stack, &observed, &plan, Rigour::Refuse)?;
    let rigour = Rigour::of(arguments.no_preflight);
    preflight::check(global, engine, stack, &observed, &plan, rigour).await?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(false);
    }
    let progress = if arguments.quiet { Progress::Quiet } else { global.progress };
    let display = Display::new(&Global { progress, ..global.clone() });
    let display = display.quiet_pull(arguments.quiet_pull).quiet_build(arguments.quiet_build);
    carry::perform(Stage::new(global, engine, &display, &lock), &plan, &mut signals).await?;
    Ok(true)
}

/// How a container ends that was killed.
const KILLED: Exit = Exit::Container(128 + 9);

/// The container, not started yet.
struct Made<'a> {
    engine: &'a Engine,
    id: &'a str,
    hooks: &'a [Hook],
    /// The volume that its configs and secrets lie in, which goes with it.
    files: Option<&'a FilesVolume>,
    one_off: &'a OneOff,
    /// A hook failed, and its container is being ended for that.
    ends: Cell<bool>,
}

impl Made<'_> {
    /// Starts it; one that was to go by itself goes also where it cannot be started.
    async fn start(&self) -> Result<(), Failure> {
        let started = self.engine.start_container(self.id).await;
        if let (Err(_), true) = (&started, self.one_off.auto_remove) {
            let _ = self.engine.remove_container(self.id, true, true).await;
            let _ = self.remove_files().await;
        }
        Ok(started.map(drop)?)
    }

    /// Its `post_start`. One that fails ends the container, but for a command that has ended before.
    async fn greet(&self) -> Result<(), Failure> {
        for (number, hook) in self.hooks.iter().enumerate() {
            let Err(why) = run_hook(self.engine, self.id, hook, &format!("post_start {}", number + 1)).await else {
                continue;
            };
            self.ends.set(true);
            if self.engine.kill_container(self.id, "KILL").await? == Effect::Done {
                self.leave().await?;
                let said = why.details.iter().map(|line| format!("\n  {line}")).collect::<String>();
                return Err(Failure::new(Exit::StepFailed, format!("{why}{said}")));
            }
        }
        Ok(())
    }

    /// One that was to go by itself has gone when this returns.
    async fn leave(&self) -> Result<(), Failure> {
        match self.one_off.auto_remove {
            true => {
                self.engine.container_gone(self.id).await?;
                self.remove_files().await
            }
            false => Ok(()),
        }
    }

    async fn remove_files(&self) -> Result<(), Failure> {
        if let Some(volume) = self.files {
            self.engine.remove_volume(&volume.name).await?;
        }
        Ok(())
    }

    async fn attached(&self) -> Result<Exit, Failure> {
        let Self { engine, id, one_off, .. } = *self;
        let wanted = Attachment { input: one_off.input, detach_keys: None };
        let mut ends = engine.attach(id, &wanted).await?;
        let end = engine.next_end(id).await?;
        self.start().await?;
        let joint = Joint { terminal: one_off.terminal, input: one_off.input, signals: !one_off.terminal };
        let resize = async |size| engine.resize_container(id, size).await;
        let signalled = async |name: &str| _ = engine.kill_container(id, name).await;
        let mut talk = std::pin::pin!(conversation::talk(&mut ends, joint, resize, signalled));
        let mut greet = std::pin::pin!(self.greet());
        let mut greeted = None;
        loop {
            tokio::select! {
                talked = &mut talk => break talked?,
                done = &mut greet, if greeted.is_none() => greeted = Some(done),
            }
        }
        if greeted.is_none() && self.ends.get() {
            greeted = Some(greet.await);
        }
        match conversation::end(end.code(), one_off.terminal).await? {
            Some(KILLED) => {
                greeted.transpose()?;
                self.leave().await?;
                Ok(KILLED)
            }
            // whatever became of its hooks, it has ended by itself
            Some(exit) => {
                self.leave().await?;
                Ok(exit)
            }
            None => {
                output::remark("it goes on without us");
                Ok(Exit::Ok)
            }
        }
    }
}

/// A service that the file does not have is an error of the command line, not of the file.
fn known(request: &Request, arguments: &Arguments) -> Result<(), Failure> {
    let loaded = bowline::compose::load(&Request {
        overlay: None,
        services: vec![],
        profiles: vec!["*".to_owned()],
        ..request.clone()
    });
    let Some(project) = loaded.project else { return Ok(()) };
    match project.services.keys().any(|name| name == arguments.service.as_str()) {
        true => Ok(()),
        false => Err(no_such_service(&arguments.service, project.services.keys())),
    }
}

impl Arguments {
    /// Ports and volumes, which are read as the file's are.
    fn overlay(&self) -> String {
        let quoted = |text: &String| serde_json::Value::from(text.replace('$', "$$")).to_string();
        let list = |all: &[String]| all.iter().map(quoted).collect::<Vec<_>>().join(", ");
        let ports = match (self.service_ports, self.ports.is_empty()) {
            (true, _) => String::new(),
            (_, true) => "ports: !reset null".to_owned(),
            _ => format!("ports: !override [{}]", list(&self.ports)),
        };
        let volumes: Vec<String> = self.volumes.iter().map(|volume| here(volume)).collect();
        let volumes = if volumes.is_empty() { String::new() } else { format!("volumes: [{}]", list(&volumes)) };
        let said = [ports, "container_name: !reset null".to_owned(), volumes];
        let said: Vec<String> = said.into_iter().filter(|said| !said.is_empty()).collect();
        format!("services: {{{}: {{{}}}}}\n", quoted(&self.service), said.join(", "))
    }

    fn one_off(&self) -> Result<OneOff, Failure> {
        let usage = |why: String| Failure::new(Exit::Usage, why);
        let entrypoint = self.entrypoint.as_deref().map(words::split).transpose();
        let mut variables = BTreeMap::new();
        for file in &self.env_from_file {
            variables.extend(read_variables(file)?);
        }
        for variable in &self.variables {
            match variable.split_once('=') {
                Some((name, value)) => _ = variables.insert(name.to_owned(), value.to_owned()),
                None => variables.extend(environment(variable).map(|value| (variable.clone(), value))),
            }
        }
        let label = |label: &String| {
            let (name, value) = label.split_once('=').unwrap_or((label, ""));
            (name.to_owned(), value.to_owned())
        };
        let terminal = !self.no_tty && !self.detach && self.interactive && terminal::is_whole();
        Ok(OneOff {
            slug: slug(),
            name: self.name.clone(),
            command: self.command.clone(),
            entrypoint: entrypoint.map_err(|why| usage(why.message))?.map(|words| words.words),
            environment: variables,
            labels: self.labels.iter().map(label).collect(),
            user: self.user.clone(),
            working_dir: self.workdir.clone(),
            cap_add: self.cap_add.iter().cloned().collect(),
            cap_drop: self.cap_drop.iter().cloned().collect(),
            terminal,
            input: self.interactive,
            auto_remove: self.rm,
            aliases: self.use_aliases,
        })
    }
}

/// A volume's source that begins with a dot starts here, not where the file lies.
fn here(volume: &str) -> String {
    match (volume.starts_with('.'), std::env::current_dir()) {
        (true, Ok(directory)) => format!("{}/{volume}", directory.display()),
        _ => volume.to_owned(),
    }
}

/// `--env-from-file`.
fn read_variables(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let told = |why: std::io::Error| Failure::new(Exit::File, format!("cannot read {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(told)?;
    let (mut files, mut findings) = (Files::new(), Findings::new());
    let id = files.add(path.display().to_string(), Some(path), text);
    let process: bowline::compose::environment::Environment = std::env::vars().collect();
    let read = dotenv::read(&files, id, Format::Compose, &[&process], &mut findings);
    output::findings(&files, &findings, false);
    if findings.has_errors() {
        return Err(Failure::new(Exit::File, format!("{} cannot be used", path.display())));
    }
    Ok(read.iter().map(|(name, variable)| (name.to_owned(), variable.value.clone())).collect())
}

/// 64 digits that nobody else has: of the time, the process and what the system calls random.
fn slug() -> String {
    let mut random = [0; 32];
    let _ = std::fs::File::open("/dev/urandom").and_then(|mut file| std::io::Read::read_exact(&mut file, &mut random));
    let mut digest = Sha256::new();
    digest.update(random);
    digest.update(format!("{:?} {}", std::time::SystemTime::now(), std::process::id()));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

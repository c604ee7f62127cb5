//! From the command line to an open Engine.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bowline::compose::model::{ApiSocket, EnginePlace};
use bowline::engine::{Address, Engine, Error, Exchange, Options, Survey};
use bowline::state::desired::labels;
use futures_util::future::{FutureExt, LocalBoxFuture, MaybeDone, maybe_done};
use tokio::runtime::Runtime;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::{hosts, output};

/// How long an Engine of this machine is waited for before the file is read.
const PROMPTLY: Duration = Duration::from_millis(20);

/// What a command may do to the Engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Look only: the transport refuses every writing call.
    Read,
    /// Change it.
    Write,
}

/// Finds and opens the Engine, for nothing but reading where `--dry-run` says so.
pub async fn connect(global: &Global, purpose: Purpose) -> Result<Engine, Failure> {
    let options = Options {
        read_only: purpose == Purpose::Read || global.dry_run,
        log: global.verbose.then(|| std::sync::Arc::new(log) as bowline::engine::Log),
        ..Options::default()
    };
    Ok(Engine::connect(&|name| place(global, name), options).await?)
}

/// A variable that may say where the Engine is.
fn place(global: &Global, name: &str) -> Option<String> {
    match (&global.at, name) {
        (Some(EnginePlace::Url(url)), "DOCKER_HOST") => Some(url.clone()),
        (Some(EnginePlace::Context(context)), "DOCKER_CONTEXT") => Some(context.clone()),
        (Some(_), "DOCKER_HOST" | "DOCKER_CONTEXT") => None,
        _ => environment(name),
    }
}

/// What services with `use_api_socket` get of the Engine; asked for where there is one.
pub fn api_socket(global: &Global) -> impl Fn() -> Result<ApiSocket, String> {
    || bowline::engine::api_socket(&|name| place(global, name)).map_err(|why| why.to_string())
}

/// An Engine that is asked what it has; one of this machine ahead, so that it answers while the file is read.
pub struct Ahead<'g> {
    runtime: Runtime,
    asking: Pin<Box<Asking<'g>>>,
}

type Asking<'g> = MaybeDone<LocalBoxFuture<'g, Result<Asked, Failure>>>;

/// Questions under way.
pub struct Asked {
    /// The Engine, open.
    pub engine: Engine,
    /// What it was asked.
    pub survey: Survey,
    /// When.
    pub at: SystemTime,
}

impl<'g> Ahead<'g> {
    /// Asks. Whatever hinders that is told when the answer is wanted, and the file is known to make sense. Where the Engine has no container
    /// of a project `around` there ([`bowline::compose::Request::around`]) much is to be made, and preflight will ask about the Engine itself: that is sent too.
    pub fn ask(global: &'g Global, purpose: Purpose, around: &'g Path) -> Result<Self, Failure> {
        let runtime = super::runtime()?;
        let asking = async move {
            let engine = connect(global, purpose).await?;
            let (mut survey, at) = (engine.survey(), SystemTime::now());
            survey.send().await;
            if survey.lacks(|labels| labels.get(labels::WORKING_DIR).is_some_and(|of| near(Path::new(of), around))) {
                engine.foresee_facts().await;
            }
            Ok(Asked { engine, survey, at })
        };
        let mut asking = Box::pin(maybe_done(asking.boxed_local()));
        if let Ok(Address::Unix(_)) = bowline::engine::find(&|name| place(global, name)) {
            // late or not, it is awaited once more
            let _ = runtime.block_on(async { tokio::time::timeout(PROMPTLY, &mut asking).await });
        }
        Ok(Self { runtime, asking })
    }

    /// Runs a command's future on this thread, with what was asked.
    pub fn block_on<T>(self, work: impl AsyncFnOnce(Asked) -> Result<T, Failure>) -> Result<T, Failure> {
        let Self { runtime, mut asking } = self;
        super::run_on(runtime, async move {
            (&mut asking).await;
            let asked = asking.as_mut().take_output().unwrap_or_else(|| unreachable!("what was awaited is taken once"));
            work(asked?).await
        })
    }
}

/// Whether one directory holds the other.
fn near(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// `--host`, `--context` and `--on` hold for everything that is started from here too (buildx, the command of `test`): where the environment says
/// otherwise, this program begins anew in one that says the same. Returns where that is not needed, or what hindered it.
///
/// # Errors
/// What the operating system says.
pub fn elsewhere(global: &Global) -> Result<(), Failure> {
    let (host, context) = (hosts::only(global)?.map(str::to_owned), global.context.clone());
    let place = match (hosts::place_of_on(global)?, host, context) {
        (Some(place), None, None) => place,
        (Some(_), ..) => {
            return Err(Failure::new(Exit::Usage, "--on names the Engine already").hint("`--host NAME=URL`"));
        }
        (None, Some(host), _) => EnginePlace::Url(host),
        (None, None, Some(context)) => EnginePlace::Context(context),
        (None, None, None) => return Ok(()),
    };
    let (name, value, other) = match place {
        EnginePlace::Url(url) => ("DOCKER_HOST", url, "DOCKER_CONTEXT"),
        EnginePlace::Context(context) => ("DOCKER_CONTEXT", context, "DOCKER_HOST"),
    };
    if std::env::var_os(name).is_some_and(|set| set == value.as_str()) && std::env::var_os(other).is_none() {
        return Ok(());
    }
    let mut program = std::process::Command::new(std::env::current_exe()?);
    let mut words = std::env::args_os();
    if let Some(own) = words.next() {
        program.arg0(own);
    }
    Err(program.args(words).env(name, value).env_remove(other).exec().into())
}

/// A variable of this process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// `-v`: one line a request.
fn log(exchange: &Exchange) {
    let Exchange { method, path, outcome, took } = exchange;
    let outcome = match outcome {
        Ok(status) => status.to_string(),
        Err(why) => why.clone(),
    };
    output::remark(&format!("{method} {path} {outcome} {:.1} ms", took.as_secs_f64() * 1e3));
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match &error {
            Error::Unreachable { .. } => {
                "is the Docker Engine running, and may this user open its socket? DOCKER_HOST or a docker context names another"
            }
            error if error.is_lost() => "the same command again goes on from here, once the Engine answers",
            Error::Address(_) => "DOCKER_HOST=unix:///var/run/docker.sock names the Engine of this machine",
            _ => return Self::new(Exit::StepFailed, error),
        };
        Self::new(Exit::Unreachable, error).hint(hint)
    }
}

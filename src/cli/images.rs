//! `bowline build`, `pull` and `push`.

use bowline::compose::attach;
use bowline::compose::value::bytes;
use bowline::finding::Findings;
use bowline::name::ServiceName;
use bowline::plan::images::{self, PullOptions, PushOptions};
use bowline::plan::up::Reach;
use bowline::plan::{Flaw, Plan};
use bowline::report::bake;
use bowline::state::desired::{BuildFlags, Desired, DesiredOptions};
use bowline::state::observed::Observed;
use clap::{Args, ValueEnum};

use super::args::{Global, Progress};
use super::carry::{self, Stage};
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::lock::Lock;
use super::signals::Signals;
use super::stack::{Stack, service_names};
use super::{block_on, load, output};

/// Build the images of services that have a `build`
#[derive(Debug, Args)]
pub struct Build {
    /// A build argument, over the file's; may be repeated. Without a value it is taken from the environment.
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// Run every step anew.
    #[arg(long)]
    no_cache: bool,
    /// The instance of buildx that builds.
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,
    /// Have the Dockerfiles checked by the builder, and build nothing.
    #[arg(long, conflicts_with = "print")]
    check: bool,
    /// The memory of the container that a build works in; only the classic builder has one.
    #[arg(short, long, value_name = "BYTES", value_parser = size)]
    memory: Option<i64>,
    /// Print the builds as a file of `docker buildx bake`, and build nothing.
    #[arg(long)]
    print: bool,
    /// An attestation of where an image comes from, over the file's: `true`, `false`, `mode=max`.
    #[arg(long, value_name = "WHICH")]
    provenance: Option<String>,
    /// An attestation of what is in an image, over the file's: `true`, `false`, `generator=IMAGE`.
    #[arg(long, value_name = "WHICH")]
    sbom: Option<String>,
    /// Push the images of services that have an `image`.
    #[arg(long, conflicts_with = "check")]
    push: bool,
    /// Pull base images even where they are there.
    #[arg(long)]
    pull: bool,
    /// Say nothing of what the builder says.
    #[arg(short, long)]
    quiet: bool,
    /// Build what the services depend on as well.
    #[arg(long)]
    with_dependencies: bool,
    /// An agent or a key for `RUN --mount=type=ssh`, besides the file's: `default`, `id=path`.
    #[arg(long, value_name = "ID[=PATH]")]
    ssh: Vec<String>,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Pull the images of services
#[derive(Debug, Args)]
pub struct Pull {
    /// Leave out images that can be built.
    #[arg(long)]
    ignore_buildable: bool,
    /// Go on past an image that cannot be pulled.
    #[arg(long)]
    ignore_pull_failures: bool,
    /// Pull for what the services depend on as well.
    #[arg(long)]
    include_deps: bool,
    /// Whether images that are there are asked for again.
    #[arg(long, value_enum, value_name = "POLICY", default_value = "always")]
    policy: Policy,
    /// Say nothing of how far it is.
    #[arg(short, long)]
    quiet: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Push the images of services that have a `build` and an `image`
#[derive(Debug, Args)]
pub struct Push {
    /// Go on past an image that cannot be pushed.
    #[arg(long)]
    ignore_push_failures: bool,
    /// Push for what the services depend on as well.
    #[arg(long)]
    include_deps: bool,
    /// Say nothing of how far it is.
    #[arg(short, long)]
    quiet: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// `--policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    Always,
    #[value(alias = "if_not_present")]
    Missing,
}

/// Runs `build`.
pub fn build(global: &Global, arguments: &Build) -> Result<Exit, Failure> {
    let mut stack = Stack::load(global, &arguments.services, &DesiredOptions::default())?;
    let mut findings = Findings::new();
    attach::builds(&stack.project, &mut findings);
    output::findings(&stack.files, &findings, global.verbose);
    if findings.has_errors() {
        return Err(load::refused());
    }
    let named = service_names(&arguments.services);
    for (service, wanted) in &mut stack.desired.builds {
        let is_meant = named.is_empty() || named.contains(service) || arguments.with_dependencies;
        wanted.flags = BuildFlags {
            builder: arguments.builder.clone(),
            memory: arguments.memory,
            push: arguments.push && wanted.named && is_meant,
        };
        let build = &mut wanted.build;
        for (own, asked) in
            [(&mut build.buildkit.provenance, &arguments.provenance), (&mut build.buildkit.sbom, &arguments.sbom)]
        {
            *own = asked.clone().or(own.take());
        }
        build.no_cache |= arguments.no_cache;
        build.pull |= arguments.pull;
        build.buildkit.ssh.extend(arguments.ssh.iter().cloned());
        for argument in &arguments.arguments {
            match argument.split_once('=') {
                Some((name, value)) => _ = build.args.insert(name.to_owned(), value.to_owned()),
                None => {
                    if let Some(value) = super::engine::environment(argument) {
                        build.args.insert(argument.clone(), value);
                    }
                }
            }
        }
    }
    if stack.desired.builds.is_empty() {
        output::remark("no service has a build");
        return Ok(Exit::Ok);
    }
    let reach = reach(arguments.with_dependencies);
    if arguments.print || arguments.check {
        let chosen = images::to_build(&stack.desired, &named, reach);
        return match arguments.print {
            true => output::answer(&bake::json(&stack.project, &stack.desired, &chosen)).map(|()| Exit::Ok),
            false => block_on(check(global, arguments.quiet, &stack.desired, &chosen)),
        };
    }
    let plan = |stack: &Stack, observed: &_| images::build(&stack.desired, observed, &named, reach);
    block_on(carry_out(global, arguments.quiet, &stack, plan))
}

/// `--check`: one Dockerfile after the other, each report under the name of its service.
async fn check(global: &Global, quiet: bool, desired: &Desired, services: &[&ServiceName]) -> Result<Exit, Failure> {
    let engine = connect(global, Purpose::Read).await?;
    let tell = |line: &str| {
        if !quiet {
            output::remark(line);
        }
    };
    let mut warned = vec![];
    for service in services {
        let Some(wanted) = desired.builds.get(*service) else { continue };
        let why = |why| Failure::new(Exit::StepFailed, format!("cannot check the build of {service}: {why}"));
        let check = engine.check_build(wanted, &tell).await.map_err(why)?;
        output::answer(&format!("{service}\n\n{}\n", check.report.trim_end()))?;
        if !check.passed {
            warned.push(service.as_str());
        }
    }
    match warned.is_empty() {
        true => Ok(Exit::Ok),
        false => Err(Failure::new(Exit::StepFailed, format!("the check warns of {}", warned.join(", ")))),
    }
}

/// Bytes, as the file writes them.
fn size(text: &str) -> Result<i64, String> {
    bytes::parse(text).map_err(|bad| bad.message)
}

/// Runs `pull`.
pub fn pull(global: &Global, arguments: &Pull) -> Result<Exit, Failure> {
    let stack = Stack::load(global, &arguments.services, &DesiredOptions::default())?;
    let options = PullOptions {
        services: service_names(&arguments.services),
        reach: reach(arguments.include_deps),
        only_missing: arguments.policy == Policy::Missing,
        ignore_buildable: arguments.ignore_buildable,
        ignore_failures: arguments.ignore_pull_failures,
    };
    let plan = |stack: &Stack, observed: &_| images::pull(&stack.desired, observed, &options);
    block_on(carry_out(global, arguments.quiet, &stack, plan))
}

/// Runs `push`.
pub fn push(global: &Global, arguments: &Push) -> Result<Exit, Failure> {
    let stack = Stack::load(global, &arguments.services, &DesiredOptions::default())?;
    let options = PushOptions {
        services: service_names(&arguments.services),
        reach: reach(arguments.include_deps),
        ignore_failures: arguments.ignore_push_failures,
    };
    let plan = |stack: &Stack, observed: &_| images::push(&stack.desired, observed, &options);
    block_on(carry_out(global, arguments.quiet, &stack, plan))
}

fn reach(dependencies: bool) -> Reach {
    if dependencies { Reach::Dependencies } else { Reach::Named }
}

async fn carry_out(
    global: &Global,
    quiet: bool,
    stack: &Stack,
    plan: impl Fn(&Stack, &Observed) -> Result<Plan, Flaw>,
) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let engine = connect(global, Purpose::Write).await?;
    let observed = stack.observe(&engine).await?;
    let plan = plan(stack, &observed).map_err(carry::flaw)?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    let progress = if quiet { Progress::Quiet } else { global.progress };
    let display = Display::new(&Global { progress, ..global.clone() });
    let lock = Lock::default();
    carry::perform(Stage::new(global, &engine, &display, &lock), &plan, &mut signals).await?;
    Ok(Exit::Ok)
}

//! `bowline exec`.

use bowline::engine::{Engine, ExecSpec};
use bowline::state::observed::{ContainerState, Observed, ObservedContainer};
use clap::Args;

use super::args::Global;
use super::conversation::{self, Joint};
use super::engine::{Purpose, connect, environment};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, terminal};

/// Run a program in a container of a service
///
/// It has the terminal where there is one; otherwise its input and output are passed on as they are. Its exit code is bowline's.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Leave it running and return.
    #[arg(short, long)]
    detach: bool,
    /// A variable of its environment; may be repeated. Without a value it is taken from bowline's own.
    #[arg(short = 'e', long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Which container of the service; by default the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// No terminal, even where there is one.
    #[arg(short = 'T', long)]
    no_tty: bool,
    /// With every capability.
    #[arg(long)]
    privileged: bool,
    /// As which user: a name or an id, `:GROUP` behind it.
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// The directory that it begins in.
    #[arg(short, long, value_name = "DIRECTORY")]
    workdir: Option<String>,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The program and its arguments.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(inside(global, arguments, &named))
}

async fn inside(global: &Global, arguments: &Arguments, named: &Named) -> Result<Exit, Failure> {
    let engine = connect(global, Purpose::Write).await?;
    let observed = named.observe(&engine).await?;
    named.services(std::slice::from_ref(&arguments.service), &observed)?;
    let container = chosen(&observed, &arguments.service, arguments.index)?;
    let variable = |name: &String| match name.contains('=') {
        true => Some(name.clone()),
        false => environment(name).map(|value| format!("{name}={value}")),
    };
    let spec = ExecSpec {
        command: arguments.command.clone(),
        environment: arguments.variables.iter().filter_map(variable).collect(),
        user: arguments.user.clone(),
        working_dir: arguments.workdir.clone(),
        terminal: !arguments.no_tty && !arguments.detach && terminal::is_whole(),
        privileged: arguments.privileged,
    };
    if arguments.detach {
        engine.exec_detached(container.id.as_str(), &spec).await?;
        return Ok(Exit::Ok);
    }
    attached(&engine, container.id.as_str(), &spec).await
}

/// The container of this number, or the first that runs.
fn chosen<'o>(observed: &'o Observed, service: &str, index: u32) -> Result<&'o ObservedContainer, Failure> {
    let runs = |container: &&ObservedContainer| matches!(container.state, ContainerState::Running { .. });
    let of_service = observed.containers.iter().filter(|c| c.replica.service == *service && c.replica.number > 0);
    let mut right = of_service.filter(|c| index == 0 || c.replica.number == index);
    right.clone().find(runs).ok_or_else(|| {
        if let Some(held) = right.find(|container| container.state == ContainerState::Paused) {
            let hint = format!("`bowline unpause {service}` lets it go on");
            return Failure::new(Exit::StepFailed, format!("{} is paused", held.name)).hint(hint);
        }
        let which = if index == 0 { service.to_owned() } else { format!("{service} (number {index})") };
        Failure::new(Exit::StepFailed, format!("no container of {which} runs"))
            .hint("`bowline ps -a` shows what there is")
    })
}

async fn attached(engine: &Engine, container: &str, spec: &ExecSpec) -> Result<Exit, Failure> {
    let mut exec = engine.exec(container, spec).await?;
    let joint = Joint { terminal: spec.terminal, input: true, signals: false };
    let resize = async |size| engine.resize_exec(&exec.id, size).await;
    conversation::talk(&mut exec.ends, joint, resize, async |_| {}).await?;
    let code = engine.exec_code(&exec.id).await?.unwrap_or(1);
    Ok(Exit::Container(u8::try_from(code & 0xff).unwrap_or(1)))
}

//! `bowline wait`.

use bowline::engine::Engine;
use bowline::state::observed::ObservedContainer;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, down, output};

/// Wait until containers end, and exit with the code of the last one
#[derive(Debug, Args)]
pub struct Arguments {
    /// Take the stack down when the first container ends.
    #[arg(long)]
    down_project: bool,
    /// Whose containers.
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    let code = block_on(until_they_end(global, arguments, &named))?;
    if arguments.down_project {
        down::run(global, &down::Arguments::default())?;
    }
    Ok(code)
}

async fn until_they_end(global: &Global, arguments: &Arguments, named: &Named) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let engine = connect(global, Purpose::Write).await?;
    let observed = named.observe(&engine).await?;
    let services = named.services(&arguments.services, &observed)?;
    let containers = observed.containers.iter().filter(|container| services.contains(&container.replica.service));
    let mut ends: FuturesUnordered<_> = containers.map(|container| end(&engine, container)).collect();
    if ends.is_empty() {
        return Err(Failure::new(Exit::StepFailed, format!("no containers for project {}", named.name())));
    }
    let mut last = 0;
    loop {
        tokio::select! {
            () = signals.next() => return Err(Failure::new(Exit::Interrupted, "interrupted: they still run")),
            ended = ends.next() => match ended {
                None => return Ok(Exit::Container(last)),
                Some(ended) => {
                    let (name, code) = ended?;
                    output::answer(&format!("container \"{name}\" exited with status code {code}\n"))?;
                    last = u8::try_from(code & 0xff).unwrap_or(1);
                    if arguments.down_project {
                        return Ok(Exit::Container(last));
                    }
                }
            },
        }
    }
}

/// The name and the exit code of a container that has ended.
async fn end(engine: &Engine, container: &ObservedContainer) -> Result<(String, i64), Failure> {
    Ok((container.name.clone(), engine.container_ended(container.id.as_str()).await?))
}

//! `bowline port`.

use clap::{Args, ValueEnum};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output, target};

/// Show where a port of a service is published
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which container of the service; by default the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// The protocol.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The port in the container.
    #[arg(value_name = "PRIVATE_PORT")]
    port: u16,
}

/// `--protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    let listed = block_on(async { Ok(connect(global, Purpose::Read).await?.list(named.name()).await?) })?;
    let container = target::running(&named, &listed, &arguments.service, arguments.index)?;
    let protocol = arguments.protocol.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let published: Vec<_> = container.ports.iter().filter(|port| port.published > 0).collect();
    let right = published.iter().find(|port| port.target == arguments.port && port.protocol == protocol);
    if let Some((port, address)) = right.and_then(|port| Some((port.published, port.host_ip?))) {
        output::answer(&std::net::SocketAddr::new(address, port).to_string())?;
        return Ok(Exit::Ok);
    }
    let mut others: Vec<String> = published.iter().map(|port| format!("{}/{}", port.target, port.protocol)).collect();
    others.dedup();
    let others =
        if others.is_empty() { "it publishes none".to_owned() } else { format!("it publishes {}", others.join(", ")) };
    let message = format!("{} does not publish {}/{protocol}; {others}", container.name, arguments.port);
    Err(Failure::new(Exit::StepFailed, message))
}

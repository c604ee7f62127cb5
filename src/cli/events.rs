//! `bowline events`.

use bowline::engine::Event;
use clap::Args;
use serde_json::json;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::logs::moment;
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, output};

/// Show what happens to the containers of the stack, as it happens
#[derive(Debug, Args)]
pub struct Arguments {
    /// One object a line.
    #[arg(long)]
    json: bool,
    /// Also what happened after this time: RFC 3339, seconds since 1970, or how long ago (`10m`).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// Only until this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<String>,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(async {
        let mut signals = Signals::new()?;
        let engine = connect(global, Purpose::Read).await?;
        if !arguments.services.is_empty() {
            named.known(&arguments.services, &engine.list(named.name()).await?)?;
        }
        let (since, until) = (arguments.since.as_deref(), arguments.until.as_deref());
        let mut events = engine.events_between(named.name().as_str(), since, until).await?;
        loop {
            let event = tokio::select! {
                event = events.next() => event?,
                () = signals.next() => return Ok(Exit::Interrupted),
            };
            match event {
                Some(event) => tell(arguments, &event)?,
                None if until.is_some() => return Ok(Exit::Ok),
                None => return Err(Failure::new(Exit::Unreachable, "the Engine ended the stream of events")),
            }
        }
    })
}

/// One-off containers are not told of, as with docker compose.
fn tell(arguments: &Arguments, event: &Event) -> Result<(), Failure> {
    let label = |name: &str| event.attributes.get(name).map(String::as_str).unwrap_or_default();
    let service = label("com.docker.compose.service");
    let chosen = arguments.services.is_empty() || arguments.services.iter().any(|name| name == service);
    if !chosen || label("com.docker.compose.oneoff") == "True" {
        return Ok(());
    }
    let own = event.attributes.iter().filter(|(name, _)| !name.starts_with("com.docker.compose."));
    let time = jiff::Timestamp::from_nanosecond(event.time.into()).unwrap_or_default();
    if arguments.json {
        let own: serde_json::Map<String, serde_json::Value> =
            own.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let object = json!({
            "action": event.action, "attributes": own, "id": event.id, "service": service,
            "time": time.to_string(), "type": "container",
        });
        return output::answer(&object.to_string());
    }
    let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
    let local = time.to_zoned(jiff::tz::TimeZone::system());
    let when = local.strftime("%Y-%m-%d %H:%M:%S%.6f");
    output::answer(&format!("{when} container {} {} ({})", event.action, event.id, own.join(", ")))
}

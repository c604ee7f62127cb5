//! `bowline volumes`.

use bowline::engine::{Listed, VolumeDetails};
use bowline::report::form::{self, Form, Row};
use clap::Args;
use serde_json::json;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output, ps};

/// List the volumes of the stack
#[derive(Debug, Args)]
pub struct Arguments {
    /// Form of the answer: `table`, `json` (one object a line), `table TEMPLATE` or `TEMPLATE` in Go's language.
    #[arg(long, default_value = "table")]
    format: Form,
    /// Only the names.
    #[arg(short, long)]
    quiet: bool,
    /// Only the volumes of these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    let (listed, mut volumes) = block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        Ok((engine.list(named.name()).await?, engine.volume_details(named.name().as_str()).await?))
    })?;
    named.known(&arguments.services, &listed)?;
    if !arguments.services.is_empty() {
        let theirs = |container: &&Listed| arguments.services.contains(&container.service);
        let mounts: Vec<&String> = listed.iter().filter(theirs).flat_map(|container| &container.mounts).collect();
        volumes.retain(|volume| mounts.contains(&&volume.name));
    }
    let text = match arguments.quiet {
        true => volumes.iter().map(|volume| format!("{}\n", volume.name)).collect(),
        false => {
            let rows: Vec<Row> = volumes.iter().filter_map(row).collect();
            let columns = [("DRIVER", "Driver"), ("VOLUME NAME", "Name")];
            form::render(&arguments.format, &rows, &columns, &[]).map_err(ps::usage)?
        }
    };
    output::answer(&text)?;
    Ok(Exit::Ok)
}

/// With docker's keys; what the Engine tells only to who asks for sizes is `N/A`, as there.
fn row(volume: &VolumeDetails) -> Option<Row> {
    let labels: Vec<String> = volume.labels.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    let object = json!({
        "Availability": "N/A",
        "Driver": volume.driver,
        "Group": "N/A",
        "Labels": labels.join(","),
        "Links": "N/A",
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Scope": volume.scope,
        "Size": "N/A",
        "Status": "N/A",
    });
    object.as_object().cloned()
}

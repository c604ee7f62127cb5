//! `bowline stats`.

use std::io::IsTerminal;

use bowline::engine::{Engine, Listed, Usage};
use bowline::report::form::{self, Form, Row};
use bowline::report::units::{binary, decimal};
use clap::Args;
use serde_json::json;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::stack::Named;
use super::{block_on, output, ps};

/// Show what containers use: processor, memory, network, disks
///
/// In a terminal the table is drawn anew with every look, which takes the Engine a second or two.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also those that do not run.
    #[arg(short, long)]
    all: bool,
    /// Form of the answer: `table`, `json` (one object a line), `table TEMPLATE` or `TEMPLATE` in Go's language.
    #[arg(long, default_value = "table")]
    format: Form,
    /// Look once.
    #[arg(long)]
    no_stream: bool,
    /// Do not cut long values.
    #[arg(long)]
    no_trunc: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Heads and keys of the table.
const COLUMNS: [(&str, &str); 8] = [
    ("CONTAINER ID", "ID"),
    ("NAME", "Name"),
    ("CPU %", "CPUPerc"),
    ("MEM USAGE / LIMIT", "MemUsage"),
    ("MEM %", "MemPerc"),
    ("NET I/O", "NetIO"),
    ("BLOCK I/O", "BlockIO"),
    ("PIDS", "PIDs"),
];

/// To the first line and column of an empty screen.
const ANEW: &str = "\x1b[H\x1b[J";

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(async {
        let mut signals = Signals::new()?;
        let engine = connect(global, Purpose::Read).await?;
        loop {
            let text = tokio::select! {
                text = look(&engine, arguments, &named) => text?,
                () = signals.next() => return Ok(Exit::Interrupted),
            };
            let anew = !arguments.no_stream && std::io::stdout().is_terminal();
            output::answer(&format!("{}{text}", if anew { ANEW } else { "" }))?;
            if arguments.no_stream {
                return Ok(Exit::Ok);
            }
        }
    })
}

async fn look(engine: &Engine, arguments: &Arguments, named: &Named) -> Result<String, Failure> {
    let listed = engine.list(named.name()).await?;
    named.known(&arguments.services, &listed)?;
    let shown = |container: &&Listed| {
        (arguments.all || container.is_up())
            && (arguments.services.is_empty() || arguments.services.contains(&container.service))
    };
    let shown: Vec<&Listed> = listed.iter().filter(shown).collect();
    let asked = shown.iter().map(|container| engine.usage(container.id.as_str()));
    let mut rows = vec![];
    for (container, usage) in shown.iter().zip(futures_util::future::join_all(asked).await) {
        match usage {
            Ok(usage) => rows.extend(row(container, &usage, arguments.no_trunc)),
            // it has gone meanwhile
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    if rows.is_empty() && !arguments.no_stream {
        // nothing is asked, so nothing takes time
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    form::render(&arguments.format, &rows, &COLUMNS, &[]).map_err(ps::usage)
}

fn row(container: &Listed, usage: &Usage, whole: bool) -> Option<Row> {
    let share = if usage.memory_limit == 0 { 0.0 } else { usage.memory as f64 / usage.memory_limit as f64 * 100.0 };
    let object = json!({
        "BlockIO": format!("{} / {}", decimal(usage.disk.0), decimal(usage.disk.1)),
        "CPUPerc": format!("{:.2}%", usage.processor),
        "Container": container.id.as_str(),
        "ID": if whole { container.id.as_str() } else { container.id.short() },
        "MemPerc": format!("{share:.2}%"),
        "MemUsage": format!("{} / {}", binary(usage.memory as f64), binary(usage.memory_limit as f64)),
        "Name": container.name,
        "NetIO": format!("{} / {}", decimal(usage.network.0), decimal(usage.network.1)),
        "PIDs": usage.processes.to_string(),
    });
    object.as_object().cloned()
}

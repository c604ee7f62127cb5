//! `bowline export`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use bowline::engine::Download;
use clap::Args;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, target};

/// Write the file system of a container as a tar archive
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which container of the service; by default the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// To this file; otherwise to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    if arguments.output.is_none() && std::io::stdout().is_terminal() {
        return Err(
            Failure::new(Exit::Usage, "an archive is nothing for a terminal").hint("`-o FILE` writes it to a file")
        );
    }
    block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        let listed = engine.list(named.name()).await?;
        let container = target::any(&named, &listed, &arguments.service, arguments.index)?;
        let download = engine.export(container.id.as_str()).await?;
        match &arguments.output {
            None => write(download, std::io::stdout().lock()).await?,
            Some(path) => {
                let told = |why: std::io::Error| {
                    std::io::Error::new(why.kind(), format!("cannot write {}: {why}", path.display()))
                };
                write(download, std::fs::File::create(path).map_err(told)?).await?;
            }
        }
        Ok(Exit::Ok)
    })
}

/// Writes all of an archive.
pub async fn write(mut download: Download, mut to: impl Write) -> Result<(), Failure> {
    while let Some(piece) = download.next().await? {
        to.write_all(&piece)?;
    }
    Ok(to.flush()?)
}

//! `bowline commit`.

use bowline::engine::Commit;
use clap::Args;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output, target};

/// Make an image of a container as it is now
#[derive(Debug, Args)]
pub struct Arguments {
    /// Who made it.
    #[arg(short, long, value_name = "NAME", default_value = "", hide_default_value = true)]
    author: String,
    /// A line of a Dockerfile that changes the image; may be repeated.
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Which container of the service; by default the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// What for.
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    /// Hold the container still meanwhile.
    #[arg(short, long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    pause: bool,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The name of the image; without one it is known by its id alone.
    #[arg(value_name = "REPOSITORY[:TAG]", default_value = "", hide_default_value = true)]
    reference: String,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        let listed = engine.list(named.name()).await?;
        let container = target::running(&named, &listed, &arguments.service, arguments.index)?;
        let commit = Commit {
            reference: arguments.reference.clone(),
            author: arguments.author.clone(),
            message: arguments.message.clone(),
            changes: arguments.change.clone(),
            pause: arguments.pause,
        };
        if global.dry_run {
            output::remark(&format!("an image would be made of {}", container.name));
            return Ok(Exit::Ok);
        }
        let id = engine.commit(container.id.as_str(), &commit).await?;
        output::remark(&format!(" {} Commit {} Committed as {id}", container.name, container.name));
        Ok(Exit::Ok)
    })
}

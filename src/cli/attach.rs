//! `bowline attach`.

use bowline::engine::Attachment;
use clap::Args;

use super::args::Global;
use super::conversation::{self, Joint};
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output, target, terminal};

/// Join the input, the output and the terminal of a container's own program
///
/// It ends with the program, with its exit code, or when `ctrl-p ctrl-q` in its terminal lets go of it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The keys that let go of it.
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Which container of the service; by default the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// Leave its input alone.
    #[arg(long)]
    no_stdin: bool,
    /// Whether signals that come to bowline are sent on to the program, where it has no terminal.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    sig_proxy: bool,
    /// The service.
    #[arg(value_name = "SERVICE")]
    service: String,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        let listed = engine.list(named.name()).await?;
        let container = target::running(&named, &listed, &arguments.service, arguments.index)?;
        let id = container.id.as_str();
        if container.state == "paused" {
            return Err(Failure::new(Exit::StepFailed, format!("{} is paused", container.name))
                .hint(format!("`bowline unpause {}` lets it go on", arguments.service)));
        }
        let life = engine.life(id).await?;
        let (has_terminal, has_input) = life.map_or((false, false), |life| (life.terminal, life.input));
        let input = has_input && !arguments.no_stdin;
        let wanted = Attachment { input, detach_keys: arguments.detach_keys.clone() };
        let mut ends = engine.attach(id, &wanted).await?;
        let terminal = has_terminal && terminal::is_whole();
        let joint = Joint { terminal, input, signals: arguments.sig_proxy && !terminal };
        let resize = async |size| engine.resize_container(id, size).await;
        let signalled = async |name: &str| _ = engine.kill_container(id, name).await;
        conversation::talk(&mut ends, joint, resize, signalled).await?;
        match conversation::end(engine.container_ended(id), terminal).await? {
            Some(exit) => Ok(exit),
            None => {
                output::remark(&format!("{} goes on without us", container.name));
                Ok(Exit::Ok)
            }
        }
    })
}

//! `bowline` alone: how the project here stands, and what to do next.

use bowline::compose::{self, Loaded};
use bowline::engine::Engine;
use bowline::finding::{Code, Findings};
use bowline::plan::up::{UpOptions, up};
use bowline::report::standing::Standing;
use bowline::state::desired::{Desired, DesiredOptions};

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::preflight::Rigour;
use super::stack::{Named, Stack};
use super::{block_on, load, ls, output};

/// Shows it.
///
/// # Errors
/// A file that is wrong; where no Engine answers, after what the file alone tells.
pub fn run(global: &Global) -> Result<Exit, Failure> {
    let loaded = compose::load(&load::request(global, &[])?);
    match (is_nowhere(global, &loaded), &global.project_name) {
        (true, None) => block_on(elsewhere(global, &loaded)),
        (true, Some(_)) => block_on(by_name(global, &Named::find(global)?)),
        (false, _) => {
            block_on(here(global, &Stack::loaded(global, loaded, &DesiredOptions::default(), Rigour::Refuse)?))
        }
    }
}

/// Whether there is neither a stack file nor a name.
pub fn is_nothing_to_show(global: &Global) -> Result<bool, Failure> {
    Ok(global.project_name.is_none() && is_nowhere(global, &compose::load(&load::request(global, &[])?)))
}

/// Whether there is a name and no stack file.
pub fn is_known_by_name(global: &Global) -> Result<bool, Failure> {
    Ok(global.project_name.is_some() && is_nowhere(global, &compose::load(&load::request(global, &[])?)))
}

/// Whether a stack file was searched for, and there is none.
fn is_nowhere(global: &Global, loaded: &Loaded) -> bool {
    let is_missing = |findings: &Findings| findings.iter().any(|finding| finding.code == Code::NoProject);
    global.files.is_empty() && loaded.stack_files.is_empty() && is_missing(&loaded.findings)
}

async fn here(global: &Global, stack: &Stack) -> Result<Exit, Failure> {
    let files: Vec<String> = stack.project.files.iter().map(|file| file.display().to_string()).collect();
    let from = format!("from {}", files.join(", "));
    let engine = match connect(global, Purpose::Read).await {
        Ok(engine) => engine,
        Err(failure) => {
            let services: Vec<&str> = stack.desired.services.iter().map(|name| name.as_str()).collect();
            output::answer(&format!("{} {from}: {}", stack.desired.project, services.join(", ")))?;
            return Err(failure);
        }
    };
    let observed = stack.observe(&engine).await?;
    // what stands in the way of a plan is `plan`'s to tell
    let plan = up(&stack.desired, &observed, &UpOptions::default(), &mut Findings::new()).ok();
    let watches = stack.project.services.values().any(|service| !service.watches.is_empty());
    let (desired, plan) = (&stack.desired, plan.as_ref());
    let standing = Standing { desired, observed: &observed, plan, call: &call(global), watches };
    output::answer(&standing.text(&head(&engine, stack.desired.project.as_str(), &from)))?;
    Ok(Exit::Ok)
}

/// A project that is known by its name alone: what the Engine has of it.
async fn by_name(global: &Global, named: &Named) -> Result<Exit, Failure> {
    let engine = connect(global, Purpose::Read).await?;
    let observed = named.observe(&engine).await?;
    let desired = Desired::nothing(named.name().clone());
    let standing = Standing { desired: &desired, observed: &observed, plan: None, call: &call(global), watches: false };
    output::answer(&standing.text(&head(&engine, named.name().as_str(), "without a stack file")))?;
    Ok(Exit::Ok)
}

/// How bowline was called, for the next time.
fn call(global: &Global) -> String {
    let files = global.files.iter().map(|file| format!(" -f {}", file.display()));
    let name = global.project_name.iter().map(|name| format!(" -p {name}"));
    let profiles = global.profiles.iter().map(|profile| format!(" --profile {profile}"));
    files.chain(name).chain(profiles).fold("bowline".to_owned(), |call, option| call + &option)
}

fn head(engine: &Engine, project: &str, from: &str) -> String {
    format!("{project} on Engine {}, {from}", engine.facts().version)
}

/// There is no file: what the Engine has otherwise, and how to begin.
async fn elsewhere(global: &Global, loaded: &Loaded) -> Result<Exit, Failure> {
    let missing = loaded.findings.iter().find(|finding| finding.code == Code::NoProject);
    let help = missing.and_then(|finding| finding.help.as_deref()).unwrap_or_default();
    let mut text = format!("There is {}.\n\n{help}\n", missing.map_or("no stack file", |finding| &finding.message));
    match connect(global, Purpose::Read).await {
        Ok(engine) => {
            let table = ls::running(&engine.list_all().await?);
            let version = &engine.facts().version;
            match table {
                Some(table) => {
                    text += &format!("\nOn Engine {version} run:\n\n{table}\nbowline -p NAME   shows one of them\n")
                }
                None => text += &format!("\nNo project runs on Engine {version}.\n"),
            }
        }
        Err(failure) => text += &format!("\nNo Engine answers either: {failure}\n"),
    }
    output::answer(&format!("{text}bowline --help    what bowline can do\n"))?;
    Ok(Exit::File)
}

//! `bowline config`: the stack as bowline understands it.

use std::path::{Path, PathBuf};

use bowline::compose::print::{self, Dollars};
use bowline::compose::{Loaded, Skip, pin, variables::variables};
use bowline::state::desired::{DesiredOptions, desired, labels};
use bowline::yaml::{self, Node};
use bowline::{name::Replica, report};
use clap::{Args, ValueEnum};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::args::Global;
use super::block_on;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::{hosts, load, output};

/// Registries that are asked at once.
const AT_ONCE: usize = 4;

/// Read, check and print the stack in canonical form
#[derive(Debug, Args)]
pub struct Arguments {
    /// Services to print, with what they need; none: all.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Check only, and print nothing: what the Engine would refuse is an error here.
    #[arg(short, long)]
    quiet: bool,
    /// Name each image by the digest that its registry has for it now.
    #[arg(long, conflicts_with_all = ["no_interpolate", "Part"])]
    resolve_image_digests: bool,
    /// Print the images by their digests alone: a stack file to go over the others.
    #[arg(long, conflicts_with_all = ["no_interpolate", "Part"])]
    lock_image_digests: bool,
    /// Write to a file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
    /// Leave `${…}` as they are.
    #[arg(long)]
    no_interpolate: bool,
    /// Leave out what follows from the file without being written.
    #[arg(long)]
    no_normalize: bool,
    /// Leave relative paths as they are.
    #[arg(long)]
    no_path_resolution: bool,
    /// Do not check whether the file makes sense as a whole.
    #[arg(long)]
    no_consistency: bool,
    /// Changes nothing, as with docker compose 2.40.
    #[arg(long = "no-env-resolution")]
    _no_env_resolution: bool,
}

/// One part of the answer instead of all of it.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Part {
    /// Names of the services, one a line.
    #[arg(long = "services", id = "part_services")]
    services: bool,
    /// Keys of the volumes, one a line.
    #[arg(long)]
    volumes: bool,
    /// Keys of the networks, one a line.
    #[arg(long)]
    networks: bool,
    /// Images, one a line.
    #[arg(long)]
    images: bool,
    /// Models, one a line.
    #[arg(long)]
    models: bool,
    /// Profiles, one a line.
    #[arg(long)]
    profiles: bool,
    /// A service's hash, or with `*` everyone's: what the label of its containers says.
    #[arg(long, value_name = "SERVICE")]
    hash: Option<String>,
    /// The variables that `${…}` is replaced from.
    #[arg(long)]
    environment: bool,
    /// The variables that the file asks for.
    #[arg(long)]
    variables: bool,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// YAML.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut request = load::request(global, &arguments.services)?;
    request.skip = Skip {
        interpolation: arguments.no_interpolate || arguments.part.variables,
        normalization: arguments.no_normalize,
        path_resolution: arguments.no_path_resolution,
        consistency: arguments.no_consistency,
        env_files: false,
    };
    let mut loaded = load::load(global, &request);
    let Some(tree) = loaded.tree.take().filter(|_| !arguments.quiet || !loaded.findings.has_errors()) else {
        return Err(load::refused());
    };
    if !arguments.quiet {
        let file = arguments.output.as_deref();
        let tree = if global.on.is_some() { of_host(global, &mut loaded)? } else { tree };
        if let Some(part) = part(&loaded, &tree, arguments)? {
            output::answer_to(file, &part)?;
        } else {
            let tree = if arguments.resolve_image_digests || arguments.lock_image_digests {
                block_on(pinned(global, tree, arguments.lock_image_digests))?
            } else {
                tree
            };
            if let Some(project) = &mut loaded.project {
                project.tree = Node::null(tree.span); // a tree that nobody else holds is printed without a copy
            }
            whole(tree, arguments, file)?;
        }
    }
    // the process ends: to give a large tree back piece by piece takes a tenth of the time of all the rest
    std::mem::forget(loaded);
    Ok(Exit::Ok)
}

/// `--on`: the tree of one host, which is a stack of its own.
fn of_host(global: &Global, loaded: &mut Loaded) -> Result<Node, Failure> {
    let part = hosts::part(global, loaded.project.take().ok_or_else(load::refused)?)?;
    let tree = part.tree.clone();
    loaded.project = Some(part);
    Ok(tree)
}

/// The images by the digests that registries have for them; with `alone` nothing else.
async fn pinned(global: &Global, mut tree: Node, alone: bool) -> Result<Node, Failure> {
    let engine = connect(global, Purpose::Read).await?;
    let images = pin::unpinned(&tree);
    let asked = images.into_iter().map(async |image| {
        let why = |why| Failure::new(Exit::StepFailed, format!("no digest of {image} is to be had: {why}"));
        Ok::<_, Failure>((image.clone(), engine.digest(&image).await.map_err(why)?))
    });
    let digests: Vec<_> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    pin::pin(&mut tree, &digests.into_iter().collect());
    Ok(if alone { pin::images(tree) } else { tree })
}

fn whole(tree: Node, arguments: &Arguments, file: Option<&Path>) -> Result<(), Failure> {
    let format = match arguments.format {
        Format::Yaml => print::Format::Yaml,
        Format::Json => print::Format::Json,
    };
    let printed = if arguments.no_interpolate {
        print::printed_raw(tree)
    } else {
        print::printed(tree, format, Dollars::Doubled)
    };
    match arguments.format {
        Format::Yaml => output::stream_to(file, |out| yaml::write_to(&printed, out))?,
        Format::Json => output::answer_to(file, &yaml::json::write(&printed))?,
    }
    std::mem::forget(printed);
    Ok(())
}

/// The one part that was asked for; none where it is the whole.
fn part(loaded: &Loaded, tree: &Node, arguments: &Arguments) -> Result<Option<String>, Failure> {
    let Part { services, volumes, networks, images, models, profiles, hash, environment, variables: asks } =
        &arguments.part;
    let text = if *services {
        lines(keys(tree, "services"))
    } else if *volumes {
        lines(keys(tree, "volumes"))
    } else if *networks {
        lines(keys(tree, "networks"))
    } else if *models {
        lines(values(tree, "models", "model"))
    } else if *images {
        lines(
            loaded
                .project
                .iter()
                .flat_map(|p| p.services.values())
                .filter_map(|s| Some(s.image.as_ref()?.value.clone())),
        )
    } else if *profiles {
        lines(loaded.profiles.iter().cloned())
    } else if let Some(service) = hash {
        hashes(loaded, service)?
    } else if *environment {
        let mut set: Vec<String> = loaded.environment.iter().map(|(name, v)| format!("{name}={}", v.value)).collect();
        set.sort();
        lines(set)
    } else if *asks {
        let asked = variables(&loaded.documents());
        match arguments.format {
            Format::Yaml => report::variables::text(&asked),
            Format::Json => format!("{:#}\n", report::variables::json(&asked)),
        }
    } else {
        return Ok(None);
    };
    Ok(Some(text))
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

fn keys(tree: &Node, section: &str) -> Vec<String> {
    let map = tree.get(section).and_then(Node::as_map);
    map.into_iter().flat_map(|map| map.iter()).map(|(key, _)| key.to_string()).collect()
}

fn values(tree: &Node, section: &str, key: &str) -> Vec<String> {
    let map = tree.get(section).and_then(Node::as_map);
    let value = |node: &Node| Some(node.get(key)?.as_str()?.to_owned());
    map.into_iter().flat_map(|map| map.iter()).filter_map(|(_, entry)| value(&entry.value)).collect()
}

/// What the label `com.docker.compose.config-hash` of a service's containers says.
fn hashes(loaded: &Loaded, asked: &str) -> Result<String, Failure> {
    let Some(project) = &loaded.project else { return Err(load::refused()) };
    let desired = desired(project, &DesiredOptions::default());
    let mut text = String::new();
    for name in project.services.keys().filter(|name| asked == "*" || asked.split(',').any(|one| **name == one)) {
        let container = desired.containers.get(&Replica::new(name.clone(), 1));
        let hash = container.and_then(|c| c.settings.labels.get(labels::CONFIG_HASH));
        text.push_str(&format!("{name} {}\n", hash.map_or("", String::as_str)));
    }
    if text.is_empty() && asked != "*" {
        return Err(Failure::new(Exit::Usage, format!("there is no service `{asked}`")));
    }
    Ok(text)
}

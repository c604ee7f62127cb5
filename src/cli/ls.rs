//! `bowline ls`.

use std::collections::BTreeMap;

use bowline::engine::Listed;
use bowline::report::table::Table;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::{block_on, output};

/// List the projects of the Engine
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also those of which nothing runs.
    #[arg(short, long)]
    all: bool,
    /// Only those for which this holds: `name=TEXT`, a part of the name.
    #[arg(long, value_name = "FILTER", value_parser = name)]
    filter: Vec<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only the names.
    #[arg(short, long)]
    quiet: bool,
}

/// `--format`, of the lists that know no templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns.
    #[default]
    Table,
    /// One array.
    Json,
}

fn name(filter: &str) -> Result<String, String> {
    let wanted = filter
        .strip_prefix("name=")
        .ok_or_else(|| format!("`{filter}` is no filter: the one filter is `name=TEXT`"))?;
    Ok(wanted.to_owned())
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let all = block_on(async { Ok(connect(global, Purpose::Read).await?.list_all().await?) })?;
    let mut projects = projects(&all, arguments.all);
    let named = |name: &str| arguments.filter.is_empty() || arguments.filter.iter().any(|part| name.contains(part));
    projects.retain(|name, _| named(name));
    let rows = projects.iter().map(|(name, containers)| (*name, status(containers), files(containers)));
    let text = match (arguments.quiet, arguments.format) {
        (true, _) => rows.map(|(name, ..)| format!("{name}\n")).collect(),
        (_, Format::Json) => {
            let object = |(name, status, files)| json!({ "Name": name, "Status": status, "ConfigFiles": files });
            format!("{}\n", rows.map(object).collect::<serde_json::Value>())
        }
        (_, Format::Table) => table(&projects),
    };
    output::answer(&text)?;
    Ok(Exit::Ok)
}

/// The projects of an Engine with their containers; without `even_ended` only what runs.
fn projects(all: &[Listed], even_ended: bool) -> BTreeMap<&str, Vec<&Listed>> {
    let mut projects: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for container in all {
        let label = container.labels.get("com.docker.compose.project").map(String::as_str).unwrap_or_default();
        if container.labels.contains_key("com.docker.compose.config-hash")
            && (even_ended || container.state == "running")
        {
            projects.entry(label).or_default().push(container);
        }
    }
    projects
}

fn table(projects: &BTreeMap<&str, Vec<&Listed>>) -> String {
    let mut table = Table::spaced(&["NAME", "STATUS", "CONFIG FILES"], 20, 3);
    projects.iter().for_each(|(name, containers)| table.row(&[name, &status(containers), &files(containers)]));
    table.text()
}

/// The table of the projects of which something runs; none where nothing does.
pub fn running(all: &[Listed]) -> Option<String> {
    let projects = projects(all, false);
    (!projects.is_empty()).then(|| table(&projects))
}

/// `exited(1), running(3)`.
fn status(containers: &[&Listed]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    containers.iter().for_each(|container| *counts.entry(container.state.as_str()).or_default() += 1);
    counts.iter().map(|(state, count)| format!("{state}({count})")).collect::<Vec<_>>().join(", ")
}

/// The stack files that its containers were made from, each once.
fn files(containers: &[&Listed]) -> String {
    let label = |container: &&Listed| container.labels.get("com.docker.compose.project.config_files").cloned();
    let mut files: Vec<String> = vec![];
    for file in
        containers.iter().filter_map(label).flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
    {
        if !file.is_empty() && !files.contains(&file) {
            files.push(file);
        }
    }
    if files.is_empty() { "N/A".to_owned() } else { files.join(",") }
}

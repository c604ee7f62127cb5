//! `bowline top`.

use bowline::engine::Listed;
use bowline::report::table::Table;
use clap::Args;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, output};

/// Show the processes of the containers that run
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    let text = block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        let listed = engine.list(named.name()).await?;
        named.known(&arguments.services, &listed)?;
        let mut shown: Vec<&Listed> = listed.iter().filter(|container| arguments.chooses(container)).collect();
        shown.sort_by_key(|container| (&container.service, &container.replica, &container.name));
        let asked = shown.iter().map(|container| engine.processes(container.id.as_str()));
        let mut tables: Vec<Table> = vec![];
        let mut head: Vec<String> = vec![];
        for (container, found) in shown.iter().zip(futures_util::future::join_all(asked).await) {
            let found = match found {
                Ok(found) => found,
                // it has ended meanwhile
                Err(error) if !error.is_lost() => continue,
                Err(error) => return Err(error.into()),
            };
            let titles: Vec<String> = ["SERVICE", "#"].into_iter().map(str::to_owned).chain(found.titles).collect();
            if titles != head || tables.is_empty() {
                tables.push(Table::spaced(&strs(&titles), 4, 2));
                head = titles;
            }
            let number = container.replica.as_ref().map_or("-".to_owned(), |replica| replica.number.to_string());
            for process in found.processes {
                let row: Vec<String> = [container.service.clone(), number.clone()].into_iter().chain(process).collect();
                tables.last_mut().into_iter().for_each(|table| table.row(&strs(&row)));
            }
        }
        Ok::<_, Failure>(tables.iter().map(Table::text).collect::<Vec<_>>().join("\n"))
    })?;
    output::answer(&text)?;
    Ok(Exit::Ok)
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

impl Arguments {
    fn chooses(&self, container: &Listed) -> bool {
        ["running", "paused"].contains(&container.state.as_str())
            && (self.services.is_empty() || self.services.contains(&container.service))
    }
}

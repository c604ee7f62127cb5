//! `bowline images`: what the containers were made from.

use bowline::engine::{ImageDetails, Listed};
use bowline::report::table::Table;
use bowline::report::units;
use clap::Args;
use indexmap::IndexMap;
use serde_json::json;

use super::args::Global;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::ls::Format;
use super::stack::Named;
use super::{block_on, output};

/// List the images that the containers of the stack were made from
#[derive(Debug, Args)]
pub struct Arguments {
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only the ids.
    #[arg(short, long)]
    quiet: bool,
    /// Only these services.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let named = Named::find(global)?;
    let (listed, details) = block_on(async {
        let engine = connect(global, Purpose::Read).await?;
        let listed = engine.list(named.name()).await?;
        let mut details: IndexMap<String, ImageDetails> = IndexMap::new();
        for container in listed.iter().filter(|container| arguments.chooses(container)) {
            if !details.contains_key(&container.image)
                && let Some(found) = engine.image_details(&container.image).await?
            {
                details.insert(container.image.clone(), found);
            }
        }
        Ok((listed, details))
    })?;
    named.known(&arguments.services, &listed)?;
    let rows = listed.iter().filter(|container| arguments.chooses(container)).filter_map(|container| {
        let (repository, tag) = name_and_tag(&container.image);
        details.get(&container.image).map(|image| Row { container: &container.name, repository, tag, image })
    });
    let text = match (arguments.quiet, arguments.format) {
        (true, _) => {
            let mut ids: Vec<&str> = details.values().map(|image| image.id.trim_start_matches("sha256:")).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.iter().map(|id| format!("{id}\n")).collect()
        }
        (_, Format::Json) => format!("{}\n", rows.map(|row| row.json()).collect::<serde_json::Value>()),
        (_, Format::Table) => {
            let head = ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"];
            let mut table = Table::spaced(&head, 20, 3);
            rows.for_each(|row| row.add_to(&mut table));
            table.text()
        }
    };
    output::answer(&text)?;
    Ok(Exit::Ok)
}

impl Arguments {
    fn chooses(&self, container: &Listed) -> bool {
        self.services.is_empty() || self.services.contains(&container.service)
    }
}

struct Row<'a> {
    container: &'a str,
    repository: &'a str,
    tag: &'a str,
    image: &'a ImageDetails,
}

impl Row<'_> {
    fn json(&self) -> serde_json::Value {
        json!({
            "ID": self.image.id,
            "ContainerName": self.container,
            "Repository": self.repository,
            "Tag": self.tag,
            "Platform": self.image.platform,
            "Size": self.image.size,
            "LastTagTime": self.image.tagged,
        })
    }

    fn add_to(&self, table: &mut Table) {
        let or_none = |text: &'_ str| if text.is_empty() { "<none>".to_owned() } else { text.to_owned() };
        let id = self.image.id.trim_start_matches("sha256:").get(..12).unwrap_or_default();
        let age = self
            .image
            .tagged
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|tagged| jiff::Timestamp::now().as_second() - tagged.as_second());
        let created = age.map_or("N/A".to_owned(), |age| format!("{} ago", units::duration(age)));
        table.row(&[
            self.container,
            &or_none(self.repository),
            &or_none(self.tag),
            &self.image.platform,
            id,
            &units::decimal(self.image.size),
            &created,
        ]);
    }
}

/// The repository and the tag that a container's image was named by; an id names neither.
fn name_and_tag(image: &str) -> (&str, &str) {
    if image.starts_with("sha256:") {
        return ("", "");
    }
    let (image, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ if digest => (image, ""),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_tag_and_an_id_none() {
        assert_eq!(name_and_tag("busybox"), ("busybox", "latest"));
        assert_eq!(name_and_tag("127.0.0.1:5000/a"), ("127.0.0.1:5000/a", "latest"));
        assert_eq!(name_and_tag("127.0.0.1:5000/a:2"), ("127.0.0.1:5000/a", "2"));
        assert_eq!(name_and_tag("a@sha256:0"), ("a", ""));
        assert_eq!(name_and_tag("sha256:0a"), ("", ""));
    }
}

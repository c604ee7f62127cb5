//! `docs/format.md`: the reference page of the file format.

use indexmap::IndexMap;

use super::{Attribute, Merge, Place, Realized, place};

const HEAD: &str = "<!-- Written from the table of attributes; `BOWLINE_WRITE=1 cargo test generated_files_are_current` writes it anew. -->\n\n\
# The file format\n\n\
A stack file is a Compose file: everything in the [Compose Specification](https://compose-spec.io) is read. This page lists every\n\
attribute with what may be written, what holds where nothing is, and what it becomes in the Engine's API. `*` stands for a name\n\
that you choose, `[]` for an item of a list. Keys of your own start with `x-` and may stand in every mapping.\n\n\
- **Done** is \"yes\" where bowline does what the attribute says; \"not yet\" where commands that talk to an Engine refuse it and\n  \
say so (`bowline config` prints it all the same); \"nothing to do\" where it speaks to Swarm or to other tools.\n\
- **Several files** says how a later file's value joins an earlier one's. `!reset` deletes what earlier files said, `!override`\n  \
replaces it.\n\
- **API** is the version of the Engine's API that it needs, where that is above 1.41 (Engine 20.10).\n";

/// The whole page.
pub fn page() -> String {
    let mut sections: IndexMap<String, String> = IndexMap::new();
    for (path, row) in place::rows() {
        sections.entry(heading(&path)).or_default().push_str(&line(&path, row));
    }
    let mut page = String::from(HEAD);
    for (heading, lines) in sections {
        page.push_str(&format!("\n## {heading}\n\n"));
        page.push_str("| attribute | forms | what it does | default | becomes | API | done | several files |\n");
        page.push_str("|---|---|---|---|---|---|---|---|\n");
        page.push_str(&lines);
    }
    page.push_str("\n## Where bowline reads a file otherwise than docker compose 2.40\n\n");
    for (path, row) in place::rows().filter(|(_, row)| !row.differs.is_empty()) {
        page.push_str(&format!("- `{path}`: {}\n", row.differs));
    }
    page
}

/// What is done with an attribute: no more than with what it stands in.
fn realized(path: &str, row: &Attribute) -> Realized {
    if row.realized != Realized::Yes {
        return row.realized;
    }
    let parent = path.strip_suffix("[]").or_else(|| path.rsplit_once('.').map(|(parent, _)| parent));
    let parent = parent.and_then(|parent| Some((parent, Place::of(parent).attribute()?)));
    parent.map_or(Realized::Yes, |(path, row)| realized(path, row))
}

/// The part of the page that an attribute stands in: its resource, and for a service the attribute above it.
fn heading(path: &str) -> String {
    let mut names = path.split('.');
    let top = names.next().unwrap_or_default().trim_end_matches("[]");
    match (top, names.next(), names.next()) {
        ("services", Some(_), Some(attribute)) => {
            let name = attribute.trim_end_matches("[]");
            let has_more = place::rows().any(|(other, _)| {
                let rest = other.strip_prefix("services.*.").and_then(|rest| rest.strip_prefix(name));
                rest.is_some_and(|rest| rest.starts_with(['.', '[']))
            });
            if has_more { format!("services: {name}") } else { "services".to_owned() }
        }
        ("services" | "networks" | "volumes" | "configs" | "secrets" | "models" | "include" | "x-verify", _, _) => {
            top.to_owned()
        }
        _ => "top level".to_owned(),
    }
}

fn line(path: &str, row: &Attribute) -> String {
    let forms = if row.words.is_empty() {
        row.form.expected().to_owned()
    } else {
        row.words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    let about = match row.like {
        Some(like) => format!("{} As `{like}`.", row.about),
        None => row.about.to_owned(),
    };
    let done = match realized(path, row) {
        Realized::Yes => "yes",
        Realized::NotYet => "not yet",
        Realized::NoEffect => "nothing to do",
        Realized::Elsewhere => "no effect",
    };
    let since = row.since.unwrap_or_default();
    let cells = [&format!("`{path}`"), &forms, &about, row.default, row.becomes, since, done, merge(row.merge)];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn merge(merge: Merge) -> &'static str {
    match merge {
        Merge::Join => "",
        Merge::Replace => "the later one",
        Merge::Pairs => "by name, the later one",
        Merge::Unique(_) => "appended, each once",
        Merge::Hosts => "appended, each once",
        Merge::Logging => "joined where the driver is the same",
        Merge::Pools => "the later ones, joined where the subnet is the same",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::attributes::schema;

    /// The files that are written from the table say what it says.
    #[test]
    fn generated_files_are_current() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let schema = format!("{:#}\n", schema::schema());
        for (name, text) in [("schemas/stack.json", schema), ("docs/format.md", page())] {
            let path = root.join(name);
            if std::env::var_os("BOWLINE_WRITE").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let current = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(current == text, "{name} is not current: `BOWLINE_WRITE=1 cargo test generated_files_are_current`");
        }
    }

    #[test]
    fn a_line_says_everything_of_an_attribute() {
        let page = page();
        let restart = page.lines().find(|line| line.starts_with("| `services.*.restart`")).unwrap();
        assert!(restart.contains("| no | HostConfig.RestartPolicy |  | yes |"), "{restart}");
        assert!(page.contains("- `services.*.volumes[]`: A volume with a name of one letter"));
    }
}

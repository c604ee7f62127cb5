//! What a project is called: `-p`, else `COMPOSE_PROJECT_NAME`, else `name:` of the last file that has one, else its
//! directory's name. Measured against docker compose 2.40.3.

use std::path::Path;

use super::environment::Environment;
use super::model::NamedBy;
use super::template;
use crate::finding::{Code, Finding, Findings};
use crate::name::ProjectName;
use crate::yaml::{Node, Tag};

/// Decides the name. None after an error.
///
/// `documents` are those of all stack files in order, not yet interpolated: the name becomes `COMPOSE_PROJECT_NAME`, which
/// they may use. What is wrong with a template in `name:` is told when the tree is interpolated.
pub fn decide(
    asked: Option<&str>,
    environment: &Environment,
    documents: &[Node],
    directory: &Path,
    findings: &mut Findings,
) -> Option<(ProjectName, NamedBy)> {
    let said = |name| (name, NamedBy::User);
    if let Some(name) = asked.filter(|n| !n.is_empty()) {
        return explicit(name, "`-p`", None, findings).map(said);
    }
    if let Some(variable) = environment.variable("COMPOSE_PROJECT_NAME").filter(|v| !v.value.is_empty()) {
        return explicit(&variable.value, "`COMPOSE_PROJECT_NAME`", variable.origin, findings).map(said);
    }
    let named =
        documents.iter().rev().filter_map(|d| d.get("name")).find(|n| n.as_str().is_some_and(|s| !s.is_empty()));
    match named.filter(|n| n.tag != Some(Tag::Reset)) {
        Some(node) => from_file(node, environment, findings).map(said),
        None => from_directory(directory, findings).map(|name| (name, NamedBy::Directory)),
    }
}

fn explicit(
    name: &str,
    whence: &str,
    origin: Option<crate::source::Span>,
    findings: &mut Findings,
) -> Option<ProjectName> {
    match name.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            let finding = Finding::error(Code::BadName, format!("{whence}: {error}")).maybe_at(origin);
            findings.push(match ProjectName::from_directory(name) {
                Some(near) => finding.help(format!("`{near}` would do")),
                None => finding,
            });
            None
        }
    }
}

/// The name of a file: other characters than a name may have are dropped, as docker compose drops them.
fn from_file(node: &Node, environment: &Environment, findings: &mut Findings) -> Option<ProjectName> {
    let written = node.as_str().unwrap_or_default();
    let mut troubles = vec![];
    let lookup = |name: &str| environment.get(name).map(str::to_owned);
    let expanded = template::expand(written, &lookup, &mut troubles);
    let Some(name) = ProjectName::from_directory(&expanded) else {
        let message = match expanded.is_empty() {
            true => "the project's name is empty".to_owned(),
            false => format!("`{expanded}` leaves no name for the project"),
        };
        let finding = Finding::error(Code::BadName, message).at(node.span);
        findings.push(finding.help("a name has lowercase letters, digits, `-` and `_`, with a letter or digit first"));
        return None;
    };
    if name.as_str() != expanded {
        let message = format!("the project's name `{expanded}` becomes `{name}`");
        findings.push(Finding::warning(Code::BadName, message).at(node.span).help(format!("write `name: {name}`")));
    }
    Some(name)
}

fn from_directory(directory: &Path, findings: &mut Findings) -> Option<ProjectName> {
    let base = directory.file_name().unwrap_or_default().to_string_lossy();
    let name = ProjectName::from_directory(&base);
    if name.is_none() {
        let message = format!("the directory `{}` leaves no name for the project", directory.display());
        findings.push(
            Finding::error(Code::BadName, message).help("give one with `name:` at the top of the file, or with `-p`"),
        );
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Files;
    use crate::yaml;

    fn decided(
        asked: Option<&str>,
        variables: &[(&str, &str)],
        text: &str,
        directory: &str,
    ) -> (Option<String>, usize) {
        let mut files = Files::new();
        let id = files.add("c.yaml", None, text);
        let mut findings = Findings::new();
        let documents = yaml::read(&files, id, &mut findings);
        let environment = variables.iter().copied().collect();
        let name = decide(asked, &environment, &documents, Path::new(directory), &mut findings);
        (name.map(|(name, _)| name.to_string()), findings.len())
    }

    #[test]
    fn the_name_is_that_of_the_first_who_gives_one() {
        let variables = [("COMPOSE_PROJECT_NAME", "v"), ("X", "x")];
        let name = |asked, variables: &[_], text| decided(asked, variables, text, "/srv/My.App").0.unwrap();
        assert_eq!(name(Some("p"), &variables, "name: f\n"), "p");
        assert_eq!(name(None, &variables, "name: f\n"), "v");
        assert_eq!(name(None, &[("COMPOSE_PROJECT_NAME", "")], "name: f\n"), "f");
        assert_eq!(name(None, &[("X", "x")], "name: f-$X\n---\nservices: {}\n"), "f-x");
        assert_eq!(name(None, &[], "name: f\n---\nname: g\n"), "g");
        assert_eq!(name(None, &[], "name: ''\n"), "myapp");
        assert_eq!(name(None, &[], "services: {}\n"), "myapp");
    }

    #[test]
    fn a_name_that_is_asked_for_is_taken_or_refused_and_one_of_a_file_is_mended() {
        assert_eq!(decided(Some("Foo"), &[], "", "/x"), (None, 1));
        assert_eq!(decided(None, &[("COMPOSE_PROJECT_NAME", "_a")], "", "/x"), (None, 1));
        assert_eq!(decided(None, &[], "name: Foo Bar\n", "/x"), (Some("foobar".into()), 1));
        assert_eq!(decided(None, &[], "name: ${NO}\n", "/x"), (None, 1));
        assert_eq!(decided(None, &[], "", "/한글"), (None, 1));
    }
}

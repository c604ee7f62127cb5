//! How a service's image is built.

use super::fields::Fields;
use crate::compose::model::{Build, BuildKit, BuildSecret, FileContent};
use crate::compose::tree;
use crate::finding::Findings;
use crate::yaml::{Node, Value};

/// Where the secret of a key comes from, and the variable that holds it.
type Content<'a> = dyn Fn(&str) -> Option<(FileContent, Option<String>)> + 'a;

/// `services.*.build`.
pub(super) fn build(service: &Node, path: &str, content: &Content<'_>, findings: &mut Findings) -> Option<Build> {
    let node = service.get("build").filter(|node| !node.is_null())?;
    let ulimits = tree::section(node, "ulimits").map(|(name, entry)| limit(name, &entry.value)).collect();
    let f = Fields { node, path: format!("{path}.build"), findings };
    let mut entitlements = f.texts("entitlements");
    if f.flag("privileged") == Some(true) {
        entitlements.push("security.insecure".to_owned());
    }
    let buildkit = BuildKit {
        contexts: f.pairs("additional_contexts"),
        cache_to: f.texts("cache_to"),
        secrets: secrets(node, content),
        ssh: f.pairs("ssh").into_iter().map(agent).collect(),
        entitlements,
        provenance: f.text("provenance"),
        sbom: f.text("sbom"),
    };
    let hosts = f.texts("extra_hosts");
    let host = |line: String| line.split_once('=').map(|(name, address)| (name.to_owned(), address.to_owned()));
    Some(Build {
        span: node.span,
        context: f.text("context").unwrap_or_else(|| ".".to_owned()),
        dockerfile: f.text("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()),
        dockerfile_inline: f.text("dockerfile_inline"),
        args: f.pairs("args"),
        labels: f.pairs("labels"),
        target: f.text("target"),
        tags: f.texts("tags"),
        network: f.text("network"),
        extra_hosts: hosts.into_iter().filter_map(host).collect(),
        cache_from: f.texts("cache_from"),
        no_cache: f.flag("no_cache").unwrap_or(false),
        pull: f.flag("pull").unwrap_or(false),
        shm_size: f.text("shm_size").and_then(|bytes| bytes.parse().ok()),
        ulimits,
        platforms: f.texts("platforms"),
        buildkit,
    })
}

/// `default`, or `id=path`.
fn agent((id, path): (String, String)) -> String {
    if path.is_empty() { id } else { format!("{id}={path}") }
}

/// `10`, or `soft` and `hard`.
fn limit(name: &str, node: &Node) -> (String, i64, i64) {
    let number = |node: Option<&Node>| match node.and_then(Node::as_scalar).map(|scalar| &scalar.value) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    match node.as_map() {
        Some(_) => (name.to_owned(), number(node.get("soft")), number(node.get("hard"))),
        None => (name.to_owned(), number(Some(node)), number(Some(node))),
    }
}

fn secrets(node: &Node, content: &Content<'_>) -> Vec<BuildSecret> {
    let secret = |item: &Node| {
        let source = tree::text(item, "source")?;
        let id = tree::text(item, "target").unwrap_or(source).to_owned();
        let (content, variable) = content(source)?;
        Some(BuildSecret { id, source: source.to_owned(), content, variable, span: item.span })
    };
    tree::items(node, "secrets").iter().filter_map(secret).collect()
}

//! How a service's image is built.

use std::path::PathBuf;

use super::fields::Fields;
use crate::compose::model::{Build, BuildKit, BuildSecret, SecretSource};
use crate::compose::tree;
use crate::finding::{Code, Findings};
use crate::yaml::{Node, Value};

/// `services.*.build`; `secrets` is the section of that name.
pub(super) fn build(service: &Node, path: &str, secrets: Option<&Node>, findings: &mut Findings) -> Option<Build> {
    let node = service.get("build").filter(|node| !node.is_null())?;
    let ulimits = tree::section(node, "ulimits").map(|(name, entry)| limit(name, &entry.value)).collect();
    let mut f = Fields { node, path: format!("{path}.build"), findings };
    let mut entitlements = f.texts("entitlements");
    if f.flag("privileged") == Some(true) {
        entitlements.push("security.insecure".to_owned());
    }
    let buildkit = BuildKit {
        contexts: f.pairs("additional_contexts"),
        cache_to: f.texts("cache_to"),
        secrets: build_secrets(&mut f, secrets),
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

fn build_secrets(f: &mut Fields, secrets: Option<&Node>) -> Vec<BuildSecret> {
    let mut found = vec![];
    for item in tree::items(f.node, "secrets") {
        let Some(source) = tree::text(item, "source") else { continue };
        let declared = secrets.and_then(|all| all.get(source));
        let text = |key: &str| declared.and_then(|secret| tree::text(secret, key)).map(str::to_owned);
        let source = match (text("file"), text("environment")) {
            (Some(file), _) => SecretSource::File(PathBuf::from(file)),
            (_, Some(variable)) => SecretSource::Environment(variable),
            _ => {
                let message =
                    format!("{}.secrets: `{source}` comes neither from a file nor from the environment", f.path);
                f.refuse(Code::BadValue, message, item.span, "give the secret a `file` or an `environment`");
                continue;
            }
        };
        let id = tree::text(item, "target").or_else(|| tree::text(item, "source")).unwrap_or_default();
        found.push(BuildSecret { id: id.to_owned(), source });
    }
    found
}

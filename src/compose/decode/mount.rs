//! What is mounted into a service.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::fields::Fields;
use crate::compose::model::{Bind, Mount, MountSource};
use crate::compose::tree;
use crate::finding::Findings;
use crate::source::Spanned;
use crate::yaml::Node;

/// `volumes` and `tmpfs` of a service. Kinds that the model does not carry are left to [`crate::compose::unsupported`].
pub(super) fn mounts(service: &Node, path: &str, findings: &mut Findings) -> Vec<Spanned<Mount>> {
    let (volumes, in_memory) = (tree::items(service, "volumes"), tree::items(service, "tmpfs"));
    let mut mounts = Vec::with_capacity(volumes.len() + in_memory.len());
    for (i, node) in volumes.iter().enumerate() {
        let fields = Fields { node, path: format!("{path}.volumes[{i}]"), findings: &mut *findings };
        mounts.extend(mount(fields).map(|mount| Spanned::new(mount, node.span)));
    }
    for node in in_memory {
        let text = node.as_str().unwrap_or_default();
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        let source = MountSource::Tmpfs { options: options.to_owned() };
        let (target, labels) = (target.to_owned(), BTreeMap::new());
        let mount = Mount { target, source, read_only: false, is_mapping: false, labels };
        mounts.push(Spanned::new(mount, node.span));
    }
    mounts
}

fn mount(mut fields: Fields<'_, '_>) -> Option<Mount> {
    let kind = fields.text("type")?;
    let source = match kind.as_str() {
        "bind" => MountSource::Bind(bind(&fields)?),
        "volume" => volume(&mut fields)?,
        "tmpfs" => memory(fields.node.get("tmpfs")),
        "image" => MountSource::Image {
            source: fields.text("source")?,
            subpath: fields.node.get("image").and_then(|o| tree::text(o, "subpath")).map(str::to_owned),
        },
        _ => return None,
    };
    let options = fields.node.get(&kind).filter(|node| node.as_map().is_some());
    let text = |node: &Node| node.as_scalar().map(|s| s.value.text().into_owned()).unwrap_or_default();
    let labels = options.into_iter().flat_map(|o| tree::section(o, "labels"));
    Some(Mount {
        target: fields.text("target")?,
        source,
        read_only: fields.flag("read_only").unwrap_or(false),
        is_mapping: options.is_some(),
        labels: labels.map(|(key, entry)| (key.to_string(), text(&entry.value))).collect(),
    })
}

fn bind(fields: &Fields<'_, '_>) -> Option<Bind> {
    let options = fields.node.get("bind");
    let option = |key| options.and_then(|o| tree::text(o, key)).map(str::to_owned);
    Some(Bind {
        source: PathBuf::from(fields.text("source")?),
        // as docker compose 2.40.3 has it: options that do not say it say no
        create_host_path: options.is_none_or(|o| o.get("create_host_path").and_then(Node::as_bool).unwrap_or(false)),
        propagation: option("propagation"),
        selinux: option("selinux"),
        recursive: option("recursive").filter(|word| word != "enabled"),
    })
}

fn volume(fields: &mut Fields<'_, '_>) -> Option<MountSource> {
    let Some(source) = fields.spanned("source") else { return Some(MountSource::Anonymous) };
    let options = fields.node.get("volume");
    Some(MountSource::Volume {
        key: source.value.parse().ok()?,
        no_copy: options.is_some_and(|o| tree::is_true(o, "nocopy")),
        subpath: options.and_then(|o| tree::text(o, "subpath")).map(str::to_owned),
        selinux: fields.node.get("bind").and_then(|o| tree::text(o, "selinux")).map(str::to_owned),
    })
}

/// A directory in memory.
fn memory(node: Option<&Node>) -> MountSource {
    let number = |key| node.and_then(|n| n.get(key)?.as_scalar().map(|s| s.value.text().into_owned()));
    let size = number("size").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mode = number("mode").and_then(|text| text.parse().ok()).unwrap_or(0);
    MountSource::Memory { size, mode }
}

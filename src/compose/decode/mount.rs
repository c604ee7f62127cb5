//! What is mounted into a service.

use std::path::PathBuf;

use super::fields::Fields;
use crate::compose::model::{Bind, Mount, MountSource};
use crate::compose::tree;
use crate::finding::Findings;
use crate::source::Spanned;
use crate::yaml::Node;

/// `volumes` and `tmpfs` of a service. Kinds that the model does not carry are left to [`crate::compose::unsupported`].
pub(super) fn mounts(service: &Node, path: &str, findings: &mut Findings) -> Vec<Spanned<Mount>> {
    let mut mounts = vec![];
    for (i, node) in tree::items(service, "volumes").iter().enumerate() {
        let fields = Fields { node, path: format!("{path}.volumes[{i}]"), findings: &mut *findings };
        mounts.extend(mount(fields).map(|mount| Spanned::new(mount, node.span)));
    }
    for node in tree::items(service, "tmpfs") {
        let text = node.as_str().unwrap_or_default();
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        let source = MountSource::Tmpfs { options: options.to_owned() };
        mounts.push(Spanned::new(Mount { target: target.to_owned(), source, read_only: false }, node.span));
    }
    mounts
}

fn mount(mut fields: Fields<'_, '_>) -> Option<Mount> {
    let source = match fields.text("type")?.as_str() {
        "bind" => MountSource::Bind(bind(&fields)?),
        "volume" => volume(&mut fields)?,
        "tmpfs" => MountSource::Tmpfs { options: tmpfs_options(fields.node.get("tmpfs")) },
        _ => return None,
    };
    Some(Mount { target: fields.text("target")?, source, read_only: fields.flag("read_only").unwrap_or(false) })
}

fn bind(fields: &Fields<'_, '_>) -> Option<Bind> {
    let options = fields.node.get("bind");
    let option = |key| options.and_then(|o| tree::text(o, key)).map(str::to_owned);
    Some(Bind {
        source: PathBuf::from(fields.text("source")?),
        create_host_path: options.and_then(|o| o.get("create_host_path")).and_then(Node::as_bool).unwrap_or(true),
        propagation: option("propagation"),
        selinux: option("selinux"),
    })
}

fn volume(fields: &mut Fields<'_, '_>) -> Option<MountSource> {
    let Some(source) = fields.spanned("source") else { return Some(MountSource::Anonymous) };
    let options = fields.node.get("volume");
    Some(MountSource::Volume {
        key: source.value.parse().ok()?,
        no_copy: options.is_some_and(|o| tree::is_true(o, "nocopy")),
        subpath: options.and_then(|o| tree::text(o, "subpath")).map(str::to_owned),
    })
}

/// The options of a directory in memory as mount(8) writes them.
fn tmpfs_options(node: Option<&Node>) -> String {
    let size = node.and_then(|n| tree::text(n, "size")).filter(|size| *size != "0").map(|size| format!("size={size}"));
    let mode = node.and_then(|n| n.get("mode")?.as_scalar()?.value.to_string().parse::<u32>().ok());
    let mode = mode.filter(|mode| *mode != 0).map(|mode| format!("mode={mode:o}"));
    size.into_iter().chain(mode).collect::<Vec<_>>().join(",")
}

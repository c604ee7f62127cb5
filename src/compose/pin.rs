//! Images by their digests: `config --resolve-image-digests` and `--lock-image-digests`.

use std::collections::{BTreeMap, BTreeSet};

use super::model::is_registry;
use super::tree::{section, section_mut, set, text};
use crate::yaml::Node;

/// Names that more than one part is known by.
const HUB: [&str; 2] = ["docker.io", "index.docker.io"];

/// The images that services name without a digest, in full.
pub fn unpinned(tree: &Node) -> BTreeSet<String> {
    let images = section(tree, "services").filter_map(|(_, entry)| text(&entry.value, "image"));
    images.filter(|image| !image.is_empty()).map(full).filter(|image| !image.contains('@')).collect()
}

/// Has every service name its image in full, by the digest where `digests` has one for it.
pub fn pin(tree: &mut Node, digests: &BTreeMap<String, String>) {
    for (_, entry) in section_mut(tree, "services") {
        let Some(image) = text(&entry.value, "image").filter(|image| !image.is_empty()).map(full) else { continue };
        let pinned = digests.get(&image).map(|digest| format!("{image}@{digest}"));
        set(&mut entry.value, "image", |at| Node::str(at, pinned.unwrap_or(image)));
    }
}

/// What of a tree is the images of its services: a stack file to go over the others.
pub fn images(mut tree: Node) -> Node {
    if let Some(all) = tree.as_map_mut() {
        all.0.retain(|key, _| &**key == "services");
    }
    for (_, entry) in section_mut(&mut tree, "services") {
        if let Some(service) = entry.value.as_map_mut() {
            service.0.retain(|key, _| &**key == "image");
        }
    }
    tree
}

/// An image as registries know it (distribution/reference): host, path, and a digest or a tag; `busybox` is
/// `docker.io/library/busybox:latest`.
fn full(image: &str) -> String {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    let (host, rest) = match rest.split_once('/') {
        Some((host, path)) if is_registry(host) && !HUB.contains(&host) => (host, path.to_owned()),
        Some((host, path)) if HUB.contains(&host) => ("docker.io", official(path)),
        _ => ("docker.io", official(rest)),
    };
    let (path, tag) = rest.split_once(':').map_or((rest.as_str(), "latest"), |(path, tag)| (path, tag));
    match digest {
        Some(digest) => format!("{host}/{path}@{digest}"),
        None => format!("{host}/{path}:{tag}"),
    }
}

/// One word is the Docker Hub's own.
fn official(path: &str) -> String {
    if path.contains('/') { path.to_owned() } else { format!("library/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::load_text;
    use crate::yaml::json;

    #[test]
    fn an_image_has_one_full_name() {
        for (image, whole) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"),
            ("team/app", "docker.io/team/app:latest"),
            ("docker.io/busybox", "docker.io/library/busybox:latest"),
            ("index.docker.io/team/app:1", "docker.io/team/app:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("registry.example/a/b:1@sha256:12", "registry.example/a/b@sha256:12"),
        ] {
            assert_eq!(full(image), whole);
        }
    }

    #[test]
    fn what_has_no_digest_gets_one_and_a_lock_is_the_images_alone() {
        let text = "services: {a: {image: busybox}, b: {image: 'x.y/c@sha256:12', command: ls}, c: {build: .}}";
        let mut tree = load_text("c.yaml", text).tree.unwrap();
        assert_eq!(unpinned(&tree), ["docker.io/library/busybox:latest".to_owned()].into());
        pin(&mut tree, &[("docker.io/library/busybox:latest".to_owned(), "sha256:34".to_owned())].into());
        let lock: serde_json::Value = serde_json::from_str(&json::write(&images(tree))).unwrap();
        let wanted = serde_json::json!({"services": {
            "a": {"image": "docker.io/library/busybox:latest@sha256:34"},
            "b": {"image": "x.y/c@sha256:12"},
            "c": {},
        }});
        assert_eq!(lock, wanted);
    }
}

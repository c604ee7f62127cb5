//! Relative paths made absolute, and variables that a file names without a value looked up.

use std::path::{Component, Path, PathBuf};

use crate::compose::environment::Environment;
use crate::compose::tree::{field_mut, section_mut, text};
use crate::yaml::Node;

/// Where relative paths start from.
pub struct Base<'a> {
    /// The directory: absolute, or relative to one that is not known yet (a file that is extended).
    pub directory: &'a Path,
    /// What `~` stands for.
    pub home: Option<&'a str>,
}

impl Base<'_> {
    /// A path of the local machine: absolute, clean where it was relative.
    fn path(&self, path: &str) -> String {
        if path.is_empty() {
            return String::new();
        }
        let path = self.expand_home(path);
        if path.starts_with('/') { path } else { join(self.directory, &path) }
    }

    /// A path of the Engine's host, which may be a Windows one.
    fn host_path(&self, path: &str) -> String {
        let bytes = path.as_bytes();
        let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':');
        if path.starts_with('\\') || drive {
            return path.to_owned();
        }
        let path = self.expand_home(path);
        if path.starts_with('/') { path } else { join(self.directory, &path) }
    }

    /// A build context: a directory, or something that a builder fetches.
    fn context(&self, context: &str) -> String {
        let remote = ["https://", "http://", "git://", "ssh://", "github.com/", "git@"];
        let fetched = context.contains("://") || context.starts_with("service:");
        if fetched || remote.iter().any(|prefix| context.starts_with(prefix)) {
            return context.to_owned();
        }
        self.path(context)
    }

    fn expand_home(&self, path: &str) -> String {
        match (path.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => join(Path::new(home), rest.trim_start_matches('/')),
            _ => path.to_owned(),
        }
    }
}

/// `path` seen from `directory`, without `.` and `..`.
pub fn join(directory: &Path, path: &str) -> String {
    clean(&directory.join(path)).to_string_lossy().into_owned()
}

/// A path without `.`, `..` and double slashes, by its text alone.
pub fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => drop(cleaned.pop()),
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => cleaned.push(".."),
            },
            other => cleaned.push(other),
        }
    }
    if cleaned.as_os_str().is_empty() {
        cleaned.push(".");
    }
    cleaned
}

/// Makes every relative path of a tree absolute, in place.
pub fn paths(tree: &mut Node, base: &Base<'_>) {
    for (_, entry) in section_mut(tree, "services") {
        service_paths(&mut entry.value, base);
    }
    for kind in ["configs", "secrets"] {
        for (_, entry) in section_mut(tree, kind) {
            replace(&mut entry.value, "file", |path| base.host_path(path));
        }
    }
    for (_, entry) in section_mut(tree, "volumes") {
        bound_device(&mut entry.value, base);
    }
}

/// Makes every relative path of one service absolute, in place.
pub fn service_paths(service: &mut Node, base: &Base<'_>) {
    if let Some(build) = field_mut(service, "build") {
        replace(build, "context", |context| base.context(context));
        each_value(build, "additional_contexts", |context| base.context(context));
        each_value(build, "ssh", |path| base.host_path(path));
    }
    each_item(service, "env_file", |file| replace(file, "path", |path| base.path(path)));
    each_item(service, "label_file", |file| change(file, |path| base.path(path)));
    if let Some(extends) = field_mut(service, "extends") {
        replace(extends, "file", |path| base.path(path));
    }
    if let Some(develop) = field_mut(service, "develop") {
        each_item(develop, "watch", |watch| replace(watch, "path", |path| base.path(path)));
    }
    each_item(service, "volumes", |mount| {
        if text(mount, "type") == Some("bind") {
            replace(mount, "source", |source| base.host_path(source));
        }
    });
}

/// A volume of the driver `local` that binds a directory.
fn bound_device(volume: &mut Node, base: &Base<'_>) {
    if text(volume, "driver") != Some("local") {
        return;
    }
    if let Some(options) = field_mut(volume, "driver_opts").filter(|o| text(o, "o") == Some("bind")) {
        replace(options, "device", |device| base.host_path(device));
    }
}

fn change(node: &mut Node, new: impl FnOnce(&str) -> String) {
    if let Some(old) = node.as_str() {
        *node = Node::str(node.span, new(old));
    }
}

fn replace(node: &mut Node, key: &str, new: impl FnOnce(&str) -> String) {
    if let Some(value) = field_mut(node, key) {
        change(value, new);
    }
}

fn each_item(node: &mut Node, key: &str, then: impl FnMut(&mut Node)) {
    if let Some(items) = field_mut(node, key).and_then(Node::as_seq_mut) {
        items.iter_mut().for_each(then);
    }
}

fn each_value(node: &mut Node, key: &str, new: impl Fn(&str) -> String) {
    for (_, entry) in section_mut(node, key) {
        change(&mut entry.value, &new);
    }
}

/// Gives variables without a value in `environment` the value that they have outside.
pub fn environment(tree: &mut Node, environment: &Environment) {
    for (_, entry) in section_mut(tree, "services") {
        for (name, entry) in section_mut(&mut entry.value, "environment") {
            look_up(name, &mut entry.value, environment);
        }
    }
}

/// Gives a null the value of a variable, where it has one.
pub fn look_up(name: &str, value: &mut Node, environment: &Environment) {
    if value.is_null()
        && let Some(found) = environment.get(name)
    {
        *value = Node::str(value.span, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_clean() {
        let base = Base { directory: Path::new("/p/q"), home: Some("/home/u") };
        for (path, expected) in [
            ("x", "/p/q/x"),
            ("./x/../y/", "/p/q/y"),
            ("..", "/p"),
            (".", "/p/q"),
            ("../../../z", "/z"),
            ("~/z", "/home/u/z"),
            ("~", "/home/u"),
            ("/a/../b", "/a/../b"),
            ("", ""),
        ] {
            assert_eq!(base.path(path), expected, "{path}");
        }
        assert_eq!(base.host_path(r"C:\x"), r"C:\x");
        assert_eq!(Base { directory: Path::new("../other"), home: None }.path("./x"), "../other/x");
    }

    #[test]
    fn what_a_builder_fetches_is_no_path() {
        let base = Base { directory: Path::new("/p"), home: None };
        for context in ["https://a/b.git", "docker-image://x", "git@a:b", "github.com/a/b", "service:x"] {
            assert_eq!(base.context(context), context);
        }
        assert_eq!(base.context("."), "/p");
    }
}

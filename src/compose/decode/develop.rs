//! `develop.watch`.

use super::resources;
use crate::compose::model::{Action, Watch};
use crate::compose::tree;
use crate::yaml::Node;

/// What follows from changes of a service's sources. An entry that lacks what it needs was refused before.
pub(super) fn watches(service: &Node) -> Vec<Watch> {
    let Some(develop) = service.get("develop") else { return vec![] };
    tree::items(develop, "watch").iter().filter_map(watch).collect()
}

fn watch(node: &Node) -> Option<Watch> {
    let texts = |key: &str| tree::items(node, key).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    Some(Watch {
        span: node.span,
        path: tree::text(node, "path")?.into(),
        action: action(tree::text(node, "action")?)?,
        target: tree::text(node, "target").map(str::to_owned),
        ignore: texts("ignore"),
        include: texts("include"),
        exec: node.get("exec").filter(|exec| exec.as_map().is_some()).map(resources::hook),
        initial_sync: tree::is_true(node, "initial_sync"),
    })
}

fn action(word: &str) -> Option<Action> {
    let all = [Action::Rebuild, Action::Sync, Action::Restart, Action::SyncRestart, Action::SyncExec];
    all.into_iter().find(|action| action.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::load_text;

    #[test]
    fn an_entry_is_read_whole() {
        let text = "services: {web: {image: x, develop: {watch: [
            {path: ./src, action: sync+exec, target: /app, ignore: tmp, include: ['*.rs', '*.toml'], initial_sync: true, exec: {command: kill -HUP 1, user: root}},
            {path: Cargo.toml, action: rebuild}]}}}";
        let project = load_text("c.yaml", text).project.unwrap();
        let [whole, short] = project.services["web"].watches.as_slice() else { panic!("two") };
        assert_eq!((whole.path.to_str(), whole.action), (Some("/test/src"), Action::SyncExec));
        assert_eq!(
            (whole.target.as_deref(), &*whole.ignore, whole.include.len()),
            (Some("/app"), &["tmp".to_owned()][..], 2)
        );
        assert_eq!(whole.exec.as_ref().unwrap().command, ["kill", "-HUP", "1"]);
        assert!(whole.initial_sync && !short.initial_sync);
        assert_eq!((short.action, short.target.as_deref(), &short.exec), (Action::Rebuild, None, &None));
    }
}

//! Rules by paths that need not be there, eyes by a directory that is.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::{Eyes, Rules, Work};
use crate::compose::load_text;
use crate::finding::Findings;

/// A directory, and the rules of a file in which `$HERE` is its path.
fn rules(yaml: &str) -> (tempfile::TempDir, Rules, Findings) {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap();
    std::fs::write(here.join(".dockerignore"), "target\n*.md\n").unwrap();
    let loaded = load_text("c.yaml", &yaml.replace("$HERE", here.to_str().unwrap()));
    let project = loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    let mut findings = Findings::new();
    let rules = Rules::new(&project, &[], &mut findings);
    (directory, rules, findings)
}

/// What changes of these paths mean, in short.
fn told(directory: &tempfile::TempDir, rules: &Rules, paths: &[&str]) -> String {
    let here = directory.path().canonicalize().unwrap();
    let changed = paths.iter().map(|path| here.join(path)).collect();
    let Work { rebuild, copies, restart, commands } = rules.work(&changed);
    let mut text = vec![];
    text.extend(rebuild.iter().map(|service| format!("build {service}")));
    for (service, copies) in copies {
        text.extend(copies.iter().map(|copy| format!("{service}:{}", copy.there)));
    }
    text.extend(restart.iter().map(|service| format!("restart {service}")));
    text.extend(commands.iter().map(|(service, hook)| format!("{service}$ {}", hook.command.join(" "))));
    text.join(", ")
}

const STACK: &str = "services:
  web:
    build: $HERE
    develop:
      watch:
        - {path: $HERE/src, action: sync, target: /app/src/, ignore: [tmp/, '**/*.log']}
        - {path: $HERE/conf, action: sync+restart, target: /etc/web, include: ['*.conf']}
        - {path: $HERE/Cargo.toml, action: rebuild}
  api:
    image: busybox
    develop:
      watch:
        - {path: $HERE, action: restart, ignore: ['**', '!api.yaml']}
        - {path: $HERE/hooks, action: sync+exec, target: /hooks, exec: {command: kill -HUP 1}}
";

#[test]
fn a_path_means_what_its_rule_says() {
    let (directory, rules, findings) = rules(STACK);
    assert!(findings.iter().next().is_none(), "{findings:?}");
    let told = |paths: &[&str]| told(&directory, &rules, paths);
    assert_eq!(told(&["src/a.rs", "src/b/c.rs"]), "web:/app/src/a.rs, web:/app/src/b/c.rs");
    assert_eq!(told(&["src/tmp/x", "src/b/x.log", "other"]), "");
    assert_eq!(told(&["src"]), "web:/app/src");
    assert_eq!(told(&["conf/web.conf", "conf/README"]), "web:/etc/web/web.conf, restart web");
    assert_eq!(
        told(&["Cargo.toml", "conf/web.conf"]),
        "build web, web:/etc/web/web.conf",
        "a new container has started"
    );
    assert_eq!(told(&["api.yaml"]), "restart api");
    assert_eq!(told(&["hooks/a", "hooks/b"]), "api:/hooks/a, api:/hooks/b, api$ kill -HUP 1", "it runs once");
}

#[test]
fn what_the_build_and_editors_leave_out_means_nothing() {
    let (directory, rules, _) =
        rules("services: {web: {build: $HERE, develop: {watch: [{path: $HERE, action: sync, target: /app}]}}}");
    let told = |paths: &[&str]| told(&directory, &rules, paths);
    assert_eq!(told(&["target/debug/web", "README.md"]), "");
    assert_eq!(told(&[".git/HEAD", "a/.a.rs.swp", "4913", "a.rs~", ".#a", "a/#a#"]), "");
    assert_eq!(told(&["a.rs"]), "web:/app/a.rs");
    let here = directory.path().canonicalize().unwrap();
    let blind = |path: &str| rules.are_blind_to(&here.join(path));
    assert!(blind("target") && blind("target/debug") && blind(".git") && blind("/elsewhere"));
    assert!(!blind("src") && !blind(""));
}

#[test]
fn an_entry_that_cannot_be_followed_is_told_with_its_place() {
    let (_directory, rules, findings) = rules(
        "services: {web: {image: x, volumes: ['$HERE:/app'], develop: {watch: [
            {path: $HERE, action: rebuild},
            {path: $HERE/src, action: sync, target: /app/src},
            {path: $HERE/x, action: sync+exec, target: /x},
            {path: $HERE/no/where, action: restart}]}}}",
    );
    assert!(rules.is_empty());
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(messages[0].ends_with("watch[0]: `rebuild` needs a `build`, and web has none"), "{messages:?}");
    assert!(
        messages[1].contains("watch[1] is not followed") && messages[2].ends_with("watch[2]: `sync+exec` needs `exec`")
    );
    assert!(messages[3].contains("there is no") && findings.iter().all(|finding| finding.at.is_some()), "{messages:?}");
}

#[test]
fn initial_sync_takes_what_is_there_of_its_own_rule() {
    let (directory, rules, _) = rules(
        "services: {web: {image: x, develop: {watch: [
            {path: $HERE/a, action: sync, target: /a, initial_sync: true}, {path: $HERE/b, action: sync, target: /b}]}}}",
    );
    let here = directory.path().canonicalize().unwrap();
    let there = ["a/1", "b/2"].map(|path| here.join(path)).into();
    let copies = rules.initial(&there);
    let there: Vec<&str> = copies["web"].iter().map(|copy| copy.there.as_str()).collect();
    assert_eq!(there, ["/a/1"]);
}

/// The names of changed paths, below the directory.
fn below(directory: &tempfile::TempDir, changed: &BTreeSet<PathBuf>) -> Vec<String> {
    let here = directory.path().canonicalize().unwrap();
    changed.iter().map(|path| path.strip_prefix(&here).unwrap().display().to_string()).collect()
}

#[test]
fn eyes_see_what_is_new_changed_moved_and_gone() {
    let (directory, rules, _) = rules(
        "services: {web: {image: x, develop: {watch: [{path: $HERE/src, action: sync, target: /app, ignore: [tmp]}]}}}",
    );
    let src = directory.path().join("src");
    std::fs::create_dir_all(src.join("old")).unwrap();
    std::fs::write(src.join("old/file"), "1").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut eyes, there) = Eyes::open(rules).unwrap();
        assert_eq!(below(&directory, &there), ["src/old", "src/old/file"]);
        // until each of the paths was told, however the system splits it
        let mut see = async |wanted: &[&str]| {
            let mut seen = BTreeSet::new();
            while !wanted.iter().all(|path| seen.contains(*path)) {
                let next = tokio::time::timeout(Duration::from_secs(20), eyes.next()).await;
                seen.extend(below(&directory, &next.unwrap_or_else(|_| panic!("{wanted:?}: {seen:?}")).unwrap()));
            }
            seen
        };
        std::fs::write(src.join("old/file"), "2").unwrap();
        see(&["src/old/file"]).await;
        std::fs::create_dir_all(src.join("new/deep")).unwrap();
        std::fs::write(src.join("new/deep/file"), "1").unwrap();
        see(&["src/new/deep/file"]).await;
        std::fs::create_dir_all(src.join("tmp")).unwrap();
        std::fs::write(src.join("tmp/file"), "1").unwrap();
        std::fs::rename(src.join("new"), src.join("moved")).unwrap();
        let seen = see(&["src/new", "src/moved", "src/moved/deep/file"]).await;
        assert!(!seen.iter().any(|path| path.starts_with("src/tmp")), "{seen:?}");
        std::fs::remove_dir_all(&src).unwrap();
        see(&["src/moved/deep/file", "src"]).await;
        std::fs::create_dir(&src).unwrap();
        std::fs::write(src.join("again"), "1").unwrap();
        see(&["src/again"]).await;
    });
}

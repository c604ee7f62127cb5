//! What a shell is told when it asks what may come next.

use std::path::Path;
use std::process::Command;

const STACK: &str =
    "services: {web: {image: nginx}, worker: {image: busybox}, debug: {image: busybox, profiles: [dev, ops]}}";

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory can be made");
    std::fs::write(directory.path().join("compose.yaml"), STACK).expect("it can be written to");
    std::fs::write(directory.path().join("other.yaml"), "services: {elsewhere: {image: busybox}}")
        .expect("it can be written to");
    directory
}

fn command(program: &Path, directory: &tempfile::TempDir) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory.path());
    ["COMPOSE_FILE", "COMPOSE_PROFILES"].iter().for_each(|name| _ = command.env_remove(name));
    command
}

/// What `shell` is told may stand for the last word, without the explanations that some shells show beside it.
fn told(directory: &tempfile::TempDir, shell: &str, words: &[&str]) -> Vec<String> {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_bowline")), directory);
    command.env("BOWLINE_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let answer = command.args(["--", "bowline"]).args(words).output().expect("bowline runs");
    assert!(answer.status.success(), "{shell}: {answer:?}");
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let word = |line: &str| line.split(['\t', ':', ' ']).next().unwrap_or_default().to_owned();
    text.lines().map(word).filter(|word| !word.is_empty()).collect()
}

#[test]
fn services_and_profiles_complete_from_the_file_in_every_shell() {
    let directory = directory();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let told = |words: &[&str]| told(&directory, shell, words);
        assert_eq!(told(&["up", "w"]), ["web", "worker"], "{shell}");
        assert_eq!(told(&["logs", "-f", "d"]), ["debug"], "{shell}: a service whose profile is not active");
        assert_eq!(told(&["-f", "other.yaml", "up", "-d", "e"]), ["elsewhere"], "{shell}");
        assert_eq!(told(&["--profile", ""]), ["dev", "ops"], "{shell}");
        assert_eq!(told(&["up", "--scale", "we"]), ["web="], "{shell}");
        assert_eq!(told(&["verif"]), ["verify"], "{shell}");
    }
}

#[test]
fn a_file_that_is_wrong_completes_nothing_and_says_nothing() {
    let directory = directory();
    std::fs::write(directory.path().join("compose.yaml"), "services: [").unwrap();
    assert_eq!(told(&directory, "bash", &["up", "w"]), [""; 0]);
}

#[test]
fn bash_completes() {
    let directory = directory();
    let program = Path::new(env!("CARGO_BIN_EXE_bowline"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let line = "source <(bowline completion bash)
        COMP_WORDS=(bowline restart wo) COMP_CWORD=2 COMP_TYPE=9
        _clap_complete_bowline bowline wo restart
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let answer = command(Path::new("bash"), &directory).args(["-c", line]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "worker\n", "{answer:?}");
}

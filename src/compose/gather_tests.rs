//! Discovery, in directories made for the purpose.

use tempfile::TempDir;

use super::*;

/// A directory with files in it.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

fn request(dir: &TempDir, below: &str) -> Request {
    Request { current_dir: dir.path().join(below), ..Request::default() }
}

fn set(request: &mut Request, name: &str, value: &str) {
    request.environment.insert(name.into(), value.into());
}

/// The stack files as shown, and what was said.
fn files(request: &Request) -> (Vec<String>, Vec<String>) {
    let mut findings = Findings::new();
    let gathered = gather(request, &mut findings);
    let names = gathered.stack_files.iter().map(|&id| gathered.sources.files().get(id).name.clone()).collect();
    (names, findings.iter().map(|f| f.message.clone()).collect())
}

fn variable(request: &Request, name: &str) -> Option<String> {
    let mut findings = Findings::new();
    let gathered = gather(request, &mut findings);
    gathered.environment.get(name).map(str::to_owned)
}

#[test]
fn the_search_goes_upwards_and_takes_an_override_beside_the_file() {
    let dir = tree(&[
        ("docker-compose.yml", ""),
        ("docker-compose.override.yml", ""),
        ("sub/deep/x", ""),
        ("two/compose.yaml", ""),
        ("two/docker-compose.yml", ""),
    ]);
    assert_eq!(files(&request(&dir, "")).0, ["docker-compose.yml", "docker-compose.override.yml"]);
    assert_eq!(files(&request(&dir, "sub/deep")).0, ["../../docker-compose.yml", "../../docker-compose.override.yml"]);
    let (found, said) = files(&request(&dir, "two"));
    assert_eq!(found, ["compose.yaml"]);
    assert_eq!(said, ["`compose.yaml` is read, and `docker-compose.yml` beside it is not"]);
    let elsewhere = Request { project_directory: Some("two".into()), ..request(&dir, "") };
    assert_eq!(files(&elsewhere).0, ["two/compose.yaml"]);
}

#[test]
fn nothing_found_names_what_may_be_meant() {
    let dir = tree(&[("stack.yaml", "")]);
    let mut findings = Findings::new();
    gather(&request(&dir, ""), &mut findings);
    let finding = findings.iter().next().unwrap();
    assert_eq!(finding.code, Code::NoProject);
    assert!(finding.help.as_ref().unwrap().contains("`-f stack.yaml`"), "{finding:?}");
}

#[test]
fn named_files_come_before_the_variable_and_that_before_the_search() {
    let dir = tree(&[
        ("compose.yaml", ""),
        ("compose.override.yaml", ""),
        ("a.yaml", ""),
        ("b.yaml", ""),
        (".env", "COMPOSE_FILE=b.yaml\n"),
    ]);
    let mut asked = request(&dir, "");
    assert_eq!(files(&asked).0, ["b.yaml"]);
    set(&mut asked, "COMPOSE_FILE", "a.yaml:b.yaml");
    assert_eq!(files(&asked).0, ["a.yaml", "b.yaml"]);
    set(&mut asked, "COMPOSE_FILE", "a.yaml,b.yaml");
    set(&mut asked, "COMPOSE_PATH_SEPARATOR", ",");
    assert_eq!(files(&asked).0, ["a.yaml", "b.yaml"]);
    asked.files = vec!["compose.yaml".into()];
    assert_eq!(files(&asked).0, ["compose.yaml"]);
}

#[test]
fn standard_input_is_a_stack_file_and_stands_in_the_current_directory() {
    let dir = tree(&[("sub/x.yaml", "")]);
    let mut asked = Request { files: vec!["-".into()], stdin: Some(b"services: {}".to_vec()), ..request(&dir, "") };
    let mut findings = Findings::new();
    let gathered = gather(&asked, &mut findings);
    assert_eq!(gathered.sources.files().get(gathered.stack_files[0]).text, "services: {}");
    assert_eq!(gathered.project_directory, dir.path());
    asked.files.push("sub/x.yaml".into());
    assert_eq!(gather(&asked, &mut findings).project_directory, dir.path().join("sub"));
}

#[test]
fn the_process_wins_over_files_and_a_later_file_over_an_earlier() {
    let dir = tree(&[
        ("compose.yaml", ""),
        (".env", "A=dotenv\nB=dotenv\n"),
        ("one", "A=one\nB=one\nC=$A\n"),
        ("two", "B=two\nD=$B\n"),
    ]);
    let mut asked = request(&dir, "");
    assert_eq!(variable(&asked, "A").as_deref(), Some("dotenv"));
    set(&mut asked, "A", "process");
    assert_eq!(variable(&asked, "A").as_deref(), Some("process"));
    asked.env_files = vec!["one".into(), "two".into()];
    let value = |name| variable(&asked, name).unwrap();
    assert_eq!([value("A"), value("B"), value("C"), value("D")], ["process", "two", "process", "two"]);
    asked.env_files.clear();
    set(&mut asked, "COMPOSE_ENV_FILES", "two,one");
    assert_eq!(variable(&asked, "B").as_deref(), Some("one"));
    asked.environment.shift_remove("COMPOSE_ENV_FILES");
    set(&mut asked, "COMPOSE_DISABLE_ENV_FILE", "1");
    assert_eq!(variable(&asked, "B"), None);
}

#[test]
fn dotenv_of_the_current_directory_wins_over_that_of_the_project() {
    let dir =
        tree(&[(".env", "A=here\nCOMPOSE_FILE=sub/c.yaml\n"), ("sub/c.yaml", ""), ("sub/.env", "A=there\nB=there\n")]);
    let asked = request(&dir, "");
    assert_eq!(variable(&asked, "A").as_deref(), Some("here"));
    assert_eq!(variable(&asked, "B").as_deref(), Some("there"));
}

#[test]
fn profiles_come_from_the_command_line_or_the_environment() {
    let dir = tree(&[("compose.yaml", ""), (".env", "COMPOSE_PROFILES=a, b\n")]);
    let mut asked = request(&dir, "");
    assert_eq!(gather(&asked, &mut Findings::new()).profiles, ["a", "b"]);
    asked.profiles = vec!["c".into()];
    assert_eq!(gather(&asked, &mut Findings::new()).profiles, ["c"]);
    let none = tree(&[("compose.yaml", "")]);
    assert_eq!(gather(&request(&none, ""), &mut Findings::new()).profiles, [""]);
}

#[test]
fn a_file_that_is_not_there_is_told_for_each() {
    let dir = tree(&[("compose.yaml", "")]);
    let asked = Request {
        files: vec!["compose.yml".into(), "compose.yaml".into(), "no/such.yaml".into()],
        env_files: vec!["gone.env".into()],
        ..request(&dir, "")
    };
    let (found, said) = files(&asked);
    assert_eq!(found, ["compose.yaml"]);
    assert_eq!(
        said,
        [
            "the environment file gone.env is not there",
            "the stack file compose.yml is not there",
            "the stack file no/such.yaml is not there",
        ]
    );
    let remote = Request { files: vec!["oci://example.com/x".into()], ..request(&dir, "") };
    assert_eq!(files(&remote).1.len(), 1);
}

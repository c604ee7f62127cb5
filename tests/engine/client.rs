//! What the docker command's own configuration says, and the variables of docker compose, in the environment or in `.env`.

use std::process::Command;

use crate::compose::{has_compose, plugins};
use crate::stack::{Built, Ran, Stack};

const YAML: &str = "services:
  said: {image: busybox, command: sleep 1000, stop_grace_period: 0s, environment: {NO_PROXY: mine}, network_mode: none}
  built:
    command: sleep 1000
    stop_grace_period: 0s
    network_mode: none
    build: {context: ., dockerfile: Dockerfile, args: {FTP_PROXY: arg}}
";

/// `proxies` of the configuration are in every container and every build that does not say otherwise, and nothing is replaced for them.
#[test]
fn containers_and_builds_are_told_of_proxies() {
    let Some(stack) = Stack::new("proxies", YAML).map(Built) else { return };
    let dockerfile = "FROM busybox:latest\nRUN echo $HTTP_PROXY $https_proxy $FTP_PROXY >/seen\n";
    std::fs::write(stack.directory.join("Dockerfile"), dockerfile).unwrap();
    let configure = |proxies: &str| {
        let all = format!(
            r#"{{"proxies": {{"default": {proxies}}}, "HttpHeaders": {{"X-Meta": "1"}}, "auths": null,
                 "cliPluginsExtraDirs": {}}}"#,
            plugins()
        );
        std::fs::write(stack.directory.join("config.json"), all).unwrap();
    };
    let run = |mut command: Command, builder: &str| {
        let ran =
            Ran::from(command.env("DOCKER_CONFIG", &stack.directory).env("DOCKER_BUILDKIT", builder).output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.err
    };
    let proxies = |service: &str| {
        let all = stack.inspect(service, "{{json .Config.Env}}");
        let mut all: Vec<String> = serde_json::from_str(&all).unwrap();
        all.retain(|variable| variable.to_lowercase().contains("proxy"));
        all.sort();
        all
    };
    configure(r#"{"httpProxy": "http://h.test:1", "httpsProxy": "http://s.test:2", "noProxy": "a", "ftpProxy": "f"}"#);
    run(stack.bowline("up -d"), "0");
    let expected = [
        "FTP_PROXY=f",
        "HTTPS_PROXY=http://s.test:2",
        "HTTP_PROXY=http://h.test:1",
        "NO_PROXY=mine",
        "ftp_proxy=f",
        "http_proxy=http://h.test:1",
        "https_proxy=http://s.test:2",
        "no_proxy=a",
    ];
    assert_eq!(proxies("said"), expected);
    assert_eq!(stack.shell("built", "cat /seen"), "http://h.test:1 http://s.test:2 arg");
    // by buildx, where it is
    run(stack.bowline("build --no-cache built"), "1");
    run(stack.bowline("up -d"), "1");
    assert_eq!(stack.shell("built", "cat /seen"), "http://h.test:1 http://s.test:2 arg");
    if has_compose() {
        assert!(!run(stack.compose("up -d"), "1").contains("Recreate"));
        run(stack.compose("up -d --force-recreate"), "1");
        assert_eq!(proxies("said"), expected, "docker compose's");
    }
    configure(r#"{"httpProxy": "http://other.test:1"}"#);
    let id = stack.inspect("said", "{{.Id}}");
    run(stack.bowline("up -d"), "1");
    assert_eq!(stack.inspect("said", "{{.Id}}"), id, "what the file does not say replaces nothing");
    std::fs::write(stack.directory.join("config.json"), "{").unwrap();
    let broken = Ran::from(stack.bowline("ps").env("DOCKER_CONFIG", &stack.directory).output().unwrap());
    assert!(broken.code == Some(69) && broken.err.contains("config.json cannot be read"), "{broken:?}");
}

const TWO: &str = "services:
  a: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: none}
  b: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: none}
";

/// `COMPOSE_…` from the environment and from `.env`, where the environment comes first and the command line before both.
#[test]
fn variables_of_docker_compose_hold_from_the_environment_and_from_the_file() {
    let Some(stack) = Stack::new("variables", TWO) else { return };
    let keep = |lines: &str| std::fs::write(stack.directory.join(".env"), lines).unwrap();
    let run = |arguments: &str, variables: &[(&str, &str)], code: i32| {
        let ran = Ran::from(stack.bowline(arguments).envs(variables.iter().copied()).output().unwrap());
        assert_eq!(ran.code, Some(code), "{arguments} {variables:?}: {ran:?}");
        ran.err
    };
    let names = || stack.docker("ps -a --filter {p} --format {{.Names}}").lines().count();
    keep("COMPOSE_PROGRESS=quiet\nCOMPOSE_COMPATIBILITY=yes\n");
    assert_eq!(run("up -d", &[], 0), "");
    assert!(stack.docker("ps --filter {p} --format {{.Names}}").contains(&format!("{}_a_1", stack.name)));
    assert!(run("--progress plain up -d --force-recreate a", &[], 0).contains("Started"));
    assert!(run("up -d --force-recreate a", &[("COMPOSE_PROGRESS", "plain")], 0).contains("Started"));
    keep("COMPOSE_IGNORE_ORPHANS=1\nCOMPOSE_COMPATIBILITY=1\n");
    stack.write(&TWO[..TWO.find("  b:").unwrap()]);
    assert!(!run("up -d", &[], 0).contains("orphan"));
    assert!(!run("run --rm a true", &[], 0).contains("orphan"));
    assert!(run("up -d", &[("COMPOSE_IGNORE_ORPHANS", "0")], 0).contains("belongs to no service"));
    let both = run("up -d --remove-orphans", &[], 64);
    assert!(both.contains("COMPOSE_IGNORE_ORPHANS and --remove-orphans"), "{both}");
    assert!(run("up -d", &[("COMPOSE_REMOVE_ORPHANS", "maybe")], 64).contains("neither true nor false"));
    assert_eq!(names(), 2);
    keep("COMPOSE_REMOVE_ORPHANS=1\nCOMPOSE_COMPATIBILITY=1\n");
    run("up -d", &[], 0);
    assert_eq!(names(), 1);
    keep("COMPOSE_PARALLEL_LIMIT=many\n");
    assert!(run("ps", &[], 64).contains("'many' for '--parallel"));
    keep("COMPOSE_COMPATIBILITY=1\nDOCKER_DEFAULT_PLATFORM=linux/s390x\n");
    stack.run("plan", 0);
    let other = stack.run("plan --force-recreate", 2).out;
    assert!(other.contains("pull busybox for linux/s390x"), "{other}");
    stack.write("services: {a: {image: busybox, platform: linux/s390x, command: sleep 1000, network_mode: none}}");
    let said = stack.run("plan", 2).out;
    assert!(said.contains("platform (linux/amd64, declared linux/s390x)"), "{said}");
    keep("COMPOSE_COMPATIBILITY=1\n");
    run("down", &[], 0);
    assert_eq!(stack.remains(), "");
}

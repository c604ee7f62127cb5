//! Images that are built: what is sent, what comes out, what a failure says; by buildx where it is, and by the classic builder.

use std::process::Command;

use crate::compose::has_buildx;
use crate::stack::{Built, Ran, Stack};

const YAML: &str = "services:
  web:
    build:
      context: ctx
      args: {WHO: world}
      target: final
      labels: {made: here}
      tags: ['$NAME-extra:2']
    stop_signal: SIGKILL
  inline:
    image: $NAME-inline:1
    build:
      context: ctx
      dockerfile_inline: |
        FROM busybox:latest
        ENV X=inline
        CMD [\"sleep\", \"infinity\"]
    stop_signal: SIGKILL
";

const DOCKERFILE: &str = "FROM busybox:latest AS base
ARG WHO=nobody
ENV WHO=$WHO
COPY . /site
FROM base AS final
RUN ls -R /site > /list
CMD [\"sleep\", \"infinity\"]
";

/// The stack with its build context.
fn stack(topic: &str) -> Option<Built> {
    let stack = Stack::new(topic, YAML)?;
    let context = stack.directory.join("ctx");
    std::fs::create_dir_all(context.join("deep/er")).unwrap();
    for (name, text) in [
        ("Dockerfile", DOCKERFILE),
        (".dockerignore", "**/*.secret\n!deep/er/known.secret\n"),
        ("page", "hello"),
        ("top.secret", ""),
        ("deep/low.secret", ""),
        ("deep/er/known.secret", ""),
    ] {
        std::fs::write(context.join(name), text).unwrap();
    }
    std::os::unix::fs::symlink("page", context.join("link")).unwrap();
    Some(Built(stack))
}

/// Takes the images away that the stack built: first those without a name of their own, then all.
fn clean(stack: &Stack) {
    let there = || stack.docker(&format!("images -q --filter reference={}-*", stack.name)).lines().count();
    stack.run("-f compose.yaml down --rmi local", 0);
    let left = there();
    stack.run("-f compose.yaml down --rmi all", 0);
    assert!(there() < left || left == 0, "the image with a name of its own goes only with all");
}

/// Builds as `up` does it, with these variables set.
fn builds(stack: &Stack, variables: &[(&str, &str)]) {
    let up = Ran::from(stack.bowline("-f compose.yaml up -d").envs(variables.iter().copied()).output().unwrap());
    assert_eq!(up.code, Some(0), "{up:?}");
    assert!(up.err.contains(&format!("Image {}-web  Built", stack.name)), "{}", up.err);
    let inside = |command: &str| {
        let name = format!("{}-web-1", stack.name);
        stack.docker(&format!("exec {name} {command}"))
    };
    assert!(inside("env").lines().any(|line| line == "WHO=world"));
    assert_eq!(inside("cat /site/link"), "hello");
    let list = inside("cat /list");
    assert!(list.contains("known.secret") && !list.contains("top.secret") && !list.contains("low.secret"), "{list}");
    let labels = stack.docker(&format!("inspect -f {{{{.Config.Labels}}}} {}-extra:2", stack.name));
    assert!(labels.contains("made:here") && labels.contains("com.docker.compose.service:web"), "{labels}");
    assert_eq!(stack.inspect("inline", "{{.Config.Image}}"), format!("{}-inline:1", stack.name));

    let again = stack.run("-f compose.yaml up -d", 0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    let by_policy = stack.run("-f compose.yaml --dry-run up -d --pull build web", 0).out;
    assert!(by_policy.contains("build web") && by_policy.contains("--pull build"), "{by_policy}");
    assert!(stack.run("-f compose.yaml --dry-run up -d --pull if_not_present", 0).out.is_empty());
    std::fs::write(stack.directory.join("ctx/page"), "changed").unwrap();
    let built =
        Ran::from(stack.bowline("-f compose.yaml up -d --build").envs(variables.iter().copied()).output().unwrap());
    assert_eq!(built.code, Some(0), "{built:?}");
    assert_eq!(inside("cat /site/page"), "changed");
    assert!(!built.err.contains("inline-1  Creat"), "the one whose image came out the same stays\n{}", built.err);
}

#[test]
fn an_image_is_built_and_built_anew() {
    let Some(stack) = stack("build") else { return };
    if !has_buildx() {
        return; // what there is instead has a test of its own
    }
    builds(&stack, &[]);
    clean(&stack);
}

#[test]
fn the_classic_builder_does_the_same() {
    let Some(stack) = stack("classic") else { return };
    builds(&stack, &[("DOCKER_BUILDKIT", "0")]);
    clean(&stack);
}

#[test]
fn a_build_that_fails_says_where_and_what_needs_buildx_is_told() {
    let Some(stack) = stack("unbuilt") else { return };
    std::fs::write(stack.directory.join("ctx/Dockerfile"), "FROM busybox:latest AS final\nRUN echo so far && exit 7\n")
        .unwrap();
    for variables in [vec![], vec![("DOCKER_BUILDKIT", "0")]] {
        let up = Ran::from(stack.bowline("-f compose.yaml build web").envs(variables).output().unwrap());
        assert_eq!(up.code, Some(1), "{up:?}");
        assert!(up.err.contains("so far") && up.err.contains("7") && up.err.contains("cannot build web"), "{}", up.err);
    }
    stack.write("services: {web: {build: {context: ctx, ssh: [default]}}}");
    let ssh = Ran::from(stack.bowline("-f compose.yaml build").env("DOCKER_BUILDKIT", "0").output().unwrap());
    assert!(ssh.err.contains("ssh of `build` needs buildx"), "{ssh:?}");
    stack.write("services: {web: {build: nowhere}}");
    let nowhere = stack.run("-f compose.yaml build", 1);
    assert!(nowhere.err.contains("nowhere"), "{nowhere:?}");
    clean(&stack);
}

/// `--print`, `--check`, `--memory` and `--builder`, by the words of docker compose.
#[test]
fn a_build_can_be_printed_checked_limited_and_given_to_a_builder() {
    let Some(stack) = stack("buildflags") else { return };
    let file: serde_json::Value =
        serde_json::from_str(&stack.run("-f compose.yaml build --print --no-cache --push --sbom true inline", 0).out)
            .unwrap();
    let target = &file["target"]["inline"];
    assert_eq!(file["group"]["default"]["targets"], serde_json::json!(["inline"]));
    assert_eq!(target["tags"], serde_json::json!([format!("{}-inline:1", stack.name)]));
    assert_eq!((&target["no-cache"], &target["output"][0]), (&true.into(), &"type=registry".into()));
    assert_eq!(target["attest"][0], "type=sbom");
    assert_eq!(stack.docker(&format!("images -q --filter reference={}-*", stack.name)), "", "nothing was built");

    let run = |arguments: &str, builder: &str| {
        let mut command = stack.bowline(arguments);
        Ran::from(command.env("DOCKER_BUILDKIT", builder).output().unwrap())
    };
    if !has_buildx() {
        return;
    }
    std::fs::write(
        stack.directory.join("ctx/Dockerfile"),
        "FROM busybox:latest AS final\nRUN cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true\n",
    )
    .unwrap();
    let limited = run("-f compose.yaml build --no-cache -m 32m web", "0");
    assert!(limited.code == Some(0) && limited.err.contains("33554432"), "{limited:?}");
    let unlimited = run("-f compose.yaml build -m 32m web", "1");
    assert!(unlimited.code == Some(0) && unlimited.err.contains("--memory is left out"), "{unlimited:?}");
    for (flag, told) in [("--builder b", "`--builder` needs buildx"), ("--check", "`--check` needs buildx")] {
        let lacking = run(&format!("-f compose.yaml build {flag} web"), "0");
        assert!(lacking.code == Some(1) && lacking.err.contains(told), "{lacking:?}");
    }
    let nobody = run("-f compose.yaml build --builder bt-nobody web", "1");
    assert!(nobody.code == Some(1) && nobody.err.contains("bt-nobody"), "{nobody:?}");
    if is_of_late() {
        let right = run("-f compose.yaml build --check -q web", "1");
        assert!(right.code == Some(0) && right.out.starts_with("web\n\nCheck complete, no warnings"), "{right:?}");
        std::fs::write(stack.directory.join("ctx/Dockerfile"), "from busybox AS final\nRUN true\nRUN true\n").unwrap();
        let warned = run("-f compose.yaml build --check", "1");
        assert!(warned.code == Some(1) && warned.err.ends_with("error: the check warns of web\n"), "{warned:?}");
        assert!(warned.out.contains("ConsistentInstructionCasing") && warned.out.contains("inline\n\n"), "{warned:?}");
    } else {
        let old = run("-f compose.yaml build --check web", "1");
        assert!(old.code == Some(1) && old.err.contains("cannot check the build of web"), "{old:?}");
    }
    stack.run("-f compose.yaml down --rmi all", 0);
}

/// Whether the Engine's BuildKit knows checks, and contexts that are other images: that of 20.10 knows neither.
fn is_of_late() -> bool {
    let version = Ran::from(Command::new("docker").args(["version", "-f", "{{.Server.Version}}"]).output().unwrap());
    version.out.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 27)
}

/// The image of a service that takes no part is built for one that starts from it, and goes with it; its container is nobody's wish.
#[test]
fn what_an_image_starts_from_is_built_whoever_takes_part() {
    let base = "build: {context: ctx, dockerfile_inline: 'FROM busybox\nRUN touch /based'}, networks: [aside]";
    let from = "command: sleep 1000, stop_signal: KILL, build: {context: ctx, dockerfile_inline: 'FROM base\nRUN ls /based', \
                additional_contexts: {base: 'service:base'}}";
    for profile in ["", "profiles: [tools], "] {
        let Some(stack) = stack("bases").filter(|_| has_buildx()) else { return };
        let text = format!("services:\n  base: {{{profile}{base}}}\n  web: {{{from}}}\nnetworks: {{aside: {{}}}}\n");
        stack.write(&text.replace("\nRUN", "\\nRUN").replace('\'', "\"").replace("\"service:base\"", "'service:base'"));
        let file = stack.run("-f compose.yaml build --print web", 0).out;
        assert!(file.contains("\"base\": \"target:base\"") && file.contains("RUN touch /based"), "{file}");
        if !is_of_late() {
            let old = stack.run("-f compose.yaml up -d web", 1).err;
            assert!(old.contains("cannot build web") && old.contains("contexts"), "{old}");
            stack.run("-f compose.yaml down --rmi all", 0);
            continue;
        }
        let up = stack.run("-f compose.yaml up -d web", 0);
        assert!(up.err.contains(&format!("Image {}-base  Built", stack.name)), "{}", up.err);
        assert_eq!(stack.docker("ps -a --filter {p} --format {{.Names}}"), format!("{}-web-1", stack.name));
        assert!(!stack.docker("network ls --filter {p}").contains("aside"));
        assert!(stack.run("-f compose.yaml up -d web", 0).err.contains("nothing to do"));
        stack.run("-f compose.yaml down --rmi all", 0);
        assert_eq!(stack.docker(&format!("images -q --filter reference={}-*", stack.name)), "");
    }
}

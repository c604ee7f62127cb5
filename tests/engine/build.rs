//! Images that are built: what is sent, what comes out, what a failure says; by buildx where it is, and by the classic builder.

use std::process::Command;

use crate::stack::{Ran, Stack};

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

/// A stack that builds. Dropped, its images go too, those that lost their names among them.
struct Built(Stack);

impl std::ops::Deref for Built {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.0
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let _ = self.bowline("down -t 0").output();
        let _ = Command::new("docker").args(["image", "prune", "-af", "--filter", &filter]).output();
    }
}

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
    std::fs::write(stack.directory.join("ctx/page"), "changed").unwrap();
    let built =
        Ran::from(stack.bowline("-f compose.yaml up -d --build").envs(variables.iter().copied()).output().unwrap());
    assert_eq!(built.code, Some(0), "{built:?}");
    assert_eq!(inside("cat /site/page"), "changed");
    assert!(!built.err.contains("inline-1  Creat"), "the one whose image came out the same stays\n{}", built.err);
}

#[test]
fn an_image_is_built_and_built_anew_by_whatever_builder_is_there() {
    let Some(stack) = stack("build") else { return };
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

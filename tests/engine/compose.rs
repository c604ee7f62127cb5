//! Side by side with docker compose: each sees, and takes down, what the other made.

use std::process::Command;

use crate::stack::{Ran, Stack, block_on, engine};

const STACK: &str = "
services:
  web: {image: busybox, command: sleep 1000, init: true, depends_on: [db], ports: ['127.0.0.1::80']}
  db: {image: busybox, command: sleep 1000, init: true, volumes: ['data:/data'], stop_grace_period: 2s}
volumes: {data: {}}
";

/// Whether docker compose is here, by which what both do is compared. `scripts/test` fetches it.
pub fn has_compose() -> bool {
    has("compose", "how bowline and docker compose work together")
}

/// Whether buildx is here. `scripts/test` fetches it.
pub fn has_buildx() -> bool {
    has("buildx", "builds by BuildKit")
}

/// Whether the docker command has a plugin; loudly, where it has not.
fn has(plugin: &str, of: &str) -> bool {
    let there = Command::new("docker").args([plugin, "version"]).output().is_ok_and(|answer| answer.status.success());
    if !there {
        eprintln!("SKIPPED, and nothing is known of {of}: there is no docker {plugin} here");
    }
    there
}

/// Where the docker command looks for compose and buildx beside its usual places: for a configuration of a test's own.
pub fn plugins() -> serde_json::Value {
    let text = std::env::var("DOCKER_CONFIG")
        .ok()
        .and_then(|directory| std::fs::read(std::path::Path::new(&directory).join("config.json")).ok());
    let configured: serde_json::Value =
        text.map_or_else(Default::default, |text| serde_json::from_slice(&text).unwrap());
    configured.get("cliPluginsExtraDirs").cloned().unwrap_or_else(|| serde_json::json!([]))
}

/// Runs to a good end.
pub fn ran(mut command: Command) -> Ran {
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{command:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// The table without the columns that count seconds.
fn rows(table: &str) -> Vec<Vec<String>> {
    let columns =
        |line: &str| line.split("   ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect();
    let rows: Vec<Vec<String>> = table.lines().map(columns).collect();
    rows.into_iter().map(|row| row.into_iter().filter(|cell| !cell.contains("second")).collect()).collect()
}

#[test]
fn docker_compose_sees_and_removes_our_stack() {
    let Some(stack) = Stack::new("ours", STACK) else { return };
    if !has_compose() {
        return;
    }
    stack.run("up -d", 0);
    let theirs = ran(stack.compose("ps"));
    assert_eq!(rows(&theirs.out), rows(&stack.run("ps", 0).out));
    assert!(theirs.out.contains(&format!("{}-web-1", stack.name)), "{}", theirs.out);
    ran(stack.compose("logs"));
    ran(stack.compose("down -v -t 2"));
    assert_eq!(stack.remains(), "");
}

#[test]
fn we_see_keep_and_remove_a_stack_of_docker_compose() {
    let Some(stack) = Stack::new("theirs", STACK) else { return };
    if !has_compose() {
        return;
    }
    ran(stack.compose("up -d"));
    assert_eq!(rows(&stack.run("ps", 0).out), rows(&ran(stack.compose("ps")).out));
    let ids = (stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}"));
    let planned = stack.run("plan", 0);
    assert!(planned.out.contains("as declared"), "{}", planned.out);
    stack.run("up -d", 0);
    assert_eq!((stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}")), ids, "nothing was replaced");
    stack.run("down -v -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn ps_says_the_same_in_every_form() {
    let Some(stack) = Stack::new("ps", STACK) else { return };
    if !has_compose() {
        return;
    }
    stack.run("up -d", 0);
    stack.docker(&format!("stop -t 0 {}-db-1", stack.name));
    for form in ["ps -q", "ps -aq", "ps --services", "ps -a --services", "ps --status exited -q", "ps web -q"] {
        assert_eq!(stack.run(form, 0).out, ran(stack.compose(form)).out, "{form}");
    }
    let (ours, theirs) = (stack.run("ps -a --format json", 0).out, ran(stack.compose("ps -a --format json")).out);
    let objects = |text: &str| -> Vec<serde_json::Value> {
        let mut objects: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for object in &mut objects {
            let map = object.as_object_mut().unwrap();
            // these count seconds, or come in an order that changes from run to run
            ["RunningFor", "Status", "Labels", "Mounts"].iter().for_each(|key| _ = map.remove(*key));
        }
        objects
    };
    assert_eq!(objects(&ours), objects(&theirs));
}

/// What makes two tools differ: images that are built, contents, links of replicas, addresses, aliases, limits.
const RICH: &str = "
services:
  web:
    build: {context: ., dockerfile_inline: \"FROM busybox\\nLABEL built=here\\n\", labels: {kind: site}}
    command: sleep 1000
    init: true
    stop_grace_period: 1s
    scale: 2
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    links: ['cache:store']
    networks: {front: {aliases: [shop]}, back: {}}
    ports: ['127.0.0.1::80']
    configs: [{source: motd, target: /etc/motd}, plain]
    secrets: [token, {source: given, target: /run/secrets/env}]
    environment: {MODE: test, EMPTY: }
    labels: [tier=web]
    use_api_socket: true
  db:
    image: busybox
    command: sleep 1000
    init: true
    stop_grace_period: 1s
    hostname: database
    healthcheck: {test: 'true', interval: 100ms, retries: 20}
    networks: {back: {ipv4_address: $NET.10, mac_address: '02:42:0a:cc:07:0a'}}
    volumes: ['data:/data', /scratch, './plain:/plain:ro', {type: tmpfs, target: /memory, tmpfs: {size: 1m}}]
    mem_limit: 64m
    ulimits: {nofile: 512}
    extra_hosts: ['elsewhere:192.0.2.7']
    sysctls: {net.ipv4.ip_local_port_range: 20000 30000}
  cache:
    image: busybox
    command: sleep 1000
    init: true
    stop_grace_period: 1s
    networks: {front: {priority: 10}, back: {ipv4_address: $NET.11}}
    tmpfs: /run
    cap_add: [NET_ADMIN]
    restart: on-failure:3
    logging: {driver: json-file, options: {max-size: 1m}}
  watcher: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: service:db}
networks:
  front: {driver_opts: {com.docker.network.bridge.enable_icc: 'true'}, labels: {edition: first}}
  back: {internal: true, ipam: {config: [{subnet: $NET.0/24}]}}
volumes: {data: {labels: {keep: 'yes'}}}
configs: {motd: {content: hello}, plain: {file: ./plain}}
secrets: {token: {file: ./token}, given: {environment: TOKEN}}
";

/// The rich stack, with its files; none where there is no Engine, no docker compose, or no builder that both have.
fn rich(topic: &str, net: &str) -> Option<Stack> {
    let mut yaml = RICH.replace("$NET", net);
    // docker compose refuses a MAC for one network where it cannot be given at creation
    if block_on(engine())?.api() < (1, 44) {
        yaml = yaml.replace(", mac_address: '02:42:0a:cc:07:0a'", "");
    }
    let stack = Stack::new(topic, &yaml)?;
    std::fs::write(stack.directory.join("plain"), "plain\n").unwrap();
    std::fs::write(stack.directory.join("token"), "token\n").unwrap();
    has_compose().then_some(stack)
}

/// Every container of the stack, by name, with its id and when it was started.
fn containers(stack: &Stack) -> Vec<String> {
    let ids = stack.docker("ps -aq --no-trunc --filter {p}");
    let format = "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.State.Running}}";
    let mut all: Vec<String> = stack
        .docker(&format!("inspect -f {} {}", format.replace(' ', "|"), ids.replace('\n', " ")))
        .lines()
        .map(str::to_owned)
        .collect();
    all.sort();
    all
}

/// With the variable that the stack asks for.
fn with_token(mut command: Command) -> Command {
    command.env("TOKEN", "xyz");
    command
}

/// Takes away what a `down` of either tool leaves: the image that was built.
fn forget(stack: &Stack) {
    let _ = Command::new("docker").args(["image", "rm", "-f", &format!("{}-web", stack.name)]).output();
}

/// Whether the Engine has the socket that docker compose hands to a service with `use_api_socket`, whichever Engine it speaks to.
fn has_the_default_socket() -> bool {
    let real = |path: &str| std::fs::canonicalize(path).ok();
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.is_empty() || real(host.trim_start_matches("unix://")) == real("/var/run/docker.sock")
}

#[test]
fn bowline_replaces_nothing_of_a_rich_stack_of_docker_compose() {
    let Some(stack) = rich("richin", "10.204.7") else { return };
    // another Engine's socket in a container is no container to keep
    if !has_the_default_socket() {
        let file = stack.directory.join("compose.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, text.replace("    use_api_socket: true\n", "")).unwrap();
    }
    ran(with_token(stack.compose("up -d")));
    let before = containers(&stack);
    assert_eq!(before.len(), 5, "{before:?}");
    let planned = Ran::from(with_token(stack.bowline("plan")).output().unwrap());
    let up = Ran::from(with_token(stack.bowline("up -d")).output().unwrap());
    let after = containers(&stack);
    let ps = Ran::from(with_token(stack.bowline("ps -q")).output().unwrap());
    let logs = Ran::from(with_token(stack.bowline("logs")).output().unwrap());
    let down = Ran::from(with_token(stack.bowline("down -v")).output().unwrap());
    forget(&stack);
    assert!(planned.code == Some(0) && planned.out.contains("as declared"), "{planned:?}");
    assert!(up.code == Some(0) && up.err.contains("nothing to do"), "{up:?}");
    assert_eq!(after, before, "each container is the same, and was not started again");
    assert_eq!((ps.out.lines().count(), logs.code, down.code), (5, Some(0), Some(0)), "{ps:?} {logs:?} {down:?}");
    assert_eq!(stack.remains(), "");
}

#[test]
fn docker_compose_recreates_nothing_of_our_rich_stack() {
    let Some(stack) = rich("richout", "10.204.8") else { return };
    let up = Ran::from(with_token(stack.bowline("up -d")).output().unwrap());
    assert_eq!(up.code, Some(0), "{up:?}");
    let before = containers(&stack);
    assert_eq!(before.len(), 5, "{before:?}");
    let theirs = ran(with_token(stack.compose("up -d")));
    let after = containers(&stack);
    let ps = ran(with_token(stack.compose("ps -q")));
    ran(with_token(stack.compose("logs")));
    ran(with_token(stack.compose("stop")));
    let stopped = containers(&stack);
    ran(with_token(stack.compose("down -v")));
    forget(&stack);
    assert_eq!(after, before, "{}", theirs.err);
    assert_eq!(ps.out.lines().count(), 5, "{}", ps.out);
    assert!(stopped.iter().all(|container| container.ends_with("|false")), "{stopped:?}");
    assert_eq!(stack.remains(), "");
}

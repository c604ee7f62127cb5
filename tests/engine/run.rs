//! `run`: one-off containers, beside docker compose.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::compose::has_compose;
use crate::stack::{Ran, Stack, eventually};

const STACK: &str = "
services:
  web:
    image: busybox
    command: echo own
    container_name: $NAME-fixed
    restart: always
    hostname: hh
    environment: {A: file, KEPT: 'yes'}
    ports: ['127.0.0.1::80']
    networks: {front: {aliases: [shop]}}
    depends_on: {db: {condition: service_healthy}}
    volumes: ['data:/data']
  db:
    image: busybox
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    healthcheck: {test: 'true', interval: 100ms, retries: 50}
    networks: [front]
  $NAME-same: {image: busybox, command: echo own, container_name: $NAME-same, networks: [front]}
  tool: {image: busybox, profiles: [tools], entrypoint: [echo, tool], command: [said], network_mode: none}
networks: {front: {}}
volumes: {data: {}}
";

/// What a container was made with, but for what is different each time.
const MADE: &str = "{{.Config.Cmd}} {{.Config.Entrypoint}} {{.Config.Env}} {{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.User}} \
    {{.Config.WorkingDir}} {{.Config.Hostname}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.PortBindings}} {{.HostConfig.CapAdd}} \
    {{.HostConfig.CapDrop}} {{range .NetworkSettings.Networks}}{{.Aliases}}{{end}} {{range .Mounts}}{{.Type}}:{{.Destination}}:{{.RW}} {{end}} \
    {{index .Config.Labels \"com.docker.compose.oneoff\"}} {{index .Config.Labels \"com.docker.compose.service\"}} {{index .Config.Labels \"x\"}}";

#[test]
fn a_one_off_container_is_made_as_docker_compose_makes_it() {
    let Some(stack) = Stack::new("runmade", STACK) else { return };
    if !has_compose() {
        return;
    }
    std::fs::write(stack.directory.join("vars"), "FROM=here\nA=vars\n").unwrap();
    for (at, options) in [
        "web",
        "web echo other words",
        "-P --use-aliases web",
        "-p 127.0.0.1::90/udp -e A=1 -e HOME web",
        "--env-from-file vars -u 7:8 -w /tmp -l x=y --cap-add NET_ADMIN --cap-drop CHOWN web",
        "-v ./vars:/vars:ro -v /anon web",
        "--entrypoint date web",
        "tool",
        "--use-aliases $NAME-same",
    ]
    .into_iter()
    .enumerate()
    {
        let made = |tool: &str, mut command: Command| {
            let name = format!("{}-{tool}{at}", stack.name);
            command.args(["run", "-d", "--name", &name]).args(options.replace("$NAME", &stack.name).split(' '));
            let ran = Ran::from(command.output().unwrap());
            assert_eq!(ran.code, Some(0), "{options}: {}", ran.err);
            let id = ran.out.trim().to_owned();
            assert_eq!(id.len(), 64, "{ran:?}");
            let shown = Command::new("docker").args(["inspect", "-f", MADE, &name]).output().unwrap();
            stack.docker(&format!("rm -f {name}"));
            // the Engines of old add the short id to the aliases
            String::from_utf8(shown.stdout).unwrap().replace(tool, "").replace(&format!(" {}", &id[..12]), "")
        };
        let mut pair = [made("bowline", stack.bowline("")), made("compose", stack.compose(""))];
        pair.iter_mut().for_each(|text| *text = sorted(text));
        assert_eq!(pair[0], pair[1], "{options}");
    }
    assert_eq!(
        stack.docker("ps -a --filter {p} --format {{.Names}}"),
        format!("{}-db-1", stack.name),
        "web has no container"
    );
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

/// Words in order: neither tool keeps one. No restart policy is a word or none.
fn sorted(text: &str) -> String {
    let mut words: Vec<&str> = text.split([' ', '[', ']']).filter(|word| !["", "no"].contains(word)).collect();
    words.sort_unstable();
    words.join(" ")
}

#[test]
fn a_command_runs_with_its_input_output_code_and_terminal() {
    let Some(stack) = Stack::new("runcmd", STACK) else { return };
    let bowline = format!("{} -p {} --progress quiet", env!("CARGO_BIN_EXE_bowline"), stack.name);
    let shell = |line: &str| {
        let line = line.replace("bowline", &bowline);
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(&stack.directory).stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    };
    let told =
        shell("echo hi | bowline run --rm -T web sh -c 'cat; echo wrong >&2; nslookup db | grep -c ^Name; exit 4'");
    assert!(told.code == Some(4) && told.out == "hi\n1\n" && told.err.contains("wrong"), "{told:?}");
    assert_eq!(stack.inspect("db", "{{.State.Health.Status}}"), "healthy", "it was waited for");
    assert_eq!(shell("bowline run --rm tool").out, "tool said\n");
    assert_eq!(shell("bowline run --rm --no-deps --entrypoint 'echo a \"b c\"' web").out, "a b c\n");
    // the shell's prompt is waited for, and then its answer
    let sees = |word: &str| format!("until grep -q '{word}' seen; do sleep 0.1; done");
    let typed = format!(r"{}; printf 'stty size; tty; exit 3\n'; {}", sees("/ #"), sees("/dev/pts/"));
    let in_terminal = "script -qefc 'stty rows 44 cols 111; bowline run --rm --no-deps web sh' seen";
    let told = shell(&format!("touch seen; ({typed}) | {in_terminal}"));
    assert!(told.code == Some(3) && told.out.contains("44 111") && told.out.contains("/dev/pts/"), "{told:?}");
    assert_eq!(
        stack.docker("ps -aq --filter {p} --filter label=com.docker.compose.oneoff=True"),
        "",
        "--rm takes them away"
    );
    for (arguments, code, words) in [
        ("run nosuch", 64, "no such service: nosuch"),
        ("run -p nonsense web", 65, "nonsense"),
        ("run -v nosuch:/x web", 65, "nosuch"),
        ("run -p 80 -P web", 64, "cannot be used with"),
        ("run --env-from-file nosuch web", 65, "cannot read nosuch"),
        ("run --rm --no-deps web /nosuch", 1, "nosuch"),
    ] {
        let told = stack.run(arguments, code);
        assert!(told.err.contains(words), "{arguments}: {}", told.err);
    }
    let plan = stack.run("--dry-run run web", 0);
    assert!(plan.out.contains("create web.0") && !plan.out.contains("start web"), "{}", plan.out);
    assert_eq!(stack.docker("ps -aq --filter {p} --filter label=com.docker.compose.oneoff=True"), "");
    stack.run("run -d web sleep 1000", 0);
    let names = stack.docker("ps --filter {p} --format {{.Names}}");
    let name = names.lines().find(|name| name.contains("-web-run-")).unwrap();
    assert_eq!(name.rsplit('-').next().unwrap().len(), 12, "{name}");
    assert!(stack.run("ps -a", 0).out.contains(name), "it is listed");
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_signal_reaches_the_command() {
    let Some(stack) = Stack::new("runsig", STACK) else { return };
    let line = "trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    let mut command = stack.bowline("run --rm --no-deps -T web sh -c");
    let mut running = command.arg(line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(running.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let id = i32::try_from(running.id()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), rustix::process::Signal::TERM).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "heard");
    assert_eq!(running.wait().unwrap().code(), Some(9));
    eventually(Duration::from_secs(30), || match stack.docker("ps -aq --filter {p}").as_str() {
        "" => Ok(()),
        left => Err(left.to_owned()),
    });
}

/// docker compose leaves `post_start` out, and finds a port that is taken when everything else is made.
#[test]
fn hooks_are_run_and_what_is_in_the_way_is_told_before() {
    let file = "
services:
  web:
    image: busybox
    command: [sh, -c, 'until test -e /greeted; do sleep 0.1; done; sleep 0.2']
    network_mode: none
    post_start:
      - command: [sh, -c, 'echo greeted > /proc/1/fd/1; touch /greeted']
        environment: {A: b}
  bad:
    image: busybox
    network_mode: none
    post_start: [command: [sh, -c, 'echo told; exit 3']]
  held: {image: busybox, command: sleep 1000, init: true, ports: ['127.0.0.1:$PORT:80']}
  free: {image: busybox, command: echo free, network_mode: none, depends_on: [taken]}
  taken: {image: busybox, command: sleep 1000, init: true, ports: ['127.0.0.1:$TAKEN:80']}
";
    let bind = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port();
    let (taken, free) = (bind(), port(&bind()));
    let file = file.replace("$PORT", &free.to_string()).replace("$TAKEN", &port(&taken).to_string());
    let Some(stack) = Stack::new("runhook", &file) else { return };
    let told = stack.run("run --rm -T web", 0);
    assert_eq!(told.out, "greeted\n");
    // one that has ended before is no trouble of its hooks'
    for service in ["web", "bad"] {
        assert_eq!(stack.run(&format!("run --rm -T {service} echo short"), 0).out, "short\n");
    }
    for arguments in ["run --rm -T bad sleep 1000", "run --rm -d bad sleep 1000"] {
        let told = stack.run(arguments, 1);
        assert!(told.err.contains("post_start 1 ended with 3: sh -c echo told; exit 3\n  told\n"), "{}", told.err);
        assert_eq!(stack.docker("ps -aq --filter {p}"), "");
    }
    // what is left alone is not in the way
    assert_eq!(stack.run("run --rm -T --no-deps free", 0).out, "free\n");
    assert!(stack.run("run --rm -T free", 66).err.contains("taken publishes it"));
    stack.run("up -d held", 0);
    let told = stack.run("run --rm -P held true", 66);
    assert!(told.err.contains(&format!("{}-held-1", stack.name)), "{}", told.err);
    assert_eq!(stack.docker("ps -aq --filter {p}").lines().count(), 1);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

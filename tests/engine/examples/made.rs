//! What a container is made with: variables, limits, its user, volumes, configs, secrets. The stack is proved as it is, and everything that
//! is done to it, by the Engine's commands and past the Engine, is seen and named.

use std::path::PathBuf;

use bowline::state::observed::ContainerState;

use super::{Example, host};
use crate::namespace::possible;

const STACK: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    network_mode: none
    user: '1000:1000'
    environment: {MODE: fast, KEY: hush}
    mem_limit: 64m
    pids_limit: 50
    cpus: 0.5
    volumes: ['data:/data', './notes.txt:/notes.txt:ro']
    tmpfs: [/scratch]
    configs: [{source: app, target: /app.conf}]
    secrets: [key, {source: pin, uid: '1000'}]
    healthcheck: {test: 'true', interval: 200ms}
volumes: {data: {}, other: {}}
configs: {app: {content: hello}}
secrets: {key: {file: ./key.txt}, pin: {file: ./pin.txt}}
";

/// The stack with its files, up and proved.
fn stack(topic: &str) -> Option<Example> {
    let example = Example::of(topic, STACK)?;
    for (name, content) in [("notes.txt", "notes"), ("key.txt", "secret"), ("pin.txt", "1234")] {
        std::fs::write(path(&example, name), content).unwrap();
    }
    example.proves(&[
        "running/web",
        "healthy/web",
        "environment/web",
        "user/web",
        "limits/web",
        "healthcheck/web",
        "mount/web:/data",
        "mount/web:/notes.txt",
        "mount/web:/scratch",
        "config/web:/app.conf",
        "secret/web:/run/secrets/key",
        "secret/web:/run/secrets/pin",
        "only-lo/web",
    ]);
    Some(example)
}

fn path(example: &Example, name: &str) -> PathBuf {
    example.stack.directory.join(name)
}

/// Writes a file as editors do: another one, put in its place.
fn replace(example: &Example, name: &str, content: &str) {
    let fresh = path(example, &format!("{name}.new"));
    std::fs::write(&fresh, content).unwrap();
    std::fs::rename(fresh, path(example, name)).unwrap();
}

fn pid(example: &Example) -> u32 {
    match example.container("web").state {
        ContainerState::Running { pid, .. } => pid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_done_to_a_container_by_hand_is_seen_whoever_did_it() {
    if !possible() {
        return;
    }
    let Some(example) = stack("made-by-hand") else { return };
    assert!(example.said("limits/web", 0).contains("in the kernel's cgroup"), "{}", example.said("limits/web", 0));
    assert!(example.said("user/web", 0).contains("runs as 1000:1000"));
    let by_sidecars = example.run("verify --probe sidecar", 0);
    assert!(by_sidecars.out.contains("all proved"), "{}", by_sidecars.out);

    let web = example.container("web").id;
    example.docker(&["update", "--memory", "128m", "--memory-swap", "256m", web.as_str()]);
    example.docker(&["exec", "-u", "0", web.as_str(), "sh", "-c", "echo bye > /app.conf"]);
    replace(&example, "notes.txt", "newer");
    replace(&example, "key.txt", "newer");
    std::fs::remove_file(path(&example, "pin.txt")).unwrap();
    let inside = format!("nsenter -t {} -m", pid(&example));
    host(&format!("{inside} umount /scratch"));
    host(&format!("{inside} mount -t tmpfs none /data"));
    example.refutes(
        &[
            ("limits/web", "mem_limit 134217728"),
            ("mount/web:/data", "memory is mounted over it"),
            ("mount/web:/notes.txt", "notes.txt was replaced since"),
            ("mount/web:/scratch", "somebody has taken it away since"),
            ("config/web:/app.conf", "somebody wrote to it in the container"),
            ("secret/web:/run/secrets/key", "key.txt was replaced since"),
        ],
        &[("secret/web:/run/secrets/pin", "its source cannot be read")],
    );
    std::fs::write(path(&example, "pin.txt"), "1234").unwrap();
    example.run("up -d --force-recreate", 0);
    example.run("verify", 0);
    write_limit(pid(&example));
    example.refutes(&[("limits/web", "somebody wrote to the cgroup past it")], &[]);
    example.leaves_nothing();
}

/// Gives a process's cgroup half of its memory, past the Engine.
fn write_limit(pid: u32) {
    let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let of = |line: &str, controllers: &str| {
        let (found, path) = line.split_once(':')?.1.split_once(':')?;
        (found == controllers && path != "/").then(|| path.to_owned())
    };
    let (kind, path, file) = match cgroup.lines().find_map(|line| of(line, "memory")) {
        Some(path) => ("cgroup -o memory", path, "memory.limit_in_bytes"),
        None => ("cgroup2", cgroup.lines().find_map(|line| of(line, "")).unwrap(), "memory.max"),
    };
    // this test may have a /sys of its own, without them
    let root = std::env::temp_dir().join(format!("bt-cgroup-{}", std::process::id()));
    std::fs::create_dir(&root).unwrap();
    host(&format!("mount -t {kind} none {}", root.display()));
    let written = std::fs::write(format!("{}{path}/{file}", root.display()), "33554432");
    host(&format!("umount {}", root.display()));
    std::fs::remove_dir(root).unwrap();
    written.unwrap();
}

#[test]
fn a_container_that_was_made_of_another_file_is_refuted_part_by_part() {
    let Some(example) = stack("made-before") else { return };
    let older = STACK
        .replace("MODE: fast", "MODE: slow")
        .replace("'1000:1000'", "'1001'")
        .replace("'data:/data'", "'other:/data'")
        .replace("content: hello", "content: bye")
        .replace("interval: 200ms", "interval: 300ms")
        .replace("pids_limit: 50", "pids_limit: 60");
    example.stack.write(&older);
    example.run("up -d --wait", 0);
    example.stack.write(STACK);
    example.refutes(
        &[
            ("environment/web", "MODE has another value"),
            ("user/web", "user 1001"),
            ("limits/web", "pids_limit 60"),
            ("healthcheck/web", "healthcheck.interval 300ms"),
            ("mount/web:/data", "_other"),
            ("config/web:/app.conf", "its source was changed since it was copied in"),
        ],
        &[],
    );
    let told = example.run("verify", 71);
    assert!(!told.out.contains("fast") && !told.out.contains("slow"), "values of variables are nobody's: {}", told.out);
    example.run("up -d --wait", 0);
    example.run("verify", 0);
    // of a container that does not run nothing can be told
    example.docker(&["kill", example.container("web").id.as_str()]);
    let open = example.run("verify --format json", 71);
    assert!(open.out.contains("not-running") || open.out.contains("does not run"), "{}", open.out);
    example.leaves_nothing();
}

/// What is mounted inside of what the host lends: its /dev brings a /dev/shm along, and its /sys shows the host's own cgroup.
const LENT: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    network_mode: none
    mem_limit: 64m
    pids_limit: 50
    tmpfs: [/dev/shm]
    volumes: ['/dev:/dev', '/sys:/sys:ro', 'data:/data', '.:/data/here']
volumes: {data: {}}
";

#[test]
fn what_the_host_lends_hides_nothing_that_is_declared() {
    if !possible() {
        return;
    }
    let Some(example) = Example::of("lent", LENT) else { return };
    example.proves(&[
        "running/web",
        "limits/web",
        "mount/web:/dev/shm",
        "mount/web:/dev",
        "mount/web:/sys",
        "mount/web:/data",
        "mount/web:/data/here",
        "only-lo/web",
    ]);
    host(&format!("nsenter -t {} -m mount -t tmpfs none /data/here", pid(&example)));
    example.refutes(&[("mount/web:/data/here", "memory is mounted over it")], &[]);
    example.leaves_nothing();
}

const RIGHTS: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    network_mode: none
    read_only: true
    cap_drop: [ALL]
    cap_add: [NET_ADMIN]
    security_opt: ['no-new-privileges:true']
";
const ROOT: &str = "services: {root: {image: busybox, command: sleep 1000, stop_signal: SIGKILL, network_mode: none, privileged: true}}\n";

#[test]
fn a_privileged_container_has_whatever_the_machine_gives() {
    if !possible() {
        return;
    }
    let Some(example) = Example::of("privileged", ROOT) else { return };
    let can = std::process::Command::new("docker").args(["run", "--rm", "--privileged", "busybox", "true"]).output();
    if !can.unwrap().status.success() {
        return eprintln!("SKIPPED: this Engine itself cannot start privileged containers on this machine");
    }
    example.proves(&["running/root", "rights/root", "only-lo/root"]);
    let said = example.said("rights/root", 0);
    assert!(said.contains("can have CHOWN, ") && said.contains("more"), "{said}");
    example.remade("privileged: true", "privileged: false");
    example.refutes(&[("rights/root", "privileged false")], &[]);
    example.leaves_nothing();
}

#[test]
fn what_a_container_may_do_is_what_its_file_lets_it() {
    if !possible() {
        return;
    }
    let Some(example) = Example::of("rights", RIGHTS) else { return };
    example.proves(&["running/web", "rights/web", "read-only/web", "only-lo/web"]);
    let said = example.said("rights/web", 0);
    assert!(said.contains("can have NET_ADMIN") && said.contains("no program that it runs gives it more"), "{said}");
    let by_sidecars = example.run("verify --probe sidecar", 0);
    assert!(by_sidecars.out.contains("all proved"), "{}", by_sidecars.out);

    // past the Engine, which tells that the root is read-only still
    host(&format!("nsenter -t {} -m -p mount -o remount,bind,rw /", pid(&example)));
    example.refutes(&[("read-only/web", "somebody has mounted it anew since")], &[]);
    // and by the Engine: the containers are those of another file
    for (old, new, refuted) in [
        ("read_only: true", "read_only: false", ("read-only/web", "read_only false")),
        ("cap_drop: [ALL]", "cap_drop: [MKNOD]", ("rights/web", "cap_drop MKNOD")),
        ("['no-new-privileges:true']", "['no-new-privileges:false']", ("rights/web", "no-new-privileges:false")),
    ] {
        example.remade(old, new);
        example.refutes(&[refuted], &[]);
    }
    example.run("up -d", 0);
    example.run("verify", 0);
    // of a container that does not run nothing can be told
    example.docker(&["kill", example.container("web").id.as_str()]);
    let verdicts = example.verdicts(71);
    for id in ["rights/web", "read-only/web"] {
        assert_eq!(verdicts[id].0, "unproved", "{id}: {}", verdicts[id].1);
    }
    example.leaves_nothing();
}

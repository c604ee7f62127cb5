//! Attributes of services on a real Engine: what the file says is there, stays, and is mended when a hand changed it.

use crate::stack::{Ran, Stack, block_on, engine};

const CONFINED: &str = "
services:
  lender:
    image: busybox
    command: sleep 1000
    init: true
    ipc: shareable
    volumes: ['data:/data', /anon]
  web:
    image: busybox
    command: sleep 1000
    init: true
    mem_limit: 64m
    cpus: 0.5
    cpu_shares: 70
    pids_limit: 50
    oom_score_adj: 200
    shm_size: 32m
    ulimits: {nofile: {soft: 512, hard: 1024}}
    devices: ['/dev/null:/dev/mine:r']
    device_cgroup_rules: ['c 1:3 r']
    group_add: [8]
    cap_add: [net_admin]
    security_opt: [no-new-privileges:true, systempaths=unconfined]
    ipc: service:lender
    pid: service:lender
    uts: host
    cgroup_parent: /$NAME
    logging: {driver: json-file, options: {max-size: 1m}}
    volumes_from: ['lender:ro']
    tmpfs: ['/run:size=64k']
    volumes: [{type: tmpfs, target: /memory, tmpfs: {size: 1m, mode: 0o700}}, './here:/here', {type: volume, source: data, target: /plain, volume: {nocopy: true}}]
    deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}
volumes: {data: {}}
";

#[test]
fn what_confines_a_container_is_there_stays_and_is_set_back() {
    let Some(stack) = Stack::new("confined", CONFINED) else { return };
    stack.run("up -d", 0);
    let again = stack.run("up -d", 0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    let shown = |format: &str| stack.inspect("web", format);
    assert_eq!(shown("{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"), "67108864 500000000");
    assert_eq!(
        shown("{{.HostConfig.PidsLimit}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.ShmSize}}"),
        "50 200 33554432"
    );
    assert_eq!(
        shown("{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"),
        "on-failure 3"
    );
    let lender = stack.inspect("lender", "{{.Id}}");
    assert_eq!(
        shown("{{.HostConfig.IpcMode}} {{.HostConfig.PidMode}}"),
        format!("container:{lender} container:{lender}")
    );
    assert_eq!(shown("{{json .HostConfig.VolumesFrom}}"), format!("[\"{lender}:ro\"]"));
    let name = format!("{}-web-1", stack.name);
    // the soft limit is asked of the Engine: in a program that is run later, runc before 1.2 may leave the soft limit at the hard one
    let inside = stack.shell("web", "ulimit -Hn; stat -c %a /memory; id -G; touch /data/x 2>/dev/null || echo closed");
    assert_eq!(inside.lines().collect::<Vec<_>>(), ["1024", "700", "0 8", "closed"], "{inside}");
    assert_eq!(shown("{{(index .HostConfig.Ulimits 0).Soft}}"), "512");

    let id = shown("{{.Id}}");
    stack.docker(&format!("update --memory 32m --memory-swap 64m --restart no {name}"));
    let mended = stack.run("up -d", 0);
    assert!(mended.err.contains("mem_limit (33554432, declared 67108864)"), "{}", mended.err);
    assert_eq!(
        shown("{{.Id}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}"),
        format!("{id} 67108864 on-failure")
    );
    let again = stack.run("up -d", 0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);

    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

const FILES: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    configs:
      - app
      - {source: app, target: /etc/app/copied, uid: '7', gid: '8', mode: 0440}
      - {source: text, target: /text}
    secrets: [pw, {source: token, mode: 0400, uid: '9'}]
configs: {app: {file: ./app.conf}, text: {content: \"who=$${NOBODY:-me}\\n\"}}
secrets: {pw: {file: ./app.conf}, token: {environment: PWD}}
";

#[test]
fn configs_and_secrets_are_there_with_their_owners_and_follow_their_content() {
    let Some(stack) = Stack::new("files", FILES) else { return };
    std::fs::write(stack.directory.join("app.conf"), "one").unwrap();
    stack.run("up -d", 0);
    let inside = stack.shell("web", "cat /app /etc/app/copied /run/secrets/pw /text; cat /run/secrets/token");
    assert!(inside.starts_with("oneoneonewho=${NOBODY:-me}"), "{inside}");
    let owners = stack.shell("web", "stat -c '%a %u %g' /etc/app/copied /text /run/secrets/token");
    assert_eq!(owners.lines().collect::<Vec<_>>(), ["440 7 8", "444 0 0", "400 9 0"]);
    let again = stack.run("up -d", 0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);

    std::fs::write(stack.directory.join("app.conf"), "two").unwrap();
    let changed = stack.run("up -d -t 0", 0);
    assert!(changed.err.contains("configs.app (content "), "{}", changed.err);
    assert!(stack.shell("web", "cat /app /etc/app/copied").contains("twotwo"));
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_read_only_root_has_its_configs_and_secrets_with_owners_and_loses_no_volume() {
    let text =
        FILES.replace("    init: true\n", "    init: true\n    read_only: true\n    tmpfs: /run\n    scale: 2\n");
    let Some(stack) = Stack::new("shut", &text) else { return };
    std::fs::write(stack.directory.join("app.conf"), "one").unwrap();
    if block_on(engine()).unwrap().facts().api < (1, 45) {
        let refused = stack.run("up -d", 66);
        let words = "config `app` that is copied into web, which is read-only, needs API 1.45";
        assert!(refused.err.contains(words), "{}", refused.err);
        assert_eq!(stack.remains(), "", "nothing was changed");
        return;
    }
    let volumes = || stack.names().into_iter().filter(|name| name.contains("_files-")).collect::<Vec<_>>();
    stack.run("up -d", 0);
    let look = "cat /app /etc/app/copied /run/secrets/pw /text; stat -c '%a %u %g' /etc/app/copied /text /run/secrets/token;
        for file in /etc/app/copied /text /run/secrets/token /run/secrets/new; do echo x 2>/dev/null >$file && echo \"$file can be written\"; done";
    let inside = stack.shell("web", look);
    assert_eq!(
        inside.trim_end(),
        "oneoneonewho=${NOBODY:-me}\n440 7 8\n444 0 0\n400 9 0\n/run/secrets/new can be written"
    );
    assert!(stack.run("up -d", 0).err.contains("nothing to do"));
    let (proof, before) = (stack.run("verify", 0), volumes());
    assert!(proof.out.contains("all proved") && before.len() == 2, "{}\n{before:?}", proof.out);

    // another content is in another volume, and the old one goes with the container that had it
    std::fs::write(stack.directory.join("app.conf"), "two").unwrap();
    let changed = stack.run("up -d -t 0", 0);
    assert!(changed.err.contains("configs.app (content "), "{}", changed.err);
    assert!(!changed.err.contains("volumes./"), "the content is the reason, not where it lies: {}", changed.err);
    assert!(stack.shell("web", "cat /app /etc/app/copied").contains("twotwo"));
    assert!(volumes().len() == 2 && volumes().iter().all(|name| !before.contains(name)), "{:?}", volumes());
    // an edit by hand goes as it would with any other
    let again = stack.run("up -d --force-recreate -t 0", 0);
    assert!(!again.err.contains("Volume"), "{}", again.err);
    assert!(stack.shell("web", "cat /etc/app/copied").contains("two"));

    stack.run("up -d -t 0 --scale web=1", 0);
    assert_eq!(volumes().len(), 1);
    let ran = stack.run("run --rm -T web cat /etc/app/copied", 0);
    assert_eq!((ran.out.as_str(), volumes().len()), ("two", 1), "{}", ran.err);
    stack.run("run -d web sleep 1000", 0);
    assert_eq!(volumes().len(), 2);
    let kept = stack.run("up -d --scale web=1", 0);
    assert!(kept.err.contains("nothing to do") && !kept.err.contains("alias-ambiguous"), "{}", kept.err);
    stack.run("rm -sf", 0);
    assert_eq!(volumes().len(), 1, "that of `run` is there, as it is itself");
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn who_may_speak_to_the_engine_finds_it_and_its_users_credentials() {
    let text = "services: {web: {image: busybox, command: sleep 1000, init: true, use_api_socket: true}}";
    let Some(stack) = Stack::new("socket", text) else { return };
    let run = |arguments: &str, code: i32| {
        let mut command = stack.bowline(arguments);
        let ran = Ran::from(command.env("DOCKER_CONFIG", &stack.directory).output().unwrap());
        assert_eq!(ran.code, Some(code), "{arguments}\n{}", ran.err);
        ran
    };
    let know = |password: &str| {
        let text =
            format!("{{\"auths\": {{\"registry.example\": {{\"username\": \"me\", \"password\": \"{password}\"}}}}}}");
        std::fs::write(stack.directory.join("config.json"), text).unwrap();
    };
    know("one");
    run("up -d", 0);
    let inside =
        stack.shell("web", "test -S /var/run/docker.sock && echo $DOCKER_CONFIG; cat $DOCKER_CONFIG/config.json");
    assert!(inside.starts_with("/run/secrets/docker") && inside.contains("\"bWU6b25l\""), "{inside}");
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let socket = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
    let mounted = "{{range .Mounts}}{{if eq .Destination \"/var/run/docker.sock\"}}{{.Source}}{{end}}{{end}}";
    assert_eq!(stack.inspect("web", mounted), socket, "it is the socket of the Engine that runs it");
    assert!(run("up -d", 0).err.contains("nothing to do"));
    assert!(run("verify", 0).out.contains("all proved"));
    know("two");
    let changed = run("up -d -t 0", 0);
    assert!(changed.err.contains("configs.use_api_socket (content "), "{}", changed.err);
    let mut far = stack.bowline("up -d");
    let refused = Ran::from(far.env("DOCKER_HOST", "tcp://192.0.2.1:2375").output().unwrap());
    assert_eq!(refused.code, Some(65), "{}", refused.err);
    let words = "services.web.use_api_socket: it needs an Engine behind a socket of this machine, and this one is at tcp://192.0.2.1:2375";
    assert!(refused.err.contains(words), "{}", refused.err);
    run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn what_the_engine_is_too_old_for_names_both_versions() {
    let text =
        "services: {web: {image: busybox, annotations: {a: b}, volumes: [{type: image, source: busybox, target: /i}]}}";
    let Some(stack) = Stack::new("old", text) else { return };
    let api: String = stack.docker("version -f {{.Server.APIVersion}}");
    if !["1.40", "1.41", "1.42"].contains(&api.as_str()) {
        return;
    }
    let refused = stack.run("up -d", 66);
    for words in
        ["`annotations` of web needs API 1.43", "a mount of type `image` needs API 1.48", &format!("has API {api}")]
    {
        assert!(refused.err.contains(words), "{words}\n{}", refused.err);
    }
    assert_eq!(stack.remains(), "", "nothing was changed");
}

const HOOKED: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    volumes: ['data:/data']
    post_start: [{command: [sh, -c, 'echo $$WHO $$(pwd) > /data/started'], environment: {WHO: me}, working_dir: /tmp}]
    pre_stop: [{command: [sh, -c, 'echo bye > /data/stopped']}]
  after:
    image: busybox
    command: sh -c 'cat /data/started && sleep 1000'
    init: true
    volumes: ['data:/data']
    depends_on: [web]
volumes: {data: {}}
";

#[test]
fn hooks_run_when_they_should_and_a_failed_one_says_what_it_wrote() {
    let Some(stack) = Stack::new("hooks", HOOKED) else { return };
    stack.run("up -d", 0);
    assert_eq!(stack.shell("web", "cat /data/started"), "me /tmp");
    assert_eq!(
        stack.shell("after", "cat /proc/1/comm >/dev/null; ls /data"),
        "started",
        "it ran before the next service began"
    );
    stack.run("-f compose.yaml stop -t 0 web", 0);
    assert_eq!(stack.shell("after", "cat /data/stopped"), "bye");
    stack.write(&HOOKED.replace("echo $$WHO", "echo oh no; exit 3; echo"));
    let failed = stack.run("up -d -t 0 --force-recreate", 1);
    assert!(failed.err.contains("post_start of web.1 ended with 3") && failed.err.contains("oh no"), "{}", failed.err);
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

//! Somebody meddles with a running stack. Nothing of it may stay unseen, and the verdict names what was done. Parents set down,
//! servers on loopback, docker-proxy ended and edited hosts files are in the lessons.

use std::collections::{BTreeMap, BTreeSet};

use super::{Example, Stranger, host};
use crate::namespace::possible;
use crate::stack::Ran;

const STACK: &str = "
services:
  web:
    image: busybox
    command: sh -c 'echo hello > /tmp/index.html && exec httpd -f -p 80 -h /tmp'
    networks: {front: {aliases: [www]}}
    ports: ['PORT:80']
    stop_signal: SIGKILL
  client: {image: busybox, command: sleep 1000, networks: [front], stop_signal: SIGKILL}
  apart: {image: busybox, command: sleep 1000, networks: [back], stop_signal: SIGKILL}
networks:
  front: {ipam: {config: [{subnet: NET.0/26}]}}
  back: {ipam: {config: [{subnet: NET.64/26}]}}
x-verify:
  allow: ['client -> http://www/ = 200 ~ hello']
";

/// The stack, up and proved, with the subnet 10.30.NUMBER.0/24 and a port of its own.
fn stack(topic: &str, number: u8) -> Option<Example> {
    let text = STACK.replace("PORT", &format!("183{number}")).replace("NET", &format!("10.30.{number}"));
    let example = Example::of(topic, &text)?;
    example.run("up -d", 0);
    example.run("verify", 0);
    Some(example)
}

/// A stack with a check of every kind that this machine's kernel has the links for.
const WHOLE: &str = "
services:
  web:
    image: busybox
    command: sh -c 'echo hello > /tmp/index.html && exec httpd -f -p 80 -h /tmp'
    networks: {front: {aliases: [www]}, back: {}}
    ports: ['18320:80', '127.0.0.1:18329:80']
    extra_hosts: ['elsewhere:192.0.2.1']
    environment: {MODE: fast}
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    cap_drop: [NET_RAW]
    security_opt: ['no-new-privileges:true']
    volumes: ['data:/data', './notes.txt:/notes.txt:ro']
    tmpfs: [/scratch]
    configs: [{source: app, target: /app.conf}]
    healthcheck: {test: 'true', interval: 200ms}
    stop_signal: SIGKILL
  client:
    image: busybox
    command: sleep 1000
    scale: 2
    networks: [front]
    read_only: true
    cap_drop: [ALL]
    user: '1000:1000'
    stop_signal: SIGKILL
    depends_on: {seed: {condition: service_completed_successfully}}
  apart: {image: busybox, command: sleep 1000, networks: {back: {}, quiet: {}}, stop_signal: SIGKILL}
  carded: {image: busybox, command: sleep 1000, networks: {quiet: {mac_address: '02:42:0a:1e:14:09'}}, stop_signal: SIGKILL}
  sidekick: {image: busybox, command: sleep 1000, network_mode: 'service:apart', stop_signal: SIGKILL}
  alone: {image: busybox, command: sleep 1000, network_mode: none, stop_signal: SIGKILL}
  hosted: {image: busybox, command: sleep 1000, network_mode: host, stop_signal: SIGKILL}
  old: {image: busybox, command: sleep 1000, network_mode: bridge, links: ['older:elder'], stop_signal: SIGKILL}
  older: {image: busybox, command: sleep 1000, network_mode: bridge, stop_signal: SIGKILL}
  seed: {image: busybox, command: 'true', networks: [back]}
networks:
  front: {ipam: {config: [{subnet: 10.30.20.0/26}]}}
  back: {internal: true, ipam: {config: [{subnet: 10.30.20.64/26}]}}
  quiet: {driver: bridge, driver_opts: {com.docker.network.bridge.enable_icc: 'false'}, ipam: {config: [{subnet: 10.30.20.128/26}]}}
volumes: {data: {}}
configs: {app: {content: hello}}
x-verify:
  allow: ['client -> http://www/ = 200 ~ hello', 'web -> apart arp']
  deny: ['client -> apart']
";

/// `BOWLINE_PROOFS` says how often; 100 is what docs/verify.md tells of.
#[test]
fn an_untouched_stack_is_proved_again_and_again() {
    let Some(example) = Example::of("untouched", WHOLE) else { return };
    std::fs::write(example.stack.directory.join("notes.txt"), "notes").unwrap();
    example.run("up -d --wait", 0);
    let times = std::env::var("BOWLINE_PROOFS").ok().map_or(10, |times| times.parse().unwrap());
    for time in 1..=times {
        let ran = Ran::from(example.stack.bowline("verify").output().unwrap());
        assert_eq!(ran.code, Some(0), "proof {time} of {times}\n{}\n{}", ran.out, ran.err);
    }
    let checks = example.verdicts(0).len();
    eprintln!("{checks} checks, {times} times, no false alarm");
    nothing_is_proved_of_the_dead(&example);
    example.leaves_nothing();
}

/// Of containers that do not run every kind of check is left open; that they run is refuted, and the job's end alone still holds.
fn nothing_is_proved_of_the_dead(example: &Example) {
    example.run("kill", 0);
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, (verdict, _)) in example.verdicts(71) {
        let kind = id.split('/').next().unwrap_or_default().to_owned();
        kinds.entry(kind).or_default().insert(verdict);
    }
    for (kind, verdicts) in &kinds {
        let expected = match kind.as_str() {
            "completed" => "proved",
            "running" => "refuted",
            _ => "unproved",
        };
        assert!(verdicts.iter().eq([expected]), "{kind} is {verdicts:?}, not {expected}: {kinds:#?}");
    }
    assert!(kinds.len() > 20, "{kinds:#?}");
}

#[test]
fn an_alias_that_reconnecting_lost_is_missed() {
    let Some(example) = stack("alias", 21) else { return };
    example.disconnect("front", "web");
    example.connect("front", "web");
    example.refutes(
        &[
            ("name/client:web", "asked 127.0.0.11"),
            ("name/client:www", "asked 127.0.0.11"),
            ("reach/client->http://www/", "the name does not resolve"),
        ],
        &[("no-name/web:apart", "web does not even find its own name")],
    );
    example.run("up -d", 0);
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn a_container_that_was_moved_is_found_where_it_should_not_be() {
    let Some(example) = stack("moved", 22) else { return };
    example.disconnect("front", "client");
    example.connect("back", "client");
    let found = example.refuted();
    assert!(found["address/client@front"].contains("_back"), "{found:#?}");
    assert!(found["reach/web->client"].contains("client is not on front"), "{found:#?}");
    assert!(found["name/web:client"].contains("client is not on front"), "{found:#?}");
    assert!(found["reach/client->web"].contains("client is not on front"), "{found:#?}");
    let stray = "client is on back, where the file does not put it";
    for id in ["isolated/client->apart", "isolated/apart->client", "no-name/client:apart"] {
        assert!(found[id].contains(stray), "{id}: {found:#?}");
    }
    example.leaves_nothing();
}

#[test]
fn a_rule_that_drops_is_told_from_a_server_that_is_silent() {
    if !possible() {
        return;
    }
    let Some(example) = stack("dropped", 23) else { return };
    let (web, client) = (example.address("web", "front"), example.address("client", "front"));
    let drop = Rule::new(&format!("-s {client} -d {web} -j DROP"));
    example.refutes(
        &[
            ("reach/client->web", "ARP is answered"),
            // its answers do not come back
            ("reach/web->client", "ARP is answered"),
            ("reach/client->http://www/", "nothing came back"),
        ],
        &[],
    );
    drop.end();
    let from_outside = Rule::new(&format!("-p tcp -d {web} --dport 80 -s 198.51.100.0/24 -j DROP"));
    example.refutes(&[("outside/web:18323->80/tcp", "a firewall drops what comes from outside")], &[]);
    let by_sidecars = example.run("verify --probe sidecar", 71);
    assert!(by_sidecars.out.contains("a firewall drops what comes from outside"), "{}", by_sidecars.out);
    from_outside.end();
    example.run("verify", 0);
    example.leaves_nothing();
}

/// A rule of the host's firewall; gone when dropped. It stands in `mangle`: Engines before 28 take the jump to `DOCKER-USER` out
/// and put it in again whenever a network is made, and other tests make networks.
struct Rule(String);

impl Rule {
    fn new(rule: &str) -> Self {
        host(&format!("iptables -t mangle -I FORWARD {rule}"));
        Self(rule.to_owned())
    }

    fn end(self) {}
}

impl Drop for Rule {
    fn drop(&mut self) {
        host(&format!("iptables -t mangle -D FORWARD {}", self.0));
    }
}

#[test]
fn a_stolen_address_is_seen_and_the_thief_is_named() {
    let Some(example) = stack("stolen", 24) else { return };
    let thief = Stranger::new("thief", &["--network", &example.network("front"), "--cap-add", "NET_ADMIN"]);
    let web = example.address("web", "front");
    example.docker(&["exec", thief.name(), "ip", "addr", "add", &format!("{web}/26"), "dev", "eth0"]);
    let found = example.refuted();
    assert!(found["address/web@front"].contains(&format!(" is {}", thief.name())), "{found:#?}");
    drop(thief);
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn a_paused_container_is_no_running_one() {
    let Some(example) = stack("paused", 25) else { return };
    let web = example.container("web").id;
    example.docker(&["pause", web.as_str()]);
    let found = example.refuted();
    assert!(found["running/web"].contains("is paused"), "{found:#?}");
    assert!(found["reach/client->http://www/"].contains("is paused"), "{found:#?}");
    example.docker(&["unpause", web.as_str()]);
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn a_name_that_a_stranger_claims_is_seen_and_the_stranger_is_named() {
    let Some(example) = stack("claimed", 26) else { return };
    let stranger = Stranger::new("claim", &["--network", &example.network("front"), "--network-alias", "www"]);
    let found = example.refuted();
    assert!(found["name/client:www"].contains(&format!("www is also held by {}", stranger.name())), "{found:#?}");
    drop(stranger);
    example.run("verify", 0);
    example.leaves_nothing();
}

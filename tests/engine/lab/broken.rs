//! A stack with links of every kind on the host, whose making or end is broken off: by a kill, and by what the Engine refuses.

use std::io::{BufRead, BufReader};

use super::Host;
use crate::examples::Example;

/// One VLAN within another, one with a name, and a link of the host's own.
const TEXT: &str = "
x-one: &one {image: 'busybox:latest', command: sleep 600, stop_signal: SIGKILL}
services:
  blue1: {<<: *one, networks: {blue: {ipv4_address: 10.30.54.2}}}
  thin1: {<<: *one, networks: {thin: {ipv4_address: 10.30.55.2}}}
networks:
  blue: {ipam: {config: [{subnet: 10.30.54.0/24}]}}
  thin: {ipam: {config: [{subnet: 10.30.55.0/24}]}}
x-trunks:
  uplink:
    parent: eth0
    vlans: {blue: {id: 10, within: 100}, thin: {id: 30, name: thin0, mtu: 1400}}
    host_access: 10.30.55.250
";

/// Where `up` is killed: in the middle of what is told.
const UP: [&str; 4] = ["Link eth0-ad100  Creating", "Link thin0  Created", "_thin  Creating", "Link bw  Creating"];
/// And where each `down` that goes on from the last one is.
const DOWN: [&str; 3] = ["Link bw  Removing", "_thin  Removing", "Link eth0-ad100-10  Removing"];

impl Host {
    /// Runs bowline on the host, and kills it (`kill -9`) as soon as it tells a line with these words; whether
    /// it came to that.
    fn kill_at(&self, example: &Example, words: &str, arguments: &str) -> bool {
        // blanks would end the pattern
        let words = words.split_whitespace().collect::<Vec<_>>().join("*");
        let said = self.run(&format!(
            "cd /.machine{}; rm -f /run/told; mkfifo /run/told
             ./bowline -p {} {arguments} 2>/run/told & pid=$!; reached=no
             while read -r line; do case $line in *{words}*) kill -9 $pid; reached=yes; break ;; esac; done </run/told
             wait $pid || true; echo $reached",
            example.directory().display(),
            example.name()
        ));
        said.ends_with("yes")
    }
}

/// After each kill the next `down` takes away every link, network and container, or the next `up` goes on to the whole stack.
#[test]
fn kills() {
    let Some(host) = Host::take() else { return };
    let Some(mut example) = Example::of("kills", TEXT) else { return };
    example.act_from(host.shell());
    example.run("config -q", 0);
    let mut left = 0;
    for words in UP {
        assert!(host.kill_at(&example, words, "up -d"), "{words}");
        left += u8::from(host.links() != host.links);
        example.leaves_nothing();
        host.has_its_links_only();
    }
    assert!(left > 2, "most kills leave links: {left}");
    // `up` goes on from where the last one was killed
    assert!(host.kill_at(&example, "_blue  Created", "up -d"));
    example.run("up -d", 0);
    example.run("verify", 0);
    // and is gone on with where somebody has taken the host's own link away
    let shim = host.links().into_iter().find(|link| link.starts_with("bw")).unwrap();
    host.run(&format!("ip link del {shim}"));
    let refuted = example.refuted();
    assert_eq!(refuted.keys().collect::<Vec<_>>(), ["reach/host->thin1"], "{refuted:#?}");
    example.run("up -d", 0);
    example.run("plan", 0);
    // what goes side by side may be gone by the time of the kill, and the next one then comes to its end
    let reached = DOWN.map(|words| host.kill_at(&example, words, "down"));
    assert!(reached[0], "{reached:?}");
    example.leaves_nothing();
    host.has_its_links_only();

    // from outside, where a sidecar makes the link: killed with its asker, it takes itself away
    example.act_from_outside();
    let mut child = example.start("up -d");
    let told = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = told.map_while(Result::ok).any(|line| line.contains("Link thin0") && line.ends_with("Creating"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(reached);
    example.leaves_nothing();
    host.has_its_links_only();
    host.has_no_container();
}

/// A network that the Engine cannot make: a link that was made for it goes again, and one that was to be changed is as it was, with the network, the host's
/// own link and the containers on it.
#[test]
fn failures() {
    let Some(host) = Host::take() else { return };
    // both hosts share the wire: another VLAN and other addresses than those of the stack that is killed meanwhile
    let text = &TEXT
        .replace("  blue1: {<<: *one, networks: {blue: {ipv4_address: 10.30.54.2}}}\n", "")
        .replace("10.30.55.", "10.30.59.")
        .replace("id: 30,", "id: 35,");
    let Some(mut example) = Example::of("failures", text) else { return };
    example.act_from(host.shell());
    let block = |subnet: &str| {
        host.run(&format!("docker network create --subnet {subnet} -o com.docker.network.bridge.name=other9 other9"))
    };
    let free = || host.run("docker network rm other9");
    let link = || host.run("ip -d -o link show thin0");

    block("10.30.59.0/28");
    let failed = example.run("up -d --no-preflight", 1).err;
    free();
    assert!(failed.contains("error[subnet-overlap]: cannot create network thin"), "{failed}");
    assert!(failed.contains("remove the VLAN link thin0: back to what was there"), "{failed}");
    assert!(failed.contains("the host has its links as before"), "{failed}");
    host.has_its_links_only();

    example.run("up -d", 0);
    let before = example.container("thin1");
    // another id, another MTU, another subnet, and that one cannot be had
    block("10.30.58.0/28");
    let changed = text.replace("id: 35, name: thin0, mtu: 1400", "id: 36, name: thin0, mtu: 1300");
    example.write(&changed.replace("10.30.59.", "10.30.58."));
    let failed = example.run("up -d --no-preflight", 1).err;
    free();
    assert!(failed.contains("thin1 runs as before"), "{failed}");
    example.write(text);
    example.run("plan", 0);
    let (as_it_was, after) = (link(), example.container("thin1"));
    assert!(as_it_was.contains("mtu 1400") && as_it_was.contains("id 35 "), "{as_it_was}");
    assert!(after.id == before.id && after.state.is_running(), "{after:?}");

    // and where it can be had, the container comes along
    example.write(&changed);
    let moved = example.run("up -d", 0).err;
    assert!(moved.contains("thin0.id (35, declared 36), thin0.mtu (1400, declared 1300)"), "{moved}");
    let (new, after) = (link(), example.container("thin1"));
    assert!(new.contains("mtu 1300") && new.contains("id 36 "), "{new}");
    assert!(after.id == before.id && after.state.is_running(), "{after:?}");
    example.leaves_nothing();
    host.has_its_links_only();
}

//! Traps that these machines can set: each is told with its code, its place and its holder before anything is changed; with preflight
//! off, the Engine's own late message has the same code.

mod catalogue;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::examples::{Wire, host};
use crate::namespace::{Net, possible};
use crate::stack::{Ran, Stack};

/// A stack in a trap: preflight tells it at this place, and refuses; nothing is there afterwards.
fn refused(stack: &Stack, code: &str, place: &str, holder: &str) {
    for command in ["up -d", "plan"] {
        let ran = Ran::from(stack.bowline(command).output().unwrap());
        assert_eq!(ran.code, Some(if command == "plan" { 2 } else { 66 }), "{command}: {}", ran.err);
        assert!(ran.err.contains(&format!("error[{code}]")), "{}", ran.err);
        assert!(ran.err.contains(&format!("compose.yaml:{place}")), "{}", ran.err);
        assert!(ran.err.contains(holder), "{}", ran.err);
        assert!(ran.err.contains("help: "), "{}", ran.err);
    }
    assert_eq!(stack.remains(), "", "something was changed");
}

/// The same without preflight: the Engine says it late, under the same code, and `down` takes away what there is.
fn refused_late(stack: &Stack, code: &str) {
    let ran = stack.run("up -d --no-preflight", 1);
    let told = ran.err.lines().find(|line| line.starts_with("error[")).unwrap_or_default();
    let last = ran.err.lines().rfind(|line| line.starts_with("error")).unwrap_or_default();
    assert!(last.starts_with(&format!("error[{code}]")), "{told}\n{}", ran.err);
    assert!(ran.err.contains(&format!("`bowline explain {code}` tells more")), "{}", ran.err);
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

fn docker(arguments: &[&str]) -> String {
    let ran = Ran::from(Command::new("docker").args(arguments).output().unwrap());
    assert_eq!(ran.code, Some(0), "docker {arguments:?}: {}", ran.err);
    ran.out.trim().to_owned()
}

/// Puts an image for another processor into the Engine, with a program `/x` that no processor runs.
fn load_for(architecture: &str, name: &str, directory: &Path) {
    std::fs::create_dir_all(directory.join("content")).unwrap();
    let write = |file: &str, bytes: &[u8]| std::fs::write(directory.join(file), bytes).unwrap();
    write("content/x", &[0x7f, 0, 1, 2]);
    let run = |line: &str| {
        let ran = Ran::from(Command::new("sh").args(["-ec", line]).current_dir(directory).output().unwrap());
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        ran.out
    };
    let layer = run("chmod 755 content/x; tar -cf layer.tar -C content x; sha256sum layer.tar");
    let layer = layer.split_whitespace().next().unwrap_or_default();
    write(
        "config.json",
        format!(
            r#"{{"architecture":"{architecture}","os":"linux","rootfs":{{"type":"layers","diff_ids":["sha256:{layer}"]}}}}"#
        )
        .as_bytes(),
    );
    write(
        "manifest.json",
        format!(r#"[{{"Config":"config.json","RepoTags":["{name}"],"Layers":["layer.tar"]}}]"#).as_bytes(),
    );
    run("tar -cf ../image.tar layer.tar config.json manifest.json");
    docker(&["load", "-q", "-i", &directory.with_file_name("image.tar").to_string_lossy()]);
}

#[test]
fn a_port_that_a_process_holds() {
    let text = "services:\n  web:\n    image: busybox\n    command: sleep 1000\n    ports: ['127.0.0.1:18611:80']\n";
    let Some(stack) = Stack::new("pf-port", text) else { return };
    let held = TcpListener::bind("127.0.0.1:18611").unwrap();
    refused(&stack, "port-taken", "5:13", &format!("(pid {})", std::process::id()));
    refused_late(&stack, "port-taken");
    drop(held);
    stack.run("up -d", 0);
    stack.run("down -t 0", 0);
}

#[test]
fn a_subnet_and_a_bridge_name_that_another_network_holds() {
    let text = "services: {web: {image: busybox, networks: [n]}}\nnetworks:\n  n:\n    driver: bridge\n    \
                ipam: {config: [{subnet: 10.61.5.0/24}]}\n";
    let Some(stack) = Stack::new("pf-pool", text) else { return };
    let other = format!("{}-other", stack.name);
    let bridge = format!("bt{}", std::process::id() % 100_000);
    let name = format!("com.docker.network.bridge.name={bridge}");
    docker(&["network", "create", "--subnet", "10.61.0.0/16", "-o", &name, &other]);
    refused(&stack, "subnet-overlap", "5:30", &format!("10.61.0.0/16 of network `{other}`"));
    refused_late(&stack, "subnet-overlap");
    stack.write(&format!(
        "services: {{web: {{image: busybox, networks: [n]}}}}\nnetworks:\n  n:\n    driver: bridge\n    driver_opts:\n      \
         com.docker.network.bridge.name: {bridge}\n"
    ));
    refused(&stack, "bridge-taken", "6:39", &format!("which is that of network `{other}`"));
    refused_late(&stack, "bridge-taken");
    docker(&["network", "rm", &other]);
}

#[test]
fn a_device_that_is_not_there() {
    let text =
        "services:\n  web:\n    image: busybox\n    command: sleep 1000\n    devices: ['/dev/bowline-none:/dev/x']\n";
    let Some(stack) = Stack::new("pf-device", text) else { return };
    refused(&stack, "device-missing", "5:5", "/dev/bowline-none");
    refused_late(&stack, "device-missing");
}

#[test]
fn kinds_of_links_that_this_kernel_lacks() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can ask the kernel for its kinds of links");
        return;
    }
    // the kernel calls a kind that it has without a parent invalid, and one that it has not unknown
    let lacks = |kind: &str| {
        let asked = Command::new("ip").args(["link", "add", "bt-none", "type", kind]).output().unwrap();
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        said.contains("Unknown device type") || said.contains("not supported")
    };
    let on = |driver: &str, parent: &str| {
        let text = format!(
            "services: {{web: {{image: busybox, command: sleep 100, networks: [n]}}}}\nnetworks:\n  n:\n    driver: {driver}\n    \
             driver_opts: {{parent: {parent}}}\n"
        );
        Stack::new("pf-kind", &text)
    };
    for (driver, kind, module) in [("macvlan", "macvlan", "macvlan"), ("ipvlan", "ipvlan", "ipvlan")] {
        let Some(stack) = on(driver, "lo0none") else { return };
        let told = stack.run("plan", 2);
        let said = told.err.contains("error[driver-missing]") && told.err.contains(&format!("`modprobe {module}`"));
        assert_eq!(said, lacks(kind), "{kind}: {}", told.err);
        assert!(told.err.contains("error[parent-missing]"), "{}", told.err);
    }
    let Some(stack) = on("macvlan", "lo.10") else { return };
    let told = stack.run("plan", 2);
    let said = told.err.contains("has no vlan links, which network n needs") && told.err.contains("`modprobe 8021q`");
    // what a kernel with 802.1Q shows once it was asked for it
    let lacks_vlan = !Path::new("/proc/net/vlan").exists();
    assert_eq!(said, lacks_vlan, "{}", told.err);
    if lacks_vlan && possible() {
        // the Engine's own words, `failed to create … vlan link: operation not supported`, are the same finding
        let wire = Wire::new();
        let Some(stack) = on("macvlan", &format!("{}.10", wire.0)) else { return };
        refused(&stack, "driver-missing", "5:27", "`modprobe 8021q`");
        refused_late(&stack, "driver-missing");
    }
}

#[test]
fn ipv6_that_an_old_engine_gives_no_subnet_for() {
    let text = "services: {web: {image: busybox, command: sleep 1000, init: true, networks: [n]}}\nnetworks: {n: {enable_ipv6: true}}\n";
    let Some(stack) = Stack::new("pf-six", text) else { return };
    let version = docker(&["version", "-f", "{{.Server.Version}}"]);
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    if major < 27 {
        refused(&stack, "no-ipv6", "2:12", "chooses none");
        refused_late(&stack, "no-ipv6");
    } else {
        stack.run("up -d", 0);
        stack.run("down -t 0", 0);
    }
}

#[test]
fn a_parent_that_went_away_under_its_network() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let text = "services: {web: {image: busybox, command: sleep 1000, networks: [lan]}}\nnetworks:\n  lan: {external: true, name: $NAME-lan}\n";
    let Some(stack) = Stack::new("pf-gone", text) else { return };
    let (lan, parent) = (format!("{}-lan", stack.name), format!("parent={}", wire.0));
    docker(&["network", "create", "-d", "macvlan", "--subnet", "10.230.40.0/28", "-o", &parent, &lan]);
    let left = wire.0.clone();
    drop(wire);
    refused(&stack, "parent-missing", "3:3", &format!("its parent `{left}` is gone"));
    refused_late(&stack, "parent-missing");
    docker(&["network", "rm", &lan]);
}

#[test]
fn a_machine_on_the_wire_that_has_the_address_already_and_a_gateway_that_is_silent() {
    if !possible() {
        return;
    }
    let (wire, beyond) = (Wire::new(), Net::new());
    let text = format!(
        "services:\n  web: {{image: busybox, networks: {{lan: {{ipv4_address: 10.230.41.9}}}}}}\nnetworks:\n  lan:\n    driver: macvlan\n    \
         driver_opts: {{parent: {}}}\n    ipam: {{config: [{{subnet: 10.230.41.0/28, gateway: 10.230.41.1}}]}}\n\
         x-trunks: {{up: {{parent: {}, vlans: {{lan: native}}, host_access: 10.230.41.5}}}}\n",
        wire.0, wire.0
    );
    let Some(stack) = Stack::new("pf-wire", &text) else { return };
    host(&format!("ip link set {}p netns {}", wire.0, beyond.0));
    beyond.ip(&format!("addr add 10.230.41.9/28 dev {}p", wire.0));
    beyond.ip(&format!("addr add 10.230.41.5/28 dev {}p", wire.0));
    beyond.ip(&format!("link set {}p up", wire.0));
    let told = stack.run("plan", 2);
    for said in [
        "warning[address-taken]: compose.yaml:2:56: 10.230.41.9 is taken:",
        "warning[gateway-silent]: compose.yaml:7:55: nobody on the wire",
        "warning[address-taken]: compose.yaml:8:",
        ": 10.230.41.5 is taken:", // the host's own, of `host_access`
    ] {
        assert!(told.err.contains(said), "{said}: {}", told.err);
    }
    assert!(!told.err.contains("lan-mismatch"), "{}", told.err);

    beyond.ip(&format!("addr del 10.230.41.5/28 dev {}p", wire.0));
    beyond.ip(&format!("addr del 10.230.41.9/28 dev {}p", wire.0));
    beyond.ip(&format!("addr add 10.230.41.1/28 dev {}p", wire.0));
    host(&format!("ip addr add 10.230.42.1/28 dev {}", wire.0));
    let told = stack.run("plan", 2);
    assert!(told.err.contains("warning[lan-mismatch]") && told.err.contains("has 10.230.42.0/28"), "{}", told.err);
    assert!(!told.err.contains("gateway-silent") && !told.err.contains("address-taken"), "{}", told.err);
}

#[test]
fn an_option_that_came_later_and_layers_that_outgrow_the_disk() {
    let text = "services: {web: {image: busybox, networks: [n], storage_opt: {size: 900000G}}}\nnetworks:\n  n:\n    driver: bridge\n    \
                driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}\n    ipam: {config: [{subnet: 10.230.43.0/28}]}\n";
    let Some(stack) = Stack::new("pf-room", text) else { return };
    let told = stack.run("plan", 2);
    assert!(
        told.err
            .contains("warning[disk-short]: compose.yaml:1:49: the layers of the containers may grow to 900000.0 GiB"),
        "{}",
        told.err
    );
    let version = docker(&["version", "-f", "{{.Server.Version}}"]);
    let old = version.split('.').next().unwrap().parse::<u32>().unwrap() < 27;
    assert_eq!(told.err.contains("warning[api-too-old]"), old, "{}", told.err);
}

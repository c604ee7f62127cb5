//! The catalogue of preflight, rule by rule: a trap is set, and told with code, place and holder before anything is changed. Past
//! preflight the Engine says the same late, under the same code; or it takes the trap without a word, which is why there is a rule.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{docker, load_for};
use crate::examples::{Stranger, Wire, host};
use crate::namespace::possible;
use crate::stack::{Ran, Stack, eventually};

/// What the Engine makes of a trap.
#[derive(Clone, Copy)]
enum Late {
    /// It says so, late.
    Told,
    /// From this version on; those before take it.
    Since(u32),
    /// It takes it.
    Silent,
    /// What it would do does not stop at this stack, or needs what no Engine here has.
    Unasked,
}
use Late::{Silent, Since, Told, Unasked};

/// A subnet of each trap's own, for an Engine before 28 holds on to that of a network that it could not make.
fn subnet() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let (number, run) = (NUMBER.fetch_add(1, Ordering::Relaxed), std::process::id() / 7);
    format!("10.{}.{}", 240 + number % 8, (run + number / 8) % 250)
}

/// The text without its mark `^`, and the place of that: what the finding has to cite.
fn marked(text: &str) -> (String, String) {
    let at = text.find('^').unwrap();
    let before = &text[..at];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (text.replacen('^', "", 1), format!("compose.yaml:{}:{column}", before.matches('\n').count() + 1))
}

/// What `docker` prints, on either stream.
fn docker_says(arguments: &[&str]) -> String {
    let ran = Ran::from(Command::new("docker").args(arguments).output().unwrap());
    ran.out + &ran.err
}

fn major() -> u32 {
    docker(&["version", "-f", "{{.Server.Version}}"]).split('.').next().unwrap().parse().unwrap()
}

/// A trap as it is told: `error[port-taken]`, with the holder's name among the words.
fn trap(text: &str, told: &str, holder: &str, late: Late) {
    trap_with(text, told, holder, late, |_| {});
}

/// The same, with something set up in the stack's directory. `$NET` in the text is a subnet's first three numbers.
fn trap_with(text: &str, told: &str, holder: &str, late: Late, prepare: impl FnOnce(&Stack)) {
    let (text, place) = marked(&text.replace("$NET", &subnet()));
    let Some(stack) = Stack::new("trap", &text) else { return };
    prepare(&stack);
    let ran = Ran::from(stack.bowline("-v plan").output().unwrap());
    for part in [told, &place, &holder.replace("$NAME", &stack.name)] {
        assert!(ran.err.contains(part), "{part}\n{text}\n{}", ran.err);
    }
    if told.starts_with("error") {
        let ran = Ran::from(stack.bowline("up -d").output().unwrap());
        assert!(matches!(ran.code, Some(65 | 66)), "{text}\n{:?} {}", ran.code, ran.err);
        assert!(ran.err.contains("help: "), "{text}\n{}", ran.err);
    }
    assert_eq!(stack.remains(), "", "something was changed: {text}");
    let late = match late {
        Unasked => return,
        Since(version) if major() < version => Silent,
        Since(_) => Told,
        late => late,
    };
    let ran = Ran::from(stack.bowline("up -d --no-preflight").output().unwrap());
    let last = ran.err.lines().rfind(|line| line.starts_with("error")).unwrap_or_default();
    match late {
        Told => assert!(ran.code != Some(0) && last.starts_with(told), "{text}\n{:?} {}", ran.code, ran.err),
        _ => assert_eq!(ran.code, Some(0), "{text}\n{}", ran.err),
    }
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

/// A service `web` with these attributes, and one `db` beside it.
fn web(attributes: &str, rest: &str) -> String {
    format!(
        "services:\n  web: {{image: busybox, command: sleep 600, {attributes}}}\n  db: {{image: busybox, command: sleep 600}}\n{rest}\n"
    )
}

/// `web` on a network `n` with this pool.
fn pooled(endpoint: &str, pool: &str) -> String {
    web(&format!("networks: {{n: {{{endpoint}}}}}"), &format!("networks:\n  n:\n    ipam: {{config: [{{{pool}}}]}}"))
}

/// `web` on a network `n` with this driver and these options.
fn driven(driver: &str, options: &str) -> String {
    web("networks: [n]", &format!("networks:\n  n:\n    driver: {driver}\n    driver_opts: {{{options}}}"))
}

#[test]
fn pools_and_addresses() {
    let near = "subnet: $NET.0/24";
    trap(&pooled("", "subnet: ^$NET.5/24"), "error[bad-subnet]", "the network is", Since(25)); // P5
    trap(&pooled("", &format!("{near}, gateway: ^192.0.2.1")), "error[bad-subnet]", "gateway 192.0.2.1", Told); // P6
    trap(
        &pooled("", &format!("{near}, ip_range: ^192.0.2.0/25")),
        "error[bad-subnet]",
        "range 192.0.2.0/25",
        Since(25),
    );
    trap(&pooled("", &format!("{near}, aux_addresses: {{a: ^192.0.2.1}}")), "error[bad-subnet]", "address a", Told);
    let both = format!("{near}, gateway: $NET.1, aux_addresses: {{a: ^$NET.1}}");
    trap(&pooled("", &both), "error[address-taken]", "is the gateway and a at once", Told);
    trap(&pooled("", "gateway: ^192.0.2.1"), "error[no-subnet]", "no subnet", Told);
    trap(&pooled("ipv4_address: ^192.0.2.9", near), "error[address-outside]", "is not on network n", Told); // P7
    let shared = pooled("ipv4_address: ^$NET.9", near).replace("600}", "600, networks: [n]}");
    trap(&shared, "warning[address-taken]", "may be handed to db first", Silent); // P8
    for (last, whose) in [(1, "the gateway's"), (0, "the network's own"), (255, "the broadcast address")] {
        let text = pooled(&format!("ipv4_address: ^$NET.{last}"), near);
        trap(&text, "error[address-reserved]", whose, Told); // P9
    }
    let aside = format!("{near}, aux_addresses: {{a: $NET.7}}");
    trap(&pooled("ipv4_address: ^$NET.7", &aside), "error[address-reserved]", "set aside as `a`", Told);
    let twice = pooled("ipv4_address: $NET.7", near).replace("600}", "600, networks: {n: {ipv4_address: ^$NET.7}}}");
    trap(&twice, "error[address-taken]", "web asks for it here", Told); // P10
    let many = pooled("ipv4_address: ^$NET.7", near).replace("busybox, c", "busybox, scale: 2, c");
    trap(&many, "error[address-taken]", "2 containers of web", Told);
    trap(
        &pooled("", "subnet: ^$NET.0/30").replace("busybox, c", "busybox, scale: 2, c"),
        "error[pool-too-small]",
        "a /29",
        Told,
    ); // P11
    trap(
        &web("networks: {n: {ipv4_address: ^$NET.7}}", "networks: {n: {}}"),
        "error[no-subnet]",
        "network n declares none",
        Told,
    ); // P12
    let overlap =
        "networks: {n: {ipam: {config: [{subnet: $NET.0/24}]}}, m: {ipam: {config: [{subnet: ^$NET.128/25}]}}}";
    trap(&web("networks: [n, m]", overlap), "error[subnet-overlap]", "n has it", Told); // P1
    trap(&pooled("", "subnet: ^8.8.8.0/24"), "note[public-subnet]", "public address space", Unasked); // P57
}

#[test]
fn addresses_that_others_have() {
    let net = subnet();
    let (name, range) = (format!("bt-held-{}", std::process::id()), format!("{net}.0/24"));
    let Some(stack) = Stack::new("held", "services: {}") else { return };
    docker(&["network", "create", "--subnet", &range, &name]);
    let holder = Stranger::new("holder", &["--network", &name, "--ip", &format!("{net}.9"), "--network-alias", "x"]);
    let on = |endpoint: &str| {
        web(&format!("networks: {{n: {{{endpoint}}}}}"), &format!("networks: {{n: {{external: true, name: {name}}}}}"))
    };
    trap(
        &on(&format!("ipv4_address: ^{net}.9")),
        "error[address-taken]",
        &format!("container `{}`", holder.name()),
        Told,
    ); // P10
    let alias = on(&format!("aliases: [^{}]", holder.name()));
    trap(&alias, "warning[alias-ambiguous]", &format!("means web and container `{}`", holder.name()), Silent); // P24
    drop(holder);
    docker(&["network", "rm", &name]);
    if !possible() {
        return;
    }
    let (wire, net) = (Wire::new(), subnet());
    host(&format!("ip addr add {net}.1/24 dev {}", wire.0));
    let hides = pooled("", &format!("subnet: ^{net}.128/25"));
    trap(&hides, "warning[subnet-overlap]", &format!("through {}", wire.0), Silent); // P3
    let routes = Command::new("ip").args(["-4", "route", "show", "default"]).output().unwrap();
    let routes = String::from_utf8_lossy(&routes.stdout).into_owned();
    let gateway = routes.split_whitespace().skip_while(|word| *word != "via").nth(1);
    if let Some((near, _)) = gateway.and_then(|address| address.rsplit_once('.')) {
        // the Engine would take it, and this machine would be cut off
        trap(
            &pooled("", &format!("subnet: ^{near}.0/24")),
            "error[subnet-overlap]",
            "the host's default gateway",
            Unasked,
        );
    }
    drop(stack);
}

#[test]
fn ports_that_cannot_be_published() {
    let Some(_there) = Stack::new("ports", "services: {}") else { return };
    let holder = Stranger::new("port", &["-p", "127.0.0.1:18621:80"]);
    let held = format!("container `{}`", holder.name());
    trap(&web("ports: [^'127.0.0.1:18621:80']", ""), "error[port-taken]", &held, Told); // P13
    trap(&web("ports: [^'192.0.2.77:18622:80']", ""), "error[port-taken]", "no address 192.0.2.77", Told); // P15
    let twice = web("ports: ['127.0.0.1:18623:80']", "").replace("600}", "600, ports: [^'127.0.0.1:18623:81']}");
    trap(&twice, "error[port-taken]", "web publishes it here", Told); // P16
    trap(&web("scale: 2, ports: [^'127.0.0.1:18624:80']", ""), "error[port-taken]", "2 containers of web", Told);
    trap(
        &web("network_mode: host, ports: [^'18625:80']", ""),
        "warning[ports-discarded]",
        "it is reached on port 80",
        Silent,
    ); // P19
    trap(&web("network_mode: none, ports: [^'18626:80']", ""), "warning[ports-discarded]", "has no network", Silent); // P20
    let inside = web("networks: [n], ports: [^'18627:80']", "networks: {n: {internal: true}}");
    trap(&inside, "warning[ports-discarded]", "its networks are internal", Silent);
    let lent = |option: &str| web(&format!("network_mode: 'service:db', {option}"), "");
    trap(&lent("ports: [^'18628:80']"), "error[ports-discarded]", "move `ports`", Told); // P21
    trap(&lent("hostname: ^shop"), "error[conflict]", "db's", Told);
    trap(&lent("dns: ^192.0.2.53"), "error[conflict]", "db's", Told);
    trap(&lent("extra_hosts: [^'a:192.0.2.1']"), "error[conflict]", "db's", Told);
    trap(&web("hostname: ^shop, uts: host", ""), "error[conflict]", "the host's name", Told);
    let serving = lent("expose: ['81']").replace("  web:", "  ^web:").replace("600}", "600, expose: ['81']}");
    trap(&serving, "error[conflict]", "`expose`", Told);
    let same = "services:\n  web: {image: busybox, command: sleep 600, network_mode: host, expose: ['81']}\n  ^db: {image: busybox, command: sleep 600, network_mode: host, expose: ['81']}\n";
    trap(same, "warning[port-taken]", "both serve port 81", Silent); // P56
}

#[test]
fn names_that_lead_nowhere_or_to_others() {
    let Some(_there) = Stack::new("names", "services: {}") else { return };
    let holder = Stranger::new("name", &[]);
    let named = web(&format!("container_name: ^{}", holder.name()), "");
    trap(&named, "error[name-taken]", "of no project", Told);
    let same = web("container_name: $NAME-x", "").replace("600}", "600, container_name: ^$NAME-x}");
    trap(&same, "error[name-taken]", "$NAME-x", Unasked);
    let (net, volume) = (format!("bt-hand-{}", std::process::id()), format!("bt-none-{}", std::process::id()));
    docker(&["network", "create", &net]);
    trap(
        &web("networks: [n]", &format!("networks: {{^n: {{name: {net}}}}}")),
        "error[foreign-resource]",
        "somebody made by hand",
        Silent,
    ); // P46
    docker(&["network", "rm", &net]);
    trap(
        &web("networks: [n]", "networks: {^n: {external: true, name: bt-no-such}}"),
        "error[network-missing]",
        "bt-no-such",
        Told,
    ); // P45
    let outside = web("volumes: ['v:/v']", &format!("volumes: {{^v: {{external: true, name: {volume}}}}}"));
    trap(&outside, "error[volume-missing]", &volume, Silent);
    docker(&["volume", "rm", &volume]);
    trap(&web("network_mode: ^'container:bt-no-such'", ""), "error[container-missing]", "bt-no-such", Told); // P50
    docker(&["stop", "-t", "0", holder.name()]);
    let ended = web(&format!("network_mode: ^'container:{}'", holder.name()), "");
    trap(&ended, "error[container-missing]", "does not run: it is exited", Told);
    trap("services: {web: {image: ^'bt-no-such:1', pull_policy: never}}", "error[image-missing]", "web needs it", Told);
    trap("services: {web: {image: ^'busybox:', pull_policy: never}}", "error[bad-name]", "nothing follows", Told);
    trap("services: {web: {image: ^'Busybox', pull_policy: never}}", "error[bad-name]", "has capitals", Told);
    trap(&web("isolation: ^hyperv", ""), "error[bad-value]", "`default` alone", Told);
    trap(&web("isolation: ^cell", ""), "error[bad-value]", "`default` alone", Unasked);
    let memory = web("volumes_from: [^db]", "").replace("600}", "600, volumes: [{type: tmpfs, target: /m}]}");
    trap(&memory, "error[conflict]", "cannot lend its tmpfs at /m", Told);
    trap(&web("network_mode: bridge, links: [^db]", ""), "error[dead-link]", "the target", Told); // P22
    let apart = web("networks: [n], links: [^db]", "networks: {n: {}}");
    trap(&apart, "error[dead-link]", "put web and db on one network", Silent);
    let alias = web("networks: {n: {}}", "networks: {n: {}}").replace("600}", "600, networks: {n: {aliases: [^web]}}}");
    trap(&alias, "warning[alias-ambiguous]", "means web and db", Silent); // P24
    let host = web("networks: [n], extra_hosts: [^'up:host-gateway']", "networks: {n: {internal: true}}");
    trap(&host, "warning[dead-link]", "cannot reach the host by `up`", Silent); // P55
    let waiting = "services:\n  web: {image: busybox, command: sleep 600, depends_on: {^db: {condition: service_healthy}}}\n  \
                   db: {image: busybox, command: sleep 600, healthcheck: {disable: true}}\n";
    trap(waiting, "error[never-healthy]", "switched off here", Told);
}

#[test]
fn what_is_mounted_and_is_not_there() {
    let write = |name: &'static str| move |stack: &Stack| std::fs::write(stack.directory.join(name), "x").unwrap();
    let bind = web("volumes: [^{type: bind, source: ./none, target: /x, bind: {create_host_path: false}}]", "");
    trap(&bind, "error[source-missing]", "web mounts it at /x", Told);
    trap(&web("secrets: [^key]", "secrets: {key: {file: ./key.txt}}"), "error[source-missing]", "key.txt", Told);
    trap_with(
        &web("volumes: [^'./file.txt/below:/x']", ""),
        "error[source-kind]",
        "file.txt` is a file",
        Told,
        write("file.txt"),
    );
    let volume = web("volumes: ['v:/v']", "volumes:\n  ^v: {driver_opts: {type: none, o: bind, device: $PWD}}");
    let none = std::env::temp_dir().join("bt-no-such");
    trap(&volume.replace("$PWD", &none.to_string_lossy()), "error[source-missing]", "volume v cannot be mounted", Told);
    let file = std::env::current_exe().unwrap();
    trap(&volume.replace("$PWD", &file.to_string_lossy()), "error[source-kind]", "a volume is a directory", Told);
    trap(
        &web("volumes: [^'./app.conf:/etc/app.conf']", ""),
        "warning[source-kind]",
        "a file seems to be meant",
        Silent,
    );
    let device = web("^devices: ['/dev/bt-no-such:/dev/x']", "");
    trap(&device, "error[device-missing]", "/dev/bt-no-such", Told);
    trap(&web("^mem_limit: 9000g", ""), "warning[memory-short]", "web may use", Silent);
}

#[test]
fn an_image_for_another_processor_is_told_before_it_does_not_run() {
    let Some(stack) = Stack::new("foreign", "services: {}") else { return };
    let image = format!("{}:foreign", stack.name);
    load_for("s390x", &image, &stack.directory.join("image"));
    let text = format!("services: {{web: {{image: ^'{image}', command: /x}}}}");
    trap(&text, "warning[platform-mismatch]", "is for linux/s390x", Unasked);
    stack.write(&text.replace('^', ""));
    // the Engine starts it, and the kernel says so to nobody but the container's output
    stack.run("up -d", 0);
    let said = eventually(Duration::from_secs(20), || {
        let said = docker_says(&["logs", &format!("{}-web-1", stack.name)]);
        if said.is_empty() { Err("nothing yet") } else { Ok(said) }
    });
    assert!(said.contains("exec format error"), "{said}");
    stack.run("down -t 0", 0);
    docker(&["rmi", &image]);
}

#[test]
fn drivers_modes_and_options() {
    trap(&driven("macvlan", "parent: ^lo"), "error[bad-parent]", "`lo`", Told); // P43
    trap(&driven("macvlan", "parent: ^bt-none0"), "error[parent-missing]", "no link `bt-none0`", Told); // P27
    trap(&driven("macvlan", "parent: ^bt-a-very-long-parent"), "error[name-too-long]", "21 bytes", Told); // P35
    let bridge = driven("bridge", "com.docker.network.bridge.name: ^bridge-of-the-shop");
    trap(&bridge, "error[name-too-long]", "18 bytes", Told);
    trap(&driven("bridge", "colour: ^green"), "warning[bad-driver-option]", "`colour`", Silent); // P42
    trap(&driven("^overlay", ""), "error[swarm-needed]", "docker swarm init", Told); // P44
    for (driver, mode) in [("^host", "host"), ("^'null'", "none")] {
        trap(&driven(driver, ""), "error[conflict]", &format!("network_mode: {mode}"), Told); // P52
    }
    trap(
        &web("network_mode: ^host, sysctls: {net.ipv4.ip_forward: 1}", ""),
        "error[conflict]",
        "net.ipv4.ip_forward",
        Told,
    ); // P51
    trap(&web("mac_address: ^'03:42:0a:00:00:02'", ""), "error[bad-mac]", "02:42:0a:00:00:02", Told); // P26
    let mac = "networks: {n: {mac_address: ^'02:42:0a:00:00:09'}}";
    let twice = |rest: &str| web(&mac.replace('^', ""), rest).replace("600}", &format!("600, {mac}}}"));
    trap(&twice("networks: {n: {}}"), "warning[mac-taken]", "web asks for it here", Silent); // P25
}

#[test]
fn parents_on_wires() {
    if !possible() {
        return;
    }
    let wire = Wire::new();
    let on = |parent: &str, options: &str| driven("macvlan", &format!("parent: {parent}{options}"));
    let own = |text: String| text.replace("$WIRE", &wire.0);
    for id in ["5000", "blue", "10.20"] {
        trap(&own(on(&format!("^$WIRE.{id}"), "")), "error[bad-vlan]", "names no VLAN link", Told); // P34
    }
    trap(&own(on("$WIRE", ", macvlan_mode: ^brigde")), "error[bad-driver-option]", "did you mean `bridge`?", Told); // P43
    trap(&own(driven("ipvlan", "parent: $WIRE, ipvlan_mode: ^l4")), "error[bad-driver-option]", "ipvlan has no", Told);
    let both = own(on("$WIRE", ", macvlan_mode: ^passthru")).replace("600}", "600, networks: [n]}");
    trap(&both, "error[parent-busy]", "web, db", Told); // P32
    let mac = "networks: {n: {mac_address: ^'02:42:0a:00:00:19'}}";
    let twice =
        own(on("$WIRE", "")).replace("networks: [n]", &mac.replace('^', "")).replace("600}", &format!("600, {mac}}}"));
    trap(&twice, "error[mac-taken]", "web asks for it here", Told); // P25
    let mtu = own(on("$WIRE", ", com.docker.network.driver.mtu: ^9000"));
    trap(&mtu, "warning[bad-mtu]", &format!("its parent `{}`, 1500", wire.0), Silent); // P41
    trap(
        &own(on("$WIRE", "")).replace("networks: [n]", "networks: [n], ports: [^'18629:80']"),
        "warning[ports-discarded]",
        "its own address",
        Silent,
    ); // P18
    let two = own(web(
        "networks: [n, m]",
        "networks:\n  n: {driver: ipvlan, driver_opts: {parent: $WIRE}}\n  m: {driver: ipvlan, driver_opts: {parent: ^$WIRE}}",
    ));
    // made at the same moment, a newer Engine may not see the one for the other, and this kernel's lack is what it tells
    let late = if major() < 27 { Told } else { Unasked };
    trap(&two, "error[parent-shared]", "n is there already", late); // P38
    let bridge = own(driven("bridge", "com.docker.network.bridge.name: ^$WIRE"));
    trap(&bridge, "error[bridge-taken]", "a veth link of the host", Told); // P36

    // a link that has a VLAN's name and is none
    let odd = format!("{}.7", wire.0);
    host(&format!("ip link add {odd} type veth peer name {}q", wire.0));
    trap(&own(on("^$WIRE.7", "")), "error[bad-vlan]", "is no VLAN but veth", Silent); // P37
    host(&format!("ip link del {odd}"));
    host(&format!("ip link set {}p down", wire.0));
    trap(&own(on("^$WIRE", "")), "warning[parent-down]", "has no carrier", Silent); // P29
    host(&format!("ip link set {} down", wire.0));
    trap(&own(on("^$WIRE", "")), "warning[parent-down]", "is down", Silent);
    let bridge = format!("{}b", wire.0);
    host(&format!("ip link add {bridge} type bridge"));
    host(&format!("ip link set {} master {bridge}", wire.0));
    host(&format!("ip link set {} up", wire.0));
    trap(&own(on("^$WIRE", "")), "error[parent-busy]", &format!("is a port of `{bridge}`"), Told); // P30
    host(&format!("ip link del {bridge}"));
}

#[test]
fn what_stays_in_use_or_is_not_as_declared() {
    let text = web(
        "networks: [n], volumes: ['v:/v']",
        "networks: {n: {}}\nvolumes:\n  v: {driver_opts: {type: tmpfs, device: none, o: size=1m}}",
    );
    let Some(stack) = Stack::new("stays", &text) else { return };
    stack.run("up -d", 0);
    stack.write(&text.replace("size=1m", "size=2m"));
    let told = Ran::from(stack.bowline("-v plan").output().unwrap());
    assert!(told.err.contains("[volume-differs]") && told.err.contains("compose.yaml:6:3"), "{}", told.err);
    let guest = Stranger::new("guest", &["--network", &format!("{}_n", stack.name)]);
    let told = stack.run("down -v -t 0", 72);
    assert!(told.err.contains("[still-used]") && told.err.contains(guest.name()), "{}", told.err); // P53
    drop(guest);
    stack.run("down -v -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_name_that_two_networks_have() {
    let Some(socket) =
        std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(str::to_owned))
    else {
        return eprintln!("SKIPPED: it is asked through the Engine's socket");
    };
    let Some(_there) = Stack::new("twins", "services: {}") else { return };
    if major() >= 25 {
        return; // these refuse the second one
    }
    let name = format!("bt-twin-{}", std::process::id());
    let ids = [0, 1].map(|_| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let body = format!("{{\"Name\":\"{name}\"}}");
        let head = "POST /v1.41/networks/create HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length";
        stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split("\"Id\":\"").nth(1).unwrap_or_else(|| panic!("{answer}"))[..64].to_owned()
    });
    let text = web("networks: [n]", &format!("networks: {{^n: {{external: true, name: {name}}}}}"));
    trap(&text, "error[name-taken]", "2 networks of the Engine", Told); // P45
    docker(&["network", "rm", &ids[0]]);
    docker(&["network", "rm", &ids[1]]);
}

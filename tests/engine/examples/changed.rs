//! The showpiece: a network is changed under a running stack, and nothing of its endpoints is lost.

use std::process::Command;

use bowline::state::observed::ObservedContainer;

use super::Example;
use crate::stack::{Ran, Stack};

/// What was asked for at an endpoint of `lan`, and which network that is.
fn endpoint(example: &Example, service: &str) -> (bowline::state::settings::EndpointSettings, String) {
    let container: ObservedContainer = example.container(service);
    let found = &container.endpoints[&example.network("lan")];
    (found.settings.clone(), found.network.as_ref().unwrap().as_str().to_owned())
}

#[test]
fn a_changed_network_keeps_everything_of_its_endpoints() {
    let Some(mut example) = Example::open("changed-network") else { return };
    example.proves(&[
        "running/web",
        "address/web@lan",
        "mac/web@lan",
        "bridge/web@lan",
        "route/web",
        "name/web:client",
        "no-name/web:counter",
        "reach/web->client",
        "reach/host->web",
        "running/client",
        "address/client@lan",
        "mac/client@lan",
        "bridge/client@lan",
        "route/client",
        "name/client:web",
        "name/client:shop",
        "name/client:counter",
        "reach/client->web",
        "reach/host->client",
        "reach/client->http://shop/hostname",
    ]);
    let before = (endpoint(&example, "web"), endpoint(&example, "client"));
    example = example.with("EDITION", "second");
    let planned = example.run("plan", 2);
    assert!(planned.out.contains("network lan differs: labels.edition (first, declared second)"), "{}", planned.out);
    example.run("up -d", 0);
    let after = (endpoint(&example, "web"), endpoint(&example, "client"));
    assert_eq!(
        (&after.0.0, &after.1.0),
        (&before.0.0, &before.1.0),
        "aliases, links, address and MAC are as they were"
    );
    assert_ne!(after.0.1, before.0.1, "and the network is another one");
    example.run("verify", 0);

    // what docker compose makes of the same change, how it looks, and that bowline mends it without touching the network
    if example.docker_compose("version").code == Some(0) {
        example = example.with("EDITION", "third");
        for _ in 0..2 {
            let theirs = example.docker_compose("up -d");
            assert_eq!(theirs.code, Some(0), "{theirs:?}");
        }
        if endpoint(&example, "web").0.aliases.is_empty() {
            let refuted = example.refuted();
            for lost in ["name/client:web", "name/client:shop", "address/web@lan", "reach/client->http://shop/hostname"]
            {
                assert!(refuted.contains_key(lost), "{lost} is not refuted: {refuted:#?}");
            }
        } else {
            eprintln!(
                "this docker compose keeps the aliases: it is newer than 2.40, and the lesson's page can be shortened"
            );
        }
        let network = endpoint(&example, "web").1;
        example.run("up -d", 0);
        assert_eq!(endpoint(&example, "web"), (before.0.0, network), "mended, on the network that was there");
        example.run("verify", 0);
    } else {
        eprintln!("SKIPPED: what docker compose makes of the same change, for there is none here");
    }
    example.leaves_nothing();
}

const LAN: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    networks: {lan: {aliases: [shop], ipv4_address: $NET.5}}
  client: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [web], networks: [lan]}
networks:
  lan: {ipam: {config: [{subnet: $NET.0/26, ip_range: $NET.32/27}]}, labels: {edition: first}}
";

#[test]
fn a_subnet_that_is_taken_is_told_before_anything_is_changed() {
    let net = "10.206.1";
    let yaml = LAN.replace("$NET", net);
    let Some(stack) = Stack::new("taken", &yaml) else { return };
    stack.run("up -d", 0);
    let seen =
        |service: &str| stack.inspect(service, "{{.Id}} {{.State.StartedAt}} {{json .NetworkSettings.Networks}}");
    let before = (seen("web"), seen("client"));
    let other = format!("{}-other", stack.name);
    stack.docker(&format!("network create --subnet {net}.128/26 {other}"));
    stack.write(&yaml.replace(".0/26", ".128/26").replace(".32/27", ".160/27").replace(".5}", ".133}"));
    let refused = Ran::from(stack.bowline("up -d").output().unwrap());
    let after = (seen("web"), seen("client"));
    stack.docker(&format!("network rm {other}"));
    assert_eq!(refused.code, Some(66), "{}", refused.err);
    assert!(refused.err.contains(&other), "who has it is named\n{}", refused.err);
    assert_eq!(after, before, "nothing was touched");
    stack.run("up -d", 0);
    assert_eq!(stack.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), format!("{net}.133"));
    stack.run("down", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_network_that_cannot_be_made_leaves_the_stack_as_it_was() {
    let net = "10.206.2";
    let yaml = LAN.replace("$NET", net);
    let Some(stack) = Stack::new("cannot", &yaml) else { return };
    stack.run("up -d", 0);
    let id = |service: &str| stack.inspect(service, "{{.Id}} {{.State.Running}}");
    let address = || stack.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    let before = (id("web"), id("client"));
    let other = format!("{}-other", stack.name);
    stack.docker(&format!("network create --subnet {net}.128/26 {other}"));
    let moved = yaml.replace(".0/26", ".128/26").replace(".32/27", ".160/27").replace(".5}", ".133}");
    let odd = yaml.replace("labels: {edition: first}", "driver_opts: {com.docker.network.driver.mtu: many}");
    // preflight would tell both beforehand
    for file in [&moved, &odd] {
        stack.write(file);
        let failed = Ran::from(stack.bowline("up -d --no-preflight").output().unwrap());
        stack.write(&yaml);
        let planned = Ran::from(stack.bowline("plan").output().unwrap());
        if failed.code != Some(1) || planned.code != Some(0) {
            stack.docker(&format!("network rm {other}"));
            panic!("{failed:?}\nthen by the file of before: {planned:?}");
        }
        assert!(failed.err.contains("cannot create network lan"), "{}", failed.err);
    }
    stack.docker(&format!("network rm {other}"));
    assert_eq!((id("web"), id("client")), before, "the same containers run");
    assert_eq!(address(), format!("{net}.5"));
    let aliases = stack.inspect("web", "{{range .NetworkSettings.Networks}}{{json .Aliases}}{{end}}");
    assert!(aliases.contains("shop"), "{aliases}");
    stack.run("down", 0);
    assert_eq!(stack.remains(), "");
}

impl Example {
    /// Runs docker compose on the example.
    fn docker_compose(&self, arguments: &str) -> Ran {
        let mut command: Command = self.stack.compose(arguments);
        Ran::from(command.envs(self.environment.iter().cloned()).output().unwrap())
    }
}

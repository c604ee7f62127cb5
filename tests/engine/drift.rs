//! What a hand changed behind the file's back: `plan` names it with both values, and `up` mends it with as little as it takes.

use std::process::Command;

use crate::stack::{Ran, Stack};

const STACK: &str = "
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    mem_limit: 64m
    labels: {tier: web}
    networks: {front: {aliases: [shop]}, back: {ipv4_address: $NET.10}}
    volumes: ['data:/data']
    depends_on: [db]
  db:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    networks: [back]
    restart: unless-stopped
networks: {front: {}, back: {ipam: {config: [{subnet: $NET.0/24}]}}}
volumes: {data: {}}
";

/// What a hand did, the plan that mends it, and whether web stays the same container.
struct Drift {
    hands: &'static [&'static str],
    plan: &'static str,
    stays: bool,
}

/// A line of a plan without its number and without what it comes after.
fn step(line: &str) -> String {
    let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty() && !cell.starts_with("after "));
    cells.skip(1).collect::<Vec<_>>().join(": ")
}

/// Drifts one after another on one stack: after each `up` everything is as declared, and nothing else was touched.
fn mended(topic: &str, net: &str, drifts: &[Drift]) {
    let yaml = STACK.replace("$NET", net);
    let Some(stack) = Stack::new(topic, &yaml) else { return };
    let filled = |text: &str| text.replace("$NAME", &stack.name).replace("$NET", net);
    stack.run("up -d", 0);
    for Drift { hands, plan, stays } in drifts {
        let before = (stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}"));
        for hand in *hands {
            let hand = filled(hand);
            let did = Ran::from(Command::new("docker").args(hand.split_whitespace()).output().unwrap());
            assert_eq!(did.code, Some(0), "docker {hand}: {}", did.err);
        }
        let planned = stack.run("plan", 2).out;
        // Engines before API 1.44 put a new container on its second network by a step of its own, after all that both need
        let lines = |text: &str| -> Vec<String> {
            let steps = text.lines().map(step).filter(|step| *stays || !step.starts_with("connect"));
            steps.map(|step| if *stays { step } else { step.replace(": missing", "") }).collect()
        };
        assert_eq!(lines(&planned), lines(filled(plan).trim()), "{hands:?}\n{planned}");
        stack.run("up -d", 0);
        let after = stack.run("plan", 0).out;
        assert!(after.contains("as declared"), "{hands:?}\n{after}");
        assert_eq!(stack.inspect("web", "{{.Id}}") == before.0, *stays, "{hands:?}");
        assert_eq!(stack.inspect("db", "{{.Id}}"), before.1, "{hands:?}");
    }
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn endpoints_are_set_right_without_a_stop() {
    mended(
        "dends",
        "10.205.3",
        &[
            Drift {
                hands: &["network disconnect $NAME_front $NAME-web-1"],
                plan: "1    connect web.1 front  differs: networks.front (not connected, declared connected)",
                stays: true,
            },
            Drift {
                hands: &["network disconnect $NAME_back $NAME-web-1"],
                plan: "1    connect web.1 back  differs: networks.back (not connected, declared connected)",
                stays: true,
            },
            Drift {
                hands: &["network disconnect $NAME_front $NAME-web-1", "network connect $NAME_front $NAME-web-1"],
                plan: "1           disconnect web.1 front  differs: networks.front.aliases (none, declared $NAME-web-1 shop web)
                       2  after 1  connect web.1 front",
                stays: true,
            },
            Drift {
                hands: &[
                    "network disconnect $NAME_back $NAME-web-1",
                    "network connect --ip $NET.77 --alias $NAME-web-1 --alias web $NAME_back $NAME-web-1",
                ],
                plan: "1           disconnect web.1 back  differs: networks.back.ipv4_address ($NET.77, declared $NET.10)
                       2  after 1  connect web.1 back",
                stays: true,
            },
            Drift {
                hands: &["network connect $NAME_front $NAME-db-1"],
                plan: "1    disconnect db.1 front  differs: networks (connected to $NAME_front, declared not connected)",
                stays: true,
            },
        ],
    );
}

#[test]
fn limits_names_and_states_are_set_back_in_place() {
    mended(
        "dplace",
        "10.205.4",
        &[
            Drift {
                hands: &["update --memory 32m --memory-swap 64m $NAME-web-1"],
                plan: "1    update web.1  differs: mem_limit (33554432, declared 67108864), memswap_limit (67108864, declared 134217728)",
                stays: true,
            },
            Drift {
                hands: &["update --restart always $NAME-db-1"],
                plan: "1    update db.1  differs: restart (always, declared unless-stopped)",
                stays: true,
            },
            Drift {
                hands: &["rename $NAME-web-1 $NAME-elsewhere"],
                plan: "1    rename web.1 $NAME-web-1  differs: container_name ($NAME-elsewhere, declared $NAME-web-1)",
                stays: true,
            },
            Drift { hands: &["stop -t 0 $NAME-web-1"], plan: "1    start web.1  ended with 137", stays: true },
            Drift { hands: &["kill $NAME-db-1"], plan: "1    start db.1  ended with 137", stays: true },
            Drift { hands: &["pause $NAME-web-1"], plan: "1    unpause web.1  paused", stays: true },
        ],
    );
}

#[test]
fn what_a_hand_took_away_is_made_again() {
    mended(
        "dgone",
        "10.205.5",
        &[
            Drift {
                hands: &["rm -f $NAME-web-1"],
                plan: "1           create web.1  missing
                       2  after 1  start web.1",
                stays: false,
            },
            Drift {
                hands: &["rm -f $NAME-web-1", "volume rm $NAME_data"],
                plan: "1           create volume data  missing
                       2  after 1  create web.1
                       3  after 2  start web.1",
                stays: false,
            },
            Drift {
                hands: &["rm -f $NAME-web-1", "network rm $NAME_front"],
                plan: "1           create network front  missing
                       2  after 1  create web.1
                       3  after 2  start web.1",
                stays: false,
            },
        ],
    );
}

#[test]
fn an_edited_label_replaces_its_container_alone_and_a_foreign_network_is_left_alone() {
    let net = "10.205.6";
    let yaml = STACK.replace("$NET", net);
    let Some(stack) = Stack::new("dlabel", &yaml) else { return };
    stack.run("up -d", 0);
    let (web, db) = (stack.inspect("web", "{{.Id}}"), stack.inspect("db", "{{.Id}}"));
    stack.docker(&format!("network create {}-other", stack.name));
    stack.docker(&format!("network connect {0}-other {0}-web-1", stack.name));
    let kept = stack.bowline("plan").output().unwrap();
    stack.docker(&format!("network disconnect {0}-other {0}-web-1", stack.name));
    stack.docker(&format!("network rm {}-other", stack.name));
    assert_eq!(kept.status.code(), Some(0), "who connected it may need it: {kept:?}");

    stack.write(&yaml.replace("tier: web", "tier: shop"));
    let planned = stack.run("plan", 2).out;
    assert!(planned.contains("create web.1") && planned.contains("labels.tier (web, declared shop)"), "{planned}");
    stack.run("up -d", 0);
    assert_ne!(stack.inspect("web", "{{.Id}}"), web);
    assert_eq!(stack.inspect("db", "{{.Id}}"), db);
    assert_eq!(stack.inspect("web", "{{index .Config.Labels \"tier\"}}"), "shop");
    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
}

/// From ten services on their containers are looked for by the names that they should have, before the Engine has said which there are.
#[test]
fn containers_with_each_others_names_are_taken_for_whose_they_are() {
    let services: String =
        (0..12).map(|n| format!("  s{n}: {{image: busybox, command: sleep 1000, network_mode: none}}\n")).collect();
    let Some(stack) = Stack::new("dnames", &format!("services:\n{services}")) else { return };
    stack.run("create", 0);
    for hands in ["rename $NAME-s0-1 $NAME-t", "rename $NAME-s1-1 $NAME-s0-1", "rename $NAME-t $NAME-s1-1"] {
        stack.docker(&hands.replace("$NAME", &stack.name));
    }
    stack.docker(&format!("rm {}-s2-1", stack.name));
    let planned = stack.run("plan", 2).out.replace(&stack.name, "$NAME");
    let steps: Vec<String> = planned.lines().map(step).filter(|step| !step.contains("start")).collect();
    let wanted = [
        "create s0.1: differs: container_name ($NAME-s1-1, declared $NAME-s0-1)",
        "remove old s0.1",
        "rename s1.1 $NAME-s1-1: differs: container_name ($NAME-s0-1, declared $NAME-s1-1)",
        "rename s0.1 $NAME-s0-1: differs: container_name ($NAME-s1-1, declared $NAME-s0-1)",
        "create s2.1: missing",
    ];
    assert_eq!(steps, wanted, "{planned}");
    stack.run("up -d", 0);
    assert!(stack.run("up -d", 0).err.contains("nothing to do"));
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

//! What a file promises, by the ids of its checks: a table of small stacks, no Engine.

use super::*;
use crate::verify::fixture::project;

/// The ids that follow from a file, in their order. Findings are a failure.
fn ids(text: &str) -> Vec<String> {
    let project = project(text);
    let mut findings = Findings::new();
    let checks = derive(&project, &Topology::of(&project), &Ended::new(), &mut findings);
    assert!(findings.is_empty(), "{text}: {findings:#?}");
    checks.into_iter().map(|check| check.id).collect()
}

#[test]
fn a_trunk_says_how_long_packets_are_and_what_its_parent_takes() {
    let text = "services: {a: {image: x, networks: [lan]}}\nnetworks: {lan: {}}\n\
                x-trunks: {up: {parent: eth0, mtu: 1400, promisc: off, vlans: {lan: 7}}}";
    let ids = ids(text);
    for id in ["mtu/a@lan", "promisc/eth0"] {
        assert!(ids.iter().any(|other| other == id), "{ids:?}");
    }
}

#[test]
fn every_promise_of_a_file_is_a_check() {
    for (text, expected) in TABLE {
        assert_eq!(ids(text), expected.split(' ').collect::<Vec<_>>(), "{text}");
    }
}

/// A file, and the ids of its checks.
const TABLE: &[(&str, &str)] = &[
    // a service on a network of its own
    (
        "
         services: {web: {networks: [x]}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web reach/host->web",
    ),
    // a health check is a promise
    (
        "
         services: {web: {networks: [x], healthcheck: {test: 'true'}}}
         networks: {x: {}}
        ",
        "running/web healthy/web healthcheck/web address/web@x mac/web@x bridge/web@x route/web reach/host->web",
    ),
    // and one that is switched off is none
    (
        "
         services: {web: {networks: [x], healthcheck: {disable: true}}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web reach/host->web",
    ),
    // what a container is made with, attribute by attribute
    (
        "
         services:
           web:
             network_mode: none
             scale: 2
             environment: [A=1]
             group_add: [audio]
             deploy: {resources: {limits: {memory: 64m}}}
             volumes: ['data:/data']
             tmpfs: /tmp
             configs: [app]
             secrets: [key]
         volumes: {data: {}}
         configs: {app: {content: x}}
         secrets: {key: {file: ./key}}
        ",
        "running/web#1 running/web#2 environment/web#1 user/web#1 limits/web#1 mount/web#1:/data mount/web#1:/tmp \
         config/web#1:/app secret/web#1:/run/secrets/key environment/web#2 user/web#2 limits/web#2 mount/web#2:/data \
         mount/web#2:/tmp config/web#2:/app secret/web#2:/run/secrets/key only-lo/web#1 only-lo/web#2",
    ),
    // the implicit default network
    (
        "
         services: {web: {}}
        ",
        "running/web address/web@default mac/web@default bridge/web@default route/web reach/host->web",
    ),
    // no network
    (
        "
         services: {web: {network_mode: none}}
        ",
        "running/web only-lo/web",
    ),
    // the host's
    (
        "
         services: {web: {network_mode: host}}
        ",
        "running/web namespace/web=host",
    ),
    // another's, which has none
    (
        "
         services: {web: {network_mode: none}, side: {network_mode: 'service:web'}}
        ",
        "running/web only-lo/web running/side namespace/side=web",
    ),
    // the default bridge: no DNS
    (
        "
         services: {web: {network_mode: bridge}}
        ",
        "running/web address/web@bridge mac/web@bridge bridge/web@bridge route/web reach/host->web",
    ),
    // a container's outside the project
    (
        "
         services: {web: {network_mode: 'container:other'}}
        ",
        "running/web namespace/web=other",
    ),
    // replicas by their numbers
    (
        "
         services: {web: {networks: [x], scale: 2}}
         networks: {x: {}}
        ",
        "running/web#1 running/web#2 address/web#1@x mac/web#1@x bridge/web#1@x route/web#1 address/web#2@x \
         mac/web#2@x bridge/web#2@x route/web#2 reach/web->web reach/host->web",
    ),
    // scaled to none: nothing of it, and no name for it
    (
        "
         services: {web: {networks: [x], scale: 0}, cli: {networks: [x]}}
         networks: {x: {}}
        ",
        "running/cli address/cli@x mac/cli@x bridge/cli@x route/cli reach/host->cli",
    ),
    // a job, which promises its end alone
    (
        "
         services:
           job: {networks: [x]}
           web: {networks: [x], depends_on: {job: {condition: service_completed_successfully}}}
         networks: {x: {}}
        ",
        "completed/job running/web address/web@x mac/web@x bridge/web@x route/web reach/host->web",
    ),
    // a job by its rule
    (
        "
         services: {job: {networks: [x], ports: ['80']}, web: {networks: [x]}}
         networks: {x: {}}
         x-verify: {jobs: [job]}
        ",
        "completed/job running/web address/web@x mac/web@x bridge/web@x route/web reach/host->web",
    ),
    // one that may end is asked like any other while it runs
    (
        "
         services: {job: {networks: [x], restart: on-failure}}
         networks: {x: {}}
        ",
        "running/job address/job@x mac/job@x bridge/job@x route/job reach/host->job",
    ),
    // a container's name is a name for its neighbours
    (
        "
         services: {web: {networks: [x], container_name: shop}, cli: {networks: [x]}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web name/web:cli reach/web->cli reach/host->web \
         running/cli address/cli@x mac/cli@x bridge/cli@x route/cli name/cli:web name/cli:shop reach/cli->web \
         reach/host->cli",
    ),
    // an alias, too
    (
        "
         services: {web: {networks: {x: {aliases: [www]}}}, cli: {networks: [x]}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web name/web:cli reach/web->cli reach/host->web \
         running/cli address/cli@x mac/cli@x bridge/cli@x route/cli name/cli:web name/cli:www reach/cli->web \
         reach/host->cli",
    ),
    // two bridges are parted, and so are their names
    (
        "
         services: {web: {networks: [x]}, cli: {networks: [y]}}
         networks: {x: {}, y: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web no-name/web:cli isolated/web->cli \
         reach/host->web running/cli address/cli@y mac/cli@y bridge/cli@y route/cli no-name/cli:web \
         isolated/cli->web reach/host->cli",
    ),
    // a link's alias is its owner's alone
    (
        "
         services: {web: {networks: [x]}, cli: {networks: [x], links: ['web:shop']}, third: {networks: [x]}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web name/web:cli name/web:third \
         no-name/web:shop reach/web->cli reach/web->third reach/host->web running/cli address/cli@x mac/cli@x \
         bridge/cli@x route/cli name/cli:web name/cli:third name/cli:shop reach/cli->web reach/cli->third \
         reach/host->cli no-name/third:shop running/third address/third@x mac/third@x bridge/third@x \
         route/third name/third:web name/third:cli reach/third->web reach/third->cli reach/host->third",
    ),
    // on the default bridge it is a line of /etc/hosts
    (
        "
         services: {web: {network_mode: bridge}, cli: {network_mode: bridge, links: ['web:shop']}}
        ",
        "running/web address/web@bridge mac/web@bridge bridge/web@bridge route/web no-hosts/web:shop \
         reach/web->cli reach/host->web running/cli address/cli@bridge mac/cli@bridge bridge/cli@bridge \
         route/cli hosts/cli:shop reach/cli->web reach/host->cli",
    ),
    // a link to a container outside the project
    (
        "
         services: {web: {networks: [x], external_links: ['other:db']}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web name/web:db reach/host->web",
    ),
    // lines of /etc/hosts
    (
        "
         services: {web: {networks: [x], extra_hosts: ['a:1.2.3.4', 'host.docker.internal:host-gateway']}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web extra-host/web:a=1.2.3.4 \
         extra-host/web:host.docker.internal=host-gateway reach/host->web",
    ),
    // ports by both sides; at a loopback address from one
    (
        "
         services: {web: {networks: [x], ports: ['80:80', '127.0.0.1:81:81', '82:82/udp', '83']}}
         networks: {x: {}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web published/web:80->80/tcp \
         outside/web:80->80/tcp published/web:127.0.0.1:81->81/tcp unpublished/web:127.0.0.1:81->81/tcp \
         published/web:82->82/udp outside/web:82->82/udp published/web:83/tcp outside/web:83/tcp \
         reach/host->web",
    ),
    // an internal network publishes nothing; expose says what listens
    (
        "
         services: {web: {networks: [x], ports: ['80:80'], expose: ['90']}}
         networks: {x: {internal: true}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web listens/web:90/tcp reach/host->web",
    ),
    // and so does macvlan, whose host is apart
    (
        "
         services: {web: {networks: [x], ports: ['80:80']}}
         networks: {x: {driver: macvlan, driver_opts: {parent: eth9}}}
        ",
        "running/web address/web@x mac/web@x parent/web@x route/web isolated/web->host isolated/host->web",
    ),
    // its children meet
    (
        "
         services: {web: {networks: [x]}, two: {networks: [x]}}
         networks: {x: {driver: macvlan, driver_opts: {parent: eth9}}}
        ",
        "running/web address/web@x mac/web@x parent/web@x route/web name/web:two reach/web->two \
         isolated/web->host isolated/host->web running/two address/two@x mac/two@x parent/two@x route/two \
         name/two:web reach/two->web isolated/two->host isolated/host->two",
    ),
    // ipvlan has the parent's MAC
    (
        "
         services: {web: {networks: [x]}}
         networks: {x: {driver: ipvlan, driver_opts: {parent: eth9}}}
        ",
        "running/web address/web@x parent/web@x route/web isolated/web->host isolated/host->web",
    ),
    // of an external network the file tells only that it is there
    (
        "
         services: {web: {networks: [x]}}
         networks: {x: {external: true}}
        ",
        "running/web address/web@x",
    ),
    // an internal network has no default route that leads out
    (
        "
         services: {web: {networks: [x]}, db: {networks: [y]}}
         networks: {x: {}, y: {internal: true}}
        ",
        "running/web address/web@x mac/web@x bridge/web@x route/web no-name/web:db isolated/web->db \
         reach/host->web running/db address/db@y mac/db@y bridge/db@y route/db no-name/db:web isolated/db->web \
         reach/host->db",
    ),
    // enable_icc parts a bridge's members
    (
        "
         services: {a: {networks: [x]}, b: {networks: [x]}}
         networks: {x: {driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}}
        ",
        "running/a address/a@x mac/a@x bridge/a@x route/a name/a:b isolated/a->b reach/host->a running/b \
         address/b@x mac/b@x bridge/b@x route/b name/b:a isolated/b->a reach/host->b",
    ),
    // IPv6 is a family of its own where both ends have it
    (
        "
         services: {a: {networks: [x]}, b: {networks: [x, z]}, c: {networks: [y]}, d: {networks: [z]}}
         networks: {x: {enable_ipv6: true}, y: {enable_ipv6: true, enable_ipv4: false}, z: {}}
         x-verify: {deny: ['d -> c'], allow: ['a -> host', 'c -> host', 'd -> host']}
        ",
        "running/a address/a@x mac/a@x bridge/a@x route/a route/a/ipv6 name/a:b no-name/a:c no-name/a:d reach/a->b reach/a->b/ipv6 \
         isolated/a->c/ipv6 isolated/a->d reach/host->a reach/host->a/ipv6 reach/a->host reach/a->host/ipv6 \
         running/b address/b@x mac/b@x bridge/b@x address/b@z mac/b@z bridge/b@z route/b route/b/ipv6 name/b:a no-name/b:c name/b:d \
         reach/b->a reach/b->a/ipv6 isolated/b->c/ipv6 reach/b->d reach/host->b reach/host->b/ipv6 running/c address/c@y \
         mac/c@y bridge/c@y route/c/ipv6 no-name/c:a no-name/c:b no-name/c:d isolated/c->a/ipv6 isolated/c->b/ipv6 \
         isolated/c->d reach/host->c/ipv6 reach/c->host/ipv6 running/d address/d@z mac/d@z bridge/d@z route/d no-name/d:a name/d:b \
         no-name/d:c isolated/d->a reach/d->b isolated/d->c reach/host->d reach/d->host",
    ),
    // the matrix can be switched off
    (
        "
         services: {a: {networks: [x]}, b: {networks: [x]}}
         networks: {x: {}}
         x-verify: {matrix: off}
        ",
        "running/a address/a@x mac/a@x bridge/a@x route/a name/a:b running/b address/b@x mac/b@x bridge/b@x \
         route/b name/b:a",
    ),
    // or left nothing open
    (
        "
         services: {a: {networks: [x]}, b: {networks: [y]}}
         networks: {x: {driver: macvlan, driver_opts: {parent: eth9}}, y: {}}
         x-verify: {matrix: strict}
        ",
        "running/a address/a@x mac/a@x parent/a@x route/a no-name/a:b undeclared/a->b isolated/a->host \
         isolated/host->a running/b address/b@y mac/b@y bridge/b@y route/b no-name/b:a undeclared/b->a \
         undeclared/b->host reach/host->b",
    ),
    // what x-verify allows
    (
        "
         services: {a: {networks: [x]}, b: {networks: [x]}}
         networks: {x: {}}
         x-verify:
           allow: ['a -> b:80', 'a -> http://b/x = 200', 'b -> a icmp', 'a -> internet', 'a -> 10.0.0.9:53/udp', '@x -> host']
           names: {a: {b: b, c: []}}
           hosts: {a: ['{b} b']}
        ",
        "running/a address/a@x mac/a@x bridge/a@x route/a name/a:b reach/a->b reach/host->a reach/a->b:80/tcp \
         reach/a->http://b/x reach/a->internet reach/a->10.0.0.9:53/udp reach/a->host no-name/a:c \
         hosts-line/a#1 running/b address/b@x mac/b@x bridge/b@x route/b name/b:a reach/b->a reach/host->b \
         reach/b->a/icmp reach/b->host",
    ),
    // what it denies takes the place of what follows from the file
    (
        "
         services: {a: {networks: [x], ports: ['80:80']}, b: {networks: [y]}}
         networks: {x: {}, y: {}}
         x-verify: {deny: ['outside -> a:80', 'a -> b:90', '* -> internet', 'a -> b arp']}
        ",
        "running/a address/a@x mac/a@x bridge/a@x route/a no-name/a:b published/a:80->80/tcp isolated/a->b \
         reach/host->a unpublished/a:80->80/tcp isolated/a->b:90/tcp isolated/a->internet isolated/a->b/arp \
         running/b address/b@y mac/b@y bridge/b@y route/b no-name/b:a isolated/b->a reach/host->b \
         isolated/b->internet",
    ),
];

#[test]
fn a_rule_that_contradicts_the_file_is_a_finding_with_both_places() {
    let parted = "services: {a: {networks: [x], ports: ['127.0.0.1:80:80']}, b: {networks: [y], restart: always}}\nnetworks: {x: {}, y: {}}\n";
    for (rules, says) in [
        ("allow: ['a -> b']", "rule R3a says blocked"),
        ("allow: ['a -> http://b/']", "rule R3a says blocked"),
        ("deny: ['host -> a']", "rule R5 says reached"),
        ("deny: ['host -> a:80']", "the port is published"),
        ("allow: ['outside -> a:80']", "published at a loopback address"),
        ("jobs: [b]", "the Engine starts it again"),
    ] {
        let text = format!("{parted}x-verify: {{{rules}}}");
        let project = project(&text);
        let mut findings = Findings::new();
        let checks = derive(&project, &Topology::of(&project), &Ended::new(), &mut findings);
        let [finding] = findings.iter().collect::<Vec<_>>()[..] else { panic!("{rules}: {findings:#?}") };
        assert!(finding.message.contains(says), "{rules}: {}", finding.message);
        assert!(finding.at.is_some(), "{rules}");
        assert!(checks.iter().all(|c| !matches!(c.basis, Basis::Declared(_))), "{rules}: it gives no check");
    }
}

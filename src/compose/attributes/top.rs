//! The top level.

use super::Form::*;
use super::{Attribute, Key, Print, Short, at};

pub(super) const ROWS: &[Attribute] = &[
    at("version", Text, "The version of an old file format; it has no meaning any more.")
        .no_effect()
        .print(Print::Never),
    at("name", Text, "The project's name, which is in the name and the labels of all it owns.")
        .default("the directory's name")
        .becomes("label com.docker.compose.project"),
    at("include", List, "Other stacks that become part of this one, each read with its own directory and environment.")
        .print(Print::Never),
    at("include[]", TextOrMap, "One included stack: its file, or where it needs more, a mapping.")
        .short(Short::Key("path")),
    at("include[].path", OneOrMore, "The file; further ones override the first."),
    at("include[].project_directory", Text, "The directory that its relative paths start from.")
        .default("the directory of its first file"),
    at("include[].env_file", OneOrMore, "Environment files for its `${…}`.")
        .unique(Key::Text)
        .default(".env beside it"),
    at("services", Map, "The services: what runs.").print(Print::Written),
    at("services.*", Map, "One service: containers that are all made alike."),
    at("networks", Map, "The networks that services join."),
    at("volumes", Map, "The volumes that outlive containers."),
    at("configs", Map, "Files that services read, beside their image."),
    at("secrets", Map, "Files that services read and that `config` does not print."),
    at("models", Map, "Language models that services use."),
    at("x-verify", Map, "What must reach what, what must not, what names must mean: proved by `bowline verify`.")
        .differs("docker compose carries it and does not look at it."),
    at("x-verify.matrix", Text, "Whether what follows from the file is proved besides the rules.")
        .words(&["auto", "strict", "off"])
        .default("auto"),
    at("x-verify.timeout", Duration, "How long what must be reached may take to answer.").default("5s"),
    at("x-verify.allow", Texts, "What must be reached: `web -> db:5432`."),
    at("x-verify.deny", Texts, "What must be blocked: `bot -> db:5432`."),
    at("x-verify.jobs", Texts, "Services that end with 0 and stay so: they promise that end alone."),
    at("x-verify.names", Free, "What a name must mean, seen from a service: `{web: {db: db}}`."),
    at(
        "x-verify.hosts",
        Free,
        "Lines that a service's /etc/hosts must hold; `{db}` is its address, `{db.id}` its short id.",
    ),
    at(
        "x-trunks",
        Map,
        "Wires of the Engine's host, and the networks that ride on each: on a VLAN of its own, or untagged.",
    )
    .differs("docker compose carries it and does not look at it; it takes what `bowline config` makes of it."),
    at("x-trunks.*", Map, "One wire. It fills in `driver` and `driver_opts` of its networks."),
    at("x-trunks.*.parent", Text, "The link of the Engine's host that the networks ride on: `eth0`; `auto` is that of its default route.")
        .becomes("Options.parent: `eth0`, or `eth0.10` for VLAN 10"),
    at("x-trunks.*.vlans", Map, "The VLAN of each network that rides on it."),
    at(
        "x-trunks.*.vlans.*",
        NumberTextOrMap,
        "The VLAN's id, from 1 to 4094, or `native` for frames without a tag; or what the Engine cannot make: bowline then makes the VLAN's link \
         before the network, and removes it after the last one on it.",
    ),
    at("x-trunks.*.vlans.*.id", Whole, "The VLAN's id; the inner one where there are two.").range(1, 4094),
    at("x-trunks.*.vlans.*.within", Whole, "The id of the outer tag (QinQ).").range(1, 4094),
    at("x-trunks.*.vlans.*.protocol", Text, "What the tag is marked with, the outer one where there are two; an inner one has 802.1Q.")
        .words(&["802.1Q", "802.1ad"])
        .default("802.1Q, with `within` 802.1ad"),
    at("x-trunks.*.vlans.*.name", Text, "The name of the VLAN's link, of at most 15 bytes.")
        .default("`eth0.10`; where that is too long, or not the Engine's to make, another one of parent and ids")
        .becomes("Options.parent"),
    at("x-trunks.*.vlans.*.mtu", Whole, "How many bytes a packet of the VLAN has at most.").range(68, 65535).default("the parent's"),
    at("x-trunks.*.driver", Text, "What the children of the wire are.")
        .words(&["macvlan", "ipvlan"])
        .default("macvlan")
        .becomes("Driver"),
    at("x-trunks.*.mode", Text, "Of macvlan `bridge`, `private`, `vepa`, `passthru`; of ipvlan `l2`, `l3`, `l3s`.")
        .becomes("Options.macvlan_mode, Options.ipvlan_mode"),
    at(
        "x-trunks.*.routed",
        List,
        "Networks that a router on the wire joins: `[[lan, blue]]`. `verify` then expects what it cannot know otherwise.",
    ),
    at("x-trunks.*.routed[]", Texts, "Networks that one router joins."),
    at("x-trunks.*.hairpin", Flag, "Whether the switch sends back what came from its port, as mode `vepa` needs."),
    at(
        "x-trunks.*.promisc",
        TextOrFlag,
        "Whether the parent takes frames that are not for it: `auto`, `on`, `off`. It is looked at and never set: the kernel does what it \
         needs by itself.",
    )
    .default("auto"),
    at("x-trunks.*.mtu", Whole, "How many bytes a packet has at most. Children have their parent's, which is looked at and never set.")
        .range(68, 65535),
    at("x-trunks.*.host_access", Text, "An address of the host's own on the wire, so that it reaches its children.")
        .becomes("IPAM.Config.AuxiliaryAddresses, and a macvlan link of the host's, made and removed with the network"),
    at(
        "x-hosts",
        Map,
        "The hosts that the stack is spread over, each with the services that run there: every service on one. Nothing is scheduled, the file says it.",
    )
    .differs("docker compose carries it and does not look at it; it takes what `bowline --on HOST config` makes of it."),
    at("x-hosts.*", Map, "One host, with an Engine of its own. `--host NAME=URL` says where that is, whatever the file says."),
    at("x-hosts.*.url", Text, "Where its Engine is, as `DOCKER_HOST` has it: `tcp://10.0.0.1:2376`, `ssh://user@host`."),
    at("x-hosts.*.context", Text, "The docker context that names its Engine."),
    at("x-hosts.*.services", Texts, "The services that run there."),
    at("x-hosts.*.parents", Texted, "The link that a trunk is on there, by the trunk's name, where it is not the trunk's `parent`: `{uplink: enp3s0}`.")
        .becomes("Options.parent"),
    at(
        "x-hosts.*.ip_ranges",
        Texted,
        "The part of a network's addresses that its Engine gives out, by the network's name: `{blue: 10.0.0.64/26}`.",
    )
    .default("a part of its own, without the addresses that the file gives")
    .becomes("IPAM.Config.IPRange"),
];

//! Networks, volumes, configs, secrets and models: what services name.

use super::Form::*;
use super::{Attribute, Merge, Print, Short, at};

pub(super) const NETWORK_ROWS: &[Attribute] = &[
    at("*", MapOrNull, "One network.").becomes("POST /networks/create"),
    at("*.attachable", Flag, "Whether containers outside the project may join it.").becomes("Attachable"),
    at("*.driver", Text, "What it is made of: `bridge`, `macvlan`, `ipvlan`, `overlay`, `host`, `none` …")
        .default("bridge")
        .becomes("Driver"),
    at("*.driver_opts", Options, "Options of the driver: `parent`, `com.docker.network.bridge.name` …")
        .becomes("Options"),
    at("*.enable_ipv4", Flag, "Whether it has IPv4.").written().becomes("EnableIPv4").since("1.48"),
    at("*.enable_ipv6", Flag, "Whether it has IPv6.").written().becomes("EnableIPv6"),
    at("*.external", FlagOrMap, "Whether somebody else makes it.").short(Short::External),
    at("*.external.name", Text, "Its name in the Engine, as files before 3.4 gave it."),
    at("*.internal", Flag, "Whether it leads nowhere else.").becomes("Internal"),
    at("*.ipam", Map, "Its addresses.").print(Print::Empty).becomes("IPAM"),
    at("*.ipam.config", List, "Its pools of addresses.").merge(Merge::Pools).becomes("IPAM.Config"),
    at("*.ipam.config[]", Map, "One pool."),
    at("*.ipam.config[].aux_addresses", Texted, "Addresses that are kept for others.").becomes("AuxiliaryAddresses"),
    at("*.ipam.config[].gateway", Text, "The gateway's address.").becomes("Gateway"),
    at("*.ipam.config[].ip_range", Text, "The part that the Engine gives addresses from.").becomes("IPRange"),
    at("*.ipam.config[].subnet", Text, "All its addresses: `172.30.0.0/24`.").becomes("Subnet"),
    at("*.ipam.driver", Text, "Who gives the addresses.").default("default").becomes("IPAM.Driver"),
    at("*.ipam.options", Texted, "Options of that driver.")
        .becomes("IPAM.Options")
        .differs("They reach the Engine; docker compose 2.40 drops them."),
    at("*.labels", Pairs, "Labels of the network.").becomes("Labels"),
    at("*.name", Text, "Its name in the Engine.").default("<project>_<key>").becomes("Name"),
];

pub(super) const VOLUME_ROWS: &[Attribute] = &[
    at("*", MapOrNull, "One volume.").becomes("POST /volumes/create"),
    at("*.driver", Text, "What keeps it.").default("local").becomes("Driver"),
    at("*.driver_opts", Options, "Options of the driver.").becomes("DriverOpts"),
    at("*.external", FlagOrMap, "Whether somebody else makes it.").short(Short::External),
    at("*.external.name", Text, "Its name in the Engine, as files before 3.4 gave it."),
    at("*.labels", Pairs, "Labels of the volume.").becomes("Labels"),
    at("*.name", Text, "Its name in the Engine.").default("<project>_<key>").becomes("Name"),
];

pub(super) const CONFIG_ROWS: &[Attribute] = &[
    at("*", Map, "One config."),
    at("*.content", Text, "Its text."),
    at("*.environment", Text, "The environment variable that holds its text."),
    at("*.external", FlagOrMap, "Whether somebody else makes it, for Swarm.").short(Short::External),
    at("*.external.name", Text, "Its name in Swarm, as files before 3.4 gave it."),
    at("*.file", Text, "The file that holds its text."),
    at("*.labels", Pairs, "Its labels, for Swarm.").elsewhere(),
    at("*.name", Text, "Its name in Swarm.").default("<project>_<key>"),
    at("*.template_driver", Text, "What fills its text in, for Swarm.").not_yet(),
];

pub(super) const SECRET_ROWS: &[Attribute] = &[
    at("*", Map, "One secret."),
    at("*.driver", Text, "What keeps it, for Swarm.").not_yet(),
    at("*.driver_opts", Options, "Options of that driver.").not_yet(),
    at("*.environment", Text, "The environment variable that holds its text."),
    at("*.external", FlagOrMap, "Whether somebody else makes it, for Swarm.").short(Short::External),
    at("*.external.name", Text, "Its name in Swarm, as files before 3.4 gave it."),
    at("*.file", Text, "The file that holds its text."),
    at("*.labels", Pairs, "Its labels, for Swarm.").elsewhere(),
    at("*.name", Text, "Its name in Swarm.").default("<project>_<key>"),
    at("*.template_driver", Text, "What fills its text in, for Swarm.").not_yet(),
];

pub(super) const MODEL_ROWS: &[Attribute] = &[
    at("*", Map, "One model.").required(&["model"]),
    at("*.context_size", StrictWhole, "How much text it looks back on."),
    at("*.model", Text, "The model's artifact."),
    at("*.name", Text, "Its name.").default("<key>"),
    at("*.runtime_flags", Texts, "Flags for what runs it."),
];

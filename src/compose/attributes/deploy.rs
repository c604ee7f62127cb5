//! `services.*.deploy` and `services.*.develop`.

use super::Form::*;
use super::{Attribute, Print, at};

pub(super) const ROWS: &[Attribute] = &[
    at("", MapOrNull, "How many containers, with what, and for Swarm where."),
    at(".endpoint_mode", Text, "How Swarm leads to the containers.").elsewhere(),
    at(".labels", Pairs, "Labels of the Swarm service.").elsewhere(),
    at(".mode", Text, "`replicated` or `global`, for Swarm.").default("replicated").elsewhere(),
    at(".placement", Map, "Where Swarm may put them.").print(Print::Empty).elsewhere(),
    at(".placement.constraints", Texts, "What a node must be."),
    at(".placement.max_replicas_per_node", Whole, "How many a node may have."),
    at(".placement.preferences", List, "How they are spread."),
    at(".placement.preferences[]", Map, "One preference."),
    at(".placement.preferences[].spread", Text, "The node's label that they are spread over."),
    at(".replicas", Whole, "How many containers.").range(0, i64::MAX).default("1").written(),
    at(".resources", Map, "What they may use, and what is kept for them.").print(Print::Empty),
    at(".resources.limits", Map, "What they may use."),
    at(".resources.limits.cpus", Decimal, "CPUs; fractions count.").becomes("HostConfig.NanoCpus"),
    at(".resources.limits.memory", BytesText, "Memory.").becomes("HostConfig.Memory"),
    at(".resources.limits.pids", Whole, "Processes.").becomes("HostConfig.PidsLimit"),
    at(".resources.reservations", Map, "What is kept for them."),
    at(".resources.reservations.cpus", Decimal, "CPUs, for Swarm.").elsewhere(),
    at(".resources.reservations.memory", BytesText, "Memory.").becomes("HostConfig.MemoryReservation"),
    at(".resources.reservations.generic_resources", List, "Resources of other kinds, for Swarm.").elsewhere(),
    at(".resources.reservations.generic_resources[]", Map, "One of them."),
    at(".resources.reservations.generic_resources[].discrete_resource_spec", Map, "A kind and how many."),
    at(".resources.reservations.generic_resources[].discrete_resource_spec.kind", Text, "The kind.").written(),
    at(".resources.reservations.generic_resources[].discrete_resource_spec.value", Number, "How many.").written(),
    at(".resources.reservations.devices", List, "Devices.").becomes("HostConfig.DeviceRequests"),
    at(".resources.reservations.devices[]", Map, "A request for devices.")
        .like("services.*.gpus[]")
        .required(&["capabilities"]),
    at(".restart_policy", Map, "When Swarm, or here the Engine, starts them again; it goes before `restart`."),
    at(".restart_policy.condition", Text, "`none`, `on-failure` or `any`.").becomes("HostConfig.RestartPolicy"),
    at(".restart_policy.delay", Duration, "How long to wait before, for Swarm.").written().elsewhere(),
    at(".restart_policy.max_attempts", Whole, "How often.").written().becomes("HostConfig.RestartPolicy"),
    at(".restart_policy.window", Duration, "How long it must run to count as started, for Swarm.")
        .written()
        .elsewhere(),
    at(".rollback_config", Map, "How Swarm goes back.").like("services.*.deploy.update_config").elsewhere(),
    at(".update_config", Map, "How a container takes another's place."),
    at(".update_config.delay", Duration, "How long between batches, for Swarm.").elsewhere(),
    at(
        ".update_config.failure_action",
        Text,
        "`rollback`: the old container comes back where the new one does not hold.",
    ),
    at(".update_config.max_failure_ratio", Decimal, "Which share may fail, for Swarm.").elsewhere(),
    at(".update_config.monitor", Duration, "How long failures are watched for, for Swarm.").elsewhere(),
    at(
        ".update_config.order",
        Text,
        "Which goes first: the new container, where nothing forbids it, or the old one's end.",
    )
    .words(&["start-first", "stop-first"]),
    at(".update_config.parallelism", Whole, "How many at once, for Swarm.").written().elsewhere(),
];

pub(super) const DEVELOP_ROWS: &[Attribute] = &[
    at("", MapOrNull, "What `watch` does when a source file changes."),
    at(".watch", List, "What is watched."),
    at(".watch[]", Map, "A path, and what follows from a change below it.").required(&["path", "action"]),
    at(".watch[].path", Text, "A file or a directory.").written(),
    at(".watch[].action", Text, "What is done: the image is built anew, what changed is copied, the containers are restarted, or a command runs in them.")
        .words(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])
        .written(),
    at(".watch[].target", Text, "Where it lies in the container."),
    at(".watch[].ignore", OneOrMore, "Patterns, as in `.dockerignore`, of what does not count."),
    at(".watch[].include", OneOrMore, "Patterns of what alone counts."),
    at(".watch[].exec", Map, "What runs in the containers after the copying.")
        .like("services.*.post_start[]")
        .required(&["command"])
        .print(Print::Empty),
    at(".watch[].initial_sync", StrictFlag, "Whether everything is copied when the watch begins."),
];

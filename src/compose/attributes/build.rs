//! `services.*.build`.

use super::Form::*;
use super::{Attribute, Key, Merge, Short, at};

pub(super) const ROWS: &[Attribute] = &[
    at("", TextOrMap, "How the image is built.").short(Short::Key("context")),
    at(".additional_contexts", Pairs, "Further directories, images or services that the Dockerfile may name."),
    at(".args", Variables, "Build arguments; one without a value is taken from bowline's own environment."),
    at(".cache_from", Texts, "Where layers may be taken from."),
    at(".cache_to", Texts, "Where layers are put."),
    at(".context", Text, "The directory, or the repository, that is built.").default("."),
    at(".dockerfile", Text, "The Dockerfile, seen from the context.").default("Dockerfile"),
    at(".dockerfile_inline", Text, "The Dockerfile's text itself."),
    at(".entitlements", Texts, "What the build may do beyond the usual."),
    at(".extra_hosts", Hosts, "Lines for /etc/hosts during the build.").distinct(),
    at(".isolation", Text, "How build containers are kept apart, on Windows.").elsewhere(),
    at(".labels", Pairs, "Labels of the image."),
    at(".network", Text, "The network that the build may use."),
    at(".no_cache", Flag, "Whether every step runs anew."),
    at(".platforms", Texts, "The platforms that are built for."),
    at(".privileged", Flag, "Whether the build may do what the host's root may."),
    at(".provenance", TextOrFlag, "Whether a provenance attestation is made."),
    at(".pull", Flag, "Whether base images are pulled even where they are there."),
    at(".sbom", TextOrFlag, "Whether a bill of materials is made."),
    at(".secrets", List, "Secrets that the build reads.").like("services.*.secrets").merge(Merge::Join),
    at(".shm_size", WholeBytes, "The size of /dev/shm during the build."),
    at(".ssh", Pairs, "Agents and keys for `RUN --mount=type=ssh`.").short(Short::Ssh),
    at(".tags", Texts, "Further names of the image.").unique(Key::Text),
    at(".target", Text, "The stage that is built."),
    at(".ulimits", Map, "Limits of the build's processes.").like("services.*.ulimits"),
];

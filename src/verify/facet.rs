//! What of a container a check is about, beside its network.

/// A part of how a container is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facet {
    /// The variables that the file gives it.
    Environment,
    /// Whom it runs as.
    User,
    /// What it may use of memory, processors and processes.
    Limits,
    /// What it may do: capabilities, `privileged`, `security_opt`.
    Rights,
    /// That it cannot write to its own root.
    ReadOnly,
    /// How its health is looked at.
    HealthCheck,
    /// What is mounted at a path.
    Mount(String),
    /// The config or secret at a path.
    File(String),
}

impl Facet {
    /// Whether a field by which containers differ from their file is of this part; named as `state::difference` does.
    pub fn has_field(&self, field: &str) -> bool {
        let first = field.split('.').next().unwrap_or(field);
        match self {
            Self::Environment => first == "environment",
            Self::User => ["user", "group_add"].contains(&field),
            Self::Limits => LIMITS.contains(&first),
            Self::Rights => RIGHTS.contains(&first),
            Self::ReadOnly => field == "read_only",
            Self::HealthCheck => first == "healthcheck",
            Self::Mount(target) | Self::File(target) => field.strip_prefix("volumes.") == Some(plain(target)),
        }
    }
}

/// The attributes that limit.
pub const LIMITS: &[&str] = &[
    "mem_limit",
    "cpus",
    "pids_limit",
    "cpuset",
    "cpu_shares",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "mem_reservation",
    "memswap_limit",
    "mem_swappiness",
    "oom_kill_disable",
    "oom_score_adj",
    "shm_size",
    "ulimits",
    "blkio_config",
];

/// The attributes that say what a container may do.
pub const RIGHTS: &[&str] = &["cap_add", "cap_drop", "privileged", "security_opt"];

/// A path without a slash at its end.
pub fn plain(path: &str) -> &str {
    if path == "/" { path } else { path.trim_end_matches('/') }
}

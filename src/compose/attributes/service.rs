//! `services.*`, in two parts: what is one value, and what is a list or a mapping of more.

use super::Form::*;
use super::{Attribute, Key, Merge, Named, Pattern, Print, Short, at};

/// Of configs and secrets.
const OWNED: &str = "A `file` with `uid`, `gid` or `mode` is copied, so that they hold; docker compose mounts it and ignores them. \
    Where the content changes, the container is replaced.";

pub(super) const ROWS: &[Attribute] = &[
    at("annotations", Pairs, "Annotations for the container's runtime.")
        .becomes("HostConfig.Annotations")
        .since("1.43"),
    at("attach", Flag, "Whether `up` follows its logs.").default("true").written(),
    at("cap_add", Texts, "Capabilities that its processes have beyond the usual ones.")
        .unique(Key::Text)
        .becomes("HostConfig.CapAdd"),
    at("cap_drop", Texts, "Capabilities that its processes do not have.")
        .unique(Key::Text)
        .becomes("HostConfig.CapDrop"),
    at("cgroup", Text, "Whose control group namespace it lives in.")
        .words(&["host", "private"])
        .becomes("HostConfig.CgroupnsMode"),
    at("cgroup_parent", Text, "The control group that its own hangs under.").becomes("HostConfig.CgroupParent"),
    at("command", Words, "What runs, instead of the image's command; `[]` is nothing.")
        .print(Print::Null)
        .becomes("Cmd"),
    at("container_name", Text, "The container's name; only one container can have it.")
        .pattern(Pattern::ContainerName)
        .default("<project>-<service>-<number>")
        .becomes("name"),
    at("cpu_count", Whole, "How many CPUs it may use, on Windows.").range(0, i64::MAX).becomes("HostConfig.CpuCount"),
    at("cpu_percent", Decimal, "Which share of the CPUs it may use, on Windows.")
        .range(0, 100)
        .becomes("HostConfig.CpuPercent"),
    at("cpu_period", Microseconds, "The scheduler's period.").becomes("HostConfig.CpuPeriod"),
    at("cpu_quota", Microseconds, "CPU time within a period.").becomes("HostConfig.CpuQuota"),
    at("cpu_rt_period", Microseconds, "The real-time scheduler's period.").becomes("HostConfig.CpuRealtimePeriod"),
    at("cpu_rt_runtime", Microseconds, "Real-time CPU time within a period.").becomes("HostConfig.CpuRealtimeRuntime"),
    at("cpu_shares", Number, "Its weight among others when CPUs are short.").becomes("HostConfig.CpuShares"),
    at("cpus", Decimal, "How many CPUs it may use; fractions count.").becomes("HostConfig.NanoCpus"),
    at("cpuset", Text, "Which CPUs it may use: `0-3`, `0,2`.").becomes("HostConfig.CpusetCpus"),
    at("domainname", Text, "The domain that its host name stands in.").becomes("Domainname"),
    at("entrypoint", Words, "The program that gets the command, instead of the image's; `[]` is none.")
        .print(Print::Null)
        .becomes("Entrypoint"),
    at("environment", Variables, "Environment variables; one without a value is taken from bowline's own environment.")
        .becomes("Env"),
    at("hostname", Text, "The name that its processes see as their host's.").becomes("Hostname"),
    at("image", Text, "The image that its containers are made of.").becomes("Image"),
    at("init", Flag, "Whether a small init process runs first and reaps orphans.").written().becomes("HostConfig.Init"),
    at("ipc", Text, "Whose memory segments and semaphores it shares: `host`, `service:x`, `shareable` …")
        .becomes("HostConfig.IpcMode"),
    at("isolation", Text, "How containers are kept apart, on Windows.").becomes("HostConfig.Isolation"),
    at("labels", Pairs, "Labels of its containers.").becomes("Labels"),
    at("mac_address", Text, "The MAC address of its first network interface.")
        .becomes("EndpointsConfig.MacAddress")
        .differs("What is no MAC address is an error here; docker compose lets the Engine refuse it later."),
    at("mem_limit", Bytes, "How much memory it may use.").becomes("HostConfig.Memory"),
    at("mem_reservation", WholeBytes, "How much memory it is left with when memory is short.")
        .becomes("HostConfig.MemoryReservation"),
    at("mem_swappiness", WholeBytes, "How readily its memory is swapped: 0 to 100.")
        .becomes("HostConfig.MemorySwappiness"),
    at("memswap_limit", Bytes, "How much memory and swap it may use together; -1 is no limit.")
        .becomes("HostConfig.MemorySwap"),
    at("network_mode", Text, "Whose network it lives in: `bridge`, `host`, `none`, `service:x`, `container:x`.")
        .becomes("HostConfig.NetworkMode"),
    at("oom_kill_disable", Flag, "Whether the kernel spares it when memory is short.")
        .becomes("HostConfig.OomKillDisable"),
    at("oom_score_adj", Whole, "How early the kernel kills it when memory is short: -1000 to 1000.")
        .range(-1000, 1000)
        .becomes("HostConfig.OomScoreAdj"),
    at("pid", TextOrNull, "Whose processes it sees: `host`, `service:x`, `container:x`.").becomes("HostConfig.PidMode"),
    at("pids_limit", Number, "How many processes it may have; -1 is no limit.").becomes("HostConfig.PidsLimit"),
    at("platform", Text, "The platform that the image must be of: `linux/arm64`.").becomes("query platform"),
    at("privileged", Flag, "Whether its processes may do what the host's root may.").becomes("HostConfig.Privileged"),
    at(
        "pull_policy",
        Text,
        "When the image is pulled: `always`, `never`, `missing`, `build`, `daily`, `weekly`, `every_12h`, `refresh`.",
    )
    .pattern(Pattern::PullPolicy)
    .default("missing"),
    at(
        "pull_refresh_after",
        Duration,
        "With `pull_policy: refresh`: how old the image may be that is not pulled again.",
    )
    .print(Print::Never)
    .differs("docker compose 2.40 leaves it out, and takes `refresh` for `missing`."),
    at("read_only", Flag, "Whether its root file system cannot be written.").becomes("HostConfig.ReadonlyRootfs"),
    at("restart", Text, "When the Engine starts it again: `no`, `always`, `unless-stopped`, `on-failure[:times]`.")
        .default("no")
        .becomes("HostConfig.RestartPolicy")
        .differs("Another word is an error here; docker compose lets the Engine refuse it later."),
    at("runtime", Text, "The runtime that its containers run under.").becomes("HostConfig.Runtime"),
    at("scale", Whole, "How many containers it has.").range(0, i64::MAX).default("1").written(),
    at("shm_size", Bytes, "The size of /dev/shm.").becomes("HostConfig.ShmSize"),
    at("stdin_open", Flag, "Whether standard input stays open.").becomes("OpenStdin"),
    at("stop_grace_period", Duration, "How long it may take to stop before it is killed.")
        .default("10s")
        .written()
        .becomes("StopTimeout"),
    at("stop_signal", Text, "The signal that asks it to stop.").default("SIGTERM").becomes("StopSignal"),
    at("storage_opt", Settings, "Options of the storage driver.").becomes("HostConfig.StorageOpt"),
    at("sysctls", Pairs, "Kernel parameters of its namespaces.").becomes("HostConfig.Sysctls"),
    at("tty", Flag, "Whether it has a terminal.").becomes("Tty"),
    at("use_api_socket", StrictFlag, "Whether it may speak to the Engine, with your registry credentials."),
    at("user", Text, "The user that its processes run as: `name`, `uid`, `uid:gid`.").becomes("User"),
    at("userns_mode", Text, "Whose user namespace it lives in.").becomes("HostConfig.UsernsMode"),
    at("uts", Text, "Whose host name it shares.").becomes("HostConfig.UTSMode"),
    at("working_dir", Text, "The directory that its processes start in.").becomes("WorkingDir"),
];

pub(super) const LIST_ROWS: &[Attribute] = &[
    at("blkio_config", Map, "Its share of disk bandwidth.").becomes("HostConfig.Blkio…"),
    at("blkio_config.weight", Whole, "Its weight among others: 10 to 1000."),
    at("blkio_config.weight_device", List, "Its weight on single devices."),
    at("blkio_config.weight_device[]", Map, "A device and a weight."),
    at("blkio_config.weight_device[].path", Text, "The device.").alias("Path").written(),
    at("blkio_config.weight_device[].weight", Whole, "The weight.").alias("Weight").written(),
    at("blkio_config.device_read_bps", List, "Bytes a second that it may read from a device."),
    at("blkio_config.device_read_bps[]", Map, "A device and a limit."),
    at("blkio_config.device_read_bps[].path", Text, "The device.").alias("Path").written(),
    at("blkio_config.device_read_bps[].rate", WholeBytes, "The limit.").alias("Rate").written(),
    at("blkio_config.device_read_iops", List, "Reads a second that it may ask of a device."),
    at("blkio_config.device_read_iops[]", Map, "A device and a limit.")
        .like("services.*.blkio_config.device_read_bps[]"),
    at("blkio_config.device_write_bps", List, "Bytes a second that it may write to a device."),
    at("blkio_config.device_write_bps[]", Map, "A device and a limit.")
        .like("services.*.blkio_config.device_read_bps[]"),
    at("blkio_config.device_write_iops", List, "Writes a second that it may ask of a device."),
    at("blkio_config.device_write_iops[]", Map, "A device and a limit.")
        .like("services.*.blkio_config.device_read_bps[]"),
    at("configs", List, "Configs that it reads.")
        .unique(Key::MountedFile(""))
        .becomes("HostConfig.Mounts, PUT archive")
        .differs(OWNED),
    at("configs[]", TextOrMap, "A config: its name, or where it goes and who may read it.").short(Short::Key("source")),
    at("configs[].source", Text, "The config's name."),
    at("configs[].target", Text, "The file that it is mounted as.").default("/<source>"),
    at("configs[].uid", Text, "The user that owns the file."),
    at("configs[].gid", Text, "The group that owns the file."),
    at("configs[].mode", Mode, "The file's permission bits.").default("0444").written(),
    at("credential_spec", Map, "The account that it runs as, on Windows.").elsewhere(),
    at("credential_spec.config", Text, "The config that holds it."),
    at("credential_spec.file", Text, "The file that holds it."),
    at("credential_spec.registry", Text, "The registry value that holds it."),
    at("depends_on", NamesOrMap, "Services that must be there before it starts.")
        .short(Short::Names(Named::Dependency))
        .distinct()
        .becomes("label com.docker.compose.depends_on"),
    at("depends_on.*", Map, "One of them.").required(&["condition"]),
    at("depends_on.*.condition", Text, "When it counts as there.").words(&[
        "service_started",
        "service_healthy",
        "service_completed_successfully",
    ]),
    at("depends_on.*.restart", Flag, "Whether to restart when it is restarted."),
    at("depends_on.*.required", StrictFlag, "Whether to go without it where it is not active.")
        .default("true")
        .written(),
    at("device_cgroup_rules", Texts, "Rules for devices that may appear later: `c 13:* rmw`.")
        .distinct()
        .becomes("HostConfig.DeviceCgroupRules"),
    at("devices", List, "Devices of the host.").unique(Key::Target).becomes("HostConfig.Devices"),
    at("devices[]", TextOrMap, "A device: `source[:target[:permissions]]`.").short(Short::Device),
    at("devices[].source", Text, "Its path on the host."),
    at("devices[].target", Text, "Its path in the container.").default("the source"),
    at("devices[].permissions", Text, "Read, write, make nodes: `rwm`.").default("rwm"),
    at("dns", OneOrMore, "Name servers.").unique(Key::Text).becomes("HostConfig.Dns"),
    at("dns_opt", Texts, "Options of the resolver.").unique(Key::Text).becomes("HostConfig.DnsOptions"),
    at("dns_search", OneOrMore, "Domains that short names are looked up in.")
        .unique(Key::Text)
        .becomes("HostConfig.DnsSearch"),
    at("env_file", TextOrList, "Files of environment variables; `environment` goes before them.")
        .unique(Key::Path)
        .short(Short::Key("path"))
        .print(Print::Never)
        .becomes("Env"),
    at("env_file[]", TextOrMap, "A file.").short(Short::EnvFile).required(&["path"]),
    at("env_file[].path", Text, "Its path."),
    at("env_file[].format", Text, "`raw`: values are taken as they stand, quotes and `$` too."),
    at("env_file[].required", Flag, "Whether it is an error that it is not there.").default("true").written(),
    at("expose", TextsOrNumbers, "Ports that it serves to other containers.").unique(Key::Text).becomes("ExposedPorts"),
    at("extends", TextOrMap, "Another service that this one starts from.")
        .short(Short::Key("service"))
        .required(&["service"]),
    at("extends.service", Text, "Its name."),
    at("extends.file", Text, "The file that it stands in.").default("the same file"),
    at("external_links", Texts, "Containers outside the project, by name: `container[:alias]`.")
        .distinct()
        .becomes("HostConfig.Links"),
    at("extra_hosts", Hosts, "Lines for /etc/hosts; `host-gateway` stands for the host.")
        .distinct()
        .becomes("HostConfig.ExtraHosts"),
    at("gpus", TextOrList, "GPUs that it may use: `all`, or requests.")
        .short(Short::Gpus)
        .words(&["all"])
        .becomes("HostConfig.DeviceRequests"),
    at("gpus[]", Map, "A request for devices."),
    at("gpus[].capabilities", Texts, "What they must be able to do: `gpu`, `tpu` …").distinct(),
    at("gpus[].count", Count, "How many, or `all`.").written(),
    at("gpus[].device_ids", Texts, "Which ones.").distinct(),
    at("gpus[].driver", Text, "The driver that gives them."),
    at("gpus[].options", Pairs, "Options of that driver."),
    at("group_add", TextsOrNumbers, "Further groups that its processes belong to.")
        .distinct()
        .becomes("HostConfig.GroupAdd"),
    at("healthcheck", Map, "How its health is looked at.").becomes("Healthcheck"),
    at("healthcheck.disable", Flag, "Whether the image's check is switched off."),
    at("healthcheck.interval", Duration, "How long from one check to the next.").default("30s").written(),
    at("healthcheck.retries", Number, "How many failures in a row make it unhealthy.").default("3").written(),
    at("healthcheck.start_interval", Duration, "The interval while it starts.").default("5s").written().since("1.44"),
    at("healthcheck.start_period", Duration, "How long failures do not count at first.").default("0s").written(),
    at("healthcheck.test", Test, "What is run: healthy when it exits with 0."),
    at("healthcheck.timeout", Duration, "How long a check may take.").default("30s").written(),
    at("label_file", OneOrMore, "Files of labels; `labels` goes before them.").print(Print::Never).becomes("Labels"),
    at("links", Texts, "Services that it knows by another name: `service[:alias]`.")
        .unique(Key::Text)
        .becomes("HostConfig.Links"),
    at("logging", Map, "Where its output goes.").merge(Merge::Logging).becomes("HostConfig.LogConfig"),
    at("logging.driver", Text, "The logging driver."),
    at("logging.options", Settings, "Options of that driver."),
    at("models", NamesOrMap, "Models that it uses.").short(Short::Names(Named::Null)).not_yet(),
    at("models.*", MapOrNull, "How it learns of one."),
    at("models.*.endpoint_var", Text, "The environment variable that gets the address."),
    at("models.*.model_var", Text, "The environment variable that gets the model's name."),
    at("networks", NamesOrMap, "Networks that it joins.")
        .short(Short::Names(Named::Null))
        .distinct()
        .default("default")
        .becomes("NetworkingConfig.EndpointsConfig"),
    at("networks.*", MapOrNull, "Its place in one."),
    at("networks.*.aliases", Texts, "Further names that others on this network know it by.")
        .unique(Key::Text)
        .becomes("Aliases"),
    at("networks.*.driver_opts", Options, "Options of the network's driver for this one endpoint.")
        .becomes("DriverOpts"),
    at("networks.*.gw_priority", StrictNumber, "The network with the highest gives the default route.")
        .becomes("GwPriority")
        .since("1.48"),
    at("networks.*.interface_name", Text, "The name of its interface in the container.")
        .becomes("DriverOpts com.docker.network.endpoint.ifname")
        .since("1.49"),
    at("networks.*.ipv4_address", Text, "Its address; the network must have a subnet that holds it.")
        .becomes("IPAMConfig.IPv4Address")
        .differs("An address outside every subnet, or given twice, is an error before anything is made."),
    at("networks.*.ipv6_address", Text, "Its IPv6 address; the network must have a subnet that holds it.")
        .becomes("IPAMConfig.IPv6Address"),
    at("networks.*.link_local_ips", Texts, "Link-local addresses.")
        .unique(Key::Text)
        .becomes("IPAMConfig.LinkLocalIPs"),
    at("networks.*.mac_address", Text, "The MAC address of its interface.").becomes("MacAddress").since("1.44"),
    at("networks.*.priority", StrictNumber, "The network with the highest is joined first."),
    at("ports", List, "Ports of the host that lead to its own.").unique(Key::Port).becomes("HostConfig.PortBindings"),
    at("ports[]", NumberTextOrMap, "A port: `[[address:]published:]target[/protocol]`.")
        .short(Short::Port)
        .required(&["target"]),
    at("ports[].name", Text, "A name for people and tools.").no_effect(),
    at("ports[].mode", Text, "`ingress` or `host`, for Swarm.").default("ingress").no_effect(),
    at("ports[].host_ip", Text, "The host's address; none is every address.").becomes("HostIp"),
    at("ports[].target", Whole, "The port in the container."),
    at("ports[].published", WholeAsText, "The host's port, or a range to choose from; none: any.").becomes("HostPort"),
    at("ports[].protocol", Text, "`tcp`, `udp` or `sctp`.").default("tcp"),
    at("ports[].app_protocol", Text, "What is spoken there, for people and tools.").no_effect(),
    at("post_start", List, "What runs in the container once it has started.").becomes("POST exec"),
    at("post_start[]", Map, "One command.").required(&["command"]),
    at("post_start[].command", Words, "The program and its arguments.").print(Print::Null),
    at("post_start[].user", Text, "The user that it runs as."),
    at("post_start[].privileged", Flag, "Whether it may do what the host's root may."),
    at("post_start[].working_dir", Text, "The directory that it starts in."),
    at("post_start[].environment", Variables, "Environment variables."),
    at("pre_stop", List, "What runs in the container before it is stopped.")
        .becomes("POST exec")
        .differs("Where it fails the container is stopped all the same, and the failure is told; docker compose leaves it running."),
    at("pre_stop[]", Map, "One command.").required(&["command"]).like("services.*.post_start[]"),
    at("profiles", Texts, "The profiles that it is active in; without any it always is.").unique(Key::Text),
    at("provider", Map, "A program that gives the service, instead of a container.").required(&["type"]).not_yet(),
    at("provider.type", Text, "The program's name."),
    at("provider.options", ProviderOptions, "Its options."),
    at("secrets", List, "Secrets that it reads.")
        .unique(Key::MountedFile("/run/secrets"))
        .becomes("HostConfig.Mounts, PUT archive")
        .differs(OWNED),
    at("secrets[]", TextOrMap, "A secret: its name, or where it goes and who may read it.").short(Short::Key("source")),
    at("secrets[].source", Text, "The secret's name."),
    at("secrets[].target", Text, "The file that it is mounted as.").default("/run/secrets/<source>"),
    at("secrets[].uid", Text, "The user that owns the file."),
    at("secrets[].gid", Text, "The group that owns the file."),
    at("secrets[].mode", Mode, "The file's permission bits.").default("0444").written(),
    at("security_opt", Texts, "Options of the security modules: `no-new-privileges:true`, `seccomp=file` …")
        .distinct()
        .becomes("HostConfig.SecurityOpt"),
    at("tmpfs", OneOrMore, "Directories in memory: `path[:options]`.").unique(Key::Text).becomes("HostConfig.Tmpfs"),
    at("ulimits", Map, "Limits of its processes.").becomes("HostConfig.Ulimits"),
    at("ulimits.*", WholeOrMap, "One limit.").merge(Merge::Replace).required(&["soft", "hard"]),
    at("ulimits.*.soft", Whole, "The limit that holds.").written(),
    at("ulimits.*.hard", Whole, "The limit that a process may raise its own to.").written(),
    at("volumes", List, "What is mounted into it.").unique(Key::Target).becomes("HostConfig.Binds, Mounts"),
    at("volumes[]", TextOrMap, "A mount: `[source:]target[:options]`.")
        .short(Short::Mount)
        .required(&["type", "target"])
        .differs("A volume with a name of one letter is a volume; docker compose takes `v:/d` for a Windows drive."),
    at("volumes[].type", Text, "What is mounted.").words(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"]),
    at("volumes[].source", Text, "The volume's key, the host's path, or the image."),
    at("volumes[].target", Text, "The path in the container."),
    at("volumes[].read_only", Flag, "Whether it cannot be written."),
    at("volumes[].consistency", Text, "How closely the host's view is followed, on Docker Desktop.").no_effect(),
    at("volumes[].bind", Map, "For bind mounts."),
    at("volumes[].bind.propagation", Text, "Whether mounts below are passed on: `rprivate`, `rshared` …"),
    at("volumes[].bind.create_host_path", Flag, "Whether a directory is made where the host has nothing.")
        .default("true; false where `bind` is there and does not say it"),
    at("volumes[].bind.recursive", Text, "What happens to mounts below.")
        .words(&["enabled", "disabled", "writable", "readonly"])
        .becomes("BindOptions.NonRecursive, ReadOnlyNonRecursive, ReadOnlyForceRecursive")
        .since("1.44"),
    at("volumes[].bind.selinux", Text, "`z`: shared label; `Z`: a label of its own.")
        .words(&["z", "Z"])
        .differs("Beside `recursive` it is refused, for the Engine takes no label there; docker compose drops it."),
    at("volumes[].volume", Map, "For volumes."),
    at("volumes[].volume.labels", Pairs, "Labels of a volume without a name.").becomes("VolumeOptions.Labels"),
    at("volumes[].volume.nocopy", Flag, "Whether what the image has there stays behind."),
    at("volumes[].volume.subpath", Text, "A directory within the volume.").since("1.45"),
    at("volumes[].tmpfs", Map, "For directories in memory."),
    at("volumes[].tmpfs.size", WholeBytes, "Its size.").range(0, i64::MAX),
    at("volumes[].tmpfs.mode", Number, "Its permission bits, as a number: `0o1777`."),
    at("volumes[].image", Map, "For images.").becomes("ImageOptions").since("1.48"),
    at("volumes[].image.subpath", Text, "A directory within the image."),
    at("volumes_from", Texts, "Services and containers whose mounts it has too: `service[:ro]`, `container:name`.")
        .distinct()
        .becomes("HostConfig.VolumesFrom"),
    at("x-verify", TextsOrMap, "What it must reach, as `allow` without the source; or a mapping as at the top level."),
    at("x-verify.allow", Texts, "What it must reach: `db:5432`."),
    at("x-verify.deny", Texts, "What it must not reach."),
    at("x-verify.names", Free, "What a name must mean to it."),
    at("x-verify.hosts", OneOrMore, "Lines that its /etc/hosts must hold."),
];

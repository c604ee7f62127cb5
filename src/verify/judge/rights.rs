//! What a container may do: the Engine's word has been compared, here is the kernel's.

use super::container::Part;
use crate::probe::{Confines, Rights};
use crate::verify::check::Verdict;

/// Capabilities by their bits (include/uapi/linux/capability.h), without `CAP_`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What the first process has, against what the file says. Of capabilities that the file does not name, those that an Engine gives by
/// itself may be these or others.
pub(super) fn rights(part: &Part<'_>, confines: Option<&Confines>) -> Verdict {
    let name = &part.found.name;
    let Some(confines) = confines else {
        return Verdict::Proved(vec![format!("{name} was made with them, by the Engine's word")]);
    };
    let (has, ours) = (&confines.rights, &part.declared.settings);
    let wanted = Wanted::of(part, has.ours);
    let found = |what: &str| format!("process {} of {name} {what}", confines.pid);
    let past = "the Engine tells otherwise: something between it and the kernel decides, as the runtime does";
    let too_many = has.bounding & wanted.never;
    if too_many != 0 {
        return Verdict::refuted(
            format!("without {}", names(wanted.never & !wanted.always)),
            found(&format!("can have {}", names(too_many))),
        )
        .seen(past);
    }
    let missing = wanted.always & !has.bounding;
    if missing != 0 {
        return Verdict::refuted(format!("with {}", names(missing)), found(&format!("cannot have {}", names(missing))))
            .seen(past)
            .help("or its program gave it up by itself: see its own configuration");
    }
    let says = |option: &str| {
        let written = |said: &String| said.replacen(':', "=", 1) == option;
        ours.security.iter().any(written)
    };
    let sealed = says("no-new-privileges") || says("no-new-privileges=true");
    if sealed && !has.no_new_privileges {
        return Verdict::refuted("no new privileges", found("may gain them")).seen(past);
    }
    let open = ours.privileged || says("seccomp=unconfined");
    let filter = !open && ours.security.iter().any(|option| option.starts_with("seccomp"));
    if filter && has.filtered == Some(false) {
        return Verdict::refuted("a seccomp filter", found("has none")).seen(past);
    }
    Verdict::Proved(seen(confines, has, sealed))
}

fn seen(confines: &Confines, has: &Rights, sealed: bool) -> Vec<String> {
    let mut seen = vec![format!("process {} can have {}", confines.pid, names(has.bounding))];
    if has.effective != has.bounding {
        let now = if has.effective == 0 { "none of them".to_owned() } else { names(has.effective) };
        seen.push(format!("it has {now} now, as user {}", confines.user));
    }
    if sealed {
        seen.push("no program that it runs gives it more".to_owned());
    }
    seen
}

/// What the file says of capabilities, as bits.
struct Wanted {
    always: u64,
    never: u64,
}

impl Wanted {
    /// `privileged` is whatever the machine gives, `ours`. Else as the Engine does it: what is added wins over what is dropped, but
    /// where all are added.
    fn of(part: &Part<'_>, ours: u64) -> Self {
        let settings = &part.declared.settings;
        if settings.privileged {
            return Self { always: ours, never: 0 };
        }
        let set = |list: &std::collections::BTreeSet<String>| list.iter().fold(0, |set, name| set | bit(name));
        let (add, drop) = (set(&settings.cap_add), set(&settings.cap_drop));
        if add == ALL {
            let drop = if drop == ALL { 0 } else { drop };
            return Self { always: ours & !drop, never: drop };
        }
        Self { always: add, never: drop & !add }
    }
}

const ALL: u64 = u64::MAX;

/// The bit of a capability, every one of `ALL`, none of a name that is not known here.
fn bit(name: &str) -> u64 {
    let name = name.to_ascii_uppercase();
    let plain = name.strip_prefix("CAP_").unwrap_or(&name);
    match plain {
        "ALL" => ALL,
        _ => CAPABILITIES.iter().position(|known| *known == plain).map_or(0, |at| 1 << at),
    }
}

/// At most a handful by name.
fn names(set: u64) -> String {
    if set == ALL {
        return "any capability".to_owned();
    }
    let named = CAPABILITIES.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0).map(|(_, name)| *name);
    let all: Vec<&str> = named.collect();
    match all.len() {
        0 => "no capability".to_owned(),
        1..=6 => all.join(", "),
        many => format!("{} and {} more", all[..5].join(", "), many - 5),
    }
}

/// Whether the root can be written, by the kernel's mounts.
pub(super) fn read_only(part: &Part<'_>, confines: Option<&Confines>) -> Verdict {
    let name = &part.found.name;
    let root = confines.and_then(|confines| confines.mounts.iter().rfind(|mount| mount.target == "/"));
    match root {
        None => Verdict::Proved(vec![format!("{name} was made so, by the Engine's word")]),
        Some(root) if root.read_only => Verdict::Proved(vec![format!("/ is {}, read-only", root.kind)]),
        Some(root) => Verdict::refuted("a read-only root", format!("/ of {name} is {}, and can be written", root.kind))
            .seen("the Engine made it read-only: somebody has mounted it anew since")
            .help(format!("docker restart {name}")),
    }
}

//! What a container is made with: the Engine's word against the file, and where it can be seen, the kernel's against both.

use super::desk::{Desk, Step, optional, unproved};
use super::rights;
use crate::compose::model::{FileContent, FileOwner};
use crate::name::Replica;
use crate::probe::{Confines, Mount};
use crate::state::desired::DesiredContainer;
use crate::state::difference::{self, Difference};
use crate::state::observed::ObservedContainer;
use crate::state::settings::{MountKind, MountSettings};
use crate::verify::check::{Verdict, Why};
use crate::verify::facet::{Facet, plain};
use crate::verify::scene::{Content, Vantage};

/// The kernel counts memory in pages, of 64 KiB at the most.
const PAGE: u64 = 64 << 10;

/// A container's part, side by side with what the file declares.
pub(super) struct Part<'a> {
    pub(super) declared: &'a DesiredContainer,
    pub(super) found: &'a ObservedContainer,
}

pub(super) fn has(desk: &mut Desk<'_>, replica: &Replica, facet: &Facet) -> Step<Verdict> {
    let found = desk.running(replica)?;
    let Some(declared) = desk.scene.desired.containers.get(replica) else {
        return unproved(Why::Inconclusive(format!("the file has no {}", desk.scene.called(replica))));
    };
    let part = Part { declared, found };
    if let Facet::File(target) = facet
        && is_unknown(desk, replica, target)
    {
        return unproved(Why::NotSeen(format!(
            "what {target} should hold is not known here: its source cannot be read"
        )));
    }
    if let Some(verdict) = by_the_engine(desk, &part, facet) {
        return Ok(verdict);
    }
    let at = Vantage::Replica(replica.clone());
    match facet {
        Facet::Environment => Ok(Verdict::Proved(vec![variables(&part)])),
        Facet::HealthCheck => Ok(Verdict::Proved(vec![format!("{} has it, by the Engine's word", found.name)])),
        Facet::User => Ok(user(&part, optional(desk.confines(&at))?)),
        Facet::Limits => Ok(limits(&part, optional(desk.confines(&at))?)),
        Facet::Rights => Ok(rights::rights(&part, optional(desk.confines(&at))?)),
        Facet::ReadOnly => Ok(rights::read_only(&part, optional(desk.confines(&at))?)),
        Facet::Mount(target) => Ok(mount(&part, target, optional(desk.confines(&at))?)),
        Facet::File(target) if is_mounted(&part, target) => Ok(mount(&part, target, optional(desk.confines(&at))?)),
        Facet::File(target) => content(desk, replica, &part, target),
    }
}

/// Whether a file is to be copied whose content nobody here can read.
fn is_unknown(desk: &Desk<'_>, replica: &Replica, target: &str) -> bool {
    let service = desk.scene.project.services.get(&replica.service);
    let file = service.and_then(|service| service.files.iter().find(|file| file.value.target == target));
    file.is_some_and(|file| match &file.value.content {
        FileContent::Path(_, content) => content.is_none() && file.value.owner != FileOwner::default(),
        FileContent::Text(_) => false,
        FileContent::Unset(_) | FileContent::Nowhere => true,
    })
}

fn is_mounted(part: &Part<'_>, target: &str) -> bool {
    part.declared.settings.mounts.iter().any(|mount| plain(&mount.target) == plain(target))
}

/// How the Engine's inspection differs from the file.
fn by_the_engine(desk: &Desk<'_>, part: &Part<'_>, facet: &Facet) -> Option<Verdict> {
    let drift = difference::container(part.declared, part.found, desk.scene.desired, desk.scene.observed);
    let counts = |difference: &Difference| {
        // of a check that the image has, the file may say a part
        let image = *facet == Facet::HealthCheck && difference.declared == "none";
        facet.has_field(&difference.field) && !image
    };
    let all: Vec<Difference> = drift.fixed.into_iter().chain(drift.limits).filter(counts).collect();
    let Some(first) = all.first() else { return dropped(part, facet) };
    let said = |difference: &Difference| match facet {
        // what is in a variable may be a secret
        Facet::Environment => {
            let name = difference.field.trim_start_matches("environment.");
            let found = if difference.found == "none" { "is not set" } else { "has another value" };
            (format!("{name} as the file gives it"), format!("{name} {found}"))
        }
        _ => (
            format!("{} {}", difference.field, difference.declared),
            format!("{} {}", difference.field, difference.found),
        ),
    };
    let (expected, found) = said(first);
    let verdict = Verdict::refuted(expected, found).help("`bowline up -d` makes it so again");
    Some(all.iter().skip(1).fold(verdict, |verdict, more| verdict.seen(said(more).1)))
}

/// A limit that the Engine left out when the container was made, because its kernel cannot keep it.
fn dropped(part: &Part<'_>, facet: &Facet) -> Option<Verdict> {
    if *facet != Facet::Limits {
        return None;
    }
    let (ours, theirs) = (&part.declared.settings.resources, &part.found.settings.resources);
    let pairs = [
        ("mem_limit", ours.memory, theirs.memory),
        ("cpus", ours.nano_cpus, theirs.nano_cpus),
        ("pids_limit", ours.pids_limit, theirs.pids_limit),
    ];
    let (name, wanted, _) = pairs.into_iter().find(|(_, wanted, has)| *wanted > 0 && *has <= 0)?;
    let verdict = Verdict::refuted(format!("{name} {wanted}"), format!("{name} none"));
    Some(verdict.seen("the Engine dropped it when the container was made: its kernel cannot keep it"))
}

fn variables(part: &Part<'_>) -> String {
    match part.declared.settings.environment.len() {
        1 => "1 variable, by the Engine's word".to_owned(),
        count => format!("{count} variables, by the Engine's word"),
    }
}

/// Whom the first process runs as. One that was started as root may have become somebody else, as many servers do.
fn user(part: &Part<'_>, confines: Option<&Confines>) -> Verdict {
    let name = &part.found.name;
    let Some(confines) = confines else {
        return Verdict::Proved(vec![format!("{name} was started so, by the Engine's word")]);
    };
    let runs = format!("process {} of {name} runs as {}:{}", confines.pid, confines.user, confines.group);
    let declared = part.declared.settings.user.as_deref().unwrap_or_default();
    let (user, group) = declared.split_once(':').unwrap_or((declared, ""));
    let other = |declared: &str, has: u32| declared.parse::<u32>().is_ok_and(|wanted| wanted != has);
    let root = user.is_empty() || user == "0" || user == "root";
    if !root && (other(user, confines.user) || other(group, confines.group)) {
        return Verdict::refuted(declared, runs)
            .help("the program changed its user by itself: see its own configuration");
    }
    Verdict::Proved(vec![runs])
}

/// What the kernel keeps: somebody may have written to the cgroup past the Engine.
fn limits(part: &Part<'_>, confines: Option<&Confines>) -> Verdict {
    let name = &part.found.name;
    let Some(confines) = confines.filter(|confines| !confines.limits.is_empty()) else {
        return Verdict::Proved(vec![format!("{name} was made with them, by the Engine's word")]);
    };
    let kept = Kept(confines);
    let ours = &part.declared.settings.resources;
    let memory = kept.of(&["memory.limit_in_bytes", "memory.max"]);
    let processes = kept.of(&["pids.max"]);
    let quota = kept.quota();
    let wanted_quota = quota.and_then(|(_, period)| match (ours.nano_cpus, ours.cpu_quota) {
        (0, 0) => None,
        (0, quota) => u64::try_from(quota).ok(),
        (nano, _) => u64::try_from(i128::from(nano) * i128::from(period) / 1_000_000_000).ok(),
    });
    let number = |limit: i64| u64::try_from(limit).ok().filter(|limit| *limit > 0);
    let rows = [
        ("memory", "--memory", number(ours.memory), memory, PAGE),
        ("pids", "--pids-limit", number(ours.pids_limit), processes, 1),
        ("cpu.cfs_quota_us", "--cpu-quota", wanted_quota, quota.map(|(quota, _)| quota), 1),
    ];
    let mut seen = vec![];
    for (what, option, wanted, has, unit) in rows {
        let (Some(wanted), Some(has)) = (wanted, has) else { continue };
        if has.abs_diff(wanted) >= unit {
            let found = if has == u64::MAX { "no limit".to_owned() } else { has.to_string() };
            return Verdict::refuted(format!("{what} {wanted}"), format!("{what} {found} in the kernel's cgroup"))
                .seen("the Engine tells otherwise: somebody wrote to the cgroup past it")
                .help(format!("docker update {option} {wanted} {name}"));
        }
        seen.push(format!("{what} {has} in the kernel's cgroup"));
    }
    if seen.is_empty() {
        seen.push(format!("{name} was made with them, by the Engine's word"));
    }
    Verdict::Proved(seen)
}

/// The limits of a cgroup, as the kernel writes them.
struct Kept<'a>(&'a Confines);

impl Kept<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.limits.iter().find(|limit| limit.name == name).map(|limit| limit.value.as_str())
    }

    /// The first of these; no limit is the largest number.
    fn of(&self, names: &[&str]) -> Option<u64> {
        let text = names.iter().find_map(|name| self.text(name))?;
        if ["max", "-1"].contains(&text) { Some(u64::MAX) } else { text.parse().ok() }
    }

    /// Quota and period of the processors, in microseconds.
    fn quota(&self) -> Option<(u64, u64)> {
        if let Some((quota, period)) = self.text("cpu.max").and_then(|text| text.split_once(' ')) {
            let quota = if quota == "max" { u64::MAX } else { quota.parse().ok()? };
            return Some((quota, period.parse().ok()?));
        }
        Some((self.of(&["cpu.cfs_quota_us"])?, self.text("cpu.cfs_period_us")?.parse().ok()?))
    }
}

/// What lies at a path now, by the kernel: what the Engine mounted there may be hidden, gone, or deleted under it.
fn mount(part: &Part<'_>, target: &str, confines: Option<&Confines>) -> Verdict {
    let name = &part.found.name;
    let declared = part.declared.settings.mounts.iter().find(|mount| plain(&mount.target) == plain(target));
    let (Some(confines), Some(declared)) = (confines, declared) else {
        return Verdict::Proved(vec![format!("{name} was made with it, by the Engine's word")]);
    };
    let there: Vec<&Mount> = confines.mounts.iter().filter(|mount| mount.target == plain(target)).collect();
    let Some(top) = there.last() else { return not_there(part, target, confines) };
    let expected = || format!("{} at {target}", short(declared));
    let restart = || format!("docker restart {name}");
    if there.len() > 1 && !spreads(declared) && hidden(part, declared, &there) {
        return Verdict::refuted(expected(), format!("{} is mounted over it", shown(top))).help(restart());
    }
    if let Some(path) = top.root.strip_suffix("//deleted") {
        return Verdict::refuted(expected(), format!("a file that is deleted: {path} was replaced since"))
            .seen("a mount holds on to the file itself: editors and `git checkout` write another one under its name")
            .help(format!("{}: it mounts the new one", restart()));
    }
    if let (MountKind::Volume { name: volume, .. }, Some(other)) = (&declared.kind, volume_of(&top.root))
        && other != volume
    {
        return Verdict::refuted(expected(), format!("volume {other}")).help("`bowline up -d` makes it so again");
    }
    if declared.read_only && !top.read_only {
        let found = format!("{} can be written at {target}", shown(top));
        return Verdict::refuted(format!("{}, read-only", expected()), found).help(restart());
    }
    Verdict::Proved(vec![format!("{target} is {}{}", shown(top), if top.read_only { ", read-only" } else { "" })])
}

/// No mount at the path: it was taken away, unless the path leads over a link and the mount is where that ends.
fn not_there(part: &Part<'_>, target: &str, confines: &Confines) -> Verdict {
    let last = |path: &str| plain(path).rsplit('/').next().map(str::to_owned);
    if let Some(linked) = confines.mounts.iter().find(|mount| last(&mount.target) == last(target)) {
        return Verdict::Proved(vec![format!("{target} is {}, by way of {}", shown(linked), linked.target)]);
    }
    Verdict::refuted(format!("something mounted at {target}"), "nothing is")
        .seen("the Engine mounted it: somebody has taken it away since")
        .help(format!("docker restart {}", part.found.name))
}

/// Whether the last of several mounts at a path hides the declared one. Where another mount of the container encloses the path, that
/// one may have brought further mounts along (`/dev:/dev` brings /dev/shm): then the last is the declared one or cannot be told from it.
fn hidden(part: &Part<'_>, declared: &MountSettings, there: &[&Mount]) -> bool {
    let within =
        |outer: &str| plain(&declared.target).strip_prefix(plain(outer)).is_some_and(|rest| rest.starts_with('/'));
    if !part.declared.settings.mounts.iter().any(|mount| within(&mount.target)) {
        return true;
    }
    let is_it = |mount: &&Mount| match &declared.kind {
        MountKind::Volume { name, .. } => volume_of(&mount.root) == Some(name),
        MountKind::Anonymous => volume_of(&mount.root).is_some(),
        MountKind::Tmpfs { .. } | MountKind::Memory { .. } => mount.kind == "tmpfs" && mount.root == "/",
        MountKind::Bind { source, .. } => mount.root != "/" && source.ends_with(&mount.root),
        MountKind::Image { .. } => mount.kind == "overlay",
    };
    there.split_last().is_some_and(|(top, below)| !is_it(top) && below.iter().any(is_it))
}

/// Whether mounts on the host below the source come along: then more than one may lie at the path.
fn spreads(mount: &MountSettings) -> bool {
    matches!(&mount.kind, MountKind::Bind { propagation: Some(how), .. } if how.contains("shared") || how.contains("slave"))
}

/// What the file mounts, in a few words.
fn short(mount: &MountSettings) -> String {
    match &mount.kind {
        MountKind::Volume { name, .. } => format!("volume {name}"),
        MountKind::Anonymous => "a volume of its own".to_owned(),
        MountKind::Bind { source, .. } => source.clone(),
        MountKind::Tmpfs { .. } | MountKind::Memory { .. } => "memory".to_owned(),
        MountKind::Image { source, .. } => format!("the files of {source}"),
    }
}

/// What the kernel shows of a mount.
fn shown(mount: &Mount) -> String {
    match (volume_of(&mount.root), mount.kind.as_str()) {
        (Some(volume), _) => format!("volume {volume}"),
        (None, "tmpfs") if mount.root == "/" => "memory".to_owned(),
        (None, kind) => format!("{} of {kind} {}", mount.root, mount.source),
    }
}

/// The volume whose data lies at a path: `…/volumes/NAME/_data`.
fn volume_of(root: &str) -> Option<&str> {
    let (_, rest) = root.split_once("/volumes/")?;
    let (name, tail) = rest.split_once('/')?;
    (tail == "_data" || tail.starts_with("_data/")).then_some(name)
}

/// A config or secret that was copied in: what is in the container now.
fn content(desk: &Desk<'_>, replica: &Replica, part: &Part<'_>, target: &str) -> Step<Verdict> {
    let expected = || format!("{target} as the file gives it");
    let refuted =
        |found: String| Verdict::refuted(expected(), found).help("`bowline up -d --force-recreate` copies it again");
    Ok(match desk.facts.files.get(&(replica.clone(), target.to_owned())) {
        Some(Content::Same(bytes)) => Verdict::Proved(vec![format!("{target} has those {bytes} bytes")]),
        Some(Content::Missing) => refuted(format!("{target} is not there")),
        Some(Content::Other) => refuted(format!("{target} has other contents")).seen(since(part, target)),
        Some(Content::Untold(why)) => return unproved(Why::NotSeen(format!("{target} could not be read: {why}"))),
        None => return unproved(Why::NotSeen(format!("{target} was not read"))),
    })
}

/// Which side has changed since the container was made: its label tells what was copied.
fn since(part: &Part<'_>, target: &str) -> &'static str {
    let key = format!("{}{target}", crate::state::desired::labels::CONTENT);
    let (ours, theirs) = (part.declared.settings.labels.get(&key), part.found.settings.labels.get(&key));
    match ours == theirs {
        true => "somebody wrote to it in the container",
        false => "its source was changed since it was copied in",
    }
}

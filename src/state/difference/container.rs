//! One container: what `create` fixed, where it hangs, its name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;

use super::{Comparison, Difference, Show, endpoint, host, podman};
use crate::compose::model::{HealthTest, Restart};
use crate::name::{ContainerId, NetworkKey, Replica};
use crate::state::desired::{Attachment, Borrowed, Desired, DesiredContainer, Lenders, LinkTarget, labels};
use crate::state::observed::{Observed, ObservedContainer, ObservedImage};
use crate::state::platform;
use crate::state::settings::{HealthSettings, MountForm, MountKind, MountSettings, PortBinding, Settings, ports};

/// How a container differs, by what mends it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerDrift {
    /// Only another container mends these.
    pub fixed: Vec<Difference>,
    /// Connecting again (where it is declared) or disconnecting mends these, by the network's name.
    pub endpoints: IndexMap<String, Vec<Difference>>,
    /// Updating mends these: limits that were changed by hand.
    pub limits: Vec<Difference>,
    /// Renaming mends this.
    pub name: Option<Difference>,
}

impl ContainerDrift {
    /// Whether it is as declared.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.endpoints.is_empty() && self.limits.is_empty() && self.name.is_none()
    }
}

/// Compares a container with what is declared.
pub fn container(
    container: &DesiredContainer,
    found: &ObservedContainer,
    desired: &Desired,
    observed: &Observed,
) -> ContainerDrift {
    let place = |field: &str| Some(container.span_of(field));
    let mut fixed = Comparison::new(&place);
    let image = observed.images.get(&container.settings.image).and_then(Option::as_ref);
    let declared = image.map_or_else(|| container.settings.clone(), |image| container.settings.over(image));
    let found = &match observed.engine.podman {
        true => Cow::Owned(podman::asked(container, &declared, found, desired)),
        false => Cow::Borrowed(found),
    };
    let unchanged = made_from_this(container, found);
    compare_image(&mut fixed, &container.settings, found, image, unchanged);
    let (expected, there) = match image {
        Some(_) => (declared, found.settings.clone()),
        None => (declared, only_what_is_declared(&container.settings, &found.settings)),
    };
    compare_process(&mut fixed, &expected, &there);
    compare_environment(&mut fixed, &expected, &there);
    compare_labels(&mut fixed, &expected, &there, observed.engine.api);
    compare_names(&mut fixed, container, &there);
    compare_health(&mut fixed, &expected, &there, observed.engine.api);
    compare_host(&mut fixed, &expected, &there);
    host::fixed(&mut fixed, &expected, &there, unchanged);
    compare_borrows(&mut fixed, container, found, observed);
    compare_contents(&mut fixed, container, &there, unchanged);
    compare_mounts(&mut fixed, &expected, &there);
    compare_attachment(&mut fixed, container, found, desired, observed);
    let (stale, endpoints) = endpoint::endpoints(container, found, desired, observed, &place);
    fixed.found.extend(stale);
    let mut limits = Comparison::new(&place);
    if !host::limits(&mut limits, &expected, &there, unchanged) {
        fixed.found.append(&mut limits.found);
    }
    let mut name = Comparison::new(&place);
    name.same("container_name", &container.name, &found.name);
    ContainerDrift { fixed: fixed.found, endpoints, limits: limits.found, name: name.found.pop() }
}

/// Whether the file is still what the container was made from.
pub(super) fn made_from_this(container: &DesiredContainer, found: &ObservedContainer) -> bool {
    let id = |mode: &str| mode.strip_prefix("container:").map(ContainerId::from_engine);
    let shared = |mode: &Option<String>| mode.as_deref().and_then(id);
    let mut volumes = found.settings.volumes_from.iter().map(|entry| entry.split(':').next().unwrap_or_default());
    let others = container.borrows.iter().map_while(|borrow| match borrow.what {
        Borrowed::Ipc => shared(&found.settings.namespaces.ipc),
        Borrowed::Pid => shared(&found.settings.namespaces.pid),
        Borrowed::Volumes { .. } => volumes.next().map(ContainerId::from_engine),
    });
    let lenders = Lenders { network: id(&found.network_mode), others: others.collect() };
    let own = container.settings.labels.get(labels::CONFIG_HASH).filter(|_| !container.borrows_anything());
    let hash = own.cloned().unwrap_or_else(|| container.config_hash(&lenders));
    found.settings.labels.get(labels::CONFIG_HASH) == Some(&hash)
}

/// Contents of configs and secrets, by the digests in the labels. What docker compose made has none, and is taken for right
/// while the file is what it was made from.
fn compare_contents(out: &mut Comparison, container: &DesiredContainer, found: &Settings, unchanged: bool) {
    let digests = |settings: &Settings| -> BTreeMap<String, String> {
        let all = settings.labels.iter();
        all.filter_map(|(key, digest)| Some((key.strip_prefix(labels::CONTENT)?.to_owned(), digest.clone()))).collect()
    };
    let (declared, there) = (digests(&container.settings), digests(found));
    for target in declared.keys().chain(there.keys().filter(|target| !declared.contains_key(*target))) {
        let field = container.files.get(target).cloned().unwrap_or_else(|| format!("configs {target}"));
        let said = |digest: Option<&String>| digest.map(|digest| format!("content {digest}"));
        match (declared.get(target), there.get(target)) {
            (Some(_), None) if unchanged => {}
            (ours, theirs) => out.same(&field, &said(ours), &said(theirs)),
        }
    }
}

/// Namespaces and volumes of other containers: of those that now have the place in the project that the file names.
fn compare_borrows(out: &mut Comparison, container: &DesiredContainer, found: &ObservedContainer, observed: &Observed) {
    let id_of = |replica: &Replica| observed.containers.iter().find(|c| c.replica == *replica).map(|c| c.id.as_str());
    let shared =
        |mode: &Option<String>| mode.as_deref().and_then(|mode| mode.strip_prefix("container:")).map(str::to_owned);
    let (ours, theirs) = (&container.settings.namespaces, &found.settings.namespaces);
    for (what, declared, found) in [(Borrowed::Ipc, &ours.ipc, &theirs.ipc), (Borrowed::Pid, &ours.pid, &theirs.pid)] {
        let lender = container.borrows.iter().find(|borrow| borrow.what == what).map(|borrow| &borrow.from);
        let there = shared(found);
        let same = match (lender, shared(declared), &there) {
            (Some(lender), _, Some(there)) => id_of(lender) == Some(there),
            (None, Some(name), Some(there)) => name == *there || is_called(observed, there, &name),
            (None, None, None) => true,
            _ => false,
        };
        if !same {
            let word = lender.map(|lender| format!("service:{}", lender.service)).or_else(|| declared.clone());
            let there = there.as_deref().map(|id| format!("container:{}", name_of(observed, id)));
            out.differs(what.field(), &word, &there.or_else(|| found.clone()));
        }
    }
    let lent = container.borrows.iter().filter_map(|borrow| match &borrow.what {
        Borrowed::Volumes { mode, .. } => Some((id_of(&borrow.from).unwrap_or("nobody").to_owned(), mode.clone())),
        _ => None,
    });
    let split = |entry: &String| match entry.split_once(':') {
        Some((id, mode)) => (id.to_owned(), Some(mode.to_owned())),
        None => (entry.clone(), None),
    };
    let said = |(id, mode): (String, Option<String>)| {
        let mode = mode.filter(|mode| mode != "rw").map(|mode| format!(":{mode}"));
        format!("{}{}", name_of(observed, &id), mode.unwrap_or_default())
    };
    let others = container.settings.volumes_from.iter().map(split);
    let declared: BTreeSet<String> = lent.chain(others).map(said).collect();
    let there: BTreeSet<String> = found.settings.volumes_from.iter().map(split).map(said).collect();
    out.same("volumes_from", &declared, &there);
}

/// A container's name where it is known, else the start of its id.
fn name_of(observed: &Observed, id: &str) -> String {
    let own = observed.containers.iter().map(|c| (c.id.as_str(), c.name.as_str()));
    let mut all = own.chain(observed.others.iter().map(|c| (c.id.as_str(), c.name.as_str())));
    all.find(|(other, name)| *other == id || *name == id).map_or_else(|| id.to_owned(), |(_, name)| name.to_owned())
}

/// The image, and what it is made for. A container that was made from the file as it is now is right, whatever `DOCKER_DEFAULT_PLATFORM` says
/// today.
fn compare_image(
    out: &mut Comparison,
    declared: &Settings,
    found: &ObservedContainer,
    image: Option<&ObservedImage>,
    unchanged: bool,
) {
    if let (Some(wanted), Some(image)) = (&declared.platform, image)
        && !unchanged
        && found.image_id == image.id
        && !platform::is_for(wanted, &image.platform)
    {
        out.differs("platform", wanted, &image.platform);
    }
    match image {
        Some(image) => {
            let label = found.settings.labels.get(labels::IMAGE);
            if found.image_id != image.id && label != Some(&image.id) {
                let say = |name: &str, id: &str| format!("{name} {}", short_id(id));
                let (declared, found) = (say(&declared.image, &image.id), say(&found.settings.image, &found.image_id));
                out.differs("image", &declared, &found);
            }
        }
        None => out.same("image", &declared.image, &found.settings.image),
    }
}

/// `sha256:0123456789ab…` as `0123456789ab`.
fn short_id(id: &str) -> &str {
    let digits = id.rsplit(':').next().unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

/// Where the image is not there, what the container has from it cannot be told from what it was given: only what the
/// file says is compared.
fn only_what_is_declared(declared: &Settings, found: &Settings) -> Settings {
    let mut there = found.clone();
    let keep = |own: bool| own.then_some(());
    there.command = keep(declared.command.is_some()).and(there.command);
    there.entrypoint = keep(declared.entrypoint.is_some()).and(there.entrypoint);
    there.user = keep(declared.user.is_some()).and(there.user);
    there.working_dir = keep(declared.working_dir.is_some()).and(there.working_dir);
    there.stop_signal = keep(declared.stop_signal.is_some()).and(there.stop_signal);
    there.healthcheck = keep(declared.healthcheck.is_some()).and(there.healthcheck);
    there.environment.retain(|key, _| declared.environment.contains_key(key));
    there.labels.retain(|key, _| declared.labels.contains_key(key));
    let exposed = declared.exposed_ports();
    there.exposed.retain(|text| ports(text).iter().all(|port| exposed.contains(port)));
    let plain = |path: &str| path.trim_end_matches('/').to_owned();
    let named: BTreeSet<String> = declared.mounts.iter().map(|mount| plain(&mount.target)).collect();
    there.mounts.retain(|mount| mount.kind != MountKind::Anonymous || named.contains(&plain(&mount.target)));
    there
}

/// What runs, and how it ends.
fn compare_process(out: &mut Comparison, declared: &Settings, found: &Settings) {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    out.same("command", &list(&declared.command), &list(&found.command));
    out.same("entrypoint", &list(&declared.entrypoint), &list(&found.entrypoint));
    let told = |text: &Option<String>| text.clone().unwrap_or_default();
    out.same("user", &told(&declared.user), &told(&found.user));
    let plain = |path: &Option<String>| told(path).trim_end_matches('/').to_owned();
    out.same("working_dir", &plain(&declared.working_dir), &plain(&found.working_dir));
    let signal = |signal: &Option<String>| signal_word(signal.as_deref().unwrap_or_default());
    out.same("stop_signal", &signal(&declared.stop_signal), &signal(&found.stop_signal));
    out.same("stop_grace_period", &declared.stop_timeout, &found.stop_timeout);
    out.same("tty", &declared.tty, &found.tty);
    out.same("stdin_open", &declared.stdin_open, &found.stdin_open);
}

/// `TERM` where nothing is said.
fn signal_word(signal: &str) -> String {
    let upper = signal.to_ascii_uppercase();
    match upper.strip_prefix("SIG").unwrap_or(&upper) {
        "" | "15" => "TERM".to_owned(),
        word => word.to_owned(),
    }
}

/// Variables. Those of proxies come from the client's configuration, not from the file.
fn compare_environment(out: &mut Comparison, declared: &Settings, found: &Settings) {
    let told = |map: &BTreeMap<String, Option<String>>| -> BTreeMap<String, String> {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "no value".to_owned());
        let counts = |key: &String| !is_proxy(key) || declared.environment.contains_key(key);
        map.iter().filter(|(key, _)| counts(key)).map(|(key, value)| (key.clone(), shown(value))).collect()
    };
    out.same_map("environment", &told(&declared.environment), &told(&found.environment));
}

fn is_proxy(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"].contains(&key.as_str())
}

/// The user's labels and the image's; the orchestrator's own say where a container came from, not what it is. Annotations
/// came with API 1.43: before, they are dropped.
fn compare_labels(out: &mut Comparison, declared: &Settings, found: &Settings, api: (u32, u32)) {
    let users = |labels: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let is_users = |label: &str| !labels::is_own(label) && !label.starts_with("desktop.docker.io/");
        labels.iter().filter(|(k, _)| is_users(k)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    out.same_map("labels", &users(&declared.labels), &users(&found.labels));
    if api >= (1, 43) {
        out.same_map("annotations", &declared.annotations, &found.annotations);
    }
}

/// Names that the container gives itself. Where it shares a namespace, its host name is that one's.
fn compare_names(out: &mut Comparison, declared: &DesiredContainer, found: &Settings) {
    let own_namespace =
        !matches!(declared.attachment, Attachment::Host | Attachment::Replica(_) | Attachment::Container(_));
    let declared = &declared.settings;
    if declared.hostname.is_some() || own_namespace {
        out.same("hostname", &declared.hostname, &found.hostname);
    }
    let told = |name: &Option<String>| name.clone().unwrap_or_default();
    out.same("domainname", &told(&declared.domainname), &told(&found.domainname));
}

/// The check part by part. Of one that is switched off nothing else counts.
fn compare_health(out: &mut Comparison, declared: &Settings, found: &Settings, api: (u32, u32)) {
    let normal = |check: &Option<HealthSettings>| match check {
        Some(check) if check.test.is_some() && check.test != Some(HealthTest::None) => {
            let start_interval = check.start_interval.filter(|_| api >= (1, 44));
            HealthSettings { start_interval, ..check.clone() }
        }
        Some(HealthSettings { test, .. }) => HealthSettings { test: test.clone(), ..HealthSettings::default() },
        None => HealthSettings::default(),
    };
    let (declared, found) = (normal(&declared.healthcheck), normal(&found.healthcheck));
    let said = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    out.same("healthcheck.test", &declared.test, &found.test);
    out.same("healthcheck.interval", &said(declared.interval), &said(found.interval));
    out.same("healthcheck.timeout", &said(declared.timeout), &said(found.timeout));
    out.same("healthcheck.start_period", &said(declared.start_period), &said(found.start_period));
    out.same("healthcheck.start_interval", &said(declared.start_interval), &said(found.start_interval));
    out.same("healthcheck.retries", &declared.retries.filter(|n| *n > 0), &found.retries.filter(|n| *n > 0));
}

/// What is in `HostConfig`.
fn compare_host(out: &mut Comparison, declared: &Settings, found: &Settings) {
    out.same("expose", &declared.exposed_ports(), &found.exposed_ports());
    let sorted = |ports: &[PortBinding]| ports.iter().cloned().collect::<BTreeSet<_>>();
    out.same("ports", &sorted(&declared.ports), &sorted(&found.ports));
    let hosts = |hosts: &[(String, String)]| hosts.iter().cloned().collect::<BTreeSet<_>>();
    out.same("extra_hosts", &hosts(&declared.extra_hosts), &hosts(&found.extra_hosts));
    out.same("dns", &declared.dns, &found.dns);
    out.same("dns_search", &declared.dns_search, &found.dns_search);
    out.same("dns_opt", &declared.dns_options, &found.dns_options);
    out.same("init", &declared.init, &found.init);
    out.same("privileged", &declared.privileged, &found.privileged);
    out.same("read_only", &declared.read_only, &found.read_only);
    out.same("cap_add", &capabilities(&declared.cap_add), &capabilities(&found.cap_add));
    out.same("cap_drop", &capabilities(&declared.cap_drop), &capabilities(&found.cap_drop));
    out.same_map("sysctls", &declared.sysctls, &found.sysctls);
}

/// Without `CAP_`, which the Engine adds from 20.10 on.
pub(super) fn capabilities(names: &BTreeSet<String>) -> BTreeSet<String> {
    let plain = |name: &String| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_").map_or_else(|| name.clone(), str::to_owned)
    };
    names.iter().map(plain).collect()
}

/// Mounts by their path.
fn compare_mounts(out: &mut Comparison, declared: &Settings, found: &Settings) {
    let by_target = |mounts: &[MountSettings]| -> BTreeMap<String, MountSettings> {
        let plain = |path: &str| if path == "/" { path.to_owned() } else { path.trim_end_matches('/').to_owned() };
        mounts.iter().map(|m| (plain(&m.target), normal(m))).collect()
    };
    out.same_map("volumes", &by_target(&declared.mounts), &by_target(&found.mounts));
}

/// A mount with the Engine's defaults said.
fn normal(mount: &MountSettings) -> MountSettings {
    let mut mount = mount.clone();
    mount.target.clear();
    mount.form = MountForm::default();
    if let MountKind::Memory { size, mode } = mount.kind {
        mount.kind = MountKind::Tmpfs { options: MountKind::memory_options(size, mode) };
    }
    match &mut mount.kind {
        MountKind::Bind { source, propagation, create_host_path, .. } => {
            // what it asks for is done when the container is there
            *create_host_path = true;
            if source.len() > 1 {
                *source = source.trim_end_matches('/').to_owned();
            }
            *propagation = propagation.take().filter(|word| word != "rprivate");
        }
        MountKind::Tmpfs { options } => *options = tmpfs(options),
        MountKind::Volume { .. } | MountKind::Anonymous | MountKind::Memory { .. } | MountKind::Image { .. } => {}
    }
    mount
}

/// Options of a tmpfs in one order, sizes in bytes and modes without leading zeros.
fn tmpfs(options: &str) -> String {
    let mut parts: Vec<String> = options.split(',').filter(|part| !part.is_empty()).map(tmpfs_option).collect();
    parts.sort();
    parts.join(",")
}

fn tmpfs_option(option: &str) -> String {
    match option.split_once('=') {
        Some(("size", size)) => {
            let digits = size.trim_end_matches(|c: char| !c.is_ascii_digit());
            let unit = match size[digits.len()..].to_ascii_lowercase().as_str() {
                "" | "b" => Some(1),
                "k" | "kb" => Some(1 << 10),
                "m" | "mb" => Some(1 << 20),
                "g" | "gb" => Some(1u64 << 30),
                _ => None,
            };
            let bytes = unit.zip(digits.parse::<u64>().ok()).and_then(|(unit, n)| n.checked_mul(unit));
            bytes.map_or_else(|| option.to_owned(), |bytes| format!("size={bytes}"))
        }
        Some(("mode", mode)) => format!("mode={}", mode.trim_start_matches('0')),
        _ => option.to_owned(),
    }
}

/// The network of a `network_mode` that somebody took the container off: only creating puts it there as it was.
fn left<'a>(container: &'a DesiredContainer, found: &ObservedContainer, observed: &Observed) -> Option<&'a str> {
    let network = match &container.attachment {
        Attachment::DefaultBridge => "bridge",
        Attachment::Other(name) => name,
        _ => return None,
    };
    let there = observed.networks.iter().any(|n| n.name == network);
    (there && !found.endpoints.contains_key(network)).then_some(network)
}

/// Whose namespace it lives in, or on which network first; and its links on the default bridge.
fn compare_attachment(
    out: &mut Comparison,
    container: &DesiredContainer,
    found: &ObservedContainer,
    desired: &Desired,
    observed: &Observed,
) {
    let mode = found.network_mode.as_str();
    let shared = mode.strip_prefix("container:");
    let differs = match &container.attachment {
        Attachment::None => mode != "none",
        Attachment::Host => mode != "host",
        Attachment::DefaultBridge => !["bridge", "default", ""].contains(&mode),
        Attachment::Other(name) => mode != name,
        Attachment::Replica(parent) => {
            !observed.containers.iter().any(|c| c.replica == *parent && shared == Some(c.id.as_str()))
        }
        Attachment::Container(name) => {
            !shared.is_some_and(|shared| shared == name || is_called(observed, shared, name))
        }
        Attachment::Networks(networks) => networks.keys().next().is_some_and(|key| mode != network_name(desired, key)),
    };
    if differs {
        let (field, declared) = match &container.attachment {
            Attachment::None => ("network_mode", "none".to_owned()),
            Attachment::Host => ("network_mode", "host".to_owned()),
            Attachment::DefaultBridge => ("network_mode", "bridge".to_owned()),
            Attachment::Other(name) => ("network_mode", name.clone()),
            Attachment::Replica(parent) => ("network_mode", format!("service:{}", parent.service)),
            Attachment::Container(name) => ("network_mode", format!("container:{name}")),
            Attachment::Networks(networks) => {
                ("networks", networks.keys().next().map(|key| network_name(desired, key)).unwrap_or_default())
            }
        };
        let named = shared.and_then(|id| observed.containers.iter().find(|c| c.id.as_str() == id));
        let found = match (named, shared) {
            (Some(parent), _) => format!("container:{}", parent.name),
            (None, Some(id)) => format!("container:{} that is gone", id.get(..12).unwrap_or(id)),
            (None, None) => mode.to_owned(),
        };
        out.differs(field, &declared, &found);
    } else if let Some(network) = left(container, found, observed) {
        out.differs("network_mode", network, &format!("{network}, not connected"));
    }
    let expected: BTreeSet<(String, String)> = container
        .legacy_links
        .iter()
        .filter_map(|link| Some((link_end(&link.target, desired, observed)?, link.alias.clone())))
        .collect();
    out.same("links", &expected, &found.legacy_links.iter().cloned().collect());
}

/// A container, by its id, as the file may call it: by name, by id or by the start of it.
fn is_called(observed: &Observed, id: &str, name: &str) -> bool {
    let own = observed.containers.iter().map(|c| (c.id.as_str(), c.name.as_str()));
    let mut all = own.chain(observed.others.iter().map(|c| (c.id.as_str(), c.name.as_str())));
    all.any(|(other, called)| other == id && (called == name || id.starts_with(name)))
}

/// The name of a link's end; none where nothing can be compared (an external container that is not there).
fn link_end(end: &LinkTarget, desired: &Desired, observed: &Observed) -> Option<String> {
    match end {
        LinkTarget::Replica(replica) => desired.containers.get(replica).map(|c| c.name.clone()),
        LinkTarget::External(name) => {
            let mut others = observed.others.iter();
            others.find(|c| c.name == *name || c.id.as_str().starts_with(name)).map(|c| c.name.clone())
        }
    }
}

/// A network's name in the Engine.
pub(super) fn network_name(desired: &Desired, key: &NetworkKey) -> String {
    desired.networks.get(key).map_or_else(|| key.to_string(), |network| network.name.clone())
}

impl Show for Restart {
    fn show(&self) -> String {
        match self {
            Self::No => "no".to_owned(),
            Self::Always => "always".to_owned(),
            Self::UnlessStopped => "unless-stopped".to_owned(),
            Self::OnFailure(None | Some(0)) => "on-failure".to_owned(),
            Self::OnFailure(Some(times)) => format!("on-failure:{times}"),
        }
    }
}

impl Show for HealthTest {
    fn show(&self) -> String {
        match self {
            Self::None => "NONE".to_owned(),
            Self::Command(words) => format!("CMD {}", words.join(" ")),
            Self::Shell(line) => format!("CMD-SHELL {line}"),
        }
    }
}

impl Show for PortBinding {
    fn show(&self) -> String {
        let host = self.host_ip.map(|ip| format!("{ip}:")).unwrap_or_default();
        let published = match self.published {
            None => String::new(),
            Some((first, last)) if first == last => format!("{first}:"),
            Some((first, last)) => format!("{first}-{last}:"),
        };
        format!("{host}{published}{}/{}", self.target, self.protocol)
    }
}

impl Show for MountSettings {
    fn show(&self) -> String {
        let mode = if self.read_only { ", read-only" } else { "" };
        match &self.kind {
            MountKind::Volume { name, no_copy, subpath, selinux } => {
                let no_copy = if *no_copy { ", nocopy" } else { "" };
                let subpath = subpath.as_ref().map(|path| format!(", {path} of it")).unwrap_or_default();
                let selinux = selinux.as_ref().map(|label| format!(", {label}")).unwrap_or_default();
                format!("volume {name}{subpath}{no_copy}{mode}{selinux}")
            }
            MountKind::Anonymous => format!("anonymous volume{mode}"),
            MountKind::Bind { source, propagation, selinux, recursive, .. } => {
                let options: String =
                    [propagation, selinux, recursive].into_iter().flatten().map(|word| format!(", {word}")).collect();
                format!("{source}{mode}{options}")
            }
            MountKind::Tmpfs { options } => format!("tmpfs {options}{mode}"),
            MountKind::Memory { size, mode: bits } => {
                format!("tmpfs {}{mode}", MountKind::memory_options(*size, *bits))
            }
            MountKind::Image { source, subpath: Some(path) } => format!("image {source} {path}{mode}"),
            MountKind::Image { source, subpath: None } => format!("image {source}{mode}"),
        }
    }
}

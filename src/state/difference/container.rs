//! One container: what `create` fixed, where it hangs, its name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;

use super::{Comparison, Difference, Show, endpoint};
use crate::compose::model::{HealthTest, Restart};
use crate::name::NetworkKey;
use crate::state::desired::{Attachment, Desired, DesiredContainer, LinkTarget, labels};
use crate::state::observed::{Observed, ObservedContainer, ObservedImage};
use crate::state::settings::{HealthSettings, MountKind, MountSettings, PortBinding, Settings};

/// How a container differs, by what mends it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerDrift {
    /// Only another container mends these.
    pub fixed: Vec<Difference>,
    /// Connecting again (where it is declared) or disconnecting mends these, by the network's name.
    pub endpoints: IndexMap<String, Vec<Difference>>,
    /// Renaming mends this.
    pub name: Option<Difference>,
}

impl ContainerDrift {
    /// Whether it is as declared.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.endpoints.is_empty() && self.name.is_none()
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
    compare_image(&mut fixed, &container.settings, found, image);
    compare_process(&mut fixed, &container.settings, &found.settings, image);
    compare_environment(&mut fixed, &container.settings, &found.settings, image);
    compare_labels(&mut fixed, &container.settings, &found.settings, image);
    compare_identity(&mut fixed, container, &found.settings);
    compare_health(&mut fixed, &container.settings, &found.settings, image, observed.engine.api);
    compare_host(&mut fixed, &container.settings, &found.settings, image);
    compare_mounts(&mut fixed, &container.settings, &found.settings, image);
    compare_attachment(&mut fixed, container, found, desired, observed);
    let mut name = Comparison::new(&place);
    name.same("container_name", &container.name, &found.name);
    ContainerDrift {
        fixed: fixed.found,
        endpoints: endpoint::endpoints(container, found, desired, observed, &place),
        name: name.found.pop(),
    }
}

/// Whether the file is still what the container was made from.
pub(super) fn made_from_this(container: &DesiredContainer, found: &ObservedContainer) -> bool {
    let hash = |settings: &Settings| settings.labels.get(labels::CONFIG_HASH).cloned();
    hash(&container.settings).is_some() && hash(&container.settings) == hash(&found.settings)
}

fn compare_image(out: &mut Comparison, declared: &Settings, found: &ObservedContainer, image: Option<&ObservedImage>) {
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

/// Command and entrypoint, over the image's as the Engine merges them: an entrypoint of the file's own drops the image's
/// command, and an empty command is none.
fn compare_process(out: &mut Comparison, declared: &Settings, found: &Settings, image: Option<&ObservedImage>) {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let own_entrypoint = !list(&declared.entrypoint).is_empty();
    let image = image.map(|image| &image.defaults);
    let command = match (own_entrypoint, list(&declared.command)) {
        (false, command) if command.is_empty() => image.map(|image| list(&image.command)),
        (_, command) => Some(command),
    };
    let entrypoint = match &declared.entrypoint {
        None => image.map(|image| list(&image.entrypoint)),
        Some(entrypoint) => Some(entrypoint.clone()),
    };
    if let Some(command) = command {
        out.same("command", &command, &list(&found.command));
    }
    if let Some(entrypoint) = entrypoint {
        out.same("entrypoint", &entrypoint, &list(&found.entrypoint));
    }
    let over = |own: &Option<String>, pick: fn(&Settings) -> &Option<String>| match own {
        Some(own) => Some(own.clone()),
        None => image.map(|image| pick(image).clone().unwrap_or_default()),
    };
    if let Some(user) = over(&declared.user, |image| &image.user) {
        out.same("user", &user, &found.user.clone().unwrap_or_default());
    }
    if let Some(directory) = over(&declared.working_dir, |image| &image.working_dir) {
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        out.same("working_dir", &plain(&directory), &plain(&found.working_dir.clone().unwrap_or_default()));
    }
    if let Some(signal) = over(&declared.stop_signal, |image| &image.stop_signal) {
        let found = found.stop_signal.clone().unwrap_or_default();
        if signal_word(&signal) != signal_word(&found) {
            out.differs("stop_signal", &signal_word(&signal), &signal_word(&found));
        }
    }
    out.same("stop_grace_period", &declared.stop_timeout, &found.stop_timeout);
    out.same("tty", &declared.tty, &found.tty);
    out.same("stdin_open", &declared.stdin_open, &found.stdin_open);
}

/// `SIGTERM` where nothing is said.
fn signal_word(signal: &str) -> String {
    let upper = signal.to_ascii_uppercase();
    match upper.strip_prefix("SIG").unwrap_or(&upper) {
        "" | "15" => "TERM".to_owned(),
        word => word.to_owned(),
    }
}

/// Variables over the image's. Proxies come from the client's configuration, not from the file.
fn compare_environment(out: &mut Comparison, declared: &Settings, found: &Settings, image: Option<&ObservedImage>) {
    let mut expected = image.map(|image| image.defaults.environment.clone()).unwrap_or_default();
    expected.extend(declared.environment.clone());
    let mut rest = found.environment.clone();
    rest.retain(|key, _| expected.contains_key(key) || (image.is_some() && !is_proxy(key)));
    let told = |map: BTreeMap<String, Option<String>>| -> BTreeMap<String, String> {
        map.into_iter().map(|(key, value)| (key, value.unwrap_or_else(|| "no value".to_owned()))).collect()
    };
    out.same_map("environment", &told(expected), &told(rest));
}

fn is_proxy(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"].contains(&key.as_str())
}

/// The user's labels over the image's; the orchestrator's own say where a container came from, not what it is.
fn compare_labels(out: &mut Comparison, declared: &Settings, found: &Settings, image: Option<&ObservedImage>) {
    let users = |labels: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let is_users = |label: &str| !labels::is_own(label) && !label.starts_with("desktop.docker.io/");
        labels.iter().filter(|(k, _)| is_users(k)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let mut expected = image.map(|image| users(&image.defaults.labels)).unwrap_or_default();
    expected.extend(users(&declared.labels));
    let mut rest = users(&found.labels);
    rest.retain(|key, _| image.is_some() || expected.contains_key(key));
    out.same_map("labels", &expected, &rest);
    out.same_map("annotations", &declared.annotations, &found.annotations);
}

/// Names that the container gives itself. Where it shares a namespace, its host name is that one's.
fn compare_identity(out: &mut Comparison, declared: &DesiredContainer, found: &Settings) {
    let own_namespace =
        !matches!(declared.attachment, Attachment::Host | Attachment::Replica(_) | Attachment::Container(_));
    let declared = &declared.settings;
    if declared.hostname.is_some() || own_namespace {
        out.same("hostname", &declared.hostname, &found.hostname);
    }
    let told = |name: &Option<String>| name.clone().unwrap_or_default();
    out.same("domainname", &told(&declared.domainname), &told(&found.domainname));
}

/// The check over the image's: the Engine takes each part that is not said from there.
fn compare_health(
    out: &mut Comparison,
    declared: &Settings,
    found: &Settings,
    image: Option<&ObservedImage>,
    api: (u32, u32),
) {
    let images = image.and_then(|image| image.defaults.healthcheck.clone());
    let mut expected = match (&declared.healthcheck, images) {
        (None, None) if image.is_none() => return,
        (None, images) => images.unwrap_or_default(),
        (Some(own), images) => over_images(own, images.unwrap_or_default()),
    };
    let mut found = found.healthcheck.clone().unwrap_or_default();
    for check in [&mut expected, &mut found] {
        if check.test == Some(HealthTest::None) {
            *check = HealthSettings { test: Some(HealthTest::None), ..HealthSettings::default() };
        }
        if api < (1, 44) {
            check.start_interval = None;
        }
    }
    let absent = |check: &HealthSettings| check.test.is_none();
    if absent(&expected) && absent(&found) {
        return;
    }
    out.same("healthcheck.test", &expected.test, &found.test);
    let nonzero = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    out.same("healthcheck.interval", &nonzero(expected.interval), &nonzero(found.interval));
    out.same("healthcheck.timeout", &nonzero(expected.timeout), &nonzero(found.timeout));
    out.same("healthcheck.start_period", &nonzero(expected.start_period), &nonzero(found.start_period));
    out.same("healthcheck.start_interval", &nonzero(expected.start_interval), &nonzero(found.start_interval));
    out.same("healthcheck.retries", &expected.retries.filter(|n| *n > 0), &found.retries.filter(|n| *n > 0));
}

fn over_images(own: &HealthSettings, image: HealthSettings) -> HealthSettings {
    let nonzero = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    HealthSettings {
        test: own.test.clone().or(image.test),
        interval: nonzero(own.interval).or(image.interval),
        timeout: nonzero(own.timeout).or(image.timeout),
        start_period: nonzero(own.start_period).or(image.start_period),
        start_interval: nonzero(own.start_interval).or(image.start_interval),
        retries: own.retries.filter(|n| *n > 0).or(image.retries),
    }
}

/// What is in `HostConfig`.
fn compare_host(out: &mut Comparison, declared: &Settings, found: &Settings, image: Option<&ObservedImage>) {
    let mut exposed = declared.exposed.clone();
    exposed.extend(image.iter().flat_map(|image| image.defaults.exposed.iter().copied()));
    let mut found_exposed = found.exposed.clone();
    found_exposed.retain(|port| image.is_some() || exposed.contains(port));
    out.same("expose", &exposed, &found_exposed);
    let sorted = |ports: &[PortBinding]| ports.iter().cloned().collect::<BTreeSet<_>>();
    out.same("ports", &sorted(&declared.ports), &sorted(&found.ports));
    let policy = |restart: Option<Restart>| restart.unwrap_or(Restart::No);
    out.same("restart", &policy(declared.restart), &policy(found.restart));
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
fn capabilities(names: &BTreeSet<String>) -> BTreeSet<String> {
    let plain = |name: &String| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_").map_or_else(|| name.clone(), str::to_owned)
    };
    names.iter().map(plain).collect()
}

/// Mounts by their path; paths that the image declares as volumes are there without being asked for.
fn compare_mounts(out: &mut Comparison, declared: &Settings, found: &Settings, image: Option<&ObservedImage>) {
    let by_target = |mounts: &[MountSettings]| -> BTreeMap<String, MountSettings> {
        let plain = |path: &str| if path == "/" { path.to_owned() } else { path.trim_end_matches('/').to_owned() };
        mounts.iter().map(|m| (plain(&m.target), normal(m))).collect()
    };
    let mut expected = by_target(&declared.mounts);
    let mut there = by_target(&found.mounts);
    for path in image.into_iter().flat_map(|image| &image.volumes) {
        let path = path.trim_end_matches('/');
        if !expected.contains_key(path) && there.get(path).is_some_and(|m| m.kind == MountKind::Anonymous) {
            there.remove(path);
        }
    }
    there.retain(|path, m| expected.contains_key(path) || image.is_some() || m.kind != MountKind::Anonymous);
    expected.retain(|path, mount| there.get(path) != Some(mount));
    for (path, mount) in expected {
        out.differs(&format!("volumes.{path}"), &mount, &there.remove(&path));
    }
    let declared_paths = by_target(&declared.mounts);
    for (path, mount) in there.into_iter().filter(|(path, _)| !declared_paths.contains_key(path)) {
        out.differs(&format!("volumes.{path}"), &None::<MountSettings>, &mount);
    }
}

/// A mount with the Engine's defaults said.
fn normal(mount: &MountSettings) -> MountSettings {
    let mut mount = mount.clone();
    mount.target.clear();
    match &mut mount.kind {
        MountKind::Bind { source, propagation, .. } => {
            if source.len() > 1 {
                *source = source.trim_end_matches('/').to_owned();
            }
            *propagation = propagation.take().filter(|word| word != "rprivate");
        }
        MountKind::Tmpfs { options } => *options = tmpfs(options),
        MountKind::Volume { .. } | MountKind::Anonymous => {}
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
            MountKind::Volume { name, .. } => format!("volume {name}{mode}"),
            MountKind::Anonymous => format!("anonymous volume{mode}"),
            MountKind::Bind { source, .. } => format!("{source}{mode}"),
            MountKind::Tmpfs { options } => format!("tmpfs {options}{mode}"),
        }
    }
}

//! From the Engine's answers to [`observed`](crate::state::observed) types: pure, and forgiving. An unknown word becomes
//! `Other` or is left out; what the Engine adds by itself (a hostname made of the id, the short id among the aliases) goes.

mod container;
mod host;
mod network;
#[cfg(test)]
mod tests;
pub(super) mod wire;

use std::net::IpAddr;

pub(super) use container::{container, own_name, replica, state, summary};
use ipnet::IpNet;
pub(super) use network::{info, network, volume};

use crate::compose::model::{HealthTest, Restart};
use crate::state::observed::ObservedImage;
use crate::state::settings::{HealthSettings, Settings};
use std::time::Duration;

/// `Some` unless empty.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// An address of the API, where empty means none.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// An address and a prefix length that travel apart.
fn with_prefix(text: &str, length: u8) -> Option<IpNet> {
    IpNet::new(address(text)?, length).ok()
}

/// The parts of a `Config` that images and containers share.
fn settings(config: wire::Config) -> Settings {
    let environment = config.env.into_iter().map(|entry| match entry.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (entry, None),
    });
    Settings {
        image: config.image,
        command: config.cmd.map(wire::Words::into_vec),
        entrypoint: config.entrypoint.map(wire::Words::into_vec),
        environment: environment.collect(),
        hostname: some(config.hostname),
        domainname: some(config.domainname),
        user: some(config.user),
        working_dir: some(config.working_dir),
        tty: config.tty,
        stdin_open: config.open_stdin,
        labels: config.labels,
        exposed: config.exposed_ports.into_keys().collect(),
        stop_signal: some(config.stop_signal),
        stop_timeout: config.stop_timeout.map(Duration::from_secs),
        healthcheck: config.healthcheck.map(health),
        ..Settings::default()
    }
}

/// Nanoseconds, where 0 inherits.
fn nanoseconds(count: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_nanos(count))
}

fn health(check: wire::Healthcheck) -> HealthSettings {
    let mut words = check.test.into_iter();
    let test = match words.next().as_deref() {
        Some("NONE") => Some(HealthTest::None),
        Some("CMD") => Some(HealthTest::Command(words.collect())),
        Some("CMD-SHELL") => Some(HealthTest::Shell(words.next().unwrap_or_default())),
        _ => None,
    };
    HealthSettings {
        test,
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
        retries: Some(check.retries).filter(|&count| count > 0),
    }
}

fn restart(policy: &wire::RestartPolicy) -> Restart {
    match policy.name.as_str() {
        "always" => Restart::Always,
        "unless-stopped" => Restart::UnlessStopped,
        "on-failure" => Restart::OnFailure(Some(policy.maximum_retry_count).filter(|&count| count > 0)),
        _ => Restart::No,
    }
}

/// `GET /images/{name}/json`.
/// `now` is the Engine's clock, in seconds since 1970.
pub(super) fn image(image: wire::Image, now: Option<i64>) -> ObservedImage {
    let mut volumes: Vec<String> = image.config.volumes.keys().cloned().collect();
    volumes.sort();
    let mut platform = format!("{}/{}", image.os, image.architecture);
    if !image.variant.is_empty() {
        platform = format!("{platform}/{}", image.variant);
    }
    let tagged = image.metadata.last_tag_time.parse::<jiff::Timestamp>().ok().map(|time| time.as_second());
    let age =
        tagged.filter(|&tagged| tagged > 0).zip(now).map(|(tagged, now)| u64::try_from(now - tagged).unwrap_or(0));
    let age = age.map(Duration::from_secs);
    ObservedImage { id: image.id, defaults: settings(image.config), volumes, platform, age }
}

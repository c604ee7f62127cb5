//! What containers use: `GET /containers/{id}/stats`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Call, segment};
use super::{Engine, Error};

/// What one container uses, between two looks of the Engine a second apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// In percent of one processor.
    pub processor: f64,
    /// Bytes of memory, without what the kernel would give back.
    pub memory: u64,
    /// Bytes of memory that it may have.
    pub memory_limit: u64,
    /// Bytes received and sent.
    pub network: (u64, u64),
    /// Bytes read from and written to disks.
    pub disk: (u64, u64),
    /// Processes and threads.
    pub processes: u64,
}

impl Engine {
    /// What a container uses; takes a second or two, because the Engine looks twice. Nothing of one that does not run.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn usage(&self, id: &str) -> Result<Usage, Error> {
        let call = Call::get(&format!("/containers/{}/stats", segment(id))).query("stream", "0");
        Ok(usage(&self.ask::<Stats>(call).await?))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    cpu_stats: Option<Processor>,
    precpu_stats: Option<Processor>,
    memory_stats: Option<Memory>,
    networks: Option<BTreeMap<String, Card>>,
    blkio_stats: Option<Disks>,
    pids_stats: Option<Processes>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Processor {
    cpu_usage: Used,
    system_cpu_usage: u64,
    online_cpus: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Used {
    total_usage: u64,
    percpu_usage: Option<Vec<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    stats: Option<BTreeMap<String, u64>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Card {
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disks {
    io_service_bytes_recursive: Option<Vec<Disk>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disk {
    op: String,
    value: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Processes {
    current: u64,
}

/// As the docker command counts (docker/cli, cli/command/container/stats_helpers.go).
fn usage(stats: &Stats) -> Usage {
    let (now, before) = (stats.cpu_stats.as_ref(), stats.precpu_stats.as_ref());
    let processor = now.zip(before).map_or(0.0, |(now, before)| {
        let own = now.cpu_usage.total_usage.saturating_sub(before.cpu_usage.total_usage) as f64;
        let all = now.system_cpu_usage.saturating_sub(before.system_cpu_usage) as f64;
        let processors = match now.online_cpus {
            0 => now.cpu_usage.percpu_usage.as_ref().map_or(0, Vec::len) as f64,
            count => count as f64,
        };
        if own > 0.0 && all > 0.0 { own / all * processors * 100.0 } else { 0.0 }
    });
    let memory = stats.memory_stats.as_ref().map_or((0, 0), |memory| {
        let kept = |name: &str| memory.stats.as_ref().and_then(|stats| stats.get(name)).copied();
        // the words of cgroup version 1 and 2
        let inactive =
            kept("total_inactive_file").or_else(|| kept("inactive_file")).filter(|&bytes| bytes < memory.usage);
        (memory.usage - inactive.unwrap_or_default(), memory.limit)
    });
    let cards = stats.networks.iter().flatten().map(|(_, card)| (card.rx_bytes, card.tx_bytes));
    let disks = stats.blkio_stats.iter().flat_map(|disks| &disks.io_service_bytes_recursive).flatten();
    let disk = |first: char| -> u64 {
        disks.clone().filter(|disk| disk.op.to_ascii_lowercase().starts_with(first)).map(|disk| disk.value).sum()
    };
    Usage {
        processor,
        memory: memory.0,
        memory_limit: memory.1,
        network: cards.fold((0, 0), |sum, card| (sum.0 + card.0, sum.1 + card.1)),
        disk: (disk('r'), disk('w')),
        processes: stats.pids_stats.as_ref().map_or(0, |processes| processes.current),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_counted_as_docker_counts() {
        let stats: Stats = serde_json::from_value(serde_json::json!({
            "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
            "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
            "memory_stats": {"usage": 5000, "limit": 10000, "stats": {"inactive_file": 1000}},
            "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
            "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 7}, {"op": "write", "value": 8}]},
            "pids_stats": {"current": 3},
        }))
        .unwrap();
        let found = usage(&stats);
        assert!((found.processor - 40.0).abs() < 1e-9, "{found:?}");
        assert_eq!((found.memory, found.memory_limit), (4000, 10000));
        assert_eq!((found.network, found.disk, found.processes), ((11, 22), (7, 8), 3));
        assert_eq!(usage(&Stats::default()), Usage::default());
    }
}

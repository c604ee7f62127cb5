//! Room on the Engine's disk.

use super::Scene;
use super::host::Disk;
use crate::finding::{Code, Finding, Findings};

/// With less than this, in bytes, the next pull or the next log fills it.
const LEAST: u64 = 256 << 20;
/// One inode in so many must be left.
const SCARCE: u64 = 50;

/// A disk that is all but full, and containers whose layers may grow beyond what is left of it.
pub(super) fn check_disk(scene: Scene<'_>, findings: &mut Findings) {
    let Some(disk) = &scene.host.disk else { return };
    let path = disk.path.display();
    if let Some(left) = nearly_full(disk) {
        let message = format!("the Engine's disk is all but full: {left} left at {path}");
        let help = "`docker system df` tells what takes the room, `docker system prune` makes some";
        findings.push(Finding::warning(Code::DiskShort, message).help(help));
    }
    let sized = scene.project.services.values().filter_map(|service| {
        let size = size(service.storage_options.get("size")?)?;
        Some((service, size.saturating_mul(u64::from(service.scale.value))))
    });
    let sized: Vec<_> = sized.collect();
    let together = sized.iter().fold(0u64, |sum, (_, size)| sum.saturating_add(*size));
    if let Some((service, _)) = sized.first().filter(|_| together > disk.free) {
        let message = format!(
            "the layers of the containers may grow to {} together, and {} are left at {path}",
            in_gib(together),
            in_gib(disk.free)
        );
        let finding = Finding::warning(Code::DiskShort, message).at(scene.place(service, &["storage_opt"]));
        findings.push(finding.help("smaller ones (`storage_opt: {size: …}`), or a larger disk for the Engine's data"));
    }
}

/// What is left, where that is next to nothing.
fn nearly_full(disk: &Disk) -> Option<String> {
    if disk.free < LEAST {
        return Some(format!("{} MiB are", disk.free >> 20));
    }
    (disk.inodes > 0 && disk.free_inodes < disk.inodes / SCARCE).then(|| format!("{} inodes are", disk.free_inodes))
}

/// `10G`, `512m`, `1024`: bytes, each letter another 1,024; none where the Engine would not understand it either.
fn size(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = lower[digits.len()..].trim_end_matches('b').trim_end_matches('i');
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|letter| *letter == unit)?;
    digits.trim().parse::<u64>().ok()?.checked_mul(1 << (10 * power))
}

fn in_gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

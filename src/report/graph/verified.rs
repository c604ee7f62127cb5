//! A drawing with verdicts: what the checks of a verification say about each box and each line, and the addresses that were seen.

use super::{Drawing, Kind, Means, id_of};
use crate::report::verification::{Entry, Outcome, Report};

impl Drawing {
    /// Gives every box and line the worst verdict of the checks that are about it. Who waits for whom is no promise that lasts:
    /// such lines have none.
    pub fn verify(&mut self, report: &Report) {
        for entry in &report.checks {
            let Some(verdict) = entry.verdict else { continue };
            if let Some(service) = &entry.service {
                let mine = |node: &&mut super::Node| node.kind == Kind::Service && is_about(entry, service, &node.id);
                self.nodes.iter_mut().filter(mine).for_each(|node| worsen(&mut node.verdict, verdict));
            }
            for edge in &mut self.edges {
                if about(entry, &edge.from, &edge.to, edge.means) {
                    worsen(&mut edge.verdict, verdict);
                    add_addresses(&mut edge.lines, entry);
                }
            }
        }
    }
}

/// Whether a box is one that a check of a service is about: that of the container that it names, or each of them.
fn is_about(entry: &Entry, service: &str, id: &str) -> bool {
    let who = entry.id.split_once('/').map_or("", |(_, rest)| rest);
    let number = who.strip_prefix(service).and_then(|rest| rest.strip_prefix('#'));
    let digits = number.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    match digits {
        Some(digits) => is_box(id, &format!("{service}#{digits}")),
        None => is_box(id, service),
    }
}

/// Whether a box is `web`'s, one of its containers', or, for `web#2`, that one's.
fn is_box(id: &str, who: &str) -> bool {
    let all = |name: &str| id.strip_prefix(&id_of(Kind::Service, name)).is_some_and(|rest| rest.starts_with("_23_"));
    match who.split_once('#') {
        Some((service, _)) => id == id_of(Kind::Service, who) || id == id_of(Kind::Service, service),
        None => id == id_of(Kind::Service, who) || all(who),
    }
}

/// The addresses that a line's end has now, where the file left them to the Engine: `eth0 has 10.0.0.2/24, fd00::2/64`.
fn add_addresses(lines: &mut Vec<String>, entry: &Entry) {
    if !entry.id.starts_with("address/") || entry.verdict != Some(Outcome::Proved) {
        return;
    }
    let seen = entry.evidence.iter().filter_map(|line| line.split_once(" has ")).flat_map(|(_, nets)| nets.split(", "));
    for address in seen.filter_map(|net| net.split('/').next()) {
        if !lines.iter().any(|line| line == address) {
            lines.push(address.to_owned());
        }
    }
}

fn worsen(so_far: &mut Option<Outcome>, verdict: Outcome) {
    let weight = |outcome| match outcome {
        Outcome::Proved => 0,
        Outcome::Unproved => 1,
        Outcome::Refuted => 2,
    };
    if so_far.is_none_or(|known| weight(known) < weight(verdict)) {
        *so_far = Some(verdict);
    }
}

/// Whether a check is about a line, by its id: `address/web#1@front`, `published/web:80->80/tcp`, `hosts/web:alias`, `namespace/a=b`.
fn about(entry: &Entry, from: &str, to: &str, means: Means) -> bool {
    let Some((kind, rest)) = entry.id.split_once('/') else { return false };
    let network = |key: &str| match key {
        "bridge" => id_of(Kind::Surroundings, "default bridge docker0"),
        key => id_of(Kind::Network, key),
    };
    match (kind, means) {
        ("address" | "mac" | "bridge", Means::Attached) => {
            rest.rsplit_once('@').is_some_and(|(who, net)| is_box(from, who) && to == network(net))
        }
        ("parent", Means::Attached) => {
            rest.rsplit_once('@').is_some_and(|(who, net)| is_box(from, who) && to == network(net))
        }
        ("parent", Means::Parent) => rest.rsplit_once('@').is_some_and(|(_, net)| from == network(net)),
        ("namespace", Means::Attached) => rest.split_once('=').is_some_and(|(who, _)| is_box(from, who)),
        ("published" | "outside" | "unpublished", Means::Published) => {
            rest.split_once(':').is_some_and(|(who, _)| is_box(to, who))
        }
        ("hosts", Means::Link) => rest.split_once(':').is_some_and(|(who, _)| is_box(from, who)),
        _ => false,
    }
}

//! A drawing with verdicts: what the checks of a verification say about each box and each line.

use super::{Drawing, Kind, Means, id_of};
use crate::report::verification::{Entry, Outcome, Report};

impl Drawing {
    /// Gives every box and line the worst verdict of the checks that are about it. Who waits for whom is no promise that lasts:
    /// such lines have none.
    pub fn verify(&mut self, report: &Report) {
        for entry in &report.checks {
            let Some(verdict) = entry.verdict else { continue };
            if let Some(service) = &entry.service {
                let id = id_of(Kind::Service, service);
                self.nodes.iter_mut().filter(|node| node.id == id).for_each(|node| worsen(&mut node.verdict, verdict));
            }
            for edge in &mut self.edges {
                if about(entry, &edge.from, &edge.to, edge.means) {
                    worsen(&mut edge.verdict, verdict);
                }
            }
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
    let service = |who: &str| id_of(Kind::Service, who.split('#').next().unwrap_or(who));
    let network = |key: &str| match key {
        "bridge" => id_of(Kind::Surroundings, "default bridge docker0"),
        key => id_of(Kind::Network, key),
    };
    match (kind, means) {
        ("address" | "mac" | "bridge", Means::Attached) => {
            rest.rsplit_once('@').is_some_and(|(who, net)| from == service(who) && to == network(net))
        }
        ("parent", Means::Attached) => {
            rest.rsplit_once('@').is_some_and(|(who, net)| from == service(who) && to == network(net))
        }
        ("parent", Means::Parent) => rest.rsplit_once('@').is_some_and(|(_, net)| from == network(net)),
        ("namespace", Means::Attached) => rest.split_once('=').is_some_and(|(who, _)| from == service(who)),
        ("published" | "outside" | "unpublished", Means::Published) => {
            rest.split_once(':').is_some_and(|(who, _)| to == service(who))
        }
        ("hosts", Means::Link) => rest.split_once(':').is_some_and(|(who, _)| from == service(who)),
        _ => false,
    }
}

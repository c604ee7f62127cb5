//! The kernel's neighbour table: how much of it a run takes at a time.
//!
//! One table serves all namespaces of a host, with room for `net.ipv4.neigh.default.gc_thresh3` entries, 1024 unless the host says
//! otherwise. When it is full nobody on the host finds a new neighbour: UDP fails with `ENOBUFS`, TCP goes silent, for us and for
//! everyone else. (Measured: 50 containers on one bridge, each asking each by TCP, UDP and ICMP at once: 3,222 of 7,500 answered.)
//! So a large run goes in waves, each of which fills at most half of the table, and between two of them the entries are taken back.
//! To wait for the kernel is no way: it does not collect an entry before it has been unused for up to 50 seconds (measured; an entry
//! that is reachable holds itself, `neigh_forced_gc` in net/core/neighbour.c). Taking back needs `CAP_NET_ADMIN` in the namespace,
//! which sidecars have in a run that is large, and in no other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::probe::Question;

/// After so long an entry counts as gone.
const SPAN: Duration = Duration::from_secs(60);
/// The room in a kernel that was not told otherwise.
const ROOM: usize = 1024;

/// Why a question was not asked, and the way out.
pub const FULL: &str = "the neighbour table of the Engine's host is too small for so many at once, and the entries may not be taken \
                        back: `sysctl -w net.ipv4.neigh.default.gc_thresh3=8192` on that host makes room";

/// An entry: whose, and for which address; for a gateway, whichever it is, the unspecified one.
pub type Entry = (usize, IpAddr);
/// A question by the place of its batch, and its own in it.
type Item = (usize, usize);

/// Questions that need the same entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The entries.
    pub entries: BTreeSet<Entry>,
    /// The questions.
    pub items: Vec<Item>,
}

/// What a run has put into the table lately.
#[derive(Debug)]
pub struct Table {
    limit: usize,
    recent: BTreeMap<Entry, Instant>,
}

impl Table {
    /// One with half of `room`; none: of what an untouched kernel has.
    pub fn new(room: Option<usize>) -> Self {
        Self { limit: (room.unwrap_or(ROOM) / 2).max(8), recent: BTreeMap::new() }
    }

    /// Whether so many places, each asking each, need more than one wave.
    pub fn is_small_for(&self, places: usize) -> bool {
        places * places.saturating_sub(1) > self.limit
    }

    /// Whether so many pairs, each with an entry at both ends, can do no harm wherever they lead.
    pub fn has_room_for(&self, pairs: usize) -> bool {
        self.recent.len() + pairs * 2 <= self.limit
    }

    /// Entries that there are since now.
    pub fn note(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let now = Instant::now();
        self.recent.extend(entries.into_iter().map(|entry| (entry, now)));
    }

    /// Takes the groups from the front that fit in now; none when it is full.
    pub fn take(&mut self, groups: &mut VecDeque<Group>, now: Instant) -> Vec<Group> {
        self.recent.retain(|_, since| now.saturating_duration_since(*since) < SPAN);
        let mut wave = Vec::new();
        while let Some(group) = groups.front() {
            let fresh = group.entries.iter().filter(|entry| !self.recent.contains_key(*entry)).count();
            if self.recent.len() + fresh > self.limit {
                break;
            }
            self.recent.extend(group.entries.iter().map(|entry| (*entry, now)));
            wave.extend(groups.pop_front());
        }
        wave
    }

    /// The addresses of the neighbours of a place that are there because of us.
    pub fn of(&self, place: usize) -> Vec<IpAddr> {
        let own = self.recent.keys().filter(|(at, address)| *at == place && !address.is_unspecified());
        own.map(|(_, address)| *address).collect()
    }

    /// All of it is gone.
    pub fn forget(&mut self) {
        self.recent.clear();
    }
}

/// The pairs of place and address that questions lead to, each once.
pub fn pairs(questions: &[(usize, Vec<Question>)]) -> BTreeSet<Entry> {
    let each = questions.iter().flat_map(|(place, asked)| asked.iter().map(move |q| (*place, q.target())));
    each.filter_map(|(place, target)| target.map(|t| (place, t))).filter(|(_, t)| !t.is_loopback()).collect()
}

/// Questions by what they need: those without a target first, and the two directions of a pair beside each other, for they share
/// their entries. `addresses` are those of each place.
pub fn groups(questions: &[(usize, Vec<Question>)], addresses: &[Vec<IpNet>]) -> VecDeque<Group> {
    let owner = |address: IpAddr| addresses.iter().position(|own| own.iter().any(|net| net.addr() == address));
    let mut sorted: BTreeMap<(usize, usize, Option<Entry>), Group> = BTreeMap::new();
    for (at, (place, asked)) in questions.iter().enumerate() {
        for (number, question) in asked.iter().enumerate() {
            let target = question.target().filter(|t| !t.is_loopback());
            let key = match target {
                None => (0, 0, None),
                Some(target) => {
                    let other = owner(target).unwrap_or(usize::MAX);
                    ((*place).min(other), (*place).max(other), Some((*place, target)))
                }
            };
            let group = sorted.entry(key).or_insert_with(|| Group {
                entries: target.map(|t| entries(*place, t, owner(t), addresses)).unwrap_or_default(),
                items: Vec::new(),
            });
            group.items.push((at, number));
        }
    }
    sorted.into_values().collect()
}

/// The entries that asking `target` from `place` makes, at both ends.
fn entries(place: usize, target: IpAddr, owner: Option<usize>, addresses: &[Vec<IpNet>]) -> BTreeSet<Entry> {
    if owner == Some(place) {
        return BTreeSet::new();
    }
    let own = addresses.get(place).into_iter().flatten();
    let on_link = own.into_iter().find(|net| net.contains(&target));
    let gateway: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let (here, there) = match on_link {
        Some(net) => (target, net.addr()),
        None => (gateway, gateway),
    };
    [Some((place, here)), owner.map(|owner| (owner, there))].into_iter().flatten().collect()
}

/// The room in this machine's table, where it can be read.
pub fn room_here() -> Option<usize> {
    std::fs::read_to_string("/proc/sys/net/ipv4/neigh/default/gc_thresh3").ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(to: &str) -> Question {
        Question::Echo { to: to.parse().unwrap(), device: None, within: SPAN, tries: 1 }
    }

    type Mesh = (Vec<(usize, Vec<Question>)>, Vec<Vec<IpNet>>);

    /// Places on one network, each asking each.
    fn mesh(count: u8) -> Mesh {
        let address = |n: u8| format!("198.18.0.{}", n + 1);
        let ask = |from: u8| (0..count).filter(|to| *to != from).map(|to| echo(&address(to))).collect();
        let own = |n: u8| vec![format!("{}/24", address(n)).parse().unwrap()];
        ((0..count).map(|n| (usize::from(n), ask(n))).collect(), (0..count).map(own).collect())
    }

    #[test]
    fn a_mesh_of_fifty_goes_in_waves_that_fit() {
        let (questions, addresses) = mesh(50);
        let mut groups = groups(&questions, &addresses);
        let mut table = Table::new(None);
        let (mut waves, mut asked, mut now) = (0, BTreeSet::new(), Instant::now());
        while !groups.is_empty() {
            let wave = table.take(&mut groups, now);
            assert!(table.recent.len() <= 512, "{}", table.recent.len());
            asked.extend(wave.iter().flat_map(|g| g.items.clone()));
            assert_eq!(table.take(&mut groups, now), [], "the rest has to wait");
            waves += 1;
            now += SPAN;
        }
        assert_eq!((waves, asked.len()), (5, 2450));
    }

    #[test]
    fn both_directions_share_their_entries_and_others_need_a_gateway_alone() {
        let (questions, addresses) = mesh(2);
        let both = groups(&questions, &addresses);
        assert_eq!(both[0].entries, both[1].entries);
        assert_eq!(both[0].entries.len(), 2);
        let away = [(0, vec![echo("203.0.113.1"), echo("203.0.113.2"), echo("127.0.0.1"), echo("198.18.0.1")])];
        let needed: Vec<usize> = groups(&away, &addresses).iter().map(|g| g.entries.len()).collect();
        assert_eq!(needed, [0, 0, 1, 1], "loopback, itself, and two by one gateway");
        let mut table = Table::new(Some(16));
        table.take(&mut groups(&away, &addresses), Instant::now());
        assert_eq!(table.recent.len(), 1);
    }

    #[test]
    fn what_was_forgotten_makes_room() {
        let (questions, addresses) = mesh(4);
        let mut table = Table::new(Some(16));
        let mut groups = groups(&questions, &addresses);
        let now = Instant::now();
        assert!(!table.take(&mut groups, now).is_empty() && !groups.is_empty());
        for place in 0..4 {
            assert!(table.of(place).iter().all(IpAddr::is_ipv4));
        }
        table.forget();
        assert!(!table.take(&mut groups, now).is_empty());
    }
}

//! The part of a subnet that the Engine hands out from, where some of its addresses are somebody's.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;

/// How many addresses a part has beside one for each container that the file has now: others come and go.
const SPARE: u64 = 2;

/// The host bits of an IPv6 subnet that are looked at. Of a part that begins higher Engine 20.10 says `invalid bit range` (measured: the
/// upper half of a /64), and four billion addresses are enough.
const HOST_BITS: u8 = 32;

/// The largest part of a subnet without any of these addresses and with room for so many containers; none where there is no such part. Of
/// several the last one: addresses are written from the front, so that one more of them changes nothing.
pub fn part_without(subnet: IpNet, taken: &[IpAddr], containers: u64) -> Option<IpNet> {
    let length = subnet.prefix_len().max(subnet.max_prefix_len() - HOST_BITS);
    let searched = IpNet::new(subnet.network(), length).ok()?;
    let part = largest_free(searched, taken).filter(|part| part.prefix_len() > subnet.prefix_len())?;
    // the first and the last address may be the subnet's own
    let room = (1_u64 << (part.max_prefix_len() - part.prefix_len())).saturating_sub(2);
    (room >= containers.saturating_add(SPARE)).then_some(part)
}

/// The largest aligned part without any of the addresses, of several the last one.
fn largest_free(net: IpNet, taken: &[IpAddr]) -> Option<IpNet> {
    if !taken.iter().any(|address| net.contains(address)) {
        return Some(net);
    }
    let halves = net.subnets(net.prefix_len() + 1).ok()?;
    halves.filter_map(|half| largest_free(half, taken)).max_by_key(|part| Reverse(part.prefix_len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_without_a_given_address_is_handed_out() {
        let part = |subnet: &str, taken: &[&str], containers| {
            let taken: Vec<IpAddr> = taken.iter().map(|address| address.parse().unwrap()).collect();
            part_without(subnet.parse().unwrap(), &taken, containers).map(|part| part.to_string())
        };
        let of = |taken: &[&str], containers| part("10.0.0.0/24", taken, containers);
        assert_eq!(of(&["10.0.0.1", "10.0.0.9"], 1).as_deref(), Some("10.0.0.128/25"));
        assert_eq!(of(&["10.0.0.1", "10.0.0.200"], 1).as_deref(), Some("10.0.0.128/26"));
        assert_eq!(of(&["10.0.0.200"], 1).as_deref(), Some("10.0.0.0/25"));
        assert_eq!(of(&["10.0.0.1", "10.0.0.200"], 60).as_deref(), Some("10.0.0.128/26"));
        assert_eq!(of(&["10.0.0.1", "10.0.0.200"], 61), None, "too small for all");
        assert_eq!(part("10.0.0.0/30", &["10.0.0.1", "10.0.0.2"], 1), None);
        assert_eq!(part("10.0.0.0/8", &["10.0.0.1"], 1).as_deref(), Some("10.128.0.0/9"));
        assert_eq!(part("fd31:7::/64", &["fd31:7::1", "fd31:7::9"], 1).as_deref(), Some("fd31:7::8000:0/97"));
        // what lies further up is in no part that is handed out
        assert_eq!(part("fd31:7::/64", &["fd31:7::8:0:0:9"], 1).as_deref(), Some("fd31:7::/96"));
    }

    #[test]
    fn one_more_address_outside_the_part_does_not_move_it() {
        let subnet: IpNet = "10.0.0.0/24".parse().unwrap();
        let mut taken: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap()];
        let first = part_without(subnet, &taken, 1).unwrap();
        for last in 2..128 {
            taken.push(format!("10.0.0.{last}").parse().unwrap());
            assert_eq!(part_without(subnet, &taken, 1), Some(first));
        }
    }
}

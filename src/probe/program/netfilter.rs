//! What the kernel says of its firewall, read from its messages. Pure.
//!
//! Numbers: include/uapi/linux/netfilter/nf_tables.h and include/uapi/linux/netfilter.h; those in messages are in network order.

use super::answer::Chain;
use super::netlink::{attributes, text};

/// Reads the body of an `NFT_MSG_NEWCHAIN`; none of a chain that packets come to only by way of another.
pub fn chain(body: &[u8]) -> Option<Chain> {
    let family = *body.first()?;
    let find = |number| {
        attributes(body.get(4..).unwrap_or_default()).find(|(kind, _)| *kind == number).map(|(_, value)| value)
    };
    let hook = attributes(find(4)?).find(|(kind, _)| *kind == 1).and_then(|(_, value)| number(value))?;
    Some(Chain {
        family: family_name(family),
        table: text(find(1)?),
        name: text(find(3)?),
        hook: hook_name(hook),
        drops: find(5).and_then(number) == Some(0),
    })
}

fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.get(..4)?.try_into().ok()?))
}

fn family_name(family: u8) -> String {
    match family {
        1 => "inet".to_owned(),
        2 => "ip".to_owned(),
        10 => "ip6".to_owned(),
        other => other.to_string(),
    }
}

fn hook_name(hook: u32) -> String {
    const HOOKS: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];
    let at = usize::try_from(hook).ok().and_then(|at| HOOKS.get(at));
    at.map_or_else(|| hook.to_string(), |name| (*name).to_owned())
}

//! A VLAN of a trunk, and the links that it takes on the Engine's host.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::finding::{Code, Finding};
use crate::source::{Span, Spanned};

/// The longest name of a link, in bytes (`IFNAMSIZ` less the final zero, include/uapi/linux/if.h).
pub const LINK_NAME_MAX: usize = 15;

/// A VLAN's link that another network could hang on than on `parent`: `eth0.10` for `eth0`, its neighbour for `eth0.10`.
pub fn another_vlan(parent: &str) -> String {
    match parent.rsplit_once('.').and_then(|(card, id)| Some((card, id.parse::<u16>().ok()?))) {
        Some((card, id)) => format!("{card}.{}", id % 4094 + 1),
        None => format!("{parent}.10"),
    }
}

/// What a tag is marked with on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TagProtocol {
    /// `802.1Q`, of customers: what everybody means by a VLAN.
    Customer,
    /// `802.1ad`, of providers: the outer one of two.
    Service,
}

impl TagProtocol {
    /// Its EtherType (include/uapi/linux/if_ether.h: `ETH_P_8021Q`, `ETH_P_8021AD`).
    pub const fn ethertype(self) -> u16 {
        match self {
            Self::Customer => 0x8100,
            Self::Service => 0x88a8,
        }
    }

    /// The protocol that has this EtherType.
    pub const fn of(ethertype: u16) -> Option<Self> {
        match ethertype {
            0x8100 => Some(Self::Customer),
            0x88a8 => Some(Self::Service),
            _ => None,
        }
    }

    /// As it is written in a stack file.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Customer, Self::Service].into_iter().find(|protocol| protocol.to_string() == word)
    }
}

impl fmt::Display for TagProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Customer => "802.1Q",
            Self::Service => "802.1ad",
        })
    }
}

/// `x-trunks.*.vlans.*`: the VLAN that a network rides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// Where it is written.
    pub span: Span,
    /// `id`, from 1 to 4094: the inner one where there are two.
    pub id: u16,
    /// `within`: the id of the outer tag.
    pub within: Option<u16>,
    /// `protocol` of the only tag, or of the outer one. An inner one is 802.1Q.
    pub protocol: TagProtocol,
    /// `name` of the link.
    pub name: Option<Spanned<String>>,
    /// `mtu` of the link.
    pub mtu: Option<Spanned<u32>>,
}

/// A link of the Engine's host that puts a tag on what it sends, and takes what has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VlanLink {
    /// Its name.
    pub name: String,
    /// The link that it is on.
    pub parent: String,
    /// The id of the tag.
    pub id: u16,
    /// The tag's protocol.
    pub protocol: TagProtocol,
    /// How many bytes a packet has at most; none: as many as its parent's.
    pub mtu: Option<u32>,
}

impl Vlan {
    /// The links that it takes on a parent, the outer one first; the last is the one that the network hangs on.
    pub fn links(&self, parent: &str) -> Vec<VlanLink> {
        let mtu = self.mtu.map(|mtu| mtu.value);
        let link =
            |parent: &str, id, protocol, name, mtu| VlanLink { name, parent: parent.to_owned(), id, protocol, mtu };
        let Some(outer) = self.within else {
            return vec![link(parent, self.id, self.protocol, self.link_name(parent), mtu)];
        };
        let only = Self { id: outer, within: None, name: None, mtu: None, ..self.clone() };
        let outer = only.link_name(parent);
        let inner = link(&outer, self.id, TagProtocol::Customer, self.link_name(parent), mtu);
        vec![link(parent, only.id, self.protocol, outer, None), inner]
    }

    /// Whether the Engine cannot make it: it makes links named `parent.id` alone, with one tag of 802.1Q and their parent's MTU.
    pub fn is_ours(&self, parent: &str) -> bool {
        self.mtu.is_some() || self.within.is_some() || self.link_name(parent) != Self::engines(parent, self.id)
    }

    /// The name of the link that the network hangs on: the user's, or one that is made of parent and ids.
    pub fn link_name(&self, parent: &str) -> String {
        match (&self.name, self.long_name(parent)) {
            (Some(name), _) => name.value.clone(),
            (None, long) if long.len() <= LINK_NAME_MAX => long,
            (None, long) => {
                let digits: String = Sha256::digest(long).iter().take(3).map(|byte| format!("{byte:02x}")).collect();
                format!("bw{digits}-{}", self.id)
            }
        }
    }

    /// The name that it would have, where a link's name has no room for that and another one is taken.
    pub fn shortened(&self, parent: &str) -> Option<String> {
        Some(self.long_name(parent)).filter(|long| self.name.is_none() && long.len() > LINK_NAME_MAX)
    }

    /// Tells that its link gets another name than people would look for.
    pub fn tell_shortened(&self, network: &str, parent: &str) -> Option<Finding> {
        let long = self.shortened(parent)?;
        let message = format!(
            "`{long}`, the VLAN link of network {network}, would have {} bytes, and a link's name has {LINK_NAME_MAX} at most: it is called `{}`",
            long.len(),
            self.link_name(parent)
        );
        let help = format!("or give it a name of your own: `{network}: {{id: {}, name: vlan{}}}`", self.id, self.id);
        Some(Finding::note(Code::NameTooLong, message).at(self.span).help(help))
    }

    /// What the Engine would call it, where it can make it; otherwise a name without a dot, by which nobody takes it for such a link.
    fn long_name(&self, parent: &str) -> String {
        let tag = match self.protocol {
            TagProtocol::Customer => "",
            TagProtocol::Service => "ad",
        };
        let base = parent.replace('.', "-");
        match self.within {
            None if tag.is_empty() && base == parent => Self::engines(parent, self.id),
            None => format!("{base}-{tag}{}", self.id),
            Some(outer) => format!("{base}-{tag}{outer}-{}", self.id),
        }
    }

    fn engines(parent: &str, id: u16) -> String {
        format!("{parent}.{id}")
    }
}

impl fmt::Display for Vlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VLAN {}", self.id)?;
        match (self.within, self.protocol) {
            (Some(outer), protocol) => write!(f, " within {protocol} {outer}"),
            (None, TagProtocol::Service) => write!(f, " of 802.1ad"),
            (None, TagProtocol::Customer) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Vlan {
        let span = Span::new(crate::source::FileId(0), 0, 0);
        Vlan { span, id: 10, within: None, protocol: TagProtocol::Customer, name: None, mtu: None }
    }

    #[test]
    fn another_vlan_is_on_the_same_card() {
        assert_eq!(["eth0", "eth0.10", "eth0.4094"].map(another_vlan), ["eth0.10", "eth0.11", "eth0.1"]);
    }

    #[test]
    fn links_are_the_engines_where_it_can_make_them() {
        assert_eq!((plain().link_name("eth0"), plain().is_ours("eth0")), ("eth0.10".to_owned(), false));
        let named = |name: &str| Vlan { name: Some(Spanned::new(name.to_owned(), plain().span)), ..plain() };
        assert!(!named("eth0.10").is_ours("eth0") && named("blue").is_ours("eth0"));
        assert!(Vlan { mtu: Some(Spanned::new(1400, plain().span)), ..plain() }.is_ours("eth0"));
        assert!(Vlan { protocol: TagProtocol::Service, ..plain() }.is_ours("eth0"));
        // a VLAN in a VLAN that somebody made has a name that the Engine cannot read
        assert_eq!((plain().link_name("eth0.100"), plain().is_ours("eth0.100")), ("eth0-100-10".to_owned(), true));
    }

    #[test]
    fn two_tags_are_two_links() {
        let within = Vlan { within: Some(100), protocol: TagProtocol::Service, ..plain() };
        let links = within.links("eth0");
        let told: Vec<String> =
            links.iter().map(|l| format!("{} on {}: {} {}", l.name, l.parent, l.protocol, l.id)).collect();
        assert_eq!(told, ["eth0-ad100 on eth0: 802.1ad 100", "eth0-ad100-10 on eth0-ad100: 802.1Q 10"]);
        assert_eq!(within.to_string(), "VLAN 10 within 802.1ad 100");
        let plain = Vlan { within: Some(100), ..plain() };
        assert_eq!(plain.links("eth0").iter().map(|l| &*l.name).collect::<Vec<_>>(), ["eth0.100", "eth0-100-10"]);
    }

    #[test]
    fn a_name_without_room_is_shortened_and_differs_by_parent_and_id() {
        let (one, other) = ("enx0123456789ab", "enx0123456789ac");
        assert_eq!(plain().shortened(one), Some("enx0123456789ab.10".to_owned()));
        assert_eq!(plain().shortened("eth0"), None);
        let names = [plain().link_name(one), plain().link_name(other), Vlan { id: 4094, ..plain() }.link_name(one)];
        assert!(names.iter().all(|name| name.len() <= LINK_NAME_MAX && name.starts_with("bw")), "{names:?}");
        assert!(names[0] != names[1] && names[2].ends_with("-4094"), "{names:?}");
    }
}

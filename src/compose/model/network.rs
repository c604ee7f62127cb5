//! One network.

use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::vlan::{Vlan, VlanLink};
use crate::name::NetworkKey;
use crate::source::{Span, Spanned};

/// A network, canonical.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its key.
    pub key: NetworkKey,
    /// Where the key stands; for the implicit default network, the service that joins it first.
    pub span: Option<Span>,
    /// Its name in the Engine.
    pub name: String,
    /// `external`: made by somebody else, never changed, never removed.
    pub external: bool,
    /// `driver`; absent is the Engine's default, `bridge`.
    pub driver: Option<Spanned<String>>,
    /// `driver_opts`.
    pub driver_opts: IndexMap<String, Spanned<String>>,
    /// `ipam`.
    pub ipam: Ipam,
    /// `internal`.
    pub internal: bool,
    /// `attachable`.
    pub attachable: bool,
    /// `enable_ipv4` (API 1.48).
    pub enable_ipv4: Option<bool>,
    /// `enable_ipv6`.
    pub enable_ipv6: Option<bool>,
    /// `labels`, the user's own.
    pub labels: IndexMap<String, String>,
    /// The trunk that it rides on, as far as `driver_opts` cannot say it; the default where it rides on none.
    pub trunk: Trunk,
}

/// What `x-trunks` says of a wire and its driver is not told.
#[derive(Clone, Debug, Default)]
pub struct Trunk {
    /// Its key in `x-trunks`; empty where the network rides on none.
    pub name: String,
    /// `parent`: the link of the Engine's host that every VLAN of it is on.
    pub parent: String,
    /// `vlans`: the VLAN that this network has on it; none is untagged.
    pub vlan: Option<Vlan>,
    /// `routed`: the networks that a router joins with this one.
    pub routed: Vec<NetworkKey>,
    /// `hairpin`: whether the switch behind the parent sends back what came from it.
    pub hairpin: bool,
    /// `host_access`: the host's own address on this network's wire.
    pub host_access: Option<Spanned<IpAddr>>,
    /// `mtu`: how many bytes a packet on it has at most.
    pub mtu: Option<Spanned<u32>>,
    /// `promisc`: whether the parent takes frames that are not for it; `auto` is none.
    pub promisc: Option<Spanned<bool>>,
}

impl Trunk {
    /// The VLAN links that bowline makes for this network, the outer one first; none where the Engine can make them.
    pub fn own_links(&self) -> Vec<VlanLink> {
        let vlan = self.vlan.as_ref().filter(|vlan| vlan.is_ours(&self.parent));
        vlan.map(|vlan| vlan.links(&self.parent)).unwrap_or_default()
    }
}

impl Network {
    /// The driver, `bridge` where the file names none.
    pub fn driver_name(&self) -> &str {
        self.driver.as_ref().map_or("bridge", |d| d.value.as_str())
    }
}

/// `ipam`.
#[derive(Clone, Debug, Default)]
pub struct Ipam {
    /// `driver`.
    pub driver: Option<String>,
    /// `config`.
    pub pools: Vec<Pool>,
    /// `options`.
    pub options: IndexMap<String, String>,
}

/// One entry of `ipam.config`.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Where the entry stands.
    pub span: Span,
    /// `subnet`, as written (host bits are not cut off: lint speaks of them).
    pub subnet: Option<Spanned<IpNet>>,
    /// `ip_range`.
    pub ip_range: Option<Spanned<IpNet>>,
    /// `gateway`.
    pub gateway: Option<Spanned<IpAddr>>,
    /// `aux_addresses`.
    pub aux_addresses: IndexMap<String, Spanned<IpAddr>>,
}

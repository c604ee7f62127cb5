//! Networks and volumes.

use super::fields::Fields;
use crate::compose::model::{Ipam, Network, Pool, Trunk, Volume};
use crate::compose::tree;
use crate::finding::{Code, Findings};
use crate::name::{NetworkKey, VolumeKey};
use crate::source::Span;
use crate::yaml::Node;

pub(super) fn network(key: NetworkKey, span: Span, node: &Node, findings: &mut Findings) -> Network {
    let fields = Fields { node, path: format!("networks.{key}"), findings };
    Network {
        span: Some(span),
        name: fields.text("name").unwrap_or_else(|| key.to_string()),
        external: fields.flag("external").unwrap_or(false),
        driver: fields.spanned("driver"),
        driver_opts: fields.spanned_pairs("driver_opts"),
        internal: fields.flag("internal").unwrap_or(false),
        attachable: fields.flag("attachable").unwrap_or(false),
        enable_ipv4: fields.flag("enable_ipv4"),
        enable_ipv6: fields.flag("enable_ipv6"),
        labels: fields.pairs("labels"),
        trunk: Trunk::default(),
        ipam: ipam(node, &fields.path, fields.findings),
        key,
    }
}

fn ipam(network: &Node, path: &str, findings: &mut Findings) -> Ipam {
    let Some(node) = network.get("ipam") else { return Ipam::default() };
    let pools = tree::items(node, "config");
    let pools = pools.iter().enumerate().map(|(i, pool)| {
        let fields = Fields { node: pool, path: format!("{path}.ipam.config[{i}]"), findings: &mut *findings };
        read_pool(fields)
    });
    let pools = pools.collect();
    let fields = Fields { node, path: format!("{path}.ipam"), findings };
    Ipam { driver: fields.text("driver"), pools, options: fields.pairs("options") }
}

fn read_pool(mut fields: Fields<'_, '_>) -> Pool {
    let (subnet, address) = ("a subnet", "an address");
    let (subnet_help, address_help) = ("write an address and a prefix: `172.30.0.0/24`", "write one: `172.30.0.1`");
    let mut aux_addresses = indexmap::IndexMap::new();
    for (name, text) in fields.spanned_pairs("aux_addresses") {
        match text.parse() {
            Ok(ip) => drop(aux_addresses.insert(name, text.map(|_| ip))),
            Err(_) => {
                let message = format!("{}.aux_addresses.{name}: `{}` is not {address}", fields.path, text.value);
                fields.refuse(Code::BadSubnet, message, text.span, address_help);
            }
        }
    }
    Pool {
        span: fields.node.span,
        subnet: fields.parsed("subnet", Code::BadSubnet, subnet, subnet_help),
        ip_range: fields.parsed("ip_range", Code::BadSubnet, subnet, subnet_help),
        gateway: fields.parsed("gateway", Code::BadSubnet, address, address_help),
        aux_addresses,
    }
}

pub(super) fn volume(key: VolumeKey, span: Span, node: &Node, findings: &mut Findings) -> Volume {
    let fields = Fields { node, path: format!("volumes.{key}"), findings };
    Volume {
        span: Some(span),
        name: fields.text("name").unwrap_or_else(|| key.to_string()),
        external: fields.flag("external").unwrap_or(false),
        driver: fields.text("driver"),
        driver_opts: fields.pairs("driver_opts"),
        labels: fields.pairs("labels"),
        key,
    }
}

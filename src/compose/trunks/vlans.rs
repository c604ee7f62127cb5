//! `x-trunks.*.vlans`: an id, `native`, or what the Engine cannot make (another name, two tags, another protocol, an MTU).

use indexmap::IndexMap;

use super::{Taken, Trunk, scalar};
use crate::compose::model::{LINK_NAME_MAX, TagProtocol, Vlan, VlanLink};
use crate::compose::tree::text;
use crate::finding::{Code, Finding, Findings};
use crate::source::{Span, Spanned};
use crate::yaml::{Mapping, Node, Value};

impl<'t> Trunk<'t> {
    /// Reads the VLAN of each network; two on one VLAN share a wire, which is no trunk's purpose.
    pub(super) fn read_vlans(&mut self, findings: &mut Findings) {
        let mut seen: IndexMap<String, Span> = IndexMap::new();
        for (network, entry) in self.node.get("vlans").and_then(Node::as_map).into_iter().flat_map(Mapping::iter) {
            let key = format!("x-trunks.{}.vlans.{network}", self.name);
            let Some(vlan) = read(&entry.value) else {
                misread(&key, &entry.value).into_iter().for_each(|finding| findings.push(finding));
                continue;
            };
            let told = vlan.as_ref().map_or_else(|| "the untagged wire".to_owned(), ToString::to_string);
            if let Some(first) = seen.insert(told.clone(), entry.value.span) {
                let message = format!("x-trunks.{}: two networks on {told}", self.name);
                let finding = Finding::error(Code::BadVlan, message).at(entry.value.span).also(first, "the first one");
                findings.push(finding.help("give each network a VLAN of its own: on one they share the wire"));
            }
            if let Some(name) = vlan.as_ref().and_then(|vlan| vlan.name.as_ref()) {
                let refused = self.refused_name(&key, name, vlan.as_ref().map_or(0, |vlan| vlan.id));
                refused.into_iter().for_each(|finding| findings.push(finding));
            }
            // the name that stands for `auto` is not known yet
            if let Some(vlan) = vlan.as_ref().filter(|_| self.parent.value != "auto") {
                let told = vlan.tell_shortened(network, self.parent.value);
                told.into_iter().for_each(|finding| findings.push(finding));
            }
            self.vlans.push((network, entry.key, vlan));
        }
    }

    /// A name that no link can have, or that says another VLAN than it is.
    fn refused_name(&self, key: &str, name: &Spanned<String>, id: u16) -> Option<Finding> {
        let text = name.value.as_str();
        let (parent, engines) = (self.parent.value, format!("{}.{id}", self.parent.value));
        let (code, why, help) = if text.len() > LINK_NAME_MAX {
            let why = format!("has {} bytes, and a link's name has {LINK_NAME_MAX} at most", text.len());
            (Code::NameTooLong, why, "take a shorter one, or leave `name` out".to_owned())
        } else if text == parent {
            let help = "take another name, or `native` for frames without a tag".to_owned();
            (Code::Conflict, "is the trunk's parent".to_owned(), help)
        } else if text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control()) {
            (Code::BadValue, "is no name of a link".to_owned(), "letters, digits, `-` and `_`".to_owned())
        } else if text.contains('.') && text != engines {
            let why = format!("has a dot, by which the Engine would make another VLAN of it than {id} of {parent}");
            (Code::BadVlan, why, format!("`{}`, or leave `name` out", text.replace('.', "-")))
        } else {
            return None;
        };
        Some(Finding::error(code, format!("{key}.name: `{text}` {why}")).at(name.span).help(help))
    }

    /// A name is that of one VLAN, and the kernel has one link for each VLAN of a parent.
    pub(super) fn check_links(&self, taken: &mut Taken<'t>, findings: &mut Findings) {
        for vlan in self.vlans.iter().filter_map(|(.., vlan)| vlan.as_ref()) {
            for link in vlan.links(self.parent.value) {
                let Some((other, first)) = taken.links.iter().find(|(other, _)| at_odds(other, &link)) else {
                    taken.links.push((link, vlan.span));
                    continue;
                };
                let message = if other.name != link.name {
                    let (id, protocol, parent) = (link.id, link.protocol, &link.parent);
                    format!("VLAN {id} ({protocol}) of `{parent}` has two names, `{}` and `{}`", other.name, link.name)
                } else if (&other.parent, other.id, other.protocol) == (&link.parent, link.id, link.protocol) {
                    format!("the link `{}` is to have two MTUs", link.name)
                } else {
                    format!("the link `{}` is to carry two VLANs", link.name)
                };
                let finding = Finding::error(Code::BadVlan, message).at(vlan.span).also(*first, "the other one");
                findings.push(
                    finding.help("a VLAN has one link: write the same in both places, or another id or `name` in one"),
                );
            }
        }
    }
}

/// Whether two links have one name and are not the same, or are one VLAN under two names.
fn at_odds(one: &VlanLink, other: &VlanLink) -> bool {
    let vlan = |link: &VlanLink| (link.parent.clone(), link.id, link.protocol);
    one != other && (one.name == other.name || vlan(one) == vlan(other))
}

/// What is wrong with an entry; of a mapping's ids the table of attributes tells.
fn misread(key: &str, node: &Node) -> Option<Finding> {
    if node.as_map().is_some() {
        let finding = Finding::error(Code::MissingKey, format!("{key} needs `id`")).at(node.span);
        let help = "the VLAN's id, from 1 to 4094: `{id: 10, name: blue}`";
        return node.get("id").is_none_or(Node::is_null).then(|| finding.help(help));
    }
    let message = format!("{key} is a VLAN id from 1 to 4094, or `native`");
    let finding = Finding::error(Code::BadVlan, message).at(node.span);
    Some(finding.help("write a number, or `native` for frames without a tag"))
}

/// The VLAN of a network; `native` is none within.
pub(super) fn read(node: &Node) -> Option<Option<Vlan>> {
    let plain = |id| Vlan { span: node.span, id, within: None, protocol: TagProtocol::Customer, name: None, mtu: None };
    if node.as_map().is_none() {
        return if node.as_str() == Some("native") { Some(None) } else { id(node).map(|id| Some(plain(id))) };
    }
    let within = match node.get("within").filter(|outer| !outer.is_null()) {
        Some(outer) => Some(id(outer)?),
        None => None,
    };
    let usual = if within.is_some() { TagProtocol::Service } else { TagProtocol::Customer };
    let mtu = node.get("mtu").and_then(|mtu| Some(Spanned::new(scalar(mtu).parse().ok()?, mtu.span)));
    Some(Some(Vlan {
        within,
        protocol: text(node, "protocol").and_then(TagProtocol::read).unwrap_or(usual),
        name: text(node, "name").zip(node.get("name")).map(|(name, at)| Spanned::new(name.to_owned(), at.span)),
        mtu,
        ..plain(node.get("id").and_then(id)?)
    }))
}

fn id(node: &Node) -> Option<u16> {
    let id = match node.as_scalar().map(|scalar| &scalar.value)? {
        Value::Int(id) => u16::try_from(*id).ok()?,
        _ => node.as_str()?.parse().ok()?,
    };
    (1..=4094).contains(&id).then_some(id)
}

//! Short forms made long and values made plain, by the table, before files are merged.
//!
//! Afterwards each attribute has one form: environments are mappings, commands lists, sizes numbers of bytes, ports and
//! mounts mappings. Merging, decoding and printing know no other.

mod long;
mod value;

use crate::compose::attributes::{Form, Place, Short};
use crate::compose::budget::Budget;
use crate::compose::trail::Trail;
use crate::finding::{Code, Finding, Findings};
use crate::yaml::{Data, Node};

/// Whether `${…}` have been replaced. Where not, values stay as they are written (a command is not split: its words may
/// stand in a variable), and a short form that cannot be read stays too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variables {
    /// They have been replaced.
    Replaced,
    /// They still stand in the text.
    Kept,
}

/// Makes a file canonical in place. What cannot be read is found, and stays as it is.
pub fn canonical(file: &mut Node, variables: Variables, budget: &mut Budget, findings: &mut Findings) {
    Canonical { variables, budget, findings }.node(file, Place::root(), &mut Trail::default());
}

/// Makes one place of a file canonical, as [`canonical`] does.
pub fn canonical_at(
    node: &mut Node,
    place: Place,
    trail: &mut Trail,
    variables: Variables,
    budget: &mut Budget,
    findings: &mut Findings,
) {
    Canonical { variables, budget, findings }.node(node, place, trail);
}

struct Canonical<'a> {
    variables: Variables,
    budget: &'a mut Budget,
    findings: &'a mut Findings,
}

/// How many values a port becomes: the mapping and its fields.
const PORT_WEIGHT: usize = 6;

impl Canonical<'_> {
    fn node(&mut self, node: &mut Node, place: Place, trail: &mut Trail) {
        if place == Place::UNKNOWN || node.is_null() {
            return;
        }
        if let Some(attribute) = place.attribute() {
            self.shape(node, place, attribute.short, trail);
            if self.variables == Variables::Replaced || matches!(attribute.form, Form::OneOrMore | Form::TextOrFlag) {
                self.value(node, attribute.form, attribute.short, trail);
            }
        }
        self.children(node, place, trail);
    }

    fn children(&mut self, node: &mut Node, place: Place, trail: &mut Trail) {
        match &node.data {
            Data::Map(_) => {
                let Some(map) = node.as_map_mut() else { return };
                let aliased: Vec<_> =
                    map.0.keys().filter_map(|key| Some((key.clone(), place.own_name(key)?))).collect();
                for (alias, name) in aliased {
                    map.0.rename(&alias, name.into());
                }
                for (key, entry) in map.0.iter_mut() {
                    trail.at_key(key, |trail| self.node(&mut entry.value, place.key(key), trail));
                }
            }
            Data::Seq(_) if place.item() != Place::UNKNOWN => {
                let Some(items) = node.as_seq_mut() else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    trail.at_item(index, |trail| self.node(item, place.item(), trail));
                }
            }
            _ => {}
        }
    }

    /// The long form of a node; a list of ports is looked at as a whole, because one item may become several.
    fn shape(&mut self, node: &mut Node, place: Place, short: Short, trail: &mut Trail) {
        let tag = node.tag;
        let items = place.item().attribute().map(|a| a.short);
        if items == Some(Short::Port) && node.as_seq().is_some() {
            *node = self.ports(node, trail);
        } else if place.attribute().is_some_and(|a| a.form == Form::TextOrList) && node.as_scalar().is_some() {
            *node = match short {
                Short::Gpus => long::every_gpu(node),
                _ => Node::seq(node.span, vec![node.clone()]),
            };
        } else {
            match long::long(node, short) {
                Ok(None) => {}
                Ok(Some(long)) => *node = long,
                Err(bad) => self.refuse(node, bad, trail),
            }
        }
        node.tag = tag;
    }

    fn ports(&mut self, list: &Node, trail: &mut Trail) -> Node {
        let mut ports = vec![];
        for (index, item) in list.as_seq().unwrap_or_default().iter().enumerate() {
            if item.as_scalar().is_none() {
                ports.push(item.clone());
                continue;
            }
            match long::ports(item) {
                Ok(_) if self.budget.is_spent() => {}
                Ok((count, _)) if !self.budget.take(count * PORT_WEIGHT) => {
                    trail.at_item(index, |trail| self.findings.push(too_many(item, count, trail)));
                }
                Ok((_, long)) => ports.extend(long),
                Err(bad) => {
                    trail.at_item(index, |trail| self.refuse(item, bad, trail));
                    ports.push(item.clone());
                }
            }
        }
        Node::seq(list.span, ports)
    }

    fn value(&mut self, node: &mut Node, form: Form, short: Short, trail: &mut Trail) {
        if let Some(warning) = value::warning(node, form) {
            self.findings.push(Finding { message: format!("{trail}: {}", warning.message), ..warning });
        }
        let tag = node.tag;
        match value::plain(node, form, short) {
            Ok(None) => {}
            Ok(Some(plain)) => *node = plain,
            Err(bad) => self.refuse(node, bad, trail),
        }
        node.tag = tag;
    }

    fn refuse(&mut self, node: &Node, bad: super::value::BadValue, trail: &Trail) {
        let may_be_variable = node.as_str().is_some_and(|text| text.contains('$'));
        if self.variables == Variables::Kept && may_be_variable {
            return;
        }
        let message = format!("{trail}: {}", bad.message);
        self.findings.push(Finding::error(Code::BadValue, message).at(node.span).help(bad.help));
    }
}

fn too_many(item: &Node, count: usize, trail: &Trail) -> Finding {
    let message = format!("{trail}: with these {count} ports there are more than a stack can have");
    let help = "publish the range that is needed, or give the service the host's network: `network_mode: host`";
    Finding::error(Code::YamlBudget, message).at(item.span).help(help)
}

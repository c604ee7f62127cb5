//! VLAN links that bowline makes on the Engine's host, where a trunk asks for what the Engine cannot make.

use super::desired::labels;
use super::difference::Difference;
use super::shim::{label_of, name as short_name, prefix};
use crate::compose::model::Project;
pub use crate::compose::model::{TagProtocol, VlanLink};
use crate::name::ProjectName;
use crate::source::Span;

/// What stands on every link of any project begins with this.
const MARK: &str = "bowline ";

/// One to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredVlan {
    /// What it is.
    pub link: VlanLink,
    /// What it is called until it is whole: `bw`, six digits of the project, six of its name.
    pub draft: String,
    /// What stands on it: whose it is.
    pub label: String,
    /// Where it is asked for.
    pub span: Option<Span>,
}

/// A VLAN link of the host, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVlan {
    /// Its name.
    pub name: String,
    /// What stands on it; empty where nobody has written on it.
    pub label: String,
    /// The link that it is on; none: one in another namespace.
    pub parent: Option<String>,
    /// The id of its tag.
    pub id: u16,
    /// Its tag's protocol; none: one that we do not know.
    pub protocol: Option<TagProtocol>,
    /// How many bytes a packet has at most; 0 where that is not known.
    pub mtu: u32,
    /// Whether it is set up.
    pub up: bool,
}

impl From<&DesiredVlan> for ObservedVlan {
    /// As it is when it has just been made.
    fn from(made: &DesiredVlan) -> Self {
        let VlanLink { name, parent, id, protocol, mtu } = made.link.clone();
        let (label, parent, protocol) = (made.label.clone(), Some(parent), Some(protocol));
        Self { name, label, parent, id, protocol, mtu: mtu.unwrap_or_default(), up: true }
    }
}

impl ObservedVlan {
    /// Whether bowline made it for this project, or began to.
    pub fn belongs_to(&self, project: &ProjectName) -> bool {
        let prefix = prefix(project);
        let is_draft = self.label.is_empty() && self.name.starts_with(&prefix) && self.name.len() == prefix.len() + 6;
        is_draft || self.label.starts_with(&label_of(project))
    }

    /// Whether bowline made it, for whichever project.
    pub fn is_bowlines(&self) -> bool {
        self.label.starts_with(MARK)
    }

    /// What asks for it as it is.
    pub fn as_it_is(&self, project: &ProjectName) -> Option<DesiredVlan> {
        let mtu = Some(self.mtu).filter(|mtu| *mtu != 0);
        let (name, parent, protocol) = (self.name.clone(), self.parent.clone()?, self.protocol?);
        let draft = draft(project, &name);
        Some(DesiredVlan {
            link: VlanLink { name, parent, id: self.id, protocol, mtu },
            draft,
            label: self.label.clone(),
            span: None,
        })
    }
}

fn draft(project: &ProjectName, name: &str) -> String {
    short_name(project, name)
}

/// The links that the networks of a project ask for, each before those that stand on it.
pub fn desired(project: &Project) -> Vec<DesiredVlan> {
    let mut all: Vec<DesiredVlan> = vec![];
    for network in project.networks.values().filter(|network| !network.external) {
        for link in network.trunk.own_links() {
            if all.iter().any(|other| other.link.name == link.name) {
                continue; // two networks within one outer tag
            }
            let label = format!("{}vlan", label_of(&project.name));
            let span = network.trunk.vlan.as_ref().map(|vlan| vlan.span);
            all.push(DesiredVlan { draft: draft(&project.name, &link.name), link, label, span });
        }
    }
    all
}

/// What is not as declared.
pub fn differences(declared: &DesiredVlan, found: &ObservedVlan) -> Vec<Difference> {
    let link = &declared.link;
    let mtu = link.mtu.map_or(found.mtu, |mtu| mtu).to_string();
    let protocol = found.protocol.map_or_else(|| "another".to_owned(), |protocol| protocol.to_string());
    let pairs = [
        ("parent", link.parent.clone(), found.parent.clone().unwrap_or_else(|| "none".to_owned())),
        ("id", link.id.to_string(), found.id.to_string()),
        ("protocol", link.protocol.to_string(), protocol),
        ("mtu", mtu, found.mtu.to_string()),
        ("state", "up".to_owned(), (if found.up { "up" } else { "down" }).to_owned()),
    ];
    let unequal = pairs.into_iter().filter(|(_, declared, found)| declared != found);
    let field = |key: &str| format!("{}.{key}", link.name);
    unequal
        .map(|(key, declares, found)| Difference { field: field(key), declared: declares, found, at: declared.span })
        .collect()
}

/// The names of the links that a network's label names.
pub fn links_of(labels: &std::collections::BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    labels.get(labels::VLANS).into_iter().flat_map(|names| names.split(' '))
}

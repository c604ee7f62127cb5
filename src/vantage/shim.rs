//! The host's own links on the wires of networks (`host_access`): looked at, made and removed through the probe.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Options, Vantage, Vantages, Way};
use crate::engine::Engine;
use crate::name::ProjectName;
use crate::probe::{self, Answer, ProbeError, Question};
use crate::state::desired::Desired;
use crate::state::desired::labels::{HOST_ACCESS, VLANS};
use crate::state::observed::{Observed, ObservedNetwork};
use crate::state::shim::{DesiredShim, ObservedShim, label_of, prefix};
use crate::state::vlan::{ObservedVlan, TagProtocol};

/// `RT_TABLE_MAIN`.
const MAIN_TABLE: u32 = 254;

/// What gives reason to look for links on the host, beside the labels of the project's networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file asks for some.
    Declared,
    /// There is no file: the host is looked at where that takes no container.
    NoFile,
    /// The file asks for none.
    None,
}

impl Reason {
    /// Whether the file asks for some.
    pub fn of(desired: &Desired) -> Self {
        if desired.shims.is_empty() && desired.vlans.is_empty() { Self::None } else { Self::Declared }
    }
}

/// Adds links on the host to what was seen: the project's own on the wires of networks, and all that carry a VLAN.
///
/// # Errors
/// When the host cannot be looked at.
pub async fn look(
    engine: &Engine,
    project: &ProjectName,
    reason: Reason,
    seen: &mut Observed,
) -> Result<(), ProbeError> {
    let says = |n: &ObservedNetwork| [HOST_ACCESS, VLANS].iter().any(|label| n.labels.contains_key(*label));
    let labelled = seen.networks.iter().any(|n| n.belongs_to(project) && says(n));
    let questions = vec![Question::Links {}, Question::Addresses {}, Question::Routes {}];
    let answers = match (labelled, reason) {
        (true, _) | (_, Reason::Declared) => ask(engine, questions, Options::default()).await?,
        // what a kill left without a network is found on the direct way, and by whoever has the file
        (_, Reason::NoFile) => {
            let direct = Options { way: Way::Direct, ..Options::default() };
            ask(engine, questions, direct).await.unwrap_or_default()
        }
        (_, Reason::None) => return Ok(()),
    };
    let mut found = Found::default();
    for answer in answers {
        match answer {
            Answer::Links(links) => found.links = links,
            Answer::Addresses(addresses) => found.addresses = addresses,
            Answer::Routes(routes) => found.routes = routes,
            other => return Err(unexpected(&other)),
        }
    }
    seen.shims = found.shims(project);
    seen.vlans = found.vlans();
    Ok(())
}

/// Makes one.
///
/// # Errors
/// When the host cannot be entered, or its kernel refuses; then nothing of it is left.
pub async fn make(engine: &Engine, wanted: &DesiredShim) -> Result<(), ProbeError> {
    let question = Question::MakeShim {
        name: wanted.name.clone(),
        label: wanted.label.clone(),
        parent: wanted.parent.clone(),
        address: wanted.address,
        routes: wanted.routes.iter().map(ToString::to_string).collect(),
    };
    change(engine, question).await
}

/// Takes one away; one that is gone is well.
///
/// # Errors
/// When the host cannot be entered, or the link is not ours.
pub async fn remove(engine: &Engine, name: &str, label: &str) -> Result<(), ProbeError> {
    let question = Question::RemoveShim { name: name.to_owned(), label: label.to_owned() };
    change(engine, question).await
}

/// Asks the host for one change of its links.
pub(super) async fn change(engine: &Engine, question: Question) -> Result<(), ProbeError> {
    done(ask(engine, vec![question], Options { links: true, ..Options::default() }).await?)
}

async fn ask(engine: &Engine, questions: Vec<Question>, options: Options) -> Result<Vec<Answer>, ProbeError> {
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], options).await;
    let answers = vantages.ask(&[(0, questions)]).await;
    // what would not go is swept by the next run; the answers are good
    let _ = vantages.close().await;
    answers.into_iter().next().unwrap_or_else(|| Ok(vec![]))
}

fn done(answers: Vec<Answer>) -> Result<(), ProbeError> {
    match answers.into_iter().next() {
        Some(Answer::Done(_)) => Ok(()),
        Some(other) => Err(unexpected(&other)),
        None => Err(ProbeError::BrokeOff("an answer is missing".to_owned())),
    }
}

fn unexpected(answer: &Answer) -> ProbeError {
    match answer {
        Answer::Failure(failure) => ProbeError::NotAsked(failure.message.clone()),
        other => ProbeError::BrokeOff(format!("it answered {other:?}")),
    }
}

/// What the host tells.
#[derive(Default)]
struct Found {
    links: Vec<probe::Link>,
    addresses: Vec<probe::Address>,
    routes: Vec<probe::Route>,
}

impl Found {
    /// The project's: what stands on them says so; where nothing does, their name alone.
    fn shims(&self, project: &ProjectName) -> Vec<ObservedShim> {
        let (label, prefix) = (label_of(project), prefix(project));
        let is_own = |link: &&probe::Link| {
            let said = link.label.as_deref().is_none_or(|said| said.starts_with(&label));
            link.kind.as_deref() == Some("macvlan") && link.name.starts_with(&prefix) && said
        };
        self.links.iter().filter(is_own).map(|link| self.shim(link)).collect()
    }

    /// Those that carry a VLAN, whoever made them.
    fn vlans(&self) -> Vec<ObservedVlan> {
        let vlan = |link: &probe::Link| {
            Some(ObservedVlan {
                name: link.name.clone(),
                label: link.label.clone().unwrap_or_default(),
                parent: self.parent(link),
                id: link.vlan?,
                protocol: link.tag.and_then(TagProtocol::of),
                mtu: link.mtu,
                up: link.up,
            })
        };
        self.links.iter().filter_map(vlan).collect()
    }

    /// The name of the link that it is on, where that is in this namespace.
    fn parent(&self, link: &probe::Link) -> Option<String> {
        let parent = link.parent.filter(|_| link.parent_namespace.is_none())?;
        self.links.iter().find(|l| l.index == parent).map(|l| l.name.clone())
    }

    fn shim(&self, link: &probe::Link) -> ObservedShim {
        let own = self.addresses.iter().filter(|a| a.device == link.name && a.scope == "global");
        let addresses: BTreeSet<IpAddr> = own.map(|a| a.address).collect();
        let routes = self.routes.iter().filter(|r| r.device.as_ref() == Some(&link.name) && r.table == MAIN_TABLE);
        let routes = routes.filter_map(|r| IpNet::new(r.destination, r.prefix).ok());
        let is_other = |net: &IpNet| {
            let link_local = matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
            !(link_local || net.prefix_len() == net.max_prefix_len() && addresses.contains(&net.addr()))
        };
        ObservedShim {
            name: link.name.clone(),
            label: link.label.clone().unwrap_or_default(),
            parent: self.parent(link),
            routes: routes.filter(is_other).collect(),
            addresses,
            works: link.up && link.macvlan_mode.as_deref() == Some("bridge"),
        }
    }
}

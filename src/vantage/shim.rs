//! The host's own links on the wires of networks (`host_access`): looked at, made and removed through the probe.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Options, Vantage, Vantages};
use crate::engine::Engine;
use crate::name::ProjectName;
use crate::probe::{self, Answer, ProbeError, Question};
use crate::state::desired::labels::HOST_ACCESS;
use crate::state::observed::Observed;
use crate::state::shim::{DesiredShim, ObservedShim, label_of, prefix};

/// `RT_TABLE_MAIN`.
const MAIN_TABLE: u32 = 254;

/// Adds the project's links on the host to what was seen, where the file or a network of the project gives reason to look for them.
///
/// # Errors
/// When the host cannot be looked at.
pub async fn look(
    engine: &Engine,
    project: &ProjectName,
    declared: bool,
    seen: &mut Observed,
) -> Result<(), ProbeError> {
    let labelled = seen.networks.iter().any(|n| n.belongs_to(project) && n.labels.contains_key(HOST_ACCESS));
    if !declared && !labelled {
        return Ok(());
    }
    let questions = vec![Question::Links {}, Question::Addresses {}, Question::Routes {}];
    let mut found = Found::default();
    for answer in ask(engine, questions, false).await? {
        match answer {
            Answer::Links(links) => found.links = links,
            Answer::Addresses(addresses) => found.addresses = addresses,
            Answer::Routes(routes) => found.routes = routes,
            other => return Err(unexpected(&other)),
        }
    }
    seen.shims = found.shims(project);
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
    done(ask(engine, vec![question], true).await?)
}

/// Takes one away; one that is gone is well.
///
/// # Errors
/// When the host cannot be entered, or the link is not ours.
pub async fn remove(engine: &Engine, name: &str, label: &str) -> Result<(), ProbeError> {
    let question = Question::RemoveShim { name: name.to_owned(), label: label.to_owned() };
    done(ask(engine, vec![question], true).await?)
}

async fn ask(engine: &Engine, questions: Vec<Question>, links: bool) -> Result<Vec<Answer>, ProbeError> {
    let mut vantages = Vantages::open(engine, vec![Vantage::Host], Options { links, ..Options::default() }).await;
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

    fn shim(&self, link: &probe::Link) -> ObservedShim {
        let parent = link.parent.filter(|_| link.parent_namespace.is_none());
        let name_of = |index: u32| self.links.iter().find(|l| l.index == index).map(|l| l.name.clone());
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
            parent: parent.and_then(name_of),
            routes: routes.filter(is_other).collect(),
            addresses,
            works: link.up && link.macvlan_mode.as_deref() == Some("bridge"),
        }
    }
}

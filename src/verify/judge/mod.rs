//! From checks and facts to verdicts: pure.
//!
//! A judge asks for the answers it needs. Those that are not there are noted, and the check stays open: whoever gathers asks
//! them, all of a round at once, and the judge is called again. So what is asked and what is looked at cannot differ.

mod aim;
mod attempt;
mod container;
mod control;
mod desk;
mod given_up;
mod hosts;
mod http;
mod isolation;
mod layer2;
mod life;
mod link;
mod link_local;
mod master;
mod names;
mod ports;
mod reach;
mod rights;
#[cfg(test)]
mod tests;

pub(super) use isolation::FORWARDED;

use super::check::{Check, Expectation, How, Path, Verdict, Why};
use super::scene::{Facts, Questions, Scene};
use desk::{Desk, Stop};

/// What became of judging.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// The verdict.
    Settled(Verdict),
    /// These have to be asked first.
    Open(Questions),
}

/// Judges one check by what is known.
pub fn judge(check: &Check, scene: Scene<'_>, facts: &Facts) -> Judgement {
    let mut desk = Desk::new(scene, facts);
    let step = decide(&check.expectation, &mut desk);
    match step {
        Ok(verdict) | Err(Stop::Settled(verdict)) => Judgement::Settled(verdict),
        Err(Stop::Open) => Judgement::Open(desk.into_questions()),
    }
}

/// One arm an expectation.
fn decide(expectation: &Expectation, desk: &mut Desk<'_>) -> Result<Verdict, Stop> {
    match expectation {
        Expectation::Running(replica) => Ok(life::running(desk, replica)),
        Expectation::Completed(replica) => Ok(life::completed(desk, replica)),
        Expectation::Healthy(replica) => Ok(life::healthy(desk, replica)),
        Expectation::Has { replica, facet } => container::has(desk, replica, facet),
        Expectation::Address { replica, wire, fixed, pools } => link::address(desk, replica, wire, fixed, pools),
        Expectation::Mac { replica, wire, fixed } => link::mac(desk, replica, wire, *fixed),
        Expectation::DefaultRoute { replica, family, wires } => link::default_route(desk, replica, *family, wires),
        Expectation::Parent { replica, wire, parent, kind, mode, links } => {
            let wanted = master::Parent { name: parent, kind, mode, links };
            master::parent(desk, replica, wire, &wanted)
        }
        Expectation::Mtu { replica, wire, bytes } => link::mtu(desk, replica, wire, *bytes),
        Expectation::Promiscuous { parent, on } => master::promiscuous(desk, parent, *on),
        Expectation::BridgePort { replica, wire, bridge } => {
            master::bridge_port(desk, replica, wire, bridge.as_deref())
        }
        Expectation::OnlyLoopback(replica) => master::only_loopback(desk, replica),
        Expectation::HostNamespace(replica) => master::host_namespace(desk, replica),
        Expectation::SharedNamespace { replica, owner } => master::shared_namespace(desk, replica, owner),
        Expectation::LinkLine { replica, targets, alias } => hosts::link_line(desk, replica, targets, alias),
        Expectation::NoLinkLine { replica, alias } => hosts::no_link_line(desk, replica, alias),
        Expectation::ExtraHost { replica, name, address } => hosts::extra_host(desk, replica, name, address),
        Expectation::HostsText { replica, line } => hosts::text(desk, replica, line),
        Expectation::Name { asker, name, meanings, by } => names::means(desk, asker, name, meanings, *by),
        Expectation::NoName { asker, name, owners, by } => names::means_not(desk, asker, name, owners, *by),
        Expectation::Published { service, port, from } => ports::published(desk, service, port, *from),
        Expectation::NotPublished { service, port } => ports::not_published(desk, service, port),
        Expectation::Listens { replica, port, protocol } => ports::listens(desk, replica, *port, *protocol),
        Expectation::Reaches(path) => reaches(desk, &given_up::as_bound(desk.scene, path)),
        Expectation::Isolated(path) => isolated(desk, &given_up::as_bound(desk.scene, path)),
        Expectation::Undeclared { why } => Ok(Verdict::Unproved(Why::Undeclared(why.clone()))),
    }
}

fn reaches(desk: &mut Desk<'_>, path: &Path) -> Result<Verdict, Stop> {
    match &path.how {
        How::Arp => layer2::reaches(desk, path),
        How::Http { port, path: page, status, text } => {
            http::reaches(desk, path, *port, page, *status, text.as_deref())
        }
        _ => reach::reaches(desk, path),
    }
}

fn isolated(desk: &mut Desk<'_>, path: &Path) -> Result<Verdict, Stop> {
    match &path.how {
        How::Arp => layer2::isolated(desk, path),
        How::Http { port, path: page, .. } => http::isolated(desk, path, *port, page),
        _ => isolation::isolated(desk, path),
    }
}

//! Pages: HTTP as the asking container would do it, its own hosts file and resolver first.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::aim::{Aim, Stand, stands};
use super::attempt::{reached, text};
use super::desk::{Desk, Step, all, unproved};
use super::names::merged;
use super::ports::listening_text;
use crate::name::Protocol;
use crate::probe::{Http, Outcome};
use crate::state::observed::BoundPort;
use crate::verify::check::{Path, Spot, Verdict, Why};

fn host(to: &Spot) -> String {
    match to {
        Spot::Host => "localhost".to_owned(),
        Spot::Address(address) if address.is_ipv6() => format!("[{address}]"),
        other => other.to_string(),
    }
}

fn url(to: &Spot, port: u16, page: &str) -> String {
    if port == 80 { format!("http://{}{page}", host(to)) } else { format!("http://{}:{port}{page}", host(to)) }
}

pub(super) fn reaches(
    desk: &mut Desk<'_>,
    path: &Path,
    port: u16,
    page: &str,
    status: Option<u16>,
    wanted: Option<&str>,
) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let steps = stands.iter().map(|stand| {
        let answer = desk.http(&stand.at, &host(&path.to), port, page)?;
        let from_to = format!("{} -> {}", stand.called, url(&path.to, port, page));
        let verdict = page_verdict(answer, &from_to, status, wanted);
        let cause = match answer.to {
            Some(to) if answer.status.is_none() => why_no_page(desk, stand, to, answer)?,
            _ => None,
        };
        Ok(cause.into_iter().fold(verdict, Verdict::seen))
    });
    let steps = steps.collect();
    Ok(merged(all(steps)?))
}

/// Who should have answered, and does not: the container behind a published port, else whoever has the address.
fn why_no_page(desk: &mut Desk<'_>, stand: &Stand, to: SocketAddr, answer: &Http) -> Step<Option<String>> {
    let publishes = |b: &&BoundPort| {
        let at = b.host_ip == to.ip() || b.host_ip.is_unspecified() && b.host_ip.is_ipv4() == to.is_ipv4();
        b.published == to.port() && b.protocol == Protocol::Tcp && at
    };
    let behind = desk.scene.observed.containers.iter().find_map(|c| Some((c, c.bound.iter().find(publishes)?)));
    let Some((container, bound)) = behind else {
        return super::reach::why_refused(desk, stand, to, &answer.attempt);
    };
    if let Some(paused) = super::life::paused(desk, &container.replica) {
        return Ok(Some(paused.found));
    }
    let inside = desk.stand(&container.replica)?;
    let own: Vec<IpAddr> = desk.scene.addresses(&container.replica, &[]).into_iter().map(|(_, a)| a.addr()).collect();
    let state = listening_text(desk.sockets(&inside)?, bound.target, Protocol::Tcp, &own);
    let called = desk.scene.called(&container.replica);
    match state {
        Err(cause) => Ok(Some(format!("{called}: {cause}"))),
        Ok(_) => super::reach::why_refused(desk, stand, to, &answer.attempt),
    }
}

/// What a page says against what it should.
fn page_verdict(answer: &Http, from_to: &str, status: Option<u16>, wanted: Option<&str>) -> Verdict {
    let to = answer.to.map_or(String::new(), |to| {
        let by = answer.resolved_by.as_deref().filter(|by| matches!(*by, "hosts" | "dns"));
        by.map_or(format!(" at {to}"), |by| format!(" at {to}, by {by}"))
    });
    let expected = match status {
        Some(status) => format!("status {status}"),
        None => "a status below 400".to_owned(),
    };
    let Some(found) = answer.status else {
        if answer.attempt.outcome == Outcome::Failed && answer.to.is_some() {
            return Verdict::Unproved(Why::NotSeen(format!("{from_to}: {}", text(&answer.attempt))));
        }
        let what = match answer.to {
            None => "the name does not resolve".to_owned(),
            Some(_) if answer.attempt.outcome == Outcome::Answered => "connected, and no HTTP answer came".to_owned(),
            Some(_) => text(&answer.attempt),
        };
        return Verdict::refuted(expected, format!("{from_to}{to}: {what}"));
    };
    let good = status.map_or(found < 400, |status| status == found);
    if !good {
        return Verdict::refuted(expected, format!("{from_to}{to}: status {found}"));
    }
    match wanted.filter(|text| !answer.body.contains(text)) {
        Some(wanted) => {
            let start: String = answer.body.chars().take(60).collect();
            Verdict::refuted(format!("a page with {wanted:?}"), format!("{from_to}{to}: status {found}, {start:?}"))
        }
        None => Verdict::Proved(vec![format!("{from_to}{to}: status {found}")]),
    }
}

pub(super) fn isolated(desk: &mut Desk<'_>, path: &Path, port: u16, page: &str) -> Step<Verdict> {
    let stands = stands(desk, &path.from)?;
    let mut steps = vec![];
    for stand in &stands {
        let answer = desk.http(&stand.at, &host(&path.to), port, page);
        let nobody =
            Aim { address: Ipv4Addr::UNSPECIFIED.into(), called: String::new(), replica: None, wire: None, zone: None };
        let control = super::control::source_control(desk, stand, &nobody);
        let (answer, control) = match super::desk::both(answer, control) {
            Ok(both) => both,
            Err(stop) => {
                steps.push(Err(stop));
                continue;
            }
        };
        let from_to = format!("{} -> {}", stand.called, url(&path.to, port, page));
        steps.push(match (answer.to, control) {
            (Some(_), _) if answer.status.is_some() || reached(&answer.attempt) => {
                let found = format!("{from_to}: {}", text(&answer.attempt));
                Ok(Verdict::refuted(format!("{} does not reach it", stand.called), found))
            }
            (_, None) => unproved(Why::NoControl(format!("{} reaches nobody", stand.called))),
            (None, Some(control)) => {
                Ok(Verdict::Proved(vec![format!("{from_to}: the name does not resolve"), control]))
            }
            (Some(_), _) if answer.attempt.outcome == Outcome::Failed => {
                unproved(Why::NotSeen(format!("{from_to}: {}", text(&answer.attempt))))
            }
            (Some(to), Some(control)) => match alive(desk, to) {
                Ok(Some(alive)) => {
                    Ok(Verdict::Proved(vec![format!("{from_to}: {}", text(&answer.attempt)), alive, control]))
                }
                Ok(None) => {
                    unproved(Why::NoControl(format!("{from_to}: {}; and {to} answers nobody", text(&answer.attempt))))
                }
                Err(stop) => Err(stop),
            },
        });
    }
    Ok(merged(all(steps)?))
}

/// The server lives: its own namespace, or the host, reaches it.
fn alive(desk: &mut Desk<'_>, to: std::net::SocketAddr) -> Step<Option<String>> {
    let has = |r: &crate::name::Replica| desk.scene.addresses(r, &[]).iter().any(|(_, a)| a.addr() == to.ip());
    let replica = desk.scene.observed.containers.iter().map(|c| c.replica.clone()).find(has);
    let at = replica.map_or(crate::verify::scene::Vantage::Host, crate::verify::scene::Vantage::Replica);
    let attempt = desk.tcp(&at, to, false)?;
    Ok(reached(attempt).then(|| format!("control: {to} answers {at}")))
}

//! How a project stands, on one screen: what `bowline` alone shows.

use std::fmt::Write;

use indexmap::IndexMap;

use super::table::Table;
use crate::plan::{Cause, Plan};
use crate::state::desired::Desired;
use crate::state::observed::{BoundPort, ContainerState, Health, Observed, ObservedContainer};

/// How many steps of the way to the file are told.
const STEPS: usize = 5;

/// A project and what the Engine has of it.
pub struct Standing<'a> {
    /// What its file asks for; nothing where it is known by its name alone.
    pub desired: &'a Desired,
    /// What the Engine has.
    pub observed: &'a Observed,
    /// What would make it as declared; none where that cannot be told.
    pub plan: Option<&'a Plan>,
    /// How bowline is called for it: `bowline`, or `bowline -p shop`.
    pub call: &'a str,
    /// Whether a service says what is to follow from a change of its sources (`develop.watch`).
    pub watches: bool,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Well,
    /// Not there yet, or held.
    Waiting,
    /// In trouble.
    Bad,
}

/// A service in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How well it is: as its worst container.
    pub mark: Mark,
    /// Its name.
    pub service: String,
    /// What its containers do, in words.
    pub state: String,
    /// Its published ports.
    pub ports: String,
}

impl Mark {
    /// One character for it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Well => "✓",
            Self::Waiting => "·",
            Self::Bad => "✗",
        }
    }
}

/// A command and what it is good for now.
type Advice = (String, &'static str);

impl Standing<'_> {
    /// The screen: a row a service, what differs from the file, what to do next. `head` is its first line.
    pub fn text(&self, head: &str) -> String {
        let mut text = format!("{head}\n");
        let services = self.services();
        if !services.is_empty() {
            let mut table = Table::spaced(&["", "SERVICE", "STATE", "PORTS"], 0, 2);
            for (name, service) in &services {
                table.row(&[service.mark().sign(), name, &service.state(), &service.ports()]);
            }
            let _ = write!(text, "\n{}", table.text());
        }
        let _ = write!(text, "\n{}", self.difference());
        let advice = self.advice(&services);
        let width = advice.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, what_for) in advice {
            let _ = write!(text, "\n{command:width$}   {what_for}");
        }
        text + "\n"
    }

    /// The services of the file in its order, and those that only the Engine has, a row each.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(name, service): (&str, Service<'_>)| Row {
            mark: service.mark(),
            service: name.to_owned(),
            state: service.state(),
            ports: service.ports(),
        };
        self.services().into_iter().map(row).collect()
    }

    /// What an `up` would do and for which reason, a sentence each; waits are not told.
    pub fn differences(&self) -> Vec<String> {
        let Some(plan) = self.plan else { return vec![] };
        let told = |line: &crate::plan::Line| !matches!(plan.step(line.id).cause, Cause::Awaited(_));
        let lines = plan.lines().into_iter().filter(told);
        lines.filter_map(|line| Some(format!("{}: {}", line.operation, line.reason?))).collect()
    }

    /// The services of the file in its order, and those that only the Engine has.
    fn services(&self) -> IndexMap<&str, Service<'_>> {
        let mut services: IndexMap<&str, Service<'_>> = IndexMap::new();
        for name in &self.desired.services {
            services.entry(name.as_str()).or_default();
        }
        for replica in self.desired.containers.keys() {
            let there = self.observed.containers.iter().any(|container| container.replica == *replica);
            services.entry(replica.service.as_str()).or_default().missing += usize::from(!there);
        }
        for container in &self.observed.containers {
            services.entry(container.replica.service.as_str()).or_default().containers.push(container);
        }
        services
    }

    /// What lies between the Engine and the file.
    fn difference(&self) -> String {
        let Some(plan) = self.plan else { return String::new() };
        if plan.is_empty() {
            return "It is as its file declares.\n".to_owned();
        }
        if self.observed.containers.is_empty() {
            return "Nothing of it is up.\n".to_owned();
        }
        let reasons = self.differences();
        let mut text = "It differs from its file:\n".to_owned();
        text.extend(reasons.iter().take(STEPS).map(|reason| format!("  {reason}\n")));
        if let Some(more @ 1..) = reasons.len().checked_sub(STEPS) {
            let _ = writeln!(text, "  … and {more} more");
        }
        text
    }

    /// What a person may want to do now, what matters most first.
    fn advice(&self, services: &IndexMap<&str, Service<'_>>) -> Vec<Advice> {
        let mut advice: Vec<Advice> = vec![];
        let mut advise = |command: &str, what_for| advice.push((format!("{} {command}", self.call), what_for));
        let is_there = !self.observed.containers.is_empty();
        let in_trouble = services.iter().find(|(_, service)| service.mark() == Mark::Bad);
        if let Some((name, _)) = in_trouble {
            advise(&format!("logs {name}"), "what it says of its trouble");
        }
        match self.plan {
            Some(plan) if !plan.is_empty() => {
                advise("plan", "what `up` would do, step by step, and why");
                advise("up -d", if is_there { "make it as declared" } else { "bring it up" });
            }
            Some(_) if in_trouble.is_none() => advise("verify", "prove that every promise of the file holds"),
            _ => {}
        }
        if self.watches && is_there {
            advise("watch", "carry every change of the sources into the containers");
        }
        if is_there {
            advise("logs -f", "follow what the services say");
            advise("down", "take it away");
        }
        advise("--help", "everything else");
        advice
    }
}

/// The containers of one service.
#[derive(Default)]
struct Service<'a> {
    containers: Vec<&'a ObservedContainer>,
    /// How many the file wants that are not there.
    missing: usize,
}

impl Service<'_> {
    /// What its containers do, the same said once: `2 running, healthy; 1 ended with 3`.
    fn state(&self) -> String {
        let mut counts: IndexMap<String, usize> = IndexMap::new();
        self.containers.iter().for_each(|container| *counts.entry(doing(&container.state).1).or_default() += 1);
        if self.missing > 0 {
            counts.insert("not there".to_owned(), self.missing);
        }
        let alone = self.containers.len() + self.missing == 1;
        let told = |(what, count): (&String, &usize)| if alone { what.clone() } else { format!("{count} {what}") };
        match counts.is_empty() {
            true => "scaled to none".to_owned(),
            false => counts.iter().map(told).collect::<Vec<_>>().join("; "),
        }
    }

    /// The worst of its containers' marks.
    fn mark(&self) -> Mark {
        let missing = (self.missing > 0).then_some(Mark::Waiting);
        let marks = self.containers.iter().map(|container| doing(&container.state).0).chain(missing);
        marks.max().unwrap_or(Mark::Well)
    }

    fn ports(&self) -> String {
        let mut ports: Vec<String> = vec![];
        for port in self.containers.iter().flat_map(|container| &container.bound).map(published) {
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        ports.join(", ")
    }
}

/// `127.0.0.1:8080->80/tcp`; without an address where it is every one.
fn published(port: &BoundPort) -> String {
    let BoundPort { target, protocol, host_ip, published } = port;
    match host_ip {
        any if any.is_unspecified() => format!("{published}->{target}/{protocol}"),
        one => format!("{}->{target}/{protocol}", std::net::SocketAddr::new(*one, *published)),
    }
}

/// What a container does, and how well that is.
fn doing(state: &ContainerState) -> (Mark, String) {
    let (mark, words) = match state {
        ContainerState::Running { health, .. } => match health {
            None => (Mark::Well, "running"),
            Some(Health::Healthy) => (Mark::Well, "running, healthy"),
            Some(Health::Starting) => (Mark::Waiting, "running, its health not known yet"),
            Some(Health::Unhealthy) => (Mark::Bad, "running, unhealthy"),
        },
        ContainerState::Created => (Mark::Waiting, "made, never started"),
        ContainerState::Paused => (Mark::Waiting, "paused"),
        ContainerState::Exited { oom_killed: true, .. } => (Mark::Bad, "ended: out of memory"),
        ContainerState::Exited { code, .. } => {
            return (if *code == 0 { Mark::Well } else { Mark::Bad }, format!("ended with {code}"));
        }
        ContainerState::Restarting { exit_code } => {
            return (Mark::Bad, format!("starting again after an end with {exit_code}"));
        }
        ContainerState::Removing => (Mark::Waiting, "going away"),
        ContainerState::Dead => (Mark::Bad, "dead: the Engine could not remove it"),
        ContainerState::Other(word) => (Mark::Waiting, word.as_str()),
    };
    (mark, words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Protocol;
    use crate::plan::lab::{Lab, change};

    const STACK: &str = "services:
  web: {image: busybox, ports: ['8080:80'], healthcheck: {test: 'true'}}
  db: {image: busybox, scale: 2}
";

    fn text(lab: &Lab, observed: &Observed) -> String {
        let planned = lab.up_from(observed);
        let (desired, plan) = (lab.desired(), Some(&planned.plan));
        Standing { desired, observed: &planned.before, plan, call: "bowline", watches: false }
            .text("test on Engine 28.5.2")
    }

    #[test]
    fn what_is_not_up_is_brought_up_next() {
        let lab = Lab::load(STACK);
        assert_eq!(
            text(&lab, &lab.engine()),
            "test on Engine 28.5.2

   SERVICE  STATE        PORTS
·  web      not there
·  db       2 not there

Nothing of it is up.

bowline plan     what `up` would do, step by step, and why
bowline up -d    bring it up
bowline --help   everything else
"
        );
    }

    #[test]
    fn what_is_as_declared_can_be_proved() {
        let lab = Lab::load(STACK);
        let mut observed = lab.up().observed();
        change(&mut observed, "web.1", |web| {
            let any = std::net::Ipv4Addr::UNSPECIFIED.into();
            let port = |host_ip| BoundPort { target: 80, protocol: Protocol::Tcp, host_ip, published: 8080 };
            let (pid, health, started_at) = (1, Some(Health::Healthy), String::new());
            web.state = ContainerState::Running { pid, health, started_at };
            web.bound = vec![port(any), port(std::net::Ipv6Addr::UNSPECIFIED.into())];
        });
        let shown = text(&lab, &observed);
        assert!(shown.contains("✓  web      running, healthy  8080->80/tcp\n✓  db       2 running\n"), "{shown}");
        assert!(shown.contains("It is as its file declares.\n\nbowline verify "), "{shown}");
    }

    #[test]
    fn trouble_comes_first_and_what_differs_is_told_with_its_reason() {
        let lab = Lab::load(STACK);
        let mut observed = lab.up().observed();
        change(&mut observed, "db.2", |db| {
            db.state = ContainerState::Exited { code: 3, oom_killed: false, finished_at: String::new() };
        });
        let shown = text(&lab.edit("ports: ['8080:80']", "user: '1'"), &observed);
        assert!(shown.contains("✗  db       1 running; 1 ended with 3\n"), "{shown}");
        assert!(shown.contains("It differs from its file:\n"), "{shown}");
        assert!(shown.contains("  start db.2: ended with 3\n") || shown.contains("  start db.2: exited"), "{shown}");
        let advised: Vec<&str> = shown.lines().filter(|line| line.starts_with("bowline")).collect();
        assert!(advised[0].starts_with("bowline logs db "), "{shown}");
    }
}

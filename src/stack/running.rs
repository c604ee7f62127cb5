//! A stack that is there, until it is taken away.

use std::fmt;

use super::bring::Hooks;
use super::{Stack, StackError, alone, teardown};
use crate::engine::{Address, Engine, ExecSpec, Listed, LogOptions, Options, Origin, Piece};
use crate::finding::Findings;
use crate::name::{ProjectName, Replica};
use crate::report::verification::Report;
use crate::state::desired::Desired;
use crate::state::observed::Health;
use crate::vantage::Way;
use crate::verify::check::Expectation;
use crate::verify::derive;
use crate::verify::gather::prove;
use crate::verify::matrix::Matrix;
use crate::verify::topology::Topology;

/// A stack that is there. Dropped, it is taken away, which takes as long as its containers take to stop.
pub struct Running {
    pub(super) stack: Stack,
    pub(super) engine: Engine,
    /// What was asked of the Engine, once it was.
    pub(super) desired: Option<Desired>,
    /// Whether there is nothing to take away (any more), or it is to stay.
    done: bool,
}

/// A port of a service, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// The service.
    pub service: String,
    /// The port in the container.
    pub target: u16,
    /// `tcp`, `udp` …
    pub protocol: String,
    /// Which container of the service, from 1.
    pub number: u32,
    /// Whether the address is an IPv6 one.
    pub v6: bool,
    /// Where it is reached from here: an address, or the name of the Engine's host.
    pub host: String,
    /// The port there.
    pub port: u16,
}

impl fmt::Display for Published {
    /// `127.0.0.1:49153`, `[::1]:49153`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A program that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code.
    pub code: i64,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub error: Vec<u8>,
}

impl Running {
    pub(super) fn new(stack: Stack, engine: Engine) -> Self {
        Self { stack, engine, desired: None, done: false }
    }

    /// The project's name.
    pub fn name(&self) -> &ProjectName {
        &self.stack.project.name
    }

    /// Its Engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Every published port, in order of service, port, protocol and container; IPv4 before IPv6.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn published(&self) -> Result<Vec<Published>, StackError> {
        let listed = self.engine.list(self.name()).await?;
        let mut all: Vec<Published> = listed.iter().filter(|c| !c.one_off).flat_map(|c| self.ports_of(c)).collect();
        all.sort();
        Ok(all)
    }

    fn ports_of(&self, container: &Listed) -> Vec<Published> {
        let number = container.replica.as_ref().map_or(1, |replica| replica.number);
        let published = container.ports.iter().filter(|port| port.published > 0);
        let one = |port: &crate::engine::ListedPort| {
            let address = alone::reachable(port.host_ip?);
            let host = match self.engine.address() {
                // on another machine, what stands for all addresses or for its own is that machine
                Address::Tcp { host, .. } | Address::Ssh { host, .. } if address.is_loopback() => {
                    host.rsplit('@').next().unwrap_or(host).to_owned()
                }
                _ => address.to_string(),
            };
            let (service, protocol) = (container.service.clone(), port.protocol.clone());
            Some(Published {
                service,
                target: port.target,
                protocol,
                number,
                v6: address.is_ipv6(),
                host,
                port: port.published,
            })
        };
        published.filter_map(one).collect()
    }

    /// Where a TCP port of a service is reached from here.
    ///
    /// # Errors
    /// [`StackError::Unknown`] for a port that is not published.
    pub async fn address(&self, service: &str, port: u16) -> Result<Published, StackError> {
        let all = self.published().await?;
        let right = |one: &Published| one.service == service && one.target == port && one.protocol == "tcp";
        let others: Vec<String> =
            all.iter().map(|one| format!("{} {}/{}", one.service, one.target, one.protocol)).collect();
        let unknown = || format!("{service} does not publish {port}/tcp; published are: {}", others.join(", "));
        all.iter().find(|one| right(one)).cloned().ok_or_else(|| StackError::Unknown(unknown()))
    }

    /// Runs a program in the first container of a service that runs.
    ///
    /// # Errors
    /// [`StackError::Unknown`] where none runs; what the Engine says.
    pub async fn exec(&self, service: &str, command: &[&str]) -> Result<Finished, StackError> {
        let container = self.container(service).await?;
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let mut exec = self.engine.exec(container.id.as_str(), &ExecSpec { command, ..ExecSpec::default() }).await?;
        let mut finished = Finished::default();
        while let Some(piece) = exec.ends.next().await? {
            match piece {
                Piece::Output(bytes) => finished.output.extend_from_slice(&bytes),
                Piece::Error(bytes) => finished.error.extend_from_slice(&bytes),
            }
        }
        finished.code = self.engine.exec_code(&exec.id).await?.unwrap_or(1);
        Ok(finished)
    }

    /// The first container of a service that runs.
    ///
    /// # Errors
    /// [`StackError::Unknown`] where none does.
    pub async fn container(&self, service: &str) -> Result<Listed, StackError> {
        let listed = self.engine.list(self.name()).await?;
        let first = listed.into_iter().find(|container| container.service == service && container.is_up());
        first.ok_or_else(|| StackError::Unknown(format!("no container of {service} runs")))
    }

    /// What the containers of a service wrote so far, one line each, in order of time.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn logs(&self, service: &str) -> Result<String, StackError> {
        let mut lines = vec![];
        for container in self.engine.list(self.name()).await?.iter().filter(|c| c.service == service) {
            lines.extend(self.engine.read_lines(Origin::from(container), &LogOptions::default()).await?);
        }
        lines.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(lines.iter().map(|line| format!("{}\n", line.text)).collect())
    }

    /// Proves that the stack is what its file says.
    ///
    /// # Errors
    /// [`StackError::File`] for rules of `x-verify` that contradict the file; what the Engine says. A refuted check is no error: the report
    /// tells it.
    pub async fn verify(&self) -> Result<Report, StackError> {
        let project = &self.stack.project;
        let topology = Topology::of(project);
        let mut findings = Findings::new();
        derive(project, &topology, &Default::default(), &mut findings);
        if findings.has_errors() {
            let text =
                crate::report::findings::text(&self.stack.files, &findings, crate::report::findings::Color::Plain);
            return Err(StackError::File(text));
        }
        // what came up by its own check, asked eagerly, the Engine may not have asked yet: that it is healthy was waited for
        let listed = self.engine.list(self.name()).await?;
        let starting = |replica: &Replica| {
            listed.iter().any(|c| c.replica.as_ref() == Some(replica) && c.health() == Some(Health::Starting))
        };
        let checks = |ended: &_| {
            let mut checks = derive(project, &topology, ended, &mut Findings::new());
            checks.retain(|check| !matches!(&check.expectation, Expectation::Healthy(replica) if starting(replica)));
            checks
        };
        let proof = prove(&self.engine, project, checks, Way::Auto).await?;
        Ok(Report::of(project.name.as_str(), proof, &Matrix::of(&topology), &self.stack.files))
    }

    /// Takes it away.
    ///
    /// # Errors
    /// [`StackError::Left`] when something stays.
    pub async fn down(self) -> Result<(), StackError> {
        self.down_with(&Hooks::default()).await
    }

    /// Takes it away, and tells.
    ///
    /// # Errors
    /// As [`Running::down`].
    pub async fn down_with(mut self, hooks: &Hooks<'_>) -> Result<(), StackError> {
        let gone = teardown(&self.engine, self.name(), self.desired.as_ref(), Some(hooks)).await;
        self.done = true;
        gone
    }

    /// Leaves it where it is: it is not taken away when this is dropped, but by [`reap`](super::reap) some time after this process has ended, or
    /// when its time is over where it was [`kept`](Stack::kept).
    pub fn leave(mut self) {
        self.done = true;
    }
}

impl Drop for Running {
    /// On a thread and a runtime of its own: the one that it was made on may be ending.
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (name, desired) = (self.name().clone(), self.desired.take());
        let going = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                if let Ok(engine) = Engine::connect(&|name| std::env::var(name).ok(), Options::default()).await {
                    // nobody is there to be told; what is left is known by its labels
                    let _ = teardown(&engine, &name, desired.as_ref(), None).await;
                }
            });
        });
        let _ = going.join();
    }
}

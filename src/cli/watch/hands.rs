//! What `watch` does with its own hands: builds, copies, restarts, commands.

use std::collections::BTreeSet;

use bowline::compose::model::Hook;
use bowline::engine::Listed;
use bowline::name::ServiceName;
use bowline::plan::lifecycle::{Change, LifecycleOptions, lifecycle};
use bowline::plan::up::{Reach, UpOptions};
use bowline::run::run_hook;
use bowline::watch::{Copy, Work, carry};

use super::super::carry::{self as carrying, Stage};
use super::super::display::Display;
use super::super::exit::{Exit, Failure};
use super::super::signals::Signals;
use super::super::stack::Stack;
use super::super::{lock, output};
use super::converge;

/// What carries work out.
pub struct Hands<'a> {
    /// Where, and before whom.
    pub stage: Stage<'a>,
    /// The stack.
    pub stack: &'a Stack,
    /// Whether images go that lost their name.
    pub prune: bool,
}

impl Hands<'_> {
    /// All of it, in docker compose's order. What cannot be done is told.
    pub async fn carry_out(&self, work: Work, signals: &mut Signals) -> Result<(), Failure> {
        let Work { rebuild, copies, restart, commands } = work;
        if !rebuild.is_empty() {
            survive(self.rebuild(&rebuild, signals).await)?;
        }
        for (service, copies) in &copies {
            survive(self.copy(service, copies).await)?;
        }
        if !restart.is_empty() {
            survive(self.restart(&restart, signals).await)?;
        }
        for (service, hook) in &commands {
            survive(self.command(service, hook).await)?;
        }
        Ok(())
    }

    async fn rebuild(&self, services: &BTreeSet<ServiceName>, signals: &mut Signals) -> Result<(), Failure> {
        let Stage { global, engine, .. } = self.stage;
        let project = &self.stack.desired.project;
        self.tell(&format!("Rebuilding service(s) {} after changes were detected...", named(services)));
        let lock = lock::take(global, engine, project, "watch", signals).await?;
        let options = UpOptions {
            services: services.iter().cloned().collect(),
            reach: Reach::Named,
            build: Some(true),
            ..UpOptions::default()
        };
        converge(Stage { lock: &lock, ..self.stage }, self.stack, &options, signals).await?;
        self.tell(&format!("service(s) {} successfully built", named(services)));
        if self.prune {
            engine.prune_images(project.as_str()).await?;
        }
        Ok(())
    }

    async fn copy(&self, service: &ServiceName, copies: &BTreeSet<Copy>) -> Result<(), Failure> {
        let engine = self.stage.engine;
        self.tell(&format!("Syncing service {:?} after {} changes were detected", service.as_str(), copies.len()));
        for container in self.running(service).await? {
            if let Err(why) = carry(engine, container.id.as_str(), copies).await {
                let kind = if why.is_lost() { Exit::Unreachable } else { Exit::StepFailed };
                return Err(Failure::new(kind, format!("{}: {why}", container.name)));
            }
        }
        Ok(())
    }

    async fn restart(&self, services: &BTreeSet<ServiceName>, signals: &mut Signals) -> Result<(), Failure> {
        let Stage { global, engine, .. } = self.stage;
        let desired = &self.stack.desired;
        let lock = lock::take(global, engine, &desired.project, "watch", signals).await?;
        let observed = self.stack.observe(engine).await?;
        let services_of = services.iter().cloned().collect();
        let options = LifecycleOptions { services: services_of, ..LifecycleOptions::default() };
        let plan = lifecycle(&Change::Restart, &desired.project, Some(desired), &observed, &options);
        let plan = plan.map_err(carrying::flaw)?;
        carrying::perform(Stage { lock: &lock, ..self.stage }, &plan, signals).await?;
        self.tell(&format!("service(s) {} restarted", named(services)));
        Ok(())
    }

    /// Runs a command in each container; what it writes is shown.
    async fn command(&self, service: &ServiceName, hook: &Hook) -> Result<(), Failure> {
        for container in self.running(service).await? {
            let name = format!("`exec` in {}", container.name);
            match run_hook(self.stage.engine, container.id.as_str(), hook, &name).await {
                Ok(said) => self.tell(said.trim_end()),
                Err(why) => {
                    why.details.iter().for_each(|line| self.tell(line));
                    return Err(Failure::new(Exit::StepFailed, why.to_string()));
                }
            }
        }
        Ok(())
    }

    async fn running(&self, service: &ServiceName) -> Result<Vec<Listed>, Failure> {
        let listed = self.stage.engine.list(&self.stack.desired.project).await?;
        let of_service = |container: &Listed| container.service == service.as_str() && !container.one_off;
        let running: Vec<Listed> = listed.into_iter().filter(|c| of_service(c) && c.state == "running").collect();
        if running.is_empty() {
            self.tell(&format!("nothing of {service} runs: it has none of it"));
        }
        Ok(running)
    }

    fn tell(&self, text: &str) {
        tell(self.stage.display, text);
    }
}

/// Writes a line of ours to standard output, where docker compose writes it, between the lines of the services.
pub fn tell(display: &Display, text: &str) {
    if text.is_empty() {
        return;
    }
    display.clear();
    let _ = output::answer(text);
    display.redraw();
}

/// `["api" "web"]`, as docker compose writes a list.
fn named(services: &BTreeSet<ServiceName>) -> String {
    let quoted: Vec<String> = services.iter().map(|service| format!("{:?}", service.as_str())).collect();
    format!("[{}]", quoted.join(" "))
}

/// A failure ends the watch only where nothing can come after it: the Engine is gone, or the person wants to leave.
fn survive(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if matches!(failure.kind, Exit::Unreachable | Exit::Interrupted) => Err(failure),
        Err(failure) => {
            output::failure(&failure);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

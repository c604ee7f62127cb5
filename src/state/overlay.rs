//! What the Engine makes of a request: the image's defaults under what is asked for.

use std::time::Duration;

use super::desired::{Borrow, Borrowed};
use super::observed::ObservedImage;
use super::settings::{HealthSettings, MountForm, MountKind, MountSettings, Settings};
use crate::name::ContainerId;

impl Settings {
    /// These settings over an image's, as `POST /containers/create` merges them: each variable and label by itself, the
    /// parts of a health check by themselves, the command only where the entrypoint is the image's too, and an empty command
    /// is none. Paths that the image declares as volumes become anonymous volumes.
    pub fn over(&self, image: &ObservedImage) -> Settings {
        let mut whole = self.clone();
        let defaults = &image.defaults;
        let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
        if is_empty(&self.entrypoint) && is_empty(&self.command) {
            whole.command = defaults.command.clone();
        }
        if self.entrypoint.is_none() {
            whole.entrypoint = defaults.entrypoint.clone();
        }
        for (key, value) in &defaults.environment {
            whole.environment.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (key, value) in &defaults.labels {
            whole.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
        whole.user = self.user.clone().or_else(|| defaults.user.clone());
        whole.working_dir = self.working_dir.clone().or_else(|| defaults.working_dir.clone());
        whole.stop_signal = self.stop_signal.clone().or_else(|| defaults.stop_signal.clone());
        whole.exposed.extend(defaults.exposed.iter().cloned());
        whole.healthcheck = match (&self.healthcheck, &defaults.healthcheck) {
            (Some(own), Some(images)) => Some(own.over(images)),
            (own, images) => own.clone().or_else(|| images.clone()),
        };
        for path in &image.volumes {
            let same = |mount: &MountSettings| mount.target.trim_end_matches('/') == path.trim_end_matches('/');
            if !self.mounts.iter().any(same) {
                let (target, kind, form) = (path.clone(), MountKind::Anonymous, MountForm::default());
                whole.mounts.push(MountSettings { target, kind, read_only: false, form });
            }
        }
        whole
    }
}

impl Settings {
    /// What is borrowed, by the ids of its owners, in the order of `borrows`.
    pub fn lend(&mut self, borrows: &[Borrow], lenders: &[ContainerId]) {
        let mut volumes = vec![];
        for (borrow, id) in borrows.iter().zip(lenders) {
            match &borrow.what {
                Borrowed::Ipc => self.namespaces.ipc = Some(format!("container:{id}")),
                Borrowed::Pid => self.namespaces.pid = Some(format!("container:{id}")),
                Borrowed::Volumes { mode: Some(mode), .. } => volumes.push(format!("{id}:{mode}")),
                Borrowed::Volumes { mode: None, .. } => volumes.push(id.to_string()),
            }
        }
        self.volumes_from.splice(..0, volumes);
    }
}

impl HealthSettings {
    /// Each part that is not said (zero says nothing) from the image's.
    fn over(&self, image: &HealthSettings) -> HealthSettings {
        let said = |time: Option<Duration>| time.filter(|time| !time.is_zero());
        HealthSettings {
            test: self.test.clone().or_else(|| image.test.clone()),
            interval: said(self.interval).or(image.interval),
            timeout: said(self.timeout).or(image.timeout),
            start_period: said(self.start_period).or(image.start_period),
            start_interval: said(self.start_interval).or(image.start_interval),
            retries: self.retries.filter(|count| *count > 0).or(image.retries),
        }
    }
}

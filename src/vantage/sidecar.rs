//! The way of the sidecar: the image that is imported once, and the container in the namespace.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use super::session::{self, Session};
use super::{Options, Vantage};
use crate::engine::{Engine, SidecarSpec};
use crate::probe::{ProbeError, carried};

/// A sidecar that was made and never started is someone's who was killed, when it is so old, in seconds.
const LEFT_BEHIND: i64 = 120;

/// An image of another version that was made so long ago, in seconds, is no longer in use.
const A_DAY: i64 = 24 * 60 * 60;

/// The probe's image in one Engine, made when it is first needed.
pub struct Image<'a> {
    engine: &'a Engine,
    crowded: bool,
    ready: OnceCell<Result<String, ProbeError>>,
}

impl<'a> Image<'a> {
    /// Nothing is asked yet. `crowded`: there will be so many sidecars that they must take their neighbours back.
    pub fn new(engine: &'a Engine, crowded: bool) -> Self {
        Self { engine, crowded, ready: OnceCell::new() }
    }

    /// The Engine.
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// Runs the program beside a container or on the host, and waits for its greeting.
    pub async fn run_beside(&self, vantage: &Vantage, options: &Options) -> Result<Session, ProbeError> {
        let image = self.ready.get_or_init(|| self.make_ready()).await.clone()?;
        let spec = spec(image, vantage, options, self.crowded);
        let started = self.engine.run_sidecar(&spec).await;
        let sidecar = started.map_err(|e| ProbeError::NotStarted(e.to_string()))?;
        match Session::sidecar(sidecar).await {
            Ok(session) => Ok(session),
            Err((why, id)) => {
                // the first trouble is the one to tell
                let _ = session::remove(self.engine, &id).await;
                Err(why)
            }
        }
    }

    /// Imports the image where it is not there, and removes what killed runs left.
    async fn make_ready(&self) -> Result<String, ProbeError> {
        let trouble = |e: crate::engine::Error| ProbeError::NotStarted(e.to_string());
        let name = carried::image();
        if self.engine.image(&name).await.map_err(trouble)?.is_none() {
            let theirs = self.engine.all_facts().await.map_err(trouble)?.platform;
            if theirs != carried::platform() {
                return Err(ProbeError::Platform { ours: carried::platform().to_owned(), theirs });
            }
            let archive = carried::archive()?.into();
            let changes = carried::changes();
            let imported = self.engine.import_image(carried::REPOSITORY, carried::tag(), archive, &changes);
            imported.await.map_err(trouble)?;
        }
        // other versions' images, and one that a run beside another imported under the same name
        self.engine.sweep_images(carried::LABEL, &name, A_DAY).await.map_err(trouble)?;
        for left in self.engine.sidecars_left(carried::LABEL, LEFT_BEHIND).await.map_err(trouble)? {
            session::remove(self.engine, &left).await.map_err(ProbeError::NotStarted)?;
        }
        Ok(name)
    }
}

/// What the container may do: nothing but what the questions need.
fn spec(image: String, vantage: &Vantage, options: &Options, crowded: bool) -> SidecarSpec {
    let network_mode = match vantage {
        Vantage::Container(target) => format!("container:{}", target.id),
        Vantage::Host | Vantage::Outside => "host".to_owned(),
    };
    // in a crowd it takes its entries in the kernel's neighbour table back
    let needs = [(options.layer2, "NET_RAW"), (crowded || options.kinds || options.links, "NET_ADMIN")];
    let mut capabilities: Vec<&str> = needs.iter().filter(|(needed, _)| *needed).map(|(_, name)| *name).collect();
    let mut command = vec![];
    if *vantage == Vantage::Outside {
        // a namespace of its own (SYS_ADMIN), joined to the host's by a pair of links (NET_ADMIN), which goes with it
        capabilities.extend(["NET_ADMIN", "SYS_ADMIN"]);
        capabilities.sort_unstable();
        capabilities.dedup();
        command = vec!["--outside".to_owned(), options.outside_pool.clone()];
    }
    let sees_processes = *vantage == Vantage::Host && options.processes;
    SidecarSpec {
        image,
        command,
        network_mode,
        pid_mode: sees_processes.then(|| "host".to_owned()),
        // capabilities work for root alone; without any, nobody is enough
        user: capabilities.is_empty().then(|| "65534:65534".to_owned()),
        cap_add: capabilities.into_iter().map(str::to_owned).collect(),
        memory: Some(64 * 1024 * 1024),
        pids: Some(160),
        labels: BTreeMap::from([(carried::LABEL.to_owned(), carried::tag().to_owned())]),
        ..SidecarSpec::default()
    }
}

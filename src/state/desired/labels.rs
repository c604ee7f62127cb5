//! The labels by which docker compose and the tools around it know a stack (reference `compose.md` 1.9).

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::compose::model::{Project, Service};
use crate::name::Replica;

/// The project that a resource belongs to.
pub const PROJECT: &str = "com.docker.compose.project";
/// The service of a container.
pub const SERVICE: &str = "com.docker.compose.service";
/// The number of a container among those of its service.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True` for a container of `run`.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
/// What tells a container of `run` from others: 64 random hexadecimal digits, of which its name has the first twelve.
pub const SLUG: &str = "com.docker.compose.slug";
/// What a container was made from; docker compose does not see one without it.
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// The services that a container's waits for: `db:service_healthy:false`, condition and `restart`.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// The id of the image that a container was made from. It is known only when the image is there, so `desired` leaves it
/// out and `plan::up` fills it in; a container whose image is pulled first gets it from whoever carries the plan out.
pub const IMAGE: &str = "com.docker.compose.image";
/// The directory that the file's relative paths start from.
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
/// The files, absolute, with commas between.
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
/// The files of `--env-file`, absolute, with commas between.
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
/// Who made it.
pub const VERSION: &str = "com.docker.compose.version";
/// A network's key in the file.
pub const NETWORK: &str = "com.docker.compose.network";
/// A volume's key in the file.
pub const VOLUME: &str = "com.docker.compose.volume";

/// With a path in the container behind it: the start of a digest of the config or secret that lies there.
pub const CONTENT: &str = "bowline.content.";

/// On a volume: the container whose configs and secrets it holds, by its name. The file does not name it, so it goes with that container.
pub const FILES: &str = "bowline.files";

/// On a network: the host's own address on its wire. So the link that has it is looked for where there is no file to tell.
pub const HOST_ACCESS: &str = "bowline.host-access";

/// On a network: the VLAN links that bowline made for it, with blanks between, the outer one first.
pub const VLANS: &str = "bowline.vlans";

/// Whether a label is the orchestrator's own.
pub fn is_own(label: &str) -> bool {
    label.starts_with("com.docker.compose.")
        || label.starts_with(CONTENT)
        || [FILES, HOST_ACCESS, VLANS].contains(&label)
}

/// The labels of a container, the user's among them.
pub(super) fn container(project: &Project, service: &Service, replica: &Replica) -> BTreeMap<String, String> {
    let mut labels = resource(project, &service.labels);
    let mut own = |key: &str, value: String| _ = labels.insert(key.to_owned(), value);
    own(SERVICE, service.name.to_string());
    own(NUMBER, replica.number.to_string());
    own(ONE_OFF, "False".to_owned());
    own(DEPENDS_ON, depends_on(service));
    own(WORKING_DIR, project.working_dir.display().to_string());
    own(CONFIG_FILES, joined(&project.files));
    if !project.env_files.is_empty() {
        own(ENVIRONMENT_FILE, joined(&project.env_files));
    }
    labels
}

/// The labels of a network or a volume, but for its key.
pub(super) fn resource(project: &Project, user: &IndexMap<String, String>) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> = user.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    labels.insert(PROJECT.to_owned(), project.name.to_string());
    labels.insert(VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    labels
}

/// The labels of the volume that holds a container's files.
pub(super) fn files(container: &BTreeMap<String, String>, name: &str) -> BTreeMap<String, String> {
    let same =
        [PROJECT, SERVICE, VERSION].into_iter().filter_map(|key| Some((key.to_owned(), container.get(key)?.clone())));
    same.chain([(FILES.to_owned(), name.to_owned())]).collect()
}

/// The labels of an image that is built. Without our version: an upgrade would make another image of the same files.
pub(super) fn image(project: &Project, service: &Service) -> [(String, String); 2] {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    [label(PROJECT, project.name.as_str()), label(SERVICE, service.name.as_str())]
}

/// `db:service_healthy:false,job:service_completed_successfully:false`.
fn depends_on(service: &Service) -> String {
    let each = service.depends_on.iter().map(|(name, d)| format!("{name}:{}:{}", d.condition.as_str(), d.restart));
    each.collect::<Vec<_>>().join(",")
}

fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",")
}

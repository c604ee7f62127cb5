//! `docker buildx build`: BuildKit, by the command that its users have and configure.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::BuildCheck;
use crate::compose::model::{BuildSecret, FileContent};
use crate::engine::Error;
use crate::engine::configuration::Client;
use crate::state::desired::DesiredBuild;

/// Where plugins of the docker command lie, after the places that its user names (docker/cli, cli-plugins/manager/manager_unix.go).
const PLUGINS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// How buildx is called: the plugin itself, which the docker command would ask twice who it is, or else that command.
#[derive(Debug, PartialEq, Eq)]
pub struct Buildx {
    program: PathBuf,
    /// Its first words.
    words: &'static [&'static str],
}

impl Buildx {
    /// Looks for it. `DOCKER_BUILDKIT=0` asks for the classic builder, as docker has it.
    pub(in crate::engine) async fn find(client: &Client) -> Option<Self> {
        if std::env::var("DOCKER_BUILDKIT").is_ok_and(|word| matches!(word.as_str(), "0" | "false")) {
            return None;
        }
        for here in Self::candidates(client) {
            if here.answers().await {
                return Some(here);
            }
        }
        None
    }

    /// What it may be, the first that answers is it.
    fn candidates(client: &Client) -> impl Iterator<Item = Self> {
        let own = client.directory.iter().map(|directory| directory.join("cli-plugins"));
        let places = client.plugins.iter().cloned().chain(own).chain(PLUGINS.map(PathBuf::from));
        let plugins = places.map(|place| Self { program: place.join("docker-buildx"), words: &[] });
        plugins.chain([Self { program: "docker".into(), words: &["buildx"] }])
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.words);
        command
    }

    async fn answers(&self) -> bool {
        let mut ask = self.command();
        ask.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().await.is_ok_and(|status| status.success())
    }

    /// Builds, and tells each line of the builder.
    pub(super) async fn build(&self, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<(), Error> {
        if wanted.flags.memory.is_some() {
            tell("BuildKit limits no build's memory: --memory is left out");
        }
        let end = self.run(wanted, if wanted.flags.push { "--push" } else { "--load" }, tell).await?;
        if end.status.success() { Ok(()) } else { Err(end.error()) }
    }

    /// Has the Dockerfile checked instead, and tells each line of the builder.
    pub(super) async fn check(&self, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<BuildCheck, Error> {
        let end = self.run(wanted, "--check", tell).await?;
        match end.status.success() || !end.said.is_empty() {
            true => Ok(BuildCheck { passed: end.status.success(), report: end.said }),
            false => Err(end.error()),
        }
    }

    /// Runs the command; `result` is the option that says what becomes of it.
    async fn run(&self, wanted: &DesiredBuild, result: &str, tell: &dyn Fn(&str)) -> Result<End, Error> {
        let cannot = |why: std::io::Error| Error::Build(format!("docker buildx build: {why}"));
        let mut command = self.command();
        command.args(["build", result]).args(arguments(wanted)?).kill_on_drop(true);
        for (place, secret) in wanted.build.buildkit.secrets.iter().enumerate() {
            if let FileContent::Text(bytes) = &secret.content {
                command.env(variable(place), OsStr::from_bytes(bytes.as_slice()));
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(cannot)?;
        if let Some(mut input) = child.stdin.take()
            && let Some(text) = &wanted.build.dockerfile_inline
        {
            input.write_all(text.as_bytes()).await.map_err(cannot)?;
        }
        let (answer, progress) = (child.stdout.take(), child.stderr.take());
        let answered = async {
            let mut said = vec![];
            if let Some(mut answer) = answer {
                answer.read_to_end(&mut said).await?;
            }
            std::io::Result::Ok(String::from_utf8_lossy(&said).into_owned())
        };
        let told = async {
            let mut error = None;
            if let Some(progress) = progress {
                let mut lines = BufReader::new(progress).split(b'\n');
                while let Some(line) = lines.next_segment().await? {
                    let line = String::from_utf8_lossy(&line);
                    let line = line.trim_end();
                    if let Some(why) = line.strip_prefix("ERROR: ") {
                        error = Some(why.to_owned());
                    }
                    tell(line);
                }
            }
            Ok(error)
        };
        let (said, why) = futures_util::try_join!(answered, told).map_err(cannot)?;
        Ok(End { status: child.wait().await.map_err(cannot)?, said, why })
    }
}

/// How the command ended.
struct End {
    status: ExitStatus,
    /// Its standard output.
    said: String,
    /// The line that says what went wrong.
    why: Option<String>,
}

impl End {
    fn error(self) -> Error {
        Error::Build(self.why.unwrap_or_else(|| format!("docker buildx build ended with {}", self.status)))
    }
}

/// The command's arguments (`docker buildx build --help`).
///
/// # Errors
/// For a secret that nobody can give.
fn arguments(wanted: &DesiredBuild) -> Result<Vec<String>, Error> {
    let build = &wanted.build;
    let mut arguments = vec!["--progress=plain".to_owned()];
    let mut add = |name: &str, value: String| arguments.push(format!("--{name}={value}"));
    wanted.flags.builder.iter().for_each(|builder| add("builder", builder.clone()));
    wanted.tags.iter().for_each(|tag| add("tag", tag.clone()));
    add("file", dockerfile(wanted));
    build.args.iter().for_each(|(name, value)| add("build-arg", format!("{name}={value}")));
    build.labels.iter().for_each(|(name, value)| add("label", format!("{name}={value}")));
    build.target.iter().for_each(|stage| add("target", stage.clone()));
    build.network.iter().for_each(|network| add("network", network.clone()));
    build.extra_hosts.iter().for_each(|(name, address)| add("add-host", format!("{name}={address}")));
    build.cache_from.iter().for_each(|from| add("cache-from", from.clone()));
    build.shm_size.iter().for_each(|bytes| add("shm-size", bytes.to_string()));
    build.ulimits.iter().for_each(|(name, soft, hard)| add("ulimit", format!("{name}={soft}:{hard}")));
    let platforms = if build.platforms.is_empty() { wanted.platform.as_slice() } else { &build.platforms };
    if !platforms.is_empty() {
        add("platform", platforms.join(","));
    }
    let kit = &build.buildkit;
    kit.contexts.iter().for_each(|(name, context)| add("build-context", format!("{name}={context}")));
    kit.cache_to.iter().for_each(|to| add("cache-to", to.clone()));
    kit.ssh.iter().for_each(|agent| add("ssh", agent.clone()));
    kit.entitlements.iter().for_each(|entitlement| add("allow", entitlement.clone()));
    kit.provenance.iter().for_each(|word| add("provenance", word.clone()));
    kit.sbom.iter().for_each(|word| add("sbom", word.clone()));
    for (place, secret) in kit.secrets.iter().enumerate() {
        if let Some(source) = source(place, secret)? {
            add("secret", format!("id={},{source}", secret.id));
        }
    }
    arguments.extend(
        [("--no-cache", build.no_cache), ("--pull", build.pull)].iter().filter(|f| f.1).map(|f| f.0.to_owned()),
    );
    arguments.push("--".to_owned());
    arguments.push(build.context.clone());
    Ok(arguments)
}

/// Where buildx finds a secret: in its file, or in a variable that it is given. One that is not set is left out, as
/// docker compose does; a Dockerfile that cannot go without says so (`required=true`).
fn source(place: usize, secret: &BuildSecret) -> Result<Option<String>, Error> {
    match &secret.content {
        FileContent::Path(path, _) => Ok(Some(format!("type=file,src={}", path.display()))),
        FileContent::Text(_) => Ok(Some(format!("type=env,env={}", variable(place)))),
        FileContent::Unset(_) => Ok(None),
        FileContent::Nowhere => Err(Error::Build(format!("secret `{}` is external", secret.source))),
    }
}

/// The variable that carries a secret to buildx, so that no argument shows it.
fn variable(place: usize) -> String {
    format!("BOWLINE_BUILD_SECRET_{place}")
}

/// buildx looks for the file from where it is called, not from the context.
fn dockerfile(wanted: &DesiredBuild) -> String {
    match &wanted.build.dockerfile_inline {
        Some(_) => "-".to_owned(),
        None => wanted.build.dockerfile_path(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::environment::Environment;
    use crate::compose::{Request, load_text_with};
    use crate::state::desired::{EVERY_ATTRIBUTE, desired};

    #[test]
    fn the_plugin_is_looked_for_where_docker_looks() {
        let (directory, plugins) = (Some("/home/me/.docker".into()), vec!["/opt/plugins".into()]);
        let client = Client { directory, plugins, ..Client::default() };
        let all: Vec<String> = Buildx::candidates(&client)
            .map(|here| format!("{} {}", here.program.display(), here.words.join(" ")).trim_end().to_owned())
            .collect();
        let expected = [
            "/opt/plugins/docker-buildx",
            "/home/me/.docker/cli-plugins/docker-buildx",
            "/usr/local/lib/docker/cli-plugins/docker-buildx",
            "/usr/local/libexec/docker/cli-plugins/docker-buildx",
            "/usr/lib/docker/cli-plugins/docker-buildx",
            "/usr/libexec/docker/cli-plugins/docker-buildx",
            "docker buildx",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn every_attribute_becomes_an_argument() {
        let mut environment = Environment::new();
        environment.set("S", "of .env", None);
        let project = load_text_with("c.yaml", EVERY_ATTRIBUTE, &environment, &Request::default()).project.unwrap();
        let builds = desired(&project, &Default::default()).builds;
        let said = arguments(&builds[1]).unwrap().join("\n");
        let expected = "--progress=plain --tag=a:1 --tag=more:2 --file=/ctx/sub/D --build-arg=A=1 --label=l=x \
            --label=com.docker.compose.project=p --label=com.docker.compose.service=a --target=t --network=host \
            --add-host=h=1.2.3.4 --cache-from=old --shm-size=1024 --ulimit=nofile=10:10 --ulimit=nproc=1:2 \
            --platform=linux/amd64,linux/arm64 --build-context=o=/other --build-context=s=docker-image://p-base \
            --cache-to=type=inline --ssh=default --ssh=k=/key --allow=security.insecure --provenance=false \
            --secret=id=s,type=env,env=BOWLINE_BUILD_SECRET_0 --secret=id=g,type=file,src=/f --no-cache --pull -- /ctx";
        assert_eq!(said, expected.replace(' ', "\n"));
        assert_eq!(builds[1].needs, [builds.keys().next().unwrap().clone()]);
    }
}

//! Builds as a file of `docker buildx bake` (buildx's bake reference), as `docker compose build --print` has it.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

use crate::compose::model::{BuildSecret, FileContent, Project};
use crate::name::ServiceName;
use crate::state::desired::{Desired, DesiredBuild};

#[derive(Serialize)]
struct Bake<'a> {
    group: IndexMap<&'a str, Group>,
    target: IndexMap<String, Target<'a>>,
}

#[derive(Serialize)]
struct Group {
    targets: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Target<'a> {
    context: &'a str,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    contexts: IndexMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile_inline: Option<&'a str>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    args: IndexMap<&'a str, &'a str>,
    labels: IndexMap<&'a str, &'a str>,
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cache_from: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cache_to: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ssh: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<&'a str>,
    #[serde(skip_serializing_if = "is_off")]
    pull: bool,
    #[serde(skip_serializing_if = "is_off")]
    no_cache: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shm_size: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ulimits: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    entitlements: &'a [String],
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    extra_hosts: IndexMap<&'a str, &'a str>,
    output: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attest: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_off(flag: &bool) -> bool {
    !flag
}

/// The file, as JSON, of the builds of these services and of those that they start from.
pub fn json(project: &Project, desired: &Desired, services: &[&ServiceName]) -> String {
    let (mut all, mut seen) = (vec![], BTreeSet::new());
    for service in services {
        with_bases(desired, service, &mut seen, &mut all);
    }
    let target = |name: &&ServiceName| Some((key(name), target(project, name, desired.builds.get(*name)?)));
    let bake = Bake {
        group: IndexMap::from([("default", Group { targets: all.iter().map(|name| key(name)).collect() })]),
        target: all.iter().filter_map(target).collect(),
    };
    serde_json::to_string_pretty(&bake).unwrap_or_default()
}

/// A service after those that its image starts from; each is there once.
fn with_bases<'a>(
    desired: &'a Desired,
    service: &'a ServiceName,
    seen: &mut BTreeSet<&'a ServiceName>,
    all: &mut Vec<&'a ServiceName>,
) {
    let Some(build) = desired.builds.get(service).filter(|_| seen.insert(service)) else { return };
    build.needs.iter().for_each(|base| with_bases(desired, base, seen, all));
    all.push(service);
}

/// What bake calls a service: its names have no dots.
fn key(service: &ServiceName) -> String {
    service.as_str().replace('.', "_")
}

fn target<'a>(project: &'a Project, service: &ServiceName, wanted: &'a DesiredBuild) -> Target<'a> {
    let (build, kit) = (&wanted.build, &wanted.build.buildkit);
    let declared = project.services.get(service).or_else(|| project.bases.get(service));
    let written = declared.and_then(|service| service.build.as_ref());
    let contexts = written.map(|build| &build.buildkit.contexts).into_iter().flatten();
    let platforms = if build.platforms.is_empty() { wanted.platform.as_slice() } else { &build.platforms };
    let limit = |(name, soft, hard): &(String, i64, i64)| match soft == hard {
        true => format!("{name}={soft}"),
        false => format!("{name}={soft}:{hard}"),
    };
    Target {
        context: &build.context,
        contexts: contexts.map(|(name, context)| (name.as_str(), base(context))).collect(),
        dockerfile: build.dockerfile_inline.is_none().then(|| build.dockerfile_path()),
        dockerfile_inline: build.dockerfile_inline.as_deref(),
        args: texts(&build.args),
        labels: texts(&build.labels),
        tags: wanted.tags.iter().map(String::as_str).collect(),
        cache_from: &build.cache_from,
        cache_to: &kit.cache_to,
        target: build.target.as_deref(),
        secret: kit.secrets.iter().filter_map(source).collect(),
        ssh: &kit.ssh,
        platforms: platforms.iter().map(String::as_str).collect(),
        pull: build.pull,
        no_cache: build.no_cache,
        network: build.network.as_deref(),
        shm_size: build.shm_size.map(|bytes| bytes.to_string()),
        ulimits: build.ulimits.iter().map(limit).collect(),
        entitlements: &kit.entitlements,
        extra_hosts: build.extra_hosts.iter().map(|(name, address)| (name.as_str(), address.as_str())).collect(),
        output: [match (wanted.flags.push, platforms.len()) {
            (true, _) => "type=registry",
            (false, 0 | 1) => "type=docker",
            (false, _) => "type=image,push=false",
        }],
        attest: [("provenance", &kit.provenance), ("sbom", &kit.sbom)]
            .into_iter()
            .filter_map(|(kind, word)| attest(kind, word.as_deref()?))
            .collect(),
    }
}

fn texts(map: &IndexMap<String, String>) -> IndexMap<&str, &str> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// An additional context; another service's image is that target's.
fn base(context: &str) -> String {
    match context.strip_prefix("service:") {
        Some(service) => format!("target:{}", service.replace('.', "_")),
        None => context.to_owned(),
    }
}

/// Where a secret is: a file, or a variable by its name. What is in it is in no file of anyone.
fn source(secret: &BuildSecret) -> Option<String> {
    let id = &secret.id;
    match (&secret.content, &secret.variable) {
        (FileContent::Path(path, _), _) => Some(format!("id={id},type=file,src={}", path.display())),
        (_, Some(variable)) => Some(format!("id={id},type=env,env={variable}")),
        (_, None) => None,
    }
}

fn attest(kind: &str, word: &str) -> Option<String> {
    match word {
        "false" => None,
        "true" | "" => Some(format!("type={kind}")),
        options => Some(format!("type={kind},{options}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::environment::Environment;
    use crate::compose::{Request, load_text_with};
    use crate::state::desired::{EVERY_ATTRIBUTE, desired};

    #[test]
    fn it_is_what_docker_compose_prints() {
        let mut environment = Environment::new();
        environment.set("S", "not told", None);
        let project = load_text_with("c.yaml", EVERY_ATTRIBUTE, &environment, &Request::default()).project.unwrap();
        let mut desired = desired(&project, &Default::default());
        let a = "a".parse().unwrap();
        let build = desired.builds.get_mut(&a).unwrap();
        (build.flags.push, build.build.buildkit.sbom) = (true, Some("true".to_owned()));
        let said: serde_json::Value = serde_json::from_str(&json(&project, &desired, &[&a])).unwrap();
        let wanted = serde_json::json!({
            "group": {"default": {"targets": ["base", "a"]}},
            "target": {
                "base": {
                    "context": "/b",
                    "dockerfile": "/b/Dockerfile",
                    "labels": {"com.docker.compose.project": "p", "com.docker.compose.service": "base"},
                    "tags": ["p-base"],
                    "output": ["type=docker"],
                },
                "a": {
                    "context": "/ctx",
                    "contexts": {"o": "/other", "s": "target:base"},
                    "dockerfile": "/ctx/sub/D",
                    "args": {"A": "1"},
                    "labels": {"l": "x", "com.docker.compose.project": "p", "com.docker.compose.service": "a"},
                    "tags": ["a:1", "more:2"],
                    "cache-from": ["old"],
                    "cache-to": ["type=inline"],
                    "target": "t",
                    "secret": ["id=s,type=env,env=S", "id=g,type=file,src=/f"],
                    "ssh": ["default", "k=/key"],
                    "platforms": ["linux/amd64", "linux/arm64"],
                    "pull": true,
                    "no-cache": true,
                    "network": "host",
                    "shm-size": "1024",
                    "ulimits": ["nofile=10", "nproc=1:2"],
                    "entitlements": ["security.insecure"],
                    "extra-hosts": {"h": "1.2.3.4"},
                    "output": ["type=registry"],
                    "attest": ["type=sbom"],
                },
            },
        });
        assert_eq!(said, wanted);
    }

    #[test]
    fn a_target_has_no_dots_in_its_name() {
        assert_eq!(key(&"no.dots".parse().unwrap()), "no_dots");
        assert_eq!(base("service:no.dots"), "target:no_dots");
    }
}

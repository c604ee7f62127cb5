//! `--on` and `--host NAME=URL`: which Engine is meant, where a stack is spread over several.

use bowline::compose::model::{EnginePlace, Part, Project};
use bowline::compose::{self};
use bowline::finding::nearest;
use bowline::name::HostName;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::load;

/// `NAME=URL` of `--host`; none where it is one Engine's address, in which no `=` comes before a slash.
fn named(host: &str) -> Option<(HostName, &str)> {
    let (name, url) = host.split_once('=')?;
    Some((name.parse().ok()?, url))
}

/// The one Engine that `--host URL` names.
///
/// # Errors
/// Where it names two.
pub fn only(global: &Global) -> Result<Option<&str>, Failure> {
    let mut plain = global.host.iter().filter(|host| named(host).is_none());
    let first = plain.next();
    match plain.next() {
        None => Ok(first.map(String::as_str)),
        Some(_) => Err(Failure::new(Exit::Usage, "--host names two Engines").hint("with `x-hosts`: `--host NAME=URL`")),
    }
}

/// Of a stack that was loaded, what the command works with: the stack, or with `--on` a host's part of it.
///
/// # Errors
/// Where the stack is on several hosts and none is named, or one that there is not.
pub fn part(global: &Global, mut project: Project) -> Result<Project, Failure> {
    check_named(global, &project)?;
    let Some(on) = &global.on else {
        return match &project.hosts {
            None => Ok(project),
            Some(_) => Err(Failure::new(
                Exit::Usage,
                format!(
                    "{} is on {}, and this command works on one host at a time so far",
                    project.name,
                    names(&project)
                ),
            )
            .hint("`bowline --on HOST …` says on which one")),
        };
    };
    let place = project.hosts.as_ref().and_then(|hosts| hosts.parts.iter().position(|part| part.name == *on.as_str()));
    match (place, project.hosts.take()) {
        (Some(place), Some(mut hosts)) => Ok(hosts.parts.swap_remove(place).project),
        (_, hosts) => {
            project.hosts = hosts;
            Err(no_such_host(&project, on))
        }
    }
}

/// Whether the stack has every host that `--host NAME=URL` names.
///
/// # Errors
/// For one that it has not.
pub fn check_named(global: &Global, project: &Project) -> Result<(), Failure> {
    let known = |name: &str| project.hosts.as_ref().is_some_and(|hosts| hosts.part(name).is_some());
    let mut all = global.host.iter().filter_map(|host| named(host));
    match all.find(|(name, _)| !known(name.as_str())) {
        Some((name, _)) => Err(no_such_host(project, name.as_str())),
        None => Ok(()),
    }
}

/// The names of the stack's hosts, in a sentence.
fn names(project: &Project) -> String {
    let parts = project.hosts.iter().flat_map(|hosts| &hosts.parts);
    parts.map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn no_such_host(project: &Project, name: &str) -> Failure {
    let Some(hosts) = &project.hosts else {
        let message = format!("`{name}` is to be a host, and {} says nothing of hosts", project.name);
        return Failure::new(Exit::Usage, message).hint("`x-hosts` in the file names them");
    };
    let failure = Failure::new(Exit::Usage, format!("there is no host `{name}` in `x-hosts`"));
    failure.hint(match nearest(name, hosts.parts.iter().map(|part| part.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the hosts are: {}", names(project)),
    })
}

/// Where the Engine of a host is: what `--host` says, else the file.
///
/// # Errors
/// Where nothing says it.
pub fn place(global: &Global, part: &Part) -> Result<EnginePlace, Failure> {
    let told = global.host.iter().filter_map(|host| named(host)).find(|(name, _)| *name == part.name);
    if let Some((_, url)) = told {
        return Ok(EnginePlace::Url(url.to_owned()));
    }
    match &part.place {
        Some(place) => Ok(place.value.clone()),
        None => {
            let name = &part.name;
            let message = format!("nothing says where the Engine of host {name} is");
            Err(Failure::new(Exit::Usage, message)
                .hint(format!("`--host {name}=URL`, or `url` or `context` in `x-hosts.{name}`")))
        }
    }
}

/// Where the Engine of the host is that `--on` names; what is wrong with the file is told when the command loads it.
///
/// # Errors
/// A file on the standard input, which can be read once; a host that there is not.
pub fn place_of_on(global: &Global) -> Result<Option<EnginePlace>, Failure> {
    let Some(on) = &global.on else { return Ok(None) };
    if global.files.iter().any(|file| file.as_os_str() == "-") {
        return Err(Failure::new(Exit::Usage, "--on needs a stack file that is read twice, and `-f -` is read once"));
    }
    let Some(project) = compose::load(&load::request(global, &[])?).project else { return Ok(None) };
    match project.hosts.as_ref().and_then(|hosts| hosts.part(on)) {
        Some(part) => place(global, part).map(Some),
        None => Err(no_such_host(&project, on)),
    }
}

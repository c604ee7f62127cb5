//! Which changes mean what: paths become work, pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::compose::model::{Action, Hook, MountSource, Project, Service, Watch};
use crate::finding::{Code, Finding, Findings};
use crate::ignore::Patterns;
use crate::name::ServiceName;

/// What editors and git write beside the sources, for themselves.
const OF_EDITORS: &str = "**/.git
**/.idea
**/*~
**/4913
**/.*.sw[nopx]
**/.*.kate-swp
**/.#*
**/#*#
**/*___jb_old___
**/*___jb_tmp___
**/.goutputstream-*
**/*go-tmp-umask";

/// Every rule of the services that are watched.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What means nothing to any of them.
    of_editors: Patterns,
}

/// One entry of a `develop.watch`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whose.
    pub service: ServiceName,
    /// What the file says.
    pub watch: Watch,
    ignore: Patterns,
    /// None: everything counts.
    include: Option<Patterns>,
    /// The build's directory, and what it leaves out.
    context: Option<(PathBuf, Patterns)>,
}

/// What is to be done after changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Services whose images are built anew.
    pub rebuild: BTreeSet<ServiceName>,
    /// What is copied into the containers of a service.
    pub copies: BTreeMap<ServiceName, BTreeSet<Copy>>,
    /// Services whose containers are restarted.
    pub restart: BTreeSet<ServiceName>,
    /// Commands that run in the containers of a service, in the order of the file.
    pub commands: Vec<(ServiceName, Hook)>,
}

/// A path here and its place in a container. What is not there any more is not to be there either.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copy {
    /// Absolute, of this machine.
    pub here: PathBuf,
    /// Absolute, in the container.
    pub there: String,
}

impl Rules {
    /// The rules of `services`, or of all; findings tell of those that cannot be followed. Reads what builds leave out.
    pub fn new(project: &Project, services: &[ServiceName], findings: &mut Findings) -> Self {
        let chosen = |service: &&Service| services.is_empty() || services.contains(&service.name);
        let mut rules = vec![];
        for service in project.services.values().filter(chosen) {
            for (number, watch) in service.watches.iter().enumerate() {
                match Rule::new(service, number, watch) {
                    Ok(rule) => rules.push(rule),
                    Err(finding) => findings.push(finding),
                }
            }
        }
        Self { rules, of_editors: Patterns::parse(OF_EDITORS) }
    }

    /// Whether there is nothing to watch.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Each rule.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether a change of this path means anything.
    pub fn concern(&self, path: &Path) -> bool {
        self.rules.iter().any(|rule| self.below(rule, path).is_some())
    }

    /// Whether nothing below this directory can mean anything, so that it need not be looked at.
    pub fn are_blind_to(&self, directory: &Path) -> bool {
        let sees = |rule: &Rule| match rule.relative(directory) {
            Some(relative) => !(rule.ignores_all(&relative, directory) || self.of_editors.mean(&relative)),
            None => rule.watch.path.starts_with(directory),
        };
        !self.rules.iter().any(sees)
    }

    /// What is copied before anything has changed (`initial_sync`), of everything that is there.
    pub fn initial(&self, there: &BTreeSet<PathBuf>) -> BTreeMap<ServiceName, BTreeSet<Copy>> {
        let wanted = |rule: &&Rule| rule.watch.initial_sync && rule.watch.action.copies();
        let rules = self.rules.iter().filter(wanted).cloned().collect();
        Self { rules, of_editors: self.of_editors.clone() }.work(there).copies
    }

    /// What changes of these paths mean.
    pub fn work(&self, changed: &BTreeSet<PathBuf>) -> Work {
        let mut work = Work::default();
        for rule in &self.rules {
            let found: Vec<Copy> =
                changed.iter().filter_map(|path| rule.copy(path, &self.below(rule, path)?)).collect();
            if !found.is_empty() {
                work.add(rule, found);
            }
        }
        // a container that is replaced has been restarted
        work.restart.retain(|service| !work.rebuild.contains(service));
        work
    }

    /// Where a path lies below a rule's own, if it means something to the rule.
    fn below(&self, rule: &Rule, path: &Path) -> Option<String> {
        rule.below(path).filter(|relative| !self.of_editors.mean(relative))
    }
}

impl Work {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, rule: &Rule, found: Vec<Copy>) {
        let service = || rule.service.clone();
        if rule.watch.action.copies() {
            self.copies.entry(service()).or_default().extend(found);
        }
        match rule.watch.action {
            Action::Rebuild => _ = self.rebuild.insert(service()),
            Action::Restart | Action::SyncRestart => _ = self.restart.insert(service()),
            Action::SyncExec => self.commands.extend(rule.watch.exec.iter().map(|hook| (service(), hook.clone()))),
            Action::Sync => {}
        }
    }
}

impl Rule {
    /// The rule; or why it cannot be followed.
    fn new(service: &Service, number: usize, watch: &Watch) -> Result<Self, Finding> {
        let place = format!("services.{}.develop.watch[{number}]", service.name);
        check(&place, service, watch)?;
        let unreadable = |why: std::io::Error| refused(watch, format!("{place}: {why}"), "the build reads it, too");
        Ok(Self {
            service: service.name.clone(),
            ignore: Patterns::parse(&watch.ignore.join("\n")),
            include: (!watch.include.is_empty()).then(|| Patterns::parse(&watch.include.join("\n"))),
            context: context(service).map_err(unreadable)?,
            watch: watch.clone(),
        })
    }

    /// Where a path lies below the rule's own: with `/` between its parts, empty for that path itself.
    fn relative(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.watch.path).ok()?;
        Some(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
    }

    /// The same, if the rule's patterns let it count.
    fn below(&self, path: &Path) -> Option<String> {
        let relative = self.relative(path)?;
        let is_own = relative.is_empty();
        let counts = is_own || self.include.as_ref().is_none_or(|include| include.mean(&relative));
        (counts && !self.is_left_out(path) && (is_own || !self.ignore.mean(&relative))).then_some(relative)
    }

    /// Whether the build leaves a path out.
    fn is_left_out(&self, path: &Path) -> bool {
        let Some((directory, patterns)) = &self.context else { return false };
        path.strip_prefix(directory).is_ok_and(|below| patterns.mean(&below.to_string_lossy()))
    }

    /// Whether a directory and everything below it is ignored.
    fn ignores_all(&self, relative: &str, directory: &Path) -> bool {
        let for_good = |patterns: &Patterns| !patterns.has_exceptions();
        (!relative.is_empty() && self.ignore.mean(relative) && for_good(&self.ignore))
            || (self.is_left_out(directory) && self.context.iter().all(|(_, patterns)| for_good(patterns)))
    }

    fn copy(&self, path: &Path, relative: &str) -> Option<Copy> {
        let target = self.watch.target.as_deref().unwrap_or_default().trim_matches('/');
        let parts = [target, relative].into_iter().filter(|part| !part.is_empty());
        let there = parts.fold(String::new(), |path, part| format!("{path}/{part}"));
        // the root of a container is nobody's to replace
        let is_root = there.is_empty() && self.watch.action.copies();
        (!is_root).then(|| Copy { here: path.to_owned(), there })
    }
}

fn refused(watch: &Watch, message: String, help: &str) -> Finding {
    Finding::error(Code::BadWatch, message).at(watch.span).help(help)
}

/// Whether a service has what an entry needs. What is mounted in its containers is not copied there as well: that is a warning.
fn check(place: &str, service: &Service, watch: &Watch) -> Result<(), Finding> {
    let (word, path) = (watch.action.word(), watch.path.display());
    if watch.action == Action::Rebuild && service.build.is_none() {
        let message = format!("{place}: `{word}` needs a `build`, and {} has none", service.name);
        return Err(refused(watch, message, "add a `build`, or take `restart`"));
    }
    if watch.action == Action::SyncExec && watch.exec.as_ref().is_none_or(|hook| hook.command.is_empty()) {
        return Err(refused(
            watch,
            format!("{place}: `{word}` needs `exec`"),
            "add `exec: {command: …}`, or take `sync`",
        ));
    }
    if !watch.path.parent().is_none_or(Path::is_dir) {
        let message = format!("{place}: there is no {path} to watch");
        return Err(refused(watch, message, "paths start from the directory of the stack file"));
    }
    let Some(mount) = mounted(service, watch) else { return Ok(()) };
    let message = format!("{place} is not followed: {path} is mounted in the container already");
    Err(Finding::warning(Code::BadWatch, message)
        .at(watch.span)
        .also(mount, "mounted here")
        .help("take one of them out"))
}

/// What a build of this machine leaves out.
fn context(service: &Service) -> std::io::Result<Option<(PathBuf, Patterns)>> {
    match service.build.as_ref().filter(|build| !build.context.contains("://")) {
        Some(build) => {
            let directory = PathBuf::from(&build.context);
            let patterns = Patterns::of_context(&directory, &build.dockerfile)?;
            Ok(Some((directory, patterns)))
        }
        None => Ok(None),
    }
}

/// Where a path that is to be copied is mounted already.
fn mounted(service: &Service, watch: &Watch) -> Option<crate::source::Span> {
    let holds =
        |source: &MountSource| matches!(source, MountSource::Bind(bind) if watch.path.starts_with(&bind.source));
    let mut mounts = service.mounts.iter().filter(|_| watch.action.copies());
    mounts.find(|mount| holds(&mount.value.source)).map(|mount| mount.span)
}

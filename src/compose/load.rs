//! The one door: a request becomes a project, or findings that say why not.
//!
//! The order is Compose's own. For each document of each file: interpolate, cast, check the structure, make canonical,
//! include, extend, merge. Then once: completeness, defaults, resources, paths, environment; and for the project as a
//! whole: normalize, profiles, consistency, environment files, selection, decode, lint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::attributes::Place;
use super::budget::{self, Budget};
use super::canonical::{self, Variables};
use super::environment::Environment;
use super::gather::{self, Gathered};
use super::interpolate::Interpolator;
use super::model::{Hosts, NamedBy, Part, Project};
use super::profile::{self, Selection};
use super::request::{Request, Skip};
use super::resolve::{self, Base};
use super::sources::Sources;
use super::tree;
use super::{
    cast, consistency, decode, defaults, env_file, extends, hosts, include, merge, normalize, project_name, trunks,
    validate,
};
use crate::finding::{Code, Finding, Findings};
use crate::lint;
use crate::name::ProjectName;
use crate::source::{FileId, Files, Span};
use crate::yaml::{self, Node};

/// What loading gives.
#[derive(Debug)]
pub struct Loaded {
    /// The project, where nothing in the files keeps it from being one. It may still have findings: what the Engine
    /// would refuse is among them.
    pub project: Option<Project>,
    /// The canonical tree, where the files make sense as Compose files: what `config` prints.
    pub tree: Option<Node>,
    /// Every text that was read, for showing findings.
    pub files: Files,
    /// Everything that is wrong or worth knowing.
    pub findings: Findings,
    /// What `${…}` was replaced from.
    pub environment: Environment,
    /// The profiles that the file defines, sorted.
    pub profiles: Vec<String>,
    /// The stack files, in order; not what they include.
    pub stack_files: Vec<FileId>,
}

impl Loaded {
    /// The documents of the stack files as they were read, before anything was done to them. They are read again: no other
    /// command than `config --variables` needs them, and the load is quicker and smaller for not keeping them.
    pub fn documents(&self) -> Vec<Node> {
        let read = |id: &FileId| yaml::read(&self.files, *id, &mut Findings::new());
        self.stack_files.iter().flat_map(read).collect()
    }
}

/// Loads a project.
pub fn load(request: &Request) -> Loaded {
    let mut findings = Findings::new();
    let gathered = gather::gather(request, &mut findings);
    load_gathered(request, gathered, findings)
}

/// Loads a project from one text, without looking at any file or variable; the project is called `test` where the text
/// gives no name. For tests.
pub fn load_text(name: &str, text: &str) -> Loaded {
    load_text_with(name, text, &Environment::new(), &Request::default())
}

/// The same with variables, profiles, named services.
pub fn load_text_with(name: &str, text: &str, environment: &Environment, request: &Request) -> Loaded {
    let directory = PathBuf::from("/test");
    let mut sources = Sources::new(&directory, None);
    let file = sources.files_mut().add(name, None, text);
    let gathered = Gathered {
        sources,
        stack_files: vec![file],
        project_directory: directory,
        environment: environment.clone(),
        env_files: vec![],
        profiles: request.profiles.clone(),
    };
    load_gathered(request, gathered, Findings::new())
}

fn load_gathered(request: &Request, gathered: Gathered, mut findings: Findings) -> Loaded {
    let Gathered { mut sources, stack_files, project_directory, mut environment, env_files, profiles } = gathered;
    let home = environment.get("HOME").map(str::to_owned);
    let mut loader = Loader {
        sources: &mut sources,
        findings: &mut findings,
        skip: request.skip,
        home,
        read: BTreeMap::new(),
        budget: Budget::of(budget::VALUES),
        included: 0,
    };
    let asked = request.project_name.as_deref();
    let documents: Vec<Node> = stack_files.iter().flat_map(|id| loader.documents(*id)).collect();
    let name = project_name::decide(asked, &environment, &documents, &project_directory, loader.findings);
    drop(documents); // what nobody else holds is changed in place
    if let Some((name, _)) = &name {
        environment.set("COMPOSE_PROJECT_NAME", name.as_str(), None);
    }
    let chain = stack_files.iter().filter_map(|id| Some((loader.path(*id)?, Span::new(*id, 0, 0)))).collect();
    let mut scope = Scope::new(&environment, project_directory.clone(), chain);
    let model = if stack_files.is_empty() { None } else { loader.model(&stack_files, &mut scope) };
    let all_profiles = model.as_ref().map(profile::all).unwrap_or_default();
    let whole =
        Whole { request, name, directory: project_directory, stack_files: stack_files.clone(), env_files, profiles };
    let (tree, project) = match model {
        Some(model) => loader.finish(model, whole, &environment),
        None => {
            loader.nothing_in(&whole.stack_files);
            (None, None)
        }
    };
    let mut loaded = Loaded {
        project,
        tree,
        files: sources.into_files(),
        findings,
        environment,
        profiles: all_profiles,
        stack_files,
    };
    loaded.findings.drop_consequences();
    loaded.findings.sort();
    loaded
}

/// What the project is besides its model.
struct Whole<'a> {
    request: &'a Request,
    name: Option<(ProjectName, NamedBy)>,
    directory: PathBuf,
    stack_files: Vec<FileId>,
    env_files: Vec<PathBuf>,
    profiles: Vec<String>,
}

/// What all files of a load share.
pub(super) struct Loader<'a> {
    pub sources: &'a mut Sources,
    pub findings: &'a mut Findings,
    pub skip: Skip,
    /// What `~` stands for.
    pub home: Option<String>,
    /// What ranges of ports and extended services may still add.
    pub budget: Budget,
    /// How many times a file was included.
    pub included: usize,
    /// Documents by file, as they were read.
    read: BTreeMap<FileId, Vec<Node>>,
}

/// The project that a file belongs to: an included one has its own.
pub(super) struct Scope<'a> {
    pub environment: &'a Environment,
    /// What replaces `${…}` from it.
    pub interpolator: Interpolator<'a>,
    /// Where its relative paths start, absolute.
    pub directory: PathBuf,
    /// Where those of the project start that includes this one; none where this is the whole.
    pub parent: Option<PathBuf>,
    /// The files that led here, and where each was included: to see a circle.
    pub chain: Vec<(PathBuf, Span)>,
    /// Files that services were extended from.
    pub extended_files: BTreeMap<PathBuf, Option<Node>>,
    /// Circles of services that extend each other, by their members: each is spoken of once.
    pub circles: Vec<Vec<String>>,
}

impl<'a> Scope<'a> {
    pub fn new(environment: &'a Environment, directory: PathBuf, chain: Vec<(PathBuf, Span)>) -> Self {
        let interpolator = Interpolator::new(environment);
        let (extended_files, circles) = (BTreeMap::new(), vec![]);
        Self { environment, interpolator, directory, parent: None, chain, extended_files, circles }
    }
}

impl Loader<'_> {
    /// The documents of a file, read once.
    pub fn documents(&mut self, id: FileId) -> Vec<Node> {
        if let Some(known) = self.read.get(&id) {
            return known.clone();
        }
        let documents = yaml::read(self.sources.files(), id, self.findings);
        self.read.insert(id, documents.clone());
        documents
    }

    /// The documents of a file, to be changed: those of a stack file are needed once, others are included again.
    fn documents_of(&mut self, id: FileId, scope: &Scope<'_>) -> Vec<Node> {
        let known = if scope.parent.is_none() { self.read.remove(&id) } else { None };
        known.unwrap_or_else(|| self.documents(id))
    }

    fn path(&self, id: FileId) -> Option<PathBuf> {
        self.sources.files().get(id).path.clone()
    }

    /// Replaces `${…}`, unless it is to be kept.
    pub fn interpolate(&mut self, document: &mut Node, scope: &mut Scope<'_>) {
        if !self.skip.interpolation {
            scope.interpolator.tree(self.sources.files(), document, self.findings);
        }
    }

    /// Whether `${…}` still stand in texts.
    pub fn variables(&self) -> Variables {
        if self.skip.interpolation { Variables::Kept } else { Variables::Replaced }
    }

    /// What a directory is called in paths that are printed: itself, or where paths stay relative, the way to it from
    /// the one that whoever names it starts from.
    pub fn seen_from(&self, directory: &Path, from: &Path) -> PathBuf {
        if self.skip.path_resolution { relative(directory, from) } else { directory.to_path_buf() }
    }

    /// All files of one project as one tree: merged, complete, paths absolute. None where there is nothing.
    pub fn model(&mut self, files: &[FileId], scope: &mut Scope<'_>) -> Option<Node> {
        let mut model: Option<Node> = None;
        for id in files {
            for document in self.documents_of(*id, scope) {
                if document.is_null() {
                    continue;
                }
                let document = self.document(document, *id, model.as_mut(), scope);
                model = merge::merge(model, document, Place::root());
            }
        }
        let mut model = model?;
        validate::completeness(&model, self.findings);
        defaults::defaults(&mut model, self.findings);
        consistency::check_resources(&model, self.findings);
        if !self.skip.path_resolution || scope.parent.is_some() {
            let from = scope.parent.as_deref().unwrap_or(&scope.directory);
            let directory = self.seen_from(&scope.directory, from);
            resolve::paths(&mut model, &Base { directory: &directory, home: self.home.as_deref() });
        }
        if !self.skip.interpolation {
            resolve::environment(&mut model, scope.environment);
        }
        Some(model)
    }

    /// One document, ready to be merged.
    fn document(&mut self, mut document: Node, id: FileId, earlier: Option<&mut Node>, scope: &mut Scope<'_>) -> Node {
        self.interpolate(&mut document, scope);
        if !self.skip.interpolation {
            cast::cast(&mut document, self.findings);
        }
        validate::structure(&mut document, self.findings);
        self.drop_version(&mut document);
        canonical::canonical(&mut document, self.variables(), &mut self.budget, self.findings);
        include::include(&mut document, scope, self);
        if let Some(earlier) = earlier {
            extends::clear_resets(earlier, &document);
        }
        let path = self.path(id);
        extends::extend(&mut document, path.as_deref(), scope, self);
        document
    }

    fn drop_version(&mut self, document: &mut Node) {
        let Some(version) = document.as_map_mut().and_then(|map| map.remove("version")) else { return };
        let finding = Finding::warning(Code::Obsolete, "`version` has no meaning any more").at(version.key);
        self.findings.push(finding.help("take the line out"));
    }

    /// Files that say nothing; where something is wrong with them, that says more.
    fn nothing_in(&mut self, stack_files: &[FileId]) {
        if let (Some(id), false) = (stack_files.first(), self.findings.has_errors()) {
            let finding = Finding::error(Code::NoProject, "the file is empty").at(Span::new(*id, 0, 0));
            self.findings.push(finding.help("define a service below `services:`"));
        }
    }

    /// From the merged model to the project.
    fn finish(
        &mut self,
        mut tree: Node,
        whole: Whole<'_>,
        environment: &Environment,
    ) -> (Option<Node>, Option<Project>) {
        let Whole { request, name, directory, stack_files, env_files, profiles } = whole;
        if tree.as_map().is_none_or(|map| map.is_empty()) {
            self.nothing_in(&stack_files);
            return (None, None);
        }
        let Some((name, named_by)) = name else { return (None, None) };
        tree::set(&mut tree, "name", |at| Node::str(at, name.as_str()));
        if !self.skip.interpolation {
            trunks::trunks(&mut tree, self.findings);
        }
        if !self.skip.normalization {
            let none = Environment::new();
            let known = if self.skip.interpolation { &none } else { environment };
            normalize::normalize(&mut tree, name.as_str(), known);
        }
        if self.skip.interpolation {
            let tree = (!self.findings.has_errors()).then_some(tree);
            return (tree, None);
        }
        let selection = profile::select(&tree, &profiles, &request.services);
        if !self.skip.consistency {
            consistency::check_services(&tree, &selection, self.findings);
            for (_, entry) in tree::section_mut(&mut tree, "services") {
                normalize::replicas(&mut entry.value);
            }
        }
        let selection = profile::named(&tree, selection, &request.services, self.findings);
        consistency::check_exposed(&tree, self.findings);
        if !self.skip.env_files {
            self.read_env_files(&mut tree, &selection, environment);
        }
        let networks: Vec<String> = tree::section(&tree, "networks").map(|(key, _)| key.to_string()).collect();
        let bases = Selection { active: profile::bases(&tree, &selection), inactive: vec![] };
        let based = (!bases.active.is_empty()).then(|| {
            let mut tree = tree.clone();
            profile::prune(&mut tree, &bases, false);
            tree
        });
        profile::prune(&mut tree, &selection, request.all_resources);
        let split = if self.skip.consistency || self.skip.normalization {
            None
        } else {
            let declared = hosts::Declared { inactive: &selection.inactive, networks: &networks };
            hosts::split(&tree, &declared, self.findings)
        };
        if split.is_some() {
            hosts::prune(&mut tree);
        }
        if self.findings.has_errors() {
            return (None, None);
        }
        let files = stack_files.iter().filter_map(|id| self.path(*id)).collect();
        let inactive = selection.inactive.iter().filter_map(|name| name.parse().ok()).collect();
        let identity =
            decode::Identity { name, named_by, working_dir: directory, files, env_files, inactive, networks };
        let parts = split.map(|split| Box::new(self.decode_parts(split, &identity, environment)));
        // what else is wrong with a service that takes no part is nobody's matter
        let bases =
            based.map(|tree| decode::decode(&tree, identity.clone(), environment, &mut Findings::new()).services);
        let mut project = decode::decode(&tree, identity, environment, self.findings);
        project.hosts = parts;
        project.bases = bases.unwrap_or_default();
        let project = (!self.findings.has_errors()).then_some(project);
        if let Some(project) = project.as_ref().filter(|_| !self.skip.consistency) {
            lint::check(project, self.findings);
        }
        (Some(tree), project)
    }

    /// The stack of each host. What is wrong with its services was found in the whole.
    fn decode_parts(&mut self, split: hosts::Split, whole: &decode::Identity, environment: &Environment) -> Hosts {
        let parts = split.parts.into_iter().map(|part| {
            let hosts::PartTree { name, span, place, tree } = part;
            let project = decode::decode(&tree, whole.clone(), environment, &mut Findings::new());
            Part { name, span, place, project }
        });
        Hosts { parts: parts.collect(), needs: split.needs }
    }

    fn read_env_files(&mut self, tree: &mut Node, selection: &Selection, environment: &Environment) {
        for (name, entry) in tree::section_mut(tree, "services") {
            if selection.active.contains(&**name) {
                env_file::environment(&mut entry.value, name, environment, self.sources, self.findings);
                env_file::labels(&mut entry.value, self.sources, self.findings);
            }
        }
    }
}

/// The way from one directory to another, as text.
fn relative(to: &Path, from: &Path) -> PathBuf {
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let down = to.components().skip(shared).map(|c| Path::new(c.as_os_str()).to_path_buf());
    up.map(Path::to_path_buf).chain(down).collect()
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;

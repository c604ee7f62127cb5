//! A stack and an Engine that is only simulated: what tests of plans are written with.

use std::cell::OnceCell;

use crate::compose::load_text;
use crate::finding::{Findings, Severity};
use crate::name::ServiceName;
use crate::plan::Plan;
use crate::plan::down::{DownOptions, down};
use crate::plan::up::{UpOptions, up};
use crate::state::desired::{Desired, DesiredOptions, desired};
use crate::state::observed::{EngineFacts, Observed, ObservedContainer, ObservedImage};
use crate::state::settings::Settings;
use crate::state::simulate::{simulate, simulate_some};

/// A stack file and the flags that plans are made with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lab {
    text: String,
    pub(crate) up: UpOptions,
    pub(crate) down: DownOptions,
    pub(crate) with: DesiredOptions,
    api: Option<(u32, u32)>,
    loaded: OnceCell<Desired>,
}

/// A plan and what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) before: Observed,
    pub(crate) findings: Findings,
}

impl Lab {
    /// A stack of this text; the project is called `test`.
    pub(crate) fn load(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// The same stack with another word somewhere.
    pub(crate) fn edit(&self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from), "the stack has no `{from}`");
        Self { text: self.text.replace(from, to), loaded: OnceCell::new(), ..self.clone() }
    }

    /// The same stack with other flags.
    pub(crate) fn options(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut lab = self.clone();
        change(&mut lab);
        lab.loaded = OnceCell::new();
        lab
    }

    /// The same stack on an Engine of another API.
    pub(crate) fn api(&self, major: u32, minor: u32) -> Self {
        Self { api: Some((major, minor)), ..self.clone() }
    }

    /// What the stack asks for.
    pub(crate) fn desired(&self) -> &Desired {
        self.loaded.get_or_init(|| {
            let loaded = load_text("compose.yaml", &self.text);
            let errors: Vec<_> = loaded.findings.iter().filter(|f| f.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{}\n{errors:#?}", self.text);
            desired(&loaded.project.expect("a stack without errors is a project"), &self.with)
        })
    }

    /// An Engine that holds nothing but the images.
    pub(crate) fn engine(&self) -> Observed {
        self.with_images(Observed::default())
    }

    /// The Engine with the images of this stack, and what it can.
    fn with_images(&self, mut observed: Observed) -> Observed {
        let version = "28.5.2".to_owned();
        let podman = observed.engine.podman;
        observed.engine = EngineFacts { api: self.api.unwrap_or((1, 51)), version, podman, ..EngineFacts::default() };
        for container in self.desired().containers.values() {
            for name in container.settings.images() {
                observed.images.entry(name.to_owned()).or_insert_with(|| Some(image(name)));
            }
        }
        observed
    }

    /// `up` on an Engine that holds nothing.
    pub(crate) fn up(&self) -> Planned {
        self.up_from(&Observed::default())
    }

    /// `up` on an Engine in some state.
    pub(crate) fn up_from(&self, observed: &Observed) -> Planned {
        let before = self.with_images(observed.clone());
        let mut findings = Findings::new();
        let plan = up(self.desired(), &before, &self.up, &mut findings);
        Planned { plan: plan.unwrap_or_else(|flaw| panic!("{flaw}\n{}", self.text)), before, findings }
    }

    /// `down` with the file.
    pub(crate) fn down_from(&self, observed: &Observed) -> Planned {
        self.down_with(observed, Some(self.desired()))
    }

    /// `down` without the file.
    pub(crate) fn down_without_file(&self, observed: &Observed) -> Planned {
        self.down_with(observed, None)
    }

    fn down_with(&self, observed: &Observed, file: Option<&Desired>) -> Planned {
        let mut findings = Findings::new();
        let plan = down(&self.desired().project, file, observed, &self.down, &mut findings);
        let plan = plan.unwrap_or_else(|flaw| panic!("{flaw}\n{}", self.text));
        Planned { plan, before: observed.clone(), findings }
    }
}

impl Planned {
    /// The Engine when all is done.
    pub(crate) fn observed(&self) -> Observed {
        simulate(&self.plan, &self.before)
    }

    /// The Engine when only the first `count` steps were done.
    pub(crate) fn after(&self, count: usize) -> Observed {
        simulate_some(&self.plan, &self.before, |id| id.index() < count)
    }

    /// The words of the plan's operations.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.plan.steps().map(|(_, step)| step.operation.to_string()).collect()
    }
}

/// An image that says a little, so that defaults are seen to count.
pub(crate) fn image(name: &str) -> ObservedImage {
    let defaults = Settings {
        command: Some(vec!["sh".to_owned()]),
        environment: [("PATH".to_owned(), Some("/bin".to_owned()))].into(),
        ..Settings::default()
    };
    let volumes = if name.contains("volume") { vec!["/image".to_owned()] } else { vec![] };
    ObservedImage { id: format!("sha256:{name}"), defaults, volumes, platform: "linux/amd64".to_owned(), age: None }
}

/// Changes a container of the simulated Engine by hand.
pub(crate) fn change(observed: &mut Observed, replica: &str, change: impl FnOnce(&mut ObservedContainer)) {
    let found = observed.containers.iter_mut().find(|c| c.replica.to_string() == replica);
    change(found.unwrap_or_else(|| panic!("there is no {replica}")));
}

/// A service's name.
pub(crate) fn service(name: &str) -> ServiceName {
    name.parse().expect("a service's name")
}

/// Asserts the lines of a plan; the width of its columns does not count.
#[track_caller]
pub(crate) fn assert_plan(planned: &Planned, expected: &str) {
    let tidy = |text: &str| {
        let columns =
            |line: &str| line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
        text.lines().map(columns).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let found = tidy(&planned.plan.to_string());
    assert!(found == tidy(expected), "the plan is\n{}\n\nand not\n{expected}", planned.plan);
}

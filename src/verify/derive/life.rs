//! Containers run, have done their work, are healthy.

use super::{Draft, Job, Origin, called, replicas};
use crate::compose::model::{HealthTest, Healthcheck, Service};
use crate::source::Spanned;
use crate::verify::check::{Basis, Expectation};

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    let job = draft.job(&service.name);
    for replica in replicas(service) {
        let who = called(service, &replica);
        if let Some(job) = &job {
            let origin = end_of(service, job);
            draft.add(
                format!("completed/{who}"),
                format!("{who} has ended with 0"),
                origin,
                Expectation::Completed(replica),
            );
            continue;
        }
        draft.add(
            format!("running/{who}"),
            format!("{who} runs"),
            Origin::attribute(&service.name, "", service.span),
            Expectation::Running(replica.clone()),
        );
        // a check without a test is the image's, if that has one
        let tested = |h: &&Spanned<Healthcheck>| h.test.as_ref().is_some_and(|test| *test != HealthTest::None);
        let Some(health) = service.healthcheck.as_ref().filter(tested) else { continue };
        draft.add(
            format!("healthy/{who}"),
            format!("{who} is healthy"),
            Origin::attribute(&service.name, "healthcheck", health.span),
            Expectation::Healthy(replica),
        );
    }
}

/// Where the file says that a job ends. It stands among the job's own checks, whoever says it.
fn end_of<'a>(service: &'a Service, job: &Job) -> Origin<'a> {
    let (basis, span) = match job {
        Job::Awaited(waiting, span) => {
            let path = format!("services.{waiting}.depends_on.{}", service.name);
            (Basis::Attribute(path), span.unwrap_or(service.span))
        }
        Job::Declared(span) => (Basis::Declared(format!("jobs: {}", service.name)), *span),
        Job::Ended(span) => (Basis::Attribute(format!("services.{}.restart", service.name)), *span),
    };
    Origin { service: Some(&service.name), basis, span: Some(span) }
}
